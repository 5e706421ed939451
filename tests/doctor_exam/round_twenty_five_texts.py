"""Set-ups of the twenty-fifth round (texts and speech), ordinary right ones, written without knowing the checks."""

import torch
import transformers as hf
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from doctor_exam.case import CaseSet
from doctor_exam.parts import N
from doctor_exam.round_parts import Part

TWENTY_FIVE_TEXTS = CaseSet()
right = TWENTY_FIVE_TEXTS.right
PAD, MASK, BOS, EOS = range(4)
BERT = dict(vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)


def cut(tokens: Tensor, lengths: Tensor) -> Tensor:
    """Fill up each row after its length."""
    return tokens.masked_fill(torch.arange(tokens.shape[1]) >= lengths[:, None], PAD)


def texts(count: int, length: int = 16, ends: bool = False) -> tuple[Tensor, Tensor]:
    """Padded texts whose classes have words of their own, and the classes."""
    y, lengths = torch.arange(N)[torch.randperm(N)] % count, torch.randint(6, length + 1, (N,))
    hint = (torch.rand(N, length) < 0.4) | (torch.arange(length) == 1)
    tokens = torch.where(hint, 10 + y[:, None], torch.randint(20, 100, (N, length)))
    if ends:
        tokens[:, 0], tokens[torch.arange(N), lengths - 1] = BOS, EOS
    return cut(tokens, lengths), y


def chain(length: int, words: int = 40) -> Tensor:
    """Running text in which a word mostly determines the next."""
    rows = [torch.randint(4, words, (N,))]
    for _ in range(length - 1):
        likely = 4 + (5 * rows[-1] + 1) % (words - 4)
        rows.append(torch.where(torch.rand(N) < 0.8, likely, torch.randint(4, words, (N,))))
    return torch.stack(rows, 1)


def translations(length: int = 8, words: int = 40) -> tuple[Tensor, Tensor]:
    """Padded source sentences and their word-by-word translations between begin and end."""
    body, sizes = torch.randint(4, words, (N, length)), torch.randint(3, length, (N,))
    source, target = (cut(x, sizes).scatter(1, sizes[:, None], EOS) for x in (body, words + 3 - body))
    return source, F.pad(target, (1, 0), value=BOS)


def packed(embed, tokens: Tensor):
    """Embedded texts, packed without their padding."""
    return pack_padded_sequence(embed(tokens), (tokens != PAD).sum(1).cpu(), batch_first=True, enforce_sorted=False)


def vectors(words: int = 100) -> nn.Embedding:
    """Word vectors, that of the padding zero."""
    return nn.Embedding(words, 32, padding_idx=PAD)


def unpacked(rows, tokens: Tensor, fill: float = 0.0) -> Tensor:
    """The states of packed texts, filled up again."""
    return pad_packed_sequence(rows, batch_first=True, padding_value=fill, total_length=tokens.shape[1])[0]


def mean_word(embed: nn.Embedding, tokens: Tensor) -> Tensor:
    """The mean embedding of each text's real words."""
    mask = (tokens != PAD).unsqueeze(-1).float()
    return (embed(tokens) * mask).sum(1) / mask.sum(1).clamp(min=1)


def bert_inputs(ids: Tensor, **more: Tensor) -> dict[str, Tensor]:
    """What a tokenizer returns."""
    return dict(input_ids=ids, attention_mask=(ids != PAD).long(), **more)


def pair_inputs(first: Tensor, second: Tensor, lengths: Tensor) -> dict[str, Tensor]:
    """[CLS] first [SEP] second [SEP] and the padding, as a tokenizer returns them."""
    second = F.pad(cut(second, lengths), (0, 1)).scatter(1, lengths[:, None], EOS)
    head = F.pad(F.pad(first, (1, 0), value=BOS), (0, 1), value=EOS)
    kinds = F.pad((second != PAD).long(), (head.shape[1], 0))
    return bert_inputs(torch.cat([head, second], 1), token_type_ids=kinds)


def spoken(count: int, rate: int = 8000) -> tuple[Tensor, Tensor]:
    """A second of voiced sound per sample, the pitch of which tells the command."""
    y, time = torch.arange(N)[torch.randperm(N)] % count, torch.arange(rate) / rate
    pitch = 150 * 1.4**y * (1 + 0.03 * torch.randn(N))
    tones = sum(torch.sin(2 * torch.pi * h * pitch[:, None] * time + 6 * torch.rand(N, 1)) / h for h in (1, 2, 3))
    return (0.3 * tones * torch.sin(torch.pi * time) + 0.02 * torch.randn(N, rate)).clamp(-1, 1).unsqueeze(1), y


