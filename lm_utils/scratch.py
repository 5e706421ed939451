"""Losses written from their formulas: the value and the hand-derived gradient, no autograd inside.

Each loss is a *layer*: it takes what the network's last linear layer emits, applies its own softmax or
sigmoid, and gives back the gradient with respect to its input. Rows are samples, columns are outputs.
Sums run over everything and are divided by the batch size n, never by the number of outputs K.
"""

import torch
from torch import Tensor

from lm_utils.errors import UserError

CLIP = 1e-7  # a logarithm never sees anything smaller


def sigmoid(z: Tensor) -> Tensor:
    """1 / (1 + exp(-z)), written so that exp never overflows."""
    small = torch.exp(-z.abs())  # between 0 and 1 for every z
    return torch.where(z >= 0, 1 / (1 + small), small / (1 + small))


def softmax(z: Tensor) -> Tensor:
    """exp(z) divided by its sum along each row; the row's largest value is taken away first."""
    powers = torch.exp(z - z.amax(dim=1, keepdim=True))
    return powers / powers.sum(dim=1, keepdim=True)


def softmax_jacobian(p: Tensor) -> Tensor:
    """The slopes dp_i / dz_j = p_i (delta_ij - p_j) of one row of softmax outputs, as a K x K matrix."""
    return torch.diag(p) - torch.outer(p, p)


def softplus(z: Tensor) -> Tensor:
    """log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), exact at every z."""
    return z.clamp_min(0) + torch.log1p(torch.exp(-z.abs()))


class LossLayer:
    """A loss with its activation inside: `forward` gives the value, then `backward` gives the gradient."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of a batch; remembers what `backward` needs."""
        if outputs.shape != targets.shape or outputs.ndim != 2:
            raise UserError(
                f"Outputs of shape {list(outputs.shape)} met targets of shape {list(targets.shape)}; give"
                " both as [samples, outputs], class labels as one-hot rows."
            )
        with torch.no_grad():
            self.predictions, self.targets = self.activate(outputs), targets
            return self.element_losses().sum() / len(targets)

    def backward(self) -> Tensor:
        """The gradient with respect to the layer's input: (prediction - target) / batch size, always."""
        with torch.no_grad():
            return (self.predictions - self.targets) / len(self.targets)

    def activate(self, outputs: Tensor) -> Tensor:
        """Turn the network's outputs into predictions."""
        raise NotImplementedError

    def element_losses(self) -> Tensor:
        """The loss of every single output, before anything is added up."""
        raise NotImplementedError


class MeanSquaredError(LossLayer):
    """Half the squared error. The half cancels the 2 of the derivative."""

    def activate(self, outputs: Tensor) -> Tensor:
        """No activation: the outputs are the predictions."""
        return outputs

    def element_losses(self) -> Tensor:
        """(prediction - target)^2 / 2."""
        return (self.predictions - self.targets).square() / 2


class CategoricalCrossEntropy(LossLayer):
    """Softmax, then minus the logarithm of the probability that the true class was given."""

    def activate(self, outputs: Tensor) -> Tensor:
        """Softmax over each row."""
        return softmax(outputs)

    def element_losses(self) -> Tensor:
        """-y log p. One lower limit is enough: log p is harmless near p = 1."""
        return -self.targets * torch.log(self.predictions.clamp_min(CLIP))


class BinaryCrossEntropy(LossLayer):
    """Sigmoid, then minus the logarithm of the probability that each true answer was given."""

    def activate(self, outputs: Tensor) -> Tensor:
        """Sigmoid of each output by itself."""
        return sigmoid(outputs)

    def element_losses(self) -> Tensor:
        """-y log p - (1 - y) log(1 - p). Two limits: either logarithm may meet a zero."""
        p = self.predictions.clamp(CLIP, 1 - CLIP)
        return -self.targets * torch.log(p) - (1 - self.targets) * torch.log(1 - p)


LAYERS = {"mse": MeanSquaredError, "cross_entropy": CategoricalCrossEntropy, "bce": BinaryCrossEntropy}


def as_function(layer: LossLayer, targets: Tensor):
    """The layer as an ordinary function of its inputs that autograd and gradcheck can call.

    Autograd is handed our gradient; it computes none of its own.
    """

    class Bridge(torch.autograd.Function):
        @staticmethod
        def forward(ctx, outputs: Tensor) -> Tensor:
            loss = layer.forward(outputs, targets)
            ctx.gradient = layer.backward()
            return loss

        @staticmethod
        def backward(ctx, above: Tensor) -> Tensor:
            return above * ctx.gradient

    return Bridge.apply
