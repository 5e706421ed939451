"""Rows of digits: the classes are what the digits say, and every network starts as its point asks."""

import math
from dataclasses import asdict

import pytest
import torch

from lm_utils.data import Part
from lm_utils.files import read_lines
from lm_utils.runs import many_classes, race


def test_a_row_shows_the_digits_of_its_number():
    part = Part(torch.arange(10.0).view(10, 1, 1, 1).expand(10, 1, 28, 28), torch.arange(10))
    images, numbers = many_classes.rows(part, 3, 20, torch.Generator().manual_seed(0))
    assert images.shape == (20, 1, 28, 84)
    assert (images[:, 0, 0, ::28].long() * torch.tensor([1, 10, 100])).sum(dim=1).tolist() == numbers.tolist()


@pytest.mark.parametrize("digits", [1, 2, 3])
@pytest.mark.parametrize("kind", ["sigmoid", "batchnorm", "documents"])
def test_a_network_reads_its_rows_and_starts_at_the_prior(digits, kind):
    model = many_classes.network(many_classes.Point(digits, kind, "bce-prior"), 0)
    assert model.logits(torch.zeros(2, 1, 28, 28 * digits)).shape == (2, 10**digits)
    assert torch.sigmoid(model.out.bias).mean().item() == pytest.approx(10.0**-digits, rel=1e-3)


def test_pos_weight_makes_the_right_class_weigh_as_much_as_all_others():
    told = {
        loss: many_classes.loss_of(many_classes.Point(loss=loss), torch.zeros(4, 10), torch.arange(4)).item()
        for loss in many_classes.LOSSES
    }
    assert told["cross-entropy"] == pytest.approx(math.log(10), abs=1e-6)
    assert told["bce"] == pytest.approx(math.log(2)) and told["bce-pos-weight"] == pytest.approx(1.8 * math.log(2))


def test_points_are_trained_once_each_and_an_interrupt_keeps_what_is_finished(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "cache"))
    path, points, trained = tmp_path / "classes.jsonl", [many_classes.Point(1), many_classes.Point(2)], []

    def train(point, seed):
        trained.append((point.digits, seed))
        if len(trained) == 3:
            raise KeyboardInterrupt
        return {**asdict(point), "seed": seed}

    with pytest.raises(KeyboardInterrupt):
        race.extend(path, points, (7, 8), train)
    race.extend(path, points, (7, 8), train)
    assert trained == [(1, 7), (2, 7), (1, 8), (1, 8), (2, 8)]
    assert [(run["digits"], run["seed"]) for run in read_lines(path)] == [(1, 7), (2, 7), (1, 8), (2, 8)]
