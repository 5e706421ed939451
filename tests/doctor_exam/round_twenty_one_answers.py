"""Set-ups of the twenty-first round (sequences, texts and pixels), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: lstm language model loss not
decreasing pytorch; ner tagger predicts only O padding labels; lstm time series prediction constant output flat line;
ctc loss outputs only blanks; unet segmentation predicts all background dice; dice loss not decreasing is my dice loss
right; ignore_index wrong in segmentation loss; padding tokens included in the loss seq2seq; should there be a softmax
before cross entropy text classification; sigmoid and BCEWithLogitsLoss segmentation mask; masked language model loss
computed on all tokens; labels not shifted causal lm perplexity too low; reshape view instead of permute before cross
entropy sequence; batch_first lstm wrong dimension does not learn; transformer decoder no causal mask loss goes to zero;
attention padding mask inverted; dice loss over batch instead of per class; focal loss implementation wrong; mse loss
broadcasting target shape lstm regression; mask values 255 instead of 1 segmentation loss negative; class weights wrong
order segmentation background; ctc blank index label zero; ctc log_softmax missing loss negative; softmax over wrong
dimension segmentation dim=0.

Further searches, written down and committed before they were made: pytorch lstm predicts the same value for every
input; unet pytorch output all zeros bce loss; segmentation cross entropy always predicts one class pytorch; lstm mse
loss stuck same value every epoch; bert classification always predicts same class loss stays 0.69; pos tagging accuracy
high because of padding pytorch; gpt training loss too low generates garbage; transformer seq2seq repeats same token.

Once more, written down and committed before: loss is negative nllloss text classification; loss averaged per sequence
instead of per token wrong reduction; bce loss multiclass segmentation channels wrong.

44 look-ups (two of the searches shortened, three made in both corpora, six to read a thread; "persons" is a hit of one
of those six, all others of the searches). Left out of about 430 hits: threads listed already and pull requests of the
same defect in the same code (mlm-pytorch#2, nnUNet#783, focal-loss#7, HRNet#270, d2l-en#2708); questions answered with
"it is right" (several became right set-ups); threads without code or answer (yunjey/pytorch-tutorial#89, most constant
time series); choices their authors defend (padding kept in catr#12, dFactory#14, virtues#3; whole-batch dice in
segmentation_models.pytorch#712; class weights in segmentation_models#183); an attention mask inverted in the depth of a
network (halonet-pytorch#6); an error today (milesial/Pytorch-UNet#78, masks of 255 in BCELoss); missing labels stored
as background (blitznet#31); decoding and evaluation.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, padded_tokens
from doctor_exam.round_parts import Part

TWENTY_ONE_ANSWERS = CaseSet()
right, wrong = TWENTY_ONE_ANSWERS.right, TWENTY_ONE_ANSWERS.wrong


def scenes(classes: int = 2, size: int = 12) -> tuple[Tensor, Tensor]:
    """Smooth colour pictures [N, 3, H, W] and the classes of their pixels [N, H, W], the brighter the higher."""
    pictures = 3 * F.avg_pool2d(torch.randn(N, 3, size + 4, size + 4), 5, 1)
    return pictures, torch.bucketize(pictures.mean(1), torch.linspace(0.2, 0.9, classes - 1))


def pixels(channels: int, *ends: nn.Module) -> nn.Sequential:
    """A small network from pictures to scores of pixels."""
    first = nn.Conv2d(3, 16, 3, padding=1)
    return nn.Sequential(first, nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, channels, 1), *ends)


def overlap(shares: Tensor, mask: Tensor, smooth: float = 1.0) -> Tensor:
    """The dice coefficient of all that is given."""
    return (2 * (shares * mask).sum() + smooth) / (shares.sum() + mask.sum() + smooth)


def waves(length: int = 24, features: int = 1) -> Tensor:
    """Noisy waves of different phases and lengths [N, length, features]."""
    phase, step = torch.rand(N, 1, features) * 6, 0.2 + 0.4 * torch.rand(1, 1, features)
    return torch.sin(phase + step * torch.arange(length)[None, :, None]) + 0.05 * torch.randn(N, length, features)


def chatbot(padding_counts: bool):
    """An encoder and a decoder of texts, the loss a weighted mean over words."""

    def forward(self: Part, tokens: Tensor, begun: Tensor) -> Tensor:
        return self.out(self.decoder(self.embed(begun), self.encoder(self.embed(tokens))[1])[0])

    def loss_fn(scores: Tensor, answers: Tensor) -> Tensor:
        weights = torch.ones_like(answers).float() if padding_counts else (answers != 0).float()
        losses = F.cross_entropy(scores.flatten(0, 1), answers.flatten(), reduction="none")
        return (losses * weights.flatten()).sum() / weights.sum()

    rnns = {name: nn.GRU(32, 32, batch_first=True) for name in ("encoder", "decoder")}
    model = Part(forward, embed=nn.Embedding(50, 32), out=nn.Linear(32, 50), **rnns)
    tokens, _ = padded_tokens(0)
    answers = torch.where(tokens > 0, 48 - tokens, 0)
    return model, loss_fn, (tokens, torch.cat([torch.full((N, 1), 49), answers[:, :-1]], 1)), answers


# Padding of the answers counts as words in the loss (all weights are one).
wrong("chatbot: padding counts", "padding_not_ignored", "suriyadeepan/practical_seq2seq#5")(lambda: chatbot(True))
right("chatbot: padding has no weight", "suriyadeepan/practical_seq2seq#5")(lambda: chatbot(False))


def tiles(mean_of_all: bool):
    """Masks with pixels to leave out, and a soft binary cross-entropy that knows them."""

    def loss_fn(scores: Tensor, mask: Tensor) -> Tensor:
        kept = (mask != 255).float()
        losses = F.binary_cross_entropy_with_logits(scores, mask, reduction="none") * kept
        return losses.mean() if mean_of_all else losses.sum() / kept.sum()

    pictures, mask = scenes()
    mask = torch.where(torch.rand(mask.shape) < 0.4, 255, mask)
    return pixels(1), loss_fn, pictures, mask[:, None].float()


# Pixels to ignore are set to zero but counted in the mean.
wrong(
    "tiles: ignored pixels in the mean", "mean_over_padding|wrong_formula", "qubvel-org/segmentation_models.pytorch#852"
)(lambda: tiles(True))
right("tiles: mean of the kept pixels", "qubvel-org/segmentation_models.pytorch#852")(lambda: tiles(False))


def maskgit(all_tokens: bool):
    """Image tokens of which a half is hidden, guessed by a transformer."""

    def forward(self: Part, tokens: Tensor) -> tuple[Tensor, Tensor]:
        kept = torch.rand(tokens.shape, device=tokens.device) < 0.5
        begin = torch.full_like(tokens[:, :1], 33)
        seen = torch.cat([begin, torch.where(kept, tokens, 32)], 1)
        scores, target = self.out(self.body(self.embed(seen) + self.place)), torch.cat([begin, tokens], 1)
        hidden = torch.cat([torch.zeros_like(kept[:, :1]), ~kept], 1)
        return (scores, target) if all_tokens else (scores[hidden], target[hidden])

    def loss_fn(outputs: tuple[Tensor, Tensor], _: Tensor) -> Tensor:
        scores, target = outputs
        return F.cross_entropy(scores.reshape(-1, scores.size(-1)), target.reshape(-1))

    body = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 2, 64, 0.0, batch_first=True), 1)
    place = nn.Parameter(0.02 * torch.randn(1, 17, 32))
    model = Part(forward, embed=nn.Embedding(34, 32), body=body, out=nn.Linear(32, 34), place=place)
    tokens = (torch.randint(0, 32, (N, 1)) + torch.arange(16)) % 32
    return model, loss_fn, tokens, tokens


# The loss of a masked model is taken at all tokens, also at those that the model sees.
wrong("maskgit: loss at all tokens", "target_in_view", "dome272/MaskGIT-pytorch#14")(lambda: maskgit(True))
right("maskgit: loss at hidden tokens", "dome272/MaskGIT-pytorch#14")(lambda: maskgit(False))


def sensors(viewed: bool):
    """Windows of sensors [N, time, sensor], a convolution over time and a triplet loss."""

    def forward(self: Part, window: Tensor, like: Tensor, unlike: Tensor) -> Tensor:
        size, time, sensor = window.shape
        together = torch.cat([window, like, unlike])
        return self.net(together.view(3 * size, sensor, time) if viewed else together.transpose(1, 2))

    def loss_fn(features: Tensor, _: Tensor) -> Tensor:
        anchor, like, unlike = (F.normalize(part, dim=-1) for part in features.chunk(3))
        near, far = ((anchor - like) ** 2).sum(-1), ((anchor[:, None] - unlike) ** 2).sum(-1).min(1)[0]
        return (1 + near - far).clamp(min=0).mean()

    net = nn.Sequential(nn.Conv1d(5, 16, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 8))
    window = waves(24, 5)
    unlike = window.clone()
    unlike[:, 8:16] += 1.5
    return Part(forward, net=net), loss_fn, (window, window + 0.05 * torch.randn_like(window), unlike), torch.zeros(N)


# Time and sensors are exchanged with view instead of transpose, so that the values are mixed.
wrong("sensors: axes exchanged with view", "axes_scrambled", "zamanzadeh/CARLA#16")(lambda: sensors(True))
right("sensors: axes transposed", "zamanzadeh/CARLA#16")(lambda: sensors(False))


def organs(whole_batch: bool):
    """A generalised dice loss of three classes with weights of the inverse squared volume."""

    def loss_fn(scores: Tensor, mask: Tensor) -> Tensor:
        shares, hot = scores.softmax(1).movedim(1, -1), F.one_hot(mask, 3).float()
        shares, hot = (part.reshape(1, -1, 3) if whole_batch else part.flatten(1, 2) for part in (shares, hot))
        weights = 1 / hot.sum(1) ** 2
        weights = torch.where(weights.isinf(), weights.masked_fill(weights.isinf(), 0).max(), weights)
        common = (weights * (hot * shares).sum(1)).sum(1)
        return 1 - (2 * common / (weights * (hot + shares).sum(1)).sum(1)).mean()

    return pixels(3), loss_fn, *scenes(3)


# The dice is taken over the whole batch instead of per sample.
wrong("organs: dice of the whole batch", "wrong_formula", "NifTK/NiftyNet#22")(lambda: organs(True))
right("organs: dice of each volume", "NifTK/NiftyNet#22")(lambda: organs(False))


def digit_masks(channels: int):
    """Pixels of digits with labels that count from one (zero is not looked at) and a softmax loss."""
    pictures, mask = scenes()
    labels = mask if channels == 1 else mask + 1
    return pixels(channels), lambda s, t: F.cross_entropy(s, t - 1, ignore_index=-1), pictures, labels


# A softmax loss of a single channel, and zero, the background, is ignored: the loss is always zero.
wrong(
    "digit masks: softmax of one channel", "one_column_cross_entropy|softmax_over_one_output", "vlfeat/matconvnet#412"
)(lambda: digit_masks(1))
right("digit masks: two channels", "vlfeat/matconvnet#412")(lambda: digit_masks(2))


def bce_jaccard(shares: Tensor, mask: Tensor) -> Tensor:
    """A binary cross-entropy, by way of scores as in Keras, and a jaccard loss."""
    common = (shares * mask).sum()
    jaccard = (common + 1) / (shares.sum() + mask.sum() - common + 1)
    return F.binary_cross_entropy_with_logits(shares.logit(1e-7), mask) + 1 - jaccard


def white_masks(loss_fn: Callable, sigmoid: bool = True, white: float = 255):
    """Grey-scale masks as they are stored, white for the object."""
    pictures, mask = scenes()
    return pixels(1, *([nn.Sigmoid()] if sigmoid else [])), loss_fn, pictures, white * mask[:, None].float()


# Masks of 0 and 255 instead of 0 and 1.
wrong(
    "masks: 255, bce and jaccard",
    "targets_outside_unit_range|range_cannot_reach_targets",
    "qubvel/segmentation_models#95",
)(lambda: white_masks(bce_jaccard))
wrong(
    "masks: 255, dice of a brain",
    "targets_outside_unit_range|range_cannot_reach_targets|wrong_formula",
    "mateuszbuda/brain-segmentation-pytorch#36",
)(lambda: white_masks(lambda p, t: 1 - overlap(p[:, 0].reshape(-1), t[:, 0].reshape(-1))))
wrong("masks: 255, bce of scores", "targets_outside_unit_range", "milesial/Pytorch-UNet#269")(
    lambda: white_masks(nn.BCEWithLogitsLoss(), sigmoid=False)
)
right("masks: zero and one, bce and jaccard", "qubvel/segmentation_models#95")(
    lambda: white_masks(bce_jaccard, white=1)
)


def speech(*ends: nn.Module):
    """Spectrograms [N, frames, bands] to characters with a recurrent network; the blank is class zero."""

    def forward(self: Part, sound: Tensor) -> Tensor:
        return self.end(self.out(self.rnn(sound)[0])).transpose(0, 1)

    def loss_fn(scores: Tensor, text: Tensor) -> Tensor:
        frames, lengths = torch.full((N,), scores.size(0)), torch.full((N,), text.size(1))
        return nn.CTCLoss()(scores, text, frames, lengths)

    text = torch.randint(1, 8, (N, 5))
    sound = F.one_hot(text, 8).float().repeat_interleave(4, 1) + 0.1 * torch.randn(N, 20, 8)
    model = Part(forward, rnn=nn.GRU(8, 32, batch_first=True, bidirectional=True), out=nn.Linear(64, 8))
    model.end = nn.Sequential(*ends)
    return model, loss_fn, sound, text


# Raw scores instead of logarithms of shares into a CTC loss, which becomes negative.
wrong("speech: raw scores into ctc", "ctc_on_logits", "SeanNaren/deepspeech.pytorch#488")(speech)
right("speech: log-softmax before ctc", "SeanNaren/deepspeech.pytorch#488")(lambda: speech(nn.LogSoftmax(-1)))


def ct_slices(*ends: nn.Module):
    """Foreground and background with a binary cross-entropy of scores."""
    pictures, mask = scenes()
    return pixels(1, *ends), nn.BCEWithLogitsLoss(), pictures, mask[:, None].float()


# A ReLU after the last layer, so that scores for a loss with a sigmoid are never negative.
wrong("ct slices: relu at the end", "relu_before_bce_logits|relu_before_activation", "www.dtcms.com/a/394596.html")(
    lambda: ct_slices(nn.ReLU())
)


def saw(*ends: nn.Module):
    """A saw of two columns between one and ten, the next values from the last ones."""
    start = torch.randint(0, 10, (N, 1, 2))
    values = ((start + torch.arange(13)[None, :, None]) % 10 + 1).float()
    model = Part(lambda self, x: self.end(self.rnn(x)[0][:, -1]), rnn=nn.LSTM(2, 64, batch_first=True))
    model.end = nn.Sequential(nn.Linear(64, 2), *ends)
    return model, nn.MSELoss(), values[:, :-1], values[:, -1]


# A softmax at the end of a regression of values between one and ten.
wrong("saw: softmax of values", "range_cannot_reach_targets", "keras-team/keras#321")(lambda: saw(nn.Softmax(1)))


def persons():
    """Masks read as colour pictures of three equal channels, shares of one channel, and a dice loss."""

    def loss_fn(shares: Tensor, mask: Tensor) -> Tensor:
        common = (shares * mask).sum()
        missed, invented = mask.sum() - common, shares.sum() - common
        return 1 - (2 * common + 1) / (2 * common + missed + invented + 1)

    pictures, mask = scenes()
    return pixels(1, nn.Sigmoid()), loss_fn, pictures, mask[:, None].float().repeat(1, 3, 1, 1)


# Masks with three channels are broadcast against one channel of outputs.
wrong("persons: colour masks", "shapes_broadcast", "qubvel-org/segmentation_models.pytorch#234")(persons)


def pieces():
    """A long text's next tokens; the cross-entropy is taken in pieces to save memory."""

    def loss_fn(scores: Tensor, labels: Tensor) -> Tensor:
        scores, labels, loss = scores.flatten(0, 1), labels.flatten(), 0.0
        count = (len(labels) + 31) // 32
        for some_scores, some_labels in zip(scores.chunk(count), labels.chunk(count), strict=True):
            loss += F.cross_entropy(some_scores, some_labels, ignore_index=-100, reduction="mean")
        return loss

    text = (torch.randint(0, 50, (N, 1)) + 3 * torch.arange(17)) % 50
    return Tagger(50), loss_fn, text[:, :-1], text[:, 1:]


