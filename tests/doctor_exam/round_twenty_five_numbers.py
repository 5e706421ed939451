"""Set-ups of the twenty-fifth round (numbers), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_FIVE_NUMBERS = CaseSet()
right = TWENTY_FIVE_NUMBERS.right


def standard(x: Tensor) -> Tensor:
    """Columns with mean zero and deviation one."""
    return (x - x.mean(0)) / x.std(0)


def columns(count: int, rows: int = 32) -> Tensor:
    """A standardised table."""
    return standard(torch.randn(rows, count))


def signal(x: Tensor, outputs: int = 1, noise: float = 0.3) -> Tensor:
    """Standardised numbers that depend on the columns [N, outputs]."""
    return standard(standard(x @ torch.randn(x.shape[1], outputs)) + noise * torch.randn(len(x), outputs))


def waves(rows: int, length: int, channels: int = 1) -> Tensor:
    """Noisy daily waves of mean zero and deviation one [N, L, C]."""
    time = torch.arange(length)[None, :, None] + 24 * torch.rand(rows, 1, channels)
    return 1.35 * torch.sin(2 * torch.pi * time / 24) + 0.3 * torch.randn(rows, length, channels)


@right("tables: a straight line", "d2l.ai linear regression, concise")
def straight():
    """Linear regression on two columns."""
    x = torch.randn(32, 2)
    y = x @ torch.tensor([[2.0], [-3.4]]) + 4.2 + 0.01 * torch.randn(32, 1)
    return nn.Sequential(nn.Linear(2, 1)), nn.MSELoss(), x, y


@right("tables: house prices", "California housing tutorials")
def houses():
    """A plain network of eight scaled columns, standardised prices."""
    x = columns(8)
    hidden = [nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(32, 1)), nn.MSELoss(), x, signal(x)


@right("tables: tumours by logistic regression", "breast cancer examples with scikit-learn's data")
def tumours():
    """Thirty scaled columns and two classes."""
    X = columns(30)
    return nn.Sequential(nn.Linear(30, 1), nn.Flatten(0)), nn.BCEWithLogitsLoss(), X, (signal(X)[:, 0] > 0).float()


@right("tables: churn with a sigmoid", "customer churn notebooks")
def churn():
    """Probabilities and binary cross-entropy, with dropout."""
    features = torch.cat([columns(5), torch.randint(0, 2, (32, 6)).float()], dim=1)
    left = (signal(features) > 0.4).float()
    hidden = [nn.Linear(11, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 16), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(16, 1), nn.Sigmoid()), nn.BCELoss(), features, left


@right("tables: iris flowers", "iris tutorials")
def iris():
    """Four measures and three kinds."""
    species = torch.arange(30) % 3
    x = standard(torch.randn(3, 4)[species] * 2 + 0.5 * torch.randn(30, 4))
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), nn.CrossEntropyLoss(), x, species


@right("tables: rare fraud with pos_weight", "credit card fraud notebooks")
def fraud():
    """One in eight is a fraud and weighs seven times as much."""
    is_fraud = (torch.arange(32) % 8 == 0).float().unsqueeze(1)
    x = standard(torch.randn(32, 29) + is_fraud * torch.randn(29))
    weight = (is_fraud == 0).sum() / is_fraud.sum()
    body = [nn.Linear(29, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*body, nn.Linear(32, 1)), nn.BCEWithLogitsLoss(pos_weight=weight), x, is_fraud


@right("tables: store sales with embeddings", "fastai's tabular lesson (Rossmann)")
def stores():
    """Store, weekday and month as embeddings, the logarithm of sales standardised."""

    def forward(self, x_cat, x_cont):
        x = torch.cat([embed(x_cat[:, i]) for i, embed in enumerate(self.embeds)], 1)
        return self.layers(torch.cat([self.emb_drop(x), self.bn_cont(x_cont)], 1))

    x_cat, x_cont = torch.stack([torch.randint(0, n, (32,)) for n in (10, 7, 12)], 1), columns(4)
    log_sales = 8.7 + 0.3 * torch.randn(7)[x_cat[:, 1]] + 0.2 * torch.randn(10)[x_cat[:, 0]] + 0.1 * x_cont[:, 0]
    embeds = nn.ModuleList([nn.Embedding(10, 6), nn.Embedding(7, 4), nn.Embedding(12, 6)])
    layers = nn.Sequential(nn.Linear(20, 50), nn.ReLU(), nn.BatchNorm1d(50), nn.Linear(50, 1))
    model = Part(forward, embeds=embeds, emb_drop=nn.Dropout(0.05), bn_cont=nn.BatchNorm1d(4), layers=layers)
    return model, nn.MSELoss(), (x_cat, x_cont), standard(log_sales)[:, None]


@right("tables: heating and cooling at once", "UCI energy efficiency")
def energy():
    """Two standardised targets from one network."""
    x = columns(8)
    return nn.Sequential(nn.Linear(8, 40), nn.Tanh(), nn.Linear(40, 2)), nn.MSELoss(), x, signal(x, 2, 0.1)


@right("tables: taxi fares with Huber's loss", "New York taxi fare notebooks")
def taxi():
    """Fares with a few outliers, after scaling."""
    trips = columns(6)
    fare = signal(trips)
    fare[:2] += 4
    net = nn.Sequential(nn.Linear(6, 48), nn.GELU(), nn.LayerNorm(48), nn.Linear(48, 1), nn.Flatten(0))
    return net, nn.HuberLoss(delta=1.0), trips, fare.squeeze(-1)


@right("counts: bicycles per hour, Poisson", "bike sharing, PoissonNLLLoss")
def bicycles():
    """The logarithm of the rate and the Poisson likelihood."""
    weather = columns(5)
    rented = torch.poisson((1.5 + 0.6 * signal(weather)).exp())
    net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
    return net, nn.PoissonNLLLoss(), weather, rented


@right("quantiles: delivery times", "own, as in quantile regression posts")
def delivery():
    """The tenth, fiftieth and ninetieth percentile by the pinball loss."""
    taus = torch.tensor([0.1, 0.5, 0.9])

    def pinball(pred, y):
        error = y.unsqueeze(1) - pred
        return torch.max(taus * error, (taus - 1) * error).sum(dim=1).mean()

    x = columns(7)
    return nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 3)), pinball, x, signal(x, noise=0.6)[:, 0]


@right("tables: mean and variance", "nn.GaussianNLLLoss posts")
def mean_variance():
    """A head for the mean, a head for the positive variance."""

    def forward(self, x):
        h = torch.relu(self.hidden(x))
        return self.mu(h), F.softplus(self.var(h)) + 1e-4

    x = columns(6)
    model = Part(forward, hidden=nn.Linear(6, 32), mu=nn.Linear(32, 1), var=nn.Linear(32, 1))
    return model, lambda out, y: F.gaussian_nll_loss(out[0], y, out[1]), x, signal(x)


@right("survival: Cox's partial likelihood", "DeepSurv")
def cox():
    """A risk per patient, right-censored times."""

    def partial_likelihood(risk, target):
        order = torch.argsort(target[0], descending=True)
        risk, event = risk.flatten()[order], target[1][order]
        return -((risk - torch.logcumsumexp(risk, 0)) * event).sum() / event.sum()

    x = columns(9)
    time = torch.exp(1 - 0.7 * signal(x)[:, 0]) * torch.distributions.Exponential(1.0).sample((32,))
    censoring = 6 * torch.rand(32)
    event = (time <= censoring).float()
    net = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1, bias=False))
    return net, partial_likelihood, x, (torch.minimum(time, censoring), event)


@right("survival: hazards of ten intervals", "nnet-survival and pycox's LogisticHazard")
def hazards():
    """A logit per interval; intervals after the end of observation do not count."""

    def loss(logits, target):
        (interval, event), steps = target, torch.arange(logits.shape[1])
        died = (steps == interval[:, None]).float() * event[:, None]
        at_risk = (steps <= interval[:, None]).float()
        each = F.binary_cross_entropy_with_logits(logits, died, reduction="none")
        return (each * at_risk).sum(1).mean()

    x = columns(9)
    interval = (4.5 + 2.5 * signal(x)[:, 0]).clamp(0, 9).long()
    net = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Linear(32, 10))
    return net, loss, x, (interval, (torch.arange(32) % 4 > 0).float())


@right("series: next value by an LSTM", "time series tutorials (airline passengers)")
def lstm():
    """Windows of 24 steps and the step after."""
    series = waves(32, 25)
    rnn = nn.LSTM(input_size=1, hidden_size=32, num_layers=1, batch_first=True)
    model = Part(lambda self, x: self.fc(self.lstm(x)[0][:, -1, :]), lstm=rnn, fc=nn.Linear(32, 1))
    return model, nn.MSELoss(), series[:, :-1], series[:, -1]


@right("series: trend and rest, linear", "DLinear")
def dlinear():
    """Moving averages and what remains, each by a linear layer to twelve steps."""

    def forward(self, x):  # [N, L, C]
        x = x.transpose(1, 2)
        trend = self.average(F.pad(x, (2, 2), mode="replicate"))
        return (self.trend(trend) + self.rest(x - trend)).transpose(1, 2)

    data = waves(16, 60, 3)
    model = Part(forward, average=nn.AvgPool1d(5, stride=1), trend=nn.Linear(48, 12), rest=nn.Linear(48, 12))
    return model, nn.MSELoss(), data[:, :48], data[:, 48:]


@right("series: dilated causal convolutions", "TCN and WaveNet for series")
def tcn():
    """Residual blocks that see only the past; at every step the next one is predicted."""

    def forward(self, x):
        x = self.start(x)
        for i, conv in enumerate(self.convs):
            x = x + torch.relu(conv(F.pad(x, (2 * 2**i, 0))))
        return self.end(x)

    x = waves(16, 49).transpose(1, 2)
    convs = nn.ModuleList([nn.Conv1d(16, 16, 3, dilation=2**i) for i in range(3)])
    model = Part(forward, start=nn.Conv1d(1, 16, 1), convs=convs, end=nn.Conv1d(16, 1, 1))
    return model, nn.MSELoss(), x[..., :-1], x[..., 1:]


@right("series: encoder and decoder", "seq2seq forecasting posts")
def seq2seq():
    """A GRU reads 30 steps and a cell writes six, fed with its own predictions."""

    def forward(self, past):
        _, hidden = self.encoder(past)
        state, step, steps = hidden[0], past[:, -1], []
        for _ in range(6):
            state = self.decoder(step, state)
            step = self.out(state)
            steps.append(step)
        return torch.stack(steps, dim=1)

    values = waves(16, 36)
    cells = {"encoder": nn.GRU(1, 24, batch_first=True), "decoder": nn.GRUCell(1, 24)}
    return Part(forward, **cells, out=nn.Linear(24, 1)), nn.L1Loss(), values[:, :30], values[:, 30:]


@right("series: electricity load by a Transformer", "own, as in many courses")
def load():
    """Two days of load and temperature, positions learned, to six hours of load."""

    def forward(self, x):
        return self.head(self.encoder(self.project(x) + self.position(torch.arange(48)))[:, -1])

    history = waves(16, 54, 2)
    layer = nn.TransformerEncoderLayer(32, nhead=4, dim_feedforward=64, dropout=0.1, batch_first=True)
    ends = {"project": nn.Linear(2, 32), "position": nn.Embedding(48, 32), "head": nn.Linear(32, 6)}
    model = Part(forward, encoder=nn.TransformerEncoder(layer, num_layers=2), **ends)
    return model, nn.MSELoss(), history[:, :48], history[:, 48:, 0]


@right("sensors: activity from a phone", "UCI HAR with a 1D CNN")
def activity():
    """Nine channels, 128 steps, six activities."""
    label = torch.arange(24) % 6
    speed = 0.1 * (1 + label)[:, None, None] * torch.arange(128)
    x = torch.sin(speed + 6.28 * torch.rand(24, 9, 1)) * 1.3 + 0.4 * torch.randn(24, 9, 128)
    first = [nn.Conv1d(9, 32, kernel_size=5, padding=2), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(2)]
    second = [nn.Conv1d(32, 32, kernel_size=5, padding=2), nn.BatchNorm1d(32), nn.ReLU(), nn.AdaptiveAvgPool1d(1)]
    cnn = nn.Sequential(*first, *second, nn.Flatten(), nn.Dropout(0.3), nn.Linear(32, 6))
    return cnn, nn.CrossEntropyLoss(), x, label


@right("sensors: recordings of different lengths", "pack_padded_sequence posts")
def recordings():
    """Padded rows, packed before the GRU."""

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.fc(self.gru(packed)[1][-1])

    lengths, y = torch.randint(10, 41, (24,)), torch.arange(24) % 3
    real = torch.arange(40) < lengths[:, None]
    x = (waves(24, 40, 4) + torch.randn(3, 4)[y][:, None]) / 1.4 * real[..., None]
    model = Part(forward, gru=nn.GRU(4, 32, batch_first=True), fc=nn.Linear(32, 3))
    return model, nn.CrossEntropyLoss(), (x, lengths), y


@right("anomalies: autoencoder of machine readings", "anomaly detection tutorials")
def autoencoder():
    """Twelve readings through three numbers and back."""
    x = standard(torch.randn(32, 3) @ torch.randn(3, 12) + 0.2 * torch.randn(32, 12))
    encoder = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))
    decoder = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 12))
    return nn.Sequential(encoder, decoder), nn.MSELoss(), x, x


@right("anomalies: LSTM autoencoder of heartbeats", "ECG anomaly tutorials")
def heartbeats():
    """The last state is repeated and decoded to the window."""

    def forward(self, x):
        _, (h, _) = self.encoder(x)
        z = h[-1].unsqueeze(1).repeat(1, x.size(1), 1)
        return self.output(self.decoder(z)[0])

    x = waves(16, 30)
    rnns = {"encoder": nn.LSTM(1, 32, batch_first=True), "decoder": nn.LSTM(32, 32, batch_first=True)}
    return Part(forward, **rnns, output=nn.Linear(32, 1)), nn.L1Loss(), x, x


def visits(users: int = 8, items: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    """Users, items, and how much each likes the other, about standard."""
    user, item = torch.arange(32) % users, torch.randperm(32) % items
    taste = torch.randn(users, 3) @ torch.randn(3, items) / 3**0.5
    return user, item, taste[user, item]


@right("ratings: matrix factorisation", "MovieLens tutorials, d2l.ai")
def ratings():
    """One to five stars: biases and a product of factors around the mean."""
    user, item, liking = visits()
    stars = (3.5 + liking).round().clamp(1, 5)

    def forward(self, u, i):
        return stars.mean() + (self.bu(u) + self.bi(i)).squeeze(1) + (self.P(u) * self.Q(i)).sum(1)

    model = Part(forward, P=nn.Embedding(8, 8), Q=nn.Embedding(12, 8), bu=nn.Embedding(8, 1), bi=nn.Embedding(12, 1))
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.1)
    return model, nn.MSELoss(), (user, item), stars


@right("ratings: neural collaborative filtering", "NeuMF")
def neumf():
    """A product of embeddings beside a network of others, watched or not."""

    def forward(self, user, item):
        product = self.user_gmf(user) * self.item_gmf(item)
        deep = self.mlp(torch.cat([self.user_mlp(user), self.item_mlp(item)], dim=-1))
        return self.predict(torch.cat([product, deep], dim=-1)).view(-1)

    user, item, liking = visits()
    tables = {f"{who}_{part}": nn.Embedding(n, 8) for who, n in (("user", 8), ("item", 12)) for part in ("gmf", "mlp")}
    mlp = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU())
    model = Part(forward, **tables, mlp=mlp, predict=nn.Linear(16, 1))
    return model, nn.BCEWithLogitsLoss(), (user, item), (liking > liking.median()).float()


@right("clicks: wide and deep", "Wide & Deep on Criteo-like columns")
def wide_deep():
    """A weight per category beside a network of embeddings and numbers."""

    def forward(self, dense, sparse):
        ids = sparse + self.offsets
        deep = torch.cat([self.embedding(ids).flatten(1), dense], 1)
        return self.wide(ids).sum(1) + self.deep(deep)

    sizes = torch.tensor([10, 6, 4, 8])
    dense = columns(5)
    sparse = torch.stack([torch.randint(0, n, (32,)) for n in sizes.tolist()], 1)
    clicked = (signal(torch.cat([dense, torch.randn(10, 2)[sparse[:, 0]]], 1)) > 0.5).float()
    deep = nn.Sequential(nn.Linear(21, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    model = Part(forward, wide=nn.Embedding(28, 1), embedding=nn.Embedding(28, 4), deep=deep)
    model.register_buffer("offsets", sizes.cumsum(0) - sizes)
    return model, nn.BCEWithLogitsLoss(), {"dense": dense, "sparse": sparse}, clicked


@right("ranking: BPR of bought and not bought", "BPR-MF")
def bpr():
    """A user's bought item above one not bought."""

    def forward(self, user, bought, other):
        u = self.users(user)
        return (u * self.items(bought)).sum(-1), (u * self.items(other)).sum(-1)

    user, taste = torch.arange(32) % 8, torch.randn(8, 12)
    likes = (taste > taste.median(1, keepdim=True).values).float()[user]
    triple = user, torch.multinomial(likes, 1)[:, 0], torch.multinomial(1 - likes, 1)[:, 0]
    model = Part(forward, users=nn.Embedding(8, 16), items=nn.Embedding(12, 16))
    model.apply(lambda m: nn.init.normal_(m.weight, std=0.1) if isinstance(m, nn.Embedding) else None)
    return model, lambda scores, _: -F.logsigmoid(scores[0] - scores[1]).mean(), triple, None


