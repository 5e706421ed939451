"""Trials on outputs alone: what a right loss does with any outputs, whatever its formula is.

Nearer outputs cost less; outputs that take no side are pulled to the truth; a sample is judged by its own target.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import inf, isfinite

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import changed
from lm_utils.doctor.checks.batch_checks import compares_means
from lm_utils.doctor.checks.formula_checks import check_overlap_of_equals
from lm_utils.doctor.checks.trial import Trial, compared
from lm_utils.doctor.output_origin import is_distance, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.sides import SURE, agreeing_and_contradicting, undecided

SUREST, DIVERGED = 30.0, 200.0  # logits of an overconfident network, and of one that goes astray
BETWEEN = 0.05  # of the difference by which undecided outputs must lie between the two
PULLED, CLEARLY = 0.8, 0.6  # share of the places that a right loss pulls to their truth, one of overlaps
DISTANCES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)  # from the targets, in their deviations
DESCENT = 8  # steps downhill from the truth
FEWEST = 8  # places below which a share says little
UNDONE = {"softmax": torch.log, "exp": torch.log, "sigmoid": torch.logit}


def check_rewards(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Hand the loss other outputs, better and worse ones, and compare what they cost and where it pulls them."""
    for outputs, targets in compared(seen, patient):
        targets = targets.T if targets.dim() == 2 and targets.shape != outputs.shape[:2] == targets.T.shape else targets
        trial, sides = Trial(seen, patient, outputs), agreeing_and_contradicting(outputs, targets.detach())
        numbers = any(c.is_own and c.input is outputs and c.family == "distance" for c in seen.calls)
        if numbers and bool(((targets == 0) | (targets == 1)).all()):
            continue  # yes and no are numbers here
        if is_distance(outputs):  # what is small agrees
            sides = sides[::-1] if sides and trial.classes else None
        if sides is not None:
            yield from _sides(seen, trial, targets.detach(), *sides)


