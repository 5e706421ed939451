"""Set-ups of the twenty-second round (picture tasks and users of libraries), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: a U-Net or classifier that ends
in softmax and is trained with cross-entropy: raw outputs; "only batches of spatial targets supported": the mask's
channel of one squeezed; U-Net that ends in sigmoid into BCEWithLogitsLoss: twice; Keras Dense(1, softmax) sticks at a
half: sigmoid; "t >= 0 && t < n_classes": void pixels 255 without ignore_index; loss is negative: masks of 0 and 255
into a BCE: divide; Lightning "target size must be the same as input size" [N] against [N, 1]: unsqueeze; everything
is background: class numbers through ToTensor, then long, are all 0; Dice of raw outputs, negative or above one:
sigmoid first; Dice or IoU of thresholded or argmaxed predictions has no gradient: shares; output.view(-1, C) of
[N, C, H, W] without permute; Hugging Face: padded labels are not -100; U-Net of one channel that ends in softmax,
all ones: sigmoid; class weights that are the classes' frequencies, not their inverse; pos_weight upside down or a
share of positives: negatives by positives; torchvision Faster R-CNN: labels that start at 0, the background's; a Dice
loss that returns the coefficient: one minus; Hugging Face num_labels=1 with class numbers is a regression; Hugging
Face several labels a text, integers: "can't be cast to Long", floats; torchvision's segmentation returns a dictionary:
["out"]; focal loss of a cross-entropy already averaged: reduction none; ReLU behind the last layer: none; boxes in
pixels against a head with sigmoid: scale to 0..1; several heads, one loss in pixels swamps or one is left out.

Forty-one look-ups. Fourteen of the sixteen wrong ones have a thread (one is a translated copy of a Stack Overflow
question, one a blog post), two are recalled. The first sixteen of the list are built; the rest (from the Dice loss that
returns the coefficient on) was left out for room. Number five has classes numbered from one, as in its thread.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import box_convert, generalized_box_iou, sigmoid_focal_loss

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, Tagger, Then
from doctor_exam.round_parts import Part

TWENTY_TWO_USERS = CaseSet()
right, wrong = TWENTY_TWO_USERS.right, TWENTY_TWO_USERS.wrong


class UNet(nn.Module):
    """One step down, one step up and a skip between them."""

    def __init__(self, out: int, channels: int = 3) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.middle = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.up, self.join = nn.ConvTranspose2d(16, 8, 2, stride=2), nn.Conv2d(16, 8, 3, padding=1)
        self.out = nn.Conv2d(8, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of every pixel [N, out, H, W]."""
        skip = self.down(x)
        return self.out(self.join(torch.cat([skip, self.up(self.middle(skip))], 1)).relu())


def unet(out: int, *ends: nn.Module) -> nn.Sequential:
    """A small U-Net and what follows its last layer."""
    return nn.Sequential(UNet(out), *ends)


def scans(count: int, size: int = 16) -> tuple[Tensor, Tensor]:
    """Eight pictures and the class of each pixel [8, H, W], by its brightness."""
    pictures = F.interpolate(torch.randn(8, 3, 4, 4), size=(size, size), mode="bilinear")
    bounds = pictures.mean(1).flatten().quantile(torch.arange(1, count) / count)
    return pictures + 0.1 * torch.randn_like(pictures), torch.bucketize(pictures.mean(1), bounds)


def objects(share: float = 0.5) -> tuple[Tensor, Tensor]:
    """Eight pictures and their masks of zeros and ones [8, 1, H, W], the share of ones as given."""
    pictures, _ = scans(2)
    brightness = pictures.mean(1, keepdim=True)
    return pictures, (brightness > brightness.flatten().quantile(1 - share)).float()


def dice(shares: Tensor, mask: Tensor, smooth: float = 1.0) -> Tensor:
    """One less the Dice coefficient of everything in the batch."""
    shares, mask = shares.reshape(-1), mask.reshape(-1)
    return 1 - (2 * (shares * mask).sum() + smooth) / (shares.sum() + mask.sum() + smooth)


# 1


def medical(softmax: bool):
    """U-Net of TensorFlow whose last line is a softmax, into the cross-entropy with logits and one-hot masks."""
    pictures, mask = scans(2)
    return unet(2, *[nn.Softmax(1)] * softmax), nn.CrossEntropyLoss(), pictures, F.one_hot(mask).movedim(-1, 1).float()


