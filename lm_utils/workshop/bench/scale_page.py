"""docs/scale.md, what a very large sweep would cost and where it would get stuck: scale_page.md filled with figures."""

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
UNMEASURED = "\n\nNo GPU has been measured yet: `make bench DEVICE=cuda` adds its line."
ON_GPUS = (
    "\n- **The caller**, where there are GPUs: one ends a run every {seconds:.2f} s, so one caller serves about"
    " {served:,.0f}."
)


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
    frame = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
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
