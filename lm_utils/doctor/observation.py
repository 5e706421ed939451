"""Run a model and its loss once, on copies, so that nothing of the user's changes."""

from __future__ import annotations

import copy
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from lm_utils.doctor.loss_calls import LossCall, LossWatcher

LARGE = 25_000_000  # above this many parameters a copy shares them with the original instead of doubling memory


@dataclass
class Observation:
    """What one forward pass gave: the outputs, the torch losses reached, the loss, or what went wrong."""

    outputs: object = None
    calls: list[LossCall] = field(default_factory=list)
    loss: object = None
    failure: Exception | None = None
    failed_in: str = ""


class Patient:
    """A model, its loss and a batch, as copies that may be handled without harm."""

    def __init__(self, model: Callable, loss_fn: Callable, inputs: object, targets: object) -> None:
        self.model = copy_of(unwrapped(model))
        self.loss_fn = copy_of(loss_fn) if isinstance(loss_fn, nn.Module) else loss_fn
        self.inputs = cloned(inputs)
        self.targets = cloned(targets)
        self.pick: Callable[[object], object] | None = None  # takes the tensor out of a dict or tuple

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The model's parameters by name (none for a plain function)."""
        return dict(self.model.named_parameters()) if isinstance(self.model, nn.Module) else {}

    @property
    def batch_size(self) -> int | None:
        """The length of the inputs' first axis."""
        first = first_tensor(self.inputs)
        return first.shape[0] if first is not None and first.dim() else None

    def observe(self, inputs: object = None, parameters: dict[str, Tensor] | None = None) -> Observation:
        """Run model and loss once, with other inputs or parameters if given."""
        seen = Observation()
        watcher = LossWatcher()
        try:
            with watcher:
                seen.failed_in = "model"
                seen.outputs = self._forward(self.inputs if inputs is None else inputs, parameters)
                watcher.calls.clear()  # a loss inside the model is the model's own affair
                seen.failed_in = "loss"
                chosen = self.pick(seen.outputs) if self.pick else seen.outputs
                seen.loss = self.loss_fn(chosen, self.targets)
                seen.failed_in = ""
        except Exception as error:  # whatever a stranger's code raises is a finding, not our crash
            seen.failure = error
        seen.calls = watcher.calls
        return seen

    def _forward(self, inputs: object, parameters: dict[str, Tensor] | None) -> object:
        if parameters is None:
            return called_with(self.model, inputs)
        return torch.func.functional_call(self.model, parameters, *_as_arguments(inputs))


def _as_arguments(inputs: object) -> tuple[tuple, dict]:
    if isinstance(inputs, Mapping):
        return (), dict(inputs)
    return (inputs if isinstance(inputs, tuple) else (inputs,)), {}


def called_with(model: Callable, inputs: object) -> object:
    """Call a model as its inputs suggest: a tuple as arguments, a mapping as named ones, else one argument."""
    args, kwargs = _as_arguments(inputs)
    return model(*args, **kwargs)


def unwrapped(model: Callable) -> Callable:
    """The model inside torch.compile or a data-parallel shell."""
    model = getattr(model, "_orig_mod", model)
    shells = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    return model.module if isinstance(model, shells) else model


def copy_of(module: object) -> object:
    """A copy of a module; where it cannot be copied, a shallow one with its own buffers."""
    if not isinstance(module, nn.Module):
        return module
    parameters = list(module.parameters())
    shared = parameters if sum(p.numel() for p in parameters) > LARGE else []
    memo: dict[int, object] = {id(p): p for p in shared}
    for part in module.modules():
        memo |= {id(v): v.clone_state() for v in vars(part).values() if isinstance(v, torch.Generator)}
    try:
        return copy.deepcopy(module, memo)
    except Exception:  # a lock, a handle, a tensor with history: copy the containers only
        return _shallow(module)


def _shallow(module: nn.Module) -> nn.Module:
    twin = copy.copy(module)
    twin._modules = {name: child and _shallow(child) for name, child in module._modules.items()}
    twin._buffers = {name: cloned(buffer) for name, buffer in module._buffers.items()}
    twin._parameters = dict(module._parameters)
    return twin


def cloned(value: object) -> object:
    """The same structure with every tensor cloned, cut off from its history."""
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, Mapping):
        return {key: cloned(part) for key, part in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(cloned(part) for part in value)
    return [cloned(part) for part in value] if isinstance(value, list) else value


def tensors_in(value: object) -> Iterator[Tensor]:
    """Every tensor inside a nest of dicts, tuples and lists."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)


def first_tensor(value: object) -> Tensor | None:
    """The first tensor inside a nest, if any."""
    return next(tensors_in(value), None)


@contextmanager
def nothing_changes(model: object, inputs: object) -> Iterator[None]:
    """Keep random states and grad mode as they were, and be quiet."""
    holders = [*tensors_in(inputs), *(model.parameters() if isinstance(model, nn.Module) else [])]
    devices = sorted({t.get_device() for t in holders if t.is_cuda})
    states = random.getstate(), sys.modules["numpy"].random.get_state() if "numpy" in sys.modules else None
    try:
        with (
            torch.random.fork_rng(devices),
            torch.inference_mode(False),
            torch.enable_grad(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        if states[1] is not None:
            sys.modules["numpy"].random.set_state(states[1])
