"""Tests of claims by runs under changed conditions (results/robustness/), on seeds nobody had looked at."""

from collections.abc import Sequence

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import NOT_YET, Families
from lm_utils.evidence.claims.claim import Finding
from lm_utils.evidence.results import counted, number, under_conditions
from lm_utils.tasks import TASKS


def learnt(runs: Sequence[dict]) -> tuple[int, int]:
    """Count how many of the runs learnt, and of how many.

    Each stored its chance, the best constant of its training part; tasks that only a condition has are judged by their
    accuracy.
    """
    metrics = [TASKS[run["task"]].metric if run["task"] in TASKS else "accuracy" for run in runs]
    lost = [
        st.failed(number(run, "test_metric"), run["chance"], metric) for run, metric in zip(runs, metrics, strict=True)
    ]
    return lost.count(False), len(runs)


def learnt_by_condition(families: Families, names: Sequence[str]) -> str:
    """Say how many runs of each condition learnt."""
    counts = {name: learnt(families[name]) for name in names}
    words = [
        f"{families[name][0]['title']}: {good} of {counted(of, 'run')} learn" for name, (good, of) in counts.items()
    ]
    return "; ".join(words) + "."


def lacking_conditions(families: Families, names: Sequence[str]) -> Finding | None:
    """Return "not tested" where a condition has fewer than six runs."""
    if all(len(families.get(name, [])) >= st.FEWEST_SEEDS for name in names):
        return None
    there = [name for name in names if families.get(name)]
    return Finding("not tested", f"Too few seeds yet: {learnt_by_condition(families, there)}" if there else NOT_YET)


def cause_is_refuted(data: str, keeping: Sequence[str], lacking_it: Sequence[str]) -> Finding:
    """Refute a cause where every run that keeps it learns and every run that lacks it fails.

    It holds where all of it is the other way round; anything in between, such as one run out of line, shows neither.
    """
    families = under_conditions("collapse", data)
    if found := lacking_conditions(families, [*keeping, *lacking_it]):
        return found
    with_it, without_it = ([learnt(families[name]) for name in names] for names in (keeping, lacking_it))
    verdict = "not shown"
    if all_learn(with_it) and none_learns(without_it):
        verdict = "refuted"
    elif none_learns(with_it) and all_learn(without_it):
        verdict = "holds here"
    return Finding(verdict, learnt_by_condition(families, [*keeping, *lacking_it]))


def all_learn(counts: Sequence[tuple[int, int]]) -> bool:
    """Whether every run of every condition learnt."""
    return all(good == of for good, of in counts)


def none_learns(counts: Sequence[tuple[int, int]]) -> bool:
    """Whether no run of any condition learnt."""
    return all(good == 0 for good, _ in counts)


def one_optimiser_is_best(data: str, ours: str, other: str) -> Finding:
    """Refute "best" by one setting in which another optimiser learns more often."""
    families = under_conditions("collapse", data)
    if found := lacking_conditions(families, [ours, other]):
        return found
    mine, theirs = learnt(families[ours]), learnt(families[other])
    return Finding("refuted" if theirs[0] > mine[0] else "not shown", learnt_by_condition(families, [ours, other]))