def _sides(seen: Observation, trial: Trial, targets: Tensor, good: Tensor, bad: Tensor) -> Iterator[Finding]:
    whole = not targets.is_floating_point() and targets.dtype != torch.bool and targets.numel() < good.numel()
    truth = targets.reshape(good.shape).to(good.dtype) if targets.numel() == good.numel() else None
    if truth is not None and torch.equal(good, SURE * truth):  # labels of -1 and 1
        truth = (truth + 1) / 2
    binary = truth is not None and bool(((truth == 0) | (truth == 1)).all())
    none = undecided(good, bad)
    if whole and trial.chosen and not trial.own:  # torch's own: what is asked is where the targets stand
        yield from _pulled_elsewhere(trial(none)[1], targets) if good.dim() > 2 else ()
        return
    (right, _), (wrong, at_wrong), (between, at_none) = trial(good), trial(bad), trial(none)
    if not (whole or binary) and (not isfinite(between) or _is_likeness(trial, good, bad)):
        between = trial(good.roll(1, 0))[0]  # constant outputs have no correlation with anything, nor a deviation
    if not all(map(isfinite, (right, wrong, between))):
        if (whole or binary) and inf in (abs(right), abs(wrong)):
            yield from unstable("clearly right or clearly wrong")
        return
    scores = binary and trial.own and bool((good.abs() > 1).any()) and bool((targets >= 0).all())
    if scores and bool(at_none.any()) and not bool(trial(truth)[1].any()):
        return  # the outputs are numbers that are to be 0 and 1, not scores
    least = PULLED if trial.chosen else CLEARLY
    if whole and not trial.chosen:
        trial.chosen = _columns_tell(trial, good, right - wrong)
    if whole and not (trial.chosen or trial.classes):
        return  # outputs that are no class scores: embeddings, say
    if whole and good.dim() > 2:
        yield from _pulled_elsewhere(at_none, targets, least)
        if 0 <= _pulled(at_none, targets) < PULLED <= max(_pulled(at_none, targets, ahead) for ahead in (1, -1, 2, -2)):
            return  # what is asked at a place is the truth of another one
    free = bool((good.abs() > 1).any())  # logits, not probabilities
    if trial.own and ((whole and trial.chosen) or binary) and free and not trial.tied:
        more, most = trial(10 * good)[0], trial(100 * good)[0]
        critic = binary and not targets.is_floating_point() and torch.equal(trial(good)[1], trial(bad)[1])
        if most < 5 * more < -1e-3 and not critic:
            yield said("unnormalised_likelihood" if whole else "unbounded_loss", more=more, most=most)
            return
    margin = BETWEEN * abs(right - wrong) + 1e-6
    if wrong + margin < between < right - margin and (
        whole or binary or _is_likeness(trial, good, bad) or _judged_alone(trial, none, good, bad)
    ):
        yield said("better_outputs_cost_more: sides", right=right, wrong=wrong)
        return
    if not whole and not binary:
        if trial.own and len(good) > 3 and not compares_means(seen):
            yield from _only_the_mean(trial, good, bad)
        if trial.meets(targets):
            yield from _not_least(trial, truth, right, wrong)
            yield from _columns(trial, truth, right)
        yield from _far(trial, truth, right)
    if trial.own:
        equal = good * (SUREST / SURE) if free and (whole or binary) else good
        equal = truth.clamp(1e-4, 1 - 1e-4) if binary and not free else equal
        if not whole and not binary:  # what the loss does first with its outputs is undone
            first = next((s.name for s in trial.steps if trial.outputs is next(iter(s.tensors), None)), "")
            equal = UNDONE.get(first, torch.clone)(good)
        both = changed(trial.whole, lambda t: equal if t is trial.outputs else t)
        yield from check_overlap_of_equals(trial.patient, both, equal)
    alone = _judged_alone(trial, none, good, bad)
    for label in (0, 1) if binary else (None,) if trial.chosen else ():
        here = torch.ones_like(good, dtype=torch.bool) if label is None else truth == label
        if trial.own and alone:
            yield from _from_wrong_to_right(trial, good, bad, here, label)
        if label is None or not bool(here.any()):
            continue
        mild, aside = (trial(torch.where(here, one, good))[0] for one in (good / 4, none))
        if trial.own and free and alone and aside < mild - margin / 4:
            yield said("wrong_formula: aside", label=label, aside=aside, mild=mild)
        if not (trial.masked or trial.shared or bool(at_wrong[here].any() or at_none[here].any())) and bool(
            at_none[~here].any()
        ):
            signs = label == 0 and trial.multiplied
            flat = f"Where the target is {label} the loss has no gradient, however wrong the output is."
            yield said(f"{'labels_zero_one' if signs else 'wrong_formula'}: no slope", flat, other=1 - label)
    if binary and trial.own and origin_of(trial.outputs).kind in ("sigmoid", "softmax"):
        yield from _floor(trial, truth)
    for answer, how in ((bad, "wrong"), (good, "right")) if trial.own and not trial.cut and (whole or binary) else ():
        sure = answer * (SUREST / SURE) if free else answer
        if binary and not free:
            sure = answer.round() if trial.shared else torch.sigmoid(SUREST * (2 * answer - 1).sign())
        if binary and how == "right":  # hardly ever is every place of a batch sure and right
            second = torch.arange(sure.numel(), device=sure.device).view(sure.shape) % 2 == 1
            sure = torch.where(second, answer, sure)
        cost, slope = trial(sure)
        if not (isfinite(cost) and bool(torch.isfinite(slope).all())):
            yield from unstable(f"sure and {how}, at a logit of {SUREST:g}")
            return
    if free and whole and trial.growing and not isfinite(trial(bad * (DIVERGED / SURE))[0]):
        yield said("unstable_formula: exponential", logit=DIVERGED)


