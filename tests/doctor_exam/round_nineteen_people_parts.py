"""Batches, networks and layers of the set-ups of the nineteenth round, in the spelling of their threads."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_parts import Part

N = 32  # samples of a batch
later = nn.Transformer.generate_square_subsequent_mask  # minus infinity where a place would see a later one


def rows(*shape: int) -> Tensor:
    """A batch of random numbers."""
    return torch.randn(N, *shape)


def drawn(count: int, *shape: int) -> Tensor:
    """Random numbers of words, classes or actions."""
    return torch.randint(0, count, (N, *shape))


def told(x: Tensor, outputs: int) -> Tensor:
    """Numbers that depend on the inputs."""
    x = x.flatten(1)
    return x @ torch.randn(x.shape[1], outputs) / x.shape[1] ** 0.5


def sorted_by(x: Tensor, count: int) -> Tensor:
    """Classes that depend on the inputs."""
    return told(x, count).argmax(1)


def scenes(channels: int, size: int) -> Tensor:
    """Pictures with something in common, all numbers between 0 and 1."""
    return torch.sigmoid(told(rows(6), channels * size * size) * 3).view(N, channels, size, size)


def dense(*sizes: int, between: Callable = nn.ReLU) -> nn.Sequential:
    """Linear layers with something between them."""
    layers = []
    for size, following in pairwise(sizes):
        layers += [nn.Linear(size, following), between()]
    return nn.Sequential(*layers[:-1])


def standing_still(network: nn.Module) -> nn.Module:
    """A network whose weights are left as they are."""
    return network.requires_grad_(False)


class AttentionBlock(nn.Module):
    """Attention between the places of a picture, on top of which the picture is added."""

    def __init__(self, channels: int, over: int, heads: int = 2, groups: int = 4) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)
        self.projection = nn.Linear(channels, heads * channels * 3)
        self.output = nn.Linear(heads * channels, channels)
        self.scale, self.heads, self.d_k, self.over = channels**-0.5, heads, channels, over

    def forward(self, x: Tensor) -> Tensor:
        """Mix the places."""
        batch_size, channels, height, width = x.shape
        seen = self.norm(x).view(batch_size, channels, -1).permute(0, 2, 1)
        qkv = self.projection(seen).view(batch_size, -1, self.heads, 3 * self.d_k)
        q, k, v = torch.chunk(qkv, 3, dim=-1)
        attn = torch.einsum("bihd,bjhd->bijh", q, k) * self.scale
        attn = attn.softmax(dim=self.over)
        res = torch.einsum("bijh,bjhd->bihd", attn, v)
        res = self.output(res.reshape(batch_size, -1, self.heads * self.d_k))
        return x + res.permute(0, 2, 1).reshape(batch_size, channels, height, width)


class Encoding(nn.Module):
    """How the features of a picture differ from a few code words, each feature shared out among them."""

    def __init__(self, features: int, words: int, over: int) -> None:
        super().__init__()
        width = 1 / (features * words) ** 0.5
        self.codewords = nn.Parameter(torch.empty(words, features).uniform_(-width, width))
        self.scale, self.over = nn.Parameter(torch.empty(words).uniform_(-1, 0)), over

    def forward(self, X: Tensor) -> Tensor:
        """Sum the differences up."""
        X = X.flatten(2).transpose(1, 2).contiguous()
        difference = X[:, :, None] - self.codewords
        A = F.softmax(self.scale * difference.pow(2).sum(3), dim=self.over)
        return (A[..., None] * difference).sum(1)


class EqualLinear(nn.Module):
    """A linear layer whose weights are scaled when it is used, with an activation or without."""

    def __init__(self, inputs: int, outputs: int, activation: str | None = None) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(outputs, inputs)), nn.Parameter(torch.zeros(outputs))
        self.scale, self.activation = 1 / inputs**0.5, activation

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        if self.activation:
            return F.leaky_relu(F.linear(x, self.weight * self.scale) + self.bias, 0.2) * 2**0.5
        return F.linear(x, self.weight * self.scale, bias=self.bias)


class MLP(nn.Module):
    """Linear layers with an activation behind each but the last, if one is given."""

    def __init__(self, dims: list[int], act: nn.Module | None = None) -> None:
        super().__init__()
        pairs, layers = list(pairwise(dims)), []
        for place, (dim_in, dim_out) in enumerate(pairs):
            layers.append(nn.Linear(dim_in, dim_out))
            if act is not None and place < len(pairs) - 1:
                layers.append(act)
        self.mlp = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers."""
        return self.mlp(x)