wrong(
    "medical U-Net: softmax, then a cross-entropy of logits",
    "softmax_before_cross_entropy",
    "NVIDIA/DeepLearningExamples#468",
)(lambda: medical(True))


# 2


@wrong("street scenes: mask with a channel of one", "shapes_differ", "milesial/Pytorch-UNet#226")
def streets():
    """Twenty classes of pixels, the mask as it comes from the loader: [N, 1, H, W]."""
    pictures, mask = scans(20)
    return unet(20), nn.CrossEntropyLoss(), pictures, mask[:, None]


# 3


def organs(sigmoid: bool):
    """Foreground against background; the borrowed network ends in a sigmoid, the loss takes logits."""
    return unet(1, *[nn.Sigmoid()] * sigmoid), nn.BCEWithLogitsLoss(), *objects(0.3)


wrong("organs: sigmoid, then BCE with logits", "sigmoid_before_bce_logits", "www.dtcms.com/a/394596.html")(
    lambda: organs(True)
)
right("organs: raw outputs into BCE with logits", "www.dtcms.com/a/394596.html")(lambda: organs(False))


# 4


def series(end: Callable):
    """Convolutions over ten steps of four values and Dense(1), compiled with binary_crossentropy."""
    steps = torch.randn(32, 4, 10)
    body = nn.Sequential(nn.Conv1d(4, 16, 9, padding=4), nn.BatchNorm1d(16), nn.LeakyReLU(), nn.Flatten())
    model = nn.Sequential(body, nn.Linear(160, 64), nn.BatchNorm1d(64), nn.LeakyReLU(), nn.Linear(64, 1), end)
    return model, nn.BCELoss(), steps, (steps.mean((1, 2)) > -0.05).float()[:, None]


wrong("Keras series: Dense(1) with softmax", "softmax_over_one_output", "techfeed.net/es/456718")(
    lambda: series(nn.Softmax(1))
)
right("Keras series: Dense(1) with sigmoid", "techfeed.net/es/456718")(lambda: series(nn.Sigmoid()))


# 5


@wrong("scene parsing: classes numbered from one", "class_index_out_of_range", "hszhao/semseg#29")
def parsing():
    """Masks whose classes are numbered 1 to 10 for ten outputs, void pixels ignored."""
    pictures, mask = scans(10)
    mask = mask + 1
    mask[:, 0] = 255
    return unet(10), nn.CrossEntropyLoss(ignore_index=255), pictures, mask


# 6


def lesions(scale: float):
    """Masks read from PNG files of black and white, raw outputs into the binary cross-entropy with logits."""
    pictures, mask = objects(0.3)
    return unet(1), nn.BCEWithLogitsLoss(), pictures, mask * 255 / scale


wrong("lesions: masks of 0 and 255", "targets_outside_unit_range", "MontaEllis/Pytorch-Medical-Segmentation#8")(
    lambda: lesions(1)
)
right("lesions: masks of 0 and 1", "MontaEllis/Pytorch-Medical-Segmentation#8")(lambda: lesions(255))


# 7


@wrong(
    "book's CNN: labels without the output's column",
    "shapes_differ",
    "PacktPublishing/Modern-Computer-Vision-with-PyTorch#73",
)
def book():
    """One probability a picture into BCELoss, with labels as torch.tensor([0, 1]).float() makes them."""
    pictures = torch.randn(16, 1, 4, 4)
    body = nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten())
    model = nn.Sequential(body, nn.Linear(1, 1), nn.Sigmoid())
    return model, nn.BCELoss(), pictures, (pictures.mean((1, 2, 3)) > 0).float()


# 8


@wrong("VOC: class masks divided by 255", "one_class_only", "HasnainRaz/FC-DenseNet-TensorFlow#17")
def voc():
    """Picture and mask are both normalised by 255, so that every class number becomes 0."""
    pictures, mask = scans(21)
    return unet(21), nn.CrossEntropyLoss(), pictures, (mask / 255).long()


# 9


def tumours(activation: Callable):
    """A soft Dice loss as copied, from a network that ends in its last convolution."""
    return unet(1), lambda out, mask: dice(activation(out), mask), *objects(0.2)


