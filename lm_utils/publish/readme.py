"""The pictures and the table of results in README.md, made from the shipped results."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from lm_utils.experiments import results
from lm_utils.labs import figures
from lm_utils.labs.style import png
from lm_utils.pairing import Pairing
from lm_utils.publish import gallery
from lm_utils.tasks import TASKS

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- results: made by `python -m lm_utils readme` -->", "<!-- end of results -->"
PICTURES: dict[str, tuple[str, Callable[[], Figure]]] = {  # file name: how to read it, the figure
    "ten-classes": (
        "**Ten classes, six ways to train them.** Each dot is one trained network, the triangle is the figure that the"
        " document published. Most misfits cost nothing that accuracy can see; ten sigmoids switch the network off.",
        lambda: figures.dots_and_intervals(results.summary("multiclass", "loss")),
    ),
    "learning-curves": (
        "**Three of them while they train.** Logits, softmax applied twice (its loss cannot fall below the dashed"
        " line, and still it learns), and ten sigmoids, which stay at the best constant answer.",
        lambda: figures.learning_curves([Pairing("multiclass", *names) for names in TRAINED]),
    ),
    "labels": (
        "**Several labels at once.** Here softmax is the misfit. Notebook 12 gets most of the lost accuracy back"
        " without training anything again.",
        lambda: figures.dots_and_intervals(results.summary("multilabel", "loss")),
    ),
}
LEGEND = (
    "Each row is compared, seed by seed, with the fitting pairing of its task (for one of several classes that is"
    " cross-entropy on logits, which the document has no row for). Fewer than six seeds are an illustration and get no"
    " verdict. *At chance* counts the runs that ended hardly better than a constant answer."
)
TRAINED = (("cross_entropy", "none"), ("cross_entropy", "softmax"), ("bce", "sigmoid"))


def everything() -> None:
    """The README's pictures and tables, and the gallery."""
    main()
    gallery.main()


def main(readme: Path = ROOT / "README.md", folder: Path = ROOT / "docs" / "figures") -> None:
    """Draw the pictures, and write them and the tables between the two marks in the README."""
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{readme.name} has no place for the results; put the lines '{BEGIN}' and '{END}' into it.")
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for name, (reading, draw) in PICTURES.items():
        figure = draw()
        (folder / f"{name}.png").write_bytes(png(figure, dpi=90))
        parts += [f"![{figure.get_label()}]({(folder / name).relative_to(readme.parent).as_posix()}.png)", reading]
    parts += ["<details><summary>Every row of document 000 beside our runs</summary>", LEGEND]
    parts += [*map(table, TASKS), "</details>"]
    place = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    told = "\n\n".join([BEGIN, *parts, END])
    readme.write_text(place.sub(lambda _: told, text), encoding="utf-8")


def table(task: str) -> str:
    """One task's loss table as Markdown: the document's figure, ours, and what came of the comparison."""
    summary = results.summary(task, "loss")
    shown = results.readable(summary).frame
    columns = ["row", "published", "ours (95 % interval)", "seeds", "at chance", "verdict"]
    lines = [f"**{TASKS[task].title}** ({summary.attrs['origin']})", "", "| " + " | ".join(columns) + " |"]
    lines.append("|" + " --- |" * len(columns))
    lines += ["| " + " | ".join(str(row[name]) for name in columns) + " |" for _, row in shown.iterrows()]
    return "\n".join(lines)
