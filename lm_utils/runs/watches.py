"""What is looked at while and after a run under a changed condition is trained: one watch for each family."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lm_utils.data import Part, Splits
from lm_utils.doctor.checks import hidden_checks
from lm_utils.model import CNN
from lm_utils.pairing import Pairing
from lm_utils.runs.conditions import Condition
from lm_utils.runs.interventions import OTHER_HAND, SHIFTS
from lm_utils.runs.outputs import best_cut, quality
from lm_utils.runs.store import splits_of
from lm_utils.tasks import skill
from lm_utils.training import Run, Stopped, outputs_of

PROBED = 256  # training images whose gradients are looked at after each epoch
PATIENCE = 10  # epochs that the two stopping rules which wait for something better wait for it
BUDGET = 30  # epochs of the rule that waits for nothing
LEFT = 0.6  # of the way from the best constant to perfect: there a run has left its plateau


def gradient_sizes(model: CNN, pairing: Pairing, images: Tensor, aims: Tensor) -> dict[str, float]:
    """The mean size of the loss's gradient in each layer's weights; the model's own .grad stays as it is."""
    weights = {name: layer.weight for name, layer in model.named_children()}
    with torch.enable_grad():
        loss = pairing.loss_value(model(images), aims)
        gradients = torch.autograd.grad(loss, list(weights.values()), materialize_grads=True)
    return {name: gradient.abs().mean().item() for name, gradient in zip(weights, gradients, strict=True)}


def stuck_share(model: CNN, images: Tensor) -> float:
    """Return the share of hidden activations at a flat end: their slope is below FLAT, as a sigmoid's near 0 and 1."""
    with torch.no_grad():
        before = model.fc(model.features(images))
    slope = torch.func.grad(lambda values: model.hidden(values).sum())(before)
    return (slope < hidden_checks.FLAT).float().mean().item()


def stuck_units(model: CNN, images: Tensor) -> float:
    """Return the share of hidden units at the same flat end of their range for every image: they say nothing."""
    with torch.no_grad():
        return stuck_among(model, model.hidden_units(images))


def stuck_among(model: CNN, units: Tensor) -> float:
    """Return the same share from what the units say for each image."""
    if model.hidden is torch.relu:
        return (units.amax(dim=0) <= 0).float().mean().item()
    return hidden_checks.stuck_units(units, -1.0 if model.hidden is torch.tanh else 0.0)


class Watch:
    """What is looked at while and after a run is trained; this one looks at nothing."""

    enough = False  # whether the watch itself ended the training

    def __init__(self, condition: Condition, splits: Splits) -> None:
        self.condition, self.splits = condition, splits

    def setup(self, model: CNN) -> torch.optim.Optimizer:
        """The condition's own set-up."""
        self.model = model
        return self.condition.setup(model)

    def look(self, record: dict) -> None:
        """Called after each epoch."""

    def seen(self, run: Run) -> dict:
        """What was seen, to be stored with the run."""
        return {}

    def measured(self, model: CNN, images: Tensor, digits: Tensor) -> dict[str, float]:
        """Accuracy, negative log-likelihood, Brier score and calibration error on some images."""
        pairing, where = self.condition.pairing, next(model.parameters()).device
        predictions, targets = pairing.predict(outputs_of(model, images.to(where))).cpu(), pairing.spec.target(digits)
        told = quality(pairing.spec, predictions, targets)
        return {"accuracy": pairing.spec.score(predictions, targets), **{k: told[k] for k in ("nll", "brier", "ece")}}


class GradientTrace(Watch):
    """Looks into the network before training and after each epoch: gradient sizes and stuck hidden units."""

    def __init__(self, condition: Condition, splits: Splits) -> None:
        super().__init__(condition, splits)
        self.images, self.trace = splits.train.images[:PROBED], []
        self.aims = condition.pairing.spec.target(splits.train.digits[:PROBED])

    def setup(self, model: CNN) -> torch.optim.Optimizer:
        """The condition's own set-up, and a first look."""
        optimizer = super().setup(model)
        self.look({"epoch": 0})
        return optimizer

    def look(self, record: dict) -> None:
        """Keep gradient sizes and the share of stuck hidden units."""
        where = next(self.model.parameters()).device
        images = self.images.to(where)
        sizes = gradient_sizes(self.model, self.condition.pairing, images, self.aims.to(where))
        self.trace.append({"stuck": stuck_share(self.model, images), **sizes})

    def seen(self, run: Run) -> dict:
        """The trace, one entry per epoch, the first before training."""
        return {"trace": self.trace}


