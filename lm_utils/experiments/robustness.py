"""Runs under changed conditions, on seeds the reference results never used, kept in results/robustness/."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from lm_utils.data import Splits
from lm_utils.experiments.conditions import CONDITIONS, SHIFTS, Condition
from lm_utils.experiments.outputs import quality
from lm_utils.experiments.probe import LAYERS, gradient_sizes, stuck_share
from lm_utils.experiments.reference import RESULTS, rounded, write_whole
from lm_utils.experiments.store import entry_of
from lm_utils.experiments.sweep import in_parallel, splits_of, workers
from lm_utils.model import CNN
from lm_utils.training import Prepared, Stopped, fit, outputs_of

SEEDS = 10
FIRST_SEED = 100  # fresh: the reference results are on 0 to 9
PROBED = 256  # training images whose gradients are looked at after each epoch


def main(
    families: Iterable[str] = tuple(CONDITIONS),
    seeds: int = SEEDS,
    data: str = "mnist",
    device: str = "auto",
    jobs: int | None = None,
) -> None:
    """Train what is missing of these families of conditions, and write each run as soon as it is there."""
    unknown = sorted(set(families) - set(CONDITIONS))
    if unknown:
        raise ValueError(f"Unknown family {unknown[0]!r}; choose from {', '.join(CONDITIONS)}.")
    for family in families:
        extend(CONDITIONS[family], range(FIRST_SEED, FIRST_SEED + seeds), data, device, jobs or workers(device))


def extend(conditions: Iterable[Condition], seeds: range, data: str, device: str, jobs: int) -> None:
    """Add the missing runs of one family to its file."""
    wanted = [(condition, seed) for seed in seeds for condition in conditions]
    path = RESULTS / "robustness" / data / f"{wanted[0][0].family}.jsonl"
    entries = {(entry["condition"], entry["seed"]): entry for entry in read(path)}
    missing = [key for key in wanted if (key[0].name, key[1]) not in entries]
    print(f"{path.stem}: {len(missing)} of {len(wanted)} runs to train into {path}")

    def keep(key: tuple[Condition, int], entry: dict) -> None:
        entries[entry["condition"], entry["seed"]] = entry
        lines = (json.dumps(entries[name], separators=(",", ":")) for name in sorted(entries))
        write_whole(path, "\n".join(lines) + "\n")

    in_parallel(lambda key, stop: one_run(*key, data, device, stop), missing, jobs, keep)


def read(path: Path) -> list[dict]:
    """The runs of one family; none where there is no file yet."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def one_run(condition: Condition, seed: int, data: str, device: str = "auto", stop: object = None) -> dict:
    """Train one condition once and tell what a run tells, what the inside looked like, and how it does on new data."""
    splits = condition.change(splits_of(data, seed), seed)
    probe = Probe(condition, splits)
    run = fit(condition.pairing, splits, seed, condition.max_epochs, condition.patience, device=device, stop=stop,
              on_epoch=probe.look, setup=probe.setup)  # fmt: skip
    if run.status == "stopped":
        raise Stopped
    entry = entry_of(run, {})
    if run.test_predictions is not None and run.pairing.gives_probabilities:
        targets = run.pairing.spec.target(splits.test.digits)
        entry["outputs"] = quality(run.pairing.spec, run.test_predictions, targets)
        if condition.family == "new-data":
            entry["shifted"] = shifted_scores(run.model, condition, splits)
    task = condition.pairing.spec
    chance = task.baseline(task.target(splits.train.digits), task.target(splits.test.digits))
    told = {"condition": condition.name, "family": condition.family, "title": condition.title, "chance": chance}
    told |= {"expected": condition.expected, "train_images": len(splits.train.digits), "trace": probe.trace}
    return rounded({**told, **asdict(condition.pairing), **entry})


class Probe:
    """Looks into the network after each epoch."""

    def __init__(self, condition: Condition, splits: Splits) -> None:
        self.condition, self.trace = condition, []
        targets = condition.pairing.spec.target(splits.train.digits[:PROBED])
        self.part = Prepared(splits.train.images[:PROBED], targets, targets)

    def setup(self, model: CNN) -> object:
        """The condition's own set-up, and a first look before training."""
        self.model, optimizer = model, self.condition.setup(model)
        self.look({"epoch": 0})
        return optimizer

    def look(self, record: dict) -> None:
        """Keep gradient sizes and the share of stuck hidden units."""
        where = next(self.model.parameters()).device
        images, aims = self.part.images.to(where), self.part.aims.to(where)
        sizes = gradient_sizes(self.model, self.condition.pairing, images, aims)
        self.trace.append({"stuck": stuck_share(self.model, images), **{layer: sizes[layer] for layer in LAYERS}})


def shifted_scores(model: CNN, condition: Condition, splits: Splits) -> dict[str, dict[str, float]]:
    """Accuracy, negative log-likelihood and calibration error on each shifted test set."""
    task, scores = condition.pairing.spec, {}
    targets = task.target(splits.test.digits)
    where = next(model.parameters()).device
    for name, shift in SHIFTS.items():
        predictions = condition.pairing.predict(outputs_of(model, shift(splits.test.images).to(where))).cpu()
        told = quality(task, predictions, targets)
        scores[name] = {"accuracy": task.score(predictions, targets), **{k: told[k] for k in ("nll", "brier", "ece")}}
    return scores