class ChebConv(nn.Module):
    """Of each node and of its neighbours on a ring, a linear function."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.own, self.near = nn.Linear(inputs, outputs, bias=False), nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Look at the node and at both neighbours."""
        return self.own(x) + self.near(-(x.roll(1, 1) + x.roll(-1, 1)) / 2)


class GConvGRU(nn.Module):
    """A gated recurrent unit at each node of a graph."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        for gate in "zrh":
            setattr(self, f"conv_x_{gate}", ChebConv(inputs, outputs))
            setattr(self, f"conv_h_{gate}", ChebConv(outputs, outputs))

    def forward(self, X: Tensor, H: Tensor | None = None) -> Tensor:
        """Go on by one step; without a state, from zeros."""
        if H is None:
            H = torch.zeros(*X.shape[:-1], self.outputs)
        Z = torch.sigmoid(self.conv_x_z(X) + self.conv_h_z(H))
        R = torch.sigmoid(self.conv_x_r(X) + self.conv_h_r(H))
        H_tilde = torch.tanh(self.conv_x_h(X) + self.conv_h_h(H * R))
        return Z * H + (1 - Z) * H_tilde


class NoisyLinear(nn.Linear):
    """A linear layer with a learnt amount of noise on its weights."""

    def __init__(self, inputs: int, outputs: int, kept: bool) -> None:
        super().__init__(inputs, outputs)
        self.sigma_weight = nn.Parameter(torch.full((outputs, inputs), 0.017))
        self.sigma_bias = nn.Parameter(torch.full((outputs,), 0.017))
        self.register_buffer("epsilon_weight", torch.zeros(outputs, inputs))
        self.register_buffer("epsilon_bias", torch.zeros(outputs))
        self.kept = kept

    def forward(self, x: Tensor) -> Tensor:
        """Draw the noise and apply the layer."""
        if not self.kept:
            self.epsilon_weight.normal_()
            bias = self.bias
            self.epsilon_bias.normal_()
            with torch.no_grad():
                bias += self.sigma_bias * self.epsilon_bias
            return F.linear(x, self.weight + self.sigma_weight * self.epsilon_weight, bias)
        if not self.training:
            return F.linear(x, self.weight, self.bias)
        self.epsilon_weight.normal_()
        self.epsilon_bias.normal_()
        bias = self.bias + self.sigma_bias * self.epsilon_bias
        return F.linear(x, self.weight + self.sigma_weight * self.epsilon_weight, bias)


def block(inputs: int, outputs: int, size: int = 3) -> nn.Sequential:
    """A convolution with a reflected edge, a normalisation and an activation."""
    layers = [nn.ReflectionPad2d(size // 2), nn.Conv2d(inputs, outputs, size), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, nn.LeakyReLU(0.1, inplace=True))


def nearest(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """From each point of a cloud the squared distance to the nearest of the other, both ways."""
    away = (x[:, :, None] - y[:, None]).pow(2).sum(-1)
    return away.min(2).values, away.min(1).values


def clouds(points: int, across: int) -> Tensor:
    """Points on ellipses of several sizes [N, points, across]."""
    turn = 2 * torch.pi * torch.rand(N, points, 1)
    sizes = 0.3 + torch.rand(N, 1, across)
    return torch.cat([turn.cos(), turn.sin(), (2 * turn).sin()], 2)[..., :across] * sizes


def language(words: int, width: int = 16) -> dict[str, nn.Module]:
    """A recurrent network over words."""
    gru = nn.GRU(width, width, batch_first=True)
    return {"embed": nn.Embedding(words, width), "gru": gru, "out": nn.Linear(width, words)}


def of_words(self: Part, ids: Tensor) -> Tensor:
    """Scores of the next word at each place."""
    return self.out(self.gru(self.embed(ids))[0])