@right("ranking: the next item of a session", "SASRec")
def next_item():
    """Item 0 pads on the right, masked in the causal attention and ignored in the loss."""

    def forward(self, seen):
        steps = torch.arange(seen.shape[1])
        x = self.items(seen) + self.places(steps)
        return self.out(self.encoder(x, mask=steps[None] > steps[:, None], src_key_padding_mask=seen == 0))

    session = 1 + (torch.randint(0, 20, (16, 1)) + 3 * torch.arange(11)) % 20
    session[torch.arange(11) >= torch.randint(4, 12, (16, 1))] = 0
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 2, 64, 0.1, batch_first=True), 1)
    tables = {"items": nn.Embedding(21, 32, padding_idx=0), "places": nn.Embedding(10, 32)}
    model, loss = Part(forward, **tables, encoder=encoder, out=nn.Linear(32, 21)), nn.CrossEntropyLoss(ignore_index=0)
    return model, lambda out, y: loss(out.flatten(0, 1), y.flatten()), session[:, :-1], session[:, 1:]


@right("ranking: two towers", "retrieval tutorials with in-batch negatives")
def towers():
    """The other items of the batch are the wrong answers."""

    def forward(self, query, item):
        q, i = F.normalize(self.query(query), dim=1), F.normalize(self.item(item), dim=1)
        return q @ i.T / 0.1

    query = columns(10)
    item = signal(query, 6, 0.1)
    nets = [nn.Sequential(nn.Linear(n, 32), nn.ReLU(), nn.Linear(32, 16)) for n in (10, 6)]
    return Part(forward, query=nets[0], item=nets[1]), nn.CrossEntropyLoss(), (query, item), torch.arange(32)


@right("ranking: RankNet of pairs", "RankNet")
def ranknet():
    """Which of two documents is the more relevant one."""
    documents = columns(12, 64)
    relevance = signal(documents, noise=0.1)
    score = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1, bias=False))
    model = Part(lambda self, a, b: self.score(a) - self.score(b), score=score)
    return model, nn.BCEWithLogitsLoss(), documents.split(32), (relevance[:32] > relevance[32:]).float()
