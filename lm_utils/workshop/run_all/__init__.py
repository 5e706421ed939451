"""Train what is missing, execute every notebook, and report.

`command` does it in order; `process` starts and watches one process per notebook, in which `notebook` executes it;
`forks` starts those processes from one that has imported everything already;
`pages` turns it into a page, `report` keeps what came of all of them, `forecast` says how long it will take.
"""

import sys

# jsonschema would build a grammar of internationalised addresses, which takes longer than everything else that executes
# a notebook; nbformat's schema asks for none. Without the package jsonschema leaves that check out.
sys.modules.setdefault("rfc3987_syntax", None)
