"""Set-ups of the twenty-second round (classification and regression), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
1 PyTorch net stuck near 2.3 (or 1.46): softmax in the model, then CrossEntropyLoss;
2 Keras binary classifier always says 1, accuracy 50 %: softmax on one output unit;
3 regression net predicts the mean for everybody: MSELoss of [N, 1] against [N] (warning about target size);
4 BCEWithLogitsLoss, outputs never below 0.5: sigmoid in the model as well;
5 "multi-target not supported" / "0D or 1D target tensor expected": class numbers as [N, 1] into CrossEntropyLoss;
6 multi-label classifier predicts one label or few: softmax with categorical cross-entropy on multi-hot targets;
7 loss is 0 from the start: CrossEntropyLoss (or categorical_crossentropy) with one output unit;
8 house prices all predicted 1: sigmoid output against unscaled targets;
9 "Target 10 is out of bounds" / device-side assert: labels counted from 1;
10 multi-class net learns slowly and never gets sure: sigmoid in the model before CrossEntropyLoss;
11 regression predicts only 0: ReLU after the last layer and targets that are negative too;
12 loss becomes negative: binary cross-entropy with labels -1/1 (or 1/2, 0/255);
13 NLLLoss is negative: softmax instead of log_softmax before it;
14 all rows alike, no learning: softmax over the batch (dim=0);
15 own cross-entropy becomes nan: log of a softmax that reaches 0;
16 "target size must be the same as input size": BCELoss of [N, 1] against [N];
17 "element 0 of tensors does not require grad": argmax or round of the outputs before the loss;
18 "expected scalar type Long but found Float": float class numbers into CrossEntropyLoss, or long ones into BCE;
19 RMSE loss becomes nan: gradient of the square root at 0;
20 unbalanced data: pos_weight or class weights upside down, the rare class gets the small weight;
21 "all elements of input should be between 0 and 1": BCELoss on raw outputs;
22 tanh or sigmoid output against pixels 0..255;
23 own focal loss takes exp(-mean cross-entropy): the weight is one number for the batch;
24 own loss or R2 without the minus: the score is minimised.

Look-ups: 32 (23 in issues, 9 in pages). 14 of the sixteen rebuilt here have a thread; 11 and 14 are recalled: the
threads found were used before, or spoke of predictions only. For 3, 7 and 12 the thread names the cause and the set-up
is the usual form of it. Left out: 17 to 24, being last in the list. Labels depend on the inputs.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Then, inputs, mlp

TWENTY_TWO_FORUM = CaseSet()
right, wrong = TWENTY_TWO_FORUM.right, TWENTY_TWO_FORUM.wrong


def scores(x: Tensor, count: int = 1):
    """Hidden scores [N, count] that the labels are made of, each about standard normal."""
    flat = x.flatten(1).float()
    flat = (flat - flat.mean(0)) / (flat.std(0) + 1e-6)
    return flat @ torch.randn(flat.shape[1], count) / flat.shape[1] ** 0.5


def kinds(x: Tensor, count: int):
    """Class numbers of the inputs; the first sample is of the last class."""
    numbers = scores(x, count).argmax(1)
    numbers[0] = count - 1
    return numbers


def yes(x: Tensor, count: int = 1):
    """Yes/no labels of the inputs as floats [N, count], both answers present."""
    hidden = scores(x, count)
    return (hidden > hidden.median(0).values).float()


def network(features: int, outputs: int, *ends: nn.Module, drop: bool = False):
    """Flattened inputs to outputs over one hidden layer."""
    middle = [nn.Dropout(0.2)] if drop else []
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 32), nn.ReLU(), *middle, nn.Linear(32, outputs), *ends)


def convolution(channels: int, outputs: int):
    """A small picture network with raw outputs."""
    layers = [nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1)]
    return nn.Sequential(*layers, nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, outputs))


def categorical(shares: Tensor, hot: Tensor):
    """Keras' categorical cross-entropy of shares, cut off before the logarithm."""
    return -(hot * shares.clamp(1e-7, 1 - 1e-7).log()).sum(-1).mean()


def tiny_pictures():
    """CIFAR-10 with fully connected layers, softmax in forward()."""
    x = torch.randn(N, 3, 8, 8)
    return network(192, 10, nn.Softmax(dim=1)), nn.CrossEntropyLoss(), x, kinds(x, 10)


wrong("cifar: softmax, then cross-entropy", "softmax_before_cross_entropy|activation_twice", "GiorgiaD/PEPITA#1")(
    tiny_pictures
)


def toy_points(softmax: bool):
    """Eight points of the plane, one output unit, Keras' first example."""
    x = torch.rand(8, 2)
    body = [nn.Linear(2, 64), nn.Tanh(), nn.Dropout(0.5), nn.Linear(64, 64), nn.Tanh(), nn.Dropout(0.5)]
    end = nn.Softmax(dim=1) if softmax else nn.Sigmoid()
    loss = nn.MSELoss() if softmax else nn.BCELoss()
    return nn.Sequential(*body, nn.Linear(64, 1), end), loss, x, (x.sum(1, True) > x.sum(1).median()).float()


