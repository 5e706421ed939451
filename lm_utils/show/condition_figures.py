"""Runs under changed conditions as figures; some conditions switch an effect off and on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import BY_NAME, Families, collapsed, metric_on_axis, scores, task_of
from lm_utils.show.result_figures import interval, legend_below, name_rows
from lm_utils.show.style import COLORS, MARKERS, new_figure


def outcome_figure(found: Families) -> Figure:
    """Draw every run of every condition as a mark, with the constant answer as a bar in its row."""
    figure, axis = new_figure(width=11, height=1.2 + 0.42 * max(4, len(found)))
    for row, (name, runs) in enumerate(found.items()):
        colour, marker = {"learns": (0, "o"), "collapses": (1, "X")}.get(BY_NAME[name].expected, (2, "s"))
        look = {"color": COLORS[colour], "marker": marker, "edgecolor": "black"}
        axis.scatter(scores(runs), [row] * len(runs), s=80, alpha=0.8, zorder=2, **look)
        constant = max(run["chance"] for run in runs)
        axis.plot([constant] * 2, [row - 0.42, row + 0.42], color="black", linewidth=1.5, zorder=1)
    axis.set_yticks(range(len(found)), [BY_NAME[name].title for name in found])
    axis.invert_yaxis()
    task = task_of(next(iter(found)))
    metric = metric_on_axis(task)
    limits = {"xlim": (0, 1.02)} if task.metric == "accuracy" else {"xscale": "log"}  # errors span decades
    axis.set(xlabel=f"test {metric} (black bar: a constant answer)", **limits)
    axis.xaxis.set_major_formatter("{x:g}")
    in_words = "; ".join(
        f"{BY_NAME[name].title}: collapsed in {collapsed(name, runs)} of {len(runs)}" for name, runs in found.items()
    )
    figure.set_label(f"Test {metric} of every run of {len(found)} conditions, circles expected to learn, crosses to"
                     f" collapse, squares without a prediction. {in_words}.")  # fmt: skip
    return figure


def differences_by_condition(
    panels: dict[str, dict[tuple[str, str], st.Estimate]],
    origin: str,
    linear: Mapping[str, float] = MappingProxyType({}),
    looks: Mapping[str, int] = MappingProxyType({}),
) -> Figure:
    """Draw misfits beside the fitting pairing under changed conditions: paired differences, a panel for each measure.

    A panel's keys are (name of a pairing, condition); its title says what is measured; the first is accuracy. A panel
    with a value in `linear` is linear up to there and logarithmic beyond, so that small and large gaps can be read.
    A name in `looks` has the colour and marker of that number, the same in every figure.
    """
    names, conditions = (list(dict.fromkeys(key[i] for key in next(iter(panels.values())))) for i in (0, 1))
    figure, axes = new_figure(1, len(panels), 11, 2.2 + 0.6 * len(conditions), squeeze=False, sharey=True)
    for axis, (title, gaps) in zip(axes[0], panels.items(), strict=True):
        axis.axvline(0, color="0.35", lw=1)
        for (name, condition), gap in gaps.items():
            place = names.index(name)
            number = looks.get(name, place + 1)
            y = conditions.index(condition) + 0.2 * (place - (len(names) - 1) / 2)
            look = {"fmt": MARKERS[number], "color": COLORS[number], "capsize": 4, "label": name}
            interval(axis, y, gap.mean, gap.low, gap.high, **look)
        axis.set_xlabel(title)
        if title in linear:
            widen(axis, linear[title])
            axis.set_xlabel(f"{title}\n(logarithmic beyond ±{linear[title]:g})")
    margin = 100 * st.MARGIN["accuracy"]
    axes[0, 0].axvspan(-margin, margin, color="0.85", zorder=0, label="practically equal")
    name_rows(axes[0, 0], conditions)
    figure.suptitle(f"Difference to cross-entropy on logits, paired by seed, 95 % interval\n({origin})", fontsize=12)
    legend_below(figure, axes[0, 0])
    in_words = "; ".join(
        f"{title}: " + ", ".join(f"{name}, {condition} {gap.mean:+.2f}" for (name, condition), gap in gaps.items())
        for title, gaps in panels.items()
    )  # fmt: skip
    figure.set_label(f"Differences to cross-entropy on logits under changed conditions. {in_words}.")
    return figure


def widen(axis: Axes, linear: float) -> None:
    """Set a scale that is linear up to a value on either side of 0 and logarithmic beyond, with plain numbers."""
    low, high = axis.get_xlim()
    axis.set_xscale("symlog", linthresh=linear)
    axis.set_xlim(low, high)
    steps = [linear * step for step in (0, 1, 10, 100)]
    axis.set_xticks([mark for mark in (*(-step for step in steps[:0:-1]), *steps) if low <= mark <= high])
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
