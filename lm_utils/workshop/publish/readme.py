"""Redraw the pictures of README.md, docs/results.md and docs/gallery.md from the shipped results; fill the tables.

What is said about a picture stands in the page itself; its file and its alternative text are made here.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from matplotlib.figure import Figure

from lm_utils.errors import UserError
from lm_utils.evidence import changed_conditions, claims, tables
from lm_utils.evidence.results import reference
from lm_utils.files import PROJECT, write_whole
from lm_utils.lessons import (
    bce_and_logits,
    experiment_design,
    is_it_learning,
    losses,
    losses_from_scratch,
    losses_outlier,
    matching_loss_to_task,
    new_data,
    output_activations,
    start_here,
    verdicts,
    why_these_losses,
)
from lm_utils.pairing import Pairing
from lm_utils.show import condition_figures, output_figures, result_figures
from lm_utils.show.style import png
from lm_utils.tasks import TASKS
from lm_utils.workshop.bench import speed_page
from lm_utils.workshop.publish import collapse_picture
from lm_utils.workshop.templates import filled


def slopes_of_softmax(logits: torch.Tensor, true_class: int) -> Figure:
    """Draw the slopes of softmax, and the gradient by the chain rule with all of them and with the diagonal alone."""
    p = logits.softmax(0)
    slopes, loss = torch.diag(p) - torch.outer(p, p), -torch.eye(len(p))[true_class] / p
    return losses_from_scratch.slopes_figure(
        slopes, {"all terms": slopes @ loss, "only i = j": torch.diag(slopes) * loss}, true_class
    )


UNKNOWN_ADDRESS = "ADDRESS-OF-THIS-REPOSITORY"
ALIKE = (("cross_entropy", "none"), ("cross_entropy", "softmax"), ("mse", "softmax"))  # in accuracy
ONCE_AND_TWICE = {"logits": Pairing("multiclass", "cross_entropy"),
                  "softmax twice": Pairing("multiclass", "cross_entropy", "softmax")}  # fmt: skip
ILL = "Run 4"  # of notebook 13
PICTURES: dict[str, Callable[[], Figure]] = {  # by their file in docs/figures/
    "collapse": collapse_picture.still,
    "ten-classes": lambda: result_figures.dots_and_intervals(tables.summary("multiclass", "loss")),
    "elsewhere": lambda: new_data.confirmation_figure(patience=True),
    "labels": lambda: result_figures.dots_and_intervals(tables.summary("multilabel", "loss")),
    "speed": lambda: speed_page.overview(*measured()),
    "gallery/verdicts-first": lambda: start_here.verdict_figure("multiclass", "bce", "sigmoid"),
    "gallery/outlier": losses_outlier.outlier_figure,
    "gallery/race": losses.race_figure,
    "gallery/neuron": why_these_losses.neuron_figure,
    "gallery/slopes": lambda: slopes_of_softmax(torch.tensor([2.0, 1.0, 0.0]), true_class=1),
    "gallery/reach": output_activations.reach_figure,
    "gallery/round-trip": output_activations.round_trip_figure,
    "gallery/escape": lambda: matching_loss_to_task.escape_figure(0.01),
    "gallery/floors": bce_and_logits.floors_figure,
    "gallery/seeds": lambda: experiment_design.seeds_figure(
        list(ONCE_AND_TWICE), [reference().scores(one) for one in ONCE_AND_TWICE.values()], "reference: MNIST"
    ),
    "gallery/regression": lambda: result_figures.dots_and_intervals(tables.summary("regression", "activation")),
    "gallery/no-activation": lambda: result_figures.dots_and_intervals(tables.summary("probability", "loss")),
    "gallery/two-classes": lambda: result_figures.differences(tables.summary("binary", "loss")),
    "gallery/switches": lambda: condition_figures.outcome_figure(changed_conditions.stored("collapse")),
    "gallery/calibration": lambda: output_figures.calibration([Pairing("multiclass", *names) for names in ALIKE]),
    "gallery/grid": lambda: result_figures.grid_heatmap("multiclass"),
    "gallery/cut": verdicts.cut_figure,
    "gallery/vital-signs": lambda: is_it_learning.health_figure(
        "one seed, embedded digits", *(stored[ILL] for stored in is_it_learning.stored_runs())
    ),
    "gallery/verdicts": lambda: result_figures.verdict_bars(claims.counts(claims.judge_all())),
    "gallery/new-data": new_data.all_differences,
}
PICTURE = re.compile(rf"^!\[.*\]\((.*figures/({'|'.join(PICTURES)})\.(?:png|gif))\)$", re.MULTILINE)


def main(root: Path = PROJECT) -> None:
    """Draw every picture of the pages, with its alternative text, and write the texts between their marks."""
    for name, places in PAGES.items():
        page = root / name
        text = page.read_text(encoding="utf-8")
        for place, made in places.items():
            text = between_marks(text, name, place, made)
        text = PICTURE.sub(lambda found, page=page: redrawn(found[1], found[2], page), text)
        page.write_text(text, encoding="utf-8")


def redrawn(link: str, name: str, page: Path) -> str:
    """Draw a picture into its file; return the Markdown that shows it on the page."""
    path, figure = page.parent / link, PICTURES[name]()
    write_whole(path.with_suffix(".png"), png(figure, dpi=80 if name.startswith("gallery") else 90))
    if path.suffix == ".gif":
        path.write_bytes(collapse_picture.animated())
    return f"![{figure.get_label()}]({link})"


def between_marks(text: str, page: str, place: str, made: Callable[[], str]) -> str:
    """Return the text of a page with what is made between the marks of the place."""
    begin, end = f"<!-- {place}: made by `python -m lm_utils readme` -->", f"<!-- end of {place} -->"
    if begin not in text or end not in text:
        raise UserError(f"{page} has no place for the {place}; put the lines '{begin}' and '{end}' into it.")
    span = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    told = f"{begin}\n\n{made().strip()}\n\n{end}"
    return span.sub(lambda _: told, text)


def first_lines() -> str:
    """Return the three lines from nothing to JupyterLab; pyproject.toml alone says where the repository lies."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project.get("urls", {}).get("Repository", UNKNOWN_ADDRESS)
    return f"```\ngit clone {address} loss-misuse-lab\ncd loss-misuse-lab\nmake lab\n```"


def loss_tables() -> str:
    """Return each task's loss table: the document's figures, ours, and what came of the comparison."""
    summaries = [(TASKS[task].title, tables.summary(task, "loss")) for task in TASKS]
    shown = [(title, summary.attrs["origin"], tables.readable(summary).frame) for title, summary in summaries]
    return filled("loss_tables.md", tables=shown)


def measured() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what `make bench` measured, and how it grows."""
    return tuple(pd.read_csv(speed_page.FOLDER / f"{name}.csv") for name in ("mnist-cpu", "growth-mnist-cpu"))


PAGES: dict[str, dict[str, Callable[[], str]]] = {  # what is written where, besides the pictures
    "README.md": {"first lines": first_lines},
    "docs/results.md": {"rows": loss_tables, "speed": lambda: speed_page.speed_table(*measured())},
    "docs/gallery.md": {},
}
