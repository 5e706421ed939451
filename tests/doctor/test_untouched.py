"""What is the user's stays bit for bit what it was, and nothing that one may hand over ends in a crash."""

import copy

import pytest
import torch
from doctor_exam.parts import Then, classes, inputs, labels, mlp
from doctor_exam.unseen_right import UNSEEN_RIGHT
from torch import nn
from torch.nn import functional as F

from lm_utils.doctor import DoctorError, assert_healthy, diagnose


def state_of(*modules):
    """Everything that a training step may change."""
    return [
        (
            {name: value.clone() for name, value in module.state_dict().items()},
            [None if p.grad is None else p.grad.clone() for p in module.parameters()],
            [(part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in module.modules()],
        )
        for module in modules
    ]


def assert_same(before, *modules):
    for (state, grads, modes), (now, now_grads, now_modes) in zip(before, state_of(*modules), strict=True):
        assert all(torch.equal(state[name], now[name]) for name in state) and modes == now_modes
        assert all((a is None) == (b is None) and (a is None or torch.equal(a, b))
                   for a, b in zip(grads, now_grads, strict=True))  # fmt: skip


def large_embedding():
    return nn.Sequential(nn.Embedding(420_000, 64, max_norm=1.0), nn.Flatten(), nn.Linear(192, 5))


@pytest.mark.parametrize("make", [large_embedding, lambda: mlp(9, nn.BatchNorm1d(9), nn.Dropout(), nn.Linear(9, 5))])
def test_a_model_of_any_size_is_copied(make):
    model = make()
    assert make is not large_embedding or sum(p.numel() for p in model.parameters()) > 25_000_000
    x = torch.randint(0, 400_000, (16, 3)) if make is large_embedding else inputs()
    before = state_of(model)
    assert diagnose(model, nn.CrossEntropyLoss(), x, classes(5)).ok
    assert_same(before, model)


class Momentum(nn.Module):
    """A slow twin of the network that every forward pass moves, and a queue that it fills."""

    def __init__(self):
        super().__init__()
        self.fast, self.slow = mlp(8), mlp(8).requires_grad_(False)
        self.register_buffer("queue", torch.randn(32, 8))
        self.lock = __import__("threading").Lock()  # a model that deepcopy refuses

    def forward(self, x):
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters(), self.fast.parameters(), strict=True):
                slow.mul_(0.9).add_(fast, alpha=0.1)
            self.queue[: len(x)] = self.slow(x)
        return self.fast(x) @ self.queue.T


def test_a_momentum_encoder_that_cannot_be_copied_stays():
    model = Momentum()
    before = state_of(model)
    diagnose(model, nn.CrossEntropyLoss(), inputs(), classes(32))
    assert_same(before, model)


def test_what_the_loss_holds_is_put_back():
    norm, judge, bank = nn.BatchNorm1d(5), nn.Sequential(nn.Linear(5, 1), nn.BatchNorm1d(1)), torch.zeros(16, 5)
    generator = torch.Generator().manual_seed(1)
    judge[0].weight.grad = torch.ones(1, 5)
    state, kept = generator.get_state(), bank.clone()

    def loss(outputs, targets):
        bank.copy_(outputs.detach())
        noise = torch.randn(outputs.shape, generator=generator)
        judge.eval()
        return F.cross_entropy(norm(outputs + noise), targets) - judge(outputs).mean()

    before = state_of(norm, judge)
    diagnose(mlp(5), loss, inputs(), classes(5))
    assert_same(before, norm, judge)
    assert torch.equal(bank, kept) and torch.equal(generator.get_state(), state)


def test_a_loss_that_holds_the_model_itself():
    model = mlp(5, nn.BatchNorm1d(5))
    before = state_of(model)
    diagnose(model, lambda out, y: F.cross_entropy(out, y) + model(inputs()).abs().mean(), inputs(), classes(5))
    assert_same(before, model)


def test_inputs_and_targets_stay():
    x, y = {"a": inputs(), "b": [inputs()]}, (classes(5), inputs())
    kept = copy.deepcopy((x, y))

    def greedy(batch):
        return batch["a"].mul_(0) + batch["b"][0].zero_()

    diagnose(greedy, lambda out, t: F.mse_loss(out, t[1].zero_()), x, y)
    assert torch.equal(x["a"], kept[0]["a"]) and torch.equal(x["b"][0], kept[0]["b"][0])
    assert torch.equal(y[1], kept[1][1])


