"""Set-ups of the twenty-fourth round (texts and speech), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes
from doctor_exam.round_parts import Part

TWENTY_FOUR_TEXTS = CaseSet()
right = TWENTY_FOUR_TEXTS.right


def texts(length: int = 12, count: int = N) -> tuple[Tensor, Tensor]:
    """Token numbers from 4 to 49 and an end (2), filled up behind with zeros, and their lengths, the longest first."""
    lengths = torch.randint(5, length + 1, (count,)).sort(descending=True).values
    lengths[0] = length
    tokens = torch.randint(4, 50, (count, length)).scatter(1, lengths[:, None] - 1, 2)
    return tokens * (torch.arange(length) < lengths[:, None]), lengths


def causal(length: int) -> Tensor:
    """True where a token must not look."""
    return torch.ones(length, length, dtype=torch.bool).triu(1)


class Encoder(nn.Module):
    """A small BERT: tokens, segments and positions through a transformer that leaves padding out."""

    def __init__(self, words: int = 50, width: int = 32, layers: int = 1) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width, padding_idx=0), nn.Embedding(64, width)
        self.segments, self.norm, self.drop = nn.Embedding(2, width), nn.LayerNorm(width), nn.Dropout(0.1)
        layer = nn.TransformerEncoderLayer(width, 4, 64, activation="gelu", batch_first=True)
        self.body = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, ids: Tensor, mask: Tensor, segments: Tensor | None = None) -> Tensor:
        """Hidden states [N, L, width]."""
        x = self.words(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))
        x = x + self.segments(torch.zeros_like(ids) if segments is None else segments)
        return self.body(self.drop(self.norm(x)), src_key_padding_mask=mask == 0)


def mean_of(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean of the hidden states that are no padding."""
    mask = mask.unsqueeze(-1).expand(hidden.size()).float()
    return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)


@right("Shakespeare: nanoGPT on letters", "github.com/karpathy/nanoGPT train_shakespeare_char")
def nano_gpt():
    """A pre-norm decoder with tied weights predicts the next of 65 letters at every place."""
    layer = nn.TransformerEncoderLayer(32, 4, 128, 0.2, "gelu", batch_first=True, norm_first=True)

    def forward(self: Part, idx: Tensor) -> Tensor:
        x = self.drop(self.wte(idx) + self.wpe(torch.arange(idx.shape[1], device=idx.device)))
        return self.lm_head(self.ln_f(self.block(x, src_mask=causal(idx.shape[1]).to(idx.device))))

    model = Part(forward, wte=nn.Embedding(65, 32), wpe=nn.Embedding(32, 32), drop=nn.Dropout(0.2), block=layer)
    model.ln_f, model.lm_head = nn.LayerNorm(32), nn.Linear(32, 65, bias=False)
    nn.init.normal_(model.wte.weight, std=0.02)
    model.lm_head.weight = model.wte.weight
    data = (torch.randint(0, 65, (N, 1)) + 3 * torch.arange(33)) % 65
    loss = lambda logits, y: F.cross_entropy(logits.view(-1, logits.size(-1)), y.view(-1), ignore_index=-1)  # noqa: E731
    return model, loss, data[:, :-1].contiguous(), data[:, 1:].contiguous()


@right("names: makemore's MLP", "github.com/karpathy/nn-zero-to-hero makemore part 2")
def makemore():
    """Three letters, dots before the name's beginning, and the letter that follows."""
    net = nn.Sequential(nn.Embedding(27, 10), nn.Flatten(), nn.Linear(30, 64), nn.Tanh(), nn.Linear(64, 27))
    x = torch.randint(1, 27, (32, 3))
    x[:4], x[4:8, :2], x[8:12, :1] = 0, 0, 0
    return net, F.cross_entropy, x, (x.sum(1) + 5) % 27


