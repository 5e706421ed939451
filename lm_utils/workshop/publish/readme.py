"""The pictures and tables in README.md, made from the shipped results and the benchmark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from lm_utils.errors import UserError
from lm_utils.evidence import tables
from lm_utils.files import PROJECT
from lm_utils.lessons import new_data
from lm_utils.show import result_figures
from lm_utils.show.style import png
from lm_utils.tasks import TASKS
from lm_utils.workshop.bench import speed_page
from lm_utils.workshop.publish import gallery

ROOT = PROJECT
RESULTS_MARKS = BEGIN, END = "<!-- results: made by `python -m lm_utils readme` -->", "<!-- end of results -->"
SPEED_MARKS = "<!-- speed: made by `python -m lm_utils readme` -->", "<!-- end of speed -->"
PICTURES: dict[str, tuple[str, Callable[[], Figure]]] = {  # file name: how to read it, the figure
    "ten-classes": (
        "**Ten classes, six ways to train them.** Each dot is one trained network, the triangle is the figure that the"
        " document published. Most misfits cost practically nothing that accuracy can see; ten sigmoids switch the"
        " network off.",
        lambda: result_figures.dots_and_intervals(tables.summary("multiclass", "loss")),
    ),
    "elsewhere": (
        "**The same mistake elsewhere.** Softmax twice, the first row above, costs practically nothing on the data at"
        " hand (top row here). Where half of the digits are rare, most of its runs end near one half: they have lost"
        " the rare ones."
        " They are not blind but slow, and a patience of 10 epochs stopped them too early: with more of it the same"
        " networks come through. (With wrong labels they do better than softmax once; notebook 15 looks for the"
        " reason.)",
        lambda: new_data.confirmation_figure(patience=True),
    ),
    "labels": (
        "**Several labels at once.** Here softmax is the misfit. Notebook 12 gets most of the lost accuracy back"
        " without training anything again.",
        lambda: result_figures.dots_and_intervals(tables.summary("multilabel", "loss")),
    ),
}
LEGEND = (
    "Each row is compared, seed by seed, with the fitting pairing of its task (for one of several classes that is"
    " cross-entropy on logits, which the document has no row for). Fewer than six seeds are an illustration and get no"
    " verdict. *At chance* counts the runs that ended hardly better than a constant answer."
)


def everything() -> None:
    """Make the README's pictures and tables, and the gallery."""
    main()
    gallery.main()


def main(readme: Path = ROOT / "README.md", folder: Path = ROOT / "docs" / "figures") -> None:
    """Draw the pictures, and write them and the tables between their marks in the README."""
    text = filled(readme.read_text(encoding="utf-8"), readme, RESULTS_MARKS, lambda: shown_results(readme, folder))
    if SPEED_MARKS[0] in text:
        text = filled(text, readme, SPEED_MARKS, lambda: shown_speed(readme, folder))
    readme.write_text(text, encoding="utf-8")


def filled(text: str, readme: Path, marks: tuple[str, str], made: Callable[[], list[str]]) -> str:
    """Return the text with these parts between the two marks."""
    begin, end = marks
    if begin not in text or end not in text:
        raise UserError(f"{readme.name} has no place for the results; put the lines '{begin}' and '{end}' into it.")
    place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    told = "\n\n".join([begin, *made(), end])
    return place.sub(lambda _: told, text)


def shown_results(readme: Path, folder: Path) -> list[str]:
    """Return the pictures of results with their readings, and the tables."""
    parts = []
    for name, (reading, draw) in PICTURES.items():
        parts += [picture(draw(), readme, folder / f"{name}.png"), reading]
    parts += ["<details><summary>Every row of document 000 beside our runs</summary>", LEGEND]
    return [*parts, *map(table, TASKS), "</details>"]


def shown_speed(readme: Path, folder: Path) -> list[str]:
    """Return the picture and the table of `make bench`, with the machine they come from."""
    measured, grown = (pd.read_csv(speed_page.FOLDER / f"{name}.csv") for name in ("mnist-cpu", "growth-mnist-cpu"))
    drawn = picture(speed_page.overview(measured, grown), readme, folder / "speed.png")
    return [drawn, speed_page.readme_rows(measured, grown), speed_page.conditions(measured)]


def picture(figure: Figure, readme: Path, path: Path) -> str:
    """Draw a figure into its file; return the Markdown that shows it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(figure, dpi=90))
    return f"![{figure.get_label()}]({path.relative_to(readme.parent).as_posix()})"


def table(task: str) -> str:
    """Return one task's loss table as Markdown: the document's figure, ours, and what came of the comparison."""
    summary = tables.summary(task, "loss")
    shown = tables.readable(summary).frame
    columns = ["row", "published", "ours (95 % interval)", "seeds", "at chance", "verdict"]
    lines = [f"**{TASKS[task].title}** ({summary.attrs['origin']})", "", "| " + " | ".join(columns) + " |"]
    lines.append("|" + " --- |" * len(columns))
    lines += ["| " + " | ".join(str(row[name]) for name in columns) + " |" for _, row in shown.iterrows()]
    return "\n".join(lines)
