"""Set-ups of the twentieth round (sequences, texts and pixels), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
lstm text classification loss not decreasing pytorch; pos tagger crossentropyloss expected input batch_size to match
target; ctc loss becomes negative or zero; unet binary segmentation predicts all black; dice loss not decreasing stuck;
ignore_index padding loss nan; language model loss very low too good shift labels; time series lstm predicts the mean
constant; transformer seq2seq outputs the same token always; bert token classification labels padding -100 loss;
multiclass segmentation one hot target cross entropy; bcewithlogitsloss segmentation sigmoid twice; mse loss broadcast
target size warning lstm regression; character rnn view permute loss does not learn; ctc loss inf blank index;
segmentation mask 255 target out of bounds; class weights segmentation only background predicted; multi label text
classification softmax; attention mask wrong padding mask transformer inverted; nllloss without log_softmax sequence
tagging; next token prediction loss averaged over padding tokens; depth estimation masked loss wrong; dice loss negative
greater than one; sentence similarity siamese lstm loss constant.
Ten further ones, committed before the first of them: pytorch seq2seq loss target shape mismatch view stackoverflow;
expected target size got cross entropy segmentation; unet loss negative mask 0 255 bcewithlogits; lstm classifier
softmax crossentropyloss accuracy stuck; crnn ctc loss does not decrease predicts blank only; dice loss softmax
multiclass argmax no gradient; lstm forecasting output shape wrong relu sigmoid output; RuntimeError expected scalar
type Long but found Float lstm; gpt training labels not shifted model copies input; dice loss flatten wrong dimension
batch.
The 24 and the first three of the ten were enough (four were made): 30 searches and 6 look-ups of files. Left out: what
is listed as used before (about twenty hits), hits without a cause in words or code (most "all black" and "same token"
threads), wrong evaluation or generation code, learning rates, and two whose authors stand by their formula
(doctorai#10: softmax for several labels; MPP-LLaVA#22: a sum over tokens divided by the longest text).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, Then, mlp
from doctor_exam.round_parts import Part

TWENTY_ANSWERS = CaseSet()
right, wrong = TWENTY_ANSWERS.right, TWENTY_ANSWERS.wrong


def convolutions(outputs: int, *ends: nn.Module) -> nn.Sequential:
    """A small network of pixels."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, outputs, 1), *ends)


def scenes(above: float = 0.53) -> tuple[Tensor, Tensor]:
    """Pictures and the yes/no mask [N, 1, H, W] of their brighter spots."""
    x = torch.rand(N, 3, 16, 16)
    return x, F.avg_pool2d(x.mean(1, keepdim=True), 3, 1, 1) > above


def maps(count: int) -> tuple[Tensor, Tensor]:
    """Pictures and a class of each pixel [N, H, W], by brightness."""
    x = torch.rand(N, 3, 16, 16)
    light = F.avg_pool2d(x.mean(1, keepdim=True), 3, 1, 1)[:, 0]
    return x, torch.bucketize(light, torch.quantile(light.flatten(), torch.arange(1, count) / count))


def waves(length: int = 20, ahead: int = 1) -> tuple[Tensor, Tensor]:
    """Pieces of a series [N, length, 1] and what follows them [N, ahead]."""
    steps = torch.arange(length + ahead) * 0.3 + torch.rand(N, 1) * 6
    series = steps.sin() + 0.05 * torch.randn(N, length + ahead)
    return series[:, :length, None], series[:, length:]


def texts(pad: int = 0, length: int = 12, words: int = 40) -> tuple[Tensor, Tensor]:
    """Texts filled up to one length, and their lengths."""
    tokens, sizes = torch.randint(4, words, (N, length)), torch.randint(4, length - 1, (N,))
    return tokens.masked_fill(torch.arange(length) >= sizes[:, None], pad), sizes


def last(series: nn.Module, outputs: int, all_steps: bool = False) -> Part:
    """A recurrent network and a linear layer on its last step, or on all steps."""
    width = series.hidden_size

    def forward(self: Part, x: Tensor) -> Tensor:
        states = self.series(x)[0]
        return self.out(states if all_steps else states[:, -1])

    return Part(forward, series=series, out=nn.Linear(width, outputs))


