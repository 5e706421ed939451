"""The picker without a browser: stored results at once, runs of one's own on demand."""

from __future__ import annotations

import time
from threading import Event

import pytest

from lm_utils.data import load_data
from lm_utils.evidence.results import FITTING, Results
from lm_utils.explorer import picker as picking
from lm_utils.explorer.choice import Choice, changed
from lm_utils.explorer.controls import ChoiceControls
from lm_utils.explorer.picker import Picker, picker, result_lines, shown_runs, stored_runs
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store, entry_of
from lm_utils.tasks import TASKS
from lm_utils.training import Run

COLLAPSE = Choice(Pairing("multiclass", "bce", "sigmoid"))
NOBODY = Results("reference", "mnist", ())


@pytest.fixture(scope="module")
def tiny():
    """Ninety-six images: three batches an epoch."""
    data = load_data("digits", seed=0)
    cut = [type(p)(p.images[:96], p.digits[:96]) for p in (data.train, data.valid, data.test)]
    return type(data)(*cut, data.name, data.source, data.seed)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def box(store, tiny, monkeypatch):
    """A picker whose every seed has the tiny data, and few epochs."""
    monkeypatch.setattr(picking, "load_data", lambda name, seed=0: tiny)
    made = Picker("multiclass", "digits", "cpu", store)
    made.choose(changed(made.choice, epochs=2))
    yield made
    made.bar.end()


def told(box):
    return box.bar.status.value.split(">")[1].split("<")[0]


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


@pytest.mark.parametrize("task", TASKS)
def test_it_opens_with_the_fitting_pairing(task):
    box = picker(task, "digits", "cpu")
    assert box.choice.pairing == FITTING[task] and "✓ recommended" in box.card.value
    assert "Learning curves" in box.curves.value and not box.bar.running
    option = "normalize" if task == "regression" else "prior_bias"
    assert list(box.controls.fields) == ["loss", "activation", "hidden", option]


def test_an_unknown_task_is_one_sentence():
    with pytest.raises(ValueError, match="Unknown task"):
        picker("poetry")


def test_own_runs_stand_beside_the_shipped_ones(tiny, store):
    run = Run(COLLAPSE.pairing, 0, "digits", "cpu", test_metric=0.1, valid_metric=0.1)
    store.put(store.path(COLLAPSE.pairing, 0, "digits", "cpu", LIMITS), entry_of(run, {}))
    mine = stored_runs(COLLAPSE, tiny, "cpu", store)
    assert mine.whose == "yours" and len(mine.entries) == 1
    lines = result_lines(COLLAPSE, mine, NOBODY)
    assert "yours: embedded digits" in lines and "none of this pairing" in lines
    assert shown_runs(COLLAPSE, mine, NOBODY) is mine
    assert shown_runs(Choice(FITTING["multiclass"]), mine, NOBODY) is NOBODY


def test_training_here_is_stored_and_labelled_as_yours(box):
    box.seeds.value = 2
    box.bar.train.click()
    until(lambda: not box.bar.running)
    assert told(box).startswith("Yours: ") and "2 seeds" in told(box)
    assert "yours: embedded digits" in box.card.value
    box.train_now(2)  # nothing is missing: nothing is trained
    assert box.live is None and told(box).startswith("Yours: ")


def test_stop_and_another_choice(box):
    box.choose(changed(box.choice, epochs=500, patience=100))
    box.bar.train.click()
    until(lambda: box.live and box.live.history)
    box.bar.stop.click()
    until(lambda: not box.bar.running)
    assert "Stopped after" in told(box) and "yours" not in box.card.value
    box.bar._clicked_at = 0
    box.bar.train.click()
    until(lambda: box.live and box.live.history)
    box.controls.fields["loss"].value = "bce"
    assert not box.bar.running and "stopped" in told(box) and "nn.BCELoss" in box.card.value


def test_a_loss_that_refuses_is_stored_as_a_result(box):
    box.controls.fields["loss"].value = "bce"
    box._work(box.choice, 1, Event())
    box._ended(None)
    assert "ended with the error" in told(box)


def test_controls_tell_only_what_a_person_changes():
    heard = []
    controls = ChoiceControls(COLLAPSE, ("loss", "activation"), heard.append)
    controls.show(Choice(FITTING["multilabel"]))
    assert heard == []
    controls.fields["loss"].value = "mse"
    assert [choice.pairing.loss for choice in heard] == ["mse"]
