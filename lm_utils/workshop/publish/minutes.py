"""How long a notebook takes, by one rule; `make notebooks` writes it where a source says {time}.

Readers needed 28 minutes for notebook 00, 85 for 11 and 95 for 15, as these then were; the rule says 33, 80 and 84. (A
fourth needed 70 minutes for one of three; the rule says 54, 58 or 64.) It gives every time in steps of five minutes.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode

from lm_utils.lessons.start_here import told_at_the_top
from lm_utils.workshop.templates import filled

PLACE = "{time}"
LESSON = 50  # what takes longer is split into a part for the class and a part for home
WORDS_A_MINUTE = 180
RULE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def parts(cells: Sequence[NotebookNode]) -> list[tuple[str, float]]:
    """Return the heading of each part, with the minutes that it takes; the first part has none."""
    found = [("", 0.0)]
    for cell in cells:
        if cell.cell_type == "code":
            if "parameters" not in cell.metadata.get("tags", []):
                kinds = (
                    minutes for held, minutes in RULE["minutes"].items() if re.search(held, cell.source, re.MULTILINE)
                )
                found[-1] = (found[-1][0], found[-1][1] + next(kinds))
            continue
        text = re.sub(r"^\*\*Time:.*", "", cell.source, flags=re.MULTILINE)  # what is written there must not count
        before, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
        found[-1] = (found[-1][0], found[-1][1] + len(before.split()) / WORDS_A_MINUTE)
        found += [(each.partition("\n")[0], len(each.split()) / WORDS_A_MINUTE) for each in sections]
    return found


def split(cells: Sequence[NotebookNode]) -> tuple[int, int, int]:
    """Return the minutes of a notebook's part for the class and for home, and the number of the first part for home."""
    minutes = [each for _, each in parts(cells)]
    if rounded(sum(minutes)) <= LESSON:
        return rounded(sum(minutes)), 0, len(minutes)
    home = max(part for part in range(1, len(minutes)) if rounded(sum(minutes[:part])) <= LESSON)
    return rounded(sum(minutes[:home])), rounded(sum(minutes[home:])), home


def rounded(minutes: float) -> int:
    """Return minutes in steps of five."""
    return max(5, 5 * round(minutes / 5))


def write_times(shown: Sequence[NotebookNode], counted: Sequence[NotebookNode], language: str = "english") -> None:
    """Write the time of the cells that count in place of {time}, and a heading where the part for home begins."""
    first, rest, home = split(counted)
    heading = parts(shown)[home][0] if rest else ""
    values = {"all": first + rest, "first": first, "rest": rest, "heading": heading}
    whole, halves, border = (RULE[language][part].format(**values) for part in ("whole", "halves", "border"))
    for cell in shown[:1]:
        cell.source = cell.source.replace(PLACE, whole + halves * bool(rest))
    for cell in shown:
        if rest and cell.cell_type == "markdown":
            cell.source = re.sub(rf"^(?=## {re.escape(heading)}$)", f"{border}\n\n", cell.source, flags=re.MULTILINE)


def page(notebooks: Mapping[str, NotebookNode]) -> str:
    """Return the list of all notebooks, by file name: title, time and what of the documents each one covers."""
    told = {name: told_at_the_top(notebook.cells[0].source) for name, notebook in notebooks.items()}
    return filled("notebooks.md", notebooks=told)
