"""Notebook 12: what another cut gets out of a network with softmax over labels."""

from functools import partial

import ipywidgets as widgets
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.evidence.reference_lines import best_metric
from lm_utils.pairing import Pairing
from lm_utils.runs.outputs import CUTS
from lm_utils.show.lab import lab, slider
from lm_utils.show.style import COLORS, LINES, new_figure
from lm_utils.tasks import TASKS

LABELS = TASKS["multilabel"]
SOFTMAX = Pairing("multilabel", "mse", "softmax")


def accuracy_at(cut: float, predictions: Tensor, targets: Tensor) -> float:
    """Return the accuracy over all labels where an output above the cut is a yes."""
    return (LABELS.decide(predictions, cut) == targets).float().mean().item()


def cut_figure(runs: dict[str, tuple[Tensor, Tensor]], cut: float = 0.5) -> Figure:
    """Draw the first network's outputs for true and false labels, and every network's accuracy at every cut."""
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
        scores = [accuracy_at(place, predictions, targets) for place in CUTS.tolist()]
        here = accuracy_at(cut, predictions, targets)
        right.plot(CUTS, scores, color=COLORS[place], linestyle=LINES[place], label=name)
        right.plot(cut, here, "o", color=COLORS[place], markeredgecolor="black", markersize=10)
        words.append(f"{name}: {here:.1%} at the cut {cut:.2f}, {max(scores):.1%} at best")
    right.axhline(best_metric(SOFTMAX, targets), color="grey", linestyle=":", label="ceiling of one yes at most")
    right.set(xlabel="cut", ylabel="accuracy over all labels", xlim=(0, 1))
    right.legend(loc="lower center")
    figure.set_label(f"Histogram of outputs and accuracy against the cut. {'; '.join(words)}.")
    return figure


def cut_lab(runs: dict[str, tuple[Tensor, Tensor]]) -> widgets.VBox:
    """Move the cut and see what each network's answers become."""
    return lab(partial(cut_figure, runs), cut=slider("cut", 0.5, 0.02, 0.98, 0.02))
