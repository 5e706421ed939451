"""The pictures of a live run, from what is known at this moment; nothing here knows a widget."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch.nn import functional as F

from lm_utils.evidence.reference_lines import Landmarks
from lm_utils.evidence.results import TITLES, Results, counted
from lm_utils.explorer.live_run import SHOWN, LiveRun, Look
from lm_utils.pairing import Pairing
from lm_utils.runs.outputs import one_hot
from lm_utils.runs.watches import LAYERS
from lm_utils.show.style import ALERT, COLORS, LINES, MARKERS, new_figure
from lm_utils.tasks import Task

WIDTH = 11.0
PERCENT = {"accuracy": 100.0, "mse": 1.0}
HIDDEN_LAYER = {"flat": "activations at a flat end", "stuck": "units stuck for every image"}
METRIC = {"accuracy": "accuracy (%)", "mse": "mean squared error"}


def fixed_axes(
    height: float, margins: tuple[float, float, float, float], columns: int = 1
) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure whose axes stay where they are while it is drawn again and again."""
    figure, axes = new_figure(1, columns, width=WIDTH, height=height, squeeze=False)
    figure.set_layout_engine(None)  # places by hand
    left, bottom, right, top = margins
    figure.subplots_adjust(left, bottom, right, top, wspace=0.27)
    return figure, axes[0]


def short_number(value: float, position: int | None = None) -> str:
    """Return a tick label of at most seven characters, so that the axis' own label never leaves the picture."""
    if value == 0 or 0.01 <= abs(value) < 10_000:
        return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}".replace("-", "\N{MINUS SIGN}")


def title(axes: Axes, text: str) -> None:
    """Set a title at a fixed place: looking for a free one costs a third of the drawing."""
    axes.set_title(text, loc="left", y=1.02)


# --- curves ----------------------------------------------------------------------------------------------------------


def curves_figure(
    pairing: Pairing, lines: Landmarks, live: LiveRun | None = None, stored: Results | None = None
) -> Figure:
    """Draw loss and metric over epochs, with the lines they are read by; stored runs stand behind in grey."""
    figure, (loss, metric) = fixed_axes(2.9, (0.09, 0.185, 0.988, 0.895), columns=2)
    for axes in (loss, metric):
        axes.yaxis.set_major_formatter(short_number)
        axes.yaxis.set_label_coords(-0.8 / (axes.get_position().width * WIDTH), 0.5)  # 0.8 inches left of the axis
    factor = PERCENT[pairing.spec.metric]
    histories = [entry["history"] for entry in stored.of(pairing)] if stored is not None else []
    for axes, name, scale in ((loss, "valid_loss", 1.0), (metric, "valid_metric", factor)):
        for number, history in enumerate(histories):
            label = f"{stored.whose}: {TITLES[stored.data]}, a line a seed" if number == 0 else None
            values = [scale * record[name] for record in history]
            color = COLORS[0] if live is None else "0.65"
            axes.plot(range(1, len(values) + 1), values, color=color, lw=1.2, label=label, zorder=1)
    if live is not None:
        draw_live(loss, metric, live, factor)
    draw_reference_lines(loss, lines.constant_loss, lines.least_loss, "lowest loss within reach")
    best = None if lines.best_metric is None else factor * lines.best_metric
    draw_reference_lines(metric, factor * lines.constant_metric, best, "best within reach")
    finish_axes(loss, "loss", live, histories)
    finish_axes(metric, METRIC[pairing.spec.metric], live, histories)
    if pairing.spec.metric == "accuracy":
        metric.set_ylim(-3, 104)
    elif live is None and not histories:
        metric.set_ylim(0, 1.6 * lines.constant_metric)
    if live is None and not histories and lines.constant_loss:
        loss.set_ylim(0, 1.2 * lines.constant_loss)
    title(loss, f"Loss: {pairing.label}")
    title(metric, pairing.spec.title)
    figure.set_label(curves_alt(pairing, lines, live))
    return figure


