"""Networks, losses and batches of the thirteenth round on texts, sounds, tables, embeddings and graphs."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.parts import N, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Part


def reviews(packed: bool):
    """Reviews of different lengths, judged by the last state of an LSTM."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        words = self.embed(tokens)
        if packed:
            lengths = (tokens != 0).sum(1)
            words = nn.utils.rnn.pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        return self.out(self.lstm(words)[1][0][-1])[:, 0]

    embed = nn.Embedding(50, 16, padding_idx=0)
    model = Part(forward, embed=embed, lstm=nn.LSTM(16, 16, batch_first=True), out=nn.Linear(16, 1))
    return model, nn.BCEWithLogitsLoss(), padded_tokens(0)[0], labels(1)[:, 0]


def orders(shifted: bool):
    """Papers of freight translated into fields by a transformer with encoder and decoder."""

    def forward(self: Part, source: Tensor, target: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1]) if shifted else None
        hidden = self.core(self.read(source), self.write(target) + self.place[: target.shape[1]], tgt_mask=mask)
        return self.out(hidden).transpose(1, 2)

    core = nn.Transformer(16, 2, 1, 1, 32, dropout=0, batch_first=True)
    embeds = {"read": nn.Embedding(50, 16), "write": nn.Embedding(50, 16)}
    model = Part(forward, **embeds, core=core, out=nn.Linear(16, 50), place=nn.Parameter(0.1 * torch.randn(10, 16)))
    source, target = classes(50, 12), classes(50, 9)
    pair = (target[:, :-1], target[:, 1:]) if shifted else (target, target)
    return model, nn.CrossEntropyLoss(), (source, pair[0]), pair[1]


def news(*ends: nn.Module):
    """Headlines classified by the first place of a small encoder, with a head of its own."""

    def forward(self: Part, tokens: Tensor, mask: Tensor) -> Tensor:
        hidden = self.encoder(self.embed(tokens) + self.place, src_key_padding_mask=~mask)
        return self.head(hidden[:, 0].tanh())

    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    parts = {"embed": nn.Embedding(50, 16), "place": nn.Parameter(0.1 * torch.randn(12, 16)), "encoder": encoder}
    model, tokens = Part(forward, **parts, head=nn.Sequential(nn.Linear(16, 5), *ends)), padded_tokens(0)[0]
    return model, nn.CrossEntropyLoss(), (tokens, tokens != 0), classes(5)


def letters(axis: int):
    """The next letter from those before it, by one head of attention whose softmax runs over an axis."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) + self.place
        scores = self.query(x) @ self.key(x).transpose(1, 2) / 4
        seen = torch.tril(torch.ones(scores.shape[1:])) == 1
        return self.out(x + scores.masked_fill(~seen, -torch.inf).softmax(axis) @ self.value(x)).transpose(1, 2)

    sides = {name: nn.Linear(16, 16, bias=False) for name in ("query", "key", "value")}
    place = nn.Parameter(0.1 * torch.randn(8, 16))
    model = Part(forward, embed=nn.Embedding(27, 16), place=place, out=nn.Linear(16, 27), **sides)
    text = classes(27, 9)
    return model, nn.CrossEntropyLoss(), text[:, :-1], text[:, 1:]


def captions(hidden: float):
    """Tags of captions, one of them empty, by an attention that hides padding with a number."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        scores = (self.query(x) @ self.key(x).transpose(1, 2) / 4).masked_fill((tokens == 0)[:, None], hidden)
        return self.out(x + scores.softmax(-1) @ x).transpose(1, 2)

    tokens = padded_tokens(0)[0]
    tokens[3] = 0
    sides = {"query": nn.Linear(16, 16), "key": nn.Linear(16, 16)}
    model = Part(forward, embed=nn.Embedding(50, 16, padding_idx=0), out=nn.Linear(16, 6), **sides)
    return model, nn.CrossEntropyLoss(ignore_index=-100), tokens, classes(6, 12).masked_fill(tokens == 0, -100)


