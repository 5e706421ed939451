"""Set-ups of the twenty-second round (texts, sequences, time series), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
1. tagger or language model, cross-entropy "Expected target size (N, C), got (N, L)": classes must be the second axis;
2. LSTM forecast predicts a flat line: outputs [N, 1] against targets [N] broadcast in MSELoss;
3. text classifier whose loss stays near ln C: Softmax in the model before CrossEntropyLoss;
4. negative loss with NLLLoss: Softmax (or nothing) where LogSoftmax belongs;
5. translator or tagger that only answers padding: pad tokens counted in the loss, no ignore_index;
6. "expected scalar type Long but found Float": class numbers as floats into a cross-entropy;
7. LSTM text classifier at chance: batch_first forgotten, the batch read as time;
8. log_softmax over the wrong axis (time or batch) before NLLLoss;
9. view/reshape where permute belongs: classes, times and samples scrambled;
10. "0D or 1D target tensor expected, multi-target not supported": one-hot targets into a cross-entropy;
11. sentiment with one output and a softmax over it: always 1;
12. CTC loss negative: no log_softmax before CTCLoss;
13. CTC loss inf or NaN: fewer frames than labels;
14. language model whose loss falls to zero at once: targets are the inputs, not shifted;
15. transformer decoder perfect in training, useless after it: no causal mask;
16. labels shifted by hand and shifted once more inside the model (Hugging Face);
17. key padding mask the wrong way round: True where the words are;
18. CTC answers only blanks: the blank's number is that of a letter;
19. text labels yes/no: BCELoss without Sigmoid ("all elements of input should be between 0 and 1");
20. forecast stays at 0 or 1: ReLU or Sigmoid at the end, targets beyond its range;
21. "Target 5 is out of bounds": labels count from 1, or too few outputs;
22. masked loss divided by all places, not by those that count;
23. last time step read out of padded sequences: out[:, -1] is padding;
24. several labels a text: softmax and cross-entropy where each label needs a sigmoid.
Thirty-seven look-ups; the first sixteen of the list are rebuilt, in its order, fifteen with a thread that is not used
elsewhere. No such thread turned up for 8 (recalled). Threads of pictures, of code already used and of mere questions
were passed over. For 2 a text regressor stands in for the forecast, for 7 a reader of speech for that of texts.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, Then, padded_tokens
from doctor_exam.round_parts import Part

TWENTY_TWO_ANSWERS = CaseSet()
right, wrong = TWENTY_TWO_ANSWERS.right, TWENTY_TWO_ANSWERS.wrong

WORDS = 50  # the vocabulary, 0 is padding


def texts(length: int = 12) -> Tensor:
    """Texts in which a word mostly says which one comes next."""
    tokens = torch.randint(1, WORDS, (N, length))
    for place in range(1, length):
        follows = (tokens[:, place - 1] * 5 + 3) % (WORDS - 1) + 1
        tokens[:, place] = torch.where(torch.rand(N) < 0.8, follows, tokens[:, place])
    return tokens


def topics(tokens: Tensor, count: int) -> Tensor:
    """A text's topic: the part of the vocabulary of which most of its words are."""
    parts = (tokens - 1).clamp(min=0) * count // WORDS
    return (F.one_hot(parts, count) * (tokens > 0)[..., None]).sum(1).argmax(1)


def reader(outputs: int, *ends: nn.Module, batch_first: bool = True) -> Part:
    """An LSTM over a text and an output layer on its last state."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        return self.out(self.rnn(self.embed(tokens))[1][0][-1])

    rnn = nn.LSTM(16, 32, batch_first=batch_first)
    out = nn.Sequential(nn.Linear(32, outputs), *ends)
    return Part(forward, embed=nn.Embedding(WORDS, 16, padding_idx=0), rnn=rnn, out=out)


def placed(self: Part, tokens: Tensor) -> Tensor:
    """The words' vectors and those of their places."""
    return self.embed(tokens) + self.places(torch.arange(tokens.shape[1]))


