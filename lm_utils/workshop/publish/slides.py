"""`make slides`: reveal.js decks of the executed notebooks and one for the lesson of 50 minutes, in build/slides/."""

import html
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert import SlidesExporter
from nbformat import NotebookNode, v4

from lm_utils.errors import UserError
from lm_utils.files import BUILD, NOTEBOOKS, PROJECT, write_whole
from lm_utils.workshop.publish import teachers_guide
from lm_utils.workshop.publish.notebooks import is_executed, read
from lm_utils.workshop.publish.slide_rule import Part, Slide, blocks_of, parts_of, slides_of
from lm_utils.workshop.publish.web_parts import web_part
from lm_utils.workshop.run_all.command import choose, run_all
from lm_utils.workshop.run_all.pages import SCRIPT, with_formulas
from lm_utils.workshop.templates import filled

EXECUTED, OUT = BUILD / "run-all", BUILD / "slides"
REVEAL = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "dist/theme/fonts", "plugin/notes", "LICENSE")
TO_NOTEBOOK = re.compile(r'href="(?:\.\./)?(?:notebooks/)?(\d\d_\w+)\.ipynb(?:#[^"]*)?"')
LESSON = "One lesson of 50 minutes"


@dataclass
class Card:
    """A slide with what stands above its title, what its notes add from the guide, and where it stands."""

    slide: Slide
    above: str = ""
    advice: str = ""
    new_stack: bool = False


def main(only: Sequence[str] = (), **settings: Any) -> int:
    """Build the decks of all notebooks, or of some; `run_all` executes with its settings those not executed yet."""
    _, chosen = choose(NOTEBOOKS, only)
    missing = [path for path in chosen if not is_executed(path, EXECUTED / path.name)]
    if missing:
        print(f"To be executed first: {', '.join(path.stem for path in missing)}", flush=True)
        report = run_all(**settings, only=[path.stem for path in missing], out=EXECUTED)
        if not report["ok"]:
            raise UserError("Not every notebook ran through (the table says why); mend it, then call this again.")
    page = build({path.stem: read(EXECUTED / path.name) for path in chosen}, OUT)
    print(f"To read: {page}")
    return 0


def build(notebooks: Mapping[str, NotebookNode], out: Path) -> Path:
    """Write a deck for each of these executed notebooks, the lesson's deck if its notebooks are there, and an index."""
    copy_player(out)
    rows = teachers_guide.advice()
    titles = {name: title_of(notebook) for name, notebook in notebooks.items()}
    cards = {name: cards_of(name, notebook, rows) for name, notebook in notebooks.items()}
    steps = teachers_guide.lesson(rows)
    decks = dict(cards)
    if {place.notebook for step in steps for place in step.places} <= {name[:2] for name in notebooks}:
        decks, titles["lesson"] = {"lesson": lesson_cards(steps, cards), **cards}, LESSON
    for name, shown in decks.items():
        write_whole(out / f"{name}.html", deck(titles[name], shown))
    links = {name: titles[name] for name in decks}
    write_whole(out / "index.html", filled("slides.html", title="Slides", decks=links))
    return out / "index.html"


def copy_player(out: Path) -> None:
    """Put reveal.js, the style and what lets slides fit beside the decks."""
    source = web_part("reveal.js")
    shutil.rmtree(out / "reveal", ignore_errors=True)
    for name in REVEAL:
        target = out / "reveal" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (source / name).is_dir() else shutil.copyfile)(source / name, target)
    for name in ("slides.css", "fit.js"):
        shutil.copyfile(PROJECT / "site" / "slides" / name, out / name)


def title_of(notebook: NotebookNode) -> str:
    """Return the heading of a notebook."""
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ")


