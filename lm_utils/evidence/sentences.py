"""Results in words: what a notebook says about figures comes from here, so that no sentence can go stale."""

from collections.abc import Sequence
from math import isnan

from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import FITTING, Results, counted, estimate, number, reference
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import Row, rows
from lm_utils.tasks import TASKS, Task


def shown(value: float, task: Task) -> str:
    """Write a metric value as people do: a percentage, or a mean squared error."""
    return f"{value:.2%}".replace("%", " %") if task.metric == "accuracy" else f"{value:#.3g}".rstrip(".")


def shown_interval(interval: st.Estimate, task: Task) -> str:
    """Write a mean with its interval."""
    if isnan(interval.mean):
        return "no result"
    if isnan(interval.low):
        return f"{shown(interval.mean, task)} (one run)"
    return (
        f"{shown(interval.mean, task)} ({shown(interval.low, task).removesuffix(' %')} to {shown(interval.high, task)})"
    )


def shown_runs(scores: Sequence[float], baseline: float, task: Task) -> str:
    """Write the mean of runs with its interval; where some learnt nothing, how many learnt and the mean of those.

    An interval of such a mixture would cover its mean far less often than it says.
    """
    learnt = [score for score in scores if not st.at_chance(score, baseline, task.metric)]
    if 0 < len(learnt) < len(scores):
        return f"{len(learnt)} of {len(scores)} learnt; their mean {shown(estimate(learnt, task.metric).mean, task)}"
    return shown_interval(estimate(scores, task.metric), task)


def shown_difference(difference: st.Estimate, task: Task) -> str:
    """Write a signed difference with its interval, in percentage points or as it is."""
    if isnan(difference.mean):
        return "none"
    accuracy = task.metric == "accuracy"
    numbers = [
        f"{value * 100:+.2f}" if accuracy else f"{value:+.3g}"
        for value in (difference.mean, difference.low, difference.high)
    ]
    numbers, unit = [text.replace("-", "\N{MINUS SIGN}") for text in numbers], " points" if accuracy else ""
    return numbers[0] + unit if isnan(difference.low) else f"{numbers[0]}{unit} ({numbers[1]} to {numbers[2]})"


def sentence(pairing: Pairing, results: Results | None = None, label: str = "", whose: bool = True) -> str:
    """Say what the runs of a pairing gave, in one sentence, with their data set and owner."""
    results, label = results or reference(), label or pairing.label
    entries, task = results.of(pairing), pairing.spec
    if not entries:
        return f"{label}: not trained yet ({results.origin})."
    scores = [number(entry, "test_metric") for entry in entries]
    if all(isnan(score) for score in scores):
        return f"{label}: every one of {counted(len(entries), 'run')} ended with the error “{entries[0]['error']}”."
    lost = sum(results.at_chance(pairing))
    what = "test accuracy" if task.metric == "accuracy" else "test MSE"
    chance = "at chance" if task.metric == "accuracy" else "no better than a constant answer"
    figure = shown_runs(scores, results.baseline(task.name), task)
    seeds = "" if len(entries) == 1 or " learnt; " in figure else f" over {len(entries)} seeds"
    end = f", {lost} of {len(entries)} {chance}" if lost and " learnt; " not in figure else ""
    return f"{label}: {what} {figure}{seeds}{end}{f' ({results.owner})' if whose else ''}."


def comparison_sentence(pairing: Pairing, other: Pairing | None = None, results: Results | None = None) -> str:
    """Say how a pairing does beside another (the task's fitting one, if none is named), in one sentence."""
    return comparison_sentences([(pairing, other or FITTING[pairing.task])], results)[0]


def comparison_sentences(pairs: Sequence[tuple[Pairing, Pairing]], results: Results | None = None) -> list[str]:
    """Say how the first of each pair does beside the second, judged as one family, a sentence each."""
    results, metric = results or reference(), pairs[0][0].spec.metric
    found = st.compare(results.differences(pairs), metric)
    corrected = f", corrected for {len(pairs)} comparisons" if len(pairs) > 1 else ""
    lines = []
    for (one, other), c in zip(pairs, found, strict=True):
        if not c.difference.n:
            lines.append(f"{one.label} and {other.label} share no seed with a result yet.")
            continue
        gap, seeds = shown_difference(c.difference, one.spec), counted(c.difference.n, "paired seed")
        p = f"sign-flip p = {c.p_corrected:.3g}{corrected}"
        lines.append(f"{one.label} against {other.label}: {gap} over {seeds} ({results.owner}), {p}: {c.verdict}.")
    return lines


def published_sentence(row: Row, results: Results) -> str:
    """Say in one sentence what was published of a row and what ours is."""
    task = row.pairing.spec
    gap = abs(results.mean(row.pairing) - row.test)
    if isnan(gap):
        return f"{row.label}: nothing to compare."
    by = f"{gap * 100:.2f} points" if task.metric == "accuracy" else f"{gap:.3g}"
    figure = shown_runs(list(results.scores(row.pairing).values()), results.baseline(task.name), task)
    return f"{row.label}: published {shown(row.test, task)}, ours {figure}, {by} apart."


def published_sentences(task: str) -> str:
    """Say which published figures of a task ours come near, and why the others differ, as Markdown."""
    results, metric = reference(), TASKS[task].metric
    compared = [row for row in rows(task) if row.test is not None and results.of(row.pairing)]
    far = [row for row in compared if not abs(results.mean(row.pairing) - row.test) <= st.REPRODUCED[metric]]
    near = "one percentage point" if metric == "accuracy" else f"{st.REPRODUCED[metric]:g}"
    first = f"{len(compared) - len(far)} of {len(compared)} published figures lie within {near} of our mean."
    return "\n".join([first, *(f"- {published_sentence(row, results)} Why: {row.differs}." for row in far)])
