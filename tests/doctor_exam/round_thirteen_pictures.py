"""Set-ups of a thirteenth round on pictures, a systematic sample of public threads, written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made, and as many again, since the first
gave too little; two lists of hits for each, of issues and of pages, gone through in their order. The odd ones feed this
file:

image classifier predicts only one class for every picture pytorch; CNN training loss stays at 2.303 on CIFAR10 or
MNIST; unet predicts all black masks loss does not decrease; segmentation loss becomes nan after a few iterations custom
loss; fine tuning pretrained resnet accuracy does not improve at chance; binary cat dog classifier accuracy stuck at 50
percent loss 0.693; dice loss negative or larger than one during training; transfer learning frozen layers weights not
updating loss constant; multi label classifier outputs all zeros or all ones; image regression CNN predicts the mean
value for every image; my first convolutional network pytorch does not learn what is wrong; detector training
classification loss stays high predicts background only; and of the second list: pytorch CNN loss does not decrease
answer forgot relu or wrong loss function discuss.pytorch.org; pytorch image classification loss stuck because softmax
before CrossEntropyLoss CNN; UNet BCEWithLogitsLoss with sigmoid in the last layer predicts grey mask; regression
network output constant same value for all images relu at the output; validation image classifier always predicts same
class ReLU after last layer; Keras CNN accuracy does not change sigmoid last layer categorical crossentropy answer; loss
is nan from the first batch image network log of zero or division; autoencoder or UNet output black images sigmoid tanh
range loss stuck; CNN loss constant images not normalized 0 255 pixel values answer; broadcasting warning target size
different input size regression CNN loss does not decrease; pretrained model fine tune all parameters frozen
requires_grad false loss does not change; segmentation network learns only background weights of classes answer.

Of some 470 hits eighteen threads were kept, all in which an answer or the code shows a cause that lies in the model,
the loss or the first batch. Left out: no cause named, or a title without a text (most); steps, data, measuring and
versions; errors that PyTorch raises at once; pages of advice without a fault in their code; choices that train; threads
on texts, sound and tables (four); fourteen that stand in earlier rounds; and the third and further ones of one cause,
four times a ReLU behind the last layer, once a softmax over one output.

The names of the findings are those of the sentences; softmax_before_cross_entropy, relu_before_cross_entropy and
nll_on_logits were added from earlier rounds. All were chosen before any score.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, labels
from doctor_exam.pictures_parts import convolutional
from doctor_exam.round_parts import Part, still
from doctor_exam.unseen_wrong import mask_head

THIRTEEN_PICTURES = CaseSet()
right, wrong = THIRTEEN_PICTURES.right, THIRTEEN_PICTURES.wrong
ONE_OUTPUT = "one_column_cross_entropy|one_class_only|loss_is_constant|zero_gradient"
SOFTMAX = "bounded_logits|activation_twice|softmax_before_cross_entropy"
RELU = "relu_before_activation|relu_before_cross_entropy|bounded_logits|dead_layer"
LAST_RELU = "math.techqa.club/are-relu-a-very-bad-choice-as-last-layer-for-regression-4483706"
ZEROS = "taourl.com/read-2675780"
ANSWER = "stats.stackexchange.com/questions/481881"
THREE = "newbedev.com/cnn-with-keras-accuracy-not-improving"
SCALE = "datascience.stackexchange.com/questions/39929"
BOOK = "forums.fast.ai/t/107811"


# ---------------------------------------------------------------- the last layer


def identities(count: int):
    """Whose identity card is it? A cross-entropy with one-hot labels."""
    return convolutional(count), nn.CrossEntropyLoss(), inputs(3, 8, 8), F.one_hot(classes(count), count).float()


def things(*ends: nn.Module):
    """Ten kinds of things on colour pictures."""
    return convolutional(10, *ends), nn.CrossEntropyLoss(), inputs(3, 8, 8), classes(10)


def residual_things(*ends: nn.Module):
    """Ten kinds of things, with a normalisation and the logarithm of a softmax."""
    return convolutional(10, *ends, nn.LogSoftmax(1), norm=True), nn.NLLLoss(), inputs(3, 8, 8), classes(10)


def streets(*ends: nn.Module):
    """Five classes of pixels."""
    return mask_head(*ends, channels=5), nn.CrossEntropyLoss(), inputs(3, 6, 6), classes(5, 6, 6)


def handwriting(*ends: nn.Module):
    """Digits on grey pictures."""
    return convolutional(10, *ends, channels=1), nn.CrossEntropyLoss(), inputs(1, 8, 8), classes(10)


def above_zero(neuron: nn.Linear, *ends: nn.Module):
    """A single neuron that predicts numbers above zero."""
    return nn.Sequential(neuron, *ends), nn.MSELoss(), inputs(), 1 + torch.rand(N, 1)


def far_below() -> nn.Linear:
    """A neuron that starts far below zero."""
    neuron = nn.Linear(8, 1)
    nn.init.constant_(neuron.bias, -6)
    return neuron


def is_it_there(*ends: nn.Module, loss):
    """Is the thing there? One output."""
    return convolutional(1, *ends, channels=2), loss, inputs(2, 8, 8), labels(1)


def three_kinds(outputs: int):
    """Three kinds of pictures, counted 0, 1 and 2."""

    def binary(share: Tensor, y: Tensor) -> Tensor:
        share = share.clamp(1e-7, 1 - 1e-7)
        return -(y * share.log() + (1 - y) * (1 - share).log()).mean()

    x, y = inputs(3, 8, 8), classes(3)
    if outputs == 1:
        return convolutional(1, nn.Sigmoid()), binary, x, y[:, None].float()
    return convolutional(3), nn.CrossEntropyLoss(), x, y


def only_objects(outputs: int, ignored: int):
    """Pixels of the one object, 0, and of the background, 1."""
    return mask_head(channels=outputs), nn.CrossEntropyLoss(ignore_index=ignored), inputs(3, 6, 6), classes(2, 6, 6)


wrong("identity cards: one person only, so one output", ONE_OUTPUT, "perseus784/BvS#7")(lambda: identities(1))
right("identity cards: one person and the others", "perseus784/BvS#7")(lambda: identities(2))
wrong("ten things: an activation behind the last layer", RELU, "xue-jishu.com/cnn-sun-shi-zhi-ka-zai-2302-ln10")(
    lambda: things(nn.ReLU())
)
right("ten things: a last layer without activation", "xue-jishu.com/cnn-sun-shi-zhi-ka-zai-2302-ln10")(things)
wrong("residual network: a ReLU just before the log-softmax", RELU, "gcr/torch-residual-networks#1")(
    lambda: residual_things(nn.ReLU())
)
right("residual network: a log-softmax of the scores", "gcr/torch-residual-networks#1")(residual_things)
wrong("streets: pixels' softmax, then a cross-entropy", SOFTMAX, "say4n/pytorch-segnet#5")(
    lambda: streets(nn.Softmax(1))
)
right("streets: pixels' scores", "say4n/pytorch-segnet#5")(streets)
wrong("handwriting: a module named softmax at the end", SOFTMAX, "vinhkhuc/PyTorch-Mini-Tutorials#1")(
    lambda: handwriting(nn.Softmax(1))
)
wrong("numbers above zero: the only ReLU never opens", "dead_layer|zero_gradient|outputs_ignore_inputs", LAST_RELU)(
    lambda: above_zero(far_below(), nn.ReLU())
)
right("numbers above zero: no ReLU at the end", LAST_RELU)(lambda: above_zero(nn.Linear(8, 1)))
wrong("is it there: a softmax over one output", "softmax_over_one_output|zero_gradient|loss_is_constant", ANSWER)(
    lambda: is_it_there(nn.Softmax(1), loss=lambda share, y: -(y * share.log()).sum(1).mean())
)
right("is it there: a sigmoid", ANSWER)(lambda: is_it_there(nn.Sigmoid(), loss=nn.BCELoss()))
wrong("three kinds: one sigmoid for the numbers 0, 1 and 2", "targets_outside_unit_range|unbounded_loss", THREE)(
    lambda: three_kinds(1)
)
right("three kinds: three outputs", THREE)(lambda: three_kinds(3))
wrong("only objects: the background is ignored", ONE_OUTPUT, "alexgkendall/caffe-segnet#31")(
    lambda: only_objects(1, ignored=1)
)
right("only objects: the background is a class", "alexgkendall/caffe-segnet#31")(lambda: only_objects(2, ignored=255))


# ---------------------------------------------------------------- the first weights and the first batch


def hidden(layer_of):
    """The sum of ten numbers, by three hidden layers that are made in one way."""
    between = [part for size in (10, 32, 32) for part in (layer_of(nn.Linear(size, 32)), nn.ReLU())]
    x = torch.rand(N, 10)
    return nn.Sequential(*between, nn.Linear(32, 1)), nn.MSELoss(), x, x.sum(1, keepdim=True) + 0.1 * torch.randn(N, 1)


def hundred_things(place: slice):
    """A hundred kinds of things; the batch is read at a place of the data."""
    x, y = inputs(3, 8, 8), classes(100)
    x, y = x[place].expand(N, 3, 8, 8).clone(), y[place].expand(N).clone()
    return convolutional(100, norm=True), nn.CrossEntropyLoss(), x, y


def ink(scale: float) -> Tensor:
    """Grey pictures, mostly black, of whole numbers up to 255 that are divided by a scale."""
    return torch.randint(0, 256, (N, 1, 8, 8)) * (torch.rand(N, 1, 8, 8) < 0.3) / scale


def garments(scale: float):
    """Ten kinds of garments."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    return model, nn.CrossEntropyLoss(), ink(scale), classes(10)


