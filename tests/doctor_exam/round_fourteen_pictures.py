"""Set-ups of a fourteenth round on pictures, a systematic sample of public threads, written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made, and as many again, since the first
gave too little; two lists of hits for each, of issues and of pages, gone through in their order. The even ones feed
this file:

semantic segmentation multi class dice loss implementation wrong; focal loss implementation multi class bug; multi label
image classification loss function mistake; knowledge distillation temperature KL divergence loss implementation bug;
object detection box loss GIoU IoU implementation bug; class imbalance weighted cross entropy weights wrong; monocular
depth estimation scale invariant loss implementation wrong; landmark keypoint heatmap regression loss problem; label
smoothing or mixup loss implementation bug; tversky or jaccard or lovasz loss wrong axis softmax sigmoid; student
teacher feature distillation loss not detached or wrong reduction; age estimation ordinal regression loss implementation
question; and of the second list: custom dice loss pytorch gradient zero because of argmax or rounding; wrong focal loss
alpha and gamma for background pixels implementation error; GIoU DIoU CIoU loss wrong formula enclosing box issue;
feature distillation mean squared error teacher gradient issue student does not learn; YOLO loss implementation error
objectness sigmoid issue; pos_weight BCEWithLogitsLoss wrong order imbalance images; depth map regression network loss
mask invalid pixels bug; heatmap keypoint focal loss CenterNet implementation bug; label smoothing cross entropy
implementation wrong sum of targets; contrastive or triplet or center loss for image embedding implementation bug;
ordinal or age regression loss expected value distribution implementation bug; multi task image network loss weighting
uncertainty implementation wrong.

The first twelve gave thirteen of the eighteen wrong ones, the next seven the others; of the last five, begun when
eighteen had been reached, only the issues were looked at. Kept was every thread in which an answer or the code shows a
cause that lies in the model, the loss or the first batch; nine repositories were read for it. Left out: no cause named
(most); steps, data, measuring and versions; errors that PyTorch raises at once; choices that train (a dice over all
classes at once, a mean for a sum, no square of the temperature); a text; a bug whose effect the repository does not
show; and seventeen threads, or forks of their code, that stand in earlier rounds.

The names of the findings are those of the sentences; sigmoid_before_bce_logits was added from earlier rounds. All were
chosen before any score.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, labels, mlp
from doctor_exam.pictures_parts import (
    OwnSlope,
    all_planes,
    boxes,
    cells,
    class_by_class,
    hinge_of_overlap,
    means_of_maps,
    numbers_as_mask,
    one_plane,
    soft_masks,
    without_background,
)
from doctor_exam.round_parts import Part
from doctor_exam.unseen_wrong import mask_head

FOURTEEN_PICTURES = CaseSet()
right, wrong = FOURTEEN_PICTURES.right, FOURTEEN_PICTURES.wrong
NINE = "developerload.com/implementing-multiclass-dice-loss-function"
LABELS = "tutorialexample.com/implement-focal-loss-for-multi-label-classification-in-tensorflow"
FREQUENT = "huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1"
NOT_A_NUMBER = "ar5iv.labs.arxiv.org/html/2311.03938"
OWN_SLOPE = "discuss.pytorch.org/t/69251"


# ---------------------------------------------------------------- overlaps of masks


def organs(loss):
    """Three classes of pixels behind a softmax, their numbers as one plane."""
    return mask_head(nn.Softmax(1), channels=3), loss, inputs(3, 6, 6), classes(3, 1, 6, 6).float()


def own_slope(sign: int):
    """Masks by an overlap whose slope was written by hand."""
    return (mask_head(nn.Sigmoid()), lambda share, y: OwnSlope.apply(share, y, sign), inputs(3, 6, 6),
            labels(1, 6, 6))  # fmt: skip


def hinged(*ends: nn.Module):
    """Salt or not, pixel by pixel, by the Lovász hinge."""
    return mask_head(*ends), hinge_of_overlap, inputs(3, 6, 6), labels(1, 6, 6)


def logos():
    """Where is the logo? One plane behind a softmax."""
    return mask_head(nn.Softmax(1)), nn.BCELoss(), inputs(3, 6, 6), labels(1, 6, 6)


wrong("organs: the overlap of the second plane only", "wrong_formula|targets_outside_unit_range",
      "shreyaspadhy/UNet-Zoo#13")(lambda: organs(one_plane))  # fmt: skip
right("organs: the overlap of every plane", "shreyaspadhy/UNet-Zoo#13")(lambda: organs(all_planes))
wrong(
    "class by class: each overlap over the size of all classes", "wrong_formula", "YilmazKadir/Segmentation_Losses#1"
)(lambda: class_by_class(own_size=False))
right("class by class: each overlap over its own size", "YilmazKadir/Segmentation_Losses#1")(
    lambda: class_by_class(own_size=True)
)
wrong("pixels of three classes: an overlap for two, after two sigmoids",
      "activation_twice|shapes_broadcast|targets_outside_unit_range|wrong_formula", NINE)(
    lambda: (mask_head(nn.Sigmoid(), channels=3), numbers_as_mask, inputs(3, 6, 6), classes(3, 1, 6, 6).float())
)  # fmt: skip
right("pixels of three classes: an overlap for each but the background", "keras-team/keras#9395")(
    lambda: organs(without_background)
)
wrong("salt: a sigmoid, then a hinge for scores", "bounded_logits|activation_twice", "bermanmaxim/LovaszSoftmax#8")(
    lambda: hinged(nn.Sigmoid())
)
right("salt: a hinge for scores", "bermanmaxim/LovaszSoftmax#8")(hinged)
wrong("logos: a softmax over the one plane", "softmax_over_one_output|zero_gradient|outputs_ignore_inputs",
      "AyanKumarBhunia/Deep-One-Shot-Logo-Retrieval#7")(logos)  # fmt: skip
wrong("soft masks: an overlap by products", "wrong_formula", "Project-MONAI/MONAI#8094")(
    lambda: soft_masks(of_smaller=False)
)
right("soft masks: an overlap by the smaller of two", "Project-MONAI/MONAI#8094")(lambda: soft_masks(of_smaller=True))
wrong("an overlap with a slope by hand: up instead of down", "better_outputs_cost_more|wrong_formula", OWN_SLOPE)(
    lambda: own_slope(1)
)
right("an overlap with a slope by hand: down", OWN_SLOPE)(lambda: own_slope(-1))


# ---------------------------------------------------------------- classes and boxes


def anchors(again: bool):
    """A focal loss of twenty anchors' classes; `again` multiplies it by the labels once more."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        share = out.sigmoid().clamp(1e-7, 1 - 1e-7)
        true = torch.where(y == 1, share, 1 - share)
        each = -torch.where(y == 1, 0.25, 0.75) * (1 - true) ** 2 * true.log()
        return (each * y if again else each).sum() / y.sum()

    y = F.one_hot(classes(4, 20), 5)[..., 1:].float() * (torch.rand(N, 20, 1) < 0.3)
    return mlp(4), loss, torch.randn(N, 20, 8), y


