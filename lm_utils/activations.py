"""The output activations by name: which numbers they can emit, and whether those sum to one."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

INFINITY = float("inf")


@dataclass(frozen=True)
class Activation:
    """The last function of a network and the range it can reach."""

    name: str
    title: str
    code: str  # the line a PyTorch user writes
    apply: Callable[[Tensor], Tensor]
    low: float = -INFINITY
    high: float = INFINITY
    sums_to_one: bool = False


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("none", "no activation", "nn.Identity()", lambda z: z),
        Activation("relu", "ReLU", "nn.ReLU()", torch.relu, low=0.0),
        Activation("sigmoid", "sigmoid", "nn.Sigmoid()", torch.sigmoid, low=0.0, high=1.0),
        Activation("softmax", "softmax", "nn.Softmax(dim=1)", lambda z: torch.softmax(z, dim=1), 0.0, 1.0, True),
        Activation("sigmoid_inverse", "sigmoid, undone at the end", "nn.Sigmoid()", torch.sigmoid, 0.0, 1.0),
    )
}

HIDDEN: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "relu": torch.relu}


def inverse_sigmoid(p: Tensor) -> Tensor:
    """The number whose sigmoid is p: log(p / (1 - p)), infinite where p has been rounded to 0 or 1."""
    return torch.log(p / (1 - p))