@right("texts: topics by a bag of embeddings", "pytorch.org/tutorials text_sentiment_ngrams")
def bag():
    """All texts in one row, with the offsets at which they begin."""
    tokens, y = texts(4)
    offsets = F.pad((tokens != PAD).sum(1).cumsum(0)[:-1], (1, 0))
    model = Part(lambda self, text, offsets: self.fc(self.embedding(text, offsets)))
    model.embedding, model.fc = nn.EmbeddingBag(100, 32), nn.Linear(32, 4)
    return model, nn.CrossEntropyLoss(), (tokens[tokens != PAD], offsets), y


@right("texts: tf-idf and a linear layer", "own, after scikit-learn's 20 newsgroups")
def tfidf():
    """Logistic regression of rows that TfidfVectorizer would return."""
    tokens, y = texts(4, 24)
    counts = F.one_hot(tokens, 100)[..., 4:].sum(1).float()
    idf = torch.log((1 + N) / (1 + (counts > 0).sum(0))) + 1
    return nn.Linear(96, 4), nn.CrossEntropyLoss(), F.normalize(counts * idf), y


@right("texts: sentiment by a packed LSTM", "github.com/bentrevett/pytorch-sentiment-analysis")
def sentiment():
    """The last states of both directions, one logit."""

    def forward(self, text, lengths):
        embedded = self.dropout(self.embedding(text))
        hidden = self.lstm(pack_padded_sequence(embedded, lengths.cpu(), True, enforce_sorted=False))[1][0]
        return self.fc(self.dropout(torch.cat([hidden[-2], hidden[-1]], dim=1))).squeeze(1)

    (tokens, y), lstm = texts(2), nn.LSTM(32, 32, num_layers=2, bidirectional=True, dropout=0.3, batch_first=True)
    model = Part(forward, embedding=vectors(), lstm=lstm, fc=nn.Linear(64, 1), dropout=nn.Dropout(0.3))
    return model, nn.BCEWithLogitsLoss(), (tokens, (tokens != PAD).sum(1)), y.float()


@right("texts: Kim's convolutions", "Kim 2014, many a course")
def text_cnn():
    """Filters of three widths and the maximum over time."""
    convs = nn.ModuleList(nn.Conv1d(32, 16, width) for width in (3, 4, 5))
    layers = dict(emb=vectors(), convs=convs, drop=nn.Dropout(0.5), fc=nn.Linear(48, 5))
    model = Part(lambda m, x: m.fc(m.drop(torch.cat([c(m.emb(x).mT).relu().amax(2) for c in m.convs], 1))), **layers)
    return model, nn.CrossEntropyLoss(), *texts(5, 20)


@right("texts: a two-way GRU with pooling", "own")
def gru_pooling():
    """The largest state over the words, the padding left out."""
    model = Part(lambda m, x: m.out(unpacked(m.gru(packed(m.emb, x))[0], x, -1e4).amax(dim=1)).log_softmax(-1))
    model.emb, model.gru, model.out = vectors(), nn.GRU(32, 24, batch_first=True, bidirectional=True), nn.Linear(48, 4)
    return model, nn.NLLLoss(), *texts(4)


@right("texts: a Transformer encoder", "own, as keras.io text_classification_with_transformer")
def encoder():
    """Padding hidden from attention and from the mean."""

    def forward(self, ids):
        pad = ids == PAD
        x = self.layers(self.word(ids) + self.place.weight[: ids.size(1)], src_key_padding_mask=pad)
        return self.head(x.masked_fill(pad.unsqueeze(-1), 0.0).sum(1) / (~pad).sum(1, keepdim=True))

    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    model = Part(forward, word=vectors(), place=nn.Embedding(16, 32), layers=layers, head=nn.Linear(32, 3))
    return model, nn.CrossEntropyLoss(), *texts(3)