def draw_live(loss: Axes, metric: Axes, live: LiveRun, factor: float) -> None:
    """Draw the growing curves: whole epochs with markers, what lies between two of them as a thin line."""
    for part in between_epochs(live):
        epochs = [look.epoch for look in part]
        loss.plot(epochs, [look.loss for look in part], color="0.35", lw=1.2)
        metric.plot(epochs, [factor * look.metric for look in part], color="0.35", lw=1.2)
    if not live.history:
        return
    epochs = [record["epoch"] for record in live.history]
    every = max(1, len(epochs) // 12)
    style = {"markevery": every, "markersize": 6}
    for i, (name, label) in enumerate((("train_loss", "training images"), ("valid_loss", "validation images"))):
        values = [record[name] for record in live.history]
        loss.plot(epochs, values, ls=LINES[1 - i], marker=MARKERS[1 - i], color=COLORS[1 - i], label=label, **style)
    values = [factor * record["valid_metric"] for record in live.history]
    metric.plot(epochs, values, ls=LINES[0], marker=MARKERS[0], color=COLORS[0], label="validation images", **style)
    if live.run is not None and live.run.best_epoch:
        best = live.history[live.run.best_epoch - 1]["valid_metric"]
        metric.plot(live.run.best_epoch, factor * best, "*", color=COLORS[3], ms=15, label="best epoch", zorder=5)


def between_epochs(live: LiveRun) -> list[list[Look]]:
    """Return the looks of the first epoch, and the way from the last whole epoch to this moment."""
    first = [look for look in live.looks if look.epoch <= 1]
    if not live.history:
        return [first]
    ends = live.history[0], live.history[-1]
    done = [Look(record["epoch"], record["valid_loss"], record["valid_metric"]) for record in ends]
    now = live.looks[-1:] if live.run is None and live.looks and live.looks[-1].epoch > done[1].epoch else []
    return [[*first, done[0]], [done[1], *now]]


def draw_reference_lines(axes: Axes, constant: float | None, best: float | None, best_words: str) -> None:
    """Draw horizontal lines at the constant answer and at the limit, where there are such."""
    if constant is not None and isfinite(constant):
        axes.axhline(constant, color="0.25", lw=1.4, ls=":", label="constant answer", zorder=2)
    if best is not None and isfinite(best):
        axes.axhline(best, color=ALERT, lw=1.4, ls="-.", label=best_words, zorder=2)


def finish_axes(axes: Axes, ylabel: str, live: LiveRun | None, histories: Sequence[list]) -> None:
    """Set labels, whole epochs on the x axis, and a legend that hides no curve for long."""
    axes.set(xlabel="epoch", ylabel=ylabel)
    low, high = axes.get_ylim()
    if high - low < 0.1 * max(abs(low), abs(high)):  # a flat line is to look flat
        axes.set_ylim(min(0, 1.2 * low), max(0, 1.2 * high))
    longest = max([len(history) for history in histories], default=0)
    seen = live.epoch if live is not None else 0
    ended = live is not None and live.run is not None and bool(live.history)
    least = 0.0 if ended else 5.0  # the axis of a short run ends with its curve: no legend beside it, on the star
    axes.set_xlim(0, max(least, 1.08 * seen, 0 if live is not None else longest))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if words := instead_of_curves(live, histories):
        axes.text(0.5, 0.3, words, transform=axes.transAxes, color="0.35", size=15, ha="center", va="center",
                  bbox={"fc": "white", "ec": "none"}, zorder=5)  # fmt: skip
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", fontsize=10, framealpha=0.8)


def instead_of_curves(live: LiveRun | None, histories: Sequence[list]) -> str:
    """Return what stands where there is no curve yet, or will be none."""
    if live is None:
        return "" if any(histories) else "Press Train"
    return "The loss refuses what it gets: no curve." if live.run is not None and live.run.status == "error" else ""


def curves_alt(pairing: Pairing, lines: Landmarks, live: LiveRun | None) -> str:
    """Return the alt text of the curves."""
    start = f"Learning curves of {pairing.label} on the task {pairing.task}"
    if live is None:
        return f"{start}: not trained yet; a line marks the best constant answer."
    if not live.history:
        return f"{start}: the first epoch is running, {counted(live.batches, 'batch', 'batches')} done."
    last = live.history[-1]
    return (f"{start}: after {counted(last['epoch'], 'epoch')} the validation loss is {last['valid_loss']:.4g}"
            f" and the {pairing.spec.metric} {last['valid_metric']:.4g}; a constant answer has"
            f" {lines.constant_metric:.4g}.")  # fmt: skip


# --- inside ----------------------------------------------------------------------------------------------------------


def inside_figure(live: LiveRun) -> Figure:
    """Draw a histogram of the outputs, the size of the gradients in each layer, and how many hidden units are stuck."""
    figure, (outputs, gradients, units) = fixed_axes(2.6, (0.062, 0.2, 0.988, 0.87), columns=3)
    draw_outputs(outputs, live)
    epochs = [inside.epoch for inside in live.insides if inside.gradients]
    for i, layer in enumerate(LAYERS):
        sizes = [max(inside.gradients[layer], 1e-20) for inside in live.insides if inside.gradients]
        gradients.plot(epochs, sizes, ls=LINES[i], marker=MARKERS[i], ms=5, lw=1.6, color=COLORS[i], label=layer)
    gradients.set(yscale="log", xlabel="epoch")
    title(gradients, "Gradient size per layer")
    if epochs:
        lowest, highest = gradients.get_ylim()
        gradients.set_ylim(lowest * (lowest / highest) ** 0.45, highest)  # room for the legend below the curves
        gradients.legend(fontsize=9, ncols=3, loc="lower center", columnspacing=1, handlelength=1.8, framealpha=0.8)
    epochs = [inside.epoch for inside in live.insides]
    for i, (name, label) in enumerate(HIDDEN_LAYER.items()):
        shares = [100 * getattr(inside, name) for inside in live.insides]
        style = {"ls": LINES[1 - i], "marker": MARKERS[1 - i], "color": COLORS[1 - i]}
        units.plot(epochs, shares, ms=5, lw=1.8, label=label, **style)
    units.set(xlabel="epoch", ylim=(-4, 104))
    title(units, "Hidden layer (%)")
    units.legend(fontsize=9, loc="best", framealpha=0.8)
    figure.set_label(inside_alt(live))
    return figure


def draw_outputs(axes: Axes, live: LiveRun) -> None:
    """Draw a histogram of predictions: numbers beside the targets, or outputs that should be a yes and a no."""
    task = live.choice.pairing.spec
    title(axes, "Outputs on validation images")
    axes.set_ylabel("share (%)")
    if live.predictions is None:
        return
    predictions = live.predictions
    targets = task.target(live.data.valid.digits[: len(predictions)])
    if task.kind == "value":
        groups = {"targets": targets.flatten(), "predictions": predictions.flatten()}
        axes.set_xlabel("strokes + holes")
    else:
        yes = one_hot(task, targets) > 0.5
        groups = {"should be no": predictions[~yes], "should be yes": predictions[yes]}
        axes.set_xlabel("output, as a probability")
    groups = {label: values[torch.isfinite(values)] for label, values in groups.items()}
    low = min([0.0, *(values.min().item() for values in groups.values() if len(values))])
    high = max([1.0, *(values.max().item() for values in groups.values() if len(values))])
    for i, (label, values) in enumerate(groups.items()):
        weights = [100 / max(1, len(values))] * len(values)
        axes.hist(values.numpy(), 20, range=(low, high), weights=weights, color=COLORS[1 - i], alpha=0.6,
                  hatch=("//", "")[i], edgecolor="white", label=label)  # fmt: skip
    axes.legend(fontsize=9, loc="best", framealpha=0.8)


def inside_alt(live: LiveRun) -> str:
    """Return the alt text of the inside."""
    start = "Three panels: a histogram of the outputs, gradient sizes by layer, and the state of the hidden layer"
    if not live.insides:
        return f"{start}; nothing measured yet."
    last = live.insides[-1]
    sizes = ", ".join(f"{layer} {size:.1e}" for layer, size in last.gradients.items()) or "none: the loss refuses"
    return f"{start}. Last gradients: {sizes}. Hidden units stuck for every image: {last.stuck:.0%}."


# --- images ----------------------------------------------------------------------------------------------------------


def images_figure(live: LiveRun) -> Figure:
    """Draw some test images, each with what the network says and, by frame and sign, whether that is right."""
    figure, axes = new_figure(1, 1, width=WIDTH, height=1.3)
    figure.set_layout_engine(None)
    axes.set_position((0.005, 0.0, 0.99, 0.82))
    key = answer_key(live.choice.pairing.spec)
    figure.text(0.008, 0.97, f"Test images and what the network says ({key})", va="top")
    digits, gap = live.data.test.digits[:SHOWN], 2
    row = F.pad(live.data.test.images[: len(digits), 0], (gap, gap), value=-1).permute(1, 0, 2).reshape(28, -1)
    axes.imshow(row.numpy(), cmap="gray_r", vmin=-1, vmax=1)
    answers = answers_of(live.choice.pairing.spec, live.answers, digits) if live.answers is not None else []
    for i, (said, right) in enumerate(answers):
        sign, color, left = "✓" if right else "✗", COLORS[0] if right else ALERT, i * (28 + 2 * gap)
        axes.add_patch(Rectangle((left + 0.5, 0), 28 + gap, 27, fill=False, ec=color, lw=1.5 if right else 3))
        axes.text(left + 14 + gap, 29.5, f"{sign} {said}", color=color, fontsize=11, ha="center", va="top")
    axes.set(ylim=(39, -1), xlim=(-1, row.shape[1]))
    axes.axis("off")
    told = f"{sum(right for _, right in answers)} of {len(answers)} right" if answers else "no prediction yet"
    figure.set_label(f"{len(digits)} test images with the network's answers: {told}.")
    return figure


def answer_key(task: Task) -> str:
    """Return how the short answers under the images are to be read."""
    if task.kind == "labels":
        return ", ".join(f"{name[0]}: {name}" for name in task.names)
    return {"value": "strokes + holes, right within 0.5", "single": "how likely curved"}.get(task.kind, "class")


def answers_of(task: Task, predictions: torch.Tensor, digits: torch.Tensor) -> list[tuple[str, bool]]:
    """Return for each image what the network says, in a few letters, and whether it is right."""
    targets = task.target(digits)
    if task.kind == "value":
        pairs = zip(predictions.flatten().tolist(), targets.flatten().tolist(), strict=True)
        return [(f"{said:.1f}", abs(said - true) < 0.5) for said, true in pairs]
    decided = task.decide(predictions)
    if task.kind == "exclusive":
        short = [name.replace("not curved", "straight") for name in task.names]
        return [(short[int(said)], bool(said == true)) for said, true in zip(decided, targets, strict=True)]
    if task.kind == "single":
        pairs = zip(predictions.flatten().tolist(), (decided == targets).flatten().tolist(), strict=True)
        return [(f"{said:.0%}", right) for said, right in pairs]
    letters = [name[0] for name in task.names]
    rows = zip(decided.tolist(), targets.tolist(), strict=True)
    return [("".join(x for x, yes in zip(letters, said, strict=True) if yes) or "none", said == true)
            for said, true in rows]  # fmt: skip
