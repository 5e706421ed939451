"""Notebook 06: what a loss costs when it gets probabilities for logits, and when numbers run out."""

import math
from collections.abc import Callable
from functools import cache

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from lm_utils import scratch
from lm_utils.errors import UserError
from lm_utils.evidence.reference_lines import bce_on_softmax_floor, double_softmax_floor
from lm_utils.show.lab import STYLE, WIDTH, lab, menu
from lm_utils.show.style import ALERT, COLORS, LINES, MARKERS, new_figure

FORMATS = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
LEADS = torch.linspace(0, 15, 61)  # by how much the true class's logit exceeds all others
CLASSES = [2, 3, 4, 5, 7, 10, 20, 50, 100, 200, 500, 1000]


# --- a loss that gets probabilities where it expects logits -------------------------------------------------


@cache
def misuse_curves(classes: int) -> dict[str, Tensor]:
    """Return three losses of one sample as the true class's logit pulls ahead of all the others (by LEADS)."""
    if classes < 2:
        raise UserError(f"Softmax over {classes} output is always 1; take at least two classes.")
    logits = torch.zeros(len(LEADS), classes)
    logits[:, 0] = LEADS
    index, one_hot = torch.zeros(len(LEADS), dtype=torch.long), F.one_hot(torch.tensor(0), classes).float()
    p, each = logits.softmax(dim=1), {"reduction": "none"}
    return {
        "logits → CrossEntropyLoss": F.cross_entropy(logits, index, **each),
        "softmax → CrossEntropyLoss": F.cross_entropy(p, index, **each),
        "softmax → BCEWithLogitsLoss": F.binary_cross_entropy_with_logits(p, one_hot.expand_as(p), **each).mean(dim=1),
    }


def floors_text(classes: int) -> str:
    """Say in one sentence what the floors are for this number of classes."""
    floor, start = double_softmax_floor(classes), math.log(classes)
    return (
        f"With K = {classes} classes a network that knows nothing starts at log K = {start:.3f} on the right road. "
        f"With softmax applied twice the loss can only move between {start:.3f} and its floor {floor:.3f}; "
        f"softmax into BCEWithLogitsLoss stops at {bce_on_softmax_floor(classes):.3f}."
    )


def floors_figure(classes: int = 10) -> Figure:
    """Draw three losses against the lead of the true class, and both floors against the number of classes."""
    figure, (left, right) = new_figure(1, 2, width=9.6, height=3.7, edges=(0.072, 0.16, 0.99, 0.9, 0.16))
    for index, (name, values) in enumerate(misuse_curves(classes).items()):
        left.plot(LEADS.numpy(), values.numpy(), color=COLORS[index], linestyle=LINES[index], label=name)
    ways = {
        "start of CrossEntropyLoss: log K": (math.log, COLORS[7], "-"),
        "floor: softmax twice": (double_softmax_floor, COLORS[1], LINES[1]),
        "floor: softmax, then sigmoid": (bce_on_softmax_floor, COLORS[2], LINES[2]),
    }
    for index, (name, (value, color, line)) in enumerate(ways.items()):
        right.plot(CLASSES, [value(k) for k in CLASSES], color=color, linestyle=line, label=name)
        right.plot([classes], [value(classes)], MARKERS[index], color=color, markersize=10)
        if index:
            left.axhline(value(classes), color=color, linewidth=1)
    left.set(xlabel="lead of the true class's logit", ylabel="loss", title=f"One sample, K = {classes} classes")
    right.set(xlabel="number of classes K", ylabel="loss", xscale="log", title="Where each road ends")
    left.set_ylim(-0.08 * math.log(classes), 1.65 * math.log(classes))
    right.set_ylim(-0.3, 9.5)
    right.set_xticks([2, 10, 100, 1000], ["2", "10", "100", "1000"])
    right.minorticks_off()
    left.legend(loc="upper right")
    right.legend(loc="upper left")
    figure.set_label(f"Losses against the lead of the true class, and floors against K. {floors_text(classes)}")
    return figure


