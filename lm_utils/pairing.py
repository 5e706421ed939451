"""A pairing: one task met by one loss and one output activation, and everything that follows from that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lm_utils.activations import ACTIVATIONS, HIDDEN, inverse_sigmoid
from lm_utils.advice import Advice, advise
from lm_utils.errors import UserError
from lm_utils.losses import LOSSES, Loss, shaped
from lm_utils.tasks import TASKS, Task

FLATTENED_BATCH = 32  # a loss that reads the batch as one sample is evaluated in batches of the training size
USUAL_ACTIVATIONS = ("none", "relu", "sigmoid", "softmax")  # those that the verdicts' tables show


@dataclass(frozen=True)
class Scale:
    """Mean and deviation by which targets are standardised; 0 and 1 leave them as they are."""

    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True)
class Pairing:
    """Task, loss and output activation, with the options of the experiments."""

    task: str
    loss: str
    activation: str = "none"
    hidden: str = "sigmoid"
    normalize: bool = False
    prior_bias: bool = False

    def __post_init__(self) -> None:
        check_name("task", self.task, TASKS)
        check_name("loss", self.loss, LOSSES)
        check_name("activation", self.activation, ACTIVATIONS)
        check_name("hidden activation", self.hidden, HIDDEN)
        regression = self.spec.kind == "value"
        if self.normalize and not regression:
            raise UserError(
                f"normalize=True standardises regression targets, but the task is {self.task!r}; leave it out."
            )
        if self.prior_bias and regression:
            raise UserError("prior_bias=True needs classes with a base rate, and regression has none; leave it out.")
        if self.activation == "sigmoid_inverse" and not regression:
            raise UserError(
                f"activation='sigmoid_inverse' transforms regression targets, but the task is {self.task!r};"
                " use 'sigmoid'."
            )

    @property
    def spec(self) -> Task:
        """The task itself."""
        return TASKS[self.task]

    @property
    def rule(self) -> Loss:
        """The loss itself."""
        return LOSSES[self.loss]

    @property
    def label(self) -> str:
        """The one name of a pairing, such as 'nn.BCELoss + sigmoid (ReLU hidden)', in figures, tables and pages."""
        bare = " on logits" if self.rule.reads == "logit" else " without activation"
        how = bare if self.activation == "none" else f" + {ACTIVATIONS[self.activation].title}"
        notes = ["twice"] * (self.rule.contains == self.activation != "none")
        notes += ["ReLU hidden"] * (self.hidden == "relu") + ["prior bias"] * self.prior_bias
        if self.spec.kind == "value":
            notes.append("normalised" if self.normalize else "raw targets")
        return f"{self.rule.short}{how}" + (f" ({', '.join(notes)})" if notes else "")

    @property
    def advice(self) -> Advice:
        """The verdict with its reasons."""
        return advise(self)

    @property
    def verdict(self) -> str:
        """'recommended', 'workable', 'handicapped' or 'impossible'."""
        return self.advice.verdict

    @property
    def explanation(self) -> str:
        """A paragraph: what the loss receives, what it can and cannot express, and why."""
        return self.advice.paragraph

    @property
    def reads_batch_as_one_sample(self) -> bool:
        """Whether the loss flattens the batch, so that its value depends on the batch size."""
        return self.loss == "cross_entropy" and self.spec.kind in ("value", "single")

    @property
    def may_leave_unit_interval(self) -> bool:
        """Whether nn.BCELoss may meet numbers outside [0, 1], which kills a CUDA process."""
        if self.loss != "bce":
            return False
        targets_outside = self.spec.kind == "value" and self.activation != "sigmoid_inverse"
        return targets_outside or self.activation in ("none", "relu")

    def plain(self) -> Pairing:
        """The same task, loss and activation with no option set."""
        return replace(self, hidden="sigmoid", normalize=False, prior_bias=False)

    def scale(self, train_targets: Tensor) -> Scale:
        """How this pairing standardises targets, learnt from the training targets."""
        if not self.normalize:
            return Scale()
        return Scale(train_targets.mean().item(), train_targets.std().item())

    def aims(self, targets: Tensor, scale: Scale) -> Tensor:
        """Targets as the loss is to meet them: standardised, and through a sigmoid where the activation says so."""
        if self.spec.kind == "value":
            targets = (targets - scale.mean) / scale.std
        return torch.sigmoid(targets) if self.activation == "sigmoid_inverse" else targets

    def loss_value(self, outputs: Tensor, aims: Tensor) -> Tensor:
        """The loss of a batch, with outputs and aims in exactly the shapes the loss expects."""
        if self.loss == "hinge" and self.spec.kind == "value":
            raise UserError("The hinge loss needs labels of -1 and +1, but regression targets are numbers; use 'mse'.")
        if self.reads_batch_as_one_sample and len(outputs) > FLATTENED_BATCH:
            parts = zip(outputs.split(FLATTENED_BATCH), aims.split(FLATTENED_BATCH), strict=True)
            return torch.stack([self.loss_value(*part) for part in parts]).mean()
        return self.rule.compute(*shaped(self.rule, self.spec.kind, outputs, aims))

    def predict(self, outputs: Tensor, scale: Scale = Scale()) -> Tensor:
        """Outputs as an answer: a number on the original scale, or probabilities with their cut at 0.5."""
        if self.spec.kind == "value":
            values = inverse_sigmoid(outputs) if self.activation == "sigmoid_inverse" else outputs
            return values * scale.std + scale.mean
        if self.activation != "none":
            return outputs
        if self.rule.contains == "softmax":
            return torch.softmax(outputs, dim=1)
        if self.rule.contains == "sigmoid" or self.loss == "hinge":  # a margin of 0 becomes one half
            return torch.sigmoid(outputs)
        return outputs

    @property
    def gives_probabilities(self) -> bool:
        """Whether predictions lie in [0, 1] by construction and mean a probability."""
        squashed = self.activation in ("sigmoid", "softmax") or self.rule.contains != "none"
        return self.spec.kind != "value" and self.loss != "hinge" and squashed and self.activation != "relu"

    def prior(self, train_targets: Tensor) -> Tensor:
        """The output bias at which every output starts at its base rate in the training set."""
        outputs = self.spec.outputs
        if self.spec.kind == "exclusive":
            rates = torch.bincount(train_targets, minlength=outputs) / len(train_targets)
        else:
            rates = train_targets.mean(dim=0)
        rates = rates.clamp(1e-4, 1 - 1e-4)
        squash = self.activation if self.activation != "none" else self.rule.contains
        if self.loss == "hinge" and squash == "none":
            return 2 * rates - 1
        return {"sigmoid": rates.logit(), "softmax": rates.log()}.get(squash, rates)


def check_name(what: str, name: str, table: dict) -> None:
    """Refuse a name that is not in the table, and say which are."""
    if name not in table:
        raise UserError(f"Unknown {what} {name!r}; choose one of {', '.join(table)}.")


def usual_pairing(task: str, loss: str, activation: str) -> Pairing:
    """The pairing, with standardised targets where the task asks for a number."""
    return Pairing(task, loss, activation, normalize=TASKS[task].kind == "value")


def recommended(task: str) -> list[Pairing]:
    """Every pairing of this task with the verdict 'recommended'."""
    every = (usual_pairing(task, loss, activation) for loss in LOSSES for activation in USUAL_ACTIVATIONS)
    return [pairing for pairing in every if pairing.verdict == "recommended"]
