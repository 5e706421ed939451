"""Leave what is the user's as it was: copies of models and inputs, and a record of what a loss holds on to."""

from __future__ import annotations

import copy
import functools
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

DEEPEST = 6  # how far the search for a loss's belongings follows functions, lists and attributes
MOST_FOUND = 20_000  # objects of that search


def tensors_in(value: object) -> Iterator[Tensor]:
    """Yield every tensor inside a nest of dicts, tuples and lists."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)


def first_tensor(value: object) -> Tensor | None:
    """Return the first tensor inside a nest, if any."""
    return next(tensors_in(value), None)


def draw_anew(seed: int = 0) -> None:
    """Start the random numbers again; `torch.manual_seed` also notes a call, with its stack, for each idle device."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


def changed(value: object, change: Callable[[Tensor], Tensor]) -> object:
    """Return the same structure with every tensor changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: changed(part, change) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(changed(part, change) for part in value))
    if isinstance(value, (tuple, list)):
        return type(value)(changed(part, change) for part in value)
    return value


def cloned(value: object) -> object:
    """Return the same structure with every tensor cloned, cut off from its history; other objects are copied."""
    if isinstance(value, (Tensor, Mapping, tuple, list)):
        return changed(value, lambda tensor: tensor.detach().clone().requires_grad_(tensor.requires_grad))
    try:
        return copy.deepcopy(value)
    except Exception:  # a handle, a lock: used as it is
        return value


def unwrapped(model: Callable) -> Callable:
    """Return the model inside torch.compile or a data-parallel shell."""
    model = getattr(model, "_orig_mod", model)
    shells = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    return model.module if isinstance(model, shells) else model


def copies_of(model: object, loss_fn: object) -> tuple[object, object, str]:
    """Copy a model and its loss together, so that what they share stays shared; say what could not be copied."""
    shared = [part for part in (model, loss_fn) if isinstance(part, nn.Module)]
    memo: dict[int, object] = {}
    for module in (module for part in shared for module in part.modules()):
        memo |= {id(v): v.clone_state() for v in vars(module).values() if isinstance(v, torch.Generator)}
    try:
        twins = {id(part): copy.deepcopy(part, memo) for part in shared}
    except (MemoryError, torch.OutOfMemoryError):
        return model, loss_fn, "there is not enough memory for a copy of the model; its own weights were used"
    except Exception:  # a lock, a handle, a tensor with history: copy the containers and the tensors only
        tensors: dict[int, object] = {}
        twins = {id(part): _shallow(part, tensors) for part in shared}
    return twins.get(id(model), model), twins.get(id(loss_fn), loss_fn), ""


def _shallow(module: nn.Module, tensors: dict[int, object]) -> nn.Module:
    def twin_of(tensor: Tensor | None) -> Tensor | None:
        if tensor is None or is_lazy(tensor):
            return tensor
        if id(tensor) not in tensors:
            clone = tensor.detach().clone()
            tensors[id(tensor)] = (nn.Parameter(clone, requires_grad=tensor.requires_grad)
                                   if isinstance(tensor, nn.Parameter) else clone)  # fmt: skip
        return tensors[id(tensor)]

    twin = copy.copy(module)
    twin._modules = {name: child and _shallow(child, tensors) for name, child in module._modules.items()}
    twin._buffers = {name: twin_of(buffer) for name, buffer in module._buffers.items()}
    twin._parameters = {name: twin_of(parameter) for name, parameter in module._parameters.items()}
    return twin


def held_by(thing: object) -> list[object]:
    """Return the modules, tensors and generators that a function can reach: closures, defaults, globals it names."""
    found: list[object] = []
    waiting: list[tuple[object, int]] = [(thing, 0)]
    seen: set[int] = set()
    while waiting and len(seen) < MOST_FOUND:
        value, depth = waiting.pop()
        if id(value) in seen or depth > DEEPEST or isinstance(value, (type, types.ModuleType, str, bytes)):
            continue
        seen.add(id(value))
        if isinstance(value, (nn.Module, Tensor, torch.Generator)):
            found.append(value)
        waiting += [(part, depth + 1) for part in _parts_of(value)]
    return found


def _parts_of(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, (tuple, list, set)):
        return list(value)
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell != types.CellType()]  # the filled ones
        names = [value.__globals__[name] for name in value.__code__.co_names if name in value.__globals__]
        return [*cells, *names, value.__defaults__, value.__kwdefaults__]
    if isinstance(value, nn.Module):
        return list(vars(value).values())
    if type(value).__module__.split(".")[0] in sys.stdlib_module_names or isinstance(value, (Tensor, torch.Generator)):
        return []
    return list(getattr(value, "__dict__", {}).values())


PLAIN = (int, float, bool, str, type(None))


@dataclass
class Record:
    """How modules, tensors and generators were, to put them back."""

    tensors: list[tuple[Tensor, Tensor, Tensor | None]] = field(default_factory=list)
    generators: list[tuple[torch.Generator, Tensor]] = field(default_factory=list)
    attributes: list[tuple[nn.Module, dict]] = field(default_factory=list)
    note: str = ""

    @classmethod
    def of(cls, things: list[object]) -> Record:
        """Record these things; where memory does not allow it, say so and record the rest."""
        record, seen = cls(), set()
        for thing in things:
            if isinstance(thing, nn.Module):
                kept = {key: value for key, value in vars(thing).items() if isinstance(value, PLAIN)}
                record.attributes.append((thing, kept))
                owned = [*thing.parameters(False), *thing.buffers(False)]
            elif isinstance(thing, torch.Generator):
                record.generators.append((thing, thing.get_state()))
                continue
            else:
                owned = [thing]
            for tensor in owned:
                if id(tensor) not in seen and not is_lazy(tensor):
                    seen.add(id(tensor))
                    record._add(tensor)
        return record

    def _add(self, tensor: Tensor) -> None:
        try:
            self.tensors.append((tensor, tensor.detach().clone(), tensor.grad if tensor.is_leaf else None))
        except (MemoryError, torch.OutOfMemoryError):
            self.note = "there is not enough memory to record what the loss holds on to"

    def restore(self) -> None:
        """Put everything back that is not as it was."""
        for tensor, value, grad in self.tensors:
            same = tensor.shape == value.shape and tensor.dtype == value.dtype
            if same and not _equal(tensor, value):
                with torch.no_grad():
                    tensor.data.copy_(value)
            if tensor.is_leaf and tensor.grad is not grad:
                tensor.grad = grad
        for generator, state in self.generators:
            generator.set_state(state)
        for module, kept in self.attributes:
            for key in [key for key, value in vars(module).items() if isinstance(value, PLAIN) and key not in kept]:
                del vars(module)[key]
            vars(module).update(kept)


def _equal(one: Tensor, other: Tensor) -> bool:
    if one.is_meta or one.is_sparse:
        return one.is_meta
    return torch.equal(one.detach(), other) or bool(((one == other) | ((one != one) & (other != other))).all())


@contextmanager
def nothing_changes(model: object, loss_fn: object) -> Iterator[Record]:
    """Keep random states, grad mode and all that the loss holds as they were, and be quiet."""
    devices = range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0)
    held = [] if isinstance(loss_fn, nn.Module) else held_by(loss_fn)
    record = Record.of([*held, *([] if isinstance(model, nn.Module) else held_by(model))])
    states = random.getstate(), sys.modules["numpy"].random.get_state() if "numpy" in sys.modules else None
    try:
        with (
            torch.random.fork_rng(devices),
            torch.inference_mode(False),
            torch.enable_grad(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield record
    finally:
        record.restore()
        random.setstate(states[0])
        if states[1] is not None:
            sys.modules["numpy"].random.set_state(states[1])
