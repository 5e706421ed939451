"""Own losses of classes, labels and masks: where they lead, and what each of their parts says of right answers."""

from collections.abc import Callable, Iterator
from math import isfinite

import torch
from torch import Tensor

from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.formula_checks import behind, is_wide, kind_of, of, of_outputs, pairs_of, plain_arguments
from lm_utils.doctor.output_origin import is_distance, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.trial_checks import (
    CHOOSING,
    FEWEST,
    PULLED,
    SUREST,
    Trial,
    agreeing_and_contradicting,
    compared,
    unstable,
)
from lm_utils.doctor.watching import LOSSES

STEPS, FIRST, SHORTER = 12, 1.0, 0.85  # downhill: how many, how long the first one is, and each next one
SEEN_ONLY = {"get", "size", "to", "float", "long", "view", "reshape", "unsqueeze", "squeeze", "flatten", "type", "cpu"}
FEW = 0.2  # share of the samples that their own labels teach, below which most are judged by other ones
PASSED = {"add", "sub", "neg", "mean", "sum", "mul", "div"}  # operations that a part of a sum goes through
JOINED = {"matmul", "mm", "bmm", "einsum", "cdist", "linear", "normalize", "cosine_similarity", "batch_norm"}


def check_answers(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Let free outputs follow the gradient of a loss of one's own: they must come to the truth."""
    for outputs, targets in compared(seen, patient):
        trial = Trial(seen, patient, outputs)
        yield from _at_both_ends(trial, targets)
        if not trial.own or is_distance(outputs):
            continue  # torch's own losses lead to the truth
        sides = agreeing_and_contradicting(outputs.detach(), targets)
        if sides is not None and _are_answers(seen, outputs, targets, patient):
            yield from _downhill(trial, targets, sides[0])


def _are_answers(seen: Observation, outputs: Tensor, targets: Tensor, patient: Patient) -> bool:
    """Are the outputs scores of the very classes that the targets number, or yes and no for each place?"""
    if targets.is_floating_point() or targets.dtype == torch.bool or targets.dim() == outputs.dim():
        values = set(targets.unique().tolist())
        return targets.numel() == outputs.numel() and (values <= {0, 1} or values <= {-1, 1})
    sources, own = seen.watcher.sources, [s for s in seen.watcher.steps if "outputs" in of(seen, s.args)]
    embeds = any(kind_of(s) in JOINED or any(t.numel() > outputs.numel() for t in tensors_in(s.result)) for s in own)
    others = [t for t in tensors_in(patient.targets) if t is not targets and t.shape == targets.shape]
    if embeds or any(not t.is_floating_point() and len(t.unique()) > 2 for t in others):  # labels that were mixed
        return False
    classes = outputs.shape[1 if targets.shape == outputs.shape[:1] + outputs.shape[2:] else -1]
    tables = [s.result if s.name == "one_hot" else s.args[0] for s in seen.watcher.steps if s.name in (
        "one_hot", "scatter", "scatter_") or (s.name in CHOOSING and "outputs" in sources(s.args[:1]) and sources(
            *s.args[1:]) == {"targets"})]  # fmt: skip
    return any(isinstance(t, Tensor) and t.dim() > 1 and classes in (t.shape[1], t.shape[-1]) for t in tables)


def _at_both_ends(trial: Trial, targets: Tensor) -> Iterator[Finding]:
    """Shares between yes and no: a loss with a sigmoid of its own must bear outputs that are sure, either way."""
    shares = trial.own and trial.raw and targets.is_floating_point() and bool(((targets > 0) & (targets < 1)).any())
    if shares and any(kind_of(s) == "sigmoid" and s.tensors[0] is trial.outputs for s in trial.steps):
        costs = [trial(torch.full_like(trial.outputs, end))[0] for end in (SUREST, -SUREST)]
        if not all(map(isfinite, costs)) and isfinite(trial(trial.outputs.detach())[0]):
            yield from unstable(f"sure, at a logit of {SUREST:g}")


def _downhill(trial: Trial, targets: Tensor, good: Tensor) -> Iterator[Finding]:
    """Free outputs that take no side and follow the gradient must end on the side of the truth."""
    whole, signs = targets.numel() != good.numel(), bool((targets == -1).any())
    axis = (1 if targets.shape == good.shape[:1] + good.shape[2:] else -1) if whole else None
    emit, truth = _emission(good, axis), targets if whole else (targets.reshape(good.shape) > 0).to(good)
    for other in tensors_in(trial.patient.targets):
        if whole and other.is_floating_point() and other.shape == good.shape:
            truth = other.argmax(axis)  # of a teacher, who must not contradict
    turned = (truth + 1) % good.shape[axis] if whole else 1 - truth
    turned = torch.where((truth >= 0) & (truth < good.shape[axis]), turned, truth) if whole else turned

    def slope_at(free: Tensor, labels: Tensor = truth) -> Tensor:
        values = emit(free := free.detach().requires_grad_())
        shown = 2 * labels - 1 if signs and not whole else labels
        given = changed(trial.patient.targets, lambda t: shown.reshape(t.shape).to(t) if t is targets else t)
        return torch.autograd.grad(values, free, trial(values.detach(), given)[1])[0]

    at, half = 0.01 * torch.randn_like(good), len(truth) // 2  # a corner at 0 has no slope to speak of
    here, there, mixed = map(slope_at, [at] * 3, [truth, turned, torch.cat([truth[:half], turned[half:]])])
    taught, asked = here.abs() > 1e-6 * here.abs().max(), (here - there).abs() > 1e-6 * here.abs().max()
    asked = taught.any(axis) & asked.any(axis) if whole else taught & asked
    pulled = [s[:half].argmin(axis) if whole else s[:half].sign() for s in (here, mixed)]
    if float((pulled[0] == pulled[1])[asked[:half]].float().mean()) < PULLED:
        return  # labels of two samples are mixed
    size = FIRST
    for _ in range(STEPS):
        slope = slope_at(at)
        if not bool(torch.isfinite(slope).all()):
            return
        length = slope.norm(dim=axis, keepdim=True) if whole else slope.abs()
        at, size = at - size * slope / length.clamp(min=1e-30), SHORTER * size
    used = any(kind_of(s) not in SEEN_ONLY and any(t is targets for t in s.tensors) for s in trial.steps)
    if isinstance(trial.whole, Tensor) and used and bool(taught.any()) and torch.allclose(here, there):
        yield said("unused_target", shape=list(targets.shape))
    if whole and truth.dim() == 1 and len(truth) >= 2 * FEWEST and 0 < asked.float().mean() < FEW:
        yield said("wrong_formula: few samples", samples=len(truth), taught=int(asked.sum()))
    if int(asked.sum()) < FEWEST or len(truth[asked].unique()) < 2:
        return
    found = at.argmax(axis) if whole else (at > 0).to(truth)
    rolls = range(-2, 3) if whole and truth.dim() == 2 else (0,)  # texts may be asked for what follows
    share = max(float((found == truth.roll(-ahead, -1))[asked].float().mean()) for ahead in rolls)
    if share < PULLED:
        cheapest = min(trial(scale * good)[0] for scale in _scales(good))
        if trial(emit(at))[0] <= cheapest:  # else the way was too short
            yield said("wrong_formula: downhill", share=100 * share)
    elif trial.raw and len(_scales(good)) > 1:
        yield from _endless(slope_at, at)


def _endless(slope_at: Callable[[Tensor], Tensor], at: Tensor) -> Iterator[Finding]:
    """What is right already must not be pushed on as hard as what is undecided."""
    pushed, start = (-float((slope_at(times * at) * at).sum()) for times in (100, 0.01))
    if pushed > 0.5 * start > 0:
        yield said("unbounded_loss: pushed")


def _scales(good: Tensor) -> tuple[float, ...]:
    """Right outputs by how many times they may be larger or smaller: logits by many, shares by none."""
    return (0.125, 0.5, 1.0, 4.0) if bool((good.abs() > 1).any() and (good > 0).any()) else (1.0,)


def _emission(good: Tensor, axis: int | None) -> Callable[[Tensor], Tensor]:
    """How free numbers become outputs of the kind that the model gives."""
    if len(_scales(good)) > 1:
        return Tensor.clone
    if axis is None:
        return torch.sigmoid
    return (lambda free: free.log_softmax(axis)) if bool((good < 0).any()) else lambda free: free.softmax(axis)


def check_shares(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """What a loss shares out, takes from 1 and weighs."""
    for check in (_shared_out, _no_share, _mean_times_weights):
        yield from check(seen, patient)


def _shared_out(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax of the loss runs over the classes, as the targets tell where these stand."""
    for step in seen.watcher.steps:
        scores = step.tensors[0] if kind_of(step) in ("softmax", "log_softmax", "logsumexp") else None
        axis = step.argument(1, "dim") if scores is not None and scores.dim() > 1 else None
        if not isinstance(axis, int) or scores.shape[axis] == 1:
            continue
        axis, alike = axis % scores.dim(), any(scores.shape == t.shape for t in tensors_in(seen.outputs))
        whole = [t for t in tensors_in(patient.targets) if not t.is_floating_point() and t.dim() == scores.dim() - 1]
        fits = {a for t in whole for a in (1, scores.dim() - 1) if alike and t.shape == scores.select(a, 0).shape}
        if len(fits) == 1 and scores.shape[axis] != scores.shape[(right := fits.pop())]:
            yield said("softmax_wrong_axis: in the loss", ran=axis, axis=right)
            return


def _no_share(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """One minus what is no probability: a log-probability, a raw output whose power weighs a loss."""
    made_by = {id(step.result): step for step in seen.watcher.steps}
    powers = {id(s.args[0]) for s in seen.watcher.steps if kind_of(s) == "pow" and any(
        id(one) in (weights := behind(seen, s.result)) and id(other) not in weights and other.requires_grad
        and "outputs" in of(seen, other) for _, p in pairs_of(seen, "mul") for one, other in (p, p[::-1]))}  # fmt: skip
    for step, shares in of_outputs(seen, "sub"):
        if len(step.tensors) == 1 and 1 in plain_arguments(step):
            logs = origin_of(shares).kind in ("log_softmax", "log_sigmoid", "log_of_softmax")
            if logs or (id(step.result) in powers and is_wide(shares)):
                yield said("wrong_formula: no share")
                return
    for _, values in of_outputs(seen, "logsigmoid", "log_sigmoid"):
        inner = made_by.get(id(values))
        if inner is not None and kind_of(inner) == "sub" and 1 in plain_arguments(inner):
            yield said("wrong_formula: one minus a logit")
            return


def _mean_times_weights(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A loss that is a mean already cannot be weighed place by place."""
    means = {id(s.result) for s in seen.watcher.steps if s.name in LOSSES or kind_of(s) == "mean"}
    for _, pair in pairs_of(seen, "mul"):
        for mean, weights in (pair, pair[::-1]):
            single = id(mean) in means and not mean.dim() and of(seen, mean) >= {"outputs", "targets"}
            rows = weights.dim() and len(weights) == patient.batch_size
            if single and rows and bool((weights != weights.flatten()[0]).any()):
                yield said("wrong_formula: weighs the batch", shape=list(weights.shape))
                return
