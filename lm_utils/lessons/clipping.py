"""What a clip inside a logarithm costs: the value stops, and two different gradients claim to be its slope."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import ipywidgets as widgets
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils import scratch
from lm_utils.errors import UserError
from lm_utils.show.style import COLORS, LINES, MARKERS, Picture, new_figure

FORMATS = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}
CLIPS = [1e-2, 1e-3, 1e-5, 1e-7, 1e-12]
REACH = 40.0  # logits are drawn from -REACH to REACH
WIDE = {"description_width": "initial"}


@dataclass(frozen=True)
class Clipped:
    """Binary cross-entropy at some logits: what is true, what the clipped formula says, and both gradients."""

    logits: Tensor
    true_loss: Tensor  # in float64, from the formula that needs no clip
    clipped_loss: Tensor  # sigmoid, clip, logarithm, all in the chosen number format
    by_hand: Tensor  # p - y, the gradient that document 003 uses
    by_autograd: Tensor  # the slope of the clipped formula itself


def clipped_bce(logits: Tensor, label: int, clip: float = scratch.CLIP, dtype: torch.dtype = torch.float32) -> Clipped:
    """Compute one binary cross-entropy per logit with a clip on both sides, and everything to compare it with."""
    if label not in (0, 1):
        raise UserError(f"The label is {label!r}; binary cross-entropy is shown here for 0 or 1.")
    exact = logits.to(torch.float64)
    z = logits.to(dtype).requires_grad_()
    p = torch.sigmoid(z)
    t = p.clamp(clip, 1 - clip)
    loss = -torch.log(t) if label else -torch.log(1 - t)
    (slope,) = torch.autograd.grad(loss.sum(), z)
    return Clipped(
        logits=exact,
        true_loss=scratch.softplus(exact * (1 - 2 * label)),
        clipped_loss=loss.detach().to(torch.float64),
        by_hand=(p.detach() - label).to(torch.float64),
        by_autograd=slope.to(torch.float64),
    )


def reading(logit: float, label: int, clip: float, dtype: str) -> str:
    """One sentence with the four numbers at one logit."""
    at = clipped_bce(torch.tensor([logit]), label, clip, FORMATS[dtype])
    gone = "" if at.clipped_loss.isfinite() else " In this format the clip itself was rounded away: its curve ends."
    return (
        f"At logit z = {logit:g} with label y = {label}: the true loss is {at.true_loss.item():.4g}, the clipped "
        f"loss says {at.clipped_loss.item():.4g}. The gradient by hand, p − y, is {at.by_hand.item():.4g}; the "
        f"slope of the clipped loss is {at.by_autograd.item():.4g}.{gone}"
    )


@lru_cache(maxsize=64)
def _curves(label: int, clip: float, dtype: str) -> Clipped:
    return clipped_bce(torch.linspace(-REACH, REACH, 641), label, clip, FORMATS[dtype])


def clipping_figure(logit: float = -20.0, label: int = 1, clip: float = scratch.CLIP, dtype: str = "float32") -> Figure:
    """Loss and gradient against the logit, with and without the clip, and one logit marked."""
    curves, at = _curves(label, clip, dtype), clipped_bce(torch.tensor([logit]), label, clip, FORMATS[dtype])
    figure, (left, right) = new_figure(1, 2, width=9.6, height=3.6)
    _pair(left, curves.logits, (curves.true_loss, "true loss"), (curves.clipped_loss, f"clipped at {clip:g}"))
    _pair(right, curves.logits, (curves.by_hand, "by hand: p − y"), (curves.by_autograd, "slope of the clipped loss"))
    left.legend(loc="upper right" if label else "upper left")
    right.legend(loc="upper right" if label else "lower right")
    for axes, values in ((left, (at.true_loss, at.clipped_loss)), (right, (at.by_hand, at.by_autograd))):
        axes.axvline(logit, color="#777777", linewidth=1)
        for index, value in enumerate(values):
            axes.plot([logit], [value.item()], MARKERS[index], color=COLORS[index], markersize=9)
        axes.set_xlabel("logit z")
    left.set(ylabel="loss", ylim=(-2, REACH + 2), title=f"Value (label {label}, {dtype})")
    right.set(ylabel="gradient", ylim=(-1.1, 1.1), title="Gradient with respect to z")
    figure.set_layout_engine(None)  # a fixed layout is quicker than one computed at each turn
    figure.subplots_adjust(left=0.06, right=0.99, bottom=0.16, top=0.9, wspace=0.2)
    figure.set_label(f"Two panels over the logit from -40 to 40. {reading(logit, label, clip, dtype)}")
    return figure


def _pair(axes: Axes, x: Tensor, first: tuple[Tensor, str], second: tuple[Tensor, str]) -> None:
    for index, (values, name) in enumerate((first, second)):
        axes.plot(x.numpy(), values.numpy(), color=COLORS[index], linestyle=LINES[index], label=name)


def clipping_lab() -> widgets.VBox:
    """Turn the logit, the label, the clip and the number format; value and gradient answer."""
    logit = widgets.FloatSlider(-20.0, min=-REACH, max=REACH, step=0.5, description="Logit z", readout_format=".1f",
                                continuous_update=False, layout={"width": "28em"}, style=WIDE)  # fmt: skip
    label = widgets.ToggleButtons(options=[("y = 1", 1), ("y = 0", 0)], description="Label", style=WIDE)
    clip = widgets.Dropdown(options=[(f"{c:g}", c) for c in CLIPS], value=1e-7, description="Clip at", style=WIDE)
    dtype = widgets.Dropdown(options=list(FORMATS), value="float32", description="Number format", style=WIDE)
    picture, text = Picture(), widgets.HTML()
    controls = (logit, label, clip, dtype)

    def redraw(_change: object = None) -> None:
        state = [control.value for control in controls]
        try:
            picture.draw(clipping_figure(*state))
            text.value = f"<p style='font-size:1.05rem;max-width:50em'>{reading(*state)}</p>"
        except Exception as error:
            text.value = f"<p role='alert'>This picture could not be drawn: {error}</p>"

    for control in controls:
        control.observe(redraw, names="value")
    redraw()
    return widgets.VBox([widgets.HBox([logit, label]), widgets.HBox([clip, dtype]), picture, text])
