"""Set-ups of the twentieth round (users of libraries), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: lightning multilabel
BCEWithLogitsLoss accuracy stuck; torchvision resnet binary classification loss not decreasing sigmoid; huggingface
Trainer multi label float labels error BCEWithLogitsLoss; huggingface token classification loss ignore_index -100
labels custom loss; custom Trainer compute_loss class weights wrong; fastai CrossEntropyLossFlat target shape
mismatch; fastai segmentation mask values target out of bounds; timm SoftTargetCrossEntropy label shape error mixup;
segmentation_models_pytorch DiceLoss sigmoid activation from_logits; segmentation_models_pytorch multiclass all
background prediction; MONAI DiceCELoss to_onehot_y softmax loss not decreasing; MONAI DiceLoss negative or constant
loss; pytorch-forecasting custom loss output size wrong; LSTM time series regression predicts constant mean target
shape unsqueeze broadcast; pos_weight BCEWithLogitsLoss shape of weights multi label; CrossEntropyLoss class weights
with one-hot targets expected; nn.CrossEntropyLoss after softmax model not learning; NLLLoss without log_softmax
negative loss; BCELoss all elements of input should be between 0 and 1; multi-head multi-task model loss one head not
learning; regression output relu predicts zero always pytorch; autoencoder MSE loss sigmoid output images normalized
mean std; distillation KLDivLoss log_softmax negative loss; expected scalar type Long but found Float loss target.

The first twelve searches were enough (one search each, 12 hits or fewer; 13 more look-ups to read single threads):
the twentieth wrong one came in the ninth, what came after it was left out. Left out besides: listed threads, causes
that the text does not tell, versions, metrics, PaddlePaddle without an answer. The ten right ones at the end are
threads and pages from the same hits whose code is right, in the order in which they came up.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, inputs, mlp

TWENTY_USERS = CaseSet()
right, wrong = TWENTY_USERS.right, TWENTY_USERS.wrong


class Texts(nn.Module):
    """A text classifier that computes its loss from the labels, as libraries of language models do."""

    def __init__(self, count: int, loss) -> None:
        super().__init__()
        self.embed, self.out, self.loss = nn.Embedding(50, 16), nn.Linear(16, count), loss

    def forward(self, input_ids: Tensor, labels: Tensor | None = None):
        """The loss and the raw scores."""
        logits = self.out(self.embed(input_ids).mean(1))
        return {"loss": None if labels is None else self.loss(logits, labels), "logits": logits}


class Season(nn.Module):
    """Pictures of several dates [N, T, C, H, W] to scores per pixel."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(5, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, count, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the mean over the dates."""
        return self.net(x.mean(1))


def photos(size: int = 12) -> Tensor:
    """Colour pictures of different tints."""
    return torch.randn(N, 3, size, size) + torch.randn(N, 3, 1, 1)


def seen(x: Tensor, count: int) -> Tensor:
    """Several yes/no labels that follow from the means of the inputs' second axis or from the inputs."""
    x = x.flatten(2).mean(2) if x.dim() > 2 else x
    return (x @ torch.randn(x.shape[1], count) > 0).float()


def kinds(x: Tensor, count: int) -> Tensor:
    """One class number a sample that follows from the inputs."""
    x = x.flatten(2).mean(2) if x.dim() > 2 else x
    return (x @ torch.randn(x.shape[1], count)).argmax(1)


def photo_net(count: int, *ends: nn.Module) -> nn.Sequential:
    """A small network of pictures."""
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), *pool, nn.Linear(16, count), *ends)


def pixel_net(count: int, *ends: nn.Module) -> nn.Sequential:
    """A small network from pictures to scores per pixel."""
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, count, 1), *ends)


def dice(shares: Tensor, masks: Tensor, smooth: float = 1.0) -> Tensor:
    """The overlap of shares and masks, from zero to one."""
    return (2 * (shares * masks).sum() + smooth) / (shares.sum() + masks.sum() + smooth)


