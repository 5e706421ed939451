"""The constant predictor: the best loss that a model can reach which never looks at its input."""

from collections.abc import Callable

import torch
from torch import Tensor

SMALLEST = 1e-6  # keeps a probability off 0 and 1 before a logarithm


def best_constant(family: str, outputs: Tensor, targets: Tensor, loss_name: str = "") -> Tensor | None:
    """The constant outputs (in the outputs' shape) that suit these targets best, or None where unknown."""
    if family in ("cross_entropy", "nll"):
        return _class_shares(outputs, targets).log()
    if targets.shape != outputs.shape or not targets.is_floating_point():
        return None
    centre = _median if loss_name == "l1_loss" else _mean
    if family in ("bce", "bce_logits"):
        rate = centre(targets).clamp(SMALLEST, 1 - SMALLEST)
        return (rate if family == "bce" else torch.logit(rate)).expand_as(outputs)
    return centre(targets).expand_as(outputs) if family == "distance" else None


def _class_shares(outputs: Tensor, targets: Tensor) -> Tensor | None:
    axis = 1 if outputs.dim() > 1 else 0
    classes = outputs.shape[axis]
    if targets.shape == outputs.shape:
        shares = _mean(targets)
    else:
        kept = targets[(targets >= 0) & (targets < classes)]
        counts = torch.bincount(kept.flatten(), minlength=classes).to(outputs.dtype)
        shares = (counts / counts.sum().clamp(min=1)).reshape(
            [classes if a == axis else 1 for a in range(outputs.dim())]
        )
    return shares.clamp(min=SMALLEST).expand_as(outputs)


def _axes_to_average(targets: Tensor) -> list[int]:
    """Samples and positions, but not the outputs that stand side by side on axis 1."""
    return [axis for axis in range(targets.dim()) if axis != 1]


def _mean(targets: Tensor) -> Tensor:
    return targets.mean(_axes_to_average(targets), keepdim=True)


def _median(targets: Tensor) -> Tensor:
    if targets.dim() == 1:
        return targets.median()
    flat = targets.movedim(1, 0).flatten(1).median(1).values
    return flat.reshape([-1 if axis == 1 else 1 for axis in range(targets.dim())])


def constant_loss(
    loss: Callable[[Tensor, Tensor], Tensor], family: str, outputs: Tensor, targets: Tensor, loss_name: str = ""
) -> float | None:
    """What the loss gives for the best constant outputs, or None where that constant is unknown."""
    constant = best_constant(family, outputs, targets, loss_name)
    if constant is None:
        return None
    value = loss(constant.to(outputs.dtype), targets)
    return value.item() if value.numel() == 1 else value.mean().item()
