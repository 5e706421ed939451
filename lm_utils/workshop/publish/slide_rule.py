"""The rule that makes slides of an executed notebook: what is shown, what is said, and what is left out.

- Each heading begins a slide. Exercises are headings, too, and show the code that is to be completed.
- Each figure, table, question or printed result has a slide; the first one stands with its heading.
- A slide shows the first paragraph below its heading or behind its output, and what is set apart in the text: lists,
  tables, formulas. Code is shown where its output is plain text.
- All other text goes to the speaker's notes.
- A cell with the metadata `slideshow={"slide_type": "skip"}` is left out.

What does not fit goes on to the next slide (site/slides/fit.js); a figure has the room that the text leaves.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from nbformat import NotebookNode

from lm_utils.workshop.run_all.pages import WIDGET_STATE, still_data

HEADING = re.compile(r"(#{2,4}) (.+)")
NAMED_PARAGRAPH = re.compile(r"\*\*((?:Exercise|Stop) .+?)\.?\*\*[.:]?\s*", re.DOTALL)
SET_APART = re.compile(r"\||[-*] |\d+\. |>|```|\$\$")
PICTURE = re.compile(r"<img [^>]*>")
QUESTION = re.compile(r"(?P<asked><div.*)<details>\s*<summary>.*?</summary>(?P<answer>.*)</details>", re.DOTALL)
NOT_ON_A_SLIDE = re.compile(
    r"<style.*?</style>|<span class=\"control\">.*?</span>|<details class=[\"'](?:code|all-columns)[\"']>.*?</details>",
    re.DOTALL,
)
UNANSWERED = "Not answered yet."
LARGE = {"figure", "table", "question", "plain"}  # a slide has one of them
SECTION, EXERCISE = 3, 4  # levels of headings
SENTENCE = re.compile(r"[.!?:][\"')*]*(?:\s|$)")


class Part(NamedTuple):
    """One part: "heading" (with its level), "text", "apart" (a list, table or formula of the text), or an output.

    An output is a "figure", "table", "question", "words" or "plain" (with the code behind it), or "waiting", which
    stands where an exercise waits for its answer and ends the exercise.
    """

    kind: str
    text: str
    level: int = 0
    code: str = ""


@dataclass
class Slide:
    """One slide: the headings above it, the last being its title, what it shows, and the speaker's notes."""

    headings: tuple[str, ...]
    shown: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_exercise(self) -> bool:
        """Whether it belongs to an exercise."""
        return self.headings[-1].startswith("Exercise")

    def shows(self, *kinds: str) -> bool:
        """Say whether it shows a part of one of these kinds."""
        return any(part.kind in kinds for part in self.shown)

    def has_room_for(self, part: Part) -> bool:
        """Say whether a part goes with what is shown already."""
        if part.kind == "text":
            return not self.shows("text", "question")
        if part.kind == "words":
            return not self.shows("question")
        if part.kind in LARGE:
            return not self.shows("apart", *LARGE)
        return not (part.kind == "apart" and self.shows(*LARGE))


def slides_of(parts: Iterable[Part]) -> list[Slide]:
    """Return the slides that the rule makes of these parts; what comes before the first heading is left out."""
    slides: list[Slide] = []
    path: dict[int, str] = {}
    for part in parts:
        if part.kind == "heading":
            path = {level: title for level, title in path.items() if level < part.level} | {part.level: part.text}
            slides.append(Slide(tuple(path.values())))
        elif part.kind == "waiting":
            path.pop(EXERCISE, None)
        elif slides:
            put(part, slides, tuple(path.values()))
    return finished(slides)


