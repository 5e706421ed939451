"""The site's pages that are written from data: the landing page's figures, the results browser, a page per claim."""

import inspect
import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import getitem

from lm_utils.errors import UserError
from lm_utils.evidence import claims
from lm_utils.evidence.claims import Judged
from lm_utils.evidence.claims.claim import KINDS, VERDICTS
from lm_utils.evidence.results import Results, reference
from lm_utils.evidence.tables import readable, summary
from lm_utils.runs.rows import Row, rows
from lm_utils.tasks import TASKS
from lm_utils.workshop.publish.site_data import script
from lm_utils.workshop.templates import TEMPLATES, filled

SHOWN = re.compile(r"^!\[.*?(?=\n\n## )", re.DOTALL | re.MULTILINE)  # the first figures of docs/results.md
COLUMNS = ("task", "from", "row", "published", "ours (95 % interval)", "seeds", "at chance",
           "difference to the fitting pairing", "verdict")  # fmt: skip
OURS = {"twin": "the call meant", "extra": "another loss", "remedy": "a remedy"}
WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n\n"  # a page whose table needs the room of the contents


def landing_page(frame: str, results: str, pages: Sequence[str], runs: dict) -> str:
    """Return the landing page: its frame, the index of the runs, figures of docs/results.md, pages its lists lack."""
    shown = SHOWN.search(results)
    if shown is None:
        raise UserError("docs/results.md has no figures; put them back, then run `make readme`.")
    values = {"figures": shown[0].replace("](figures/", "](docs/figures/"), "presets": runs["presets"]}
    values |= {"first_run": reduce(getitem, runs["start"], runs["files"]), "runs": script(runs)}
    others = [page for page in pages if f"\n{page}\n" not in frame]
    return TEMPLATES.from_string(frame).render(values, other_pages=others)


# --- results ---------------------------------------------------------------------------------------------------------


def results_page(results: Results | None = None) -> str:
    """Return every row of the tables with our figures; the page's script adds the menus that choose among them."""
    results = results or reference()
    origins = [(TASKS[task].title, results.of_rows(task).origin) for task in TASKS]
    return filled("results.md", columns=COLUMNS, lines=lines_of(results), origins=origins)


def lines_of(results: Results) -> Iterator[dict[str, str]]:
    """Yield one line for every row, table by table as the notebooks compare them."""
    for task, table in dict.fromkeys((row.pairing.task, row.table) for row in rows()):
        shown = readable(summary(task, table, results)).frame.to_dict("records")
        for row, line in zip(rows(task, table), shown, strict=True):
            yield {"task": TASKS[task].title, "from": origin_of(row), **line}


def origin_of(row: Row) -> str:
    """Say where a row comes from: a section of a document, or why we added it."""
    return f"{row.document} §{row.section}" if row.document else OURS[row.table]


# --- claims ----------------------------------------------------------------------------------------------------------


def claims_pages(judged: Sequence[Judged], results: Results | None = None) -> dict[str, str]:
    """Return the index of the claims and a page for each, by file name."""
    origin, counts = (results or reference()).of_rows().origin, claims.counts(judged)
    index = filled("claims.md", judged=judged, verdicts=VERDICTS, counts=counts, kinds=KINDS)
    return {"index.md": index, **{f"{one.claim.id}.md": claim_page(one, origin) for one in judged}}


def claim_page(judged: Judged, origin: str) -> str:
    """Return the page of one claim: where it stands, what decides it, the verdict and the figures behind it."""
    claim = judged.claim
    arguments = {name: told_argument(value) for name, value in claim.arguments.items()}
    code = inspect.getsource(claim.test).strip() if claim.test else ""
    told = {"meaning": VERDICTS[judged.verdict], "kind": KINDS[claim.kind], "arguments": arguments, "code": code}
    return filled("claim.md", judged=judged, claim=claim, origin=origin, **told)


def told_argument(value: object) -> str:
    """Describe an argument of a claim's test; ids of rows become the rows' names."""
    names = {row.id: f"{row.label} ({TASKS[row.pairing.task].title.lower()})" for row in rows()}
    if isinstance(value, list):
        inner = [" against ".join(names.get(one, str(one)) for one in each) if isinstance(each, list)
                 else names.get(each, str(each)) for each in value]  # fmt: skip
        return "; ".join(inner)
    return str(value)
