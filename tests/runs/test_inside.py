"""Looking inside a network: which hidden units say nothing."""

import torch

from lm_utils.model import CNN
from lm_utils.runs.inside import stuck_units


def test_a_unit_is_stuck_where_it_says_the_same_for_every_image(tiny):
    images = tiny.valid.images[:32]
    model = CNN(10, generator=torch.Generator().manual_seed(0))
    assert stuck_units(model, images) == 0
    model.fc.bias.data[:16] = 50.0
    assert stuck_units(model, images) == 0.25
    relu = CNN(10, hidden="relu", generator=torch.Generator().manual_seed(0))
    relu.fc.bias.data[:32] = -50.0
    assert stuck_units(relu, images) >= 0.5
