"""Set-ups of the twenty-third round (tables and numbers), ordinary right ones, written without knowing the checks."""

import math
from itertools import pairwise

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
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
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


@right(
    "class weights: balanced", "Stack Overflow / PyTorch forum: compute_class_weight('balanced') into CrossEntropyLoss"
)
def class_weights():
    """Four unequal classes, weights of rows / (classes * count)."""
    x = table(10)
    y = torch.tensor([0] * 18 + [1] * 8 + [2] * 4 + [3] * 2)[torch.randperm(32)]
    x = x + torch.randn(4, 10)[y]
    weight = len(y) / (4 * torch.bincount(y).float())
    return dense(10, 32, 4), nn.CrossEntropyLoss(weight=weight), x, y


@right("wine: quality, smooth L1", "UCI wine quality notebooks")
def wine():
    """Standardised chemistry to a quality of 3 to 8, batch norm, SmoothL1Loss."""
    x = table(11)
    y = (5.6 + 0.8 * worth(x)).round().clamp(3, 8)
    net = nn.Sequential(nn.Linear(11, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 1))
    return net, nn.SmoothL1Loss(), x, y


@right("MoA: many rare labels", "Kaggle Mechanisms of Action, the usual PyTorch baseline")
def moa():
    """Batch norm, dropout and weight-normed layers to many mostly absent labels."""
    norm, x = nn.utils.parametrizations.weight_norm, table(40)
    y = (x @ torch.randn(40, 20) / 40**0.5 > 1.6).float()
    layers = [nn.BatchNorm1d(40), nn.Dropout(0.2), norm(nn.Linear(40, 64)), nn.ReLU()]
    layers += [nn.BatchNorm1d(64), nn.Dropout(0.5), norm(nn.Linear(64, 20))]
    return nn.Sequential(*layers), nn.BCEWithLogitsLoss(), x, y


@right("emotions: six yes/no labels", "blog tutorials on multi-label classification: one sigmoid per label, BCELoss")
def emotions():
    """Standardised sound features to six labels that may hold together."""
    x = table(24)
    return nn.Sequential(dense(24, 32, 6), nn.Sigmoid()), nn.BCELoss(), x, (x @ torch.randn(24, 6) > 1).float()


@right("tox21: labels with gaps", "Tox21 / OGB molecule baselines, is_labeled mask")
def tox21():
    """Fingerprint bits to twelve assays; what was not measured (nan) is left out."""
    x = (torch.rand(32, 64) < 0.2).float()
    y = ((x - 0.2) @ torch.randn(64, 12) > 2).float()
    y[torch.rand(32, 12) < 0.2] = torch.nan

    def loss(out: Tensor, y: Tensor) -> Tensor:
        known = y == y
        return F.binary_cross_entropy_with_logits(out[known], y[known])

    return dense(64, 32, 12), loss, x, y


@right("bikes: counts per hour", "PyTorch docs PoissonNLLLoss / Poisson regression blog posts")
def bikes():
    """The logarithm of the rate and PoissonNLLLoss as it is by default."""
    x = table(6)
    return dense(6, 32, 1), nn.PoissonNLLLoss(), x, torch.poisson((1.5 + 0.5 * worth(x)).exp())


@right("claims: rate times exposure", "freMTPL2 claim frequency with an offset, actuarial notebooks")
def claims():
    """Claims of a part of a year: the log of the exposure is added to the log rate."""
    x, exposure = table(9), torch.rand(32, 1) * 0.9 + 0.1
    y = torch.poisson(exposure * (worth(x) - 0.3).exp())
    model = Part(lambda self, x, exposure: self.net(x) + torch.log(exposure), net=dense(9, 16, 1))
    return model, nn.PoissonNLLLoss(log_input=True), (x, exposure), y


