"""Watch a loss at work: which of torch's losses it calls, and with which tensors.

A loss may be a torch layer, a function, a partial, a lambda or somebody's own code. Instead of guessing
from its name, the doctor calls it once and notes every torch loss that is reached on the way, together
with the very tensors it received. A loss that reaches none is unknown.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import torch
from torch.overrides import TorchFunctionMode

from lm_utils.doctor.gpu_guard import WouldKillDevice, reason_to_stop

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
}
"""torch's losses by the name of their function: the family whose rules apply, and the layer people know."""


@dataclass
class LossCall:
    """One call of a torch loss: its function and name, what it received, and its options."""

    function: Callable
    name: str
    input: object
    target: object
    options: dict = field(default_factory=dict)

    @property
    def family(self) -> str:
        """The family whose rules apply, such as "bce_logits"."""
        return LOSSES[self.name][0]

    @property
    def layer(self) -> str:
        """The name people know it by, such as "nn.BCEWithLogitsLoss"."""
        return LOSSES[self.name][1]

    def repeat(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The same loss with the same options on other tensors."""
        return self.function(input, target, **self.options)


class LossWatcher(TorchFunctionMode):
    """Note every torch loss that is called, and stop a call that a CUDA device would not survive."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[LossCall] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        if name in LOSSES:
            self.calls.append(read_call(function, name, args, kwargs))
        reason = reason_to_stop(name, args, kwargs)
        if reason:
            raise WouldKillDevice(reason)
        return function(*args, **kwargs)


@cache
def _signature(function: Callable) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None  # a built-in without a readable signature


def read_call(function: Callable, name: str, args: tuple, kwargs: dict) -> LossCall:
    """Sort the arguments of a loss into what it compares and how."""
    signature = _signature(function)
    if signature is None:
        both = [*args[:2], *(kwargs[key] for key in ("input", "self", "target") if key in kwargs)]
        return LossCall(function, name, *[*both, None, None][:2])
    given = dict(signature.bind(*args, **kwargs).arguments)
    first = next(iter(signature.parameters))
    outputs = given.pop("input", None) if "input" in given else given.pop(first, None)
    target = given.pop("target", None)
    return LossCall(function, name, outputs, target, given)