def cards_of(name: str, notebook: NotebookNode, rows: Sequence[teachers_guide.Advice]) -> list[Card]:
    """Return the slides of a notebook, with the guide's words on the first slide below each heading."""
    number, short = name[:2], re.split(r"[:?]", title_of(notebook))[0]
    cards = [title_card(notebook, teachers_guide.about(rows, number))]
    told: set[str] = set()
    for slide in slides_of(parts_of(notebook)):
        advice = [teachers_guide.about(rows, number, heading) for heading in slide.headings if heading not in told]
        told.update(slide.headings)
        above = " · ".join([short, *slide.headings[:-1]])
        new_stack = slide.headings[:1] != cards[-1].slide.headings[:1]
        cards.append(Card(slide, above, "\n\n".join(filter(None, advice)), new_stack))
    return cards


def title_card(notebook: NotebookNode, advice: str) -> Card:
    """Return the first slide: what one can do afterwards, and which data were used."""
    _, lead, goals, *notes = blocks_of(notebook.cells[0].source)
    first_outputs = (output for cell in notebook.cells[1:6] for output in cell.get("outputs", ()) if "data" in output)
    pages = (SCRIPT.sub("", output.data.get("text/html", "")) for output in first_outputs)
    banner = [Part("note", page) for page in pages if 'role="note"' in page]
    slide = Slide((title_of(notebook),), [Part("title", lead), Part("title", goals), *banner], notes)
    return Card(slide, advice=advice, new_stack=True)


def lesson_cards(steps: Sequence[teachers_guide.Advice], cards: Mapping[str, list[Card]]) -> list[Card]:
    """Return the lesson: each step begins with its question and shows the parts it names; exercises are for home."""
    found: list[Card] = []
    for step in steps:
        minutes, shown, asked, _ = step.words.values()
        question = Part("ask", "\n\n".join(re.findall(r'"([^"]+)"', asked)))
        slide = Slide((f"Minutes {minutes}",), [question, Part("text", shown)])
        found.append(Card(slide, LESSON, teachers_guide.told(step), new_stack=True))
        for place in step.places:
            (name,) = (name for name in cards if name.startswith(place.notebook))
            meant = [card for card in cards[name] if any(place.holds(name[:2], each) for each in card.slide.headings)]
            found += [card for card in meant if not card.slide.is_exercise]
    return found


def deck(title: str, cards: Sequence[Card]) -> str:
    """Return a deck as a page; what it loads lies beside it."""
    cells = [cell for card in cards for cell in cells_of(card)]
    exporter = SlidesExporter(template_name="slides", extra_template_basedirs=[str(PROJECT / "site")],
                              exclude_anchor_links=True)  # fmt: skip
    page, _ = exporter.from_notebook_node(v4.new_notebook(cells=cells, metadata={"title": title}))
    return TO_NOTEBOOK.sub(r'href="\1.html"', page)


def cells_of(card: Card) -> Iterator[NotebookNode]:
    """Yield the cells that make up a slide: its title, what it shows, and its notes."""
    title = card.slide.headings[-1]
    head = f'<p class="kicker">{html.escape(card.above)}</p>\n\n' if card.above else ""
    head += f"{'##' if card.above else '#'} {title}" if title else ""
    yield text_cell("head", head, "slide" if card.new_stack else "subslide")
    for part in card.slide.shown:
        yield part_cell(part)
    notes = "\n\n".join(filter(None, [card.advice, *card.slide.notes]))
    if notes:
        yield text_cell("said", notes, "notes")


def text_cell(kind: str, text: str, slide_type: str = "-") -> NotebookNode:
    """Return a cell of text with its kind, which is its class in the page."""
    metadata = {"kind": kind, "slideshow": {"slide_type": slide_type}}
    return v4.new_markdown_cell(with_formulas(text), metadata=metadata)


def part_cell(part: Part) -> NotebookNode:
    """Return a part as a cell: Markdown as text, HTML and printed text as the output of a cell of code."""
    if part.kind != "plain" and not part.text.lstrip().startswith("<"):
        return text_cell(part.kind, part.text)
    if part.kind == "plain":
        output = v4.new_output("stream", text=part.text)
    else:
        page = with_formulas(part.text) if part.kind == "question" else part.text
        output = v4.new_output("display_data", {"text/html": page})
    metadata = {"kind": part.kind, "slideshow": {"slide_type": "-"}}
    return v4.new_code_cell(part.code, metadata=metadata, outputs=[output] if part.text else [])
