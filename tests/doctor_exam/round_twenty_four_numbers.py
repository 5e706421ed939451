"""Set-ups of the twenty-fourth round (tables and numbers), ordinary right ones, written without knowing the checks."""

import torch
from torch import nn
from torch.distributions import StudentT
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, labels
from doctor_exam.round_parts import Part

TWENTY_FOUR_NUMBERS = CaseSet()
right = TWENTY_FOUR_NUMBERS.right


@right("straight line: mean absolute error", "learnpytorch.io 01 workflow fundamentals")
def straight_line():
    """Weight 0.7 and bias 0.3 are found again from the first forty points."""
    x = torch.arange(0, 1, 0.02).unsqueeze(1)[:40]
    return nn.Linear(1, 1), nn.L1Loss(), x, 0.7 * x + 0.3


@right("thermometer: Celsius of unknown units", "Deep Learning with PyTorch (Stevens), chapter 6")
def thermometer():
    """Eleven readings, the inputs times 0.1, a hidden layer with tanh."""
    celsius = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0]).unsqueeze(1)
    unknown = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4]).unsqueeze(1)
    return nn.Sequential(nn.Linear(1, 13), nn.Tanh(), nn.Linear(13, 1)), nn.MSELoss(), 0.1 * unknown, celsius


@right("diabetes: sigmoid and BCELoss", "github.com/hunkim/PyTorchZeroToAll 07 diabetes logistic")
def diabetes():
    """Eight measures already between -1 and 1, three layers, sigmoids throughout."""
    x = torch.rand(N, 8) * 2 - 1
    y = (x[:, 1:2] + 0.5 * x[:, 5:6] > 0).float()
    layers = [nn.Linear(8, 6), nn.Sigmoid(), nn.Linear(6, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid()]
    return nn.Sequential(*layers), nn.BCELoss(reduction="mean"), x, y


@right("bank customers: who leaves", "stackabuse.com introduction to PyTorch for classification")
def churn():
    """Embedded categories and raw numbers through batch norm, two classes."""

    def forward(self, categories, numbers):
        embedded = torch.cat([table(categories[:, i]) for i, table in enumerate(self.tables)], 1)
        return self.layers(torch.cat([self.drop(embedded), self.norm(numbers)], 1))

    tables = nn.ModuleList([nn.Embedding(3, 2), nn.Embedding(2, 1), nn.Embedding(2, 1), nn.Embedding(2, 1)])
    first = [nn.Linear(11, 32), nn.ReLU(inplace=True), nn.BatchNorm1d(32), nn.Dropout(0.4)]
    second = [nn.Linear(32, 16), nn.ReLU(inplace=True), nn.BatchNorm1d(16), nn.Dropout(0.4), nn.Linear(16, 2)]
    categories = torch.cat([classes(3, 1), classes(2, 3)], 1)
    credit, age, tenure = 650 + 97 * torch.randn(N), torch.randint(18, 75, (N,)).float(), classes(11).float()
    balance, products, salary = 120000 * torch.rand(N), 1 + classes(4).float(), 200000 * torch.rand(N)
    numbers = torch.stack([credit, age, tenure, balance, products, salary], 1)
    model = Part(forward, tables=tables, drop=nn.Dropout(0.4), norm=nn.BatchNorm1d(6))
    model.layers = nn.Sequential(*first, *second)
    return model, nn.CrossEntropyLoss(), (categories, numbers), (age > 45).long()


@right("blobs: four colours", "learnpytorch.io 02 classification, multi-class")
def blobs():
    """Points around four centres, two features."""
    y = classes(4)
    centres = torch.tensor([[-2.5, 9.0], [4.7, 2.0], [-6.8, -6.9], [-8.8, 7.3]])
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    return net, nn.CrossEntropyLoss(), centres[y] + 1.5 * torch.randn(N, 2), y


@right("skorch: softmax, its logarithm in the loss", "skorch.readthedocs.io quickstart, NeuralNetClassifier")
def skorch_classifier():
    """The module ends with softmax; skorch takes the logarithm before NLLLoss."""
    x = inputs(20)
    first = [nn.Linear(20, 100), nn.ReLU(), nn.Dropout(0.5)]
    net = nn.Sequential(*first, nn.Linear(100, 2), nn.Softmax(dim=-1))

    def loss_fn(out, y):
        return nn.NLLLoss()(torch.log(out + torch.finfo(out.dtype).eps), y)

    return net, loss_fn, x, (x[:, 0] > 0).long()


@right("activity: six movements of a phone", "UCI HAR with an LSTM, PyTorch rewrites of guillaume-chevalier's")
def activity():
    """Nine signals of 128 steps, two LSTM layers, the last step's output."""
    y = classes(6)
    time = torch.linspace(0, 6.28, 128)[None, :, None]
    x = torch.sin(time * (1 + y[:, None, None])) + 0.1 * y[:, None, None] + 0.2 * torch.randn(N, 128, 9)

    def forward(self, signals):
        out, _ = self.lstm(signals)
        return self.fc(self.drop(out[:, -1]))

    lstm = nn.LSTM(9, 32, 2, batch_first=True)
    model = Part(forward, lstm=lstm, drop=nn.Dropout(0.5), fc=nn.Linear(32, 6))
    return model, nn.CrossEntropyLoss(), x, y


@right("yeast: fourteen labels, weights of the rare", "PyTorch docs BCEWithLogitsLoss pos_weight on the yeast data")
def yeast():
    """Each label's weight is its negatives over its positives."""
    y = labels(14)
    x = y @ torch.randn(14, 103) * 0.3 + torch.randn(N, 103)
    net = nn.Sequential(nn.Linear(103, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 14))
    return net, nn.BCEWithLogitsLoss(pos_weight=(1 - y).sum(0) / y.sum(0)), x, y


@right("adult: FT-Transformer", "github.com/yandex-research/rtdl-revisiting-models")
def ft_transformer():
    """A token per column and one for the class, pre-norm layers, one logit."""

    def forward(self, numbers, categories):
        tokens = numbers[:, :, None] * self.weight + self.bias
        embedded = self.embed(categories + torch.tensor([0, 9, 25]))
        x = torch.cat([self.token.expand(len(numbers), 1, -1), tokens, embedded], 1)
        return self.head(self.blocks(x)[:, 0]).squeeze(1)

    blocks = [nn.TransformerEncoderLayer(16, 4, 32, 0.1, batch_first=True, norm_first=True) for _ in range(2)]
    head = nn.Sequential(nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 1))
    model = Part(forward, blocks=nn.Sequential(*blocks), embed=nn.Embedding(32, 16), head=head)
    for name, shape in {"weight": (6, 16), "bias": (6, 16), "token": (1, 1, 16)}.items():
        setattr(model, name, nn.Parameter((torch.rand(shape) - 0.5) / 2))
    numbers = inputs(6)
    categories = torch.stack([classes(9), classes(16), classes(7)], 1)
    y = (numbers[:, 0] + numbers[:, 1] > 0).float()
    return model, F.binary_cross_entropy_with_logits, (numbers, categories), y


