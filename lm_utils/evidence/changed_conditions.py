"""Runs under changed conditions: on new data, at other rates, under other rules of stopping, with a part switched."""

from collections.abc import Callable, Iterable, Sequence
from math import nan
from typing import TypeVar

import pandas as pd

from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import TITLES, number, under_conditions, with_origin
from lm_utils.evidence.sentences import shown_runs
from lm_utils.evidence.tables import Table
from lm_utils.pairing import Pairing
from lm_utils.runs.conditions import COLLAPSE, CONDITIONS, KINDS, LEVER, STOOD_OUT, SWITCHES, Condition
from lm_utils.runs.interventions import OTHER_HAND
from lm_utils.runs.watches import BUDGET
from lm_utils.tasks import TASKS, Task

BASELINE_CONDITION = "images-2000"  # the condition of the course itself: nothing is changed
FITS = "cross_entropy-none"  # the pairing that the others are compared with, on every kind of new data
TWICE = "cross_entropy-softmax"  # the pairing with two softmaxes
ABSOLUTE = "mae-softmax"  # a straight line in the probability of the right class, as softmax twice nearly is
STRAIGHT = ("bce-softmax", "mse-softmax", ABSOLUTE)
CALLED = {TWICE: "softmax twice"} | {name: Pairing("multiclass", *name.split("-")).label for name in STRAIGHT}
FEWER_POINTS = 0.01  # "markedly worse": a whole point of accuracy or more
RATES = {
    "learning rate 0.0003": "lr-0.0003",
    "learning rate 0.001, as everywhere else": BASELINE_CONDITION,
    "learning rate 0.003": "lr-0.003",
}
RULES = {
    "metric": "best validation accuracy, patience 10, as everywhere else",
    "loss": "least validation loss, patience 10",
    "budget": f"{BUDGET} epochs, whatever happens",
}
BY_NAME: dict[str, Condition] = {condition.name: condition for condition in (*COLLAPSE, *SWITCHES, *LEVER)}
NOT_YET = "These runs have not been trained yet (results/robustness/)."

Families = dict[str, list[dict]]  # the runs of each condition, by its name
Score = Callable[[dict], float]
Key = TypeVar("Key")


def metric_of(run: dict) -> float:
    """Return the test metric of a run; nan where it has none."""
    return number(run, "test_metric")


def paired_differences(
    families: Families, condition: str, pairing: str, score: Score = metric_of, other: str = FITS
) -> list[float]:
    """Return a pairing's differences to the fitting one, or another, on the seeds both have, under one condition."""
    mine, theirs = (
        {run["seed"]: score(run) for run in families.get(f"{condition}/{name}", [])} for name in (pairing, other)
    )
    return [mine[seed] - theirs[seed] for seed in sorted(mine.keys() & theirs.keys())]


def compared_pairings(families: Families) -> list[str]:
    """Return the pairings that were trained beside the fitting one."""
    return list(dict.fromkeys(name.split("/")[1] for name in families if not name.endswith(f"/{FITS}")))


def compare_together(gaps: dict[Key, list[float]]) -> dict[Key, st.Comparison]:
    """Judge differences in accuracy as one family, those that have seeds enough for a verdict."""
    gaps = {key: values for key, values in gaps.items() if st.finite(values).size >= st.FEWEST_SEEDS}
    seeds = max((len(values) for values in gaps.values()), default=0)
    padded = [values + [nan] * (seeds - len(values)) for values in gaps.values()]
    return dict(zip(gaps, st.compare(padded, "accuracy"), strict=True))


# --- new data --------------------------------------------------------------------------------------------------------


def kinds_of_data(families: Families) -> dict[str, tuple[str, str]]:
    """Return, by its title, every kind of new data: the condition trained, and the shift of its test set if any."""
    trained = (kind for kind in KINDS if f"{kind}/{FITS}" in families and not kind.startswith("lr-"))
    found = {families[f"{kind}/{FITS}"][0]["title"]: (kind, "") for kind in trained}
    shifts = {shift for runs in families.values() for run in runs for shift in run.get("shifted", {})}
    titles = {shift: shift if shift == OTHER_HAND else f"test images: {shift}" for shift in sorted(shifts)}
    return found | {title: (BASELINE_CONDITION, shift) for shift, title in titles.items()}


