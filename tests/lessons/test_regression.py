"""Regression with the wrong tools: no floor, and running away."""

import torch

from lm_utils.lessons import regression as lesson


def test_the_curves_without_a_floor_are_told_by_their_lowest_value():
    outputs = torch.tensor([-1.0, 0.0, 1.0])
    figure = lesson.no_floor_figure(outputs, {0.3: outputs.square() + 0.5, 1.5: -outputs})
    assert "0.3: 0.5, 1.5: -1.0" in figure.get_label()
    assert [line.get_label() for line in figure.axes[0].lines[:2]] == [
        "target 0.3 (inside 0 to 1)", "target 1.5 (outside 0 to 1)"
    ]  # fmt: skip


def test_level_and_gap_are_drawn_for_each_training():
    figure = lesson.level_and_gap_figure({"MSE": ([0.1, 0.0], [1.0, 1.9]), "misfit": ([-2.0, -5.0], [0.1, 0.0])})
    assert "MSE: level 0.00, gap 1.90 at the end; misfit: level -5.00, gap 0.00" in figure.get_label()
    left, right = figure.axes
    assert [len(axis.lines) for axis in (left, right)] == [3, 3]  # two trainings and the zero line
