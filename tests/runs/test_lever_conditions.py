"""The grid that tells apart what the push is common to."""

import pytest
import torch
from torch.nn import functional as F

from lm_utils.model import CNN
from lm_utils.runs import conditions as lever
from lm_utils.runs.interventions import REMOVED, with_alternating_bias


def gradient_at_logits(setup, loss, targets):
    """The gradient that leaves the logits of ten images after what the set-up does to it."""
    model, seen = CNN(10, generator=torch.Generator().manual_seed(0)), []
    setup(model)
    model.out.register_forward_hook(lambda layer, inputs, logits: logits.register_hook(seen.append) and None)
    loss(model(torch.randn(10, 1, 28, 28)), targets).backward()
    return seen[0]


DIGITS = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])


@pytest.mark.parametrize("removal", REMOVED)
def test_each_removal_takes_the_mean_it_names_and_no_other(removal):
    left = gradient_at_logits(REMOVED[removal][1], F.binary_cross_entropy_with_logits, torch.eye(10)[DIGITS])
    over_classes, over_images = left.mean(dim=1).abs().max(), left.mean(dim=0).abs().max()
    assert (over_classes < 1e-8) == (removal in ("class-mean", "both-means"))
    assert (over_images < 1e-8) == (removal in ("image-mean", "both-means"))


def test_biases_alternate_and_the_softmax_gradient_still_sums_to_zero():
    model = CNN(10, generator=torch.Generator().manual_seed(0))
    with_alternating_bias(model)
    assert model.out.bias.tolist() == [3.0, -3.0] * 5
    gradient = gradient_at_logits(with_alternating_bias, F.cross_entropy, DIGITS + 1)
    assert gradient.sum(dim=1).abs().max() < 1e-7
    assert gradient.mean(dim=0)[4::2].min() > 0.01  # outputs that start too high are pushed down by every image


def test_every_cell_is_there_once_and_says_what_it_expects():
    names = [condition.name for condition in lever.LEVER]
    assert len(names) == len(set(names)) == 2 * 2 * 4 + 4
    assert all(condition.expected in ("learns", "collapses") for condition in lever.LEVER)
