"""Principles of what is left out or cancels out: one wrong instance is named, its right neighbour left alone."""

import pytest
import torch
from doctor_exam.parts import classes, inputs, labels, mlp
from doctor_exam.round_parts import Part
from doctor_exam.unseen_wrong import mask_head
from torch import nn
from torch.nn import functional as F

from lm_utils.doctor import diagnose

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


PRINCIPLES = {
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
}  # fmt: skip


def seeded(setup):
    torch.manual_seed(0)
    return diagnose(*setup())


@pytest.mark.parametrize("name", PRINCIPLES)
def test_the_wrong_one_is_named_and_its_right_neighbour_left_alone(name):
    code, wrong, right = PRINCIPLES[name]
    found, after = seeded(wrong), seeded(right)
    assert code in [f.code for f in found.findings if f.severity != "info"], str(found)
    assert after.ok, str(after)


RIGHT = {
    "one of several answers is enough": lambda: (
        mlp(6), lambda out, y: -((out.softmax(1) * y).sum(1) + 1e-6).log().mean(), inputs(), labels(6)),
    "outputs that are small on purpose": lambda: (
        Part(lambda self, x: 1e-6 * self.net(x), net=mlp(3)), CE, inputs(), classes(3)),
    "two that agree and must not collapse": lambda: (
        Part(lambda self, x: (self.one(x), self.other(x)), one=mlp(4), other=mlp(4)),
        lambda o, _: F.mse_loss(*o) + sum((1 - z.std(0)).relu().mean() for z in o), inputs(), None),
    "a hinge without a margin": lambda: (
        mlp(1), lambda out, y: (-out * y).relu().mean(), inputs(), 2 * labels(1) - 1),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_unusual_right_ones_are_left_alone(name):
    assert seeded(RIGHT[name]).ok, str(seeded(RIGHT[name]))
