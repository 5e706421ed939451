"""Small networks, inputs and targets of which the exam's set-ups are built."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

N = 16  # samples of a batch


def inputs(*shape: int) -> Tensor:
    """A batch of random inputs."""
    return torch.randn(N, *(shape or (8,)))


def classes(count: int, *shape: int) -> Tensor:
    """Random class numbers."""
    return torch.randint(0, count, (N, *shape))


def labels(count: int, *shape: int) -> Tensor:
    """Random independent yes/no labels; the first two samples have all and none."""
    hot = (torch.rand(N, count, *shape) < 0.5).float()
    hot[0], hot[1] = 1, 0
    return hot


def mlp(outputs: int, *ends: nn.Module, hidden: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """A small network with an output layer and what follows it."""
    return nn.Sequential(nn.Linear(8, 32), hidden(), nn.Linear(32, outputs), *ends)


class Then(nn.Module):
    """A network followed by a function, as written in many a forward()."""

    def __init__(self, network: nn.Module, function: Callable) -> None:
        super().__init__()
        self.network, self.function = network, function

    def forward(self, x: Tensor) -> Tensor:
        """The function of the network's output."""
        return self.function(self.network(x))


class Tagger(nn.Module):
    """Tokens to class scores [N, L, C]."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.embed, self.rnn = nn.Embedding(50, 16), nn.GRU(16, 16, batch_first=True)
        self.out = nn.Linear(16, tags)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores per token, the classes last."""
        return self.out(self.rnn(self.embed(tokens))[0])


def pictures(size: int = 64) -> Tensor:
    """A small batch of colour pictures."""
    return torch.randn(4, 3, size, size)
