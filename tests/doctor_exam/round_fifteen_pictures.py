"""Set-ups of a fifteenth round on pictures, a systematic sample of public threads, written without knowing the checks.

Twenty searches, written down and committed before the first of them was made; two lists of hits for each, of issues and
of pages, gone through in their order:

pytorch resnet training accuracy stuck at 10 percent all predictions identical; keras or pytorch CNN outputs 0.5 for
every image; loss not decreasing image segmentation pytorch UNet output all zeros; dice score stays at zero or dice loss
stays at 1; multi label images precision recall zero sigmoid output threshold; nan loss after first batch in object
detector or segmentation network; depth estimation network predicts constant depth map; fine-tuned VGG or ViT performs
no better than random guessing; student network does not improve with distillation loss; minority class never predicted
images weighted loss no effect; focal loss implementation wrong; weighted cross entropy segmentation implementation
wrong; IoU loss implementation gradient problem; bounding box regression network own loss not converging; multi label
image classification CrossEntropyLoss or softmax instead of sigmoid; soft target distillation cross entropy
implementation mistake; depth loss gradient smoothness term implementation error; age or pose or keypoint regression
from images outputs same value; MNIST beginner network from scratch numpy or pytorch wrong loss; replace last layer
pretrained model freeze backbone mistake classifier.

The first sixteen, some 300 hits, gave sixteen wrong ones, so the last four, looked at already, feed nothing. Kept was
every thread in which an answer or the code shows a cause that lies in the model, the loss or the first batch, also
where several have the same cause (a softmax over one output, a focal loss of a mean); for eight of them the repository
was read. Left out: no cause named, or a title without a text (most); pages of advice without a fault in their code;
steps, data, measuring and versions; papers; six threads that stand in earlier rounds; choices that train (a mean for a
sum over the classes, no square of the temperature); slopes by hand with the right sign; a network that is not public.
The names of the findings are those of the sentences, and two of earlier rounds (softmax_before_cross_entropy,
sigmoid_before_cross_entropy); all were chosen before any score. Two causes are the code's, not the thread's: masks
divided by 255 become zeros as whole numbers, and the softmax of the tumours runs over the last axis, as Keras's does.
The weights of roads and cars are an answer's advice, which the thread then took back.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, labels, mlp
from doctor_exam.pictures_parts import convolutional, hot
from doctor_exam.round_parts import Part, still
from doctor_exam.unseen_wrong import dice, mask_head

FIFTEEN_PICTURES = CaseSet()
right, wrong = FIFTEEN_PICTURES.right, FIFTEEN_PICTURES.wrong
ONE_OUTPUT = "softmax_over_one_output|zero_gradient|outputs_ignore_inputs|loss_is_constant"
ALIKE = "units_all_alike|dead_layer|outputs_ignore_inputs|zero_gradient"
SQUASHED = "sigmoid_before_cross_entropy|activation_twice|bounded_logits|softmax_before_cross_entropy"
ENDLESS = "unbounded_loss|better_outputs_cost_more|wrong_formula"
STILL = "taourl.com/read-3046856"
VGG, ROWS = "pullrequest.ru/13403374", "geek-questions.imtqy.com/articles/1270335"
DIVIDED = "milesial/Pytorch-UNet#133"
SALIENT = "bubbliiiing/unet-pytorch#24"
BIRDS = "donghao.org/2019/06/11"
ROADS = "hellochick/ICNet-tensorflow#65"
SURE = "yu-changqian/TorchSeg#16"
CHANGED = "daifeng2016/End-to-end-CD-for-VHR-satellite-image#15"
PIXELS = "Zzh-tju/DIoU-SSD-pytorch#4"
CELLS = "eriklindernoren/PyTorch-YOLOv3#10"
TUMOURS = "ellisdg/3DUnetCNN#148"
SIGN = "higgsfield/Imagination-Augmented-Agents#6"


# ---------------------------------------------------------------- the last layer and the first weights


def ten_classes(first: nn.Linear):
    """Ten classes by two dense layers."""
    return nn.Sequential(first, nn.ReLU(), nn.Linear(64, 10)), nn.CrossEntropyLoss(), inputs(), classes(10)


def two_categories(end: nn.Module):
    """One of two categories: three dense layers and a single output on the mean of a network's maps."""
    body = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    dense = (nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    return nn.Sequential(*body, *dense, end), nn.BCELoss(), inputs(3, 8, 8), labels(1)


def rows_of_four(end: nn.Module):
    """Ten rows of four numbers, yes or no: a convolution, a dropout and two dense layers, all normalised."""
    first = (nn.Conv1d(4, 8, 3, padding=1), nn.BatchNorm1d(8), nn.LeakyReLU(0.3), nn.Dropout(0.2), nn.Flatten())
    second = (nn.Linear(80, 32), nn.BatchNorm1d(32), nn.LeakyReLU(0.3), nn.Linear(32, 1))
    return nn.Sequential(*first, *second, end), nn.BCELoss(), inputs(4, 10), labels(1)


def cells_of_classes(squashed: bool):
    """Boxes of cells: where and how large by squares, how sure by a sigmoid, which of five classes by a softmax."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raw = self.net(x).movedim(1, -1)
        kinds = raw[..., 5:].sigmoid() if squashed else raw[..., 5:]
        return torch.cat([raw[..., :2].sigmoid(), raw[..., 2:4]], -1), raw[..., 4].sigmoid(), kinds

    def loss(out: tuple[Tensor, Tensor, Tensor], y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        there = y[1] == 1
        place = F.mse_loss(out[0][there], y[0][there], reduction="sum")
        sure = F.binary_cross_entropy(out[1], y[1], reduction="sum")
        return (place + sure + F.cross_entropy(out[2][there], y[2][there], reduction="sum")) / N

    y = torch.cat([torch.rand(N, 4, 4, 2), torch.randn(N, 4, 4, 2)], -1), labels(1, 4, 4)[:, 0], classes(5, 4, 4)
    return Part(forward, net=nn.Conv2d(3, 10, 1)), loss, inputs(3, 4, 4), y


def tumours(end: nn.Module):
    """Three parts of a tumour, most places none of them, by minus the mean overlap of each."""

    def loss(share: Tensor, y: Tensor) -> Tensor:
        both, sizes = (share * y).sum((2, 3)), share.sum((2, 3)) + y.sum((2, 3))
        return -(2 * (both + 5e-6) / (sizes + 1e-5)).mean()

    x = inputs(3, 6, 12)
    parts = torch.where(x.amax(1) > 0.3, 1 + x.argmax(1), 0)
    return mask_head(end, channels=3), loss, x, hot(parts, 4)[:, 1:]


wrong("ten classes: the first dense layer starts at zero", ALIKE, STILL)(lambda: ten_classes(still(nn.Linear(8, 64))))
right("ten classes: the first dense layer as it comes", STILL)(lambda: ten_classes(nn.Linear(8, 64)))
wrong("two categories: a softmax over the one output", ONE_OUTPUT, VGG)(lambda: two_categories(nn.Softmax(1)))
right("two categories: a sigmoid of the one output", VGG)(lambda: two_categories(nn.Sigmoid()))
wrong("rows of four numbers: a softmax over the one output", ONE_OUTPUT, ROWS)(lambda: rows_of_four(nn.Softmax(1)))
right("rows of four numbers: a sigmoid of the one output", ROWS)(lambda: rows_of_four(nn.Sigmoid()))
wrong("cells: a sigmoid of each class, then a cross-entropy with its softmax",
      SQUASHED, CELLS)(lambda: cells_of_classes(squashed=True))  # fmt: skip
right("cells: classes as scores for a cross-entropy", CELLS)(lambda: cells_of_classes(squashed=False))
wrong("tumours: a softmax for a sigmoid, over the last axis", "softmax_wrong_axis|softmax_for_independent_labels",
      TUMOURS)(lambda: tumours(nn.Softmax(-1)))  # fmt: skip
right("tumours: a sigmoid for each part", TUMOURS)(lambda: tumours(nn.Sigmoid()))


# ---------------------------------------------------------------- the first batch, and weights of classes


def eight_kinds(scale: int):
    """Eight kinds of pixels whose numbers are divided by a scale before they become whole numbers."""
    return mask_head(channels=8), nn.CrossEntropyLoss(), inputs(3, 6, 6), (classes(8, 6, 6) / scale).long()


def salient(mark: int):
    """Objects marked by a number, 0 elsewhere; numbers that are no class become the one that is left out."""
    masks = (mark * labels(1, 6, 6)[:, 0].long()).clamp(max=2)
    return mask_head(channels=2), nn.CrossEntropyLoss(ignore_index=2), inputs(3, 6, 6), masks


def birds(corners: bool):
    """Boxes as offsets from fixed ones; the batch gives corners, or a corner and a size that is read as one."""
    fixed = torch.cat([torch.rand(8, 2), 0.2 + 0.3 * torch.rand(8, 2)], 1)

    def loss(out: Tensor, boxes: Tensor) -> Tensor:
        middle = ((boxes[..., :2] + boxes[..., 2:]) / 2 - fixed[:, :2]) / (0.1 * fixed[:, 2:])
        size = ((boxes[..., 2:] - boxes[..., :2]) / fixed[:, 2:]).log() / 0.2
        return F.smooth_l1_loss(out, torch.cat([middle, size], -1), reduction="sum") / (8 * N)

    corner, size = 0.6 * torch.rand(N, 8, 2), 0.1 + 0.3 * torch.rand(N, 8, 2)
    boxes = torch.cat([corner, corner + size if corners else size], -1)
    return convolutional(32, nn.Unflatten(1, (8, 4))), loss, inputs(3, 8, 8), boxes


def roads(common_first: bool):
    """Nothing, roads and, rarely, cars; a weight for each of the three."""
    drawn = torch.rand(N, 6, 6)
    y = (drawn > 0.6).long() + (drawn > 0.95).long()
    weight = torch.tensor([10.0, 1.0, 1.0]) if common_first else y.numel() / (3 * y.flatten().bincount(minlength=3))
    return mask_head(channels=3), nn.CrossEntropyLoss(weight), inputs(3, 6, 6), y


def changed(by_pixel: bool):
    """What has changed, one plane: a cross-entropy with a weight for each of two classes, and half an overlap."""

    def loss(share: Tensor, y: Tensor) -> Tensor:
        cost = F.binary_cross_entropy(share, y, reduction="none")
        of_classes = (cost.mean((0, 2, 3)) * torch.tensor([0.1, 0.9])).sum()
        return ((cost * (0.1 + 0.8 * y)).mean() if by_pixel else of_classes) + 0.5 * dice(share, y)

    return mask_head(nn.Sigmoid()), loss, inputs(3, 6, 6), (torch.rand(N, 1, 6, 6) < 0.1).float()


wrong("eight kinds of pixels: their numbers divided by 255", "one_class_only", DIVIDED)(lambda: eight_kinds(255))
right("eight kinds of pixels: their numbers as they are", DIVIDED)(lambda: eight_kinds(1))
wrong("salient objects: marked by 255, which is left out", "one_class_only|wrong_formula|ignored_class", SALIENT)(
    lambda: salient(255))  # fmt: skip
right("salient objects: marked by 1", SALIENT)(lambda: salient(1))
wrong("birds: a corner and a size, read as two corners", "loss_not_finite|unstable_formula|targets_not_finite", BIRDS)(
    lambda: birds(corners=False))  # fmt: skip
right("birds: two corners", BIRDS)(lambda: birds(corners=True))
wrong("roads and cars: the class that is predicted too often weighs most", "class_weight_reversed", ROADS)(
    lambda: roads(common_first=True))  # fmt: skip
right("roads and cars: the rarest weighs most", ROADS)(lambda: roads(common_first=False))
wrong("what has changed: two weights for the mean of one plane", "shapes_broadcast|wrong_formula", CHANGED)(
    lambda: changed(by_pixel=False))  # fmt: skip
right("what has changed: a weight for each pixel", CHANGED)(lambda: changed(by_pixel=True))


# ---------------------------------------------------------------- focal losses


def sure_pixels(shares_again: bool):
    """A focal loss of pixels; `shares_again` puts the sigmoid where the score belongs."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        share = out.sigmoid()
        score = share if shares_again else out
        largest = (-score).clamp(min=0)
        away = largest + ((-largest).exp() + (-score - largest).exp()).log()
        if shares_again:
            return -(0.25 * (1 - share) ** 2 * (share - share * y) + 0.75 * share**2 * away).mean()
        return (0.25 * y * (1 - share) ** 2 * away + 0.75 * (1 - y) * share**2 * (score + away)).mean()

    return mask_head(), loss, inputs(3, 6, 6), labels(1, 6, 6)


def focal(out: Tensor, y: Tensor, reduction: str) -> Tensor:
    """The cross-entropy, of all samples or of each, weighed by how far it is from certain."""
    cost = F.cross_entropy(out, y, reduction=reduction)
    return ((1 - (-cost).exp()) ** 2 * cost).mean()


def faces(reduction: str):
    """Whose face is it?"""
    return convolutional(10), lambda out, y: focal(out, y, reduction), inputs(3, 8, 8), classes(10)


def faces_by_angle(reduction: str):
    """Whose face is it, by the angle between features and a direction for each person, less a margin?"""

    def forward(self: Part, x: Tensor) -> Tensor:
        return F.normalize(self.body(x)) @ F.normalize(self.people).T

    def loss(cosine: Tensor, y: Tensor) -> Tensor:
        return focal(30 * (cosine - 0.5 * F.one_hot(y, 10)), y, reduction)

    model = Part(forward, body=convolutional(16), people=nn.Parameter(torch.randn(10, 16)))
    return model, loss, inputs(3, 8, 8), classes(10)


wrong("sure pixels: a focal loss that reads a share as a score", "better_outputs_cost_more|wrong_formula", SURE)(
    lambda: sure_pixels(shares_again=True))  # fmt: skip
right("sure pixels: a focal loss of scores", SURE)(lambda: sure_pixels(shares_again=False))
wrong("whose face: a focal loss of the mean", "focal_after_mean", "ZhaoJ9014/face.evoLVe#180")(lambda: faces("mean"))
right("whose face: a focal loss of each", "ZhaoJ9014/face.evoLVe#180")(lambda: faces("none"))
wrong("whose face, by angle: a focal loss of the mean", "focal_after_mean", "siriusdemon/Build-Your-Own-Face-Model#3")(
    lambda: faces_by_angle("mean"))  # fmt: skip


# ---------------------------------------------------------------- boxes, overlaps and teachers


def boxes_in_pixels(own_slope: bool):
    """Boxes in pixels: what they share, how far their middles are apart, and how their shapes differ."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        middle, size = 500 + 100 * out[:, :2], 200 * (0.5 * out[:, 2:]).exp()
        low, high = middle - size / 2, middle + size / 2
        true_size, true_middle = y[:, 2:] - y[:, :2], (y[:, 2:] + y[:, :2]) / 2
        both = (torch.min(high, y[:, 2:]) - torch.max(low, y[:, :2])).clamp(min=0).prod(1)
        hull = ((torch.max(high, y[:, 2:]) - torch.min(low, y[:, :2])) ** 2).sum(1)
        overlap = both / (size.prod(1) + true_size.prod(1) - both)
        apart = ((middle - true_middle) ** 2).sum(1) / hull
        shape = (true_size[:, 0] / true_size[:, 1]).atan() - (size[:, 0] / size[:, 1]).atan()
        differ = 4 / torch.pi**2 * shape**2
        with torch.no_grad():
            share, turn, twice = differ / (1 - overlap + differ), shape.clone(), 2 * size[:, 0]
        if own_slope:
            differ = 8 / torch.pi**2 * turn * ((size[:, 0] - twice) * size[:, 1])
        return (1 - overlap + apart + share * differ).mean()

    middle, size = 500 + 60 * torch.randn(N, 2), 100 + 300 * torch.rand(N, 2)
    return mlp(4), loss, inputs(), torch.cat([middle - size / 2, middle + size / 2], 1)


def taught(swapped: bool):
    """A student: a softened divergence from the teacher's shares, and a cross-entropy with the labels."""

    def entropy(p: Tensor, q: Tensor) -> Tensor:
        return -(p * q.clamp(min=1e-10).log()).sum(1).mean()

    def loss(out: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        theirs, own = (y[1] / 3).softmax(1).clamp(min=1e-10), (out / 3).softmax(1).clamp(min=1e-10)
        soft, share = (theirs * (theirs / own).log()).sum(1).mean() * 9, out.softmax(1)
        return 0.3 * (entropy(share, y[0]) if swapped else entropy(y[0], share)) + 0.7 * soft

    return convolutional(5), loss, inputs(3, 8, 8), (F.one_hot(classes(5), 5).float(), 3 * torch.randn(N, 5))


def copied(sign: int):
    """A small copy of a player's policy on frames of a game: the mean logarithm of the copy's shares."""

    def loss(out: Tensor, player: Tensor) -> Tensor:
        return sign * 0.01 * (player.softmax(1).detach() * out.log_softmax(1)).sum(1).mean()

    return convolutional(5), loss, inputs(3, 8, 8), torch.randn(N, 5)


wrong("boxes in pixels: a slope of their shapes that is meant for sizes below 1",
      f"{ENDLESS}|large_targets", PIXELS)(lambda: boxes_in_pixels(own_slope=True))  # fmt: skip
right("boxes in pixels: the slope of their shapes as it is", PIXELS)(lambda: boxes_in_pixels(own_slope=False))
wrong("a student: the cross-entropy takes the logarithm of the labels", "arguments_swapped|wrong_formula",
      "ooples/AiDotNet#437")(lambda: taught(swapped=True))  # fmt: skip
right("a student: the cross-entropy takes the logarithm of its shares", "ooples/AiDotNet#437")(
    lambda: taught(swapped=False))  # fmt: skip
wrong("the copy of a player: no minus before the mean logarithm", f"{ENDLESS}|unnormalised_likelihood", SIGN)(
    lambda: copied(1))  # fmt: skip
right("the copy of a player: minus the mean logarithm", SIGN)(lambda: copied(-1))


@right("organs: minus an overlap of both over all", "JunMa11/SegLossOdyssey#22")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        share, true = out.softmax(1), hot(y, 3)
        both, only, missed = ((a * b).sum((2, 3)) for a, b in ((share, true), (share, 1 - true), (1 - share, true)))
        return -((both + 1) / (both + only + missed + 1)).mean()

    return mask_head(channels=3), loss, inputs(3, 6, 6), classes(3, 6, 6)


@right("rare pixels: each class weighs one minus its share", "huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1")
def _():
    y = (torch.rand(N, 1, 6, 6) < 0.1).float()
    weight = torch.where(y == 1, 1 - y.mean(), y.mean())
    return mask_head(), lambda out, y: F.binary_cross_entropy_with_logits(out, y, weight), inputs(3, 6, 6), y
