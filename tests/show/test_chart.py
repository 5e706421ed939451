"""A chart as data: what a browser gets, and the still picture where there is none."""

import json

import pytest

from lm_utils.lessons.start_here_scripts import cold_open_chart
from lm_utils.show.chart import LOOKS, LiveChart, limits, line, panel, series
from lm_utils.workshop.run_all.pages import snapshot

NAN = float("nan")
GROWN = cold_open_chart({"A": [0.5, 0.9], "B": [0.1]}, 0.1, "digits")


@pytest.mark.parametrize(
    ("shown", "low", "high"),
    [([], 0, 1), ([0.0, 0.0], 0, 0), ([2.0, 2.1], 0, 2.1), ([-1e5, -0.99e5], -1e5, 0), ([1.5, 2.3], 1.5, 2.3)],
)
def test_an_axis_holds_all_values_and_a_flat_line_looks_flat(shown, low, high):
    least, most = limits(shown)
    assert least <= low and high < most and all(least <= value < most for value in shown)


def test_what_is_no_finite_number_leaves_a_gap_that_json_can_carry():
    one = panel("loss", "loss", [series("train", [1.0, NAN, float("inf"), 1 / 3])], [line(NAN, "constant"), None], 5)
    assert one["lines"] == [] and json.loads(json.dumps(one, allow_nan=False))["series"][0]["values"] == [
        1, None, None, 0.333333,
    ]  # fmt: skip


def test_a_moving_chart_makes_no_picture_and_one_at_rest_makes_one_only_where_no_browser_draws():
    widget = LiveChart()
    widget.draw(GROWN, moving=True)
    assert widget.chart == GROWN and widget.value == ""
    widget.draw(GROWN)
    assert 'alt="Accuracy over epochs of two scripts: A 90 %, B 10 %."' in widget.value
    widget.drawn = True
    widget.draw(GROWN)
    assert widget.value == ""


def test_the_browser_knows_every_kind_of_curve_and_loads_nothing():
    for kind in LOOKS:
        assert kind == "train" or f".{kind}" in LiveChart._css, kind  # `train` is the rule's own colour
    assert "http" not in LiveChart._esm.replace("http://www.w3.org/2000/svg", "") and "url(" not in LiveChart._css


def test_an_executed_page_shows_the_still_picture():
    widget = LiveChart()
    widget.draw(GROWN)
    state = {"x": {"model_name": widget.get_state()["_model_name"], "state": {"value": widget.value}}}
    assert "Accuracy over epochs" in snapshot("x", state) == widget.value
