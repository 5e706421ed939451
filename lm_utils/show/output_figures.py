"""Figures of the learning curves of runs and of what their outputs look like, a panel for each pairing."""

from collections.abc import Sequence
from math import ceil
from textwrap import fill

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.evidence.reference_lines import stored_reference_lines
from lm_utils.evidence.results import Results, reference, tested_digits
from lm_utils.pairing import Pairing
from lm_utils.show.style import COLORS, CONSTANT_LINE, LINES, MARKERS, heatmap, new_figure
from lm_utils.tasks import TASKS

FLOOR = COLORS[2]
FEWEST_IN_BIN = 20  # images; fewer say nothing about calibration


def panels(pairings: Sequence[Pairing], height: float, across: int = 3, **options: object) -> tuple[Figure, list[Axes]]:
    """Make a figure with a panel for each pairing."""
    columns = min(across, len(pairings))
    lines = ceil(len(pairings) / columns)
    figure, axes = new_figure(lines, columns, 11 if columns > 1 else 7, height * lines, squeeze=False, **options)
    for spare in axes.flat[len(pairings) :]:
        spare.set_visible(False)
    return figure, list(axes.flat[: len(pairings)])


def headed(axis: Axes, pairing: Pairing, runs: Sequence[dict], width: int = 32) -> None:
    """Write the pairing's name over its panel, and a word where it has no runs."""
    axis.set_title(fill(pairing.label, width), fontsize=12)
    if not runs:
        axis.text(0.5, 0.5, "not trained yet", transform=axis.transAxes, ha="center", va="center", color="0.35")


def with_origin(figure: Figure, results: Results, alt: str) -> Figure:
    """Write the origin of what is drawn over the figure, and give it its alt text."""
    figure.suptitle(results.origin, fontsize=12)
    figure.set_label(alt)
    return figure


def stored(pairing: Pairing, name: str, results: Results) -> list:
    """Return what was stored under this name about the outputs of each run that has it."""
    return [run["outputs"][name] for run in results.of(pairing) if name in run["outputs"]]


# --- learning curves -------------------------------------------------------------------------------------------------


