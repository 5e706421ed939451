"""Softmax over labels: its ceiling, its optimum, and what another cut does."""

import pytest
import torch

from lm_utils.evidence import tables
from lm_utils.lessons import multi_label
from lm_utils.lessons.multi_label import LABELS


def test_the_ceiling_is_that_of_one_yes_at_most():
    targets = LABELS.target(torch.arange(10))
    by_hand = []
    for row in targets:
        answers = [torch.zeros(4), *torch.eye(4)]
        by_hand.append(max((answer == row).float().mean().item() for answer in answers))
    assert multi_label.ceiling(targets) == pytest.approx(sum(by_hand) / 10)
    assert multi_label.ceiling(LABELS.target(tables.tested_digits("mnist"))) == pytest.approx(0.8019, abs=5e-5)


def test_cross_entropy_is_lowest_at_equal_shares():
    target = torch.tensor([[1.0, 0.0, 0.0, 1.0]])  # a 4
    logits = torch.zeros(1, 4, requires_grad=True)
    optimizer = torch.optim.SGD([logits], lr=1.0)
    for _ in range(300):
        optimizer.zero_grad()
        torch.nn.CrossEntropyLoss()(logits, target).backward()
        optimizer.step()
    shares = multi_label.shares_table(torch.tensor([4]))
    torch.testing.assert_close(torch.softmax(logits, 1).detach(), shares, atol=0.02, rtol=0)


def test_another_cut_repairs_shares():
    targets = LABELS.target(torch.arange(10))
    shares = multi_label.softmax_optimum(targets) * 0.97 + 0.0075  # nearly there, as a trained network is
    assert (LABELS.decide(shares) == targets).float().mean() < 0.81
    cut = multi_label.best_cut(shares, targets)
    assert (LABELS.decide(shares, cut) == targets).all() and cut < 1 / 3


def test_moving_the_slider_redraws_the_picture():
    targets = LABELS.target(torch.arange(10))
    box = multi_label.cut_lab({"softmax": (multi_label.softmax_optimum(targets), targets)})
    slider, picture = box.children
    before = picture.value
    slider.value = 0.2
    assert picture.value != before and "at the cut 0.20" in picture.value
