"""Notebook 04: what an output activation can say, its rounding, and whether one output moves the others."""

from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.activations import ACTIVATIONS, inverse_sigmoid
from lm_utils.runs.outputs import one_hot
from lm_utils.show.lab import lab, menu, slider
from lm_utils.show.style import ALERT, COLORS, LINES, MARKERS, heatmap, new_figure
from lm_utils.tasks import TASKS

PRECISIONS = {name: getattr(torch, name) for name in ("float16", "bfloat16", "float32", "float64")}


# --- where a sigmoid stops being reversible -----------------------------------------------------------------


def first_number(dtype: torch.dtype, holds: Callable[[Tensor], Tensor]) -> float:
    """Find the smallest number of this precision, up to 1000, for which the condition holds, by bisection."""
    low, high = torch.tensor([0.0, 1000.0], dtype=dtype)
    while torch.nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high.item()


def becomes_one(dtype: torch.dtype) -> float:
    """Find the smallest x of this precision whose sigmoid is exactly 1."""
    return first_number(dtype, lambda x: torch.sigmoid(x) == 1)


def recovered(x: Tensor) -> Tensor:
    """Return what is left of x after a sigmoid and its inverse, all in x's own precision."""
    return inverse_sigmoid(torch.sigmoid(x))


def worst_errors(dtype: torch.dtype, low: int = -20, high: int = 40) -> tuple[Tensor, Tensor]:
    """Return the half steps and the largest round-trip error around each; infinite where a number is lost."""
    x = torch.linspace(low, high, 2 * (high - low) * 100 + 1, dtype=torch.float64)[:-1].to(dtype)
    errors = (recovered(x).double() - x.double()).abs().view(-1, 100).max(dim=1).values
    return torch.linspace(low + 0.25, high - 0.25, len(errors), dtype=torch.float64), errors


def round_trip_figure() -> Figure:
    """Draw the worst error of sigmoid-and-inverse for each precision, from -20 to 40."""
    figure, axes = new_figure(height=4.4)
    for i, (name, dtype) in enumerate(PRECISIONS.items()):
        x, errors = worst_errors(dtype)
        shown = torch.isfinite(errors)
        axes.semilogy(x[shown], errors[shown].clamp_min(1e-17), ls=LINES[i], color=COLORS[i])
        axes.axvline(becomes_one(dtype), ymin=0.86, ls=LINES[i], color=COLORS[i])
        axes.plot([], [], ls=LINES[i], color=COLORS[i], label=f"{name}: infinite from {becomes_one(dtype):.4g} on")
    axes.axvline(15, color="0.35", lw=1, ls=":")
    axes.text(14.7, 3e-17, "document 001: about 15", ha="right", fontsize=11, color="0.25")
    axes.set(xlabel="x", ylabel="worst |inverse(sigmoid(x)) - x|", ylim=(8e-18, 5e3), xlim=(-20, 40))
    axes.set_title("How far sigmoid and inverse miss x (upright line: infinite from here on)")
    axes.legend(loc="lower right")
    figure.set_label(
        "Worst error of sigmoid followed by its inverse against x for four precisions: none or tiny for negative x,"
        " growing steadily for positive x until the result is infinite."
    )
    return figure


def round_trip_at(x: float, precision: str) -> dict[str, float]:
    """Send one number through the sigmoid and back."""
    number = torch.tensor([x], dtype=PRECISIONS[precision])
    squashed = torch.sigmoid(number)
    return {"x": number.item(), "sigmoid": squashed.item(), "back": inverse_sigmoid(squashed).item()}


def staircase_figure(x: float, precision: str) -> Figure:
    """Draw what returns from sigmoid and inverse around x."""
    figure, axes = new_figure(width=9, height=3.6, edges=(0.09, 0.17, 0.98, 0.9))
    around = torch.linspace(x - 3, x + 3, 481, dtype=torch.float64)
    back = recovered(around.to(PRECISIONS[precision])).double()
    finite = torch.isfinite(back)
    axes.plot(around, around, ls=":", color="0.4", lw=1.5, label="nothing lost")
    axes.plot(around[finite], back[finite], color=COLORS[0], label=f"what returns in {precision}")
    if not finite.all():
        lost = around[~finite]
        axes.axvspan(lost.min().item(), lost.max().item(), color=ALERT, alpha=0.15, label="infinite: nothing returns")
    here = round_trip_at(x, precision)["back"]
    if np.isfinite(here):
        axes.plot([x], [here], "o", ms=11, color=COLORS[1], zorder=5)
    axes.set(xlabel="x", ylabel="inverse(sigmoid(x))", xlim=(x - 3, x + 3), ylim=(x - 3.5, x + 3.5))
    axes.set_title(f"Around x = {x:g}")
    axes.legend(loc="lower right")
    figure.set_label(f"What returns of numbers around {x:g} after a sigmoid and its inverse in {precision}.")
    return figure


