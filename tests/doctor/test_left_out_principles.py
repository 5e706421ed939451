"""Principles of what is left out or cancels out: one wrong instance is named, its right neighbour left alone."""

import pytest
import torch
from doctor_exam.parts import N, Then, classes, inputs, labels, mlp
from doctor_exam.principle import holds, seeded
from doctor_exam.round_parts import Part
from doctor_exam.unseen_wrong import mask_head
from torch import nn
from torch.autograd import Variable
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

CE = nn.CrossEntropyLoss()


def yes_and_no(activation: nn.Module):
    """Two planes, one for yes and one for no, each by the logarithm of its own."""
    return (mask_head(activation, channels=2), lambda p, y: -(p.clamp(1e-9, 1).log() * torch.cat([y, 1 - y], 1)).mean(),
            inputs(3, 6, 6), labels(1, 6, 6))  # fmt: skip


def by_class(numbers):
    """A likelihood of pixels, class by class."""
    return (mask_head(nn.Softmax(1), channels=3), lambda p, y: -sum(
        ((y == k) * p[:, k].clamp(1e-6).log()).mean() for k in numbers), inputs(3, 6, 6), classes(3, 6, 6))  # fmt: skip


def several(weigh):
    """Several labels at once, and the logarithms of a softmax."""
    return mlp(6), lambda out, y: -(out.log_softmax(1) * weigh(y)).sum(1).mean(), inputs(), labels(6)


def taught(match_teacher: bool, loss):
    """Features of a student and of a teacher, one of which goes through a learnt layer."""

    def forward(self, x):
        theirs = self.teacher(x)
        return (self.student(x), self.match(theirs)) if match_teacher else (self.match(self.student(x)), theirs)

    ends = (6, 4) if match_teacher else (4, 6)
    parts = {"student": nn.Linear(8, 4), "teacher": nn.Linear(8, 6).requires_grad_(False), "match": nn.Linear(*ends)}
    return Part(forward, **parts), loss, inputs(), None


def largest(*ends: nn.Module):
    """Is there one among the parts of a sample? The largest score of all says it."""
    return (Part(lambda self, x: self.net(x)[..., 0].amax(1), net=nn.Sequential(nn.Linear(8, 1), *ends)),
            nn.BCEWithLogitsLoss(), torch.randn(N, 6, 8), labels(1)[:, 0])  # fmt: skip


def doubled(own: type[torch.autograd.Function]):
    """An error whose slope was written by hand, with a sum inside it."""
    return mlp(3), lambda out, y: own.apply(out, y), inputs(), torch.randn(N, 3)


class ByHand(torch.autograd.Function):
    """The mean of squares and a little, with its slope."""

    @staticmethod
    def forward(ctx, out, y):
        """Return the error."""
        ctx.save_for_backward(out - y)
        return ((out - y) ** 2).mean() + 1e-6

    @staticmethod
    def backward(ctx, gradient):
        """Return the slope."""
        (off,) = ctx.saved_tensors
        return gradient * 2 * off / off.numel(), None


class Upwards(ByHand):
    """The same with the sign of the slope turned."""

    forward = staticmethod(ByHand.forward)

    @staticmethod
    def backward(ctx, gradient):
        """Return minus the slope."""
        (off,) = ctx.saved_tensors
        return -gradient * 2 * off / off.numel(), None


def of_one_class(share):
    """Members of a class together; the largest likeness may be taken off before the exponential only."""

    def loss(z, y):
        likeness, same = z @ z.T, (y[:, None] == y).float()
        largest = likeness.amax(1, keepdim=True).detach()
        log_p = likeness - largest * share - (likeness - largest).exp().sum(1, keepdim=True).log()
        return -((same * log_p).sum(1) / same.sum(1)).mean()

    return mlp(6), loss, inputs(), torch.arange(N) % 4