class ValidationCut(Watch):
    """Reads labels with the cut that suits the validation set, too."""

    def seen(self, run: Run) -> dict:
        """That cut and the test accuracy with it; nothing where the answers are no labels."""
        task, splits = run.pairing.spec, self.splits
        if task.kind != "labels":
            return {}
        valid, test = (task.target(part.digits) for part in (splits.valid, splits.test))
        return best_cut(task, run.valid_predictions, valid, run.test_predictions, test)


class ShiftedTests(Watch):
    """Tests the finished network on images of other kinds as well."""

    def seen(self, run: Run) -> dict:
        """Each shifted test set with its scores."""
        tests = shifted_tests(self.splits)
        return {"shifted": {name: self.measured(run.model, part.images, part.digits) for name, part in tests.items()}}


@dataclass
class Rule:
    """One rule: its best epoch so far, the weights of that epoch, and whether it has ended the training."""

    better: Callable[[dict, dict], bool] | None  # None: the last epoch of the budget counts
    best: dict | None = None
    weights: dict[str, Tensor] = field(default_factory=dict)
    ended: bool = False

    def look(self, record: dict, model: CNN) -> None:
        """Take an epoch into account; an ended rule does not look any more."""
        if self.ended:
            return
        if self.best is None or self.better is None or self.better(record, self.best):
            self.best, self.weights = record, deepcopy(model.state_dict())
        waited = record["epoch"] - self.best["epoch"]
        self.ended = record["epoch"] >= BUDGET if self.better is None else waited >= PATIENCE


class StoppingRules(Watch):
    """Follows three rules of stopping on one training."""

    def __init__(self, condition: Condition, splits: Splits) -> None:
        super().__init__(condition, splits)
        better = condition.pairing.spec.better
        self.rules = {
            "metric": Rule(lambda new, old: better(new["valid_metric"], old["valid_metric"])),
            "loss": Rule(lambda new, old: new["valid_loss"] < old["valid_loss"]),
            "budget": Rule(None),
        }

    def look(self, record: dict) -> None:
        """Let each rule look; the training ends with the last of them."""
        for rule in self.rules.values():
            rule.look(record, self.model)
        self.enough = all(rule.ended for rule in self.rules.values())
        if self.enough:
            raise Stopped

    def seen(self, run: Run) -> dict:
        """The test scores of the weights that each rule would have kept; the run counts as the metric's."""
        test, told = self.splits.test, {}
        for name, rule in self.rules.items():
            run.model.load_state_dict(rule.weights)
            told[name] = {"epoch": rule.best["epoch"], **self.measured(run.model, test.images, test.digits)}
        mine, valid_metric = told["metric"], self.rules["metric"].best["valid_metric"]
        own = {"status": "ok", "best_epoch": mine["epoch"], "test_metric": mine["accuracy"], "outputs": {}}
        return {**own, "valid_metric": valid_metric, "rules": told}


class Plateau(Watch):
    """Ends a training as soon as it has left its plateau: 60 % of the way from the best constant to perfect."""

    def look(self, record: dict) -> None:
        """Stop once the validation images say that it is left."""
        task, (train, valid) = self.condition.pairing.spec, (self.splits.train.digits, self.splits.valid.digits)
        chance = task.baseline(task.target(train), task.target(valid))
        self.enough = skill(record["valid_metric"], chance, task.metric) >= LEFT
        if self.enough:
            raise Stopped

    def seen(self, run: Run) -> dict:
        """The epoch that left it, if any."""
        return {"status": "ok", "left": run.epochs if self.enough else None}


WATCHES: dict[str, type[Watch]] = {
    "collapse": GradientTrace, "switches": ValidationCut, "new-data": ShiftedTests, "stopping": StoppingRules,
    "lever": GradientTrace, "tiny": GradientTrace, "tiny-lever": GradientTrace, "plateau": Plateau,
    **dict.fromkeys(("confirmation", "patience", "straight", "lost-at-once", "square", "tiny-square"), Watch),
}  # fmt: skip


def shifted_tests(splits: Splits) -> dict[str, Part]:
    """The test images changed in several ways; for a network trained on MNIST, another data set's digits, too."""
    parts = {name: Part(shift(splits.test.images), splits.test.digits) for name, shift in SHIFTS.items()}
    return parts | ({OTHER_HAND: splits_of("digits", 0).test} if splits.name == "mnist" else {})
