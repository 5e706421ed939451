"""False alarms that were mended: a wrong one is named as before, its right neighbour left alone."""

import pytest
import torch
from doctor_exam.parts import N, inputs, labels, mlp
from doctor_exam.round_parts import Part
from torch import nn

from lm_utils.doctor import diagnose

CE = nn.CrossEntropyLoss()


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


PRINCIPLES = {
    "the largest of many scores can say no": (
        "relu_before_bce_logits", lambda: largest(nn.ReLU()), largest),
    "sums inside a function with a slope by hand carry no gradient": (
        "wrong_formula", lambda: doubled(Upwards), lambda: doubled(ByHand)),
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
