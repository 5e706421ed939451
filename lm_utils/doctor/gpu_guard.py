"""Calls that end in a device-side assert on CUDA: after one of those, nothing in the process works any more.

On the CPU the same calls raise an ordinary error. So before a CUDA tensor reaches one of them its values
are checked here, and the doctor speaks from the values instead of calling.
"""

import torch

UNIT_RANGE = {"binary_cross_entropy"}
CLASS_INDEX = {"cross_entropy", "cross_entropy_loss", "nll_loss", "nll_loss_nd", "multi_margin_loss"}
INDEX_ALONG = {"gather", "take_along_dim", "index_select", "scatter", "scatter_", "scatter_add",
               "scatter_add_", "index_add", "index_add_"}  # fmt: skip


class WouldKillDevice(RuntimeError):
    """Raised instead of a call that would poison the CUDA context."""


def on_cuda(tensor: object) -> bool:
    """Is this a tensor on a CUDA device?"""
    return isinstance(tensor, torch.Tensor) and tensor.is_cuda


def reason_to_stop(name: str, args: tuple, kwargs: dict) -> str | None:
    """Why this call must not reach the device, or None where it may."""
    if not any(on_cuda(value) for value in (*args, *kwargs.values())):
        return None

    def given(position: int, key: str) -> object:
        return args[position] if len(args) > position else kwargs.get(key)

    first, target = given(0, "input"), given(1, "target")
    if name in UNIT_RANGE:
        return _outside_unit(first, "outputs") or _outside_unit(target, "targets")
    if name in CLASS_INDEX:
        return _bad_class(first, target, kwargs.get("ignore_index", -100))
    if name == "multilabel_margin_loss":
        return _bad_index(target, -1, first.shape[-1])
    if name in INDEX_ALONG:
        dim = given(1, "dim")
        if isinstance(dim, int):
            return _bad_index(given(2, "index"), 0, first.shape[dim])
        return _bad_index(dim, 0, first.numel())
    if name == "one_hot":
        return _bad_index(first, 0, given(1, "num_classes"))
    if name == "embedding":
        return _bad_index(first, 0, given(1, "weight").shape[0])
    return _bad_getitem(*args[:2]) if name == "__getitem__" else None


def _outside_unit(tensor: object, what: str) -> str | None:
    if not isinstance(tensor, torch.Tensor) or tensor.numel() == 0:
        return None
    inside = bool(((tensor >= 0) & (tensor <= 1)).all())
    return None if inside else f"the {what} of the binary cross-entropy leave [0, 1]"


def _bad_class(outputs: object, target: object, ignored: int) -> str | None:
    if not isinstance(outputs, torch.Tensor) or not isinstance(target, torch.Tensor):
        return None
    if target.is_floating_point() or outputs.dim() == 0:
        return None
    kept = target[target != ignored]
    return _bad_index(kept, 0, outputs.shape[1 if outputs.dim() > 1 else 0])


def _bad_index(index: object, low: int, size: object) -> str | None:
    if not isinstance(index, torch.Tensor) or index.is_floating_point() or index.dtype == torch.bool:
        return None
    if index.numel() == 0 or not isinstance(size, int) or size < 0:
        return None
    smallest, largest = int(index.min()), int(index.max())
    fits = low <= smallest and largest < size
    return None if fits else f"an index of {smallest}…{largest} does not fit {size} places"


def _bad_getitem(source: object, key: object) -> str | None:
    keys = key if isinstance(key, tuple) else (key,)
    if not isinstance(source, torch.Tensor) or any(k is None or k is Ellipsis for k in keys):
        return None
    reasons = (_bad_index(key, -size, size) for key, size in zip(keys, source.shape, strict=False))
    return next(filter(None, reasons), None)
