"""A callback for the Trainer of Hugging Face that looks once, at the first batch."""

from collections.abc import Collection

from torch import nn
from transformers import TrainerCallback

from lm_utils.doctor.diagnosis import diagnose, tell


class DoctorCallback(TrainerCallback):
    """Examine the model with its first batch; warn, or raise under `strict`, where it needs attention."""

    def __init__(self, strict: bool = False, ignore: Collection[str] = ()) -> None:
        self.strict, self.ignore = strict, ignore
        self.report = None

    def on_train_begin(self, args: object, state: object, control: object, **given: object) -> None:
        """Wait for the first forward pass, whose inputs are the first batch."""

        def look(module: nn.Module, positional: tuple, named: dict) -> None:
            hook.remove()
            if self.report is None:
                inputs = positional or named
                labels = named.get("labels")
                self.report = diagnose(module, _loss_of, inputs, labels).without(self.ignore)
                tell(self.report, self.strict)

        hook = given["model"].register_forward_pre_hook(look, with_kwargs=True)


def _loss_of(outputs: object, _: object) -> object:
    return outputs["loss"] if isinstance(outputs, dict) else outputs[0]
