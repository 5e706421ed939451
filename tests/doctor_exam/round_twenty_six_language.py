"""Set-ups of the twenty-sixth round (language), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_SIX_LANGUAGE = CaseSet()
right = TWENTY_SIX_LANGUAGE.right
N = 16
TEXT = "the cat sat on the mat and the dog sat on the log while the rain fell on the roof of the house by the sea "


def cut(words: Tensor, shortest: int = 6) -> tuple[Tensor, Tensor]:
    """Texts of different lengths, filled up with 0, and the lengths."""
    lengths = torch.randint(shortest, words.shape[1] + 1, (N,))
    lengths[0] = words.shape[1]
    return words * (torch.arange(words.shape[1]) < lengths[:, None]), lengths


def texts(label: Tensor, longest: int = 16) -> tuple[Tensor, Tensor]:
    """Token ids and lengths; half of the words tell the label, the first one always."""
    telling = (torch.rand(N, longest) < 0.5) | (torch.arange(longest) == 0)
    words = torch.where(telling, 5 + 6 * label[:, None] + torch.randint(0, 6, telling.shape), 0)
    return cut(torch.where(telling, words, torch.randint(30, 80, words.shape)))


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of all tokens but those labelled -100."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)


def hugging(kind: str, head: str, **options: int) -> nn.Module:
    """A small one of Hugging Face's models, 80 words."""
    import transformers

    size = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=48, vocab_size=80)
    options |= dict(intermediate_size=64) if kind == "bert" else dict(n_inner=64, bos_token_id=2, eos_token_id=1)
    config = transformers.AutoConfig.for_model(kind, pad_token_id=0, **size, **options)
    return getattr(transformers, f"AutoModelFor{head}").from_config(config)


def encoder(pooled: bool = True) -> nn.Module:
    """Words and positions through a transformer encoder, then the mean over the real words unless not pooled."""

    def forward(self, tokens):
        x, real = self.word(tokens) + self.place(torch.arange(tokens.shape[1])), (tokens != 0).unsqueeze(-1)
        x = self.layers(x, src_key_padding_mask=tokens == 0)
        return (x * real).sum(1) / real.sum(1) if pooled else x

    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return Part(forward, word=nn.Embedding(80, 32, padding_idx=0), place=nn.Embedding(48, 32), layers=layers)


@right("language: news by a bag of embeddings", "pytorch.org/tutorials text_sentiment_ngrams (AG News), from memory")
def news():
    """The tutorial's EmbeddingBag of one long list of words and where each text begins."""
    label = torch.arange(N) % 4
    padded, lengths = texts(label, 20)
    batch = padded[padded > 0], F.pad(lengths.cumsum(0)[:-1], (1, 0))
    forward = lambda self, text, offsets: self.fc(self.embedding(text, offsets))  # noqa: E731
    return Part(forward, embedding=nn.EmbeddingBag(80, 32), fc=nn.Linear(32, 4)), nn.CrossEntropyLoss(), batch, label


