"""Set-ups of the twenty-third round (texts and speech), ordinary right ones, written without knowing the checks."""

import math

import torch
import transformers as hf
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Then, classes, labels
from doctor_exam.round_parts import Part

TWENTY_THREE_TEXTS = CaseSet()
right = TWENTY_THREE_TEXTS.right


def texts(length: int = 12, pad: int = 0, first: int = 4, vocabulary: int = 60) -> tuple[Tensor, Tensor]:
    """Padded texts [N, length] and their lengths; the tokens below the first are special ones."""
    tokens, sizes = torch.randint(first, vocabulary, (N, length)), torch.randint(4, length + 1, (N,))
    sizes[0] = length
    tokens[torch.arange(length) >= sizes[:, None]] = pad
    return tokens, sizes


def framed(length: int = 10, pad: int = 0, start: int = 1, end: int = 2) -> Tensor:
    """Padded texts that begin with a start and finish with an end token [N, length + 2]."""
    tokens, sizes = texts(length, pad)
    tokens = F.pad(F.pad(tokens, (1, 0), value=start), (0, 1), value=pad)
    tokens[torch.arange(N), sizes + 1] = end
    return tokens


def running(vocabulary: int = 80, length: int = 36, columns: int = 20) -> Tensor:
    """Running text in columns [length, columns], where a word has few successors."""
    words = [torch.randint(0, vocabulary, (columns,))]
    for _ in range(length - 1):
        words.append((words[-1] * 7 + torch.randint(0, 2, (columns,))) % vocabulary)
    return torch.stack(words)


def own_loss(outputs: dict, _: None) -> Tensor:
    """The loss that the model has computed."""
    return outputs["loss"]


def small_bert(kind: type, **more) -> nn.Module:
    """A small network of the library's BERT family."""
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    return kind(hf.BertConfig(vocab_size=60, max_position_embeddings=64, **sizes, **more))


def causal(length: int) -> Tensor:
    """The additive mask that hides the future."""
    return nn.Transformer.generate_square_subsequent_mask(length)


@right("news topics: bag of embeddings", "pytorch.org/text text_sentiment_ngrams_tutorial")
def news_bag():
    """Texts joined to one row with offsets, four topics."""
    tokens, sizes = texts()
    text, offsets = tokens[tokens != 0], F.pad(sizes.cumsum(0)[:-1], (1, 0))
    layers = {"embedding": nn.EmbeddingBag(60, 64, sparse=False), "fc": nn.Linear(64, 4)}
    model = Part(lambda self, text, offsets: self.fc(self.embedding(text, offsets)), **layers)
    for weight in (model.embedding.weight, model.fc.weight):
        nn.init.uniform_(weight, -0.5, 0.5)
    return model, nn.CrossEntropyLoss(), (text, offsets), tokens[:, 0] % 4


@right("reviews: packed two-way LSTM", "github.com/bentrevett/pytorch-sentiment-analysis")
def packed_reviews():
    """Film reviews, the time first, packed by their lengths, one logit."""

    def forward(self: Part, text: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.dropout(self.embedding(text)), lengths, enforce_sorted=False)
        hidden = self.rnn(packed)[1][0]
        return self.fc(self.dropout(torch.cat([hidden[-2], hidden[-1]], 1))).squeeze(1)

    tokens, sizes = texts(16, pad=1)
    embedding, rnn = nn.Embedding(60, 32, padding_idx=1), nn.LSTM(32, 32, 2, bidirectional=True, dropout=0.5)
    model = Part(forward, embedding=embedding, rnn=rnn, fc=nn.Linear(64, 1), dropout=nn.Dropout(0.5))
    return model, nn.BCEWithLogitsLoss(), (tokens.t(), sizes), (tokens[:, 0] % 2).float()


