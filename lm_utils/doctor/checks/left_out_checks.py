"""Is something left out: what a wrong yes costs, a class, labels that are true at once, who of two stands still?"""

from collections.abc import Iterator
from math import log

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.checks.batch_checks import cost_of, is_torchs_own
from lm_utils.doctor.checks.target_checks import holds_labels
from lm_utils.doctor.checks.trial import Trial
from lm_utils.doctor.checks.trial_checks import FEWEST, unstable
from lm_utils.doctor.output_origin import operation, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.sides import of_classes

YES_OR_NO = {"sigmoid", "logsigmoid", "binary_cross_entropy_with_logits"}
ONE_OF_MANY = {"softmax", "log_softmax", "cross_entropy"}
MOST_CLASSES = 8  # for which it is tried whether one is taken for another
LEVELS, SHARES, NOTHING = (1.0, 8.0, -8.0, 30.0, -30.0), (1 - 1e-7, 1e-7), 1e-5  # free answers, shares, and no loss


def check_left_out(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about what a formula of one's own never asks for."""
    heads = [t for t in tensors_in(seen.outputs) if t.requires_grad and t.is_floating_point()]
    goal = patient.targets
    if goal is None:
        yield from _meet_half_way(seen, patient, heads)
    if is_torchs_own(seen):
        return
    yield from _sure(patient)
    for trial in (Trial(seen, patient, head) for head in heads if head.dim()):
        if isinstance(goal, Tensor) and goal.dim() and bool((goal != goal[:1]).any()):
            yield from _one_for_all(seen, trial, goal)
            yield from _labels_compete(seen, trial, goal)
            yield from _classes_left_out(trial, goal)


class _Surer(TorchFunctionMode):
    """Whatever makes shares of scores is given sure ones: yes or no, or one class, each of them in turn."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        axis = 1 if name == "cross_entropy" else kwargs.get("dim", args[1] if len(args) > 1 else None)
        if args and (name in YES_OR_NO or (name in ONE_OF_MANY and axis is not None)) and args[0].requires_grad:
            given = args[0].detach()
            sure, size = self.side * given.sign(), -1.25 * log(torch.finfo(given.dtype).eps)  # 1 - exp(-size) is 1
            if name in ONE_OF_MANY:
                moved = given.movedim(axis, -1)
                turn = torch.arange(moved[..., 0].numel(), device=given.device) % moved.shape[-1]
                sure = F.one_hot(turn, moved.shape[-1]).view(moved.shape).movedim(-1, axis)
            args = (args[0] + (size * sure - given).masked_fill(given < -1e4, 0), *args[1:])
        return function(*args, **kwargs)


def _sure(patient: Patient) -> Iterator[Finding]:
    """A loss and its slopes must stay finite where the model is surer than it is now, either way."""
    for side in (1, -1):
        with _Surer(side):
            seen = patient.observe()
        found = [seen.loss, *(seen.slope_at(t) for t in tensors_in(seen.outputs))]
        if not all(bool(t.isfinite().all()) for t in found if isinstance(t, Tensor)):
            yield from unstable("sure")
            return


def _meet_half_way(seen: Observation, patient: Patient, heads: list[Tensor]) -> Iterator[Finding]:
    """Two outputs that learn with weights of their own: is any number a perfect answer, as long as both say it?"""
    weights = [{id(n.variable) for n in seen.behind(t) if operation(n) == "AccumulateGrad"} for t in heads]
    if len(heads) == 2 and not weights[0] & weights[1]:
        answers = [changed(seen.outputs, lambda t, at=at: torch.full_like(t, at) if t.requires_grad else t)
                   for at in (1.0, 2.0)]  # fmt: skip
        if all(abs(cost_of(patient, answer, None)[0]) < NOTHING for answer in answers):
            yield said("gradient_into_target")


def _one_for_all(seen: Observation, trial: Trial, goal: Tensor) -> Iterator[Finding]:
    """Targets differ and matter, and no loss is below zero: then outputs that are all the same cannot make it zero."""
    values, half = trial.outputs.detach(), len(goal) // 2
    other = 1 - values if (inside := bool(((values >= 0) & (values <= 1)).all())) else -values
    found = [trial(one) for one in (values, other, torch.cat([values[:half], other[half:]]))]
    costs = [*(cost for cost, _ in found), trial(values, goal.roll(1, 0))[0]]
    alone = torch.allclose(found[0][1][:half], found[2][1][:half], rtol=1e-3)  # no sample is compared with others
    asked = bool(found[0][1].reshape(len(values), -1).any(1).all())  # targets may be marks of what counts
    if not (alone and asked) or min(costs) < NOTHING or abs(costs[0] - costs[3]) < NOTHING or trial.tied:
        return
    levels = SHARES if inside and origin_of(trial.outputs).kind != "relu" else LEVELS

    def cost(level: float) -> float:  # what another output is less than this one may count, and not how large it is
        like = changed(trial.whole, lambda t: torch.full_like(t, level) if t.requires_grad else t)
        return max(abs(trial(torch.full_like(values, level))[0]), abs(cost_of(trial.patient, like, goal)[0]))

    best = next((level for level in levels if cost(level) < NOTHING), None)
    if best is not None:
        yield said("wrong_formula: one for all", level=best)


def _labels_compete(seen: Observation, trial: Trial, goal: Tensor) -> Iterator[Finding]:
    """A softmax of labels that may be true at once: each further one costs more, or one hinders another."""
    own = [s.argument(1, "dim") for s in trial.steps if s.name in ("softmax", "log_softmax") and s.result.shape
           == goal.shape == trial.outputs.shape and seen.watcher.sources(s.args) == {"outputs"}]  # fmt: skip
    several = own and goal.dim() > 1 and bool(((goal == 0) | (goal == 1)).all()) and bool(goal.sum(own[0]).max() > 1)
    if not several or holds_labels(trial.patient.inputs, goal):
        return
    first, least, most = goal * (goal.cumsum(own[0]) == 1), *goal.sum(own[0]).int().aminmax()
    (cost, slope), (single, _) = (trial(torch.zeros_like(trial.outputs), t) for t in (goal, first))
    if cost > 1.2 * single > 0 or bool((slope * goal > NOTHING * slope.abs().max()).any()):
        yield said("softmax_for_independent_labels", where="The loss applies a softmax", least=least, most=most)


def _classes_left_out(trial: Trial, goal: Tensor) -> Iterator[Finding]:
    """A class that occurs may not be taken for another one at no cost; the first class may be a background."""
    values = trial.outputs.detach()
    fits = values.dim() > 1 and len(goal) in (len(values), goal.numel())  # else time may come first in one of the two
    axis = next((a for a in (1, -1) if fits and values.select(a, 0).numel() == goal.numel()), None)
    if axis is None or not bool((goal == goal.floor()).all()) or not 2 <= goal.max() < MOST_CLASSES:
        return
    goal, classes = goal.long().reshape(values.select(axis, 0).shape), int(goal.max()) + 1
    if values.shape[axis] > classes + 1:
        return  # features, perhaps
    right, wrong = (trial(one)[0] for one in of_classes(values, goal) or (values, values))

    def costs(taken: Tensor) -> bool:
        return abs(trial(of_classes(values, taken)[0])[0] - right) >= NOTHING * abs(wrong - right)

    for number in range(1, classes) if right != wrong else ():
        here = goal == number
        few = (~here).flatten().nonzero().flatten()[: int(here.sum())]
        free = len(few) >= FEWEST // 2 and not all(
            costs(torch.where(here, k, goal)) for k in {(number + 1) % classes, 0}
        )
        if free and costs(goal.flatten().index_fill(0, few, number).view_as(goal)):  # the worst samples may be left out
            yield said("wrong_formula: class left out", number=number)
            return
