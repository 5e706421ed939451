"""Runs under changed conditions as figures; some conditions switch an effect off and on."""

from __future__ import annotations

from matplotlib.figure import Figure

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import BY_NAME, Families, collapsed, metric_on_axis, scores, task_of
from lm_utils.show.result_figures import beside, interval, legend_below, name_rows
from lm_utils.show.style import ALERT, COLORS, new_figure


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


def differences_by_condition(gaps: dict[tuple[str, str], st.Estimate], origin: str, widest: float = 6.0) -> Figure:
    """Draw paired differences in accuracy to the fitting pairing: a panel for each pairing, a row for each condition.

    A key is (name of a pairing, condition). All panels share one linear axis; a mean beyond `widest` is written out.
    """
    names, conditions = (list(dict.fromkeys(key[i] for key in gaps)) for i in (0, 1))
    height = 2.1 + 0.42 * len(conditions)
    figure, axes = new_figure(1, len(names), 11, height, squeeze=False, sharex=True, sharey=True)
    margin = 100 * st.MARGIN["accuracy"]
    for axis, name in zip(axes[0], names, strict=True):
        axis.axvspan(-margin, margin, color="0.82", zorder=0, label="practically equal")
        axis.axvline(0, color="0.35", lw=1)
        for y, condition in enumerate(conditions):
            gap = gaps.get((name, condition), st.NOTHING)
            if abs(gap.mean) > widest:
                beside(axis, 0.02, y, f"◂ {gap.mean:+.0f} ({gap.low:+.0f} to {gap.high:+.0f})", ALERT)
            elif gap.n:
                interval(axis, y, gap.mean, gap.low, gap.high, color=COLORS[0], label="mean with 95 % interval")
        axis.set_title(name)
    ends = [max(abs(gap.low), abs(gap.high)) for gap in gaps.values() if abs(gap.mean) <= widest]
    reach = min(widest, 1.1 * max([2 * margin, *ends]))
    axes[0, 0].set_xlim(-reach, reach)
    name_rows(axes[0, 0], conditions)
    measure = "Difference in accuracy to cross-entropy on logits, in percentage points, paired by seed"
    figure.suptitle(f"{measure}\n({origin})", fontsize=12)
    legend_below(figure, axes[0, 0])
    words = ", ".join(f"{name}, {condition} {gap.mean:+.2f}" for (name, condition), gap in gaps.items())
    figure.set_label(
        f"Differences in accuracy to cross-entropy on logits under changed conditions, in points: {words}."
    )
    return figure