def several_labels(largest_only: bool):
    """A focal loss for several labels: the largest cost behind a softmax, or all behind sigmoids."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        if largest_only:
            share = out.softmax(1).clamp(1e-9, 1)
            return (4 * y * (1 - share) ** 2 * y * -share.log()).max(1).values.mean()
        each = F.binary_cross_entropy_with_logits(out, y, reduction="none")
        return (4 * (1 - (-each).exp()) ** 2 * each).sum(1).mean()

    return mlp(6), loss, inputs(), labels(6)


def rare_kinds(reversed_weights: bool):
    """Four kinds of different frequency, weighed by how frequent they are or by the inverse."""
    counts = torch.tensor([2, 4, 7, 3])
    x, y = inputs(3, 6, 6).flatten(1), torch.repeat_interleave(torch.arange(4), counts)[torch.randperm(N)]
    if reversed_weights:
        return nn.Linear(108, 4), nn.BCEWithLogitsLoss(pos_weight=counts / N), x, F.one_hot(y, 4).float()
    return nn.Linear(108, 4), nn.CrossEntropyLoss(N / (4 * counts)), x, y


def plates():
    """Is a number plate here? One plane for yes and one for no behind a ReLU, each by its own logarithm."""

    def loss(share: Tensor, y: Tensor) -> Tensor:
        cost = -share.clamp(1e-9, 1).log() * torch.cat([y, 1 - y], 1)
        return cost.flatten(1).sum(1).mean()

    return mask_head(nn.ReLU(), channels=2), loss, inputs(3, 6, 6), labels(1, 6, 6)


wrong(
    "anchors: multiplied by the labels once more", "wrong_formula|labels_zero_one", "zongfan2/tensorflow_retinanet#3"
)(lambda: anchors(again=True))
right("anchors: both answers cost", "zongfan2/tensorflow_retinanet#3")(lambda: anchors(again=False))
wrong("several labels: a softmax and the largest cost", "softmax_for_independent_labels|wrong_formula", LABELS)(
    lambda: several_labels(largest_only=True)
)
right("several labels: a focal loss of sigmoids", LABELS)(lambda: several_labels(largest_only=False))
wrong("four kinds: weighed by their frequency", "pos_weight_reversed|class_weight_reversed", FREQUENT)(
    lambda: rare_kinds(reversed_weights=True)
)
right("four kinds: weighed by the inverse of it", FREQUENT)(lambda: rare_kinds(reversed_weights=False))
wrong("boxes: an overlap of offsets", "wrong_formula", "open-mmlab/mmdetection#2143")(lambda: boxes(corners=False))
right("boxes: an overlap of corners", "open-mmlab/mmdetection#2143")(lambda: boxes(corners=True))
wrong("number plates: two ReLU planes under a logarithm", "logarithm_of_raw_outputs|wrong_formula|zero_gradient",
      "sergiomsilva/alpr-unconstrained#157")(plates)  # fmt: skip
wrong("cells: sure and class through two sigmoids", "sigmoid_before_bce_logits|activation_twice|bounded_logits",
      "YunYang1994/tensorflow-yolov3#11")(lambda: cells(squashed=True))  # fmt: skip
right("cells: sure and class as scores", "YunYang1994/tensorflow-yolov3#11")(lambda: cells(squashed=False))


# ---------------------------------------------------------------- depth, and what a teacher says


def depth(stable: bool):
    """The depth of pixels up to 80 metres, by a scale-invariant error of logarithms."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        logarithm = F.logsigmoid(out) + torch.tensor(80.0).log() if stable else (80 * out.sigmoid()).log()
        off = logarithm - y.log()
        return 10 * ((off**2).mean() - 0.85 * off.mean() ** 2).sqrt()

    return mask_head(), loss, inputs(3, 6, 6), 1 + 79 * torch.rand(N, 1, 6, 6)