wrong("tumours: Dice of raw outputs", "overlap_on_logits", "recalled")(lambda: tumours(nn.Identity()))
right("tumours: Dice of probabilities", "recalled")(lambda: tumours(torch.sigmoid))


# 10


# 11


def pixelwise(permute: bool):
    """Pixel-wise distillation: the student's log-shares against the teacher's shares, both as rows of classes."""
    pictures, mask = scans(5)
    teacher = 4 * F.one_hot(mask, 5).movedim(-1, 1).float() + 0.3 * torch.randn(8, 5, 16, 16)
    teacher = teacher.contiguous()

    def rows(scores: Tensor) -> Tensor:
        scores = scores.permute(0, 2, 3, 1).contiguous() if permute else scores
        return scores.view(-1, 5)

    def loss(student: Tensor, teacher: Tensor) -> Tensor:
        shares = F.softmax(rows(teacher), 1)
        return -(shares * F.log_softmax(rows(student), 1)).sum() / teacher.shape[2] / teacher.shape[3]

    return unet(5), loss, pictures, teacher


wrong(
    "pixel-wise distillation: view without permute",
    "axes_scrambled",
    "irfanICMLL/structure_knowledge_distillation#11",
)(lambda: pixelwise(False))
right("pixel-wise distillation: permute, then view", "irfanICMLL/structure_knowledge_distillation#11")(
    lambda: pixelwise(True)
)


# 12


def language(padding: int):
    """Sentences filled up with the tokenizer's padding; the labels are the input's tokens, shifted in the loss."""
    tokens = (torch.arange(12) + torch.randint(0, 47, (16, 1))) % 47 + 1
    for row, size in zip(tokens, torch.randint(3, 12, (16,)).tolist(), strict=True):
        row[size], row[size + 1 :] = 48, 49
    labels = tokens.masked_fill(tokens == 49, padding)

    def loss(scores: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(scores[:, :-1].reshape(-1, 50), labels[:, 1:].reshape(-1))

    return Tagger(50), loss, tokens, labels


wrong("language model: padding is learned", "padding_not_ignored", "huggingface/transformers#7135")(
    lambda: language(49)
)
right("language model: padding is -100", "huggingface/transformers#7135")(lambda: language(-100))


# 13


@wrong(
    "nerve: one channel, reshaped, softmax", "softmax_over_one_output", "jocicmarko/ultrasound-nerve-segmentation#18"
)
def nerve():
    """Convolution2D(1, 1, 1), Reshape((rows * cols, 1)), Activation('softmax'), categorical_crossentropy."""
    pictures, mask = objects(0.2)
    model = Then(unet(1), lambda out: out.flatten(2).transpose(1, 2).softmax(-1))

    def loss(shares: Tensor, truth: Tensor) -> Tensor:
        return -(truth * shares.clamp(1e-7, 1 - 1e-7).log()).sum(-1).mean()

    return model, loss, pictures, mask.flatten(2).transpose(1, 2)


# 14


def uneven(inverse: bool):
    """Two classes of 9000 and 41000 samples and a weight for each in the cross-entropy."""
    x = torch.randn(32, 20)
    sizes = torch.tensor([9000.0, 41000.0])
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 2))
    targets = (x[:, 0] + x[:, 1] > torch.quantile(x[:, 0] + x[:, 1], 0.18)).long()
    return model, nn.CrossEntropyLoss(weight=sizes.sum() / (2 * sizes) if inverse else sizes / sizes.sum()), x, targets


wrong(
    "uneven classes: weights as large as the classes",
    "class_weight_reversed",
    "discuss.pytorch.org/t/what-is-the-weight-values-mean-in-torch-nn-crossentropyloss/11455",
)(lambda: uneven(False))
right(
    "uneven classes: inverse weights",
    "discuss.pytorch.org/t/what-is-the-weight-values-mean-in-torch-nn-crossentropyloss/11455",
)(lambda: uneven(True))


# 15


@wrong("cracks: pos_weight of positives by negatives", "pos_weight_reversed|class_weight_reversed", "recalled")
def cracks():
    """One pixel in twenty is a crack; the weight of the positives is their number by that of the others."""
    pictures, mask = objects(0.05)
    weight = mask.sum() / (1 - mask).sum()
    return unet(1), nn.BCEWithLogitsLoss(pos_weight=weight), pictures, mask