@right("language: sentiment by an LSTM", "bentrevett's pytorch-sentiment-analysis, from memory")
def sentiment():
    """Film reviews, good or bad: packed words, both directions' last states, one logit."""

    def forward(self, text, lengths):
        x = self.dropout(self.embedding(text))
        _, (hidden, _) = self.lstm(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return self.fc(self.dropout(torch.cat([hidden[-2], hidden[-1]], dim=1))).squeeze(1)

    label, lstm = torch.arange(N) % 2, nn.LSTM(24, 24, batch_first=True, bidirectional=True)
    parts = dict(embedding=nn.Embedding(80, 24, padding_idx=0), lstm=lstm, dropout=nn.Dropout(0.3))
    return Part(forward, **parts, fc=nn.Linear(48, 1)), nn.BCEWithLogitsLoss(), texts(label), label.float()


@right("language: convolutions over words", "Kim's TextCNN, met in many courses")
def text_cnn():
    """Windows of 2, 3 and 4 words and the largest answer; without a bias, padding answers 0, the floor of the ReLU."""

    def forward(self, tokens):
        x = self.embed(tokens).transpose(1, 2)
        pooled = [F.relu(conv(x)).amax(dim=2) for conv in self.convs]
        return self.out(F.dropout(torch.cat(pooled, 1), 0.5, self.training))

    convs, label = nn.ModuleList(nn.Conv1d(32, 16, width, bias=False) for width in (2, 3, 4)), torch.arange(N) % 3
    model = Part(forward, embed=nn.Embedding(80, 32, padding_idx=0), convs=convs, out=nn.Linear(48, 3))
    return model, nn.CrossEntropyLoss(), texts(label)[0], label


@right("language: topics by a transformer encoder", "own, as in the Keras and PyTorch examples")
def encoder_classifier():
    """A text's topic from the mean of its words."""
    label = torch.arange(N) % 4
    return nn.Sequential(encoder(), nn.Linear(32, 4)), nn.CrossEntropyLoss(label_smoothing=0.1), texts(label)[0], label


@right("language: BERT fine-tuned for classes", "Hugging Face course, chapter 3, with a loop of one's own")
def bert_classes():
    """Token ids and attention mask by name, the loss of the logits."""
    label, ids = torch.arange(N) % 2, F.pad(texts(torch.arange(N) % 2)[0], (1, 0), value=2)
    batch = {"input_ids": ids, "attention_mask": (ids != 0).long()}
    return hugging("bert", "SequenceClassification"), lambda out, y: F.cross_entropy(out.logits, y), batch, label


@right("language: word classes by a BiLSTM", "own, as in part-of-speech tagging homework")
def tagger():
    """A tag for each word, none for the padding."""

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.embed(words), lengths, batch_first=True, enforce_sorted=False)
        return self.tag(pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0])

    words, lengths = texts(torch.arange(N) % 4)
    tags, lstm = torch.where(words > 0, words % 6, -100), nn.LSTM(24, 24, batch_first=True, bidirectional=True)
    model = Part(forward, embed=nn.Embedding(80, 24, padding_idx=0), lstm=lstm, tag=nn.Linear(48, 6))
    return model, token_loss, (words, lengths), tags


@right("language: names by BERT", "Hugging Face course, token classification (CoNLL-2003), from memory")
def names():
    """Beginning, inside and outside of names; special tokens and padding have no label."""
    words, lengths = cut(torch.randint(30, 80, (N, 18)), 8)
    words[:, 0], words[torch.arange(N), lengths - 1] = 2, 3
    span, place = torch.randint(1, 5, (N, 1)) + torch.arange(2), torch.arange(N)[:, None] % 2
    words.scatter_(1, span, torch.randint(5, 10, (N, 2)) + 10 * place)
    labels = torch.zeros_like(words).scatter(1, span, torch.tensor([1, 2]) + 2 * place)  # B-PER I-PER, B-LOC I-LOC
    labels[words < 4] = -100
    batch = dict(input_ids=words, attention_mask=(words != 0).long())
    return hugging("bert", "TokenClassification", num_labels=5), lambda out, y: token_loss(out.logits, y), batch, labels


@right("language: answers found in a text", "own, as in SQuAD fine-tuning")
def answers():
    """A question, a separator and a text with the answer between two telling words."""
    hide = lambda scores, tokens: scores.masked_fill((tokens == 0).unsqueeze(-1), -1e4)  # noqa: E731
    forward = lambda self, tokens: hide(self.ends(self.encoder(tokens)), tokens).unbind(-1)  # noqa: E731
    (words, _), kind = cut(torch.randint(30, 80, (N, 24)), 14), torch.arange(N) % 4
    words[:, 0], words[:, 1], words[:, 2], start = 2, 5 + kind, 3, torch.randint(4, 9, (N,))
    end = start + torch.randint(0, 3, (N,))
    words[torch.arange(N), start - 1], words[torch.arange(N), end + 1] = 10 + kind, 15 + kind
    loss = lambda out, y: (F.cross_entropy(out[0], y[0]) + F.cross_entropy(out[1], y[1])) / 2  # noqa: E731
    return Part(forward, encoder=encoder(False), ends=nn.Linear(32, 2)), loss, words, (start, end)


