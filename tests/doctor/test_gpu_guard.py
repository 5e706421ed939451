"""A batch that would kill a GPU's process is never handed to it."""

import pytest
import torch
from doctor_exam.parts import classes, inputs, labels, mlp
from torch import nn
from torch.nn import functional as F

from lm_utils.doctor import diagnose, gpu_guard

DEADLY = {
    "logits into BCELoss": lambda: (mlp(1), nn.BCELoss(), inputs() * 50, labels(1)),
    "class number too large": lambda: (mlp(5), nn.CrossEntropyLoss(), inputs(), classes(5) + 1),
    "own gather": lambda: (
        mlp(5), lambda out, y: -out.log_softmax(1).gather(1, y[:, None]).mean(), inputs(), classes(5) + 1),
    "own indexing": lambda: (
        mlp(5), lambda out, y: -out.log_softmax(1)[torch.arange(16), y].mean(), inputs(), classes(5) + 1),
    "own one_hot": lambda: (
        mlp(5), lambda out, y: (out - F.one_hot(y, 5)).pow(2).mean(), inputs(), classes(5) + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", DEADLY)
def test_a_batch_that_kills_a_gpu_is_never_handed_to_it(name, monkeypatch):
    """Every tensor counts as a CUDA tensor here; on the CPU the deadly call would raise its own error."""
    monkeypatch.setattr(gpu_guard, "on_cuda", lambda tensor: isinstance(tensor, torch.Tensor))
    stopped = []
    keep = gpu_guard.WouldKillDevice.__init__
    monkeypatch.setattr(gpu_guard.WouldKillDevice, "__init__", lambda self, *a: stopped.append(a) or keep(self, *a))
    report = diagnose(*DEADLY[name]())
    assert stopped and report.count("error"), str(report)


def test_the_guard_lets_good_calls_pass(monkeypatch):
    monkeypatch.setattr(gpu_guard, "on_cuda", lambda tensor: isinstance(tensor, torch.Tensor))
    padded = classes(5)
    padded[0] = -100
    assert diagnose(mlp(5), nn.CrossEntropyLoss(), inputs(), padded).ok
    assert diagnose(mlp(1, nn.Sigmoid()), nn.BCELoss(), inputs(), labels(1)).ok
    assert diagnose(nn.Sequential(nn.Embedding(9, 8), nn.Flatten(), nn.Linear(24, 5)), nn.CrossEntropyLoss(),
                    torch.randint(0, 9, (16, 3)), classes(5)).ok  # fmt: skip


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_lives_on_after_a_deadly_batch():
    model, x = mlp(1).cuda(), inputs().cuda()
    state = torch.cuda.get_rng_state()
    assert "logits_into_bce" in diagnose(model, nn.BCELoss(), x * 50, labels(1).cuda()).codes
    assert "class_index_out_of_range" in diagnose(mlp(5).cuda(), nn.CrossEntropyLoss(), x, classes(5).cuda() + 1).codes
    assert torch.equal(torch.cuda.get_rng_state(), state) and torch.ones(1, device="cuda").item() == 1
