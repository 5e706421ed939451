"""A loss by hand is judged as torch's own, however it is written and in whatever the numbers are packed."""

import pytest
import torch
from doctor_exam.parts import N, Then, classes, inputs, labels, mlp
from doctor_exam.principle import holds, seeded
from doctor_exam.round_parts import Part
from torch import Tensor, nn
from torch.nn import functional as F


def picked(z: Tensor, y: Tensor) -> Tensor:
    return -z.log_softmax(1).gather(1, y[:, None]).mean()


def one_hot(z: Tensor, y: Tensor) -> Tensor:
    return -(F.one_hot(y, 4) * F.log_softmax(z, 1)).sum() / len(z)


def less_the_true_one(z: Tensor, y: Tensor) -> Tensor:
    return (torch.logsumexp(z, 1) - z[torch.arange(len(z)), y]).mean()


def one_by_one(z: Tensor, y: Tensor) -> Tensor:
    return sum(torch.logsumexp(row, 0) - row[k] for row, k in zip(z, y, strict=True)) / len(z)


def focal(z: Tensor, y: Tensor) -> Tensor:
    log = z.log_softmax(1).gather(1, y[:, None])
    return (-((1 - log.exp()) ** 2) * log).mean()


CLASSES = [picked, one_hot, less_the_true_one, one_by_one, focal]
YES_OR_NO = {
    "softplus": lambda z, y: (F.softplus(z) - y * z).mean(),
    "both halves": lambda z, y: -(y * F.logsigmoid(z) + (1 - y) * F.logsigmoid(-z)).mean(),
    "the stable form": lambda z, y: (z.clamp(min=0) - z * y + torch.log1p((-z.abs()).exp())).sum() / z.numel(),
    "a focal loss": lambda z, y: (
        y * (1 - z.sigmoid()) ** 2 * F.softplus(-z) + (1 - y) * z.sigmoid() ** 2 * F.softplus(z)
    ).mean(),
}


@pytest.mark.parametrize("loss", CLASSES)
def test_shares_of_classes_do_not_go_into_a_loss_on_scores(loss):
    right = (mlp(4), loss, inputs(), classes(4))
    wrong = (Then(mlp(4), lambda z: z.softmax(1)), *right[1:])
    holds("softmax_before_cross_entropy", lambda: wrong, lambda: right)


@pytest.mark.parametrize("name", YES_OR_NO)
def test_shares_of_yes_do_not_go_into_a_loss_on_scores(name):
    wrong, right = (seeded(lambda end=end: (Then(mlp(3), end), YES_OR_NO[name], inputs(), labels(3))) for end in (
        torch.sigmoid, lambda z: z))  # fmt: skip
    assert {"sigmoid_before_bce_logits", "activation_twice"} & {f.code for f in wrong.findings}, str(wrong)
    assert right.ok, str(right)


@pytest.mark.parametrize("error", [lambda d: (d**2).mean(), lambda d: torch.dot(d[:, 0], d[:, 0]) / N,
                                   lambda d: d.abs().sum() / N], ids=["squared", "dot", "absolute"])  # fmt: skip
def test_a_relu_cannot_reach_what_is_below_zero(error):
    y = torch.randn(N, 1)
    holds("range_cannot_reach_targets", *(lambda end=end: (Then(mlp(1), end), lambda z, y: error(z - y), inputs(), y)
                                          for end in (torch.relu, lambda z: z)))  # fmt: skip


PACKED = {
    "a dictionary of outputs": lambda m, f, x, y: (
        Then(m, lambda z: {"logits": z}),
        lambda o, y: f(o["logits"], y),
        x,
        y,
    ),
    "a tuple of outputs": lambda m, f, x, y: (Then(m, lambda z: (z, None)), lambda o, y: f(o[0], y), x, y),
    "a dictionary of targets": lambda m, f, x, y: (m, lambda o, t: f(o, t["label"]), x, {"label": y}),
    "a list of targets": lambda m, f, x, y: (m, lambda o, t: f(o, t[0]), x, [y]),
}


@pytest.mark.parametrize("name", PACKED)
def test_one_tensor_in_a_nest_is_judged_as_the_tensor(name):
    def overlap(z: Tensor, y: Tensor) -> Tensor:
        p = z.sigmoid()
        return 2 * (p * y).sum() / (p.sum() + y.sum() + 1)

    holds("better_outputs_cost_more", *(lambda loss=loss: PACKED[name](mlp(3), loss, inputs(), labels(3)) for loss in (
        overlap, lambda z, y: 1 - overlap(z, y))))  # fmt: skip


def heads(own: bool):
    """Two answers from one last layer, or from two."""
    second = nn.Linear(16, 3)
    return (Part(lambda self, x: (self.first(self.body(x)), (self.second if own else self.first)(self.body(x))),
                 body=Then(mlp(16), torch.relu), first=nn.Linear(16, 3), **({"second": second} if own else {})),
            lambda o, y: F.cross_entropy(o[0], y[0]) + F.cross_entropy(o[1], y[1]), inputs(),
            (classes(3), classes(3)))  # fmt: skip


