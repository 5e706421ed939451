"""Which of torch's losses is a formula of one's own? Its slopes tell, however it is written."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.checks.batch_checks import cost_with, is_torchs_own
from lm_utils.doctor.output_origin import origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.watching import LossCall

FEWEST = 8  # numbers of an output below which equal slopes say little
ASKED = 0.25  # share of the places at least that a formula must look at
BY_CLASS = {"own_cross_entropy": F.cross_entropy, "own_nll": F.nll_loss}
BY_PLACE = {"own_bce_logits": F.binary_cross_entropy_with_logits, "own_mse": F.mse_loss, "own_l1": F.l1_loss}
OF_SHARES = {"own_bce": F.binary_cross_entropy}
USUAL = BY_CLASS | BY_PLACE | OF_SHARES


@dataclass
class OwnLoss:
    """What a formula turned out to be: which loss, of which of the outputs and targets, along which axis."""

    name: str
    head: int
    goal: int
    axis: int = 1
    options: dict = field(default_factory=dict)
    asked: Tensor | None = None  # the places that count, where some do not

    def call(self, seen: Observation, patient: Patient) -> LossCall:
        """Return the call of torch's loss that the formula amounts to."""
        head, goal = list(tensors_in(seen.outputs))[self.head], list(tensors_in(patient.targets))[self.goal]
        scores, truth = self.arranged(head, goal)
        if self.asked is not None:
            scores = scores if scores.shape == truth.shape else scores.movedim(1, -1)
            scores, truth = (t[self.asked.view(truth.shape)] for t in (scores, truth))
        return LossCall(USUAL[self.name], self.name, scores, truth, self.options, seen.loss)

    def arranged(self, head: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
        """Put outputs and targets as torch's loss takes them."""
        if self.name not in BY_CLASS:
            return head, goal.reshape(head.shape).to(head.dtype)
        scores = head if self.axis == 1 else head.movedim(self.axis, 1)
        if goal.is_floating_point():
            return scores, goal if self.axis == 1 else goal.movedim(self.axis, 1)
        return scores, goal.reshape(scores.shape[:1] + scores.shape[2:]).long()


def own_losses(seen: Observation, patient: Patient) -> Iterator[OwnLoss]:
    """Find the losses that a formula of one's own amounts to, one for each output at most."""
    single = isinstance(seen.loss, Tensor) and seen.loss.numel() == 1 and seen.loss.requires_grad
    if seen.inside_model or not single or is_torchs_own(seen):
        return
    goals = list(tensors_in(patient.targets))
    for place, head in enumerate(tensors_in(seen.outputs)):
        if not (head.requires_grad and head.is_floating_point() and head.dim() and head.numel() >= FEWEST):
            continue
        for names in (BY_CLASS | BY_PLACE, OF_SHARES):
            drawn = torch.Generator().manual_seed(0)
            values = [torch.rand(head.shape, generator=drawn).to(head) * 0.8 + 0.1 for _ in range(2)]
            values = values if names is OF_SHARES else [3 * one.logit() for one in values]
            slopes = [cost_with(patient, seen.outputs, head, one)[1] for one in values]
            if not all(bool(s.any() and torch.isfinite(s).all()) for s in slopes):
                continue
            pairs = (one for number, goal in enumerate(goals) for one in _candidates(place, number, head, goal, names))
            found = next((one for one in pairs if _agrees(one, values, slopes, goals[one.goal])), None)
            if found is not None:
                known = [c for c in seen.calls if isinstance(c.input, Tensor)]
                own = found.call(seen, patient)
                if not any(c.family == own.family and c.input.grad_fn is own.input.grad_fn for c in known):
                    yield found
                break


def _candidates(place: int, number: int, head: Tensor, goal: Tensor, names: dict) -> Iterator[OwnLoss]:
    """Yield the losses that take an output and a target of these shapes."""
    for axis in dict.fromkeys((1, head.dim() - 1)) if head.dim() > 1 and names is not OF_SHARES else ():
        classes, places = head.shape[axis], head.shape[:axis] + head.shape[axis + 1 :]
        if goal.is_floating_point() and goal.shape == head.shape and classes > 1:
            yield OwnLoss("own_cross_entropy", place, number, axis)
        elif not goal.is_floating_point() and classes > 1 and goal.dtype != torch.bool and _meet(goal.shape, places):
            marks = goal[(goal < 0) | (goal >= classes)].unique().tolist()
            options = {"ignore_index": marks[0]} if marks else {}
            raw = origin_of(head).kind == "linear"  # a likelihood of such is unbounded, which another check says
            yield from (
                OwnLoss(name, place, number, axis, options) for name in [*BY_CLASS][: (2 - raw) * (len(marks) < 2)]
            )
    if _meet(goal.shape, head.shape):
        yield from (OwnLoss(name, place, number) for name in names if name not in BY_CLASS)


def _meet(one: torch.Size, other: torch.Size) -> bool:
    """Are these the same numbers side by side, but for axes of length 1?"""
    return [size for size in one if size != 1] == [size for size in other if size != 1]


def _agrees(one: OwnLoss, tried: list[Tensor], slopes: list[Tensor], goal: Tensor) -> bool:
    """Are these torch's slopes, up to a factor: one for all, or for three and more classes one for each place?"""
    factors, zeros = [], []
    for values, slope in zip(tried, slopes, strict=True):
        free = values.clone().requires_grad_()
        scores, truth = one.arranged(free, goal)
        with torch.enable_grad():
            try:
                cost = USUAL[one.name](scores, truth, reduction="sum", **one.options)
                usual = torch.autograd.grad(cost, free)[0]
            except (RuntimeError, IndexError):
                return False
        rows = (
            t.double().movedim(one.axis, -1) if one.name in BY_CLASS else t.double()[..., None] for t in (slope, usual)
        )
        own, usual = (t.reshape(-1, t.shape[-1]) for t in rows)
        zeros.append((own == 0).all(1))
        kept = ~zeros[-1] & usual.any(1)
        each = (own * usual).sum(1) / usual.square().sum(1).clamp(min=1e-300)
        whole = (own * usual).sum() / usual[kept].square().sum().clamp(min=1e-300)
        factor = each if own.shape[1] > 2 else whole.expand_as(each)
        off = (own - factor[:, None] * usual).abs().amax(1)[kept]
        if not bool((off <= 2e-3 * own.abs().amax(1)[kept] + 1e-7 * own.abs().max()).all() and (factor >= 0).all()):
            return False
        if float(kept.double().mean()) < ASKED or bool(own[~usual.any(1)].any()):
            return False
        factors.append(whole if factor is not each else torch.zeros(()))
    if not torch.equal(*zeros) or not torch.allclose(*factors, rtol=5e-3):
        return False
    return _left_out(one, goal, zeros[0])


def _left_out(one: OwnLoss, goal: Tensor, zero: Tensor) -> bool:
    """Note which places do not count; a label that alone is left out is an ignored one."""
    if not bool(zero.any()):
        return True
    if one.name in BY_CLASS and not goal.is_floating_point():
        left = goal.flatten()[zero].unique()
        if len(left) == 1 and not bool((goal.flatten()[~zero] == left).any()):
            one.options = {"ignore_index": int(left)}
            return True
    one.asked = ~zero
    return one.name not in BY_CLASS or not goal.is_floating_point()
