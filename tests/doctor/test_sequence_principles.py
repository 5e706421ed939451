"""Principles of numbers and sequences: a wrong instance is named, its right neighbour left alone."""

import pytest
import torch
from doctor_exam.parts import N, Tagger, Then, classes, inputs, mlp, padded_tokens
from doctor_exam.principle import holds, seeded
from doctor_exam.round_parts import Part
from torch import nn
from torch.nn import functional as F

CE, CTC = nn.CrossEntropyLoss(), nn.CTCLoss()


def of_size(size, cost):
    """A mean and the size of its errors."""
    model = Part(lambda self, x: (self.net(x)[:, :1], size(self.net(x)[:, 1:])), net=mlp(2))
    return model, lambda out, y: cost(y - out[0], out[1]).mean(), inputs(), torch.randn(N, 1)


def counted(cost, end=nn.Identity):
    """Counts, and the rate or the logarithm that is learnt."""
    return Then(mlp(1), end()), cost, inputs(), torch.poisson(torch.full((N, 1), 2.0))


def quantiles(error):
    """Three quantiles of a number, the middle one between two that mirror each other."""
    asked = torch.tensor([0.1, 0.5, 0.9])
    return (mlp(3), lambda out, y: (lambda e: e.relu() * asked + (-e).relu() * (1 - asked))(error(out, y)).mean(),
            inputs(), torch.randn(N, 1))  # fmt: skip


def in_turn(out, y, way: int):
    """Three quantiles in a loop."""
    errors = [(q, way * (y - out[:, place])) for place, q in enumerate((0.1, 0.5, 0.9))]
    return sum(torch.max((q - 1) * error, q * error).mean() for q, error in errors)


def tagged(cost, turned: bool = False):
    """Tags of the words of a text; the model may hand out the places first."""
    tokens = classes(50, 7)
    return Then(Tagger(5), lambda z: z.transpose(0, 1) if turned else z), cost, tokens, tokens % 5


def attended(axis: int, twice: bool = False):
    """Attention by a sum over named axes, each of two heads for itself."""

    def forward(self, x):
        q, k, v = (part.view(N, 6, 2, 4).transpose(1, 2) for part in self.three(x).chunk(3, -1))
        share = torch.einsum("nhqd,nhkd->nhqk", q, k).softmax(axis)
        share = share.softmax(axis) if twice else share
        return self.out(torch.einsum("nhqk,nhkd->nqhd", share, v).flatten(2).mean(1))

    return Part(forward, three=nn.Linear(8, 24), out=nn.Linear(8, 4)), CE, inputs(6, 8), classes(4)


def cells(anew: bool):
    """A cell that is called step by step, with the state of the step before or with a new one."""

    def forward(self, x):
        state, seen = x.new_zeros(len(x), 16), []
        for step in x.unbind(1):
            state = self.cell(step, torch.zeros_like(state) if anew else state)
            seen.append(state)
        return self.out(torch.stack(seen).mean(0))

    return Part(forward, cell=nn.GRUCell(8, 16), out=nn.Linear(16, 4)), CE, inputs(6, 8), classes(4)


def unrolled(again):
    """A series, written down as one code and read again; the code is handed to every step."""

    def forward(self, x):
        return self.out(self.read(again(self.write(x)[1][0], x.shape[1]))[0])

    x = torch.randn(N, 6, 5).cumsum(1)
    return (Part(forward, write=nn.GRU(5, 8, batch_first=True), read=nn.GRU(8, 8, batch_first=True),
                 out=nn.Linear(8, 5)), nn.MSELoss(), x, x)  # fmt: skip


def survival(axis: int):
    """Risks of each of six spans of time, and what survives all spans up to each."""
    model = Part(lambda self, x: (lambda risk: (risk, (1 - risk).cumprod(axis)))(self.net(x).sigmoid()), net=mlp(6))
    return model, lambda o, y: -(o[0] * o[1] + 1e-6).gather(1, y[:, None]).log().mean(), inputs(), classes(6)


def chosen(each):
    """The logarithms of the true words' shares, of which a mask selects those that count."""
    words = padded_tokens(0)[0]
    return (Then(Tagger(50), lambda z: z.softmax(-1)), lambda p, y: sum(
        each(-p[:, t].gather(1, y[:, t : t + 1]).log()).masked_select(y[:, t] > 0).mean() for t in range(3)),
        words, words.roll(-1, 1))  # fmt: skip


