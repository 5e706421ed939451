"""Batches, models and losses of rare kinds: none ends the doctor or the program, none is a false alarm."""

import copy
import dataclasses
import random
from collections import UserDict, defaultdict

import numpy as np
import pytest
import torch
from doctor_exam.parts import classes, inputs, mlp
from torch import nn
from torch.nn import functional as F

from lm_utils.doctor import DoctorError, diagnose


class Batch(UserDict):
    """A batch whose parts are attributes, as tokenizers return it."""

    def __getattr__(self, name):
        if name == "data":
            raise AttributeError(name)
        return self.data[name]


class Sized(list):
    """A list that knows more than its members."""

    def __init__(self, members, size):
        super().__init__(members)
        self.size = size


@dataclasses.dataclass
class Pictures:
    """A batch as an object."""

    x: torch.Tensor


BATCHES = {
    "attributes": lambda: (Batch(x=inputs()), lambda b: b.x),
    "a default": lambda: (defaultdict(lambda: 1.0, x=inputs()), lambda b: b["x"] * b["scale"]),
    "a list of its own": lambda: (Sized([inputs()], 2.0), lambda b: b[0] * b.size),
    "a tensor with history": lambda: (Pictures(nn.Linear(8, 8)(inputs())), lambda b: setattr(b, "n", 1) or b.x),
    "numbers of numpy": lambda: ({"x": np.ones((16, 8), "float32"), "ids": {1}},
                                 lambda b: b["ids"].add(2) or torch.from_numpy(np.divide(b["x"], 2, out=b["x"]))),
}  # fmt: skip


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_keeps_its_kind_and_its_contents(name):
    batch, read = BATCHES[name]()
    network = mlp(5)
    before = (
        copy.deepcopy({k: v for k, v in vars(batch).items() if k != "x"}) if hasattr(batch, "__dict__") else str(batch)
    )
    report = diagnose(lambda b: network(read(b)), nn.CrossEntropyLoss(), batch, classes(5))
    assert "model_fails" not in report.codes, str(report)
    after = {k: v for k, v in vars(batch).items() if k != "x"} if hasattr(batch, "__dict__") else str(batch)
    assert str(after) == str(before)


def test_tensors_of_inference_mode_were_not_written_into():
    with torch.inference_mode():
        x = inputs()
    assert diagnose(mlp(5), nn.CrossEntropyLoss(), x, classes(5)).ok


@pytest.mark.parametrize("place", [2, 3])
@pytest.mark.parametrize("value", [(i for i in range(3)), iter([1, 2]), ((i for i in range(3)), inputs())])
def test_what_can_be_read_only_once_is_refused(place, value):
    setup = [mlp(5), nn.CrossEntropyLoss(), inputs(), classes(5)]
    setup[place] = value
    with pytest.raises(DoctorError, match="read only once") as caught:
        diagnose(*setup)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("place", "value"), [(0, nn.Linear), (1, nn.CrossEntropyLoss)])
def test_a_class_in_place_of_an_object_is_refused(place, value):
    setup = [mlp(5), nn.CrossEntropyLoss(), inputs(), classes(5)]
    setup[place] = value
    with pytest.raises(DoctorError, match=rf"is the class {value.__name__}; hand over an object"):
        diagnose(*setup)


def test_a_batch_that_contains_itself_is_refused():
    batch = [inputs()]
    batch.append(batch)
    with pytest.raises(DoctorError, match="contain themselves"):
        diagnose(mlp(5), nn.CrossEntropyLoss(), batch, classes(5))


def test_a_loss_that_ends_the_program_ends_nothing():
    def loss(outputs, targets):
        found = F.cross_entropy(outputs, targets)
        if found.item() > 5:
            raise SystemExit("Loss is too large, stopping")
        return found

    assert "model_fails" not in diagnose(mlp(5), loss, inputs(), classes(5)).codes
    report = diagnose(lambda x: exec("raise SystemExit(3)"), nn.CrossEntropyLoss(), inputs(), classes(5))
    assert report.codes == ["model_fails"] and "SystemExit: 3." in report.findings[0].message


def test_a_step_that_cannot_go_back_is_said_to_be_one():
    bank = F.normalize(torch.randn(64, 5), dim=1)

    def loss(outputs, targets):
        scores = F.normalize(outputs, dim=1) @ bank.T / 0.1
        bank[: len(outputs)] = outputs.detach()
        return F.cross_entropy(scores, targets)

    assert "backward_fails" in diagnose(mlp(5), loss, inputs(), classes(5)).codes


class Remembers(nn.Module):
    """A recurrent model that starts where the last batch ended."""

    def __init__(self):
        super().__init__()
        self.steps, self.out, self.state = nn.GRU(8, 8, batch_first=True), nn.Linear(8, 5), None

    def forward(self, x):
        found, state = self.steps(x, self.state)
        self.state = state.detach()
        return self.out(found[:, -1])


class Shaken(nn.Module):
    """A model that draws its noise from Python and numpy."""

    def __init__(self):
        super().__init__()
        self.part = mlp(5)

    def forward(self, x):
        return self.part(x * (1 + random.random() + np.random.rand()))


class Reentrant(nn.Module):
    """A checkpoint of the old kind, which bears backward() and nothing else."""

    def __init__(self):
        super().__init__()
        self.first, self.middle, self.out = (
            nn.Linear(8, 16),
            nn.Sequential(nn.Linear(16, 16), nn.ReLU()),
            nn.Linear(16, 5),
        )

    def forward(self, x):
        return self.out(torch.utils.checkpoint.checkpoint(self.middle, self.first(x), use_reentrant=True))


@pytest.mark.parametrize("make", [Remembers, Shaken, Reentrant])
def test_a_model_with_a_life_of_its_own_is_no_false_alarm(make):
    model, x = make(), torch.randn(16, 4, 8) if make is Remembers else inputs()
    model(x)
    report = diagnose(model, nn.CrossEntropyLoss(), x, classes(5))
    assert report.ok, str(report)


@dataclasses.dataclass
class Parts:
    """What a loss may return."""

    accuracy: torch.Tensor
    loss: torch.Tensor


def test_the_loss_is_found_among_named_parts():
    def loss(outputs, targets):
        return Parts((outputs.argmax(1) == targets).float().mean(), F.cross_entropy(outputs, targets))

    report = diagnose(mlp(5), loss, inputs(), classes(5))
    assert report.ok and "not_looked_at" not in report.codes, str(report)


def test_messages_read_well():
    def keyless(outputs, targets):
        return {}["mask"]

    for loss, words in ((keyless, "KeyError: 'mask'."), (lambda out, y: 3, "The loss is an int, not a tensor.")):
        assert words in str(diagnose(mlp(5), loss, inputs(), classes(5)))
