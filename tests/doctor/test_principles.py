"""Each principle with a wrong instance and its right neighbour: the first is named, the second is left alone."""

import pytest
import torch
from doctor_exam.advice import variational
from doctor_exam.fresh_wrong import pair
from doctor_exam.parts import N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.principle import holds, seeded
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part, flow, views
from doctor_exam.unseen_wrong import mask_head, rare
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

CE, MSE, LOGITS = nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCEWithLogitsLoss()


class Steps(nn.Module):
    """A recurrent network that may hand its last state to the next batch."""

    def __init__(self, keeps: bool) -> None:
        super().__init__()
        self.rnn, self.out, self.state, self.keeps = nn.GRU(8, 16, batch_first=True), nn.Linear(16, 4), None, keeps

    def forward(self, x):
        steps, state = self.rnn(x, self.state)
        self.state = state if self.keeps else None
        return self.out(steps[:, -1])


def verdicts(cost):
    """A judge's verdicts on samples and on noise, and the features behind both."""

    def forward(self, x):
        true, noise = self.features(x), self.features(torch.randn_like(x))
        return self.verdict(true), self.verdict(noise), true, noise

    return Part(forward, features=mlp(6), verdict=nn.Linear(6, 1)), lambda out, _: cost(out), inputs(), None


def class_weights(cost):
    """A yes or no whose errors are weighed and averaged by a function of its own."""
    return mlp(1), lambda z, y: cost(F.binary_cross_entropy_with_logits(z, y, reduction="none"), y), inputs(), labels(1)


def in_steps(rounded):
    """A regression whose hidden units take a few values only."""
    return (
        Part(lambda self, x: self.b(rounded(self.a(x))), a=mlp(16), b=nn.Linear(16, 1)),
        MSE,
        inputs(),
        torch.randn(N, 1),
    )


def judged(factor):
    """A policy and a value that are learnt from returns; `factor` makes the advantage of the value's error."""

    def loss(out, y):
        error = y[1] - out[1][:, 0]
        log_p = Categorical(logits=out[0]).log_prob(y[0])
        return (error.square() - log_p * factor(error)).mean()

    return pair(policy=4, value=1), loss, inputs(), (classes(4), torch.randn(N))


class Running:
    """A loss that keeps a sum of what it gave, as a tensor or as a number."""

    def __init__(self, as_number: bool) -> None:
        self.total, self.as_number = 0.0, as_number

    def __call__(self, out, y):
        loss = F.cross_entropy(out, y)
        self.total = self.total + (loss.item() if self.as_number else loss)
        return loss if self.as_number else self.total


def placed(axis: int):
    """Texts whose places are counted along an axis: 1 is the text's, 0 the batch's."""

    def forward(self, tokens):
        table = self.table[: tokens.size(axis)]
        return self.out((self.embed(tokens) + (table if axis else table[:, None])).tanh().mean(1))

    part = Part(forward, embed=nn.Embedding(50, 16), out=nn.Linear(16, 4))
    part.register_buffer("table", torch.randn(64, 16))
    return part


def by_hand(kinds: int):
    """One share for each sample and a cross-entropy by hand, with as many kinds of labels."""

    def loss(out, y):
        p = out.sigmoid().clamp(1e-6, 1 - 1e-6)
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean()

    return mlp(1), loss, inputs(), classes(kinds, 1).float()


def written(ahead: int):
    """A text read whole and a text written word by word; what is written may be what is read."""

    def forward(self, source, text):
        before = (
            torch.cumsum(self.embed(text), 1) if ahead else self.embed(text).mean(1, keepdim=True) + self.embed(text)
        )
        return self.out(self.embed(source).mean(1, keepdim=True) + before).transpose(1, 2)

    text = classes(50, 9)
    reads, writes = (text[:, :-1], text[:, 1:]) if ahead else (text, text)
    return Part(forward, embed=nn.Embedding(50, 16), out=nn.Linear(16, 50)), CE, (classes(50, 12), reads), writes


def read_whole(copied: bool, hidden: bool = False, only: bool = False):
    """A text read whole and said again, from its own words or from one sum; or with some words hidden."""

    def forward(self, text):
        whole = (self.embed(text) * self.place).sum(1, keepdim=True)
        return self.out(0.2 * whole + (self.embed(text) if copied else self.place)).transpose(1, 2)

    text, chosen = 1 + classes(49, 9), torch.rand(N, 9) < 0.2
    model = Part(forward, embed=nn.Embedding(50, 16), place=nn.Parameter(torch.randn(9, 16)), out=nn.Linear(16, 50))
    return model, CE, text.masked_fill(chosen & hidden, 0), text.masked_fill(~chosen & only, -100)


def in_heads(moved: bool):
    """Ten words seen as two heads, with their axis moved or by a view alone."""

    def forward(self, text):
        x = self.embed(text) + self.place
        x = x.view(N, 10, 2, 8).transpose(1, 2).reshape(2 * N, 10, 8) if moved else x.view(2 * N, 10, 8)
        x = (x @ x.transpose(1, 2) / 3).softmax(-1) @ x
        return self.out(x.reshape(N, 2, 10, 8).transpose(1, 2).flatten(1) if moved else x.view(N, 160))

    parts = {"embed": nn.Embedding(50, 16), "place": nn.Parameter(torch.randn(10, 16)), "out": nn.Linear(160, 4)}
    return Part(forward, **parts), CE, classes(50, 10), classes(4)


def tagged(sign: int):
    """Tags of a text by what each word says and which tags follow each other, all of them weighed at once."""

    def loss(out, tags):
        scores, moves = out
        path = scores.gather(2, tags[..., None]).sum((1, 2)) + moves[tags[:, :-1], tags[:, 1:]].sum(1)
        every = scores[:, 0]
        for step in range(1, tags.shape[1]):
            every = torch.logsumexp(every[:, :, None] + moves, 1) + scores[:, step]
        return sign * (path - every.logsumexp(1)).mean()

    model = Part(lambda self, t: (self.out(self.embed(t)), self.moves * 1.0), embed=nn.Embedding(50, 16),
                 out=nn.Linear(16, 4), moves=nn.Parameter(0.1 * torch.randn(4, 4)))  # fmt: skip
    return model, loss, classes(50, 7), classes(4, 7)


def erased(always: bool):
    """A dropout that is told when it is meant, or not."""
    return Part(lambda self, x: self.out(F.dropout(self.first(x).relu(), 0.5, always or self.training)),
                first=nn.Linear(8, 32), out=nn.Linear(32, 4))  # fmt: skip


def layers(second: bool):
    """Two layers, of which the second may be forgotten."""
    return Part(lambda self, x: self.out((self.two if second else self.one)(self.one(x).relu()).relu()),
                one=nn.Linear(8, 8), two=nn.Linear(8, 8), out=nn.Linear(8, 4))  # fmt: skip


def drawn(scale: float):
    """Fresh weights, made larger."""
    network = dense(64, 256, 256, 10)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(scale)
    return network


