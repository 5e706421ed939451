"""Figures of results: the rows of a document's table beside each other, grids of pairings, verdicts on claims."""

from collections.abc import Sequence
from math import isfinite, log10, nan
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lm_utils.activations import ACTIVATIONS
from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import Results, counted, reference
from lm_utils.evidence.sentences import shown
from lm_utils.losses import LOSSES
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import GRID_SEEDS, activations_for
from lm_utils.show.style import ALERT, COLORS, CONSTANT_LINE, MARKERS, heatmap, new_figure
from lm_utils.tasks import TASKS, Task

LEARNS = 0.5  # rows with at least this skill are shown enlarged
SEED, MEAN, PUBLISHED = COLORS[0], "black", COLORS[3]


def dots_and_intervals(table: pd.DataFrame) -> Figure:
    """Draw seeds as dots, their mean with its interval, the published figure, and the line of the best constant answer.

    `table` comes from `results.summary`. Where some rows collapse, a second panel enlarges the others.
    """
    task, chance = TASKS[table["task"].iloc[0]], table["baseline"].iloc[0]
    spread = [score for scores in table["scores"] for score in scores if isfinite(score)]
    learning = [score for score in spread if st.skill(score, chance, task.metric) >= LEARNS]
    twice = task.metric == "accuracy" and bool(learning) and min(spread) < min(learning)
    widths = [2, 3] if twice else [1]
    height = 1.5 + 0.62 * len(table)
    figure, axes = new_figure(1, len(widths), 11, height, squeeze=False, sharey=True, width_ratios=widths)
    for axis in axes[0]:
        draw_rows(axis, table, task)
        axis.axvline(percent(chance, task), **CONSTANT_LINE, label="best constant answer")
    name_rows(axes[0, 0], list(table["label"]))
    if twice:
        enlarge(axes[0, 1], table, learning, task)
    if task.metric == "mse":
        axes[0, 0].set_xscale("log")
        axes[0, 0].xaxis.set_major_formatter("{x:g}")
    what = "test accuracy (%)" if task.metric == "accuracy" else "test MSE (logarithmic; smaller is better)"
    axes[0, 0].set_xlabel(what)
    legend_below(figure, axes[0, 0])
    figure.suptitle(f"{task.title} ({table.attrs['origin']})", fontsize=12)
    lines = "; ".join(f"{line['label']}: {in_words(line, task)}" for _, line in table.iterrows())
    figure.set_label(f"{what} of each row, a dot for each seed. Best constant answer {shown(chance, task)}. {lines}.")
    return figure


def percent(value: float, task: Task) -> float:
    """Return a metric's value as it stands on an axis."""
    return 100 * value if task.metric == "accuracy" else value


def in_words(line: pd.Series, task: Task) -> str:
    """Return one row of a summary for an alt text."""
    if not line["seeds"]:
        return "not trained yet"
    if not isfinite(line["mean"]):
        return "an error in every run"
    lost = f", {line['failed']} of {line['seeds']} at chance" if line["failed"] else ""
    return f"mean {shown(line['mean'], task)} over {counted(line['seeds'], 'seed')}{lost}"


def draw_rows(axis: Axes, table: pd.DataFrame, task: Task) -> None:
    """Draw dots, means and published figures, a line for each row of the table."""
    for y, (_, line) in enumerate(table.iterrows()):
        if isfinite(line["mean"]):
            scores = [percent(score, task) for score in line["scores"]]
            apart = np.linspace(-0.22, 0.22, len(scores)) if len(scores) > 1 else 0
            axis.plot(scores, y + apart, MARKERS[0], color=SEED, ms=5, alpha=0.65, mew=0, label="one seed")
            mean, low, high = (percent(line[name], task) for name in ("mean", "low", "high"))
            interval(axis, y, mean, low, high, ms=6, elinewidth=2, label="mean with 95 % interval")
        elif line["seeds"]:
            beside(axis, 0.02, y, "error in every run", ALERT)
        else:
            beside(axis, 0.02, y, "not trained yet", "0.35")
        if pd.notna(line["published"]):
            look = {"color": PUBLISHED, "ms": 9, "mec": "black", "mew": 0.7, "label": "published (one run)"}
            axis.plot(percent(line["published"], task), y - 0.33, "v", **look)


