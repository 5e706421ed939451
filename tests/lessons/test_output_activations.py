"""Notebook 04: where a sigmoid saturates, what it does to distances, and outputs that start dead."""

import math

import pytest
import torch

from lm_utils.lessons import output_activations as lesson
from lm_utils.show.style import png


@pytest.mark.parametrize(
    "name, one, zero",
    [("float16", 8.32, 17.34), ("bfloat16", 6.25, 89), ("float32", 16.64, 88.72), ("float64", 36.74, 709.8)],
)
def test_bisection_finds_the_very_first_number(name, one, zero):
    dtype = lesson.PRECISIONS[name]
    first = torch.tensor(lesson.becomes_one(dtype), dtype=dtype)
    below = torch.nextafter(first, torch.zeros_like(first))
    assert torch.sigmoid(first) == 1 and torch.sigmoid(below) < 1
    assert first.item() == pytest.approx(one, abs=0.01)
    last = torch.tensor(lesson.first_number(dtype, lambda x: torch.sigmoid(-x) == 0), dtype=dtype)
    assert torch.sigmoid(-last) == 0 and torch.sigmoid(-torch.nextafter(last, torch.zeros_like(last))) > 0
    assert last.item() == pytest.approx(zero, abs=0.05)


@pytest.mark.parametrize("precision", lesson.PRECISIONS)
def test_nothing_larger_returns_than_the_number_below(precision):
    dtype = lesson.PRECISIONS[precision]
    one = torch.tensor(lesson.becomes_one(dtype), dtype=dtype)
    back = lesson.recovered(torch.linspace(0, one.item(), 100_000, dtype=torch.float64).to(dtype))
    assert back[torch.isfinite(back)].max() == lesson.recovered(torch.nextafter(one, torch.zeros_like(one)))


def test_a_whole_vector_saturates_where_a_single_number_does():
    for dtype in lesson.PRECISIONS.values():
        assert (torch.sigmoid(torch.full((1000,), lesson.becomes_one(dtype), dtype=dtype)) == 1).all()


def test_round_trip_is_exact_on_the_left_and_ends_on_the_right():
    trip = lesson.round_trip_at(-15.0, "float32")
    assert trip["back"] == pytest.approx(-15, abs=1e-6) and trip["sigmoid"] > 0
    assert lesson.round_trip_at(16.0, "float32")["back"] == pytest.approx(15.94, abs=0.01)
    assert lesson.round_trip_at(17.0, "float32")["back"] == math.inf
    assert "lost" in lesson.round_trip_text(17.0, "float32")
    assert "off by" in lesson.round_trip_text(16.0, "float32")


def test_squeezing_makes_equal_mistakes_unequal():
    costs = lesson.cost_of_missing_by_one(torch.tensor([1.0, 6.0]))
    assert costs[0] / costs[1] > 1000


def test_jacobians_equal_their_formulas():
    z = torch.tensor([0.5, -1.0, 2.0])
    p, s = torch.softmax(z, 0), torch.sigmoid(z)
    torch.testing.assert_close(lesson.jacobian("softmax", z), torch.diag(p) - torch.outer(p, p))
    torch.testing.assert_close(lesson.jacobian("sigmoid", z), torch.diag(s * (1 - s)))


def test_reach():
    assert lesson.reach("multilabel", "softmax") == pytest.approx(0.3)
    assert lesson.reach("multiclass", "sigmoid") == 1
    assert lesson.reach("regression", "relu") == 1
    assert lesson.reach("probability", "softmax") == 0.5


def test_figures_tell_what_they_show():
    for figure in (lesson.dead_figure(torch.tensor([[-2.0, -1.0], [0.5, 1.0]])), lesson.round_trip_figure()):
        assert figure.get_label() and len(png(figure)) > 5000
