"""Notebook 03: the losses of `lm_utils.scratch` as Triton kernels: one program per sample, value and gradient at once.

Importing this file needs Triton. Where there is no GPU the kernels run in Triton's interpreter, which has to be chosen
before Triton is imported; `losses_from_scratch.run_kernels` therefore runs this file in a process of its own:
`python -m lm_utils.lessons.losses_from_scratch_triton` prints a comparison as JSON.
"""

import json
import os
import sys

import torch
from torch import Tensor
from torch.nn import functional as F

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

import triton
import triton.language as tl

from lm_utils import scratch

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


@triton.jit
def mse_kernel(outputs, targets, losses, gradients, n, K, CLIP: tl.constexpr, BLOCK: tl.constexpr):
    row, column = tl.program_id(0), tl.arange(0, BLOCK)
    place, inside = row * K + column, column < K
    error = tl.load(outputs + place, mask=inside, other=0.0) - tl.load(targets + place, mask=inside, other=0.0)
    tl.store(losses + row, tl.sum(error * error / 2, axis=0))
    tl.store(gradients + place, error / n, mask=inside)


@triton.jit
def cross_entropy_kernel(outputs, targets, losses, gradients, n, K, CLIP: tl.constexpr, BLOCK: tl.constexpr):
    row, column = tl.program_id(0), tl.arange(0, BLOCK)
    place, inside = row * K + column, column < K
    z = tl.load(outputs + place, mask=inside, other=float("-inf"))
    y = tl.load(targets + place, mask=inside, other=0.0)
    powers = tl.exp(z - tl.max(z, axis=0))
    p = powers / tl.sum(powers, axis=0)
    tl.store(losses + row, tl.sum(-y * tl.log(tl.maximum(p, CLIP)), axis=0))
    tl.store(gradients + place, (p - y) / n, mask=inside)


@triton.jit
def bce_kernel(outputs, targets, losses, gradients, n, K, CLIP: tl.constexpr, BLOCK: tl.constexpr):
    row, column = tl.program_id(0), tl.arange(0, BLOCK)
    place, inside = row * K + column, column < K
    z = tl.load(outputs + place, mask=inside, other=0.0)
    y = tl.load(targets + place, mask=inside, other=0.0)
    small = tl.exp(-tl.abs(z))
    p = tl.where(z >= 0, 1 / (1 + small), small / (1 + small))
    t = tl.minimum(tl.maximum(p, CLIP), 1 - CLIP)
    loss = -y * tl.log(t) - (1 - y) * tl.log(1 - t)
    tl.store(losses + row, tl.sum(tl.where(inside, loss, 0.0), axis=0))
    tl.store(gradients + place, (p - y) / n, mask=inside)


KERNELS = {"mse": mse_kernel, "cross_entropy": cross_entropy_kernel, "bce": bce_kernel}


def loss_and_gradient(name: str, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of a batch and its gradient, from one launch of the kernel of that name."""
    n, K = outputs.shape
    outputs, targets = outputs.contiguous(), targets.to(outputs.dtype).contiguous()
    losses, gradients = outputs.new_empty(n), torch.empty_like(outputs)
    block = triton.next_power_of_2(K)
    KERNELS[name][(n,)](outputs, targets, losses, gradients, n, K, CLIP=scratch.CLIP, BLOCK=block)
    return losses.sum() / n, gradients


def batch(name: str, device: str, n: int = 64, K: int = 10, spread: float = 3.0) -> tuple[Tensor, Tensor]:
    """Make up outputs and targets of the kind a loss expects; the same numbers on every device."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(n, K, generator=generator) * spread
    labels = torch.randint(K, (n,), generator=generator)
    targets = {
        "mse": torch.randn(n, K, generator=generator),
        "cross_entropy": F.one_hot(labels, K).float(),
        "bce": torch.randint(2, (n, K), generator=generator).float(),
    }[name]
    return outputs.to(device), targets.to(device)


def pytorchs(name: str, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return PyTorch's own loss on the scale of document 003, and autograd's gradient."""
    leaf, K = outputs.clone().requires_grad_(), outputs.shape[1]
    loss = {
        "mse": lambda: F.mse_loss(leaf, targets) * K / 2,
        "cross_entropy": lambda: F.cross_entropy(leaf, targets),
        "bce": lambda: F.binary_cross_entropy_with_logits(leaf, targets) * K,
    }[name]()
    return loss.detach(), torch.autograd.grad(loss, leaf)[0]


def compare(name: str, device: str) -> dict[str, object]:
    """Compute one loss three ways: Triton, `lm_utils.scratch`, PyTorch; with the largest differences."""
    outputs, targets = batch(name, device)
    value, gradient = loss_and_gradient(name, outputs, targets)
    layer = scratch.LAYERS[name]()
    by_hand = layer.forward(outputs, targets)
    torchs_value, torchs_gradient = pytorchs(name, outputs, targets)
    return {
        "loss": name,
        "triton": float(value),
        "scratch": float(by_hand),
        "pytorch": float(torchs_value),
        "gradient_vs_scratch": float((gradient - layer.backward()).abs().max()),
        "gradient_vs_pytorch": float((gradient - torchs_gradient).abs().max()),
    }


def main() -> None:
    """Print, as JSON, where the kernels ran and how they compare."""
    device = "cpu" if INTERPRETED else "cuda"
    where = "Triton's interpreter on the CPU" if INTERPRETED else torch.cuda.get_device_name()
    rows = [compare(name, device) for name in KERNELS]
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "triton": triton.__version__}
    print(json.dumps({"where": where, "versions": versions, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
