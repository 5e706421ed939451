"""Set-ups of the twenty-third round (tables and numbers), ordinary right ones, written without knowing the checks."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_THREE_NUMBERS = CaseSet()
right = TWENTY_THREE_NUMBERS.right


def table(columns: int, rows: int = 32) -> Tensor:
    """A table of standardised columns."""
    x = torch.randn(rows, columns)
    return (x - x.mean(0)) / x.std(0)


def worth(x: Tensor, noise: float = 0.1) -> Tensor:
    """A number per row that depends on the columns [N, 1]."""
    return x @ torch.randn(x.shape[1], 1) / x.shape[1] ** 0.5 + noise * torch.randn(len(x), 1)


def kind(x: Tensor, count: int) -> Tensor:
    """A class per row that depends on the columns [N]."""
    return (x @ torch.randn(x.shape[1], count)).argmax(1)


def dense(*sizes: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers = [part for a, b in zip(sizes, sizes[1:], strict=False) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def numbers(count: int, *shape: int) -> Tensor:
    """Random category numbers."""
    return torch.randint(0, count, shape or (32,))


@right("d2l: linear regression", "d2l.ai 3.5 concise implementation of linear regression")
def d2l_linear():
    """One linear layer recovers the weights of made-up data."""
    x = torch.randn(32, 2)
    y = x @ torch.tensor([[2.0], [-3.4]]) + 4.2 + 0.01 * torch.randn(32, 1)
    return nn.Linear(2, 1), nn.MSELoss(), x, y


@right("sine: third-order polynomial", "pytorch.org/tutorials learning PyTorch with examples, nn")
def sine():
    """Three powers of x to sin(x), a sum of squares."""
    x = torch.linspace(-math.pi, math.pi, 32)
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    return nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1)), nn.MSELoss(reduction="sum"), xx, torch.sin(x)


@right("california: house values", "machinelearningmastery.com building a regression model in PyTorch")
def california():
    """Standardised columns to the median value in 100,000 dollars."""
    x = table(8)
    return dense(8, 24, 12, 6, 1), nn.MSELoss(), x, (2.07 + 1.15 * worth(x)).clamp(0.15, 5.0)


@right("house prices: log labels", "d2l.ai 5.7 predicting house prices on Kaggle")
def house_prices():
    """Numbers and one-hot columns to the logarithm of the price, a linear model."""
    x = torch.cat([table(20), F.one_hot(numbers(6), 6).float(), F.one_hot(numbers(4), 4).float()], 1)
    price = torch.exp(12 + 0.4 * worth(x))
    return nn.Linear(30, 1), nn.MSELoss(), x, torch.log(price)


@right("iris: three kinds", "Codemy / many notebooks: iris with PyTorch")
def iris():
    """Four lengths in cm to the kind of flower."""
    means = torch.tensor([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    y = numbers(3)
    x = (means[y] + torch.tensor([0.5, 0.3, 0.4, 0.2]) * torch.randn(32, 4)).clamp(min=0.1)
    return dense(4, 8, 9, 3), nn.CrossEntropyLoss(), x, y


@right("sonar: rock or mine", "machinelearningmastery.com building a binary classification model in PyTorch")
def sonar():
    """Sixty values in 0..1, a sigmoid at the end and BCELoss."""
    x = torch.rand(32, 60)
    y = (worth(x - 0.5) > 0).float()
    return nn.Sequential(*dense(60, 60, 60, 60, 1), nn.Sigmoid()), nn.BCELoss(), x, y


@right("titanic: survived or not", "Kaggle notebooks: Titanic with PyTorch")
def titanic():
    """Scaled age and fare, one-hot class, sex and port; one logit, squeezed."""
    x = torch.cat([table(4), *(F.one_hot(numbers(k), k).float() for k in (3, 2, 3))], 1)
    net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    y = (worth(x) > 0).float().squeeze(1)
    return Part(lambda self, x: self.net(x).squeeze(1), net=net), nn.BCEWithLogitsLoss(), x, y


def tabular(outputs: int, sizes: tuple[int, ...], continuous: int, ends: tuple[float, float] | None = None) -> Part:
    """The tabular model of fastai: an embedding per category, normalised numbers, an optional range."""

    def forward(self: Part, cats: Tensor, conts: Tensor) -> Tensor:
        x = torch.cat([embed(cats[:, i]) for i, embed in enumerate(self.embeds)], 1)
        x = self.layers(torch.cat([self.drop(x), self.norm(conts)], 1))
        return x if ends is None else torch.sigmoid(x) * (ends[1] - ends[0]) + ends[0]

    wide = 4 * len(sizes) + continuous
    layers = [nn.Linear(wide, 32, bias=False), nn.ReLU(), nn.BatchNorm1d(32)]
    layers += [nn.Linear(32, 16, bias=False), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, outputs)]
    embeds = nn.ModuleList(nn.Embedding(size, 4) for size in sizes)
    for embed in embeds:
        nn.init.trunc_normal_(embed.weight, std=0.01)
    drop, norm = nn.Dropout(0.04), nn.BatchNorm1d(continuous)
    return Part(forward, embeds=embeds, drop=drop, norm=norm, layers=nn.Sequential(*layers))


@right("adult: income over 50k", "docs.fast.ai tabular training, ADULT_SAMPLE")
def adult():
    """Categories and numbers to two scores; labels of shape [N, 1] are flattened in the loss."""
    sizes = (10, 17, 8, 16, 7, 6)
    cats = torch.stack([1 + numbers(size - 1) for size in sizes], 1)
    conts = table(3)
    y = (conts[:, :1] + (cats[:, :1] > 5) > 0.5).long()
    return tabular(2, sizes, 3), lambda out, y: F.cross_entropy(out, y.view(-1)), (cats, conts), y


@right("rossmann: log sales in a range", "fastai course v3, lesson 6 rossmann")
def rossmann():
    """Entity embeddings to the logarithm of sales, a sigmoid up to 1.2 times the largest."""
    sizes = (50, 8, 4, 13, 32)
    cats, conts = torch.stack([1 + numbers(size - 1) for size in sizes], 1), table(6)
    y = 8.7 + 0.3 * worth(conts) + 0.1 * (cats[:, 1:2] - 4) / 2
    return (
        tabular(1, sizes, 6, (0.0, 10.6 * 1.2)),
        lambda out, y: F.mse_loss(out.view(-1), y.view(-1)),
        (cats, conts),
        y,
    )


@right("fraud: rare positives", "Kaggle credit card fraud notebooks with pos_weight")
def fraud():
    """Few positives, their weight the ratio of negatives to positives."""
    x = table(30)
    score = worth(x)
    y = (score >= score.topk(3, 0).values[-1]).float()
    pos_weight = (len(y) - y.sum()) / y.sum()
    return dense(30, 32, 16, 1), nn.BCEWithLogitsLoss(pos_weight=pos_weight), x, y
