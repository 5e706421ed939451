"""What very many runs cost besides training, and the page about it: docs/scale.md is scale_page.md filled with figures.

Pretended runs that only sleep go the whole way of real ones: `sweep_entries`, threads or a Dask cluster, the store on
disk.
"""

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd

from lm_utils.evidence.tables import markdown_table
from lm_utils.files import DOCS
from lm_utils.runs.rows import pairings
from lm_utils.runs.shipped import LIMITS, RESULTS, read_entries, write_entries
from lm_utils.runs.store import Key, Store
from lm_utils.runs.sweep import sweep_entries, workers
from lm_utils.workshop.bench.machine import busy, provenance, say
from lm_utils.workshop.bench.speed import work_of
from lm_utils.workshop.bench.speed_page import FOLDER

JOBS = 10_000
SECONDS = 0.01  # how long a pretended run sleeps
PAIRINGS = 50
CROWD = 32  # sleepers need no core, so more of them than cores show how many workers one caller can serve
REWRITTEN = (1_000, 10_000)  # runs in a results folder that is written anew
PAGE = DOCS / "scale.md"
MILLION = 1_000_000
CORES = (2, 64, 1_000, 10_000)
GPUS = (1, 8, 64)
DAY = 24 * 3600
WAYS = {"threads": "threads", "cluster": "a Dask cluster on this machine"}
UNMEASURED = "\n\nNo GPU has been measured yet: `make bench DEVICE=cuda` adds its line."
ON_GPUS = (
    "\n- **The caller**, where there are GPUs: one ends a run every {seconds:.2f} s, so one caller serves about"
    " {served:,.0f}."
)

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
            rows.append({**row, "load": busy(), **provenance("cpu")})
            say(f"{way}, {at_once} at once: {row['seconds']:.1f} s, {row['overhead_ms']:.2f} ms more than the sleep")
    for runs in REWRITTEN:
        rows.append({**rewritten(min(runs, jobs)), "load": busy(), **provenance("cpu")})
        say(f"results folder of {rows[-1]['jobs']} runs written anew: {rows[-1]['seconds']:.2f} s")
    return pd.DataFrame(rows)


def pretended_sweep(way: str, at_once: int, jobs: int) -> dict:
    """One sweep into an empty store; `overhead_ms` is how much longer a run took than its share of the sleep."""
    work = partial(pretend, entry=typical_entry(), seconds=SECONDS)
    chosen, seeds = pairings()[:PAIRINGS], range(jobs // PAIRINGS)
    with tempfile.TemporaryDirectory() as folder, local_cluster(at_once if way == "cluster" else 0) as address:
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
def local_cluster(at_once: int) -> Iterator[str | None]:
    """A Dask cluster on this machine, one process per core with the threads shared out; none for no workers."""
    if not at_once:
        yield None
        return
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
    sleeping = jobs[jobs.way.isin(WAYS)]
    crowd = jobs[jobs.way == "cluster"].sort_values("workers").iloc[-1]
    rewritten = jobs[jobs.way == "results folder"].sort_values("jobs").iloc[-1]
    each, gpu = crowd.overhead_ms / 1000, run.gpu_seconds > 0
    figures = {
        "least": jobs.load.min(),
        "most": jobs.load.max(),
        "kilobytes": run.bytes_per_run / 1000,
        "core_hours": MILLION * run.core_seconds / 3600,
        "gigabytes": MILLION * run.bytes_per_run / 1e9,
        "machines": machines(run),
        "unmeasured": "" if gpu else UNMEASURED,
        "milliseconds": sleeping.iloc[0].job_seconds * 1000,
        "overhead": overhead(sleeping),
        "served_cores": run.core_seconds / each,
        "overhead_hours": MILLION * each / 3600,
        "on_gpus": ON_GPUS.format(seconds=run.gpu_seconds, served=run.gpu_seconds / each) if gpu else "",
        "file_kilobytes": crowd.bytes_per_run / 1000,
        "files_gigabytes": MILLION * crowd.bytes_per_run / 1e9,
        "followed": run.core_seconds / rewritten.seconds,
        "followed_by_a_million": run.core_seconds / (rewritten.seconds / rewritten.jobs) / MILLION,
    }
    frame = Path(__file__).with_name("scale_page.md").read_text(encoding="utf-8")
    return frame.format(run=run, jobs=jobs, first=sleeping.iloc[0], crowd=crowd, folder=rewritten, **figures)


def machines(run: pd.Series) -> str:
    """Return how long a million runs take on so many cores, and on GPUs where one was measured."""
    rows = [(f"{cores:,} such cores", span(MILLION * run.core_seconds / cores)) for cores in CORES]
    if run.gpu_seconds > 0:
        rows += [(f"{gpus} × {run.gpu}", span(MILLION * run.gpu_seconds / gpus)) for gpus in GPUS]
    return markdown_table(("machine", "time"), rows)


def span(seconds: float) -> str:
    """Put a long time into words."""
    return f"{seconds / DAY:,.1f} days" if seconds >= DAY else f"{seconds / 3600:.1f} hours"


def overhead(sleeping: pd.DataFrame) -> str:
    """Return the sweeps of pretended runs, row by row."""
    heads = ("handed to", "at once", "time in s", "without overhead", "overhead per run", "CPU time of the caller")
    rows = [
        (WAYS[row.way], row.workers, f"{row.seconds:.1f}", f"{row.jobs * row.job_seconds / row.workers:.1f}",
         f"{row.overhead_ms:.2f} ms", f"{1000 * row.caller_cpu_seconds / row.jobs:.2f} ms")
        for row in sleeping.itertuples()
    ]  # fmt: skip
    return markdown_table(heads, rows)
