"""Outputs that agree with the targets, contradict them, or take no side."""

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.doctor.output_origin import origin_of

SURE = 8.0  # a logit that says yes
NEARLY = 0.02  # how far a sure probability stays from 0 and 1


def are_shares(outputs: Tensor) -> bool:
    """Are these probabilities, and not raw outputs that happen to lie between 0 and 1?"""
    return origin_of(outputs).kind != "linear" and bool(((outputs >= 0) & (outputs <= 1)).all())


def undecided(good: Tensor, bad: Tensor) -> Tensor:
    """Outputs that take no side: a loss that only compares other places than these outputs finds them cheapest."""
    off = 1e-4 * (good - bad).abs().max()  # a formula may have a corner in the middle
    return ((good + bad) / 2 + off).mean(0, keepdim=True).expand_as(good).contiguous()


def agreeing_and_contradicting(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return outputs of this kind that say what the targets say, and others that say the opposite."""
    whole = targets.dim() and not targets.is_floating_point() and targets.dtype != torch.bool
    if whole and (sides := of_classes(outputs, targets)):
        return sides
    if targets.numel() != outputs.numel() or targets.numel() < 2:
        return None
    truth = targets.reshape(outputs.shape).to(outputs.dtype)
    if bool(((truth == 0) | (truth == 1)).all()):
        if bool((truth == truth.flatten()[0]).all()):
            return None  # nothing to contradict
        if are_shares(outputs):
            return truth.clamp(NEARLY, 1 - NEARLY), (1 - truth).clamp(NEARLY, 1 - NEARLY)
        return SURE * (2 * truth - 1), SURE * (1 - 2 * truth)
    if bool((truth.abs() == 1).all()) and bool((truth != truth.flatten()[0]).any()):
        return SURE * truth, -SURE * truth
    ranks = truth.argsort(0).argsort(0)
    other = truth.sort(0, descending=True).values.gather(0, ranks)  # the largest target for the smallest, and so on
    return (truth, other) if bool(torch.isfinite(truth).all()) and not torch.equal(truth, other) else None


def of_classes(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return such outputs for class numbers: scores, shares or their logarithms, as the outputs are."""
    if outputs.dim() != targets.dim() + 1 or targets.shape[0] != outputs.shape[0]:
        return None
    axis = 1 if targets.shape == outputs.shape[:1] + outputs.shape[2:] else -1
    classes = outputs.shape[axis]
    fits = classes > 1 and outputs.movedim(axis, -1).shape[:-1] == targets.shape and targets.numel()
    ignored = (targets == 255) | (targets == -100) | (targets == -1)
    ignored &= (targets < 0) | (targets >= classes)
    targets = targets.masked_fill(ignored, 0) if fits and not bool(ignored.all()) else targets
    if not fits or targets.min() < 0 or targets.max() >= classes:
        return None
    away = torch.randint(1, classes, targets.shape, generator=torch.Generator().manual_seed(0)).to(targets)
    hot = [
        F.one_hot(t.long(), classes).movedim(-1, axis).to(outputs.dtype) for t in (targets, (targets + away) % classes)
    ]
    if bool((outputs <= 0).all()):  # log-probabilities
        return tuple(torch.log_softmax(SURE * one, axis) for one in hot)
    shares = bool((outputs >= 0).all()) and bool((outputs.sum(axis) - 1).abs().max() < 1e-2)
    return tuple(torch.softmax(SURE * one, axis) if shares else SURE * one for one in hot)
