"""What very many runs cost besides training, and the page about it, docs/scale.md (templates/scale.md).

Pretended runs that only sleep go the whole way of real ones: `sweep_entries`, threads or a Dask cluster, the store on
disk.
"""

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd

from lm_utils.files import DOCS
from lm_utils.runs.rows import pairings
from lm_utils.runs.shipped import LIMITS, RESULTS, read_entries, write_entries
from lm_utils.runs.store import Key, Store
from lm_utils.runs.sweep import sweep_entries, workers
from lm_utils.workshop.bench.machine import provenance
from lm_utils.workshop.bench.speed import work_of
from lm_utils.workshop.bench.speed_page import FOLDER
from lm_utils.workshop.templates import filled

JOBS = 10_000
SECONDS = 0.01  # how long a pretended run sleeps
PAIRINGS = 50
CROWD = 32  # sleepers need no core, so more of them than cores show how many workers one caller can serve
REWRITTEN = (1_000, 10_000)  # runs in a results folder that is written anew
PAGE = DOCS / "scale.md"
DAY = 24 * 3600

# --- measured ---


def pretend(key: Key, stop: object = None, *, entry: dict, seconds: float, **_where: object) -> dict:
    """What stands in for `one_run`: sleep, and give a real run's entry under this run's name."""
    time.sleep(seconds)
    return {**entry, **asdict(key[0]), "seed": key[1]}


def jobs_of(jobs: int = JOBS) -> pd.DataFrame:
    """Sweeps of pretended runs, in threads and on a local cluster, with a worker per core and with a crowd."""
    rows = []
    for way in ("threads", "cluster"):
        for at_once in sorted({workers("cpu"), CROWD}):
            row = pretended_sweep(way, at_once, jobs)
            rows.append({**row, **provenance("cpu")})
            told = f"{row['seconds']:.1f} s, {row['overhead_ms']:.2f} ms more than the sleep"
            print(f"{way}, {at_once} at once: {told}", flush=True)
    for runs in REWRITTEN:
        rows.append({**rewritten(min(runs, jobs)), **provenance("cpu")})
        print(f"results folder of {rows[-1]['jobs']} runs written anew: {rows[-1]['seconds']:.2f} s", flush=True)
    return pd.DataFrame(rows)


def pretended_sweep(way: str, at_once: int, jobs: int) -> dict:
    """One sweep into an empty store; `overhead_ms` is how much longer a run took than its share of the sleep."""
    work = partial(pretend, entry=typical_entry(), seconds=SECONDS)
    chosen, seeds = pairings()[:PAIRINGS], range(jobs // PAIRINGS)
    cluster = local_cluster(at_once) if way == "cluster" else nullcontext()
    with tempfile.TemporaryDirectory() as folder, cluster as address:
        where = {"device": "cpu", "jobs": at_once, "cluster": address, "progress": False, "work": work}
        sweep_entries(chosen, [len(seeds)], "digits", *LIMITS, store=Store(f"{folder}/warm"), **where)
        wall, cpu = time.perf_counter(), time.process_time()
        found = sweep_entries(chosen, seeds, "digits", *LIMITS, store=Store(f"{folder}/runs"), **where)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(path.stat().st_size for path in Path(folder, "runs").rglob("*.json"))
    told = {"way": way, "workers": at_once, "jobs": len(found), "job_seconds": SECONDS, "seconds": wall}
    overhead = 1000 * (wall / len(found) - SECONDS / at_once)
    return {**told, "caller_cpu_seconds": cpu, "overhead_ms": overhead, "bytes_per_run": size / len(found)}


@contextmanager
def local_cluster(at_once: int) -> Iterator[str]:
    """A Dask cluster on this machine, one process per core with the threads shared out."""
    from distributed import LocalCluster

    processes = min(at_once, workers("cpu"))
    threads = -(-at_once // processes)
    quiet = {"dashboard_address": None, "silence_logs": logging.ERROR}
    with LocalCluster(processes, threads_per_worker=threads, host="127.0.0.1", **quiet) as cluster:
        yield cluster.scheduler_address


def rewritten(runs: int) -> dict:
    """What `make results` does after each run, for a folder that holds so many."""
    entry = typical_entry()
    entries = [{**entry, "seed": seed} for seed in range(runs)]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        write_entries(entries, Path(folder))
        seconds = time.perf_counter() - started
    return {"way": "results folder", "workers": 1, "jobs": runs, "seconds": seconds}


def typical_entry() -> dict:
    """A shipped run whose entry is of middling size."""
    entries = sorted(read_entries(RESULTS / "mnist"), key=lambda entry: len(entry["history"]))
    return entries[len(entries) // 2]


def a_run(on_cpu: pd.DataFrame, on_gpu: pd.DataFrame | None = None) -> pd.DataFrame:
    """What a run of the reference results is, in one row: epochs, arithmetic, core time, GPU time, bytes, machine.

    Its time is its arithmetic at the speed of the benchmark; a run's own `seconds` depend on what else the machine did.
    """
    folder = RESULTS / "mnist"
    runs = pd.read_csv(folder / "runs.csv")
    size = sum(path.stat().st_size for path in [folder / "runs.csv", *(folder / "histories").glob("*.jsonl")])
    epochs = runs.epochs.mean()
    gflop = epochs * (work_of("mnist", 1) - work_of("mnist", 0)) + work_of("mnist", 0)
    row = {"runs": len(runs), "epochs": epochs, "gflop": gflop, "bytes_per_run": size / len(runs)}
    fits = on_cpu[on_cpu.contender == "fit"]
    row |= {"core_seconds": gflop * (fits.cpu_seconds / fits.gflop).median(), "machine": fits.machine.iloc[0]}
    if on_gpu is not None:
        groups = on_gpu[on_gpu.contender == "group"]
        row |= {"gpu_seconds": gflop * (groups.seconds / groups.gflop).median(), "gpu": groups.machine.iloc[0]}
    return pd.DataFrame([{"gpu_seconds": float("nan"), "gpu": "", **row}])


# --- the page ---


def page(folder: Path = FOLDER) -> str:
    """Write the page from what was measured."""
    jobs, run = pd.read_csv(folder / "scale-jobs.csv"), pd.read_csv(folder / "scale-run.csv").iloc[0]
    crowd = jobs[jobs.way == "cluster"].sort_values("workers").iloc[-1]
    rewritten = jobs[jobs.way == "results folder"].sort_values("jobs").iloc[-1]
    sleeping = jobs[jobs.way != "results folder"]
    return filled("scale.md", run=run, jobs=jobs, sleeping=sleeping, crowd=crowd, rewritten=rewritten, span=span)


def span(seconds: float) -> str:
    """Put a long time into words."""
    return f"{seconds / DAY:,.1f} days" if seconds >= DAY else f"{seconds / 3600:.1f} hours"