@right("reviews: convolutions of three widths", "Kim 2014, github.com/Shawn1993/cnn-text-classification-pytorch")
def sentence_convolutions():
    """Convolutions over words, the largest answer of each, two classes."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.embed(x).unsqueeze(1)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        return self.fc1(self.dropout(torch.cat([F.max_pool1d(i, i.size(2)).squeeze(2) for i in x], 1)))

    tokens, _ = texts(16, pad=1)
    convs = nn.ModuleList(nn.Conv2d(1, 20, (size, 32)) for size in (3, 4, 5))
    model = Part(forward, embed=nn.Embedding(60, 32), convs=convs, dropout=nn.Dropout(0.5), fc1=nn.Linear(60, 2))
    return model, lambda out, target: F.cross_entropy(out, target), tokens, tokens[:, 0] % 2


@right("names: letters through an RNN", "pytorch.org/tutorials char_rnn_classification_tutorial")
def names():
    """Letters of eight names as one-hot rows, the time first, log-probabilities of 18 languages."""
    line = F.one_hot(torch.randint(0, 58, (7, 8)), 58).float()
    parts = {"rnn": nn.RNN(58, 128), "h2o": nn.Linear(128, 18), "softmax": nn.LogSoftmax(dim=1)}
    model = Part(lambda self, line: self.softmax(self.h2o(self.rnn(line)[1][0])), **parts)
    return model, nn.NLLLoss(), line, torch.randint(0, 18, (8,))


@right("word model: LSTM", "github.com/pytorch/examples word_language_model")
def word_model():
    """Running text in columns, the next word of each place, tied weights."""
    parts = {"encoder": nn.Embedding(80, 32), "rnn": nn.LSTM(32, 32, 2, dropout=0.2), "decoder": nn.Linear(32, 80)}
    model = Part(lambda self, x: self.decoder(self.drop(self.rnn(self.drop(self.encoder(x)))[0])), **parts)
    model.drop = nn.Dropout(0.2)
    model.decoder.weight = model.encoder.weight
    nn.init.uniform_(model.encoder.weight, -0.1, 0.1)
    source = running()
    model = Then(model, lambda out: F.log_softmax(out.view(-1, 80), dim=1))
    return model, nn.NLLLoss(), source[:-1], source[1:].flatten()


class Positions(nn.Module):
    """Sine waves of the places added to the embeddings, the time first or second."""

    def __init__(self, width: int, batch_first: bool = False) -> None:
        super().__init__()
        place = torch.arange(64)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        waves = torch.stack([place.sin(), place.cos()], 2).view(64, width)
        self.register_buffer("pe", waves[None] if batch_first else waves[:, None])
        self.dropout, self.axis = nn.Dropout(0.1), int(batch_first)

    def forward(self, x: Tensor) -> Tensor:
        """Scaled embeddings with their places."""
        return self.dropout(x * x.size(-1) ** 0.5 + self.pe.narrow(self.axis, 0, x.size(self.axis)))


@right("word model: transformer encoder", "pytorch.org/tutorials transformer_tutorial")
def transformer_words():
    """A causal encoder on WikiText columns, the scores flattened in the loss."""
    layer = nn.TransformerEncoderLayer(32, 2, 64, 0.2)
    parts = {"encoder": nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), "linear": nn.Linear(32, 80)}
    parts["first"] = nn.Sequential(nn.Embedding(80, 32), Positions(32))
    model = Part(lambda self, x: self.linear(self.encoder(self.first(x), causal(len(x)))), **parts)
    source, criterion = running(), nn.CrossEntropyLoss()
    return model, lambda out, goal: criterion(out.view(-1, 80), goal), source[:-1], source[1:].reshape(-1)


def translator(pad: int, end: nn.Module) -> nn.Module:
    """A transformer from one language to another, batch first, padding and future hidden."""

    def forward(self: Part, src: Tensor, trg: Tensor) -> Tensor:
        src_pad, tgt_pad, mask = src == pad, trg == pad, causal(trg.size(1)).isinf()
        src, trg = self.places(self.src_emb(src)), self.places(self.tgt_emb(trg))
        return self.generator(self.transformer(src, trg, None, mask, None, src_pad, tgt_pad, src_pad))

    parts = {"src_emb": nn.Embedding(60, 32), "tgt_emb": nn.Embedding(60, 32), "places": Positions(32, True)}
    return Part(forward, transformer=nn.Transformer(32, 2, 2, 2, 64, 0.1, batch_first=True), generator=end, **parts)


@right("translation: nn.Transformer", "pytorch.org/tutorials translation_transformer")
def translation_transformer():
    """German to English, target without its last and without its first token, padding ignored."""
    src, tgt = framed(pad=1, start=2, end=3), framed(pad=1, start=2, end=3)
    loss_fn = nn.CrossEntropyLoss(ignore_index=1)
    model = translator(1, nn.Linear(32, 60))
    return model, lambda out, goal: loss_fn(out.reshape(-1, 60), goal.reshape(-1)), (src, tgt[:, :-1]), tgt[:, 1:]


@right("copying: smoothed labels", "nlp.seas.harvard.edu/annotated-transformer")
def smoothed_copies():
    """Sequences to copy, the sum of divergences from smoothed labels over the count of tokens."""
    tokens = torch.randint(1, 60, (N, 10))
    tokens[:, 0] = 1

    def loss(log_p: Tensor, goal: Tensor) -> Tensor:
        log_p, goal = log_p.reshape(-1, 60), goal.reshape(-1)
        smooth = torch.full_like(log_p, 0.1 / 58).scatter_(1, goal[:, None], 0.9)
        smooth[:, 0] = 0
        smooth[goal == 0] = 0
        return nn.KLDivLoss(reduction="sum")(log_p, smooth) / (goal != 0).sum()

    end = nn.Sequential(nn.Linear(32, 60), nn.LogSoftmax(dim=-1))
    return translator(0, end), loss, (tokens, tokens[:, :-1]), tokens[:, 1:]


@right("translation: LSTM to LSTM", "github.com/bentrevett/pytorch-seq2seq 1")
def seq2seq():
    """Encoder's state to a decoder that is always shown the right word; place 0 stays empty and is left out."""

    def forward(self: Part, src: Tensor, trg: Tensor) -> Tensor:
        outputs = torch.zeros(*trg.shape, 60)
        _, state = self.encoder(self.source(src))
        for t in range(1, len(trg)):
            output, state = self.decoder(self.target(trg[t - 1 : t]), state)
            outputs[t] = self.fc_out(output.squeeze(0))
        return outputs

    words = {"source": nn.Embedding(60, 32), "target": nn.Embedding(60, 32), "fc_out": nn.Linear(48, 60)}
    model = Part(forward, encoder=nn.LSTM(32, 48, 2, dropout=0.5), decoder=nn.LSTM(32, 48, 2, dropout=0.5), **words)
    src, trg = framed(pad=1, start=2, end=3).t(), framed(pad=1, start=2, end=3).t()
    criterion = nn.CrossEntropyLoss(ignore_index=1)
    return model, lambda out, goal: criterion(out[1:].view(-1, 60), goal[1:].reshape(-1)), (src, trg), trg


