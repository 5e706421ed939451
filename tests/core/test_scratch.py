"""The hand-written losses against formulas, autograd, finite differences and PyTorch's own."""

import math

import pytest
import torch
from torch.nn import functional as F

from lm_utils import scratch

KINDS = list(scratch.LAYERS)


def batch(kind, rows=6, columns=4, scale=2.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(7)
    outputs = torch.randn(rows, columns, generator=generator, dtype=dtype) * scale
    labels = torch.randint(columns, (rows,), generator=generator)
    one_hot = F.one_hot(labels, columns).to(dtype)
    many = torch.randint(2, (rows, columns), generator=generator).to(dtype)
    return outputs, {"mse": torch.randn(rows, columns, generator=generator, dtype=dtype),
                     "cross_entropy": one_hot, "bce": many}[kind]  # fmt: skip


def torchs_own(kind, outputs, targets):
    """PyTorch's loss, brought to the same scale: sums over everything, divided by the batch size."""
    columns = outputs.shape[1]
    if kind == "mse":
        return F.mse_loss(outputs, targets) * columns / 2
    if kind == "cross_entropy":
        return F.cross_entropy(outputs, targets)
    return F.binary_cross_entropy_with_logits(outputs, targets) * columns


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_value_and_gradient_equal_pytorchs(kind, dtype, tolerance):
    outputs, targets = batch(kind, dtype=dtype)
    layer = scratch.LAYERS[kind]()
    mine = layer.forward(outputs, targets)
    leaf = outputs.clone().requires_grad_()
    theirs = torchs_own(kind, leaf, targets)
    theirs.backward()
    torch.testing.assert_close(mine, theirs.detach(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(layer.backward(), leaf.grad, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck_inside_the_clipping_range(kind):
    outputs, targets = batch(kind)
    loss = scratch.as_function(scratch.LAYERS[kind](), targets)
    assert torch.autograd.gradcheck(loss, outputs.requires_grad_())


@pytest.mark.parametrize("kind", ["cross_entropy", "bce"])
def test_gradcheck_fails_where_the_clip_is_active(kind):
    """There the value is flat while the gradient still says p - y: it belongs to the unclipped loss."""
    outputs, targets = torch.tensor([[-20.0, 20.0]], dtype=torch.float64), torch.tensor([[1.0, 0.0]]).double()
    layer = scratch.LAYERS[kind]()
    assert not torch.autograd.gradcheck(
        scratch.as_function(layer, targets), outputs.requires_grad_(), raise_exception=False
    )
    torch.testing.assert_close(layer.backward(), torch.tensor([[-1.0, 1.0]], dtype=torch.float64), atol=1e-8, rtol=0)


def test_autograd_through_the_same_formula_agrees():
    outputs, targets = batch("cross_entropy")
    leaf = outputs.clone().requires_grad_()
    layer = scratch.CategoricalCrossEntropy()
    (-targets * torch.log(torch.softmax(leaf, dim=1))).sum().div(len(targets)).backward()
    layer.forward(outputs, targets)
    torch.testing.assert_close(layer.backward(), leaf.grad)


def test_no_graph_is_built_inside():
    outputs, targets = batch("bce")
    layer = scratch.BinaryCrossEntropy()
    assert not layer.forward(outputs.requires_grad_(), targets).requires_grad
    assert not layer.backward().requires_grad


def test_jacobian_of_softmax_equals_autograds():
    z = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    by_autograd = torch.autograd.functional.jacobian(lambda v: torch.softmax(v, 0), z)
    mine = scratch.softmax_jacobian(torch.softmax(z, 0))
    torch.testing.assert_close(mine, by_autograd)
    torch.testing.assert_close(mine.sum(0), torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("extreme", [50.0, 1000.0, 1e30])
@pytest.mark.parametrize("kind", ["cross_entropy", "bce"])
def test_extremes_stay_finite_and_stop_at_the_clip(kind, extreme):
    outputs, targets = torch.tensor([[-extreme, extreme]]), torch.tensor([[1.0, 0.0]])
    layer = scratch.LAYERS[kind]()
    value = layer.forward(outputs, targets).item()
    ceiling = -math.log(1e-7)
    expected = ceiling if kind == "cross_entropy" else ceiling - math.log(2**-23)  # float32: 1 - 1e-7 is rounded
    assert value == pytest.approx(expected, abs=1e-4)
    assert torch.equal(layer.backward(), torch.tensor([[-1.0, 1.0]]))


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_helpers_equal_pytorchs_at_every_size(name):
    z = torch.tensor([-1e30, -1000.0, -88.0, -1.0, 0.0, 1.0, 17.0, 1000.0, 1e30])
    torch.testing.assert_close(getattr(scratch, name)(z), getattr(F, name)(z), atol=1e-7, rtol=1e-6)


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match="one-hot"):
        scratch.MeanSquaredError().forward(torch.zeros(3, 1), torch.zeros(3))
