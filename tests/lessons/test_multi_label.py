"""Softmax over labels: its ceiling, its optimum, and what another cut does."""

import pytest
import torch

from lm_utils.evidence.reference_lines import best_metric
from lm_utils.evidence.results import tested_digits as digits_of_the_test
from lm_utils.lessons import multi_label as lesson
from lm_utils.lessons.multi_label import LABELS

SHARES = LABELS.target(torch.arange(10))
SHARES = SHARES / SHARES.sum(dim=1, keepdim=True)  # where cross-entropy behind softmax is lowest


def test_the_ceiling_is_that_of_one_yes_at_most():
    targets = LABELS.target(torch.arange(10))
    by_hand = []
    for row in targets:
        answers = [torch.zeros(4), *torch.eye(4)]
        by_hand.append(max((answer == row).float().mean().item() for answer in answers))
    assert best_metric(lesson.SOFTMAX, targets) == pytest.approx(sum(by_hand) / 10)
    assert best_metric(lesson.SOFTMAX, LABELS.target(digits_of_the_test("mnist"))) == pytest.approx(0.8019, abs=5e-5)


def test_another_cut_repairs_shares():
    targets = LABELS.target(torch.arange(10))
    shares = SHARES * 0.97 + 0.0075  # nearly there, as a trained network is
    assert lesson.accuracy_at(0.5, shares, targets) < 0.81
    assert lesson.accuracy_at(0.2, shares, targets) == 1


def test_moving_the_slider_redraws_the_picture():
    targets = LABELS.target(torch.arange(10))
    box = lesson.cut_lab({"softmax": (SHARES, targets)})
    slider, picture = box.controls["cut"], box.children[1]
    before = picture.value
    slider.value = 0.2
    assert picture.value != before and "at the cut 0.20" in picture.value
