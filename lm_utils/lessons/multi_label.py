"""Softmax over labels (notebook 12): what it can say at best, and what another cut gets out of the same network."""

from __future__ import annotations

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.runs.outputs import CUTS
from lm_utils.show.style import COLORS, LINES, Picture, new_figure
from lm_utils.tasks import TASKS, Task
from lm_utils.training import Run

LABELS = TASKS["multilabel"]


def ceiling(targets: Tensor) -> float:
    """The best accuracy of answers that say yes to one label at most, whatever network gives them."""
    true = targets.sum(dim=1)
    missed = (true - 1).clamp_min(0)
    return 1 - (missed / targets.shape[1]).mean().item()


def softmax_optimum(targets: Tensor) -> Tensor:
    """Where cross-entropy with multi-hot targets is lowest under softmax: one share for each true label."""
    return targets / targets.sum(dim=1, keepdim=True).clamp_min(1)


def accuracy_by_cut(predictions: Tensor, targets: Tensor, task: Task = LABELS) -> list[float]:
    """The accuracy at every cut of the grid."""
    return [(task.decide(predictions, cut) == targets).float().mean().item() for cut in CUTS.tolist()]


def best_cut(predictions: Tensor, targets: Tensor) -> float:
    """The cut that suits these predictions best; choose it on the validation part."""
    scores = accuracy_by_cut(predictions, targets)
    return CUTS[scores.index(max(scores))].item()


def cut_figure(runs: dict[str, tuple[Tensor, Tensor]], cut: float = 0.5) -> Figure:
    """Left, outputs of the first network for true and false labels; right, every network's accuracy at every cut."""
    figure, (left, right) = new_figure(columns=2, width=11, height=4)
    name, (predictions, targets) = next(iter(runs.items()))
    for value, (word, colour, hatch) in {1: ("true labels", 0, "//"), 0: ("false labels", 1, "")}.items():
        left.hist(predictions[targets == value], bins=40, range=(0, 1), alpha=0.65, label=word, color=COLORS[colour],
                  hatch=hatch, edgecolor="black", linewidth=0.4)  # fmt: skip
    left.axvline(cut, color="black", linestyle="--", label=f"cut {cut:.2f}")
    left.set(xlabel="output", ylabel="how often", title=name, yscale="log")
    left.legend()
    words = []
    for place, (name, (predictions, targets)) in enumerate(runs.items()):
        right.plot(CUTS, accuracy_by_cut(predictions, targets), color=COLORS[place], linestyle=LINES[place], label=name)
        here = (LABELS.decide(predictions, cut) == targets).float().mean().item()
        right.plot(cut, here, "o", color=COLORS[place], markeredgecolor="black", markersize=10)
        best = max(accuracy_by_cut(predictions, targets))
        words.append(f"{name}: {here:.1%} at the cut {cut:.2f}, {best:.1%} at best")
    right.axhline(ceiling(targets), color="grey", linestyle=":", label="ceiling of one yes at most")
    right.set(xlabel="cut", ylabel="accuracy over all labels", xlim=(0, 1))
    right.legend(loc="lower center")
    figure.set_label(f"Histogram of outputs and accuracy against the cut. {'; '.join(words)}.")
    return figure


def tested(run: Run, digits: Tensor) -> tuple[Tensor, Tensor]:
    """A run's test predictions with their targets."""
    return run.test_predictions, LABELS.target(digits)


def cut_lab(runs: dict[str, tuple[Tensor, Tensor]]) -> widgets.Box:
    """Move the cut and see what each network's answers become."""
    slider = widgets.FloatSlider(
        value=0.5, min=0.02, max=0.98, step=0.02, description="cut", continuous_update=False,
        readout_format=".2f", layout=widgets.Layout(width="60%"),
    )  # fmt: skip
    picture = Picture()
    slider.observe(lambda change: picture.draw(cut_figure(runs, change["new"])), names="value")
    picture.draw(cut_figure(runs, slider.value))
    return widgets.VBox([slider, picture])


def shares_table(digits: Tensor | None = None) -> Tensor:
    """Softmax's optimum for each digit, [10, 4]."""
    return softmax_optimum(LABELS.target(torch.arange(10) if digits is None else digits))
