"""What is the push that collapses ten sigmoids common to: all classes, or all images? A grid that tells them apart."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from lm_utils.model import CNN
from lm_utils.runs.conditions import (
    SIGMOIDS,
    SOFTMAX,
    Change,
    Condition,
    Setup,
    imbalance,
    on_logit_gradient,
    unchanged,
)
from lm_utils.runs.conditions import without_common_push as without_class_mean
from lm_utils.training import adamw

# At balanced classes every output of ten sigmoids starts 0.4 too high, for every image and for every class: a push that
# is common to the classes is common to the images, too, and no run can tell which of the two does the harm. Two changes
# separate them.
# - Rare classes (a tenth of the training images of 5 to 9). Less the mean over the classes, the push on each output is
#   still the same for all images: down for rare classes, up for the others.
# - Softmax whose output bias starts at +3 and -3 in turn. Its gradient sums to zero over the classes, so nothing is
#   common to them; but each output is pushed the same way by nearly all images until the bias has come back.
# If the classes matter, what counts is whether the mean over the classes was removed, and softmax never collapses.
# If the images matter, what counts is whether each output's mean over the batch was removed, and softmax with such a
# bias collapses unless it was. `expected` below says what follows if the images matter; written before these were run.


def without_image_mean(gradient: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient less each output's mean over the images of the batch."""
    return gradient - gradient.mean(dim=0, keepdim=True)


def without_either_mean(gradient: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient less both means."""
    return without_image_mean(without_class_mean(gradient, logits), logits)


REMOVED: dict[str, tuple[str, Setup]] = {
    "nothing": ("nothing removed", adamw),
    "class-mean": ("mean over classes removed", on_logit_gradient(without_class_mean)),
    "image-mean": ("mean over images removed", on_logit_gradient(without_image_mean)),
    "both-means": ("both means removed", on_logit_gradient(without_either_mean)),
}
BALANCES: dict[str, tuple[str, Change]] = {
    "balanced": ("balanced classes", unchanged),
    "rare": ("a tenth of the training images of 5 to 9", imbalance(0.1)),
}


def with_alternating_bias(setup: Setup, size: float = 3.0) -> Setup:
    """Start the output biases at +size and -size in turn."""

    def start(model: CNN) -> torch.optim.Optimizer:
        signs = torch.tensor([1.0, -1.0]).repeat(model.out.out_features // 2)
        model.out.bias.data.copy_(size * signs)
        return setup(model)

    return start


def lever(name: str, title: str, **options: object) -> Condition:
    """Return a condition of the grid; forty epochs are enough to tell a collapse from a network that learns."""
    return Condition("lever", name, title, max_epochs=40, **options)


def grid() -> tuple[Condition, ...]:
    """Return every balance with every removal, for ten sigmoids and for softmax with alternating output biases."""
    cells = []
    for balance, (of_classes, change) in BALANCES.items():
        for removal, (removed, setup) in REMOVED.items():
            spared = removal in ("image-mean", "both-means")
            either = "learns" if spared else "collapses"
            coincide = balance == "balanced" and removal == "class-mean"
            cells += [
                lever(f"sigmoids/{balance}/{removal}", f"ten sigmoids, {of_classes}, {removed}", pairing=SIGMOIDS,
                      expected="learns" if coincide else either, setup=setup, change=change),
                lever(f"softmax-biased/{balance}/{removal}",
                      f"softmax, output biases at +3 and -3, {of_classes}, {removed}",
                      pairing=SOFTMAX, expected=either, setup=with_alternating_bias(setup), change=change),
            ]  # fmt: skip
    return tuple(cells)


# Two controls: softmax as it starts by itself, whose push is small and soon over, and ten sigmoids whose output bias
# starts at each class's own share, where no push is left at all.
CONTROLS: tuple[Condition, ...] = tuple(
    condition
    for balance, (of_classes, change) in BALANCES.items()
    for condition in (
        lever(f"softmax/{balance}/nothing", f"softmax, {of_classes}",
              pairing=SOFTMAX, expected="learns", change=change),
        lever(f"sigmoids-prior/{balance}/nothing", f"ten sigmoids, output bias at the shares, {of_classes}",
              pairing=replace(SIGMOIDS, prior_bias=True), expected="learns", change=change),
    )
)  # fmt: skip
LEVER: tuple[Condition, ...] = (*grid(), *CONTROLS)