def cosines(scale: float):
    """Likenesses of features and centres as logits."""
    return Part(lambda self, x: scale * F.normalize(self.net(x), dim=1) @ F.normalize(self.centres.weight, dim=1).T,
                net=mlp(8), centres=nn.Linear(8, 10, bias=False))  # fmt: skip


def distances(shifted: bool):
    """Distances of two inputs as logits."""
    return Part(lambda self, a, b: (self.net(a) - self.net(b)).norm(dim=1) * (-1 if shifted else 1) + 3 * shifted,
                net=mlp(6))  # fmt: skip


def policy(sign: int, entropy: float = 0.0):
    """An actor and a critic whose terms have signs."""

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        chosen = Categorical(logits=out[0])
        gain = y[1] - out[1][:, 0].detach()
        worth = F.mse_loss(out[1][:, 0], y[1])
        return sign * (chosen.log_prob(y[0]) * gain).mean() + 0.5 * worth + entropy * chosen.entropy().mean()

    return pair(actor=4, critic=1), loss, inputs(), (classes(4), torch.randn(N))


def clipped(ratio):
    """A clipped policy whose ratio is made by a function of the new and the old log-probability."""

    def loss(out: Tensor, y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        own = ratio(Categorical(logits=out).log_prob(y[0]), y[2])
        return -torch.min(own * y[1], own.clamp(0.8, 1.2) * y[1]).mean()

    return mlp(4), loss, inputs(), (classes(4), torch.randn(N), torch.full((N,), -1.4))


def in_columns(ratio):
    """The same of actions and gains that stand in columns, beside the old policy's logits."""

    def loss(out: Tensor, y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        action, gain = y[0][:, 0], y[1][:, 0]
        gain = (gain - gain.mean()) / gain.std()
        own = ratio(*(Categorical(logits=z).log_prob(action) for z in (out, y[2])))
        return -torch.min(own * gain, own.clamp(0.8, 1.2) * gain).mean()

    model, x = mlp(4), inputs()
    return model, loss, x, (classes(4, 1), torch.rand(N, 1), model(x).detach())


def overlap(share):
    """One minus a share of what masks have in common."""

    def loss(p: Tensor, y: Tensor) -> Tensor:
        both, sizes = (p * y).sum((1, 2, 3)), (p + y).sum((1, 2, 3))
        return 1 - share(both, sizes).mean()

    return mask_head(nn.Sigmoid()), loss, inputs(3, 6, 6), labels(1, 6, 6)


def masked(turned: bool):
    """Values that are zero where nothing was measured, counted there or elsewhere."""

    def loss(out: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        counts = 1 - y[1] if turned else y[1]
        return ((out - y[0]) ** 2 * counts).sum() / counts.sum()

    mask = labels(1, 6, 6)
    return mask_head(), loss, inputs(3, 6, 6), (torch.randn(N, 1, 6, 6) * mask, mask)


def of_classes(axis: int):
    """A segmenter whose softmax runs over an axis, and an own loss."""
    return (mask_head(nn.Softmax(axis), channels=3), lambda p, y: -(
        F.one_hot(y, 3).movedim(-1, 1) * p.clamp(min=1e-6).log()).sum(1).mean(),
            inputs(3, 6, 6), classes(3, 6, 6))  # fmt: skip


def last_state(packed: bool):
    """Texts of any length, read up to their end or up to the end of the padding."""

    def forward(self, tokens, lengths):
        read = self.embed(tokens)
        if packed:
            read = nn.utils.rnn.pack_padded_sequence(read, lengths, batch_first=True, enforce_sorted=False)
        return self.out(self.rnn(read)[1][-1] + 0 * lengths[:, None])

    tokens = padded_tokens(0)[0]
    part = Part(forward, embed=nn.Embedding(50, 16), rnn=nn.GRU(16, 16, batch_first=True), out=nn.Linear(16, 4))
    return part, CE, (tokens, (tokens > 0).sum(1)), classes(4)


def weighed(yes: float):
    """A yes that has a weight, where a tenth of the labels are yes."""
    return (mlp(1), lambda out, y: (F.binary_cross_entropy_with_logits(out, y, reduction="none") * torch.where(
        y > 0, yes, 1.0)).mean(), torch.randn(64, 8), rare(0.1).float()[:, None])  # fmt: skip


def places_of(y: Tensor):
    """A class out of four for each place of a picture."""
    return mask_head(channels=4), CE, inputs(3, 6, 6), y


def of_three(weight: list[float]):
    """Three classes, each rarer than the one before, and a weight for each."""
    drawn = torch.rand(N, 6, 6)
    y = (drawn > 0.6).long() + (drawn > 0.95).long()
    return mask_head(channels=3), nn.CrossEntropyLoss(torch.tensor(weight)), inputs(3, 6, 6), y


def answers(yes: float):
    """The same as `weighed`, by torch's own weight of a yes."""
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([yes]))
    return mlp(1), loss, torch.randn(64, 8), rare(0.1).float()[:, None]


def by_label(weights: list[float]):
    """Three labels, each rarer than the one before, and a weight for a yes of each."""
    y = (torch.arange(40)[:, None] < torch.tensor([20, 8, 4])).float()
    return mlp(3), nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weights)), torch.randn(40, 8), y


def by_shares(y: Tensor, end: nn.Module, loss=lambda p, y: -(y * (p / p.sum(-1, keepdim=True)).clamp(
        1e-7, 1 - 1e-7).log()).sum(-1).mean()):  # fmt: skip
    """Shares of classes and a cross-entropy that takes the logarithm itself, as Keras has it."""
    return mlp(6, end), loss, inputs(), y


def smoothed(true, other: float = 0.1 / 6):
    """A cross-entropy by hand whose truth has one share and whose other classes have another one each."""
    return mlp(6), lambda z, y: -(lambda logs: true * logs.gather(1, y[:, None])[:, 0] + other * logs.sum(1))(
        z.log_softmax(1)).mean(), inputs(), classes(6)  # fmt: skip


def table_picked(share):
    """The share of the truth, picked by a table that is smoothed in a way."""
    return by_shares(classes(6), nn.Softmax(1), lambda p, y: -((share(F.one_hot(y, 6).float()) * p).sum(
        1) + 1e-8).log().mean())  # fmt: skip


def one_of(kinds: int) -> Tensor:
    """One yes a row."""
    return F.one_hot(classes(kinds), kinds).float()


def squared_critic(*end: nn.Module):
    """Real and made samples, judged by one critic and the least squares."""
    model = Part(lambda self, a, b: (self.net(a), self.net(b)), net=mlp(1, *end))
    return model, lambda o, y: MSE(o[0], y[0]) + MSE(o[1], y[1]), (inputs(), inputs()), (torch.ones(N, 1), torch.zeros(
        N, 1))  # fmt: skip


def by_size(model: nn.Module, bound: float) -> nn.Module:
    """The model with weights drawn up to a bound, as Keras' "uniform" does."""
    for weight in model.parameters():
        nn.init.uniform_(weight, -bound, bound) if weight.dim() > 1 else nn.init.zeros_(weight)
    return model


