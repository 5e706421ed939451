"""Networks and data of which the makers' set-ups of the twenty-first round are built."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from doctor_exam.parts import N
from doctor_exam.round_parts import Part


def digits() -> Tensor:
    """Pictures like handwritten digits as rows [N, 784]: mostly black, some strokes, within 0 and 1."""
    strokes = F.interpolate(torch.randn(6, 1, 7, 7), 28, mode="bilinear").flatten(1)
    return (torch.randn(N, 6) @ strokes / 2 - 0.4).clamp(0, 1)


def photos(size: int = 28) -> Tensor:
    """Smooth colour pictures [N, 3, size, size] within 0 and 1."""
    return torch.sigmoid(2 * F.interpolate(torch.randn(N, 3, 5, 5), size, mode="bilinear"))


def vessels() -> tuple[Tensor, Tensor]:
    """Pictures of an eye's background and the masks of its vessels, which are darker."""
    lines = F.interpolate(torch.randn(4, 1, 6, 6), 24, mode="bilinear").abs()
    mask = (lines < 0.12).float()
    return 0.6 - 0.4 * mask + 0.05 * torch.randn(4, 3, 24, 24), mask


def voxels() -> Tensor:
    """Volumes of zeros and ones [8, 1, 8, 8, 8], a box in each."""
    volumes = torch.zeros(8, 1, 8, 8, 8)
    for volume, (a, b, c) in zip(volumes, torch.randint(1, 4, (8, 3)).tolist(), strict=True):
        volume[0, a : a + 4, b : b + 4, c : c + 4] = 1
    return volumes


def teacher(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Labels that depend on the inputs and a trained teacher's outputs, which mostly agree with them."""
    labels = (x @ torch.randn(x.shape[1], count)).argmax(1)
    return labels, 6 * F.one_hot(labels, count).float() + torch.randn(len(x), count)


def graph() -> tuple[Tensor, Tensor]:
    """Features [24, 10] of the nodes of three groups and the links [24, 24], mostly within a group."""
    group = torch.arange(24) % 3
    chance = torch.where(group[:, None] == group[None], 0.5, 0.05)
    upper = (torch.rand(24, 24) < chance).float().triu(1)
    return F.one_hot(group, 10).float() + 0.3 * torch.randn(24, 10), upper + upper.T + torch.eye(24)


def divergence(mean: Tensor, log_var: Tensor) -> Tensor:
    """The divergence from the standard normal, summed over dimensions, the mean over samples."""
    return -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1).mean()


def half_exp(log_var: Tensor) -> Tensor:
    """The deviation that belongs to a log-variance."""
    return torch.exp(0.5 * log_var)


class VariationalCoder(nn.Module):
    """A dense variational autoencoder of 784 pixels: the decoded rows, the means and the second head."""

    def __init__(
        self, deviation: Callable = half_exp, hidden: type[nn.Module] = nn.ReLU, end: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.deviation, self.encoder = deviation, nn.Sequential(nn.Linear(784, 64), hidden())
        self.mean, self.spread = nn.Linear(64, 5), nn.Linear(64, 5)
        self.decoder = nn.Sequential(nn.Linear(5, 64), hidden(), nn.Linear(64, 784), end or nn.Identity())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw with the deviation that a function makes of the second head."""
        hidden = self.encoder(x)
        mean, spread = self.mean(hidden), self.spread(hidden)
        return self.decoder(mean + torch.randn_like(mean) * self.deviation(spread)), mean, spread


class ImageCoder(nn.Module):
    """A convolutional variational autoencoder of pictures [N, 3, 28, 28] that ends in a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 5, 2, 2), nn.ReLU(), nn.Flatten()
        )
        self.mean, self.log_var, self.back = nn.Linear(784, 20), nn.Linear(784, 20), nn.Linear(20, 784)
        self.decoder = nn.Sequential(
            nn.Unflatten(1, (16, 7, 7)),
            nn.ConvTranspose2d(16, 8, 6, 2, 2),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 3, 6, 2, 2),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The decoded picture, the means and the log-variances."""
        hidden = self.encoder(x)
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        return self.decoder(self.back(mean + torch.randn_like(mean) * half_exp(log_var))), mean, log_var


def graph_coder() -> Part:
    """A variational graph autoencoder: the chance of every link, the means and the second head."""

    def forward(self: Part, x: Tensor, links: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        root = links.sum(1).rsqrt()
        spread_links = root[:, None] * links * root[None]
        hidden = F.relu(spread_links @ self.first(x))
        mean, spread = spread_links @ self.mean(hidden), spread_links @ self.spread(hidden)
        z = mean + torch.randn_like(mean) * spread.exp()
        return torch.sigmoid(z @ z.T), mean, spread

    return Part(forward, first=nn.Linear(10, 16), mean=nn.Linear(16, 4), spread=nn.Linear(16, 4))


class Adversaries(nn.Module):
    """A generator and a discriminator; each gets the gradients of its own part of the loss alone."""

    def __init__(self, end: nn.Module, score_end: nn.Module | None = None, volume: bool = False) -> None:
        super().__init__()
        up, down, channels = (nn.ConvTranspose3d, nn.Conv3d, 1) if volume else (nn.ConvTranspose2d, nn.Conv2d, 3)
        self.axes = 3 if volume else 2
        self.generator = nn.Sequential(
            up(12, 16, 4), nn.ReLU(), up(16, channels, *((4, 2, 1) if volume else (4, 4))), end
        )
        self.discriminator = nn.Sequential(
            down(channels, 8, 4, 2, 1), nn.LeakyReLU(0.2), down(8, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten()
        )
        self.discriminator.append(nn.Linear(128 if volume else 256, 1))
        self.discriminator.append(score_end or nn.Identity())

    def forward(self, z: Tensor, real: Tensor) -> dict[str, Tensor]:
        """The fakes, the scores for the discriminator's loss and the score for the generator's."""
        fake = self.generator(z.view(*z.shape, *[1] * self.axes))
        still = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        return {
            "fake": fake,
            "real_score": self.discriminator(real),
            "fake_score": self.discriminator(fake.detach()),
            "fooled": functional_call(self.discriminator, still, (fake,)),
        }