@right("parts of speech: one sentence", "pytorch.org/tutorials sequence_models_tutorial")
def part_of_speech():
    """One sentence of words through an LSTM, log-probabilities of three tags per word."""
    parts = {"words": nn.Embedding(30, 16), "lstm": nn.LSTM(16, 16), "tags": nn.Linear(16, 3)}
    model = Part(lambda self, x: F.log_softmax(self.tags(self.lstm(self.words(x)[:, None])[0][:, 0]), dim=1), **parts)
    sentence = torch.randint(0, 30, (9,))
    return model, nn.NLLLoss(), sentence, sentence % 3


@right("embeddings: words before the word", "pytorch.org/tutorials word_embeddings_tutorial")
def ngrams():
    """Two words of context, log-probabilities of the next."""
    layers = (nn.Embedding(97, 10), nn.Flatten(), nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 97), nn.LogSoftmax(1))
    words = torch.randint(0, 97, (34,))
    return nn.Sequential(*layers), nn.NLLLoss(), torch.stack([words[:-2], words[1:-1]], 1), words[2:]


@right("embeddings: word from its neighbours", "github.com/OlgaChernytska/word2vec-pytorch")
def bag_of_neighbours():
    """The mean of eight neighbours' embeddings, scores of the word in the middle."""
    layers = {"embeddings": nn.Embedding(100, 30, max_norm=1), "linear": nn.Linear(30, 100)}
    model = Part(lambda self, around: self.linear(self.embeddings(around).mean(dim=1)), **layers)
    words = torch.randint(0, 100, (40,)).unfold(0, 9, 1)
    return model, nn.CrossEntropyLoss(), torch.cat([words[:, :4], words[:, 5:]], 1), words[:, 4]


@right("embeddings: drawn words as negatives", "github.com/Andras7/word2vec-pytorch")
def drawn_negatives():
    """Skip-grams with five negatives each, the model returns its loss."""

    def forward(self: Part, pos_u: Tensor, pos_v: Tensor, neg_v: Tensor) -> dict:
        u = self.u_embeddings(pos_u)
        score = -F.logsigmoid((u * self.v_embeddings(pos_v)).sum(1).clamp(-10, 10))
        drawn = torch.bmm(self.v_embeddings(neg_v), u.unsqueeze(2)).squeeze(2).clamp(-10, 10)
        return {"loss": (score - F.logsigmoid(-drawn).sum(1)).mean()}

    model = Part(forward, u_embeddings=nn.Embedding(100, 32), v_embeddings=nn.Embedding(100, 32))
    nn.init.uniform_(model.u_embeddings.weight, -1 / 32, 1 / 32)
    nn.init.zeros_(model.v_embeddings.weight)
    draw = torch.randint(0, 100, (32, 7))
    return model, own_loss, (draw[:, 0], draw[:, 1], draw[:, 2:]), None


