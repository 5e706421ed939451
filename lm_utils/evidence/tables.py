"""Results of runs, one line per row of a document's table; a notebook finds reading and wording of runs here too."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan, nan

import pandas as pd
from IPython.display import Markdown

from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import (
    FITTING,
    Results,
    baseline,
    carrying,
    counted,
    estimate,
    mean,
    number,
    reference,
    speed_of,
    tested_digits,
    under_conditions,
    yours,
)
from lm_utils.evidence.sentences import (
    Table,
    comparison_sentence,
    comparison_sentences,
    missing_sentence,
    probabilities,
    published_sentence,
    published_sentences,
    readable,
    sentence,
    shown,
    shown_difference,
    shown_interval,
)
from lm_utils.runs.rows import TABLES, Row, rows
from lm_utils.tasks import TASKS

__all__ = [
    "FITTING", "Results", "Table", "baseline", "comparison_sentence", "comparison_sentences", "counted",
    "missing_sentence", "number", "own_table", "probabilities", "published_sentence", "published_sentences",
    "readable", "reference", "sentence", "shown", "shown_difference", "shown_interval", "speed_of", "summary",
    "tested_digits", "under_conditions", "yours",
]  # fmt: skip


def own_table(task: str, seeds: int = 3, data: str = "auto", device: str = "auto") -> Table | Markdown:
    """The loss table as trained on this machine, by `make run-all` or by a picker; one line where no row was."""
    mine = yours([row.pairing for row in rows(task, "loss")], seeds, data, device)
    if not mine.entries:
        return Markdown(f"None of these rows has been trained here yet ({mine.origin}); `make run-all` does it.")
    return readable(summary(task, "loss", mine))


def summary(task: str, table: str | Iterable[str] | None = None, results: Results | None = None) -> pd.DataFrame:
    """One line per row of a task's table (a name, several, or all of them): figures and verdict.

    Comparisons are paired with the task's fitting pairing and corrected for all rows of this table together.
    """
    results = (results or reference()).only(task)
    tables = TABLES if table is None else (table,) if isinstance(table, str) else tuple(table)
    chosen = [row for row in rows(task=task) if row.table in tables]
    if not chosen:
        raise ValueError(f"There is no table {table!r} for {task!r}; choose one of {', '.join(TABLES)}.")
    fitting, metric = FITTING[task], TASKS[task].metric
    theirs = results.scores(fitting)
    mine = [results.scores(row.pairing) for row in chosen]
    seeds = sorted(theirs.keys() | {seed for scores in mine for seed in scores})
    differences = [[scores.get(seed, nan) - theirs.get(seed, nan) for seed in seeds] for scores in mine]
    compared = st.compare(differences, metric) if seeds else [st.NOT_COMPARED] * len(chosen)
    lines = [{**figures_of(row, results), **against(row, found, scores, theirs)}
             for row, found, scores in zip(chosen, compared, mine, strict=True)]  # fmt: skip
    origin = results.of_pairings(row.pairing for row in chosen).origin
    return carrying(pd.DataFrame(lines).set_index("id"), origin)


def figures_of(row: Row, results: Results) -> dict:
    """What a row's own runs say."""
    pairing, entries = row.pairing, results.of(row.pairing)
    metric, chance = pairing.spec.metric, results.baseline(pairing.task)
    scores = [number(entry, "test_metric") for entry in entries]
    told = estimate(scores, metric)
    lost = [st.failed(score, chance, metric) for score in scores]
    learned = [score for score, is_lost in zip(scores, lost, strict=True) if not is_lost]
    speed = [nan if is_lost else speed_of(entry, chance) for entry, is_lost in zip(entries, lost, strict=True)]
    return {
        "id": row.id, "task": pairing.task, "table": row.table, "label": row.label, "fits": row.fits,
        "our_verdict": pairing.verdict,
        "loss": pairing.loss, "activation": pairing.activation, "seeds": len(entries),
        "published": row.test if results.data == "mnist" else None,  # they are MNIST's and stand beside no others
        "published_error": row.published_error if results.data == "mnist" else "",
        "scores": scores, "speeds": speed, "baseline": chance,
        "mean": told.mean, "low": told.low, "high": told.high,
        "failed": sum(lost), **dict(zip(("failed_low", "failed_high"), st.wilson(sum(lost), len(lost)), strict=True)),
        "mean_learned": st.mean_interval(learned).mean, "epochs": mean([number(e, "epochs") for e in entries]),
        "epochs_to_95": mean(speed), "diverged": sum(entry["status"] == "diverged" for entry in entries),
        "errors": sum(entry["status"] == "error" for entry in entries),
        "message": next((entry["error"] for entry in entries if entry["error"]), ""),
    }  # fmt: skip


def against(row: Row, found: st.Comparison, mine: dict[int, float], theirs: dict[int, float]) -> dict:
    """What a row says beside the fitting pairing."""
    shared = sorted(mine.keys() & theirs.keys())
    ratio = st.error_ratio([mine[s] for s in shared], [theirs[s] for s in shared], row.pairing.spec.metric)
    verdict = found.verdict
    if mine and all(isnan(score) for score in mine.values()):
        verdict = "error"
    elif mine and row.pairing == FITTING[row.pairing.task]:
        verdict = "the fitting pairing"
    elif mine and verdict == "missing":
        verdict = "not compared"
    return {
        "difference": found.difference.mean, "difference_low": found.difference.low,
        "difference_high": found.difference.high, "p": found.p, "p_corrected": found.p_corrected,
        "ratio": ratio.mean, "ratio_low": ratio.low, "ratio_high": ratio.high, "verdict": verdict,
    }  # fmt: skip
