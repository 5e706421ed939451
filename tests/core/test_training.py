"""One run: the same numbers again, early stopping, stopping by hand, divergence and refusal."""

import threading
from itertools import product

import pytest
import torch
from torch import nn

from lm_utils.activations import ACTIVATIONS
from lm_utils.data import load_data
from lm_utils.losses import LOSSES
from lm_utils.model import CNN, TinyCNN
from lm_utils.pairing import Pairing
from lm_utils.tasks import TASKS
from lm_utils.training import BATCH, Stopped, adamw, epochs_for, fit, new_model, outputs_of, pick_device

FITTING = Pairing("multiclass", "cross_entropy")


def test_the_network_has_the_documents_size_and_torchs_initialisation():
    torch.manual_seed(7)
    plain = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 64), nn.Sigmoid(), nn.Linear(64, 10),
    )  # fmt: skip
    ours = CNN(10, generator=torch.Generator().manual_seed(7))
    assert sum(p.numel() for p in ours.parameters()) == 121_994
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), plain.parameters(), strict=True))
    images = torch.randn(5, 1, 28, 28)
    torch.testing.assert_close(ours(images), plain(images))


def test_the_tiny_network_is_what_its_layers_say_on_images_of_half_the_size():
    torch.manual_seed(7)
    plain = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.MaxPool2d(2),
        nn.ReLU(), nn.Flatten(), nn.Linear(144, 32), nn.Sigmoid(), nn.Linear(32, 10),
    )  # fmt: skip
    ours = TinyCNN(10, generator=torch.Generator().manual_seed(7))
    assert sum(p.numel() for p in ours.parameters()) == 6_218
    images = torch.randn(5, 1, 28, 28)
    small = nn.functional.interpolate(images, size=14, mode="bilinear", align_corners=False)
    torch.testing.assert_close(ours(images), plain(small))
    assert [adamw(network()).defaults["lr"] for network in (CNN, TinyCNN)] == [0.001, 0.01]


@pytest.mark.slow
def test_the_tiny_network_shows_the_collapse_and_its_cure(digits):
    learnt = {}
    for pairing in (Pairing("multiclass", "bce", "sigmoid"), Pairing("multiclass", "bce", "sigmoid", prior_bias=True),
                    FITTING):  # fmt: skip
        learnt[pairing.label] = fit(pairing, digits, seed=0, max_epochs=15, network=TinyCNN).test_metric > 0.9
    assert list(learnt.values()) == [False, True, True]
    with pytest.raises(ValueError, match="documents' CNN only"):
        fit(FITTING, digits, precision="bf16", network=TinyCNN)


def test_torchinfo_shows_the_documents_table():
    from torchinfo import summary

    text = str(summary(CNN(10), input_size=(BATCH, 1, 28, 28), verbose=0))
    assert "[32, 32, 28, 28]" in text and "Total params: 121,994" in text


def test_building_a_network_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    CNN(10, generator=torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.get_rng_state())


