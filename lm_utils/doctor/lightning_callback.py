"""A Lightning callback that looks once, at the first training batch: `Trainer(callbacks=[DoctorCallback()])`."""

import copy
from collections.abc import Collection

from torch import nn

try:
    from lightning.pytorch import Callback
except ModuleNotFoundError:
    from pytorch_lightning import Callback

from lm_utils.doctor.diagnosis import diagnose, tell

LOSS_NAMES = ("loss_fn", "criterion", "loss", "loss_function", "loss_func")


class DoctorCallback(Callback):
    """Examine the module with its first batch; warn, or raise under `strict`, where it needs attention."""

    def __init__(self, strict: bool = False, ignore: Collection[str] = ()) -> None:
        self.strict, self.ignore = strict, ignore
        self.report = None

    def on_train_batch_start(self, trainer: object, pl_module: nn.Module, batch: object, batch_idx: int) -> None:
        """Look at the first batch, and never again."""
        if self.report is None:
            self.report = diagnose(*_set_up(pl_module, batch)).without(self.ignore)
            tell(self.report, self.strict)


class _TrainingStep(nn.Module):
    """A module's training step as a model: it takes the batch and returns the loss."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, batch: object) -> object:
        """The loss of this batch, without logging."""
        return self.module.training_step(*(batch, 0)[: self.module.training_step.__code__.co_argcount - 1])


def _set_up(module: nn.Module, batch: object) -> tuple:
    """Return model, loss, inputs and targets: taken apart where the module names its loss, else the whole step."""
    twin = _without_trainer(module)
    loss = next((found for name in LOSS_NAMES if callable(found := getattr(twin, name, None))), None)
    if loss is not None and isinstance(batch, (tuple, list)) and len(batch) == 2:
        return twin, loss, *batch
    return _TrainingStep(twin), lambda outputs, _: outputs, (batch,), None


def _without_trainer(module: nn.Module) -> nn.Module:
    """Copy a module without the trainer that holds it, and let it log nothing."""
    trainer = module.__dict__.get("_trainer")
    module.__dict__["_trainer"] = None
    try:
        twin = copy.deepcopy(module)
    finally:
        module.__dict__["_trainer"] = trainer
    twin.__dict__.update(dict.fromkeys(("log", "log_dict"), lambda *_, **__: None))
    return twin