def smooth_cross_entropy(out: Tensor, target: Tensor, smoothing: float = 0.1) -> Tensor:
    """Label smoothing of a picture library: class numbers wanted."""
    logs = out.log_softmax(-1)
    hit = -logs.gather(dim=-1, index=target.unsqueeze(1)).squeeze(1)
    return ((1 - smoothing) * hit - smoothing * logs.mean(-1)).mean()


def soft_cross_entropy(out: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy with shares as targets, as in a picture library."""
    return torch.sum(-target * F.log_softmax(out, dim=-1), dim=-1).mean()


def focal(out: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """Focal loss of a segmentation library: one binary loss of raw scores a class."""
    total = 0.0
    for number in range(out.shape[1]):
        log_p = F.binary_cross_entropy_with_logits(out[:, number], (target == number).float(), reduction="none")
        total = total + ((1 - (-log_p).exp()) ** gamma * log_p).mean()
    return total


def mixed(x: Tensor, target: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Pictures mixed in pairs, and the shares of their classes."""
    part, hot = torch.rand(N), F.one_hot(target, count).float()
    blend = part[:, None, None, None]
    return blend * x + (1 - blend) * x.flip(0), part[:, None] * hot + (1 - part[:, None]) * hot.flip(0)


def one_score(whole: bool):
    """A language model with one output is trained by squared error on labels read as whole numbers."""
    tokens = torch.randint(0, 50, (N, 12))
    labels = (tokens[:, 0] > 25).long() if whole else (tokens[:, 0] > 25).float()
    model = Texts(1, lambda out, y: F.mse_loss(out.view(-1).to(y.dtype), y.view(-1)))
    return model, lambda outputs, _: outputs["loss"], {"input_ids": tokens, "labels": labels}, labels


wrong(
    "one score: whole-number labels in a squared error",
    "integer_targets|target_dtype|model_fails",
    "huggingface/transformers#27707",
)(lambda: one_score(True))
right("one score: float labels", "huggingface/transformers#27707")(lambda: one_score(False))


@wrong(
    "proteins: several labels a picture into a cross-entropy of one class",
    "targets_do_not_sum_to_one|softmax_for_independent_labels",
    "fastai/fastai#852",
)
def proteins():
    """Multi-hot float targets and the default loss of single classes."""
    x = photos()
    return photo_net(28), F.cross_entropy, x, seen(x, 28)


@wrong(
    "head on sentences: multi-hot whole numbers into a cross-entropy",
    "one_hot_integers|softmax_for_independent_labels",
    "huggingface/setfit#211",
)
def sentence_head():
    """A differentiable head on sentence vectors; the dataset turns the multi-hot labels to long."""
    x = inputs(32)
    return nn.Linear(32, 8), nn.CrossEntropyLoss(), x, seen(x, 8).long()


def three_labels(single: bool):
    """Several labels a text; the library flattens them as if each were one sample's class."""
    tokens = torch.randint(0, 50, (N, 12))
    labels = torch.stack([tokens[:, 0] > 25, tokens[:, 1] > 25, tokens[:, 2] > 25], 1)
    loss = (lambda out, y: F.cross_entropy(out.view(-1, 3), y.view(-1))) if single else nn.BCEWithLogitsLoss()
    labels = labels.long() if single else labels.float()
    return Texts(3, loss), lambda outputs, _: outputs["loss"], {"input_ids": tokens, "labels": labels}, labels


wrong(
    "three labels: flattened for a cross-entropy of one class",
    "one_hot_integers|softmax_for_independent_labels|model_fails",
    "huggingface/transformers#4337",
)(lambda: three_labels(True))
right("three labels: binary losses", "huggingface/transformers#4337")(lambda: three_labels(False))


def masked_words(fill: int, ignore: int):
    """Hidden words are to be guessed; all other places carry a filler that the loss should leave out."""
    tokens = torch.randint(2, 50, (N, 20))
    hidden = torch.rand(N, 20) < 0.15
    targets = tokens.masked_fill(~hidden, fill)
    loss = nn.CrossEntropyLoss(ignore_index=ignore)
    return Tagger(50), lambda out, y: loss(out.view(-1, 50), y.view(-1)), tokens.masked_fill(hidden, 1), targets


wrong("masked words: filled with -1, the loss leaves out -100", "class_index_out_of_range", "alexa/dialoglue#19")(
    lambda: masked_words(-1, -100)
)
wrong(
    "masked words: filled with -100, the loss leaves out -1",
    "class_index_out_of_range",
    "huggingface/transformers#2718",
)(lambda: masked_words(-100, -1))
right("masked words: filled with -100", "alexa/dialoglue#19")(lambda: masked_words(-100, -100))


def names_in_text(by_sentences: bool):
    """Class weights of a tagger, one minus the frequency; the frequency divided by the wrong number."""
    tokens = torch.randint(0, 50, (N, 12))
    tags = (tokens - 42).clamp_min(0) // 2
    counts = torch.bincount(tags.flatten(), minlength=4).float()
    loss = nn.CrossEntropyLoss(weight=1 - counts / (len(tokens) if by_sentences else counts.sum()))
    return Tagger(4), lambda out, y: loss(out.view(-1, 4), y.view(-1)), tokens, tags


wrong(
    "names in texts: the weight of the frequent class is negative",
    "class_weight_reversed|unbounded_loss",
    "huggingface/evaluate#478",
)(lambda: names_in_text(True))
right("names in texts: weights from zero to one", "huggingface/evaluate#478")(lambda: names_in_text(False))


@wrong("whales: class numbers where the loss wants one column a class", "shapes_differ", "fastai/fastai#1735")
def whales():
    """One class a picture given as a number to a loss that compares elements."""
    x = photos()
    return photo_net(50), nn.BCEWithLogitsLoss(), x, kinds(x, 50)


def fields(squared: bool):
    """Crop classes of a series of pictures; the mask has a channel of one."""
    x = torch.randn(8, 4, 5, 12, 12)
    masks = x.mean(1)[:, :3].argmax(1, keepdim=True)
    if squared:
        return Season(20), nn.MSELoss(), x, masks.float()
    return Season(20), lambda out, y: F.cross_entropy(out, y.squeeze(1)), x, masks


wrong(
    "fields: class maps [N, 1, H, W] compared with scores of twenty classes",
    "shapes_broadcast",
    "VSainteuf/utae-paps#23",
)(lambda: fields(True))
right("fields: cross-entropy with maps [N, H, W]", "VSainteuf/utae-paps#23")(lambda: fields(False))


def reviews(flat: bool):
    """Classes of texts read from a table as one column."""
    tokens = torch.randint(0, 50, (N, 12))
    labels = (tokens[:, :1] > 25).long()
    model = nn.Sequential(nn.Embedding(50, 16), nn.Flatten(), nn.Linear(192, 2))
    return model, F.cross_entropy, tokens, labels.flatten() if flat else labels


wrong("reviews: class numbers as a column [N, 1]", "shapes_differ", "fastai/fastai#589")(lambda: reviews(False))
right("reviews: class numbers [N]", "fastai/fastai#589")(lambda: reviews(True))


@wrong("ages: a network of a thousand outputs for one number", "shapes_differ|loss_fails", "fastai/fastai#2928")
def ages():
    """A picture network with its default end, trained by a flattened squared error."""
    x = photos()
    return photo_net(1000), lambda out, y: F.mse_loss(out.view(-1), y.view(-1)), x, x.mean((1, 2, 3)) * 10 + 40


@wrong("tunes: scores [N, T, C] straight into a cross-entropy", "classes_not_second", "tsunrise/everybody-compose#49")
def tunes():
    """The next note of every step, the classes on the last axis."""
    notes = torch.randint(0, 50, (N, 12))
    return Tagger(50), nn.CrossEntropyLoss(), notes[:, :-1], notes[:, 1:]


def cut_out(levels: tuple[int, ...]):
    """Two classes of pixels; the masks carry these values."""
    x = photos()
    masks = torch.tensor(levels)[(x[:, 0].sigmoid() * len(levels)).long().clamp_max(len(levels) - 1)]
    return pixel_net(2), nn.CrossEntropyLoss(), x, masks


wrong(
    "cut-out: the foreground of the masks is 255", "class_index_out_of_range", "divamgupta/image-segmentation-keras#294"
)(lambda: cut_out((0, 255)))
wrong(
    "cut-out: masks of eight classes, a network of two", "class_index_out_of_range", "open-mmlab/mmsegmentation#3609"
)(lambda: cut_out(tuple(range(8))))
wrong("cut-out: masks are grey pictures as they are", "class_index_out_of_range", "open-mmlab/mmsegmentation#1553")(
    lambda: cut_out(tuple(range(0, 251, 5)))
)


def mixed_labels(column: bool):
    """Several labels a picture, two batches mixed: the loss of each element times the sample's share."""
    x, part = photos(), torch.rand(N)
    first, blend = seen(x, 10), part[:, None, None, None]

    def loss(out: Tensor, targets: tuple[Tensor, ...]) -> Tensor:
        one, two = (F.binary_cross_entropy_with_logits(out, y, reduction="none") for y in targets[:2])
        share = targets[2][:, None] if column else targets[2]
        return (share * one + (1 - share) * two).mean()

    return photo_net(10), loss, blend * x + (1 - blend) * x.flip(0), (first, first.flip(0), part)


wrong("mixed labels: a share a sample times a loss an element", "shapes_differ|loss_fails", "fastai/fastai_dev#269")(
    lambda: mixed_labels(False)
)
right("mixed labels: shares as a column", "fastai/fastai_dev#269")(lambda: mixed_labels(True))


@wrong(
    "mixed pictures: shares into a loss that picks by class number", "class_index_type|loss_fails", "kaylode/theseus#26"
)
def mixed_pictures():
    """Mixing makes shares of the classes; label smoothing wants class numbers."""
    x = photos()
    return photo_net(10), smooth_cross_entropy, *mixed(x, kinds(x, 10), 10)


def soft_targets(shares: bool):
    """A loss for shares of the classes, and the labels of the loader."""
    x = photos()
    labels = kinds(x, 10)
    return photo_net(10), soft_cross_entropy, x, F.one_hot(labels, 10).float() if shares else labels


wrong("soft targets: class numbers into a loss of shares", "shapes_differ|loss_fails", "libffcv/ffcv#260")(
    lambda: soft_targets(False)
)
right("soft targets: one-hot", "libffcv/ffcv#260")(lambda: soft_targets(True))


def lands(softmax: bool):
    """Classes of pixels with a focal loss of raw scores."""
    x = photos()
    return pixel_net(3, *([nn.Softmax(1)] if softmax else [])), focal, x, x.argmax(1)


wrong(
    "lands: shares into a focal loss of raw scores",
    "softmax_before_bce_logits|activation_twice|bounded_logits",
    "qubvel-org/segmentation_models.pytorch#1263",
)(lambda: lands(True))
right("lands: raw scores", "qubvel-org/segmentation_models.pytorch#1263")(lambda: lands(False))


def circles(softmax: bool):
    """Overlap of scores per pixel with one-hot masks, negative as loss."""
    x = photos()
    masks = F.one_hot((x[:, 0] > 0.5).long(), 2).permute(0, 3, 1, 2).float()

    def loss(out: Tensor, y: Tensor) -> Tensor:
        shares = out.softmax(1) if softmax else out
        return -2 * (shares * y).sum() / (1e-5 + shares.sum() + y.sum())

    return pixel_net(2), loss, x, masks


wrong("circles: overlap of raw scores", "overlap_on_logits", "jakeret/tf_unet#15")(lambda: circles(False))
right("circles: overlap of shares", "jakeret/tf_unet#15")(lambda: circles(True))


@right("ten objects: log-shares and their loss", "Wheest/pytorch-lightning-cifar#6")
def ten_objects():
    """The picture tutorial of a training library."""
    x = photos()
    return photo_net(10, nn.LogSoftmax(1)), F.nll_loss, x, kinds(x, 10)


@right("health claims: log-shares into a cross-entropy", "PacktPublishing/Deep-Learning-with-PyTorch-Lightning#11")
def claims():
    """Once too often, but the logarithm of shares stays what it is."""
    x = inputs(24)
    head = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 4), nn.LogSoftmax(dim=1))
    return head, nn.CrossEntropyLoss(), x, kinds(x, 4)


