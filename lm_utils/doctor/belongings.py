"""Copies of models and batches, and what a function can reach."""

from __future__ import annotations

import copy
import functools
import random
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, islice

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer

DEEPEST = 6  # how far the search for a loss's belongings follows functions, lists and attributes
MOST_FOUND = 20_000  # objects of that search
PLAIN = (int, float, complex, str, bytes, type(None), types.ModuleType, types.BuiltinFunctionType, torch.dtype)
HOLDERS = {"argparse", "collections", "types", "unittest"}  # of the standard library, whose attributes are a user's
LIBRARIES = frozenset(sys.stdlib_module_names) | {
    "torch", "numpy", "scipy", "pandas", "sklearn", "torchvision", "torchaudio", "torchmetrics", "transformers",
    "accelerate", "lightning", "pytorch_lightning", "timm", "einops", "matplotlib", "tqdm",
    "lm_utils"}  # fmt: skip
"""Their functions and classes keep nothing of the user's; what one of their objects holds may be a user's."""


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
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


def changed(value: object, change: Callable[[Tensor], Tensor]) -> object:
    """Return the same structure with every tensor changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        parts = {key: changed(part, change) for key, part in value.items()}
        return parts if type(value) is dict else _refilled(value, parts.items(), parts)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(changed(part, change) for part in value))
    if isinstance(value, (tuple, list)):
        members = [changed(part, change) for part in value]
        if isinstance(value, list) and type(value) is not list:
            return _refilled(value, enumerate(members), members)
        return type(value)(members)
    return value


def taken_out(value: object, places: list[int]) -> object:
    """Return the tensors at these places of a nest: one as it is, several as a tuple; no place means the whole."""
    parts = [tensor for place, tensor in enumerate(tensors_in(value)) if place in places]
    return value if not places else parts[0] if len(parts) == 1 else tuple(parts)


def filled(value: object, places: list[int], parts: object) -> object:
    """Return the nest with other tensors at these places."""
    given, number = iter(tensors_in(parts)), count()
    return changed(value, lambda t: next(given) if next(number) in places else t) if places else parts


def _refilled(value: object, parts: Iterable[tuple], plain: object) -> object:
    """Return a container of somebody's own class with other parts; a plain one where that class does not allow it."""
    try:
        twin = copy.copy(value)
        for key, part in parts:
            twin[key] = part
    except Exception:
        return plain
    return twin


def cloned(value: object) -> object:
    """Return a copy of a batch, whose tensors are cut off from their history; a handle or a lock is used as it is."""
    tensors = list(tensors_in(value))  # all alive together, so that no identity is used twice
    return twin_of(value, {id(tensor): _cut_off(tensor) for tensor in tensors}, _cut_off)


