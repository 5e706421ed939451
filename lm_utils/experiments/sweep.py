"""Many runs: every pairing with every seed, one single-threaded worker per core, resumable."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import lru_cache
from threading import Event

import pandas as pd
import torch
from tqdm.auto import tqdm

from lm_utils.data import Splits, load_data
from lm_utils.experiments.outputs import summarise
from lm_utils.experiments.store import COLUMNS, Store, entry_of
from lm_utils.pairing import Pairing
from lm_utils.training import Stopped, check_numbers, fit, pick_device


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
    store: Store | None = None,
    fresh: bool = False,
    progress: bool = True,
    on_run: Callable[[dict], None] | None = None,
) -> list[dict]:
    """One whole entry per pairing and seed (the number seeds split, weights and order alike), history included."""
    store, pairings, seeds = store or Store(), list(pairings), list(seeds)
    for seed in seeds:
        check_numbers(seed, max_epochs, patience)
    name = load_data(data, seed=0).name  # decides once, for all runs, what "auto" is
    keys = list(dict.fromkeys((pairing, seed) for seed in seeds for pairing in pairings))
    paths = {key: store.path(*key, name, pick_device(device, key[0]).type, (max_epochs, patience)) for key in keys}
    found = {} if fresh else {key: entry for key in keys if (entry := store.get(paths[key]))}
    missing = [key for key in keys if key not in found]

    def train(key: tuple[Pairing, int], stop: Event) -> dict:
        splits = splits_of(name, key[1])
        run = fit(key[0], splits, key[1], max_epochs, patience, device, stop=stop)
        if run.status == "stopped":
            raise Stopped
        entry = entry_of(run, summarise(run, splits))
        store.put(paths[key], entry)
        return entry

    def finished(key: tuple[Pairing, int], entry: dict) -> None:
        found[key] = entry
        if on_run is not None:
            on_run(entry)

    in_parallel(train, missing, jobs or workers(device), finished, progress)
    return [found[key] for key in keys]


@lru_cache(maxsize=4)
def splits_of(name: str, seed: int) -> Splits:
    """The splits of a seed, kept while its runs are trained."""
    return load_data(name, seed=seed)


def workers(device: str = "auto") -> int:
    """One worker per core this process may use; one alone on a GPU."""
    if pick_device(device).type == "cuda":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def single_threaded() -> None:
    """One intra-op thread for this worker, and numbers too small to matter become 0 instead of slow."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