@right(
    "two classes: a sigmoid and its loss",
    "hackernoon.com/binary-classification-understanding-activation-and-loss-functions-with-a-pytorch-example",
)
def two_classes():
    """One output a sample, targets of the same shape."""
    x = inputs()
    return mlp(1, nn.Sigmoid()), nn.BCELoss(), x, (x[:, :1] + x[:, 1:2] > 0).float()


@right("several labels: soft margin", "discuss.pytorch.org/t/multi-label-classification-in-pytorch/905")
def several_labels():
    """A picture network's raw outputs and multi-hot labels."""
    x = photos()
    return photo_net(17), nn.MultiLabelSoftMarginLoss(), x, seen(x, 17)


@right("weighted labels: three weights for three classes", "huggingface/transformers#15070")
def weighted_labels():
    """The example of an own loss in the documentation of a trainer."""
    tokens = torch.randint(0, 50, (N, 12))
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))
    labels = tokens[:, 0] * 3 // 50
    return Texts(3, None), lambda out, y: loss(out["logits"].view(-1, 3), y.view(-1)), {"input_ids": tokens}, labels


@right("word pieces: only the first piece of a word counts", "monologg/KoELECTRA#4")
def word_pieces():
    """Tags of tokens, -100 on later pieces and on padding."""
    tokens = torch.randint(1, 50, (N, 20))
    tags = tokens // 10
    tags[torch.rand(N, 20) < 0.5] = -100
    tags[:, 14:], tokens[:, 14:] = -100, 0
    return Tagger(5), lambda out, y: nn.CrossEntropyLoss()(out.view(-1, 5), y.view(-1)), tokens, tags


