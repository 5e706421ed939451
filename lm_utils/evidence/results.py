"""Stored runs, read: the shipped reference and the reader's own; each says whose runs they are, and they never mix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from math import inf, nan
from pathlib import Path

import pandas as pd
import torch

from lm_utils.data import load_data
from lm_utils.evidence import statistics as st
from lm_utils.files import RESULTS, read_lines
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import rows
from lm_utils.runs.shipped import LIMITS, is_current, read_entries
from lm_utils.runs.store import Store, key_of
from lm_utils.runs.sweep import resolved
from lm_utils.show_code import maker
from lm_utils.tasks import TASKS

TITLES = {"mnist": "MNIST", "digits": "embedded digits"}
MNIST_TEST = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)  # test images of each digit
FITTING: dict[str, Pairing] = {  # what every other row of a task is compared with
    "regression": Pairing("regression", "mse", normalize=True),
    "probability": Pairing("probability", "bce", "sigmoid"),
    "binary": Pairing("binary", "cross_entropy"),
    "multiclass": Pairing("multiclass", "cross_entropy"),
    "multilabel": Pairing("multilabel", "bce", "sigmoid"),
}


@dataclass(frozen=True, eq=False)
class Results:
    """Some runs of one data set by one owner: the shipped reference, or the reader."""

    whose: str  # "reference" or "yours"
    data: str
    entries: tuple[dict, ...]

    @property
    def owner(self) -> str:
        """Say whose runs these are, on which data, in two words."""
        return f"{self.whose}: {TITLES[self.data]}"

    @property
    def origin(self) -> str:
        """Say whose runs these are, in one line."""
        if not self.entries:
            return f"{self.owner}, no runs yet"
        counts = {len(runs) for runs in self.by_pairing.values()}
        seeds = f"{min(counts)} to {max(counts)} seeds" if len(counts) > 1 else counted(max(counts), "seed")
        versions = " and ".join(sorted({f"torch {entry['torch'].split('+')[0]}" for entry in self.entries}))
        devices = " and ".join(sorted({entry["device"] for entry in self.entries}))
        last = max(entry["date"] for entry in self.entries)
        return f"{self.owner}, {seeds}, {versions}, {devices}, {last}"

    @cached_property
    def by_pairing(self) -> dict[Pairing, list[dict]]:
        """Return the runs of each pairing, in the order of their seeds."""
        found = defaultdict(list)
        for entry in sorted(self.entries, key=lambda entry: entry["seed"]):
            found[key_of(entry)[0]].append(entry)
        return dict(found)

    def of(self, pairing: Pairing) -> list[dict]:
        """Return the whole entries of a pairing, in the order of their seeds; none where nothing was trained."""
        return list(self.by_pairing.get(pairing, ()))

    def scores(self, pairing: Pairing, name: str = "test_metric") -> dict[int, float]:
        """Return one number per seed: a column, of its outputs ("nll", "ece", "accuracy_at_cut") or "epochs_to_95"."""
        if name == "epochs_to_95":
            return {entry["seed"]: speed_of(entry, self.baseline(pairing.task)) for entry in self.of(pairing)}
        return {entry["seed"]: number(entry, name) for entry in self.of(pairing)}

    def mean(self, pairing: Pairing) -> float:
        """Return the mean test metric of a pairing's runs."""
        return mean(self.scores(pairing).values())

    def at_chance(self, pairing: Pairing) -> list[bool]:
        """Say of each run of a pairing whether it is at chance."""
        chance, metric = self.baseline(pairing.task), pairing.spec.metric
        return [st.at_chance(score, chance, metric) for score in self.scores(pairing).values()]

    def paired(self, pairing: Pairing, other: Pairing, name: str = "test_metric") -> list[float]:
        """Return the differences to another pairing on the seeds both have."""
        return self.differences([(pairing, other)], name)[0]

    def differences(self, pairs: Iterable[tuple[Pairing, Pairing]], name: str = "test_metric") -> list[list[float]]:
        """Return the differences of several pairs, a column for each seed of any pair; nan where a pair lacks it."""
        scores = [(self.scores(one, name), self.scores(other, name)) for one, other in pairs]
        seeds = sorted({seed for mine, theirs in scores for seed in mine.keys() & theirs.keys()})
        return [[mine.get(seed, nan) - theirs.get(seed, nan) for seed in seeds] for mine, theirs in scores]

    def where(self, keep: Callable[[dict], bool]) -> Results:
        """Return the runs of which this is true."""
        return Results(self.whose, self.data, tuple(filter(keep, self.entries)))

    def only(self, task: str) -> Results:
        """Return the runs of one task."""
        return self.where(lambda entry: entry["task"] == task)

    def of_pairings(self, pairings: Iterable[Pairing]) -> Results:
        """Return the runs of these pairings alone, so that their origin counts the seeds of what is shown."""
        wanted = set(pairings)
        return self.where(lambda entry: key_of(entry)[0] in wanted)

    def of_rows(self, task: str | None = None) -> Results:
        """Return the runs of the documents' rows and ours, without the rest of the grid."""
        return self.of_pairings(row.pairing for row in rows(task))

    def that_learnt(self) -> Results:
        """Return the runs that did better than a constant answer."""
        return self.where(lambda entry: not st.at_chance(
            number(entry, "test_metric"), self.baseline(entry["task"]), TASKS[entry["task"]].metric))  # fmt: skip

    def baseline(self, task: str) -> float:
        """Return the test metric of the best constant answer."""
        return baseline(task, self.data)


