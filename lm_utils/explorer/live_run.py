"""One training that can be watched: what is known at each moment, measured only when it is about to be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, isfinite
from threading import Event

import torch
from torch import Tensor

from lm_utils.data import Part, Splits
from lm_utils.doctor import Report, diagnose
from lm_utils.evidence.results import baseline
from lm_utils.evidence.statistics import at_chance
from lm_utils.explorer.choice import Choice
from lm_utils.model import CNN
from lm_utils.runs.watches import gradient_sizes, stuck_share, stuck_units
from lm_utils.training import BATCH, BadPairing, Run, adamw, checked_loss, fit

GLANCE = 64  # validation images of one quick look; a multiple of the batch, for losses that read a batch as one sample
SAMPLE = 288  # validation images whose outputs are shown
EARLY = (1, 2, 5)  # epochs after which the inside is measured even if nobody looks
SHOWN = 16  # test images of the grid
LEARNS, CONSTANT, BREAKS = OUTCOMES = (
    "It learns the task.", "It does no better than a constant answer.", "It stops with an error or with NaN.",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Loss and metric on a few validation images, after so many epochs."""

    epoch: float
    loss: float
    metric: float


@dataclass(frozen=True)
class InnerLook:
    """What the network looks like inside, after so many epochs."""

    epoch: float
    gradients: dict[str, float]  # by layer; empty where the loss refuses its input
    flat: float  # share of hidden activations where almost no gradient passes
    stuck: float  # share of hidden units at the same flat end for every image


class LiveRun:
    """Run `fit` and keep what a picture of it needs; `watch` is called at the start and after each batch and epoch."""

    def __init__(
        self, choice: Choice, data: Splits, device: str, watch: Callable[[LiveRun], None] | None = None
    ) -> None:
        self.choice, self.data, self.device = choice, data, device
        self.watch = watch or (lambda live: None)
        self.scale = choice.pairing.scale(choice.pairing.spec.target(data.train.digits))  # of the targets
        self.history: list[dict[str, float]] = []
        self.looks: list[Look] = []
        self.inner_looks: list[InnerLook] = []
        self.batches = 0
        self.batches_per_epoch = ceil(len(data.train) / BATCH)
        self.predictions: Tensor | None = None  # of the sample
        self.answers: Tensor | None = None  # of the test images shown
        self.model: CNN | None = None
        self.run: Run | None = None
        self.report: Report | None = None
        self.started = 0.0

    def train(self, stop: Event | None = None) -> Run:
        """Train until it ends or is stopped; the doctor looks at what has ended."""
        choice, self.started = self.choice, time.perf_counter()
        self.run = fit(choice.pairing, self.data, choice.seed, choice.epochs, choice.patience, self.device,
                       on_epoch=self._after_epoch, stop=stop, setup=self._setup)  # fmt: skip
        self.history, self.model = self.run.history, self.run.model.cpu()
        self.answer()
        if self.run.status != "stopped":
            images, _, aims = self.part(self.data.train, BATCH)
            self.report = diagnose(self.model, choice.pairing.loss_value, images, aims)
        return self.run

    def _setup(self, model: CNN) -> torch.optim.Optimizer:
        self.model = model
        optimizer = adamw(model, self.choice.lr)
        optimizer.register_step_post_hook(lambda *_: self._after_batch())
        self.watch(self)
        return optimizer

    def _after_batch(self) -> None:
        self.batches += 1
        self.watch(self)

    def _after_epoch(self, record: dict[str, float]) -> None:
        self.history.append(record)
        if record["epoch"] in EARLY or self.epoch >= self.expected_epochs:  # the last: before the best weights return
            self.probe()
        self.watch(self)

    # --- how it ended ---

    @property
    def outcome(self) -> str:
        """Return which of the OUTCOMES came true; empty where the run was stopped by hand."""
        if self.run is None or self.run.status == "stopped":
            return ""
        if self.run.status in ("error", "diverged"):
            return BREAKS
        return CONSTANT if self.at_chance else LEARNS

    @property
    def at_chance(self) -> bool:
        """Say whether the finished run is no better than the best constant answer."""
        task = self.choice.pairing.spec
        return at_chance(self.run.test_metric, baseline(task.name, self.run.data), task.metric)

    # --- how far ---

    @property
    def epoch(self) -> float:
        """Return the epochs trained so far, counted in batches."""
        return self.batches / self.batches_per_epoch

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.started

    @property
    def expected_epochs(self) -> int:
        """Return the epoch in which it ends if nothing improves any more."""
        best_of = max if self.choice.pairing.spec.metric == "accuracy" else min
        best = best_of(self.history, key=lambda record: record["valid_metric"], default={"epoch": 1})
        return min(self.choice.epochs, best["epoch"] + self.choice.patience)

    @property
    def seconds_left(self) -> float | None:
        """Return how long it will take if nothing improves any more; None before the first batch."""
        if not self.batches:
            return None
        return max(0.0, self.seconds / self.epoch * (self.expected_epochs - self.epoch))

    # --- what it looks like ---

    def part(self, part: Part, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the first images of a part on the network's device, their targets, and what the loss is to meet."""
        pairing, where = self.choice.pairing, next(self.model.parameters()).device
        count = min(count, max(1, len(part) // BATCH) * BATCH)
        targets = pairing.spec.target(part.digits[:count]).to(where)
        return part.images[:count].to(where), targets, pairing.aims(targets, self.scale)

    def look(self) -> None:
        """Measure loss and metric on a few validation images."""
        pairing = self.choice.pairing
        images, targets, aims = self.part(self.data.valid, GLANCE)
        with torch.no_grad():
            outputs = self.model(images)
            try:
                loss = checked_loss(pairing, outputs, aims).item()
            except BadPairing:
                return
            metric = pairing.spec.score(pairing.predict(outputs, self.scale), targets)
        if isfinite(loss) and (not self.looks or self.looks[-1].epoch < self.epoch):
            self.looks.append(Look(self.epoch, loss, metric))

    def answer(self) -> None:
        """Compute outputs on validation images, and answers to the test images shown."""
        say = self.choice.pairing.predict
        with torch.no_grad():
            self.predictions = say(self.model(self.part(self.data.valid, SAMPLE)[0]), self.scale).cpu()
            self.answers = say(self.model(self.part(self.data.test, SHOWN)[0][:SHOWN]), self.scale).cpu()

    def probe(self) -> None:
        """Measure gradients and stuck units."""
        if self.inner_looks and self.inner_looks[-1].epoch >= self.epoch:
            return
        images, _, aims = self.part(self.data.valid, GLANCE)
        try:
            gradients = gradient_sizes(self.model, self.choice.pairing, images, aims)
        except (RuntimeError, ValueError):  # the loss refuses these outputs
            gradients = {}
        hidden = stuck_share(self.model, images), stuck_units(self.model, images)
        self.inner_looks.append(InnerLook(self.epoch, gradients, *hidden))
