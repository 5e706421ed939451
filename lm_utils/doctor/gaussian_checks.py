"""Heads for a mean and a spread: is a divergence least at its prior, and does a likelihood pay for its spread?"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from math import isfinite

import torch
from torch import Tensor

from lm_utils.doctor.batch_checks import cost_of
from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.formula_checks import kind_of
from lm_utils.doctor.output_origin import nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

KEEPS = {"mul", "div", "neg", "negative", "clamp", "clip", "float", "squeeze", "flatten", "view", "reshape"}
AWAY = 0.7  # from the prior, in both directions
NO_SLOPE = 1e-3  # of the slope further out, below which a slope counts as zero


def check_gaussian(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Try other means and spreads on the loss, where a head goes through an exponential in it."""
    heads = _heads(seen.outputs)
    if isinstance(seen.loss, Tensor) and not patient.pick:
        yield from _profile(seen, patient, heads)
    spreads = [place for place, head in enumerate(heads) if _is_exponentiated(seen, head)]
    if patient.pick or len(heads) < 2 or len(spreads) != 1 or not isinstance(seen.loss, Tensor):
        return
    spread = spreads[0]
    if origin_of(heads[spread]).low >= 0:
        yield said("range_cannot_reach_targets",
            "The loss reads a head as a logarithm, and an activation keeps that head from being negative.")  # fmt: skip
    if spread and heads[spread - 1].shape == heads[spread].shape:
        yield from _divergence(seen, patient, heads, spread)
    yield from _likelihood(seen, patient, spread)


def _profile(seen: Observation, patient: Patient, heads: list[Tensor]) -> Iterator[Finding]:
    """With the best spread for each error, a likelihood grows by the same amount whenever the error doubles."""
    targets = patient.targets
    if len(heads) != 2 or not isinstance(targets, Tensor) or any(h.shape != targets.shape for h in heads):
        return
    spread = next((place for place, head in enumerate(heads) if _is_exponentiated(seen, head, "softplus")), None)
    if spread is None or not targets.is_floating_point():
        return

    def cost(level: float, away: float, by: float = 0.0) -> float:
        new = [targets + away + by, torch.full_like(targets, level)]
        places = iter(new if spread else new[::-1])
        return cost_of(patient, changed(seen.outputs, lambda _: next(places)), targets + by)[0]

    def least(away: float) -> float | None:
        costs = {level: cost(level, away) for level in range(-6, 13)}
        best = min(costs, key=costs.get)
        near = [cost(best + part / 6, away) for part in range(-6, 7)]
        return min(near) if -6 < best < 12 else None

    found = [least(away) for away in (1.0, 2.0, 4.0)] if abs(cost(0, 1) - cost(0, 1, 3.0)) < 1e-4 else [None]
    if None not in found and all(map(isfinite, found)):
        first, second = found[1] - found[0], found[2] - found[1]
        if abs(first - second) > 0.2 * max(abs(first), abs(second)):
            yield said("wrong_formula: profile",
                f"With the best spread an error twice as large costs {first:.3g} more, and twice as large again "
                f"{second:.3g} more.")  # fmt: skip


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
        return head + 0.3 * elsewhere if level is None else torch.full_like(head, level)

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
        yield said("wrong_formula: divergence",
            f"The term of mean and spread {what} where both heads are 0, that is at a standard normal distribution."
        )  # fmt: skip
    elif out[1] < 1.5 * out[0]:  # the divergence reads the head as a logarithm of the variance
        yield from _noise_too_loud(heads[spread], seen.outputs)


def _noise_too_loud(log_var: Tensor, outputs: object) -> Iterator[Finding]:
    """Noise is multiplied by a deviation; the exponential of log_var itself is the variance."""
    nodes = [node for tensor in tensors_in(outputs) for node in nodes_behind(tensor.grad_fn)]
    made = [node._saved_result for node in nodes if operation(node) == "Exp"]
    if any(m.shape == log_var.shape and torch.allclose(m, log_var.exp()) for m in made) and not any(
            operation(node) == "Sqrt" for node in nodes):  # fmt: skip
        yield said("wrong_formula: noise too loud",
            "The divergence reads a head as log_var, and the model multiplies its noise by exp(log_var), the variance."
        )  # fmt: skip


def _likelihood(seen: Observation, patient: Patient, spread: int) -> Iterator[Finding]:
    """Without its logarithm a likelihood is made as small as one likes by calling everything uncertain."""
    costs = [_at(patient, seen.outputs, spread, None, level)[0] for level in (-3.0, 0.0, 4.0, 12.0)]
    endless = costs[3] < costs[2] - 1 and costs[3] < 0
    if costs == sorted(costs, reverse=True) and (endless or 0 <= costs[3] < 0.01 * costs[1]):
        yield said("wrong_formula: likelihood",
            "The loss only falls as the predicted spread grows, whatever the predicted mean is.")  # fmt: skip