@right("genes: negative binomial", "scverse scvi-tools / DCA count autoencoder")
def genes():
    """Counts through log(1 + x), shares times the size of the cell, one dispersion per gene."""
    rate = torch.rand(32, 1) * 2 + 1
    counts = torch.poisson(rate * torch.randn(20).exp() * torch.exp(0.5 * torch.randn(32, 20)))

    def forward(self: Part, counts: Tensor) -> tuple[Tensor, Tensor]:
        share = self.net(torch.log1p(counts)).softmax(-1)
        return share * counts.sum(1, keepdim=True), self.log_theta.exp()

    def loss(out: tuple[Tensor, Tensor], counts: Tensor) -> Tensor:
        (mean, theta), eps = out, 1e-8
        log_sum = torch.log(theta + mean + eps)
        log_p = theta * (torch.log(theta + eps) - log_sum) + counts * (torch.log(mean + eps) - log_sum)
        log_p = log_p + torch.lgamma(counts + theta) - torch.lgamma(theta) - torch.lgamma(counts + 1)
        return -log_p.sum(-1).mean()

    return Part(forward, net=dense(20, 16, 4, 16, 20), log_theta=nn.Parameter(torch.randn(20))), loss, counts, counts


@right("noise that varies: Gaussian NLL", "PyTorch docs GaussianNLLLoss, deep ensembles")
def varying_noise():
    """A mean and a variance through softplus and a small floor."""
    x = torch.rand(32, 1) * 4 - 2
    y = torch.sin(2 * x) + (0.05 + 0.1 * x.abs()) * torch.randn(32, 1)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = self.net(x).chunk(2, dim=-1)
        return mean, F.softplus(raw) + 1e-6

    loss = nn.GaussianNLLLoss()
    return Part(forward, net=dense(1, 32, 32, 2)), lambda out, y: loss(out[0], y, out[1]), x, y


@right("quantiles: pinball loss", "blog posts on quantile regression in PyTorch")
def quantiles():
    """The 5th, 50th and 95th percentile, one output each."""
    x = table(5)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        total = []
        for i, q in enumerate((0.05, 0.5, 0.95)):
            error = y - out[:, i]
            total.append(torch.max((q - 1) * error, q * error).unsqueeze(1))
        return torch.mean(torch.sum(torch.cat(total, dim=1), dim=1))

    return nn.Sequential(dense(5, 32, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3)), loss, x, worth(x, 0.3)[:, 0]


@right("movielens: dot product and biases", "fastbook chapter 8, collaborative filtering from scratch")
def movielens():
    """Pairs of user and film to a rating in 0..5.5 through a sigmoid, MSE."""

    def forward(self: Part, x: Tensor) -> Tensor:
        users, films = self.users(x[:, 0]), self.films(x[:, 1])
        score = (users * films).sum(dim=1, keepdim=True) + self.user_bias[x[:, 0]] + self.film_bias[x[:, 1]]
        return torch.sigmoid(score) * 5.5

    biases = {
        "user_bias": nn.Parameter(0.01 * torch.randn(20, 1)),
        "film_bias": nn.Parameter(0.01 * torch.randn(30, 1)),
    }
    model = Part(forward, users=nn.Embedding(20, 8), films=nn.Embedding(30, 8), **biases)
    for layer in (model.users, model.films):
        nn.init.normal_(layer.weight, 0, 0.01)
    x = torch.stack([numbers(20), numbers(30)], 1)
    y = (3.5 + torch.randn(20)[x[:, 0]] + torch.randn(30)[x[:, 1]]).round().clamp(1, 5)
    return model, lambda out, y: F.mse_loss(out.view(-1), y.view(-1)), x, y[:, None]


@right("NCF: clicked or not", "github guoyang9/NCF")
def ncf():
    """A product and an MLP of embeddings, four drawn negatives per positive, one flat logit."""

    def forward(self: Part, user: Tensor, item: Tensor) -> Tensor:
        product = self.user_gmf(user) * self.item_gmf(item)
        deep = self.mlp(torch.cat((self.user_mlp(user), self.item_mlp(item)), -1))
        return self.out(torch.cat((product, deep), -1)).view(-1)

    parts = {f"{name}_{part}": nn.Embedding(40, 8) for name in ("user", "item") for part in ("gmf", "mlp")}
    for embed in parts.values():
        nn.init.normal_(embed.weight, std=0.01)
    deep = nn.Sequential(nn.Dropout(0.0), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU())
    y = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0] * 6)[torch.randperm(30)]
    model = Part(forward, mlp=deep, out=nn.Linear(16, 1), **parts)
    return model, nn.BCEWithLogitsLoss(), (numbers(40, 30), numbers(40, 30)), y


