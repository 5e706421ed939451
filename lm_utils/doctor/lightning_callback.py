"""A Lightning callback that looks once, at the first training batch: `Trainer(callbacks=[DoctorCallback()])`."""

import inspect
from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn

try:
    from lightning.pytorch import Callback
    from lightning.pytorch.loggers.logger import DummyLogger
except ModuleNotFoundError:
    from pytorch_lightning import Callback
    from pytorch_lightning.loggers.logger import DummyLogger

from lm_utils.doctor.belongings import draw_anew
from lm_utils.doctor.diagnosis import diagnose, not_looked_at, tell
from lm_utils.doctor.patient import Patient
from lm_utils.doctor.record import nothing_changes
from lm_utils.doctor.report import Report, known_codes

LOSS_NAMES = ("loss_fn", "criterion", "loss", "loss_function", "loss_func")
OWN_WAY = "everything, because the training step moves the weights itself or fetches its own batches"


class DoctorCallback(Callback):
    """Examine the module with its first batch; warn, or raise under `strict`, where it needs attention."""

    def __init__(self, strict: bool = False, ignore: Collection[str] = ()) -> None:
        self.strict, self.ignore = strict, known_codes(ignore)
        self.report = None

    def on_train_batch_start(self, trainer: object, pl_module: nn.Module, batch: object, batch_idx: int) -> None:
        """Look at the first batch, and never again."""
        if self.report is None:
            self.report = _look(pl_module, batch).without(self.ignore)
            tell(self.report, self.strict)


class _Bystander:
    """A trainer that answers every question, takes no order, and whose logger writes nothing."""

    __slots__ = ("_trainer",)

    def __init__(self, trainer: object) -> None:
        object.__setattr__(self, "_trainer", trainer)

    def __getattr__(self, name: str) -> object:
        found = getattr(self._trainer, name)
        return DummyLogger() if name == "logger" and found is not None else found

    def __setattr__(self, name: str, value: object) -> None:
        """Set nothing."""

    def __deepcopy__(self, memo: dict) -> object:
        return self


class _TrainingStep(nn.Module):
    """A module's training step as a model: it takes the batch, logs nothing, and returns the loss."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self.bystander = module, _Bystander(module.trainer)

    def forward(self, batch: object) -> object:
        """The loss of this batch."""
        parts = [vars(part) for part in self.module.modules() if "_trainer" in vars(part)]
        trainers = [part["_trainer"] for part in parts]
        try:
            for part in parts:
                part.update(dict.fromkeys(("log", "log_dict"), lambda *_, **__: None), _trainer=self.bystander)
            step = self.module.training_step
            return step(*(batch, 0)[: len(inspect.signature(step).parameters)])
        finally:
            for part, trainer in zip(parts, trainers, strict=True):
                part["_trainer"] = trainer
                del part["log"], part["log_dict"]


def _look(module: nn.Module, batch: object) -> Report:
    """Examine model and loss apart where the module names its loss and the step does just that, else the whole step."""
    asks = inspect.signature(module.training_step).parameters
    if not module.automatic_optimization or "dataloader_iter" in asks:
        return Report((not_looked_at(OWN_WAY),))
    whole = _TrainingStep(module), lambda outputs, _: outputs, (batch,), None
    loss = next((found for name in LOSS_NAMES if callable(found := getattr(module, name, None))), None)
    if loss is not None and isinstance(batch, (tuple, list)) and len(batch) == 2:
        apart = module, loss, *batch
        if _loss_of(*apart) == _loss_of(*whole) is not None:
            return diagnose(*apart)
    return diagnose(*whole).without({"unused_input"})  # a step may well leave the labels alone


def _loss_of(model: nn.Module, loss_fn: Callable, inputs: object, targets: object) -> float | None:
    """The loss of a copy, None where there is none."""
    with nothing_changes(model, loss_fn):
        patient = Patient(model, loss_fn, inputs, targets)
        draw_anew()
        with torch.no_grad():
            loss = patient.observe().loss
        return loss.item() if isinstance(loss, Tensor) and loss.numel() == 1 else None