def next_class(permute: bool):
    """Scores [N, L, C] of each next word from an LSTM, the next words [N, L] as targets."""
    tokens, loss = texts(13), nn.CrossEntropyLoss()
    loss_fn = (lambda out, y: loss(out.permute(0, 2, 1), y)) if permute else loss
    return Tagger(WORDS), loss_fn, tokens[:, :-1], tokens[:, 1:]


wrong("next class: scores with the classes last", "classes_not_second", "whosebug.com/question/6539086")(
    lambda: next_class(False)
)
right("next class: classes moved to axis one", "whosebug.com/question/6539086")(lambda: next_class(True))


def grades(squeeze: bool):
    """An LSTM that grades essays between 0 and 10: outputs [N, 1], grades [N]."""
    tokens, _ = padded_tokens(0)
    share = (tokens > 25).sum(1) / (tokens > 0).sum(1)
    model = reader(1)
    return (Then(model, lambda x: x.squeeze(-1)) if squeeze else model), nn.MSELoss(), tokens, 10 * share


wrong("grades: a column against a row", "shapes_broadcast", "aiboxlab/nlp#97")(lambda: grades(False))
right("grades: a row against a row", "aiboxlab/nlp#97")(lambda: grades(True))


def text_cnn():
    """Windows of three sizes over the words, the strongest of each, and a softmax before the cross-entropy."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        x = self.embed(tokens).transpose(1, 2)
        x = torch.cat([F.relu(conv(x)).max(2)[0] for conv in self.convs], 1)
        return F.softmax(self.out(self.drop(x)), dim=1)

    tokens, _ = padded_tokens(0)
    convs = nn.ModuleList([nn.Conv1d(16, 12, size) for size in (3, 4, 5)])
    model = Part(forward, embed=nn.Embedding(WORDS, 16), convs=convs, drop=nn.Dropout(0.5), out=nn.Linear(36, 4))
    return model, nn.CrossEntropyLoss(), tokens, topics(tokens, 4)


wrong(
    "text cnn: shares into a cross-entropy",
    "softmax_before_cross_entropy",
    "yongjincho/cnn-text-classification-pytorch#1",
)(text_cnn)


def word_model():
    """The word language model: flat raw outputs of the decoder into NLLLoss."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        out = self.drop(self.rnn(self.drop(self.embed(tokens)))[0])
        return self.decoder(out).view(-1, WORDS)

    tokens = texts(13).t()
    layers = {"embed": nn.Embedding(WORDS, 16), "rnn": nn.LSTM(16, 16, 2), "drop": nn.Dropout(0.2)}
    model = Part(forward, decoder=nn.Linear(16, WORDS), **layers)
    return model, nn.NLLLoss(), tokens[:-1], tokens[1:].reshape(-1)


wrong("word model: raw scores into NLLLoss", "nll_on_logits", "pytorch/examples#732")(word_model)


def translator(ignore: bool):
    """A transformer from German to English, the padding of the English text in the loss."""

    def forward(self: Part, source: Tensor, target: Tensor) -> Tensor:
        causal = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        pads = {"src_key_padding_mask": source == 0, "memory_key_padding_mask": source == 0}
        return self.out(self.net(placed(self, source), placed(self, target), tgt_mask=causal, **pads)).transpose(1, 2)

    german, english = padded_tokens(0, end=48)
    english = torch.where(english > 0, (english + 6) % 48 + 1, 0)
    english = torch.cat([torch.full((N, 1), 49), english, torch.zeros(N, 6, dtype=torch.long)], 1)
    net = nn.Transformer(16, 2, 1, 1, 32, batch_first=True)
    layers = {"embed": nn.Embedding(WORDS, 16), "places": nn.Embedding(32, 16)}
    model = Part(forward, net=net, out=nn.Linear(16, WORDS), **layers)
    loss = nn.CrossEntropyLoss(ignore_index=0) if ignore else nn.CrossEntropyLoss()
    return model, loss, (german, english[:, :-1]), english[:, 1:]


