"""Notebook 15: the verdicts on the documents' claims, in sentences, figures and two menus."""

import html
from collections.abc import Sequence
from dataclasses import replace

import ipywidgets as widgets
import numpy as np
from IPython.display import Markdown
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import NOT_YET
from lm_utils.evidence.claims import Judged, verdict_of
from lm_utils.evidence.claims.claim import KINDS, VERDICTS
from lm_utils.evidence.our_verdicts import forecast, misses
from lm_utils.evidence.results import Results, baseline, reference, tested_digits, under_conditions
from lm_utils.evidence.sentences import sentence, shown
from lm_utils.lessons.start_here import recall
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import rows
from lm_utils.show.lab import lab, menu
from lm_utils.show.style import ALERT, COLORS, CONSTANT_LINE, LINES, MARKERS, QUIET, new_figure
from lm_utils.show_code import with_code
from lm_utils.tasks import TASKS

ALL = "all"


def chosen(judged: Sequence[Judged], document: str = ALL, verdict: str = ALL) -> list[Judged]:
    """Return the judged claims of a document with a verdict."""
    return [one for one in judged if document in (ALL, one.claim.document) and verdict in (ALL, one.verdict)]


def verdict_on(claim: str) -> Markdown:
    """Say of one claim what the document says, our verdict and our evidence."""
    judged = verdict_of(claim)
    return Markdown(
        f"Document {judged.claim.document}, section {judged.claim.section}: *{judged.claim.says}*"
        f"\n\n**{judged.signed}.** {judged.evidence}"
    )


def card(one: Judged) -> str:
    """Return a claim as a block of HTML: what the document says, the verdict, the evidence."""
    return (
        f"<article style='border-left:5px solid {ALERT if one.verdict == 'refuted' else QUIET};padding:.2em .9em;"
        f"margin:.5em 0;max-width:60em'><b>{one.claim.document} §{html.escape(one.claim.section)}</b>"
        f"{' (the document marks it as a guess)' if one.claim.guess else ''}: {html.escape(one.claim.says)}<br>"
        f"<b>{one.signed}</b>, {KINDS[one.claim.kind]}. {html.escape(one.evidence)}</article>"
    )


def browser(judged: Sequence[Judged]) -> widgets.VBox:
    """Show two menus, document and verdict, above the claims that they choose."""

    def page(document: str, verdict: str) -> str:
        found = chosen(judged, document, verdict)
        meaning = f": {VERDICTS[verdict]}" if verdict in VERDICTS else ""
        cards = "".join(map(card, found)) or "<p>No claim of this document has this verdict.</p>"
        return f"<p><b>{len(found)} of {len(judged)} claims</b>{meaning}.</p>{cards}"

    documents = sorted({one.claim.document for one in judged})
    return lab(
        page, document=menu("Document", [ALL, *documents], ALL), verdict=menu("Verdict", [ALL, *VERDICTS], "refuted")
    )


# --- the vote --------------------------------------------------------------------------------------------------------

SIGMOIDS = Pairing("multiclass", "bce", "sigmoid")
PRIOR = replace(SIGMOIDS, prior_bias=True)
REMOVED = {  # what an answer blames is kept, and the harm removed by other means
    "prior": ("The same ten sigmoids and the same loss, with nothing changed but where the output bias starts:", PRIOR),
    "relu": (
        "The same ten sigmoids and the same loss, behind hidden units with ReLU:",
        replace(SIGMOIDS, hidden="relu"),
    ),
    "softmax": ("The same loss behind a softmax:", replace(SIGMOIDS, activation="softmax")),
}
VOTES = {
    "Sigmoid outputs do not sum to one, so the largest one means nothing": "prior",
    "Sigmoid cannot express ten classes that exclude each other": "relu",
    "Binary cross-entropy is the wrong loss for ten classes": "softmax",
    "Something goes wrong in the first steps of training, and it never recovers": "start",
    "It would learn, given more patience": "patience",
}


def vote_answer(results: Results | None = None) -> Markdown:
    """Return each answer of the first notebook's vote, with what the runs say about it."""
    results = results or reference()
    mine = recall("scripts")
    head = f"**Your vote was:** {mine}." if mine in VOTES else "You have not voted in notebook 00 on this machine."
    lines = [f"- **{option}.** {vote_evidence(kind, results)}" for option, kind in VOTES.items()]
    return with_code("\n".join([head, "", *lines, "", f"*Runs: {results.of_rows().origin}*"]))