def neighbours(sign: int):
    """Rows that are near each other, and some drawn at random."""

    def loss(z, places):
        own, near, others = (z[place] for place in places)
        return -sign * ((own * near).sum(1) - (own @ others.T).logsumexp(1)).mean()

    return mlp(6), loss, inputs(), (torch.arange(N), torch.arange(N).roll(1), torch.randint(0, N, (5,)))


def boxes(empty):
    """Four numbers of a box and, packed beside them, whether there is one."""
    return mlp(5), lambda z, y: F.l1_loss(z[:, :4], y[:, :4]) + torch.where(y[:, 4] > 0, F.softplus(-z[:, 4]), empty(
        z[:, 4])).mean(), inputs(), torch.randn(N, 5)  # fmt: skip


def doubts(cost):
    """One of several, and how far the share of the truth is from one."""
    return (mlp(5), lambda z, y: cost(1 - (-F.cross_entropy(z, y, reduction="none")).exp()).mean(), inputs(),
            classes(5))  # fmt: skip


def counted(cost):
    """Whole numbers, above and below zero, as values."""
    return mlp(4), lambda z, y: cost(z - y).mean(), inputs(), torch.randint(-9, 9, (N, 4))


def quantiles(above, below):
    """Three quantiles, each with its weights of what lies above and below."""
    return mlp(3), lambda z, y: torch.maximum(above() * (y - z), -below() * (y - z)).mean(), inputs(), torch.randn(N, 1)


def kinds(sign):
    """Members of a class are drawn together among all others; the classes are numbers with a point."""

    def loss(z, y):
        alike, own = F.normalize(z, dim=1) @ F.normalize(z, dim=1).T / 0.5, torch.eye(N).bool()
        same = ((y[:, None] == y) & ~own).float()
        return -sign * ((alike.masked_fill(own, -1e9).log_softmax(1) * same).sum(1) / same.sum(1)).mean()

    return mlp(6), loss, inputs(), (torch.arange(N) % 4).float()


def also(beside, loss, **parts):
    """Yes or no, and something else that the model returns."""
    return (Part(lambda self, x: (self.net(x), beside(self, x)), net=mlp(1), **parts), loss, inputs(), labels(1))


def squares(self, x):
    """The weights' squares, one number for all."""
    return sum(weight.square().sum() for weight in self.net.parameters())


def yes(z, y, swapped=False):
    """A cross-entropy of yes and no by hand, the right or the wrong way round."""
    return -(F.logsigmoid(-z if swapped else z) * y + F.logsigmoid(z if swapped else -z) * (1 - y)).mean()


LEVELS = torch.tensor([0.1, 0.5, 0.9])


def overlaps(numbers):
    """Pixels of four classes by the overlaps of some of them."""

    def loss(z, y):
        p, t = z.softmax(1), F.one_hot(y, 4).movedim(-1, 1)
        return 1 - sum(2 * (p * t)[:, k].sum() / (p + t)[:, k].sum() for k in numbers) / len(numbers)

    return mask_head(channels=4), loss, inputs(3, 6, 6), classes(4, 6, 6)


def smoothed(scores):
    """Smoothed labels that are scattered into a table."""

    def loss(z, y):
        return -(torch.full_like(z, 0.02).scatter_(1, y[:, None], 0.9) * scores(z)).sum(1).mean()

    return mlp(6), loss, inputs(), classes(6)


def hard(share):
    """A focal loss of the forums, whose factor stands in a Variable."""

    def loss(z, y):
        log_p = z.log_softmax(1).gather(1, y[:, None])
        return -((1 - Variable(share(log_p.data))) ** 2 * log_p).mean()

    return mlp(6), loss, inputs(), classes(6)


def of_two(weigh):
    """Two losses, each weighed by a parameter that the model hands out."""
    model = Part(lambda self, x: (*self.net(x).split(3, 1), self.sizes), net=mlp(6))
    model.sizes = nn.Parameter(torch.ones(2))
    return model, lambda o, y: weigh(o[2][0], CE(o[0], y)) + weigh(o[2][1], CE(o[1], y)), inputs(), classes(3)


