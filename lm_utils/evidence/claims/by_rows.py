"""Tests of claims by stored runs, row by row: does it learn, fail, or meet the published figure?"""

from collections.abc import Iterable, Sequence
from functools import wraps
from statistics import median

from lm_utils.errors import UserError
from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.claim import Finding, Test
from lm_utils.evidence.results import FITTING, Results, estimate
from lm_utils.evidence.sentences import sentence, shown, shown_interval
from lm_utils.runs.rows import Row, rows

NORMAL_SKILL = 0.9  # "works normally": closes nine tenths of the way from the baseline to perfect, in every run


def row_of(name: str) -> Row:
    """Return the row of this id; 'fitting-TASK' is the task's fitting pairing."""
    if name.startswith("fitting-"):
        pairing = FITTING[name.removeprefix("fitting-")]
        return next(row for row in rows() if row.pairing == pairing)
    found = [row for row in rows() if row.id == name]
    if not found:
        raise UserError(f"There is no row {name!r} in lm_utils/runs/rows.csv; correct the claim that names it.")
    return found[0]


def too_few_seeds(results: Results, chosen: Iterable[Row]) -> str:
    """Say what keeps a verdict from being given: rows with too few seeds."""
    counts = {row: len(results.of(row.pairing)) for row in chosen}
    short = {row: runs for row, runs in counts.items() if runs < st.FEWEST_SEEDS}
    if not short:
        return ""
    first = f"Too few seeds for a verdict so far: {st.FEWEST_SEEDS} are needed."
    return " ".join([first, *(sentence(row.pairing, results, row.label, whose=False) for row in short if short[row])])


def with_rows(test: Test) -> Test:
    """Hand the test rows, or pairs of them, instead of ids, and let nothing be decided on too few seeds."""

    @wraps(test)
    def checked(
        results: Results, rows: Sequence[str] = (), pairs: Sequence[Sequence[str]] = (), **arguments: object
    ) -> Finding:
        chosen = [row_of(name) for name in rows] or [(row_of(one), row_of(other)) for one, other in pairs]
        reason = too_few_seeds(results, [row for pair in chosen for row in pair] if pairs else chosen)
        return Finding("not tested", reason) if reason else test(results, chosen, **arguments)

    return checked


def row_sentences(results: Results, chosen: Sequence[Row]) -> str:
    """Say what the runs of the rows gave."""
    names = titles(chosen)
    return " ".join(sentence(row.pairing, results, names[row], whose=False) for row in chosen)


def titles(chosen: Iterable[Row]) -> dict[Row, str]:
    """Name the rows of a claim: by their labels, and by their tasks where there are several."""
    several = len({row.pairing.task for row in chosen}) > 1
    return {row: f"{row.pairing.spec.title}, {row.label}" if several else row.label for row in chosen}


# --- tests -----------------------------------------------------------------------------------------------------------


@with_rows
def learn(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether rows learn: on average they close nine tenths of the way from the baseline to perfect, and no run fails.

    A row whose typical run comes that far and which loses some leaves the question open.
    """
    well, typically = [], []
    for row in chosen:
        scores, chance = list(results.scores(row.pairing).values()), results.baseline(row.pairing.task)
        skills = [st.skill(score, chance, row.pairing.spec.metric) for score in scores]
        well.append(not any(results.at_chance(row.pairing)) and sum(skills) / len(skills) >= NORMAL_SKILL)
        typically.append(median(skills) >= NORMAL_SKILL)
    verdict = "holds here" if all(well) else "not shown" if all(typically) else "refuted"
    return Finding(verdict, row_sentences(results, chosen))


@with_rows
def fail(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether every run of every row is at chance (or has no result); if most runs learn, the claim is refuted."""
    lost = [is_lost for row in chosen for is_lost in results.at_chance(row.pairing)]
    verdict = "holds here" if all(lost) else "refuted" if sum(lost) <= len(lost) / 2 else "not shown"
    return Finding(verdict, row_sentences(results, chosen))


@with_rows
def harm_is_possible(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether at least one of the rows is at chance in every run."""
    harmed = [row for row in chosen if all(results.at_chance(row.pairing))]
    return Finding("holds here" if harmed else "not shown", row_sentences(results, harmed or chosen))


@with_rows
def reproduce(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether every published figure is met; refuted where a recommended row misses it or a collapsed one learns."""
    met = [reproduced(results, row) for row in chosen]
    missed = [row for row, (near, _) in zip(chosen, met, strict=True) if not near]
    grave = any(row.fits or collapsed_as_published(results, row) for row in missed)
    words = [f"{len(met) - len(missed)} of {len(met)} rows agree.", *(words for _, words in met)]
    return Finding("refuted" if grave else "not shown" if missed else "holds here", " ".join(words))


def collapsed_as_published(results: Results, row: Row) -> bool:
    """Whether the document's own run of this row ended at chance or with an error."""
    return row.test is None or st.at_chance(row.test, results.baseline(row.pairing.task), row.pairing.spec.metric)


def reproduced(results: Results, row: Row) -> tuple[bool, str]:
    """Whether our runs meet a published figure, and the two in words.

    Near means: the mean of our runs that learnt within a point (0.03 of MSE); for a row that the document does not
    recommend, the figure may also lie where one further run of ours would.
    """
    lost, task = results.at_chance(row.pairing), row.pairing.spec
    if row.test is None:
        return all(lost), f"{row.label}: an error as published."
    published = f"{row.label}: published {shown(row.test, task)}, ours"
    if collapsed_as_published(results, row):
        return all(lost), f"{published} {sum(lost)} of {len(lost)} at chance."
    every = results.scores(row.pairing).values()
    scores = [score for score, is_lost in zip(every, lost, strict=True) if not is_lost]
    ours, (low, high) = estimate(scores, task.metric), st.prediction_interval(scores)
    near = abs(ours.mean - row.test) <= st.REPRODUCED[task.metric] or (not row.fits and low <= row.test <= high)
    apart = f"; {sum(lost)} of {len(lost)} learnt nothing and are left out here" if any(lost) else ""
    return near, f"{published} {shown_interval(ours, task)}{apart}."
