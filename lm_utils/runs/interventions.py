"""What changed conditions do: to a network and its optimiser before training, to the data, to the test images."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.data import Part, Splits
from lm_utils.model import CNN
from lm_utils.training import adamw

Setup = Callable[[CNN], torch.optim.Optimizer]
Change = Callable[[Splits, int], Splits]


# --- what is done to the network and its optimiser -------------------------------------------------------------------


def on_logit_gradient(edit: Callable[[Tensor, Tensor], Tensor]) -> Setup:
    """Change the gradient that arrives at the logits: `edit(gradient, logits)`."""

    def setup(model: CNN) -> torch.optim.Optimizer:
        def hook(layer: torch.nn.Module, inputs: tuple, logits: Tensor) -> None:
            if logits.requires_grad:
                values = logits.detach()  # a hook that held the logits themselves would keep every batch's graph alive
                logits.register_hook(lambda gradient: edit(gradient, values))

        model.out.register_forward_hook(hook)
        return adamw(model)

    return setup


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


def with_hidden(function: Callable[[Tensor], Tensor]) -> Setup:
    """Another hidden activation."""

    def setup(model: CNN) -> torch.optim.Optimizer:
        model.hidden = function
        return adamw(model)

    return setup


def output_layer_first(batches: int = 63) -> Setup:
    """Only the output layer learns for so many batches (63 are one epoch of 2,000 images), then everything."""

    def setup(model: CNN) -> torch.optim.Optimizer:
        optimizer, steps = adamw(model), [0]

        def count(*_: object) -> None:
            steps[0] += 1

        def cut(layer: torch.nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor] | None:
            return (inputs[0].detach(),) if steps[0] < batches else None

        optimizer.register_step_post_hook(count)
        model.out.register_forward_pre_hook(cut)
        return optimizer

    return setup


def sgd(model: CNN) -> torch.optim.Optimizer:
    """Plain steps with momentum instead of AdamW's."""
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def learning_rate(rate: float) -> Setup:
    """AdamW with another learning rate."""
    return lambda model: adamw(model, rate)


def output_bias_at(value: float) -> Setup:
    """The output layer starts at this value instead of near 0."""

    def setup(model: CNN) -> torch.optim.Optimizer:
        model.out.bias.data.fill_(value)
        return adamw(model)

    return setup


def with_alternating_bias(setup: Setup, size: float = 3.0) -> Setup:
    """Start the output biases at +size and -size in turn."""

    def start(model: CNN) -> torch.optim.Optimizer:
        signs = torch.tensor([1.0, -1.0]).repeat(model.out.out_features // 2)
        model.out.bias.data.copy_(size * signs)
        return setup(model)

    return start


def scaled_loss(factor: float) -> Setup:
    """The loss times a factor."""
    return on_logit_gradient(lambda gradient, logits: gradient * factor)


# --- what is done to the data ----------------------------------------------------------------------------------------


def unchanged(data: Splits, seed: int) -> Splits:
    """The data as it is."""
    return data


def relabelled(yes: tuple[int, ...]) -> Change:
    """Only these digits count as curved (they become a 0, all others a 1), which sets the base rate."""
    table = torch.tensor([0 if digit in yes else 1 for digit in range(10)])

    def change(data: Splits, seed: int) -> Splits:
        parts = [Part(part.images, table[part.digits]) for part in (data.train, data.valid, data.test)]
        return Splits(*parts, data.name, data.source, data.seed)

    return change


def fewer_images(count: int) -> Change:
    """The first images of the training part alone."""

    def change(data: Splits, seed: int) -> Splits:
        return replace(data, train=Part(data.train.images[:count], data.train.digits[:count]))

    return change


def label_noise(share: float) -> Change:
    """A share of the training digits replaced by any digit drawn at random."""

    def change(data: Splits, seed: int) -> Splits:
        generator = torch.Generator().manual_seed(seed)
        digits = data.train.digits
        wrong = torch.rand(len(digits), generator=generator) < share
        drawn = torch.randint(10, digits.shape, generator=generator)
        return replace(data, train=Part(data.train.images, torch.where(wrong, drawn, digits)))

    return change


def imbalance(share: float) -> Change:
    """Training images of the digits 5 to 9 kept only with this share."""

    def change(data: Splits, seed: int) -> Splits:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.rand(len(data.train.digits), generator=generator)
        keep = (data.train.digits < 5) | (drawn < share)
        return replace(data, train=Part(data.train.images[keep], data.train.digits[keep]))

    return change


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
    "rotated by 15 degrees": lambda images: rotated(images, 15),
    "rotated by 30 degrees": lambda images: rotated(images, 30),
    "noise 0.5": lambda images: noisy(images, 0.5),
    "noise 1.0": lambda images: noisy(images, 1.0),
}
OTHER_HAND = "scikit-learn's digits instead of MNIST's"

# --- the two sides of the grid that tells two explanations apart ------------------------------------------------------

REMOVED: dict[str, tuple[str, Setup]] = {
    "nothing": ("nothing removed", adamw),
    "class-mean": ("mean over classes removed", on_logit_gradient(without_common_push)),
    "image-mean": ("mean over images removed", on_logit_gradient(without_image_mean)),
    "both-means": ("both means removed", on_logit_gradient(without_either_mean)),
}
BALANCES: dict[str, tuple[str, Change]] = {
    "balanced": ("balanced classes", unchanged),
    "rare": ("a tenth of the training images of 5 to 9", imbalance(0.1)),
}