# 16


def detector(first: int):
    """Faster R-CNN of torchvision for one kind of object and the background, which computes its own losses."""
    backbone = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
    backbone.out_channels = 16
    anchors = AnchorGenerator(((16, 32),), ((1.0,),))
    net = FasterRCNN(
        backbone, 2, 64, 64, rpn_anchor_generator=anchors, rpn_pre_nms_top_n_train=40, box_batch_size_per_image=32
    )
    corners = torch.randint(0, 30, (4, 2, 2)).float()
    boxes = torch.cat([corners, corners + torch.randint(14, 32, (4, 2, 2))], -1)
    pictures = 0.3 * torch.rand(4, 3, 64, 64)
    for picture, places in zip(pictures, boxes.long().tolist(), strict=True):
        for left, top, end, bottom in places:
            picture[:, top:bottom, left:end] += 0.6

    def forward(self: Part, pictures: Tensor, boxes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        targets = [{"boxes": box, "labels": label} for box, label in zip(boxes, labels, strict=True)]
        return self.net(list(pictures), targets)

    labels = torch.full((4, 2), first)
    return Part(forward, net=net), lambda losses, _: sum(losses.values()), (pictures, boxes, labels), labels


wrong("Faster R-CNN: the only class is number 0", "one_class_only", "pytorch/vision#1360")(lambda: detector(0))
right("Faster R-CNN: the only class is number 1", "pytorch/vision#1360")(lambda: detector(1))


# ordinary ones


@right("torchvision's segmentation reference: out and aux", "pytorch/vision references/segmentation/train.py")
def reference():
    """A dictionary of two heads, each with a cross-entropy that ignores 255, the second one by half."""
    pictures, mask = scans(6)
    mask[:, :2] = 255
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
    heads = Heads(out=nn.Conv2d(8, 6, 3, padding=1), aux=nn.Conv2d(8, 6, 1))

    def loss(outputs: dict[str, Tensor], mask: Tensor) -> Tensor:
        losses = {name: F.cross_entropy(out, mask, ignore_index=255) for name, out in outputs.items()}
        return losses["out"] + 0.5 * losses["aux"]

    return nn.Sequential(model, heads), loss, pictures, mask


@right("text classifier with several labels: loss of its own", "huggingface/transformers BertForSequenceClassification")
def tags():
    """problem_type="multi_label_classification": the model returns its loss and its logits."""
    tokens = torch.randint(1, 60, (16, 10))
    mask = (torch.arange(10) < torch.randint(4, 11, (16, 1))).long()
    labels = torch.stack([((tokens % 4 == kind) & (mask == 1)).sum(1) > 2 for kind in range(4)], 1).float()

    def forward(self: Part, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        states = self.layer(self.embed(input_ids), src_key_padding_mask=attention_mask == 0)
        logits = self.classifier(torch.tanh(self.pooler(states[:, 0])))
        return {"loss": F.binary_cross_entropy_with_logits(logits, labels), "logits": logits}

    layer = nn.TransformerEncoderLayer(16, 2, 32, 0.1, batch_first=True)
    parts = {"embed": nn.Embedding(60, 16), "layer": layer, "pooler": nn.Linear(16, 16), "classifier": nn.Linear(16, 4)}
    given = {"input_ids": tokens, "attention_mask": mask, "labels": labels}
    return Part(forward, **parts), lambda outputs, _: outputs["loss"], given, labels


@right("Lightning's autoencoder", "Lightning-AI/pytorch-lightning README")
def autoencoder():
    """LitAutoEncoder: digits of 784 pixels through three numbers and back, mean squared error."""
    digits = (F.interpolate(torch.randn(16, 1, 4, 4), size=(28, 28), mode="bilinear") > 0.2).float().flatten(1)
    encoder = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 3))
    decoder = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 784))
    return nn.Sequential(encoder, decoder), nn.MSELoss(), digits, digits


