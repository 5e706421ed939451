from itertools import product

import pytest
import torch

from lm_utils.activations import ACTIVATIONS, inverse_sigmoid
from lm_utils.advice import VERDICTS
from lm_utils.losses import LOSSES, shaped
from lm_utils.pairing import Pairing, Scale
from lm_utils.tasks import TASKS

EVERY = [
    Pairing(task, loss, activation)
    for task, loss, activation in product(TASKS, LOSSES, ACTIVATIONS)
    if activation != "sigmoid_inverse" or task == "regression"
]


@pytest.mark.parametrize("pairing", EVERY, ids=lambda p: f"{p.task}-{p.label}")
def test_every_pairing_explains_itself_and_never_broadcasts(pairing):
    assert pairing.verdict in VERDICTS
    assert pairing.verdict in pairing.explanation and len(pairing.explanation) > 80
    task = pairing.spec
    targets = task.target(torch.arange(10).repeat(5)[:32])
    outputs = ACTIVATIONS[pairing.activation].apply(torch.randn(32, task.outputs, requires_grad=True))
    try:
        loss = pairing.loss_value(outputs, pairing.aims(targets, pairing.scale(targets)))
    except (RuntimeError, ValueError):
        assert pairing.verdict == "impossible"
        return
    assert loss.shape == ()
    loss.backward()


def test_there_are_as_many_pairings_as_the_design_says():
    assert len(EVERY) == 5 * 8 * 4 + 8


def test_mismatched_shapes_are_refused_not_broadcast():
    pairing = Pairing("regression", "mse")
    with pytest.raises(ValueError, match="broadcast"):
        pairing.loss_value(torch.zeros(8, 1), torch.zeros(8))


@pytest.mark.parametrize(("arguments", "words"), [
    (dict(task="dogs", loss="mse"), "Unknown task 'dogs'"),
    (dict(task="binary", loss="l3"), "Unknown loss 'l3'"),
    (dict(task="binary", loss="mse", activation="tanh"), "Unknown activation 'tanh'"),
    (dict(task="binary", loss="mse", hidden="tanh"), "Unknown hidden activation"),
    (dict(task="binary", loss="mse", normalize=True), "normalize=True"),
    (dict(task="regression", loss="mse", prior_bias=True), "prior_bias=True"),
    (dict(task="binary", loss="mse", activation="sigmoid_inverse"), "sigmoid_inverse"),
])  # fmt: skip
def test_senseless_options_are_one_sentence(arguments, words):
    with pytest.raises(ValueError, match=words) as refusal:
        Pairing(**arguments)
    assert "\n" not in str(refusal.value)


def received(task: str, loss: str) -> tuple[list[int], list]:
    """The shape of the outputs and the targets that a loss meets for one 3 and one 4."""
    spec = TASKS[task]
    outputs, targets = shaped(LOSSES[loss], spec.kind, torch.zeros(2, spec.outputs), spec.target(torch.tensor([3, 4])))
    return list(outputs.shape), targets.tolist()


def test_what_each_loss_receives():
    assert received("probability", "cross_entropy") == ([2], [1, 0])
    assert received("probability", "mse") == ([2, 1], [[1], [0]])
    assert received("multiclass", "cross_entropy") == ([2, 10], [3, 4])
    assert received("multiclass", "mse")[1] == [[float(k == d) for k in range(10)] for d in (3, 4)]
    assert received("binary", "hinge") == ([2, 2], [[-1, 1], [1, -1]])  # 3 is curved, 4 is not
    assert received("multilabel", "cross_entropy") == ([2, 4], [[0, 1, 1, 0], [1, 0, 0, 1]])


def test_cross_entropy_over_a_flattened_batch_is_evaluated_in_batches_of_32():
    pairing = Pairing("probability", "cross_entropy")
    outputs, targets = torch.randn(64, 1), torch.ones(64, 1)
    whole = torch.nn.CrossEntropyLoss()(outputs.flatten(), targets.flatten())
    assert pairing.loss_value(outputs, targets) < whole


def test_predictions_use_the_activation_inside_the_loss():
    z = torch.tensor([[0.0], [2.0], [-2.0]])
    assert torch.equal(Pairing("probability", "bce_logits").predict(z), torch.sigmoid(z))
    assert torch.equal(Pairing("probability", "mse").predict(z), z)
    assert torch.equal(Pairing("probability", "cross_entropy").predict(z), torch.ones(3, 1))
    assert (Pairing("probability", "hinge").predict(z) >= 0.5).flatten().tolist() == [True, True, False]
    assert torch.equal(Pairing("regression", "bce_logits", normalize=True).predict(z, Scale(2, 3)), z * 3 + 2)


def test_sigmoid_inverse_shows_its_saturation():
    pairing = Pairing("regression", "mse", "sigmoid_inverse")
    assert pairing.predict(torch.sigmoid(torch.tensor([[17.0]]))).item() == float("inf")
    assert inverse_sigmoid(torch.sigmoid(torch.tensor(2.0))).item() == pytest.approx(2.0, abs=1e-5)


def test_prior_bias_starts_every_output_at_its_base_rate():
    targets = TASKS["multiclass"].target(torch.arange(10).repeat(3))
    sigmoid = torch.sigmoid(Pairing("multiclass", "bce", "sigmoid").prior(targets))
    assert sigmoid == pytest.approx(torch.full((10,), 0.1))
    softmax = torch.softmax(Pairing("multiclass", "cross_entropy").prior(targets), 0)
    assert softmax == pytest.approx(torch.full((10,), 0.1))
    assert Pairing("multiclass", "mse").prior(targets) == pytest.approx(torch.full((10,), 0.1))


def test_which_pairings_would_kill_a_gpu():
    assert Pairing("regression", "bce", normalize=True).may_leave_unit_interval
    assert Pairing("binary", "bce", "relu").may_leave_unit_interval
    assert not Pairing("binary", "bce", "sigmoid").may_leave_unit_interval
    assert not Pairing("regression", "bce", "sigmoid_inverse").may_leave_unit_interval


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("task", [name for name, task in TASKS.items() if task.kind != "value"])
def test_between_0_and_1_the_hinge_loss_is_the_absolute_error_plus_a_constant(task, activation):
    hinge, mae = Pairing(task, "hinge", activation), Pairing(task, "mae", activation)
    targets = TASKS[task].target(torch.arange(10))
    outputs = torch.rand(10, TASKS[task].outputs, requires_grad=True)
    slopes = [torch.autograd.grad(p.loss_value(outputs, targets), outputs)[0] for p in (hinge, mae)]
    assert torch.allclose(*slopes) and hinge.verdict == mae.verdict
    assert "absolute error, plus a constant" in hinge.explanation
