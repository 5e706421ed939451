"""How long a notebook takes, by one rule; `make notebooks` writes it where a source says {time}.

Readers needed 28 minutes for notebook 00, 85 for 11 and 95 for 15, as these then were; the rule says 33, 80 and 84. (A
fourth needed 70 minutes for one of three; the rule says 54, 58 or 64.) It gives every time in steps of five minutes.
"""

import re
from collections.abc import Mapping, Sequence

from nbformat import NotebookNode

from lm_utils.evidence.tables import markdown_table
from lm_utils.lessons.start_here import told_at_the_top

PLACE = "{time}"
LESSON = 50  # what takes longer is split into a part for the class and a part for home
WORDS_A_MINUTE = 180
MINUTES = {  # of a code cell, by the first pattern that it holds
    r"\bquiz\.check": 4,  # an exercise
    r"(= |return )\.\.\.$": 0,  # its gap
    r"\bquiz\.predict\(|\bVote\(": 1,
    r"_lab\(|\b(picker|explorer|ColdOpen)\(|\bten_questions\.": 3,
    r"\bshow\(": 2.5,  # a figure
    "": 1,  # any other cell that is not the parameters'
}
IN_WORDS = {
    "english": ("{all} minutes", ". In class: {first} minutes, up to *{heading}*; at home: the other {rest}"),
    "korean": ("{all}분", ". 수업에서는 *{heading}* 앞까지 {first}분, 나머지 {rest}분은 집에서"),
}
HEAD = """# The notebooks

`make lab` opens them. Each time is computed by one rule (`lm_utils/workshop/publish/minutes.py`) from words, figures,
labs, questions, exercises and cells, and was checked against readers. `make notebooks` writes this page."""


def parts(cells: Sequence[NotebookNode]) -> list[tuple[str, float]]:
    """Return the heading of each part, with the minutes that it takes; the first part has none."""
    found = [("", 0.0)]
    for cell in cells:
        if cell.cell_type == "code":
            found[-1] = (found[-1][0], found[-1][1] + minutes_of(cell))
            continue
        text = re.sub(r"^\*\*Time:.*", "", cell.source, flags=re.MULTILINE)  # what is written there must not count
        before, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
        found[-1] = (found[-1][0], found[-1][1] + len(before.split()) / WORDS_A_MINUTE)
        found += [(each.partition("\n")[0], len(each.split()) / WORDS_A_MINUTE) for each in sections]
    return found


def minutes_of(cell: NotebookNode) -> float:
    """Return the minutes that a code cell takes."""
    if "parameters" in cell.metadata.get("tags", []):
        return 0
    return next(minutes for pattern, minutes in MINUTES.items() if re.search(pattern, cell.source, re.MULTILINE))


def split(cells: Sequence[NotebookNode]) -> tuple[int, int, int]:
    """Return the minutes of a notebook, those of its parts for the class, and the number of the first part for home."""
    minutes = [each for _, each in parts(cells)]
    every = rounded(sum(minutes))
    if every <= LESSON:
        return every, every, len(minutes)
    home = max(part for part in range(1, len(minutes)) if rounded(sum(minutes[:part])) <= LESSON)
    return every, rounded(sum(minutes[:home])), home


def rounded(minutes: float) -> int:
    """Return minutes in steps of five."""
    return max(5, 5 * round(minutes / 5))


def written(shown: Sequence[NotebookNode], counted: Sequence[NotebookNode], language: str = "english") -> str:
    """Return the text of the first cell shown, with the time of the cells that count in place of {time}."""
    every, first, home = split(counted)
    whole, halves = IN_WORDS[language]
    heading = "" if first == every else parts(shown)[home][0]
    told = (whole + halves * bool(heading)).format(all=every, first=first, rest=every - first, heading=heading)
    return shown[0].source.replace(PLACE, told)


def page(notebooks: Mapping[str, NotebookNode]) -> str:
    """Return the list of all notebooks, by file name: title, time and what of the documents each one covers."""
    lines = []
    for name, notebook in notebooks.items():
        told = told_at_the_top(notebook.cells[0].source)
        lines.append([f"[{name[:2]} {told['title']}]({name}.ipynb)", told["time"], told["covers"]])
    return f"{HEAD}\n\n{markdown_table(['notebook', 'time', 'covers'], lines)}\n"
