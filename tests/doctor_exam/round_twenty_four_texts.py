"""Set-ups of the twenty-fourth round (texts and speech), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes
from doctor_exam.round_parts import Part

TWENTY_FOUR_TEXTS = CaseSet()
right = TWENTY_FOUR_TEXTS.right
RNNS, LAYERS = ((nn.LSTM, 24), (nn.GRU, 32)), (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
own = lambda outputs, _: outputs["loss"]  # noqa: E731
rows = lambda out, y: F.cross_entropy(out.view(-1, out.size(-1)), y.view(-1), ignore_index=-1)  # noqa: E731
causal = lambda length: torch.ones(length, length, dtype=torch.bool).triu(1)  # noqa: E731


def texts(length: int = 12, count: int = N) -> tuple[Tensor, Tensor]:
    """Token numbers from 4 to 49 and an end (2), filled up behind with zeros, and their lengths, the longest first."""
    lengths = torch.randint(5, length + 1, (count,)).sort(descending=True).values
    lengths[0] = length
    tokens = torch.randint(4, 50, (count, length)).scatter(1, lengths[:, None] - 1, 2)
    return tokens * (torch.arange(length) < lengths[:, None]), lengths


class Encoder(nn.Module):
    """A small BERT: tokens, segments and positions through a transformer that leaves padding out."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50, 32, padding_idx=0), nn.Embedding(64, 32)
        self.segments, self.norm, self.drop = nn.Embedding(2, 32), nn.LayerNorm(32), nn.Dropout(0.1)
        layer = nn.TransformerEncoderLayer(32, 4, 64, activation="gelu", batch_first=True)
        self.body = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

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
    return model, rows, data[:, :-1].contiguous(), data[:, 1:].contiguous()


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

    model = Part(forward, lstm=nn.LSTM(30, 48, 2, dropout=0.5, batch_first=True))
    model.dropout, model.fc = nn.Dropout(0.5), nn.Linear(48, 30)
    text = (torch.randint(0, 30, (8, 1)) + 7 * torch.arange(21)) % 30
    return model, lambda out, y: rows(out[0], y), F.one_hot(text[:, :-1], 30).float(), text[:, 1:].contiguous()


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
    each = nn.CrossEntropyLoss(reduction="none")
    loss = lambda out, y: (each(out.transpose(1, 2), y) * (y != 0)).sum() / (y != 0).sum()  # noqa: E731
    return model, loss, (source, target[:, :-1]), target[:, 1:]


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

    cnn = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, (2, 1), 1))
    cnn.extend([nn.BatchNorm2d(16), nn.ReLU()])
    rnn = nn.GRU(32, 32, bidirectional=True, batch_first=True)
    model = Part(forward, cnn=cnn, linear=nn.Linear(128, 32), rnn=rnn, out=nn.Linear(64, 20))
    loss = lambda z, y: F.ctc_loss(z.log_softmax(2), y[0], torch.full((z.size(1),), z.size(0)), y[1])  # noqa: E731
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


@right("essays: six scores", "Kaggle Feedback Prize ELL baselines, MeanPooling and SmoothL1Loss")
def essays():
    """Six scores from 1 to 5 of an essay, from the mean without padding."""
    model = Part(lambda self, ids, mask: self.fc(mean_of(self.model(ids, mask), mask)), model=Encoder())
    model.fc, ids = nn.Linear(32, 6), texts()[0]
    return model, nn.SmoothL1Loss(reduction="mean"), (ids, (ids > 0).long()), torch.randint(2, 11, (N, 6)) / 2


@right("questions: insincere or not", "Kaggle Quora insincere questions, GloVe with BiLSTM and BiGRU")
def quora():
    """Frozen word vectors, zeros in front, mean and maximum over all steps, one logit."""

    def forward(self: Part, x: Tensor) -> Tensor:
        h = self.gru(self.lstm(self.drop(self.words(x).transpose(1, 2)).transpose(1, 2))[0])[0]
        return self.out(self.dropout(F.relu(self.linear(torch.cat((h.mean(1), h.max(1)[0]), 1)))))

    model = Part(forward, words=nn.Embedding.from_pretrained(torch.randn(50, 24) * 0.5), drop=nn.Dropout1d(0.1))
    model.lstm, model.gru = (kind(size, 16, bidirectional=True, batch_first=True) for kind, size in RNNS)
    model.linear, model.dropout, model.out = nn.Linear(64, 16), nn.Dropout(0.1), nn.Linear(16, 1)
    x = texts()[0].flip(1)
    return model, nn.BCEWithLogitsLoss(reduction="mean"), x, (x[:, -1:] > 35).float()