wrong("translator: blanks counted", "padding_not_ignored", "example-a.com/answer/66526823")(lambda: translator(False))
right("translator: blanks left out", "example-a.com/answer/66526823")(lambda: translator(True))


def table_labels():
    """A text classifier whose labels came out of a table as floats."""
    tokens, _ = padded_tokens(0)
    return reader(5), nn.CrossEntropyLoss(), tokens, topics(tokens, 5).float()


wrong("topics: labels as floats", "class_index_type", "discuss.pytorch.org/t/30542")(table_labels)


def gestures(batch_first: bool):
    """Windows of speech features [N, T, 26] through a GRU, the pose after the last frame."""

    def forward(self: Part, speech: Tensor) -> Tensor:
        return self.out(self.rnn(speech)[0][:, -1])

    speech = torch.randn(N, 10, 26)
    pose = torch.tanh(speech.mean(1)[:, :15] * 3)
    return Part(forward, rnn=nn.GRU(26, 32, batch_first=batch_first), out=nn.Linear(32, 15)), nn.MSELoss(), speech, pose


wrong("gestures: time and batch exchanged", "samples_mixed", "Svito-zar/gesticulator#62")(lambda: gestures(False))
right("gestures: batch first", "Svito-zar/gesticulator#62")(lambda: gestures(True))


def tagger(axis: int):
    """The tagger of the tutorial, made for batches [N, L, C]: log_softmax stayed on axis one, NLLLoss on flat words."""
    tokens = texts()
    tags = tokens % 7
    model = Then(Tagger(7), lambda x: F.log_softmax(x, dim=axis))
    return model, lambda out, y: F.nll_loss(out.view(-1, 7), y.view(-1)), tokens, tags


wrong("tagger: log-softmax over time", "softmax_wrong_axis", "recalled")(lambda: tagger(1))
right("tagger: log-softmax over tags", "recalled")(lambda: tagger(-1))


