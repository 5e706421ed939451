"""What only a GPU can show; `pytest -m gpu` runs it where there is one."""

import math
import time

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from lm_utils.data import load_data
from lm_utils.model import CNN
from lm_utils.pairing import Pairing
from lm_utils.runs import gpu, gpu_step
from lm_utils.runs.gpu_network import network, packed
from lm_utils.training import Run, fit, new_model
from lm_utils.workshop.bench import speed
from lm_utils.workshop.bench.competitors import plain_datasets, plain_loop

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


# --- many runs as one program ----------------------------------------------------------------------------------------

MULTICLASS = Pairing("multiclass", "cross_entropy")
STACKED = (
    MULTICLASS, Pairing("multiclass", "bce", "sigmoid", prior_bias=True), Pairing("multiclass", "hinge", hidden="relu"),
    Pairing("binary", "bce_logits"), Pairing("probability", "cross_entropy", "sigmoid"), Pairing("probability", "rmse"),
    Pairing("multilabel", "cross_entropy", "softmax"), Pairing("regression", "huber", normalize=True),
    Pairing("regression", "mse", "sigmoid_inverse", normalize=True),
)  # fmt: skip
CUDA = torch.device("cuda")


@pytest.fixture
def exact():
    """Float32 in full, for products and convolutions alike."""
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = products.fp32_precision, convolutions.fp32_precision
    products.fp32_precision = convolutions.fp32_precision = "ieee"
    yield
    products.fp32_precision, convolutions.fp32_precision = before


def together(keys, limits):
    """The entries of a batched training on the GPU, by key."""
    found = {}
    gpu.run_groups(keys, "digits", limits, "cuda", found.__setitem__, progress=False)
    return found


def test_a_batched_run_has_the_numbers_of_fit(exact):
    keys = [(pairing, seed) for pairing in STACKED for seed in range(2)]
    found = together(keys, (2, 2))
    for (pairing, seed), entry in found.items():
        run = fit(pairing, load_data("digits", seed), seed, 2, 2, device="cuda")
        assert (entry["status"], entry["device"], entry["epochs"]) == (run.status, "cuda", run.epochs)
        for record, wanted in zip(entry["history"], run.history, strict=True):
            assert record["train_loss"] == pytest.approx(wanted["train_loss"], rel=1e-3, abs=1e-3), pairing
            assert record["valid_loss"] == pytest.approx(wanted["valid_loss"], rel=1e-2, abs=1e-2), pairing


def test_batched_runs_reach_what_single_ones_reach():
    keys = [(MULTICLASS, seed) for seed in range(4)]
    one_by_one = [fit(MULTICLASS, load_data("digits", seed), seed, device="cuda").test_metric for _, seed in keys]
    mean = sum(entry["test_metric"] for entry in together(keys, (500, 10)).values()) / len(keys)
    assert mean == pytest.approx(sum(one_by_one) / len(keys), abs=0.01)


def test_a_graph_does_what_the_step_does(monkeypatch):
    shelf = gpu_step.DeviceImages.filled(range(2), lambda seed: load_data("digits", seed), CUDA)
    families = sorted({pairing.plain() for pairing in STACKED}, key=repr)
    told = []
    for graphs in (True, False):
        if not graphs:
            monkeypatch.setattr(gpu_step, "captured", lambda step, pool: step)
        program = gpu_step.Program(families, shelf, CUDA)
        for place, family in enumerate(families):
            program.load(place, Run(family, place % 2, "digits", "cuda"))
        generator = torch.Generator().manual_seed(0)
        for _ in range(2):
            order = torch.stack([torch.randperm(shelf.sizes[0], generator=generator) for _ in families])
            program.train_epoch(order)
        told.append(program.evaluate())
        assert graphs == all("replay" in repr(step) for step in program.steps.values())
        program.close()
    torch.testing.assert_close(told[0][:2], told[1][:2], rtol=1e-2, atol=1e-3)


def test_nan_in_bce_harms_nothing(monkeypatch):
    def spoilt(pairing, targets, seed):
        model = new_model(pairing, targets, seed)
        model.out.bias.data.fill_(math.nan if pairing.loss == "bce" else 0)
        return model

    monkeypatch.setattr(gpu_step, "new_model", spoilt)
    found = together([(Pairing("multiclass", "bce", "sigmoid"), 0), (MULTICLASS, 0)], (1, 1))
    assert {entry["status"] for entry in found.values()} == {"ok"}  # the spoilt one was done again by `fit`
    torch.cuda.synchronize()


def test_little_memory_means_a_smaller_group_and_a_line(capsys):
    keys = [(MULTICLASS, seed) for seed in range(16)]
    torch.cuda.empty_cache()
    hog = torch.empty(int(torch.cuda.mem_get_info()[0] - 10.5 * gpu.BYTES), dtype=torch.uint8, device=CUDA)
    found = together(keys, (1, 1))
    del hog
    assert len(found) == 16 and {entry["status"] for entry in found.values()} == {"ok"}
    assert "The GPU has room for 10 runs at once." in capsys.readouterr().out


def seconds(work):
    """The least time of three, after a first that does not count."""
    times = []
    for _ in range(4):
        torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times[1:])


def test_products_are_no_slower_than_grouped_convolutions():
    models = [CNN(10).to(CUDA) for _ in range(64)]
    images, digits = torch.randn(64, 32, 1, 28, 28, device=CUDA), torch.randint(0, 10, (64, 32), device=CUDA)
    rows = torch.stack([packed(model) for model in models]).requires_grad_()
    relu = torch.zeros(64, dtype=torch.bool, device=CUDA)
    weights, _ = stack_module_state(models)
    skeleton = CNN(10).to("meta")

    def products():
        logits = network(rows, gpu_step.bordered(images.flatten(0, 1), CUDA).unflatten(0, (64, 32)), relu)
        torch.autograd.grad(vmap(F.cross_entropy)(logits, digits).sum(), rows)

    def groups():
        loss = lambda own, x, y: F.cross_entropy(functional_call(skeleton, own, (x,)), y)  # noqa: E731
        torch.autograd.grad(vmap(loss)(weights, images, digits).sum(), list(weights.values()))

    with gpu.products_as_convolutions():
        ratio = seconds(products) / seconds(groups)
    print(f"a step of 64 runs as products / as grouped convolutions of torch.func: {ratio:.2f}")
    assert ratio < 1.1, "write `convolve` in gpu_network.py as a grouped convolution"


def test_a_group_is_fifty_times_as_fast_as_the_plain_loop():
    datasets, group = plain_datasets("digits"), speed.one_group("digits", "cuda")
    plain_loop(*datasets, 1, "cuda")
    group(1)
    plain, alone = (clocked(plain_loop, *datasets, 3, "cuda"), clocked(fit, MULTICLASS, load_data("digits"), 0, 3, 3))
    per_run = clocked(group, 3) / speed.GROUP_RUNS
    print(f"plain loop / batched: {plain / per_run:.0f}; fit / batched: {alone / per_run:.0f} (time per run)")
    assert plain / per_run > 50


def clocked(work, *arguments):
    """The time of one call."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started
