"""Train what is missing, execute every notebook, and report.

`command` does it in order; `process` starts and watches one process per notebook, in which `notebook` executes it;
`pages` turns it into a page, `report` keeps what came of all of them.
"""