def batch(length: int = 12) -> dict[str, Tensor]:
    """Padded texts as a tokenizer hands them out: [CLS], words, [SEP], padding."""
    tokens = framed(length)
    return {"input_ids": tokens, "attention_mask": (tokens != 0).long()}


@right("BERT: classes of texts", "huggingface.co/docs/transformers training")
def bert_classes():
    """The library's classifier with labels in the batch returns its loss."""
    x = batch()
    x["labels"] = x["input_ids"][:, 1] % 2
    return small_bert(hf.BertForSequenceClassification, num_labels=2), own_loss, x, None


@right("BERT: toxic comments", "github.com/abhimishra91/transformers-tutorials multi label")
def toxic_comments():
    """Pooled output, dropout and six independent logits."""
    parts = {"bert": small_bert(hf.BertModel), "drop": nn.Dropout(0.3), "classifier": nn.Linear(32, 6)}
    model = Part(lambda self, **x: self.classifier(self.drop(self.bert(**x).pooler_output)), **parts)
    return model, nn.BCEWithLogitsLoss(), batch(), labels(6)


@right("BERT: named entities", "huggingface.co/docs/transformers tasks/token_classification")
def named_entities():
    """Tags of first pieces only, -100 for the frame, further pieces and padding."""
    x = batch()
    tags = (x["input_ids"] % 9).masked_fill((x["input_ids"] < 4) | (torch.rand(N, 14) < 0.2), -100)
    return small_bert(hf.BertForTokenClassification, num_labels=9), own_loss, x | {"labels": tags}, None


@right("BERT: masked words", "huggingface.co/docs/transformers DataCollatorForLanguageModeling")
def masked_words():
    """15 % of the words are to be found, most of them masked, a few replaced or kept."""
    x = batch(24)
    ids, lot = x["input_ids"], torch.rand(N, 26)
    chosen = (torch.rand(N, 26) < 0.15) & (ids > 3)
    shown = ids.masked_fill(chosen & (lot < 0.8), 3)
    shown = torch.where(chosen & (lot > 0.9), torch.randint(4, 60, ids.shape), shown)
    x |= {"input_ids": shown, "labels": ids.masked_fill(~chosen, -100)}
    return small_bert(hf.BertForMaskedLM), own_loss, x, None


@right("BERT: answers in a text", "huggingface.co/docs/transformers tasks/question_answering")
def answers():
    """Start and end of the answer within the second segment."""
    start, ids = torch.randint(8, 15, (N,)), torch.randint(4, 60, (N, 24))
    x = {"input_ids": ids, "token_type_ids": (torch.arange(24) >= 8).long().repeat(N, 1)}
    x |= {"start_positions": start, "end_positions": start + classes(6)}
    return small_bert(hf.BertForQuestionAnswering), own_loss, x, None


@right("GPT-2: padded texts", "huggingface.co/docs/transformers tasks/language_modeling")
def gpt2():
    """Labels are the inputs with -100 for padding; the model shifts them."""
    x = batch()
    config = hf.GPT2Config(vocab_size=60, n_embd=32, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2)
    x["labels"] = x["input_ids"].masked_fill(x["attention_mask"] == 0, -100)
    return hf.GPT2LMHeadModel(config), own_loss, x, None


@right("T5: summaries", "huggingface.co/docs/transformers tasks/summarization")
def summaries():
    """A short text for a longer one, -100 for the padding of the labels."""
    sizes = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
    config = hf.T5Config(vocab_size=60, decoder_start_token_id=0, **sizes)
    long, short = framed(end=1)[:, 1:], framed(6, end=1)[:, 1:]
    x = {"input_ids": long, "attention_mask": (long != 0).long(), "labels": short.masked_fill(short == 0, -100)}
    return hf.T5ForConditionalGeneration(config), own_loss, x, None


