"""The documents' network, and a tiny one that trains in a second."""

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

    learning_rate = 1e-3  # AdamW's, in every experiment that names no other
    units = 64  # in the hidden layer

    def __init__(
        self,
        outputs: int = 10,
        activation: str = "none",
        hidden: str = "sigmoid",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        features = self.add_convolutions()
        self.fc = skip_init(nn.Linear, features, self.units)
        self.out = skip_init(nn.Linear, self.units, outputs)
        self.activation, self.hidden = ACTIVATIONS[activation].apply, HIDDEN[hidden]
        for layer in self.children():
            default_init(layer, generator)
        self.to(memory_format=torch.channels_last)  # the faster layout for convolutions on a CPU

    def add_convolutions(self) -> int:
        """Add the layers below the hidden one; return how many numbers they hand to it."""
        self.conv1 = skip_init(nn.Conv2d, 1, 32, 3, padding=1)
        self.conv2 = skip_init(nn.Conv2d, 32, 64, 3)
        self.conv3 = skip_init(nn.Conv2d, 64, 64, 3)
        return 1024

    def features(self, images: Tensor) -> Tensor:
        """Images [N, 1, 28, 28] to what the convolutions saw, [N, 1024]."""
        x = F.max_pool2d(self.conv1(images), 2).relu()
        x = F.max_pool2d(self.conv2(x), 2).relu()
        return self.conv3(x).relu().flatten(1)

    def hidden_units(self, images: Tensor) -> Tensor:
        """Images to the activated units of the hidden layer."""
        return self.hidden(self.fc(self.features(images)))

    def logits(self, images: Tensor) -> Tensor:
        """Images to the numbers before the output activation."""
        return self.out(self.hidden_units(images))

    def forward(self, images: Tensor) -> Tensor:
        """Images to outputs."""
        return self.activation(self.logits(images))


class TinyCNN(CNN):
    """A twentieth of the documents' CNN, on images of 14x14: 6,218 parameters, trained in a second."""

    learning_rate = 1e-2
    units = 32

    def add_convolutions(self) -> int:
        """Add two convolutions; return how many numbers they hand to the hidden layer."""
        self.conv1 = skip_init(nn.Conv2d, 1, 8, 3, padding=1)
        self.conv2 = skip_init(nn.Conv2d, 8, 16, 3, padding=1)
        return 144

    def features(self, images: Tensor) -> Tensor:
        """Images [N, 1, 28, 28], halved, to what the convolutions saw, [N, 144]."""
        x = F.avg_pool2d(images, 2)  # what bilinear interpolation to half the size gives
        x = F.max_pool2d(self.conv1(x), 2).relu()
        return F.max_pool2d(self.conv2(x), 2).relu().flatten(1)


def default_init(layer: nn.Conv2d | nn.Linear, generator: torch.Generator | None = None) -> None:
    """PyTorch's own initialisation of a layer, drawn from a generator of ours instead of the global one."""
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(layer.weight[0].numel())
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