# The means of the pieces of a text are added, so that the loss is larger by their number.
wrong("pieces: means are added", "wrong_formula", "NVIDIA-NeMo/Automodel#3803")(pieces)


@right("word language model", "pytorch/examples/word_language_model")
def word_model():
    """The next word of a text [time, batch] with an LSTM, log-softmax and NLLLoss."""

    def forward(self: Part, text: Tensor) -> Tensor:
        return F.log_softmax(self.out(self.rnn(self.embed(text))[0]).view(-1, 40), 1)

    text = (torch.randint(0, 40, (1, N)) + 3 * torch.arange(13)[:, None]) % 40
    model = Part(forward, embed=nn.Embedding(40, 32), rnn=nn.LSTM(32, 32), out=nn.Linear(32, 40))
    return model, nn.NLLLoss(), text[:-1], text[1:].reshape(-1)


@right("entities: padding is -100", "huggingface/transformers/examples/token-classification")
def entities():
    """Tags of words; special tokens and padding have the label -100."""
    tokens, _ = padded_tokens(0)
    tags = torch.where(tokens > 0, tokens % 5, -100)
    tags[:, 0] = -100
    return Tagger(5), lambda s, t: nn.CrossEntropyLoss()(s.view(-1, 5), t.view(-1)), tokens, tags


