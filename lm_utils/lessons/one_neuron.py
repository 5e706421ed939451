"""One sigmoid neuron with one input of 1 and the target 0: who learns slowly, and why."""

from __future__ import annotations

import math

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

from lm_utils.lessons.loss_shapes import sigmoid
from lm_utils.show.style import COLORS, LINES, MARKERS, Picture, new_figure

LOSSES = ["MSE", "cross-entropy"]
CHOICES = {"both": LOSSES, "MSE": ["MSE"], "cross-entropy": ["cross-entropy"]}
LEARNT = 0.1
OPTIMIZERS = {"SGD": torch.optim.SGD, "AdamW": torch.optim.AdamW}


def slope(loss: str, z: ArrayLike, target: float = 0.0) -> NDArray:
    """Slope of the loss by the logit z: 2 (a - y) times the sigmoid's slope for MSE, a - y for cross-entropy."""
    a = sigmoid(z)
    return (a - target) * (2 * a * (1 - a) if loss == "MSE" else 1)


def slope_by_weight(loss: str, weight: float, bias: float, x: float, target: float) -> float:
    """Slope of the loss by the weight of a neuron with the input x."""
    return float(slope(loss, weight * x + bias, target)) * x


def train(loss: str, weight: float, bias: float, rate: float, steps: int = 300) -> dict[str, NDArray]:
    """Gradient descent on weight and bias: output, logit and size of the slope before each step, and at the end."""
    w, b, logits = weight, bias, []
    for _ in range(steps + 1):
        logits.append(w + b)
        force = _force(loss, w + b)
        w, b = w - rate * force, b - rate * force
    z = np.array(logits)
    return {"logit": z, "output": sigmoid(z), "slope": np.abs(slope(loss, z))}


def _force(loss: str, z: float) -> float:
    """`slope` for one number and the target 0, without an array's overhead."""
    a = 0.5 * (1 + math.tanh(z / 2))
    return a * (2 * a * (1 - a) if loss == "MSE" else 1)


def steps_to_learn(loss: str, logit: float, rate: float = 0.5, limit: int = 100_000) -> int:
    """Steps until the output has fallen to 0.1, from weight = bias = logit / 2."""
    z, goal = logit, math.log(LEARNT / (1 - LEARNT))
    for step in range(limit):
        if z <= goal:
            return step
        z -= 2 * rate * _force(loss, z)
    return limit


def steps_with(optimizer: str, loss: str, weight: float, bias: float, rate: float = 0.1, limit: int = 3000) -> int:
    """The same count for PyTorch's own optimiser, loss and autograd; AdamW runs without weight decay."""
    w, b = (torch.tensor([value], requires_grad=True) for value in (weight, bias))
    options = {} if optimizer == "SGD" else {"weight_decay": 0.0}
    rule = OPTIMIZERS[optimizer]([w, b], lr=rate, **options)
    zero = torch.zeros(1)
    for step in range(limit):
        output = torch.sigmoid(w * 1 + b)
        if output.item() <= LEARNT:
            return step
        rule.zero_grad()
        mse, bce = torch.nn.functional.mse_loss, torch.nn.functional.binary_cross_entropy
        (mse if loss == "MSE" else bce)(output, zero).backward()
        rule.step()
    return limit