def three_or_seven(scale: float):
    """A three or a seven, by one layer with weights from a normal distribution."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        share = out.sigmoid()
        return torch.where(y == 1, 1 - share, share).mean()

    layer = nn.Linear(64, 1)
    for weight in layer.parameters():
        nn.init.normal_(weight)
    return nn.Sequential(nn.Flatten(), layer), loss, ink(scale), labels(1)


wrong("ten numbers: hidden layers that start at zero",
      "units_all_alike|dead_layer|outputs_ignore_inputs|zero_gradient", ZEROS)(lambda: hidden(still))  # fmt: skip
right("ten numbers: hidden layers as they come", ZEROS)(lambda: hidden(lambda layer: layer))
wrong("a hundred things: each batch is one picture again and again", "one_class_only|outputs_ignore_inputs",
      "donghao.org/2018/05/11/764")(lambda: hundred_things(slice(0, 1)))  # fmt: skip
right("a hundred things: a batch of different pictures", "donghao.org/2018/05/11/764")(
    lambda: hundred_things(slice(None))
)
wrong("garments: pixels up to 255", "inputs_not_scaled|outputs_too_large", SCALE)(lambda: garments(1))
right("garments: pixels up to 1", SCALE)(lambda: garments(255))
wrong("three or seven: pixels up to 255", "inputs_not_scaled|outputs_too_large|saturated_units|zero_gradient", BOOK)(
    lambda: three_or_seven(1)
)
right("three or seven: pixels up to 1", BOOK)(lambda: three_or_seven(255))


# ---------------------------------------------------------------- formulas


def pairs_of_labels(least: int):
    """Each label of a picture should score above each that it lacks."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        pairs = y[:, :, None] * (1 - y[:, None, :])
        cost = (pairs * (out[:, None, :] - out[:, :, None]).exp()).sum((1, 2))
        return (cost / (y.sum(1) * (1 - y).sum(1)).clamp(min=least)).mean()

    return convolutional(6), loss, inputs(3, 8, 8), labels(6)