@right("mixed pictures: shares and a loss of shares", "huggingface/pytorch-image-models#46")
def mixed_shares():
    """Mixing with the loss that goes with it."""
    x = photos()
    return photo_net(10), soft_cross_entropy, *mixed(x, kinds(x, 10), 10)


@right("street layers: a sigmoid a class and overlap", "qubvel-org/segmentation_models.pytorch#166")
def street():
    """A mask for each of three classes."""
    x = photos()
    return pixel_net(3, nn.Sigmoid()), lambda out, y: 1 - dice(out, y), x, (x > 0.5).float()


@right("nuclei: half a binary loss less the overlap", "MrGiovanni/UNetPlusPlus#49")
def nuclei():
    """A loss that ends below zero."""
    x = photos()
    masks = (x.mean(1, keepdim=True) > 0.3).float()
    return pixel_net(1, nn.Sigmoid()), lambda out, y: 0.5 * F.binary_cross_entropy(out, y) - dice(out, y), x, masks


@right("organs: overlap and a binary loss of raw scores", "bowang-lab/MedSAM#99")
def organs():
    """Each part of the loss takes raw scores in its own way."""
    x = photos()
    masks = (x.mean(1, keepdim=True) > 0.3).float()
    binary = nn.BCEWithLogitsLoss()
    return pixel_net(1), lambda out, y: 1 - dice(out.sigmoid(), y) + binary(out, y), x, masks
