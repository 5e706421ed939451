"""Writes slides as a reveal.js deck, through nbconvert's exporter and the template in site/slides/."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nbconvert import SlidesExporter
from nbformat import NotebookNode, v4

from lm_utils.workshop.publish.notebooks import ROOT
from lm_utils.workshop.publish.slide_parts import Part
from lm_utils.workshop.publish.slide_rule import Slide
from lm_utils.workshop.run_all.pages import with_formulas

TO_NOTEBOOK = re.compile(r'href="(?:\.\./)?(?:notebooks/)?(\d\d_\w+)\.ipynb(?:#[^"]*)?"')


@dataclass
class Card:
    """A slide with what stands above its title, what the speaker's notes add from the guide, and where it stands."""

    slide: Slide
    above: str = ""
    advice: str = ""
    new_stack: bool = False


def deck(title: str, cards: Sequence[Card]) -> str:
    """The whole deck as a page; what it loads lies beside it."""
    cells = [cell for card in cards for cell in cells_of(card)]
    exporter = SlidesExporter(template_name="slides", extra_template_basedirs=[str(ROOT / "site")],
                              exclude_anchor_links=True)  # fmt: skip
    page, _ = exporter.from_notebook_node(v4.new_notebook(cells=cells, metadata={"title": title}))
    return TO_NOTEBOOK.sub(r'href="\1.html"', page)


def cells_of(card: Card) -> Iterator[NotebookNode]:
    """The cells that make up a slide: its title, what it shows, and its notes."""
    kicker = f'<p class="kicker">{html.escape(card.above)}</p>\n\n' if card.above else ""
    level = "#" if card.new_stack and not card.slide.headings else "##"
    head = f"{kicker}{level} {with_formulas(card.slide.title)}" if card.slide.title else kicker
    yield text_cell("head", head, "slide" if card.new_stack else "subslide")
    for part in card.slide.shown:
        yield part_cell(part, f"{part.kind} {card.slide.letters}".strip())
    notes = "\n\n".join(filter(None, [card.advice, *card.slide.notes]))
    if notes:
        yield text_cell("said", with_formulas(notes), "notes")


def text_cell(kind: str, text: str, slide_type: str = "-") -> NotebookNode:
    """A cell of text with its kind, which is its class in the page."""
    return v4.new_markdown_cell(text, metadata={"kind": kind, "slideshow": {"slide_type": slide_type}})


def part_cell(part: Part, kind: str) -> NotebookNode:
    """A part as a cell: Markdown as text, HTML and printed text as the output of a cell of code."""
    metadata = {"kind": kind, "slideshow": {"slide_type": "-"}}
    if part.kind == "plain":
        return v4.new_code_cell(part.code, metadata=metadata, outputs=[v4.new_output("stream", text=part.text)])
    if not part.text.lstrip().startswith("<"):
        return text_cell(kind, with_formulas(part.text))
    page = part.text
    if part.kind == "question":
        page = with_formulas(page + f'<div class="fragment answer">{part.answer}</div>')
    return v4.new_code_cell("", metadata=metadata, outputs=[v4.new_output("display_data", {"text/html": page})])