# Sequences


def next_items(permuted: bool):
    """The next class of each step, [N, L, C] against [N, L]."""
    tokens = (torch.randint(0, 10, (N, 1)) + torch.arange(13) * torch.randint(1, 4, (N, 1))) % 10
    net = Then(Tagger(10), lambda y: y.permute(0, 2, 1)) if permuted else Tagger(10)
    return net, nn.CrossEntropyLoss(), tokens[:, :-1], tokens[:, 1:]


wrong("sequence continuation: classes on the last axis", "classes_not_second", "whosebug.com/question/6539086")(
    lambda: next_items(False)
)
right("sequence continuation: permuted", "whosebug.com/question/6539086")(lambda: next_items(True))


def next_point(all_steps: bool):
    """A forecast of the 21st value; every step's output is compared with the one value."""
    x, y = waves()
    net = last(nn.LSTM(1, 16, batch_first=True), 1, all_steps)
    return net, nn.MSELoss(), x, y[:, None] if all_steps else y


LSTM_INPUT = "it.mathworks.com/matlabcentral/answers/2163725"
wrong("forecast: twenty steps against one value", "shapes_broadcast", LSTM_INPUT)(lambda: next_point(True))
right("forecast: the last step", LSTM_INPUT)(lambda: next_point(False))


def counting():
    """Ten numbers to the next one; two outputs of each of ten steps are flattened to twenty."""
    start = torch.randint(0, 80, (N, 1))
    x = (start + torch.arange(10)).float()[:, :, None].repeat(1, 1, 10)
    net = last(nn.LSTM(10, 20, 1, batch_first=True), 2, all_steps=True)
    return Then(net, lambda y: y.flatten(1, 2)), nn.MSELoss(), x, start.float() + 10


wrong("counting: twenty flattened outputs for one number", "shapes_broadcast", "discuss.pytorch.org/t/202270")(counting)


def five_ahead():
    """Twenty steps in, five asked for, but an output of each of the twenty."""
    x, y = waves(20, 5)
    return last(nn.LSTM(1, 16, batch_first=True), 1, all_steps=True), nn.L1Loss(), x, y[:, :, None]


wrong("five steps ahead: twenty outputs", "shapes_differ", "whosebug.com/question/6424814")(five_ahead)


def runoff():
    """Four heads with an output of each of 120 steps, each compared with the stacked four values."""

    def forward(self: Part, x: Tensor) -> list[Tensor]:
        states = self.series(x)[0]
        return [head(states) for head in self.heads]

    x = torch.randn(16, 120, 6)
    net = Part(
        forward, series=nn.LSTM(6, 10, batch_first=True), heads=nn.ModuleList(nn.Linear(10, 1) for _ in range(4))
    )
    return net, lambda ys, t: sum(F.mse_loss(y, t) for y in ys), x, x.mean(1)[:, :4]


RUNOFF = "xn--b1afbosiaouc3h.xn--p1ai/q/ispravlenie-oshibki-formy-v-multi-vykhodnom-prognozirovanii-keras"
wrong("runoff: all steps of each head against all four values", "shapes_differ|loss_fails", RUNOFF)(runoff)


def alignment(blank: int, heeded: bool):
    """An own CTC; the blank that is put between the labels is always class 0."""
    steps, count = 14, 6

    def loss(log_p: Tensor, labels: Tensor) -> Tensor:
        path = torch.full((N, 2 * labels.shape[1] + 1), blank if heeded else 0)
        path[:, 1::2] = labels
        score = log_p.gather(2, path[:, None].expand(-1, steps, -1))
        skip = (path[:, 2:] != path[:, :-2]) & (path[:, 2:] != blank)
        skip = F.pad(skip, (2, 0)).log()
        alpha = F.pad(score[:, 0, :2], (0, path.shape[1] - 2), value=-1e8)
        for t in range(1, steps):
            before = [alpha, F.pad(alpha[:, :-1], (1, 0), value=-1e8), F.pad(alpha[:, :-2], (2, 0), value=-1e8) + skip]
            alpha = torch.stack(before).clamp(min=-1e8).logsumexp(0) + score[:, t]
        return -alpha[:, -2:].logsumexp(1).mean()

    labels = torch.randint(0, count - 1, (N, 4))
    frames = F.one_hot(labels, count).float().repeat_interleave(3, 1)
    x = F.pad(frames, (0, 0, 1, 1)) + 0.1 * torch.randn(N, steps, count)
    net = last(nn.GRU(count, 16, batch_first=True), count, all_steps=True)
    return Then(net, lambda y: y.log_softmax(-1)), loss, x, labels