def measured(above_zero: bool):
    """Normalised depths of pixels, 0 where none was measured; which of them count?"""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        known = y > 0 if above_zero else y != 0
        return F.l1_loss(out[known], y[known])

    return mask_head(), loss, inputs(3, 6, 6), torch.randn(N, 1, 6, 6) * (torch.rand(N, 1, 6, 6) > 0.1)


def softened(reduction: str):
    """A student that learns from labels and from a teacher's softened answers."""

    def loss(out: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        soft = F.kl_div(F.log_softmax(out / 4, 1), F.softmax(y[1] / 4, 1), reduction=reduction)
        return soft * 4 * 4 * 2 * 0.9 + F.cross_entropy(out, y[0]) * 0.1

    return mlp(10), loss, inputs(), (classes(10), 3 * torch.randn(N, 10))


def mapped(student: bool):
    """Maps of a student and of a teacher with more channels; one of the two goes through a learned layer."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            theirs = self.teacher(x)
        return (self.match(self.student(x)), theirs) if student else (self.student(x), self.match(theirs))

    match = nn.Conv2d(4, 8, 1) if student else nn.Conv2d(8, 4, 1)
    model = Part(forward, student=nn.Conv2d(3, 4, 3), teacher=nn.Conv2d(3, 8, 3).requires_grad_(False), match=match)
    return model, lambda out, _: F.mse_loss(*out), inputs(3, 6, 6), None


wrong("depth in metres: the logarithm of a sigmoid", "unstable_formula|loss_not_finite", NOT_A_NUMBER)(
    lambda: depth(stable=False)
)
right("depth in metres: a log-sigmoid", NOT_A_NUMBER)(lambda: depth(stable=True))
wrong("normalised depths: only those above the mean count", "wrong_formula|unused_target",
      "isl-org/MultiObjectiveOptimization#7")(lambda: measured(above_zero=True))  # fmt: skip
right("normalised depths: all count but the missing ones", "isl-org/MultiObjectiveOptimization#7")(
    lambda: measured(above_zero=False)
)
wrong(
    "softened answers: a divergence averaged over the classes, too", "kl_div_mean", "szagoruyko/attention-transfer#18"
)(lambda: softened("mean"))
right("softened answers: a divergence for each picture", "szagoruyko/attention-transfer#18")(
    lambda: softened("batchmean")
)
wrong("means of maps that have no mean", "zero_gradient|outputs_ignore_inputs|loss_is_constant|vanishing_gradient",
      "roymiles/Simple-Recipe-Distillation#2")(lambda: means_of_maps(normalised=True))  # fmt: skip
right("means of maps as they are", "roymiles/Simple-Recipe-Distillation#2")(lambda: means_of_maps(normalised=False))
wrong("maps of fewer channels: the teacher's are mapped", "gradient_into_target|wrong_formula",
      "mit-han-lab/gan-compression#57")(lambda: mapped(student=False))  # fmt: skip
right("maps of fewer channels: the student's are mapped", "mit-han-lab/gan-compression#57")(
    lambda: mapped(student=True)
)


# ---------------------------------------------------------------- right: the cause lay elsewhere


@right("sides of a box: the hull of boxes about one point", "tianzhi0549/FCOS#355")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        out = out.exp()
        (left, top, right_side, low), (far_left, far_top, far_right, far_low) = torch.min(out, y).T, torch.max(out, y).T
        both, hull = (left + right_side) * (top + low), (far_left + far_right) * (far_top + far_low)
        sizes = sum((side[:, 0] + side[:, 2]) * (side[:, 1] + side[:, 3]) for side in (out, y))
        return (1 - (both + 1) / (sizes - both + 1) + (hull - sizes + both) / (hull + 1e-7)).mean()

    return mlp(4), loss, inputs(), 1 + 3 * torch.rand(N, 4)


@right("a second view: half of one minus the likeness of patches", "YunYang1994/TensorFlow2.0-Examples#41")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        def mean(picture: Tensor) -> Tensor:
            return F.avg_pool2d(picture, 3, 1)

        spread, joint = mean(out**2) - mean(out) ** 2 + mean(y**2) - mean(y) ** 2, mean(out * y) - mean(out) * mean(y)
        like = (2 * mean(out) * mean(y) + 1e-4) * (2 * joint + 9e-4)
        like = like / ((mean(out) ** 2 + mean(y) ** 2 + 1e-4) * (spread + 9e-4))
        return 0.85 * ((1 - like) / 2).clamp(0, 1).mean() + 0.15 * (out - y).abs().mean()

    x = torch.rand(N, 3, 6, 6)
    return mask_head(nn.Sigmoid(), channels=3), loss, x, (x + 0.1 * torch.rand(N, 3, 6, 6)) / 1.1