@right("wav2vec 2: letters by CTC", "huggingface.co/docs/transformers tasks/asr")
def wav2vec():
    """Normalised sound, letters with -100 for padding, the padding token as the blank."""
    conv = {"conv_dim": (16, 16, 16), "conv_kernel": (10, 3, 3), "conv_stride": (5, 4, 4), "mask_time_prob": 0.0}
    conv |= {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "ctc_loss_reduction": "mean"}
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = hf.Wav2Vec2ForCTC(hf.Wav2Vec2Config(vocab_size=32, pad_token_id=0, **sizes, **conv))
    sound, letters = torch.randn(8, 4000), texts(10, pad=-100, vocabulary=32)[0][:8]
    return model, own_loss, {"input_values": sound, "labels": letters}, None


@right("sorting: minGPT", "github.com/karpathy/minGPT demo")
def sorting():
    """Six digits and then the same sorted; only the sorted ones are to be predicted."""

    def forward(self: Part, idx: Tensor, targets: Tensor) -> dict:
        x = self.drop(self.wte(idx) + self.wpe(torch.arange(idx.size(1))))
        logits = self.lm_head(self.ln_f(self.h(x, causal(idx.size(1)), is_causal=True)))
        return {"logits": logits, "loss": F.cross_entropy(logits.view(-1, 3), targets.view(-1), ignore_index=-1)}

    layer = nn.TransformerEncoderLayer(48, 3, 192, 0.1, "gelu", batch_first=True, norm_first=True)
    parts = {"wte": nn.Embedding(3, 48), "wpe": nn.Embedding(11, 48), "drop": nn.Dropout(0.1), "ln_f": nn.LayerNorm(48)}
    parts |= {"h": nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), "lm_head": nn.Linear(48, 3, bias=False)}
    digits = torch.randint(0, 3, (32, 6))
    both = torch.cat([digits, digits.sort(1).values], 1)
    goal = both[:, 1:].where(torch.arange(11) > 4, -1)
    return Part(forward, **parts), own_loss, (both[:, :-1], goal), None


