"""Over every set-up of the score: what is the user's stays bit for bit what it was, and nothing crashes."""

import copy

import pytest
import torch
from doctor_exam.score import SETS
from torch import Tensor, nn

from lm_utils.doctor import diagnose
from lm_utils.doctor.belongings import tensors_in


def modules_of(*values: object) -> list[nn.Module]:
    """Modules among these values, and in the closures of functions."""
    cells = [cell.cell_contents for value in values for cell in getattr(value, "__closure__", None) or ()]
    return [value for value in (*values, *cells) if isinstance(value, nn.Module)]


def everything(*setup: object) -> list[object]:
    """Weights, buffers, gradients, modes, hooks and batch, and the state of the random numbers."""
    found: list[object] = [torch.get_rng_state(), torch.is_grad_enabled(), torch.get_default_dtype()]
    for module in modules_of(*setup):
        lazy = any(isinstance(p, nn.UninitializedParameter) for p in module.parameters())
        found += [] if lazy else [t.detach().clone() for t in (*module.parameters(), *module.buffers())]
        found += [None if p.grad is None else p.grad.clone() for p in module.parameters()]
        found += [(m.training, len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks))
                  for m in module.modules()]  # fmt: skip
    return found + [t.detach().clone() for value in setup[2:] for t in tensors_in(value)]


def same(one: object, other: object) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one.nan_to_num(), other.nan_to_num()) if one.is_floating_point() else torch.equal(one, other)
    return one == other


@pytest.mark.parametrize("name", SETS)
def test_no_set_up_is_changed_and_none_crashes(name):
    touched = []
    for case in SETS[name]:
        with torch.random.fork_rng([]):
            torch.manual_seed(3)
            setup = case.build()
            before = everything(*setup)
            kept = copy.copy(before)
            diagnose(*setup)
            after = everything(*setup)
        if len(after) != len(kept) or not all(map(same, kept, after)):
            touched.append(case.name)
    assert touched == []


def test_the_comparison_sees_a_change():
    model = nn.Linear(2, 2)
    before = everything(model, lambda out, y: out, torch.zeros(2), None)
    model.bias.data[0] += 1
    assert not all(map(same, before, everything(model, lambda out, y: out, torch.zeros(2), None)))
