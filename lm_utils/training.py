"""One run: train a pairing with early stopping, keep the best epoch's weights, test them once."""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from math import ceil, isfinite, nan
from threading import Event

import torch
from torch import Tensor, nn

from lm_utils.data import Part, Splits
from lm_utils.errors import UserError
from lm_utils.model import CNN
from lm_utils.pairing import Pairing, Scale, check_name
from lm_utils.threads import cap_threads

UNCAPPED_THREADS = cap_threads()
EXPERIMENT_VERSION = 1  # raise by hand when the meaning of a run changes; stored runs of another version do not count
BATCH = 32
EVALUATION_BATCH = 100  # larger is slower on a CPU: the activations no longer fit its cache
LEARNING_RATE = CNN.learning_rate
RECORD = ("epoch", "train_loss", "valid_loss", "valid_metric")  # what a run keeps of each epoch


class Stopped(Exception):
    """Somebody asked the training to stop."""


class BadPairing(Exception):
    """The loss refused what this pairing handed to it."""


@dataclass
class Run:
    """What one training gave. Accuracies are fractions; a run without a result has metrics of nan."""

    pairing: Pairing
    seed: int
    data: str
    device: str
    status: str = "ok"  # "ok", "diverged" (a loss that is no finite number), "error", or "stopped" by hand
    error: str = ""
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    valid_metric: float = nan
    test_metric: float = nan
    seconds: float = 0.0
    precision: str = "fp32"  # or "bf16": quicker on many processors, with fewer digits (see `InBfloat16`)
    model: CNN | None = field(default=None, repr=False)  # with the weights of the best epoch
    scale: Scale | None = field(default=None, repr=False)  # how the training part standardised the targets
    valid_predictions: Tensor | None = field(default=None, repr=False)
    test_predictions: Tensor | None = field(default=None, repr=False)

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return len(self.history)

    def note(self, train_loss: float, valid_loss: float, metric: float) -> bool:
        """Write an epoch down; return whether it is the best so far."""
        self.history.append(dict(zip(RECORD, (self.epochs + 1, train_loss, valid_loss, metric), strict=True)))
        if not (isfinite(train_loss) and isfinite(valid_loss)):
            self.status = "diverged"
        elif not self.best_epoch or self.pairing.spec.better(metric, self.valid_metric):
            self.best_epoch, self.valid_metric = self.epochs, metric
        return self.best_epoch == self.epochs


def adamw(model: CNN, lr: float | None = None) -> torch.optim.Optimizer:
    """The experiments' optimiser: AdamW with PyTorch's own weight decay, at the network's own learning rate."""
    rate = model.learning_rate if lr is None else lr
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, fused=True)


def fit(
    pairing: Pairing,
    data: Splits,
    seed: int = 0,
    max_epochs: int = 500,
    patience: int = 10,
    device: str = "auto",
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    stop: Event | None = None,
    setup: Callable[[CNN], torch.optim.Optimizer] = adamw,
    precision: str = "fp32",
    network: type[CNN] = CNN,
) -> Run:
    """Train one pairing once; `setup` gets the fresh network and returns the optimiser (it may add hooks)."""
    check_numbers(seed, max_epochs, patience)
    started, where = time.perf_counter(), pick_device(device, pairing)
    run = Run(pairing, seed, data.name, where, precision=precision)
    train, valid, test = (prepare(part, run, where) for part in (data.train, data.valid, data.test))
    run.model = new_model(pairing, train.targets, seed, precision, network).to(where)
    optimizer, order = setup(run.model), torch.Generator().manual_seed(seed)
    best = None
    try:
        for _ in range(max_epochs):
            train_loss = train_epoch(run.model, optimizer, pairing, train, order, stop)
            valid_loss, metric, predictions = evaluate(run, valid, stop)
            if run.note(train_loss, valid_loss, metric):
                run.valid_predictions, best = predictions, deepcopy(run.model.state_dict())
            if run.status == "diverged":
                break
            if on_epoch is not None:
                on_epoch(run.history[-1])
            if run.epochs - run.best_epoch >= patience:
                break
    except Stopped:
        run.status = "stopped"
    except BadPairing as refusal:
        run.status, run.error, run.best_epoch, run.valid_metric, best = "error", str(refusal), 0, nan, None
    if best is not None:
        run.model.load_state_dict(best)
        test_once(run, test, stop)
    run.seconds = time.perf_counter() - started
    return run


@dataclass(frozen=True)
class Prepared:
    """One part of the data on its device: images, the task's targets, and what the loss is to meet."""

    images: Tensor
    targets: Tensor
    aims: Tensor


