"""Trials: other outputs are handed to the loss, or other samples to the model, and the answer is compared."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.output_origin import nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Observation, Patient, loss_in
from lm_utils.doctor.report import Finding

SURE = 8.0  # a logit that means yes
BETWEEN = 0.05  # of the difference by which undecided outputs must lie between the two
NEARLY = 0.02  # how far a sure probability stays from 0 and 1
CLASS_STEPS = {"softmax", "log_softmax", "cross_entropy", "nll_loss", "logsumexp"}
ALL_AT_ONCE = (nn.RNNBase, nn.MultiheadAttention)


def check_rewards(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Do outputs that agree with the targets cost less than outputs that contradict them?"""
    outputs = patient.chosen(seen.outputs)
    if not isinstance(outputs, Tensor) or not isinstance(patient.targets, Tensor) or not outputs.is_floating_point():
        return
    if not isinstance(seen.loss, Tensor) or seen.loss.numel() != 1 or not outputs.requires_grad:
        return
    whole = not patient.targets.is_floating_point() and patient.targets.dtype != torch.bool
    if whole and not _shares_classes(seen, outputs):
        return  # outputs that are no class scores: embeddings, say
    pair = _agreeing_and_contradicting(outputs.detach(), patient.targets.detach())
    if pair is None:
        return
    good, bad, undecided = (_cost(patient, values) for values in (*pair, _undecided(*pair)))
    if None in (good, bad, undecided):
        return
    margin = BETWEEN * abs(good - bad) + 1e-6
    if bad + margin < undecided < good - margin:
        yield Finding("better_outputs_cost_more", "warning",
            f"Outputs that agree with the targets cost {good:.4g}, outputs that contradict them cost {bad:.4g}.",
            "The optimiser makes the loss small, so it drives the model away from the targets.",
            "Turn the sign of the loss, `loss = -score` or `loss = 1 - score`, or swap its two arguments.")  # fmt: skip


def _undecided(good: Tensor, bad: Tensor) -> Tensor:
    """Outputs that take no side: a loss that only compares other places than these outputs finds them cheapest."""
    return ((good + bad) / 2).mean(0, keepdim=True).expand_as(good).contiguous()


def _shares_classes(seen: Observation, outputs: Tensor) -> bool:
    """Does a softmax, in the model or in the loss, make class scores of these outputs?"""
    return origin_of(outputs).kind in CLASS_STEPS or any(step.name in CLASS_STEPS for step in seen.watcher.steps)


def _cost(patient: Patient, outputs: Tensor) -> float | None:
    with torch.no_grad():
        loss = loss_in(patient.loss_fn(outputs, patient.targets))
    return loss.item() if isinstance(loss, Tensor) and bool(torch.isfinite(loss)) else None


def _agreeing_and_contradicting(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
    if targets.dim() and not targets.is_floating_point() and targets.dtype != torch.bool:
        return _of_classes(outputs, targets)
    if targets.numel() != outputs.numel() or targets.numel() < 2:
        return None
    truth = targets.reshape(outputs.shape).to(outputs.dtype)
    if bool(((truth == 0) | (truth == 1)).all()):
        if bool((truth == truth.flatten()[0]).all()):
            return None  # nothing to contradict
        if bool(((outputs >= 0) & (outputs <= 1)).all()):
            return truth.clamp(NEARLY, 1 - NEARLY), (1 - truth).clamp(NEARLY, 1 - NEARLY)
        return SURE * (2 * truth - 1), SURE * (1 - 2 * truth)
    other = truth.flip(0)
    return (truth, other) if bool(torch.isfinite(truth).all()) and not torch.equal(truth, other) else None


def _of_classes(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
    if outputs.dim() != targets.dim() + 1 or targets.shape[0] != outputs.shape[0]:
        return None
    axis = 1 if targets.shape == outputs.shape[:1] + outputs.shape[2:] else -1
    classes = outputs.shape[axis]
    if classes < 2 or outputs.movedim(axis, -1).shape[:-1] != targets.shape or not _all_classes(targets, classes):
        return None
    hot = [F.one_hot(t, classes).movedim(-1, axis).to(outputs.dtype) for t in (targets, (targets + 1) % classes)]
    if bool((outputs <= 0).all()):  # log-probabilities
        return tuple(torch.log_softmax(SURE * one, axis) for one in hot)
    shares = bool((outputs >= 0).all()) and bool((outputs.sum(axis) - 1).abs().max() < 1e-2)
    return tuple(torch.softmax(SURE * one, axis) if shares else SURE * one for one in hot)


def _all_classes(targets: Tensor, classes: int) -> bool:
    return targets.numel() > 0 and bool(((targets >= 0) & (targets < classes)).all())


def check_samples_mixed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does a sample's output depend on the other samples, because a layer takes the batch for time?"""
    inputs, outputs = patient.inputs, next(tensors_in(seen.outputs), None)
    if not isinstance(inputs, Tensor) or inputs.dim() < 2 or outputs is None:
        return
    samples = inputs.shape[0]
    suspects, over_batch = _time_first_layers(patient.model), _softmax_over_batch(outputs, samples)
    if not (suspects or over_batch) or samples < 4 or outputs.dim() != 2 or outputs.shape[0] != samples:
        return
    labelled = next((t for t in tensors_in(patient.targets) if t.dim()), None)
    if samples == outputs.shape[1] or (labelled is not None and labelled.shape[0] != samples):
        return
    other = torch.cat([inputs[:1].expand(samples - 1, *inputs.shape[1:]), inputs[-1:]])
    was = patient.model.training
    patient.model.eval()
    try:
        with torch.no_grad():
            before, after = (next(tensors_in(patient.observe(x).outputs), None) for x in (inputs, other))
    finally:
        patient.model.train(was)
    if before is None or after is None or torch.allclose(before[-1], after[-1], rtol=1e-4, atol=1e-5):
        return
    if suspects:
        name, layer = suspects[0]
        yield Finding("samples_mixed", "error",
            f"The output of one sample depends on the other samples: {type(layer).__name__} `{name}` has "
            "batch_first=False and takes the first axis, the samples, for time.",
            "Every sample then sees those before it in the batch, and its own steps are treated as separate samples.",
            f"Say that the batch comes first: `{type(layer).__name__}(..., batch_first=True)`.")  # fmt: skip
    else:
        yield Finding("softmax_wrong_axis", "error",
            "A softmax inside the model runs over the batch, and the output of one sample depends on the others.",
            "The weights of one sample should share the whole among its own steps or classes.",
            "Name the axis: `dim=1` for the steps of [N, L, ...], `dim=-1` for classes.")  # fmt: skip


def _softmax_over_batch(outputs: Tensor, samples: int) -> bool:
    """Does a softmax behind these outputs share out the whole among the samples?"""
    for node in nodes_behind(outputs.grad_fn):
        result = getattr(node, "_saved_result", None) if operation(node) == "Softmax" else None
        if result is not None and node._saved_dim == 0 and result.dim() > 1 and result.shape[0] == samples:
            return True
    return False


def _time_first_layers(model: object) -> list[tuple[str, nn.Module]]:
    if not isinstance(model, nn.Module):
        return []
    return [(name, part) for name, part in model.named_modules()
            if isinstance(part, ALL_AT_ONCE) and not getattr(part, "batch_first", True)]  # fmt: skip
