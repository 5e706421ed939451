"""`make slides`: reveal.js decks of the executed notebooks and one for the lesson of 50 minutes, in build/slides/."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode

from lm_utils.errors import UserError
from lm_utils.files import write_whole
from lm_utils.workshop.publish import guide
from lm_utils.workshop.publish.notebooks import ROOT
from lm_utils.workshop.publish.site_notebooks import is_executed, read
from lm_utils.workshop.publish.slide_deck import Card, deck
from lm_utils.workshop.publish.slide_parts import Part, blocks_of, parts_of
from lm_utils.workshop.publish.slide_rule import Slide, slides_of
from lm_utils.workshop.publish.web_parts import web_part
from lm_utils.workshop.run_all.command import choose, run_all
from lm_utils.workshop.run_all.pages import SCRIPT, document

EXECUTED, OUT = ROOT / "build" / "run-all", ROOT / "build" / "slides"
REVEAL = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "dist/theme/fonts", "plugin/notes", "LICENSE")
LESSON = "One lesson of 50 minutes"
KEYS = (
    "Space, Page Down or the right arrow goes on, Page Up or the left arrow goes back; <b>S</b> opens the speaker's "
    "notes in a window of their own; Esc shows all slides at once; F fills the screen. For paper, add "
    "<code>?print-pdf</code> to a deck's address and print it."
)


def main(
    data: str = "auto", seeds: int = 3, device: str = "auto", jobs: int | None = None, only: Sequence[str] = ()
) -> int:
    """Build the decks of all notebooks, or of some, executing first those without an executed copy."""
    _, chosen = choose(ROOT / "notebooks", only)
    missing = [path for path in chosen if not is_executed(path, EXECUTED / path.name)]
    if missing:
        print(f"To be executed first: {', '.join(path.stem for path in missing)}", flush=True)
        report = run_all(data, seeds, device, jobs, only=[path.stem for path in missing], out=EXECUTED)
        if not report["ok"]:
            raise UserError("Not every notebook ran through (the table says why); mend it, then call this again.")
    page = build({path.stem: read(EXECUTED / path.name) for path in chosen}, OUT)
    print(f"To read: {page}")
    return 0


def build(notebooks: Mapping[str, NotebookNode], out: Path) -> Path:
    """Write a deck for each of these executed notebooks, the lesson's deck if its notebooks are there, and an index."""
    copy_player(out)
    rows = guide.advice()
    cards = {name: cards_of(name, notebook, rows) for name, notebook in notebooks.items()}
    decks = {name: deck(title_of(notebook), cards[name]) for name, notebook in notebooks.items()}
    titles = {name: title_of(notebook) for name, notebook in notebooks.items()}
    steps = guide.lesson(rows)
    needed = {place.notebook for step in steps for place in step.places}
    if needed <= {name[:2] for name in notebooks}:
        decks = {"lesson": deck(LESSON, lesson_cards(steps, cards)), **decks}
        titles["lesson"] = LESSON
    for name, page in decks.items():
        write_whole(out / f"{name}.html", page)
    links = "".join(f'<li><a href="{name}.html">{titles[name]}</a></li>' for name in decks)
    write_whole(out / "index.html", document("Slides", f"<main><h1>Slides</h1><p>{KEYS}</p><ul>{links}</ul></main>"))
    return out / "index.html"


def copy_player(out: Path) -> None:
    """Put reveal.js and the style beside the decks."""
    source = web_part("reveal.js")
    shutil.rmtree(out / "reveal", ignore_errors=True)
    for name in REVEAL:
        target = out / "reveal" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (source / name).is_dir() else shutil.copyfile)(source / name, target)
    shutil.copyfile(ROOT / "site" / "slides" / "slides.css", out / "slides.css")


def title_of(notebook: NotebookNode) -> str:
    """The heading of a notebook."""
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ")


def title_card(notebook: NotebookNode, advice: str) -> Card:
    """The first slide: what one can do afterwards, and which data were used."""
    first, *blocks = blocks_of(notebook.cells[0].source)
    lead, goals, *notes = blocks
    first_outputs = (output for cell in notebook.cells[1:6] for output in cell.get("outputs", ()) if "data" in output)
    pages = (SCRIPT.sub("", output.data.get("text/html", "")) for output in first_outputs)
    banner = [Part("note", page) for page in pages if 'role="note"' in page]
    parts = [Part("title", lead), Part("title", goals), *banner]
    return Card(Slide(first.removeprefix("# "), shown=parts, notes=notes), advice=advice, new_stack=True)


def cards_of(name: str, notebook: NotebookNode, rows: Sequence[guide.Advice]) -> list[Card]:
    """The slides of a notebook with the guide's words about each of its headings."""
    number, short = name[:2], re.split(r"[:?]", title_of(notebook))[0]
    cards = [title_card(notebook, guide.about(rows, number))]
    for slide in slides_of(parts_of(notebook)):
        advice = guide.about(rows, number, slide.title) if slide.begins else ""
        above = " · ".join([short, *slide.headings[:-1]])
        cards.append(Card(slide, above, advice, new_stack=slide.headings[:1] != cards[-1].slide.headings[:1]))
    return cards


def lesson_cards(steps: Sequence[guide.Advice], cards: Mapping[str, list[Card]]) -> list[Card]:
    """The lesson's slides: each step begins with its question and shows the parts it names; exercises are for home."""
    found: list[Card] = []
    for step in steps:
        *_, asked = step.words.values()
        question = "\n\n".join(re.findall(r'"([^"]+)"', asked))
        found.append(Card(Slide("", shown=[Part("ask", question)]), LESSON, guide.told(step), new_stack=True))
        for place in step.places:
            (name,) = (name for name in cards if name.startswith(place.notebook))
            shown = [card for card in cards[name] if any(place.holds(name[:2], each) for each in card.slide.headings)]
            found += [card for card in shown if not card.slide.is_exercise]
    return found
