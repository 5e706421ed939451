"""Networks, losses and batches of the fourteenth round on texts, sounds, tables, embeddings and graphs."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.parts import N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Part


def causal(length: int, words: int = 50) -> Part:
    """A small transformer that sees the tokens so far, its scores [N, L, words]."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.out(self.block(self.embed(tokens) + self.place[: tokens.shape[1]], mask))

    block = nn.TransformerEncoderLayer(16, 2, 32, dropout=0, batch_first=True)
    place = nn.Parameter(0.1 * torch.randn(length, 16))
    return Part(forward, embed=nn.Embedding(words, 16), place=place, block=block, out=nn.Linear(16, words))


def two_languages() -> Part:
    """A transformer that reads a padded sentence and writes a padded one."""

    def forward(self: Part, source: Tensor, target: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        hide = (source == 0).float().masked_fill(source == 0, -torch.inf)
        read, write = self.read(source) + self.place[:12], self.write(target) + self.place[: target.shape[1]]
        return self.out(self.core(read, write, tgt_mask=mask, src_key_padding_mask=hide, memory_key_padding_mask=hide))

    core = nn.Transformer(16, 2, 1, 1, 32, dropout=0, batch_first=True)
    parts = {"read": nn.Embedding(50, 16), "write": nn.Embedding(50, 16), "out": nn.Linear(16, 50)}
    return Part(forward, core=core, place=nn.Parameter(0.1 * torch.randn(12, 16)), **parts)


def translated(ignored: int):
    """Sentences in another language, of different lengths, by a cross-entropy that leaves a number out."""
    source, target = padded_tokens(0)[0], padded_tokens(0)[0]

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out.reshape(-1, 50), y.reshape(-1), ignore_index=ignored)

    return two_languages(), loss, (source, target[:, :-1]), target[:, 1:]


