"""Watch a loss at work: which of torch's losses it calls, and which operations it takes on the way.

A loss may be a torch layer, a function, a partial, a lambda or somebody's own formula. Instead of guessing
from its name, the doctor calls it once and notes every torch loss that is reached and every operation, with
the very tensors they received.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.gpu_guard import WouldKillDevice, reason_to_stop
from lm_utils.doctor.output_origin import node_behind

MOST_STEPS = 20_000  # operations of one loss that are kept
DRAWS = {"randn", "randn_like", "normal", "normal_", "rand", "rand_like", "uniform_"}
STRETCHING = {"add", "sub", "mul", "div", "radd", "rsub", "rmul", "rdiv", "truediv", "rtruediv", "subtract", "multiply"}
PICKING = {"gather", "take_along_dim", "__getitem__", "index_select", "masked_fill"}  # what is picked is of the first
LOSSES = {
    "cross_entropy": ("cross_entropy", "nn.CrossEntropyLoss"),
    "cross_entropy_loss": ("cross_entropy", "nn.CrossEntropyLoss"),
    "nll_loss": ("nll", "nn.NLLLoss"),
    "nll_loss_nd": ("nll", "nn.NLLLoss"),
    "binary_cross_entropy": ("bce", "nn.BCELoss"),
    "binary_cross_entropy_with_logits": ("bce_logits", "nn.BCEWithLogitsLoss"),
    "multilabel_soft_margin_loss": ("bce_logits", "nn.MultiLabelSoftMarginLoss"),
    "mse_loss": ("distance", "nn.MSELoss"),
    "l1_loss": ("distance", "nn.L1Loss"),
    "huber_loss": ("distance", "nn.HuberLoss"),
    "smooth_l1_loss": ("distance", "nn.SmoothL1Loss"),
    "kl_div": ("kl_div", "nn.KLDivLoss"),
    "soft_margin_loss": ("soft_margin", "nn.SoftMarginLoss"),
    "hinge_embedding_loss": ("hinge_embedding", "nn.HingeEmbeddingLoss"),
    "multi_margin_loss": ("multi_margin", "nn.MultiMarginLoss"),
    "multilabel_margin_loss": ("multilabel_margin", "nn.MultiLabelMarginLoss"),
    "poisson_nll_loss": ("poisson", "nn.PoissonNLLLoss"),
    "gaussian_nll_loss": ("gaussian", "nn.GaussianNLLLoss"),
    "margin_ranking_loss": ("pairs", "nn.MarginRankingLoss"),
    "cosine_embedding_loss": ("pairs", "nn.CosineEmbeddingLoss"),
    "ctc_loss": ("ctc", "nn.CTCLoss"),
    "own_difference": ("distance", "the loss"),
    "own_cross_entropy": ("cross_entropy", "the loss, a cross-entropy,"),
    "own_nll": ("nll", "the loss, a negative log-likelihood,"),
    "own_nll_of_shares": ("nll", "the loss, a negative log-likelihood,"),
    "own_bce_logits": ("bce_logits", "the loss, a binary cross-entropy of logits,"),
    "own_bce": ("bce", "the loss, a binary cross-entropy,"),
    "own_mse": ("distance", "the loss"),
    "own_l1": ("distance", "the loss"),
}
"""torch's losses by the name of their function: the family whose rules apply, and the layer people know."""


@dataclass
class LossCall:
    """One call of a torch loss: its function and name, what it compared, its options, and its value."""

    function: Callable
    name: str
    input: object
    target: object
    options: dict = field(default_factory=dict)
    result: object = None
    first_name: str = ""  # of the argument that takes the outputs

    @property
    def family(self) -> str:
        """The family whose rules apply, such as "bce_logits"."""
        return LOSSES[self.name][0]

    @property
    def is_own(self) -> bool:
        """Is it a formula of somebody's own that amounts to this loss?"""
        return self.name.startswith("own_")

    @property
    def layer(self) -> str:
        """The name people know it by, such as "nn.BCEWithLogitsLoss"."""
        return LOSSES[self.name][1]

    def repeat(self, input: Tensor, target: Tensor) -> Tensor:
        """Call the same loss with the same options on other tensors."""
        if self.first_name:
            return self.function(**{self.first_name: input, "target": target}, **self.options)
        return self.function(input, target, **self.options)