def smoothed(rest: float):
    """A divergence from targets that are made in the loss: 0.8 for the truth, and something for the others."""
    return (mlp(6), lambda z, y: F.kl_div(z.log_softmax(1), torch.full_like(z, rest).scatter(1, y[:, None], 0.8),
                                          reduction="batchmean"), inputs(), classes(6))  # fmt: skip


def spoken(least: int):
    """Labels filled up with the blank behind their ends; `least` is the smallest number of a label."""
    ends = torch.arange(N) % 2 + 2
    labels = torch.randint(least, 6, (N, 3)) * (torch.arange(3) < ends[:, None])
    model = Part(lambda self, x: self.net(x).log_softmax(-1).transpose(0, 1), net=nn.Linear(8, 6))
    return model, lambda o, y: CTC(o, y[0], torch.full((N,), 12), y[1]), inputs(12, 8), (labels, ends)


def letters(batch_first: bool):
    """Which of N letters stand in a text: as many answers as there are samples."""
    x, layers = classes(N, 12), {"embed": nn.Embedding(N, 8), "rnn": nn.LSTM(8, 16, batch_first=batch_first)}
    return (Part(lambda self, x: self.out(self.rnn(self.embed(x))[0][:, -1]), **layers, out=nn.Linear(16, N)),
            nn.BCEWithLogitsLoss(), x, F.one_hot(x[:, -4:], N).amax(1).float())  # fmt: skip


def answered(by: int):
    """Only the second half of each text is asked for, by a loss that moves the labels itself."""
    x = classes(50, 12)
    model = Part(lambda self, x: self.out(self.rnn(self.embed(x))[0]), embed=nn.Embedding(50, 16),
                 rnn=nn.GRU(16, 16, batch_first=True), out=nn.Linear(16, 50))  # fmt: skip
    labels = x.roll(-by, 1).masked_fill((torch.arange(12) < 7) | (torch.arange(12) == 11), -100)
    return model, lambda z, y: CE(z[:, :-1].flatten(0, 1), y[:, 1:].flatten()), x, labels


def retold(start: int):
    """A decoder that reads what it is asked for, or the token before; the filling is not asked for."""
    source, said = padded_tokens(0)[0], padded_tokens(0, length=13)[0]
    layers = {name: nn.GRU(16, 16, batch_first=True) for name in ("reader", "writer")}
    model = Part(lambda self, x, y: self.out(self.writer(self.embed(y), self.reader(self.embed(x))[1])[0]), **layers,
                 embed=nn.Embedding(50, 16), out=nn.Linear(16, 50))  # fmt: skip
    labels = said[:, start : start + 12]
    return (model, lambda z, y: CE(z.transpose(1, 2), y), (source, said[:, :12]),
            labels.masked_fill(labels == 0, -100))  # fmt: skip


def guessed(all_of_them: bool):
    """A model that hides some tokens behind a start and hands out what is to be found."""

    def forward(self, x):
        hidden = torch.rand(x.shape) < 0.5
        z = self.net(F.pad(torch.where(hidden, 48, x), (1, 0), value=49))
        return (z, F.pad(x, (1, 0), value=49)) if all_of_them else (z[:, 1:][hidden], x[hidden])

    x = classes(48, 12)
    return Part(forward, net=Tagger(50)), lambda o, _: CE(o[0].reshape(-1, 50), o[1].reshape(-1)), x, x


def taught(words: bool):
    """A student of what a teacher says of each token, or of the tokens themselves."""
    x = classes(50, 12)
    scores = (5 * F.one_hot(x if words else classes(50, 12), 50) + torch.randn(N, 12, 50)).softmax(-1)
    return (Tagger(50), lambda z, y: CE(z.transpose(1, 2), y[0]) + CE(z.flatten(0, 1), y[1].flatten(0, 1)), x,
            (x.clone(), scores))  # fmt: skip


def piecewise(mean: bool):
    """A long text's loss in pieces that end anywhere."""
    x = classes(50, 12)

    def loss(z, y):
        each = [CE(*p) for p in zip(z.flatten(0, 1).split(20), y.flatten().split(20), strict=True)]
        return sum(each) / len(each) if mean else sum(each)

    return Tagger(5), loss, x, x % 5