def put(part: Part, slides: list[Slide], headings: tuple[str, ...]) -> None:
    """Show a part on the last slide or on a new one; text that finds no room goes to the last one's notes."""
    slide = slides[-1]
    here = slide.headings == headings and slide.has_room_for(part)
    if part.kind == "text" and not here:
        slide.notes.append(part.text)
        return
    if not here:
        leads = part.kind == "apart" and slide.notes and slide.notes[-1].endswith(":")
        slides.append(Slide(headings, [Part("text", slide.notes.pop())] if leads else []))
    slides[-1].shown.append(part)


def finished(slides: list[Slide]) -> list[Slide]:
    """Return the slides that show more than one sentence; the words of the others go to the next one's notes."""
    full: list[Slide] = []
    waiting: list[str] = []
    for slide in slides:
        if all(part.kind == "text" for part in slide.shown):
            slide.shown += [Part("text", text) for text in slide.notes[:1]]
            slide.notes = slide.notes[1:]
        texts = [part.text for part in slide.shown]
        sentences = SENTENCE.findall(re.sub(r"<[^>]+>", "", "\n".join(texts)))
        if slide.shows("apart", *LARGE) or len(sentences) > 1:
            slide.notes = [*waiting, *slide.notes]
            waiting = []
            full.append(slide)
        else:
            waiting += [*texts, *slide.notes]
    if full:
        full[-1].notes += waiting
    return full


def parts_of(notebook: NotebookNode) -> Iterator[Part]:
    """Yield the parts of an executed notebook after its first cell, without set-up and what is marked to be skipped."""
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for cell in notebook.cells[1:]:
        skipped = cell.metadata.get("slideshow", {}).get("slide_type") == "skip"
        if skipped or {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", ())):
            continue
        if cell.cell_type == "markdown":
            yield from text_parts(cell.source)
        elif cell.cell_type == "code":
            yield from output_parts(cell, state)


def text_parts(text: str) -> Iterator[Part]:
    """Yield the parts of a cell of text."""
    for block in blocks_of(text):
        if heading := HEADING.match(block):
            yield Part("heading", heading[2].strip(), len(heading[1]))
            block = block[heading.end() :].strip()
        if named := NAMED_PARAGRAPH.match(block):
            title = " ".join(named[1].split())
            yield Part("heading", title, SECTION if title.startswith("Stop") else EXERCISE)
            block = block[named.end() :]
        if block:
            yield Part("apart" if SET_APART.match(block) else "text", block)


def blocks_of(text: str) -> list[str]:
    """Return what empty lines part, but keep code and formulas whole."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if blocks and (blocks[-1].count("```") % 2 or blocks[-1].count("$$") % 2):
            blocks[-1] += f"\n\n{block}"
        else:
            blocks.append(block)
    return blocks


def output_parts(cell: NotebookNode, state: dict) -> Iterator[Part]:
    """Yield what a cell of code put out; what it printed comes as one part, and so does what is to be completed."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream").strip("\n")
    to_complete = re.search(r"(?:=|return) \.\.\.$", cell.source, re.MULTILINE)
    if printed or (to_complete and not cell.outputs):
        yield Part("plain", printed, code=cell.source)
    for output in cell.outputs:
        if "data" in output:
            yield output_part(still_data(output.data, state), cell.source)


def output_part(data: dict[str, str], code: str) -> Part:
    """Return one output as a part."""
    if "text/html" not in data and "text/markdown" not in data:
        return Part("plain", "".join(data.get("text/plain", "")), code=code)
    page = NOT_ON_A_SLIDE.sub("", "".join(data.get("text/html", ""))).replace("<details open>", "<details>")
    if UNANSWERED in page:
        return Part("waiting", "")
    if picture := PICTURE.search(page):
        return Part("figure", picture[0])
    if question := QUESTION.match(page):
        asked = re.sub(r" style='[^']*'", "", question["asked"])
        return Part("question", f'{asked}<div class="fragment answer">{question["answer"]}</div></div>')
    words = NOT_ON_A_SLIDE.sub("", "".join(data.get("text/markdown", "")))
    return Part("table" if words.startswith("|") or "<table" in page else "words", words or page)
