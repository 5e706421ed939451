"""Tests of claims by runs under changed conditions (results/robustness/), on seeds nobody had looked at."""

from collections.abc import Sequence

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import NOT_YET, Families, collapsed
from lm_utils.evidence.claims.claim import Finding
from lm_utils.evidence.results import counted, under_conditions


def learnt(runs: Sequence[dict]) -> int:
    """Count the runs that learnt."""
    return len(runs) - collapsed(runs)


def learnt_by_condition(families: Families, names: Sequence[str]) -> str:
    """Say how many runs of each condition learnt."""
    runs = [families[name] for name in names]
    return "; ".join(f"{of[0]['title']}: {learnt(of)} of {counted(len(of), 'run')} learn" for of in runs) + "."


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
    with_it, without_it = ([run for name in names for run in families[name]] for names in (keeping, lacking_it))
    verdict = "not shown"
    if learnt(with_it) == len(with_it) and not learnt(without_it):
        verdict = "refuted"
    elif not learnt(with_it) and learnt(without_it) == len(without_it):
        verdict = "holds here"
    return Finding(verdict, learnt_by_condition(families, [*keeping, *lacking_it]))


def one_optimiser_is_best(data: str, ours: str, other: str) -> Finding:
    """Refute "best" by one setting in which another optimiser learns more often."""
    families = under_conditions("collapse", data)
    if found := lacking_conditions(families, [ours, other]):
        return found
    return Finding(
        "refuted" if learnt(families[other]) > learnt(families[ours]) else "not shown",
        learnt_by_condition(families, [ours, other]),
    )
