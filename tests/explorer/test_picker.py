"""The picker without a browser: stored results at once, runs of one's own on demand."""

import pytest
from helpers import status_line, until

from lm_utils.evidence.results import FITTING, Results
from lm_utils.explorer import live_box
from lm_utils.explorer.choice import Choice, changed
from lm_utils.explorer.controls import ChoiceControls
from lm_utils.explorer.picker import Picker, picker
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store, entry_of
from lm_utils.tasks import TASKS
from lm_utils.training import Run

COLLAPSE = Choice(Pairing("multiclass", "bce", "sigmoid"))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def box(store, tiny, monkeypatch):
    """A picker whose every seed has the tiny data, and few epochs."""
    monkeypatch.setattr(live_box, "load_data", lambda name, seed=0: tiny)
    made = Picker("multiclass", "digits", "cpu", store)
    made.choose(changed(made.choice, epochs=2))
    yield made
    made.bar.end()


def train(box):
    """Click on Train, as if the last click were long ago, and wait for the end."""
    box.bar._clicked_at = 0
    box.bar.train.click()
    until(lambda: not box.bar.running)


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


def test_own_runs_stand_beside_the_shipped_ones(box, store):
    run = Run(COLLAPSE.pairing, 0, "digits", "cpu", test_metric=0.1, valid_metric=0.1)
    store.put((COLLAPSE.pairing, 0), entry_of(run, {}), "digits", "cpu", LIMITS)
    box.shipped = Results("reference", "mnist", ())
    box.choose(COLLAPSE)
    assert box.mine.whose == "yours" and len(box.mine.entries) == 1
    assert "yours: embedded digits" in box.card.value and "none of this pairing" in box.card.value
    box.choose(Choice(FITTING["multiclass"]))
    assert box.mine.entries == () and "yours" not in box.card.value


@pytest.mark.slow
def test_training_here_is_stored_and_labelled_as_yours(box):
    box.seeds.value = 2
    train(box)
    assert status_line(box).startswith("Yours: ") and "2 seeds" in status_line(box)
    assert "yours: embedded digits" in box.card.value
    train(box)  # nothing is missing: nothing is trained
    assert box.live is None and status_line(box).startswith("Yours: ")


@pytest.mark.slow
def test_stop_and_another_choice(box):
    box.choose(changed(box.choice, epochs=500, patience=100))
    box.bar.train.click()
    until(lambda: box.live and box.live.history)
    box.bar.stop.click()
    until(lambda: not box.bar.running)
    assert "Stopped after" in status_line(box) and "yours" not in box.card.value
    box.bar._clicked_at = 0
    box.bar.train.click()
    until(lambda: box.live and box.live.history)
    box.controls.fields["loss"].value = "bce"
    assert not box.bar.running and "stopped" in status_line(box) and "nn.BCELoss" in box.card.value


@pytest.mark.slow
def test_a_loss_that_refuses_is_stored_as_a_result(box):
    box.controls.fields["loss"].value = "bce"
    train(box)
    assert "ended with the error" in status_line(box)


def test_controls_tell_only_what_a_person_changes():
    heard = []
    controls = ChoiceControls(COLLAPSE, ("loss", "activation"), heard.append)
    controls.show(Choice(FITTING["multilabel"]))
    assert heard == []
    controls.fields["loss"].value = "mse"
    assert [choice.pairing.loss for choice in heard] == ["mse"]
