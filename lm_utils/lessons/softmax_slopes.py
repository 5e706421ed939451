"""The slopes of softmax as a picture: every output leans on every logit."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils import scratch
from lm_utils.show.style import COLORS, new_figure


def gradients(logits: Tensor, true_class: int) -> dict[str, Tensor]:
    """The gradient of cross-entropy by the chain rule: with all terms, and with those of i = j alone."""
    p = torch.softmax(logits, dim=0)
    slope_by_p = torch.zeros_like(p)
    slope_by_p[true_class] = -1 / p[true_class]
    jacobian = scratch.softmax_jacobian(p)
    return {"all terms": jacobian.T @ slope_by_p, "only i = j": torch.diag(jacobian) * slope_by_p}


def slopes_figure(logits: Tensor, true_class: int) -> Figure:
    """Left: the table of slopes of softmax. Right: the gradient with and without what lies off its diagonal."""
    jacobian = scratch.softmax_jacobian(torch.softmax(logits, dim=0)).numpy()
    size = len(logits)
    figure, (left, right) = new_figure(1, 2, width=10, height=3.8, width_ratios=[1, 1.5])
    left.imshow(jacobian, cmap="PuOr", vmin=-0.6, vmax=0.6)
    left.grid(False)
    for i in range(size):
        for j in range(size):
            left.text(j, i, f"{jacobian[i, j]:+.2f}", ha="center", va="center", fontsize=12)
    left.set(xticks=range(size), yticks=range(size), xlabel="logit j", ylabel="output i", title="Slopes of softmax")
    both = gradients(logits, true_class)
    for index, (name, values) in enumerate(both.items()):
        places = torch.arange(size) + 0.2 * (2 * index - 1)
        bars = right.bar(places.numpy(), values.numpy(), 0.38, color=COLORS[index], hatch=["", "//"][index], label=name)
        right.bar_label(bars, fmt="%+.2f", padding=2, fontsize=11)
    right.axhline(0, color="#333333", linewidth=1)
    right.margins(y=0.16)
    right.set(xticks=range(size), xlabel="logit j", ylabel="gradient of the loss")
    right.set_title(f"What each logit is told (true class {true_class})")
    right.legend(loc="upper right")
    words = "; ".join(f"{name}: " + ", ".join(f"{v:+.2f}" for v in values.tolist()) for name, values in both.items())
    figure.set_label(f"The Jacobian of softmax as a grid, and the gradient by the chain rule as bars. {words}.")
    return figure