def test_the_same_seed_gives_the_same_numbers_also_in_threads(tiny):
    alone = fit(FITTING, tiny, seed=3, max_epochs=2, device="cpu")
    runs = {}
    workers = [
        threading.Thread(target=lambda s=s: runs.setdefault(s, fit(FITTING, tiny, seed=s, max_epochs=2, device="cpu")))
        for s in (3, 4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    losses = [[record["train_loss"] for record in run.history] for run in (runs[3], alone)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert runs[4].history[0]["train_loss"] != pytest.approx(alone.history[0]["train_loss"], rel=1e-4)


def test_pairings_of_one_seed_share_their_starting_weights():
    targets = torch.arange(10)
    one, other = (new_model(Pairing("multiclass", loss, "softmax"), targets, 0) for loss in ("mse", "cross_entropy"))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_early_stopping_counts_epochs_without_a_better_metric(tiny):
    run = fit(Pairing("probability", "bce", "softmax"), tiny, max_epochs=50, patience=3, device="cpu")
    assert (run.best_epoch, run.epochs, run.status) == (1, 4, "ok")
    curved = TASKS["probability"].target(tiny.test.digits).mean().item()
    assert run.test_metric == pytest.approx(curved)  # softmax over one output says yes to everything


def test_the_best_epochs_weights_are_the_ones_tested(tiny):
    run = fit(FITTING, tiny, max_epochs=6, device="cpu")
    best = max(run.history, key=lambda record: record["valid_metric"])
    assert run.best_epoch == best["epoch"] and run.valid_metric == best["valid_metric"]
    with torch.no_grad():
        again = run.pairing.predict(run.model(tiny.test.images), run.scale)
    torch.testing.assert_close(again, run.test_predictions, atol=1e-4, rtol=1e-4)
    assert run.test_metric == pytest.approx((again.argmax(1) == tiny.test.digits).float().mean().item(), abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_every_pairing_ends_in_one_of_three_ways(tiny, task):
    for loss, activation in product(LOSSES, ACTIVATIONS):
        if activation == "sigmoid_inverse" and task != "regression":
            continue
        run = fit(Pairing(task, loss, activation), tiny, max_epochs=1, device="cpu", network=TinyCNN)
        assert run.status in ("ok", "diverged", "error"), run
        assert (run.status == "error") == bool(run.error)


def test_a_refusing_loss_is_a_recorded_error_with_its_own_words(tiny):
    run = fit(Pairing("regression", "bce", normalize=True), tiny, device="cpu")
    assert run.status == "error" and "between 0 and 1" in run.error and run.test_metric != run.test_metric


def test_a_loss_that_is_no_number_is_divergence_and_the_best_finite_epoch_is_tested(tiny):
    records = []

    def setup(model):
        records.append(model)
        return adamw(model)

    def poison(record):
        if record["epoch"] == 2:
            records[0].out.bias.data.fill_(float("nan"))

    run = fit(FITTING, tiny, max_epochs=9, device="cpu", setup=setup, on_epoch=poison)
    assert (run.status, run.epochs) == ("diverged", 3) and run.best_epoch in (1, 2)
    assert 0 <= run.test_metric <= 1


def test_stop_is_obeyed_within_the_first_batch(tiny):
    stop = threading.Event()
    stop.set()
    run = fit(FITTING, tiny, device="cpu", stop=stop)
    assert (run.status, run.epochs) == ("stopped", 0)


def test_stop_is_obeyed_during_evaluation_and_a_stopped_run_is_not_tested(tiny):
    stop = threading.Event()
    run = fit(FITTING, tiny, device="cpu", stop=stop, on_epoch=lambda record: stop.set())
    assert (run.status, run.epochs, run.best_epoch) == ("stopped", 1, 1)
    assert run.test_predictions is None and run.test_metric != run.test_metric
    with pytest.raises(Stopped):
        outputs_of(run.model, tiny.valid.images, stop)


def test_progress_is_told_after_each_epoch(tiny):
    told = []
    run = fit(FITTING, tiny, max_epochs=2, device="cpu", on_epoch=told.append)
    assert told == run.history and list(told[0]) == ["epoch", "train_loss", "valid_loss", "valid_metric"]


def test_normalised_targets_are_judged_on_the_original_scale(tiny):
    run = fit(Pairing("regression", "mse", normalize=True), tiny, max_epochs=1, device="cpu")
    targets = TASKS["regression"].target(tiny.train.digits)
    assert (run.scale.mean, run.scale.std) == pytest.approx((targets.mean().item(), targets.std().item()))
    wanted = TASKS["regression"].target(tiny.test.digits)
    assert run.test_metric == pytest.approx((run.test_predictions - wanted).square().mean().item())


@pytest.mark.parametrize("numbers", [dict(seed=-1), dict(seed=1.5), dict(max_epochs=0), dict(patience=0)])
def test_bad_numbers_are_one_sentence(tiny, numbers):
    with pytest.raises(ValueError, match="must be"):
        fit(FITTING, tiny, **numbers)


def test_devices():
    assert pick_device("cpu") == "cpu"
    with pytest.raises(ValueError, match="Unknown device"):
        pick_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no GPU"):
            pick_device("cuda")


@pytest.mark.mnist
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_logits_into_cross_entropy_reach_96_5_percent(seed):
    try:
        data = load_data("mnist", seed=seed)
    except ValueError as reason:
        pytest.skip(f"needs MNIST's files, named by LM_DATA_DIR ({reason})")
    assert fit(FITTING, data, seed=seed).test_metric >= 0.965


def test_bf16_changes_the_arithmetic_of_the_convolutions_and_nothing_else(tiny):
    pairing = Pairing("multiclass", "cross_entropy")
    full, half = (new_model(pairing, tiny.train.digits, 3, precision) for precision in ("fp32", "bf16"))
    assert all(half.state_dict()[name].equal(weight) for name, weight in full.state_dict().items())
    seen, seen_half = full.features(tiny.train.images), half.features(tiny.train.images)
    assert seen_half.dtype == torch.float32 and not seen_half.equal(seen)
    assert (seen_half - seen).abs().max() < 0.02 * seen.abs().max()
    half(tiny.train.images).sum().backward()
    assert {weight.grad.dtype for weight in half.parameters()} == {torch.float32}


@pytest.mark.slow
def test_bf16_learns_what_fp32_learns_and_says_which_it_was(tiny):
    pairing = Pairing("multiclass", "cross_entropy")
    full, half = (fit(pairing, tiny, max_epochs=2, precision=precision) for precision in ("fp32", "bf16"))
    assert (full.precision, half.precision) == ("fp32", "bf16")
    assert half.history[1]["train_loss"] == pytest.approx(full.history[1]["train_loss"], rel=0.05)
    with pytest.raises(ValueError, match="Unknown precision 'fp16'; choose one of fp32, bf16"):
        fit(pairing, tiny, precision="fp16")


def test_short_runs_have_enough_updates(digits):
    assert epochs_for(digits, 200) == 11  # 19 batches each
