"""Many runs: every pairing with every seed, resumable, on this machine's cores, its GPU, or a cluster."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from threading import Event

import pandas as pd
import torch
from tqdm.auto import tqdm

from lm_utils.data import check_request, load_data
from lm_utils.errors import UserError
from lm_utils.pairing import Pairing, check_name
from lm_utils.runs.cluster import train_on_cluster
from lm_utils.runs.store import COLUMNS, GrowingFile, Key, Store, one_run, single_threaded
from lm_utils.threads import cores
from lm_utils.training import NETWORKS, check_numbers, pick_device


def sweep(pairings: Iterable[Pairing], seeds: Iterable[int] = range(3), **options: object) -> pd.DataFrame:
    """Train what is not stored yet and give a table, one line per run; options as in `sweep_entries`."""
    return table(sweep_entries(pairings, seeds, **options))


def table(entries: Iterable[dict]) -> pd.DataFrame:
    """The columns of a table of runs, out of their whole entries."""
    return pd.DataFrame([{name: entry[name] for name in COLUMNS} for entry in entries], columns=list(COLUMNS))


def sweep_entries(
    pairings: Iterable[Pairing],
    seeds: Iterable[int],
    data: str = "auto",
    max_epochs: int = 500,
    patience: int = 10,
    device: str = "auto",
    jobs: int | None = None,
    cluster: str | None = None,
    precision: str = "fp32",
    store: Store | GrowingFile | None = None,
    fresh: bool = False,
    progress: bool = True,
    on_run: Callable[[dict], None] | None = None,
    work: Callable[..., dict] | None = None,
) -> list[dict]:
    """Return one whole entry per pairing and seed: those stored, and the others trained now.

    Each is stored as soon as it is there; `work` stands in for `one_run`.
    """
    store, pairings, seeds, limits = store or Store(), list(pairings), list(seeds), (max_epochs, patience)
    for seed in seeds:
        check_numbers(seed, *limits)
    name, where = resolved(data, device, cluster)
    check_name("precision", precision, NETWORKS)
    if where == "cuda" and precision != "fp32":
        raise UserError(f"Groups of runs on a GPU know fp32 only, not {precision!r}; use device='cpu' or leave it out.")
    keys = list(dict.fromkeys((pairing, seed) for seed in seeds for pairing in pairings))
    place = (name, where, limits, precision)
    found = {} if fresh else store.find(keys, *place)
    missing = [key for key in keys if key not in found]

    def finished(key: Key, entry: dict) -> None:
        store.put(key, entry, *place)
        found[key] = entry
        if on_run is not None:
            on_run(entry)

    work = work or partial(one_run, precision=precision)
    if cluster:
        train_on_cluster(cluster, missing, name, limits, where, finished, progress, work)
    elif where == "cuda":
        from lm_utils.runs.gpu import run_groups

        run_groups(missing, name, limits, where, finished, progress)
    else:
        one = partial(work, data=name, limits=limits, device=where)
        in_parallel(one, missing, jobs or workers(where), finished, progress)
    return [found[key] for key in keys]


def resolved(data: str, device: str, cluster: str | None = None) -> tuple[str, str]:
    """Return the data set and the device that "auto" means, decided once for all runs.

    What a cluster's workers have need not be here; they use their GPUs only when asked to.
    """
    check_request(data, seed=0)
    name = data if cluster and data != "auto" else load_data(data, seed=0).name
    if cluster and device == "cuda":
        return name, device
    return name, pick_device("cpu" if cluster and device == "auto" else device)


def workers(device: str) -> int:
    """One worker per core this process may use; one alone on a GPU."""
    return 1 if device == "cuda" else cores()


def in_parallel(
    work: Callable[[object, Event], dict],
    keys: Sequence[object],
    jobs: int,
    finished: Callable[[object, dict], None],
    progress: bool = True,
) -> None:
    """Do the work for every key in threads; an interrupt stops all of them within a batch and keeps what is done."""
    stop, threads_before = Event(), torch.get_num_threads()
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="run", initializer=single_threaded)
    bar = tqdm(total=len(keys), desc="runs", unit="run", disable=not (progress and keys))
    try:
        futures: dict[Future, object] = {pool.submit(work, key, stop): key for key in keys}
        for future in as_completed(futures):
            finished(futures[future], future.result())
            bar.update()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        bar.close()
        torch.set_num_threads(threads_before)