def floors_lab() -> widgets.VBox:
    """Turn the number of classes and see where each misuse stops."""
    return lab(
        lambda classes: (floors_figure(classes), floors_text(classes)),
        classes=menu("Number of classes K", CLASSES, 10, widgets.SelectionSlider, style=STYLE, layout=WIDTH),
    )


# --- extreme logits in three number formats -----------------------------------------------------------------


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "BCEWithLogitsLoss": lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none"),
    "Sigmoid, then BCELoss": lambda z, y: F.binary_cross_entropy(torch.sigmoid(z), y, reduction="none"),
}


@cache
def relative_errors(way: str, number_format: str, label: int, what: str = "loss") -> tuple[Tensor, Tensor]:
    """Return sizes of the logit of a confident mistake, and how far its loss misses the float64 truth there (relative).

    The logit is positive for label 0 and negative for label 1. `what` is "loss" or "gradient".
    """
    sizes = torch.logspace(0, math.log10(200), 120).to(FORMATS[number_format])
    z = (sizes if label == 0 else -sizes).requires_grad_()
    exact = z.detach().to(torch.float64)
    value = WAYS[way](z, torch.full_like(z, label))
    if what == "gradient":
        (value,) = torch.autograd.grad(value.sum(), z)
        truth = scratch.sigmoid(exact) - label
    else:
        truth = scratch.softplus(exact if label == 0 else -exact)
    return exact.abs(), ((value.detach().to(torch.float64) - truth) / truth).abs()


def extremes_text(label: int, what: str = "loss") -> str:
    """Say from which logit on each format's separate road is off by more than one percent."""
    parts = []
    for name in FORMATS:
        sizes, errors = relative_errors("Sigmoid, then BCELoss", name, label, what)
        wrong = sizes[~(errors <= 0.01)]
        parts.append(f"{name} |z| = {wrong[0].item():.3g}" if len(wrong) else f"{name} never")
    worst = max(relative_errors("BCEWithLogitsLoss", name, label, what)[1].max().item() for name in FORMATS)
    return (
        f"Label {label}, {what}: with the sigmoid apart, the first error above 1 % comes at {', '.join(parts)}. "
        f"The fused loss never misses by more than {worst:.2g} in any of the three formats."
    )


def extremes_figure(label: int = 0, what: str = "loss") -> Figure:
    """Draw the relative error against the size of the logit, for a confident mistake, in three number formats."""
    figure, panels = new_figure(1, 2, 9.6, 3.7, (0.09, 0.16, 0.99, 0.9, 0.16), sharey=True)
    for axes, way in zip(panels, WAYS, strict=True):
        for index, name in enumerate(FORMATS):
            sizes, errors = relative_errors(way, name, label, what)
            shown = errors.nan_to_num(nan=1e3).clamp(1e-10, 1e3)
            axes.plot(sizes.numpy(), shown.numpy(), color=COLORS[index], linestyle=LINES[index],
                      marker=MARKERS[index], markevery=17, label=name)  # fmt: skip
        axes.axhline(1, color=ALERT, linewidth=1)
        axes.set(xscale="log", yscale="log", ylim=(5e-11, 3e3), xlabel="size of the wrong logit", title=way)
        axes.text(1, 1.6, "100 % off", color=ALERT, fontsize=10)
        axes.text(1, 2e-10, "exact", fontsize=10)
        axes.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        axes.minorticks_off()
    panels[0].set_ylabel(f"relative error of the {what}")
    if relative_errors("Sigmoid, then BCELoss", "float16", label, what)[1].isnan().any():
        panels[1].text(1, 3e2, "top edge: not a number", fontsize=10)
    panels[0].legend(loc="upper right")
    figure.set_label(f"Relative error in three number formats, fused and separate. {extremes_text(label, what)}")
    return figure


def extremes_lab() -> widgets.VBox:
    """Choose the label and whether to look at the loss or its gradient."""
    return lab(
        lambda label, what: (extremes_figure(label, what), extremes_text(label, what)),
        label=menu("Label", {"y = 0": 0, "y = 1": 1}, kind=widgets.ToggleButtons),
        what=menu("Look at", ["loss", "gradient"], kind=widgets.ToggleButtons),
    )
