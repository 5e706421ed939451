"""Outputs that are no answers: means and spreads, views of a sample, the shares of actions."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count

import torch
from torch import Tensor

from lm_utils.doctor.batch_checks import cost_of, cost_with
from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.formula_checks import kind_of, of
from lm_utils.doctor.output_origin import nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.trial_checks import of_classes
from lm_utils.doctor.watching import LOSSES

KEEPS = {"mul", "div", "neg", "negative", "clamp", "clip", "float", "squeeze", "flatten", "view", "reshape"}
AWAY = 0.7  # from the prior, in both directions
LARGE, FAR_HEAVIER = 32, 8  # numbers of an output, and how many times the error's weight is too much
NO_SLOPE = 1e-3  # of the slope further out, below which a slope counts as zero


def check_gaussian(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Try other means and spreads on the loss, where a head goes through an exponential in it."""
    heads = _heads(seen.outputs)
    spreads = [place for place, head in enumerate(heads) if _is_exponentiated(seen, head)]
    if patient.pick or len(heads) < 2 or len(spreads) != 1 or not isinstance(seen.loss, Tensor):
        return
    spread = spreads[0]
    if origin_of(heads[spread]).low >= 0:
        yield said("range_cannot_reach_targets")
    if spread and heads[spread - 1].shape == heads[spread].shape:
        yield from _divergence(seen, patient, heads, spread)
    yield from _likelihood(seen, patient, spread)


def _heads(outputs: object) -> list[Tensor]:
    values = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
    fits = isinstance(values, (list, tuple)) and all(isinstance(v, Tensor) and v.is_floating_point() for v in values)
    return list(values) if fits else []


def _is_exponentiated(seen: Observation, head: Tensor, *others: str) -> bool:
    reached = {id(head)}
    for step in seen.watcher.steps:
        if step.tensors and id(step.tensors[0]) in reached and all(id(t) in reached for t in step.tensors):
            if kind_of(step) in ("exp", *others):
                return True
            reached |= {id(t) for t in tensors_in(step.result)} if kind_of(step) in KEEPS else set()
    return False


def _at(
    patient: Patient, outputs: object, spread: int, mean: float | None, level: float, elsewhere: bool = False
) -> tuple[float, Tensor]:
    """Return the loss and its two slopes where both heads hold one number; None leaves the mean alone.

    The other heads and the targets are moved where `elsewhere` says so.
    """
    given, places = {spread: level} if mean is None else {spread - 1: mean, spread: level}, count()

    def filled(head: Tensor) -> Tensor:
        level = given.get(next(places))
        if level is None:
            return head.roll(1, 0) if elsewhere else head
        return torch.full_like(head, level)

    targets = changed(patient.targets, lambda t: t.roll(1, 0) * 0.5 if t.is_floating_point() else t.roll(1, 0))
    cost, slopes = cost_of(patient, changed(outputs, filled), targets if elsewhere else patient.targets)
    return cost, torch.stack([slopes[spread - 1].mean(), slopes[spread].mean()])


def _divergence(seen: Observation, patient: Patient, heads: list[Tensor], spread: int) -> Iterator[Finding]:
    """A term of mean and spread alone, as a variational autoencoder has it: least at 0 and 0."""
    trial = partial(_at, patient, seen.outputs, spread)
    (here, slope), (up, out), (down, _) = trial(0, 0), trial(AWAY, AWAY), trial(-AWAY, -AWAY)
    scale = out.abs().max()
    alone = torch.allclose(trial(0, 0, True)[1], slope, atol=float(NO_SLOPE * scale)) and torch.allclose(
        trial(AWAY, AWAY, True)[1], out, atol=float(NO_SLOPE * scale))  # fmt: skip
    if not alone or bool(out.abs().min() == 0):
        return  # it depends on the targets or on other heads: no divergence from a fixed prior
    steep = slope.abs() > 10 * NO_SLOPE * scale
    if bool(steep.any()) or up < here > down:
        what = "is greatest" if not bool(steep.any()) else "is not least"
        yield said("wrong_formula: divergence", what=what)
        return
    yield from _out_of_balance(seen, patient, heads, spread, float(out[0]) / AWAY * len(heads[spread]))
    if out[1] < 1.5 * out[0]:  # the divergence reads the head as a logarithm of the variance
        yield from _noise_too_loud(heads[spread], seen.outputs)


