"""Where a loss pushes outputs: each label, class and column to its own truth, each quantile to its own side."""

from collections.abc import Iterator

import torch
from torch import Tensor

from lm_utils.doctor.batch_checks import cost_with
from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.formula_checks import of
from lm_utils.doctor.output_origin import is_distance
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.trial_checks import BETWEEN, Trial, agreeing_and_contradicting, compared, judged_alone, undecided

MILD = 3.0  # a logit that is wrong, and not yet surely so
OFF = 10.0  # how far a column leaves its targets, in their deviations


def check_pushes(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Ask of every pair of outputs and targets that the loss compares where it pushes the outputs."""
    if not isinstance(seen.loss, Tensor) or seen.loss.numel() != 1 or seen.inside_model:
        return
    yield from _quantiles(seen, patient)
    for outputs, targets in compared(seen, patient):
        free = outputs.requires_grad and outputs.is_floating_point()
        sides = agreeing_and_contradicting(outputs.detach(), targets.detach()) if free else None
        if sides is not None and not is_distance(outputs):
            yield from _of_pair(Trial(seen, patient, outputs), targets.detach(), *sides)


def _of_pair(trial: Trial, targets: Tensor, good: Tensor, bad: Tensor) -> Iterator[Finding]:
    none, alone = undecided(good, bad), isinstance(trial.patient.targets, Tensor)
    if targets.numel() != good.numel():
        if trial.scores and alone:
            yield from _labels(trial, targets, trial(none)[1], good, bad)
        return
    truth = targets.reshape(good.shape).to(good)
    if not bool(((truth == 0) | (truth == 1)).all()):
        if trial.meets(targets):
            yield from _columns(trial, truth)
        return
    if alone:
        yield from _labels(trial, truth, trial(none)[1], good, bad)
    if trial.own:
        yield from _two_halves(trial, truth, none, bool((good.abs() > 1).any()))


def _columns(trial: Trial, truth: Tensor) -> Iterator[Finding]:
    """Some places alone that leave their targets, to either side, must not be cheaper for it."""
    right, size = trial(truth)[0], truth.std(correction=0).clamp(min=1e-6)
    slopes = [side * trial(truth + side * size)[1] for side in (1, -1)]
    pushed, pulled = (torch.stack([sign * slope > 1e-6 * slope.abs().max() for slope in slopes]) for sign in (-1, 1))
    here, columns = pushed.all(0), pushed.all(0).any(0) & ~pulled.any(0).any(0)
    if not torch.equal(here, truth < 0):
        here = here & columns  # single samples may be bad examples
    costs = [trial(torch.where(here, truth + side * OFF * size, truth))[0] for side in (1, -1)]
    if bool(here.any()) and max(costs) < right - 1e-4 - BETWEEN * abs(right):
        some = f"In {100 * float(here.float().mean()):.0f} % of the places they are pushed away, to either side."
        yield said("wrong_formula: far", cheapest=max(costs), right=right, why=some)


def _two_halves(trial: Trial, truth: Tensor, none: Tensor, free: bool) -> Iterator[Finding]:
    """Yes and no: a mild error is pulled harder than no answer for both labels, or for neither."""
    mild = MILD * (1 - 2 * truth)
    mild, scale = (mild, 1.0) if free else (mild.sigmoid(), torch.sigmoid(mild) * torch.sigmoid(-mild) * 4)
    (_, far), (_, near) = trial(mild), trial(none)
    pulls = [[float((slope * (1 - 2 * truth))[truth == label].mean()) for label in (0, 1)] for slope in (
        far * scale, near)]  # fmt: skip
    grows = [one / other if other > 0 else 1.0 for one, other in zip(*pulls, strict=True)]
    if 0 < min(grows) < 0.4 and max(grows) > 1.5 and judged_alone(trial, none, mild, none):
        yield said("wrong_formula: two halves", no=grows[0], yes=grows[1])


def _labels(trial: Trial, labels: Tensor, slope: Tensor, good: Tensor, bad: Tensor) -> Iterator[Finding]:
    """No class and no label may be pushed away from its truth while most are pulled there."""
    axis = next((a for a in (1, -1) if good.dim() > labels.dim() and good.select(a, 0).shape == labels.shape), None)
    pull = slope * (1 - 2 * labels) if axis is None else -slope.gather(axis, labels.long().unsqueeze(axis))
    here = pull < -1e-3 * pull.abs().max()
    here = here if axis is None else here & ((slope > 0).sum(axis, keepdim=True) == 1)  # or it counts as another class
    right, wrong, some = (trial(one)[0] for one in (good, bad, torch.where(here, bad, good)))
    if 0 < float(here.float().mean()) < 0.5 and some < right - BETWEEN * abs(wrong - right) - 1e-6:
        yield said("better_outputs_cost_more: sides", right=right, wrong=some)


def _quantiles(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Errors above and below weigh as the asked quantile says: its share below, the rest above, not the reverse."""
    whole = patient.chosen(seen.outputs)
    parts = [t for t in (*tensors_in(whole), *tensors_in(patient.targets)) if t.is_floating_point() and t.dim()]
    levels = [t.detach() for t in parts if not t.requires_grad and bool(((t > 0) & (t < 1)).all())]
    told = [t for s in seen.watcher.steps for t in s.tensors if not of(seen, t) and not t.requires_grad]
    plain = torch.tensor([part for s in seen.watcher.steps for part in s.args if isinstance(part, float)])
    for head, goal in ((h, g) for h in parts if h.requires_grad for g in tensors_in(patient.targets)):
        if not goal.is_floating_point() or goal.dim() == 0 or any(goal is t for t in levels) or (
                len(head) != len(goal) or goal.numel() not in (len(head), head.numel())):  # fmt: skip
            continue
        truth = goal.reshape(len(goal), -1).expand(len(goal), head[0].numel()).reshape(head.shape)
        above, below = (cost_with(patient, whole, head, truth + side)[1] for side in (1, -1))
        if not bool(((above > 0) & (below < 0)).all()):
            continue
        share = (-below / (above - below)).reshape(len(head), -1)
        given = [t.reshape(len(t), -1) for t in levels if len(t) == len(head) and bool((t != t[:1]).any())]
        fixed = [t.reshape(1, -1) for t in told if t.numel() == share.shape[1] > 1]
        if bool((share == share[:1]).all()) and share.shape[1] == 1 and bool((share != 0.5).all()):
            fixed += plain.view(-1, 1, 1).to(share).unbind(0)
        asked = [t.to(share) for t in (*given, *fixed) if t.shape[1] == share.shape[1]]
        meets = [any(torch.allclose(q.expand_as(one), one, atol=1e-4) for q in asked) for one in (share, 1 - share)]
        if meets == [False, True]:
            yield said("wrong_formula: quantiles")
            return
