"""Runs under changed conditions as figures; some conditions switch an effect off and on."""

from matplotlib.figure import Figure

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import BY_NAME, Families, collapsed, metric_on_axis, task_of
from lm_utils.show.result_figures import beside, interval, legend_below, name_rows
from lm_utils.show.style import ALERT, COLORS, new_figure


def outcome_figure(found: Families) -> Figure:
    """Draw every run as a mark, and behind each row the region in which its condition was expected to end."""
    figure, axis = new_figure(width=11, height=1.6 + 0.42 * max(4, len(found)))
    task = task_of(next(iter(found)))
    accuracy = task.metric == "accuracy"
    factor, whole = 100, [0, 102]
    if not accuracy:  # the logarithmic axis holds every run and every constant answer
        values = [value for runs in found.values() for run in runs for value in (run["test_metric"], run["chance"])]
        factor, whole = 1, [0.7 * min(values), 1.4 * max(values)]
    for row, (name, runs) in enumerate(found.items()):
        expected, constant = BY_NAME[name].expected, max(run["chance"] for run in runs)
        limit = constant + st.FAILURE_SKILL * (st.PERFECT[task.metric] - constant)  # a run below it learnt nothing
        if expected:
            worse = [whole[0], factor * limit] if accuracy else [limit, whole[1]]
            good = [factor * limit, whole[1]] if accuracy else [whole[0], limit]
            low, high = worse if expected == "collapses" else good
            axis.barh(row, high - low, left=low, height=0.84, color="0.86", zorder=0, label="expected region")
        axis.plot([factor * constant] * 2, [row - 0.42, row + 0.42], color="black", lw=1.5, label="constant answer")
        for run in runs:
            fell = bool(collapsed([run]))
            astray = bool(expected) and fell != (expected == "collapses")
            look = {"marker": "X", "color": ALERT} if astray else {"marker": "o", "color": COLORS[0]}
            label = "a run, not as expected" if astray else "a run, as expected" if expected else "a run, no prediction"
            axis.scatter(factor * run["test_metric"], row, s=70, alpha=0.8, zorder=2, edgecolor="black", label=label,
                         **(look if expected else {"marker": "s", "color": COLORS[2]}))  # fmt: skip
    name_rows(axis, [BY_NAME[name].title for name in found])
    axis.set(xlabel=f"test {metric_on_axis(task)}{' (%)' if accuracy else ' (logarithmic; smaller is better)'}",
             xscale="linear" if accuracy else "log", xlim=whole)  # fmt: skip
    axis.xaxis.set_major_formatter("{x:g}")
    legend_below(figure, axis)
    in_words = "; ".join(
        f"{BY_NAME[name].title}: expected: {BY_NAME[name].expected or 'nothing'}, collapsed in"
        f" {collapsed(runs)} of {len(runs)}" for name, runs in found.items()
    )  # fmt: skip
    figure.set_label(f"Test {metric_on_axis(task)} of every run of {len(found)} conditions. {in_words}.")
    return figure


def differences_by_condition(gaps: dict[tuple[str, str], st.Estimate], origin: str, widest: float = 5.8) -> Figure:
    """Draw paired differences in accuracy to the fitting pairing: a panel for each pairing, a row for each condition.

    A key is (name of a pairing, condition). All panels share one linear axis; what lies beyond it is written out.
    """
    names, conditions = (list(dict.fromkeys(key[i] for key in gaps)) for i in (0, 1))
    height = 2.1 + 0.42 * len(conditions)
    figure, axes = new_figure(1, len(names), 11, height, squeeze=False, sharex=True, sharey=True)
    margin = 100 * st.MARGIN["accuracy"]
    ends = [max(abs(gap.low), abs(gap.high)) for gap in gaps.values() if abs(gap.mean) <= widest]
    reach = min(widest, 1.1 * max([2 * margin, *ends]))
    for axis, name in zip(axes[0], names, strict=True):
        axis.axvspan(-margin, margin, color="0.82", zorder=0, label="practically equal")
        axis.axvline(0, color="0.35", lw=1)
        for y, condition in enumerate(conditions):
            gap = gaps.get((name, condition), st.NOTHING)
            if abs(gap.mean) > widest:
                beside(axis, 0.02, y, f"◂ {gap.mean:+.0f} ({gap.low:+.0f} to {gap.high:+.0f})", ALERT)
            elif gap.n:
                interval(axis, y, gap.mean, gap.low, gap.high, color=COLORS[0], label="mean with 95 % interval")
                if gap.low < -reach:
                    beside(axis, 0.02, y, f"◂ {gap.low:+.0f}", COLORS[0])
                if gap.high > reach:
                    beside(axis, 0.995, y, f"{gap.high:+.0f} ▸", COLORS[0], ha="right")
        axis.set_title(name)
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
