"""The collapse of ten sigmoids: what the first step asks, and what the figures say about runs."""

import pytest

from lm_utils.data import load_data
from lm_utils.lessons import multi_class as lesson
from lm_utils.pairing import Pairing


@pytest.fixture(scope="module")
def data():
    return load_data("digits", seed=0)


def test_ten_sigmoids_push_every_class_down_and_softmax_does_not(data):
    sigmoids = lesson.first_push(Pairing("multiclass", "bce", "sigmoid"), data)
    softmax = lesson.first_push(Pairing("multiclass", "cross_entropy"), data)
    assert all(value > 0 for value in sigmoids.by_class)
    assert abs(sum(softmax.by_class)) < 1e-5 < sum(sigmoids.by_class)  # softmax's residuals cancel
    assert sigmoids.agreement > softmax.agreement + 0.1
    assert "10 of 10 classes pushed down" in lesson.first_push_figure([sigmoids, softmax]).get_label()


def run(name, metric, chance=0.1, stuck=1.0):
    trace = [{"stuck": 0.0, "conv1": 1e-4}, {"stuck": stuck, "conv1": 1e-6}, {"stuck": stuck, "conv1": 1e-12}]
    return {"condition": name, "test_metric": metric, "chance": chance, "trace": trace}


def test_the_trace_figure_says_what_it_shows():
    found = {"control": [run("control", 0.1)], "relu": [run("relu", 0.97)]}
    assert "100% of hidden activations are stuck" in lesson.trace_figure(found).get_label()


@pytest.mark.slow
def test_live_traces_show_the_hidden_layer_filling_up():
    traces = lesson.live_traces(["control", "softmax"], epochs=2)
    assert traces["control"][0]["trace"][-1]["stuck"] > 0.9 > traces["softmax"][0]["trace"][1]["stuck"]
