"""Notebook 01: the losses as curves (what an error costs, how hard it pulls), and gradient descent on one number."""

import math
from collections.abc import Callable, Mapping, Sequence

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from torch import Tensor
from torch.nn import functional as F

from lm_utils.show.lab import lab, menu, slider, small_table
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure

Loss = Callable[[Tensor], Tensor]
ERRORS = np.linspace(-3, 3, 601)
SCORES = np.linspace(-6, 6, 601)
TORCH_LOSSES = {"MSE": F.mse_loss, "MAE": F.l1_loss, "Huber": F.huber_loss}


def error_losses(delta: float = 1.0, other: float = 1.0) -> dict[str, Loss]:
    """Return the losses of an error e = prediction - target, by name; RMSE is that of a batch with one other error."""
    return {
        "MSE": torch.square,
        "MAE": torch.abs,
        "Huber": lambda e: F.huber_loss(e, torch.zeros_like(e), reduction="none", delta=delta),
        "RMSE": lambda e: ((e.square() + other**2) / 2).clamp_min(1e-24).sqrt(),
    }


THREE = {name: error_losses()[name] for name in TORCH_LOSSES}


def score_losses(sign: int = 1) -> dict[str, Loss]:
    """Return the classification losses of a score z, for a label +1 or -1, by name.

    The cross-entropy belongs to a class with score z among two others with score 0; a label of -1 means that the first
    of these others is the true class.
    """
    yes = (1 + sign) / 2
    return {
        "BCE": lambda z: F.softplus(-sign * z),
        "cross-entropy, 3 classes": lambda z: torch.logaddexp(torch.full_like(z, math.log(2)), z) - yes * z,
        "hinge": lambda z: F.relu(1 - sign * z),
        "MSE on sigmoid": lambda z: (torch.sigmoid(z) - yes).square(),
    }


