"""Notebook 07: targets and patience; its training loop, read line by line, gives the same numbers as `fit`."""

import jupytext
import pytest
import torch
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.files import NOTEBOOKS
from lm_utils.lessons import experiment_design as lesson
from lm_utils.show.style import png

SOURCE = NOTEBOOKS / "src" / "07_experiment_design.py"


def test_shares(digits):
    found = lesson.shares(lm.TASKS["regression"], digits.train.digits)
    assert list(found) == ["1", "2", "3", "4", "6"] and sum(found.values()) == pytest.approx(1)
    assert len(lesson.shares(lm.TASKS["multilabel"], digits.train.digits)) == 4


@pytest.mark.slow
def test_patience_reads_a_curve_as_fit_does(digits):
    run = lm.fit(lm.Pairing("binary", "cross_entropy"), digits, max_epochs=20, patience=2)
    values = [record["valid_metric"] for record in run.history]
    assert lesson.stops_at(values, 2) == (run.epochs, run.best_epoch)
    assert lesson.stops_at([0.5, 0.4, 0.9], 1) == (2, 1)
    assert lesson.stops_at([0.5, 0.4, 0.9], 5) == (3, 3)


@pytest.mark.slow
def test_figures_tell_what_they_show(digits):
    history = [{"valid_metric": 0.5}, {"valid_metric": 0.9}, {"valid_metric": 0.8}]
    metrics = [{0: 0.9, 1: 0.8}, {1: 0.9, 0: 0.8, 7: 0.1}]
    for figure in (
        lesson.balance_figure(digits),
        lesson.targets_figure(digits),
        lesson.patience_figure([history] * 2),
        lesson.seeds_figure(["a", "b"], metrics, "made up"),
    ):
        assert figure.get_label() and len(png(figure)) > 5000


def test_one_seed_is_one_seed():
    figure = lesson.seeds_figure(["a", "b"], [{0: 0.9}, {0: 0.8}], "made up")
    assert figure.axes[0].get_title() == "Every run is a dot (made up, 1 seed)"


# --- the loop -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells():
    """The cells that make up the loop, as they stand in the notebook."""
    found = jupytext.read(SOURCE, fmt="py:percent").cells
    return [cell.source for cell in found if "loop" in cell.metadata.get("tags", [])]


def lines(text):
    return [line for line in text.splitlines() if line.strip()]


def test_the_loop_is_short_enough_to_read(cells):
    assert len(cells) == 5
    assert all(len(lines(cell)) <= 20 for cell in cells)
    assert sum(len(lines(cell)) for cell in cells) <= 30


@pytest.mark.slow
def test_the_loop_equals_fit(cells, digits):
    world = {"lm": lm, "torch": torch, "F": F, "splits": digits}
    for cell in cells:
        exec(cell, world)
    run = lm.fit(lm.Pairing("multiclass", "cross_entropy"), digits, seed=0, max_epochs=7, device="cpu")
    assert [train for train, _ in world["history"]] == pytest.approx([e["train_loss"] for e in run.history], abs=1e-3)
    assert [valid for _, valid in world["history"]] == pytest.approx([e["valid_metric"] for e in run.history], abs=0.01)
    assert world["best_epoch"] == run.best_epoch
    assert world["test_accuracy"] == pytest.approx(run.test_metric, abs=0.01)
