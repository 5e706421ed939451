"""Principles of networks, each with a wrong instance and its right neighbour: one is named, the other left alone."""

import pytest
import torch
from doctor_exam.parts import N, classes, inputs, mlp
from doctor_exam.round_parts import Part
from torch import nn
from torch.nn import functional as F

from lm_utils.doctor import diagnose

CE = nn.CrossEntropyLoss()


def state_of(read, layers: int = 1, both: bool = False):
    """A recurrent network whose answer is read from its steps and its last state."""
    rnn = nn.LSTM(8, 16, layers, batch_first=True, bidirectional=both)
    return (Part(lambda self, x: self.out(read(*self.rnn(x))), rnn=rnn, out=nn.LazyLinear(4)), CE,
            torch.randn(N, 6, 8), classes(4))  # fmt: skip


def rounded(through: bool):
    """Units that are rounded, by a step that lets the gradient through or by one that does not."""
    return (Part(lambda self, x: self.out((lambda h: h + (h.round() - h).detach() if through else h.round())(
        3 * self.first(x))), first=nn.Linear(8, 16), out=nn.Linear(16, 4)), CE, inputs(), classes(4))  # fmt: skip


def blocks(same: bool):
    """Three blocks, or one block three times."""
    made = [nn.Linear(8, 8)] * 3 if same else [nn.Linear(8, 8) for _ in range(3)]
    return Part(lambda self, x: self.out(self.tower(x)), tower=nn.Sequential(*(part for one in made for part in (
        one, nn.ReLU()))), out=nn.Linear(8, 4)), CE, inputs(), classes(4)  # fmt: skip


def smooth(slope):
    """An activation with a backward() of its own."""

    class Smooth(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x.sigmoid()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * slope(ctx.saved_tensors[0])

    return (Part(lambda self, x: self.out(Smooth.apply(self.first(x))), first=nn.Linear(8, 16), out=nn.Linear(16, 4)),
            CE, inputs(), classes(4))  # fmt: skip


def decoder(each: bool):
    """Words one after another; the last one's scores may be handed out for all."""

    def forward(self, tokens):
        state, steps = torch.zeros(N, 16), []
        for word in self.embed(tokens).unbind(1):
            state = self.cell(word, state)
            steps.append(self.out(state))
        return torch.stack(steps if each else steps[-1:] * len(steps), 1)

    part = Part(forward, embed=nn.Embedding(50, 16), cell=nn.GRUCell(16, 16), out=nn.Linear(16, 50))
    return part, lambda z, y: F.cross_entropy(z.mT, y), classes(50, 7), classes(50, 7)


def convolved(*between: nn.Module):
    """Convolutions with something between them."""
    return (nn.Sequential(nn.Conv2d(3, 8, 3), *between, nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)),
            CE, inputs(3, 8, 8), classes(4))  # fmt: skip


def translated(first: bool):
    """Texts beside texts, one of which reads the batch as time."""

    def forward(self, told, words):
        read = self.cell(self.embed(told))[0]
        return self.out(read[:, -1:] + self.next(self.embed(words))[0])

    part = Part(forward, embed=nn.Embedding(50, 16), cell=Turned(first), next=nn.GRU(16, 16, batch_first=True),
                out=nn.Linear(16, 50))  # fmt: skip
    return part, lambda z, y: F.cross_entropy(z.mT, y), (classes(50, 9), classes(50, 7)), classes(50, 7)


class Turned(nn.Module):
    """Own recurrence over an axis."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.cell, self.axis = nn.GRUCell(16, 16), int(not first)

    def forward(self, x):
        states = [torch.zeros_like(x.select(self.axis, 0))]
        for step in x.unbind(self.axis):
            states.append(self.cell(step, states[-1]))
        return torch.stack(states[1:], self.axis), states[-1]


PRINCIPLES = {
    "the state of the last layer is read": (
        "weights_without_gradient", lambda: state_of(lambda steps, last: last[0][0], 2),
        lambda: state_of(lambda steps, last: last[0][-1], 2)),
    "each direction is read where it has seen all": (
        "weights_without_gradient", lambda: state_of(lambda steps, last: steps[:, -1], both=True),
        lambda: state_of(lambda steps, last: torch.cat([*last[0]], 1), both=True)),
    "the loss moves all it reaches": (
        "weights_without_gradient", lambda: rounded(False), lambda: rounded(True)),
    "layers in a row are several layers": (
        "units_all_alike", lambda: blocks(True), lambda: blocks(False)),
    "backward agrees with small steps forward": (
        "wrong_formula", lambda: smooth(lambda x: x.sigmoid()),
        lambda: smooth(lambda x: x.sigmoid() * (1 + x * (1 - x.sigmoid())))),
    "each step has an answer of its own": (
        "outputs_ignore_inputs", lambda: decoder(False), lambda: decoder(True)),
    "what is handed over is read": (
        "unused_input",
        lambda: (Part(lambda self, x: self.out(x[:, :4].repeat(1, 2)), out=mlp(4)), CE, inputs(), classes(4)),
        lambda: (Part(lambda self, x: self.out(x), out=mlp(4)), CE, inputs(), classes(4))),
    "between convolutions something bends": (
        "no_activation_between", lambda: convolved(nn.BatchNorm2d(8)), lambda: convolved(nn.BatchNorm2d(8), nn.ReLU())),
    "one of two axes is the samples'": (
        "samples_mixed", lambda: translated(True), lambda: translated(False)),
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
