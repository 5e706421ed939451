"""A record of what model and loss hold on to and no copy was made of, to put it back after the examination."""

from __future__ import annotations

import random
import sys
import types
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lm_utils.doctor.belongings import filled_cells, global_names, is_library, parts_of, reached, unwrapped
from lm_utils.doctor.report import kind_of

CONTAINERS = (dict, list, set, deque)
Undo = Callable[[], None]


class Record:
    """How things were, as one way back for each."""

    def __init__(self) -> None:
        self.ways_back: list[Undo] = []
        self.note = ""

    def add(self, value: object) -> None:
        """Remember how this is; where memory does not allow it, say so."""
        try:
            self.ways_back += _ways_back(value)
        except (MemoryError, torch.OutOfMemoryError):
            self.note = "there is not enough memory to record what the loss holds on to"
        except Exception as error:  # a proxy that answers nothing, a tensor of a rare kind
            self.note = f"whether {kind_of(value)} of the loss stays as it is ({type(error).__name__})"

    def restore(self) -> None:
        """Put everything back that is not as it was."""
        for way_back in self.ways_back:
            try:
                way_back()
            except Exception as error:  # the others must be put back all the same
                self.note = f"not all that the loss holds on to could be put back ({type(error).__name__})"


def record_of(model: object, loss_fn: object) -> Record:
    """Record what both can reach and a copy of a module does not hold: through functions, globals and classes."""
    record = Record()
    waiting: deque[tuple[object, int, bool]] = deque()
    for part in (unwrapped(model), loss_fn):
        copied = isinstance(part, nn.Module)
        waiting += [(inner, 0, True) for inner in part.modules()] if copied else [(part, 0, False)]
    for value, copied in reached(waiting, _parts_of):
        if not copied:
            record.add(value)
    return record


def _parts_of(value: object, copied: bool) -> list[object]:
    try:
        if isinstance(value, Tensor):
            return [value.grad] if value.is_leaf else []
        if isinstance(value, type) and is_library(value):
            return []
        if isinstance(value, type):
            members = (getattr(m, "__func__", None) or getattr(m, "fget", None) or m for m in vars(value).values())
            return [*(base for base in value.__mro__[1:] if not is_library(base)), *members]
        parts = parts_of(value)
        if isinstance(value, nn.Module) and not copied:  # all of it, however deep
            parts += [*value.modules(), *value.parameters(False), *value.buffers(False)]
        own = vars(value) if parts and hasattr(value, "__dict__") else None
        return [*parts, own, type(value)]
    except Exception:  # an object that answers no question keeps its secrets
        return []


def _ways_back(value: object) -> Iterator[Undo]:
    """Yield what brings back a value's members, attributes and numbers."""
    numpy = sys.modules.get("numpy")
    if isinstance(value, Tensor):
        if not (is_lazy(value) or value.is_meta):
            yield _tensor(value)
    elif isinstance(value, CONTAINERS):
        yield _members(value)
    elif isinstance(value, (torch.Generator, random.Random)) or (numpy and isinstance(value, numpy.random.RandomState)):
        read, write = ("getstate", "setstate") if isinstance(value, random.Random) else ("get_state", "set_state")
        state = getattr(value, read)()
        yield lambda: getattr(value, write)(state)
    elif numpy and isinstance(value, numpy.random.Generator):
        yield _names(value.bit_generator, {"state": value.bit_generator.state})
    elif numpy and isinstance(value, numpy.ndarray):
        if value.flags.writeable:
            was = value.copy()
            yield lambda: numpy.copyto(value, was)
    elif isinstance(value, type):
        own = {} if is_library(value) else {k: v for k, v in vars(value).items() if not k.startswith("__")}
        yield _names(value, own)
    elif isinstance(value, types.FunctionType):
        for cell in filled_cells(value):
            yield _names(cell, {"cell_contents": cell.cell_contents})
        if not is_library(value):
            space = value.__globals__
            known = {name: space[name] for name in global_names(value.__code__) if name in space}
            yield lambda: space.update(known)


def _members(container: dict | list | set | deque) -> Undo:
    """Put a container's own members back, in their order."""

    def members() -> list[int]:
        return [*map(id, container), *(map(id, container.values()) if isinstance(container, dict) else ())]

    was, before = container.copy(), members()

    def back() -> None:
        if members() != before:
            container.clear()
            (container.extend if isinstance(container, (list, deque)) else container.update)(was)

    return back


def _names(owner: object, was: dict[str, object]) -> Undo:
    """Let an owner's attributes be again what they were."""

    def back() -> None:
        for name, value in was.items():
            if getattr(owner, name, None) is not value:
                setattr(owner, name, value)

    return back


def _tensor(tensor: Tensor) -> Undo:
    """Put a tensor's numbers, its place in memory, its gradient and its wish for one back."""
    plain = tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_quantized
    place, value = tensor.detach(), tensor.detach().clone()
    leaf, wanted = tensor.is_leaf, tensor.requires_grad
    grad = tensor.grad if leaf else None

    def back() -> None:
        with torch.inference_mode(tensor.is_inference()), torch.no_grad():
            if leaf and not tensor.is_leaf:
                tensor.detach_()
            if plain and not _unnamed(tensor).is_set_to(_unnamed(place)):
                tensor.data = place
            if not _equal(tensor, value):
                _unnamed(tensor.data).copy_(_unnamed(value)) if plain else setattr(tensor, "data", value)
            if leaf and tensor.requires_grad is not wanted:
                tensor.requires_grad_(wanted)
            if leaf and tensor.grad is not grad:
                tensor.grad = grad

    return back


def _unnamed(tensor: Tensor) -> Tensor:
    return tensor.rename(None) if tensor.has_names() else tensor


def _equal(one: Tensor, other: Tensor) -> bool:
    """Are these the same numbers? Where torch cannot say, they are taken for different."""
    try:
        one, other = _unnamed(one.detach()), _unnamed(other)
        return torch.equal(one, other) or bool(((one == other) | ((one != one) & (other != other))).all())
    except Exception:
        return False


def _switches() -> Undo:
    """Put torch's global switches back."""
    kind, anomaly, check = torch.get_default_dtype(), torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()

    def back() -> None:
        torch.set_default_dtype(kind)
        torch.use_deterministic_algorithms(strict, warn_only=warns)
        if (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()) != (anomaly, check):
            torch.autograd.set_detect_anomaly(anomaly, check)

    return back


@contextmanager
def nothing_changes(model: object, loss_fn: object) -> Iterator[Record]:
    """Keep random states, torch's switches and all that model and loss hold as they were, and be quiet."""
    devices = range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0)
    states = random.getstate(), sys.modules["numpy"].random.get_state() if "numpy" in sys.modules else None
    with torch.inference_mode(False), torch.no_grad():
        record, switches = record_of(model, loss_fn), _switches()
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
        switches()
        random.setstate(states[0])
        if states[1] is not None:
            sys.modules["numpy"].random.set_state(states[1])