def interval(axis: Axes, y: float, mean: float, low: float, high: float, **look: object) -> None:
    """Draw a mean with its interval, or alone where there is none."""
    reach = [[mean - low], [high - mean]] if isfinite(low) else None
    axis.errorbar(mean, y, xerr=reach, **{"fmt": MARKERS[3], "color": MEAN, "capsize": 5} | look)


def beside(axis: Axes, x: float, y: float, text: str, color: str, ha: str = "left") -> None:
    """Write words on a row, at a place between the left edge (0) and the right (1)."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axis.text(x, y, text, transform=axis.get_yaxis_transform(), color=color, ha=ha, va="center", fontsize=11,
              bbox=box)  # fmt: skip


def enlarge(axis: Axes, table: pd.DataFrame, learning: Sequence[float], task: Task) -> None:
    """Show the rows that learn; an arrow stands where a row lies outside."""
    published = [value for value in table["published"] if pd.notna(value) and value > min(learning) - 0.02]
    low, high = (100 * f([*learning, *published]) for f in (min, max))
    low = max(low, high - 5)
    axis.set_xlim(low - 0.15 * (high - low) - 0.05, high + 0.1 * (high - low) + 0.05)
    axis.set_xlabel("the same, enlarged")
    for y, (_, line) in enumerate(table.iterrows()):
        outside = [score for score in line["scores"] if 100 * score < axis.get_xlim()[0]]
        if outside:
            text = f"◂ {len(outside)} of {line['seeds']} further left"
            beside(axis, 0.015, y + 0.36, text, ALERT)


def name_rows(axis: Axes, labels: Sequence[str]) -> None:
    """Write category names on the left, the first row on top."""
    axis.set_yticks(range(len(labels)), [fill(label, 34, break_on_hyphens=False) for label in labels])
    axis.set_ylim(len(labels) - 0.45, -0.55)


def legend_below(figure: Figure, axis: Axes) -> None:
    """Draw one legend for the whole figure, each kind of mark once."""
    handles = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    columns = min(5, len(handles))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns, frameon=False)


def differences(table: pd.DataFrame) -> Figure:
    """Draw paired differences to the fitting pairing with their intervals, beside the margin of practical equality."""
    task = TASKS[table["task"].iloc[0]]
    rows = table[table["difference"].notna() & (table["verdict"] != "the fitting pairing")]
    scale, margin = (100 if task.metric == "accuracy" else 1), st.MARGIN[task.metric]
    figure, axis = new_figure(width=11, height=1.6 + 0.5 * max(len(rows), 1))
    axis.axvspan(-scale * margin, scale * margin, color="0.85", label="practically equal (declared beforehand)")
    axis.axvline(0, color="0.35", lw=1)
    for y, (_, line) in enumerate(rows.iterrows()):
        middle, low, high = (scale * line[name] for name in ("difference", "difference_low", "difference_high"))
        interval(axis, y, middle, low, high, label="difference with 95 % interval")
        beside(axis, 1.01, y, line["verdict"], "black")
    name_rows(axis, list(rows["label"]))
    if len(rows) and np.abs(scale * rows["difference"]).max() > 20 * scale * margin:
        axis.set_xscale("symlog", linthresh=2 * scale * margin)
        axis.xaxis.set_major_formatter("{x:+g}")
        ends = rows[["difference", "difference_low", "difference_high"]].to_numpy(float)
        axis.set_xlim(
            -1.5 * np.nanmax(np.abs(scale * ends)), max(2 * scale * margin, 1.5 * scale * rows["difference_high"].max())
        )
    unit = "percentage points" if task.metric == "accuracy" else "MSE (left is better)"
    bent = f"; logarithmic beyond ±{2 * scale * margin:g}" if axis.get_xscale() == "symlog" else ""
    axis.set_xlabel(f"difference to the fitting pairing, paired by seed ({unit}{bent})")
    axis.set_title(f"{task.title} ({table.attrs['origin']})", fontsize=12)
    legend_below(figure, axis)
    words = "; ".join(f"{line['label']}: {line['verdict']}" for _, line in rows.iterrows())
    figure.set_label(f"Paired differences to the fitting pairing, in {unit}. {words or 'No row has runs yet'}.")
    return figure


NOT_TRAINED = "–"


def grid_heatmap(task: str, results: Results | None = None, normalize: bool = False) -> Figure:
    """Draw losses by activations: the mean test metric of each pairing, its shade the way from chance to perfect.

    A mean squared error has no end above: red cells are worse than the constant answer, blue ones better.

    All pairings are shown on the seeds of the grid, also those of the documents, which have more.
    """
    results, spec = (results or reference()).only(task).where(lambda entry: entry["seed"] < GRID_SEEDS), TASKS[task]
    losses = list(LOSSES)
    activations = activations_for(task)
    colors = "RdBu" if spec.kind == "value" else "cividis"
    figure, axis = new_figure(width=10, height=5.6)
    shades, texts, words = np.full((len(losses), len(activations)), nan), [], []
    for i, loss in enumerate(losses):
        for j, activation in enumerate(activations):
            pairing = Pairing(task, loss, activation, normalize=normalize)
            shades[i, j], text = cell(pairing, results)
            texts.append(text)
            if text != NOT_TRAINED:
                words.append(f"{pairing.label} {text}".replace("\n", ", "))
    heatmap(axis, shades, np.reshape(texts, shades.shape), [fill(ACTIVATIONS[name].title, 16) for name in activations],
            [LOSSES[name].title for name in losses], colors)  # fmt: skip
    note = ", normalised targets" if normalize else ""
    axis.set_title(f"{spec.title}: sigmoid hidden layer{note}\n({results.origin})", fontsize=12)
    axis.set_xlabel("output activation")
    figure.set_label(f"Losses by activations for {spec.title}. {'; '.join(words) or 'Nothing is trained yet'}.")
    return figure


def cell(pairing: Pairing, results: Results) -> tuple[float, str]:
    """Return shade and text of one pairing in the grid."""
    scores = list(results.scores(pairing).values())
    if not scores:
        return nan, NOT_TRAINED
    chance, metric = results.baseline(pairing.task), pairing.spec.metric
    mean, lost = results.mean(pairing), sum(results.at_chance(pairing))
    if not isfinite(mean):
        return nan, "error"
    failures = f"\n{lost} of {len(scores)} at chance" if lost else ""
    progress = st.skill(mean, chance, metric) if metric == "accuracy" else 0.5 + log10(chance / mean) / 2
    shade = min(max(progress, 0.0), 1.0)
    return shade, shown(mean, pairing.spec) + failures


# --- verdicts --------------------------------------------------------------------------------------------------------


def verdict_bars(counts: pd.DataFrame) -> Figure:
    """Draw how many claims of each document hold, fail, or wait for a test; `counts` comes from `claims.counts`."""
    hatches = ["", "..", "", "xx", "//"]
    colors = [COLORS[2], COLORS[9], "0.75", COLORS[3], "white"]
    figure, axis = new_figure(width=11, height=4.2)
    left = np.zeros(len(counts))
    for verdict, color, hatch in zip(counts.columns, colors, hatches, strict=True):
        numbers = counts[verdict].to_numpy()
        look = {"color": color, "hatch": hatch, "edgecolor": "black", "lw": 0.8}
        bars = axis.barh(counts.index, numbers, left=left, label=verdict, **look)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
        words = [number or "" for number in numbers]
        axis.bar_label(bars, words, label_type="center", fontsize=12, fontweight="bold", bbox=box)
        left = left + numbers
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.set(xlabel="claims", ylabel="document")
    legend_below(figure, axis)
    lines = (", ".join(f"{row[name]} {name}" for name in counts.columns if row[name]) for _, row in counts.iterrows())
    words = "; ".join(f"document {name}: {line}" for name, line in zip(counts.index, lines, strict=True))
    figure.set_label(f"Verdicts on the documents' claims. {words}.")
    return figure
