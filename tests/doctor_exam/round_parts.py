"""Networks of which the set-ups of the fourth to seventh round are built."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.parts import N, inputs, mlp


class Part(nn.Module):
    """Layers and a function that uses them, as a forward() would."""

    def __init__(self, forward: Callable, **layers: nn.Module) -> None:
        super().__init__()
        self.function = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *args: Tensor, **kwargs: Tensor):
        """The function of the layers and the inputs."""
        return self.function(self, *args, **kwargs)


def still(layer: nn.Module) -> nn.Module:
    """The same layer, started at zero."""
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    return layer


def views(count: int = 2) -> Tensor:
    """Several slightly different views of each sample [N, count, 8]."""
    return inputs()[:, None] + 0.1 * torch.randn(N, count, 8)


def flow() -> Part:
    """An affine coupling: the transformed sample and the logarithm of its determinant."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        scale, shift = self.net(x[:, :4]).tanh().chunk(2, 1)
        return torch.cat([x[:, :4], x[:, 4:] * scale.exp() + shift], 1), scale.sum(1)

    return Part(forward, net=nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 8)))


def autoencoder(spread: Callable) -> Part:
    """A variational autoencoder whose second head becomes a deviation through a function."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * spread(log_var)), mean, log_var

    return Part(forward, encode=mlp(6), decode=nn.Linear(3, 8))


def critic(create_graph: bool = True) -> Part:
    """A critic of pictures: its scores and their gradient with respect to the pictures."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_(True)
        scores = self.net(x)
        return scores, torch.autograd.grad(scores.sum(), x, create_graph=create_graph, retain_graph=True)[0]

    return Part(forward, net=nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 1)))


def divergence(mean: Tensor, log_var: Tensor) -> Tensor:
    """The divergence of normals from the standard normal, the mean over samples."""
    return -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1).mean()


class Extra(torch.autograd.Function):
    """Hand through the output and send a gradient of one to a second loss."""

    @staticmethod
    def forward(ctx, out: Tensor, loss: Tensor) -> Tensor:
        """Return the output as it is."""
        return out.view_as(out)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output's gradient, and one."""
        return gradient, torch.ones(())


def actor(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
    """A drawn action's log-probability and its worth to a critic that stays as it is."""
    normal = Normal(self.mean(x), self.log_std(x).clamp(-5, 2).exp())
    action = normal.rsample()
    log_p = (normal.log_prob(action) - 2 * (0.6931 - action - F.softplus(-2 * action))).sum(1)
    return log_p, self.critic(torch.cat([x, action.tanh()], 1))[:, 0]
