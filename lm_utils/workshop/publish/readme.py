"""The pictures and tables in README.md and docs/results.md, made from the shipped results and the benchmark."""

import re
import tomllib
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
from lm_utils.workshop.publish import collapse_picture, gallery

FIGURES = "docs/figures"
SURPRISE = "ten-classes"  # the picture that stands in the README, too
EVERY_ROW = "## Every row"  # the heading below the pictures
UNKNOWN_ADDRESS = "ADDRESS-OF-THIS-REPOSITORY"
FOLDER = "loss-misuse-lab"
PICTURES: dict[str, tuple[str, Callable[[], Figure]]] = {  # file name: how to read it, the figure
    "ten-classes": (
        "**Ten classes, six ways to train them.** Each dot is one trained network, the triangle is the figure that the"
        " document published. Most misfits cost practically nothing that accuracy can see; ten sigmoids switch the"
        " network off.",
        lambda: result_figures.dots_and_intervals(tables.summary("multiclass", "loss")),
    ),
    "elsewhere": (
        "**The same mistake elsewhere.** Softmax twice, the first row above, costs practically nothing on the data at"
        " hand (top block here). Where half of the digits are rare, most of its runs end near one half: they have lost"
        " the rare ones."
        " They are not blind but slow, and a patience of 10 epochs stopped them too early: with more of it the same"
        " networks come through. (With wrong labels they do better than softmax once; notebook 16 looks for the"
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
    """Make the pictures and tables of the README and of the page of results, and the gallery."""
    main()
    gallery.main()


def main(root: Path = PROJECT) -> None:
    """Draw the pictures, and write them and the tables between their marks in the pages."""
    for name, places in PAGES.items():
        page = root / name
        text = page.read_text(encoding="utf-8")
        for place, made in places.items():
            text = filled(text, name, place, lambda made=made, page=page: made(page, root / FIGURES))
        page.write_text(text, encoding="utf-8")


def marks(place: str) -> tuple[str, str]:
    """Return the lines between which a place of a page is written."""
    return f"<!-- {place}: made by `python -m lm_utils readme` -->", f"<!-- end of {place} -->"


def filled(text: str, page: str, place: str, made: Callable[[], list[str]]) -> str:
    """Return the text with these parts between the marks of the place."""
    begin, end = marks(place)
    if begin not in text or end not in text:
        raise UserError(f"{page} has no place for the {place}; put the lines '{begin}' and '{end}' into it.")
    span = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    told = "\n\n".join([begin, *made(), end])
    return span.sub(lambda _: told, text)


def first_lines(page: Path, folder: Path) -> list[str]:
    """Return the three lines from nothing to JupyterLab; pyproject.toml alone says where the repository lies."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project.get("urls", {}).get("Repository", UNKNOWN_ADDRESS)
    return [f"```\ngit clone {address} {FOLDER}\ncd {FOLDER}\nmake lab\n```"]


def shown_collapse(page: Path, folder: Path) -> list[str]:
    """Return the animated picture of the collapse, and the way to the still one."""
    figure = collapse_picture.still()
    picture(figure, page, folder / "collapse.png")
    path = folder / "collapse.gif"
    path.write_bytes(collapse_picture.animated())
    beside = path.relative_to(page.parent)
    return [
        f"![{figure.get_label()}]({beside.as_posix()})",
        f"([The same as a still picture]({beside.with_suffix('.png').as_posix()}).)",
    ]


def shown_surprise(page: Path, folder: Path) -> list[str]:
    """Return the one picture of results that the README shows, with its reading."""
    reading, draw = PICTURES[SURPRISE]
    return [picture(draw(), page, folder / f"{SURPRISE}.png"), reading]


def shown_results(page: Path, folder: Path) -> list[str]:
    """Return the pictures of results with their readings, and the tables."""
    parts = []
    for name, (reading, draw) in PICTURES.items():
        parts += [picture(draw(), page, folder / f"{name}.png"), reading]
    return [*parts, f"{EVERY_ROW} of document 000 beside our runs", LEGEND, *map(table, TASKS)]


def shown_speed(page: Path, folder: Path) -> list[str]:
    """Return the picture and the table of `make bench`, with the machine they come from."""
    measured, grown = (pd.read_csv(speed_page.FOLDER / f"{name}.csv") for name in ("mnist-cpu", "growth-mnist-cpu"))
    drawn = picture(speed_page.overview(measured, grown), page, folder / "speed.png")
    return [drawn, speed_page.page_rows(measured, grown), speed_page.conditions(measured)]


PAGES: dict[str, dict[str, Callable[[Path, Path], list[str]]]] = {  # what is written where
    "README.md": {"first lines": first_lines, "collapse": shown_collapse, "surprise": shown_surprise},
    "docs/results.md": {"results": shown_results, "speed": shown_speed},
}


def picture(figure: Figure, page: Path, path: Path) -> str:
    """Draw a figure into its file; return the Markdown that shows it on the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(figure, dpi=90))
    return f"![{figure.get_label()}]({path.relative_to(page.parent).as_posix()})"


def table(task: str) -> str:
    """Return one task's loss table as Markdown: the document's figure, ours, and what came of the comparison."""
    summary = tables.summary(task, "loss")
    shown = tables.readable(summary).frame
    columns = ["row", "published", "ours (95 % interval)", "seeds", "at chance", "verdict"]
    title = f"**{TASKS[task].title}** ({summary.attrs['origin']})"
    return f"{title}\n\n{tables.markdown_table(columns, shown[columns].to_numpy())}"