@right("texts: toxic comments", "Kaggle Jigsaw toxic comments")
def toxic():
    """Six independent labels of one comment."""
    tokens = torch.randint(10, 40, (N, 16))
    tokens[torch.arange(6), torch.arange(6)] = 10 + torch.arange(6)
    tokens = cut(tokens, torch.randint(6, 17, (N,)))
    y = torch.stack([(tokens == word).any(1) for word in range(10, 16)], 1).float()
    head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 6))
    model = Part(lambda self, x: self.head(mean_word(self.emb, x)), emb=vectors(40), head=head)
    return model, nn.BCEWithLogitsLoss(), tokens, y


@right("texts: stars of a review", "own, as Amazon or Yelp reviews")
def stars():
    """One to five stars as a number."""
    tokens, y = texts(5)
    model = Part(lambda self, x: self.regressor(self.gru(packed(self.embedding, x))[1][-1]).squeeze(-1))
    model.embedding, model.gru, model.regressor = vectors(), nn.GRU(32, 32, batch_first=True), nn.Linear(32, 1)
    return model, nn.MSELoss(), tokens, y.float() + 1


@right("texts: names by letters", "pytorch.org/tutorials char_rnn_classification")
def names():
    """One-hot letters in a plain recurrent network."""
    model = Part(lambda m, x: m.h2o(m.rnn(packed(lambda t: F.one_hot(t, 100).float(), x))[1][0]).log_softmax(1))
    model.rnn, model.h2o = nn.RNN(100, 64, batch_first=True), nn.Linear(64, 6)
    return model, nn.NLLLoss(), *texts(6, 10)


@right("texts: a letter model", "own, after Karpathy's char-rnn")
def letters():
    """The next letter at each place of a piece of running text."""
    model, text = Part(lambda self, x: self.proj(self.rnn(self.emb(x))[0])), chain(33)
    model.emb, model.rnn, model.proj = nn.Embedding(40, 24), nn.GRU(24, 48, batch_first=True), nn.Linear(48, 40)
    return model, lambda out, y: F.cross_entropy(out.transpose(1, 2), y), text[:, :-1], text[:, 1:]


@right("texts: an LSTM word model", "github.com/pytorch/examples word_language_model")
def word_model():
    """Time first, log-probabilities of flattened rows."""
    layers = dict(drop=nn.Dropout(0.2), encoder=nn.Embedding(40, 32), rnn=nn.LSTM(32, 32, 2, dropout=0.2))
    model = Part(lambda m, x: m.decoder(m.drop(m.rnn(m.drop(m.encoder(x)))[0])).view(-1, 40).log_softmax(1), **layers)
    model.decoder, text = nn.Linear(32, 40), chain(25).t().contiguous()
    return model, nn.NLLLoss(), text[:-1], text[1:].reshape(-1)


@right("texts: a small GPT", "own, as minGPT")
def small_gpt():
    """Pre-norm blocks with causal attention."""

    def forward(self, idx):
        mask = nn.Transformer.generate_square_subsequent_mask(idx.shape[1], device=idx.device)
        return self.lm_head(self.blocks(self.wte(idx) + self.wpe.weight[: idx.shape[1]], mask=mask, is_causal=True))

    block = nn.TransformerEncoderLayer(32, 4, 128, 0.1, activation="gelu", batch_first=True, norm_first=True)
    blocks = nn.TransformerEncoder(block, 2, norm=nn.LayerNorm(32), enable_nested_tensor=False)
    model, text = Part(forward, wte=nn.Embedding(40, 32), wpe=nn.Embedding(24, 32), blocks=blocks), chain(25)
    model.lm_head = nn.Linear(32, 40, bias=False)
    return model, lambda logits, y: F.cross_entropy(logits.flatten(0, 1), y.flatten()), text[:, :-1], text[:, 1:]


@right("texts: part-of-speech tags", "pytorch.org/tutorials sequence_models_tutorial, in batches")
def pos_tags():
    """A tag for each word, no loss where there is none."""
    words = texts(4)[0]
    tags, criterion = (words % 7).masked_fill(words == PAD, -1), nn.CrossEntropyLoss(ignore_index=-1)
    model = Part(lambda self, x: self.out(unpacked(self.rnn(packed(self.emb, x))[0], x)))
    model.emb, model.rnn, model.out = vectors(), nn.LSTM(32, 32, batch_first=True, bidirectional=True), nn.Linear(64, 7)
    return model, lambda out, y: criterion(out.view(-1, 7), y.view(-1)), words, tags