def members(loss):
    """Four networks side by side, and one target for them all."""
    parts = nn.ModuleList(mlp(1) for _ in range(4))
    return (Part(lambda self, x: torch.cat([one(x) for one in self.parts], 1), parts=parts), loss, inputs(),
            torch.randn(N, 1))  # fmt: skip


def entropy_by_hand(order):
    """A cross-entropy of one's own: shares times a logarithm, in an order."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        shares, inner = order(out.softmax(1), y)
        return -(shares * (inner + 1e-8).log()).sum(1).mean()

    return mlp(5), loss, inputs(), F.one_hot(classes(5), 5).float()


def parts_by_overlap(axis: int):
    """Three parts of a picture, half of which is none of them, by their overlaps."""

    def loss(share: Tensor, y: Tensor) -> Tensor:
        return 1 - ((2 * (share * y).sum((2, 3)) + 1) / ((share + y).sum((2, 3)) + 1)).mean()

    y = F.one_hot(classes(3, 6, 6), 3).movedim(-1, 1).float() * labels(1, 6, 6)
    return mask_head(nn.Softmax(axis), channels=3), loss, inputs(3, 6, 6), y


def two_terms(other: int):
    """A critic of real and made samples; one of them may be judged twice."""
    return pair(real=1, made=1), lambda o, _: LOGITS(o[0], torch.ones(N, 1)) + LOGITS(
        o[other] * (1 if other else -1), torch.zeros(N, 1)), inputs(), None  # fmt: skip


def in_place(out: Tensor, y: Tensor) -> Tensor:
    """A loss that writes into its targets."""
    y[y == 3] = 0
    return F.cross_entropy(out, y)


def numbers(kind: torch.dtype, scale: float):
    """Pictures as they are read, and a network that may scale them."""
    return (Part(lambda self, x: self.net(x.float().flatten(1) / scale), net=dense(64, 32, 10)), CE,
            torch.randint(0, 256, (N, 1, 8, 8)).to(kind), classes(10))  # fmt: skip


def correlation(sign: int):
    """What outputs and targets have in common, with a sign."""
    return mlp(1), lambda out, y: sign * torch.corrcoef(torch.stack([out[:, 0], y[:, 0]]))[0, 1], inputs(), torch.randn(
        N, 1)  # fmt: skip


def attending(bias):
    """Texts of a fixed length whose places look at each other; the scores get a bias that knows the padding."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        h = self.embed(tokens) + self.place.weight
        queries, keys, values = self.project(h).chunk(3, -1)
        return self.out(h + (queries @ keys.mT / 4 + bias((tokens == 0)[:, None])).softmax(-1) @ values)

    part = Part(forward, embed=nn.Embedding(50, 16), place=nn.Embedding(12, 16), project=nn.Linear(16, 48),
                out=nn.Linear(16, 50))  # fmt: skip
    tokens = classes(49, 12) + 1
    tokens[torch.arange(12) >= torch.randint(4, 12, (N, 1))] = 0
    return part, lambda z, y: F.cross_entropy(z.mT, y), tokens, classes(50, 12).masked_fill(tokens == 0, -100)


def heat(low: float):
    """A focal loss of a map of centres, whose shares may be kept away from 0 and 1."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        share = out.sigmoid().clamp(low, 1 - low)
        centres = (1 - share) ** 2 * share.log() * (y == 1)
        return -(centres + (1 - y) ** 4 * share**2 * (1 - share).log() * (y < 1)).sum() / N

    y = 0.9 * torch.rand(N, 1, 6, 6)
    y[:, :, 3, 3] = 1
    return mask_head(), loss, inputs(3, 6, 6), y


def recurrent(steps: int, zeros: bool = False):
    """A recurrent network on windows of so many steps."""
    rnn = nn.LSTM(2, 16, batch_first=True)
    if zeros:
        for weight in rnn.parameters():
            nn.init.zeros_(weight)
    return (Part(lambda self, x: self.out(self.rnn(x)[0][:, -1]), rnn=rnn, out=nn.Linear(16, 1)), MSE,
            torch.randn(N, steps, 2), torch.randn(N, 1))  # fmt: skip


def shown(target: int, network=None):
    """A series whose next value is a later one of its own, for a model that is a plain function."""
    x, network = torch.randn(N, 6, 1), network or mlp(1)
    features = nn.Linear(6, 8)
    return lambda v: network(features(v.flatten(1))), MSE, x, x[:, 3] if target else torch.randn(N, 1)


def embedded(loss, count: int = 0):
    """Vectors of samples, or of so many views of each, and a loss that compares them with each other."""
    return (mlp(6), loss, views(count), None) if count else (mlp(6), loss, inputs(), torch.arange(N) % 4)


def hardest(margin: float):
    """The farthest of one's own class against the nearest of the others."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        far, same = torch.cdist(z, z), (y[:, None] == y).float()
        return ((far * same).amax(1) - (far + 1e4 * same).amin(1) + margin).relu().mean()

    return embedded(loss)


def two_views(apart=lambda n: torch.eye(2 * n, dtype=torch.bool), turn: int = 0, axis: int = -1):
    """All views of all samples among each other; where nobody looks, where the partner stands, how long they are."""

    def loss(z: Tensor, _: None) -> Tensor:
        z = F.normalize(torch.cat([z[:, 0], z[:, 1]]), dim=axis)
        scores = (z @ z.T / 0.5).masked_fill(apart(N), -1e9)
        return F.cross_entropy(scores, torch.arange(2 * N).roll(N + turn))

    return embedded(loss, 2)


def told_apart(margin):
    """Pairs that are alike and pairs that are not, pushed apart by a function of their distance."""
    return (Part(lambda self, a, b: (self.net(a), self.net(b)), net=mlp(6)), lambda o, y: (lambda d: (
        y * d**2 + (1 - y) * margin(d).relu() ** 2).mean())(F.pairwise_distance(*o)), (inputs(), inputs()),
            labels(1)[:, 0])  # fmt: skip


def proxies(sign: int):
    """Distances from a learnt place for each class, as scores."""
    return (Part(lambda self, x: torch.cdist(self.net(x), self.places.weight), net=mlp(6), places=nn.Embedding(4, 6)),
            lambda d, y: F.cross_entropy(sign * d, y), inputs(), classes(4))  # fmt: skip


def spread(likelihood):
    """A mean and a head that says how far off it may be."""
    return pair(mean=1, spread=1), lambda o, y: likelihood(y, *o).mean(), inputs(), 3 + 2 * torch.randn(N, 1)


def mixture(sign: int):
    """Several normals, of which one may have made the target."""
    return (pair(share=3, mean=3, spread=3), lambda o, y: -sign * torch.logsumexp(
        o[0].log_softmax(1) - 0.5 * ((y - o[1]) / o[2].exp()) ** 2 - o[2], 1).mean(), inputs(),
            3 + 2 * torch.randn(N, 1))  # fmt: skip


def picked(axis: int):
    """A cross-entropy by hand whose log-softmax runs over an axis."""
    return mlp(5), lambda z, y: -z.log_softmax(axis).gather(1, y[:, None]).mean(), inputs(), classes(5)