def attention_reader():
    """A bidirectional LSTM whose last states [2, N, H] are brought to [N, 2H, 1] by view, and attention with them."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        outputs, (last, _) = self.rnn(self.embed(tokens))
        hidden = last.view(-1, 32, 1)
        shares = F.softmax(torch.bmm(outputs, hidden).squeeze(2), 1)
        return self.out(torch.bmm(outputs.transpose(1, 2), shares.unsqueeze(2)).squeeze(2))

    tokens = texts(9)
    rnn = nn.LSTM(16, 16, bidirectional=True, batch_first=True)
    model = Part(forward, embed=nn.Embedding(WORDS, 16), rnn=rnn, out=nn.Linear(32, 2))
    return model, nn.CrossEntropyLoss(), tokens, topics(tokens, 2)


wrong("attention: view for permute", "samples_mixed|axes_scrambled", "zy1996code/nlp_basic_model#1")(attention_reader)


def hot_topics():
    """A text classifier with eight classes and one-hot labels."""
    tokens, _ = padded_tokens(0)
    return reader(8), nn.CrossEntropyLoss(), tokens, F.one_hot(topics(tokens, 8), 8)


wrong("topics: one-hot labels", "one_hot_integers", "interpretml/interpret-text#222")(hot_topics)


def sentiment():
    """Reviews, one output with a softmax and a binary cross-entropy."""
    tokens, _ = padded_tokens(0)
    return reader(1, nn.Softmax(dim=1)), nn.BCELoss(), tokens, topics(tokens, 2)[:, None].float()


wrong("sentiment: softmax over one output", "softmax_over_one_output", "52sbl.cn/discussion/115307")(sentiment)


def text_lines(log_softmax: bool):
    """Lines of five letters read by a CRNN, scores [T, N, C] into a CTC loss."""

    def forward(self: Part, pictures: Tensor) -> Tensor:
        columns = self.conv(pictures).squeeze(2).permute(2, 0, 1)
        scores = self.out(self.rnn(columns)[0])
        return F.log_softmax(scores, dim=2) if log_softmax else scores

    letters = torch.randint(1, 11, (N, 5))
    pictures = torch.randn(11, 8, 4)[letters].permute(0, 2, 1, 3).reshape(N, 1, 8, 20) + 0.1 * torch.randn(N, 1, 8, 20)
    conv = nn.Sequential(nn.Conv2d(1, 16, (8, 3), padding=(0, 1)), nn.BatchNorm2d(16), nn.ReLU())
    model = Part(forward, conv=conv, rnn=nn.LSTM(16, 16, bidirectional=True), out=nn.Linear(32, 11))
    loss = nn.CTCLoss(blank=0)
    sizes = torch.full((N,), 20), torch.full((N,), 5)
    return model, lambda out, y: loss(out, y, *sizes), pictures, letters


wrong("text lines: raw scores into a ctc loss", "ctc_on_logits", "Sierkinhane/CRNN_Chinese_Characters_Rec#312")(
    lambda: text_lines(False)
)
right("text lines: log-softmax", "Sierkinhane/CRNN_Chinese_Characters_Rec#312")(lambda: text_lines(True))


def speech():
    """Spectrograms of 64 frames shortened to 8 by strides, transcripts of 5 to 14 letters."""

    def forward(self: Part, sound: Tensor) -> Tensor:
        return self.out(self.rnn(self.conv(sound).permute(2, 0, 1))[0]).log_softmax(2)

    steps = [nn.Conv1d(20, 24, 3, 2, 1), nn.ReLU(), nn.Conv1d(24, 24, 3, 2, 1), nn.ReLU()]
    conv = nn.Sequential(*steps, nn.Conv1d(24, 24, 3, 2, 1), nn.ReLU())
    model = Part(forward, conv=conv, rnn=nn.GRU(24, 32), out=nn.Linear(32, 28))
    sizes, loss = torch.randint(5, 15, (N,)), nn.CTCLoss()
    targets = {"text": torch.randint(1, 28, (N, 14)), "sizes": sizes}
    frames = torch.full((N,), 8)
    return model, lambda out, y: loss(out, y["text"], frames, y["sizes"]), torch.randn(N, 20, 64), targets


wrong("speech: fewer frames than letters", "loss_not_finite", "SeanNaren/warp-ctc#29")(speech)


def decoder_only() -> Part:
    """Words and places into causal transformer layers, scores of the vocabulary."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.out(self.net(placed(self, tokens), mask=mask, is_causal=True))

    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2)
    layers = {"embed": nn.Embedding(WORDS, 16), "places": nn.Embedding(32, 16)}
    return Part(forward, net=net, out=nn.Linear(16, WORDS), **layers)


def codes(shift: bool):
    """A transformer over the codes of pictures: each code is to be told from the codes up to and with itself."""
    tokens, loss = texts(16), nn.CrossEntropyLoss()

    def loss_fn(logits: Tensor, latent: Tensor) -> Tensor:
        logits = logits.transpose(1, 2)
        return loss(logits[:, :, :-1], latent[:, 1:]) if shift else loss(logits, latent)

    return decoder_only(), loss_fn, tokens, tokens.clone()


wrong("codes: targets not shifted", "labels_not_shifted|target_in_view", "Project-MONAI/GenerativeModels#314")(
    lambda: codes(False)
)
right("codes: targets shifted by one", "Project-MONAI/GenerativeModels#314")(lambda: codes(True))


