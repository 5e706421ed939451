"""What changed conditions do: to a network and its optimiser before training, to the data, to the test images.

A condition hands on `functools.partial` of these, with all but the network or all but the data and the seed.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.data import Part, Splits
from lm_utils.model import CNN
from lm_utils.training import adamw

Setup = Callable[[CNN], torch.optim.Optimizer]
Change = Callable[[Splits, int], Splits]


# --- what is done to the network and its optimiser -------------------------------------------------------------------


def on_logit_gradient(model: CNN, edit: Callable[[Tensor, Tensor], Tensor]) -> torch.optim.Optimizer:
    """Change the gradient that arrives at the logits: `edit(gradient, logits)`."""

    def hook(layer: torch.nn.Module, inputs: tuple, logits: Tensor) -> None:
        if logits.requires_grad:
            values = logits.detach()  # a hook that held the logits themselves would keep every batch's graph alive
            logits.register_hook(lambda gradient: edit(gradient, values))

    model.out.register_forward_hook(hook)
    return adamw(model)


def without_common_push(gradient: Tensor, logits: Tensor) -> Tensor:
    """The gradient less its mean over the classes."""
    return gradient - gradient.mean(dim=1, keepdim=True)


def without_image_mean(gradient: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient less each output's mean over the images of the batch."""
    return gradient - gradient.mean(dim=0, keepdim=True)


def without_either_mean(gradient: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient less both means."""
    return without_image_mean(without_common_push(gradient, logits), logits)


def with_common_push(gradient: Tensor, logits: Tensor) -> Tensor:
    """The gradient plus what ten sigmoids at a base rate of 0.1 share: it ends when the mean output is 0.1."""
    push = torch.sigmoid(logits.mean(dim=1, keepdim=True)) - 0.1
    return gradient + push / len(logits)


def with_hidden(model: CNN, function: Callable[[Tensor], Tensor]) -> torch.optim.Optimizer:
    """Put another function in the place of the hidden activation."""
    model.hidden = function
    return adamw(model)


def output_layer_first(model: CNN, batches: int = 63) -> torch.optim.Optimizer:
    """Let the output layer alone learn for so many batches (63 are one epoch of 2,000 images), then everything."""
    optimizer, steps = adamw(model), []
    optimizer.register_step_post_hook(lambda *_: steps.append(1))
    model.out.register_forward_pre_hook(lambda _, inputs: (inputs[0].detach(),) if len(steps) < batches else None)
    return optimizer


def sgd(model: CNN) -> torch.optim.Optimizer:
    """Plain steps with momentum instead of AdamW's."""
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def output_bias_at(model: CNN, value: float) -> torch.optim.Optimizer:
    """Start the outputs at this value instead of near 0."""
    model.out.bias.data.fill_(value)
    return adamw(model)


def with_alternating_bias(model: CNN, setup: Setup = adamw) -> torch.optim.Optimizer:
    """Start the output biases at +3 and -3 in turn."""
    model.out.bias.data.copy_(torch.tensor([3.0, -3.0]).repeat(model.out.out_features // 2))
    return setup(model)


# --- what is done to the data ----------------------------------------------------------------------------------------


def unchanged(data: Splits, seed: int) -> Splits:
    """The data as it is."""
    return data


def relabelled(data: Splits, seed: int, yes: tuple[int, ...]) -> Splits:
    """Count only these digits as curved (they become a 0, all others a 1), which sets the base rate."""
    table = torch.tensor([0 if digit in yes else 1 for digit in range(10)])
    train, valid, test = (Part(part.images, table[part.digits]) for part in (data.train, data.valid, data.test))
    return replace(data, train=train, valid=valid, test=test)


def fewer_images(data: Splits, seed: int, count: int) -> Splits:
    """Keep the first images of the training part alone."""
    return replace(data, train=Part(data.train.images[:count], data.train.digits[:count]))


def label_noise(data: Splits, seed: int, share: float) -> Splits:
    """Replace a share of the training digits by any digit drawn at random."""
    generator, digits = torch.Generator().manual_seed(seed), data.train.digits
    wrong = torch.rand(len(digits), generator=generator) < share
    drawn = torch.randint(10, digits.shape, generator=generator)
    return replace(data, train=Part(data.train.images, torch.where(wrong, drawn, digits)))


def imbalance(data: Splits, seed: int, share: float) -> Splits:
    """Keep only this share of the training images of the digits 5 to 9."""
    drawn = torch.rand(len(data.train), generator=torch.Generator().manual_seed(seed))
    keep = (data.train.digits < 5) | (drawn < share)
    return replace(data, train=Part(data.train.images[keep], data.train.digits[keep]))


def rotated(images: Tensor, degrees: float) -> Tensor:
    """Images turned about their centre."""
    angle = math.radians(degrees)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0]])
    grid = F.affine_grid(turn.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, grid, align_corners=False) - 1  # the paper is -1; what comes in is paper


def noisy(images: Tensor, deviation: float) -> Tensor:
    """Images with Gaussian noise on every pixel, the same for every run."""
    generator = torch.Generator().manual_seed(0)
    return (images + deviation * torch.randn(images.shape, generator=generator)).clamp(-1, 1)


SHIFTS: dict[str, Callable[[Tensor], Tensor]] = {
    "rotated by 15 degrees": partial(rotated, degrees=15),
    "rotated by 30 degrees": partial(rotated, degrees=30),
    "noise 0.5": partial(noisy, deviation=0.5),
    "noise 1.0": partial(noisy, deviation=1.0),
}
OTHER_HAND = "scikit-learn's digits instead of MNIST's"

# --- the two sides of the grid that tells two explanations apart ------------------------------------------------------

REMOVED: dict[str, tuple[str, Setup]] = {
    "nothing": ("nothing removed", adamw),
    "class-mean": ("mean over classes removed", partial(on_logit_gradient, edit=without_common_push)),
    "image-mean": ("mean over images removed", partial(on_logit_gradient, edit=without_image_mean)),
    "both-means": ("both means removed", partial(on_logit_gradient, edit=without_either_mean)),
}
BALANCES: dict[str, tuple[str, Change]] = {
    "balanced": ("balanced classes", unchanged),
    "rare": ("a tenth of the training images of 5 to 9", partial(imbalance, share=0.1)),
}