@right("speech: letters by CTC", "assemblyai.com/blog end-to-end-speech-recognition-pytorch")
def speech_letters():
    """Mel spectrograms to letters, half as many steps as frames, blank 28, the time first for the loss."""
    parts = {"fully": nn.Linear(8 * 16, 32), "classifier": nn.Linear(64, 29)}
    parts["gru"] = nn.GRU(32, 32, batch_first=True, bidirectional=True)
    parts["cnn"] = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.GELU(), nn.Flatten(1, 2))
    model = Part(lambda self, x: self.classifier(self.gru(self.fully(self.cnn(x).transpose(1, 2)))[0]), **parts)
    model = Then(model, lambda scores: F.log_softmax(scores, dim=2).transpose(0, 1))
    letters, sizes = texts(10, first=1, vocabulary=28)
    criterion, steps = nn.CTCLoss(blank=28), torch.tensor([60 // 2 - i for i in range(N // 2)] + [30] * (N // 2))
    spectrograms = torch.randn(N, 1, 32, 60)
    spectrograms[(torch.arange(60) >= 2 * steps[:, None])[:, None, None].expand(-1, 1, 32, -1)] = 0
    return model, lambda out, goal: criterion(out, *goal), spectrograms, (letters, steps, sizes)


@right("speech commands: M5 on waves", "pytorch.org/tutorials speech_command_classification_with_torchaudio")
def speech_commands():
    """Raw waves through wide strides, averaged over the time, 35 words."""
    first = (nn.Conv1d(1, 32, 80, stride=16), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(4))
    second = (nn.Conv1d(32, 32, 3), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(4))
    parts = {"convs": nn.Sequential(*first, *second), "fc1": nn.Linear(32, 35)}
    model = Part(lambda self, x: F.log_softmax(self.fc1(self.convs(x).mean(2, True).permute(0, 2, 1)), dim=2), **parts)
    waves = (0.2 * torch.randn(N, 1, 8000)).clamp(-1, 1)
    return model, lambda out, goal: F.nll_loss(out.squeeze(), goal), waves, classes(35)


@right("street sounds: mel pictures", "towardsdatascience.com audio-deep-learning-made-simple sound classification")
def street_sounds():
    """Stereo mel spectrograms in decibels, normalised by the batch, ten classes."""
    first = (nn.Conv2d(2, 8, 5, 2, 2), nn.ReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
    last = (nn.BatchNorm2d(16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    target = classes(10)
    decibels = -40 + 15 * torch.randn(N, 2, 32, 64) + target[:, None, None, None] * torch.linspace(-2, 2, 32)[:, None]
    return nn.Sequential(*first, *last), nn.CrossEntropyLoss(), (decibels - decibels.mean()) / decibels.std(), target


@right("inference: premise and hypothesis", "github.com/pytorch/examples snli")
def inference():
    """Both sentences, in buckets of one length, through one encoder, the last states side by side, three classes."""

    def forward(self: Part, *sentences: Tensor) -> Tensor:
        states = [self.encoder(F.relu(self.projection(self.embed(text))))[1][0] for text in sentences]
        return self.out(torch.cat([state[-2:].transpose(0, 1).flatten(1) for state in states], 1))

    parts = {"embed": nn.Embedding(60, 32), "projection": nn.Linear(32, 32)}
    parts["out"] = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 3))
    premise, hypothesis = torch.randint(2, 60, (12, N)), torch.randint(2, 60, (8, N))
    model = Part(forward, encoder=nn.LSTM(32, 32, bidirectional=True), **parts)
    return model, nn.CrossEntropyLoss(), (premise, hypothesis), hypothesis[0] % 3


@right("sentence embeddings: others of the batch", "sbert.net MultipleNegativesRankingLoss")
def sentence_embeddings():
    """Mean of BERT's words without padding, cosines times 20, each with its own partner."""

    def forward(self: Part, anchors: Tensor, anchor_mask: Tensor, partners: Tensor, partner_mask: Tensor) -> Tensor:
        pairs = [(m[..., None], self.bert(x, m)[0]) for x, m in ((anchors, anchor_mask), (partners, partner_mask))]
        a, b = (F.normalize((words * mask).sum(1) / mask.sum(1).clamp(min=1e-9), dim=1) for mask, words in pairs)
        return 20 * a @ b.t()

    model = Part(forward, bert=small_bert(hf.BertModel))
    x = (*batch().values(), *batch(8).values())
    return model, lambda scores, _: F.cross_entropy(scores, torch.arange(len(scores))), x, None


@right("tagger: padded two-way LSTM", "github.com/bentrevett/pytorch-pos-tagging")
def padded_tagger():
    """Tags per word, the time first, flattened, the padding of the tags ignored."""
    tokens, _ = texts(pad=1)
    tags = (1 + tokens % 7).masked_fill(tokens == 1, 0)
    parts = {"embedding": nn.Embedding(60, 32, padding_idx=1), "fc": nn.Linear(64, 8), "dropout": nn.Dropout(0.25)}
    parts["lstm"] = nn.LSTM(32, 32, 2, bidirectional=True, dropout=0.25)
    model = Part(lambda self, x: self.fc(self.dropout(self.lstm(self.dropout(self.embedding(x)))[0])), **parts)
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    return model, lambda out, goal: criterion(out.view(-1, 8), goal.reshape(-1)), tokens.t(), tags.t()


@right("reviews: encoder, mean without padding", "discuss.pytorch.org src_key_padding_mask and mean pooling")
def encoder_reviews():
    """A transformer encoder with a padding mask, two classes."""

    def forward(self: Part, x: Tensor) -> Tensor:
        mask = x == 0
        x = self.encoder(self.places(self.emb(x)), src_key_padding_mask=mask)
        return self.classifier(x.masked_fill(mask[..., None], 0).sum(1) / (~mask).sum(1, keepdim=True))

    layer = nn.TransformerEncoderLayer(32, 2, 64, 0.1, batch_first=True)
    parts = {"emb": nn.Embedding(60, 32), "places": Positions(32, True), "classifier": nn.Linear(32, 2)}
    tokens, _ = texts()
    model = Part(forward, encoder=nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), **parts)
    return model, nn.CrossEntropyLoss(), tokens, tokens[:, 0] % 2


@right("sound: next sample of 256 levels", "github.com/vincentherrmann/pytorch-wavenet")
def wavenet():
    """One-hot levels through causal convolutions, scores of the next sample's level."""
    t = torch.arange(65) * (0.05 + 0.2 * torch.rand(8, 1))
    wave = 0.8 * t.sin()
    levels = ((wave.sign() * torch.log1p(255 * wave.abs()) / math.log(256) + 1) / 2 * 255 + 0.5).long()
    convs = [(nn.ConstantPad1d((2**i, 0), 0), nn.Conv1d(32, 32, 2, dilation=2**i), nn.ReLU()) for i in range(4)]
    model = nn.Sequential(nn.Conv1d(256, 32, 1), *sum(convs, ()), nn.Conv1d(32, 256, 1))
    x = F.one_hot(levels[:, :-1], 256).float().transpose(1, 2)
    return model, nn.CrossEntropyLoss(), x, levels[:, 1:]