ODD = {
    "meta": (nn.Linear(8, 5, device="meta"), nn.CrossEntropyLoss(), torch.randn(16, 8, device="meta"), classes(5)),
    "complex outputs": (Then(mlp(5), lambda z: z.to(torch.complex64)), lambda o, y: o.abs().mean(), inputs(), None),
    "integer outputs": (Then(mlp(5), lambda z: z.argmax(1)), lambda o, y: o.float().mean(), inputs(), None),
    "no outputs": (Then(mlp(5), lambda z: None), lambda o, y: torch.zeros(()), inputs(), None),
    "empty batch": (mlp(5), nn.CrossEntropyLoss(), torch.randn(0, 8), classes(5)[:0]),
    "a batch of one": (mlp(5, nn.BatchNorm1d(5)), nn.CrossEntropyLoss(), torch.randn(1, 8), torch.tensor([1])),
    "strings": (mlp(5), nn.CrossEntropyLoss(), "inputs", "targets"),
    "None": (mlp(5), nn.CrossEntropyLoss(), None, None),
    "a loss without value": (mlp(5), lambda o, y: None, inputs(), classes(5)),
    "a sparse loss": (mlp(5), lambda o, y: (o.to_sparse() * 2).sum(), inputs(), None),
    "nested": (mlp(5), lambda o, y: {"loss": o.mean(), "parts": [o.sum()]}, inputs(), {"deep": [{"er": classes(5)}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_no_crash(name):
    report = diagnose(*ODD[name])
    assert str(report)
    if name in ("strings", "None"):
        assert report.codes == ["model_fails"]


BAD = {
    "a batch of one": (2, lambda: torch.randn(1, 8), "`inputs` (a tensor [1, 8])"),
    "too narrow": (2, lambda: torch.randn(16, 7), "`inputs` (a tensor [16, 7])"),
    "no inputs": (2, lambda: None, "`inputs` (None)"), "inputs of text": (2, lambda: "text", "`inputs` (a str)"),
    "a list of lists": (2, lambda: [[1.0] * 8] * 16, "`inputs` (a list)"),
    "no targets": (3, lambda: None, "`targets` (None)"), "targets of text": (3, lambda: "text", "`targets` (a str)"),
    "a list of labels": (3, lambda: [1] * 16, "`targets` (a list)"),
    "a dictionary of labels": (3, lambda: {"y": classes(5)}, "`targets` (a dict)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_finding_of_one_sentence_that_names_the_argument(name):
    position, make, words = BAD[name]
    setup = [mlp(5, nn.BatchNorm1d(5)), nn.CrossEntropyLoss(), inputs(), classes(5)]
    setup[position] = make()
    findings = [one for one in diagnose(*setup).findings if one.severity != "info"]
    assert len(findings) == 1 and findings[0].code == ("model_fails" if position == 2 else "loss_fails")
    assert words in findings[0].message and "\n" not in findings[0].message and findings[0].message.endswith(".")


@pytest.mark.parametrize(("position", "word"), [(0, "model"), (1, "loss")])
@pytest.mark.parametrize("value", [None, "text", 3])
def test_what_cannot_be_called_is_refused_in_one_sentence(position, word, value):
    setup = [mlp(5), nn.CrossEntropyLoss(), inputs(), classes(5)]
    setup[position] = value
    with pytest.raises(DoctorError, match=f"The {word} must be something that can be called") as caught:
        diagnose(*setup)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", [c for c in UNSEEN_RIGHT if c.name.startswith("unusual")], ids=lambda c: c.name)
def test_unusual_set_ups_are_left_alone(case):
    report = case.report()
    assert case.judged(report), str(report)


def test_a_check_that_fails_is_said_and_ends_nothing(monkeypatch):
    def broken(*_):
        raise NotImplementedError("no such kernel")
        yield

    monkeypatch.setattr("lm_utils.doctor.diagnosis.check_hidden_units", broken)
    report = diagnose(mlp(5, nn.Softmax(1)), nn.CrossEntropyLoss(), inputs(), classes(5))
    assert report.codes[0] == "softmax_before_cross_entropy" and "not_looked_at" in report.codes
    assert "no such kernel" in str(report)


def test_assert_healthy():
    healthy = mlp(1), nn.BCEWithLogitsLoss(), inputs(), labels(1)
    weak = mlp(1, nn.Sigmoid()), *healthy[1:]
    assert assert_healthy(*healthy).ok
    with pytest.raises(AssertionError, match="sigmoid_before_bce_logits"):
        assert_healthy(*weak)
    assert_healthy(*weak, strict=False)
    assert_healthy(*weak, ignore=["sigmoid_before_bce_logits"])
    assert_healthy(*weak, ignore="sigmoid_before_bce_logits")
    with pytest.raises(DoctorError, match="the nearest is 'sigmoid_before_bce_logits'"):
        assert_healthy(*healthy, ignore=["sigmoid_before_bce_logit"])
