"""Tests of claims by stored runs, pair by pair: the first row of each pair beside the second, seed by seed."""

from collections.abc import Sequence

from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.by_rows import (
    row_of,
    row_sentences,
    titles,
    too_few_seeds,
    with_rows,
)
from lm_utils.evidence.claims.claim import Finding
from lm_utils.evidence.results import Results, counted, mean
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.rows import Row

CLEARLY_MORE = 1.5  # a calibration measure this many times as large, beyond doubt, is a difference accuracy hides
UNITS = {
    "nll": "negative log-likelihood",
    "ece": "calibration error",
    "epochs_to_95": "epochs to 95 % of the final metric",
}


def compared(results: Results, pairs: Sequence[tuple[Row, Row]]) -> tuple[list[st.Comparison], str]:
    """Compare the pairs of a claim, corrected together; return the comparisons and their sentences."""
    metric = pairs[0][0].pairing.spec.metric
    found = st.compare(results.differences((one.pairing, other.pairing) for one, other in pairs), metric)
    names = titles([one for one, _ in pairs])
    words = [
        f"{names[one]} against {other.label}: {shown_difference(c.difference, one.pairing.spec)},"
        f" p = {c.p_corrected:.3g} ({c.verdict})."
        for (one, other), c in zip(pairs, found, strict=True)
    ]
    return found, " ".join(words)


@with_rows
def equal(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """Whether every paired difference lies inside the declared margin; one wholly outside refutes it."""
    found, words = compared(results, pairs)
    margin = st.MARGIN[pairs[0][0].pairing.spec.metric]
    p = max(st.equivalence_p(results.paired(one.pairing, other.pairing), margin) for one, other in pairs)
    if any(c.difference.outside(margin) for c in found):
        return Finding("refuted", words, p)
    return Finding("holds here" if all(c.verdict == "practically equal" for c in found) else "not shown", words, p)


def p_ahead(found: Sequence[st.Comparison], pairs: Sequence[tuple[Row, Row]]) -> float:
    """Return the largest p of the comparisons; 1 where one of them points the other way."""
    larger = pairs[0][0].pairing.spec.metric == "accuracy"
    return max(c.p_corrected if (c.difference.mean > 0) == larger else 1.0 for c in found)


@with_rows
def better(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """Whether the first of each pair is better than the second; practically equal or undecided is "not shown"."""
    found, words = compared(results, pairs)
    verdicts = {c.verdict for c in found}
    verdict = "holds here" if verdicts == {"better"} else "refuted" if verdicts == {"worse"} else "not shown"
    return Finding(verdict, words, p_ahead(found, pairs))


@with_rows
def slightly_better(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """Whether the first of each pair is better at all, however little; refuted where all are surely no better."""
    found, words = compared(results, pairs)
    sure = [c.p_corrected < 1 - st.LEVEL for c in found]
    signs = [c.difference.mean > 0 for c in found]
    gaps = [results.paired(one.pairing, other.pairing) for one, other in pairs]
    words += f" Seeds in favour: {', '.join(f'{sum(gap > 0 for gap in row)} of {len(row)}' for row in gaps)}."
    verdict = "not shown" if not all(sure) or len(set(signs)) > 1 else "holds here" if signs[0] else "refuted"
    return Finding(verdict, words, p_ahead(found, pairs))


@with_rows
def cures(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """Whether the first of each pair beats the second with no run at chance; refuted where every run is at chance."""
    found, words = compared(results, pairs)
    lost = [is_lost for one, _ in pairs for is_lost in results.at_chance(one.pairing)]
    better = all(c.verdict == "better" for c in found)
    verdict = "refuted" if all(lost) else "holds here" if better and not any(lost) else "not shown"
    return Finding(verdict, f"{words} {row_sentences(results, [one for one, _ in pairs])}", p_ahead(found, pairs))


@with_rows
def lower(results: Results, pairs: Sequence[tuple[Row, Row]], measure: str) -> Finding:
    """Whether a measure (epochs, calibration error) is lower for the first of each pair; one surely higher refutes."""
    gaps = results.differences([(one.pairing, other.pairing) for one, other in pairs], measure)
    signs, words, names, tail = [], [], titles([one for one, _ in pairs]), 0.0
    for (one, other), row, p in zip(pairs, gaps, st.sign_flip_max_t(gaps), strict=True):
        mine, theirs = (mean(results.scores(each.pairing, measure).values()) for each in (one, other))
        gap = st.mean_interval(row)
        signs.append(0 if not p < 1 - st.LEVEL else -1 if gap.mean < 0 else 1)
        tail = max(tail, float(p) if gap.mean < 0 else 1.0)
        difference = gap.told("+.3g").replace("-", "\N{MINUS SIGN}")
        words.append(
            f"{names[one]} against {other.label}, {UNITS[measure]}: {mine:.3g} against"
            f" {theirs:.3g}, paired difference {difference},"
            f" lower in {sum(value < 0 for value in row)} of {counted(gap.n, 'seed')}, p = {p:.3g}."
        )
    verdict = "refuted" if 1 in signs else "holds here" if set(signs) == {-1} else "not shown"
    return Finding(verdict, " ".join(words), tail)


@with_rows
def accuracy_tells_enough(results: Results, chosen: Sequence[Row]) -> Finding:
    """Refuted by a row that equals the fitting one in accuracy and whose probabilities are beyond doubt worse."""
    fitting, hidden = row_of("fitting-multiclass"), []
    if reason := too_few_seeds(results, [fitting]):
        return Finding("not tested", reason)
    for row in chosen:
        (found,), _ = compared(results, [(row, fitting)])
        for measure in ("nll", "ece"):
            mine, theirs = (mean(results.scores(r.pairing, measure).values()) for r in (row, fitting))
            p = st.sign_flip_p(results.paired(row.pairing, fitting.pairing, measure))
            many = max(mine / theirs, theirs / mine)
            if found.verdict == "practically equal" and p < 1 - st.LEVEL and many >= CLEARLY_MORE:
                hidden.append(
                    f"{row.label} equals {fitting.label} in accuracy, yet its {UNITS[measure]} is {mine:.3g}"
                    f" against {theirs:.3g}."
                )
    if hidden:
        return Finding("refuted", " ".join(hidden))
    return Finding("not shown", "No row that equals the fitting one in accuracy differs clearly in its probabilities.")