def colours(channels: int):
    """The overlap of one channel with masks that were read as pictures of several."""

    def loss(p, y):
        return 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)

    return mask_head(nn.Sigmoid()), loss, inputs(3, 6, 6), labels(1, 6, 6).repeat(1, channels, 1, 1)


def left_open(mean):
    """Yes or no for each pixel but those that are marked with another number."""
    y = torch.where(torch.rand(N, 1, 6, 6) < 0.3, 9.0, labels(1, 6, 6))
    return (mask_head(), lambda z, y: mean(F.binary_cross_entropy_with_logits(z, y, reduction="none"), (y < 2).float()),
            inputs(3, 6, 6), y)  # fmt: skip


def found(number: int):
    """Two kinds of things, and where those of the second kind are."""
    kind = number * (torch.arange(N) % 2)
    model = Part(lambda self, x: (self.kind(x), self.place(x)), kind=mlp(2), place=mlp(3))
    return (model, lambda o, y: CE(o[0], y[0]) + (o[1] - y[1])[y[0] > 0].abs().sum() / N,
            inputs() + kind[:, None], (kind, torch.randn(N, 3)))  # fmt: skip


def both(cost, echoed=False):
    """Two inputs, what a network says of each, and what it costs; or the second input as it came."""
    return (Part(lambda self, a, b: (self.net(a), b if echoed else self.net(b)), net=mlp(4)), cost,
            (inputs(), inputs()), classes(4))  # fmt: skip


def sure_alone(out, y):
    """Learn from the labelled ones, and from the others where a network is sure, which a fresh one is not."""
    chance, guess = out[1].detach().softmax(1).max(1)
    return CE(out[0], y) + (F.cross_entropy(out[1], guess, reduction="none") * (chance > 0.95)).mean()


def preferred(cost):
    """Scores of two answers, and by how much one is the better one."""
    return (Part(lambda self, a, b: (self.net(a), self.net(b)), net=mlp(1)), cost, (inputs(), inputs()),
            torch.rand(N, 1))  # fmt: skip


def moved(kept: bool):
    """Actions and what they brought; beside them the states, those that the network sees or others."""
    x = inputs()
    return (mlp(4), lambda q, t: F.smooth_l1_loss(q.gather(1, t[1][:, None])[:, 0], t[2]), x,
            (x if kept else inputs(), classes(4), torch.randn(N)))  # fmt: skip


