"""Reads the tables of docs/teachers-guide.md, so that its words can be looked up by notebook and part."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lm_utils.files import DOCS

GUIDE = DOCS / "teachers-guide.md"
LESSON = "Path 1"
NOTEBOOK = re.compile(r"\]\((?:\.\./notebooks/)(\d\d)_\w+\.ipynb\)")
CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Place:
    """A notebook, by number, and the beginning of a heading in it; without one the whole notebook is meant."""

    notebook: str
    part: str = ""

    def holds(self, notebook: str, heading: str) -> bool:
        """Say whether a heading of a notebook is meant."""
        return notebook == self.notebook and bool(self.part) and heading.startswith(self.part)


@dataclass(frozen=True)
class Advice:
    """A row of one of the guide's tables: the places it is about, and its cells by the headings of their columns."""

    section: str
    places: tuple[Place, ...]
    words: dict[str, str]


def advice() -> list[Advice]:
    """Return every row of the guide's tables that names a notebook, and every step of the lesson."""
    text = GUIDE.read_text(encoding="utf-8")
    rows = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0].strip()
        for block in re.split(r"^### ", section, flags=re.MULTILINE):
            rows += _rows(title, block)
    return [row for row in rows if row.places or row in lesson(rows)]


def lesson(rows: Sequence[Advice]) -> list[Advice]:
    """Return the steps of the lesson of 50 minutes."""
    return [row for row in rows if row.section.startswith(LESSON)]


def about(rows: Sequence[Advice], notebook: str, heading: str = "") -> str:
    """Return what the guide says about a part of a notebook, or about the whole of it, as a list in Markdown."""
    found = [
        row
        for row in rows
        if any(place.holds(notebook, heading) if heading else place == Place(notebook) for place in row.places)
    ]
    return "\n\n".join(told(row) for row in found)


def told(row: Advice) -> str:
    """Return a row of the guide as a list, its links as plain words."""
    items = [(name, re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words)) for name, words in row.words.items() if words]
    return "\n".join(f"- **{name[0].upper()}{name[1:]}:** {words}" for name, words in items)


def _rows(section: str, block: str) -> Iterator[Advice]:
    """Yield the rows of the tables below one heading; a heading that is a link names the notebook of all rows."""
    heading, _, rest = block.partition("\n")
    notebook = NOTEBOOK.search(heading)
    for table in re.findall(r"(?:^\|.*\n?)+", rest, flags=re.MULTILINE):
        names, _, *rows = ([cell.strip() for cell in CELLS.split(line)[1:-1]] for line in table.splitlines())
        for row in rows:
            words = dict(zip(names, row, strict=True))
            if notebook:
                place = Place(notebook[1], words.pop(names[0]))
                yield Advice(section, (place,), words)
            else:
                yield Advice(section, tuple(place for cell in row for place in places_in(cell)), words)


def places_in(cell: str) -> list[Place]:
    """Return the places that a cell names: links to notebooks, each with the parts that are named behind it."""
    found = []
    _, *pieces = NOTEBOOK.split(cell)
    for notebook, behind in zip(pieces[::2], pieces[1::2], strict=True):
        numbers, headings = re.match(r",? ?(?:parts? ([\d, and]+))?((?:,? ?(?:and )?\"[^\"]+\")*)", behind).groups("")
        parts = [f"{number}." for number in re.findall(r"\d+", numbers)]
        parts += re.findall(r"\"([^\"]+)\"", headings)
        found += [Place(notebook, part) for part in parts or [""]]
    return found
