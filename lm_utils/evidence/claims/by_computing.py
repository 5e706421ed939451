"""What claims share that are worked out or put to PyTorch: a few numbers, slopes, and numbers in words."""

from collections.abc import Callable

import torch
from torch import Tensor

Z, LABEL = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64), torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
P, Y = torch.tensor([[0.9, 0.2], [0.4, 0.6]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])


def slope(loss: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Return the gradient by autograd."""
    return torch.func.grad(loss)(at)


def double(value: float) -> Tensor:
    """Return a number in double precision."""
    return torch.tensor(value, dtype=torch.float64)


def close(a: Tensor | float, b: Tensor | float) -> bool:
    """Whether two numbers or tensors agree to float32's precision."""
    return torch.allclose(torch.as_tensor(a), torch.as_tensor(b), rtol=1e-5, atol=1e-6)


def listed(values: Tensor, digits: int = 3) -> str:
    """Write numbers one after the other."""
    return ", ".join(f"{value:.{digits}f}" for value in values.tolist())