def remembered(x: torch.Tensor):
    """The third step of a series, asked for at its end."""
    return Part(lambda self, x: self.out(self.rnn(x)[0][:, -1]), rnn=nn.GRU(1, 8, batch_first=True), out=nn.Linear(
        8, 1)), nn.MSELoss(), x, x[:, 2]  # fmt: skip


def ranked(mean):
    """Lists of several lengths, each with its own shares; what fills them up has none."""

    def loss(scores, y):
        return -mean(y[0].masked_fill(~y[1], -1e9).softmax(1) * scores.log_softmax(1))

    here = torch.arange(8) < torch.randint(3, 9, (N, 1))
    x = torch.randn(N, 8, 8) * here[..., None]
    return (Part(lambda self, x, here: self.net(x)[..., 0].masked_fill(~here, -1e9), net=mlp(1)), loss,
            (x, here), (x[..., 0] + x[..., 1], here))  # fmt: skip


def beside(mean):
    """Words that stand beside others first, then as many others, then nothing; their number differs."""
    count = torch.randint(1, 5, (N, 1))
    beside, here = ((torch.arange(12) < k * count).float() for k in (1, 3))
    model = Part(lambda self, a, b: self.one(a) @ self.other(b).mT, one=nn.Embedding(50, 8), other=nn.Embedding(50, 8))
    return (model, lambda z, y: mean(F.binary_cross_entropy_with_logits(z[:, 0], y[0], y[1], reduction="none"), y[1]),
            (torch.randint(1, 50, (N, 1)), torch.randint(1, 50, (N, 12)) * here.long()), (beside, here))  # fmt: skip