wrong("points: softmax of one unit", "softmax_over_one_output", "keras-team/keras#126")(lambda: toy_points(True))
right("points: sigmoid of one unit", "keras-team/keras#126")(lambda: toy_points(False))


def houses(column: bool):
    """Prices of houses, predictions [N, 1] against prices [N] or [N, 1]."""
    x = inputs(8)
    y = 2 + scores(x) + 0.1 * torch.randn(N, 1)
    return mlp(1), nn.MSELoss(), x, y if column else y[:, 0]


wrong("houses: column against row", "shapes_broadcast", "pytorch/pytorch#18349")(lambda: houses(False))
right("houses: column against column", "pytorch/pytorch#18349")(lambda: houses(True))


def proteins():
    """Functions of a protein: sigmoid in the network and in the loss."""
    x = inputs(8)
    return mlp(5, nn.Sigmoid()), nn.BCEWithLogitsLoss(), x, yes(x, 5)


wrong("proteins: sigmoid twice", "sigmoid_before_bce_logits|activation_twice", "cansyl/DEEPred#5")(proteins)


def credit():
    """Credit risk of customers, class numbers read as a column."""
    x = inputs(24)
    return nn.Linear(24, 2), nn.CrossEntropyLoss(), x, kinds(x, 2)[:, None]


wrong("credit: class numbers as a column", "shapes_differ", "zergtant/pytorch-handbook#37")(credit)


def topics(softmax: bool):
    """Several topics of an article: softmax and categorical cross-entropy, or independent answers."""
    x = inputs(8)
    hot = yes(x, 6)
    if softmax:
        return mlp(6, nn.Softmax(dim=1)), categorical, x, hot
    return mlp(6, nn.Sigmoid()), nn.BCELoss(), x, hot


wrong("topics: softmax for several labels", "softmax_for_independent_labels", "keras-team/keras#2166")(
    lambda: topics(True)
)
right("topics: an answer per label", "keras-team/keras#2166")(lambda: topics(False))


def scans(single: bool):
    """Healthy or ill from a small grey picture: one output or two for a cross-entropy."""
    x = torch.rand(N, 1, 12, 12)
    ill = yes(x)
    return convolution(1, 1 if single else 2), nn.CrossEntropyLoss(), x, ill if single else ill[:, 0].long()


wrong("scans: cross-entropy of one output", "one_column_cross_entropy|softmax_over_one_output", "APPFL/APPFL#60")(
    lambda: scans(True)
)
right("scans: cross-entropy of two outputs", "APPFL/APPFL#60")(lambda: scans(False))


def ratings(scaled: bool):
    """Numbers of 0 to 1000 from a network that ends in a sigmoid."""
    x = inputs(8)
    y = (500 + 200 * scores(x)).clamp(0, 1000)
    return mlp(1, nn.Sigmoid(), hidden=nn.Tanh), nn.MSELoss(), x, y / 1000 if scaled else y


wrong("ratings: sigmoid against hundreds", "range_cannot_reach_targets", "keras-team/keras#2399")(
    lambda: ratings(False)
)
right("ratings: targets scaled to 0..1", "keras-team/keras#2399")(lambda: ratings(True))


def faces():
    """Identities of faces, counted from 1."""
    x = torch.rand(N, 1, 16, 16)
    return convolution(1, 20), nn.CrossEntropyLoss(), x, kinds(x, 20) + 1


wrong("faces: counted from 1", "class_index_out_of_range", "AlfredXiangWu/LightCNN#5")(faces)


def digits_logistic():
    """Logistic regression of ten digits: sigmoid of each score, then cross-entropy with one-hot targets."""
    x = inputs(64)
    model = nn.Sequential(nn.Linear(64, 10), nn.Sigmoid())
    return model, F.cross_entropy, x, F.one_hot(kinds(x, 10), 10).float()


wrong(
    "logistic: sigmoid, then cross-entropy",
    "sigmoid_before_cross_entropy|activation_twice",
    "opendataval/opendataval#25",
)(digits_logistic)


def standardised():
    """A standardised measurement, ReLU after the last layer as after the others."""
    x = inputs(8)
    return mlp(1, nn.ReLU()), nn.MSELoss(), x, scores(x)


wrong("measurement: ReLU at the end", "range_cannot_reach_targets", "recalled")(standardised)


def signs(zero: bool):
    """Two classes written as -1 and 1 (or 0 and 1) for a binary cross-entropy."""
    x = inputs(8)
    y = yes(x)
    return mlp(1), nn.BCEWithLogitsLoss(), x, y if zero else 2 * y - 1


wrong("signs: -1 and 1", "targets_outside_unit_range", "datascience.stackexchange.com/questions/52144")(
    lambda: signs(False)
)
right("signs: 0 and 1", "datascience.stackexchange.com/questions/52144")(lambda: signs(True))


def federated(logarithm: bool):
    """A perceptron for handwritten digits with NLLLoss."""
    x = torch.randn(N, 1, 8, 8)
    end = nn.LogSoftmax(dim=1) if logarithm else nn.Softmax(dim=1)
    return network(64, 10, end, drop=True), nn.NLLLoss(), x, kinds(x, 10)