def tagged(sign: int):
    """Tags of words by a conditional random field on a recurrent network; the model gives scores and transitions."""

    def forward(self: Part, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return self.out(self.rnn(self.embed(tokens))[0]), self.moves * 1.0

    def loss(out: tuple[Tensor, Tensor], tags: Tensor) -> Tensor:
        scores, moves = out
        path = scores.gather(2, tags[:, :, None]).sum((1, 2)) + moves[tags[:, :-1], tags[:, 1:]].sum(1)
        every = scores[:, 0]
        for step in range(1, tags.shape[1]):
            every = torch.logsumexp(every[:, :, None] + moves, 1) + scores[:, step]
        return sign * (path - torch.logsumexp(every, 1)).mean()

    rnn = nn.GRU(16, 8, bidirectional=True, batch_first=True)
    moves = nn.Parameter(0.1 * torch.randn(4, 4))
    model = Part(forward, embed=nn.Embedding(50, 16), rnn=rnn, out=nn.Linear(16, 4), moves=moves)
    return model, loss, classes(50, 7), classes(4, 7)


def preferred(beta: float):
    """Two answers to a question, one of them preferred, and what a fixed model thinks of both."""

    def forward(self: Part, *answers: Tensor) -> tuple[Tensor, Tensor]:
        def log_share(tokens: Tensor) -> Tensor:
            log_p = self.out(self.rnn(self.embed(tokens[:, :-1]))[0]).log_softmax(-1)
            return log_p.gather(2, tokens[:, 1:, None]).sum((1, 2))

        return log_share(answers[0]), log_share(answers[1])

    def loss(out: tuple[Tensor, Tensor], fixed: tuple[Tensor, Tensor]) -> Tensor:
        return -F.logsigmoid(beta * ((out[0] - out[1]) - (fixed[0] - fixed[1]))).mean()

    rnn = nn.GRU(16, 16, batch_first=True)
    model = Part(forward, embed=nn.Embedding(30, 16), rnn=rnn, out=nn.Linear(16, 30))
    return model, loss, (classes(30, 6), classes(30, 6)), (torch.randn(N) - 17, torch.randn(N) - 17)


def spoken(silence: bool, blank: int = 0):
    """Sounds to letters 1 to 9, with a 0 for the silence around them or without."""

    def loss(log_shares: Tensor, y: Tensor) -> Tensor:
        lengths = torch.full((N,), 20), torch.full((N,), y.shape[1])
        return F.ctc_loss(log_shares.transpose(0, 1), y, *lengths, blank=blank)

    letters = torch.randint(1, 10, (N, 5))
    letters = F.pad(letters, (1, 1)) if silence else letters
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 11), nn.LogSoftmax(-1))
    return model, loss, torch.randn(N, 20, 8), letters


def thinned(stride: int):
    """Sounds of twenty steps, thinned out by a convolution, to six letters."""

    def loss(log_shares: Tensor, y: Tensor) -> Tensor:
        steps = log_shares.shape[1]
        return F.ctc_loss(log_shares.transpose(0, 1), y, torch.full((N,), steps), torch.full((N,), 6))

    def forward(self: Part, x: Tensor) -> Tensor:
        return self.out(self.thin(x.transpose(1, 2)).relu().transpose(1, 2)).log_softmax(-1)

    model = Part(forward, thin=nn.Conv1d(8, 16, stride, stride), out=nn.Linear(16, 11))
    return model, loss, torch.randn(N, 20, 8), torch.arange(6).repeat(N, 1) + torch.randint(1, 5, (N, 1))


def noisy(scale: float):
    """How much of each band of a noisy sound is speech; the sound is 16-bit samples divided by a number."""

    def forward(self: Part, x: Tensor) -> Tensor:
        return self.out(self.rnn(self.into(x).tanh())[0]).sigmoid()

    sound = torch.randint(-32768, 32768, (N, 20, 8)).float() / scale
    rnn = nn.GRU(16, 16, batch_first=True)
    model = Part(forward, into=nn.Linear(8, 16), rnn=rnn, out=nn.Linear(16, 6))
    return model, nn.MSELoss(), sound, torch.rand(N, 20, 6)


