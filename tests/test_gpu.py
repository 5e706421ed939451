"""What only a GPU can show; `pytest -m gpu` runs it where there is one."""

import pytest
import torch

from lm_utils.data import load_data
from lm_utils.pairing import Pairing
from lm_utils.training import fit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: run `pytest -m gpu` on a machine with one"),
]


@pytest.fixture(scope="module")
def data():
    return load_data("auto", seed=0)


@pytest.mark.parametrize(("task", "loss", "activation"), [
    ("multiclass", "cross_entropy", "none"), ("multiclass", "bce", "sigmoid"), ("multilabel", "mse", "softmax"),
    ("regression", "rmse", "none"), ("probability", "cross_entropy", "sigmoid"), ("binary", "hinge", "none"),
])  # fmt: skip
def test_cpu_and_gpu_start_alike(data, task, loss, activation):
    pairing = Pairing(task, loss, activation, normalize=task == "regression")
    on_cpu, on_gpu = (fit(pairing, data, max_epochs=1, device=device).history[0] for device in ("cpu", "cuda"))
    assert on_gpu["train_loss"] == pytest.approx(on_cpu["train_loss"], rel=1e-3, abs=1e-3)


def test_the_final_metrics_agree_within_the_spread_of_seeds(data):
    pairing = Pairing("multiclass", "cross_entropy")
    on_cpu, on_gpu = (
        [fit(pairing, data, seed, device=device).test_metric for seed in range(3)] for device in ("cpu", "cuda")
    )
    assert abs(sum(on_cpu) - sum(on_gpu)) / 3 < 0.01


def test_a_refused_loss_harms_nothing(data):
    run = fit(Pairing("regression", "bce", normalize=True), data, device="cuda")
    assert run.status == "error" and "between 0 and 1" in run.error
    assert fit(Pairing("regression", "mse", normalize=True), data, max_epochs=1, device="cuda").status == "ok"
