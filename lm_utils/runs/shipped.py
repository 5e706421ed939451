"""The measured results that ship with the course: `make results` writes `results/<data>/runs.csv` and histories here.

A reader's own runs lie elsewhere, one file each (`store`).
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lm_utils.activations import ACTIVATIONS
from lm_utils.errors import UserError
from lm_utils.files import RESULTS, cache_folder, read_lines, write_lines, write_whole
from lm_utils.losses import LOSSES
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import pairings, rows
from lm_utils.runs.store import COLUMNS, GrowingFile, key_of
from lm_utils.runs.sweep import resolved, sweep_entries, table
from lm_utils.tasks import TASKS
from lm_utils.training import EXPERIMENT_VERSION

SEEDS, GRID_SEEDS = 10, 3
FIRST_SEEDS = (1, 3, 6)  # of every task before more of any: enough to look at, and enough for a verdict
LIMITS = (500, 10)  # epochs at most, and epochs of patience
KEY = COLUMNS[:7]  # what names a run: its pairing and its seed


def main(
    seeds: int | None = None,
    data: str = "mnist",
    device: str = "auto",
    jobs: int | None = None,
    cluster: str | None = None,
    grid: bool = False,
    tasks: Iterable[str] = tuple(TASKS),
) -> None:
    """Train what the shipped results still lack, a few seeds of every task first, and write them as they grow."""
    data, device = resolved(data, device, cluster)
    seeds = seeds or (GRID_SEEDS if grid else SEEDS)
    with alone_in(RESULTS / data):
        for some in sorted({*(few for few in FIRST_SEEDS if few < seeds), seeds}):
            for task in tasks:
                wanted = whole_grid(task) if grid else pairings(rows(task=task))
                print(f"{TASKS[task].title}: {len(wanted)} pairings x {some} seeds into {RESULTS / data}")
                extend(wanted, some, RESULTS / data, data, device, jobs, cluster)


def whole_grid(task: str) -> list[Pairing]:
    """Every loss with every output activation that the task admits; for numbers also with standardised targets."""
    options = (False, True) if TASKS[task].kind == "value" else (False,)
    return [Pairing(task, loss, activation, normalize=normalize)
            for normalize in options for loss in LOSSES for activation in activations_for(task)]  # fmt: skip


def activations_for(task: str) -> list[str]:
    """Return the output activations that mean something for a task."""
    return [name for name in ACTIVATIONS if name != "sigmoid_inverse" or TASKS[task].kind == "value"]


def extend(
    wanted: Iterable[Pairing],
    seeds: int,
    folder: Path,
    data: str,
    device: str,
    jobs: int | None = None,
    cluster: str | None = None,
) -> None:
    """Train the missing runs of these pairings and add each to the folder as soon as it is there."""
    found = read_entries(folder)
    runs = {key_of(entry): entry for entry in found if is_current(entry, data)}
    if len(runs) < len(found):
        print(f"{len(found) - len(runs)} stored runs of another version or of other data than {data} are left out.")
    store = GrowingFile(runs, lambda entries: write_entries(entries, folder), rounded)
    sweep_entries(wanted, range(seeds), data, *LIMITS, device, jobs, cluster, store=store)


@contextmanager
def alone_in(place: Path) -> Iterator[None]:
    """Refuse to train into a folder or file of results beside another process: each would erase the other's runs."""
    locks = cache_folder() / "locks"
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / "-".join(place.absolute().parts[1:])[-200:]).acquire(timeout=0)
    except Timeout:
        raise UserError(f"Another process is training into {place}; wait until it ends, or stop it.") from None
    except OSError as problem:
        raise UserError(f"{locks} cannot be used ({problem.strerror}); name another folder in LM_CACHE_DIR.") from None
    with lock:
        yield


def is_current(entry: dict, data: str) -> bool:
    """Whether a stored run is of this version of the experiments and of this data set, so that nothing is mixed."""
    return entry.get("version") == EXPERIMENT_VERSION and entry.get("data") == data


def rounded(value: object) -> object:
    """The same data with six significant digits in every number, to keep the files small."""
    return json.loads(json.dumps(value), parse_float=lambda number: float(f"{float(number):.6g}"))


def read_entries(folder: Path) -> list[dict]:
    """All runs of a results folder, in the order of its table."""
    files = sorted((folder / "histories").glob("*.jsonl"))
    return [entry for file in files for entry in read_lines(file)]


def write_entries(entries: Iterable[dict], folder: Path) -> None:
    """Write the table and the histories, sorted, each file whole or not at all."""
    entries = sorted(entries, key=lambda entry: [entry[name] for name in KEY])
    write_whole(folder / "runs.csv", table(entries).to_csv(index=False, lineterminator="\n"))
    for task in {entry["task"] for entry in entries}:
        write_lines(folder / "histories" / f"{task}.jsonl", (entry for entry in entries if entry["task"] == task))
