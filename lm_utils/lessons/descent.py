"""Gradient descent on one number: who hops over the minimum, who settles, who is fast."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray
from torch.nn import functional as F

from lm_utils.lessons import loss_shapes
from lm_utils.show.style import COLORS, LINES, MARKERS, Picture, new_figure

VALUES = {"MSE": loss_shapes.mse, "MAE": loss_shapes.mae, "Huber": loss_shapes.huber}
SLOPES = {"MSE": loss_shapes.mse_slope, "MAE": loss_shapes.mae_slope, "Huber": loss_shapes.huber_slope}
SCHEDULES = {"all of one size": 0, "halved every 5 steps": 5}
OPTIMIZERS = {"SGD": torch.optim.SGD, "AdamW": torch.optim.AdamW}
TORCH = {"MSE": F.mse_loss, "MAE": F.l1_loss, "Huber": F.huber_loss}


def walk(loss: str, start: float = 2.13, rate: float = 0.4, steps: int = 40, halve: int = 0) -> NDArray:
    """Errors before and after each step of gradient descent; the step size is halved every `halve` steps."""
    errors = [start]
    for step in range(steps):
        size = rate / 2 ** (step // halve) if halve else rate
        errors.append(float(np.clip(errors[-1] - size * SLOPES[loss](errors[-1]), -1e6, 1e6)))
    return np.array(errors)


def ending(errors: NDArray) -> str:
    """How a walk ended, in three words."""
    if abs(errors[-1]) > abs(errors[0]):
        return "runs away"
    return f"ends at {errors[-1]:.1g}".replace("-", "−") if abs(errors[-1]) >= 1e-7 else "ends at 0"


def walk_figure(rate: float = 0.4, halve: int = 0) -> Figure:
    """The last steps of each walk on its loss curve, and the distance to the minimum after each step."""
    figure, panels = new_figure(1, 4, width=11, height=4.0, width_ratios=[1, 1, 1, 2.1])
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.05, right=0.985, bottom=0.15, top=0.86, wspace=0.32)
    for i, name in enumerate(VALUES):
        errors = walk(name, rate=rate, halve=halve)
        x, last = np.linspace(-1.2, 1.2, 241), errors[-8:]
        panels[i].plot(x, VALUES[name](x), color="0.55", lw=1.6)
        panels[i].plot(last, VALUES[name](last), ls=":", lw=1.4, marker=MARKERS[i], color=COLORS[i])
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
    style = {"description_width": "8em"}
    size = widgets.FloatSlider(rate, min=0.1, max=2.2, step=0.1, description="step size", continuous_update=False,
                               readout_format=".1f", style=style, layout={"width": "34em"})  # fmt: skip
    schedule = widgets.Dropdown(options=list(SCHEDULES), description="steps are", style=style)
    picture = Picture()

    def redraw(_change: object = None) -> None:
        picture.draw(walk_figure(round(size.value, 2), SCHEDULES[schedule.value]))

    for control in (size, schedule):
        control.observe(redraw, names="value")
    redraw()
    return widgets.VBox([widgets.HBox([size, schedule]), picture])


def steps_needed(loss: str, optimizer: str, start: float, factor: float = 1.0, rate: float = 0.1) -> int:
    """Steps until one tenth of the starting error is left, with PyTorch's own loss and optimiser; 3,000 at most.

    The loss is multiplied by `factor`; AdamW runs without weight decay.
    """
    error = torch.tensor([start], requires_grad=True)
    options = {} if optimizer == "SGD" else {"weight_decay": 0.0}
    rule = OPTIMIZERS[optimizer]([error], lr=rate, **options)
    for step in range(3000):
        if abs(error.item()) <= abs(start) / 10:
            return step
        rule.zero_grad()
        (factor * TORCH[loss](error, torch.zeros(1))).backward()
        rule.step()
    return 3000


def race_figure(rate: float = 0.1) -> Figure:
    """Steps to remove nine tenths of an error, over the error's size, for two optimisers."""
    starts = 10.0 ** np.arange(-1, 1.6, 0.5)
    figure, panels = new_figure(1, 2, width=11, height=4.0, sharey=True)
    for optimizer, panel in zip(OPTIMIZERS, panels, strict=True):
        for i, loss in enumerate(TORCH):
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