@right("film reviews: Udacity's LSTM", "Udacity deep-learning-v2-pytorch sentiment-rnn")
def udacity_reviews():
    """Reviews with zeros in front, the sigmoid at the last step, BCELoss."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        out, hidden = self.lstm(self.embedding(x))
        out = self.sig(self.fc(self.dropout(out.contiguous().view(-1, 32))))
        return out.view(x.size(0), -1)[:, -1], hidden

    model = Part(forward, embedding=nn.Embedding(50, 24), lstm=nn.LSTM(24, 32, 2, dropout=0.5, batch_first=True))
    model.dropout, model.fc, model.sig = nn.Dropout(0.3), nn.Linear(32, 1), nn.Sigmoid()
    x = torch.randint(1, 50, (N, 12)) * (torch.arange(12) >= torch.randint(0, 8, (N, 1)))
    return model, lambda out, y: F.binary_cross_entropy(out[0].squeeze(), y.float()), x, (x[:, -1] > 25).long()


@right("Anna Karenina: one-hot letters", "Udacity deep-learning-v2-pytorch char-rnn")
def anna():
    """One-hot letters through an LSTM; the next letters, all steps in one row."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        out, hidden = self.lstm(x)
        return self.fc(self.dropout(out).contiguous().view(-1, 48)), hidden

    model = Part(
        forward, lstm=nn.LSTM(30, 48, 2, dropout=0.5, batch_first=True), dropout=nn.Dropout(0.5), fc=nn.Linear(48, 30)
    )
    text = (torch.randint(0, 30, (8, 1)) + 7 * torch.arange(21)) % 30
    loss = lambda out, y: F.cross_entropy(out[0], y.view(8 * 20).long())  # noqa: E731
    return model, loss, F.one_hot(text[:, :-1], 30).float(), text[:, 1:].contiguous()