def summarizer(masked: bool):
    """A decoder over an encoded text, the summary's next words as targets, with or without the mask of what follows."""

    def forward(self: Part, source: Tensor, target: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1]) if masked else None
        return self.out(self.net(placed(self, target), self.encode(placed(self, source)), tgt_mask=mask))

    source = texts(20)
    summary = torch.cat([torch.zeros(N, 1, dtype=torch.long), source[:, ::2]], 1)
    encode = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    net = nn.TransformerDecoder(nn.TransformerDecoderLayer(16, 2, 32, batch_first=True), 2)
    layers = {"embed": nn.Embedding(WORDS, 16), "places": nn.Embedding(32, 16), "encode": encode}
    model = Part(forward, net=net, out=nn.Linear(16, WORDS), **layers)

    def loss_fn(out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out.reshape(-1, WORDS), y.reshape(-1))

    return model, loss_fn, (source, summary[:, :-1]), summary[:, 1:]


wrong("summaries: the decoder sees what follows", "labels_not_shifted|target_in_view", "k-tahiro/bert-summarizer#37")(
    lambda: summarizer(False)
)


class LanguageModel(nn.Module):
    """A causal language model that shifts its labels itself and returns the loss."""

    def __init__(self) -> None:
        super().__init__()
        self.net = decoder_only()

    def forward(self, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss of the next words, and the scores."""
        logits = self.net(input_ids)
        shifted, words = logits[:, :-1].contiguous(), labels[:, 1:].contiguous()
        return {"loss": F.cross_entropy(shifted.view(-1, WORDS), words.view(-1)), "logits": logits}


def stories(shift: bool):
    """Stories prepared for a language model that shifts the labels itself; the preparation may do it too."""
    tokens = texts(16)
    labels = torch.cat([tokens[:, 1:], torch.full((N, 1), -100)], 1) if shift else tokens.clone()
    return LanguageModel(), lambda out, _: out["loss"], {"input_ids": tokens, "labels": labels}, labels


wrong("stories: labels shifted twice", "labels_shifted_twice", "huggingface/transformers#562")(lambda: stories(True))
right("stories: labels are the inputs", "huggingface/transformers#562")(lambda: stories(False))


def masked_words():
    """A masked language model: a share of the words hidden, all others left out of the loss as -100."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        return self.out(self.net(placed(self, tokens)))

    tokens = texts(16)
    hidden = torch.rand(tokens.shape) < 0.2
    labels = tokens.masked_fill(~hidden, -100)
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 1)
    layers = {"embed": nn.Embedding(WORDS + 1, 16), "places": nn.Embedding(32, 16)}
    model = Part(forward, net=net, out=nn.Linear(16, WORDS), **layers)
    loss = nn.CrossEntropyLoss()
    return model, lambda out, y: loss(out.view(-1, WORDS), y.view(-1)), tokens.masked_fill(hidden, WORDS), labels


right("masked words: others at -100", "recalled")(masked_words)


def names():
    """The names tutorial: one-hot letters through an RNN, log-softmax of the last state, NLLLoss over 18 languages."""

    def forward(self: Part, letters: Tensor) -> Tensor:
        return self.softmax(self.h2o(self.rnn(letters)[1][0]))

    letters = torch.randint(0, 57, (10, N))
    model = Part(forward, rnn=nn.RNN(57, 32), h2o=nn.Linear(32, 18), softmax=nn.LogSoftmax(dim=1))
    return model, nn.NLLLoss(), F.one_hot(letters, 57).float(), letters[-1] * 18 // 57


right("names: letters to languages", "recalled")(names)


def stock():
    """Closing prices scaled to 0..1, twenty days to predict the next."""

    def forward(self: Part, days: Tensor) -> Tensor:
        return self.fc(self.lstm(days)[0][:, -1, :])

    price = (torch.randn(N + 21).cumsum(0) * 0.3 + torch.arange(N + 21.0) / 5).unsqueeze(1)
    price = (price - price.min()) / (price.max() - price.min())
    days = torch.stack([price[i : i + 20] for i in range(N)])
    return (
        Part(forward, lstm=nn.LSTM(1, 32, 2, batch_first=True), fc=nn.Linear(32, 1)),
        nn.MSELoss(),
        days,
        price[20:-1],
    )


