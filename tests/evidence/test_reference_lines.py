"""The lines a learning curve is read by: the best constant answer and the limits of loss and metric."""

from itertools import product
from types import SimpleNamespace

import pytest

from lm_utils.doctor.checks import dependence_checks as baseline
from lm_utils.evidence.reference_lines import UNSCALED, constant_loss, reference_lines, stored_reference_lines
from lm_utils.losses import LOSSES, shaped
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import activations_for
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
    found = reference_lines(pairing, digits)
    if constant is not None:
        assert found.constant_loss == pytest.approx(constant, abs=1e-3)
    assert found.least_loss == (None if least is None else pytest.approx(least, abs=1e-4))


def test_limits_of_the_metric():
    labels = stored_reference_lines(Pairing("multilabel", "bce", "softmax"), "mnist")
    assert labels.best_metric == pytest.approx(0.8019, abs=1e-4)
    alone = stored_reference_lines(Pairing("probability", "bce", "softmax"), "mnist")
    assert alone.best_metric == pytest.approx(0.4931, abs=1e-4)
    assert stored_reference_lines(Pairing("multiclass", "bce", "sigmoid"), "mnist").best_metric is None
    assert stored_reference_lines(Pairing("regression", "bce_logits", normalize=True), "mnist").constant_loss is None


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_no_pairing_is_without_reference_lines(tiny, task):
    for loss, activation in product(LOSSES, activations_for(task)):
        assert reference_lines(Pairing(task, loss, activation), tiny).constant_metric > 0


FAMILY = {"mse": "distance", "rmse": "distance", "mae": "distance", "bce": "bce", "bce_logits": "bce_logits",
          "cross_entropy": "cross_entropy"}  # fmt: skip
ANSWERED = {"regression": 3, "probability": 5, "binary": 6, "multiclass": 6, "multilabel": 6}  # losses, by both


@pytest.mark.parametrize("task", TASKS)
def test_the_doctor_and_the_line_name_the_same_constant(digits, task):
    """The doctor asks a formula, the line comes from a search; here nothing limits what the network can emit."""
    targets, both = TASKS[task].target(digits.valid.digits), 0
    for loss in sorted(FAMILY.keys() & LOSSES.keys()):
        pairing = Pairing(task, loss, "sigmoid" if loss == "bce" else "none")
        found = constant_loss(pairing, targets)
        if found is None or pairing.reads_batch_as_one_sample:
            continue
        outputs = pairing.prior(targets).expand(len(targets), -1) if task != "regression" else targets.float()
        outputs, aims = shaped(pairing.rule, pairing.spec.kind, outputs, pairing.aims(targets, UNSCALED))
        name = "l1_loss" if loss == "mae" else ""
        call = SimpleNamespace(family=FAMILY[loss], name=name)
        case = SimpleNamespace(outputs=outputs, targets=aims, call=call, one_per_target=outputs.shape == aims.shape,
                               classes=outputs.shape[-1], class_axis=1)  # fmt: skip
        constant = baseline.best_constant(case)
        if constant is not None:
            theirs = pairing.rule.compute(constant, aims).mean().item()
            assert found == pytest.approx(theirs, abs=3e-3), loss
            both += 1
    assert both == ANSWERED[task]
