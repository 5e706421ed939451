"""The pictures of a live run, from what is known at this moment."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from lm_utils.evidence.reference_lines import ReferenceLines
from lm_utils.evidence.results import TITLES, Results, counted
from lm_utils.explorer.live_run import SHOWN, LiveRun, Look
from lm_utils.pairing import Pairing
from lm_utils.runs.outputs import one_hot
from lm_utils.show.chart import Chart, line, panel, series
from lm_utils.show.style import ALERT, COLORS, LINES, MARKERS, new_figure
from lm_utils.tasks import Task

WIDTH = 11.0
PERCENT = {"accuracy": 100.0, "mse": 1.0}
LAYERS = ("conv1", "conv2", "conv3", "fc", "out")  # of the documents' CNN
HIDDEN_LAYER = {"flat": "activations at a flat end", "stuck": "units stuck for every image"}
METRIC = {"accuracy": "accuracy (%)", "mse": "mean squared error"}


def title(axes: Axes, text: str) -> None:
    """Set a title at a fixed place: looking for a free one costs a third of the drawing."""
    axes.set_title(text, loc="left", y=1.02)


# --- curves ----------------------------------------------------------------------------------------------------------


def curves_chart(
    pairing: Pairing, lines: ReferenceLines, live: LiveRun | None = None, stored: Results | None = None
) -> Chart:
    """Return loss and metric over epochs, with the lines they are read by, as the browser draws them."""
    factor = PERCENT[pairing.spec.metric]
    histories = [entry["history"] for entry in stored.of(pairing)] if stored is not None else []
    whose = f"{stored.whose}: {TITLES[stored.data]}, a line a seed" if histories else ""
    loss, metric = (
        [*(series("stored", [scale * record[f"valid_{name}"] for record in history], "" if number else whose)
           for number, history in enumerate(histories)), *live_series(live, name, scale)]
        for name, scale in (("loss", 1.0), ("metric", factor))
    )  # fmt: skip
    best = None if lines.best_metric is None else factor * lines.best_metric
    loss_lines = (
        line(lines.constant_loss, "constant answer"),
        line(lines.least_loss, "lowest loss within reach", "limit"),
    )
    metric_lines = line(factor * lines.constant_metric, "constant answer"), line(best, "best within reach", "limit")
    if live is None:  # the axis ends with the stored runs, or a little after what has been trained
        epochs, words = max([5, *map(len, histories)]), "" if any(histories) else "Press Train"
    else:
        ended = live.run is not None
        epochs = max(1.08 * live.epoch, 1.0 if ended and live.history else 5.0)
        words = "The loss refuses what it gets: no curve." if ended and live.run.status == "error" else ""
    ends = (-3, 104) if pairing.spec.metric == "accuracy" else (None, None)
    return {"alt": curves_alt(pairing, lines, live), "panels": [
        panel(f"Loss: {pairing.label}", "loss", loss, loss_lines, epochs, words=words),
        panel(pairing.spec.title, METRIC[pairing.spec.metric], metric, metric_lines, epochs, *ends, words=words),
    ]}  # fmt: skip


def live_series(live: LiveRun | None, name: str, scale: float) -> list[dict]:
    """Return the growing curves of loss or metric: whole epochs, and as a thin line what lies between two of them."""
    if live is None:
        return []
    drawn = [series("look", [scale * getattr(look, name) for look in part], xs=[look.epoch for look in part])
             for part in between_epochs(live)]  # fmt: skip
    kinds = {"train": "training images", "valid": "validation images"}
    for kind, label in kinds.items():
        values = [scale * record[f"{kind}_{name}"] for record in live.history if f"{kind}_{name}" in record]
        drawn += [series(kind, values, label)] if values else []
    if name == "metric" and live.run is not None and live.run.best_epoch:
        best = live.history[live.run.best_epoch - 1]["valid_metric"]
        drawn.append(series("best", [scale * best], "best epoch", [live.run.best_epoch]))
    return drawn


def between_epochs(live: LiveRun) -> list[list[Look]]:
    """Return the looks of the first epoch, and the way from the last whole epoch to this moment."""
    first = [look for look in live.looks if look.epoch <= 1]
    if not live.history:
        return [first]
    ends = live.history[0], live.history[-1]
    done = [Look(record["epoch"], record["valid_loss"], record["valid_metric"]) for record in ends]
    now = live.looks[-1:] if live.run is None and live.looks and live.looks[-1].epoch > done[1].epoch else []
    return [[*first, done[0]], [done[1], *now]]


def curves_alt(pairing: Pairing, lines: ReferenceLines, live: LiveRun | None) -> str:
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
    figure, (outputs, gradients, units) = new_figure(1, 3, WIDTH, 2.6, (0.062, 0.2, 0.988, 0.87, 0.27))
    draw_outputs(outputs, live)
    epochs = [inside.epoch for inside in live.inner_looks if inside.gradients]
    for i, layer in enumerate(LAYERS):
        sizes = [max(inside.gradients[layer], 1e-20) for inside in live.inner_looks if inside.gradients]
        gradients.plot(epochs, sizes, ls=LINES[i], marker=MARKERS[i], ms=5, lw=1.6, color=COLORS[i], label=layer)
    gradients.set(yscale="log", xlabel="epoch")
    title(gradients, "Gradient size per layer")
    if epochs:
        lowest, highest = gradients.get_ylim()
        gradients.set_ylim(lowest * (lowest / highest) ** 0.45, highest)  # room for the legend below the curves
        gradients.legend(fontsize=9, ncols=3, loc="lower center", columnspacing=1, handlelength=1.8, framealpha=0.8)
    epochs = [inside.epoch for inside in live.inner_looks]
    for i, (name, label) in enumerate(HIDDEN_LAYER.items()):
        shares = [100 * getattr(inside, name) for inside in live.inner_looks]
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
    if not live.inner_looks:
        return f"{start}; nothing measured yet."
    last = live.inner_looks[-1]
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
