"""What the outputs of a finished run look like, small enough to be stored: calibration, histogram, confusion."""

import torch
from torch import Tensor

from lm_utils.data import Splits
from lm_utils.tasks import Task
from lm_utils.training import Run

BINS = 20
CUTS = torch.arange(0.02, 1.0, 0.02)
SMALLEST = 1e-7  # a probability of 0 for what happened would cost infinitely much


def summarise(run: Run, data: Splits) -> dict:
    """Numbers about the test outputs of a run; empty where the run ended with an error."""
    if run.test_predictions is None:
        return {}
    task, predictions = run.pairing.spec, run.test_predictions
    targets = task.target(data.test.digits)
    if task.kind == "value":
        return {"mean_by_digit": means_by_digit(predictions, data.test.digits)}
    told = {"histogram": histograms(task, predictions, targets), **answers(task, predictions, targets)}
    if run.pairing.gives_probabilities:
        told |= quality(task, predictions, targets)
    if task.kind == "labels":
        told |= best_cut(task, run.valid_predictions, task.target(data.valid.digits), predictions, targets)
    return told


def means_by_digit(predictions: Tensor, digits: Tensor) -> list[float]:
    """The mean prediction for each digit."""
    return [round(predictions[digits == digit].mean().item(), 4) for digit in range(10)]


def one_hot(task: Task, targets: Tensor) -> Tensor:
    """Targets with one column per output."""
    return torch.nn.functional.one_hot(targets, task.outputs).float() if task.kind == "exclusive" else targets


def histograms(task: Task, predictions: Tensor, targets: Tensor) -> dict[str, list]:
    """How often outputs fall into each bin, apart for outputs that should be a yes and a no."""
    low = min(0.0, predictions.min().item())
    high = max(1.0, predictions.max().item())
    yes = one_hot(task, targets) > 0.5
    count = lambda values: torch.histc(values.float(), BINS, low, high).int().tolist()  # noqa: E731
    return {"range": [round(low, 4), round(high, 4)], "yes": count(predictions[yes]), "no": count(predictions[~yes])}


def answers(task: Task, predictions: Tensor, targets: Tensor) -> dict[str, list]:
    """The confusion matrix of exclusive classes, or the accuracy of each label."""
    decided = task.decide(predictions)
    if task.kind == "exclusive":
        pairs = targets * task.outputs + decided
        return {"confusion": torch.bincount(pairs, minlength=task.outputs**2).view(-1, task.outputs).tolist()}
    return {"accuracy_by_output": (decided == targets).float().mean(dim=0).tolist()}


def quality(task: Task, predictions: Tensor, targets: Tensor) -> dict:
    """Negative log-likelihood, Brier score and calibration error of predicted probabilities."""
    if task.kind == "exclusive":
        p = predictions / predictions.sum(dim=1, keepdim=True).clamp_min(SMALLEST)
        truth = p.gather(1, targets[:, None]).clamp_min(SMALLEST)
        brier = (p - one_hot(task, targets)).square().sum(dim=1).mean()
        confidence, right = p.max(dim=1).values, (p.argmax(dim=1) == targets).float()
    else:
        p = predictions
        truth = torch.where(targets > 0.5, p, 1 - p).clamp_min(SMALLEST)
        brier = (p - targets).square().mean()
        confidence, right = torch.maximum(p, 1 - p).flatten(), ((p >= 0.5) == (targets > 0.5)).float().flatten()
    bins = reliability(confidence, right)
    return {"nll": -truth.log().mean().item(), "brier": brier.item(), "ece": bins.pop("ece"), "reliability": bins}


def reliability(confidence: Tensor, right: Tensor) -> dict:
    """Confidence against accuracy in equal bins, and the mean gap between the two (ECE)."""
    place = (confidence * BINS).long().clamp(0, BINS - 1)
    count = torch.bincount(place, minlength=BINS)
    sums = [torch.zeros(BINS).index_add_(0, place, values) for values in (confidence, right)]
    mean_confidence, accuracy = (total / count.clamp_min(1) for total in sums)
    ece = ((mean_confidence - accuracy).abs() * count).sum() / count.sum()
    bins = {"confidence": mean_confidence.tolist(), "accuracy": accuracy.tolist(), "count": count.tolist()}
    return {"ece": ece.item(), **bins}


def best_cut(task: Task, valid: Tensor, valid_targets: Tensor, test: Tensor, test_targets: Tensor) -> dict:
    """The cut that suits the validation set best, and the test accuracy with it."""
    scores = [(task.decide(valid, cut) == valid_targets).float().mean().item() for cut in CUTS.tolist()]
    cut = CUTS[int(torch.tensor(scores).argmax())].item()
    return {"cut": round(cut, 2), "accuracy_at_cut": (task.decide(test, cut) == test_targets).float().mean().item()}
