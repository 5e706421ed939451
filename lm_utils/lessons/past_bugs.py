"""Bugs of public projects, rebuilt small, with the finding that each must give; `tests/doctor_exam` holds hundreds."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.doctor.diagnosis import diagnose
from lm_utils.doctor.report import Report

N = 16  # samples of a batch


@dataclass(frozen=True)
class ExamCase:
    """A set-up with the code it must give: `one|other` allows either, None neither error nor warning."""

    name: str
    expected: str | None
    build: Callable[[], tuple]
    source: str = ""

    def report(self) -> Report:
        """What the doctor says, from a fixed seed."""
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            return diagnose(*self.build())

    def judged(self, report: Report) -> bool:
        """Is the doctor right about this one?"""
        if self.expected is None:
            return report.ok
        return any(f.code in self.expected.split("|") and f.severity != "info" for f in report.findings)


class _Net(nn.Module):
    """Layers by name, and a forward() that is handed over."""

    def __init__(self, forward: Callable, **layers: nn.Module) -> None:
        super().__init__()
        self.layers, self.function = nn.ModuleDict(layers), forward

    def forward(self, *inputs: Tensor) -> object:
        """The function of the layers and the inputs."""
        return self.function(self.layers, *inputs)


def _mlp(outputs: int, *ends: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, outputs), *ends)


def _classes(count: int, *shape: int) -> Tensor:
    return torch.randint(0, count, (N, *shape))


def _graph() -> tuple:
    net = _Net(lambda of, edges, x: F.softmax(edges @ of["second"](torch.relu(edges @ of["first"](x))), dim=1),
               first=nn.Linear(8, 16), second=nn.Linear(16, 3))  # fmt: skip
    edges = ((torch.rand(N, N) < 0.3) | torch.eye(N, dtype=torch.bool)).float()
    return net, F.cross_entropy, (edges / edges.sum(1, keepdim=True), torch.randn(N, 8)), _classes(3)


def _boxes() -> tuple:
    net = _Net(lambda of, x: (of["place"](x).view(-1, 6, 4), of["kind"](x).view(-1, 6, 3).softmax(-1)),
               place=nn.Linear(8, 24), kind=nn.Linear(8, 18))  # fmt: skip
    return (net, lambda out, y: F.smooth_l1_loss(out[0], y[0]) + F.cross_entropy(out[1].view(-1, 3), y[1].view(-1)),
            torch.randn(N, 8), (torch.randn(N, 6, 4), _classes(3, 6)))  # fmt: skip


SOFTMAX = "softmax_before_cross_entropy"
PAST_BUGS = [
    ExamCase("a softmax head under a loss that has its own", SOFTMAX, lambda: (
        _mlp(10, nn.Softmax(-1)), nn.CrossEntropyLoss(), torch.randn(N, 8), _classes(10)), "tflearn/tflearn#562"),
    ExamCase("answer scores put through a softmax, then CrossEntropyLoss", SOFTMAX, lambda: (
        _Net(lambda of, nodes: F.softmax(of["score"](nodes).squeeze(-1), dim=-1), score=nn.Linear(8, 1)),
        nn.CrossEntropyLoss(), torch.randn(N, 6, 8), _classes(6)), "bowang-lab/Transformer-GCN-QA#32"),
    ExamCase("frames to an LSTM to a softmax, then CrossEntropyLoss", SOFTMAX, lambda: (
        _Net(lambda of, frames: torch.softmax(of["out"](of["rnn"](frames)[0]), dim=-1).mean(1),
             rnn=nn.LSTM(8, 16, batch_first=True), out=nn.Linear(16, 5)),
        nn.CrossEntropyLoss(), torch.randn(N, 4, 8), _classes(5)), "doronharitan/human_activity_recognition_LRCN#4"),
    ExamCase("validation loss on softmaxed scores: it cannot fall below 0.74", SOFTMAX, lambda: (
        _mlp(4).eval(), lambda logits, y: nn.CrossEntropyLoss()(torch.softmax(logits, dim=1), y),
        torch.randn(N, 8), _classes(4)), "ariecattan/SciCo#2"),
    ExamCase("a graph network that ends in a softmax", SOFTMAX, _graph, "dmlc/dgl#1204"),
    ExamCase("box classes softmaxed before the detection loss", SOFTMAX, _boxes, "amdegroot/ssd.pytorch#218"),
    ExamCase("predictions [n, 1] against targets [n]", "shapes_broadcast", lambda: (
        _mlp(1), nn.MSELoss(), torch.randn(N, 8), torch.rand(N)), "pytorch/pytorch#16045"),
]  # fmt: skip