@right("streets: border 255 and an auxiliary head", "pytorch/vision/references/segmentation")
def streets():
    """A dictionary of scores and auxiliary scores, and a border that is left out."""

    def forward(self: Part, x: Tensor) -> dict[str, Tensor]:
        hidden = self.body(x)
        return {"out": self.head(hidden), "aux": self.aux(hidden)}

    def criterion(outputs: dict[str, Tensor], target: Tensor) -> Tensor:
        losses = {name: F.cross_entropy(x, target, ignore_index=255) for name, x in outputs.items()}
        return losses["out"] + 0.5 * losses["aux"]

    body = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU())
    pictures, mask = scenes(4)
    mask[:, :1], mask[:, :, -1:] = 255, 255
    return Part(forward, body=body, head=nn.Conv2d(16, 4, 1), aux=nn.Conv2d(16, 4, 1)), criterion, pictures, mask


@right("cars: cross-entropy and dice", "milesial/Pytorch-UNet")
def cars():
    """Three classes with a cross-entropy and a dice of the softmax's shares over classes."""

    def loss_fn(scores: Tensor, mask: Tensor) -> Tensor:
        shares, hot = F.softmax(scores, 1).float().flatten(0, 1), F.one_hot(mask, 3).permute(0, 3, 1, 2).float()
        hot = hot.flatten(0, 1)
        common, total = 2 * (shares * hot).sum((-1, -2)), shares.sum((-1, -2)) + hot.sum((-1, -2))
        total = torch.where(total == 0, common, total)
        return nn.CrossEntropyLoss()(scores, mask) + 1 - ((common + 1e-6) / (total + 1e-6)).mean()

    return pixels(3), loss_fn, *scenes(3)