def value_and_slope(loss: Loss, at: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return a loss at these places, and its slope there by autograd; at a corner, the slope that PyTorch picks."""
    place = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    value = loss(place)
    return value.detach().numpy(), torch.autograd.grad(value.sum(), place)[0].numpy()


# --- figures and labs of the curves ----------------------------------------------------------------------------


def value_and_slope_figure(
    losses: Mapping[str, Loss], x: NDArray, at: float, tops: Sequence[float], what: str, xlabel: str, corner: str
) -> Figure:
    """Draw value (left) and slope (right) of several losses, with a marker at one place and a legend in a corner."""
    figure, panels = new_figure(1, 2, width=11, height=4.0, edges=(0.06, 0.15, 0.985, 0.9, 0.17))
    for i, (name, loss) in enumerate(losses.items()):
        curves, here = value_and_slope(loss, x), value_and_slope(loss, at)
        for panel, y, mark, top in zip(panels, curves, here, tops, strict=True):
            y = np.where(np.r_[False, np.abs(np.diff(y)) > 0.5], np.nan, y)  # a jump is no slope: draw no line
            panel.plot(x, y, ls=LINES[i], color=COLORS[i], label=name)
            panel.plot([at], [np.clip(mark, -top, top)], MARKERS[i], color=COLORS[i], ms=9, mec="white", clip_on=False)
    for panel, title in zip(panels, (f"What {what} costs", "How hard it pulls (slope)"), strict=True):
        panel.axvline(at, color="0.4", lw=1, ls=":")
        panel.axhline(0, color="0.4", lw=1)
        panel.set(xlim=(x[0], x[-1]), title=title, xlabel=xlabel)
    panels[0].set_ylim(-0.04 * tops[0], tops[0])
    panels[1].set_ylim(-tops[1], tops[1])
    panels[0].legend(loc=corner, fontsize=10)
    return figure


def error_figure(error: float = 2.0, delta: float = 1.0, other: float = 1.0) -> Figure:
    """Draw value and slope of MSE, MAE, Huber and RMSE over the error."""
    figure = value_and_slope_figure(
        error_losses(delta, other), ERRORS, error, (4.5, 4.3), "an error", "error = prediction - target", "upper center"
    )
    figure.set_label(
        f"Value and slope of MSE, MAE, Huber and RMSE over the error, marked at {error:g}. MSE's slope is a straight"
        " line through zero, MAE's jumps from -1 to 1, Huber's is cut off, RMSE's bends."
    )
    return figure


def score_figure(score: float = -3.0, sign: int = 1) -> Figure:
    """Draw value and slope of BCE, cross-entropy, hinge and MSE behind a sigmoid over the score."""
    label, corner = ("yes (+1)", "upper right") if sign > 0 else ("no (-1)", "upper left")
    xlabel = f"score z; the label is {label}"
    figure = value_and_slope_figure(score_losses(sign), SCORES, score, (7.2, 1.15), "a score", xlabel, corner)
    figure.set_label(
        f"Value and slope of BCE, cross-entropy, hinge and MSE behind a sigmoid over the score, marked at {score:g}."
        " For a confident mistake the first three keep a slope near one, the last one's slope fades to nothing."
    )
    return figure


def value_and_slope_table(losses: Mapping[str, Loss], at: float, caption: str) -> str:
    """Return value and slope of each loss at one place, as a small HTML table."""
    rows = {name: value_and_slope(loss, at) for name, loss in losses.items()}
    return small_table(caption, ("loss", "value", "slope"), rows, 3)


def error_lab(error: float = 2.0) -> widgets.VBox:
    """Move an error; read what each loss charges for it and how hard it pulls."""

    def draw(error: float, delta: float, other: float) -> tuple[str, Figure]:
        table = value_and_slope_table(error_losses(delta, other), error, f"error {error:g}")
        return table, error_figure(error, delta, other)

    return lab(
        draw,
        beside=True,
        error=slider("error", error, -3, 3, 0.1),
        delta=slider("Huber's delta", 1.0, 0.2, 2.0, 0.1),
        other=slider("RMSE: other error", 1.0, 0.0, 3.0, 0.1),
    )


def score_lab(score: float = -3.0) -> widgets.VBox:
    """Move a score; read what each classification loss charges for it and how hard it pulls."""

    def draw(score: float, sign: int) -> tuple[str, Figure]:
        caption = f"score {score:g}, probability {expit(score):.3f}"
        return value_and_slope_table(score_losses(sign), score, caption), score_figure(score, sign)

    labels = {"yes (+1)": 1, "no (-1)": -1}
    return lab(draw, beside=True, score=slider("score z", score, -6, 6, 0.5), sign=menu("label", labels))


# --- gradient descent on one number ----------------------------------------------------------------------------

OPTIMIZERS = {"SGD": torch.optim.SGD, "AdamW": torch.optim.AdamW}


def walk(loss: str, start: float = 2.13, rate: float = 0.4, steps: int = 40, halve: int = 0) -> NDArray:
    """Return the error after each step of gradient descent; the step size is halved every `halve` steps."""
    errors = [start]
    for step in range(steps):
        size = rate / 2 ** (step // halve) if halve else rate
        _, slope = value_and_slope(THREE[loss], errors[-1])
        errors.append(float(np.clip(errors[-1] - size * slope, -1e6, 1e6)))
    return np.array(errors)


def ending(errors: NDArray) -> str:
    """Say in three words how a walk ended."""
    if abs(errors[-1]) > abs(errors[0]):
        return "runs away"
    return f"ends at {errors[-1]:.1g}".replace("-", "−") if abs(errors[-1]) >= 1e-7 else "ends at 0"


def walk_figure(rate: float = 0.4, halve: int = 0) -> Figure:
    """Draw the last steps of each walk on its loss curve, and the distance to the minimum after each step."""
    figure, panels = new_figure(
        1, 4, width=11, height=4.0, width_ratios=[1, 1, 1, 2.1], edges=(0.05, 0.15, 0.985, 0.86, 0.32)
    )
    for i, (name, loss) in enumerate(THREE.items()):
        errors = walk(name, rate=rate, halve=halve)
        x, last = np.linspace(-1.2, 1.2, 241), errors[-8:]
        panels[i].plot(x, value_and_slope(loss, x)[0], color="0.55", lw=1.6)
        panels[i].plot(last, value_and_slope(loss, last)[0], ls=":", lw=1.4, marker=MARKERS[i], color=COLORS[i])
        panels[i].set(xlim=(-1.2, 1.2), ylim=(-0.06, 1.2), xlabel="error")
        panels[i].set_title(f"{name} {ending(errors)}", fontsize=12)
        far = np.maximum(np.abs(errors), 1e-7)
        panels[3].plot(far, ls=LINES[i], marker=MARKERS[i], ms=5, color=COLORS[i], label=name)
        if i:
            panels[i].tick_params(labelleft=False)
    panels[3].set_yscale("log")
    panels[3].yaxis.set_minor_locator(NullLocator())
    panels[3].set(ylim=(5e-8, 1e9), xlabel="step", title="Distance to the minimum")
    panels[3].set_yticks([1e-6, 1e-3, 1, 1e3, 1e6], ["10⁻⁶", "0.001", "1", "1000", "10⁶"])
    panels[3].legend(loc="upper right", fontsize=10, ncols=3)
    figure.set_label(
        f"Forty steps of gradient descent with step size {rate:g} on one error under MSE, MAE and Huber: the last"
        " steps drawn on each loss curve, and the distance to the minimum after every step."
    )
    return figure


def walk_lab(rate: float = 0.4) -> widgets.VBox:
    """Choose the step size, and whether it shrinks; see where each loss comes to rest."""
    schedules = {"all of one size": 0, "halved every 5 steps": 5}
    return lab(walk_figure, rate=slider("step size", rate, 0.1, 2.2, 0.1), halve=menu("steps are", schedules))


def steps_needed(loss: str, optimizer: str, start: float, factor: float = 1.0, rate: float = 0.1) -> int:
    """Count the steps until one tenth of the starting error is left, with PyTorch's loss and optimiser; 3,000 at most.

    The loss is multiplied by `factor`; AdamW runs without weight decay.
    """
    error = torch.tensor([start], requires_grad=True)
    rule = OPTIMIZERS[optimizer]([error], lr=rate, weight_decay=0)
    for step in range(3000):
        if abs(error.item()) <= abs(start) / 10:
            return step
        rule.zero_grad()
        (factor * TORCH_LOSSES[loss](error, torch.zeros(1))).backward()
        rule.step()
    return 3000


def race_figure(rate: float = 0.1) -> Figure:
    """Draw the steps that remove nine tenths of an error over the error's size, for two optimisers."""
    starts = 10.0 ** np.arange(-1, 1.6, 0.5)
    figure, panels = new_figure(1, 2, width=11, height=4.0, sharey=True)
    for optimizer, panel in zip(OPTIMIZERS, panels, strict=True):
        for i, loss in enumerate(TORCH_LOSSES):
            counts = [steps_needed(loss, optimizer, float(start), rate=rate) for start in starts]
            panel.loglog(starts, counts, ls=LINES[i], marker=MARKERS[i], color=COLORS[i], label=loss)
        panel.set(xlabel="error at the start", title=f"{optimizer}, learning rate {rate:g}")
        panel.legend()
    panels[0].set_ylabel("steps until a tenth is left")
    figure.set_label(
        "Steps until a tenth of an error is left, over its size. With SGD MSE needs the same number for every size,"
        " MAE more for large errors and fewer for small ones; with AdamW MSE is no faster than the others."
    )
    return figure
