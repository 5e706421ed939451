"""Tables of results: a line for every row of a document's table, in figures and in words ready to be shown."""

from collections.abc import Iterable, Sequence
from math import inf, isnan, nan

import pandas as pd
from IPython.display import Markdown

from lm_utils.errors import UserError
from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import FITTING, Results, estimate, mean, number, reference, with_origin, yours
from lm_utils.evidence.sentences import shown, shown_difference, shown_runs
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import TABLES, Row, rows
from lm_utils.show_code import folded
from lm_utils.tasks import TASKS, Task

FIRST = ["row", "ours (95 % interval)", "at chance", "difference to the fitting pairing", "verdict"]
MEASURES = {"nll": "negative log-likelihood", "brier": "Brier score", "ece": "calibration error"}


class Table:
    """A table of words for a notebook cell, with its origin as caption and its code below.

    Where `first` names columns, a page shows these and folds the whole table below them.
    """

    def __init__(self, frame: pd.DataFrame, first: Sequence[str] = ()) -> None:
        self.frame, self.first, self.origin = frame, list(first), frame.attrs["origin"]

    def _repr_html_(self) -> str:
        caption = f"<caption style='caption-side:bottom;text-align:left'>Runs: {self.origin}</caption>"
        page = self.page_of(self.frame[self.first] if self.first else self.frame)
        page = page.replace(">\n", f">\n{caption}\n", 1)
        if self.first:
            page += f"<details class='all-columns'><summary>All columns</summary>{self.page_of(self.frame)}</details>"
        return page + folded(self.frame.attrs["made_by"])

    @staticmethod
    def page_of(frame: pd.DataFrame) -> str:
        """Write a table as HTML, its words aligned to the left and at the top."""
        with pd.option_context("display.max_colwidth", None):
            html = frame.to_html(index=False, border=0, justify="left", escape=True)
        html = html.replace("<td>", "<td style='text-align:left;vertical-align:top'>")
        return html.replace("<th>", "<th style='text-align:left'>")

    def __repr__(self) -> str:
        return f"{self.frame.to_string(index=False)}\nRuns: {self.origin}"


def readable(table: pd.DataFrame) -> Table:
    """Write a summary in words and rounded figures, ready to be shown."""
    lines = pd.DataFrame([readable_line(line) for _, line in table.iterrows()])
    lines.attrs = table.attrs | {"origin": table.attrs["origin"] + symmetry_note(table)}
    return Table(lines, FIRST)


def symmetry_note(table: pd.DataFrame) -> str:
    """Name the rows whose differences are clearly skewed, for the correction assumes that they are symmetric."""
    rows = [line["label"] for _, line in table.iterrows() if line["skewed"]]
    return f"; p is approximate where differences are skewed, as in: {', '.join(rows)}" if rows else ""


def readable_line(line: pd.Series) -> dict[str, str]:
    """Write one row of a summary in words."""
    task = TASKS[line["task"]]
    difference, ratio = (
        st.Estimate(line[name], line[f"{name}_low"], line[f"{name}_high"], line["seeds"])
        for name in ("difference", "ratio")
    )
    own = line["verdict"] in ("the fitting pairing", "missing", "error", "not compared")
    return {
        "row": line["label"],
        "published": published_in_words(line, task),
        "ours (95 % interval)": ours_in_words(line, task),
        "seeds": str(line["seeds"]),
        "at chance": chance_in_words(line) if line["seeds"] and line["verdict"] != "error" else "",
        "epochs": shown_count(line["epochs"]),
        "to 95 %": shown_count(line["epochs_to_95"]),
        "difference to the fitting pairing": "" if own else shown_difference(difference, task),
        "error, times the fitting pairing's": "" if own or isnan(line["ratio"]) else ratio.told(".2f"),
        "verdict": line["verdict"],
    }


def published_in_words(line: pd.Series, task: Task) -> str:
    """Write the published figure or error; nothing where the document has none."""
    return line["published_error"] or ("" if isnan(line["published"] or nan) else shown(line["published"], task))


def ours_in_words(line: pd.Series, task: Task) -> str:
    """Write the mean of the runs, or why there is none."""
    if not line["seeds"]:
        return "not trained yet"
    return (
        f"error: {line['message']}"
        if line["verdict"] == "error"
        else shown_runs(line["scores"], line["baseline"], task)
    )