wrong(
    "own ctc: the blank is the last class, class 0 is put between",
    "blank_in_targets|wrong_formula",
    "liuhu-bigeye/enctc.crnn#17",
)(lambda: alignment(5, False))
right("own ctc: the blank that was asked for", "liuhu-bigeye/enctc.crnn#17")(lambda: alignment(5, True))


def translation(swapped: bool):
    """A decoder that looks at a text under a mask of padding, of the text or, swapped, of the translation."""

    def forward(self: Part, text: Tensor, words: Tensor) -> Tensor:
        keys = self.embed(text) + self.places
        queries = self.decoder(self.words(words))[0] + self.places
        padding = (words if swapped else text).eq(0)[:, None].expand(-1, text.shape[1], -1)
        shares = (queries @ keys.transpose(1, 2) / 4).masked_fill(padding, float("-inf")).softmax(-1)
        return self.out(queries + shares @ keys)

    text, sizes = texts()
    kept = sizes - torch.randint(1, 4, (N,))
    goal = text.masked_fill(torch.arange(12) >= kept[:, None], 0)
    goal[torch.arange(N), kept] = 3
    words = F.pad(goal[:, :-1], (1, 0), value=2)
    net = Part(
        forward, embed=nn.Embedding(40, 16), words=nn.Embedding(40, 16), decoder=nn.GRU(16, 16, batch_first=True),
        out=nn.Linear(16, 40), places=nn.Parameter(torch.randn(12, 16)),
    )  # fmt: skip
    loss_fn = nn.CrossEntropyLoss(ignore_index=0)
    return net, lambda y, t: loss_fn(y.flatten(0, 1), t.flatten()), (text, words), goal


wrong("translation: the translation's padding hides words of the text", "padding_attended", "pengshuang/Transformer#7")(
    lambda: translation(True)
)
right("translation: the text's padding is hidden", "pengshuang/Transformer#7")(lambda: translation(False))


def letters(off: int):
    """Attention under an additive mask that starts at the padding, or one place too late."""

    def forward(self: Part, text: Tensor, mask: Tensor) -> Tensor:
        h = self.embed(text) + self.places
        shares = (self.query(h) @ self.key(h).transpose(1, 2) / 4 + mask).softmax(-1)
        return self.out(h + shares @ h)

    text, sizes = texts()
    hidden = torch.arange(12) >= (sizes + off)[:, None]
    mask = torch.where(hidden[:, None] | hidden[:, :, None], -1e9, 0.0)
    net = Part(
        forward, embed=nn.Embedding(40, 16), query=nn.Linear(16, 16), key=nn.Linear(16, 16),
        out=nn.Linear(16, 40), places=nn.Parameter(torch.randn(12, 16)),
    )  # fmt: skip
    goal = ((text * 7 + text.roll(1, 1)) % 36 + 4).masked_fill(text == 0, 0)
    loss_fn = nn.CrossEntropyLoss(ignore_index=0)
    return net, lambda y, t: loss_fn(y.flatten(0, 1), t.flatten()), (text, mask), goal


wrong(
    "letters: the padding mask starts one place too late", "padding_attended", "ajhalthor/Transformer-Neural-Network#15"
)(lambda: letters(1))
right("letters: the mask starts at the padding", "ajhalthor/Transformer-Neural-Network#15")(lambda: letters(0))


# Pixels


def annotation(white: int):
    """Background and object; labels above the classes become the number of classes, which is ignored."""
    x, mask = scenes()
    png = mask[:, 0].long() * white
    png[png >= 2] = 2
    return convolutions(2), nn.CrossEntropyLoss(ignore_index=2), x, png


