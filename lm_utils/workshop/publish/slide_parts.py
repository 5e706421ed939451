"""Takes an executed notebook apart: headings, paragraphs, what is set apart in the text, and what cells put out.

The rule that makes slides of these parts stands in `slide_rule.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from lm_utils.workshop.run_all.pages import WIDGET_STATE, still_data

HEADING = re.compile(r"(#{2,4}) (.+)")
NAMED_PARAGRAPH = re.compile(r"\*\*((?:Exercise|Stop) .+?)\.?\*\*[.:]?\s*", re.DOTALL)
SET_APART = re.compile(r"\||[-*] |\d+\. |>|```|\$\$")
PICTURE = re.compile(r'<img (?![^>]*class="formula)[^>]*>')
QUESTION = re.compile(r"(?P<asked>.*)<details>\s*<summary>.*?</summary>(?P<answer>.*)</details>", re.DOTALL)
LIVE = re.compile(r"<style.*?</style>|<span class=\"control\">.*?</span>", re.DOTALL)  # what does nothing on a slide
UNANSWERED = "Not answered yet."


@dataclass(frozen=True)
class Part:
    """One part: "heading" (with its level), "text", "apart" (a table, list or formula of the text), or an output.

    An output is a "figure", a "table", a "question" (with its answer), "words", "plain" (with the code behind it), or
    "waiting", which stands where an exercise waits for its answer and ends the exercise.
    """

    kind: str
    text: str
    level: int = 0
    answer: str = ""
    code: str = ""


def parts_of(notebook: NotebookNode) -> Iterator[Part]:
    """Yield the parts of an executed notebook after its first cell, without set-up and what is marked to be skipped."""
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for cell in notebook.cells[1:]:
        tags = set(cell.metadata.get("tags", ()))
        skipped = cell.metadata.get("slideshow", {}).get("slide_type") == "skip"
        if skipped or tags & {"parameters", "injected-parameters"}:
            continue
        if cell.cell_type == "markdown":
            yield from text_parts(cell.source)
        elif cell.cell_type == "code":
            yield from output_parts(cell, state)


def blocks_of(text: str) -> list[str]:
    """Return what empty lines part, but keep code and formulas whole."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if blocks and (blocks[-1].count("```") % 2 or blocks[-1].count("$$") % 2):
            blocks[-1] += f"\n\n{block}"
        else:
            blocks.append(block)
    return blocks


def text_parts(text: str) -> Iterator[Part]:
    """Yield the parts of a cell of text."""
    for block in blocks_of(text):
        if heading := HEADING.match(block):
            yield Part("heading", heading[2].strip(), len(heading[1]))
            block = block[heading.end() :].strip()
        if named := NAMED_PARAGRAPH.match(block):
            title = " ".join(named[1].split())
            yield Part("heading", title, level=3 if title.startswith("Stop") else 4)
            block = block[named.end() :]
        if block:
            yield Part("apart" if SET_APART.match(block) else "text", block)


def output_parts(cell: NotebookNode, state: dict) -> Iterator[Part]:
    """Yield what a cell of code put out; what it printed comes as one part."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream").strip("\n")
    if printed:
        yield Part("plain", printed, code=cell.source)
    for output in cell.outputs:
        if "data" in output:
            yield output_part(still_data(output.data, state), cell.source)


def output_part(data: dict[str, str], code: str) -> Part:
    """Return one output as a part."""
    if "text/html" not in data and "text/markdown" not in data:
        return Part("plain", "".join(data.get("text/plain", "")), code=code)
    page = LIVE.sub("", "".join(data.get("text/html", "")))
    if UNANSWERED in page:
        return Part("waiting", "")
    if picture := PICTURE.search(page):
        return Part("figure", picture[0])
    if question := QUESTION.match(page):
        asked = re.sub(r" style='[^']*'", "", question["asked"])
        return Part("question", f"{asked}</div>", answer=question["answer"])
    words = "".join(data.get("text/markdown", ""))
    if words:
        return Part("table" if words.startswith("|") else "words", words)
    return Part("table" if "<table" in page else "words", page, code=code)
