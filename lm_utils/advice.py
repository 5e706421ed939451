"""The verdict on a pairing before anyone trains it, and why: of an ordered list of rules the first that fits wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lm_utils.activations import ACTIVATIONS
from lm_utils.losses import LOSSES
from lm_utils.tasks import TASKS

if TYPE_CHECKING:
    from lm_utils.pairing import Pairing

MEANING = {
    "recommended": "Loss, activation and task say the same thing.",
    "workable": "It learns the task; what it costs shows in speed or in what its outputs mean.",
    "handicapped": "It learns less than it could, or fails in some runs or in all, though it could do better than a "
    "constant answer.",
    "impossible": "It cannot do better than a constant answer, or it stops with an error.",
}
VERDICTS = tuple(MEANING)
VALUE_LOSSES = ("mse", "mae", "rmse", "huber")


@dataclass(frozen=True)
class Advice:
    """A verdict, the reason for it, and the whole paragraph."""

    verdict: str
    reason: str
    paragraph: str


@dataclass(frozen=True)
class Rule:
    """If this condition holds, this is the verdict and the reason."""

    applies: Callable[[Pairing], bool]
    verdict: str
    reason: str


def common_push(p: Pairing) -> bool:
    """Whether outputs that start far above their rare labels let all images push a sigmoid hidden layer one way."""
    return p.task == "multiclass" and p.hidden == "sigmoid" and not p.prior_bias


def value(p: Pairing) -> bool:
    """Whether the task asks for a number."""
    return TASKS[p.task].kind == "value"


def single(p: Pairing) -> bool:
    """Whether the task has one yes/no output."""
    return TASKS[p.task].kind == "single"


def exclusive(p: Pairing) -> bool:
    """Whether exactly one class is true."""
    return TASKS[p.task].kind == "exclusive"


def absolute(p: Pairing) -> bool:
    """Whether the loss is the absolute error; for outputs from 0 to 1 the hinge loss is, but for a constant."""
    return p.loss == "mae" or (p.loss == "hinge" and p.activation in ("sigmoid", "softmax"))


RULES: tuple[Rule, ...] = (
    # one output through softmax says 1, whatever the image
    Rule(lambda p: p.activation == "softmax" and TASKS[p.task].outputs == 1, "impossible",
         "Softmax over a single output is always 1, so nothing can be learnt."),
    # numbers
    Rule(lambda p: value(p) and p.loss == "hinge", "impossible",
         "The hinge loss needs labels of -1 and +1; a number has none."),
    Rule(lambda p: value(p) and p.loss == "cross_entropy" and p.activation == "sigmoid" and p.normalize, "handicapped",
         "The batch is read as one sample; standardised targets add up to about 0, so each output is pushed up where "
         "its target is positive and down where it is negative, to the ends of the sigmoid: it tells large numbers "
         "from small ones and no more."),
    Rule(lambda p: value(p) and p.loss == "cross_entropy", "impossible",
         "The batch is read as one sample with as many classes as images; softmax ignores a shift of all "
         "outputs, so no value is ever pinned down."),
    Rule(lambda p: value(p) and p.loss == "bce" and p.activation != "sigmoid_inverse", "impossible",
         "nn.BCELoss refuses outputs or targets outside [0, 1], and these targets lie outside."),
    Rule(lambda p: value(p) and p.loss == "bce_logits" and p.activation != "sigmoid_inverse", "impossible",
         "With targets outside [0, 1] this loss has no lower bound: it rewards outputs that run away from"
         " the target."),
    Rule(lambda p: value(p) and p.loss == "bce_logits", "handicapped",
         "The sigmoid is applied twice, so the loss only ever sees probabilities between 0.5 and 0.731."),
    Rule(lambda p: value(p) and p.activation == "sigmoid_inverse" and not p.normalize, "handicapped",
         "The sigmoid squeezes the raw targets 1 to 6 into 0.73 to 0.998: they hardly differ any more, and all lie"
         " above where the outputs start."),
    Rule(lambda p: value(p) and p.activation == "sigmoid_inverse", "workable",
         "Both sides pass a sigmoid, which squeezes large values together: equal errors no longer cost "
         "the same, and rounding limits the inverse."),
    Rule(lambda p: value(p) and p.activation == "sigmoid" and not p.normalize, "impossible",
         "The outputs stay below 1 and the targets run from 1 to 6."),
    Rule(lambda p: value(p) and p.activation == "sigmoid", "handicapped",
         "The outputs stay between 0 and 1, so every target below the mean or more than one deviation "
         "above it is out of reach."),
    Rule(lambda p: value(p) and p.activation == "relu" and p.normalize, "handicapped",
         "ReLU cannot emit a negative number, and about half of the standardised targets are negative; it"
         " may also be dead from the start."),
    Rule(lambda p: value(p) and p.activation == "relu", "handicapped",
         "The range fits, but an output that starts negative for every image has no gradient and never "
         "learns."),
    Rule(lambda p: value(p) and not p.normalize and p.hidden == "sigmoid", "handicapped",
         "Every target lies above where the outputs start, so all images push the sigmoid hidden layer the same way;"
         " it can saturate before anything is learnt, and the network then says the mean."),
    Rule(lambda p: value(p) and not p.normalize, "workable",
         "Nothing limits the outputs; without standardised targets the first epochs go into reaching their mean."),
    Rule(value, "recommended",
         "Nothing limits the outputs, the targets are standardised, and the loss measures distance."),
    # nn.BCELoss wants probabilities
    Rule(lambda p: p.loss == "bce" and p.activation in ("none", "relu"), "impossible",
         "nn.BCELoss raises an error as soon as an output leaves [0, 1], and nothing keeps it there."),
    # several labels at once
    Rule(lambda p: p.task == "multilabel" and p.activation == "softmax", "handicapped",
         "Softmax shares one unit of probability among the labels, so two true labels end near one half "
         "each, on the edge of the decision."),
    Rule(lambda p: p.task == "multilabel" and p.loss == "cross_entropy" and p.activation == "sigmoid", "workable",
         "Cross-entropy makes the labels compete, but what is true is pushed up and the rest down, and the sigmoid "
         "gives both an end, 1 and 0."),
    Rule(lambda p: p.task == "multilabel" and p.loss == "cross_entropy", "handicapped",
         "Cross-entropy makes the labels compete for one unit of probability, though several can be true "
         "at once."),
    # one yes/no output
    Rule(lambda p: single(p) and p.loss == "cross_entropy" and p.activation == "none", "impossible",
         "nn.CrossEntropyLoss reads the batch as one sample and makes its images compete; read as a probability, the"
         " softmax of the single output is 1 for every image."),
    Rule(lambda p: single(p) and p.loss == "cross_entropy" and p.activation == "sigmoid", "workable",
         "nn.CrossEntropyLoss reads the batch as one sample and makes its images compete, but the sigmoid gives "
         "winners and losers an end, 1 and 0, so the cut at one half still works."),
    Rule(lambda p: single(p) and p.loss == "cross_entropy", "handicapped",
         "nn.CrossEntropyLoss reads the batch as one sample and compares its images with each other, not "
         "each image with its label."),
    Rule(lambda p: single(p) and absolute(p) and p.activation == "sigmoid", "handicapped",
         "The absolute error is lowest at 0 or 1, whichever answer is the likelier one, and the sigmoid's slope fades"
         " there: a run that settles on one answer for all images does not come back."),
    # ReLU as an output
    Rule(lambda p: p.activation == "relu", "handicapped",
         "ReLU cannot emit a negative number and passes no gradient where it emits 0, so an output can be"
         " dead from the start."),
    # the fitting ones
    Rule(lambda p: exclusive(p) and p.loss == "cross_entropy" and p.activation == "none", "recommended",
         "nn.CrossEntropyLoss applies the softmax itself; the raw outputs are the logits it wants."),
    Rule(lambda p: not exclusive(p) and (p.loss, p.activation) in (("bce", "sigmoid"), ("bce_logits", "none")),
         "recommended",
         "Each output is an independent yes/no probability, and the loss is its negative log-likelihood."),
    # activations applied twice
    Rule(lambda p: p.loss == "cross_entropy" and p.activation == "softmax", "workable",
         "The loss applies softmax a second time to outputs that already lie in [0, 1]; it can never "
         "reach 0 and its gradient is smaller. The largest output still wins, but slowly: with few images or rare "
         "classes early stopping may come too soon."),
    Rule(lambda p: p.loss == "cross_entropy" and p.activation == "sigmoid", "workable",
         "The loss takes the sigmoid outputs for logits, so no logit can exceed another by more than 1; it can never"
         " reach 0, but the largest output still wins."),
    Rule(lambda p: p.loss == "bce_logits" and p.activation == "softmax", "workable",
         "The loss applies a sigmoid to outputs that already lie in [0, 1]; it can never reach 0, but the"
         " largest output still wins."),
    Rule(lambda p: p.loss == "bce_logits" and p.activation == "sigmoid", "handicapped",
         "The sigmoid is applied twice, so the loss only ever sees probabilities between 0.5 and 0.731."),
    # ten rare classes, each asked on its own
    Rule(lambda p: p.task == "multiclass" and p.loss in VALUE_LOSSES and p.activation == "none", "workable",
         "The outputs are fitted to 0 and 1 as if they were numbers. They start near 0, not far from the rate of one "
         "in ten, so nothing pushes the hidden layer far."),
    Rule(lambda p: common_push(p) and p.activation != "softmax" and p.loss != "cross_entropy", "handicapped",
         "Ten yes/no questions, each with 'no' as the right answer nine times in ten, all push the "
         "sigmoid hidden layer the same way at the start; it can saturate before anything is learnt."),
    Rule(lambda p: p.task == "multiclass" and p.loss in VALUE_LOSSES and p.activation == "sigmoid"
         and p.hidden == "relu" and not p.prior_bias, "handicapped",
         "The first steps drive all ten sigmoids towards 0, where the slope of a distance fades; some classes may"
         " never come back."),
    Rule(lambda p: p.loss == "hinge" and p.activation == "none", "workable",
         "Only the margin counts: the classes separate, but no output is a probability."),
    Rule(lambda p: exclusive(p) and p.loss in ("bce", "bce_logits") and p.activation != "softmax", "workable",
         "The classes are asked one by one although exactly one is true; the largest answer wins."),
    Rule(lambda p: exclusive(p) and p.loss == "bce", "workable",
         "Softmax makes the classes compete, and the loss scores every class, not the true one alone."),
    Rule(lambda p: p.loss in VALUE_LOSSES and p.activation == "none", "workable",
         "The outputs are fitted to 0 and 1 as if they were numbers; the cut at one half decides."),
    Rule(lambda p: p.loss in VALUE_LOSSES or absolute(p), "workable",
         "A distance between probability and label: it is lowest at the right answer, but a confident "
         "mistake costs at most about 1 and its gradient fades."),
)  # fmt: skip


def advise(p: Pairing) -> Advice:
    """The first rule that applies, told as a paragraph."""
    rule = next(rule for rule in RULES if rule.applies(p))
    paragraph = " ".join([received(p), rule.reason, f"Verdict: {rule.verdict}. {MEANING[rule.verdict]}"])
    return Advice(rule.verdict, rule.reason, paragraph)


def received(p: Pairing) -> str:
    """One sentence: what the network emits and what the loss gets to see."""
    task, loss, activation = TASKS[p.task], LOSSES[p.loss], ACTIVATIONS[p.activation]
    emitted = f"The network ends with {activation.title} and emits {task.outputs} number{'s' * (task.outputs > 1)}"
    if p.loss == "cross_entropy" and task.outputs == 1:
        return f"{emitted} per image; {loss.code} gets outputs and targets flattened to [N]."
    targets = {
        "value": "standardised numbers [N, 1]" if p.normalize else "numbers [N, 1]",
        "single": "0 or 1 as [N, 1]",
        "exclusive": "class indices [N]" if loss.form == "indices" else f"one-hot rows [N, {task.outputs}]",
        "labels": f"multi-hot rows [N, {task.outputs}]",
    }[task.kind]
    if loss.form == "signs":
        targets = "labels of -1 and +1"
    if loss.form == "signs" and absolute(p) and task.kind != "value":
        targets += " (on outputs from 0 to 1 that is the absolute error, plus a constant)"
    inside = {"none": "", "sigmoid": ", applies a sigmoid itself", "softmax": ", applies softmax itself"}
    return f"{emitted} per image; {loss.code} compares them with {targets}{inside[loss.contains]}."
