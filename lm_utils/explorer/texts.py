"""A choice and a live run in words: as HTML for a widget, as lines of a table, as a sentence; no widget here."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from math import isnan

from lm_utils.activations import ACTIVATIONS
from lm_utils.advice import MEANING, received
from lm_utils.doctor import Report
from lm_utils.evidence.results import TITLES, Results, baseline
from lm_utils.evidence.sentences import sentence, shown
from lm_utils.evidence.statistics import failed
from lm_utils.explorer.choice import Choice
from lm_utils.explorer.live_run import LiveRun
from lm_utils.show.style import VERDICT_COLORS, VERDICT_SIGNS

SEVERITIES = {"error": ("✗", "#8b1a1a"), "warning": ("!", "#a23b00"), "info": ("i", "#01588f")}
CARD = (
    "background:#f7f7f5;color:#1a1a1a;border-left:6px solid {color};border-radius:3px;"
    "padding:.35em .8em;font-size:14px;line-height:1.4"
)
OUTCOMES = ("It learns the task.", "It does no better than a constant answer.", "It stops with an error or with NaN.")


def card(content: str, color: str = "#5c5c5c", role: str = "note") -> str:
    """A framed text, readable on a light and a dark page."""
    return f"<div role='{role}' style='{CARD.format(color=color)}'>{content}</div>"


def code_of(choice: Choice) -> str:
    """The pairing as the lines a PyTorch user writes."""
    activation = ACTIVATIONS[choice.pairing.activation].code
    start = "" if choice.pairing.activation == "none" else f"<code>{escape(activation)}</code> → "
    return f"{start}<code>{escape(choice.pairing.rule.code)}</code>"


def pairing_card(choice: Choice, stored: Results, secret: bool = False) -> str:
    """What this pairing means, and what the stored runs gave; without verdict and result while it is a question."""
    if not secret:
        return explained(choice, stored_line(choice, stored))
    hidden = "<i>Verdict and stored result are hidden until you have said what will happen.</i>"
    return card(f"{heading(choice)}<br>{escape(received(choice.pairing))}<br>{hidden}")


def heading(choice: Choice) -> str:
    """The task's question and the lines of code."""
    task = choice.pairing.spec
    return f"<b>{escape(task.title)}.</b> {escape(task.question)} {code_of(choice)}"


def explained(choice: Choice, results: str) -> str:
    """Verdict and reason of a pairing, and what runs gave."""
    pairing = choice.pairing
    sign, color = VERDICT_SIGNS[pairing.verdict], VERDICT_COLORS[pairing.verdict]
    verdict = f"<b style='color:{color}'>{sign} {pairing.verdict}:</b> {escape(MEANING[pairing.verdict])}"
    why = f"{escape(received(pairing))} {escape(pairing.advice.reason)}"
    return card(f"{heading(choice)}<br>{verdict} {why}<br>{results}", color)


def stored_line(choice: Choice, stored: Results) -> str:
    """What the stored runs of a pairing gave, whose they are, and how they differ from what is chosen here."""
    pairing = choice.pairing
    if not stored.of(pairing):
        return "<b>Stored result:</b> none of this pairing; train it to see."
    other = "" if choice.as_in_the_reference else " It was trained with learning rate 0.001 and patience 10."
    whose = f"<b title='{escape(stored.origin, quote=True)}'>Stored result ({stored.whose}: {TITLES[stored.data]}).</b>"
    return f"{whose} {escape(sentence(pairing, stored))}{other}"


def findings(report: Report | None) -> str:
    """The doctor's findings, the worst first."""
    if report is None:
        return ""
    if not report.findings:
        return card("<b style='color:#0a6b4a'>✓ The doctor:</b> nothing to object to in model, loss and targets.",
                    "#0a6b4a")  # fmt: skip
    items = []
    for finding in report.findings:
        sign, color = SEVERITIES[finding.severity]
        parts = f"{code_marked(finding.message)} {code_marked(finding.why)} <b>Fix:</b> {code_marked(finding.fix)}"
        head = f"<b style='color:{color}'>{sign} {finding.severity}:</b>"
        items.append(f"<div style='margin:.2em 0'>{head} {parts}</div>")
    worst = SEVERITIES[report.findings[0].severity][1]
    return card(f"<b>The doctor looked at network, loss and targets:</b>{''.join(items)}", worst)


