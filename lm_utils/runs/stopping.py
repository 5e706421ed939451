"""Three rules that say when a training ends, compared on one and the same training."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from torch import Tensor

from lm_utils.model import CNN

PATIENCE = 10  # of the two rules that wait for something better
BUDGET = 30  # epochs of the rule that waits for nothing


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


class ThreeRules:
    """Follows a training with all three rules at once."""

    def __init__(self, better: Callable[[float, float], bool]) -> None:
        self.rules = {
            "metric": Rule(lambda new, old: better(new["valid_metric"], old["valid_metric"])),
            "loss": Rule(lambda new, old: new["valid_loss"] < old["valid_loss"]),
            "budget": Rule(None),
        }

    def look(self, record: dict, model: CNN) -> None:
        """Let each rule take an epoch into account."""
        for rule in self.rules.values():
            rule.look(record, model)

    @property
    def ended(self) -> bool:
        """Whether no rule wants to go on."""
        return all(rule.ended for rule in self.rules.values())

    def scores(self, model: CNN, measure: Callable[[CNN], dict]) -> dict[str, dict]:
        """What each rule would have handed over: its epoch, and what is measured of it. Leaves other weights behind."""
        told = {}
        for name, rule in self.rules.items():
            model.load_state_dict(rule.weights)
            told[name] = {"epoch": rule.best["epoch"], **measure(model)}
        return told
