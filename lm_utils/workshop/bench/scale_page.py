"""docs/scale.md: what a very large sweep would cost, and where it would get stuck, out of results/bench/scale-*.csv."""

from pathlib import Path

import pandas as pd

from lm_utils.evidence.tables import markdown_table
from lm_utils.files import DOCS
from lm_utils.workshop.bench.speed_page import FOLDER

PAGE = DOCS / "scale.md"
MILLION = 1_000_000
CORES = (2, 64, 1_000, 10_000)
GPUS = (1, 8, 64)
DAY = 24 * 3600
WAYS = {"threads": "threads", "cluster": "a Dask cluster on this machine"}


def page(folder: Path = FOLDER) -> str:
    """Write the page from what was measured."""
    jobs, run = pd.read_csv(folder / "scale-jobs.csv"), pd.read_csv(folder / "scale-run.csv").iloc[0]
    return "\n\n".join([
        "# A million runs",
        "What a sweep of 10^6 runs would cost and where it would get stuck: arithmetic on measured figures, checked"
        " with runs that only sleep. `python -m lm_utils bench --parts=scale` measures and writes this page; no figure"
        f" is typed by hand. Measured on {run.machine}, {jobs.date[0]}; the machine's load was {jobs.load.min():.1f} to"
        f" {jobs.load.max():.1f}.",
        "## One run", one_run(run), "## A million of them", costs(run),
        "## What a run costs besides its training", overhead(jobs),
        "## Where it gets stuck", bottlenecks(jobs, run),
    ]) + "\n"  # fmt: skip


def one_run(run: pd.Series) -> str:
    """Say what a run is on average."""
    return (
        f"The {run.runs:.0f} shipped MNIST runs took {run.epochs:.1f} epochs on average until they stopped, which is"
        f" {run.gflop:,.0f} GFLOP a run. At the speed that `fit` reaches in the benchmark"
        f" ([results/bench](../results/bench/mnist-cpu.md)) that is {run.core_seconds:.0f} seconds of one core. In"
        f" `results/` a run takes {run.bytes_per_run / 1000:.1f} kB, its history included."
    )


def costs(run: pd.Series) -> str:
    """Write the bill, in core hours, days and gigabytes."""
    hours = MILLION * run.core_seconds / 3600
    rows = [(f"{cores:,} such cores", span(MILLION * run.core_seconds / cores)) for cores in CORES]
    if run.gpu_seconds > 0:
        rows += [(f"{gpus} × {run.gpu}", span(MILLION * run.gpu_seconds / gpus)) for gpus in GPUS]
    parts = [f"{hours:,.0f} core hours, {MILLION * run.bytes_per_run / 1e9:.1f} GB of results."]
    parts.append(markdown_table(("machine", "time"), rows))
    if not run.gpu_seconds > 0:
        parts.append("No GPU has been measured yet: `make bench DEVICE=cuda` adds its line.")
    return "\n\n".join(parts)


def span(seconds: float) -> str:
    """Put a long time into words."""
    return f"{seconds / DAY:,.1f} days" if seconds >= DAY else f"{seconds / 3600:.1f} hours"


def overhead(jobs: pd.DataFrame) -> str:
    """Show the simulation, row by row."""
    sleeping = jobs[jobs.way.isin(WAYS)]
    first = sleeping.iloc[0]
    text = (
        f"{first.jobs:,.0f} pretended runs, which sleep for {first.job_seconds * 1000:.0f} ms and then give the entry"
        " of a real run, went the way of real ones: keys, workers, the way back, one file each in the store. Sleepers"
        " need no core, so that a crowd of them shows how many workers one caller can serve."
    )
    heads = ("handed to", "at once", "time in s", "without overhead", "overhead per run", "CPU time of the caller")
    rows = []
    for row in sleeping.itertuples():
        ideal = row.jobs * row.job_seconds / row.workers
        caller = 1000 * row.caller_cpu_seconds / row.jobs
        cells = (f"{row.seconds:.1f}", f"{ideal:.1f}", f"{row.overhead_ms:.2f} ms", f"{caller:.2f} ms")
        rows.append((WAYS[row.way], row.workers, *cells))
    note = "The caller's CPU time on the cluster holds the scheduler's, which ran in the same process."
    return f"{text}\n\n{markdown_table(heads, rows)}\n\n{note}"


def bottlenecks(jobs: pd.DataFrame, run: pd.Series) -> str:
    """Say which part gives way first, and what to do about it."""
    crowd = jobs[(jobs.way == "cluster")].sort_values("workers").iloc[-1]
    each = crowd.overhead_ms / 1000
    stored = MILLION * crowd.bytes_per_run / 1e9
    folder = jobs[jobs.way == "results folder"].sort_values("jobs")
    large = folder.iloc[-1]
    per_run = large.seconds / large.jobs
    busy = run.core_seconds / per_run
    lines = [
        f"- **Training**, as long as there are fewer than about {run.core_seconds / each:,.0f} cores: so many runs of"
        f" {run.core_seconds:.0f} s end while one caller and one scheduler see each of them through at"
        f" {crowd.overhead_ms:.2f} ms. Beyond that, start several sweeps, each with its own share of the seeds and its"
        f" own scheduler; for the million itself the overhead adds up to {MILLION * each / 3600:.1f} hours.",
        f"- **The store**, one file of {crowd.bytes_per_run / 1000:.1f} kB per run: {stored:.1f} GB in a million files,"
        " which a file system takes when it has a million inodes to spare, and which is slow to list or to copy.",
        f"- **`make results`** long before: it writes its tables anew after every run, {large.seconds:.2f} s with"
        f" {large.jobs:,.0f} runs in them and growing with their number. It is meant for hundreds of runs; with"
        f" {large.jobs:,.0f} it can follow {run.core_seconds / large.seconds:,.0f} cores, with a million only"
        f" {busy / MILLION:.1f}. Use `sweep` for more, which writes each run once.",
    ]  # fmt: skip
    if run.gpu_seconds > 0:
        served = (
            f"one ends a run every {run.gpu_seconds:.2f} s, so one caller serves about {run.gpu_seconds / each:,.0f}."
        )
        lines.insert(1, f"- **The caller**, where there are GPUs: {served}")
    return "\n".join(lines)