@right("language: a language model of letters", "Karpathy's char-rnn, from memory")
def letters():
    """The next letter, by an LSTM."""
    chars = sorted(set(TEXT))
    windows = torch.tensor([chars.index(c) for c in TEXT * 2]).unfold(0, 33, 1)[torch.randperm(150)[:N]]
    forward = lambda self, x: self.head(self.drop(self.lstm(self.emb(x))[0]))  # noqa: E731
    parts = dict(emb=nn.Embedding(len(chars), 32), lstm=nn.LSTM(32, 64, 2, batch_first=True, dropout=0.2))
    model = Part(forward, **parts, drop=nn.Dropout(0.2), head=nn.Linear(64, len(chars)))
    return model, token_loss, windows[:, :-1], windows[:, 1:]


@right("language: a small GPT", "nanoGPT, from memory")
def gpt():
    """Blocks of one long stream of bytes, the targets one further on; words and output layer share their weights."""

    def forward(self, ids):
        past = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        return self.head(self.blocks(x, mask=past, is_causal=True))

    layer = nn.TransformerEncoderLayer(32, 4, 128, 0.1, "gelu", batch_first=True, norm_first=True)
    blocks = nn.TransformerEncoder(layer, 2, nn.LayerNorm(32), enable_nested_tensor=False)
    wte, wpe = (nn.Embedding.from_pretrained(0.02 * torch.randn(n, 32), freeze=False) for n in (128, 48))
    head = nn.Linear(32, 128, bias=False)
    head.weight = wte.weight
    data = torch.tensor(list((TEXT * 3).encode())).unfold(0, 33, 1)
    model = Part(forward, wte=wte, wpe=wpe, blocks=blocks, head=head)
    return model, lambda out, y: F.cross_entropy(out.mT, y), data[::20, :-1], data[::20, 1:]


@right("language: instruction tuning", "own, as in supervised fine-tuning with Hugging Face")
def instructions():
    """GPT-2 learns the answer and its end; the prompt and the padding have the label -100."""
    ids, labels = torch.zeros(N, 20, dtype=torch.long), torch.full((N, 20), -100)
    for row, label in zip(ids, labels, strict=True):
        prompt = torch.randint(5, 30, (int(torch.randint(4, 9, ())),))
        text = torch.cat([prompt, torch.tensor([3]), prompt + 40, torch.tensor([1])])
        row[: len(text)], label[len(prompt) + 1 : len(text)] = text, text[len(prompt) + 1 :]
    model = hugging("gpt2", "CausalLM")
    batch = dict(input_ids=ids, attention_mask=(ids != 0).long())
    return model, lambda out, y: token_loss(out.logits[:, :-1], y[:, 1:]), batch, labels


@right("language: masked words", "BERT pre-training, Hugging Face course chapter 7, from memory")
def masked_words():
    """A seventh of the words is asked for: eight of ten are hidden, one is another word, one stays."""
    ids, _ = cut(5 + (torch.randint(0, 75, (N, 1)) + 3 * torch.arange(24)) % 75, 14)
    chosen, fate = (torch.rand(ids.shape) < 0.15) & (ids != 0), torch.rand(ids.shape)
    labels = ids.masked_fill(~chosen, -100)
    ids = torch.where(chosen & (fate < 0.8), 4, ids)  # 4 is [MASK]
    ids = torch.where(chosen & (fate > 0.9), torch.randint(5, 80, ids.shape), ids)
    return hugging("bert", "MaskedLM"), lambda out, y: token_loss(out.logits, y), (ids, (ids != 0).long()), labels


