"""Runs under changed conditions, on seeds the reference results never used, kept in results/robustness/."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from lm_utils.data import Part, Splits
from lm_utils.errors import UserError
from lm_utils.files import RESULTS, write_whole
from lm_utils.model import CNN
from lm_utils.runs.conditions import CONDITIONS, OTHER_HAND, SHIFTS, Condition
from lm_utils.runs.inside import LAYERS, gradient_sizes, stuck_share
from lm_utils.runs.lever_conditions import LEVER
from lm_utils.runs.outputs import best_cut, quality
from lm_utils.runs.shipped import alone_in, is_current, rounded
from lm_utils.runs.stopping import ThreeRules
from lm_utils.runs.store import entry_of, splits_of
from lm_utils.runs.sweep import data_name, device_of_all, in_parallel, workers
from lm_utils.training import EXPERIMENT_VERSION, Prepared, Run, Stopped, fit, outputs_of

SEEDS = 10
FIRST_SEED = 100  # fresh: the reference results are on 0 to 9
CONFIRMING = 200  # fresher still: for what stood out on those
ON_FRESHER = ("confirmation", "patience", "straight")
UNSEEN = 300  # for the grid that tells two explanations apart, which the seeds above suggested
FAMILIES: dict[str, tuple[Condition, ...]] = {**CONDITIONS, "lever": LEVER}
PROBED = 256  # training images whose gradients are looked at after each epoch


def main(
    families: Iterable[str] = tuple(FAMILIES),
    seeds: int = SEEDS,
    data: str = "mnist",
    device: str = "auto",
    jobs: int | None = None,
    cluster: str | None = None,
) -> None:
    """Train what is missing of these families of conditions, and write each run as soon as it is there."""
    unknown = sorted(set(families) - set(FAMILIES))
    if unknown:
        raise UserError(f"Unknown family {unknown[0]!r}; choose from {', '.join(FAMILIES)}.")
    data = data_name(data, cluster)
    for family in families:
        first = UNSEEN if family == "lever" else CONFIRMING if family in ON_FRESHER else FIRST_SEED
        extend(FAMILIES[family], range(first, first + seeds), data, device, jobs, cluster)


def extend(
    conditions: Iterable[Condition], seeds: range, data: str, device: str, jobs: int | None, cluster: str | None = None
) -> None:
    """Add the missing runs of one family to its file; two families may be trained side by side."""
    wanted = [(condition, seed) for seed in seeds for condition in conditions]
    path = RESULTS / "robustness" / data / f"{wanted[0][0].family}.jsonl"
    with alone_in(path):
        extend_file(path, wanted, data, device, jobs, cluster)


def extend_file(
    path: Path, wanted: list[tuple[Condition, int]], data: str, device: str, jobs: int | None, cluster: str | None
) -> None:
    """Add those of the wanted runs that the file lacks; nobody else writes into it meanwhile."""
    stored = sorted(read(path), key=lambda entry: is_current(entry, data))  # the last one stays
    entries = {(entry["condition"], entry["seed"]): entry for entry in stored}
    good = {name for name, entry in entries.items() if is_current(entry, data)}
    if others := len(entries) - len(good):
        told = f"runs of another version than {EXPERIMENT_VERSION} or of other data than {data}"
        print(f"{path.stem}: {others} stored {told} do not count; those that are trained anew are replaced")
    missing = [key for key in wanted if (key[0].name, key[1]) not in good]
    print(f"{path.stem}: {len(missing)} of {len(wanted)} runs to train into {path}")

    def keep(key: tuple[Condition, int], entry: dict) -> None:
        entries[entry["condition"], entry["seed"]] = entry
        lines = (json.dumps(entries[name], separators=(",", ":")) for name in sorted(entries))
        write_whole(path, "\n".join(lines) + "\n")

    if cluster:
        from lm_utils.runs.cluster import ON_GPU, on_cluster

        needs = ON_GPU if device == "cuda" else None
        on_cluster(cluster, lambda key: run_condition(*key, data, device), missing, keep, needs=needs)
    else:
        work = lambda key, stop: run_condition(*key, data, device, stop)  # noqa: E731
        in_parallel(work, missing, jobs or workers(device_of_all(device)), keep)


def read(path: Path) -> list[dict]:
    """The runs of one family; none where there is no file yet."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def run_condition(condition: Condition, seed: int, data: str, device: str = "auto", stop: object = None) -> dict:
    """Train one condition once and tell what a run tells, and what this family looks at besides."""
    splits = condition.change(splits_of(data, seed), seed)
    watch = WATCHES[condition.family](condition, splits)
    run = fit(condition.pairing, splits, seed, condition.max_epochs, condition.patience, device=device, stop=stop,
              on_epoch=watch.look, setup=watch.setup)  # fmt: skip
    if run.status == "stopped" and not watch.enough:
        raise Stopped
    entry = entry_of(run, {})
    if run.test_predictions is not None and run.pairing.gives_probabilities:
        targets = run.pairing.spec.target(splits.test.digits)
        entry["outputs"] = quality(run.pairing.spec, run.test_predictions, targets)
    task = condition.pairing.spec
    chance = task.baseline(task.target(splits.train.digits), task.target(splits.test.digits))
    told = {"condition": condition.name, "family": condition.family, "title": condition.title, "chance": chance}
    told |= {"expected": condition.expected, "train_images": len(splits.train.digits)}
    return rounded({**told, **asdict(condition.pairing), **entry, **watch.seen(run)})


