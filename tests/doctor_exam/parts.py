"""Small networks, inputs and targets of which the exam's set-ups are built."""

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


class Heads(nn.Module):
    """Several heads on one input, returned as a dictionary or as a tuple."""

    def __init__(self, as_tuple: bool = False, **parts: nn.Module) -> None:
        super().__init__()
        self.parts, self.as_tuple = nn.ModuleDict(parts), as_tuple

    def forward(self, x: Tensor) -> dict[str, Tensor] | tuple[Tensor, ...]:
        """Every head's output."""
        outputs = {name: part(x) for name, part in self.parts.items()}
        return tuple(outputs.values()) if self.as_tuple else outputs


def padded_tokens(pad: int, end: int | None = None, length: int = 12) -> tuple[Tensor, Tensor]:
    """Texts of different lengths as inputs and as targets, filled up with one token."""
    tokens = torch.randint(1, 48, (N, length))
    for row, size in zip(tokens, torch.randint(3, length + 1, (N,)).tolist(), strict=True):
        row[size:] = pad
        if end is not None:
            row[size - 1] = end
    return tokens, tokens.clone()
