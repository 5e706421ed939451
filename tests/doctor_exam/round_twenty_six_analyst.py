"""Set-ups of the twenty-sixth round (analyst), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_SIX_ANALYST = CaseSet()
right = TWENTY_SIX_ANALYST.right


def table(rows: int = 32, columns: int = 10) -> Tensor:
    """Correlated columns of a table, each standardised."""
    x = torch.randn(rows, columns) + 0.5 * torch.randn(rows, 1)
    return (x - x.mean(0)) / x.std(0)


def ranks(score: Tensor) -> Tensor:
    """The place of each row, from 0 for the lowest score."""
    return score.argsort().argsort()


def texts(topics: Tensor, words: int = 100, length: int = 16) -> Tensor:
    """Word numbers of texts about their topic, 0 after the end of each."""
    common = torch.randint(40, words, (len(topics), length))
    special = 1 + 5 * topics[:, None] + torch.randint(0, 5, common.shape)
    ids = torch.where(torch.rand(common.shape) < 0.5, special, common)
    ends = torch.randint(6, length + 1, (len(topics), 1))
    return ids * (torch.arange(length) < ends)


@right("analyst: churn of a telecom's customers", "Kaggle notebooks on Telco Customer Churn")
def churn():
    """A plain network of a table with one logit."""
    x = table(columns=12)
    y = (ranks(x[:, 0] - x[:, 3] + 0.5 * x[:, 7]) >= 20).float().unsqueeze(1)
    hidden = [nn.Linear(12, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2)]
    model = nn.Sequential(*hidden, nn.Linear(32, 1))
    return model, nn.BCEWithLogitsLoss(), x, y


@right("analyst: house prices", "Kaggle House Prices notebooks, d2l.ai")
def prices():
    """The logarithm of a price, standardised, from a table."""
    x = table(columns=14)
    log_price = 12 + 0.3 * x @ torch.rand(14) / 2 + 0.05 * torch.randn(32)
    y = ((log_price - log_price.mean()) / log_price.std())[:, None]
    net = nn.Sequential(nn.Linear(14, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    return net, nn.MSELoss(), x, y


@right("analyst: segments of customers", "Kaggle Customer Segmentation")
def segments():
    """Four segments from age, income and habits, with batch normalisation."""
    first = [nn.Linear(8, 48), nn.BatchNorm1d(48), nn.ReLU()]
    second = [nn.Linear(48, 24), nn.BatchNorm1d(24), nn.ReLU()]
    x = table(columns=8)
    return (
        nn.Sequential(*first, *second, nn.Linear(24, 4)),
        nn.CrossEntropyLoss(),
        x,
        ranks(x[:, 0] + x[:, 1] - x[:, 5]) // 8,
    )


@right("analyst: card fraud with a positive weight", "Kaggle Credit Card Fraud, the tutorial on imbalanced data")
def fraud():
    """Four frauds of thirty-two, weighted by the ratio of the two counts."""
    features = table(columns=20)
    is_fraud = (ranks(features[:, :4].sum(1)) >= 28).float()
    weight = (is_fraud == 0).sum() / is_fraud.sum()
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    return model, nn.BCEWithLogitsLoss(pos_weight=weight), features, is_fraud


@right("analyst: sales of stores with entity embeddings", "fastai's tabular learner, Rossmann")
def sales():
    """Embeddings of store, weekday and month beside the numbers."""

    class TabularModel(nn.Module):
        def __init__(self, sizes, n_cont):
            super().__init__()
            self.embeds = nn.ModuleList([nn.Embedding(n, min(50, (n + 1) // 2)) for n in sizes])
            width = sum(e.embedding_dim for e in self.embeds) + n_cont
            self.bn_cont = nn.BatchNorm1d(n_cont)
            self.layers = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 1))

        def forward(self, x_cat, x_cont):
            cats = [embed(x_cat[:, i]) for i, embed in enumerate(self.embeds)]
            return self.layers(torch.cat([*cats, self.bn_cont(x_cont)], dim=1))

    sizes = [10, 7, 12]
    x_cat = torch.stack([torch.randperm(32) % n for n in sizes], 1)
    x_cont = table(columns=5)
    sold = x_cont[:, 0] + 0.5 * torch.randn(7)[x_cat[:, 1]] + 0.5 * torch.randn(10)[x_cat[:, 0]]
    sold = (sold - sold.mean()) / sold.std()
    return TabularModel(sizes, 5), nn.MSELoss(), (x_cat, x_cont), sold.unsqueeze(-1)


@right("analyst: stars of films by matrix factorisation", "MovieLens tutorials")
def stars():
    """The product of user's and film's vectors, biases and the mean of all ratings."""

    def forward(self, u, i):
        return (self.user(u) * self.item(i)).sum(-1) + (self.user_bias(u) + self.item_bias(i)).squeeze(-1) + mean

    def embedding(count, size, std):
        return nn.Embedding.from_pretrained(std * torch.randn(count, size), freeze=False)

    vectors = {"user": embedding(8, 8, 0.1), "item": embedding(12, 8, 0.1)}
    model = Part(forward, **vectors, user_bias=embedding(8, 1, 0.0), item_bias=embedding(12, 1, 0.0))
    users, films = torch.arange(32) % 8, torch.randperm(32) % 12
    ratings = (3.4 + torch.randn(8)[users] + 0.7 * torch.randn(12)[films]).round().clamp(1, 5)
    mean = ratings.mean()
    return model, nn.MSELoss(), (users, films), ratings


@right("analyst: bought or not, neural collaborative filtering", "He et al.'s NCF as in many repositories")
def ncf():
    """A product branch and a deep branch, a probability and its cross-entropy."""

    def forward(self, user, item):
        gmf = self.user_gmf(user) * self.item_gmf(item)
        deep = self.mlp(torch.cat([self.user_mlp(user), self.item_mlp(item)], dim=-1))
        return torch.sigmoid(self.predict(torch.cat([gmf, deep], dim=-1))).view(-1)

    users = {"user_gmf": nn.Embedding(10, 8), "user_mlp": nn.Embedding(10, 8)}
    items = {"item_gmf": nn.Embedding(16, 8), "item_mlp": nn.Embedding(16, 8)}
    mlp = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU())
    model = Part(forward, **users, **items, mlp=mlp, predict=nn.Linear(16, 1))
    user, item = torch.arange(32) % 10, torch.randperm(32) % 16
    liking = (torch.randn(10, 3)[user] * torch.randn(16, 3)[item]).sum(1)
    return model, nn.BCELoss(), {"user": user, "item": item}, (ranks(liking) >= 24).float()


@right("analyst: clicks on adverts, wide and deep", "Cheng et al.'s Wide & Deep, torch-rechub style")
def clicks():
    """A linear part and a deep part of the same fields, one logit."""
    fields = [6, 4, 9, 3]
    offsets = torch.tensor([0, *fields[:-1]]).cumsum(0)

    def forward(self, x):
        x = x + offsets
        return (self.wide(x).sum(1) + self.mlp(self.deep(x).flatten(1))).squeeze(1)

    mlp = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
    model = Part(forward, wide=nn.Embedding(22, 1), deep=nn.Embedding(22, 8), mlp=mlp)
    x = torch.stack([torch.randperm(32) % n for n in fields], dim=1)
    score = sum(torch.randn(n)[x[:, i]] for i, n in enumerate(fields))
    return model, F.binary_cross_entropy_with_logits, x, (ranks(score) >= 25).float()


@right("analyst: the next hour of electricity, LSTM", "machinelearningmastery.com, Kaggle energy notebooks")
def electricity():
    """A window of scaled values to the value that follows it."""

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.linear(out[:, -1, :])

    model = Part(forward, lstm=nn.LSTM(1, 32, batch_first=True), linear=nn.Linear(32, 1))
    t = torch.arange(24 + 32).float()
    series = torch.sin(2 * torch.pi * t / 24) + 0.4 * torch.sin(2 * torch.pi * t / 12) + 0.05 * torch.randn(56)
    series = (series - series.min()) / (series.max() - series.min())
    windows = series.unfold(0, 25, 1).contiguous()
    return model, nn.MSELoss(), windows[:, :24, None], windows[:, 24:]


@right("analyst: demand of seven days ahead", "DLinear and Darts-like multi-step forecasts")
def demand():
    """Twenty-eight days to seven, each series standardised by its own past."""
    days = torch.arange(35)
    base, trend = 50 + 20 * torch.rand(32, 1), 0.2 * torch.randn(32, 1)
    week = 10 * torch.sin(2 * torch.pi * (days + torch.randint(0, 7, (32, 1))) / 7)
    units = base + trend * days + week + torch.randn(32, 35)
    past, future = units[:, :28], units[:, 28:]
    mean, std = past.mean(1, keepdim=True), past.std(1, keepdim=True)
    model = nn.Sequential(nn.Linear(28, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 7))
    return model, nn.L1Loss(), (past - mean) / std, (future - mean) / std


@right("analyst: good and bad reviews, averaged words", "pytorch.org text classification tutorial, fastText")
def reviews():
    """The mean of word vectors without the padding, two classes."""
    label = torch.randperm(32) % 2
    ids = texts(label)
    model = nn.Sequential(nn.EmbeddingBag(100, 32, mode="mean", padding_idx=0), nn.Linear(32, 2))
    return model, nn.CrossEntropyLoss(), ids, label


@right("analyst: departments of support tickets, packed GRU", "course exercises on text classification")
def tickets():
    """A GRU in both directions that stops at the end of each ticket."""

    def forward(self, input_ids, lengths):
        x = self.embedding(input_ids)
        _, hidden = self.gru(pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False))
        return self.classifier(torch.cat([hidden[0], hidden[1]], dim=1))

    gru = nn.GRU(24, 24, batch_first=True, bidirectional=True)
    model = Part(forward, embedding=nn.Embedding(100, 24, padding_idx=0), gru=gru, classifier=nn.Linear(48, 4))
    department = torch.randperm(24) % 4
    ids = texts(department)
    return model, nn.CrossEntropyLoss(), {"input_ids": ids, "lengths": (ids != 0).sum(1)}, department


@right("analyst: several tags of one complaint", "own")
def tags():
    """Words averaged under a mask, one independent logit for each of five tags."""

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1).float()
        mean = (self.embed(ids) * mask).sum(1) / mask.sum(1).clamp(min=1)
        return self.head(mean)

    head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 5))
    model = Part(forward, embed=nn.Embedding(100, 32, padding_idx=0), head=head)
    topic = torch.randperm(30) % 6
    carries = torch.tensor([[1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0]]).float()
    carries = torch.cat([carries, torch.tensor([[0.0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])])
    return model, nn.BCEWithLogitsLoss(), texts(topic), carries[topic]


@right("analyst: walking, running or sitting from a phone", "UCI HAR tutorials")
def activity():
    """Three axes of an accelerometer through 1D convolutions."""
    kind = torch.randperm(24) % 3
    speed, strength = torch.tensor([0.3, 0.9, 0.0])[kind], torch.tensor([1.0, 2.0, 0.0])[kind]
    waves = torch.sin(speed[:, None, None] * torch.arange(64) + 6.28 * torch.rand(24, 3, 1))
    x = strength[:, None, None] * waves + 0.3 * torch.randn(24, 3, 64)
    x = (x - x.mean((0, 2), keepdim=True)) / x.std((0, 2), keepdim=True)
    model = nn.Sequential(
        *(nn.Conv1d(3, 16, kernel_size=5, padding=2), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(16, 32, kernel_size=5, padding=2), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(32, 3)),
    )
    return model, nn.CrossEntropyLoss(), x, kind


@right("analyst: anomalies of a machine, autoencoder", "Kaggle sensor data, Keras' anomaly example in PyTorch")
def anomalies():
    """Twelve sensors that depend on three causes, rebuilt from three numbers."""
    readings = torch.randn(32, 3) @ torch.randn(3, 12) + 0.1 * torch.randn(32, 12)
    x = (readings - readings.mean(0)) / readings.std(0)
    encoder = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3))
    decoder = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 12))
    return nn.Sequential(encoder, decoder), nn.MSELoss(), x, x.clone()


@right("analyst: claims of the insured, Poisson", "actuarial tutorials on French motor claims")
def claims():
    """The logarithm of the rate plus that of the exposure in years."""

    def forward(self, features, exposure):
        return self.net(features).squeeze(1) + torch.log(exposure)

    net = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
    features, exposure = table(columns=9), 0.25 + 0.75 * torch.rand(32)
    counts = torch.poisson(exposure * torch.exp(0.6 * features[:, 0] - 0.4 * features[:, 4] + 0.3))
    return Part(forward, net=net), nn.PoissonNLLLoss(log_input=True), (features, exposure), counts


@right("analyst: quantiles of delivery times", "forecasting blogs on the pinball loss")
def delivery():
    """The tenth, fiftieth and ninetieth percentile of a standardised time."""
    quantiles = torch.tensor([0.1, 0.5, 0.9])

    def pinball(prediction, target):
        error = target.unsqueeze(1) - prediction
        return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()

    x = table(columns=6)
    minutes = 30 + 8 * x[:, 0] + 5 * x[:, 2].relu() + 4 * torch.randn(32)
    target = (minutes - minutes.mean()) / minutes.std()
    return nn.Sequential(nn.Linear(6, 32), nn.SiLU(), nn.Linear(32, 3)), pinball, x, target


@right("analyst: leaving and spending, two objectives", "own, a shared bottom with two heads")
def two_objectives():
    """One trunk, a logit for leaving and a number for the spending."""

    def forward(self, x):
        h = self.trunk(x)
        return {"churn": self.churn(h).squeeze(-1), "spend": self.spend(h).squeeze(-1)}

    def loss_fn(out, y):
        churn_loss = F.binary_cross_entropy_with_logits(out["churn"], y["churn"])
        return churn_loss + 0.5 * F.mse_loss(out["spend"], y["spend"])

    trunk = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU())
    x = table()
    spend = torch.log1p(torch.exp(3 + 0.5 * x[:, 1] + 0.5 * x[:, 2] + 0.1 * torch.randn(32)))
    y = {"churn": (ranks(x[:, 0] - x[:, 1]) >= 22).float(), "spend": (spend - spend.mean()) / spend.std()}
    return Part(forward, trunk=trunk, churn=nn.Linear(24, 1), spend=nn.Linear(24, 1)), loss_fn, x, y


@right("analyst: rare defects with class weights", "scikit-learn's balanced weights in PyTorch forums")
def defects():
    """Three classes of which two are rare, weighted by one over their count."""
    x = table(columns=16)
    place = ranks(x[:, 2] + x[:, 9])
    y = (place >= 22).long() + (place >= 28).long()
    weights = len(y) / (3 * torch.bincount(y, minlength=3).float())
    model = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(), nn.Dropout(0.1), nn.Linear(32, 3))
    return model, nn.CrossEntropyLoss(weight=weights), x, y


@right("analyst: bought above not bought, pairwise", "Rendle et al.'s BPR as in many repositories")
def pairwise():
    """A user's score of a product bought and of one not bought, and the difference's log-sigmoid."""

    def forward(self, user, bought, other):
        u = self.users(user)
        return (u * self.items(bought)).sum(1), (u * self.items(other)).sum(1)

    def bpr(scores, _):
        positive, negative = scores
        return -F.logsigmoid(positive - negative).mean()

    users, items = nn.Embedding(8, 16), nn.Embedding(20, 16)
    nn.init.normal_(users.weight, std=0.1)
    nn.init.normal_(items.weight, std=0.1)
    user = torch.arange(32) % 8
    order = (torch.randn(8, 3) @ torch.randn(3, 20)).argsort(1, descending=True)[user]
    rows, place = torch.arange(32), torch.arange(32) // 8
    bought, other = order[rows, place], order[rows, 19 - place]
    return Part(forward, users=users, items=items), bpr, (user, bought, other), None
