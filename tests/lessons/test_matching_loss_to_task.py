"""Notebook 05: penalties and their slopes, proper scores, competition between classes, wrong labels."""

import numpy as np
import pytest
import torch

from lm_utils.lessons import matching_loss_to_task as lesson
from lm_utils.show.style import png


@pytest.mark.parametrize("loss", lesson.LOSSES)
def test_curves_equal_their_formulas(loss):
    p = lesson.PLACES
    formulas = {
        "BCE": {"loss": -np.log(p), "by p": 1 / p, "by logit": 1 - p},
        "MSE": {"loss": (1 - p) ** 2, "by p": 2 * (1 - p), "by logit": 2 * (1 - p) * p * (1 - p)},
        "MAE": {"loss": 1 - p, "by p": np.ones_like(p), "by logit": p * (1 - p)},
    }[loss]
    for key, values in lesson.penalty(loss, p).items():
        assert np.abs(values) == pytest.approx(formulas[key], rel=1e-6)


def test_way_out_of_a_confident_mistake():
    steps = {name: (lesson.escape(name) < 0.5).sum() for name in lesson.LOSSES}
    assert steps["BCE"] < 10 < steps["MSE"] < steps["MAE"]


@pytest.mark.parametrize("truth", [0.1, 0.35, 0.8])
def test_honesty_is_cheapest_but_for_the_absolute_error(truth):
    assert lesson.best_report("BCE", truth) == pytest.approx(truth, abs=1e-3)
    assert lesson.best_report("MSE", truth) == pytest.approx(truth, abs=1e-3)
    assert lesson.best_report("MAE", truth) == pytest.approx(round(truth), abs=2e-3)


def test_competition_belongs_to_softmax():
    z = torch.tensor([0.5, 6.0, 0.0, -1.0])
    for loss in ("CE", "BCE", "MSE"):
        assert lesson.pull(loss, "softmax", z, 0).sum().abs() < 1e-12
    assert (lesson.pull("CE", "sigmoid", z, 0)[1:] == 0).all()
    assert lesson.pull("MSE", "softmax", z, 0).abs().max() < 0.05 < lesson.pull("CE", "softmax", z, 0).abs().max()


def test_wrong_labels_move_cross_entropy_alone():
    def place(name, wrong):
        weight, bias = lesson.fit_line(*lesson.noisy_line(wrong), name)
        return abs(bias / weight)

    assert all(place(name, 0) < 0.02 for name in lesson.LOSSES)
    assert place("BCE", 3) > 0.3 and place("MSE", 3) < 0.05 and place("MAE", 3) < 0.05


def test_the_figure_of_the_way_out_tells_what_it_shows():
    figure = lesson.escape_figure()
    assert figure.get_label() and len(png(figure)) > 5000