def _cut_off(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().data.requires_grad_(tensor.requires_grad)  # .data: nothing has written into it yet


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
        twins = {id(part): twin_of(part, memo) for part in shared}
    except (MemoryError, torch.OutOfMemoryError):
        return model, loss_fn, "there is not enough memory for a copy of the model; its own weights were used"
    for module in (module for twin in twins.values() for module in twin.modules()):
        _rebind(vars(module), memo)
    loss_twin = twins[id(loss_fn)] if id(loss_fn) in twins else _moved(loss_fn, memo)
    return twins.get(id(model), model), loss_twin, ""


def twin_of(value: object, memo: dict[int, object], detached: Callable[[Tensor], Tensor] | None = None) -> object:
    """Copy a value whole where that works, else part by part; a lock, a handle, a tensor with history stays itself."""
    if id(value) in memo:
        return memo[id(value)]
    known = len(memo)
    try:
        return copy.deepcopy(value, memo)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception:
        for key in list(islice(reversed(memo), len(memo) - known)):
            del memo[key]  # what a copy that fails leaves behind must not be taken for whole
        return _part_by_part(value, memo, detached)


def _part_by_part(value: object, memo: dict[int, object], detached: Callable[[Tensor], Tensor] | None) -> object:
    def twin(part: object) -> object:
        return twin_of(part, memo, detached)

    if isinstance(value, UninitializedBuffer):
        memo[id(value)] = UninitializedBuffer(device=value.device, dtype=value.dtype)
    elif isinstance(value, Tensor):
        memo[id(value)] = detached(value) if detached else value
    elif isinstance(value, dict):
        memo[id(value)] = parts = {}
        parts.update({key: twin(part) for key, part in value.items()})
        if type(value) is not dict:
            memo[id(value)] = _refilled(value, parts.items(), parts)
    elif type(value) is list:
        memo[id(value)] = found = []
        found += map(twin, value)
    elif isinstance(value, tuple):
        parts = [twin(part) for part in value]
        memo[id(value)] = type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    elif isinstance(value, types.MethodType):
        memo[id(value)] = types.MethodType(value.__func__, twin(value.__self__))
    elif not _may_be_made_anew(value):
        memo[id(value)] = value
    else:
        memo[id(value)] = found = object.__new__(type(value))
        own = value.__getstate__() if hasattr(value, "training_step") else vars(value)  # Lightning's: without a trainer
        vars(found).update({key: twin(part) for key, part in own.items()})
    return memo[id(value)]


def _may_be_made_anew(value: object) -> bool:
    """Is this a module, or an object of the user's own class that is nothing but its attributes?"""
    kind = type(value)
    plain = kind.__new__ is object.__new__ and hasattr(value, "__dict__") and not hasattr(kind, "__del__")
    return plain and not _is_inner(kind) and (isinstance(value, nn.Module) or not is_library(kind))


def _rebind(attributes: dict, memo: dict[int, object]) -> None:
    """Let the functions among a copied module's attributes and hooks work on the copy, too: deepcopy shares them."""
    for key, value in attributes.items():
        if isinstance(value, types.FunctionType):
            attributes[key] = _moved(value, memo)
        elif isinstance(value, dict) and str(key).endswith("_hooks"):
            _rebind(value, memo)


def _moved(value: object, memo: dict[int, object]) -> object:
    """Return what stands in a copy for this value that a function holds on to."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, types.MethodType):
        return types.MethodType(_moved(value.__func__, memo), _moved(value.__self__, memo))
    if isinstance(value, functools.partial):
        return functools.partial(_moved(value.func, memo), *(_moved(a, memo) for a in value.args),
                                 **{name: _moved(a, memo) for name, a in value.keywords.items()})  # fmt: skip
    if not isinstance(value, types.FunctionType) or not value.__closure__:
        return value
    memo[id(value)] = value
    found = {id(cell): _moved(cell.cell_contents, memo) for cell in filled_cells(value)}
    cells = (types.CellType(found[id(cell)]) if id(cell) in found else cell for cell in value.__closure__)
    twin = types.FunctionType(value.__code__, value.__globals__, value.__name__, value.__defaults__, tuple(cells))
    twin.__kwdefaults__ = value.__kwdefaults__
    vars(twin).update(vars(value))
    memo[id(value)] = twin
    return twin


def reached(waiting: deque, parts: Callable[[object, bool], list]) -> Iterator[tuple[object, bool]]:
    """Yield all that can be reached from what waits, (value, depth, has a copy?); no function or class has a copy."""
    seen: dict[int, bool] = {}
    while waiting and len(seen) < MOST_FOUND:
        value, depth, copied = waiting.popleft()
        kind = type(value)  # isinstance would ask a proxy
        copied = copied and not issubclass(kind, (types.FunctionType, type))
        empty = copied and issubclass(kind, (dict, list)) and not value
        if not (issubclass(kind, PLAIN) or empty or depth > DEEPEST or seen.get(id(value), 2) <= copied):
            seen[id(value)] = copied
            yield value, copied
            waiting.extend((part, depth + 1, copied) for part in islice(parts(value, copied), MOST_FOUND))


def held_by(thing: object) -> list[object]:
    """Return the modules, tensors and generators that a function can reach: closures, defaults, globals it names."""
    found = reached(deque([(thing, 0, False)]), lambda value, _: parts_of(value))
    return [value for value, _ in found if isinstance(value, (nn.Module, Tensor, torch.Generator))]


def is_library(value: object) -> bool:
    """Does this class or function belong to torch, the standard library or another well-known package?"""
    return str(getattr(value, "__module__", "")).split(".")[0] in LIBRARIES


def global_names(code: types.CodeType) -> Iterator[str]:
    """Yield the names that a function's code uses, those of the functions inside it too."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from global_names(inner)


def filled_cells(function: types.FunctionType) -> list[types.CellType]:
    """The cells of a closure that hold something."""
    return [cell for cell in function.__closure__ or () if cell != types.CellType()]


def parts_of(value: object) -> list[object]:
    """What a value holds: the members of a container, the attributes of an object, what a function can name."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, (tuple, list, set, deque)):
        return list(value)
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in filled_cells(value)]
        names = () if is_library(value) else global_names(value.__code__)
        known = [value.__globals__[name] for name in names if name in value.__globals__]
        return [*cells, *known, value.__defaults__, value.__kwdefaults__, vars(value)]
    if isinstance(value, functools._lru_cache_wrapper):
        return [value.__wrapped__]
    if isinstance(value, (Tensor, torch.Generator)) or _is_inner(type(value)):
        return []
    return list(getattr(value, "__dict__", {}).values())


def _is_inner(kind: type) -> bool:
    """Is this a class of the standard library, or of torch's compiler, whose attributes nobody should touch?"""
    root = kind.__module__.split(".")[0]
    compiled = kind.__module__.startswith(("torch._", "torch.jit"))
    return compiled or (root in sys.stdlib_module_names and root not in HOLDERS)
