"""The training loop that notebook 07 reads line by line gives the same numbers as `fit`."""

import jupytext
import pytest
import torch
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.workshop.publish import notebooks

SOURCE = notebooks.ROOT / "notebooks" / "src" / "07_experiment_design.py"


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


def test_the_loop_equals_fit(cells):
    splits = lm.load_data("digits", seed=0)
    world = {"lm": lm, "torch": torch, "F": F, "splits": splits}
    for cell in cells:
        exec(cell, world)
    run = lm.fit(lm.Pairing("multiclass", "cross_entropy"), splits, seed=0, max_epochs=12, device="cpu")
    assert [train for train, _ in world["history"]] == pytest.approx([e["train_loss"] for e in run.history], abs=1e-3)
    assert [valid for _, valid in world["history"]] == pytest.approx([e["valid_metric"] for e in run.history], abs=0.01)
    assert world["best_epoch"] == run.best_epoch
    assert world["test_accuracy"] == pytest.approx(run.test_metric, abs=0.01)
