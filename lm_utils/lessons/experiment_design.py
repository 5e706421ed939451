"""Notebook 07: the data in pictures, the curves of runs, and what one number can hide."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from lm_utils.data import Splits
from lm_utils.evidence.results import counted
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.tasks import TASKS, Task

# --- the data ------------------------------------------------------------------------------------------------


def shares(task: Task, digits: torch.Tensor) -> dict[str, float]:
    """Return how often each target occurs: each number, yes and no, each class, or a yes for each label."""
    targets = task.target(digits)
    if task.kind == "value":
        return {f"{value:g}": (targets == value).float().mean().item() for value in targets.unique().tolist()}
    if task.kind == "exclusive":
        return dict(zip(task.names, (targets.bincount(minlength=task.outputs) / len(targets)).tolist(), strict=True))
    yes = dict(zip(task.names, targets.mean(dim=0).tolist(), strict=True))
    return yes | {f"not {name}": 1 - share for name, share in yes.items()} if task.kind == "single" else yes


def balance_figure(data: Splits) -> Figure:
    """Draw how often each digit and each target of the five tasks occurs."""
    figure, axes = new_figure(2, 3, width=11, height=6)
    panels = iter(axes.flat)
    first = next(panels)
    for i, name in enumerate(("train", "valid", "test")):
        digits = getattr(data, name).digits
        share = (100 * digits.bincount(minlength=10) / len(digits)).tolist()
        first.plot(range(10), share, LINES[i], marker=MARKERS[i], color=COLORS[i], label=f"{name} ({len(digits):,})")
    first.set(title="Digits in the three parts", xticks=range(10), ylim=(0, 20))
    first.legend(fontsize=10)
    for task, panel in zip(TASKS.values(), panels, strict=True):
        found = shares(task, data.train.digits)
        bars = panel.bar(list(found), [100 * share for share in found.values()], color=COLORS[0])
        if len(found) < 10:
            panel.bar_label(bars, fmt="%.0f", fontsize=10)
        panel.set(title=task.title, ylim=(0, 1.18 * max(found.values()) * 100))
        panel.grid(False, axis="x")
    figure.supylabel("share (%)", fontsize=12)
    figure.set_label("Six panels: digits occur about equally often in train, valid and test; then how often each target"
                     " of the five tasks occurs in the training part.")  # fmt: skip
    return figure


def targets_figure(data: Splits) -> Figure:
    """Draw one image of each digit, and under it the target that each task gives it."""
    figure, axes = new_figure(2, 10, width=11, height=4, height_ratios=[1, 2.3])
    for digit in range(10):
        image = data.train.images[data.train.digits == digit][0, 0].numpy()
        axes[0, digit].imshow(image, cmap="gray_r")
        texts = [target_text(task, digit) for task in TASKS.values()]
        for row, text in enumerate(texts):
            axes[1, digit].text(0.5, 4.5 - row, text, ha="center", va="center", fontsize=11)
            axes[1, digit].axhspan(4 - row, 5 - row, color="0.93" if row % 2 else "1", zorder=0)
        axes[1, digit].set(xlim=(0, 1), ylim=(0, 5))
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
        for side in axis.spines.values():
            side.set_visible(False)
    axes[1, 0].set_yticks([4.5 - row for row in range(5)], [task.title for task in TASKS.values()])
    axes[1, 0].tick_params(length=0)
    figure.set_label("An image of each digit 0 to 9 above a table with its target in each of the five tasks.")
    return figure


def target_text(task: Task, digit: int) -> str:
    """Return a digit's target, short enough for a table."""
    target = task.target(torch.tensor([digit]))[0]
    if task.kind == "exclusive":
        return task.names[int(target)].replace(" ", "\n")
    if task.kind == "labels":
        return " ".join(name[0] if yes else "·" for name, yes in zip(task.names, target.tolist(), strict=True))
    return f"{target.item():g}"


# --- runs ----------------------------------------------------------------------------------------------------


def stops_at(values: Sequence[float], patience: int) -> tuple[int, int]:
    """Return the epoch at which early stopping ends a run, and the epoch it keeps; accuracies, larger is better."""
    best, best_epoch = float("-inf"), 0
    for epoch, value in enumerate(values, 1):
        if value > best:
            best, best_epoch = value, epoch
        if epoch - best_epoch >= patience:
            return epoch, best_epoch
    return len(values), best_epoch


def patience_figure(
    histories: Sequence[Sequence[Mapping[str, float]]], patiences: Sequence[int] = (1, 3, 10)
) -> Figure:
    """Draw validation curves, each with the epoch that early stopping keeps under several patiences."""
    figure, axes = new_figure(1, len(histories), width=11, height=3.6, sharey=True, squeeze=False)
    for seed, (history, panel) in enumerate(zip(histories, axes[0], strict=True)):
        values = [100 * record["valid_metric"] for record in history]
        panel.plot(range(1, len(values) + 1), values, color="0.6", lw=1.5)
        for i, patience in enumerate(patiences):
            _, kept = stops_at(values, patience)
            panel.plot(
                [kept], [values[kept - 1]], MARKERS[i], ms=11 - 2 * i, color=COLORS[i], label=f"patience {patience}"
            )
        panel.set(xlabel="epoch", title=f"seed {seed}")
    axes[0, 0].set_ylabel("valid accuracy (%)")
    axes[0, -1].legend(loc="lower right", fontsize=10)
    figure.set_label(
        "Validation accuracy over epochs, a panel per seed; the epoch kept is marked for several patiences."
    )
    return figure


def seeds_figure(names: Sequence[str], metrics: Sequence[Mapping[int, float]], origin: str) -> Figure:
    """Draw every run of two pairings as a dot, lines between equal seeds, and the paired differences beside."""
    figure, (left, right) = new_figure(1, 2, width=11, height=3.8, width_ratios=[1.3, 1])
    seeds = sorted(set(metrics[0]) & set(metrics[1]))
    many = counted(len(seeds), "seed")
    first, second = ([100 * metric[seed] for seed in seeds] for metric in metrics)
    for a, b in zip(first, second, strict=True):
        left.plot([0, 1], [a, b], color="0.7", lw=1.2, zorder=1)
    for i, values in enumerate((first, second)):
        left.plot([i] * len(values), values, MARKERS[i], color=COLORS[i], ls="none")
    left.set_xticks([0, 1], names)
    left.set(xlim=(-0.4, 1.4), ylabel="test accuracy (%)", title=f"Every run is a dot ({origin}, {many})")
    gaps = np.array(second) - np.array(first)
    right.bar(seeds, gaps, color=[COLORS[1] if gap > 0 else COLORS[0] for gap in gaps])  # of the one that is ahead
    right.axhline(0, color="0.2", lw=1)
    right.set(
        xticks=seeds, xlabel="seed", ylabel="second - first (points)", title="Whom would one seed call the winner?"
    )
    figure.set_label(
        f"Test accuracy of {names[0]} and {names[1]} for every seed ({origin}, {many}), and the difference for each"
        f" seed: {names[1]} is ahead on {(gaps > 0).sum()} of them, by {gaps.mean():+.2f} points on average."
    )
    return figure