@right("BPR: bought before unseen", "github guoyang9/BPR-pytorch")
def bpr():
    """Scores of a bought and of a drawn item, the log-sigmoid of the difference."""

    def forward(self: Part, user: Tensor, item_i: Tensor, item_j: Tensor) -> tuple[Tensor, Tensor]:
        user, item_i, item_j = self.users(user), self.items(item_i), self.items(item_j)
        return (user * item_i).sum(dim=-1), (user * item_j).sum(dim=-1)

    model = Part(forward, users=nn.Embedding(20, 16), items=nn.Embedding(60, 16))
    nn.init.normal_(model.users.weight, std=0.01)
    nn.init.normal_(model.items.weight, std=0.01)
    triples = (numbers(20), numbers(30), 30 + numbers(30))
    return model, lambda out, _: -(out[0] - out[1]).sigmoid().log().sum(), triples, None


@right("DeepFM: click rate", "github rixwew/pytorch-fm")
def deepfm():
    """One table for all fields with offsets: linear, pairwise and deep parts, a sigmoid, BCELoss."""
    fields = torch.tensor([20, 10, 5, 30])
    offsets = torch.cat([torch.zeros(1, dtype=torch.long), fields.cumsum(0)[:-1]])

    def forward(self: Part, x: Tensor) -> Tensor:
        x = x + offsets
        embedded = self.embed(x)
        pairs = 0.5 * (embedded.sum(1) ** 2 - (embedded**2).sum(1)).sum(1, keepdim=True)
        return torch.sigmoid((self.linear(x).sum(1) + self.bias + pairs + self.mlp(embedded.flatten(1))).squeeze(1))

    deep = nn.Sequential(nn.Linear(32, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
    parts = {"embed": nn.Embedding(65, 8), "linear": nn.Embedding(65, 1), "bias": nn.Parameter(torch.zeros(1))}
    nn.init.xavier_uniform_(parts["embed"].weight)
    x = torch.stack([numbers(int(size)) for size in fields], 1)
    y = ((x / fields).sum(1) > 2).float()
    return Part(forward, mlp=deep, **parts), nn.BCELoss(), x, y


@right("AutoRec: ratings that are there", "AutoRec, d2l.ai 21.4 and PyTorch rewrites")
def autorec():
    """A row of ratings, zero where there is none; only those given count."""
    ratings = torch.randint(1, 6, (16, 40)).float() * (torch.rand(16, 40) < 0.3)

    def loss(out: Tensor, ratings: Tensor) -> Tensor:
        mask = (ratings > 0).float()
        return ((out - ratings) ** 2 * mask).sum() / mask.sum()

    return nn.Sequential(nn.Linear(40, 16), nn.Sigmoid(), nn.Dropout(0.05), nn.Linear(16, 40)), loss, ratings, ratings


def waves(length: int, series: int = 16) -> Tensor:
    """Noisy waves of different phase and period [N, length]."""
    t, phase, speed = torch.arange(length), torch.rand(series, 1) * 6.3, 0.2 + 0.4 * torch.rand(series, 1)
    return torch.sin(t * speed + phase) + 0.1 * torch.randn(series, length)


@right("stock price: LSTM", "Kaggle / blog tutorials: stock price prediction with an LSTM, MinMaxScaler(-1, 1)")
def stock():
    """Windows of 20 scaled prices to the next one, from the last step's output."""
    price = torch.cumsum(torch.randn(52), 0)
    price = 2 * (price - price.min()) / (price.max() - price.min()) - 1
    windows = price.unfold(0, 21, 1)[:, :, None]

    def forward(self: Part, x: Tensor) -> Tensor:
        h0, c0 = torch.zeros(2, x.size(0), 16), torch.zeros(2, x.size(0), 16)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])

    model = Part(forward, lstm=nn.LSTM(1, 16, 2, batch_first=True), fc=nn.Linear(16, 1))
    return model, nn.MSELoss(reduction="mean"), windows[:, :-1], windows[:, -1]