@right("flights: intent and slots", "github.com/monologg/JointBERT")
def joint_bert():
    """An intent of the first token, a slot of each; zeros and padding left out."""
    slots = nn.CrossEntropyLoss(ignore_index=0)
    loss = lambda z, y: F.cross_entropy(z[0], y[0]) + slots(z[1].view(-1, 9), y[1].view(-1))  # noqa: E731

    def forward(self: Part, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = self.drop(self.bert(ids, mask))
        return self.intent(x[:, 0]), self.slot(x)

    model = Part(forward, bert=Encoder(), drop=nn.Dropout(0.1), intent=nn.Linear(32, 5), slot=nn.Linear(32, 9))
    ids = texts()[0]
    ids[:, 0] = 1
    return model, loss, (ids, (ids > 0).long()), (classes(5), (1 + ids % 8) * (ids > 2))


@right("digits turned round", "UvA deep learning tutorial 6, reverse task")
def reverse():
    """One-hot digits through a transformer encoder to the digits in reverse."""
    layer = nn.TransformerEncoderLayer(32, 1, 64, 0.0, batch_first=True)
    model = Part(lambda self, x: self.out(self.layer(self.inp(x) + self.place)), inp=nn.Linear(10, 32), layer=layer)
    model.place = nn.Buffer(torch.sin(torch.arange(16)[:, None] * 0.5 ** torch.arange(32)))
    model.out, x = nn.Linear(32, 10), classes(10, 16)
    return model, rows, F.one_hot(x, 10).float(), x.flip(1)


@right("word vectors: GloVe", "github.com/noaRricky/pytorch-glove, Pennington 2014")
def glove():
    """Two vectors and two biases per pair of words, a weighted square against the logarithm of the count."""
    forward = lambda self, i, j: (self.v(i) * self.w(j)).sum(1) + self.a(i).squeeze(1) + self.b(j).squeeze(1)  # noqa: E731
    model = Part(forward, v=nn.Embedding(50, 16), w=nn.Embedding(50, 16), a=nn.Embedding(50, 1), b=nn.Embedding(50, 1))
    loss = lambda out, x: ((x / 100).clamp(max=1) ** 0.75 * (out - x.log()) ** 2).mean()  # noqa: E731
    return model, loss, (torch.randint(0, 50, (32,)), torch.randint(0, 50, (32,))), torch.randint(1, 300, (32,)).float()


@right("sounds: tags of clips", "github.com/qiuqiangkong/audioset_tagging_cnn")
def panns():
    """Log-mel pictures, a norm per mel band, mean and maximum over time, sigmoids and binary cross-entropy."""

    def forward(self: Part, x: Tensor) -> dict[str, Tensor]:
        x = self.body(self.bn0(x.transpose(1, 3)).transpose(1, 3)).mean(3)
        embedding = F.relu(self.fc1(x.max(2)[0] + x.mean(2)))
        return {"clipwise_output": torch.sigmoid(self.fc(embedding)), "embedding": embedding}

    body = nn.Sequential(nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2))
    model = Part(forward, bn0=nn.BatchNorm2d(32), body=body, fc1=nn.Linear(16, 32), fc=nn.Linear(32, 10))
    x, y = torch.randn(N, 1, 40, 32) * 15 - 40, (torch.rand(N, 10) < 0.2).float()
    return model, lambda out, y: F.binary_cross_entropy(out["clipwise_output"], y), x, y


