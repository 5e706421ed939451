"""Softmax over labels: its ceiling, its optimum, and what another cut does."""

import pytest
import torch

from lm_utils.evidence import changed_conditions
from lm_utils.evidence.results import tested_digits as digits_of_the_test
from lm_utils.lessons import multi_label as lesson
from lm_utils.lessons.multi_label import LABELS
from lm_utils.runs.outputs import CUTS


def test_the_ceiling_is_that_of_one_yes_at_most():
    targets = LABELS.target(torch.arange(10))
    by_hand = []
    for row in targets:
        answers = [torch.zeros(4), *torch.eye(4)]
        by_hand.append(max((answer == row).float().mean().item() for answer in answers))
    assert lesson.ceiling(targets) == pytest.approx(sum(by_hand) / 10)
    assert lesson.ceiling(LABELS.target(digits_of_the_test("mnist"))) == pytest.approx(0.8019, abs=5e-5)


def test_cross_entropy_is_lowest_at_equal_shares():
    target = torch.tensor([[1.0, 0.0, 0.0, 1.0]])  # a 4
    logits = torch.zeros(1, 4, requires_grad=True)
    optimizer = torch.optim.SGD([logits], lr=1.0)
    for _ in range(300):
        optimizer.zero_grad()
        torch.nn.CrossEntropyLoss()(logits, target).backward()
        optimizer.step()
    shares = lesson.softmax_optimum(target)
    torch.testing.assert_close(torch.softmax(logits, 1).detach(), shares, atol=0.02, rtol=0)


def test_another_cut_repairs_shares():
    targets = LABELS.target(torch.arange(10))
    shares = lesson.softmax_optimum(targets) * 0.97 + 0.0075  # nearly there, as a trained network is
    assert (LABELS.decide(shares) == targets).float().mean() < 0.81
    scores = lesson.accuracy_by_cut(shares, targets)
    cut = CUTS[scores.index(max(scores))].item()
    assert (LABELS.decide(shares, cut) == targets).all() and cut < 1 / 3


def test_moving_the_slider_redraws_the_picture():
    targets = LABELS.target(torch.arange(10))
    box = lesson.cut_lab({"softmax": (lesson.softmax_optimum(targets), targets)})
    slider, picture = box.controls["cut"], box.children[1]
    before = picture.value
    slider.value = 0.2
    assert picture.value != before and "at the cut 0.20" in picture.value


def test_cuts_chosen_on_the_validation_part_are_told_with_both_accuracies(monkeypatch):
    runs = [{"test_metric": metric, "chance": 0.1, "seed": seed, "data": "mnist", "cut": 0.2, "accuracy_at_cut": 0.98}
            for seed, metric in ((100, 0.76), (101, 0.77))]  # fmt: skip
    found = {"cut-mse": runs}
    monkeypatch.setattr(
        changed_conditions, "under_conditions", lambda family, data: found if family == "switches" else {}
    )
    told = lesson.validated_cut_sentences()
    assert "76.50 % with the cut at one half" in told and "**98.00 % (98.00 to 98.00 %)**" in told
    monkeypatch.setattr(changed_conditions, "under_conditions", lambda family, data: {})
    assert "not been trained yet" in lesson.validated_cut_sentences()
