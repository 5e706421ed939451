"""Own losses of classes, labels and masks: where they lead, and what each of their parts says of right answers."""

from collections.abc import Callable, Iterator
from math import isfinite

import torch
from torch import Tensor

from lm_utils.doctor.belongings import changed, draw_anew, tensors_in
from lm_utils.doctor.formula_checks import is_wide, kind_of, of, of_outputs, pairs_of, plain_arguments
from lm_utils.doctor.output_origin import is_distance, origin_of
from lm_utils.doctor.patient import Observation, Patient, loss_in
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.trial_checks import (
    CHOOSING,
    FEWEST,
    PULLED,
    SURE,
    SUREST,
    Trial,
    agreeing_and_contradicting,
    compared,
    unstable,
)
from lm_utils.doctor.watching import LOSSES, Step, Watcher

STEPS, FIRST, SHORTER = 12, 1.0, 0.85  # downhill: how many, how long the first one is, and each next one
SURE_ENOUGH = 0.4  # share of the truth where a hard label was learnt as well as can be
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
        levels = _levels(seen, outputs, targets)
        if levels is not None:
            yield from _downhill(trial, levels, SURE * (2 * levels - 1))
            if len(levels.unique(dim=0)) < len(targets.unique()):
                yield said("wrong_formula: alike", classes=len(targets.unique()), rows=len(levels.unique(dim=0)))
        elif trial.raw and trial.classes and _are_shares(targets, outputs):
            logits = targets.log() - targets.log().mean(1, keepdim=True)
            yield from _downhill(trial, targets.argmax(1), logits, certain=False)
            yield from _sharpened(trial, targets, logits)
        elif sides is not None and _are_answers(seen, outputs, targets, patient):
            yield from _downhill(trial, targets, sides[0])
            yield from _parts(trial, targets, *sides)


def _levels(seen: Observation, outputs: Tensor, targets: Tensor) -> Tensor | None:
    """Yes and no for each output, which the loss makes of one whole number a sample, as for ranks."""
    sources, steps = seen.watcher.sources, seen.watcher.steps
    ranks = not targets.is_floating_point() and targets.dim() == 1 and outputs.shape != (len(targets),) * 2
    if not ranks or any(s.name == "one_hot" or (s.name in CHOOSING and "outputs" in sources(s.args)) for s in steps):
        return None
    made = [s.result for s in steps if isinstance(s.result, Tensor) and sources(s.result) == {"targets"}]
    found = (t.to(outputs.dtype) for t in made if t.shape == outputs.shape)
    return next((t for t in found if set(t.unique().tolist()) == {0.0, 1.0}), None)


def _are_shares(targets: Tensor, outputs: Tensor) -> bool:
    if targets.shape != outputs.shape or targets.dim() != 2 or not targets.is_floating_point():
        return False
    return bool((targets > 0).all() and ((targets.sum(1) - 1).abs() < 1e-3).all() and (targets.amax(1) < 0.99).all())


def _sharpened(trial: Trial, shares: Tensor, logits: Tensor) -> Iterator[Finding]:
    """Of all sharper and flatter forms of the target's shares the sharpest one must not be the cheapest."""
    costs = [trial(by * logits)[0] for by in (0.0, 1.0, 2.0, 8.0, 64.0)]
    if costs[-1] < min(costs[:-1]) - 1e-4 * abs(costs[-1]):
        yield said("wrong_formula: sharpened", most=100 * shares.amax(1).mean())


