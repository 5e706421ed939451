"""The collapse of ten sigmoids: what the first step asks, the grid of two explanations, the race and its map."""

import math

import pandas as pd
import pytest
import torch

from lm_utils.data import load_data
from lm_utils.files import read_lines
from lm_utils.lessons import multi_class as lesson
from lm_utils.lessons import multi_class_map as race_map
from lm_utils.pairing import Pairing
from lm_utils.runs import race


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
    told = {"condition": name, "task": "multiclass", "chance": chance, "seed": 300, "data": "mnist"}
    return {**told, "test_metric": metric, "trace": trace}


def test_the_trace_figure_says_what_it_shows():
    found = {"control": [run("control", 0.1)], "relu": [run("relu", 0.97)]}
    assert "100% of hidden activations are stuck" in lesson.trace_figure(found).get_label()


def test_the_grid_counts_what_learnt(monkeypatch):
    cells = {
        "sigmoids/balanced/image-mean": [run("a", 0.97), run("a", 0.96)],  # the images foretell it, the classes do not
        "softmax-biased/rare/class-mean": [run("b", 0.1), run("b", 0.9)],
        "softmax/balanced/nothing": [run("c", 0.97)],  # a control, not part of the grid
    }
    monkeypatch.setattr(lesson, "under_conditions", lambda family, data: cells)
    assert lesson.grid_table().frame["learnt"].tolist() == ["2 of 2", "1 of 2"]


def made(rate, hidden, learnt, stuck, race_steps):
    point = {"rate": rate, "lr": 0.01, "width": 32, "hidden": hidden, "seed": 300}
    ended = {"loss": 0.3 if learnt else 0.325, "constant": 0.35, "stuck": stuck}
    return {**point, "learnt": learnt, **ended, "race": race_steps}


def test_the_race_says_who_was_first():
    filled = made(0.1, "sigmoid", None, 1.0, [[1, 0.4, 0.0], [2, 0.3, 0.9], [3, 0.11, 1.0]])
    free = made(0.1, "tanh", 2, 0.2, [[1, 0.4, 0.0], [2, 0.12, 0.2], [3, 0.1, 0.3]])
    assert (race.outcome(filled), race.outcome(free)) == ("collapses", "learns")
    assert (race.steps_to_stuck(filled), race.steps_to_rate(filled)) == (2, 3)
    assert (race.steps_to_stuck(free), race.steps_to_rate(free)) == (math.inf, 2)
    assert (
        "tiny network, learning rate, sigmoid: 1 of 1 probes collapse"
        in race_map.map_figure({race.Point: [filled, free]}).get_label()
    )


def test_what_11_says_of_the_maps_is_what_the_probes_say():
    table = race_map.probes_table({kind: race.read(kind) for kind in race_map.MAPPED})
    slow = pd.DataFrame([{**run, "ends": race.outcome(run), "lost": race.outcome(run) == "collapses"}
                         for run in read_lines(race.FOLDER / "slow.jsonl")])  # fmt: skip
    told = race_map.expectations_table(table, slow).frame
    failed = told[told["came true"] == "no"].groupby("map").size().to_dict()
    assert failed == {"tiny network": 2, "added later": 2, "long runs": 2}
    at_256 = table.query("hidden == 'sigmoid' and width == 256").pivot_table("lost", "network", "rate")
    assert (at_256.loc["documents' CNN", :0.1] > 0.5).all() and (at_256.loc["documents' CNN", 0.2:] == 0).all()
    assert (at_256.loc["tiny network", 0.02:] == 0).all() and at_256.loc["tiny network", 0.01] == 0.2
    sigmoid = slow[(slow["hidden"] == "sigmoid") & (slow["rate"] <= 0.1)]
    assert (sigmoid["ends"] != "learns").all() and sigmoid["stuck"].mean() > 0.8
    assert (slow[slow["hidden"] == "tanh"]["ends"] == "learns").mean() > 0.9
    ends_alike = [
        race_map.lost_at(table[table["network"] == name], kind).iloc[:, 1:] > 0.5
        for kind, name in race_map.MAPPED.items()
    ]
    assert (ends_alike[0].to_numpy() == ends_alike[1].to_numpy()).mean() > 0.8


def test_labels_have_the_rate_they_are_asked_for(data):
    for rate in race.RATES:
        images, labels = race.labelled(data.train.images, data.train.digits, rate, seed=0)
        assert labels.mean().item() == pytest.approx(rate, abs=0.01) and images.shape == data.train.images.shape


def test_a_probe_tells_a_common_label_from_a_rare_one():
    common, rare = (race.probe(race.Point(rate=rate), seed=300, epochs=3) for rate in (0.5, 0.05))
    assert race.outcome(common) == "learns" and rare["stuck"] > 0.5 > common["stuck"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bias", "message"),
    [(math.log(1 / 9), "Compare your repair"), (0.1, "before the sigmoid"), (2.0, "sign"), (None, "one half")],
)
def test_the_repair_is_trained_and_each_common_mistake_has_its_message(data, bias, message):
    def setup(model):
        if bias is not None:
            torch.nn.init.constant_(model.out.bias, bias)
        return torch.optim.AdamW(model.parameters(), lr=0.01)

    assert message in repr(lesson.check_repair(setup, data))