def round_trip_text(x: float, precision: str) -> str:
    """Say in one sentence what becomes of a number on its way through the sigmoid and back."""
    trip = round_trip_at(x, precision)
    if np.isinf(trip["back"]):
        ending = f"the inverse is <b>{trip['back']}</b>: the number is lost."
    else:
        ending = f"the inverse gives <b>{trip['back']:.7g}</b>, off by {abs(trip['back'] - trip['x']):.2g}."
    return f"In {precision}, sigmoid({trip['x']:g}) is stored as <b>{trip['sigmoid']:.17g}</b>, and {ending}"


def round_trip_lab(x: float = 16.0, precision: str = "float32") -> widgets.VBox:
    """Send a number through the sigmoid and back, in a precision of your choice."""
    return lab(
        lambda x, precision: (round_trip_text(x, precision), staircase_figure(x, precision)),
        x=slider("x", x, -100.0, 45.0, 0.25),
        precision=menu("precision", list(PRECISIONS), precision),
    )


# --- what a sigmoid does to distances -----------------------------------------------------------------------


def cost_of_missing_by_one(targets: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Return the squared error, seen through the sigmoid, of answering one too many for each target."""
    near, far = torch.sigmoid((targets - mean) / std), torch.sigmoid((targets + 1 - mean) / std)
    return (far - near).square()


def squeeze_figure(targets: Sequence[float], mean: float, std: float) -> Figure:
    """Draw where targets land behind a sigmoid, and what an error of one costs there; raw and standardised."""
    figure, (left, right) = new_figure(1, 2, width=11, height=4.2)
    values = torch.tensor(sorted(set(targets)))
    for i, (name, m, s) in enumerate([("raw", 0.0, 1.0), ("standardised", mean, std)]):
        x = torch.linspace(0, 7, 200)
        left.plot(x, torch.sigmoid((x - m) / s), ls=LINES[i], color=COLORS[i], label=name)
        left.plot(values, torch.sigmoid((values - m) / s), MARKERS[i], color=COLORS[i])
        cost = cost_of_missing_by_one(values, m, s)
        right.semilogy(values, cost, marker=MARKERS[i], color=COLORS[i], label=name, ls=LINES[i])
        for t, c in zip(values.tolist(), cost.tolist(), strict=True):
            right.annotate(f"{c:.2g}", (t, c), (0, 9), textcoords="offset points", ha="center", fontsize=10)
    left.set(xlabel="target (strokes + holes)", ylabel="sigmoid of the target", ylim=(-0.02, 1.05))
    left.set_title("Equal steps become unequal")
    right.set(xlabel="target", ylabel="squared error behind the sigmoid", ylim=(2e-6, 0.3))
    right.set_title("Price of answering one too many")
    for axes in (left, right):
        axes.legend()
    figure.set_label(
        "Left: targets 1 to 6 pass a sigmoid; raw, those above 3 crowd below 1. Right: the squared error for an"
        " answer one too high falls by orders of magnitude from target 1 to target 6."
    )
    return figure


# --- coupled or not -----------------------------------------------------------------------------------------


def jacobian(activation: str, logits: Tensor) -> Tensor:
    """Return how each output (row) moves with each logit (column)."""
    apply = ACTIVATIONS[activation].apply
    return torch.autograd.functional.jacobian(lambda z: apply(z[None])[0], logits)


def coupling_figure(logits: Sequence[float]) -> Figure:
    """Draw the outputs of softmax and sigmoid for the same logits, and both Jacobians as heat maps."""
    z = torch.tensor([float(logit) for logit in logits])
    figure, axes = new_figure(
        1, 3, width=11, height=3.9, width_ratios=[1.3, 1, 1], edges=(0.07, 0.16, 0.99, 0.82, 0.22)
    )
    places = np.arange(len(z))
    for i, name in enumerate(("softmax", "sigmoid")):
        outputs = ACTIVATIONS[name].apply(z[None])[0].numpy()
        bars = axes[0].bar(places + (i - 0.5) * 0.4, outputs, 0.38, color=COLORS[i], hatch=["", "//"][i],
                           label=f"{name}: sum {outputs.sum():.2f}")  # fmt: skip
        axes[0].bar_label(bars, fmt="%.2f", fontsize=10)
        _heat_map(axes[i + 1], jacobian(name, z).numpy(), f"{name}: d output / d logit")
    axes[0].set(ylim=(0, 1.32), xlabel="output", ylabel="value", xticks=places)
    axes[0].legend(loc="upper left", ncols=2, fontsize=10)
    figure.set_label(
        "Bars: outputs of softmax, which sum to one, and of sigmoid, for the same logits. Heat maps: softmax's"
        " Jacobian is full, sigmoid's has entries on the diagonal alone."
    )
    return figure


def _heat_map(axes: Axes, table: np.ndarray, title: str) -> None:
    """Draw a table of numbers, coloured by size and sign."""
    axes.imshow(table, cmap="RdBu", vmin=-0.3, vmax=0.3)
    for (row, column), value in np.ndenumerate(table):
        color = "white" if abs(value) > 0.2 else "black"
        axes.text(
            column, row, f"{value:.2f}".replace("-0.00", "0.00"), ha="center", va="center", fontsize=10, color=color
        )
    axes.set(xlabel="logit", ylabel="output", xticks=range(len(table)), yticks=range(len(table)))
    axes.set_title(title)
    axes.grid(False)


def coupling_lab(logits: Sequence[float] = (2.0, 1.0, 0.0, -1.0)) -> widgets.VBox:
    """Move one logit and watch every output."""
    sliders = {f"logit_{i}": slider(f"logit {i}", z, -6.0, 6.0, 0.5) for i, z in enumerate(logits)}
    return lab(lambda **logits: coupling_figure(list(logits.values())), **sliders)


# --- which activation can say a task's targets ---------------------------------------------------------------


def reach(task: str, activation: str) -> float:
    """Return the share of the ten digits whose target this activation can emit, or come as close to as it likes."""
    rows, can = one_hot(TASKS[task], TASKS[task].target(torch.arange(10))), ACTIVATIONS[activation]
    fits = ((rows >= can.low) & (rows <= can.high)).all(dim=1)
    if can.sums_to_one:
        fits &= rows.sum(dim=1) == 1
    return fits.float().mean().item()


def reach_figure(activations: Sequence[str] = ("none", "relu", "sigmoid", "softmax")) -> Figure:
    """Draw for each task and activation how many of the ten digits' targets lie within reach."""
    table = np.array([[reach(task, name) for name in activations] for task in TASKS])
    figure, axes = new_figure(width=9, height=4)
    words = np.array([[f"{round(10 * value)} of 10" for value in row] for row in table])
    heatmap(
        axes, table, words, [ACTIVATIONS[name].title for name in activations], [task.title for task in TASKS.values()]
    )
    axes.set_title("Digits whose target the activation can emit or approach")
    figure.set_label(
        "Table of five tasks against four output activations: how many of the ten digits have a target within the"
        " activation's range. Softmax reaches 5 of 10 with one output and 3 of 10 with several labels."
    )
    return figure


# --- ReLU as the last layer ----------------------------------------------------------------------------------


def dead_figure(outputs: Tensor) -> Figure:
    """Draw the range of each fresh network's outputs over all images; below zero ReLU passes nothing on."""
    figure, axes = new_figure(height=3.8)
    outputs = outputs.numpy()
    low, high = outputs.min(axis=1), outputs.max(axis=1)
    dead = high <= 0
    for marker, chosen, color, name in (("o", ~dead, COLORS[0], "alive"), ("X", dead, ALERT, "dead")):
        seeds = np.arange(len(outputs))[chosen]
        axes.vlines(seeds, low[chosen], high[chosen], color=color, lw=3)
        axes.plot(seeds, outputs[chosen].mean(axis=1), marker, color=color, label=f"{name}: {len(seeds)}", ls="none")
    axes.axhline(0, color="0.2", lw=1)
    axes.set(xlabel="seed of a fresh network", ylabel="output before ReLU")
    axes.set_title(f"{int(dead.sum())} of {len(outputs)} networks start below zero for every image")
    axes.legend(ncols=2)
    figure.set_label("Output range of fresh networks over all images, one bar per seed; some lie wholly below zero.")
    return figure