def _out_of_balance(
    seen: Observation, patient: Patient, heads: list[Tensor], spread: int, weight: float
) -> Iterator[Finding]:
    """Beside a divergence of a sample, whose weight is given, stands an error averaged over the sample's numbers."""
    goals = [t for t in tensors_in([patient.targets, patient.inputs]) if t.is_floating_point() and t.dim() > 1]
    for head in [*heads[: spread - 1], *heads[spread + 1 :]]:
        goal = next((t for t in goals if t.shape == head.shape), None)
        if goal is None or (size := head[0].numel()) < LARGE:
            continue
        other = (goal + goal.roll(1, 0)) / 2
        right, wrong = (cost_with(patient, seen.outputs, head, value)[0] for value in (goal, other))
        each = (wrong - right) / float((goal - other).square().sum() / len(goal))
        if 0 < each < 16 / size and weight > FAR_HEAVIER * each:
            yield said("terms_out_of_balance", times=weight / each, size=size)


def _noise_too_loud(log_var: Tensor, outputs: object) -> Iterator[Finding]:
    """Noise is multiplied by a deviation; the exponential of log_var itself is the variance."""
    nodes = [node for tensor in tensors_in(outputs) for node in nodes_behind(tensor.grad_fn)]
    made = [node._saved_result for node in nodes if operation(node) == "Exp"]
    if any(m.shape == log_var.shape and torch.allclose(m, log_var.exp()) for m in made) and not any(
            operation(node) == "Sqrt" for node in nodes):  # fmt: skip
        yield said("wrong_formula: noise too loud")


def _likelihood(seen: Observation, patient: Patient, spread: int) -> Iterator[Finding]:
    """Without its logarithm a likelihood is made as small as one likes by calling everything uncertain."""
    costs = [_at(patient, seen.outputs, spread, None, level)[0] for level in (-3.0, 0.0, 4.0, 12.0)]
    endless = costs[3] < costs[2] - 1 and costs[3] < 0
    if costs == sorted(costs, reverse=True) and (endless or 0 <= costs[3] < 0.01 * costs[1]):
        yield said("wrong_formula: likelihood")


def check_roles(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Hand the loss other policies, and compare what they cost."""
    if isinstance(seen.loss, Tensor) and seen.loss.numel() == 1 and not seen.inside_model:
        yield from _of_actions(seen, patient)


def _of_actions(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Actions and what they brought: gains must make them likelier, and without any gain no policy grows surer."""
    parts = list(tensors_in(patient.targets)) if not isinstance(patient.targets, Tensor) else []
    heads = [t for t in tensors_in(patient.chosen(seen.outputs)) if t.requires_grad and t.is_floating_point()]
    numbers = [t.argmax(-1) if _is_one_hot(t) else t for t in parts if t.dtype != torch.bool]
    taken = next(((h, t) for t in numbers for h in heads if not t.is_floating_point() and of_classes(h, t)), None)
    count = taken[1].numel() if taken else 0
    gains = [t for t in parts if t.is_floating_point() and t.numel() == count > 0 and t.min() < 0 < t.max()]
    if not gains:
        return
    whole, (good, bad) = patient.chosen(seen.outputs), of_classes(taken[0].detach(), taken[1])
    axis = 1 if good.shape[:1] + good.shape[2:] == taken[1].shape else -1
    even = good.mean(axis, keepdim=True).expand_as(good)
    even = even if bool((good >= 0).all()) and bool((good <= 1).all()) else even.log_softmax(axis)
    meets = [s.tensors[:2] for s in seen.watcher.steps if s.name in LOSSES or kind_of(s) == "sub"]

    def worth(part: Tensor, gain: Tensor) -> Tensor:
        """What is to be brought, on top of what the model expects where it is compared with that."""
        met = [t for pair in meets if any(t is part for t in pair) for t in pair if t is not part]
        others = [t for t in met if t.numel() == part.numel()]
        expected = next((t.detach().flatten() for t in others if of(seen, t) == {"outputs"}), torch.zeros(1))
        return (expected + gain.expand(len(part), part[0].numel()).flatten()).view_as(part).to(part)

    def costs(gain: Tensor, *answers: Tensor) -> list[float]:
        given = changed(patient.targets, lambda t: worth(t, gain) if any(t is one for one in gains) else t)
        return [cost_with(patient, whole, taken[0], answer, given)[0] for answer in answers]

    ups = (torch.arange(len(good), device=good.device) % 2 == 0).view(-1, *[1] * (good.dim() - 1))
    gain = torch.where(ups.flatten(), 1.0, -1.0)[:, None]
    agree, against, none = costs(gain, torch.where(ups, good, bad), torch.where(ups, bad, good), even)
    margin = 1e-4 * abs(agree - against) + 1e-6
    if against + margin < none < agree - margin:
        yield said("better_outputs_cost_more: actions", agree=agree, against=against)
    sure, other, none = costs(0 * gain, good, bad, even)
    if max(sure, other) < none - 1e-5 * (1 + abs(none)):
        yield said("wrong_formula: surer", sure=sure, none=none)


def _is_one_hot(values: Tensor) -> bool:
    return values.dim() > 1 and bool((values.amax(-1) == 1).all() and (values.abs().sum(-1) == 1).all())
