"""The set-ups known while the doctor was built: right ones, wrong ones, and bugs of public projects rebuilt."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, Then, classes, inputs, labels, mlp, pictures
from lm_utils.lessons.past_bugs import PAST_BUGS

KNOWN = CaseSet()
right, wrong = KNOWN.right, KNOWN.wrong


# ---------------------------------------------------------------- right: classes


right("logits into CrossEntropyLoss")(lambda: (mlp(5), nn.CrossEntropyLoss(), inputs(), classes(5)))


@right("fresh logits that all lie between 0 and 1, into CrossEntropyLoss")
def _():
    model = mlp(5)
    with torch.no_grad():
        model[2].weight.mul_(0.01)
        model[2].bias.fill_(0.5)
    return model, nn.CrossEntropyLoss(), inputs(), classes(5)


@right("fresh logits between 0 and 1 through a residual sum")
def _():
    model = Then(mlp(5), lambda z: 0.01 * z + 0.5)
    return model, nn.CrossEntropyLoss(), inputs(), classes(5)


@right("label smoothing and class weights")
def _():
    loss = nn.CrossEntropyLoss(weight=torch.rand(5) + 0.5, label_smoothing=0.1)
    return mlp(5), loss, inputs(), classes(5)


right("soft targets that sum to one")(lambda: (mlp(5), nn.CrossEntropyLoss(), inputs(), torch.rand(N, 5).softmax(1)))


@right("mixup targets through a partial")
def _():
    mixed = 0.7 * F.one_hot(classes(5), 5) + 0.3 * F.one_hot(classes(5), 5)
    return mlp(5), partial(F.cross_entropy, label_smoothing=0.1), inputs(), mixed


right("one-hot floating targets")(lambda: (mlp(5), F.cross_entropy, inputs(), F.one_hot(classes(5), 5).float()))
right("log-softmax into NLLLoss")(lambda: (mlp(5, nn.LogSoftmax(1)), nn.NLLLoss(), inputs(), classes(5)))


@right("own focal loss around cross-entropy")
def _():
    def focal(outputs: Tensor, targets: Tensor) -> Tensor:
        each = F.cross_entropy(outputs, targets, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()

    return mlp(5), focal, inputs(), classes(5)


right("log-softmax before CrossEntropyLoss (harmless)")(
    lambda: (mlp(5, nn.LogSoftmax(1)), nn.CrossEntropyLoss(), inputs(), classes(5))
)
right("logits capped softly at 30")(
    lambda: (Then(mlp(5), lambda z: 30 * torch.tanh(z / 30)), nn.CrossEntropyLoss(), inputs(), classes(5))
)
right("cosine scores with a scale")(
    lambda: (Then(mlp(5), lambda z: 16 * F.normalize(z, dim=1)), nn.CrossEntropyLoss(), inputs(), classes(5))
)


@right("ignore_index for padding")
def _():
    targets = classes(5)
    targets[:3] = -100
    return mlp(5), nn.CrossEntropyLoss(), inputs(), targets


right("MultiMarginLoss on scores")(lambda: (mlp(5), nn.MultiMarginLoss(), inputs(), classes(5)))


@right("a last layer that starts at zero")
def _():
    model = mlp(5)
    nn.init.zeros_(model[2].weight)
    nn.init.zeros_(model[2].bias)
    return model, nn.CrossEntropyLoss(), inputs(), classes(5)


# ---------------------------------------------------------------- right: torchvision


def _vision(name: str, training: bool, size: int = 64) -> tuple:
    from torchvision import models

    model = models.get_model(name, weights=None, num_classes=7).train(training)
    return model, nn.CrossEntropyLoss(), pictures(size), torch.randint(0, 7, (4,))


right("torchvision mobilenet_v3_small, evaluation mode")(lambda: _vision("mobilenet_v3_small", False))
right("torchvision mobilenet_v3_small, training mode")(lambda: _vision("mobilenet_v3_small", True))
right("torchvision resnet18, evaluation mode")(lambda: _vision("resnet18", False))
right("torchvision squeezenet1_1, whose last layer is a ReLU before an average")(
    lambda: _vision("squeezenet1_1", False)
)


@right("torchvision shufflenet_v2_x0_5 in half precision (bfloat16)")
def _():
    model, loss, x, y = _vision("shufflenet_v2_x0_5", False)
    return model.bfloat16(), loss, x.bfloat16(), y


@right("torchvision lraspp segmentation with class maps")
def _():
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    model = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3).eval()
    return model, lambda out, y: F.cross_entropy(out["out"], y), pictures(), torch.randint(0, 3, (4, 64, 64))


# ---------------------------------------------------------------- right: dense and tokens


@right("segmentation with void pixels (ignore_index=255)")
def _():
    targets = classes(4, 6, 6)
    targets[:, 0] = 255
    return nn.Conv2d(3, 4, 3, padding=1), nn.CrossEntropyLoss(ignore_index=255), inputs(3, 6, 6), targets


@right("token classification, flattened over the positions")
def _():
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs.flatten(0, 1), targets.flatten())

    return Tagger(9), loss, torch.randint(0, 50, (N, 9)), classes(9, 9)


@right("token classification, classes turned to axis 1, as many tokens as classes")
def _():
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.CrossEntropyLoss()(outputs.transpose(1, 2), targets)

    return Tagger(9), loss, torch.randint(0, 50, (N, 9)), classes(9, 9)


right("masks: one logit per pixel")(
    lambda: (nn.Conv2d(3, 1, 3, padding=1), nn.BCEWithLogitsLoss(), inputs(3, 6, 6), labels(1, 6, 6))
)


@right("two losses: a main head and an auxiliary one in a dictionary")
def _():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main, self.extra = mlp(5), mlp(5)

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"out": self.main(x), "aux": self.extra(x)}

    def loss(out: dict, y: Tensor) -> Tensor:
        return F.cross_entropy(out["out"], y) + 0.4 * F.cross_entropy(out["aux"], y)

    return Two(), loss, inputs(), classes(5)


# ---------------------------------------------------------------- right: yes and no


right("sigmoid into BCELoss")(lambda: (mlp(1, nn.Sigmoid()), nn.BCELoss(), inputs(), labels(1)))


@right("sigmoid kept off 0 and 1 by a clamp, flattened, into BCELoss")
def _():
    model = Then(mlp(1), lambda z: torch.sigmoid(z).clamp(1e-6, 1 - 1e-6).squeeze(1))
    return model, nn.BCELoss(), inputs(), labels(1)[:, 0]


right("a sigmoid written by hand into BCELoss")(
    lambda: (Then(mlp(1), lambda z: 1 / (1 + torch.exp(-z))), nn.BCELoss(), inputs(), labels(1))
)
right("one column of a two-class softmax into BCELoss")(
    lambda: (Then(mlp(2), lambda z: z.softmax(1)[:, 1]), nn.BCELoss(), inputs(), labels(1)[:, 0])
)
right("logits into BCEWithLogitsLoss")(lambda: (mlp(1), nn.BCEWithLogitsLoss(), inputs(), labels(1)))
right("multi-label logits with pos_weight")(
    lambda: (mlp(4), nn.BCEWithLogitsLoss(pos_weight=torch.full((4,), 3.0)), inputs(), labels(4))
)
right("multi-label with smoothed labels")(lambda: (mlp(4), nn.BCEWithLogitsLoss(), inputs(), labels(4) * 0.9 + 0.05))


@right("multi-label fresh logits between 0 and 1")
def _():
    model = mlp(4)
    with torch.no_grad():
        model[2].weight.mul_(0.01)
        model[2].bias.fill_(0.4)
    return model, nn.BCEWithLogitsLoss(), inputs(), labels(4)


right("one yes/no per class (one-hot targets, BCEWithLogitsLoss)")(
    lambda: (mlp(5), nn.BCEWithLogitsLoss(), inputs(), F.one_hot(classes(5), 5).float())
)
right("MultiLabelSoftMarginLoss on logits")(lambda: (mlp(4), nn.MultiLabelSoftMarginLoss(), inputs(), labels(4)))
right("SoftMarginLoss with labels of -1 and +1")(lambda: (mlp(1), nn.SoftMarginLoss(), inputs(), 2 * labels(1) - 1))


@right("torchvision's sigmoid_focal_loss on logits")
def _():
    from torchvision.ops import sigmoid_focal_loss

    return mlp(4), partial(sigmoid_focal_loss, reduction="mean"), inputs(), labels(4)


right("half precision logits into BCEWithLogitsLoss")(
    lambda: (mlp(4).half(), nn.BCEWithLogitsLoss(), inputs().half(), labels(4).half())
)


# ---------------------------------------------------------------- right: values


right("regression with MSELoss")(lambda: (mlp(1), nn.MSELoss(), inputs(), torch.randn(N, 1)))
right("regression with its two shapes made equal inside the loss")(
    lambda: (mlp(1), lambda out, y: F.huber_loss(out.squeeze(1), y), inputs(), torch.randn(N))
)
right("regression with large targets (a remark at most)")(
    lambda: (mlp(1), nn.L1Loss(), inputs(), 300 + 50 * torch.randn(N, 1))
)
right("MSE on sigmoid outputs, targets in range")(lambda: (mlp(4, nn.Sigmoid()), nn.MSELoss(), inputs(), labels(4)))
right("MAE on softmax outputs, one-hot targets")(
    lambda: (mlp(4, nn.Softmax(1)), nn.L1Loss(), inputs(), F.one_hot(classes(4), 4).float())
)
right("tanh outputs, pictures scaled to -1…1")(
    lambda: (mlp(8, nn.Tanh()), nn.MSELoss(), inputs(), torch.rand(N, 8) * 2 - 1)
)
right("counts with ReLU outputs")(
    lambda: (mlp(1, nn.ReLU()), nn.MSELoss(), inputs(), torch.randint(0, 9, (N, 1)).float())
)
right("counts with PoissonNLLLoss on the logarithm of the rate")(
    lambda: (mlp(1), nn.PoissonNLLLoss(), inputs(), torch.randint(0, 9, (N, 1)).float())
)
right("KLDivLoss, batchmean, on log-softmax")(
    lambda: (mlp(5, nn.LogSoftmax(1)), nn.KLDivLoss(reduction="batchmean"), inputs(), torch.rand(N, 5).softmax(1))
)


@right("distillation: temperature, KL and cross-entropy together")
def _():
    teacher = mlp(5)
    x = inputs()

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        soft = F.softmax(teacher(x).detach() / 4, dim=1)
        distance = F.kl_div(F.log_softmax(outputs / 4, dim=1), soft, reduction="batchmean")
        return 16 * distance + F.cross_entropy(outputs, targets)

    return mlp(5), loss, x, classes(5)


right("an unknown loss of one's own")(
    lambda: (mlp(3), lambda out, y: torch.log(torch.cosh(out - y)).mean(), inputs(), torch.randn(N, 3))
)
right("root of the mean squared error")(
    lambda: (mlp(1), lambda out, y: F.mse_loss(out, y).sqrt(), inputs(), torch.randn(N, 1))
)


# ---------------------------------------------------------------- wrong: activation against loss


wrong("softmax before CrossEntropyLoss", "softmax_before_cross_entropy")(
    lambda: (mlp(5, nn.Softmax(1)), nn.CrossEntropyLoss(), inputs(), classes(5))
)


@wrong("softmax behind a cast, a slice and a view", "softmax_before_cross_entropy")
def _():
    model = Then(mlp(6), lambda z: z.softmax(1).double().view(N, 6)[:, :].float())
    return model, F.cross_entropy, inputs(), classes(6)


wrong("softmax in a lambda loss", "softmax_before_cross_entropy")(
    lambda: (mlp(5), lambda out, y: F.cross_entropy(out.softmax(1), y), inputs(), classes(5))
)


@wrong("softmax written by hand before CrossEntropyLoss", "softmax_before_cross_entropy")
def _():
    model = Then(mlp(5), lambda z: z.exp() / z.exp().sum(1, keepdim=True))
    return model, nn.CrossEntropyLoss(), inputs(), classes(5)


wrong("softmax before CrossEntropyLoss in half precision", "softmax_before_cross_entropy")(
    lambda: (mlp(5, nn.Softmax(1)).half(), nn.CrossEntropyLoss(), inputs().half(), classes(5))
)
wrong("sigmoid before CrossEntropyLoss", "sigmoid_before_cross_entropy")(
    lambda: (mlp(5, nn.Sigmoid()), nn.CrossEntropyLoss(), inputs(), classes(5))
)
wrong("tanh before CrossEntropyLoss", "bounded_logits")(
    lambda: (mlp(5, nn.Tanh()), nn.CrossEntropyLoss(), inputs(), classes(5))
)
wrong("ReLU before CrossEntropyLoss", "relu_before_cross_entropy")(
    lambda: (mlp(5, nn.ReLU()), nn.CrossEntropyLoss(), inputs(), classes(5))
)
wrong("sigmoid before BCEWithLogitsLoss", "sigmoid_before_bce_logits")(
    lambda: (mlp(1, nn.Sigmoid()), nn.BCEWithLogitsLoss(), inputs(), labels(1))
)


@wrong("sigmoid on a map before BCEWithLogitsLoss", "sigmoid_before_bce_logits")
def _():
    model = nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.Sigmoid(), nn.Flatten())
    return model, nn.BCEWithLogitsLoss(), inputs(3, 6, 6), labels(36)


wrong("softmax before BCEWithLogitsLoss", "softmax_before_bce_logits")(
    lambda: (mlp(5, nn.Softmax(1)), nn.BCEWithLogitsLoss(), inputs(), F.one_hot(classes(5), 5).float())
)
wrong("ReLU before BCEWithLogitsLoss", "relu_before_bce_logits")(
    lambda: (mlp(1, nn.ReLU()), nn.BCEWithLogitsLoss(), inputs(), labels(1))
)
wrong("raw logits into BCELoss", "logits_into_bce")(lambda: (mlp(1), nn.BCELoss(), inputs(), labels(1)))


@wrong("raw logits into BCELoss that happen to lie between 0 and 1", "logits_into_bce")
def _():
    model = mlp(1)
    with torch.no_grad():
        model[2].weight.mul_(0.01)
        model[2].bias.fill_(0.5)
    return model, nn.BCELoss(), inputs(), labels(1)


wrong("tanh into BCELoss", "tanh_into_bce")(lambda: (mlp(1, nn.Tanh()), nn.BCELoss(), inputs(), labels(1)))
wrong("ReLU into BCELoss", "relu_into_bce")(lambda: (mlp(1, nn.ReLU()), nn.BCELoss(), inputs(), labels(1)))
wrong("softmax over one output into BCELoss", "softmax_over_one_output")(
    lambda: (mlp(1, nn.Softmax(1)), nn.BCELoss(), inputs(), labels(1))
)
wrong("softmax over one output into MSELoss", "softmax_over_one_output")(
    lambda: (mlp(1, nn.Softmax(-1)), nn.MSELoss(), inputs(), labels(1))
)
wrong("softmax over the batch, then MSE", "softmax_wrong_axis")(
    lambda: (mlp(5, nn.Softmax(0)), nn.MSELoss(), inputs(), F.one_hot(classes(5), 5).float())
)
wrong("log-softmax over the batch into NLLLoss", "softmax_wrong_axis")(
    lambda: (mlp(5, nn.LogSoftmax(0)), nn.NLLLoss(), inputs(), classes(5))
)


@wrong("log-softmax over the width of a map into NLLLoss", "softmax_wrong_axis")
def _():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.LogSoftmax(-1))
    return model, nn.NLLLoss(), inputs(3, 6, 6), classes(4, 6, 6)


wrong("softmax for independent labels, BCELoss", "softmax_for_independent_labels")(
    lambda: (mlp(4, nn.Softmax(1)), nn.BCELoss(), inputs(), labels(4))
)
wrong("softmax for independent labels, MSELoss", "softmax_for_independent_labels")(
    lambda: (mlp(4, nn.Softmax(1)), nn.MSELoss(), inputs(), labels(4))
)
wrong("CrossEntropyLoss on independent labels", "softmax_for_independent_labels")(
    lambda: (mlp(4), nn.CrossEntropyLoss(), inputs(), labels(4))
)
wrong("NLLLoss on probabilities", "nll_on_probabilities")(
    lambda: (mlp(5, nn.Softmax(1)), nn.NLLLoss(), inputs(), classes(5))
)
wrong("NLLLoss on logits", "nll_on_logits")(lambda: (mlp(5), nn.NLLLoss(), inputs(), classes(5)))
wrong("KLDivLoss on probabilities", "kl_div_on_probabilities")(
    lambda: (mlp(5, nn.Softmax(1)), nn.KLDivLoss(reduction="batchmean"), inputs(), torch.rand(N, 5).softmax(1))
)
wrong("KLDivLoss on logits", "kl_div_on_logits")(
    lambda: (mlp(5), nn.KLDivLoss(reduction="batchmean"), inputs(), torch.rand(N, 5).softmax(1))
)


# ---------------------------------------------------------------- wrong: shapes and targets


wrong("(N, 1) against (N) in MSELoss", "shapes_broadcast")(lambda: (mlp(1), nn.MSELoss(), inputs(), torch.randn(N)))
wrong("(N) against (N, 1) in L1Loss", "shapes_broadcast")(
    lambda: (Then(mlp(1), lambda z: z[:, 0]), nn.L1Loss(), inputs(), torch.randn(N, 1))
)
wrong("(N, 1) against (N) in HuberLoss", "shapes_broadcast")(lambda: (mlp(1), nn.HuberLoss(), inputs(), torch.randn(N)))
wrong("(N, 1) against (N) in BCEWithLogitsLoss", "shapes_differ")(
    lambda: (mlp(1), nn.BCEWithLogitsLoss(), inputs(), labels(1)[:, 0])
)
wrong("flattened outputs and float targets in CrossEntropyLoss", "one_sample_of_many_classes")(
    lambda: (Then(mlp(1), torch.flatten), nn.CrossEntropyLoss(), inputs(), labels(1)[:, 0])
)
wrong("one column into CrossEntropyLoss", "one_column_cross_entropy")(
    lambda: (mlp(1), nn.CrossEntropyLoss(), inputs(), classes(1))
)
wrong("class numbers from 1", "class_index_out_of_range")(
    lambda: (mlp(5), nn.CrossEntropyLoss(), inputs(), torch.arange(N) % 5 + 1)
)


@wrong("void pixels of 255 without ignore_index", "class_index_out_of_range")
def _():
    targets = classes(4, 6, 6)
    targets[:, 0] = 255
    return nn.Conv2d(3, 4, 3, padding=1), nn.CrossEntropyLoss(), inputs(3, 6, 6), targets


wrong("class numbers as floats", "class_index_type")(
    lambda: (mlp(5), nn.CrossEntropyLoss(), inputs(), classes(5).float())
)
wrong("one-hot targets of integers", "one_hot_integers")(
    lambda: (mlp(5), nn.CrossEntropyLoss(), inputs(), F.one_hot(classes(5), 5))
)
wrong("token scores with the classes last", "classes_not_second")(
    lambda: (Tagger(9), nn.CrossEntropyLoss(), torch.randint(0, 50, (N, 7)), classes(9, 7))
)
wrong("token scores with the classes last, as many tokens as classes", "classes_not_second")(
    lambda: (Tagger(9), nn.CrossEntropyLoss(), torch.randint(0, 50, (N, 9)), classes(9, 9))
)
wrong("targets of -1 and +1 in BCEWithLogitsLoss", "targets_outside_unit_range")(
    lambda: (mlp(1), nn.BCEWithLogitsLoss(), inputs(), 2 * labels(1) - 1)
)
wrong("masks of 0 and 255 in BCELoss", "targets_outside_unit_range")(
    lambda: (mlp(1, nn.Sigmoid()), nn.BCELoss(), inputs(), 255 * labels(1))
)
wrong("SoftMarginLoss with labels of 0 and 1", "labels_zero_one")(
    lambda: (mlp(1), nn.SoftMarginLoss(), inputs(), labels(1))
)
wrong("HingeEmbeddingLoss with labels of 0 and 1", "labels_zero_one")(
    lambda: (mlp(1), nn.HingeEmbeddingLoss(), inputs(), labels(1))
)
wrong("sigmoid outputs for targets from 1 to 6", "range_cannot_reach_targets")(
    lambda: (mlp(1, nn.Sigmoid()), nn.MSELoss(), inputs(), torch.randint(1, 7, (N, 1)).float())
)
wrong("ReLU outputs for standardised targets", "range_cannot_reach_targets")(
    lambda: (mlp(1, nn.ReLU()), nn.MSELoss(), inputs(), torch.randn(N, 1))
)


# ---------------------------------------------------------------- wrong: gradients


@wrong("outputs made under no_grad", "outputs_without_gradient")
def _():
    model = mlp(5)
    return Then(model, lambda z: z.detach()), nn.CrossEntropyLoss(), inputs(), classes(5)


@wrong("the input multiplied by zero", "outputs_ignore_inputs")
def _():
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = mlp(5)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x * 0)

    return Cut(), nn.CrossEntropyLoss(), inputs(), classes(5)


wrong("hidden sigmoids stuck by huge inputs", "saturated_units")(
    lambda: (mlp(5, hidden=nn.Sigmoid), nn.CrossEntropyLoss(), 1e4 * (inputs().abs() + 1) * torch.ones(8), classes(5))
)
wrong("a dictionary handed to CrossEntropyLoss", "outputs_not_a_tensor")(
    lambda: (Then(mlp(5), lambda z: {"out": z}), nn.CrossEntropyLoss(), inputs(), classes(5))
)


KNOWN += PAST_BUGS
