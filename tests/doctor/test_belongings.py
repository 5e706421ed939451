"""What model and loss keep of their own, counters, lists, teachers, hooks, stays; what is copied is copied whole."""

import functools
import random
import threading
from collections import defaultdict, deque
from typing import ClassVar

import numpy as np
import pytest
import torch
from doctor_exam.parts import classes, inputs, mlp
from torch import nn
from torch.nn import functional as F

from lm_utils.doctor import diagnose

SEEN, TEACHER, GENERATOR = [], nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5)), torch.Generator().manual_seed(5)


class Busy:
    """A loss as an object that counts, collects, draws and moves what it holds."""

    collected: ClassVar = []

    def __init__(self):
        self.calls, self.history, self.recent, self.parts, self.tags = 0, [], deque(maxlen=3), defaultdict(list), set()
        self.centre, self.bank, self.table = torch.zeros(5), torch.zeros(16, 5), np.zeros(5)
        self.draws, self.old_draws, self.own_draws = (
            np.random.default_rng(1),
            np.random.RandomState(1),
            random.Random(1),
        )
        self.judge = nn.Linear(5, 1)
        self.judge.weight.grad = torch.ones(1, 5)
        self.optimiser = torch.optim.Adam([self.judge.bias])

    def __call__(self, outputs, targets):
        self.calls += 1
        self.extra = self.calls
        self.parts["loss"].append(self.calls)
        for held in (self.history, self.recent, self.collected, SEEN):
            held.append(self.calls)
        self.tags.add(self.calls)
        self.centre = 0.9 * self.centre + 0.1 * outputs.detach().mean(0)
        self.bank.data = outputs.detach().clone()
        self.table += self.draws.random() + self.old_draws.rand() + self.own_draws.random()
        (self.judge(outputs.detach()).mean() + torch.rand(1, generator=GENERATOR)).sum().backward()
        self.optimiser.step()
        self.judge.requires_grad_(False).requires_grad_(True).eval().weight.requires_grad_(self.calls % 2 == 0)
        return (
            F.cross_entropy(outputs, targets) if self.calls % 2 else F.cross_entropy(outputs, targets, reduction="sum")
        )


def frozen(value):
    """All that a value holds, as something that can be compared."""
    if isinstance(value, torch.Tensor):
        return id(value), value.data_ptr(), value.tolist(), value.requires_grad, frozen(value.grad)
    if isinstance(value, (torch.Generator, random.Random)):
        return str(value.get_state().tolist() if isinstance(value, torch.Generator) else value.getstate())
    if isinstance(value, (np.random.Generator, np.random.RandomState)):
        return str(value.get_state() if isinstance(value, np.random.RandomState) else value.bit_generator.state)
    if isinstance(value, dict):
        return id(value), [(id(key), frozen(part)) for key, part in value.items()]
    if isinstance(value, (list, tuple, deque, set)):
        return [frozen(part) for part in value]
    own = None if callable(value) and not isinstance(value, (Busy, nn.Module)) else getattr(value, "__dict__", None)
    return (id(value), frozen(own)) if own is not None else str(value)


def test_all_that_a_loss_holds_is_put_back():
    loss = Busy()
    held = [loss, SEEN, Busy.collected, GENERATOR]
    before = frozen(held)
    diagnose(mlp(5), loss, inputs(), classes(5))
    assert frozen(held) == before


def test_a_bound_method_a_default_and_a_counter_of_a_function_are_put_back():
    count, owner = 0, Busy()

    def loss(outputs, targets, seen=[]):  # noqa: B006  (people write it)
        nonlocal count
        count += 1
        loss.calls = count
        seen.append(count)
        return owner(outputs, targets)

    for one in (loss, functools.partial(loss, seen=[0]), owner.__call__):
        before = frozen([owner, loss.__defaults__, getattr(one, "keywords", None), vars(loss)])
        diagnose(mlp(5), one, inputs(), classes(5))
        assert frozen([owner, loss.__defaults__, getattr(one, "keywords", None), vars(loss)]) == before and count == 0