def city_sounds(*ends: nn.Module):
    """Sounds of a city, classified by a convolutional network on their spectrograms."""
    layers = (nn.Conv2d(1, 8, 3, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(200, 10))
    return nn.Sequential(*layers, *ends), nn.CrossEntropyLoss(), inputs(1, 8, 8), classes(10)


def hidden_cells(mean_for_zero: bool):
    """Cells of a table that were hidden, filled in; each column's error is divided by its variance, if it has one."""

    def loss(out: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        table, hidden = y
        spread = table.std(0) ** 2
        spread = torch.where(spread == 0, table.mean(0) if mean_for_zero else torch.ones(8), spread)
        each = (((out - table) * hidden) ** 2) @ (1 / spread)
        return (each / (hidden.sum(1) + 1e-9)).mean()

    table, hidden = inputs(), (torch.rand(N, 8) < 0.3).float()
    table[:, 3], hidden[:2, 3] = -0.5, 1
    return mlp(8), loss, table * (1 - hidden), (table, hidden)


def outliers(*ends: nn.Module):
    """Standardised rows of a table, taken through four units and back."""
    x = inputs()
    return (
        nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 8), *ends),
        nn.MSELoss(),
        x,
        x,
    )


def clicks(scale: float):
    """Clicks by a factorisation machine and a deep network, from four numbers and three fields."""

    def forward(self: Part, numbers: Tensor, fields: Tensor) -> Tensor:
        parts = torch.cat([numbers[:, :, None] * self.weigh, self.embed(fields)], 1)
        pairs = 0.5 * (parts.sum(1) ** 2 - (parts**2).sum(1)).sum(1)
        return pairs + self.deep(parts.flatten(1))[:, 0] + self.linear(numbers)[:, 0]

    deep = nn.Sequential(nn.Linear(28, 16), nn.ReLU(), nn.Linear(16, 1))
    layers = {"embed": nn.Embedding(30, 4), "deep": deep, "linear": nn.Linear(4, 1)}
    nn.init.normal_(layers["embed"].weight, std=0.1)
    model = Part(forward, weigh=nn.Parameter(0.1 * torch.randn(4, 4)), **layers)
    numbers = torch.randn(N, 4) if scale == 1 else scale * torch.rand(N, 4)
    return model, nn.BCEWithLogitsLoss(), (numbers, classes(30, 3)), labels(1)[:, 0]


def words_around(each: bool):
    """A word, a word beside it, and five that are not; the scores of the five are summed up before or after."""

    def forward(self: Part, word: Tensor, beside: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        own = self.word(word)
        return (own * self.beside(beside)).sum(1), (self.beside(others) @ own[:, :, None])[:, :, 0]

    def loss(out: tuple[Tensor, Tensor], _: None) -> Tensor:
        beside, others = out
        off = F.logsigmoid(-others).sum(1) if each else F.logsigmoid(-others.sum(1))
        return -(F.logsigmoid(beside) + off).mean()

    model = Part(forward, word=nn.Embedding(40, 8), beside=nn.Embedding(40, 8))
    return model, loss, (classes(40), classes(40), classes(40, 5)), None


def word_pairs(own: bool):
    """A word and a word beside it, with five that are not; each meets its own neighbour or that of all."""

    def forward(self: Part, word: Tensor, beside: Tensor, others: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.word(word), self.beside(beside), self.beside(others)

    def loss(out: tuple[Tensor, Tensor, Tensor], _: None) -> Tensor:
        word, beside, others = out
        near = (word * beside).sum(1) if own else word @ beside.T
        far = (others @ word[:, :, None])[:, :, 0]
        return -near.sigmoid().log().mean() - F.logsigmoid(-far).sum(1).mean()

    model = Part(forward, word=nn.Embedding(40, 8), beside=nn.Embedding(40, 8))
    for embed in (model.word, model.beside):
        nn.init.normal_(embed.weight, std=0.3)
    return model, loss, (classes(40), classes(40), classes(40, 5)), None


def molecules(minus_infinity: bool):
    """Atoms of four molecules in a batch; each attends to those of its own molecule."""

    def forward(self: Part, atoms: Tensor, molecule: Tensor) -> Tensor:
        scores, same = self.query(atoms) @ self.key(atoms).T / 4, molecule[:, None] == molecule
        scores = scores.masked_fill(~same, -torch.inf) if minus_infinity else scores * same
        return self.out(atoms + scores.softmax(-1) @ self.value(atoms))

    sides = {name: nn.Linear(8, 8) for name in ("query", "key", "value")}
    model = Part(forward, out=nn.Linear(8, 3), **sides)
    return model, nn.CrossEntropyLoss(), (inputs(), torch.arange(N) // 4), classes(3)