@right("texts: named entities", "huggingface.co/docs token_classification")
def entities():
    """Labels of -100 at special tokens and padding."""
    ids, model = texts(4, ends=True)[0], hf.BertForTokenClassification(hf.BertConfig(**BERT, num_labels=5))
    labels = torch.where(ids < 20, ids - 9, 0).masked_fill(ids < 4, -100)
    return model, lambda out, y: F.cross_entropy(out.logits.view(-1, 5), y.view(-1)), bert_inputs(ids), labels


@right("texts: translation by GRU with attention", "pytorch.org/tutorials seq2seq_translation, in batches")
def seq2seq():
    """The decoder reads the right words and looks at the real source words."""

    def forward(self, source, target):
        states, hidden = self.encoder(packed(self.src_emb, source))
        states, (queries, _) = unpacked(states, source), self.decoder(self.tgt_emb(target), hidden)
        scores = torch.bmm(self.key(queries), states.transpose(1, 2)).masked_fill((source == PAD)[:, None], -torch.inf)
        return self.out(torch.tanh(self.mix(torch.cat([queries, scores.softmax(-1) @ states], -1))))

    rnns = dict(encoder=nn.GRU(32, 32, batch_first=True), decoder=nn.GRU(32, 32, batch_first=True))
    (source, target), ends = translations(), dict(key=nn.Linear(32, 32), mix=nn.Linear(64, 32), out=nn.Linear(32, 40))
    model = Part(forward, src_emb=vectors(40), tgt_emb=vectors(40), **rnns, **ends)
    return model, lambda o, y: F.cross_entropy(o.mT, y, ignore_index=PAD), (source, target[:, :-1]), target[:, 1:]


@right("texts: translation by nn.Transformer", "pytorch.org/tutorials translation_transformer")
def transformer():
    """Three masks, label smoothing, the padding ignored."""

    def forward(self, src, tgt):
        x, y = (emb(t) + self.pos.weight[: t.shape[1]] for emb, t in ((self.src, src), (self.tgt, tgt)))
        masks = dict(src_key_padding_mask=src == PAD, memory_key_padding_mask=src == PAD)
        causal = torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool, device=tgt.device).triu(1)
        return self.generator(self.net(x, y, tgt_mask=causal, tgt_key_padding_mask=tgt == PAD, **masks))

    model = Part(forward, net=nn.Transformer(32, 4, 1, 1, 64, batch_first=True), src=vectors(40), tgt=vectors(40))
    model.pos, model.generator = nn.Embedding(16, 32), nn.Linear(32, 40)
    (source, target), criterion = translations(), nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=0.1)
    return model, lambda o, y: criterion(o.flatten(0, 1), y.flatten()), (source, target[:, :-1]), target[:, 1:]


@right("texts: BERT for classes", "huggingface.co/docs sequence_classification")
def bert_classes():
    """The labels go in and the loss comes out."""
    (ids, y), model = texts(3, ends=True), hf.BertForSequenceClassification(hf.BertConfig(**BERT, num_labels=3))
    return model, lambda out, y: out.loss, bert_inputs(ids, labels=y), y


@right("texts: DistilBERT with an own head", "own, as many a Kaggle notebook")
def distilbert():
    """The first token's state, dropout and a linear layer."""
    config = hf.DistilBertConfig(vocab_size=100, dim=32, hidden_dim=64, n_layers=2, n_heads=2)
    model = Part(lambda self, **batch: self.classifier(self.backbone(**batch).last_hidden_state[:, 0]))
    model.backbone, model.classifier = hf.DistilBertModel(config), nn.Sequential(nn.Dropout(0.2), nn.Linear(32, 2))
    ids, y = texts(2, ends=True)
    return model, nn.CrossEntropyLoss(), bert_inputs(ids), y


@right("texts: GPT-2", "huggingface.co/docs language_modeling")
def gpt2():
    """The labels are the ids; the model shifts them."""
    marks = dict(bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD)
    config = hf.GPT2Config(vocab_size=40, n_positions=32, n_embd=32, n_layer=2, n_head=2, **marks)
    ids = cut(chain(20), torch.randint(8, 21, (N,)))
    labels = ids.masked_fill(ids == PAD, -100)
    return hf.GPT2LMHeadModel(config), lambda out, y: out.loss, bert_inputs(ids, labels=labels), labels


