"""The course's network for a whole stack of runs: products of matrices over all of them at once.

The three convolutions are written as products, because one product over all runs is one
launch on a GPU. Every network gets as many outputs as the widest task has; those that a task lacks have weights of 0,
keep them, and are cut off before the loss. Activation, loss and prediction are the pairing's own code; the functions
that take a pairing see one run and are mapped over all runs that share it.
"""

from math import nan, prod

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.activations import ACTIVATIONS, HIDDEN
from lm_utils.model import CNN
from lm_utils.pairing import Pairing, Scale
from lm_utils.tasks import TASKS

WIDTH = max(task.outputs for task in TASKS.values())
SHAPES = [tuple(weight.shape) for weight in CNN(WIDTH).parameters()]
LENGTHS = [prod(shape) for shape in SHAPES]
FILLER = -sum(LENGTHS) % 32  # every run's row begins at a multiple of 128 bytes
ROW = sum(LENGTHS) + FILLER
BORDER = 1  # around every image, as the first convolution adds it


def packed(model: CNN) -> Tensor:
    """A network's weights as one row; zeros where it has fewer outputs than the widest."""
    rows = [F.pad(w.detach().reshape(-1), (0, n - w.numel())) for w, n in zip(model.parameters(), LENGTHS, strict=True)]
    return F.pad(torch.cat(rows), (0, FILLER))


def unpacked(weights: Tensor) -> list[Tensor]:
    """Rows [S, ROW] as the layers' weights [S, out, in] and biases [S, out], in the order of the network."""
    parts = weights.split([*LENGTHS, FILLER], dim=1)
    return [part.unflatten(1, (shape[0], -1)) if len(shape) > 1 else part
            for part, shape in zip(parts, SHAPES, strict=False)]  # fmt: skip


def network(weights: Tensor, images: Tensor, relu: Tensor) -> Tensor:
    """`CNN.logits` of every run for its own images: [S, ROW] and [S, N, 30, 30] to [S, N, WIDTH]."""
    w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = unpacked(weights)
    x = first_layer(images, w1, b1)
    x = F.max_pool2d(convolve(x, w2).flatten(0, 1), 2).unflatten(0, b2.shape)
    x = (x + b2[..., None, None, None]).relu()  # pooling commutes with adding the bias, too, and leaves fewer numbers
    x = (convolve(x, w3) + b3[..., None, None, None]).relu().transpose(1, 2).flatten(2)
    x = torch.baddbmm(b4[:, None], x, w4.mT)
    x = torch.where(relu[:, None, None], HIDDEN["relu"](x), HIDDEN["sigmoid"](x))
    return torch.baddbmm(b5[:, None], x, w5.mT)


def first_layer(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolution, pooling and ReLU, image by image: the weights' gradient is many short sums, not a few long ones."""
    count = images.shape[:2]
    singly = weight[:, None].expand(-1, count[1], -1, -1).flatten(0, 1)
    x = F.max_pool2d(convolve(images.flatten(0, 1)[:, None, None], singly).squeeze(2), 2).unflatten(0, count)
    return (x + bias[:, None, :, None, None]).relu().transpose(1, 2)


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """Every run's own 3x3 convolution: [S, C, N, H, W] and weights [S, O, C * 9] to [S, O, N, H - 2, W - 2]."""
    runs, channels, images, height, width = x.shape
    windows = x.unfold(3, 3, 1).unfold(4, 3, 1).permute(0, 1, 5, 6, 2, 3, 4)
    products = torch.bmm(weight, windows.reshape(runs, channels * 9, -1))
    return products.view(runs, -1, images, height - 2, width - 2)


def padded_targets(values: Tensor) -> Tensor:
    """Targets [N], [N, 1] or [N, k] as numbers [N, WIDTH]."""
    columns = values.reshape(len(values), -1).to(torch.get_default_dtype())
    return F.pad(columns, (0, WIDTH - columns.shape[1]))


def unpadded_outputs(pairing: Pairing, columns: Tensor) -> Tensor:
    """Targets [N, WIDTH] in the shape they have for this pairing."""
    return columns[:, 0].long() if pairing.spec.kind == "exclusive" else columns[:, : pairing.spec.outputs]


def outputs_of(pairing: Pairing, logits: Tensor) -> Tensor:
    """One run's outputs [N, k] out of its logits [N, WIDTH]."""
    return ACTIVATIONS[pairing.activation].apply(logits[:, : pairing.spec.outputs])


def loss_of(pairing: Pairing, logits: Tensor, aims: Tensor) -> Tensor:
    """One run's loss; nn.BCELoss, which kills a CUDA process when it meets nan, meets one half and nan is told."""
    outputs, aims = outputs_of(pairing, logits), unpadded_outputs(pairing, aims)
    if pairing.loss != "bce":
        return pairing.loss_value(outputs, aims)
    known = outputs.isfinite()
    loss = pairing.loss_value(torch.where(known, outputs, 0.5), aims)
    return torch.where(known.all(), loss, nan)


def score_of(pairing: Pairing, logits: Tensor, targets: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """One run's metric, left on the device."""
    predictions = pairing.predict(outputs_of(pairing, logits), Scale(mean, std))
    return pairing.spec.measure(predictions, unpadded_outputs(pairing, targets))
