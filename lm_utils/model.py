"""The network of every experiment: three convolutions, one hidden layer, one output layer."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from lm_utils.activations import ACTIVATIONS, HIDDEN


class CNN(nn.Module):
    """The documents' CNN for 28x28 grey images; 121,994 parameters with ten outputs.

    Pooling stands before ReLU: the two commute (the largest of the positive parts is the positive part of the
    largest), and ReLU then has a quarter of the numbers to look at.
    """

    def __init__(
        self,
        outputs: int = 10,
        activation: str = "none",
        hidden: str = "sigmoid",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = skip_init(nn.Conv2d, 1, 32, 3, padding=1)
        self.conv2 = skip_init(nn.Conv2d, 32, 64, 3)
        self.conv3 = skip_init(nn.Conv2d, 64, 64, 3)
        self.fc = skip_init(nn.Linear, 1024, 64)
        self.out = skip_init(nn.Linear, 64, outputs)
        self.activation, self.hidden = ACTIVATIONS[activation].apply, HIDDEN[hidden]
        for layer in self.children():
            default_init(layer, generator)
        self.to(memory_format=torch.channels_last)  # the faster layout for convolutions on a CPU

    def features(self, images: Tensor) -> Tensor:
        """Images [N, 1, 28, 28] to what the convolutions saw, [N, 1024]."""
        x = F.max_pool2d(self.conv1(images), 2).relu()
        x = F.max_pool2d(self.conv2(x), 2).relu()
        return self.conv3(x).relu().flatten(1)

    def hidden_units(self, images: Tensor) -> Tensor:
        """Images to the 64 activated units of the hidden layer."""
        return self.hidden(self.fc(self.features(images)))

    def logits(self, images: Tensor) -> Tensor:
        """Images to the numbers before the output activation."""
        return self.out(self.hidden_units(images))

    def forward(self, images: Tensor) -> Tensor:
        """Images to outputs."""
        return self.activation(self.logits(images))


def default_init(layer: nn.Conv2d | nn.Linear, generator: torch.Generator | None = None) -> None:
    """PyTorch's own initialisation of a layer, drawn from a generator of ours instead of the global one."""
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(layer.weight[0].numel())
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