def learning_curves(pairings: Sequence[Pairing], results: Results | None = None) -> Figure:
    """Draw validation metric and loss over epochs, a thin line for each seed, with the lines they are read by."""
    results = (results or reference()).of_pairings(pairings)
    figure, axes = new_figure(2, len(pairings), max(7, min(11, 3.7 * len(pairings))), 6.4, squeeze=False, sharex="col")
    words = []
    for column, pairing in enumerate(pairings):
        runs, (top, bottom) = results.of(pairing), axes[:, column]
        headed(top, pairing, runs, 26)
        accuracy = pairing.spec.metric == "accuracy"
        for i, run in enumerate(runs):
            epochs = [record["epoch"] for record in run["history"]]
            style = {"color": COLORS[0], "lw": 1.1, "alpha": 0.7, "label": "one seed" if i == 0 else None}
            metric = [record["valid_metric"] * (100 if accuracy else 1) for record in run["history"]]
            top.plot(epochs, metric, LINES[0], **style)
            bottom.plot(epochs, [record["valid_loss"] for record in run["history"]], LINES[0], **style)
        words.append(f"{pairing.label}: {reading_lines(top, bottom, pairing, results)}")
        if all(record["valid_loss"] >= 0 for run in runs for record in run["history"]):
            bottom.set_ylim(bottom=0)
        if accuracy:
            top.set_ylim(0, 104)
        else:
            top.set_yscale("log", subs=[2, 5])
            top.yaxis.set_major_formatter("{x:g}")
            top.yaxis.set_minor_formatter("{x:g}")
        bottom.set_xlabel("epoch")
        bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    lows, highs = zip(*(top.get_ylim() for top in axes[0]), strict=True)
    for top in axes[0]:
        top.set_ylim(min(lows), max(highs))  # one scale, so that runs which stand still look as they are
    axes[0, 0].set_ylabel("validation accuracy (%)" if pairings[0].spec.metric == "accuracy" else "validation MSE")
    axes[1, 0].set_ylabel("validation loss")
    handles = {label: h for axis in axes.flat for h, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
    return with_origin(figure, results, f"Validation metric (above) and loss (below) over epochs. {'; '.join(words)}.")


def reading_lines(top: Axes, bottom: Axes, pairing: Pairing, results: Results) -> str:
    """Draw the best constant answer, floor and ceiling where there are any; say their values."""
    percent, lines = 100 if pairing.spec.metric == "accuracy" else 1, stored_reference_lines(pairing, results.data)
    chance, best = results.baseline(pairing.task), lines.best_metric
    top.axhline(percent * chance, **CONSTANT_LINE, label="best constant answer")
    words = [f"constant answer {chance:.3g}"]
    if best is not None and abs(best - chance) > 1e-3:
        top.axhline(percent * best, color=FLOOR, ls=LINES[1], label="floor or ceiling of these outputs")
        words.append(f"best within reach {best:.3g}")
    if lines.constant_loss is not None:
        bottom.axhline(lines.constant_loss, **CONSTANT_LINE, label="best constant answer")
        words.append(f"loss of a constant {lines.constant_loss:.3g}")
    if lines.least_loss is not None:
        bottom.axhline(lines.least_loss, color=FLOOR, ls=LINES[1], label="floor or ceiling of these outputs")
        words.append(f"lowest loss within reach {lines.least_loss:.3g}")
    return ", ".join(words)


# --- outputs ---------------------------------------------------------------------------------------------------------


def output_histograms(pairings: Sequence[Pairing], results: Results | None = None) -> Figure:
    """Draw where the outputs lie that should be a yes and that should be a no: the mean over seeds, and their range."""
    results = (results or reference()).of_pairings(pairings)
    figure, axes = panels(pairings, 3.6, sharey=True)
    for axis, pairing in zip(axes, pairings, strict=True):
        runs = stored(pairing, "histogram", results)
        headed(axis, pairing, runs)
        for name, color, style in (("yes", COLORS[0], LINES[0]), ("no", COLORS[1], LINES[1])) if runs else ():
            ends = np.array([counts["range"] for counts in runs])
            edges = np.linspace(ends[:, 0].min(), ends[:, 1].max(), len(runs[0][name]) + 1)
            shares = np.array([in_bins(counts[name], counts["range"], edges) for counts in runs])
            axis.stairs(shares.max(axis=0), edges, baseline=shares.min(axis=0), fill=True, color=color, alpha=0.25)
            axis.stairs(shares.mean(axis=0), edges, color=color, ls=style, lw=2, label=f"should be a {name}")
        axis.set_yscale("log")
        axis.set_ylim(1e-4, 1.3)
        axis.set_xlabel("output (as a prediction)")
    axes[0].set_ylabel("share of outputs")
    if axes[0].get_legend_handles_labels()[0]:
        axes[0].legend(loc="upper center")
    names = ", ".join(pairing.label for pairing in pairings)
    return with_origin(figure, results, f"Histograms of the outputs on test images, apart for yes and no, for {names}.")


def in_bins(counts: Sequence[int], ends: Sequence[float], edges: np.ndarray) -> np.ndarray:
    """Return a histogram's shares in the bins between other edges; each bin spread evenly."""
    below = np.concatenate([[0], np.cumsum(counts)]) / max(sum(counts), 1)
    return np.diff(np.interp(edges, np.linspace(*ends, len(below)), below))


def calibration(pairings: Sequence[Pairing], results: Results | None = None) -> Figure:
    """Draw how often a prediction is right beside how sure it is, all seeds together."""
    results = (results or reference()).of_pairings(pairings)
    figure, axis = new_figure(width=8, height=5.6)
    axis.plot([0, 1], [0, 1], color="0.35", ls=LINES[3], lw=1.5, label="perfectly calibrated")
    words = []
    for i, pairing in enumerate(pairings):
        bins = stored(pairing, "reliability", results)
        if not bins:
            axis.plot([], [], MARKERS[i], color=COLORS[i], label=f"{pairing.label}: no probabilities stored")
            continue
        count = np.sum([b["count"] for b in bins], axis=0)
        sure, right = (
            np.sum([np.multiply(b[n], b["count"]) for b in bins], axis=0) for n in ("confidence", "accuracy")
        )
        keep = count >= FEWEST_IN_BIN
        ece = np.mean(stored(pairing, "ece", results))
        look = {"marker": MARKERS[i], "ls": LINES[i], "color": COLORS[i], "label": f"{pairing.label} (ECE {ece:.4f})"}
        axis.plot(sure[keep] / count[keep], right[keep] / count[keep], **look)
        words.append(f"{pairing.label}: calibration error {ece:.4f}")
    axis.set(xlabel="confidence of the prediction", ylabel="share that is right", ylim=(-0.03, 1.03))
    axis.legend(loc="upper left")
    return with_origin(
        figure, results, f"Reliability diagram. {'; '.join(words) or 'No probabilities are stored yet'}."
    )


def confusion(pairings: Sequence[Pairing], results: Results | None = None) -> Figure:
    """Draw which class is taken for which: percent of each true class, the mean over seeds."""
    results = (results or reference()).of_pairings(pairings)
    figure, axes = panels(pairings, 5.4, across=2)
    words = []
    for axis, pairing in zip(axes, pairings, strict=True):
        counts = stored(pairing, "confusion", results)
        headed(axis, pairing, counts)
        if not counts:
            continue
        share = np.mean([np.array(c) / np.sum(c, axis=1, keepdims=True) for c in counts], axis=0)
        percent = np.where(share >= 0.005, np.char.mod("%.0f", 100 * share), "")
        heatmap(axis, share, percent, pairing.spec.names, pairing.spec.names)
        axis.set(xlabel="predicted", ylabel="true")
        words.append(f"{pairing.label}: {100 * np.trace(share) / len(share):.1f} percent right on average over classes")
    return with_origin(figure, results, f"Confusion matrices in percent of each true class. {'; '.join(words)}.")


def per_label_bars(pairings: Sequence[Pairing], results: Results | None = None) -> Figure:
    """Draw the accuracy of each output, a bar a pairing and a dot a seed, beside the best constant answer."""
    task = pairings[0].spec
    results = (results or reference()).of_pairings(pairings)
    figure, axis = new_figure(width=11, height=4.6)
    width, words = 0.8 / len(pairings), []
    hatches = ["", "//", "..", "xx", "\\\\", "++"]
    for i, pairing in enumerate(pairings):
        runs = stored(pairing, "accuracy_by_output", results)
        places = np.arange(task.outputs) + (i - (len(pairings) - 1) / 2) * width
        means = 100 * np.mean(runs, axis=0) if runs else np.zeros(task.outputs)
        label = pairing.label + ("" if runs else " (not trained yet)")
        look = {"color": COLORS[i], "hatch": hatches[i % len(hatches)], "edgecolor": "black", "lw": 0.8}
        axis.bar(places, means, 0.9 * width, label=label, **look)
        for run in runs:
            axis.plot(places, 100 * np.array(run), MARKERS[0], color="black", ms=3, alpha=0.7)
        if runs:
            by_name = (f"{name} {mean:.1f} %" for name, mean in zip(task.names, means, strict=True))
            words.append(f"{pairing.label}: {', '.join(by_name)}")
    rates = task.target(tested_digits(results.data)).float().mean(dim=0).numpy()
    for place, rate in enumerate(np.maximum(rates, 1 - rates)):
        label = None if place else "best constant answer"
        axis.hlines(100 * rate, place - 0.45, place + 0.45, **CONSTANT_LINE, label=label)
    axis.set_xticks(range(task.outputs), task.names)
    axis.set(ylabel="test accuracy (%)", ylim=(0, 104))
    axis.grid(axis="x", visible=False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return with_origin(figure, results, f"Test accuracy of each label. {'; '.join(words) or 'Nothing is trained yet'}.")


def means_by_digit(pairings: Sequence[Pairing], results: Results | None = None) -> Figure:
    """Draw the mean prediction for each digit beside its target, a dot for each seed."""
    task = TASKS["regression"]
    results = (results or reference()).of_pairings(pairings)
    figure, axes = panels(pairings, 3.8, sharey=False)
    targets = task.target(torch.arange(10)).flatten().numpy()
    for axis, pairing in zip(axes, pairings, strict=True):
        runs = stored(pairing, "mean_by_digit", results)
        headed(axis, pairing, runs)
        for i, run in enumerate(runs):
            label = None if i else "one seed"
            axis.plot(range(10), run, MARKERS[0], color=COLORS[0], ms=4, alpha=0.6, label=label)
        axis.plot(range(10), targets, "_", color="black", ms=16, mew=2.5, label="target")
        axis.axhline(targets.mean(), color=COLORS[3], ls=LINES[3], lw=1.5, label="mean target")
        axis.set_xticks(range(10))
        axis.set_xlabel("digit")
    axes[0].set_ylabel("mean prediction")
    axes[0].legend(loc="best")
    names = ", ".join(pairing.label for pairing in pairings)
    return with_origin(figure, results, f"Mean prediction for each digit beside its target, for {names}.")
