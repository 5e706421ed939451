"""The lines a learning curve is read by: the best constant answer, and the best that loss and activation allow."""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.activations import ACTIVATIONS
from lm_utils.data import Splits
from lm_utils.evidence.results import tested_digits
from lm_utils.pairing import FLATTENED_BATCH, Pairing, Scale

UNSCALED = Scale()
SURE = 30.0  # a logit at which a sigmoid or a softmax is 0 or 1 in all digits that matter
STEPS = 60  # of the search for the best constant outputs
IMAGES = 1_000  # about how many images' targets the search looks at


@dataclass(frozen=True)
class ReferenceLines:
    """Values of loss and metric; None where there is none worth a line."""

    constant_loss: float | None  # the best loss of a network that never looks at the image
    least_loss: float | None  # the lowest loss these outputs can reach, where that is not 0
    constant_metric: float
    best_metric: float | None  # the best metric these outputs can reach, where that is not perfect


def reference_lines(pairing: Pairing, data: Splits) -> ReferenceLines:
    """Return the reference lines of a pairing on the validation images of these splits."""
    return reference_lines_of(pairing, data.train.digits, data.valid.digits)


def stored_reference_lines(pairing: Pairing, data: str) -> ReferenceLines:
    """Return the reference lines of a pairing for stored runs of a data set, whose images need not be here."""
    return reference_lines_of(pairing, mixed_digits(data), mixed_digits(data))


@cache
def mixed_digits(data: str) -> Tensor:
    """Return the digits of the test images in a random order: some losses depend on which come in one batch."""
    digits = tested_digits(data)
    return digits[torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))]


@lru_cache(maxsize=1024)  # the site asks for every pairing
def reference_lines_of(pairing: Pairing, train_digits: Tensor, digits: Tensor) -> ReferenceLines:
    """Return the reference lines of a pairing trained on some digits and judged on others."""
    task = pairing.spec
    train, targets = task.target(train_digits), task.target(digits)
    scale = pairing.scale(train)
    return ReferenceLines(
        constant_loss(pairing, targets, scale),
        least_loss(pairing, targets, scale),
        task.baseline(train, targets),
        best_metric(pairing, targets, scale),
    )


def has_no_floor(pairing: Pairing) -> bool:
    """Whether the loss rewards outputs that run away without end."""
    return pairing.spec.kind == "value" and pairing.loss == "bce_logits" and pairing.activation != "sigmoid_inverse"


def constant_loss(pairing: Pairing, targets: Tensor, scale: Scale = UNSCALED, images: int = IMAGES) -> float | None:
    """Find the lowest loss of constant outputs by descent on the output bias alone; None where it has no floor."""
    if has_no_floor(pairing):
        return None
    targets = part_of(targets, pairing.reads_batch_as_one_sample, images)
    aims = pairing.aims(targets, scale)
    bias = start(pairing, targets, aims).requires_grad_()
    search = torch.optim.Adam([bias], lr=0.2)
    lowest, exact = float("inf"), pairing.activation == "none" and pairing.loss not in ("huber", "bce")
    try:
        with torch.enable_grad():
            for _ in range(1 if exact or pairing.reads_batch_as_one_sample else STEPS):
                outputs = ACTIVATIONS[pairing.activation].apply(bias).repeat(len(targets), 1)
                loss = pairing.loss_value(outputs, aims)
                search.zero_grad()
                loss.backward()
                search.step()
                lowest = min(lowest, loss.item())
    except (RuntimeError, ValueError):  # the loss refuses these numbers
        return None
    return lowest


def part_of(targets: Tensor, in_batches: bool, images: int = IMAGES) -> Tensor:
    """Take about so many of the targets: whole batches as they come, or each value in its own share."""
    if not in_batches:  # equal targets side by side
        columns = targets.reshape(len(targets), -1).double()
        targets = targets[(columns @ 7.0 ** torch.arange(columns.shape[1]).double()).argsort(stable=True)]
    targets = targets[:: max(1, len(targets) // images)]
    return targets[: max(1, len(targets) // FLATTENED_BATCH) * FLATTENED_BATCH] if in_batches else targets


def start(pairing: Pairing, targets: Tensor, aims: Tensor) -> Tensor:
    """Guess the best constant output bias; without an activation it is the best one, but for Huber's."""
    if pairing.spec.kind == "value":
        return torch.full((1, 1), (aims.mean() if pairing.loss in ("mse", "rmse") else aims.median()).item())
    bias = pairing.prior(targets).reshape(1, -1).float().clone()
    if pairing.activation == "none" and pairing.loss in ("mae", "hinge"):  # whose best answer is the likelier one
        return (bias >= 0.5).float() if pairing.loss == "mae" else torch.where(bias >= 0, 1.0, -1.0)
    return bias


def best_outputs(pairing: Pairing, aims: Tensor) -> Tensor:
    """Return the outputs nearest to perfect that the activation can emit; one row per image."""
    activation, task = ACTIVATIONS[pairing.activation], pairing.spec
    if task.kind == "value":
        wanted = aims.logit() if pairing.rule.contains == "sigmoid" else aims
        return wanted.clamp(activation.low, activation.high)
    yes = F.one_hot(aims, task.outputs).float() if task.kind == "exclusive" else aims
    if activation.sums_to_one:
        return torch.ones_like(yes) if task.outputs == 1 else yes / yes.sum(dim=1, keepdim=True)
    wanted = yes if pairing.rule.reads in ("value", "probability") else torch.where(yes > 0.5, SURE, -SURE)
    return wanted.clamp(activation.low, activation.high)


def least_loss(pairing: Pairing, targets: Tensor, scale: Scale = UNSCALED) -> float | None:
    """Find the lowest loss that the activation's range allows; None where that is 0, or nothing stops the loss."""
    if has_no_floor(pairing) or (pairing.reads_batch_as_one_sample and pairing.activation != "softmax"):
        return None
    if pairing.reads_batch_as_one_sample:
        targets = part_of(targets, in_batches=True)  # the images that the best constant answer was sought on
    aims = pairing.aims(targets, scale)
    try:
        least = pairing.loss_value(best_outputs(pairing, aims), aims).item()
    except (RuntimeError, ValueError):
        return None
    return least if least > 0.005 else None


def best_metric(pairing: Pairing, targets: Tensor, scale: Scale = UNSCALED) -> float | None:
    """Return the best metric within reach of these outputs; None where they can be perfect."""
    task, competing = pairing.spec, pairing.activation == "softmax" or pairing.rule.contains == "softmax"
    if task.kind == "value":
        if pairing.activation == "sigmoid_inverse":
            return None
        range_of = ACTIVATIONS[pairing.activation]
        reached = pairing.aims(targets, scale).clamp(range_of.low, range_of.high) * scale.std + scale.mean
        least = (reached - targets).square().mean().item()
        return least if least > 0.005 else None
    if task.kind == "labels" and competing:  # at most one of them can pass one half
        return (1 - (targets.sum(dim=1) - 1).clamp_min(0) / task.outputs).mean().item()
    if task.kind == "single" and pairing.activation == "softmax":
        return targets.mean().item()
    return None


def double_softmax_floor(classes: int) -> float:
    """Return the lowest value nn.CrossEntropyLoss can reach when it is fed softmax outputs: log(1 + (K - 1) / e)."""
    return math.log1p((classes - 1) / math.e)


def bce_on_softmax_floor(classes: int) -> float:
    """Return the lowest mean of nn.BCEWithLogitsLoss on softmax outputs with one-hot targets."""
    return (math.log1p(1 / math.e) + (classes - 1) * math.log(2)) / classes