@right("texts: masked words", "huggingface.co/docs masked_language_modeling")
def masked_words():
    """15 percent chosen: most hidden, some swapped, some kept."""
    ids = cut(chain(24), torch.randint(12, 25, (N,)))
    chosen, dice = (torch.rand(ids.shape) < 0.15) & (ids != PAD), torch.rand(ids.shape)
    seen = torch.where(chosen & (dice < 0.9), torch.randint(4, 40, ids.shape), ids)
    seen = seen.masked_fill(chosen & (dice < 0.8), MASK)
    model, labels = hf.BertForMaskedLM(hf.BertConfig(**{**BERT, "vocab_size": 40})), ids.masked_fill(~chosen, -100)
    return model, lambda out, y: F.cross_entropy(out.logits.transpose(1, 2), y), bert_inputs(seen), labels


@right("texts: T5", "huggingface.co/docs translation")
def t5():
    """Labels without the begin, -100 at the padding."""
    source, target = translations()
    marks = dict(pad_token_id=PAD, eos_token_id=EOS, decoder_start_token_id=PAD)
    config = hf.T5Config(vocab_size=40, d_model=32, d_kv=16, d_ff=64, num_layers=1, num_heads=2, **marks)
    labels = target[:, 1:].masked_fill(target[:, 1:] == PAD, -100)
    return hf.T5ForConditionalGeneration(config), lambda o, _: o.loss, bert_inputs(source, labels=labels), labels


@right("texts: question answering", "huggingface.co/docs question_answering")
def answers():
    """Where the answer starts and where it ends in the context."""
    words, sizes, place = torch.randint(20, 60, (N, 18)), torch.randint(9, 15, (N,)), torch.arange(18)
    start = torch.randint(4, 10, (N,))
    end = start + torch.randint(0, 3, (N,))
    words += 40 * ((place >= start[:, None]) & (place <= end[:, None])).long()
    ends, batch = torch.stack([start, end], 1) + 2, pair_inputs(words[:, :4], words[:, 4:], sizes)
    model, ce = hf.BertForQuestionAnswering(hf.BertConfig(**BERT)), nn.CrossEntropyLoss()
    return model, lambda out, y: (ce(out.start_logits, y[:, 0]) + ce(out.end_logits, y[:, 1])) / 2, batch, ends


@right("texts: paraphrases", "huggingface.co/course chapter 3, MRPC")
def paraphrases():
    """Two sentences in one row, with their segments."""
    first, y = torch.randint(20, 100, (N, 6)), torch.arange(N) % 2
    second = torch.where(y[:, None] == 1, first[:, torch.randperm(6)], torch.randint(20, 100, (N, 6)))
    model = hf.BertForSequenceClassification(hf.BertConfig(**BERT, num_labels=2))
    batch = pair_inputs(first, second, torch.randint(4, 7, (N,)))
    return model, lambda out, y: F.cross_entropy(out.logits, y), batch, y


@right("texts: inference by two encoded sentences", "InferSent, Sentence-BERT; SNLI")
def inference():
    """One encoder for both; u, v and their distance."""

    def forward(self, premise, hypothesis):
        u, v = (self.gru(packed(self.embed, x))[1][-1] for x in (premise, hypothesis))
        return self.classify(torch.cat([u, v, (u - v).abs()], dim=1))

    premise, y = texts(3)[0], torch.arange(N) % 3
    other = torch.where(y[:, None] == 1, torch.randint(20, 100, (N, 6)), premise[:, :6])
    other[y == 2, 2] = 5  # "not"
    classify = nn.Sequential(nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 3))
    model = Part(forward, embed=vectors(), gru=nn.GRU(32, 32, batch_first=True), classify=classify)
    return model, nn.CrossEntropyLoss(), (premise, other), y


@right("texts: similarity by cosine", "sbert.net CosineSimilarityLoss, STS benchmark")
def similarity():
    """Scores from 0 to 5, divided by 5."""
    first, shared, sizes = torch.randint(4, 100, (N, 10)), torch.arange(N) % 6, torch.randint(8, 11, (N,))
    second = torch.where(torch.arange(10) < 2 * shared[:, None], first, torch.randint(4, 100, (N, 10)))
    model = Part(lambda m, a, b: F.cosine_similarity(*(m.dense(mean_word(m.words, text)) for text in (a, b))))
    model.words, model.dense = vectors(), nn.Linear(32, 32)
    return model, nn.MSELoss(), (cut(first, sizes), cut(second, sizes)), shared / 5


