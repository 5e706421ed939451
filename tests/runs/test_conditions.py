"""Changed conditions change what they say and nothing else."""

import gc
import weakref
from dataclasses import replace
from functools import partial

import pytest
import torch
from made_up_runs import made_up

from lm_utils.evidence.results import under_conditions
from lm_utils.files import read_lines, write_lines
from lm_utils.model import CNN
from lm_utils.pairing import Pairing
from lm_utils.runs import conditions, robustness
from lm_utils.runs import interventions as made
from lm_utils.runs.robustness import run_condition
from lm_utils.runs.watches import WATCHES, gradient_sizes, shifted_tests, stuck_share
from lm_utils.training import EXPERIMENT_VERSION


def logit_gradient(setup, classes=10):
    """The gradient that reaches the output bias under a set-up, for two images of class 0."""
    model = CNN(classes, generator=torch.Generator().manual_seed(0))
    setup(model)
    torch.nn.functional.binary_cross_entropy_with_logits(
        model(torch.zeros(2, 1, 28, 28)), torch.eye(classes)[[0, 0]]
    ).backward()
    return model.out.bias.grad


def test_the_common_push_is_removed_and_added():
    plain = logit_gradient(made.adamw)
    assert plain.mean() > 0.01  # ten sigmoids at one half all want to go down
    assert logit_gradient(partial(made.on_logit_gradient, edit=made.without_common_push)).mean().abs() < 1e-7
    assert logit_gradient(partial(made.on_logit_gradient, edit=made.with_common_push)).mean() > plain.mean() + 0.3
    tenfold = next(condition.setup for condition in conditions.COLLAPSE if condition.name == "loss-x10")
    torch.testing.assert_close(logit_gradient(tenfold), 10 * plain)


def test_a_changed_gradient_keeps_no_graph_alive():
    model = CNN(10, generator=torch.Generator().manual_seed(0))
    made.on_logit_gradient(model, made.with_common_push)
    logits = model(torch.zeros(2, 1, 28, 28))
    logits.sum().backward()
    gone = weakref.ref(logits)
    del logits
    gc.collect()
    assert gone() is None


def test_head_first_leaves_the_body_alone_for_the_first_batches():
    model = CNN(10, generator=torch.Generator().manual_seed(0))
    optimizer = made.output_layer_first(model, batches=1)
    moved = []
    for _ in range(2):
        before = model.conv1.weight.clone()
        optimizer.zero_grad()
        model(torch.randn(4, 1, 28, 28)).square().mean().backward()
        optimizer.step()
        moved.append(not torch.equal(before, model.conv1.weight))
    assert moved == [False, True]


def test_changes_of_the_data(digits):
    assert len(made.fewer_images(digits, 0, 50).train) == 50
    noisy = made.label_noise(digits, 0, 0.4)
    changed = (noisy.train.digits != digits.train.digits).float().mean().item()
    assert changed == pytest.approx(0.4 * 0.9, abs=0.06) and torch.equal(noisy.test.digits, digits.test.digits)
    assert torch.equal(noisy.train.digits, made.label_noise(digits, 0, 0.4).train.digits)
    few = made.imbalance(digits, 0, 0.1).train.digits
    assert (few >= 5).float().mean() < 0.15
    for rate, classes in conditions.CURVED_AT.items():
        assert made.relabelled(digits, 0, classes).test.digits.eq(0).float().mean() == pytest.approx(rate, abs=0.02)


def test_shifted_images_keep_their_range_and_paper(digits):
    images = digits.test.images[:5]
    for name, shift in made.SHIFTS.items():
        moved = shift(images)
        assert moved.shape == images.shape and moved.min() >= -1.0001 and moved.max() <= 1.0001, name
    assert torch.allclose(made.rotated(images, 0), images, atol=1e-4)
    assert (made.rotated(torch.full((1, 1, 28, 28), -1.0), 30) == -1).all()


def test_ten_halves_is_what_it_says():
    table = torch.tensor(conditions.TenHalves("ten_halves", "bce", "sigmoid").spec.table)
    assert table.mean(dim=0).tolist() == [0.5] * 10 and len(set(map(tuple, table.tolist()))) == 10


def test_another_hand_is_a_test_set_of_networks_trained_on_mnist_alone(digits):
    assert set(shifted_tests(digits)) == set(made.SHIFTS)
    others = shifted_tests(replace(digits, name="mnist"))
    assert set(others) == {*made.SHIFTS, made.OTHER_HAND} and len(others[made.OTHER_HAND]) == len(digits.test)


def test_names_are_unique_and_predictions_written_down():
    assert set(WATCHES) == set(conditions.CONDITIONS)
    for family in conditions.CONDITIONS.values():
        assert len({condition.name for condition in family}) == len(family)
    assert all(condition.expected in ("learns", "collapses") for condition in conditions.COLLAPSE)


def test_the_probe_sees_saturation_and_leaves_gradients_alone(digits):
    model = CNN(10, "sigmoid", generator=torch.Generator().manual_seed(0))
    pairing, images = Pairing("multiclass", "bce", "sigmoid"), digits.train.images[:32]
    assert stuck_share(model, images) == 0
    sizes = gradient_sizes(model, pairing, images, digits.train.digits[:32])
    assert list(sizes) == ["conv1", "conv2", "conv3", "fc", "out"] and all(size > 0 for size in sizes.values())
    assert model.out.weight.grad is None
    model.fc.bias.data.fill_(50.0)
    assert stuck_share(model, images) == 1
    assert gradient_sizes(model, pairing, images, digits.train.digits[:32])["conv1"] < 1e-12