PRINCIPLES = {
    "one channel meets one mask": ("shapes_broadcast", lambda: colours(3), lambda: colours(1)),
    "what is left open is not counted, whatever number marks it": (
        "mean_over_padding", lambda: left_open(lambda each, kept: (each * kept).mean()),
        lambda: left_open(lambda each, kept: (each * kept).sum() / kept.sum())),
    "somebody is of the kind that is asked for": ("one_class_only", lambda: found(0), lambda: found(1)),
    "a level weighs what lies above it, though one minus the level is at hand": (
        "wrong_formula", lambda: quantiles(lambda: 1 - LEVELS, lambda: LEVELS),
        lambda: quantiles(lambda: LEVELS, lambda: 1 - LEVELS)),
    "members of a class are near, however classes are numbered": (
        "better_outputs_cost_more", lambda: kinds(-1), lambda: kinds(1)),
    "a term of its own hides no other": (
        "better_outputs_cost_more", lambda: also(squares, lambda o, y: yes(o[0], y, True) + 1e-4 * o[1]),
        lambda: also(squares, lambda o, y: yes(o[0], y) + 1e-4 * o[1])),
    "a weight of one for each sample is no target": (
        "better_outputs_cost_more", *(lambda w=w: (mlp(1), lambda z, y: yes(z, y[0], w) * y[1].mean(), inputs(), (
            labels(1), torch.ones(N))) for w in (1, 0))),
    "a loss bears a model that is sure, whatever is packed beside its scores": (
        "unstable_formula", lambda: boxes(lambda z: -(1 - z.sigmoid()).log()), lambda: boxes(F.softplus)),
    "however the share of the truth is taken": (
        "unstable_formula", lambda: doubts(torch.sqrt), lambda: doubts(torch.square)),
    "whole numbers are values, too": ("wrong_formula", lambda: counted(lambda d: d**3), lambda: counted(torch.abs)),
    "no side of the targets is free": ("wrong_formula", lambda: counted(torch.relu), lambda: counted(torch.square)),
    "no class is taken for another one at no cost": (
        "wrong_formula", lambda: overlaps((1,)), lambda: overlaps((1, 2, 3))),
    "a class of weight 0 is left out": (
        "ignored_class", lambda: (mlp(3), nn.CrossEntropyLoss(torch.tensor([0.0, 1, 1])), inputs(), classes(3)),
        lambda: (mlp(3), nn.CrossEntropyLoss(torch.tensor([0.5, 1, 1])), inputs(), classes(3))),
    "scattered labels are labels": (
        "unnormalised_likelihood", lambda: smoothed(lambda z: z), lambda: smoothed(lambda z: z.log_softmax(1))),
    "a Variable comes from where its numbers lie": (
        "wrong_formula", lambda: hard(lambda log_p: log_p), lambda: hard(torch.exp)),
    "a weight that the model hands out is a weight": (
        "logarithm_of_raw_outputs", lambda: of_two(lambda s, each: each / s**2 + s.log()),
        lambda: of_two(lambda s, each: each * (-s).exp() + s)),
    "labels are not the model's own guess": (
        "unused_target", lambda: (mlp(6), lambda z, y: CE(z, z.max(1)[1]), inputs(), classes(6)),
        lambda: (mlp(6), lambda z, y: CE(z, y), inputs(), classes(6))),
    "labels that are true at once share no whole, in logarithms either": (
        "softmax_for_independent_labels",
        lambda: (mlp(4, nn.LogSoftmax(1)), nn.KLDivLoss(reduction="batchmean"), inputs(), labels(4).round()),
        lambda: (mlp(4, nn.LogSoftmax(1)), nn.KLDivLoss(reduction="batchmean"), inputs(), labels(4).softmax(1))),
    "sums inside a function with a slope by hand carry no gradient": (
        "wrong_formula", lambda: doubled(Upwards), lambda: doubled(ByHand)),
    "a likelihood is at most one": ("unbounded_loss", lambda: of_one_class(0), lambda: of_one_class(1)),
    "who knows nothing is not rewarded for being sure": (
        "wrong_formula", lambda: neighbours(-1), lambda: neighbours(1)),
    "the largest of many scores can say no": (
        "relu_before_bce_logits", lambda: largest(nn.ReLU()), largest),
    "no single answer is the best for all": (
        "wrong_formula", lambda: yes_and_no(nn.ReLU()), lambda: yes_and_no(nn.Softmax(1))),
    "each class that occurs has a part": (
        "wrong_formula", lambda: by_class((0, 1)), lambda: by_class((0, 1, 2))),
    "labels that are true at once do not share a whole": (
        "softmax_for_independent_labels", lambda: several(lambda y: y),
        lambda: several(lambda y: y / y.sum(1, keepdim=True).clamp(min=1))),
    "one of two that are compared stands still": (
        "gradient_into_target", lambda: taught(True, lambda o, _: F.mse_loss(*o)),
        lambda: taught(False, lambda o, _: F.mse_loss(*o))),
    "whichever distance it is": (
        "gradient_into_target", lambda: taught(True, lambda o, _: (1 - F.cosine_similarity(*o)).mean()),
        lambda: taught(False, lambda o, _: (F.normalize(o[0]) - F.normalize(o[1])).square().sum(1).mean())),
    "an input that comes back as it was is not used": (
        "unused_input", lambda: both(lambda o, y: CE(o[0], y), echoed=True), lambda: both(sure_alone)),
    "of two scores only what lies between them counts": (
        "wrong_formula", lambda: preferred(lambda o, y: -(y * F.logsigmoid(o[0] + o[1])).mean()),
        lambda: preferred(lambda o, y: -F.logsigmoid(o[0] - o[1] - y).mean())),
    "a batch may be handed over whole": ("unused_target", lambda: moved(False), lambda: moved(True)),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINCIPLES)
