"""Which operation made this tensor? Follow `grad_fn` back through views, slices and casts.

Values cannot tell a sigmoid's output from logits that happen to lie between 0 and 1; the graph can.
"""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from math import inf

import torch

PASSES = {
    "View", "UnsafeView", "ReshapeAlias", "Reshape", "Squeeze", "Unsqueeze", "T", "Transpose", "Permute",
    "Expand", "Clone", "ToCopy", "Copy", "Alias", "AsStrided", "Cat", "Stack", "NanToNum", "CopyBackwards",
    "Flip", "Roll", "Repeat", "Contiguous", "Movedim", "Lift",
}  # fmt: skip
SLICES = {
    "Select", "Slice", "Narrow", "Index", "IndexSelect", "Gather", "Split", "SplitWithSizes", "Unbind",
    "MaskedSelect", "MaskedFill", "Diagonal", "Unfold",
}  # fmt: skip
LINEAR = {
    "Addmm", "Mm", "Bmm", "Addbmm", "Baddbmm", "Mv", "Addmv", "Dot", "Linear", "MkldnnLinear", "Convolution",
    "MkldnnConvolution", "CudnnConvolution", "SlowConv2D", "NativeBatchNorm", "CudnnBatchNorm",
    "NativeLayerNorm", "NativeGroupNorm", "Embedding", "UpsampleBilinear2D", "UpsampleNearest2D",
}  # fmt: skip
RANGES = {
    "Sigmoid": ("sigmoid", 0, 1), "Hardsigmoid": ("sigmoid", 0, 1), "LogSigmoid": ("log_sigmoid", -inf, 0),
    "Tanh": ("tanh", -1, 1), "Relu": ("relu", 0, inf), "Softplus": ("softplus", 0, inf),
    "Exp": ("exp", 0, inf), "Abs": ("abs", 0, inf), "Sin": ("sine", -1, 1), "Cos": ("cosine", -1, 1),
    "Elu": ("elu", -1, inf), "Gelu": ("gelu", -0.17, inf), "Silu": ("silu", -0.2785, inf),
    "Softmax": ("softmax", 0, 1), "LogSoftmax": ("log_softmax", -inf, 0), "Erf": ("erf", -1, 1),
}  # fmt: skip

NEVER_NEGATIVE = {"relu", "softplus", "abs", "square", "distance"}
DISTANCES = {"Cdist", "EuclideanDist", "LinalgVectorNorm", "Norm"}
GROWING = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "exp": torch.exp}

MOST_NODES = 4000  # of a graph that are looked at
DEEPEST = 20  # operations that are looked through one inside the other


@dataclass(frozen=True)
class Origin:
    """The operation that made a tensor: its kind, its range, and for a softmax the axis it ran over."""

    kind: str
    low: float = -inf
    high: float = inf
    axis: int | None = None
    shape: tuple[int, ...] = ()
    sliced: bool = False
    turned: bool = False  # an axis was moved between the operation and the tensor
    made_by: str = ""  # the operation's own name, such as "Addmm"
    width: int | None = None  # the outputs of the linear layer that made it
    under: str = ""  # the kind of what an activation was given

    @property
    def size(self) -> int | None:
        """How many numbers the softmax shares out."""
        return self.shape[self.axis] if self.axis is not None and self.shape else None


def origin_of(tensor: torch.Tensor) -> Origin:
    """Name the operation behind the tensor, or "other" where the graph does not tell."""
    if tensor.grad_fn is None:
        return Origin("leaf" if tensor.requires_grad else "no_graph")
    return _follow(tensor.grad_fn)


def node_behind(tensor: torch.Tensor, *others: str) -> object | None:
    """Return the graph node of the operation behind a tensor, seen through views, slices and others."""
    return seen_through(tensor.grad_fn, *others)


def seen_through(node: object | None, *others: str) -> object | None:
    """Return the first node, from this one back, that is no view, no slice and none of the others."""
    while node is not None and operation(node) in PASSES | SLICES | {*others} and _parents(node):
        node = _parents(node)[0]
    return node


def is_distance(tensor: torch.Tensor) -> bool:
    """Was this made by a norm of differences, perhaps squared, so that it is small where two things are alike?"""
    return operation(node_behind(tensor, "Pow", "Sqrt")) in DISTANCES and bool((tensor >= 0).all())


def operation(node: object) -> str:
    """The bare name of a graph node: SigmoidBackward0 is "Sigmoid"."""
    name = type(node).__name__  # quicker than node.name()
    return _bare(node.name() if name in ("CppFunction", "CppNode") else name) if node is not None else ""


_bare = cache(lambda name: re.sub(r"(Inplace)?Backward\d*$", "", name.rsplit("::", 1)[-1]))


def _parents(node: object) -> list[object]:
    return [parent for parent, _ in node.next_functions if parent is not None]


def _follow(node: object, sliced: bool = False, turned: bool = False, depth: int = 0) -> Origin:
    """Walk back through views and slices to the operations behind them, each node once."""
    if depth > DEEPEST:
        return Origin("other")
    waiting, seen, found = [(node, sliced, turned)], set(), []
    while waiting and len(seen) < MOST_NODES:
        node, sliced, turned = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        name = operation(node)
        if name not in PASSES | SLICES and not _is_weak_clamp(node, depth):
            found.append(_name(node, sliced, turned, depth))
            continue
        parents = _parents(node)
        if name == "Copy" or not parents:
            found.append(Origin("other"))
            continue
        parents = parents[:1] if name in SLICES else parents
        sliced = sliced or name in SLICES or len(parents) > 1
        turned = turned or name in {"T", "Transpose", "Permute", "Movedim"}
        waiting += [(parent, sliced, turned) for parent in reversed(parents)]
    return _agree(found) if found and not waiting else Origin("other")