@right("DLinear: many steps ahead", "github cure-lab/LTSF-Linear")
def dlinear():
    """Trend by a moving average and the rest, each a linear map over time, [N, 36, 3] to [N, 12, 3]."""
    series = torch.stack([waves(48) for _ in range(3)], 2)

    def forward(self: Part, x: Tensor) -> Tensor:
        wide = torch.cat([x[:, :1].repeat(1, 3, 1), x, x[:, -1:].repeat(1, 3, 1)], 1)
        trend = self.average(wide.permute(0, 2, 1))
        return (self.seasonal(x.permute(0, 2, 1) - trend) + self.trend(trend)).permute(0, 2, 1)

    model = Part(forward, average=nn.AvgPool1d(7, stride=1), seasonal=nn.Linear(36, 12), trend=nn.Linear(36, 12))
    return model, nn.MSELoss(), series[:, :36], series[:, 36:]


@right("DeepAR: likelihood of sales", "github zhykoties/TimeSeries")
def deepar():
    """The scaled step before to a normal of each step; steps of zero are left out."""
    z = (waves(25) + 2).clamp(min=0.1)
    z[:8, :6] = 0
    z = z / ((z.sum(1) / (z != 0).sum(1)) + 1)[:, None]
    hour = torch.arange(24).sub(11.5).div(7).expand(16, 24)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden, _ = self.lstm(x)
        return self.mu(hidden).squeeze(-1), self.sigma(hidden).squeeze(-1)

    def loss(out: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        there = z != 0
        return -torch.distributions.Normal(out[0][there], out[1][there]).log_prob(z[there]).mean()

    sigma = nn.Sequential(nn.Linear(16, 1), nn.Softplus())
    model = Part(forward, lstm=nn.LSTM(2, 16, batch_first=True), mu=nn.Linear(16, 1), sigma=sigma)
    return model, loss, torch.stack([z[:, :-1], hour], 2), z[:, 1:]


def lifetimes(x: Tensor) -> tuple[Tensor, Tensor]:
    """The time of death or of the last visit, and whether it was a death."""
    death, visit = -torch.log(torch.rand(len(x))) * (2 - worth(x)[:, 0]).exp(), 20 * torch.rand(len(x))
    return torch.min(death, visit), (death <= visit).float()


@right("survival: Cox", "github havakv/pycox CoxPH, DeepSurv")
def cox():
    """Log-hazards and the partial likelihood of the batch, sorted by time."""
    x = table(9)

    def loss(log_h: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        order = y[0].sort(descending=True)[1]
        events, log_h = y[1][order].view(-1), log_h[order].view(-1)
        gamma = log_h.max()
        log_cumsum_h = log_h.sub(gamma).exp().cumsum(0).add(1e-7).log().add(gamma)
        return -log_h.sub(log_cumsum_h).mul(events).sum().div(events.sum())

    layers = [nn.Linear(9, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Dropout(0.1), nn.Linear(32, 1, bias=False)]
    return nn.Sequential(*layers), loss, x, lifetimes(x)


@right("survival: hazards per interval", "github havakv/pycox LogisticHazard")
def hazards():
    """A logit per interval; intervals after the last one seen are left out."""
    x = table(9)
    time, events = lifetimes(x)
    index = (time / 2).long().clamp(max=9)

    def loss(phi: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        index, events = y[0].view(-1, 1), y[1].view(-1, 1)
        bce = F.binary_cross_entropy_with_logits(phi, torch.zeros_like(phi).scatter(1, index, events), reduction="none")
        return bce.cumsum(1).gather(1, index).view(-1).mean()

    net = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Dropout(0.1), nn.Linear(32, 10))
    return net, loss, x, (index, events)
