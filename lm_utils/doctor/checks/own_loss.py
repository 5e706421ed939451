"""Which of torch's losses is a formula of one's own? Its slopes tell, however it is written and wherever it begins."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, product
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.checks.batch_checks import is_torchs_own
from lm_utils.doctor.checks.formula_checks import behind, is_uneven, kind_of
from lm_utils.doctor.output_origin import nodes_behind, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding
from lm_utils.doctor.watching import LOSSES, LossCall

FEWEST, MOST = 8, 12  # numbers below which equal slopes say little; tensors at which a loss may begin, and its targets
ASKED = 0.25  # share of the places at least that a formula must look at
NEARLY = 1e-3  # how near to one the sum of shares must be
BY_CLASS = {
    "own_cross_entropy": F.cross_entropy, "own_nll": F.nll_loss,
    "own_nll_of_shares": lambda logs, t, reduction="mean": -(logs * t).sum() / (len(t) if reduction == "mean" else 1),
}  # fmt: skip
BY_PLACE = {"own_bce_logits": F.binary_cross_entropy_with_logits, "own_mse": F.mse_loss, "own_l1": F.l1_loss}
OF_SHARES = {
    "own_bce": lambda p, t, reduction="mean": F.binary_cross_entropy_with_logits(p.logit(), t, reduction=reduction)
}
USUAL = BY_CLASS | BY_PLACE | OF_SHARES
OUTPUTS, TARGETS = -1, -2  # in a place: not a step's tensors, but these


@dataclass
class OwnLoss:
    """What a formula turned out to be: which loss, of which tensors (step and number), along which axis."""

    name: str
    head: tuple[int, int]
    goal: tuple[int, int]
    axis: int = 1
    options: dict = field(default_factory=dict)

    def call(self, seen: Observation, patient: Patient) -> LossCall | None:
        """Return the call of torch's loss that the formula amounts to; None where it now goes another way."""
        held = [*(step.tensors for step in seen.watcher.steps), patient.targets, seen.outputs]
        try:
            scores, truth = self.arranged(*(list(tensors_in(held[k]))[n] for k, n in (self.head, self.goal)))
        except (LookupError, RuntimeError):
            return None
        return LossCall(USUAL[self.name], self.name, scores, truth, self.options, seen.loss)

    def arranged(self, head: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
        """Put outputs and targets as torch's loss takes them."""
        if self.name not in BY_CLASS:
            return head, goal.reshape(head.shape).to(head.dtype)
        scores = head if self.axis == 1 else head.movedim(self.axis, 1)
        if goal.is_floating_point():
            return scores, goal if self.axis == 1 else goal.movedim(self.axis, 1)
        places = scores.shape[:1] + scores.shape[2:]
        return scores, goal if goal.shape == places else goal.reshape(places)


def read_own_losses(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Add the calls of torch's losses that a formula of one's own amounts to, those nearest to the outputs."""
    single = isinstance(seen.loss, Tensor) and seen.loss.numel() == 1 and seen.loss.requires_grad
    if seen.inside_model or not single or is_torchs_own(seen):
        return
    (heads, goals), beyond = _met(seen, patient), behind(seen, [call.input for call in seen.calls])
    for (place, head), term in product(heads, islice(_terms(seen, seen.loss), MOST)):
        slope = torch.zeros(1) if id(head) in beyond else _slope(seen, term, term, head)
        if not bool(slope.any() and torch.isfinite(slope).all()):
            continue
        after, ends = behind(seen, head), {t.grad_fn for t in tensors_in(seen.outputs)}.intersection(seen.behind(head))
        known = {call.family for call in seen.calls if id(call.input) in after}
        if not ends.isdisjoint(nodes_behind(term.grad_fn, head.grad_fn)):
            known.add("nll")  # its slopes alone say little where the outputs reach the loss on another way too
        pairs = ((one, goal) for where, goal in goals for one in _candidates(place, where, head, goal)
                 if LOSSES[one.name][0] not in known)  # fmt: skip
        with suppress(Exception):  # what a stranger's code does need not be repeatable
            one = next(one for one, goal in pairs if _agrees(one, [head.detach()], [slope], goal) and _agrees(
                one, *_elsewhere(seen, one, head, term, goal), goal, origin_of(head).kind == "sigmoid"))  # fmt: skip
            patient.own.append(one)
            seen.calls = [*seen.calls, one.call(seen, patient)]
            beyond |= after
    yield from ()


def _met(seen: Observation, patient: Patient) -> list[list[tuple[tuple[int, int], Tensor]]]:
    """Return the tensors at which a loss may begin, and those that may be its targets, each at its first place."""
    found = [{}, {}]
    steps = enumerate(step.tensors for step in seen.watcher.steps)
    for step, held in ((OUTPUTS, seen.outputs), (TARGETS, patient.targets), *steps):
        for number, t in enumerate(tensors_in(held)):
            own = seen.watcher.sources(t)
            begins = own == {"outputs"} and t.requires_grad and t.is_floating_point() and t.dim() > 0
            whole = bool(own) and not t.is_floating_point()
            ends = not t.requires_grad and "outputs" not in own and (whole or is_uneven(t))
            if (begins or ends) and t.numel() >= FEWEST and len(found[not begins]) < MOST:
                found[not begins].setdefault(id(t), ((step, number), t))
    return [list(one.values()) for one in found]


def _terms(seen: Observation, loss: Tensor) -> Iterator[Tensor]:
    """Yield the loss, then the numbers that it is the sum of, with or without weights."""
    yield loss
    step = next((step for step in seen.watcher.steps if step.result is loss), None)
    if step is not None and kind_of(step) in ("add", "sub", "mul", "div", "stack", "sum", "neg"):
        for part in (t for t in step.tensors if t.requires_grad and not t.dim()):
            yield from _terms(seen, part)


def _slope(seen: Observation, value: Tensor, term: Tensor, at: Tensor) -> Tensor:
    """Return the slope of a value of this term, with the weight that the term has in the loss."""
    slope = torch.autograd.grad(value, at, seen.slope_at(term), allow_unused=True, retain_graph=True)[0]
    return torch.zeros_like(at) if slope is None else slope


def _elsewhere(
    seen: Observation, one: OwnLoss, head: Tensor, term: Tensor, goal: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Go through the formula again with other values of one of its tensors, and return them with the slopes there."""
    drawn, values, slopes = torch.Generator().manual_seed(0), [], []
    for _ in range(2):
        value = torch.rand(head.shape, generator=drawn).to(head) * 0.8 + 0.1
        value = value if one.name in OF_SHARES else 3 * value.logit()
        value = goal.double().mean() + goal.double().std() * value if one.name in ("own_mse", "own_l1") else value
        values.append(value.to(head).requires_grad_())
        known = {id(head): values[-1]}
        for step in (step for step in seen.watcher.steps if any(id(t) in known for t in step.tensors)):
            if any(step.result is first for first in step.args[:1]):  # written into
                known.setdefault(id(step.result), step.result.detach().clone())
            with torch.set_grad_enabled(step.with_graph):
                args, kwargs = changed((step.args, step.kwargs), lambda t, known=known: known.get(id(t), t))
                made = step.function(*args, **kwargs)
            made = args[0] if made is None else made
            known |= {id(old): new for old, new in zip(tensors_in(step.result), tensors_in(made), strict=True)}
        slopes.append(_slope(seen, known[id(term)], term, values[-1]))
    return values, slopes


def _candidates(head_at: tuple[int, int], goal_at: tuple[int, int], head: Tensor, goal: Tensor) -> Iterator[OwnLoss]:
    """Yield the losses that take an output and a target of these shapes."""
    whole = not goal.is_floating_point() and goal.dtype != torch.bool
    for axis in dict.fromkeys((1, head.dim() - 1)) if head.dim() > 1 else ():
        classes, places = head.shape[axis], head.shape[:axis] + head.shape[axis + 1 :]
        if goal.is_floating_point() and goal.shape == head.shape and classes > 1:
            yield OwnLoss("own_cross_entropy", head_at, goal_at, axis)
            if goal_at[0] == TARGETS and bool(((head.exp().sum(axis) - 1).abs() < NEARLY).all()):
                yield OwnLoss("own_nll_of_shares", head_at, goal_at, axis)
        elif whole and classes > 1 and goal.numel() == prod(places):
            marks = goal[(goal < 0) | (goal >= classes)].unique().tolist()
            options = {"ignore_index": marks[0]} if marks else {}
            names = list(BY_CLASS)[:2] if len(marks) < 2 else []
            yield from (OwnLoss(name, head_at, goal_at, axis, options) for name in names)
    if goal.numel() == head.numel():
        shares = bool(((head > 0) & (head < 1)).all())
        yield from (OwnLoss(name, head_at, goal_at) for name in BY_PLACE | (OF_SHARES if shares else {}))


def _agrees(one: OwnLoss, tried: list[Tensor], slopes: list[Tensor], goal: Tensor, one_way: bool = False) -> bool:
    """Are these torch's slopes, up to a factor: one for all, or for three and more classes one for each place?"""
    one_way = one_way or one.name in BY_CLASS or len(tried) == 1  # may all point one way, as those of a mean do
    factors, zeros = [], []
    for values, slope in zip(tried, slopes, strict=True):
        free = values.detach().clone().requires_grad_()
        scores, truth = one.arranged(free, goal)
        with torch.enable_grad():
            try:
                truth = truth.long() if one.name in BY_CLASS and not truth.is_floating_point() else truth
                cost = USUAL[one.name](scores, truth, reduction="sum", **one.options)
                usual = torch.autograd.grad(cost, free)[0]
            except (RuntimeError, IndexError):
                return False
        rows = (
            t.double().movedim(one.axis, -1) if one.name in BY_CLASS else t.double()[..., None] for t in (slope, usual)
        )
        own, usual = (t.reshape(-1, t.shape[-1]) for t in rows)
        zeros.append((own == 0).all(1) & usual.any(1))
        kept = ~zeros[-1] & usual.any(1)
        each = (own * usual).sum(1) / usual.square().sum(1).clamp(min=1e-300)
        whole = (own * usual).sum() / usual[kept].square().sum().clamp(min=1e-300)
        of_rows = own.shape[1] > 2 and not goal.is_floating_point()  # else it may be what makes shares of a row
        factor = each if of_rows else whole.expand_as(each)
        off = (own - factor[:, None] * usual).abs().amax(1)[kept]
        if not bool((off <= 2e-3 * own.abs().amax(1)[kept] + 1e-5 * own.abs().max()).all() and (factor >= 0).all()):
            return False
        if float(kept.double().mean()) < ASKED or bool(own[~usual.any(1)].any()):
            return False
        if not one_way and not bool((usual > 0).any() and (usual < 0).any()):
            return False
        factors.append(whole if factor is not each else torch.zeros(()))
    if not torch.equal(zeros[0], zeros[-1]) or not torch.allclose(factors[0], factors[-1], rtol=5e-3):
        return False
    return len(tried) == 1 or not bool(zeros[0].any()) or _is_ignored(one, goal, zeros[0])


def _is_ignored(one: OwnLoss, goal: Tensor, zero: Tensor) -> bool:
    """Is what does not count one label, and nothing else? Then it is an ignored one."""
    left = goal.flatten()[zero].unique() if one.name in BY_CLASS and not goal.is_floating_point() else ()
    if len(left) == 1 and not bool((goal.flatten()[~zero] == left).any()):
        one.options = {"ignore_index": int(left)}
        return True
    return False