def answered(counted: bool):
    """Answers to questions; the questions and the padding are masked, and the mean is over what counts or over all."""

    def loss(out: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        tokens, mask = y
        each = F.cross_entropy(out.transpose(1, 2), tokens, reduction="none") * mask
        return each.sum() / mask.sum() if counted else each.mean()

    tokens = padded_tokens(0)[0]
    after = tokens[:, 1:]
    mask = ((after != 0) & (torch.arange(11) > 3)).float()
    return causal(12), loss, tokens[:, :-1], (after, mask)


def music(ignored: int):
    """The next event of pieces of music, of different lengths, with a smoothed cross-entropy."""
    tokens = padded_tokens(0)[0]
    model = Then(Tagger(50), lambda z: z.transpose(1, 2))
    return model, nn.CrossEntropyLoss(ignore_index=ignored, label_smoothing=0.1), tokens[:, :-1], tokens[:, 1:]


def masked_labels(kept: bool):
    """The next word of padded texts; where there is none, the label -100 is kept or becomes a 0."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        after = y[..., 1:].contiguous()
        if not kept:
            after[after == -100] = 0
        return nn.CrossEntropyLoss(ignore_index=-100)(out[..., :-1, :].reshape(-1, 50), after.reshape(-1))

    tokens = padded_tokens(0)[0]
    return causal(12), loss, tokens, tokens.masked_fill(tokens == 0, -100)


def summaries(valid: bool):
    """Summaries written from articles, by smoothed shares; the padding counts or does not."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        log_p = out.log_softmax(-1)
        with torch.no_grad():
            shares = torch.full_like(log_p, 0.1 / 49).scatter_(2, y[:, :, None], 0.9)
        each = -(shares * log_p).sum(-1)
        return each[y != 0].mean() if valid else each.mean()

    article, summary = padded_tokens(0)[0], padded_tokens(0)[0]
    return two_languages(), loss, (article, summary[:, :-1]), summary[:, 1:]


def smoothed(by_count: bool):
    """Smoothed likelihood of words, flat over the places; the padding is left out of the sum, not of the count."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        log_p, y = out.log_softmax(-1).reshape(-1, 50), y.reshape(-1, 1)
        padded = y == 0
        own = -log_p.gather(1, y).masked_fill(padded, 0)
        every = -log_p.sum(1, keepdim=True).masked_fill(padded, 0)
        count = (~padded).sum() if by_count else log_p.shape[0]
        return (0.9 * own.sum() + 0.1 / 50 * every.sum()) / count

    tokens = padded_tokens(0)[0]
    return causal(12), loss, tokens[:, :-1], tokens[:, 1:]


def own_words(shifts: int):
    """A language model and the tokens as labels, shifted in the loss, before it, in both or in neither."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        if shifts:
            out, y = out[:, :-1], y[:, 1:]
        return F.cross_entropy(out.reshape(-1, 50), y.reshape(-1))

    text = classes(50, 12)
    return (causal(12), loss, text[:, :-1], text[:, 1:]) if shifts == 2 else (causal(12), loss, text, text)


def birds(*ends: nn.Module):
    """Songs of birds by a new last layer on a spectrogram, with one-hot labels and a softmax in the loss."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return -(y * F.log_softmax(out, 1)).sum(1).mean()

    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 6), *ends)
    return model, loss, inputs(1, 10, 10), F.one_hot(classes(6), 6).float()


def spread_out(flat: bool):
    """Mean and deviation of a number from a row of a table; the number has an axis of its own."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        normal = torch.distributions.Normal(out[:, 0], F.softplus(out[:, 1]) + 1e-6)
        return -normal.log_prob(y.squeeze(-1) if flat else y).mean()

    x = inputs()
    return mlp(2), loss, x, x[:, :1] - x[:, 1:2] + 0.1 * torch.randn(N, 1)


def implicit_quantiles(turned: bool):
    """Quantiles of a series' next number; which one is drawn at random and handed to the network."""

    def forward(self: Part, x: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
        return self.out(self.net(x) * self.tau(tau).relu())[:, 0], tau[:, 0]

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        value, tau = out
        if turned:
            return ((tau - (value < y).float()) * (value - y)).mean()
        return ((tau - (y < value).float()) * (y - value)).mean()

    model = Part(forward, net=mlp(16, nn.ReLU()), tau=nn.Linear(1, 16), out=nn.Linear(16, 1))
    return model, loss, (inputs(), torch.rand(N, 1)), torch.randn(N)


def yes_or_no(second: bool):
    """Yes or no to a row of a table, by a cross-entropy of probabilities written out."""

    def loss(share: Tensor, y: Tensor) -> Tensor:
        no = 1 - share + 1e-7
        return -(y * (share + 1e-7).log() + (1 - y) * (no.log() if second else no)).mean()

    return mlp(1, nn.Sigmoid(), nn.Flatten(0)), loss, inputs(), labels(1)[:, 0]


def by_class(largest: bool):
    """Features of one class drawn together; the largest likeness is taken off in one place or nowhere."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        same = (y[:, None] == y).float()
        if largest:
            likeness = out @ out.T / 0.1
            shares = (likeness - likeness.max(1, keepdim=True)[0]).exp()
            log_p = likeness - shares.sum(1, keepdim=True).log()
        else:
            units, itself = F.normalize(out, dim=1), torch.eye(len(out))
            same = same * (1 - itself)
            likeness = units @ units.T / 0.1
            log_p = likeness - likeness.masked_fill(itself == 1, -torch.inf).logsumexp(1, keepdim=True)
        return -((same * log_p).sum(1) / same.sum(1)).mean()

    return mlp(6), loss, inputs(), torch.arange(N) % 4


def alone(guarded: bool):
    """Features of one class drawn together; one sample is the only one of its class in the batch."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        units = F.normalize(out, dim=1)
        likeness, others = units @ units.T / 0.1, 1 - torch.eye(len(out))
        likeness = likeness - likeness.max(1, keepdim=True)[0].detach()
        same = (y[:, None] == y).float() * others
        log_p = likeness - (likeness.exp() * others).sum(1, keepdim=True).log()
        count = same.sum(1)
        return -((same * log_p).sum(1) / (torch.where(count < 1e-6, 1, count) if guarded else count)).mean()

    y = torch.arange(N) % 4
    y[5] = 7
    return mlp(6), loss, inputs(), y


def neighbours(sign: int):
    """Members of a graph, near their neighbours and far from others, by units of length 1."""

    def forward(self: Part, x: Tensor, edges: Tensor) -> Tensor:
        hidden = self.first(torch.cat([x, edges @ x], 1)).relu()
        return F.normalize(self.second(torch.cat([hidden, edges @ hidden], 1)), dim=1)

    def loss(out: Tensor, pairs: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        own, near, others = (out[places] for places in pairs)
        return sign * ((own * near).sum(1) - (own @ others.T).exp().sum(1).log()).sum()

    edges = (torch.rand(N, N) < 0.2).float() + torch.eye(N)
    model = Part(forward, first=nn.Linear(16, 16), second=nn.Linear(32, 8))
    pairs = (torch.arange(N), (torch.arange(N) + 1) % N, torch.randint(0, N, (5,)))
    return model, loss, (inputs(), edges / edges.sum(1, keepdim=True)), pairs


def faces(own_only: bool):
    """People told apart by angles with a margin, which is added to the true one only or to all."""

    def forward(self: Part, x: Tensor) -> Tensor:
        return F.normalize(self.net(x), dim=1) @ F.normalize(self.people, dim=1).T

    def loss(cosines: Tensor, y: Tensor) -> Tensor:
        cosines = cosines.clamp(-1 + 1e-6, 1 - 1e-6)
        own = cosines.gather(1, y[:, None])
        off = (own.acos() + 0.5).cos() - own
        if own_only:
            off = off * F.one_hot(y, 5)
        return F.cross_entropy(16 * (cosines + off), y)

    return Part(forward, net=mlp(8), people=nn.Parameter(torch.randn(5, 8))), loss, inputs(), classes(5)


def liked(cost: Callable) -> tuple:
    """Users, things that they liked and things that they did not see, by the difference of two scores."""

    def forward(self: Part, user: Tensor, liked: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        own = self.user(user)
        return (own * self.thing(liked)).sum(1), (own * self.thing(other)).sum(1)

    model = Part(forward, user=nn.Embedding(30, 8), thing=nn.Embedding(40, 8))
    return model, lambda out, _: cost(out[0] - out[1]).mean(), (classes(30), classes(40), classes(40)), None
