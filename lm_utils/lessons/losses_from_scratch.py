"""Notebook 03: what a clip inside a logarithm costs, the slopes of softmax, and the losses as Triton kernels."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import ipywidgets as widgets
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils import scratch
from lm_utils.errors import UserError
from lm_utils.files import PROJECT, RESULTS, write_whole
from lm_utils.show.lab import lab, menu, slider
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure

# --- the slopes of softmax ---------------------------------------------------------------------------------------


def slopes_figure(jacobian: Tensor, gradients: Mapping[str, Tensor], true_class: int) -> Figure:
    """Draw the table of slopes of softmax, and gradients of the loss that were made with it, by name."""
    size = len(jacobian)
    figure, (left, right) = new_figure(1, 2, width=10, height=3.8, width_ratios=[1, 1.5])
    left.imshow(jacobian, cmap="PuOr", vmin=-0.6, vmax=0.6)
    left.grid(False)
    for i in range(size):
        for j in range(size):
            left.text(j, i, f"{jacobian[i, j]:+.2f}", ha="center", va="center", fontsize=12)
    left.set(xticks=range(size), yticks=range(size), xlabel="logit j", ylabel="output i", title="Slopes of softmax")
    for index, (name, values) in enumerate(gradients.items()):
        places = torch.arange(size) + 0.2 * (2 * index - 1)
        bars = right.bar(places.numpy(), values.numpy(), 0.38, color=COLORS[index], hatch=["", "//"][index], label=name)
        right.bar_label(bars, fmt="%+.2f", padding=2, fontsize=11)
    right.axhline(0, color="#333333", linewidth=1)
    right.margins(y=0.16)
    right.set(xticks=range(size), xlabel="logit j", ylabel="gradient of the loss")
    right.set_title(f"What each logit is told (true class {true_class})")
    right.legend(loc="upper right")
    words = "; ".join(
        f"{name}: " + ", ".join(f"{v + 0.0:+.2f}" for v in grad.tolist()) for name, grad in gradients.items()
    )
    figure.set_label(f"The Jacobian of softmax as a grid, and the gradient by the chain rule as bars. {words}.")
    return figure


# --- what a clip costs ---------------------------------------------------------------------------------------------

FORMATS = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}
CLIPS = [1e-2, 1e-3, 1e-5, 1e-7, 1e-12]
REACH = 40.0  # logits are drawn from -REACH to REACH


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


def clipping_text(logit: float, label: int, clip: float, dtype: str) -> str:
    """Say in one sentence the four numbers at one logit."""
    at = clipped_bce(torch.tensor([logit]), label, clip, FORMATS[dtype])
    gone = "" if at.clipped_loss.isfinite() else " In this format the clip itself was rounded away: its curve ends."
    return (
        f"At logit z = {logit:g} with label y = {label}: the true loss is {at.true_loss.item():.4g}, the clipped "
        f"loss says {at.clipped_loss.item():.4g}. The gradient by hand, p − y, is {at.by_hand.item():.4g}; the "
        f"slope of the clipped loss is {at.by_autograd.item():.4g}.{gone}"
    )


@lru_cache(maxsize=64)
def _curves(label: int, clip: float, dtype: str) -> Clipped:
    """Compute the curves over all logits."""
    return clipped_bce(torch.linspace(-REACH, REACH, 641), label, clip, FORMATS[dtype])


def clipping_figure(logit: float = -20.0, label: int = 1, clip: float = scratch.CLIP, dtype: str = "float32") -> Figure:
    """Draw loss and gradient against the logit, with and without the clip, and one logit marked."""
    curves, at = _curves(label, clip, dtype), clipped_bce(torch.tensor([logit]), label, clip, FORMATS[dtype])
    figure, (left, right) = new_figure(1, 2, width=9.6, height=3.6, edges=(0.06, 0.16, 0.99, 0.9, 0.2))
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
    figure.set_label(f"Two panels over the logit from -40 to 40. {clipping_text(logit, label, clip, dtype)}")
    return figure


def _pair(axes: Axes, x: Tensor, first: tuple[Tensor, str], second: tuple[Tensor, str]) -> None:
    """Draw two curves with their names."""
    for index, (values, name) in enumerate((first, second)):
        axes.plot(x.numpy(), values.numpy(), color=COLORS[index], linestyle=LINES[index], label=name)


def clipping_lab() -> widgets.VBox:
    """Turn the logit, the label, the clip and the number format; value and gradient answer."""
    return lab(
        lambda **values: (clipping_figure(**values), clipping_text(**values)),
        logit=slider("Logit z", -20.0, -REACH, REACH, 0.5),
        label=menu("Label", {"y = 1": 1, "y = 0": 0}, kind=widgets.ToggleButtons),
        clip=menu("Clip at", {f"{clip:g}": clip for clip in CLIPS}, scratch.CLIP),
        dtype=menu("Number format", list(FORMATS), "float32"),
    )


# --- the losses as Triton kernels: run wherever they can run, else a stored comparison ----------------------------

# a process of their own, since Triton reads its settings when it is first imported
KERNELS = [sys.executable, "-m", "lm_utils.lessons.losses_from_scratch_triton"]
STORED = RESULTS / "kernels" / "triton.json"
SECONDS = 120


def run_kernels() -> dict:
    """Compare Triton, our layers and PyTorch: on the GPU, else in the interpreter, else a stored result.

    The dict holds `where` (one phrase), `rows` (one per loss), and `stored`: why it was only read, or "".
    """
    if find_spec("triton") is None:
        return _stored("Triton is not installed here")
    reason = ""
    for extra in ({}, {"TRITON_INTERPRET": "1"}):  # a GPU without a compiler still has the interpreter
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **extra}
        done = subprocess.run(KERNELS, capture_output=True, text=True, timeout=SECONDS, env=environment)
        if done.returncode == 0:
            return {**json.loads(done.stdout), "stored": ""}
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
    return _stored(f"Triton stopped here with {reason!r}")


def _stored(reason: str) -> dict:
    """Read the comparison that the project ships, with the reason for it."""
    return {**json.loads(STORED.read_text("utf-8")), "stored": reason}


def kernel_source(name: str) -> str:
    """Return the text of one kernel as Markdown; it is read from the file, so it needs no Triton."""
    text = Path(__file__).with_name("losses_from_scratch_triton.py").read_text("utf-8")
    parts = text.split("@triton.jit\n")[1:]
    found = next(part for part in parts if part.startswith(f"def {name}_kernel("))
    return f"```python\n@triton.jit\n{found.split(chr(10) * 3)[0]}\n```"


def kernels_sentence(result: dict) -> str:
    """Say in one line where the figures come from."""
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    if result["stored"]:
        return f"{result['stored']}; this is a stored result ({result['where']}; {versions})."
    return f"Computed just now by {result['where']} ({versions})."


def store_kernels() -> None:
    """Keep a comparison made here for machines without Triton (`python -m lm_utils.lessons.losses_from_scratch`)."""
    result = run_kernels()
    if result.pop("stored"):
        raise UserError("The kernels did not run here; install Triton (Linux) before storing a result.")
    write_whole(STORED, json.dumps(result, indent=1) + "\n")
    print(f"Stored in {STORED.relative_to(PROJECT)}: {result['where']}.")


if __name__ == "__main__":
    store_kernels()