PRINCIPLES = {
    "a spread is paid for, whatever keeps it positive": (
        "wrong_formula", lambda: of_size(lambda s: F.elu(s) + 1, lambda e, s: (e / s) ** 2),
        lambda: of_size(lambda s: F.elu(s) + 1, lambda e, s: (e / s) ** 2 / 2 + s.log())),
    "a likelihood grows": (
        "wrong_formula", lambda: of_size(torch.exp, lambda e, s: -((e / s) ** 2) / 2 - s.log()),
        lambda: of_size(torch.exp, lambda e, s: (e / s) ** 2 / 2 + s.log())),
    "each of several quantiles, one by one": (
        "wrong_formula", lambda: (mlp(3), lambda out, y: in_turn(out, y, -1), inputs(), torch.randn(N)),
        lambda: (mlp(3), lambda out, y: in_turn(out, y, 1), inputs(), torch.randn(N))),
    "each of several numbers is asked for": (
        "wrong_formula", lambda: (mlp(4), lambda out, y: F.mse_loss(out[:, -1], y[:, -1]), inputs(), torch.randn(N, 4)),
        lambda: (mlp(4), lambda out, y: sum(map(F.mse_loss, out.T, y.T)), inputs(), torch.randn(N, 4))),
    "a logarithm of a raw number is one, whatever is added": (
        "logarithm_of_raw_outputs", lambda: counted(lambda r, y: (r - y * (r + 1e-8).log()).mean()),
        lambda: counted(lambda r, y: (r - y * (r + 1e-8).log()).mean(), nn.Softplus)),
    "a logarithm may be negative": (
        "poisson_rate_taken_as_logarithm", lambda: counted(nn.PoissonNLLLoss(), nn.ReLU),
        lambda: counted(nn.PoissonNLLLoss())),
    "a quantile is asked for from its own end": (
        "wrong_formula", lambda: quantiles(lambda out, y: out - y), lambda: quantiles(lambda out, y: y - out)),
    "scores and tags are flattened in one order": (
        "axes_scrambled", lambda: tagged(lambda z, y: CE(z.reshape(-1, 5), y.reshape(-1)), True),
        lambda: tagged(lambda z, y: CE(z.reshape(-1, 5), y.T.reshape(-1)), True)),
    "every place of a row is asked for": (
        "wrong_formula", lambda: tagged(lambda z, y: CE(z[:, -1], y[:, -1])),
        lambda: tagged(lambda z, y: sum(CE(z[:, t], y[:, t]) for t in range(7)))),
    "weights of an attention sum to one over what is summed": (
        "softmax_wrong_axis", lambda: attended(1), lambda: attended(-1)),
    "what is shared out once stays so": ("activation_twice", lambda: attended(-1, True), lambda: attended(-1)),
    "a cell remembers": ("weights_without_gradient", lambda: cells(True), lambda: cells(False)),
    "samples stand on one of the axes": (
        "samples_mixed", lambda: unrolled(lambda code, steps: code.repeat(steps, 1).view(N, steps, 8)),
        lambda: unrolled(lambda code, steps: code[:, None].repeat(1, steps, 1))),
    "each output is of its own sample": ("samples_mixed", lambda: survival(0), lambda: survival(1)),
    "a choice by a mask does not stretch": (
        "shapes_broadcast", lambda: chosen(lambda each: each), lambda: chosen(lambda each: each[:, 0])),
    "shares that a divergence is taken from sum to one": (
        "targets_do_not_sum_to_one", lambda: smoothed(0.2), lambda: smoothed(0.04)),
    "samples come first, also where there are as many answers": (
        "samples_mixed", lambda: letters(False), lambda: letters(True)),
    "labels are moved once, also where few are asked for": (
        "labels_shifted_twice", lambda: answered(1), lambda: answered(0)),
    "a decoder has not read what it is asked for, whatever is ignored": (
        "labels_not_shifted", lambda: retold(0), lambda: retold(1)),
    "of noise an earlier step may be remembered": (
        "target_in_view", lambda: remembered(torch.randn(N, 6, 1).cumsum(1)), lambda: remembered(torch.randn(N, 6, 1))),
    "only hidden tokens are asked for": ("target_in_view", lambda: guessed(True), lambda: guessed(False)),
    "a teacher may be asked for the token that it stands for": (
        "labels_not_shifted", lambda: taught(False), lambda: taught(True)),
    "the number of pieces is no weight": ("wrong_formula", lambda: piecewise(False), lambda: piecewise(True)),
    "labels end where their lengths say": ("blank_in_targets", lambda: spoken(0), lambda: spoken(1)),
    "a list is as long as it is": (
        "mean_over_padding", lambda: ranked(torch.mean), lambda: ranked(lambda each: each.sum(1).mean())),
    "what stands first among what counts is no mask": (
        "mean_over_padding", lambda: beside(lambda each, here: each.mean()),
        lambda: beside(lambda each, here: (each.mean(1) / here.sum(1) * here.shape[1]).mean())),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINCIPLES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_wrong_one_is_named_and_its_right_neighbour_left_alone(name):
    holds(*PRINCIPLES[name])


def transitions():
    """A chain of tags whose transitions are learnt beside the scores."""
    model, _, x, y = tagged(CE)
    model.between = nn.Parameter(torch.zeros(5, 5))

    def loss(z, y):
        true = z.gather(2, y[..., None])[..., 0].sum(1) + model.between[y[:, :-1], y[:, 1:]].sum(1)
        every = z[:, 0]
        for step in z[:, 1:].unbind(1):
            every = (every[:, :, None] + model.between + step[:, None]).logsumexp(1)
        return -(true - every.logsumexp(1)).mean()

    return model, loss, x, y


def paths():
    """Distances of the points that a mask of yes and no selects."""
    there = torch.arange(6) < torch.arange(N)[:, None] % 5 + 2
    return (Then(mlp(12), lambda z: z.view(-1, 6, 2)), lambda p, y: ((p - y[0])[y[1]] ** 2).sum(-1).sqrt().mean(),
            inputs(), (torch.randn(N, 6, 2), there))  # fmt: skip


RIGHT = {
    "a likelihood of tags in a chain": transitions,
    "distances of those that count": paths,
    "tags that come place by place": lambda: (
        Tagger(5),
        lambda z, y: CE(z.view(-1, 5), y.t().contiguous().view(-1)),
        (x := classes(50, 7)),
        x.T % 5,
    ),
    "a layer that an encoder made copies of": lambda: (
        Part(
            lambda self, x: self.out(self.encoder(x).mean(1)),
            layer=(layer := nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)),
            encoder=nn.TransformerEncoder(layer, 2),
            out=nn.Linear(8, 4),
        ),
        CE,
        inputs(6, 8),
        classes(4),
    ),
    "a floor under a spread": lambda: of_size(lambda s: F.softplus(s) + 0.01, lambda e, s: (e / s) ** 2 / 2 + s.log()),
    "number 0 is kept for padding": lambda: (
        Then(Tagger(50), lambda z: z.flatten(0, 1)),
        CE,
        classes(49, 12) + 1,
        (classes(49, 12) + 1).flatten(),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_unusual_right_ones_are_left_alone(name):
    assert seeded(RIGHT[name]).ok, str(seeded(RIGHT[name]))