wrong(
    "annotation: objects are drawn as 255 and so ignored",
    "wrong_formula|one_class_only|ignored_class",
    "bubbliiiing/unet-pytorch#4",
)(lambda: annotation(255))
right("annotation: objects are drawn as 1", "bubbliiiing/unet-pytorch#4")(lambda: annotation(1))


def lanes(sigmoid: bool):
    """Two channels, background and lane, against their one-hot masks, all in one row."""
    x, mask = scenes()
    goal = torch.cat([~mask, mask], 1).float()
    loss_fn = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0]))
    net = convolutions(2, *([nn.Sigmoid()] if sigmoid else []))
    return net, lambda y, t: loss_fn(y.view(-1), t.view(-1)), x, goal


wrong(
    "lanes: sigmoid before a loss with logits",
    "sigmoid_before_bce_logits|activation_twice|bounded_logits",
    "hustvl/YOLOP#117",
)(lambda: lanes(True))
right("lanes: raw channels", "hustvl/YOLOP#117")(lambda: lanes(False))


def edges():
    """Classes of pixels and, from a second head with a sigmoid, their edges."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        return self.classes(h), self.edge(h).sigmoid()

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        classes = F.cross_entropy(outputs[0], targets[0], ignore_index=255)
        return classes + F.binary_cross_entropy_with_logits(outputs[1], targets[1])

    x, goal = maps(4)
    edge = F.pad((goal[:, 1:] != goal[:, :-1]).float(), (0, 0, 1, 0))[:, None]
    body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
    return Part(forward, body=body, classes=nn.Conv2d(8, 4, 1), edge=nn.Conv2d(8, 1, 1)), loss, x, (goal, edge)


wrong(
    "edges: the edge head's sigmoid before a loss with logits",
    "sigmoid_before_bce_logits|activation_twice|bounded_logits",
    "PaddlePaddle/PaddleSeg#1022",
)(edges)


def white_mask():
    """A mask picture of 0 and 255 as class numbers of two classes."""
    x, mask = scenes()
    return convolutions(2), nn.CrossEntropyLoss(), x, mask[:, 0].long() * 255


wrong("white mask: class 255 of two", "class_index_out_of_range", "divamgupta/image-segmentation-keras#294")(white_mask)


def tongue():
    """Three classes; 255 is ignored, but the masks hold 254."""
    x, goal = maps(3)
    goal[:, :2] = 254
    return convolutions(3), nn.CrossEntropyLoss(ignore_index=255), x, goal


wrong("tongue: class 254 of three", "class_index_out_of_range", "PaddlePaddle/PaddleSeg#2819")(tongue)


def filled_shapes():
    """Two classes; some pixels of the mask became 2 on the way."""
    x, mask = scenes()
    goal = mask[:, 0].long()
    goal[0, 3:5, 3:5] = 2
    return convolutions(2), nn.CrossEntropyLoss(), x, goal


wrong("filled shapes: some pixels are 2 of two classes", "class_index_out_of_range", "PaddlePaddle/PaddleSeg#2752")(
    filled_shapes
)


def defects():
    """Grey masks of defects, 0 to 255, as class numbers of two classes."""
    x, mask = scenes()
    goal = (mask[:, 0] * torch.randint(200, 256, (N, 16, 16))).long()
    return convolutions(2), nn.CrossEntropyLoss(), x, goal


DEFECTS = "zacario-li/Segmentation-based-deep-learning-approach-for-surface-defect-detection#2"
wrong("defects: grey values as classes", "class_index_out_of_range", DEFECTS)(defects)


def colour_masks():
    """Labels read as colour pictures [N, H, W, 3]."""
    x, goal = maps(5)
    return convolutions(5), nn.CrossEntropyLoss(ignore_index=255), x, goal[..., None].repeat(1, 1, 1, 3)


wrong("colour masks: labels with three channels", "shapes_differ", "thuml/Transfer-Learning-Library#98")(colour_masks)


def land_cover():
    """Eight kinds of land; labels [N, 1, H, W]."""
    x, goal = maps(8)
    return convolutions(8), nn.CrossEntropyLoss(ignore_index=255), x, goal[:, None]


wrong("land cover: labels with an axis of one channel", "shapes_differ", "HSG-AIML/SSLTransformerRS#1")(land_cover)


def streets(both: bool):
    """Unlabelled pixels, -1, are taken out of the labels, and of the outputs or not."""

    def loss(scores: Tensor, target: Tensor) -> Tensor:
        log_p = scores.log_softmax(1).permute(0, 2, 3, 1).reshape(-1, scores.shape[1])
        target = target.reshape(-1)
        mask = target >= 0
        log_p = log_p[mask] if both else log_p
        return F.nll_loss(log_p, target[mask], reduction="sum") / mask.sum()

    x, goal = maps(5)
    goal[:, -3:] = -1
    return convolutions(5), loss, x, goal


wrong("streets: unlabelled pixels leave the labels only", "loss_fails|shapes_differ", "swamiviv/LSD-seg#1")(
    lambda: streets(False)
)
right("streets: unlabelled pixels leave both", "swamiviv/LSD-seg#1")(lambda: streets(True))


def soft_dice(score: Tensor, target: Tensor) -> Tensor:
    """One minus the overlap of shares and a mask."""
    return 1 - (2 * (score * target).sum() + 1e-5) / (score.square().sum() + target.square().sum() + 1e-5)


def hearts(extra_axis: bool):
    """Cross-entropy and a dice per class; the mask [N, 1, H, W] gets another axis before it is made one-hot."""

    def loss(outputs: Tensor, label: Tensor) -> Tensor:
        target = label[:, None] if extra_axis else label
        target = torch.cat([target == i for i in range(2)], 1).float()
        shares = outputs.softmax(1)
        dice = sum(soft_dice(shares[:, i], target[:, i]) for i in range(2)) / 2
        return 0.5 * (dice + F.cross_entropy(outputs, label[:, 0]))

    x, mask = scenes()
    return convolutions(2), loss, x, mask.long()


wrong("hearts: an axis too many makes every mask meet every picture", "shapes_broadcast", "HiLab-git/SSL4MIS#57")(
    lambda: hearts(True)
)
right("hearts: masks meet their own picture", "HiLab-git/SSL4MIS#57")(lambda: hearts(False))


def nested(normalized: bool):
    """Cross-entropy with logits and dice; the mask is normalized like the picture, to -1 and 1."""

    def loss(y: Tensor, t: Tensor) -> Tensor:
        p = y.sigmoid()
        dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
        return 0.5 * F.binary_cross_entropy_with_logits(y, t) + 0.5 * dice

    x, mask = scenes(0.56)
    goal = mask.float()
    return convolutions(1), loss, x * 2 - 1, (goal - 0.5) / 0.5 if normalized else goal


NESTED = "bigmb/Unet-Segmentation-Pytorch-Nest-of-Unets#18"
wrong("nested u-net: masks of -1 and 1", "targets_outside_unit_range", NESTED)(lambda: nested(True))
right("nested u-net: masks of 0 and 1", NESTED)(lambda: nested(False))


# Ordinary ones


@right("aerial pictures: one-hot masks into a cross-entropy", "IGNF/FLAIR-1#9")
def aerial():
    """Masks as shares of classes [N, C, H, W], which the cross-entropy takes too."""
    x, goal = maps(6)
    return convolutions(6), nn.CrossEntropyLoss(), x, F.one_hot(goal, 6).permute(0, 3, 1, 2).float()


@right("lungs: the negative dice", "booz-allen-hamilton/DSB3Tutorial#8")
def lungs():
    """Minus the overlap, which is as good as one minus it."""
    x, mask = scenes()

    def loss(p: Tensor, t: Tensor) -> Tensor:
        return -(2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)

    return convolutions(1, nn.Sigmoid()), loss, x, mask.float()


@right("objects with edges of 255", "arthurdouillard/CVPR2021_PLOP#32")
def borders():
    """Pixels of 255 on the borders are left out."""
    x, goal = maps(5)
    border = F.pad(goal[:, 1:] != goal[:, :-1], (0, 0, 1, 0)) & (torch.rand(goal.shape) < 0.5)
    return convolutions(5), nn.CrossEntropyLoss(ignore_index=255), x, goal.masked_fill(border, 255)


@right("void class of weight zero", "yu-changqian/pytorch-segmentation#4")
def void():
    """A last class for pixels that belong to nothing, without weight."""
    x, goal = maps(5)
    goal[:, -3:] = 5
    return convolutions(6), nn.CrossEntropyLoss(weight=torch.tensor([1.0] * 5 + [0.0])), x, goal


@right("depth where it is known", "lorenmt/mtan#13")
def depth():
    """The mean absolute error of pixels with a depth."""
    x = torch.rand(N, 3, 16, 16)
    goal = (1 + 4 * F.avg_pool2d(x.mean(1, keepdim=True), 3, 1, 1)) * (torch.rand(N, 1, 16, 16) < 0.8)

    def loss(y: Tensor, t: Tensor) -> Tensor:
        mask = (t != 0).float()
        return ((y - t).abs() * mask).sum() / mask.sum()

    return convolutions(1), loss, x, goal


@right("language model: the next token", "minimaxir/gpt-2-simple#94")
def language_model():
    """Scores of all but the last place against all but the first token."""
    tokens = torch.randint(0, 12, (N, 1)).add(torch.arange(16) * 5) % 50
    return Tagger(50), lambda y, t: F.cross_entropy(y[:, :-1].flatten(0, 1), t[:, 1:].flatten()), tokens, tokens


@right("summaries: padding is -100", "Shivanandroy/T5-Finetuning-PyTorch#3")
def summaries():
    """A decoder gets all but the last token, padding of the labels is -100."""

    def forward(self: Part, text: Tensor, words: Tensor) -> Tensor:
        state = self.encoder(self.embed(text))[1]
        return self.out(self.decoder(self.embed(words), state)[0])

    text, _ = texts()
    goal = torch.cat([torch.full((N, 1), 2), text[:, :6]], 1)
    layers = {"embed": nn.Embedding(40, 16), "encoder": nn.GRU(16, 16, batch_first=True)}
    net = Part(forward, **layers, decoder=nn.GRU(16, 16, batch_first=True), out=nn.Linear(16, 40))
    labels = goal[:, 1:].masked_fill(goal[:, 1:] == 0, -100)
    return net, lambda y, t: F.cross_entropy(y.view(-1, 40), t.reshape(-1)), (text, goal[:, :-1]), labels


@right("speech: blank 0 and frames of log-shares", "SeanNaren/deepspeech.pytorch#603")
def speech():
    """Frames first, lengths of frames and letters given."""
    labels, sizes = torch.randint(1, 9, (N, 5)), torch.randint(2, 6, (N,))
    frames = F.one_hot(labels, 9).float().repeat_interleave(4, 1) + 0.1 * torch.randn(N, 20, 9)
    ctc = nn.CTCLoss(blank=0, reduction="mean", zero_infinity=True)
    net = Then(last(nn.GRU(9, 16, batch_first=True), 9, True), lambda y: y.log_softmax(-1).transpose(0, 1))
    return net, lambda y, t: ctc(y, t[0], torch.full((N,), 20), t[1]), frames, (labels, sizes)


@right("documents: log-softmax and nll", "pandeykartikey/Hierarchical-Attention-Network#3")
def documents():
    """One of five classes of a text."""
    text, _ = texts(length=16)
    net = Part(lambda self, x: self.out(self.embed(x).mean(1)).log_softmax(1), embed=nn.Embedding(40, 16), out=mlp(5))
    net.out[0] = nn.Linear(16, 32)
    return net, nn.NLLLoss(), text, text[:, 0] % 5


@right("topics: a sigmoid per topic", "inspirehep/magpie#141")
def topics():
    """Several topics of a text at once."""
    text, _ = texts(length=16)
    goal = torch.stack([(text % 6 == i).sum(1) > 1 for i in range(6)], 1).float()

    def forward(self: Part, x: Tensor) -> Tensor:
        return self.out(self.convolution(self.embed(x).transpose(1, 2)).relu().amax(2)).sigmoid()

    layers = {"embed": nn.Embedding(40, 16), "convolution": nn.Conv1d(16, 24, 3, padding=1)}
    return Part(forward, **layers, out=nn.Linear(24, 6)), nn.BCELoss(), text, goal