@right("plates: convolution, recurrence, ctc", "Holmeyoung/crnn-pytorch")
def plates():
    """Text in a picture: the columns become time steps [T, N, C], texts of different lengths in one row."""

    def forward(self: Part, x: Tensor) -> Tensor:
        columns = self.cnn(x).squeeze(2).permute(2, 0, 1)
        return self.out(self.rnn(columns)[0]).log_softmax(2)

    def loss_fn(shares: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
        text, lengths = target
        return nn.CTCLoss(blank=0, zero_infinity=True)(shares, text, torch.full((N,), shares.size(0)), lengths)

    lengths = torch.randint(2, 6, (N,))
    texts = [torch.randint(1, 11, (size,)) for size in lengths.tolist()]
    pictures = 0.1 * torch.randn(N, 1, 11, 24)
    for picture, text in zip(pictures, texts, strict=True):
        for place, letter in enumerate(text.tolist()):
            picture[0, letter, 4 * place : 4 * place + 4] += 2
    cnn = nn.Sequential(nn.Conv2d(1, 32, (11, 3), padding=(0, 1)), nn.BatchNorm2d(32), nn.ReLU())
    model = Part(forward, cnn=cnn, rnn=nn.GRU(32, 32, bidirectional=True), out=nn.Linear(64, 11))
    return model, loss_fn, pictures, (torch.cat(texts), lengths)


@right("waves: every next value", "pytorch/examples/time_sequence_prediction")
def next_values():
    """A wave's next value at each of its steps [N, time] with an LSTM."""
    values = waves()[..., 0]
    model = Part(lambda self, x: self.out(self.rnn(x[..., None])[0])[..., 0], out=nn.Linear(51, 1))
    model.rnn = nn.LSTM(1, 51, 2, batch_first=True)
    return model, nn.MSELoss(), values[:, :-1], values[:, 1:]


@right("adversarial segmentation: softmax without dim", "hfslyc/AdvSemiSeg#73")
def adversarial():
    """Unusual but right: for four axes PyTorch takes a softmax without dim over the channels (and warns)."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.net(x)
        return scores, self.critic(F.softmax(scores))

    def loss_fn(outputs: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        scores, judged = outputs
        real = nn.BCEWithLogitsLoss()(judged, torch.ones_like(judged))
        return nn.CrossEntropyLoss(ignore_index=255)(scores, mask) + 0.01 * real

    critic = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 1)).requires_grad_(False)
    return Part(forward, net=pixels(3), critic=critic), loss_fn, *scenes(3)


@right("text regions: negative dice and angles", "MichalBusta/E2E-MLT#42")
def regions():
    """Unusual but right: the loss of the region is minus the dice, and that of the angle counts only inside."""

    def loss_fn(outputs: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
        shares, angles = outputs[:, 0].sigmoid(), math.pi * (outputs[:, 1].sigmoid() - 0.5)
        mask, angle = target
        turned = ((1 - torch.cos(angles - angle)) * mask).sum() / mask.sum()
        return turned - 2 * (shares * mask).sum() / (shares.sum() + mask.sum() + 1e-5)

    pictures, mask = scenes()
    return pixels(2), loss_fn, pictures, (mask.float(), pictures[:, 0].clamp(-1, 1))