def a_run(condition, seed, data="digits", **other):
    return {"condition": condition.name, **made_up(condition.pairing, seed, 0.5, data=data, **other)}


@pytest.fixture
def mixed(tmp_path, monkeypatch):
    """A family's file with one run that counts, one of another version and one of other data; and what is trained."""
    condition, trained = conditions.COLLAPSE[0], []

    def train(condition, seed, data, device, stop):
        trained.append(seed)
        return a_run(condition, seed, data, title="new")

    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(robustness, "RESULTS", tmp_path)
    monkeypatch.setattr(robustness, "run_condition", train)
    path = tmp_path / "robustness" / "digits" / "collapse.jsonl"
    old = a_run(condition, 101, version=EXPERIMENT_VERSION - 1)
    write_lines(path, [a_run(condition, 100), old, a_run(condition, 102, "mnist")])
    return condition, path, trained


def test_runs_of_another_version_or_other_data_are_trained_anew(mixed, capsys):
    condition, path, trained = mixed
    robustness.extend([condition], range(100, 102), "digits", "cpu", 1)
    assert trained == [101]
    notice, told = capsys.readouterr().out.splitlines()
    assert notice.startswith("collapse: 2 stored runs of another version than ") and "other data than digits" in notice
    assert told.startswith("collapse: 1 of 2 runs to train")
    runs = read_lines(path)
    assert [(run["seed"], run["data"]) for run in runs] == [(100, "digits"), (101, "digits"), (102, "mnist")]
    assert [run.get("title") for run in runs] == [None, "new", None]  # what was good, or not asked for, is as it was
    robustness.extend([condition], range(100, 103), "digits", "cpu", 1)
    assert trained == [101, 102] and {run["data"] for run in read_lines(path)} == {"digits"}
    capsys.readouterr()
    robustness.extend([condition], range(100, 103), "digits", "cpu", 1)
    assert trained == [101, 102] and len(capsys.readouterr().out.splitlines()) == 1


def test_a_good_run_counts_though_an_old_one_of_the_same_name_follows_it(mixed):
    condition, path, trained = mixed
    write_lines(path, [a_run(condition, 100), a_run(condition, 100, version=EXPERIMENT_VERSION - 1)])
    robustness.extend([condition], range(100, 101), "digits", "cpu", 1)
    assert trained == []


def test_two_processes_never_train_one_family(mixed):
    condition, path, trained = mixed
    with robustness.alone_in(path), pytest.raises(ValueError, match=r"Another process is training into .*collapse"):
        robustness.extend([condition], range(100, 102), "digits", "cpu", 1)
    with robustness.alone_in(path.with_name("switches.jsonl")):
        robustness.extend([condition], range(100, 102), "digits", "cpu", 1)
    assert trained == [101]


def test_runs_of_another_version_or_other_data_are_not_shown(mixed):
    _, path, _ = mixed
    (runs,) = under_conditions("collapse", "digits", path.parent).values()
    assert [run["seed"] for run in runs] == [100]


@pytest.mark.slow
def test_one_intervention_switches_the_collapse_off():
    by_name = {condition.name: condition for condition in conditions.COLLAPSE}
    short = (replace(by_name[name], max_epochs=6) for name in ("control", "no-common-push"))
    control, cured = (run_condition(condition, 5, "digits", "cpu") for condition in short)
    assert control["test_metric"] < 0.2 < 0.6 < cured["test_metric"]
    assert control["trace"][-1]["stuck"] > 0.9 and control["trace"][-1]["conv1"] < cured["trace"][1]["conv1"] / 1000


@pytest.mark.slow
def test_a_push_can_be_switched_off_and_on_for_numbers_too():
    by_name = {condition.name: condition for condition in conditions.SWITCHES}
    ends = {name: run_condition(replace(by_name[name], max_epochs=6), 5, "digits", "cpu")
            for name in ("raw", "raw-bias", "standardised", "standardised-off")}  # fmt: skip
    learnt = {name for name, run in ends.items() if run["test_metric"] < run["chance"] / 2}
    assert learnt == {"raw-bias", "standardised"}


@pytest.mark.slow
def test_labels_are_stored_with_the_cut_that_suits_them():
    by_name = {condition.name: condition for condition in conditions.SWITCHES}
    run = run_condition(replace(by_name["cut-mse"], max_epochs=6), 5, "digits", "cpu")
    assert run["cut"] < 0.45 and run["accuracy_at_cut"] > run["test_metric"] + 0.05


@pytest.mark.slow
def test_each_family_stores_what_it_looks_at():
    by_name = {condition.name: condition for family in conditions.CONDITIONS.values() for condition in family}
    new, rules = (
        run_condition(
            replace(by_name[name], max_epochs=2, change=partial(made.fewer_images, count=64)), 5, "digits", "cpu"
        )
        for name in ("images-50/mse-softmax", "rules/mse-softmax")
    )
    assert set(new["shifted"]) == set(made.SHIFTS) and "trace" not in new
    assert all(0 <= score["accuracy"] <= 1 and score["nll"] > 0 for score in new["shifted"].values())
    assert set(rules["rules"]) == {"metric", "loss", "budget"}
    assert rules["test_metric"] == rules["rules"]["metric"]["accuracy"] and rules["status"] == "ok"