@right("texts: search with in-batch negatives", "sbert.net MultipleNegativesRankingLoss, MS MARCO")
def search():
    """Each query's own passage among those of the batch."""
    passages = cut(torch.randint(4, 200, (N, 14)), torch.randint(8, 15, (N,)))
    batch = cut(passages[:, 1:6], torch.randint(3, 6, (N,))), passages
    model = Part(lambda m, *both: [F.normalize(m.tower(mean_word(m.emb, x))) for x in both])
    model.emb, model.tower = vectors(200), nn.Sequential(nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 32))
    return model, lambda out, y: F.cross_entropy(20 * out[0] @ out[1].T, y), batch, torch.arange(N)


@right("texts: skip-gram with negative samples", "d2l.ai word2vec pretraining")
def skip_gram():
    """A word, one true neighbour and five drawn ones."""
    model = Part(lambda self, center, others: torch.bmm(self.v(center), self.u(others).transpose(1, 2)).squeeze(1))
    model.v, model.u = nn.Embedding(60, 24), nn.Embedding(60, 24)
    model.apply(lambda m: nn.init.xavier_uniform_(m.weight) if isinstance(m, nn.Embedding) else None)
    center = torch.randint(0, 60, (32, 1))
    others = (center + torch.cat([torch.ones_like(center), torch.randint(2, 61, (32, 5))], 1)) % 60
    return model, nn.BCEWithLogitsLoss(), (center, others), torch.eye(6)[0].repeat(32, 1)


@right("speech: letters by CTC from frames", "own, after DeepSpeech")
def ctc():
    """Standardised features of varying length, letters of varying length, blank 0."""
    sizes = torch.randint(3, 9, (N,))
    words = cut(torch.randint(1, 28, (N, 8)), sizes)
    frames = torch.randn(28, 40)[words].repeat_interleave(4, 1) + 0.3 * torch.randn(N, 32, 40)
    frames = (frames / 1.04).masked_fill((torch.arange(32) >= 4 * sizes[:, None])[..., None], 0)
    model = Part(lambda m, x, n: m.fc(pad_packed_sequence(m.lstm(pack_padded_sequence(x, n.cpu(), True, False))[0])[0]))
    model.lstm, model.fc = nn.LSTM(40, 48, batch_first=True, bidirectional=True), nn.Linear(96, 28)
    criterion = nn.CTCLoss(blank=0, zero_infinity=True)  # time first
    return model, lambda out, y: criterion(out.log_softmax(-1), *y), (frames, 4 * sizes), (words, 4 * sizes, sizes)


@right("speech: commands from the waveform", "pytorch.org/tutorials speech_command_classification_with_torchaudio")
def waveform():
    """M5: strided convolutions, log-probabilities over the last dimension."""
    layers = []
    for width, out, size, stride in ((1, 16, 80, 16), (16, 16, 3, 1), (16, 32, 3, 1), (32, 32, 3, 1)):
        layers += [nn.Conv1d(width, out, size, stride), nn.BatchNorm1d(out), nn.ReLU(), nn.MaxPool1d(4)]
    model = Part(lambda m, x: F.log_softmax(m.fc1(m.features(x).mean(-1, keepdim=True).transpose(1, 2)), dim=2))
    model.features, model.fc1 = nn.Sequential(*layers), nn.Linear(32, 8)
    return model, lambda out, y: F.nll_loss(out.squeeze(1), y), *spoken(8)


@right("speech: commands from a log-mel picture", "tensorflow.org simple_audio, in PyTorch")
def log_mel():
    """A small picture network of standardised log-mel energies."""
    wave, y = spoken(8)
    power = torch.stft(wave[:, 0], 256, 128, window=torch.hann_window(256), return_complex=True).abs() ** 2
    hz, f = 700 * (10 ** (torch.linspace(0, 2146, 26) / 2595) - 1), torch.linspace(0, 4000, 129)[:, None]
    rise, fall = (f - hz[:-2]) / (hz[1:-1] - hz[:-2]), (hz[2:] - f) / (hz[2:] - hz[1:-1])
    mel = (torch.minimum(rise, fall).clamp(min=0).t() @ power + 1e-5).log().unsqueeze(1)
    first = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    x, layers = (mel - mel.mean()) / mel.std(), [*first, *second, nn.Dropout(0.25), nn.Linear(1440, 8)]
    return nn.Sequential(*layers), nn.CrossEntropyLoss(), x, y
