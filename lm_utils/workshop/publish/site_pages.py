"""The site's pages that are written from data: the landing page's figures, the results browser, a page per claim."""

import inspect
import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import getitem

import pandas as pd

from lm_utils.errors import UserError
from lm_utils.evidence import claims
from lm_utils.evidence.claims import Claim, Judged
from lm_utils.evidence.claims.claim import KINDS, VERDICTS
from lm_utils.evidence.results import Results, reference
from lm_utils.evidence.tables import markdown_table, readable, summary
from lm_utils.runs.rows import Row, rows
from lm_utils.tasks import TASKS
from lm_utils.workshop.publish.readme import EVERY_ROW, LEGEND, marks
from lm_utils.workshop.publish.site_data import script

FIGURES, OTHERS, RUNS, PRESETS = (f"<!-- {name} -->" for name in ("figures", "other pages", "runs", "presets"))
MARKS = re.compile(r"([!-/:-@\[-`{-~])")
COLUMNS = ("task", "from", "row", "published", "ours (95 % interval)", "seeds", "at chance",
           "difference to the fitting pairing", "verdict")  # fmt: skip
OURS = {"twin": "the call meant", "extra": "another loss", "remedy": "a remedy"}
WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n\n"  # a page whose table needs the room of the contents
FILTERED = "```{{container}} filtered\n{table}\n```"
ON_RUNS = ("runs", "conditions")


def plain(text: str) -> str:
    """Return text as it is, whatever its signs mean in Markdown."""
    return MARKS.sub(r"\\\1", " ".join(text.split()))


def landing_page(frame: str, results: str, pages: Sequence[str], runs: dict) -> str:
    """Return the landing page: its frame, the index of the runs, figures of docs/results.md, pages its lists lack."""
    shown = results.partition(marks("results")[0])[2].partition(EVERY_ROW)[0].strip()
    if FIGURES not in frame or "![" not in shown:
        raise UserError("docs/results.md or site/index.md has no place for the figures; run `make readme`.")
    shown = shown.replace("](figures/", "](docs/figures/")
    presets = ((one["title"], one["told"], one["learnt"]) for one in runs["presets"])
    parts = {
        FIGURES: shown,
        OTHERS: "\n".join(page for page in pages if f"\n{page}\n" not in frame),
        RUNS: f'<link rel="preload" as="script" href="_static/runs/{reduce(getitem, runs["start"], runs["files"])}">\n'
        f"<script>const runsIndex = {script(runs)};</script>",
        PRESETS: markdown_table(["pairing", "what it is", "seeds that did better than a constant answer"], presets),
    }
    for place, text in parts.items():
        frame = frame.replace(place, text)
    return frame


# --- results ---------------------------------------------------------------------------------------------------------


def results_page(results: Results | None = None) -> str:
    """Return every row of the tables with our figures; the page's script adds the menus that choose among them."""
    results = results or reference()
    origins = [f"- {TASKS[task].title}: {plain(results.of_rows(task).origin)}" for task in TASKS]
    table = markdown_table(COLUMNS, ([plain(line[name]) for name in COLUMNS] for line in lines_of(results)))
    return "\n\n".join(
        [
            f"{WIDE}# Results",
            "Every row of the documents' tables, and the rows that we add, beside our runs: the mean of the test"
            " metric over seeds with its 95 % interval (accuracy; for regression the mean squared error).",
            LEGEND,
            FILTERED.format(table=table),
            "## Where the runs come from",
            "\n".join(origins),
        ]
    )


def lines_of(results: Results) -> Iterator[dict[str, str]]:
    """Yield one line for every row, table by table as the notebooks compare them."""
    for task, table in dict.fromkeys((row.pairing.task, row.table) for row in rows()):
        found = summary(task, table, results)
        shown: pd.DataFrame = readable(found).frame
        for row, (_, line) in zip(rows(task, table), shown.iterrows(), strict=True):
            told = {"task": TASKS[task].title, "from": origin_of(row), **line}
            yield {name: str(told[name]) for name in COLUMNS}


def origin_of(row: Row) -> str:
    """Say where a row comes from: a section of a document, or why we added it."""
    return f"{row.document} §{row.section}" if row.document else OURS[row.table]


# --- claims ----------------------------------------------------------------------------------------------------------


def claims_pages(judged: Sequence[Judged], results: Results | None = None) -> dict[str, str]:
    """Return the index of the claims and a page for each, by file name."""
    origin = (results or reference()).of_rows().origin
    return {"index.md": claims_index(judged), **{f"{one.claim.id}.md": claim_page(one, origin) for one in judged}}


def claims_index(judged: Sequence[Judged]) -> str:
    """Return all claims in one table, each leading to its page."""
    lines = [
        {
            "document": one.claim.document,
            "section": plain(one.claim.section),
            "claim": f"[{plain(one.claim.says)}]({one.claim.id}.md)",
            "verdict": plain(one.signed),
            "how": KINDS[one.claim.kind],
        }
        for one in judged
    ]
    meanings = [f"- **{plain(name)}**: {plain(meaning)}" for name, meaning in VERDICTS.items()]
    counts = claims.counts(judged)
    pages = "\n".join(["```{toctree}", ":hidden:", "", *(one.claim.id for one in judged), "```"])
    return "\n\n".join(
        [
            f"{WIDE}# Claims",
            f"What the five documents say that can be checked: {len(judged)} claims, in our words, each with the test"
            " that decides it. The verdicts mean",
            "\n".join(meanings),
            markdown_table(["document", *counts.columns], counts.reset_index().to_numpy()),
            FILTERED.format(table=markdown_table(list(lines[0]), (line.values() for line in lines))),
            pages,
        ]
    )


def claim_page(judged: Judged, origin: str) -> str:
    """Return the page of one claim: where it stands, what decides it, the verdict and the figures behind it."""
    claim = judged.claim
    guess = " The document itself marks it as a guess." if claim.guess else ""
    runs = [f"Runs: {plain(origin)}."] if claim.kind in ON_RUNS else []
    return "\n\n".join(
        [
            f"# {plain(claim.says)}",
            f"This is what document {claim.document} says in section {plain(claim.section)}, in our words.{guess}",
            f"## Verdict: {plain(judged.signed)}",
            f"That means: {plain(VERDICTS[judged.verdict])}.",
            "## Evidence",
            plain(judged.evidence),
            *runs,
            "## What decides",
            *decision(claim),
            "[All claims](index.md) · [what they add up to](../notebooks/15_verdicts.ipynb)",
        ]
    )


def decision(claim: Claim) -> list[str]:
    """Describe the test that decides a claim: its name, what it is called with, its code."""
    if claim.test is None:
        return ["No test: nobody ran the experiment that would decide it."]
    called = [f"- `{name}`: {plain(told_argument(value))}" for name, value in claim.arguments.items()]
    return [
        f"It was **{KINDS[claim.kind]}**: `{claim.test.__name__}` in `{claim.test.__module__.replace('.', '/')}.py`"
        f"{', called with' if called else '.'}",
        *(["\n".join(called)] if called else []),
        f"```python\n{inspect.getsource(claim.test).strip()}\n```",
    ]


def told_argument(value: object) -> str:
    """Describe an argument of a claim's test; ids of rows become the rows' names."""
    names = {row.id: f"{row.label} ({TASKS[row.pairing.task].title.lower()})" for row in rows()}
    if isinstance(value, list):
        inner = [" against ".join(names.get(one, str(one)) for one in each) if isinstance(each, list)
                 else names.get(each, str(each)) for each in value]  # fmt: skip
        return "; ".join(inner)
    return str(value)
