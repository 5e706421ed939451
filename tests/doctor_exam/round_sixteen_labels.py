"""Set-ups of the sixteenth round (yes and no, many labels, rare classes, masks), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
issues and of pages, gone through in their order:

binary classifier pytorch always predicts 0 loss stuck at 0.693; unet segmentation predicts all black mask output all
zeros; multi label classification model predicts the same labels for every image; dice loss negative value
segmentation training; dice loss does not decrease stays constant 1; focal loss implementation gives nan; my focal loss
implementation does not work worse than cross entropy; iou loss not differentiable does not train custom loss; bce loss
negative values unet mask 255; multi label bce loss goes down but everything predicted zero pos_weight; class weights
cross entropy makes imbalanced worse predicts only the rare class; heatmap keypoint regression network outputs all
zeros mse; heatmap focal loss centernet loss nan or negative; semantic segmentation loss does not fall softmax before
crossentropyloss; segmentation ignore index 255 loss nan or wrong; binary classification accuracy 50% sigmoid output
shape [N,1] target [N]; multi label with softmax predicts only one label; object detection confidence loss all
predictions background no object; dice loss multi class one hot wrong dimension bug; tversky loss or focal tversky
implementation wrong; weighted binary cross entropy custom loss pytorch wrong; asymmetric loss or class balanced loss
implementation bug multi-label; lovasz loss or boundary loss logits sigmoid not training; siamese change detection or
crack segmentation network output all ones loss constant.

The first nine gave all that was wanted, in order; the other fifteen were left. Focal losses are many among them because
the hits of two searches were kept as they came. For most the repository and its history were read, and each is written
as it stood when the thread was opened; two slips of one history are two set-ups. Where a thread's own repair leaves
surely wrong samples without a say, or may give NaN (edges, faces), the usual clamp stands in its place.

Left out of some hundred and seventy-five hits: no cause named, the text ending before one, or a title alone (most);
pages of advice and papers; other subjects; pictures shown or measured otherwise (about ten); questions why a loss is
minus the overlap, where nothing was wrong (eight, of which one is a right one here); a step too large (two); a guess
(two); errors that PyTorch raises at once (four, of which three are masks up to 255 with BCELoss); no harm that could
be shown (one); and three threads that stand in earlier rounds. The names of the findings are those of the sentences,
chosen before any score.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part
from doctor_exam.round_sixteen_labels_parts import (
    CaffeFocal,
    N,
    ToolBoxFocal,
    UNet,
    anchors,
    box_losses,
    class_head,
    focal_of,
    focal_v2,
    kinds,
    net,
    peaks,
    rectangles,
    squares,
    tracked,
    yes_or_no,
)

SIXTEEN_LABELS = CaseSet()
right, wrong = SIXTEEN_LABELS.right, SIXTEEN_LABELS.wrong
KERAS = "mkocabas/focal-loss-keras"
UNSTABLE = "unstable_formula|loss_not_finite|gradient_not_finite"
EDGE = "gradient_not_finite|unstable_formula"
REVERSED = "better_outputs_cost_more|wrong_formula"


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def combo(mended: bool):
    """A cross-entropy and a Dice coefficient together, of a mask."""
    ce_w, ce_d_w, e, smooth = 0.5, 0.5, 1e-7, 1

    def loss(y_pred: Tensor, y_true: Tensor) -> Tensor:
        y_true_f, y_pred_f = y_true.flatten(), y_pred.flatten()
        d = (2.0 * (y_true_f * y_pred_f).sum() + smooth) / (y_true_f.sum() + y_pred_f.sum() + smooth)
        y_pred_f = y_pred_f.clip(e, 1.0 - e)
        if mended:
            out = -(ce_w * y_true_f * y_pred_f.log() + (1 - ce_w) * (1.0 - y_true_f) * (1.0 - y_pred_f).log())
            return ce_d_w * out.mean() - (1 - ce_d_w) * d
        out = -(ce_w * y_true_f * y_pred_f.log()) + ((1 - ce_w) * (1.0 - y_true_f) * (1.0 - y_pred_f).log())
        return ce_d_w * out.mean() - (1 - ce_d_w) * (1 - d)

    return UNet(1), loss, *squares()


def dice_binary(taken_from_one: bool):
    """An overlap with a beta, of the second of two channels."""

    def dice_loss_binary(outputs: Tensor, target: Tensor, beta: float = 1, w: float = 1.0) -> Tensor:
        iflat, tflat = outputs.contiguous().float().view(-1), target.contiguous().float().view(-1)
        intersection = (iflat * tflat * w).sum()
        score = (((1 + beta**2) * intersection) + 1.0) / (((beta**2 * (w * iflat).sum()) + (w * tflat).sum()) + 1.0)
        return 1.0 - score if taken_from_one else score

    images, masks = squares()
    return UNet(2, lambda x: F.softmax(x, 1)[:, 1]), dice_loss_binary, images, masks[:, 0].long()


def constant_dice(softened: bool):
    """Ten classes of pictures by a network that ends in a softmax or not."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv(x))).flatten(1)
        x = self.fc2(F.relu(self.fc1(x)))
        return x if softened else F.softmax(x, dim=1)

    y = torch.arange(N) % 10
    layers = {"conv": nn.Conv2d(1, 6, 3), "pool": nn.MaxPool2d(2), "fc1": nn.Linear(54, 32), "fc2": nn.Linear(32, 10)}
    return Part(forward, **layers), nn.CrossEntropyLoss(), torch.randn(10, 1, 8, 8)[y] + torch.randn(N, 1, 8, 8) / 2, y


