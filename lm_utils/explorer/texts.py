"""A choice and a live run in words: cards as HTML, and sentences for the status line; nothing here knows a widget."""

from html import escape

from lm_utils.activations import ACTIVATIONS
from lm_utils.advice import MEANING, received
from lm_utils.doctor import Report
from lm_utils.evidence.results import TITLES, Results, counted
from lm_utils.evidence.sentences import sentence, shown
from lm_utils.explorer.choice import PATIENCE, Choice
from lm_utils.explorer.live_run import LiveRun
from lm_utils.show.quiz import markup
from lm_utils.show.style import ALERT, GOOD, INFO, QUIET, VERDICT_COLORS, VERDICT_SIGNS, WARNING
from lm_utils.training import LEARNING_RATE

SEVERITIES = {"error": ("✗", ALERT), "warning": ("!", WARNING), "info": ("i", INFO)}
CARD = (
    "background:#f7f7f5;color:#1a1a1a;border-left:6px solid {color};border-radius:3px;"
    "padding:.35em .8em;font-size:14px;line-height:1.4"
)


def card(content: str, color: str = QUIET) -> str:
    """Return a framed text that can be read on a light and a dark page."""
    return f"<div role='note' style='{CARD.format(color=color)}'>{content}</div>"


def heading(choice: Choice) -> str:
    """Return the task's question, and the pairing as a PyTorch user writes it."""
    pairing, task = choice.pairing, choice.pairing.spec
    activation = f"<code>{escape(ACTIVATIONS[pairing.activation].code)}</code> → "
    code = f"{'' if pairing.activation == 'none' else activation}<code>{escape(pairing.rule.code)}</code>"
    return f"<b>{escape(task.title)}.</b> {escape(task.question)} {code}"


def pairing_card(choice: Choice, *results: Results) -> str:
    """Return verdict and reason of a pairing, and what runs of it gave."""
    pairing = choice.pairing
    sign, color = VERDICT_SIGNS[pairing.verdict], VERDICT_COLORS[pairing.verdict]
    verdict = f"<b style='color:{color}'>{sign} {pairing.verdict}:</b> {escape(MEANING[pairing.verdict])}"
    why = f"{escape(received(pairing))} {escape(pairing.advice.reason)}"
    lines = "<br>".join(stored_line(choice, each) for each in results)
    return card(f"{heading(choice)}<br>{verdict} {why}<br>{lines}", color)


def question_card(choice: Choice) -> str:
    """Return what a pairing means, without verdict and result."""
    hidden = "<i>Verdict and stored result are hidden until you have said what will happen.</i>"
    return card(f"{heading(choice)}<br>{escape(received(choice.pairing))}<br>{hidden}")


def stored_line(choice: Choice, stored: Results) -> str:
    """Return what stored runs of a pairing gave, whose they are, and how they differ from what is chosen here."""
    pairing = choice.pairing
    if not stored.of(pairing):
        return "<b>Stored result:</b> none of this pairing; train it to see."
    as_chosen = (choice.lr, choice.patience) == (LEARNING_RATE, PATIENCE)
    other = "" if as_chosen else " It was trained with learning rate 0.001 and patience 10."
    whose = f"<b title='{escape(stored.origin, quote=True)}'>Stored result ({stored.whose}: {TITLES[stored.data]}).</b>"
    return f"{whose} {escape(sentence(pairing, stored))}{other}"


def findings(report: Report | None) -> str:
    """Return the doctor's findings, the worst first."""
    if report is None:
        return ""
    if not report.findings:
        return card(f"<b style='color:{GOOD}'>✓ The doctor:</b> nothing to object to in model, loss and targets.", GOOD)
    items = []
    for finding in report.findings:
        sign, color = SEVERITIES[finding.severity]
        parts = f"{markup(finding.message)} {markup(finding.why)} <b>Fix:</b> {markup(finding.fix)}"
        head = f"<b style='color:{color}'>{sign} {finding.severity}:</b>"
        items.append(f"<div style='margin:.2em 0'>{head} {parts}</div>")
    worst = SEVERITIES[report.findings[0].severity][1]
    return card(f"<b>The doctor looked at network, loss and targets:</b>{''.join(items)}", worst)


def progress(live: LiveRun) -> str:
    """Return how far a training is and how long it will take, for the line beside the progress bar."""
    left = live.seconds_left
    if left is None:
        return "Starting …"
    so_far = f", {metric(live, live.history[-1]['valid_metric'])} on validation images" if live.history else ""
    return f"Epoch {live.epoch:.1f}{so_far}; about {left:.0f} s left, longer while it improves."


def metric(live: LiveRun, value: float) -> str:
    """Return a value of the metric, such as 'accuracy 97.1 %' or 'MSE 0.06'."""
    task = live.choice.pairing.spec
    return f"{'accuracy' if task.metric == 'accuracy' else 'MSE'} {shown(value, task)}"


def ending(live: LiveRun) -> str:
    """Return what became of a training, in one or two sentences."""
    run = live.run
    if run.status == "error":
        return f"The loss refused what it was given: {run.error}."
    if run.status == "stopped":
        in_first = f"in the first epoch, after {counted(live.batches, 'batch', 'batches')}"
        after = f"after {counted(run.epochs, 'epoch')}" if run.epochs else in_first
        return f"Stopped {after}; the curves are kept, there is no test result."
    if run.status == "diverged" and not run.best_epoch:
        return "Diverged: the loss was no finite number (NaN) from the first epoch on."
    told = f"test {metric(live, run.test_metric)}, from epoch {run.best_epoch} of {run.epochs}"
    if run.status == "diverged":
        return f"Diverged: the loss became NaN in epoch {run.epochs}. The best epoch before that: {told}."
    lost = ", no better than a constant answer" if live.at_chance else ""
    return f"Done in {run.seconds:.0f} s: {told}{lost}. Yours: {TITLES[run.data]}, seed {run.seed}."