class Distils(nn.Module):
    """A loss layer that asks a teacher whom only its code names."""

    calls = 0

    def forward(self, outputs, pictures):
        Distils.calls += 1
        return F.mse_loss(outputs, sum(TEACHER(pictures).detach() for _ in range(1)))


def test_what_only_the_code_of_a_layer_names_is_put_back():
    before = frozen(TEACHER)
    diagnose(mlp(5), Distils(), inputs(), inputs())
    assert frozen(TEACHER) == before and Distils.calls == 0


def test_a_hook_leaves_nothing_behind():
    model, kept = mlp(5), {}
    model[0].register_forward_hook(lambda layer, given, found: kept.update(first=found.detach()))
    before = frozen(model)
    diagnose(model, nn.CrossEntropyLoss(), inputs(), classes(5))
    assert not kept and frozen(model) == before


@pytest.mark.parametrize("wrap", [lambda old: lambda x: old(x) * 2, torch.autocast("cpu", dtype=torch.bfloat16)])
def test_a_forward_that_somebody_replaced_runs_on_the_copy(wrap):
    model = mlp(5, nn.BatchNorm1d(5))
    model.forward = wrap(model.forward)
    before = frozen(model)
    report = diagnose(model, lambda out, y: F.cross_entropy(out.float(), y), inputs(), classes(5))
    assert report.ok and frozen(model) == before, str(report)


class Locked(nn.Module):
    """A model that cannot be copied whole: a lock, its last outputs, a weight norm of the old kind."""

    def __init__(self, part):
        super().__init__()
        self.part, self.lock, self.seen, self.by_name, self.last = part, threading.Lock(), [], {"a": [0]}, []

    def forward(self, x):
        found = self.part(x)
        self.seen.append(1)
        self.by_name["a"].append(1)
        self.last.append(found)
        return found


def weight_normed():
    layer = nn.utils.weight_norm(nn.Linear(8, 16))
    layer(inputs())
    return nn.Sequential(layer, nn.ReLU(), nn.utils.parametrizations.weight_norm(nn.Linear(16, 5)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make", [weight_normed, lambda: nn.Sequential(nn.LazyLinear(16), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(5)),
             lambda: torch.jit.script(mlp(5, nn.BatchNorm1d(5)))])  # fmt: skip
def test_a_model_that_cannot_be_copied_whole_is_copied_part_by_part(make):
    model = Locked(make())
    before = [len(model.seen), len(model.by_name["a"]), len(model.last), str(model), len(model.part._forward_pre_hooks)]
    assert diagnose(model, nn.CrossEntropyLoss(), inputs(), classes(5)).ok
    after = [len(model.seen), len(model.by_name["a"]), len(model.last), str(model), len(model.part._forward_pre_hooks)]
    assert after == before


def test_torchs_switches_are_put_back():
    def loss(outputs, targets):
        torch.set_default_dtype(torch.float64)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.autograd.set_detect_anomaly(True)
        return F.cross_entropy(outputs, targets)

    diagnose(mlp(5), loss, inputs(), classes(5))
    assert torch.get_default_dtype() == torch.float32
    assert not torch.are_deterministic_algorithms_enabled() and not torch.is_anomaly_enabled()


def test_ctrl_c_puts_everything_back_and_goes_on():
    calls = []

    def loss(outputs, targets):
        calls.append(1)
        torch.rand(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return F.cross_entropy(outputs, targets)

    setup = mlp(5), loss, inputs(), classes(5)
    state = torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt):
        diagnose(*setup)
    assert not calls and torch.equal(torch.get_rng_state(), state)


class Proxy:
    """Something that answers no question."""

    @property
    def __class__(self):
        raise RuntimeError("no class")

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_a_loss_that_holds_a_riddle_or_a_large_dictionary_is_examined():
    riddle, words = Proxy(), {f"word {number}": number for number in range(100_000)}

    def loss(outputs, targets):
        return (riddle, words, F.cross_entropy(outputs, targets))[-1]

    assert diagnose(mlp(5), loss, inputs(), classes(5)).ok and len(words) == 100_000
