"""Principles of networks, each with a wrong instance and its right neighbour: one is named, the other left alone."""

import pytest
import torch
from doctor_exam.parts import N, classes, inputs
from doctor_exam.principle import holds
from doctor_exam.round_parts import Part
from torch import nn

CE = nn.CrossEntropyLoss()


def state_of(read, layers: int = 1, both: bool = False):
    """A recurrent network whose answer is read from its steps and its last state."""
    rnn = nn.LSTM(8, 16, layers, batch_first=True, bidirectional=both)
    return (Part(lambda self, x: self.out(read(*self.rnn(x))), rnn=rnn, out=nn.LazyLinear(4)), CE,
            torch.randn(N, 6, 8), classes(4))  # fmt: skip


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


def convolved(*between: nn.Module):
    """Convolutions with something between them."""
    return (nn.Sequential(nn.Conv2d(3, 8, 3), *between, nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)),
            CE, inputs(3, 8, 8), classes(4))  # fmt: skip


def patches(moved: bool):
    """Pictures cut into patches."""
    order = (0, 2, 4, 1, 3, 5) if moved else (0, 1, 2, 3, 4, 5)
    return (Part(lambda self, x: self.out(self.each(x.view(N, 3, 2, 4, 2, 4).permute(order).reshape(N, 4, 48)).relu()
                                          .mean(1)), each=nn.Linear(48, 16), out=nn.Linear(16, 4)), CE,
            inputs(3, 8, 8), classes(4))  # fmt: skip


def ended(last):
    """Series that end in zeros, and where their answer is read."""
    lengths = torch.arange(N) % 7 + 3
    x = torch.randn(N, 10, 5) * (torch.arange(10) < lengths[:, None])[..., None]
    return (Part(lambda self, x: self.out(self.rnn(x)[0][torch.arange(len(x)), last(x)]), rnn=nn.GRU(
        5, 16, batch_first=True), out=nn.Linear(16, 4)), CE, x, classes(4))  # fmt: skip


def drawn(scale: float):
    """Two layers of sigmoids, whose weights are drawn with a factor."""
    network = nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), nn.Linear(16, 4))
    with torch.no_grad():
        for layer in (network[0], network[2]):
            layer.weight.mul_(scale)
    return network, CE, inputs(), classes(4)


def filmed(moved: bool):
    """Films of four frames, whose frames are seen one by one."""
    return (Part(lambda self, x: self.out(self.each((x.transpose(1, 2) if moved else x).reshape(4 * N, 3, 5, 5)).relu()
                                          .mean((2, 3)).view(N, 4, 8).mean(1)), each=nn.Conv2d(3, 8, 3),
                 out=nn.Linear(8, 4)), CE, inputs(3, 4, 5, 5), classes(4))  # fmt: skip


def boxes(moved: bool):
    """Maps of two boxes at each place, with three classes each."""

    def forward(self, x):
        maps = self.each(x)
        return maps.view(N, 2, 3, 4, 4).permute(0, 3, 4, 1, 2) if moved else maps.view(N, 4, 4, 2, 3)

    return (Part(forward, each=nn.Conv2d(3, 6, 1)), lambda z, y: CE(z.flatten(0, 3), y.flatten()), inputs(3, 4, 4),
            classes(3, 4, 4, 2))  # fmt: skip


def ended_in_relu(bias: float):
    """Amounts that are never negative, from a layer with a ReLU behind it."""
    network = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), nn.ReLU())
    nn.init.constant_(network[2].bias, bias)
    return network, nn.MSELoss(), inputs(), torch.rand(N, 3)


def enlarged(few: int, many: int):
    """Small maps made larger by a transposed convolution, and smoothed by another one."""
    return (nn.Sequential(nn.Conv2d(3, few, 3), nn.ReLU(), nn.ConvTranspose2d(few, many, 2, 2), nn.Conv2d(many, 8, 3),
                          nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)), CE, inputs(3, 8, 8), classes(4))  # fmt: skip


def episode(alone: bool):
    """Labelled examples of four classes, and queries that are compared with the mean of each class."""

    def forward(self, examples, queries):
        means = self.net(examples).view(4, N // 4, 16).mean(1)
        return -torch.cdist(self.net(queries if alone else queries - queries.mean(0)), means)

    return Part(forward, net=nn.Linear(8, 16)), CE, (inputs(), inputs()), torch.arange(4).repeat(N // 4)


PRINCIPLES = {
    "a transposed convolution makes fewer of many": (
        "no_activation_between", lambda: enlarged(8, 16), lambda: enlarged(16, 8)),
    "a query is judged without the other queries": (
        "samples_mixed", lambda: episode(False), lambda: episode(True)),
    "frames are made of numbers of one time": ("axes_scrambled", lambda: filmed(False), lambda: filmed(True)),
    "an axis that is split moves before": ("axes_scrambled", lambda: boxes(False), lambda: boxes(True)),
    "what the samples say arrives": (
        "vanishing_gradient", lambda: drawn(0.003), lambda: drawn(1.0)),
    "a view keeps pieces whole": (
        "axes_scrambled", lambda: patches(False), lambda: patches(True)),
    "a series has no padding": (
        "padding_attended", lambda: ended(lambda x: -1), lambda: ended(lambda x: (x != 0).any(-1).sum(1) - 1)),
    "the state of the last layer is read": (
        "weights_without_gradient", lambda: state_of(lambda steps, last: last[0][0], 2),
        lambda: state_of(lambda steps, last: last[0][-1], 2)),
    "each direction is read where it has seen all": (
        "weights_without_gradient", lambda: state_of(lambda steps, last: steps[:, -1], both=True),
        lambda: state_of(lambda steps, last: torch.cat([*last[0]], 1), both=True)),
    "layers in a row are several layers": (
        "units_all_alike", lambda: blocks(True), lambda: blocks(False)),
    "backward agrees with small steps forward": (
        "wrong_formula", lambda: smooth(lambda x: x.sigmoid()),
        lambda: smooth(lambda x: x.sigmoid() * (1 + x * (1 - x.sigmoid())))),
    "an end that gives only zeros learns no more": (
        "dead_layer", lambda: ended_in_relu(-9.0), lambda: ended_in_relu(1.0)),
    "between convolutions something bends": (
        "no_activation_between", lambda: convolved(nn.BatchNorm2d(8)), lambda: convolved(nn.BatchNorm2d(8), nn.ReLU())),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINCIPLES)
def test_the_wrong_one_is_named_and_its_right_neighbour_left_alone(name):
    holds(*PRINCIPLES[name])
