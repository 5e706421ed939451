"""Notebook 14: the checks of its hunts name what a pairing lacks."""

from dataclasses import replace

import pytest

from lm_utils.explorer.choice import PRESETS
from lm_utils.files import NOTEBOOKS
from lm_utils.lessons import playground as lesson
from lm_utils.pairing import Pairing


def test_hunts_name_what_is_missing():
    never = PRESETS[1].choice.pairing
    floor = {"No floor.": lesson.floor_above(1.4, "mnist")}
    assert lesson.check_pairing(..., floor).state == "unanswered"
    assert lesson.check_pairing("bce", floor).state == "wrong"
    assert lesson.check_pairing(never, floor).message == "No floor."
    assert lesson.check_pairing(PRESETS[2].choice.pairing, floor) and not lesson.check_pairing(never, floor)
    one = {"Not one change.": lesson.differs_in_one(never)}
    assert lesson.check_pairing(replace(never, hidden="relu"), one) and not lesson.check_pairing(never, one)


def hunted(name, answer):
    """What the notebook's own check of this variable says to an answer."""
    cells = (NOTEBOOKS / "src" / "14_playground.py").read_text("utf-8").split("\n# %%")
    (cell,) = (cell for cell in cells if f"\nlesson.check_pairing({name}," in cell)
    return eval(cell.strip(), {"lesson": lesson, "never": PRESETS[1].choice.pairing, name: answer})


@pytest.mark.parametrize(
    ("task", "loss", "activation", "found"),
    [("regression", "bce", "none", True), ("multiclass", "bce", "relu", True), ("binary", "bce", "none", True),
     ("regression", "bce", "sigmoid", True), ("regression", "hinge", "none", False),
     ("regression", "bce", "sigmoid_inverse", False), ("multiclass", "bce", "sigmoid", False)],
)  # fmt: skip
def test_the_hunt_for_an_error_wants_one_of_pytorch(task, loss, activation, found):
    assert bool(hunted("refused", Pairing(task, loss, activation))) is found


def test_a_repair_keeps_the_task():
    assert "Keep the task" in hunted("repaired", Pairing("multilabel", "bce", "sigmoid")).message
    assert "exactly one" in hunted("repaired", PRESETS[1].choice.pairing).message
    for change in ({"prior_bias": True}, {"hidden": "relu"}, {"activation": "softmax"}, {"loss": "cross_entropy"}):
        assert hunted("repaired", replace(PRESETS[1].choice.pairing, **change)), change