@right("BERT from scratch: words and next sentence", "d2l.ai 15.10 pretraining BERT")
def d2l_bert():
    """Masked words at given places, weighted by zero where a place is filler, and is-next."""

    def forward(self: Part, tokens: Tensor, segments: Tensor, valid: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        x = self.encoder(tokens, torch.arange(tokens.shape[1], device=tokens.device) < valid[:, None], segments)
        picked = x[torch.arange(len(x), device=x.device)[:, None], places]
        return self.mlm(picked), self.nsp(self.hidden(x[:, 0]))

    model = Part(forward, encoder=Encoder())
    model.mlm = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.LayerNorm(32), nn.Linear(32, 50))
    model.hidden, model.nsp = nn.Sequential(nn.Linear(32, 32), nn.Tanh()), nn.Linear(32, 2)
    tokens, valid = texts(24)
    tokens[:, 0] = 1
    segments = ((torch.arange(24) >= valid[:, None] // 2) & (tokens > 0)).long()
    places = torch.stack([1 + torch.randperm(3) for _ in range(N)])
    weights = torch.ones(N, 3)
    places[valid < 14, 2], weights[valid < 14, 2] = 0, 0
    words = tokens.gather(1, places) * (weights > 0)
    tokens = tokens.scatter(1, places, 3)
    tokens[:, 0] = 1

    def loss(outputs: tuple, targets: tuple) -> Tensor:
        words, weights, follows = targets
        mlm = F.cross_entropy(outputs[0].reshape(-1, 50), words.reshape(-1), reduction="none") * weights.reshape(-1)
        return mlm.sum() / (weights.sum() + 1e-8) + F.cross_entropy(outputs[1], follows)

    return model, loss, (tokens, segments, valid, places), (words, weights, classes(2))


@right("translation: GRU, masked by hand", "d2l.ai 10.7 sequence-to-sequence learning")
def d2l_seq2seq():
    """The encoder's last state joins every decoder input; padding is multiplied away."""

    def forward(self: Part, source: Tensor, target: Tensor) -> Tensor:
        output, state = self.encoder(self.source(source.t()))
        embs = self.target(target.t())
        context = output[-1].repeat(embs.shape[0], 1, 1)
        return self.dense(self.decoder(torch.cat((embs, context), -1), state)[0]).swapaxes(0, 1)

    model = Part(forward, source=nn.Embedding(50, 24), target=nn.Embedding(50, 24))
    model.encoder, model.decoder = nn.GRU(24, 24, 2, dropout=0.2), nn.GRU(48, 24, 2, dropout=0.2)
    model.dense = nn.Linear(24, 50)
    source, target = texts(9)[0], texts(10)[0]
    target[:, 0] = 1

    def loss(out: Tensor, y: Tensor) -> Tensor:
        each, mask = F.cross_entropy(out.reshape(-1, 50), y.reshape(-1), reduction="none"), (y.reshape(-1) != 0).float()
        return (each * mask).sum() / mask.sum()

    return model, loss, (source, target[:, :-1]), target[:, 1:]


@right("chatbot: attention and maskNLLLoss", "pytorch.org/tutorials chatbot_tutorial")
def chatbot():
    """Time first, a packed two-way GRU, dot attention, softmax, and the logarithm in the loss."""

    def forward(self: Part, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        out, hidden = self.encoder(pack_padded_sequence(self.embedding(source), lengths.cpu()))
        out = pad_packed_sequence(out)[0]
        out = out[:, :, :24] + out[:, :, 24:]
        state, _ = self.decoder(self.dropout(self.embedding(target)), hidden[:1])
        weights = torch.einsum("tnh,snh->tns", state, out).softmax(2)
        context = torch.einsum("tns,snh->tnh", weights, out)
        return self.out(torch.tanh(self.concat(torch.cat((state, context), 2)))).softmax(2)

    model = Part(forward, embedding=nn.Embedding(50, 24), encoder=nn.GRU(24, 24, bidirectional=True))
    model.dropout, model.decoder, model.concat = nn.Dropout(0.1), nn.GRU(24, 24), nn.Linear(48, 24)
    model.out = nn.Linear(24, 50)
    (source, lengths), (target, _) = texts(10), texts(10)
    target = target.t().contiguous()
    mask, steps = target != 0, torch.cat([torch.ones(1, N, dtype=torch.long), target[:-1]])

    def loss(out: Tensor, targets: tuple) -> Tensor:
        total = 0
        for step, words, there in zip(out, *targets, strict=True):
            total = total + -torch.log(torch.gather(step, 1, words.view(-1, 1)).squeeze(1)).masked_select(there).mean()
        return total

    return model, loss, (source.t().contiguous(), lengths, steps), (target, mask)


@right("sentence likeness: cosine and scores", "sbert.net CosineSimilarityLoss, STS benchmark")
def sentence_likeness():
    """Two sentences' means without padding, their cosine against scores from 0 to 1."""

    def forward(self: Part, a: Tensor, a_mask: Tensor, b: Tensor, b_mask: Tensor) -> Tensor:
        return F.cosine_similarity(mean_of(self.bert(a, a_mask), a_mask), mean_of(self.bert(b, b_mask), b_mask))

    (a, _), (b, _) = texts(), texts()
    return Part(forward, bert=Encoder()), nn.MSELoss(), (a, (a > 0).long(), b, (b > 0).long()), torch.rand(N)


@right("captchas: CRNN by CTC", "github.com/GokulKarthik/deep-learning-projects-pytorch captcha")
def captchas():
    """Columns of a picture to letters; the five letters of all captchas stand in one row."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.cnn(x).permute(0, 3, 1, 2)
        return self.out(self.rnn(self.linear(x.reshape(x.size(0), x.size(1), -1)))[0]).permute(1, 0, 2)

    cnn = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, (2, 1), 1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
    )
    model = Part(forward, cnn=cnn, linear=nn.Linear(128, 32), rnn=nn.GRU(32, 32, bidirectional=True, batch_first=True))
    model.out = nn.Linear(64, 20)

    def loss(logits: Tensor, targets: tuple) -> Tensor:
        logps = F.log_softmax(logits, 2)
        return nn.CTCLoss(blank=0)(logps, targets[0], torch.full((logps.size(1),), logps.size(0)), targets[1])

    return model, loss, torch.randn(8, 3, 32, 64), (torch.randint(1, 20, (40,)), torch.full((8,), 5))


@right("SWAG: which ending", "huggingface.co/docs/transformers tasks/multiple_choice")
def swag():
    """Four endings as four rows of tokens; one score each, cross-entropy over the four."""

    def forward(self: Part, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        flat = [t.view(-1, t.size(-1)) for t in (input_ids, attention_mask, token_type_ids)]
        return self.classifier(self.pooler(self.bert(*flat)[:, 0])).view(-1, 4)

    pooler = nn.Sequential(nn.Linear(32, 32), nn.Tanh(), nn.Dropout(0.1))
    model = Part(forward, bert=Encoder(), pooler=pooler, classifier=nn.Linear(32, 1))
    ids = texts(14, count=32)[0]
    ids[:, 0] = 1
    ids = ids[torch.randperm(32)].view(8, 4, 14)
    mask = (ids > 0).long()
    x = {"input_ids": ids, "attention_mask": mask, "token_type_ids": mask * (torch.arange(14) > 2)}
    return model, nn.CrossEntropyLoss(), x, torch.randint(0, 4, (8,))
