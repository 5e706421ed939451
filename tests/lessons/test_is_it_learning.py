"""Training health: constant predictors, the four stored runs, the lab and the ritual."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from yardstick import cost, plain_figure

import lm_utils as lm
from lm_utils.lessons import is_it_learning as lesson

DIGITS = torch.arange(600) % 10


@pytest.mark.parametrize(
    ("task", "loss", "value"),
    [("probability", "bce", math.log(2)), ("probability", "mse", 0.25), ("binary", "cross_entropy", math.log(2)),
     ("multiclass", "cross_entropy", math.log(10)), ("multiclass", "mse", 0.09), ("multiclass", "bce", 0.325083),
     ("multiclass", "bce_logits", 0.325083), ("multiclass", "mae", 0.1), ("multiclass", "hinge", 0.2)],
)  # fmt: skip
def test_known_constants(task, loss, value):
    assert lesson.constant_loss(loss, task, lm.TASKS[task].target(DIGITS)) == pytest.approx(value, abs=1e-5)


SENSIBLE = [(task, loss) for task in lm.TASKS for loss in lm.LOSSES
            if lesson.constant_loss(loss, task, lm.TASKS[task].target(DIGITS)) is not None]  # fmt: skip


@pytest.mark.parametrize(("task", "loss"), SENSIBLE)
def test_no_other_constant_does_better(task, loss):
    targets, pairing = lm.TASKS[task].target(DIGITS), lm.Pairing(task, loss)
    numbers = F.one_hot(targets).float() if pairing.spec.kind == "exclusive" else targets.float()
    best, least = numbers.mean(0), lesson.constant_loss(loss, task, targets)
    best = {"cross_entropy": best.log(), "bce_logits": best.logit(), "mae": numbers.median(0).values,
            "hinge": 2 * (best >= 0.5) - 1}.get(loss, best)  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    for size in (0.0, 0.003, 0.03, 0.3, 1.0):
        for _ in range(20):
            other = (best + size * torch.randn(best.shape, generator=generator)).expand_as(numbers)
            other = other.clamp(0, 1) if loss == "bce" else other
            assert pairing.loss_value(other, targets).item() >= least - 1e-4


def test_what_makes_no_sense_is_known():
    assert (len(lm.LOSSES), len(lm.TASKS), len(SENSIBLE)) == (8, 5, 8 * 5 - 5)


def test_stored_runs_are_what_their_states_say():
    runs, lines = lesson.stored_runs()
    assert set(runs) == set(lesson.PATIENTS) == set(lines)
    last = {lesson.PATIENTS[name].state.split(";")[0]: (records[-1], lines[name]) for name, records in runs.items()}
    for state, (record, line) in last.items():
        on_the_line = abs(record["valid_loss"] / line["constant"] - 1) < 0.02
        assert on_the_line is (state in ("collapsed to the mean", "saturated"))
        assert (record["spread"] < 0.01) is on_the_line
        assert (record["stuck"] > 0.9) is (state == "saturated")
    floored, line = last["learning"]
    assert line["floor"] == pytest.approx(1.4612, abs=1e-4) and floored["valid_loss"] < line["floor"] + 0.1
    assert floored["valid_metric"] > 0.9


def test_a_live_run_repeats_the_stored_one():
    data = lm.load_data("digits", seed=0)
    records = lesson.train_run("Run 3", data, "cpu", epochs=2)
    runs, lines = lesson.stored_runs()
    for live, stored in zip(records, runs["Run 3"], strict=False):
        assert live["valid_loss"] == pytest.approx(stored["valid_loss"], rel=0.02)
    assert lesson.references("Run 3", data) == pytest.approx(lines["Run 3"])


def test_lab_hides_lines_and_diagnosis_until_asked():
    lab = lesson.health_lab()
    run, lines, diagnosis = lab.controls.values()
    _, picture, words, *_ = lab.children
    assert "Three vital signs of Run 1" in picture.value and "constant predictor" not in words.value
    assert "collapsed" not in words.value
    lines.value = diagnosis.value = True
    assert "constant predictor is at" in words.value and "collapsed to the mean" in words.value
    run.value = "Run 2"
    assert not diagnosis.value and "Three vital signs of Run 2" in picture.value and "floor" in words.value
    assert "only looks bad" not in words.value


def test_lab_shows_a_failure_as_one_sentence(monkeypatch):
    lab = lesson.health_lab()

    def fail(*_: object) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr(lesson, "health_figure", fail)
    lab.controls["run"].value = "Run 4"
    assert "no ink" in lab.children[2].value


@pytest.mark.alone
def test_lab_answers_at_once():
    lab = lesson.health_lab()
    names = iter(["Run 2", "Run 3", "Run 4"])

    def choose():
        lab.controls["run"].value = next(names)

    answer, figure = cost(choose, plain_figure)
    assert answer < 4 * figure


def test_overfit_learns_by_heart_and_leaves_the_model_alone():
    model = nn.Linear(8, 3)
    before = model.weight.clone()
    x, y = torch.randn(16, 8), torch.arange(16) % 3
    losses = lesson.overfit(model, F.cross_entropy, x, y, steps=300, lr=0.05)
    assert len(losses) == 301 and losses[-1] < losses[0] / 2
    assert torch.equal(model.weight, before) and model.weight.grad is None
