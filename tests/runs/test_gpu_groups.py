"""Many runs as one program: the numbers of `fit`, slots that change hands, full memory, and what a GPU would refuse."""

import math
import time
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import pytest
import torch
from helpers import first_images
from torch.utils._python_dispatch import TorchDispatchMode

from lm_utils import training
from lm_utils.activations import ACTIVATIONS
from lm_utils.data import Part, load_data
from lm_utils.losses import LOSSES
from lm_utils.model import CNN
from lm_utils.pairing import Pairing, Scale
from lm_utils.runs import gpu, gpu_network, gpu_step, store
from lm_utils.tasks import TASKS
from lm_utils.training import BadPairing, checked_loss, fit
from lm_utils.workshop.bench import speed

SIZES = (40, 33, 20)  # one whole batch and a short one; valid images for one flattened batch and one of a single image
MULTICLASS = Pairing("multiclass", "cross_entropy")
REGRESSION = Pairing("regression", "mse", normalize=True)
RUNS = (
    MULTICLASS, Pairing("multiclass", "bce", "sigmoid", prior_bias=True), Pairing("multiclass", "mse", "softmax"),
    Pairing("multiclass", "bce_logits", hidden="relu"), Pairing("multiclass", "hinge"),
    REGRESSION, Pairing("regression", "mse", "sigmoid_inverse", normalize=True), Pairing("regression", "mse", "relu"),
    Pairing("regression", "rmse"), Pairing("regression", "bce_logits", normalize=True),
    Pairing("probability", "cross_entropy", "softmax"), Pairing("probability", "cross_entropy"),
    Pairing("probability", "mae", "sigmoid"), Pairing("binary", "huber", "sigmoid"),
    Pairing("binary", "bce", "softmax"),
    Pairing("multilabel", "cross_entropy", "softmax"), Pairing("multilabel", "bce", "sigmoid", hidden="relu"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """Many small pieces of work go faster without company."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def splits():
    """A few of the embedded digits, another few for each seed, all with the same test images."""
    return {seed: first_images(load_data("digits", seed=seed), *SIZES) for seed in range(3)}


@pytest.fixture
def tiny(splits, monkeypatch):
    """Let the engine load those few images."""
    monkeypatch.setattr(gpu, "load_data", lambda name, seed: splits[seed])
    return splits


@pytest.fixture
def doubles(splits, monkeypatch):
    """The same images, and all arithmetic, in double precision."""
    double = lambda part: Part(part.images.double(), part.digits)  # noqa: E731
    exact = {
        seed: replace(data, train=double(data.train), valid=double(data.valid), test=double(data.test))
        for seed, data in splits.items()
    }
    plain = training.prepare

    def prepare(part, run, where):
        ready = plain(part, run, where)
        return replace(ready, aims=ready.aims.double() if ready.aims.is_floating_point() else ready.aims)

    monkeypatch.setattr(gpu, "load_data", lambda name, seed: exact[seed])
    monkeypatch.setattr(training, "prepare", prepare)  # for `fit`; the engine's own tensors are double by default
    torch.set_default_dtype(torch.float64)
    yield exact
    torch.set_default_dtype(torch.float32)


def together(keys, limits=(2, 2), told=None):
    """The entries of a batched training, by key; every run is told once."""
    found = {} if told is None else told

    def finished(key, entry):
        assert key not in found
        found[key] = entry

    gpu.run_groups(keys, "digits", limits, "cpu", finished, progress=False)
    return found


def one_by_one(keys, splits, limits=(2, 2)):
    """The entries of `fit`."""
    return {key: store.one_run(key, data=splits[key[1]], limits=limits, device="cpu") for key in keys}


def assert_alike(found, wanted, tolerance):
    """The same runs with the same words and numbers, but for the time they took."""
    assert found.keys() == wanted.keys()
    for key in wanted:
        for name in wanted[key].keys() - {"seconds", "date"}:
            pairs = zip(leaves(found[key][name]), leaves(wanted[key][name]), strict=True)
            assert all(same(*pair, tolerance) for pair in pairs), (key, name, found[key][name], wanted[key][name])


def same(one, other, tolerance):
    """Equal, where numbers are equal within a tolerance and nan equals nan."""
    if isinstance(one, float):
        return one == pytest.approx(other, rel=tolerance, abs=tolerance, nan_ok=True)
    return one == other


def leaves(value):
    """All that nested data is made of, in order."""
    if isinstance(value, dict):
        return [leaf for name in sorted(value) for leaf in leaves(value[name])]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


# --- the same numbers as fit -----------------------------------------------------------------------------------------


def test_the_stacked_network_is_the_courses_network(doubles):
    models = [CNN(10), CNN(4, hidden="relu"), CNN(1)]
    images = torch.stack([doubles[seed].train.images[:5] for seed in range(3)])
    weights = torch.stack([gpu_network.packed(model) for model in models]).requires_grad_()
    relu = torch.tensor([False, True, False])
    bordered = gpu_step.bordered(images.flatten(0, 1), torch.device("cpu")).unflatten(0, (3, 5))
    logits = gpu_network.network(weights, bordered, relu)
    (gradients,) = torch.autograd.grad(logits.square().sum(), weights)
    for model, own, found, gradient in zip(models, images, logits, gradients, strict=True):
        wanted = model.logits(own)
        torch.testing.assert_close(found[:, : wanted.shape[1]], wanted)
        assert not found[:, wanted.shape[1] :].any()
        wanted.square().sum().backward()
        for weight in model.parameters():
            weight.data = weight.grad
        torch.testing.assert_close(gradient, gpu_network.packed(model))


@pytest.mark.parametrize("task", TASKS)
def test_loss_gradient_and_metric_of_every_pairing(task):
    for loss, activation in product(LOSSES, ACTIVATIONS):
        if activation == "sigmoid_inverse" and task != "regression":
            continue
        pairing = Pairing(task, loss, activation, normalize=task == "regression")
        if gpu.trains_in_a_group(pairing):
            assert_alike_for_three_runs(pairing)
        elif not pairing.may_leave_unit_interval:
            with pytest.raises(BadPairing):
                checked_loss(pairing, torch.zeros(2, 1), torch.zeros(2, 1))


def assert_alike_for_three_runs(pairing):
    digits, scales = torch.randint(0, 10, (3, SIZES[1])), [Scale(2.5, 1.5), Scale(2.4, 1.3), Scale()]
    logits = torch.randn(3, SIZES[1], gpu_network.WIDTH, dtype=torch.float64, requires_grad=True)
    targets = [pairing.spec.target(own) for own in digits]
    aims = [pairing.aims(target, scale) for target, scale in zip(targets, scales, strict=True)]
    aims = [aim.double() if aim.is_floating_point() else aim for aim in aims]
    wide = [torch.stack([gpu_network.padded_targets(values).double() for values in part]) for part in (aims, targets)]
    program = object.__new__(gpu_step.Program)
    program.families = [(pairing, 3)]
    found = program.by_family(gpu_network.loss_of, logits, wide[0])
    mean, std = (torch.tensor([getattr(scale, name) for scale in scales]) for name in ("mean", "std"))
    scores = program.by_family(gpu_network.score_of, logits, wide[1], mean.double(), std.double())
    outputs = [gpu_network.outputs_of(pairing, own) for own in logits]
    wanted = torch.stack([pairing.loss_value(*pair) for pair in zip(outputs, aims, strict=True)])
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(*(torch.autograd.grad(losses.sum(), logits)[0] for losses in (found, wanted)))
    for score, output, scale, target in zip(scores.tolist(), outputs, scales, targets, strict=True):
        assert score == pytest.approx(pairing.spec.score(pairing.predict(output.detach(), scale), target), nan_ok=True)


@pytest.mark.slow
def test_whole_runs_are_those_of_fit_in_double_precision(doubles, monkeypatch):
    answers = lambda run, data: {"valid": run.valid_predictions.tolist(), "test": run.test_predictions.tolist()}  # noqa: E731
    for module in (gpu, store):
        monkeypatch.setattr(module, "summarise", answers)  # its bins are single precision
    keys = [(pairing, place % 3) for place, pairing in enumerate(RUNS)]
    found = together(keys, limits=(3, 1))
    assert len({entry["epochs"] for entry in found.values()}) > 1  # some stopped early
    assert_alike(found, one_by_one(keys, doubles, limits=(3, 1)), 1e-9)


def test_entries_are_those_of_fit_in_single_precision(tiny):
    keys = [(Pairing("multilabel", "bce", "sigmoid"), 0), (MULTICLASS, 1), (REGRESSION, 1)]
    assert_alike(together(keys), one_by_one(keys, tiny), 1e-3)


# --- slots -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 3])
def test_slots_that_change_hands_change_nothing(tiny, monkeypatch, size):
    keys = [(pairing, seed) for seed in range(3) for pairing in (MULTICLASS, Pairing("probability", "bce", "softmax"))]
    at_once = together(keys, limits=(3, 1))
    monkeypatch.setattr(gpu, "GROUP", size)
    assert_alike(together(keys, limits=(3, 1)), at_once, 1e-4)


def test_a_runs_seconds_are_its_share_of_the_time(tiny):
    started = time.perf_counter()
    found = together([(MULTICLASS, seed) for seed in range(3)], limits=(1, 1))
    assert 0 < sum(entry["seconds"] for entry in found.values()) <= time.perf_counter() - started


def test_a_run_that_becomes_nan_is_diverged_and_spoils_no_other(tiny, monkeypatch):
    train_epoch = gpu_step.Program.train_epoch

    def poison(program, order):
        if program.count == 2 and program.slots.best.any():  # the second epoch
            program.slots.weights.data[0] = math.nan
        train_epoch(program, order)

    keys = [(MULTICLASS, seed) for seed in range(2)]
    healthy = together(keys, limits=(3, 3))
    monkeypatch.setattr(gpu_step.Program, "train_epoch", poison)
    found = together(keys, limits=(3, 3))
    assert_alike({keys[1]: found[keys[1]]}, {keys[1]: healthy[keys[1]]}, 1e-6)
    spoilt = found[keys[0]]
    assert (spoilt["status"], spoilt["epochs"], spoilt["best_epoch"]) == ("diverged", 2, 1)
    assert spoilt["test_metric"] == pytest.approx(one_by_one(keys[:1], tiny, (1, 1))[keys[0]]["test_metric"])


def test_a_run_that_is_nan_from_the_start_ends_as_with_fit(tiny, monkeypatch):
    plain = training.new_model

    def spoilt(*arguments):
        model = plain(*arguments)
        model.out.bias.data.fill_(math.nan)
        return model

    monkeypatch.setattr(training, "new_model", spoilt)
    monkeypatch.setattr(gpu_step, "new_model", spoilt)
    keys = [(MULTICLASS, 0), (Pairing("multiclass", "bce", "sigmoid"), 0)]
    found = together(keys)
    assert [found[key]["status"] for key in keys] == ["diverged", "error"]
    assert_alike(found, one_by_one(keys, tiny), 1e-6)


def test_a_loss_that_refuses_goes_through_fit_and_keeps_its_words(tiny):
    keys = [(Pairing("regression", "hinge"), 0), (Pairing("regression", "bce", normalize=True), 0)]
    found = together(keys)
    assert {entry["status"] for entry in found.values()} == {"error"}
    assert_alike(found, one_by_one(keys, tiny), 1e-6)


# --- interrupts and full memory --------------------------------------------------------------------------------------


def test_an_interrupt_keeps_the_runs_that_are_finished(tiny, monkeypatch):
    train_epoch, epochs = gpu_step.Program.train_epoch, []

    def interrupted(program, order):
        epochs.append(order)
        if len(epochs) == 5:  # one after the other, two runs have had their two epochs
            raise KeyboardInterrupt
        train_epoch(program, order)

    monkeypatch.setattr(gpu_step.Program, "train_epoch", interrupted)
    monkeypatch.setattr(gpu, "GROUP", 1)
    keys, told = [(Pairing("probability", "bce", "softmax"), seed) for seed in range(3)], {}
    with pytest.raises(KeyboardInterrupt):
        together(keys, limits=(9, 1), told=told)
    assert list(told) == keys[:2] and all(entry["epochs"] == 2 for entry in told.values())


@pytest.mark.parametrize(("free", "runs"), [(250e6, 2), (1e12, gpu.GROUP)])
def test_a_gpu_gets_as_many_runs_as_it_has_room_for_and_fewer_are_told(free, runs, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda where: (free, 0))
    assert gpu.room(torch.device("cuda")) == runs
    assert capsys.readouterr().out == ("The GPU has room for 2 runs at once.\n" if runs == 2 else "")


def test_no_room_for_a_single_run_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda where: (gpu.BYTES - 1, 0))
    with pytest.raises(ValueError, match="no room for a single run"):
        gpu.room(torch.device("cuda"))


def test_memory_that_is_full_later_is_one_sentence_and_keeps_what_is_finished(tiny, monkeypatch):
    train_epoch, epochs, told = gpu_step.Program.train_epoch, [], {}

    def crowded(program, order):
        epochs.append(order)
        if len(epochs) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        train_epoch(program, order)

    monkeypatch.setattr(gpu_step.Program, "train_epoch", crowded)
    monkeypatch.setattr(gpu, "GROUP", 1)
    with pytest.raises(ValueError, match="memory is full; close what else uses it and run again"):
        together([(MULTICLASS, seed) for seed in range(2)], told=told)
    assert list(told) == [(MULTICLASS, 0)]


def test_other_errors_are_not_hidden(tiny, monkeypatch):
    def broken(program, order):
        raise RuntimeError("something else")

    monkeypatch.setattr(gpu_step.Program, "train_epoch", broken)
    with pytest.raises(RuntimeError, match="something else"):
        together([(MULTICLASS, 0)])


# --- what a CUDA graph demands ---------------------------------------------------------------------------------------


class NothingOnTheCpu(TorchDispatchMode):
    """Refuses every operation that gives a tensor elsewhere than on the device, or that asks for a number."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            assert not isinstance(tensor, torch.Tensor) or tensor.device.type == "meta", operation
        assert "_local_scalar_dense" not in str(operation)
        return result


def test_the_step_asks_the_device_for_nothing(splits):
    meta = torch.device("meta")
    shelf = gpu_step.DeviceImages.filled(range(3), splits.__getitem__, meta)
    families = sorted({pairing.plain() for pairing in RUNS}, key=repr)
    program = gpu_step.Program(families, shelf, meta)
    with NothingOnTheCpu():
        losses, gradients = program.gradients(program.batches[32])
        told = program.evaluate()
    assert losses.shape == (len(families),) and gradients.shape == program.slots.weights.shape
    assert told.shape == (3, len(families))


class StandIn:
    """In the place of torch.cuda: writes down what is asked of it."""

    def __init__(self, refuses=False):
        self.told, self.refuses = [], refuses
        self.stream = nothing = lambda *_: nullcontext()
        self.Stream = self.current_stream = lambda: SimpleNamespace(wait_stream=nothing)
        self.CUDAGraph = lambda: SimpleNamespace(replay="the graph")

    def graph(self, *_, **options):
        if self.refuses:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.told.append("capture")
        return nullcontext()


def capture_with(monkeypatch, cuda):
    """What a capture of a piece of work gives, and that work."""
    monkeypatch.setattr(torch, "cuda", cuda)
    work = lambda: cuda.told.append("work")  # noqa: E731
    return gpu_step.captured(work, pool=None), work


def test_before_a_capture_the_step_is_warm(monkeypatch):
    cuda = StandIn()
    assert capture_with(monkeypatch, cuda)[0] == "the graph"
    assert cuda.told == ["work", "work", "capture", "work"]


def test_a_step_that_cannot_be_captured_runs_as_it_is_and_says_so(monkeypatch):
    with pytest.warns(UserWarning, match="No CUDA graph of the step, which makes it slower: operation not permitted"):
        step, work = capture_with(monkeypatch, StandIn(refuses=True))
    assert step is work


def test_products_are_as_exact_as_convolutions_for_a_while():
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = products.fp32_precision
    with gpu.products_as_convolutions():
        assert products.fp32_precision == convolutions.fp32_precision
    assert products.fp32_precision == before != convolutions.fp32_precision


def test_the_engine_waits_once_per_epoch(tiny, monkeypatch):
    waits = []

    class Waits(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            waits.append(operation) if "_local_scalar_dense" in str(operation) else None
            return operation(*args, **(kwargs or {}))

    epoch = gpu.Group.epoch

    def watched(group):
        with Waits():
            return epoch(group)

    monkeypatch.setattr(gpu.Group, "epoch", watched)
    together([(MULTICLASS, 0), (REGRESSION, 0)])
    assert not waits  # the one wait stands in Group.judged


def test_the_benchs_group_is_of_the_asked_size(monkeypatch, tiny):
    monkeypatch.setattr(speed, "GROUP_RUNS", 2)
    monkeypatch.setattr(speed, "load_data", lambda name, seed: tiny[seed % 3])
    wanted = [fit(MULTICLASS, tiny[seed], seed, 1, 1, "cpu").test_metric for seed in range(2)]
    assert speed.one_group("digits", "cpu")(1) == pytest.approx(sum(wanted) / 2)