def chance_in_words(line: pd.Series) -> str:
    """Say how many runs ended at chance, with Wilson's interval for their share."""
    low, high = line["failed_low"], line["failed_high"]
    return f"{line['failed']} of {line['seeds']} ({100 * low:.0f} to {high:.0%})".replace("%", " %")


def shown_count(value: float) -> str:
    """Write a mean number of epochs."""
    return "" if isnan(value) else f"{value:.0f}"


def probabilities(pairings: Sequence[Pairing], results: Results | None = None) -> Table:
    """Show how good the outputs of these pairings are as probabilities; of each measure, less is better."""
    results = (results or reference()).only(pairings[0].task)
    lines = [
        {"row": pairing.label, "seeds": str(len(results.of(pairing))),
         **{title: measured(results.scores(pairing, name)) for name, title in MEASURES.items()}}
        for pairing in pairings
    ]  # fmt: skip
    return Table(with_origin(pd.DataFrame(lines), results.of_pairings(pairings).origin))


def measured(scores: dict[int, float]) -> str:
    """Write the mean of a measure that cannot be negative, with its interval."""
    interval = st.mean_interval(list(scores.values()), (0.0, inf))
    return interval.told(".4f") if interval.n else "none stored"


def own_table(task: str, seeds: int, data: str, device: str) -> Table | Markdown:
    """Return the loss table as trained here, by `make run-all` or by a picker; one line where no row was."""
    mine = yours([row.pairing for row in rows(task, "loss")], seeds, data, device)
    if not mine.entries:
        return Markdown(f"None of these rows has been trained here yet ({mine.origin}); `make run-all` does it.")
    return readable(summary(task, "loss", mine))


def summary(task: str, table: str | Iterable[str] | None = None, results: Results | None = None) -> pd.DataFrame:
    """Return one line per row of a task's table (a name, several, or all of them): figures and verdict.

    Comparisons are paired with the task's fitting pairing and corrected for all rows of this table together.
    """
    results = (results or reference()).only(task)
    tables = TABLES if table is None else (table,) if isinstance(table, str) else tuple(table)
    chosen = [row for row in rows(task=task) if row.table in tables]
    if not chosen:
        raise UserError(f"There is no table {table!r} for {task!r}; choose one of {', '.join(TABLES)}.")
    fitting, metric = FITTING[task], TASKS[task].metric
    theirs = results.scores(fitting)
    mine = [results.scores(row.pairing) for row in chosen]
    differences = results.differences((row.pairing, fitting) for row in chosen)
    compared = st.compare(differences, metric)
    lines = [{**figures_of(row, results), **against(row, found, scores, theirs), "skewed": st.skewed(gaps)}
             for row, found, scores, gaps in zip(chosen, compared, mine, differences, strict=True)]  # fmt: skip
    origin = results.of_pairings(row.pairing for row in chosen).origin
    return with_origin(pd.DataFrame(lines).set_index("id"), origin)


def figures_of(row: Row, results: Results) -> dict:
    """Return what a row's own runs say."""
    pairing, entries = row.pairing, results.of(row.pairing)
    metric, chance = pairing.spec.metric, results.baseline(pairing.task)
    scores = [number(entry, "test_metric") for entry in entries]
    interval = estimate(scores, metric)
    lost = results.at_chance(pairing)
    speed = zip(results.scores(pairing, "epochs_to_95").values(), lost, strict=True)
    return {
        "id": row.id, "task": pairing.task, "table": row.table, "label": row.label, "fits": row.fits,
        "loss": pairing.loss, "activation": pairing.activation, "seeds": len(entries),
        "published": row.test if results.data == "mnist" else None,  # they are MNIST's and stand beside no others
        "published_error": row.published_error if results.data == "mnist" else "",
        "scores": scores, "baseline": chance,
        "mean": interval.mean, "low": interval.low, "high": interval.high,
        "failed": sum(lost), **dict(zip(("failed_low", "failed_high"), st.wilson(sum(lost), len(lost)), strict=True)),
        "epochs": mean([number(e, "epochs") for e in entries]),
        "epochs_to_95": mean(epochs for epochs, is_lost in speed if not is_lost),
        "message": next((entry["error"] for entry in entries if entry["error"]), ""),
    }  # fmt: skip


def against(row: Row, found: st.Comparison, mine: dict[int, float], theirs: dict[int, float]) -> dict:
    """Return what a row says beside the fitting pairing."""
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