@dataclass
class Step:
    """One operation inside the loss, with its arguments and its result."""

    name: str
    args: tuple
    kwargs: dict
    result: object
    with_graph: bool = True  # not so inside a function whose slope is written by hand
    function: Callable | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that went in."""
        return [*tensors_in(self.args), *tensors_in(self.kwargs)]

    def argument(self, place: int, *names: str) -> object:
        """Return an argument by its place or one of its names."""
        given = (self.kwargs[name] for name in names if name in self.kwargs)
        return self.args[place] if len(self.args) > place else next(given, None)


class Watcher(TorchFunctionMode):
    """Note the torch losses and the operations of a loss, and stop a call that a CUDA device would not survive."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[LossCall] = []
        self.steps: list[Step] = []
        self.in_loss = False
        self.cuts: list[object] = []  # graph nodes whose values the model used without their gradient
        self.compared: list[object] = []  # those of them that a comparison or a choice cut
        self.dropped: list[object] = []  # graph nodes of dropouts
        self.touched: dict[int, bool] = {}  # weights that the model handed to an operation: was a graph made?
        self.stretched: list[Step] = []  # steps of the model that make a table of two columns
        self.views: list[tuple[torch.Size, torch.Size]] = []  # shapes before and after a view in the model
        self.asked: list[Tensor] = []  # with respect to these a slope was asked for
        self.factors: list[tuple[Tensor, Tensor]] = []  # numbers that the model draws, and what they are multiplied by
        self._drawn: dict[int, object] = {}
        self._sources: dict[int, frozenset[str]] = {}
        self._kept: list[object] = []  # so that no identity is used twice

    def mark(self, value: object, source: str) -> None:
        """Remember where these tensors come from: "outputs" or "targets"."""
        for tensor in tensors_in(value):
            self._sources[id(tensor)] = self._sources[_place(tensor)] = self.sources(tensor) | {source}
            self._kept.append(tensor)

    def sources(self, *values: object) -> frozenset[str]:
        """Return what these tensors were computed from."""
        found = (self._sources.get(id(t)) or self._sources.get(_place(t), frozenset()) for t in tensors_in(values))
        return frozenset().union(*found)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        reason = reason_to_stop(name, args, kwargs)
        call = read_call(function, name, args, kwargs) if name in LOSSES else None
        if call is not None:
            self.calls.append(call)
        if reason:
            raise WouldKillDevice(reason)
        result = function(*args, **kwargs)
        if call is not None:
            call.result = result
        self.asked += tensors_in(args[1]) if name == "grad" and len(args) == 2 else ()
        if not self.in_loss:
            self._note_in_model(name, args, result)
        elif len(self.steps) < MOST_STEPS:
            result_of = args[0] if name == "__setitem__" else result
            self._note(Step(name, args, kwargs, result_of, torch.is_grad_enabled(), function))
        return result

    def _note_in_model(self, name: str, args: tuple, result: object) -> None:
        self._drawn |= {id(result): result} if name in DRAWS else {}
        if self._drawn and name.strip("_") in ("mul", "rmul", "lerp"):
            both = [t for t in args if isinstance(t, Tensor)][-2:]
            self._drawn |= {id(result): result} if len(both) == 1 and id(both[0]) in self._drawn else {}
            self.factors += [(a, b) for a in both for b in both if id(a) in self._drawn and a is not b]
        self.touched |= {id(arg): torch.is_grad_enabled() for arg in args if isinstance(arg, nn.Parameter)}
        if not torch.is_grad_enabled() or not isinstance(result, Tensor):
            return
        both = [t for t in args if isinstance(t, Tensor)] if name.strip("_") in STRETCHING else []
        if len(both) == 2 and both[0].dim() != both[1].dim() and result.numel() > max(map(Tensor.numel, both)) > 1:
            self.stretched.append(Step(name, args, {}, result))
        if name in ("view", "reshape") and len(self.views) < MOST_STEPS:
            self.views.append((args[0].shape, result.shape))
        if name == "dropout" and result.requires_grad and result is not args[0]:
            self.dropped.append(result.grad_fn)
        if not result.requires_grad and len(self.cuts) < MOST_STEPS:
            cut = [get_gradient_edge(t).node for t in tensors_in(args) if t.requires_grad and not is_lazy(t)]
            self.cuts += cut
            self.compared += [] if result.is_floating_point() else cut

    def _note(self, step: Step) -> None:
        sources = self.sources(step.args[:1]) if step.name in PICKING else frozenset()
        sources = sources or self.sources(step.args, step.kwargs)
        sources = frozenset() if step.name.endswith("_like") else sources  # of the same shape, not of the same numbers
        if isinstance(step.result, float) or any(True for _ in tensors_in(step.result)):
            self.steps.append(step)
        if step.name == "broadcast_tensors":  # as a distribution stretches a mean and a spread
            for given, result in zip(step.args, step.result, strict=True):
                for source in self.sources(given):
                    self.mark(result, source)
            return
        for source in sources:
            self.mark(step.result, source)

    def made_by_loss(self, tensor: Tensor) -> bool:
        """Was the operation behind this tensor, seen through views, taken inside the loss function?"""
        node = node_behind(tensor)
        made = (step.result for step in self.steps if isinstance(step.result, Tensor))
        return node is not None and any(result.grad_fn is node for result in made)

    def losses(self) -> Iterator[Step]:
        """Yield the steps that are torch's own losses."""
        return (step for step in self.steps if step.name in LOSSES)


def _place(tensor: Tensor) -> object:
    """Where the numbers lie: a new tensor on the same ones, as Variable() makes it, comes from the same source."""
    try:
        return (tensor.data_ptr() or id(tensor), tensor.shape)
    except (RuntimeError, NotImplementedError):
        return id(tensor)  # it has no storage


@cache
def _signature(function: Callable) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None  # a built-in without a readable signature


def read_call(function: Callable, name: str, args: tuple, kwargs: dict) -> LossCall | None:
    """Sort the arguments of a loss into what it compares and how; None where they do not fit."""
    signature = _signature(function)
    if signature is None:
        both = [*args[:2], *(kwargs[key] for key in ("input", "self", "target") if key in kwargs)]
        return LossCall(function, name, *[*both, None, None][:2])
    try:
        given = dict(signature.bind(*args, **kwargs).arguments)
    except TypeError:
        return None  # the call itself says what is wrong
    first = "input" if "input" in given else next(iter(signature.parameters))
    target = given.pop("targets" if name == "ctc_loss" else "target", None)
    return LossCall(function, name, given.pop(first, None), target, given, first_name=first)
