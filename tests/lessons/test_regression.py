"""Regression with the wrong tools: no floor, running away, dead from the start."""

import pytest
import torch

from lm_utils.data import load_data
from lm_utils.lessons import regression as lesson
from lm_utils.pairing import Pairing


@pytest.fixture(scope="module")
def data():
    return load_data("digits", seed=0)


@pytest.mark.parametrize("target", lesson.TARGETS)
def test_only_targets_a_probability_can_be_have_a_floor(target):
    far = torch.tensor([-1e4, 1e4])
    assert (lesson.loss_at(target, far).min() < -1000) == (not 0 <= target <= 1)


def test_outputs_run_the_same_way_and_the_error_grows(data):
    found = lesson.runaway(Pairing("regression", "bce_logits", normalize=True), data, epochs=3)
    assert len(found.above) == len(found.below) == 3
    assert found.above[-1] < -1 and found.below[-1] < -1
    metrics = [record["valid_metric"] for record in found.run.history]
    assert metrics[-1] > metrics[0] > 1.78
    assert "MSE" in lesson.runaway_figure([found]).get_label()


def test_some_fresh_relu_outputs_are_dead(data):
    assert 0.2 < lesson.dead_at_start(Pairing("regression", "mse", "relu"), data, seeds=30, images=50) < 0.8
