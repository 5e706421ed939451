"""Our own verdicts (`Pairing.verdict`), held against what was measured; the rules that give them are in `advice`."""

from math import isfinite

from lm_utils.advice import VALUE_LOSSES
from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.by_rows import NORMAL_SKILL
from lm_utils.evidence.results import FITTING, Results, reference
from lm_utils.evidence.sentences import comparison_sentence, sentence
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import pairings, rows
from lm_utils.runs.shipped import GRID_SEEDS, whole_grid
from lm_utils.tasks import TASKS

TWINS_OF_MAE = (("binary", "sigmoid"), ("binary", "softmax"), ("multiclass", "softmax"), ("multilabel", "sigmoid"))
FORECAST: dict[Pairing, str] = {  # what we had said before the grid was trained, where its runs then corrected us
    Pairing("regression", "cross_entropy", "sigmoid", normalize=True): "impossible",
    Pairing("probability", "cross_entropy", "sigmoid"): "handicapped",
    **{Pairing("multiclass", loss): "handicapped" for loss in VALUE_LOSSES},
    Pairing("multiclass", "mae", "softmax"): "handicapped",
    Pairing("multilabel", "cross_entropy", "sigmoid"): "handicapped",
    **{Pairing(task, "hinge", activation): "handicapped" for task, activation in TWINS_OF_MAE},
}


def contradictions(results: Results | None = None) -> list[str]:
    """Say in a sentence each which verdicts on pairings of the documents' tables the runs contradict."""
    results = results or reference()
    found = [contradiction(pairing, results) for pairing in pairings()]
    return [sentence for sentence in found if sentence]


def contradiction(pairing: Pairing, results: Results) -> str:
    """Say what speaks against the verdict of a pairing; nothing where nothing does or too few seeds are there."""
    if len(results.of(pairing)) < st.FEWEST_SEEDS:
        return ""
    lost = results.at_chance(pairing)
    best = best_row(pairing.task, results)
    against = FITTING[pairing.task]
    wrong = {
        "recommended": any(lost) or surely_behind(pairing, best, results),
        "workable": any(lost) or mean_skill(pairing, results) < NORMAL_SKILL,
        "handicapped": not any(lost) and equals_the_fitting(pairing, results),
        "impossible": not all(lost),
    }[pairing.verdict]
    if not wrong:
        return ""
    if pairing.verdict == "recommended" and not any(lost):
        against = best
    figures = f"{sentence(pairing, results)} {comparison_sentence(pairing, against, results)}"
    return f"{pairing.task}, called {pairing.verdict}: {figures}"


def beyond_the_documents(results: Results) -> list[Pairing]:
    """Return the pairings of the grids that no document ran, as far as they have been trained often enough."""
    ran = set(pairings())
    grid = (pairing for task in TASKS for pairing in whole_grid(task))
    return [pairing for pairing in grid if pairing not in ran and len(results.of(pairing)) >= GRID_SEEDS]


def forecast(pairing: Pairing) -> str:
    """Return the verdict that was written down before any run of the grid."""
    return FORECAST.get(pairing, pairing.verdict)


def outcome(pairing: Pairing, results: Results) -> str:
    """Say what became of all runs of a pairing."""
    if all(entry["status"] == "error" for entry in results.of(pairing)):
        return "stops with an error"
    lost = results.at_chance(pairing)
    return "learns in none" if all(lost) else "loses some runs" if any(lost) else "learns in every run"


def missed(pairing: Pairing, results: Results) -> bool:
    """Whether the forecast of a pairing did not come out: only outcomes count, since few seeds prove no equality."""
    came = outcome(pairing, results)
    learnt = came == "learns in every run" and mean_skill(pairing, results) >= NORMAL_SKILL
    return {
        "recommended": not learnt,
        "workable": not learnt,
        "handicapped": learnt,
        "impossible": came in ("learns in every run", "loses some runs"),
    }[forecast(pairing)]


def misses(results: Results | None = None) -> list[Pairing]:
    """Return the pairings whose forecast the grid's runs contradict."""
    results = results or reference()
    return [pairing for pairing in beyond_the_documents(results) if missed(pairing, results)]


def mean_skill(pairing: Pairing, results: Results) -> float:
    """Return how far the runs come on average from the baseline to perfect."""
    return st.skill(results.mean(pairing), results.baseline(pairing.task), pairing.spec.metric)


def best_row(task: str, results: Results) -> Pairing:
    """Return the row of the task with the best mean, of those with seeds enough."""
    metric = TASKS[task].metric
    enough = [pairing for pairing in pairings(rows(task=task)) if len(results.of(pairing)) >= st.FEWEST_SEEDS]
    means = {pairing: mean for pairing in enough if isfinite(mean := results.mean(pairing))}
    return (max if metric == "accuracy" else min)(means, key=means.get)


def surely_behind(pairing: Pairing, best: Pairing, results: Results) -> bool:
    """Whether the paired difference to the best row lies wholly outside the margin, as it refutes a document, too."""
    gaps = results.paired(pairing, best)
    return len(gaps) > 1 and st.mean_interval(gaps).outside(st.MARGIN[pairing.spec.metric])


def equals_the_fitting(pairing: Pairing, results: Results) -> bool:
    """Whether the pairing is practically equal to the task's fitting one, or better."""
    gaps, metric = results.paired(pairing, FITTING[pairing.task]), pairing.spec.metric
    if len(gaps) < st.FEWEST_SEEDS:
        return False
    gap = st.mean_interval(gaps)
    ahead = gap.mean > 0 if metric == "accuracy" else gap.mean < 0
    return gap.inside(st.MARGIN[metric]) or ahead
