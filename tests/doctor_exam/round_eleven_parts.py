"""Networks, losses and batches of the eleventh round; a flag says whether the slip is in or repaired."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.fresh_wrong import pair
from doctor_exam.parts import N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part, divergence
from doctor_exam.round_seven import log_p
from doctor_exam.unseen_wrong import mask_head


def clipped_bce(p: Tensor, y: Tensor) -> Tensor:
    """A cross-entropy that clips the shares first, as Keras does."""
    return F.binary_cross_entropy(p.clamp(1e-7, 1 - 1e-7), y)


def either_or() -> tuple[Tensor, Tensor]:
    """The four pairs of bits four times, and whether exactly one of the two is set."""
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).repeat(4, 1)
    return x, (x.sum(1, keepdim=True) == 1).float()


def proposals(guarded: bool, overlaps: Tensor):
    """Scores of proposals; good and bad ones are weighed by how many there are."""

    def loss(score: Tensor, overlap: Tensor) -> Tensor:
        good = (overlap > 0.9).float()
        count = good.sum().clamp(min=1) if guarded else good.sum()
        ratio = len(overlap) / count
        on_good = 0.5 * ratio * (score + 1e-6).log() * good
        on_bad = 0.5 * ratio / (ratio - 1) * (1 - score + 1e-6).log() * (1 - good)
        return -(on_good + on_bad).mean()

    return mlp(1, nn.Sigmoid()), loss, inputs(), overlaps


def sparse_masks(smooth: float):
    """Masks of pictures of which half show only background, and the overlap of each picture."""

    def loss(p: Tensor, y: Tensor) -> Tensor:
        overlap, both = (p * y).sum((1, 2, 3)), p.sum((1, 2, 3)) + y.sum((1, 2, 3))
        return (1 - (2 * overlap + smooth) / (both + smooth)).mean()

    y = labels(1, 6, 6)
    y[N // 2 :] = 0
    return mask_head(nn.Sigmoid()), loss, inputs(3, 6, 6), y


def matching(slip: bool):
    """Two pictures of each sample, likened to five known ones; the losses are added up."""

    def forward(self: Part, known: Tensor, asked: Tensor) -> Tensor:
        known, asked = self.embed(known)[:, None], self.embed(asked)[:, :, None]
        return 10 * F.cosine_similarity(asked, known, dim=-1)

    def loss(scores: Tensor, wanted: Tensor) -> Tensor:
        accuracy = total = torch.zeros(())
        for place in range(2):
            here, y = scores[:, place], wanted[:, place]
            accuracy = accuracy + (here.argmax(1) == y).float().mean()
            total = (accuracy if slip and place else total) + F.cross_entropy(here, y)
        return total / 2

    return Part(forward, embed=mlp(6)), loss, (torch.randn(N, 5, 8), torch.randn(N, 2, 8)), classes(5, 2)


def siren(scaled: bool):
    """A picture as a function of its coordinates, with sines for activations."""
    first = nn.Linear(2, 32)
    nn.init.uniform_(first.weight, -0.5, 0.5)

    def forward(self: Part, place: Tensor) -> Tensor:
        return self.out((30 * self.second((30 * self.first(place)).sin())).sin())

    second = nn.Linear(32, 32)
    nn.init.uniform_(second.weight, -0.0144, 0.0144)
    place = torch.randint(0, 256, (N, 2)).float()
    part = Part(forward, first=first, second=second, out=nn.Linear(32, 1))
    return part, nn.MSELoss(), place / 127.5 - 1 if scaled else place, torch.rand(N, 1)


def detector(kinds: Tensor):
    """Six boxes of each picture: two classes, of which 0 is background, and offsets."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.scores(x).view(N, 6, 2), self.offsets(x).view(N, 6, 4)

    def loss(o: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        found = y[0] > 0
        each = F.cross_entropy(o[0].transpose(1, 2), y[0], reduction="none")
        hardest = each[~found].sort(descending=True).values[: 3 * int(found.sum())]
        shifts = F.smooth_l1_loss(o[1], y[1], reduction="none").sum(-1)[found]
        return (each[found].sum() + hardest.sum() + shifts.sum()) / found.sum().clamp(min=1)

    return Part(forward, scores=mlp(12), offsets=mlp(24)), loss, inputs(), (kinds, torch.randn(N, 6, 4))


def extractor(added: bool):
    """Tags of words, and a wish that every sentence has a tagged one."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        total = F.cross_entropy(z.transpose(1, 2), y)
        constraint = (1 - z.softmax(-1)[..., 1:].sum(-1).max(1).values).mean()
        return total + constraint if added else constraint

    return Tagger(4), loss, classes(50, 12), classes(4, 12)


def gains(low: float, scale: float):
    """Gains of frequency bands, compared by their roots."""
    return (mlp(6, nn.Sigmoid()), lambda g, y: (((y + low) ** 0.5 - (g + low) ** 0.5) ** 2).mean(), scale * inputs(),
            torch.rand(N, 6))  # fmt: skip


def answers(mask: Tensor):
    """The cross-entropy of the tokens that a mask keeps."""
    return (Tagger(50), lambda z, y: F.cross_entropy(z[y[1]], y[0][y[1]]), classes(50, 12), (classes(50, 12), mask))


def molecules(known_only: bool):
    """Six properties of molecules, some of them not measured."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        known = ~y.isnan() if known_only else torch.ones_like(y, dtype=torch.bool)
        return F.binary_cross_entropy_with_logits(z[known], y[known])

    return mlp(6), loss, inputs(), labels(6).masked_fill(torch.rand(N, 6) < 0.2, torch.nan)


def painter(whole: bool):
    """A variational autoencoder of pictures: the error of a pixel or of the whole picture beside a divergence."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (log_var / 2).exp()).sigmoid(), mean, log_var

    def loss(o: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        errors = (o[0] - x) ** 2
        return (errors.sum(1).mean() if whole else errors.mean()) + divergence(*o[1:])

    x = torch.rand(N, 192)
    return Part(forward, encode=dense(192, 32, 16), decode=dense(8, 32, 192)), loss, x, x


def imagined(ahead: int, ends: bool):
    """The worth of imagined steps: a reward and the worth of a later step, unless the game ended."""

    def loss(worth: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        rewards, over = y
        later = 0.99 * worth.detach()[:, ahead:]
        later = later * (1 - over[:, :-ahead]) if ends else later
        return F.mse_loss(worth[:, :-ahead], rewards[:, :-ahead] + later)

    over = (torch.rand(N, 10) < 0.2).float()
    return Then(mlp(1), lambda v: v[..., 0]), loss, torch.randn(N, 10, 8), (torch.randn(N, 10), over)


def clipped_policy(with_value: bool):
    """PPO: a clipped gain of the policy, and the value's error."""

    def loss(o: tuple[Tensor, Tensor], y: tuple) -> Tensor:
        actions, before, gain, returns = y
        ratio = (log_p(o[0], actions) - before).exp()
        better = torch.min(ratio * gain, ratio.clamp(0.7, 1.3) * gain).mean()
        return -better + (0.5 * F.mse_loss(o[1][:, 0], returns) if with_value else 0)

    y = (classes(4), torch.full((N,), -1.386), torch.randn(N), torch.randn(N))
    return pair(policy=4, value=1), loss, inputs(), y


def likened(a: Tensor, b: Tensor) -> Tensor:
    """A contrastive loss: each of one side finds its partner among all of the other."""
    return F.cross_entropy(F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / 0.1, torch.arange(len(a)))


def retrieval(added: bool):
    """Pictures found by a picture and a text: what is asked and found, and what the text says of both."""

    def loss(o: tuple[Tensor, ...], _: None) -> Tensor:
        reasoning, contrast = likened(o[2], o[3]), likened(o[0], o[1])
        return contrast + 0.5 * reasoning if added else contrast

    return pair(asked=6, found=6, reason=6, text=6), loss, inputs(), None


def focal(first: Callable):
    """A focal loss by hand, with a function for how much the positives count."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        p = z.sigmoid()
        positives = y * 0.75 * first(1 - p) * p.log()
        return -(positives + (1 - y) * 0.25 * p**2 * (1 - p).log()).mean()

    return mlp(1), loss, inputs(), labels(1)


def attends(bias: Callable) -> Part:
    """A layer of attention in both directions; the scores get a bias."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        h = self.embed(tokens) + self.place.weight
        queries, keys, values = self.project(h).chunk(3, -1)
        scores = queries @ keys.mT / 4 + bias(tokens)
        return self.out(h + scores.softmax(-1) @ values)

    return Part(forward, embed=nn.Embedding(50, 16), place=nn.Embedding(12, 16), project=nn.Linear(16, 48),
                out=nn.Linear(16, 50))  # fmt: skip


def hidden_words() -> tuple[Tensor, Tensor]:
    """Padded texts in which some words are hidden, and those words; the padding and the rest are not judged."""
    tokens = padded_tokens(0)[0]
    tokens[:, -3:] = 0
    hide = (torch.rand(N, 12) < 0.3) & (tokens > 0)
    hide[:, 0] = True
    return tokens.masked_fill(hide, 49), tokens.masked_fill(~hide, -100)


def guessing(model: Part):
    """A model that guesses hidden words."""
    return model, lambda z, y: F.cross_entropy(z.transpose(1, 2), y), *hidden_words()


def next_word(model: Part):
    """A model that guesses the next word."""
    tokens = classes(50, 13)
    return model, lambda z, y: F.cross_entropy(z.transpose(1, 2), y), tokens[:, :-1], tokens[:, 1:]


def drone(still_goal: bool):
    """Policy and value of single steps: a reward and the worth of the next state are the goal."""

    def forward(self: Part, state: Tensor, after: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.policy(state), self.value(state)[:, 0], self.value(after)[:, 0]

    def loss(o: tuple[Tensor, Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        later = o[2].detach() if still_goal else o[2]
        gain = y[1] + 0.99 * later - o[1]
        return -(log_p(o[0], y[0]) * gain.detach()).mean() + (gain**2).mean()

    return Part(forward, policy=mlp(4), value=mlp(1)), loss, (inputs(), inputs()), (classes(4), torch.randn(N))


def gestures(axis: int):
    """Movements from speech; their speeds are compared as well."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.mse_loss(out, y) + 0.6 * F.mse_loss(out.diff(dim=axis), y.diff(dim=axis))

    part = Part(lambda self, x: self.out(self.rnn(x)[0]), rnn=nn.GRU(8, 16, batch_first=True), out=nn.Linear(16, 3))
    return part, loss, torch.randn(N, 12, 8), torch.randn(N, 12, 3)


def summed(squeezed: bool):
    """The sum of two numbers by one linear layer, taken [N, 1] or [N]."""
    x = torch.rand(N, 2)
    model = Then(nn.Linear(2, 1), lambda out: out[:, 0]) if squeezed else nn.Linear(2, 1)
    return model, nn.MSELoss(), x, x.sum(1)