def new_data_comparisons(families: Families) -> dict[tuple[str, str], st.Comparison]:
    """Compare every pairing on every kind of new data with the fitting one in accuracy, corrected together."""

    def score_on(shift: str) -> Score:
        return (lambda run: run.get("shifted", {}).get(shift, {}).get("accuracy", nan)) if shift else metric_of

    return compare_together({
        (name, title): paired_differences(families, condition, name, score_on(shift))
        for name in compared_pairings(families)
        for title, (condition, shift) in kinds_of_data(families).items()
    })  # fmt: skip


# --- softmax twice, on fresh seeds -----------------------------------------------------------------------------------


def once_and_twice(data: str, family: str = "confirmation") -> dict[str, st.Comparison]:
    """Compare softmax twice with once where it stood out, on seeds nobody had looked at, by the kind of data.

    The family "patience" holds the same networks, both with five times the patience.
    """
    families = under_conditions(family, data)
    kinds = [name for name in STOOD_OUT if f"{name}/{FITS}" in families]
    gaps = {families[f"{name}/{FITS}"][0]["title"]: paired_differences(families, name, TWICE) for name in kinds}
    return compare_together(gaps)


def linear_loss_comparisons(data: str) -> dict[tuple[str, str], st.Comparison]:
    """Compare the two (nearly) straight losses with softmax once, on those seeds too, by loss and kind of data."""
    trained = under_conditions("straight", data)
    families = under_conditions("confirmation", data) | trained
    kinds = {name.split("/")[0]: runs[0]["title"] for name, runs in trained.items()}
    gaps = {
        (name, title): paired_differences(families, kind, name)
        for name in (TWICE, ABSOLUTE)
        for kind, title in kinds.items()
        if f"{kind}/{name}" in trained
    }
    return compare_together(gaps)


# --- other settings --------------------------------------------------------------------------------------------------


def setting_comparisons(families: Families, endings: Families) -> dict[tuple[str, str], st.Comparison]:
    """Compare every pairing with the fitting one at other learning rates and under other rules of stopping."""
    gaps = {}
    for name in compared_pairings(families):
        for title, condition in RATES.items():
            gaps[name, title] = paired_differences(families, condition, name)
    for name in compared_pairings(endings):
        for rule, title in RULES.items():
            under_rule = lambda run, rule=rule: run["rules"][rule]["accuracy"]  # noqa: E731
            gaps[name, title] = paired_differences(endings, "rules", name, under_rule)
    compared = compare_together(gaps)
    return compared if any(RATES.get(title) != BASELINE_CONDITION for _, title in compared) else {}


# --- what was switched off or on -------------------------------------------------------------------------------------


def stored(family: str, names: Iterable[str] = (), data: str = "mnist") -> Families:
    """Return the shipped runs of a family's conditions, or of those named; leave out what nobody has run."""
    found = under_conditions(family, data)
    written = (condition.name for condition in CONDITIONS[family])
    return {name: found[name] for name in (tuple(names) or written) if name in found}


def task_of(name: str) -> Task:
    """Return the task of a condition."""
    return BY_NAME[name].pairing.spec


def collapsed(runs: Sequence[dict]) -> int:
    """Count the runs that ended where a constant answer stands: each stored its chance, the best constant answer."""
    metrics = [TASKS[run["task"]].metric if run["task"] in TASKS else "accuracy" for run in runs]
    return sum(st.at_chance(metric_of(run), run["chance"], metric) for run, metric in zip(runs, metrics, strict=True))


def origin(found: Families) -> str:
    """Say on which data and seeds these runs were made."""
    runs = [run for of in found.values() for run in of]
    seeds = sorted({run["seed"] for run in runs})
    which = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    return f"{TITLES[runs[0]['data']]}, {which}, fresh: no table of the documents uses them"


def metric_on_axis(task: Task) -> str:
    """Return the metric's name as it is written on an axis."""
    return "accuracy" if task.metric == "accuracy" else "MSE"


def outcome_table(found: Families) -> Table:
    """Return a line per condition: what was expected, and how many of its runs collapsed."""
    lines = []
    for name, runs in found.items():
        condition, task, lost = BY_NAME[name], task_of(name), collapsed(runs)
        scores, chance = list(map(metric_of, runs)), max(run["chance"] for run in runs)
        as_expected = lost == (len(runs) if condition.expected == "collapses" else 0)
        lines.append({
            "condition": condition.title, "expected": condition.expected or "no prediction",
            "collapsed": f"{lost} of {len(runs)}",
            f"test {metric_on_axis(task)}": shown_runs(scores, chance, task),
            "as expected": ("yes" if as_expected else "no") if condition.expected else "",
        })  # fmt: skip
    return Table(with_origin(pd.DataFrame(lines), origin(found)))