def edges(clamped: bool):
    """Whether an edge of a graph is a true one: a focal loss of probabilities."""

    def binary_focal_loss(inpt: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
        pos_weight = torch.ones(inpt.shape[-1])
        probs_pos = inpt.clamp(1e-6, 1 - 1e-6) if clamped else inpt
        probs_neg = 1 - probs_pos
        pos_term = -alpha * pos_weight * probs_neg.pow(gamma) * target * probs_pos.log()
        neg_term = -(1 - alpha) * probs_pos.pow(gamma) * (1.0 - target) * probs_neg.log()
        return torch.mean(pos_term + neg_term)

    return net(1, lambda x: torch.sigmoid(x).squeeze(-1)), binary_focal_loss, *yes_or_no()


def long_tail(lifted: bool):
    """Classes of different size, a focal loss with a gamma of one half."""

    def focal_loss(input_values: Tensor, gamma: float) -> Tensor:
        p = torch.exp(-input_values)
        loss = (1 - p + (1e-6 if lifted else 0)) ** gamma * input_values
        return loss.mean()

    return net(3), lambda out, y: focal_loss(F.cross_entropy(out, y, reduction="none"), 0.5), *kinds(24, 15, 9)


def rare_yes(mended: bool):
    """Few yes among many no: a focal loss of a sigmoid."""

    def focal_loss_sigmoid(logits: Tensor, labels: Tensor, alpha: float = 0.25, gamma: float = 2) -> Tensor:
        y_pred = torch.sigmoid(logits)
        if mended:
            each = -labels * (1 - alpha) * ((1 - y_pred) ** gamma) * torch.log(torch.clip(y_pred, 1e-8, 1.0)) - (
                1 - labels
            ) * alpha * (y_pred**gamma) * torch.log(torch.clip(1.0 - y_pred, 1e-8, 1.0))
        else:
            each = -labels * (1 - alpha) * ((1 - y_pred) * gamma) * torch.log(y_pred) - (1 - labels) * alpha * (
                y_pred**gamma
            ) * torch.log(1 - y_pred)
        return each.mean()

    return net(1, lambda x: x[:, 0]), focal_loss_sigmoid, *yes_or_no(0.3)


def layer_of_its_own(fixed: bool):
    """Five classes by a focal loss whose slopes are written by hand."""
    return net(5), lambda out, y: CaffeFocal.apply(out, y, fixed), *kinds(10, 10, 10, 9, 9)


def five_kinds(softened: bool):
    """Five classes of pixels; the loss takes what it gets for probabilities."""
    y = torch.randint(0, 5, (12, 8, 8))
    y[torch.rand(12, 8, 8) < 0.3] = 2
    x = torch.rand(12, 16, 8, 8) + F.one_hot(y, 16).permute(0, 3, 1, 2)
    model2d = nn.Conv2d(16, 5, 3, padding=1)
    model = Part(lambda self, x: F.softmax(self.conv(x), dim=1) if softened else self.conv(x), conv=model2d)
    return model, ToolBoxFocal(num_class=5, alpha=0.25, gamma=2.0, balance_index=2), x, y


def keras_focal(alpha: float, eps: float = 0.0):
    """A focal loss of two masked copies of the probabilities."""

    def focal_loss_fixed(y_pred: Tensor, y_true: Tensor, gamma: float = 2.0) -> Tensor:
        pt_1 = torch.where(torch.eq(y_true, 1), y_pred, torch.ones_like(y_pred))
        pt_0 = torch.where(torch.eq(y_true, 0), y_pred, torch.zeros_like(y_pred))
        yes = torch.mean(alpha * torch.pow(1.0 - pt_1, gamma) * torch.log(pt_1 + eps))
        return -yes - torch.mean((1 - alpha) * torch.pow(pt_0, gamma) * torch.log(1.0 - pt_0 + eps))

    return net(1, lambda x: torch.sigmoid(x)[:, 0]), focal_loss_fixed, *yes_or_no()


def saturated(in_logarithms: bool):
    """A focal loss of logits with a gamma of one half."""

    def sigmoid_focal_loss(logits: Tensor, labels: Tensor, gamma: float = 0.5) -> Tensor:
        ce_loss = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        if in_logarithms:
            log_p, log_q = F.logsigmoid(logits), F.logsigmoid(-logits)
            return (ce_loss * torch.exp(gamma * (log_q * labels + log_p * (1 - labels)))).mean()
        p = torch.sigmoid(logits)
        p_t = p * labels + (1 - p) * (1 - labels)
        return (ce_loss * (1 - p_t) ** gamma).mean()

    return net(1, lambda x: x[:, 0]), sigmoid_focal_loss, *yes_or_no()


def stops(in_logarithms: bool):
    """The next word, and whether it is the end: a charge for an end where there is none, and for the reverse."""

    def loss(logits: Tensor, words: Tensor) -> Tensor:
        ce, last, end = F.cross_entropy(logits.transpose(1, 2), words), logits[:, -1], words[:, -1] == 0
        if in_logarithms:
            whole = last.logsumexp(-1)
            pos, neg = whole - last[:, 1:].logsumexp(-1), whole - last[:, 0]
        else:
            eos = F.softmax(last, dim=-1)[:, 0]
            pos, neg = -torch.log(1 - eos), -torch.log(eos)
        return ce + 0.5 * pos[~end].mean() + 0.5 * neg[end].mean()

    model = Part(lambda self, words: self.out(self.gru(self.embed(words))[0]), embed=nn.Embedding(12, 16),
                 gru=nn.GRU(16, 32, batch_first=True), out=nn.Linear(32, 12))  # fmt: skip
    words = 1 + (torch.randint(0, 11, (N, 1)) + torch.arange(7)) % 11
    words[words[:, 0] % 2 == 0, -1] = 0
    return model, loss, words[:, :-1], words[:, 1:]


def faces(sigmoid: bool):
    """Faces in boxes by a focal loss, where the head gives logarithms or probabilities."""
    head, low = class_head(nn.Sigmoid() if sigmoid else nn.LogSoftmax(dim=-1)), 1e-4
    return head, lambda out, y: box_losses(out.clamp(low, 1 - low) if sigmoid else out, y, True), *anchors()


def carvana(scaled: bool):
    """A mask as a picture file gives it, from 0 to 255, or from 0 to 1."""
    imgs, true_masks = squares()
    return UNet(1, lambda logits: logits), nn.BCEWithLogitsLoss(), imgs, true_masks if scaled else true_masks * 255


@right("a mask: an overlap of each picture, without squares", "MichaelFan01/STDC-Seg#43")
def overlap_of_each():
    """The usual overlap, picture by picture."""

    def dice_loss_func(input: Tensor, target: Tensor) -> Tensor:
        n = input.size(0)
        iflat, tflat = input.view(n, -1), target.view(n, -1)
        intersection = (iflat * tflat).sum(1)
        return (1 - ((2.0 * intersection + 1.0) / (iflat.sum(1) + tflat.sum(1) + 1.0))).mean()

    return UNet(1), dice_loss_func, *squares()


@right("a mask: minus the overlap, which ends at -1", "EdwardTyantov/ultrasound-nerve-segmentation#8")
def minus_overlap():
    """The negative overlap of the whole batch."""

    def dice_coef_loss(y_pred: Tensor, y_true: Tensor) -> Tensor:
        y_true_f, y_pred_f = y_true.flatten(), y_pred.flatten()
        return -(2.0 * (y_true_f * y_pred_f).sum() + 1) / (y_true_f.sum() + y_pred_f.sum() + 1)

    return UNet(1), dice_coef_loss, *squares()


@right("kinds: a focal loss that takes the largest of a row of zeros and one", "Tony607/Focal_Loss_Keras#2")
def largest_of_row():
    """A focal loss of one-hot targets."""

    def focal_loss_fixed(y_pred: Tensor, y_true: Tensor, gamma: float = 2.0, alpha: float = 4.0) -> Tensor:
        model_out = y_pred + 1e-9
        ce = y_true * -torch.log(model_out)
        weight = y_true * torch.pow(1.0 - model_out, gamma)
        return (alpha * (weight * ce)).max(1).values.mean()

    x, y = kinds(16, 16, 16)
    return net(3, lambda x: x.softmax(1)), focal_loss_fixed, x, F.one_hot(y, 3).float()


both("torrvision/siamfc-tf#30", "wrong_formula", tracked,
     "a tracked patch: the weight stands inside the exponential", "a tracked patch: the weight outside")  # fmt: skip
both("asgsaeid/ComboLoss#3", f"{REVERSED}|unbounded_loss", combo,
     "two losses of a mask: the overlap and the noes have the wrong sign", "two losses of a mask")  # fmt: skip
both("sraashis/easytorch#38", REVERSED, dice_binary,
     "one channel of two: the overlap itself is the loss", "one channel of two: one minus the overlap")  # fmt: skip
both("discuss.pytorch.org/t/43814", "activation_twice", constant_dice,
     "ten kinds: a softmax before the cross-entropy", "ten kinds: no softmax before the cross-entropy")  # fmt: skip
both("gnn-tracking/gnn_tracking#138", UNSTABLE, edges,
     "edges: logarithms of probabilities that reach 0", "edges: logarithms of clamped probabilities")  # fmt: skip
both("kaidic/LDAM-DRW#17", EDGE, long_tail,
     "a long tail: the root of how far from sure", "a long tail: the root of a little more")  # fmt: skip
both("fudannlp16/focal-loss#4", f"{UNSTABLE}|wrong_formula", rare_yes,
     "few yes: logarithms of a sigmoid, times gamma", "few yes: clipped logarithms, to the power of gamma")  # fmt: skip
both("zimenglan-sysu-512/Focal-Loss#1", "wrong_formula|loss_is_constant|zero_gradient", layer_of_its_own,
     "a layer of its own: a second logarithm and a lost minus", "a layer of its own")  # fmt: skip
both("Hsuxu/Loss_ToolBox-PyTorch#7", "logarithm_of_raw_outputs|loss_not_finite", five_kinds,
     "pixels of five kinds: no softmax anywhere", "pixels of five kinds: a softmax before the loss")  # fmt: skip
wrong("yes or no: an alpha of two", "unbounded_loss|wrong_formula|better_outputs_cost_more", f"{KERAS}#5")(
    lambda: keras_focal(2.0, 1e-7)
)
right("yes or no: an alpha of a quarter, the logarithm of a little more", f"{KERAS}#17")(
    lambda: keras_focal(0.25, 1e-7)
)
wrong("yes or no: the logarithm of what may be 0", UNSTABLE, f"{KERAS}#17")(lambda: keras_focal(0.25))
both("google-deepmind/optax#1346", EDGE, saturated,
     "logits: one minus a sure probability to the power of a half", "logits: the power in logarithms")  # fmt: skip
both("foreai.co/blog/nans-out-of-nowhere-the-trick-that-saved-my-training-run", UNSTABLE, stops,
     "an end of a text: the logarithm of one minus a softmax", "an end of a text: no softmax")  # fmt: skip
both("supernotman/RetinaFace_Pytorch#8", "loss_not_finite|logarithm_of_raw_outputs|wrong_formula", faces,
     "faces: the logarithm of a log-softmax", "faces: the logarithm of a sigmoid")  # fmt: skip
right("faces: the hardest boxes of a log-softmax", "supernotman/RetinaFace_Pytorch#8")(
    lambda: (class_head(nn.LogSoftmax(dim=-1)), lambda out, codes: box_losses(out, codes, False), *anchors())
)
both("ivadomed/ivadomed#56", "activation_twice", focal_of,
     "a spinal cord: a loss for logits on a sigmoid", "a spinal cord: a loss for probabilities")  # fmt: skip
wrong("a spinal cord: the factor comes from the mean of all pixels", "focal_after_mean", "ivadomed/ivadomed#56")(
    lambda: (UNet(1), lambda out, y: focal_v2(out, y, each=False), *squares())
)
both("pytorch/pytorch#2774", "loss_without_gradient", rectangles,
     "rectangles: maps of points made by comparing", "rectangles: overlap of corners")  # fmt: skip
both("discuss.pytorch.org/t/148899", "loss_without_gradient", peaks,
     "peaks: an overlap of what lies above a half", "peaks: an overlap of probabilities")  # fmt: skip
both("milesial/Pytorch-UNet#84", "targets_outside_unit_range", carvana, "a mask from 0 to 255", "a mask from 0 to 1")
