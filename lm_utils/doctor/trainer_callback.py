"""A callback for the Trainer of Hugging Face that looks once, at the first batch."""

from collections.abc import Collection

from torch import Tensor, nn
from transformers import TrainerCallback

from lm_utils.doctor.diagnosis import diagnose, not_looked_at, tell
from lm_utils.doctor.patient import Patient
from lm_utils.doctor.record import nothing_changes
from lm_utils.doctor.report import Report, known_codes

NO_LOSS = "everything, because the model returns no loss: the Trainer computes it"


class DoctorCallback(TrainerCallback):
    """Examine the module with its first batch; warn, or raise under `strict`, where it needs attention."""

    def __init__(self, strict: bool = False, ignore: Collection[str] = ()) -> None:
        self.strict, self.ignore = strict, known_codes(ignore)
        self.report = None

    def on_train_begin(self, args: object, state: object, control: object, **given: object) -> None:
        """Wait for the first forward pass in training mode, whose inputs are the first batch."""

        def look(module: nn.Module, positional: tuple, named: dict) -> None:
            if module.training:
                hook.remove()
                named = {name: given for name, given in named.items() if name != "num_items_in_batch"}  # no input
                self.report = _look(module, positional or named, named.get("labels")).without(self.ignore)
                tell(self.report, self.strict)

        if self.report is None:
            hook = given["model"].register_forward_pre_hook(look, with_kwargs=True)


def _look(module: nn.Module, inputs: object, labels: object) -> Report:
    with nothing_changes(module, _loss_of):
        seen = Patient(module, _loss_of, inputs, labels).observe()
    if seen.failed_in == "loss":
        return Report((not_looked_at(NO_LOSS),))
    return diagnose(module, _loss_of, inputs, labels)


def _loss_of(outputs: object, _: object) -> Tensor:
    """The loss that a model of transformers returns among its outputs, where it was given labels."""
    loss = outputs["loss"] if isinstance(outputs, dict) else outputs[0]
    if loss.numel() != 1:
        raise ValueError("the first output is no loss")
    return loss
