"""Looking inside a network while it trains: how large gradients are, layer by layer, and which units are stuck."""

import torch
from torch import Tensor

from lm_utils.model import CNN
from lm_utils.pairing import Pairing

LAYERS = ("conv1", "conv2", "conv3", "fc", "out")
# A slope below this is flat: a sigmoid has it within 0.01 of 0 or 1, ReLU wherever it emits 0. The doctor's limit is
# ten times as strict, since it asks another question: whether a layer is beyond help, not how far saturation has come.
# The stored traces in results/robustness/ were measured with this one.
FLAT = 0.01


def gradient_sizes(model: CNN, pairing: Pairing, images: Tensor, aims: Tensor) -> dict[str, float]:
    """The mean size of the loss's gradient in each layer's weights; the model's own .grad stays as it is."""
    layers = [layer for layer in LAYERS if hasattr(model, layer)]  # the tiny network has two convolutions
    weights = [getattr(model, layer).weight for layer in layers]
    with torch.enable_grad():
        loss = pairing.loss_value(model(images), aims)
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return {
        layer: 0.0 if gradient is None else gradient.abs().mean().item()
        for layer, gradient in zip(layers, gradients, strict=True)
    }


def stuck_share(model: CNN, images: Tensor) -> float:
    """The share of hidden activations at a flat end of their function, where almost no gradient passes."""
    with torch.no_grad():
        before = model.fc(model.features(images))
    with torch.enable_grad():
        before.requires_grad_()
        (slope,) = torch.autograd.grad(model.hidden(before).sum(), before)
    return (slope < FLAT).float().mean().item()


def stuck_units(model: CNN, images: Tensor) -> float:
    """The share of hidden units that stay at the same flat end for every one of these images: they say nothing."""
    with torch.no_grad():
        units = model.hidden_units(images)
    sigmoid = model.hidden is torch.sigmoid
    at_an_end = ((units < FLAT) | (units > 1 - FLAT)).all(dim=0) if sigmoid else units.amax(dim=0) <= 0
    unmoved = units.amax(dim=0) - units.amin(dim=0) < 2 * FLAT
    return (at_an_end & unmoved).float().mean().item()
