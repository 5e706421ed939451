"""The outputs before training: of every shipped run, what the untrained network of its seed answers, as expected."""

import json

import pytest
import torch

from lm_utils.data import load_data
from lm_utils.evidence import before_training as before
from lm_utils.files import RESULTS
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import read_entries
from lm_utils.runs.store import key_of
from lm_utils.training import new_model, outputs_of

SHIPPED = before.stored(RESULTS / "mnist")


def test_every_run_with_outputs_has_them():
    assert set(SHIPPED) == {key_of(entry) for entry in read_entries(RESULTS / "mnist") if entry["outputs"]}


def test_they_came_out_as_expected():
    tables = [torch.tensor(told["confusion"]) for (pairing, _), told in SHIPPED.items() if pairing.task == "multiclass"]
    one_sided = [table.sum(dim=0).max() > table.sum() / 2 for table in tables]
    assert sum(one_sided) >= 0.9 * len(tables)
    assert all(table.diag().sum() < 0.25 * table.sum() for table in tables)


def test_they_are_the_answers_of_the_fresh_network():
    pairing, data = Pairing("multilabel", "mse", "sigmoid"), load_data("digits", seed=3)
    model = new_model(pairing, pairing.spec.target(data.train.digits), 3)
    right = (outputs_of(model, data.test.images) >= 0.5) == pairing.spec.target(data.test.digits).bool()
    told = before.outputs_before(pairing, 3, "digits")
    assert told["accuracy_by_output"] == pytest.approx(right.float().mean(dim=0).tolist(), rel=1e-5)


@pytest.mark.mnist
def test_a_stored_one_repeats():
    try:
        load_data("mnist", seed=0)
    except ValueError as reason:
        pytest.skip(f"needs MNIST's files, named by LM_DATA_DIR ({reason})")
    pairing = Pairing("multiclass", "bce", "sigmoid")
    again = json.loads(json.dumps(before.outputs_before(pairing, 0, "mnist")))
    assert again == SHIPPED[pairing, 0]
