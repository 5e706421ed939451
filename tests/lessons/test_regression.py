"""Regression with the wrong tools: no floor, and running away."""

from lm_utils.lessons import regression as lesson


def test_level_and_gap_are_drawn_for_each_training():
    figure = lesson.level_and_gap_figure({"MSE": ([0.1, 0.0], [1.0, 1.9]), "misfit": ([-2.0, -5.0], [0.1, 0.0])})
    assert "MSE: level 0.00, gap 1.90 at the end; misfit: level -5.00, gap 0.00" in figure.get_label()
    left, right = figure.axes
    assert [len(axis.lines) for axis in (left, right)] == [3, 3]  # two trainings and the zero line