def grey_digits(logarithm: bool):
    """Digits, by the score of the true one."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return -((out.log_softmax(1) if logarithm else out) * y).sum(1).mean()

    return convolutional(10, channels=1), loss, inputs(1, 8, 8), F.one_hot(classes(10), 10).float()


def corners(small: float):
    """Places that look alike on two pictures, weighed by how far one feature stands out; a corner is black."""

    def look(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.net(x)
        apart = features / (features.max(1, keepdim=True).values + small)
        around = features.exp() / (9 * F.avg_pool2d(features.exp(), 3, 1, 1))
        return F.normalize(features, dim=1), (apart * around).max(1).values

    def forward(self: Part, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (one, sure), (other, sure_too) = look(self, first), look(self, second)
        return one, other, sure * sure_too

    def loss(out: tuple[Tensor, Tensor, Tensor], _: None) -> Tensor:
        near, far = (out[0] - out[1]).pow(2).sum(1), (out[0] - out[1].roll(2, 2)).pow(2).sum(1)
        return ((1 + near - far).relu() * out[2]).sum() / out[2].sum()

    net = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU())
    nn.init.constant_(net[0].bias, -0.1)
    first = inputs(3, 6, 6)
    first[:, :, 0, 0] = 0
    second = first + 0.1 * torch.randn_like(first) * (first != 0)
    return Part(forward, net=net), loss, (first, second), None


def depth(squeezed: bool):
    """The depth of each pixel beside its target, by a sum of smooth distances."""
    y = torch.rand(N, 6, 6)
    return (mask_head(), lambda out, y: F.smooth_l1_loss(out, y, reduction="sum"), inputs(3, 6, 6),
            y[:, None] if squeezed else y)  # fmt: skip


wrong("pairs of labels: a picture has all labels or none", "loss_not_finite|unstable_formula",
      "deeplearning4j/deeplearning4j#6880")(lambda: pairs_of_labels(0))  # fmt: skip
right("pairs of labels: no division by zero", "deeplearning4j/deeplearning4j#6880")(lambda: pairs_of_labels(1))
wrong("grey digits: minus the raw score of the true one", "unbounded_loss|unnormalised_likelihood|nll_on_logits",
      "google-deepmind/dm-haiku#81")(lambda: grey_digits(logarithm=False))  # fmt: skip
right("grey digits: minus the log-softmax of the true one", "google-deepmind/dm-haiku#81")(
    lambda: grey_digits(logarithm=True)
)
wrong("corners: divided by the largest feature, which is 0 where it is black",
      "outputs_not_finite|loss_not_finite|gradient_not_finite|unstable_formula", "mihaidusmanu/d2-net#78")(
    lambda: corners(0)
)  # fmt: skip
right("corners: a small number below the line", "mihaidusmanu/d2-net#78")(lambda: corners(1e-8))
wrong("depth of pixels: [N, 1, H, W] and [N, H, W]", "shapes_broadcast", "jiwei0921/CoNet#3")(
    lambda: depth(squeezed=False)
)
right("depth of pixels: [N, 1, H, W] twice", "jiwei0921/CoNet#3")(lambda: depth(squeezed=True))


@wrong("a logarithm within the network, of numbers of either sign", "outputs_not_finite|logarithm_of_raw_outputs",
       "huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1")  # fmt: skip
def _():
    model = Part(lambda self, x: self.last(self.first(x).log()), first=nn.Linear(8, 16), last=nn.Linear(16, 3))
    return model, nn.CrossEntropyLoss(), inputs(), classes(3)


# ---------------------------------------------------------------- right: the cause lay elsewhere


@right("organs: minus an overlap of which each class has its weight", "xmed-lab/DHC#1")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        share, hot = out.softmax(1), F.one_hot(y, 3).movedim(-1, 1).float()
        each = (2 * (share * hot).sum((0, 2, 3)) + 1e-5) / ((share**2).sum((0, 2, 3)) + hot.sum((0, 2, 3)) + 1e-5)
        return -(torch.tensor([0.6, 1.4, 2.0]) * each).sum() / 3

    return mask_head(channels=3), loss, inputs(3, 6, 6), classes(3, 6, 6)


@right("new classes: the trained part stands still, a new head learns",
       "leyaa.ai/codefly/learn/pytorch/part-2/pytorch-finetuning-strategy")  # fmt: skip
def _():
    model = convolutional(10, norm=True).requires_grad_(False)
    model[-1] = nn.Linear(72, 4)
    return model, nn.CrossEntropyLoss(), inputs(3, 8, 8), classes(4)
