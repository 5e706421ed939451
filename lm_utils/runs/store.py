"""One run: what names it, how it is trained into an entry, and where it is kept, so that a training can go on.

What is trained asks `find` what there is already and hands each finished run to `put`, which writes whole files: an
interrupt loses nothing. A reader's own runs are a `Store` in the cache, runs that ship in `results/` a `GrowingFile`.
"""

import json
import warnings
from collections.abc import Callable, Hashable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from threading import Event

import torch

from lm_utils.data import Splits, load_data
from lm_utils.errors import UserError
from lm_utils.files import cache_folder, write_whole
from lm_utils.pairing import Pairing
from lm_utils.runs.outputs import summarise
from lm_utils.training import EXPERIMENT_VERSION, Run, Stopped, fit, safe_device

Key = tuple[Pairing, int]  # what a run is: the pairing, and the seed of its split, weights and order alike
Finished = Callable[[Key, dict], None]  # what is told of each run, in the thread that asked for the sweep

COLUMNS = (
    "task", "loss", "activation", "hidden", "normalize", "prior_bias", "seed", "status", "epochs", "best_epoch",
    "valid_metric", "test_metric", "seconds", "device", "data",
)  # fmt: skip


@lru_cache(maxsize=4)
def splits_of(name: str, seed: int) -> Splits:
    """Return the splits of a seed, kept while its runs are trained."""
    return load_data(name, seed=seed)


def one_run(
    key: Key,
    stop: Event | None = None,
    *,
    data: str | Splits,
    limits: tuple[int, int],
    device: str,
    precision: str = "fp32",
) -> dict:
    """Train one run with `fit`, on the data set of this name or on these splits, and return its entry."""
    splits = splits_of(data, key[1]) if isinstance(data, str) else data
    run = fit(key[0], splits, key[1], *limits, device, stop=stop, precision=precision)
    if run.status == "stopped":
        raise Stopped
    return entry_of(run, summarise(run, splits))


def key_of(entry: dict) -> Key:
    """Return what names the run of an entry."""
    return Pairing(**{name: entry[name] for name in COLUMNS[:6]}), entry["seed"]


def entry_of(run: Run, outputs: dict) -> dict:
    """A run as plain data: the table's columns, then the history and what else was measured."""
    row = {**asdict(run.pairing), **{name: getattr(run, name) for name in COLUMNS[6:]}}
    provenance = {"version": EXPERIMENT_VERSION, "torch": torch.__version__, "date": date.today().isoformat()}
    if run.precision != "fp32":
        provenance["precision"] = run.precision
    return {**row, "error": run.error, **provenance, "history": run.history, "outputs": outputs}


def single_threaded() -> None:
    """One intra-op thread for this worker, and numbers too small to matter become 0 instead of slow."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@dataclass
class GrowingFile:
    """Finished runs that share a file (or a few), which is written anew with each run that is put."""

    runs: dict[Hashable, dict]
    write: Callable[[Iterable[dict]], None]
    kept: Callable[[dict], dict] = dict  # what is done to a run before

    def find(self, keys: Iterable[Hashable], *_place: object) -> dict[Hashable, dict]:
        """Return those of these runs that are here."""
        return {key: self.runs[key] for key in keys if key in self.runs}

    def put(self, key: Hashable, entry: dict, *_place: object) -> None:
        """Add a run."""
        self.runs[key] = self.kept(entry)
        self.write(self.runs.values())


class Store:
    """A folder of finished runs, found again by pairing, seed, data, device and limits."""

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = Path(folder) if folder else cache_folder() / "runs"

    def path(
        self, pairing: Pairing, seed: int, data: str, device: str, limits: tuple[int, int], precision: str = "fp32"
    ) -> Path:
        """Return the file of one run; the device is the one that all runs of a sweep are trained on."""
        options = [pairing.hidden] + ["normalised"] * pairing.normalize + ["prior"] * pairing.prior_bias
        options += [precision] * (precision != "fp32")
        name = "-".join([pairing.loss, pairing.activation, *options, "e{}-p{}".format(*limits), f"seed{seed}"])
        return self.folder / data / safe_device(device, pairing) / pairing.task / f"{name}.json"

    def get(self, path: Path) -> dict | None:
        """The run in this file; None where there is none of this version that can be read whole."""
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            if entry["version"] != EXPERIMENT_VERSION:
                reason = f"it is of version {entry['version']}, and now is version {EXPERIMENT_VERSION}"
            elif all(name in entry for name in (*COLUMNS, "history")):
                return entry
            else:
                reason = "it is incomplete"
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError):
            reason = "it cannot be read"
        warnings.warn(f"The stored run {path} does not count: {reason}.", stacklevel=2)
        return None

    def find(
        self, keys: Iterable[Key], data: str, device: str, limits: tuple[int, int], precision: str = "fp32"
    ) -> dict[Key, dict]:
        """Return those of these runs that are here."""
        entries = {key: self.get(self.path(*key, data, device, limits, precision)) for key in keys}
        return {key: entry for key, entry in entries.items() if entry}

    def put(self, key: Key, entry: dict, *place: object) -> None:
        """Write a run, whole or not at all."""
        try:
            write_whole(self.path(*key, *place), json.dumps(entry))
        except OSError as problem:
            raise UserError(
                f"Runs cannot be stored in {self.folder} ({problem.strerror or problem}); make room or make"
                " it writable, or name another folder in LM_CACHE_DIR."
            ) from problem