@right("spoken requests: mean of wav2vec 2", "huggingface.co/docs/transformers tasks/audio_classification")
def spoken_requests():
    """Waves of mean zero and deviation one, frames of convolutions, the mean of the frames, classes."""
    cnn = nn.Sequential(nn.Conv1d(1, 32, 10, 5, bias=False), nn.GroupNorm(32, 32), nn.GELU(), nn.Conv1d(32, 32, 8, 4))
    body = nn.TransformerEncoderLayer(32, 4, 64, 0.1, "gelu", batch_first=True)
    forward = lambda self, x: self.fc(self.project(self.body(self.cnn(x[:, None]).transpose(1, 2))).mean(1))  # noqa: E731
    x = F.layer_norm(torch.randn(N, 800).cumsum(1), (800,))
    model = Part(forward, cnn=cnn, body=body, project=nn.Linear(32, 16), fc=nn.Linear(16, 7))
    return model, nn.CrossEntropyLoss(), x, classes(7)


@right("chat: answers only", "huggingface.co/docs/trl SFTTrainer, prompt and padding at -100")
def chat():
    """A decoder that shifts its labels itself; prompt and padding are -100."""

    def forward(self: Part, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        x = self.words(input_ids) + self.places(torch.arange(input_ids.shape[1], device=input_ids.device))
        look = causal(input_ids.shape[1]).to(x.device)
        logits = self.head(self.body(x, src_mask=look, src_key_padding_mask=attention_mask == 0))
        return {"loss": F.cross_entropy(logits[:, :-1].reshape(-1, 50), labels[:, 1:].reshape(-1)), "logits": logits}

    head = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 50, bias=False))
    model = Part(forward, words=nn.Embedding(50, 32), places=nn.Embedding(32, 32), head=head)
    model.body, (ids, _) = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True), texts(14)
    labels = ids.masked_fill((ids == 0) | (torch.arange(14) < 3), -100)
    return model, own, {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": labels}, None


@right("speech to text: Whisper", "huggingface.co/blog/fine-tune-whisper")
def whisper():
    """Log-mel frames to a decoder that gets the labels moved by one; padding of the labels is -100."""

    def forward(self: Part, input_features: Tensor, labels: Tensor) -> dict[str, Tensor]:
        steps = F.pad(labels[:, :-1], (1, 0), value=1)
        steps = steps.masked_fill(steps == -100, 2)
        heard = self.encoder(self.conv(input_features).transpose(1, 2) + self.sound)
        x = self.words(steps) + self.places(torch.arange(steps.shape[1], device=steps.device))
        logits = self.norm(self.decoder(x, heard, causal(steps.shape[1]).to(x.device))) @ self.words.weight.t()
        return {"loss": F.cross_entropy(logits.view(-1, 50), labels.reshape(-1)), "logits": logits}

    conv = nn.Sequential(nn.Conv1d(80, 32, 3, 1, 1), nn.GELU(), nn.Conv1d(32, 32, 3, 2, 1), nn.GELU())
    model = Part(forward, conv=conv, words=nn.Embedding(50, 32), places=nn.Embedding(32, 32))
    model.encoder, model.decoder = (kind(32, 4, 64, 0.0, batch_first=True, norm_first=True) for kind in LAYERS)
    model.sound = nn.Buffer(torch.sin(torch.arange(20)[:, None] * 0.5 ** torch.arange(32)))
    model.norm = nn.LayerNorm(32)
    nn.init.normal_(model.words.weight, std=0.02)
    ids = texts()[0]
    x = {"input_features": torch.rand(N, 80, 40) * 2 - 1, "labels": ids.masked_fill(ids == 0, -100)}
    return model, own, x, None


@right("answers: the better of two", "huggingface.co/docs/trl RewardTrainer")
def reward():
    """A score of the chosen and of the rejected answer; minus the log-sigmoid of their difference."""
    forward = lambda self, a, am, b, bm: (self.v(self.bert(a, am)[:, 0]), self.v(self.bert(b, bm)[:, 0]))  # noqa: E731
    (a, _), (b, _) = texts(), texts()
    model = Part(forward, bert=Encoder(), v=nn.Linear(32, 1, bias=False))
    return model, lambda out, _: -F.logsigmoid(out[0] - out[1]).mean(), (a, (a > 0).long(), b, (b > 0).long()), None
