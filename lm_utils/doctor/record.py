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

from lm_utils.doctor.belongings import (
    DEEPEST,
    MOST_FOUND,
    filled_cells,
    global_names,
    is_library,
    parts_of,
    unwrapped,
)
from lm_utils.doctor.report import kind_of

PLAIN = (int, float, complex, str, bytes, type(None), types.ModuleType, types.BuiltinFunctionType, torch.dtype)
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
    record, seen = Record(), {}
    waiting: deque[tuple[object, int, bool]] = deque()
    for part in (unwrapped(model), loss_fn):
        copied = isinstance(part, nn.Module)
        waiting += [(inner, 0, True) for inner in part.modules()] if copied else [(part, 0, False)]
    while waiting and len(seen) < MOST_FOUND:
        value, depth, copied = waiting.popleft()
        copied = copied and not isinstance(value, (types.FunctionType, type))
        if isinstance(value, PLAIN) or (copied and type(value) in (dict, list) and not value):
            continue
        if depth > DEEPEST or not seen.get(id(value), True) or (copied and id(value) in seen):
            continue
        if isinstance(value, type) and is_library(value):
            continue
        seen[id(value)] = copied
        if not copied:
            record.add(value)
        waiting += [(part, depth + 1, copied) for part in _parts_of(value, copied)]
    return record


def _parts_of(value: object, copied: bool) -> list[object]:
    try:
        if isinstance(value, type):
            bases = [base for base in value.__mro__[1:] if not is_library(base)]
            return [*bases, *(_function_in(part) for part in vars(value).values())]
        inside = []
        if isinstance(value, nn.Module) and not copied:  # all of it, however deep
            inside = [*value.modules(), *value.parameters(False), *value.buffers(False)]
        slots = [getattr(value, name) for name in _slots(value) if hasattr(value, name)]
        own = getattr(value, "__dict__", None) if isinstance(value, CONTAINERS) else None
        return [*parts_of(value), *inside, *slots, own, type(value)]
    except Exception:  # an object that answers no question keeps its secrets
        return []


def _function_in(member: object) -> object:
    """The function behind a method of any kind."""
    inner = getattr(member, "fget" if isinstance(member, property) else "__func__", member)
    return member if inner is None else inner


def _slots(value: object) -> tuple[str, ...]:
    found = () if is_library(type(value)) else getattr(type(value), "__slots__", ())
    return (found,) if isinstance(found, str) else tuple(found)


def _ways_back(value: object) -> Iterator[Undo]:
    """Yield what brings back a value's members, attributes and numbers."""
    numpy = sys.modules.get("numpy")
    if isinstance(value, Tensor):
        if not (is_lazy(value) or value.is_meta):
            yield _tensor(value)
    elif isinstance(value, torch.Generator):
        state = value.get_state()
        yield lambda: value.set_state(state)
    elif isinstance(value, random.Random):
        numbers = value.getstate()
        yield lambda: value.setstate(numbers)
    elif numpy and isinstance(value, numpy.ndarray):
        if value.flags.writeable:
            was = value.copy()
            yield lambda: numpy.copyto(value, was)
    elif numpy and isinstance(value, numpy.random.RandomState):
        legacy = value.get_state()
        yield lambda: value.set_state(legacy)
    elif numpy and isinstance(value, numpy.random.Generator):
        bits = value.bit_generator.state
        yield lambda: setattr(value.bit_generator, "state", bits)
    elif isinstance(value, types.FunctionType):
        yield from _function(value)
    elif isinstance(value, type):
        yield _names(lambda: {k: v for k, v in vars(value).items() if not k.startswith("__")},
                     lambda key, old: setattr(value, key, old), lambda key: delattr(value, key))  # fmt: skip
    else:
        if isinstance(value, CONTAINERS):
            yield _members(value)
        if isinstance(getattr(value, "__dict__", None), dict) and parts_of(value):
            yield _members(vars(value))
        yield _names(lambda: {name: getattr(value, name) for name in _slots(value) if hasattr(value, name)},
                     lambda key, old: object.__setattr__(value, key, old), lambda key: delattr(value, key))  # fmt: skip


def _members(container: dict | list | set | deque) -> Undo:
    """Put a container's own members back, in their order."""

    def members() -> list[int]:
        pairs = container.items() if isinstance(container, dict) else enumerate(container)
        return [id(part) for key, value in pairs for part in (key if isinstance(container, dict) else 0, value)]

    was, before = container.copy(), members()

    def back() -> None:
        if members() != before:
            container.clear()
            container.extend(was) if isinstance(container, (list, deque)) else container.update(was)

    return back


def _names(now: Callable[[], dict], set_back: Callable[[str, object], None], drop: Callable[[str], None]) -> Undo:
    """Bind names to what they were bound to."""
    was = now()

    def back() -> None:
        found = now()
        for key in found.keys() - was.keys():
            drop(key)
        for key, old in was.items():
            if key not in found or found[key] is not old:
                set_back(key, old)

    return back


def _function(function: types.FunctionType) -> Iterator[Undo]:
    cells = dict(enumerate(filled_cells(function)))
    yield _names(lambda: {key: cell.cell_contents for key, cell in cells.items()},
                 lambda key, old: setattr(cells[key], "cell_contents", old), lambda key: None)  # fmt: skip
    yield _members(vars(function))
    if not is_library(function):
        space, names = function.__globals__, set(global_names(function.__code__))
        yield _names(lambda: {name: space[name] for name in names if name in space},
                     space.__setitem__, space.pop)  # fmt: skip


def _tensor(tensor: Tensor) -> Undo:
    """Put a tensor's numbers, its place in memory, its gradient and its wish for one back."""
    plain = tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_quantized
    place, value = tensor.detach(), tensor.detach().clone()
    leaf, wanted = tensor.is_leaf, tensor.requires_grad
    grad = tensor.grad if leaf else None
    slope = None if grad is None else grad.detach().clone()

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
            if slope is not None and not _equal(grad, slope):
                grad.detach().copy_(slope)

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
    kind, precision = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    anomaly, check = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()

    def back() -> None:
        torch.set_default_dtype(kind)
        if torch.get_float32_matmul_precision() != precision:
            torch.set_float32_matmul_precision(precision)
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