def _agree(origins: list[Origin]) -> Origin:
    kinds = {origin.kind for origin in origins}
    return origins[0] if len(kinds) == 1 else Origin("other")


def _bounds(node: object) -> tuple[float, float]:
    values = []
    for key, default in (("min", -inf), ("max", inf)):
        value = getattr(node, f"_saved_{key}", None)
        value = getattr(node, f"_saved_{key}_val", None) if value is None else value
        try:
            values.append(default if value is None else float(value))
        except (TypeError, ValueError, RuntimeError):
            values.append(default)
    return values[0], values[1]


def _is_weak_clamp(node: object, depth: int) -> bool:
    """Is this a clamp of a probability away from 0 and 1, as people do before a logarithm?"""
    if not operation(node).startswith("Clamp"):
        return False
    parents = _parents(node)
    kind = _follow(parents[0], depth=depth + 1).kind if parents else "other"
    if kind == "exp":  # of a distance, say
        with suppress(AttributeError, RuntimeError):  # a function of somebody's own, a graph whose numbers are gone
            return bool((node._saved_self <= 1).all())
    return kind in {"sigmoid", "softmax", "log_softmax"}


def saved_axis(node: object) -> tuple[int | None, tuple[int, ...]]:
    """The axis and the shape of a softmax, from its graph node."""
    try:
        shape = tuple(node._saved_result.shape)
        axis = node._saved_dim
    except (AttributeError, RuntimeError):
        return None, ()
    axis = axis - 2**64 if axis >= 2**63 else axis
    return axis % max(1, len(shape)), shape


def _name(node: object, sliced: bool, turned: bool, depth: int) -> Origin:
    name = operation(node)
    if name in {"SafeSoftmax"}:
        name = "Softmax"
    if name in {"Log", "Exp"}:
        return _log_or_exp(node, name, sliced, turned, depth)
    if name.startswith("Clamp") and _bounds(node) == (0, inf):
        name = "Relu"
    if name in {"Hardtanh", "Clamp"} or name.startswith("Clamp"):
        under = _follow(_parents(node)[0], depth=depth + 1).kind if _parents(node) else "other"
        return Origin("clamp", *_bounds(node), sliced=sliced, turned=turned, under=under)
    if name in RANGES:
        axis, shape = saved_axis(node) if "oftmax" in name else (None, ())
        parents = _parents(node)
        inner = _follow(parents[0], depth=depth + 1) if parents else Origin("other")
        kind, low, high = RANGES[name]
        if kind in GROWING:
            low, high = (float(GROWING[kind](torch.tensor(end))) for end in (inner.low, inner.high))
        under = inner.under if inner.kind == "other" else inner.kind
        return Origin(kind, low, high, axis=axis, shape=shape, sliced=sliced, turned=turned, under=under)
    if name in ("Sum", "Mean") and (inner := _follow(_parents(node)[0], depth=depth + 1)).kind in NEVER_NEGATIVE:
        return Origin("other", 0, inf, under=inner.kind)
    if name in DISTANCES or (name == "Pow" and node._saved_exponent == 2):
        return Origin("distance" if name in DISTANCES else "square", 0, inf, sliced=sliced, turned=turned)
    if name == "Add" and (inner := _without_bias(node, sliced, turned, depth)) is not None:
        return inner
    kind = "linear" if name in LINEAR else "other"
    return Origin(kind, sliced=sliced, turned=turned, made_by=name, width=_width(node))


def _width(node: object) -> int | None:
    sizes = getattr(node, "_saved_mat2_sym_sizes", None)
    return int(sizes[1]) if sizes else None


def _without_bias(node: object, sliced: bool, turned: bool, depth: int) -> Origin | None:
    """The linear layer behind `x @ weight + bias`, where torch computes it in two steps."""
    parents = _parents(node)
    others = [parent for parent in parents if operation(parent) != "AccumulateGrad"]
    if len(parents) != 2 or len(others) != 1:
        return None
    inner = _follow(others[0], sliced, turned, depth + 1)
    return inner if inner.kind == "linear" else None


def _log_or_exp(node: object, name: str, sliced: bool, turned: bool, depth: int) -> Origin:
    """exp(log_softmax) is a softmax and log(softmax + tiny) a log-softmax; otherwise it is what it says."""
    parents = _parents(node)
    if name == "Log" and parents and operation(parents[0]) == "Add" and len(_parents(parents[0])) == 1:
        parents = _parents(parents[0])
    inner = _follow(parents[0], sliced, turned, depth + 1) if parents else Origin("other")
    pairs = {("Log", "softmax"): ("log_of_softmax", -inf, 0), ("Log", "sigmoid"): ("log_sigmoid", -inf, 0),
             ("Exp", "log_softmax"): ("softmax", 0, 1), ("Exp", "log_sigmoid"): ("sigmoid", 0, 1)}  # fmt: skip
    if (name, inner.kind) in pairs:
        return Origin(*pairs[name, inner.kind], inner.axis, inner.shape, inner.sliced, inner.turned)
    return Origin(*RANGES["Exp"], sliced=sliced) if name == "Exp" else Origin("other", sliced=sliced)


def nodes_behind(start: object, *without: object) -> Iterator[object]:
    """The nodes of a graph, those nearest to its end first, on ways that do not lead through some of them."""
    waiting, seen = deque([start]), {*without}
    while waiting and len(seen) < MOST_NODES:
        node = waiting.popleft()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        waiting += [parent for parent, _ in node.next_functions]