@right("volatility: relative error", "Kaggle Optiver Realized Volatility notebooks, RMSPE as the loss")
def volatility():
    """A stock's embedding and scaled features; the error is divided by the target."""

    def forward(self, stock, features):
        return self.net(torch.cat([self.embed(stock), features], 1)).squeeze(-1)

    net = nn.Sequential(nn.Linear(20, 32), nn.SiLU(), nn.Linear(32, 16), nn.SiLU(), nn.Linear(16, 1))
    features = inputs(12)
    y = 0.004 * torch.exp(0.4 * features[:, 0])

    def rmspe(out, y):
        return torch.sqrt(torch.mean(((y - out) / y) ** 2))

    return Part(forward, embed=nn.Embedding(112, 8), net=net), rmspe, (classes(112), features), y


@right("curve with several answers: mixture density", "github.com/tonyduan/mixture-density-network")
def mixture():
    """Weights, means and deviations of five normals; the negative logarithm of their mixture."""
    y = torch.rand(N, 1) * 2 - 1
    x = y + 0.3 * torch.sin(6.28 * y) + 0.02 * torch.randn(N, 1)

    def forward(self, x):
        h = self.body(x)
        return F.log_softmax(self.pi(h), -1), self.mean(h), torch.exp(self.log_std(h))

    def loss_fn(out, y):
        log_pi, mean, std = out
        return -torch.logsumexp(log_pi + torch.distributions.Normal(mean, std).log_prob(y), -1).mean()

    heads = {name: nn.Linear(20, 5) for name in ("pi", "mean", "log_std")}
    return Part(forward, body=nn.Sequential(nn.Linear(1, 20), nn.Tanh()), **heads), loss_fn, x, y
