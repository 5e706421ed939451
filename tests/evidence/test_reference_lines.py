"""The lines a learning curve is read by: the best constant answer and the limits of loss and metric."""

from __future__ import annotations

from itertools import product

import pytest

from lm_utils.evidence.reference_lines import landmarks, stored_landmarks
from lm_utils.explorer.choice import activations_for
from lm_utils.losses import LOSSES
from lm_utils.pairing import Pairing
from lm_utils.tasks import TASKS


@pytest.mark.parametrize(
    ("pairing", "constant", "least"),
    [
        (Pairing("multiclass", "cross_entropy", "softmax"), 2.3026, 1.4612),
        (Pairing("binary", "cross_entropy", "softmax"), 0.6931, 0.3133),
        (Pairing("multiclass", "bce_logits", "softmax"), None, 0.6552),
        (Pairing("multiclass", "bce", "sigmoid"), 0.3251, None),
        (Pairing("multiclass", "mse", "sigmoid"), 0.09, None),
        (Pairing("probability", "bce", "sigmoid"), 0.6931, None),
    ],
)
def test_known_constants_and_floors(digits, pairing, constant, least):
    found = landmarks(pairing, digits)
    if constant is not None:
        assert found.constant_loss == pytest.approx(constant, abs=1e-3)
    assert found.least_loss == (None if least is None else pytest.approx(least, abs=1e-4))


def test_limits_of_the_metric():
    labels = stored_landmarks(Pairing("multilabel", "bce", "softmax"), "mnist")
    assert labels.best_metric == pytest.approx(0.8019, abs=1e-4)
    alone = stored_landmarks(Pairing("probability", "bce", "softmax"), "mnist")
    assert alone.best_metric == pytest.approx(0.4931, abs=1e-4)
    assert stored_landmarks(Pairing("multiclass", "bce", "sigmoid"), "mnist").best_metric is None
    assert stored_landmarks(Pairing("regression", "bce_logits", normalize=True), "mnist").constant_loss is None


@pytest.mark.parametrize("task", TASKS)
def test_no_pairing_is_without_landmarks(tiny, task):
    for loss, activation in product(LOSSES, activations_for(task)):
        assert landmarks(Pairing(task, loss, activation), tiny).constant_metric > 0
