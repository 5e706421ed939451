"""The eight losses by name, and what each expects from a network and from a target."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.errors import UserError

SMALLEST_SQUARE = 1e-12  # below it the root's slope would be infinite


@dataclass(frozen=True)
class Loss:
    """A loss: how it is computed, what it reads the outputs as, and which form the targets must have."""

    name: str
    title: str
    short: str  # in the name of a pairing
    code: str  # the line a PyTorch user writes
    compute: Callable[[Tensor, Tensor], Tensor]
    reads: Literal["value", "probability", "logit", "margin"]
    contains: Literal["none", "sigmoid", "softmax"] = "none"  # the activation that lives inside
    form: Literal["plain", "indices", "signs"] = "plain"  # plain = numbers of the outputs' own shape


def rmse(outputs: Tensor, targets: Tensor) -> Tensor:
    """The root of the batch's mean squared error."""
    return F.mse_loss(outputs, targets).clamp_min(SMALLEST_SQUARE).sqrt()


def hinge(outputs: Tensor, signs: Tensor) -> Tensor:
    """The mean of max(0, 1 - y z), with labels y of -1 or +1."""
    return (1 - signs * outputs).clamp_min(0).mean()


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("mse", "Mean squared error", "MSE", "nn.MSELoss()", nn.MSELoss(), "value"),
        Loss("mae", "Mean absolute error", "MAE", "nn.L1Loss()", nn.L1Loss(), "value"),
        Loss("rmse", "Root mean squared error", "RMSE", "torch.sqrt(nn.MSELoss()(out, y))", rmse, "value"),
        Loss("huber", "Huber loss", "Huber loss", "nn.HuberLoss(delta=1.0)", nn.HuberLoss(), "value"),
        Loss("bce", "Binary cross-entropy", "nn.BCELoss", "nn.BCELoss()", nn.BCELoss(), "probability"),
        Loss("bce_logits", "Binary cross-entropy on logits", "nn.BCEWithLogitsLoss", "nn.BCEWithLogitsLoss()",
             nn.BCEWithLogitsLoss(), "logit", contains="sigmoid"),
        Loss("cross_entropy", "Cross-entropy", "nn.CrossEntropyLoss", "nn.CrossEntropyLoss()",
             nn.CrossEntropyLoss(), "logit", contains="softmax", form="indices"),
        Loss("hinge", "Hinge loss", "Hinge loss", "(1 - y * out).clamp_min(0).mean()", hinge, "margin", form="signs"),
    )
}  # fmt: skip


def shaped(loss: Loss, kind: str, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and a task's targets in the very shapes this loss receives."""
    if loss.form == "indices" and kind in ("value", "single"):
        return outputs.flatten(), targets.flatten()  # one "sample" with as many classes as the batch has images
    if loss.form == "indices":
        return outputs, targets  # class indices [N], or a multi-hot row read as class weights
    if kind == "exclusive":
        targets = F.one_hot(targets, outputs.shape[1]).to(outputs.dtype)
    if targets.shape != outputs.shape:
        raise UserError(
            f"Outputs of shape {list(outputs.shape)} met targets of shape {list(targets.shape)}; a loss would"
            " silently broadcast them, so make both the same shape."
        )
    return outputs, torch.where(targets > 0.5, 1.0, -1.0) if loss.form == "signs" else targets
