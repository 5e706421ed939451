"""The pictures and the table of results in README.md, made from the shipped results."""

from __future__ import annotations

import re
from pathlib import Path

from matplotlib.figure import Figure

from lm_utils.experiments import results
from lm_utils.labs import figures
from lm_utils.labs.style import png
from lm_utils.pairing import Pairing
from lm_utils.tasks import TASKS

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- results: made by `python -m lm_utils readme` -->", "<!-- end of results -->"
SHOWN = {  # file name: the figure
    "ten-classes": lambda: figures.dots_and_intervals(results.summary("multiclass", "loss")),
    "learning-curves": lambda: figures.learning_curves(
        [Pairing("multiclass", "cross_entropy"), Pairing("multiclass", "cross_entropy", "softmax"),
         Pairing("multiclass", "bce", "sigmoid")]
    ),
    "labels": lambda: figures.dots_and_intervals(results.summary("multilabel", "loss")),
}  # fmt: skip


def main(readme: Path = ROOT / "README.md", folder: Path = ROOT / "docs" / "figures") -> None:
    """Draw the pictures, and write them and the table between the two marks in the README."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, draw in SHOWN.items():
        figure: Figure = draw()
        (folder / f"{name}.png").write_bytes(png(figure, dpi=90))
        lines.append(f"![{figure.get_label()}]({(folder / name).relative_to(readme.parent).as_posix()}.png)")
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{readme.name} has no place for the results; put the lines '{BEGIN}' and '{END}' into it.")
    told = "\n\n".join([BEGIN, *lines, *(table(task) for task in TASKS), END])
    place = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
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