def test_the_wrong_one_is_named_and_its_right_neighbour_left_alone(name):
    holds(*PRINCIPLES[name])


RIGHT = {
    "a map on which nothing was found this time": lambda: (
        Part(lambda self, x: torch.cat([self.near(x), self.far(x)], 1), near=mlp(12), far=mlp(4)),
        lambda z, y: ((z - y[0]) * y[1]).abs().sum() / N, inputs(),
        (torch.randn(N, 16), labels(16) * (torch.arange(16) < 12))),
    "a weight is returned and drawn to its goal": lambda: also(
        lambda self, x: self.side, lambda o, y: yes(o[0], y) + F.mse_loss(o[1], torch.tensor([2.0, 5.0])),
        side=nn.Parameter(torch.randn(2))),
    "one of several answers is enough": lambda: (
        mlp(6), lambda out, y: -((out.softmax(1) * y).sum(1) + 1e-6).log().mean(), inputs(), labels(6)),
    "outputs that are small on purpose": lambda: (
        Part(lambda self, x: 1e-6 * self.net(x), net=mlp(3)), CE, inputs(), classes(3)),
    "two that agree and must not collapse": lambda: (
        Part(lambda self, x: (self.one(x), self.other(x)), one=mlp(4), other=mlp(4)),
        lambda o, _: F.mse_loss(*o) + sum((1 - z.std(0)).relu().mean() for z in o), inputs(), None),
    "some that are yes, and many of which nothing is known": lambda: (
        mlp(1), lambda z, y: (lambda yes, rest: yes + rest if rest > 0 else yes - rest)(
            0.4 * torch.sigmoid(-z[y == 1]).mean(),
            z[y < 1].sigmoid().mean() - 0.4 * z[y == 1].sigmoid().mean()), inputs(), 2 * classes(2)[:, None] - 1),
    "the mean F-score of the classes": lambda: (
        mlp(4), lambda z, y: 1 - (lambda p, t: 2 * (p * t).sum(0) / (p + t).sum(0))(
            z.softmax(1), F.one_hot(y, 4)).mean(), inputs(), classes(4)),
    "rare labels and raw outputs that happen to lie between 0 and 1": lambda: (
        nn.Conv2d(1, 1, 1), nn.BCEWithLogitsLoss(), 0.1 * torch.rand(N, 1, 4, 4), (torch.rand(N, 1, 4, 4) < 0.2) * 1.0),
    "a heat map that its network keeps off the ends": lambda: (
        Then(mlp(6), lambda z: z.sigmoid().clamp(1e-4, 1 - 1e-4)), lambda p, y: -torch.where(
            y == 1, (1 - p) ** 2 * p.log(), (1 - y) ** 4 * p**2 * (1 - p).log()).mean(), inputs(), labels(6)),
    "an error in variances of a few targets": lambda: (
        mlp(1), lambda out, y: F.mse_loss(out, y) / y.var(), inputs()[:5], torch.randn(5, 1)),
    "a divergence within what is free": lambda: (
        Part(lambda self, x: (lambda q, p: (self.out(q.rsample()), kl_divergence(q, p)))(
            Normal(self.code(x), 1.0), Normal(self.before(x), 1.0)), code=mlp(4), before=mlp(4), out=nn.Linear(4, 3)),
        lambda o, y: F.mse_loss(o[0], y) + o[1].mean().clamp(min=1), inputs(), torch.randn(N, 3)),
    "a hinge without a margin": lambda: (
        mlp(1), lambda out, y: (-out * y).relu().mean(), inputs(), 2 * labels(1) - 1),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_unusual_right_ones_are_left_alone(name):
    assert seeded(RIGHT[name]).ok, str(seeded(RIGHT[name]))