@right("language: word vectors", "word2vec with negative sampling, as in d2l.ai, from memory")
def word_vectors():
    """A word, one true neighbour and four others: one logit for each."""
    forward = lambda self, word, others: (self.outer(others) @ self.inner(word).unsqueeze(2)).squeeze(2)  # noqa: E731
    center = torch.randint(0, 50, (32,))
    neighbour = 5 * (center // 5) + torch.randint(0, 5, (32,))
    others = torch.cat([neighbour[:, None], (neighbour[:, None] + torch.randint(5, 45, (32, 4))) % 50], 1)
    model = Part(forward, inner=nn.Embedding(50, 16), outer=nn.Embedding(50, 16))
    for weight in model.parameters():
        nn.init.xavier_uniform_(weight)
    return model, F.binary_cross_entropy_with_logits, (center, others), F.pad(torch.ones(32, 1), (0, 4))


def translations() -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Sentences and their reversed translations with start (1) and end (2), padded with 0, the labels with -100."""
    said = [torch.randint(3, 40, (n,)) for n in torch.randint(4, 10, (N,)).tolist()]
    source = pad_sequence([torch.tensor([1, *words, 2]) for words in said], batch_first=True)
    target = pad_sequence([torch.tensor([1, *(words.flip(0) + 20), 2]) for words in said], batch_first=True)
    return (source, target[:, :-1]), target[:, 1:].masked_fill(target[:, 1:] == 0, -100)


@right("language: translation by a GRU with attention", "the seq2seq homework of many courses, Luong attention")
def seq2seq():
    """The teacher's words go into the decoder, which looks at the real words of the source."""

    def forward(self, src, tgt):
        memory, _ = self.encoder(self.src_emb(src))
        last = memory[torch.arange(len(src)), (src != 0).sum(1) - 1].unsqueeze(0)
        states, _ = self.decoder(self.tgt_emb(tgt), last)
        scores = (states @ memory.transpose(1, 2)).masked_fill((src == 0).unsqueeze(1), float("-inf"))
        return self.out(self.mix(torch.cat([states, scores.softmax(-1) @ memory], -1)).tanh())

    embeddings = dict(src_emb=nn.Embedding(60, 24, padding_idx=0), tgt_emb=nn.Embedding(60, 24, padding_idx=0))
    cells = dict(encoder=nn.GRU(24, 32, batch_first=True), decoder=nn.GRU(24, 32, batch_first=True))
    model = Part(forward, **embeddings, **cells, mix=nn.Linear(64, 32), out=nn.Linear(32, 60))
    return model, token_loss, *translations()


@right("language: translation by a transformer", "pytorch.org/tutorials translation_transformer, from memory")
def transformer_translation():
    """Masks for the future and the padding, the loss without padding."""

    def forward(self, src, tgt):
        s = self.src_tok(src) + self.pos(torch.arange(src.size(1)))
        t = self.tgt_tok(tgt) + self.pos(torch.arange(tgt.size(1)))
        causal = torch.ones(tgt.size(1), tgt.size(1), dtype=torch.bool).triu(1)
        pads = dict(src_key_padding_mask=src == 0, memory_key_padding_mask=src == 0, tgt_key_padding_mask=tgt == 0)
        return self.generator(self.transformer(s, t, tgt_mask=causal, **pads))

    words = dict(src_tok=nn.Embedding(60, 32), tgt_tok=nn.Embedding(60, 32), pos=nn.Embedding(32, 32))
    transformer = nn.Transformer(32, 4, 2, 2, 64, dropout=0.1, batch_first=True)
    model = Part(forward, **words, transformer=transformer, generator=nn.Linear(32, 60))
    return model, token_loss, *translations()


@right("language: similarity of sentence pairs", "sentence-transformers, CosineSimilarityLoss on STS, from memory")
def similarity():
    """One encoder for both; the cosine is to be the similarity from 0 to 1."""
    forward = lambda self, a, b: F.cosine_similarity(self.encoder(a), self.encoder(b))  # noqa: E731
    (first, _), score = texts(torch.arange(N) % 4), torch.linspace(0, 5, N)[torch.randperm(N)] / 5
    changed = (torch.rand(first.shape) > score[:, None]) & (first != 0)
    second = torch.where(changed, torch.randint(5, 80, first.shape), first)
    return Part(forward, encoder=encoder()), nn.MSELoss(), (first, second), score


@right("language: retrieval with the batch's negatives", "dense passage retrieval, sentence-transformers, from memory")
def retrieval():
    """A question's own passage, which holds its words, stands at the same place; cosines over a temperature."""
    unit = lambda vectors: F.normalize(vectors, dim=-1)  # noqa: E731
    forward = lambda self, asked, found: unit(self.question(asked)) @ unit(self.passage(found)).T / 0.05  # noqa: E731
    passages, _ = texts(torch.arange(N) % 4, 24)
    passages[:, 1:3] = 30 + 3 * torch.arange(N)[:, None] + torch.arange(2)
    questions = torch.cat([torch.full((N, 1), 2), passages[:, [0, 2, 1]], passages[:, 4:8]], 1)
    model = Part(forward, question=encoder(), passage=encoder())
    return model, nn.CrossEntropyLoss(), (questions, passages), torch.arange(N)


@right("language: a reranker", "sentence-transformers CrossEncoder on MS MARCO, from memory")
def reranker():
    """Question and passage in one text of two segments; one logit says whether the passage answers."""
    topic, relevant = torch.arange(N) % 4, torch.arange(N) // 4 % 2
    passage, _ = texts(torch.where(relevant == 1, topic, (topic + 1 + torch.arange(N) // 8) % 4))
    question = 5 + 6 * topic[:, None] + torch.randint(0, 6, (N, 3))
    ids = torch.cat([torch.full((N, 1), 2), question, torch.full((N, 1), 3), F.pad(passage, (0, 1))], 1)
    ids[torch.arange(N), (ids != 0).sum(1)] = 3
    mask = (ids != 0).long()
    batch = dict(input_ids=ids, token_type_ids=mask * (torch.arange(ids.size(1)) > 4), attention_mask=mask)
    model = hugging("bert", "SequenceClassification", num_labels=1)
    return model, lambda out, y: F.binary_cross_entropy_with_logits(out.logits.squeeze(-1), y), batch, relevant.float()


@right("language: preference by DPO", "direct preference optimisation with the reference's numbers computed before")
def preference():
    """Log-probabilities of the chosen answers and, below them in the batch, the rejected, against the reference's."""

    def forward(self, ids, answer):
        logits = self.lm(ids, attention_mask=(ids != 0).long()).logits[:, :-1]
        return (logits.log_softmax(-1).gather(2, ids[:, 1:, None]).squeeze(2) * answer[:, 1:]).sum(1).chunk(2)

    dpo = lambda now, old: -F.logsigmoid(0.1 * ((now[0] - old[0]) - (now[1] - old[1]))).mean()  # noqa: E731
    prompt = torch.randint(30, 80, (N, 5))
    ids = torch.cat([torch.cat([prompt, texts(torch.full((N,), kind), 10)[0]], 1) for kind in (0, 1)])
    batch = ids, ((ids != 0) & (torch.arange(15) >= 5)).float()
    model = Part(forward, lm=hugging("gpt2", "CausalLM", embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0))
    with torch.no_grad():
        return model, dpo, batch, model(*batch)


@right("language: speech recognition with CTC", "own, as in DeepSpeech tutorials")
def speech():
    """Normalised log-mel frames, a convolution of stride two, a packed BiGRU and CTC over letters (0 is the blank)."""

    def forward(self, mel, frames):
        x, steps = F.relu(self.conv(mel.transpose(1, 2))).transpose(1, 2), (frames + 1) // 2
        packed = pack_padded_sequence(x, steps, batch_first=True, enforce_sorted=False)
        return self.out(pad_packed_sequence(self.gru(packed)[0], True)[0]).log_softmax(-1), steps

    loss_fn = lambda out, y: F.ctc_loss(out[0].transpose(0, 1), y[0], out[1], y[1], blank=0)  # noqa: E731
    sounds, lengths = torch.randn(27, 40), torch.randint(3, 8, (N,))
    said = [torch.randint(1, 27, (n,)) for n in lengths.tolist()]
    mels = [sounds[word.repeat_interleave(8)] + 0.3 * torch.randn(8 * len(word), 40) for word in said]
    mels = pad_sequence([(mel - mel.mean(0)) / mel.std(0) for mel in mels], batch_first=True)
    gru = nn.GRU(48, 48, batch_first=True, bidirectional=True)
    model = Part(forward, conv=nn.Conv1d(40, 48, 3, stride=2, padding=1), gru=gru, out=nn.Linear(96, 27))
    return model, loss_fn, (mels, 8 * lengths), (pad_sequence(said, True), lengths)