def held(listed: bool):
    """A weight that is moved before it becomes a parameter, or after."""
    model = Part(lambda self, x: self.net(x) * self.scale, net=mlp(4))
    model.scale = nn.Parameter(torch.ones(4)) if listed else nn.Parameter(torch.ones(4)) * 1
    return model, nn.CrossEntropyLoss(), inputs(), classes(4)


OTHERS = {
    "two outputs have two last layers": ("units_all_alike", lambda: heads(False), lambda: heads(True)),
    "a parameter is not moved any more": ("unregistered_parameter", lambda: held(False), lambda: held(True)),
    "a gate has one sigmoid": ("activation_twice", *(lambda gate=gate: (Part(
        lambda self, x: self.out(self.a(x).relu() * gate(self.b(x))), a=nn.Linear(8, 16), b=nn.Linear(8, 16),
        out=nn.Linear(16, 4)), nn.CrossEntropyLoss(), inputs(), classes(4)) for gate in (
            lambda z: z.sigmoid().view(-1, 16).sigmoid(), torch.sigmoid))),
    "weights of classes are on the losses": ("wrong_formula", lambda: (mlp(3), lambda z, y: F.cross_entropy(
        z * torch.tensor([1.0, 2.0, 5.0]), y), inputs(), classes(3)), lambda: (mlp(3), lambda z, y: F.cross_entropy(
            z * 2.0, y), inputs(), classes(3))),
    "a raw score is no share when it is clamped": ("logarithm_of_raw_outputs", *(lambda end=end: (Then(
        mlp(3), end), lambda p, y: F.nll_loss(p.clamp(1e-7, 1).log(), y), inputs(), classes(3)) for end in (
            lambda z: z, lambda z: z.softmax(1)))),
    "whole numbers may be yes and no": ("better_outputs_cost_more", *(lambda sign=sign: (Then(
        mlp(1), lambda z: z.sigmoid()[:, 0]), lambda p, y: sign * (2 * (p * y).sum() / (p.sum() + y.sum() + 1)),
        inputs(), classes(2)) for sign in (1, -1))),
    "all places of a sequence count": ("wrong_formula", *(lambda every=every: (Then(mlp(9 * 4), lambda z: z.view(
        -1, 9, 4)), lambda z, y: sum(F.cross_entropy(z[:, t], y[:, t]) for t in range(0 if every else 8, 9)), inputs(),
        classes(4, 9)) for every in (False, True))),
    "a sure and right answer is bearable": ("unstable_formula", *(lambda least=least: (mlp(4), lambda z, y: (
        (1 - torch.exp(-(cost := F.cross_entropy(z, y, reduction="none"))) + least) ** 0.5 * cost).mean(), inputs(),
        classes(4)) for least in (0.0, 1e-6))),
    "what is summed up from distances is never negative": ("relu_before_activation", *(lambda out=out: (Part(
        lambda self, x: out(self, (self.a(x[:, :4]) - self.a(x[:, 4:])).abs()).sigmoid(), a=nn.Linear(4, 6),
        last=nn.Linear(6, 1)), nn.BCELoss(), inputs(), labels(1)) for out in (
            lambda self, d: d.sum(1, keepdim=True), lambda self, d: self.last(d)))),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_the_wrong_one_is_named_and_its_right_neighbour_left_alone(name):
    holds(*OTHERS[name])


def unlike_words(shift: int):
    """A text whose next word is asked for, by a formula that shifts it."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        log, true = z[:, : -1 - shift].log_softmax(-1), y[:, 1 + shift :]
        return -log.gather(-1, true[..., None]).mean()

    words = classes(50, 9)
    return Part(lambda self, x: self.out(self.embed(x)), embed=nn.Embedding(50, 16), out=nn.Linear(16, 50)), loss, (
        words), words  # fmt: skip


def weighed(mean_first: bool):
    """A focal loss by hand, of each sample or of the mean of all."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        each = picked(z, y) if mean_first else -z.log_softmax(1).gather(1, y[:, None])
        return ((1 - (-each).exp()) ** 2 * each).mean()

    return mlp(4), loss, inputs(), classes(4)


def beside(high: float):
    """A binary cross-entropy by hand, with a minus before it and another term behind it."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        p = z.sigmoid().clamp(1e-6, 1 - 1e-6)
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean() + 1e-3 * z.square().mean().sqrt()

    return mlp(3), loss, inputs(), high * torch.rand(N, 3)


def test_a_loss_may_begin_anywhere_in_the_formula():
    holds("labels_shifted_twice", lambda: unlike_words(1), lambda: unlike_words(0))
    holds("focal_after_mean", lambda: weighed(True), lambda: weighed(False))
    holds("targets_outside_unit_range", lambda: beside(3.0), lambda: beside(1.0))
