"""Our own verdicts (`Pairing.verdict`), held against what was measured, as the documents' claims are."""

from __future__ import annotations

from collections import Counter

from lm_utils.advice import VERDICTS
from lm_utils.experiments import statistics as st
from lm_utils.experiments.claims.runs import NORMAL_SKILL, losses_of
from lm_utils.experiments.documents import pairings, rows
from lm_utils.experiments.reference import GRID_SEEDS, whole_grid
from lm_utils.experiments.results import FITTING, Results, estimate, reference
from lm_utils.experiments.telling import comparison_sentence, sentence
from lm_utils.pairing import Pairing
from lm_utils.tasks import TASKS

OUTCOMES = ("learns in every run", "loses some runs", "learns in none", "stops with an error")
FORECAST: dict[Pairing, str] = {}  # what we had said before the grid was trained, where its runs then corrected us


def contradictions(results: Results | None = None, fewest: int = st.FEWEST_SEEDS) -> list[str]:
    """One sentence for every pairing of the documents' tables whose verdict the runs contradict."""
    results = results or reference()
    told = [contradiction(pairing, results, fewest) for pairing in pairings()]
    return [sentence for sentence in told if sentence]


def contradiction(pairing: Pairing, results: Results, fewest: int = st.FEWEST_SEEDS, verdict: str | None = None) -> str:
    """What speaks against the verdict of a pairing; empty where nothing does or too few seeds are there."""
    if len(results.of(pairing)) < fewest:
        return ""
    verdict = verdict or pairing.verdict
    lost = losses_of(results, pairing)
    wrong = {
        "recommended": any(lost) or not near_the_best(pairing, results, fewest),
        "workable": any(lost) or mean_skill(pairing, results) < NORMAL_SKILL,
        "handicapped": not any(lost) and equals_the_fitting(pairing, results, fewest),
        "impossible": not all(lost),
    }[verdict]
    if not wrong:
        return ""
    figures = f"{sentence(pairing, results)} {comparison_sentence(pairing, None, results)}"
    return f"{pairing.task}, called {verdict}: {figures}"


def beyond_the_documents(results: Results) -> list[Pairing]:
    """The pairings of the grids that no document ran, as far as they have been trained often enough."""
    ran = set(pairings())
    grid = (pairing for task in TASKS for pairing in whole_grid(task))
    return [pairing for pairing in grid if pairing not in ran and len(results.of(pairing)) >= GRID_SEEDS]


def forecast(pairing: Pairing) -> str:
    """The verdict that was written down before any run of the grid."""
    return FORECAST.get(pairing, pairing.verdict)


def outcome(pairing: Pairing, results: Results) -> str:
    """What became of all runs of a pairing."""
    if all(entry["status"] == "error" for entry in results.of(pairing)):
        return "stops with an error"
    lost = losses_of(results, pairing)
    return "learns in none" if all(lost) else "loses some runs" if any(lost) else "learns in every run"


def forecasts(results: Results | None = None) -> dict[str, Counter[str]]:
    """By forecast, how many pairings that no document ran came out how."""
    results = results or reference()
    found = {verdict: Counter() for verdict in VERDICTS}
    for pairing in beyond_the_documents(results):
        found[forecast(pairing)][outcome(pairing, results)] += 1
    return found


def misses(results: Results | None = None) -> dict[Pairing, str]:
    """The pairings whose forecast the grid's runs contradict, with what speaks against it."""
    results = results or reference()
    told = {p: contradiction(p, results, GRID_SEEDS, forecast(p)) for p in beyond_the_documents(results)}
    return {pairing: sentence for pairing, sentence in told.items() if sentence}


def mean_skill(pairing: Pairing, results: Results) -> float:
    """How far the runs come on average from the baseline to perfect."""
    told = estimate(results.scores(pairing).values(), pairing.spec.metric)
    return st.skill(told.mean, results.baseline(pairing.task), pairing.spec.metric)


def near_the_best(pairing: Pairing, results: Results, fewest: int) -> bool:
    """Whether the mean lies within a point (or 0.03 of MSE) of the best row's of the task."""
    metric = TASKS[pairing.task].metric
    others = [p for p in pairings(rows(task=pairing.task)) if len(results.of(p)) >= fewest]
    means = [estimate(results.scores(p).values(), metric).mean for p in others]
    best = max(means) if metric == "accuracy" else min(means)
    return abs(estimate(results.scores(pairing).values(), metric).mean - best) <= st.REPRODUCED[metric]


def equals_the_fitting(pairing: Pairing, results: Results, fewest: int) -> bool:
    """Whether the pairing is practically equal to the task's fitting one, or better."""
    gaps, metric = results.paired(pairing, FITTING[pairing.task]), pairing.spec.metric
    if len(gaps) < fewest:
        return False
    gap = st.mean_interval(gaps)
    ahead = gap.mean > 0 if metric == "accuracy" else gap.mean < 0
    return gap.inside(st.MARGIN[metric]) or ahead