def vote_evidence(kind: str, results: Results) -> str:
    """Say what speaks for or against one answer."""
    if kind in REMOVED:
        words, pairing = REMOVED[kind]
        return f"{words} {sentence(pairing, results)}"
    if kind == "start":
        return f"{sentence(SIGMOIDS, results)} {sentence(PRIOR, results)} Only the start differs."
    runs = under_conditions("collapse", results.data).get("patience-40", [])
    if not runs:
        return f"Four times the patience: {NOT_YET}"
    best = shown(max(run["test_metric"] for run in runs), TASKS["multiclass"])
    return f"With a patience of 40 epochs instead of 10, the best of {len(runs)} runs reaches {best}."


# --- refutations as figures ------------------------------------------------------------------------------------------


def bound_figure(outputs: Tensor, cost: Tensor, results: Results | None = None) -> Figure:
    """Draw what constant outputs cost, the error that document 000 published, and where our networks ended."""
    results = (results or reference()).only("regression")
    targets = TASKS["regression"].target(tested_digits("mnist"))
    mean, deviation = targets.mean().item(), targets.std().item()
    row = next(row for row in rows() if row.id == "000-3-1-bce-logits")
    runs = [run for run in results.of(row.pairing) if run["outputs"].get("mean_by_digit")]
    ends = [(np.mean(run["outputs"]["mean_by_digit"]) - mean) / deviation for run in runs]
    figure, axis = new_figure(width=11, height=4.8)
    axis.axvspan(0, 1, color="0.88", label="outputs that a sigmoid would allow")
    axis.plot(outputs, cost, LINES[0], color=COLORS[0], label="MSE if every image got this output")
    axis.plot(
        ends, [run["test_metric"] for run in runs], MARKERS[3], color="black", ls="", label="our runs, one a seed"
    )
    axis.axhline(row.test, color=COLORS[3], ls=LINES[1], label=f"published MSE: {row.test:.2f}")
    chance = baseline("regression")
    axis.axhline(chance, **CONSTANT_LINE, label=f"best constant answer: {chance:.2f}")
    axis.set(xlabel="output of the network (standardised; mean over digits)", ylabel="MSE on the original scale")
    axis.set_ylim(0, None)
    axis.set_title(results.of_pairings([row.pairing]).origin, fontsize=12)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    worst = cost[(outputs > -0.01) & (outputs < 1.01)].max()
    seen = f" Our networks' outputs lie between {min(ends):.1f} and {max(ends):.1f} (standardised)." if ends else ""
    figure.set_label(
        f"No constant output from 0 to 1 costs more than {worst:.2f}; the published MSE is {row.test:.2f}.{seen}"
    )
    return figure


SOFTMAX_LABELS = tuple(Pairing("multilabel", loss, "softmax") for loss in ("mse", "bce", "cross_entropy"))
SIGMOID_LABELS = Pairing("multilabel", "bce", "sigmoid")


def cut_figure(results: Results | None = None) -> Figure:
    """Draw the accuracy of softmax over labels with the cut at one half and with the one that suits the validation."""
    pairings = [*SOFTMAX_LABELS, SIGMOID_LABELS]
    results = (results or reference()).of_pairings(pairings)
    figure, axis = new_figure(width=10, height=4.2)
    words = []
    looks = {"test_metric": (3, "s", "cut at 0.5"), "accuracy_at_cut": (0, "o", "cut chosen on validation images")}
    for y, pairing in enumerate(pairings):
        for name, (color, mark, title) in looks.items():
            scores = 100 * st.finite(list(results.scores(pairing, name).values()))
            heights, label = y + np.linspace(-0.2, 0.2, len(scores)), title if y == 0 else None
            axis.plot(scores, heights, mark, color=COLORS[color], alpha=0.8, ms=6, ls="", label=label)
            if len(scores):
                words.append(f"{pairing.label}, {title}: {scores.mean():.1f} %")
    axis.set_yticks(range(len(pairings)), [pairing.label for pairing in pairings])
    axis.invert_yaxis()
    axis.set(xlabel="test accuracy over all labels (%), a mark for each seed", title=results.origin)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.set_label(f"Accuracy of the same trained networks with two cuts. {'; '.join(words) or 'Not trained yet'}.")
    return figure


# --- our own verdicts ------------------------------------------------------------------------------------------------


def forecast_misses(results: Results | None = None) -> Markdown:
    """Say what became of each of those forecasts that did not come out."""
    results, lines = results or reference(), []
    for pairing in misses(results):
        since = "Still" if pairing.verdict == forecast(pairing) else "Now"
        why = f"{since} called {pairing.verdict}: {pairing.advice.reason}"
        outcome = sentence(pairing, results, whose=False)
        lines.append(f"- {pairing.task}, called {forecast(pairing)}: {outcome} {why}")
    return with_code("\n".join(lines))