@right("MONAI's Dice and cross-entropy", "Project-MONAI/MONAI DiceCELoss")
def volumes():
    """DiceCELoss(to_onehot_y=True, softmax=True) of masks [N, 1, H, W], background included."""
    pictures, mask = scans(4)

    def loss(out: Tensor, mask: Tensor) -> Tensor:
        shares, hot = out.softmax(1), F.one_hot(mask[:, 0], 4).movedim(-1, 1).float()
        overlap, total = (shares * hot).sum((2, 3)), (shares + hot).sum((2, 3))
        return (1 - (2 * overlap + 1e-5) / (total + 1e-5)).mean() + F.cross_entropy(out, mask[:, 0])

    return unet(4), loss, pictures, mask[:, None]


@right("Keras digits: softmax and categorical_crossentropy", "keras.io/examples/vision/mnist_convnet")
def digits():
    """Probabilities and one-hot targets, the logarithm taken in the loss (unusual in torch)."""
    pictures = torch.rand(32, 1, 12, 12)
    kinds = pictures[:, 0, ::4, ::3].flatten(1)[:, :10].argmax(1)
    body = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5))

    def categorical_crossentropy(shares: Tensor, truth: Tensor) -> Tensor:
        shares = shares / shares.sum(-1, keepdim=True)
        return -(truth * shares.clamp(1e-7, 1 - 1e-7).log()).sum(-1).mean()

    model = nn.Sequential(body, nn.Linear(400, 10), nn.Softmax(1))
    return model, categorical_crossentropy, pictures, F.one_hot(kinds, 10).float()


@right("fastai: CrossEntropyLossFlat(axis=1)", "fastai/fastai losses.py")
def camvid():
    """Scores and masks are both transposed with the last axis, then flattened (unusual, but in step)."""
    pictures, mask = scans(8)

    def flat(out: Tensor, mask: Tensor) -> Tensor:
        out, mask = out.transpose(1, -1).contiguous(), mask.transpose(1, -1).contiguous()
        return F.cross_entropy(out.view(-1, out.shape[-1]), mask.view(-1))

    return unet(8), flat, pictures, mask


@right("DETR: classes and boxes after the matching", "facebookresearch/detr models/detr.py")
def queries():
    """Class scores with a light no-object class, boxes with L1 and the generalised overlap."""
    pictures = torch.randn(8, 3, 16, 16)
    classes, boxes = torch.full((8, 6), 4), 0.2 + 0.4 * torch.rand(8, 6, 4)
    classes[:, :2] = torch.randint(0, 4, (8, 2))

    def forward(self: Part, x: Tensor) -> dict[str, Tensor]:
        states = (self.body(x)[:, None] + self.query).relu()
        return {"logits": self.kind(states), "boxes": self.box(states).sigmoid()}

    def loss(outputs: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
        weight = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.1])
        kinds = F.cross_entropy(outputs["logits"].transpose(1, 2), targets["classes"], weight)
        there = targets["classes"] < 4
        found, truth = outputs["boxes"][there], targets["boxes"][there]
        far = F.l1_loss(found, truth, reduction="sum") / len(truth)
        ends = [box_convert(box, "cxcywh", "xyxy") for box in (found, truth)]
        return kinds + 5 * far + 2 * (1 - generalized_box_iou(*ends).diag()).sum() / len(truth)

    body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 32))
    model = Part(
        forward, body=body, query=nn.Parameter(torch.randn(6, 32)), kind=nn.Linear(32, 5), box=nn.Linear(32, 4)
    )
    return model, loss, pictures, {"classes": classes, "boxes": boxes}


@right(
    "RetinaNet's head: focal loss by the number of objects", "pytorch/vision torchvision/models/detection/retinanet.py"
)
def anchors():
    """Sigmoid scores of every anchor, bias for one in a hundred, the sum by the number of positives."""
    pictures, _ = scans(2)
    last = nn.Conv2d(16, 3, 3, padding=1)
    nn.init.normal_(last.weight, std=0.01)
    nn.init.constant_(last.bias, -math.log((1 - 0.01) / 0.01))
    model = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), last, nn.Flatten(2))
    bright = pictures.flatten(2) > pictures.flatten(2).flatten().quantile(0.97)

    def loss(scores: Tensor, truth: Tensor) -> Tensor:
        return sigmoid_focal_loss(scores, truth, 0.25, 2, "sum") / max(1, (truth > 0).any(1).sum())

    return model, loss, pictures, bright.float()
