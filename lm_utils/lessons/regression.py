"""Notebook 08: regression with the wrong tools; a loss without a floor, an output that is dead from the start."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor
from torch.nn import functional as F

from lm_utils.data import Splits
from lm_utils.model import CNN
from lm_utils.pairing import Pairing
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.training import Run, adamw, fit, new_model, outputs_of

TARGETS = (-0.8, 0.3, 1.0, 1.5)  # two that a probability can be, two that it cannot


def loss_at(target: float, outputs: Tensor) -> Tensor:
    """Return nn.BCEWithLogitsLoss of each output for one target, which need not be a probability."""
    return F.binary_cross_entropy_with_logits(outputs, torch.full_like(outputs, target), reduction="none")


def no_floor_figure() -> Figure:
    """Draw the loss over the output, for targets inside and outside 0 to 1."""
    outputs = torch.linspace(-12, 12, 241)
    figure, axis = new_figure(width=9, height=4)
    for place, target in enumerate(TARGETS):
        inside = "inside" if 0 <= target <= 1 else "outside"
        axis.plot(outputs, loss_at(target, outputs), color=COLORS[place], linestyle=LINES[place],
                  label=f"target {target:g} ({inside} 0 to 1)")  # fmt: skip
    axis.axhline(0, color="black", linewidth=1)
    axis.set(xlabel="output of the network", ylabel="BCE with logits")
    axis.legend(loc="upper center")
    lowest = ", ".join(f"{target:g}: {loss_at(target, outputs).min().item():.1f}" for target in TARGETS)
    figure.set_label("Binary cross-entropy on logits against the output. Lowest value within the picture by target:"
                     f" {lowest}; the curves of targets outside 0 to 1 keep falling.")  # fmt: skip
    return figure


@dataclass(frozen=True)
class Runaway:
    """How the mean output moved, epoch by epoch, for images whose target lies above and below the mean."""

    run: Run
    above: list[float]
    below: list[float]


def runaway(pairing: Pairing, data: Splits, epochs: int = 8, seed: int = 0, device: str = "cpu") -> Runaway:
    """Train for some epochs without stopping early and record the mean output of both groups."""
    targets = pairing.spec.target(data.valid.digits).flatten()
    high = targets > pairing.spec.target(data.train.digits).mean()
    above, below, held = [], [], []

    def setup(model: CNN) -> torch.optim.Optimizer:
        held.append(model)
        return adamw(model)

    def look(record: dict[str, float]) -> None:
        outputs = outputs_of(held[0], data.valid.images.to(next(held[0].parameters()).device)).flatten().cpu()
        above.append(outputs[high].mean().item())
        below.append(outputs[~high].mean().item())

    run = fit(pairing, data, seed, epochs, patience=epochs, device=device, on_epoch=look, setup=setup)
    return Runaway(run, above, below)


def runaway_figure(found: list[Runaway]) -> Figure:
    """Draw the mean outputs over the epochs, a panel for each pairing, and the MSE on the original scale of all."""
    figure, axes = new_figure(columns=len(found) + 1, width=5.2 * (len(found) + 1), height=4)
    for place, (axis, watched) in enumerate(zip(axes, found, strict=False)):
        epochs, look = range(1, len(watched.above) + 1), {"color": COLORS[place], "markersize": 9}
        axis.plot(epochs, watched.above, marker="^", label="targets above the mean", **look)
        axis.plot(epochs, watched.below, marker="v", ls="--", mfc="none", label="targets below the mean", **look)
        axis.set(title=watched.run.pairing.label, xlabel="epoch", ylabel="mean raw output")
        axis.legend(loc="best")
        mse = [record["valid_metric"] for record in watched.run.history]
        axes[-1].plot(epochs, mse, marker=MARKERS[place], ls=LINES[place], label=watched.run.pairing.label,
                      zorder=3 - place, **look)  # fmt: skip
    axes[-1].set(title="both" if len(found) == 2 else "", xlabel="epoch", ylabel="validation MSE", yscale="log")
    axes[-1].legend(loc="best")
    for axis in axes:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    ends = "; ".join(f"{one.run.pairing.label}: outputs from {one.below[-1]:.1f} to {one.above[-1]:.1f}, MSE"
                     f" {one.run.history[-1]['valid_metric']:.2f} at the end" for one in found)  # fmt: skip
    figure.set_label(f"Mean outputs and validation MSE over the epochs. {ends}.")
    return figure


def dead_at_start(pairing: Pairing, data: Splits, seeds: int = 40, images: int = 200) -> float:
    """Return the share of seeds whose fresh network emits 0 for every image, so that its ReLU passes no gradient."""
    part, targets = data.train.images[:images], pairing.spec.target(data.train.digits)
    dead = [bool((outputs_of(new_model(pairing, targets, seed), part) <= 0).all()) for seed in range(seeds)]
    return sum(dead) / len(dead)