def check_shares(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """What a loss shares out, takes from 1 and weighs."""
    for check in (_shared_out, _no_share, _mean_times_weights):
        yield from check(seen, patient)


def _shared_out(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax of the loss: it runs over the classes, and what it shares out is not shared out already."""
    for step in seen.watcher.steps:
        scores = step.tensors[0] if kind_of(step) in ("softmax", "log_softmax", "logsumexp") else None
        axis = step.argument(1, "dim") if scores is not None and scores.dim() > 1 else None
        if not isinstance(axis, int) or scores.shape[axis] == 1:
            continue
        axis, alike = axis % scores.dim(), any(scores.shape == t.shape for t in tensors_in(seen.outputs))
        whole = [t for t in tensors_in(patient.targets) if not t.is_floating_point() and t.dim() == scores.dim() - 1]
        fits = {a for t in whole for a in (1, scores.dim() - 1) if alike and t.shape == _without(scores.shape, a)}
        if len(fits) == 1 and scores.shape[axis] != scores.shape[(right := fits.pop())]:
            yield said("softmax_wrong_axis: in the loss", ran=axis, axis=right)
            return
        shares = kind_of(step) != "logsumexp" and bool((scores >= 0).all() and (scores.amax(axis) < 1).any())
        if shares and bool(((scores.sum(axis) - 1).abs() < 1e-4).all()):
            yield said("activation_twice", over=kind_of(step).replace("_", "-"), under="softmax")
            return


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


def _no_share(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """One minus what is no probability: a log-probability, a raw output whose power weighs a loss."""
    made_by = {id(step.result): step for step in seen.watcher.steps}
    powers = {id(s.args[0]) for s in seen.watcher.steps if kind_of(s) == "pow" and any(
        "outputs" in of(seen, t) and t.requires_grad for u, p in pairs_of(seen, "mul") if any(t is s.result for t in p)
        for t in p if t is not s.result)}  # fmt: skip
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


def _are_answers(seen: Observation, outputs: Tensor, targets: Tensor, patient: Patient) -> bool:
    """Are the outputs scores of the very classes that the targets number, or yes and no for each place?"""
    if targets.is_floating_point() or targets.dtype == torch.bool or targets.dim() == outputs.dim():
        signs = bool((targets.abs() == 1).all()) if targets.dtype != torch.bool else False
        return targets.numel() == outputs.numel() and (signs or bool(((targets == 0) | (targets == 1)).all()))
    sources = seen.watcher.sources
    of_outputs = [step for step in seen.watcher.steps if "outputs" in sources(step.args)]
    if any(kind_of(s) in JOINED or max(t.numel() for t in (outputs, *tensors_in(s.result))) > outputs.numel()
           for s in of_outputs):  # fmt: skip
        return False  # embeddings
    if any(t is not targets and t.shape == targets.shape and not t.is_floating_point() and len(t.unique()) > 2
           for t in tensors_in(patient.targets)):  # fmt: skip
        return False  # labels that were mixed
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


def _downhill(trial: Trial, targets: Tensor, good: Tensor, certain: bool = True) -> Iterator[Finding]:
    """Free outputs that take no side and follow the gradient must end on the side of the truth."""
    whole, fixed = targets.numel() != good.numel(), all(t is not targets for t in tensors_in(trial.patient.targets))
    signs = not whole and bool((targets < 0).any())
    axis = (1 if targets.shape == good.shape[:1] + good.shape[2:] else -1) if whole else None
    emit, free = _emission(good, axis)
    truth = targets if whole else (targets.reshape(good.shape) > 0).to(good)
    for other in tensors_in(trial.patient.targets):
        if whole and other.is_floating_point() and other.shape == good.shape:
            truth = other.argmax(axis)  # of a teacher, who must not contradict
    turned = (truth + 1) % good.shape[axis] if whole else 1 - truth

    def slope_at(free: Tensor, labels: Tensor) -> Tensor:
        free = free.detach().requires_grad_()
        values = emit(free)
        shown = 2 * labels - 1 if signs else labels
        given = changed(trial.patient.targets, lambda t: shown.reshape(t.shape).to(t) if t is targets else t)
        return torch.autograd.grad(values, free, trial(values.detach(), given)[1])[0]

    at = 0.01 * torch.randn_like(good)  # a corner at 0 has no slope to speak of
    here, there = slope_at(at, truth), slope_at(at, turned)
    taught, asked = here.abs() > 1e-6 * here.abs().max(), (here - there).abs() > 1e-6 * here.abs().max()
    asked = asked | fixed  # labels that the loss made itself cannot be turned
    asked = taught.any(axis) & asked.any(axis) if whole else taught & asked
    half = len(truth) // 2
    mixed = slope_at(at, torch.cat([truth[:half], turned[half:]]))
    pulled = [s[:half].argmin(axis) if whole else s[:half].sign() for s in (here, mixed)]
    if float((pulled[0] == pulled[1])[asked[:half]].float().mean()) < PULLED:
        return  # labels of two samples are mixed
    size = FIRST
    for _ in range(STEPS):
        slope = slope_at(at, truth)
        if not bool(torch.isfinite(slope).all()):
            return
        length = slope.norm(dim=axis, keepdim=True) if whole else slope.abs()
        at, size = at - size * slope / length.clamp(min=1e-30), SHORTER * size
    found = at.argmax(axis) if whole else (at > 0).to(truth)
    used = [s for s in trial.steps if kind_of(s) not in SEEN_ONLY and any(t is targets for t in s.tensors)]
    ignored = isinstance(trial.whole, Tensor) and bool(taught.any()) and not bool(asked.any())
    if ignored and used and torch.allclose(here, there):
        yield said("unused_target", shape=list(targets.shape))
    if whole and truth.dim() == 1 and len(truth) >= 2 * FEWEST and 0 < asked.float().mean() < FEW:
        yield said("wrong_formula: few samples", samples=len(truth), taught=int(asked.sum()))
    if int(asked.sum()) < FEWEST or len(truth[asked].unique()) < 2:
        return
    rolls = range(-2, 3) if whole and truth.dim() == 2 else (0,)
    share = max(float((found == truth.roll(-ahead, -1))[asked].float().mean()) for ahead in rolls)
    scales = (0.125, 0.5, 1.0, 4.0) if free else (1.0,)
    worse = trial(emit(at))[0] > min(trial(scale * good)[0] for scale in scales)  # the way was too short
    if not worse and (1 - PULLED) * fixed <= share < PULLED:
        yield said("wrong_formula: downhill", share=100 * share)
        return
    sure = float(at.softmax(axis).amax(axis)[asked].mean()) if whole and certain else 1.0
    if sure < SURE_ENOUGH and any("softmax" in s.name or s.name == "cross_entropy" for s in trial.steps):
        yield said("wrong_formula: hardly", sure=100 * sure)
    if free and trial.raw:
        yield from _endless(slope_at, truth, at, here)


def _endless(slope_at: Callable, truth: Tensor, at: Tensor, here: Tensor) -> Iterator[Finding]:
    """What is right already must not be pushed on as hard as what is undecided."""
    pushed, start = (-float((slope_at(times * at, truth) * at).sum()) for times in (100, 0.01))
    if pushed > 0.5 * start > 0:
        yield said("unbounded_loss: pushed")


def _emission(good: Tensor, axis: int | None) -> tuple[Callable[[Tensor], Tensor], bool]:
    """How free numbers become outputs of the kind that the model gives, and are they logits?"""
    if bool((good.abs() > 1).any()) and bool((good > 0).any()):
        return lambda free: free.clone(), True
    if axis is None:
        return torch.sigmoid, False
    return (lambda free: free.log_softmax(axis)) if bool((good < 0).any()) else lambda free: free.softmax(axis), False


def _parts(trial: Trial, targets: Tensor, good: Tensor, bad: Tensor) -> Iterator[Finding]:
    """Each part of a sum that looks at outputs and targets must be least for right outputs."""
    scales = (0.125, 0.5, 1.0) if bool((good.abs() > 1).any()) and bool((good > 0).any()) else (1.0,)
    right, wrong = ([_contributions(trial, targets, scale * one) for scale in scales] for one in (good, bad))
    if len({len(costs) for costs in right + wrong}) != 1 or len(right[0]) < 2:
        return
    for own, other in zip(zip(*right, strict=True), zip(*wrong, strict=True), strict=True):
        span = max(*own, *other) - min(*own, *other)
        if min(own) > min(other) + 0.05 * span + 1e-5:
            yield said("better_outputs_cost_more: part", right=min(own), wrong=min(other))
            return


def _contributions(trial: Trial, targets: Tensor, values: Tensor) -> list[float]:
    """What each part of the loss that is computed from outputs and targets adds to it."""
    watcher, values = Watcher(), values.detach().clone().requires_grad_()
    watcher.in_loss = True
    watcher.mark(values, "outputs")
    for part in tensors_in(trial.patient.targets):  # a teacher may contradict the labels
        watcher.mark(part, "beside" if part is not targets and part.shape == values.shape else "targets")
    draw_anew()
    with watcher:
        whole = changed(trial.whole, lambda t: values if t is trial.outputs else t.detach())
        loss = loss_in(trial.patient.loss_fn(whole, trial.patient.targets))
    made: dict[int, Step] = {id(step.result): step for step in watcher.steps}
    waiting, leaves = [loss], []
    while waiting:
        part = waiting.pop(0)
        step = made.get(id(part))
        inner = [t for t in step.tensors if t.requires_grad] if step is not None else []
        through = step is not None and kind_of(step) in PASSED and (len(inner) == 1 or kind_of(step) in ("add", "sub"))
        smaller = part.dim() < max(values.dim(), 1 + (part is loss))
        if through and inner and smaller and all(t is not part for t in inner):
            waiting += inner
        else:
            leaves.append(part)
    both = [t for t in leaves if watcher.sources(t) == {"outputs", "targets"} and t.requires_grad]
    slopes = torch.autograd.grad(loss, both, allow_unused=True) if both else []
    return [float((s * t).sum()) for s, t in zip(slopes, both, strict=True) if s is not None]
