"""Conditions that switch an effect off and on, told from the runs on fresh seeds (notebooks 08, 11 and 12)."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from matplotlib.figure import Figure

from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import TITLES, carrying, estimate
from lm_utils.evidence.tables import Table, shown, shown_interval, under_conditions
from lm_utils.runs.conditions import COLLAPSE, SWITCHES, Condition
from lm_utils.show.style import COLORS, new_figure
from lm_utils.tasks import Task

BY_NAME: dict[str, Condition] = {condition.name: condition for condition in (*COLLAPSE, *SWITCHES)}
Runs = dict[str, list[dict]]  # the runs of each condition


def stored(family: str, names: Iterable[str] = (), data: str = "mnist") -> Runs:
    """The shipped runs of a family's conditions, or of those named; conditions that nobody has run are left out."""
    found = under_conditions(family, data)
    written = (condition.name for condition in BY_NAME.values() if condition.family == family)
    return {name: found[name] for name in (tuple(names) or written) if name in found}


def collapsed(name: str, run: dict) -> bool:
    """Whether a run ended where a constant answer stands, as everywhere in this course."""
    return st.failed(run["test_metric"], run["chance"], task_of(name).metric)


def task_of(name: str) -> Task:
    """The task of a condition."""
    return BY_NAME[name].pairing.spec


def origin(found: Runs) -> str:
    """On which data and seeds these runs were made."""
    runs = [run for of in found.values() for run in of]
    seeds = sorted({run["seed"] for run in runs})
    return f"{TITLES[runs[0]['data']]}, seeds {seeds[0]} to {seeds[-1]}, fresh: no table of the documents uses them"


def table(found: Runs) -> Table:
    """One line per condition: what was expected, and in how many runs it learned or collapsed."""
    lines = []
    for name, runs in found.items():
        condition, lost = BY_NAME[name], sum(collapsed(name, run) for run in runs)
        task, every = task_of(name), len(runs)
        as_expected = lost == every if condition.expected == "collapses" else lost == 0
        lines.append({
            "condition": condition.title, "expected": condition.expected or "no prediction",
            "collapsed": f"{lost} of {every}",
            f"test {metric_in_words(task)}": shown_interval(estimate(scores(runs), task.metric), task),
            "as expected": ("yes" if as_expected else "no") if condition.expected else "",
        })  # fmt: skip
    return Table(carrying(pd.DataFrame(lines), origin(found)))


def metric_in_words(task: Task) -> str:
    """The metric as it is written on an axis."""
    return "accuracy" if task.metric == "accuracy" else "MSE"


def scores(runs: list[dict]) -> list[float]:
    """The test metric of each run."""
    return [run["test_metric"] for run in runs]


def mean_of(family: str, name: str, data: str = "mnist") -> float:
    """The mean test metric of a condition's stored runs."""
    return estimate(scores(stored(family, [name], data)[name]), task_of(name).metric).mean


def figure(found: Runs) -> Figure:
    """Every run of every condition as a mark, with the constant answer as a bar in its row."""
    drawing, axis = new_figure(width=11, height=1.2 + 0.42 * max(4, len(found)))
    for row, (name, runs) in enumerate(found.items()):
        colour, marker = {"learns": (0, "o"), "collapses": (1, "X")}.get(BY_NAME[name].expected, (2, "s"))
        look = {"color": COLORS[colour], "marker": marker, "edgecolor": "black"}
        axis.scatter(scores(runs), [row] * len(runs), s=80, alpha=0.8, zorder=2, **look)
        constant = max(run["chance"] for run in runs)
        axis.plot([constant] * 2, [row - 0.42, row + 0.42], color="black", linewidth=1.5, zorder=1)
    axis.set_yticks(range(len(found)), [BY_NAME[name].title for name in found])
    axis.invert_yaxis()
    task = task_of(next(iter(found)))
    limits = {"xlim": (0, 1.02)} if task.metric == "accuracy" else {"xscale": "log"}  # errors span decades
    axis.set(xlabel=f"test {metric_in_words(task)} (black bar: a constant answer)", **limits)
    axis.xaxis.set_major_formatter("{x:g}")
    lines = table(found).frame[["condition", "collapsed"]].itertuples(index=False)
    told = "; ".join(f"{condition}: collapsed in {lost}" for condition, lost in lines)
    drawing.set_label(f"Test {metric_in_words(task)} of every run of {len(found)} conditions, circles expected to"
                      f" learn, crosses to collapse, squares without a prediction. {told}.")  # fmt: skip
    return drawing


def cut_sentences(data: str = "mnist") -> str:
    """What another cut gets out of softmax networks that were not trained for these tables, a line for each loss."""
    found = stored("switches", [name for name in BY_NAME if name.startswith("cut-")], data)
    if not found:
        return "These runs have not been trained yet (results/robustness/)."
    lines = [f"Runs: {origin(found)}.", ""]
    for name, runs in found.items():
        task, cuts = task_of(name), [run["cut"] for run in runs]
        half, moved = (estimate([run[key] for run in runs], task.metric) for key in ("test_metric", "accuracy_at_cut"))
        lines.append(f"- {BY_NAME[name].pairing.label}: {shown(half.mean, task)} with the cut at one half,"
                     f" **{shown_interval(moved, task)}** with the cut that suits the validation part"
                     f" ({min(cuts):.2f} to {max(cuts):.2f}).")  # fmt: skip
    return "\n".join(lines)