wrong("mlp: NLLLoss of shares", "nll_on_probabilities", "AshwinRJ/Federated-Learning-PyTorch#30")(
    lambda: federated(False)
)
right("mlp: NLLLoss of log-shares", "AshwinRJ/Federated-Learning-PyTorch#30")(lambda: federated(True))


def fashion():
    """Pieces of clothing, log-softmax over the first axis."""
    x = torch.randn(N, 1, 8, 8)
    return network(64, 10, nn.LogSoftmax(dim=0)), nn.NLLLoss(), x, kinds(x, 10)


wrong("fashion: log-softmax over the batch", "softmax_wrong_axis", "recalled")(fashion)


def handwriting(careful: bool):
    """Softmax regression on pixels 0..255 and an own cross-entropy; or on 0..1 and cut off before the logarithm."""
    x = torch.randint(0, 256, (N, 784)).float() * (torch.rand(N, 784) < 0.4)
    hot = F.one_hot(kinds(x, 10), 10).float()
    model = nn.Sequential(nn.Linear(784, 10), nn.Softmax(dim=1))
    if careful:
        return model, lambda out, y: -(y * out.clamp(1e-10, 1.0).log()).mean() * 1000, x / 255, hot
    return model, lambda out, y: -(y * out.log()).mean() * 1000, x, hot


wrong("handwriting: log of 0", "loss_not_finite|unstable_formula", "GoogleCloudPlatform/tensorflow-without-a-phd#39")(
    lambda: handwriting(False)
)
right("handwriting: cut off before the log", "GoogleCloudPlatform/tensorflow-without-a-phd#39")(
    lambda: handwriting(True)
)


def generated():
    """A generated two-class table, labels flattened on their way."""
    x = inputs(20)
    return nn.Linear(20, 1), nn.BCEWithLogitsLoss(), x, yes(x)[:, 0]


wrong("table: labels [N] for [N, 1]", "shapes_differ", "skorch-dev/skorch#137")(generated)


@right("quickstart: pictures, raw outputs", "pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html")
def quickstart():
    """Clothing in grey pictures 0..1, two hidden layers, raw outputs."""
    x = torch.rand(N, 1, 12, 12)
    layers = [nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers), nn.CrossEntropyLoss(), x, kinds(x, 10)


@right("diabetes: sigmoid and BCELoss", "machinelearningmastery.com/develop-your-first-neural-network-with-pytorch")
def diabetes():
    """Eight measurements as they come to ill or not."""
    x = torch.rand(N, 8) * torch.tensor([10.0, 150, 90, 40, 150, 40, 1, 60])
    layers = [nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()]
    return nn.Sequential(*layers), nn.BCELoss(), x, yes(x)


@right("iris: balanced class weights", "recalled")
def iris():
    """Three kinds of flowers, rarer ones weigh more: N / (classes * count)."""
    x = inputs(4)
    y = kinds(x, 3)
    weight = N / (3 * torch.bincount(y, minlength=3).clamp(min=1).float())
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), nn.CrossEntropyLoss(weight), x, y


@right("tags: rare labels with pos_weight", "recalled")
def tags():
    """Rare tags of a picture, weight of the positive ones: negatives / positives."""
    x = torch.rand(N, 3, 12, 12)
    hidden = scores(x, 6)
    y = (hidden >= hidden.topk(4, 0).values[-1]).float()
    return convolution(3, 6), nn.BCEWithLogitsLoss(pos_weight=(N - y.sum(0)) / y.sum(0)), x, y


@right("california: squeezed outputs, Huber", "recalled")
def california():
    """House values in 100,000 dollars, outputs squeezed to [N]."""
    x = inputs(8)
    return Then(mlp(1), lambda out: out.squeeze(-1)), nn.HuberLoss(), x, (2 + scores(x)[:, 0]).clamp(0.15, 5)


@right("counts: Poisson loss of log-rates", "pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html")
def counts():
    """Counts of events from a table, the network gives the logarithm of the rate."""
    x = inputs(8)
    return mlp(1), nn.PoissonNLLLoss(log_input=True), x, torch.poisson((0.7 * scores(x) + 1).exp())


@right("quantiles: three outputs for one number", "recalled")
def quantiles():
    """The tenth, half and ninth tenth of a number: the target [N, 1] is meant to spread over three outputs."""
    x, levels = inputs(8), torch.tensor([0.1, 0.5, 0.9])

    def pinball(out: Tensor, y: Tensor):
        error = y - out
        return torch.max(levels * error, (levels - 1) * error).mean()

    return mlp(3), pinball, x, scores(x) + 0.3 * torch.randn(N, 1)


@right("margin: hinge loss with -1 and 1", "recalled")
def margin():
    """A linear support vector machine: labels -1/1, raw output, a small penalty on the weights."""
    x = inputs(8)
    model = nn.Linear(8, 1)
    return model, lambda out, y: (1 - y * out).clamp(min=0).mean() + 0.01 * model.weight.pow(2).sum(), x, 2 * yes(x) - 1