def prepare(part: Part, run: Run, where: str) -> Prepared:
    """Move a part to the device; the training part, which comes first, sets how targets are standardised."""
    targets = run.pairing.spec.target(part.digits).to(where)
    run.scale = run.scale or run.pairing.scale(targets)
    return Prepared(part.images.to(where), targets, run.pairing.aims(targets, run.scale))


class InBfloat16(CNN):
    """The same network with the arithmetic of its convolutions in bfloat16; weights and everything else are float32."""

    def features(self, images: Tensor) -> Tensor:
        """Images to what the convolutions saw."""
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            return super().features(images).float()


NETWORKS = {"fp32": CNN, "bf16": InBfloat16}


def new_model(
    pairing: Pairing, train_targets: Tensor, seed: int, precision: str = "fp32", network: type[CNN] = CNN
) -> CNN:
    """The fresh network of this seed, its output bias at the prior where the pairing says so."""
    check_name("precision", precision, NETWORKS)
    if precision != "fp32" and network is not CNN:
        raise UserError(f"precision={precision!r} is for the documents' CNN only; leave out `precision` or `network`.")
    generator = torch.Generator().manual_seed(seed)
    kind = NETWORKS[precision] if network is CNN else network
    model = kind(pairing.spec.outputs, pairing.activation, pairing.hidden, generator)
    if pairing.prior_bias:
        model.out.bias.data.copy_(pairing.prior(train_targets.cpu()))
    return model


@torch.enable_grad()
def train_epoch(
    model: CNN,
    optimizer: torch.optim.Optimizer,
    pairing: Pairing,
    train: Prepared,
    order: torch.Generator,
    stop: Event | None = None,
) -> float:
    """One pass over the training images in a new order; the mean loss."""
    total = torch.zeros((), device=train.images.device)
    for batch in torch.randperm(len(train.images), generator=order).to(total.device).split(BATCH):
        if stop is not None and stop.is_set():
            raise Stopped
        optimizer.zero_grad()
        loss = checked_loss(pairing, model(train.images[batch]), train.aims[batch])
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch)
    return total.item() / len(train.images)


def checked_loss(pairing: Pairing, outputs: Tensor, aims: Tensor) -> Tensor:
    """The loss of a batch; a loss that refuses its input becomes a BadPairing with the loss's own words."""
    try:
        return pairing.loss_value(outputs, aims)
    except (RuntimeError, ValueError) as refusal:
        if isinstance(refusal, torch.OutOfMemoryError):
            raise
        raise BadPairing(str(refusal)) from refusal


def test_once(run: Run, test: Prepared, stop: Event | None = None) -> None:
    """The finished run's test; a run that is stopped by hand is not tested."""
    try:
        _, run.test_metric, run.test_predictions = evaluate(run, test, stop)
    except Stopped:
        run.status = "stopped"


@torch.no_grad()
def evaluate(run: Run, part: Prepared, stop: Event | None = None) -> tuple[float, float, Tensor]:
    """Loss, metric and predictions (on the CPU) of the network as it is now."""
    outputs = outputs_of(run.model, part.images, stop)
    predictions = run.pairing.predict(outputs, run.scale)
    loss = checked_loss(run.pairing, outputs, part.aims).item()
    return loss, run.pairing.spec.score(predictions, part.targets), predictions.cpu()


@torch.no_grad()
def outputs_of(model: nn.Module, images: Tensor, stop: Event | None = None) -> Tensor:
    """The outputs for all images, in batches small enough for a CPU's cache."""
    outputs = []
    for part in images.split(EVALUATION_BATCH):
        if stop is not None and stop.is_set():
            raise Stopped
        outputs.append(model(part))
    return torch.cat(outputs)


def pick_device(device: str, pairing: Pairing | None = None) -> str:
    """Return "cpu" or "cuda"; a pairing that would kill a CUDA process is trained on the CPU."""
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"Unknown device {device!r}; choose 'auto', 'cpu' or 'cuda'.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device='cuda' was asked for, but PyTorch sees no GPU here; use 'cpu' or 'auto'.")
    where = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    return where if pairing is None else safe_device(where, pairing)


def safe_device(where: str, pairing: Pairing) -> str:
    """Return "cpu" for a pairing that would kill a CUDA process, and else the device that all runs are trained on."""
    return "cpu" if pairing.may_leave_unit_interval else where


def check_numbers(seed: int, max_epochs: int, patience: int) -> None:
    """Refuse numbers no run can use."""
    if not isinstance(seed, int) or seed < 0:
        raise UserError(f"seed must be a whole number of 0 or more, not {seed!r}.")
    if max_epochs < 1 or patience < 1:
        raise UserError(f"max_epochs and patience must be at least 1, not {max_epochs} and {patience}.")


def epochs_for(data: Splits, updates: int) -> int:
    """Return how many epochs give at least this many weight updates, so that a short run means the same on any data."""
    return ceil(updates / ceil(len(data.train) / BATCH))