def _columns_tell(trial: Trial, good: Tensor, gain: float) -> bool:
    """Does each column mean something by itself? Of embeddings none does, unless the loss has weights of its own."""
    weighed = any(isinstance(t, nn.Parameter) for step in trial.steps for t in step.tensors)
    moved = [trial(good.roll(1, axis))[0] - trial(good)[0] for axis in (1, -1)]
    return trial.own and not weighed and all(abs(one) > BETWEEN * abs(gain) + 1e-6 for one in moved)


def _floor(trial: Trial, truth: Tensor) -> Iterator[Finding]:
    """Shares: they must be able to reach what the loss is at its best; one on raw scores ends far below."""
    exact, wrong, raw, farther = (trial(one)[0] for one in (truth, 1 - truth, SURE * (2 * truth - 1), 80 * truth - 40))
    if 0.1 * wrong < exact < inf and -1e-6 < farther <= raw < 0.3 * exact:
        known = f"The outputs are shares, and at the best of them the loss is {exact:.3g}; raw scores reach {raw:.3g}."
        yield said("activation_twice: in the loss", known, name="sigmoid")


def _judged_alone(trial: Trial, here: Tensor, *others: Tensor) -> bool:
    """Is a sample's slope the same beside other outputs, so that no sample is preferred to another one?"""
    half = len(here) // 2
    return torch.allclose(*(trial(torch.cat([here[:half], rest[half:]]))[1][:half] for rest in others))


def _is_likeness(trial: Trial, *answers: Tensor) -> bool:
    """Does the loss mind the scale or the shift of the outputs as little as a correlation or a ranking does?"""
    costs = [[trial(how)[0] for how in (one, 2 * one + 1, one + 1)] for one in answers]
    return costs[0] != costs[1] and any(all(abs(one[0] - one[k]) < 1e-3 * abs(one[0]) for one in costs) for k in (1, 2))


def _from_wrong_to_right(trial: Trial, good: Tensor, bad: Tensor, here: Tensor, label: int | None) -> Iterator[Finding]:
    """On the way from surely wrong to undecided no step may cost more than the one before."""
    costs = [trial(torch.where(here, bad + part * (good - bad), good))[0] for part in (0.0, 0.125, 0.25, 0.375, 0.5)]
    right = trial(good)[0]
    if not all(map(isfinite, costs)):
        return
    span = max(*costs, right) - min(*costs, right)
    rise = max(now - was for was, now in pairwise(costs))
    if max(costs) - costs[0] > 2 * BETWEEN * span and rise > 0.5 * BETWEEN * span > 1e-6:
        whose = "" if label is None else f" for a target of {label}"
        yield said("wrong_formula: from wrong to right", worst=costs[0], whose=whose, most=max(costs))


def _only_the_mean(trial: Trial, good: Tensor, bad: Tensor) -> Iterator[Finding]:
    """The targets in another order must not be as good an answer, nor may all samples be pulled alike."""
    costs = [trial(one + by)[0] for by in (0.0, 0.3) for one in (good, bad)]
    slope = trial(bad + 0.3)[1]
    same = all(abs(one - other) <= 1e-5 * max(map(abs, costs)) for one, other in (costs[:2], costs[2:]))
    if same and bool(slope.any()) and torch.allclose(slope, slope[:1].expand_as(slope), rtol=1e-4):
        yield said("wrong_formula: one by one")


def _not_least(trial: Trial, truth: Tensor, right: float, wrong: float) -> Iterator[Finding]:
    """Free the outputs at the truth and let them descend within its range: they must not find anything cheaper."""
    at, size, cheapest = truth, 0.1 * truth.std(correction=0), right
    for _ in range(DESCENT):
        cost, slope = trial(at)
        cheapest = min(cheapest, cost)
        at = (at - size * slope.sign()).clamp(truth.min(), truth.max())
    alone = isinstance(trial.patient.targets, Tensor) and isinstance(trial.whole, Tensor)
    near, far = (trial(truth - away * (truth - truth.mean(0)))[0] if alone else right for away in (0.05, 0.2))
    less = BETWEEN * abs(right - wrong)
    if isfinite(cheapest) and (cheapest < right - 2 * less - 1e-6 or far < near - less / 5 < right - less / 4):
        yield said("wrong_formula: not least", right=right, cheapest=min(cheapest, far))