def neuron_figure(weight: float = 3.0, bias: float = 3.0, rate: float = 0.5, which: str = "both") -> Figure:
    """Output and slope over the steps, and the sigmoid with the place where the neuron starts."""
    figure, (left, middle, right) = new_figure(1, 3, width=11, height=3.9, width_ratios=[1.25, 1.25, 1])
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.055, right=0.985, bottom=0.15, top=0.89, wspace=0.24)
    for loss in CHOICES[which]:
        i, path = LOSSES.index(loss), train(loss, weight, bias, rate)
        learnt = np.flatnonzero(path["output"] <= LEARNT)
        name = f"{loss}: {learnt[0]} steps" if len(learnt) else f"{loss}: more than {len(path['output']) - 1}"
        look = {"ls": LINES[i], "color": COLORS[i], "marker": MARKERS[i], "markevery": 50}
        left.plot(path["output"], label=name, **look)
        middle.plot(np.maximum(path["slope"], 1e-5), label=loss, **look)
        right.plot([path["logit"][-1]], [path["output"][-1]], MARKERS[i], color=COLORS[i], ms=10)
    left.axhline(LEARNT, color="0.4", lw=1, ls=":")
    left.set(ylim=(-0.02, 1.42), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1], xlabel="step", title="Output (target 0)")
    left.legend(title="until 0.1 is reached", title_fontsize=10, loc="upper right", fontsize=10)
    middle.set_yscale("log")
    middle.yaxis.set_minor_locator(NullLocator())
    middle.set_yticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["0.0001", "0.001", "0.01", "0.1", "1"])
    middle.set(ylim=(5e-5, 2), xlabel="step", title="Size of the slope by w and b")
    z = np.linspace(-10, 10, 201)
    right.plot(z, sigmoid(z), color="0.55", lw=1.6, zorder=1)
    right.plot([weight + bias], [sigmoid(weight + bias)], "*", color="black", ms=16)
    right.set(xlim=(-10.5, 10.5), ylim=(-0.05, 1.08), xlabel="z = w + b", title="Start (★) and end")
    figure.set_label(
        f"One neuron from w = {weight:g}, b = {bias:g} with learning rate {rate:g}: its output and the size of its"
        f" slope over 300 steps under {' and '.join(CHOICES[which])}, and its start and end on the sigmoid."
    )
    return figure


def neuron_lab(weight: float = 3.0, bias: float = 3.0, rate: float = 0.5) -> widgets.VBox:
    """Choose start weight and bias, learning rate and loss; watch one neuron learn to say 0."""
    style = {"description_width": "8em"}
    look = {"continuous_update": False, "style": style, "layout": {"width": "30em"}}
    start = [
        widgets.FloatSlider(value, min=-5, max=5, step=0.5, description=name, readout_format=".1f", **look)
        for name, value in (("start weight", weight), ("start bias", bias))
    ]
    speed = widgets.FloatLogSlider(rate, base=10, min=-2, max=2, step=0.1, description="learning rate",
                                   readout_format=".2f", **look)  # fmt: skip
    which = widgets.Dropdown(options=list(CHOICES), description="loss", style=style)
    picture = Picture()

    def redraw(_change: object = None) -> None:
        picture.draw(neuron_figure(start[0].value, start[1].value, speed.value, which.value))

    for control in (*start, speed, which):
        control.observe(redraw, names="value")
    redraw()
    return widgets.VBox([widgets.HBox(start), widgets.HBox([speed, which]), picture])


def waiting_figure(rate: float = 0.5) -> Figure:
    """Steps until the neuron has learnt, over the logit at which it starts."""
    starts = np.arange(0.0, 10.5, 1.0)
    figure, axes = new_figure(height=3.8)
    for i, loss in enumerate(LOSSES):
        counts = [steps_to_learn(loss, start, rate) for start in starts]
        axes.semilogy(starts, counts, ls=LINES[i], marker=MARKERS[i], color=COLORS[i], label=loss)
    axes.set(xlabel="logit z at the start (the target is 0)", ylabel="steps until the output is 0.1")
    axes.set_title(f"How long a confident mistake lasts (learning rate {rate:g})")
    axes.legend()
    figure.set_label(
        "Steps needed over the logit at the start, on a logarithmic scale: cross-entropy's grow slowly, MSE's by a"
        " fixed factor for every unit of the logit."
    )
    return figure


def share_of_confident(loss: str, logit: float, others: int = 9) -> float:
    """Share of one confident mistake in all pulling, beside others that are undecided (logit 0)."""
    confident, undecided = (abs(float(slope(loss, z))) for z in (logit, 0.0))
    return confident / (confident + others * undecided)