def counted(count: int, what: str, several: str = "") -> str:
    """Write such as '1 seed' or '3 seeds'."""
    return f"{count} {what if count == 1 else several or what + 's'}"


def number(entry: dict, name: str) -> float:
    """Return a number of a run; nan where it has none."""
    value = entry[name] if name in entry else entry.get("outputs", {}).get(name)
    return nan if value is None else float(value)


def with_origin(table: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return the table with its origin on it, and with the function that made it."""
    table.attrs |= {"origin": origin, "made_by": maker()}
    return table


def reference(data: str = "mnist", folder: Path | None = None) -> Results:
    """Return the results that ship with the course."""
    folder = folder or RESULTS / data
    files = sorted((folder / "histories").glob("*.jsonl"))
    return shipped(data, folder, tuple((file.name, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=4)
def shipped(data: str, folder: Path, stamp: tuple) -> Results:
    """Return the shipped results as long as their files (whose names and times are the stamp) stay the same."""
    entries = tuple(entry for entry in read_entries(folder) if is_current(entry, data))
    return Results("reference", data, entries)


def yours(pairings: Iterable[Pairing], seeds: int, data: str, device: str, store: Store | None = None) -> Results:
    """Return the runs of these pairings that were trained on this machine and are stored."""
    store, (name, where) = store or Store(), resolved(data, device)
    keys = [(pairing, seed) for pairing in pairings for seed in range(seeds)]
    return Results("yours", name, tuple(store.find(keys, name, where, LIMITS).values()))


def under_conditions(family: str, data: str = "mnist", folder: Path | None = None) -> dict[str, list[dict]]:
    """Read the runs of a family, of this version and these data alone, by the name of the changed condition."""
    path = (folder or RESULTS / "robustness" / data) / f"{family}.jsonl"
    found = defaultdict(list)
    for entry in read_lines(path):
        if is_current(entry, data):
            found[entry["condition"]].append(entry)
    return {name: sorted(runs, key=lambda run: run["seed"]) for name, runs in found.items()}


@cache
def tested_digits(data: str) -> torch.Tensor:
    """Return the digits of a data set's test part; MNIST's are known without its files."""
    if data == "mnist":
        return torch.repeat_interleave(torch.arange(10), torch.tensor(MNIST_TEST))
    return load_data(data).test.digits


@cache
def baseline(task: str, data: str = "mnist") -> float:
    """Return the test metric of the best constant answer: the line that a run at chance does not pass."""
    targets = TASKS[task].target(tested_digits(data))
    return round(TASKS[task].baseline(targets, targets), 6)


def mean(values: Iterable[float]) -> float:
    """Return the mean of what is a number; nan where nothing is."""
    return st.mean_interval(list(values)).mean


def estimate(scores: Iterable[float], metric: str) -> st.Estimate:
    """Return mean and interval, inside what the metric can be."""
    return st.mean_interval(list(scores), bounds=(0.0, 1.0 if metric == "accuracy" else inf))


def speed_of(entry: dict, chance: float) -> float:
    """Count the epochs to 95 % of a run's final validation metric."""
    metric = TASKS[entry["task"]].metric
    scores = [record["valid_metric"] for record in entry["history"]]
    return st.epochs_to(scores, entry["valid_metric"], metric, chance)