def hot(turned: bool):
    """Shares of the classes, weighed by one-hot labels, or by what they are not."""
    return (
        mlp(5),
        lambda z, y: -((F.one_hot(y, 5) == (not turned)) * z.log_softmax(1)).sum(1).mean(),
        inputs(),
        classes(5),
    )


def and_dice(turned: bool):
    """A cross-entropy of masks and a dice loss, or the overlap itself."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        p = z.sigmoid()
        share = (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        return LOGITS(z, y) + (share if turned else 1 - share)

    return mask_head(), loss, inputs(3, 6, 6), labels(1, 6, 6)


def focal(share):
    """A focal loss that reads the share of the truth from its logarithm in some way."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        log_p = z.log_softmax(1).gather(1, y[:, None])
        return -((1 - share(log_p)) ** 2 * log_p).mean()

    return mlp(5), loss, inputs(), classes(5)


def tags(reduced):
    """Tags of texts and a mask of the places that count."""

    def loss(z: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        return reduced(F.cross_entropy(z.mT, y[0], reduction="none"), y[1])

    tokens = padded_tokens(0)[0]
    return Tagger(6), loss, tokens, (classes(6, 12), (tokens > 0).float())


def rarely(reduction: str):
    """A weight for each sample's class, given to its loss or to the mean of all."""
    return mlp(3), lambda z, y: (F.cross_entropy(z, y, reduction=reduction) * torch.tensor([1.0, 2.0, 3.0])[y]).mean(
        ), inputs(), classes(3)  # fmt: skip


def agent(goal):
    """Values of actions taught by a goal."""
    slow = mlp(4).requires_grad_(False)

    def loss(q: Tensor, y: tuple[Tensor, ...]) -> Tensor:
        with torch.no_grad():
            after = goal(y[1], y[2], slow(y[3]))
        return F.smooth_l1_loss(q.gather(1, y[0][:, None])[:, 0], after)

    return mlp(4), loss, inputs(), (classes(4), torch.randn(N), (torch.arange(N) % 5 == 0).float(), inputs())


def of_signs(label):
    """A hinge loss that reads -1 and 1 in some way."""
    return mlp(1), lambda z, y: (1 - label(y) * z).relu().mean(), inputs(), 2 * labels(1) - 1


def next_words(change=lambda y: y, divided=False):
    """The next word of texts of any length; its labels may be changed, and the sum divided by all places."""

    def loss(out, y):
        each = F.cross_entropy(out[:, :-1].transpose(1, 2), change(y[:, 1:].clone()), reduction="none")
        return each.sum() / (each.numel() if divided else (y[:, 1:] >= 0).sum())

    tokens = padded_tokens(0)[0]
    return nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 50)), loss, tokens, tokens.masked_fill(tokens == 0, -100)


def quantile_drawn(turned: bool):
    """A quantile that is drawn and told to the network; errors above and below may change places."""

    def loss(out, y):
        value, level = out
        error = value - y if turned else y - value
        return torch.maximum(level * error, (level - 1) * error).mean()

    model = Part(lambda self, x, level: (self.net(x) * self.told(level), level), net=mlp(1), told=nn.Linear(1, 1))
    return model, loss, (inputs(), torch.rand(N, 1)), torch.randn(N, 1)


def columns(weights):
    """Errors of a table, each column by a weight."""
    return mlp(4), lambda out, y: ((out - y) ** 2 * torch.tensor(weights)).mean(), inputs(), torch.randn(N, 4)