class Watch:
    """What is looked at while and after a run is trained; this one looks at nothing."""

    enough = False  # whether the watch itself ended the training

    def __init__(self, condition: Condition, splits: Splits) -> None:
        self.condition, self.splits = condition, splits

    def setup(self, model: CNN) -> torch.optim.Optimizer:
        """The condition's own set-up."""
        self.model = model
        return self.condition.setup(model)

    def look(self, record: dict) -> None:
        """Called after each epoch."""

    def seen(self, run: Run) -> dict:
        """What was seen, to be stored with the run."""
        return {}

    def measured(self, model: CNN, images: Tensor, digits: Tensor) -> dict[str, float]:
        """Accuracy, negative log-likelihood, Brier score and calibration error on some images."""
        pairing, where = self.condition.pairing, next(model.parameters()).device
        predictions, targets = pairing.predict(outputs_of(model, images.to(where))).cpu(), pairing.spec.target(digits)
        told = quality(pairing.spec, predictions, targets)
        return {"accuracy": pairing.spec.score(predictions, targets), **{k: told[k] for k in ("nll", "brier", "ece")}}


class Inside(Watch):
    """Looks into the network before training and after each epoch: gradient sizes and stuck hidden units."""

    def __init__(self, condition: Condition, splits: Splits) -> None:
        super().__init__(condition, splits)
        targets = condition.pairing.spec.target(splits.train.digits[:PROBED])
        self.part, self.trace = Prepared(splits.train.images[:PROBED], targets, targets), []

    def setup(self, model: CNN) -> torch.optim.Optimizer:
        """The condition's own set-up, and a first look."""
        optimizer = super().setup(model)
        self.look({"epoch": 0})
        return optimizer

    def look(self, record: dict) -> None:
        """Keep gradient sizes and the share of stuck hidden units."""
        where = next(self.model.parameters()).device
        images, aims = self.part.images.to(where), self.part.aims.to(where)
        sizes = gradient_sizes(self.model, self.condition.pairing, images, aims)
        self.trace.append({"stuck": stuck_share(self.model, images), **{layer: sizes[layer] for layer in LAYERS}})

    def seen(self, run: Run) -> dict:
        """The trace, one entry per epoch, the first before training."""
        return {"trace": self.trace}


class OtherCut(Watch):
    """Reads labels with the cut that suits the validation set, too."""

    def seen(self, run: Run) -> dict:
        """That cut and the test accuracy with it; nothing where the answers are no labels."""
        task, splits = run.pairing.spec, self.splits
        if task.kind != "labels":
            return {}
        valid, test = (task.target(part.digits) for part in (splits.valid, splits.test))
        return best_cut(task, run.valid_predictions, valid, run.test_predictions, test)


class Elsewhere(Watch):
    """Tests the finished network on images of other kinds as well."""

    def seen(self, run: Run) -> dict:
        """Each shifted test set with its scores."""
        tests = shifted_tests(self.splits)
        return {"shifted": {name: self.measured(run.model, part.images, part.digits) for name, part in tests.items()}}


class Endings(Watch):
    """Follows three rules of stopping on one training."""

    def __init__(self, condition: Condition, splits: Splits) -> None:
        super().__init__(condition, splits)
        self.rules = ThreeRules(condition.pairing.spec.better)

    def look(self, record: dict) -> None:
        """Let each rule look; the training ends with the last of them."""
        self.rules.look(record, self.model)
        if self.rules.ended:
            self.enough = True
            raise Stopped

    def seen(self, run: Run) -> dict:
        """The test scores of the weights that each rule would have kept; the run counts as the metric's."""
        test = self.splits.test
        rules = self.rules.scores(run.model, lambda model: self.measured(model, test.images, test.digits))
        mine = rules["metric"]
        own = {"status": "ok", "best_epoch": mine["epoch"], "test_metric": mine["accuracy"], "outputs": {}}
        return {**own, "valid_metric": self.rules.rules["metric"].best["valid_metric"], "rules": rules}


WATCHES: dict[str, type[Watch]] = {
    "collapse": Inside, "switches": OtherCut, "new-data": Elsewhere, "confirmation": Watch,
    "patience": Watch, "straight": Watch, "stopping": Endings, "lever": Inside,
}  # fmt: skip


def shifted_tests(splits: Splits) -> dict[str, Part]:
    """The test images changed in several ways; for a network trained on MNIST, another data set's digits, too."""
    parts = {name: Part(shift(splits.test.images), splits.test.digits) for name, shift in SHIFTS.items()}
    return parts | ({OTHER_HAND: splits_of("digits", 0).test} if splits.name == "mnist" else {})