def _far(trial: Trial, truth: Tensor, right: float) -> Iterator[Finding]:
    """Values: outputs away from the targets must not be cheaper than the targets, nor as cheap to one side only."""
    size, goal = truth.std(correction=0).clamp(min=1e-6), trial.patient.targets
    if not trial.raw or bool((truth.abs() == 1).all()):
        return
    single = isinstance(goal, Tensor)
    by = size if single and goal.is_floating_point() else 1
    difference = single and abs(trial(truth + by, goal + by)[0] - right) < 1e-4 * (abs(right) + 1e-2)
    sides = [[trial(truth + side * away * size)[0] for away in (DISTANCES if difference else (100.0, 1000.0))]
             for side in (1, -1)]  # fmt: skip
    least, most = sorted(far[-1] - right for far in sides)
    for far in sides:
        away, cheapest = min(zip(DISTANCES, far, strict=False), key=lambda one: one[1])
        endless = far[-1] < 5 * far[-2] < 5 * min(right, -1e-3)
        free = difference and abs(least) < 1e-5 * most
        if endless or free or (difference and cheapest < right - 1e-4 - BETWEEN * abs(right)):
            off = f"Outputs {away * float(size):.3g} off are the best ones, so the model learns a shifted answer."
            off = "However far outputs lie off to one side, they cost no more than right ones." if free else off
            why = "The loss falls without end, so the outputs run away." if endless else off
            yield said("wrong_formula: far", cheapest=cheapest, right=right, why=why)
            return


def _columns(trial: Trial, truth: Tensor, right: float) -> Iterator[Finding]:
    """A column that alone leaves its targets, to either side, must not be cheaper for it."""
    size = truth.std(correction=0).clamp(min=1e-6)
    pulls = torch.cat([side * trial(truth + side * size)[1] for side in (1, -1)])
    away = ((pulls <= 0).all(0) & (pulls < 0).any(0)).expand_as(truth)
    cost = max(trial(torch.where(away, truth + side * DISTANCES[-2] * size, truth))[0] for side in (1, -1))
    if bool(away.any()) and cost < right - 1e-4 - BETWEEN * abs(right):
        some = f"That is so in {100 * float(away.float().mean()):.0f} % of the columns, to either side."
        yield said("wrong_formula: far", cheapest=cost, right=right, why=some)


def _pulled_elsewhere(slope: Tensor, targets: Tensor, least: float = PULLED) -> Iterator[Finding]:
    """Undecided scores: at each place the loss must move the score of the true class most, or two off."""
    shares = [_pulled(slope, targets)]
    shares += [_pulled(slope, targets, ahead) for ahead in (1, -1, 2, -2)] if shares[0] < least else []
    if 0 <= max(shares) < least:
        yield said("axes_scrambled: pulled elsewhere", share=100 * max(shares))


def _pulled(slope: Tensor, targets: Tensor, ahead: int = 0) -> float:
    """At what share of the places is the class moved most that is the true one so far ahead; -1 where none tells."""
    share = -1.0
    truth = targets.roll(-ahead, -1) if ahead and targets.dim() > 1 else targets
    for scores in (slope.movedim(axis, -1) for axis in (1, -1) if slope.movedim(axis, -1).shape[:-1] == targets.shape):
        taught = scores.abs().amax(-1) > 0
        for way in (scores.argmin, scores.argmax) if int(taught.sum()) >= FEWEST else ():
            share = max(share, float((way(-1) == truth)[taught].float().mean())) if share < PULLED else share
    return share


def unstable(where: str) -> Iterator[Finding]:
    yield said("unstable_formula", f"The loss or its gradient is not finite where the model is {where}.")