def risks(late: bool):
    """Patients by falling time: at risk are those who are still waited for, or those who were hit before."""

    def loss(risk: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        order = y[0].argsort(descending=late)
        risk, hit = risk[order, 0], y[1][order]
        return -((risk - risk.logcumsumexp(0)) * hit).sum() / hit.sum()

    return mlp(1), loss, inputs(), (10 * torch.rand(N), labels(1)[:, 0])


def drawn_words(sign: int):
    """A true pair of words beside drawn ones."""
    return (Part(lambda self, c, t, n: ((self.own(c) * self.far(t)).sum(1), torch.einsum(
        "bd,bkd->bk", self.own(c), self.far(n))), own=nn.Embedding(50, 6), far=nn.Embedding(50, 6)),
            lambda o, _: -(F.logsigmoid(o[0]) + F.logsigmoid(sign * o[1]).sum(1)).mean(),
            (classes(50), classes(50), classes(50, 5)), None)  # fmt: skip


def ranked(sign: int):
    """Of two samples the one that is worth more shall score more."""
    return (
        mlp(1),
        lambda out, y: (lambda s, better: (better * F.softplus(sign * (s[:, None] - s))).sum() / better.sum())(
            out[:, 0], (y[:, None] > y).float()
        ),
        inputs(),
        torch.randn(N),
    )


def boxed(corner):
    """Boxes by two corners and their overlap, of which the last corner is found by a function."""

    def loss(p: Tensor, t: Tensor) -> Tensor:
        both = (corner(p[:, 2:], t[:, 2:]) - torch.max(p[:, :2], t[:, :2])).clamp(min=0).prod(1)
        return 1 - (both / ((p[:, 2:] - p[:, :2]).prod(1) + (t[:, 2:] - t[:, :2]).prod(1) - both)).mean()

    return (
        Then(mlp(4), lambda o: torch.cat([o[:, :2], o[:, :2] + F.softplus(o[:, 2:])], 1)),
        loss,
        inputs(),
        torch.rand(N, 2).repeat(1, 2) + torch.tensor([0, 0, 1, 1]) + torch.rand(N, 1) * torch.tensor([0, 0, 1, 2]),
    )


def with_void(sign: int):
    """Pixels of which some belong to no class."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        flat, y = z.movedim(1, -1).flatten(0, 2), y.flatten()
        return sign * F.cross_entropy(flat[y < 3], y[y < 3])

    return mask_head(channels=3), loss, inputs(3, 6, 6), classes(3, 6, 6).masked_fill(torch.rand(N, 6, 6) < 0.2, 255)


def scored(loss):
    """A critic of real and made samples."""
    return Part(lambda self, x, z: (self.net(x), self.net(z)), net=mlp(1)), lambda o, _: loss(*o), (
        inputs(), inputs()), None  # fmt: skip


def moving(sign: float, entropy: float = 1e-3):
    """A policy of movements whose spread is learnt, too."""

    def loss(o: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        chosen = torch.distributions.Normal(o[0], o[1].exp())
        return -sign * (chosen.log_prob(y[0]).sum(1) * y[1]).mean() - entropy * chosen.entropy().sum(1).mean()

    return pair(mean=2, spread=2), loss, inputs(), (torch.randn(N, 2), torch.randn(N))


PRINCIPLES = {
    "labels that share out one are exclusive, by hand too": (
        "softmax_for_independent_labels", lambda: by_shares(labels(6), nn.Softmax(1)),
        lambda: by_shares(one_of(6), nn.Softmax(1))),
    "shares are not negative, by hand too": (
        "negative_probabilities", lambda: by_shares(torch.randn(N, 6), nn.Softmax(1)),
        lambda: by_shares(torch.rand(N, 6).softmax(1), nn.Softmax(1))),
    "what is divided by its sum has no end": (
        "sigmoid_before_cross_entropy", lambda: by_shares(one_of(6), nn.Sigmoid()),
        lambda: by_shares(one_of(6), nn.Softplus())),
    "smoothed shares sum to one, whatever they multiply": (
        "targets_do_not_sum_to_one", lambda: table_picked(lambda y: y.clamp(0.1, 0.9)),
        lambda: table_picked(lambda y: 0.9 * y + 0.1 / 6)),
    "smoothed shares sum to one, wherever they stand": (
        "targets_do_not_sum_to_one", lambda: smoothed(0.9 - 0.1 / 6), lambda: smoothed(0.9)),
    "the yes of a rare label weighs more": (
        "class_weight_reversed", lambda: by_label([20.0, 8.0, 4.0]), lambda: by_label([1.0, 4.0, 9.0])),
    "squares of a critic have no ends": (
        "bounded_critic", lambda: squared_critic(nn.Sigmoid()), squared_critic),
    "a mark is no class": (
        "padding_not_ignored", lambda: next_words(lambda y: y.clamp(min=0)), lambda: next_words()),
    "padding does not make a loss small": (
        "mean_over_padding", lambda: next_words(divided=True), lambda: next_words()),
    "a quantile is not counted from the other end": (
        "wrong_formula", lambda: quantile_drawn(True), lambda: quantile_drawn(False)),
    "yes and no are each other's mirror": (
        "wrong_formula", lambda: (mlp(1, nn.Sigmoid()), lambda p, y: -(y * (p + 1e-6).log() + (1 - y) * (1 - p)).mean(),
                                  inputs(), labels(1)),
        lambda: (mlp(1, nn.Sigmoid()), lambda p, y: -(y * (p + 1e-6).log() + 3 * (1 - y) * (1 - p + 1e-6).log()).mean(),
                 inputs(), labels(1))),
    "no column is pushed away": (
        "wrong_formula", lambda: columns([1.0, 2, -0.5, 1]), lambda: columns([1.0, 2, 0.5, 1])),
    "a sample's place in the batch means nothing": (
        "samples_mixed", lambda: (placed(0), CE, classes(50, 12), classes(4)),
        lambda: (placed(1), CE, classes(50, 12), classes(4))),
    "a sample's output is its own, with several inputs": (
        "samples_mixed", lambda: (Part(lambda self, a, b: self.out(a - b.mean(0)), out=nn.Linear(8, 4)), CE,
                                  (inputs(), inputs()), classes(4)),
        lambda: (Part(lambda self, a, b: self.out(a - b), out=nn.Linear(8, 4)), CE, (inputs(), inputs()), classes(4))),
    "evaluation draws no dropout": (
        "dropout_in_evaluation", lambda: (erased(True), CE, inputs(), classes(4)),
        lambda: (erased(False), CE, inputs(), classes(4))),
    "a dropout leaves something": (
        "dropout_too_strong", lambda: (nn.Sequential(nn.Dropout(0.9), mlp(4)), CE, inputs(), classes(4)),
        lambda: (nn.Sequential(nn.Dropout(0.1), mlp(4)), CE, inputs(), classes(4))),
    "a norm remembers": (
        "batch_norm_momentum",
        lambda: (nn.Sequential(nn.BatchNorm1d(8, momentum=0.99), mlp(4)), CE, inputs(), classes(4)),
        lambda: (nn.Sequential(nn.BatchNorm1d(8, momentum=0.01), mlp(4)), CE, inputs(), classes(4))),
    "a step does not reach into the next, in the model": (
        "backward_fails", lambda: (Steps(True), CE, torch.randn(N, 6, 8), classes(4)),
        lambda: (Steps(False), CE, torch.randn(N, 6, 8), classes(4))),
    "a step does not reach into the next, in the loss": (
        "backward_fails", lambda: (mlp(4), Running(False), inputs(), classes(4)),
        lambda: (mlp(4), Running(True), inputs(), classes(4))),
    "a batch stays as it was": (
        "changed_in_place", lambda: (mlp(4), in_place, inputs(), classes(4)),
        lambda: (mlp(4), lambda out, y: in_place(out, y.clone()), inputs(), classes(4))),
    "each input changes the outputs": (
        "unused_input",
        lambda: (Part(lambda self, a, b: self.net(a), net=mlp(4)), CE, (inputs(), inputs()), classes(4)),
        lambda: (Part(lambda self, a, b: self.net(a + b), net=mlp(4)), CE, (inputs(), inputs()), classes(4))),
    "each output changes the loss": (
        "unused_output", lambda: (pair(kind=4, box=4), lambda o, y: CE(o[0], y[0]), inputs(), (classes(4), inputs())),
        lambda: (pair(kind=4, far=4), lambda o, y: CE(o[0], y) + 0.1 * MSE(o[0], o[1].detach()), inputs(), classes(4))),
    "outputs that share their weights change the loss": (
        "unused_output", lambda: verdicts(lambda o: (o[2] - o[3]).square().mean()),
        lambda: verdicts(lambda o: LOGITS(o[0], torch.ones(N, 1)) + LOGITS(o[1], torch.zeros(N, 1)))),
    "rounding stops the slope": (
        "weights_without_gradient", lambda: in_steps(lambda h: (4 * h).floor() / 4),
        lambda: in_steps(lambda h: h + ((4 * h).floor() / 4 - h).detach())),
    "an advantage stands still, also a clipped one": (
        "gradient_through_advantage", lambda: judged(lambda error: error.clamp(-2, 2)),
        lambda: judged(lambda error: error.detach().clamp(-2, 2))),
    "the two factors of a step have one shape": (
        "shapes_broadcast", lambda: judged(lambda error: error.detach()[:, None]), lambda: judged(torch.detach)),
    "weights of classes meet samples, not their mean": (
        "shapes_broadcast", lambda: class_weights(lambda cost, y: (cost.mean(0) * torch.tensor([0.2, 0.8])).sum()),
        lambda: class_weights(lambda cost, y: (cost * torch.tensor([0.2, 0.8])[y.long()]).mean())),
    "each layer is called": (
        "weights_without_gradient", lambda: (layers(False), CE, inputs(), classes(4)),
        lambda: (layers(True), CE, inputs(), classes(4))),
    "each sample counts": (
        "wrong_formula", lambda: (mlp(4), lambda out, y: [CE(o[None], t[None]) for o, t in zip(out, y)][-1],  # noqa: B905
                                  inputs(), classes(4)),
        lambda: (mlp(4), lambda out, y: sum(CE(o[None], t[None]) for o, t in zip(out, y)) / N,  # noqa: B905
                 inputs(), classes(4))),
    "samples differ": (
        "outputs_ignore_inputs", lambda: (mlp(1), MSE, torch.ones(N, 8), torch.randn(N, 1)),
        lambda: (mlp(1), MSE, torch.ones(N, 8), torch.ones(N, 1))),
    "products of what is never negative are logits of one sign": (
        "relu_before_bce_logits", lambda: (distances(False), LOGITS, (inputs(), inputs()), labels(1)[:, 0]),
        lambda: (distances(True), LOGITS, (inputs(), inputs()), labels(1)[:, 0])),
    "cosines need a scale": (
        "bounded_logits", lambda: (cosines(1.0), CE, inputs(), classes(10)),
        lambda: (cosines(16.0), CE, inputs(), classes(10))),
    "fresh outputs are not sure": (
        "outputs_too_large", lambda: (drawn(12.0), CE, inputs(64), classes(10)),
        lambda: (drawn(1.0), CE, inputs(64), classes(10))),
    "numbers near one reach the first layer, bytes": (
        "inputs_not_scaled", lambda: numbers(torch.uint8, 1.0), lambda: numbers(torch.uint8, 255.0)),
    "numbers near one reach the first layer, scaled twice": (
        "inputs_not_scaled", lambda: numbers(torch.float32, 65025.0), lambda: numbers(torch.float32, 255.0)),
    "what gained becomes likelier": (
        "better_outputs_cost_more", lambda: policy(1), lambda: policy(-1)),
    "what gained becomes likelier, by a ratio": (
        "better_outputs_cost_more", lambda: clipped(lambda new, old: (old - new).exp()),
        lambda: clipped(lambda new, old: (new - old).exp())),
    "what gained becomes likelier, in columns": (
        "better_outputs_cost_more", lambda: in_columns(lambda new, old: (old - new).exp()),
        lambda: in_columns(lambda new, old: (new - old).exp())),
    "without gain no policy grows surer": (
        "wrong_formula", lambda: policy(-1, 0.01), lambda: policy(-1, -0.01)),
    "an overlap with oneself is one": (
        "wrong_formula", lambda: overlap(lambda both, sizes: (2 * both + 1) / (sizes - both + 1)),
        lambda: overlap(lambda both, sizes: (both + 1) / (sizes - both + 1))),
    "an overlap with oneself is one, dice": (
        "wrong_formula", lambda: overlap(lambda both, sizes: (both + 1) / (sizes + 1)),
        lambda: overlap(lambda both, sizes: 2 * (both + 1) / (sizes + 2))),
    "the loss looks where something is said": (
        "wrong_formula", lambda: masked(True), lambda: masked(False)),
    "the softmax shares out the classes": (
        "softmax_wrong_axis", lambda: of_classes(3), lambda: of_classes(1)),
    "padding has no last word": (
        "padding_attended", lambda: last_state(False), lambda: last_state(True)),
    "padding is hidden, not marked by ones that are added": (
        "padding_attended", lambda: attending(lambda padded: (~padded).float()),
        lambda: attending(lambda padded: torch.zeros(N, 1, 12).masked_fill(padded, -torch.inf))),
    "padding is hidden from every place": (
        "padding_attended", lambda: attending(lambda padded: 0), lambda: attending(lambda padded: -1e9 * padded)),
    "the error of a sample beside the divergence of a sample": (
        "terms_out_of_balance", lambda: variational("mean"), lambda: variational("sum")),
    "a divergence is added": (
        "wrong_formula", lambda: variational("sum", -1, nn.Sigmoid()), lambda: variational("sum", 1, nn.Sigmoid())),
    "a loss bears sure outputs": (
        "unstable_formula", lambda: heat(0.0), lambda: heat(1e-4)),
    "what remembers sees several steps": (
        "weights_without_gradient", lambda: recurrent(1), lambda: recurrent(5)),
    "recurrent units start unlike": (
        "units_all_alike", lambda: recurrent(5, zeros=True), lambda: recurrent(5)),
    "the target is not among the inputs, of a function too": (
        "target_in_view", lambda: shown(1), lambda: shown(0)),
    "what is rare does not weigh less": (
        "class_weight_reversed", lambda: weighed(0.2), lambda: weighed(9.0)),
    "two terms say two things": (
        "dead_term", lambda: two_terms(0), lambda: two_terms(1)),
    "movements that gained become likelier": (
        "better_outputs_cost_more", lambda: moving(-1), lambda: moving(1)),
    "a loss is no gain": (
        "better_outputs_cost_more", lambda: (*moving(1)[:1], lambda o, y: moving(1)[1](o, (y[0], y[1].abs())),
                                             *moving(1)[2:]), lambda: moving(1)),
    "a correlation is to grow": (
        "better_outputs_cost_more", lambda: correlation(1), lambda: correlation(-1)),
    "all samples in one place are no good answer": (
        "wrong_formula", lambda: hardest(-0.5), lambda: hardest(0.5)),
    "a partner is told from the others": (
        "better_outputs_cost_more", lambda: two_views(turn=1), lambda: two_views()),
    "a distance is small where two are alike": (
        "better_outputs_cost_more", lambda: proxies(1), lambda: proxies(-1)),
    "a spread follows the errors": (
        "wrong_formula", lambda: spread(lambda y, m, s: 2 * s + (y - m) ** 2 / s.exp()),
        lambda: spread(lambda y, m, s: 2 * s + (y - m) ** 2 / (2 * s).exp())),
    "a spread follows the errors, a deviation for a variance": (
        "wrong_formula", lambda: spread(lambda y, m, s: F.softplus(s).log() + (y - m) ** 2 / (2 * F.softplus(s))),
        lambda: spread(lambda y, m, s: F.softplus(s).log() + (y - m) ** 2 / (2 * F.softplus(s) ** 2))),
    "a spread costs something": (
        "wrong_formula", lambda: spread(lambda y, m, s: (y - m) ** 2 * (-s).exp() - s),
        lambda: spread(lambda y, m, s: (y - m) ** 2 * (-s).exp() + s)),
    "a determinant is to grow": (
        "wrong_formula", lambda: (flow(), lambda o, _: (0.5 * o[0].square().sum(1) + o[1]).mean(), inputs(), None),
        lambda: (flow(), lambda o, _: (0.5 * o[0].square().sum(1) - o[1]).mean(), inputs(), None)),
    "what is worth more scores more": (
        "better_outputs_cost_more", lambda: ranked(1), lambda: ranked(-1)),
    "another's box is no better answer": (
        "better_outputs_cost_more", lambda: boxed(torch.max), lambda: boxed(torch.min)),
    "answers in another order are worse": (
        "wrong_formula", lambda: (mlp(1), lambda out, y: (out.mean() - y.mean()).abs(), inputs(), torch.randn(N, 1)),
        lambda: (mlp(1), lambda out, y: (out - y).abs().mean(), inputs(), 5 + torch.rand(N, 1))),
    "a class number is no share": (
        "targets_outside_unit_range", lambda: by_hand(3), lambda: by_hand(2)),
    "a batch of one class teaches one answer": (
        "one_class_only", lambda: (mlp(10), CE, inputs(), torch.zeros(N).long()), lambda: (mlp(2), CE, inputs(),
                                                                                          torch.zeros(N).long())),
    "a batch whose places are all of the first class teaches one answer": (
        "one_class_only", lambda: places_of(torch.zeros(N, 6, 6).long()), lambda: places_of(classes(4, 6, 6))),
    "the most frequent of three classes does not weigh most": (
        "class_weight_reversed", lambda: of_three([10.0, 1.0, 1.0]), lambda: of_three([1.0, 1.0, 10.0])),
    "no class has a weight below zero": (
        "class_weight_reversed", lambda: of_three([-1.0, 1.0, 10.0]), lambda: of_three([0.5, 1.0, 10.0])),
    "no yes has one either": (
        "class_weight_reversed", lambda: answers(-9.0), lambda: answers(9.0)),
    "one layer learns one output for a target": (
        "shapes_broadcast", lambda: (mlp(4), MSE, inputs(), torch.randn(N, 1)), lambda: members(MSE)),
    "of all steps": (
        "shapes_broadcast", lambda: (Tagger(1), nn.L1Loss(), classes(50, 7), torch.randn(N, 1, 1)),
        lambda: (Tagger(1), nn.L1Loss(), classes(50, 7), torch.ones(N, 1, 1))),
    "or weighs each as its own": (
        "shapes_broadcast", lambda: (mlp(3), lambda o, y: F.huber_loss(o, y, reduction="none").mean(), inputs(),
                                     torch.randn(N, 1)),
        lambda: (mlp(3), lambda o, y: (F.huber_loss(o, y, reduction="none") * torch.where(
            o > y, torch.tensor([0.9, 0.5, 0.1]), torch.tensor([0.1, 0.5, 0.9]))).mean(), inputs(),
            torch.randn(N, 1))),
    "a cross-entropy takes the logarithm of the outputs": (
        "arguments_swapped", lambda: entropy_by_hand(lambda p, y: (p, y)),
        lambda: entropy_by_hand(lambda p, y: (y, p))),
    "parts that most places are none of share the axis of the parts": (
        "softmax_wrong_axis", lambda: parts_by_overlap(-1), lambda: parts_by_overlap(1)),
    "what is read whole is not asked for word by word": (
        "labels_not_shifted", lambda: read_whole(copied=True), lambda: read_whole(copied=False)),
    "of words some of which are hidden, only those are asked for": (
        "labels_not_shifted", lambda: read_whole(copied=True, hidden=True),
        lambda: read_whole(copied=True, hidden=True, only=True)),
    "a head holds a part of each word": (
        "axes_scrambled", lambda: in_heads(False), lambda: in_heads(True)),
    "a decoder does not read what it has to write": (
        "labels_not_shifted", lambda: written(ahead=0), lambda: written(ahead=1)),
    "the tags of a text are made likely": (
        "better_outputs_cost_more", lambda: tagged(1), lambda: tagged(-1)),


    "the classes of one sample share the whole, in the loss": (
        "softmax_wrong_axis", lambda: picked(0), lambda: picked(1)),
    "what is taken from 1 is a probability": (
        "wrong_formula", lambda: focal(lambda log_p: log_p), lambda: focal(torch.exp)),
    "a no has the other sign": (
        "wrong_formula",
        lambda: (mlp(1), lambda z, y: -(y * F.logsigmoid(z) + (1 - y) * F.logsigmoid(1 - z)).sum(), inputs(),
                 labels(1)),
        lambda: (mlp(1), lambda z, y: -(y * F.logsigmoid(z) + (1 - y) * F.logsigmoid(-z)).sum(), inputs(), labels(1))),
    "labels beside a mask are judged, too": (
        "better_outputs_cost_more", lambda: tags(lambda each, mask: -(each * mask).sum() / mask.sum()),
        lambda: tags(lambda each, mask: (each * mask).sum() / mask.sum())),
    "a mask hides": (
        "padding_not_ignored", lambda: tags(lambda each, mask: (each * mask.roll(1, 1)).sum() / mask.sum()),
        lambda: tags(lambda each, mask: ((each * mask).sum(1) / mask.sum(1)).mean())),
    "what is hidden does not count": (
        "mean_over_padding", lambda: tags(lambda each, mask: (each * mask).sum() / mask.numel()),
        lambda: tags(lambda each, mask: (each * mask).sum(1).mean())),
    "both signs teach": ("labels_zero_one", lambda: of_signs(lambda y: (y + 1) / 2), lambda: of_signs(lambda y: y)),
    "labels beside void ones are judged, too": (
        "better_outputs_cost_more", lambda: with_void(-1), lambda: with_void(1)),
    "a mean has no places to weigh": ("wrong_formula", lambda: rarely("mean"), lambda: rarely("none")),
    "masks of yes and no are 0 and 1": (
        "range_cannot_reach_targets",
        lambda: (*overlap(lambda both, sizes: 2 * both / sizes)[:3], 255 * labels(1, 6, 6)),
        lambda: overlap(lambda both, sizes: 2 * both / sizes)),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINCIPLES)
def test_the_wrong_one_is_named_and_its_right_neighbour_left_alone(name):
    holds(*PRINCIPLES[name])


RIGHT = {
    "small weights, a few times smaller than torch's": lambda: (
        by_size(dense(100, 64, 32, 12, 8, 1, between=nn.Sigmoid), 0.05), LOGITS, inputs(100), labels(1)),
    "two labels of a sample, mixed": lambda: (
        mlp(5), lambda z, y: 0.7 * CE(z, y[0]) + 0.3 * CE(z, y[1]), inputs(), (classes(5), classes(5))),
    "labels mixed with those of the batch turned round": lambda: (
        mlp(5), lambda z, y: 0.3 * CE(z, y) + 0.7 * CE(z, y.flip(0)), inputs(), classes(5)),
    "a penalty on the size of logits": lambda: (
        mlp(5), lambda z, y: CE(z, y) + z.square().mean(), inputs(), classes(5)),
    "a logarithm over the sum of all": lambda: (
        mlp(5), lambda z, y: ((F.one_hot(y, 5) * z.log_softmax(1)).sum(1) / z.log_softmax(1).sum(1)).mean(), inputs(),
        classes(5)),
    "values of actions that all gained": lambda: (
        mlp(4), lambda q, y: F.mse_loss(q.gather(1, y[0][:, None])[:, 0], y[1]), inputs(), (classes(4), torch.rand(N))),
    "the hardest half alone": lambda: (
        mlp(5), lambda z, y: F.cross_entropy(z, y, reduction="none").topk(len(z) // 2).values.mean(), inputs(),
        classes(5)),
    "the largest of the others against one's own": lambda: (
        mlp(5), lambda z, y: F.relu(1 + z.masked_fill(F.one_hot(y, 5).bool(), -1e9).amax(1) - z[torch.arange(N), y]
                                    ).mean(), inputs(), classes(5)),
    "a target network that forward() calls without a gradient": lambda: (
        Part(lambda self, x: (self.net(x), Then(self.far, torch.no_grad()(lambda z: z))(x).detach()), net=mlp(6),
             far=mlp(6)), lambda o, _: MSE(o[0], o[1]), inputs(), None),
    "features of a network that is called without a gradient": lambda: (
        Part(lambda self, x: self.out(torch.no_grad()(self.features)(x)), features=mlp(6), out=nn.Linear(6, 4)), CE,
        inputs(), classes(4)),
    "a padding mask that hides nothing": lambda: (
        Part(lambda self, t, mask: self.out((self.embed(t) * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)),
             embed=nn.Embedding(50, 16), out=nn.Linear(16, 4)), CE, (classes(50, 12), torch.ones(N, 12)), classes(4)),
    "attention handed out beside the answer": lambda: (
        nn.MultiheadAttention(8, 2, batch_first=True), lambda o, y: MSE(o[0], y), (x := torch.randn(N, 5, 8), x, x),
        torch.randn(N, 5, 8)),
    "noise beside the sample": lambda: (
        Part(lambda self, x: self.net(x + 0.1 * torch.randn_like(x)), net=mlp(4)), CE, inputs(), classes(4)),
    "a count that is learnt as its logarithm": lambda: (
        mlp(1), lambda out, y: (out.exp() - y * out).mean(), inputs(), torch.poisson(torch.full((N, 1), 3.0))),
    "an episode whose rewards are added up": lambda: (
        mlp(4), lambda z, y: -(z.log_softmax(1).gather(1, y[0][:, None])[:, 0] * y[1].sum()).mean(), inputs(),
        (classes(4), torch.randn(N))),
    "features with the same means": lambda: (
        mlp(6), lambda z, y: F.l1_loss(z.mean(0), y.mean(0)), inputs(), torch.rand(N, 6)),
    "one number for a whole batch": lambda: (
        mlp(1), lambda z, y: F.mse_loss(z.relu().mean(), y.mean()) + F.mse_loss(z, y), inputs(), torch.rand(N, 1)),
    "a policy of a fixed spread and its entropy": lambda: (
        mlp(3), lambda z, y: (lambda p: -(p.log_prob(y[0]).sum(1) * y[1]).mean() - 0.01 * p.entropy().mean())(
            torch.distributions.Normal(z, 0.5 * torch.ones_like(z))), inputs(), (torch.randn(N, 3), torch.rand(N))),
    "two kinds of values to be compared as clouds": lambda: (
        mlp(2), lambda out, y: (lambda near: near(out, out) + near(y, y) - 2 * near(out, y))(
            lambda a, b: (-torch.cdist(a, b) ** 2).exp().mean()), inputs(), torch.randn(N, 2)),
    "hinges of two halves, each against the other's mean": lambda: (
        mlp(1), lambda z, _: (1 - z[:8] + z[8:].mean()).relu().mean() + (1 + z[8:] - z[:8].mean()).relu().mean(),
        inputs(), None),
    "distances of pairs": lambda: (
        Part(lambda self, a, b: F.pairwise_distance(self.net(a), self.net(b)), net=mlp(6)), lambda d, y: (
            y * d**2 + (1 - y) * (2 - d).relu() ** 2).mean(), (inputs(), inputs()), labels(1)[:, 0]),
    "boxes of which few lie upon their targets": lambda: (
        Then(mlp(4), lambda o: torch.cat([o[:, :2], o[:, :2] + F.softplus(o[:, 2:])], 1)), lambda p, t: (
            lambda both, sizes: 1 - (both / (sizes - both)).mean())(
                (torch.min(p[:, 2:], t[:, 2:]) - torch.max(p[:, :2], t[:, :2])).clamp(min=0).prod(1),
                (p[:, 2:] - p[:, :2]).prod(1) + (t[:, 2:] - t[:, :2]).prod(1)),
        inputs(), torch.rand(N, 2).mul(5).repeat(1, 2) + torch.tensor([0, 0, 1, 1])),
    "an equation that starts at the first time": lambda: (
        mlp(1), lambda u, _: (u[1:] - 0.9 * u[:-1]).square().mean() + (u[0] - 1).square().mean(),
        torch.linspace(0, 1, N)[:, None].expand(N, 8), None),
    "tags of a text by its words alone, classes before places, padding left out": lambda: (
        Then(nn.Embedding(50, 6), lambda z: z.log_softmax(-1).transpose(1, 2)), nn.NLLLoss(ignore_index=0),
        (tokens := padded_tokens(0)[0]), (tokens > 0) * torch.randint(1, 6, tokens.shape)),
    "nodes of several graphs, each among those of its own": lambda: (
        Part(lambda self, x, graph: self.out((self.first(x) @ x.T).masked_fill(graph[:, None] != graph, -torch.inf)
                                             .softmax(1) @ x), first=nn.Linear(8, 8), out=nn.Linear(8, 3)), CE,
        (inputs(), torch.arange(N) // 4), classes(3)),
    "triplets by the mean distance": lambda: (
        mlp(6), lambda z, y: (lambda d, same: F.relu(((d * same).amax(1) - (other := d.masked_fill(
            same, torch.inf).amin(1))) / other.mean() + 0.5).mean())(torch.cdist(z, z), y[:, None] == y), inputs(),
        torch.arange(N) % 4),
    "the likeness that counts stands first": lambda: (
        Then(mlp(24), lambda z: torch.einsum("nd,nkd->nk", z[:, :4], z[:, 4:].view(N, 5, 4))), CE, inputs(),
        torch.zeros(N).long()),
    "whole numbers 0 and 1 are numbers to a squared error": lambda: (mlp(1), MSE, inputs(), classes(2, 1)),
    "counts of 0 and 1": lambda: (mlp(1), nn.PoissonNLLLoss(), inputs(), classes(2, 1)),
    "whole numbers and a smooth error": lambda: (mlp(1), nn.SmoothL1Loss(), inputs(), classes(9, 1)),
    "noise by its size, with which the answer is multiplied": lambda: (
        Part(lambda self, x, size: self.net(torch.cat([x, size.log()], 1)) / size, net=dense(3, 32, 2)),
        lambda score, y: (y[1] * score + y[0]).square().sum(1).mean(),
        ((size := 0.3 + torch.rand(N, 1)) * (noise := torch.randn(N, 2)) + 1, size), (noise, size)),
    "views behind each other, with as many features as samples": lambda: (
        Part(lambda self, a, b: self.net(torch.cat([a, b]).flatten(1)), net=dense(48, 32, N)),
        lambda z, _: (lambda u: F.cross_entropy((u @ u.T / 0.5).masked_fill(torch.eye(2 * N).bool(), -torch.inf),
                                                torch.arange(2 * N).roll(N)))(F.normalize(z, dim=1)),
        (x := torch.randn(N, 3, 4, 4), x + 0.1 * torch.randn_like(x)), None),
    "views against all others": lambda: (
        mlp(6), lambda z, _: (lambda a, b: F.cross_entropy(a @ b.T / 0.1, torch.arange(N)))(
            *(F.normalize(view, dim=-1) for view in z.unbind(1))), views(), None),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_the_principles_leave_unusual_right_ones_alone(name):
    assert seeded(RIGHT[name]).ok, str(seeded(RIGHT[name]))
