"""The five tasks: one photograph of a digit, five different questions about it."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["value", "single", "exclusive", "labels"]
PERFECT = {"accuracy": 1.0, "mse": 0.0}


def skill(score: float, baseline: float, metric: str) -> float:
    """The share of the way from the best constant answer (0) to a perfect one (1)."""
    return (score - baseline) / (PERFECT[metric] - baseline)


@dataclass(frozen=True)
class Task:
    """A question about a digit: what the target is and how an answer is judged."""

    name: str
    title: str
    question: str
    kind: Kind  # a number, one yes/no, one of several classes, several yes/no at once
    names: tuple[str, ...]  # one per output
    table: tuple[float | tuple[float, ...], ...]  # the target of each digit 0..9

    @property
    def outputs(self) -> int:
        """How many numbers the network emits."""
        return len(self.names)

    @property
    def metric(self) -> Literal["mse", "accuracy"]:
        """What a run is judged by: mean squared error for a number, accuracy for everything else."""
        return "mse" if self.kind == "value" else "accuracy"

    def target(self, digits: Tensor) -> Tensor:
        """Digits [N] to targets: [N, 1] or [N, labels] float, or class indices [N] for exclusive classes."""
        table = torch.tensor(self.table, dtype=torch.long if self.kind == "exclusive" else torch.float32)
        return table.to(digits.device)[digits]

    def better(self, new: float, old: float) -> bool:
        """Whether the first metric value is the better one."""
        return new < old if self.metric == "mse" else new > old

    def score(self, predictions: Tensor, targets: Tensor) -> float:
        """The metric: mean squared error, or the share of right answers (over all outputs for labels)."""
        return self.measure(predictions, targets).item()

    def measure(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The same, left on its device."""
        if self.kind == "value":
            return (predictions - targets).square().mean()
        return (self.decide(predictions) == targets).float().mean()

    def decide(self, probabilities: Tensor, cut: float = 0.5) -> Tensor:
        """Probabilities to answers: the largest class, or yes where a probability reaches the cut."""
        if self.kind == "exclusive":
            return probabilities.argmax(dim=1)
        return (probabilities >= cut).float()

    def baseline(self, train_targets: Tensor, test_targets: Tensor) -> float:
        """The metric of the best constant answer, learnt from the training targets."""
        if self.kind == "value":
            return (test_targets - train_targets.mean()).square().mean().item()
        if self.kind == "exclusive":
            return (test_targets == train_targets.bincount().argmax()).float().mean().item()
        return (test_targets == (train_targets.mean(dim=0) >= 0.5)).float().mean().item()


def members(*digits: int) -> tuple[float, ...]:
    """1 for the digits named, 0 for the others."""
    return tuple(float(digit in digits) for digit in range(10))


EVEN, PRIME = members(0, 2, 4, 6, 8), members(2, 3, 5, 7)
CURVED, SQUARE = members(0, 3, 6, 8, 9), members(0, 1, 4, 9)
STROKES = (2.0, 1.0, 2.0, 2.0, 6.0, 3.0, 3.0, 2.0, 4.0, 3.0)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("regression", "Regression", "How many strokes and holes does the digit have?", "value",
             ("strokes + holes",), tuple((value,) for value in STROKES)),
        Task("probability", "Probability prediction", "How likely is the digit curved?", "single",
             ("curved",), tuple((value,) for value in CURVED)),
        Task("binary", "Binary classification", "Is the digit curved or not? (two outputs)", "exclusive",
             ("not curved", "curved"), CURVED),
        Task("multiclass", "Multi-class classification", "Which of the ten digits is it?", "exclusive",
             tuple("0123456789"), tuple(float(digit) for digit in range(10))),
        Task("multilabel", "Multi-label classification", "Is it even? prime? curved? a square?", "labels",
             ("even", "prime", "curved", "square"), tuple(zip(EVEN, PRIME, CURVED, SQUARE, strict=True))),
    )
}  # fmt: skip