def code_marked(text: str) -> str:
    """Escaped text, with `code` set as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def progress_words(live: LiveRun) -> str:
    """How far a training is and how long it will take, for the line beside the progress bar."""
    left = live.seconds_left
    if left is None:
        return "Starting …"
    last = live.history[-1] if live.history else None
    so_far = "" if last is None else f", {metric_words(live, last['valid_metric'])} on validation images"
    return f"Epoch {live.epoch:.1f}{so_far}; about {left:.0f} s left, longer while it improves."


def metric_words(live: LiveRun, value: float) -> str:
    """Such as 'accuracy 97.1 %' or 'MSE 0.06'."""
    task = live.choice.pairing.spec
    return f"{'accuracy' if task.metric == 'accuracy' else 'MSE'} {shown(value, task)}"


def outcome(live: LiveRun) -> str:
    """What became of a training, in one or two sentences."""
    run = live.run
    if run is None:
        return "Not trained yet."
    if run.status == "error":
        return f"The loss refused what it was given: {run.error}."
    if run.status == "stopped":
        after = f"after {run.epochs} epochs" if run.epochs else f"in the first epoch, after {live.batches} batches"
        return f"Stopped {after}; the curves are kept, there is no test result."
    if run.status == "diverged" and not run.best_epoch:
        return "Diverged: the loss was no finite number (NaN) from the first epoch on."
    told = f"test {metric_words(live, run.test_metric)}, from epoch {run.best_epoch} of {run.epochs}"
    if run.status == "diverged":
        return f"Diverged: the loss became NaN in epoch {run.epochs}. The best epoch before that: {told}."
    lost = ", no better than a constant answer" if at_chance(live) else ""
    return f"Done in {run.seconds:.0f} s: {told}{lost}. Yours: {TITLES[run.data]}, seed {run.seed}."


def at_chance(live: LiveRun) -> bool:
    """Whether a finished run is no better than the best constant answer."""
    task = live.choice.pairing.spec
    return failed(live.run.test_metric, baseline(task.name, live.run.data), task.metric)


def what_happened(live: LiveRun) -> str:
    """Which of the outcomes came true; empty where the run was stopped by hand."""
    if live.run is None or live.run.status == "stopped":
        return ""
    if live.run.status in ("error", "diverged"):
        return OUTCOMES[2]
    return OUTCOMES[1] if at_chance(live) else OUTCOMES[0]


def prediction_reply(said: str, happened: str) -> str:
    """Prediction and outcome side by side."""
    if not happened:
        return card("Stopped before it could be seen whether your prediction was right.")
    right = said == happened
    sign, color, word = ("✓", "#0a6b4a", "As you said") if right else ("✗", "#a23b00", "Not as you said")
    more = "" if right else f" You said: {escape(said)}"
    return card(f"<b style='color:{color}'>{sign} {word}.</b> {escape(happened)}{more}", color)


# --- several runs ----------------------------------------------------------------------------------------------------

RUN_COLUMNS = (
    "run", "task", "loss", "activation", "hidden", "normalize", "prior_bias", "lr", "patience", "seed", "data",
    "status", "best_epoch", "test_metric",
)  # fmt: skip
EPOCH_COLUMNS = ("epoch", "train_loss", "valid_loss", "valid_metric")


def runs_table(runs: Sequence[LiveRun]) -> str:
    """The kept runs as a table, the numbers as in the overlay."""
    if not runs:
        return "No runs kept yet: the last six are."
    head = ("run", "task", "pairing", "lr", "seed", "status", "epochs", "best validation", "test", "data")
    lines = [[str(value) for value in table_line(number, live)] for number, live in enumerate(runs, 1)]
    rows = "".join(table_row(line, "td") for line in lines)
    return f"<table style='font-size:13px;line-height:1.35'>{table_row(head, 'th')}{rows}</table>"


def table_row(texts: Sequence[str], tag: str) -> str:
    """One row of a table."""
    style = "padding:.15em .7em;text-align:left"
    return "<tr>" + "".join(f"<{tag} style='{style}'>{escape(text)}</{tag}>" for text in texts) + "</tr>"


def table_line(number: int, live: LiveRun) -> tuple:
    """One run as words."""
    choice, run, task = live.choice, live.run, live.choice.pairing.spec
    words = ["" if isnan(value) else shown(value, task) for value in (run.valid_metric, run.test_metric)]
    return (number, task.title, choice.pairing.label, f"{choice.lr:g}", choice.seed, run.status, run.epochs, *words,
            TITLES[run.data])  # fmt: skip


def runs_csv(runs: Sequence[LiveRun]) -> str:
    """The kept runs as CSV: one line per run and epoch (one line without epoch for a run that has none)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*RUN_COLUMNS, *EPOCH_COLUMNS))
    for number, live in enumerate(runs, 1):
        p, run = live.choice.pairing, live.run
        fixed = (number, p.task, p.loss, p.activation, p.hidden, p.normalize, p.prior_bias, live.choice.lr,
                 live.choice.patience, run.seed, run.data, run.status, run.best_epoch, run.test_metric)  # fmt: skip
        for record in run.history or [dict.fromkeys(EPOCH_COLUMNS, "")]:
            writer.writerow((*fixed, *(record[name] for name in EPOCH_COLUMNS)))
    return text.getvalue()