right("stock: the next day's price", "recalled")(stock)


def reviews():
    """Packed reviews of different lengths, one raw output squeezed, BCEWithLogitsLoss."""

    def forward(self: Part, text: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.embed(text), lengths, batch_first=True, enforce_sorted=False)
        hidden = self.rnn(packed)[1][0]
        return self.fc(self.drop(torch.cat([hidden[-2], hidden[-1]], 1))).squeeze(1)

    text, _ = padded_tokens(0)
    rnn = nn.LSTM(16, 16, bidirectional=True, batch_first=True)
    layers = {"embed": nn.Embedding(WORDS, 16, padding_idx=0), "drop": nn.Dropout(0.5), "fc": nn.Linear(32, 1)}
    return Part(forward, rnn=rnn, **layers), nn.BCEWithLogitsLoss(), (text, (text > 0).sum(1)), topics(text, 2).float()


right("reviews: packed, one raw output", "recalled")(reviews)


def comments():
    """Comments with six independent labels: raw outputs into BCEWithLogitsLoss."""
    tokens, _ = padded_tokens(0)
    kinds = torch.stack([(tokens % 7 == kind).any(1) for kind in range(6)], 1).float()
    return reader(6), nn.BCEWithLogitsLoss(), tokens, kinds


right("comments: six labels each", "recalled")(comments)


def chatbot():
    """A decoder with shares, the masked negative log of the right word's share, the mean over real words."""
    tokens, answers = padded_tokens(0)
    answers = torch.where(answers > 0, answers * 3 % 49 + 1, 0)
    mask = answers > 0

    def loss_fn(shares: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        cross = -torch.log(torch.gather(shares, 2, targets[0].unsqueeze(2)).squeeze(2))
        return cross.masked_select(targets[1]).mean()

    return Then(Tagger(WORDS), lambda x: F.softmax(x, dim=2)), loss_fn, tokens, (answers, mask)


right("chatbot: masked mean over real words", "recalled")(chatbot)


def smoothed():
    """Label smoothing as in the annotated transformer: KLDivLoss of log-shares, smoothed targets, the sum by words."""

    def loss_fn(out: Tensor, y: Tensor) -> Tensor:
        out, y = out.reshape(-1, WORDS), y.reshape(-1)
        goal = torch.full_like(out, 0.1 / (WORDS - 2)).scatter_(1, y[:, None], 0.9)
        goal[:, 0] = 0
        goal = goal.masked_fill((y == 0)[:, None], 0.0)
        return F.kl_div(out, goal, reduction="sum") / (y != 0).sum()

    tokens, answers = padded_tokens(0)
    answers = torch.where(answers > 0, answers * 3 % 49 + 1, 0)
    return Then(Tagger(WORDS), lambda x: F.log_softmax(x, dim=-1)), loss_fn, tokens, answers


right("smoothed: divergence from smoothed targets", "recalled")(smoothed)


def demand():
    """A probabilistic forecast: a mean and a softplus deviation at every step, the normal's negative log-likelihood."""

    def forward(self: Part, series: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.lstm(series)[0]
        return self.mean(hidden).squeeze(-1), F.softplus(self.spread(hidden)).squeeze(-1)

    def loss_fn(outputs: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        return -torch.distributions.Normal(outputs[0], outputs[1]).log_prob(y).mean()

    steps = torch.arange(25.0)
    series = torch.sin(steps / 3 + 6 * torch.rand(N, 1)) + 0.1 * torch.randn(N, 25)
    layers = {"lstm": nn.LSTM(1, 16, batch_first=True), "mean": nn.Linear(16, 1), "spread": nn.Linear(16, 1)}
    return Part(forward, **layers), loss_fn, series[:, :-1, None], series[:, 1:]


right("demand: a normal at every step", "recalled")(demand)
