"""How fast the course trains, beside the plain loop: same images, same network, same epochs, in turn."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import torch

from lm_utils.data import load_data
from lm_utils.experiments.plain_loop import plain_datasets, plain_loop
from lm_utils.experiments.store import Store
from lm_utils.experiments.sweep import sweep, workers
from lm_utils.pairing import Pairing
from lm_utils.training import fit

PAIRING = Pairing("multiclass", loss="cross_entropy", activation="none")
SWEEP_RUNS = 4
Work = Callable[[int], float]  # epochs -> test accuracy (the mean one, of several runs)


def plain(name: str, device: str) -> Work:
    """The plain loop, ready to start."""
    datasets = plain_datasets(name)
    return lambda epochs: plain_loop(*datasets, epochs, device)


def one_fit(name: str, device: str) -> Work:
    """One run of `fit`, ready to start."""
    data = load_data(name)
    return lambda epochs: fit(PAIRING, data, max_epochs=epochs, patience=epochs, device=device).test_metric


def one_sweep(name: str, device: str) -> Work:
    """A sweep of four seeds into an empty store, ready to start; on a CPU with two workers where it has two cores."""

    def run(epochs: int) -> float:
        limits = {"max_epochs": epochs, "patience": epochs, "jobs": min(2, workers(device)), "progress": False}
        with tempfile.TemporaryDirectory() as folder:
            store = Store(folder)
            runs = sweep([PAIRING], range(SWEEP_RUNS), data=name, device=device, store=store, **limits)
        return runs.test_metric.mean()

    return run


@dataclass(frozen=True)
class Contender:
    """Something to be timed: how it is made ready, how many runs it does, on one thread or on all."""

    title: str
    prepare: Callable[[str, str], Work]
    runs: int = 1
    all_threads: bool = False


CONTENDERS = {
    "plain": Contender("plain loop, one thread", plain),
    "plain_all": Contender("plain loop, PyTorch's default threads", plain, all_threads=True),
    "fit": Contender("fit, one thread", one_fit),
    "sweep": Contender("sweep of four runs, two workers", one_sweep, runs=SWEEP_RUNS),
}


@dataclass(frozen=True)
class Ratio:
    """Two contenders compared per run, round by round; `limit` is what the project promises on a CPU."""

    title: str
    above: str
    below: str
    column: str
    limit: float | None = None


RATIOS = (
    Ratio("fit / plain loop, CPU time", "fit", "plain", "cpu_seconds", 0.50),
    Ratio("sweep / plain loop, time per run", "sweep", "plain", "seconds", 0.33),
    Ratio("fit / plain loop, time", "fit", "plain", "seconds"),
    Ratio("fit / plain loop on default threads, time", "fit", "plain_all", "seconds"),
    Ratio("sweep / plain loop on default threads, time per run", "sweep", "plain_all", "seconds"),
)
PEAK_LIMIT = 1500  # MB of a process that sweeps


def measure(contender: str, name: str, epochs: int, device: str) -> dict:
    """Time one contender; meant for a fresh process, whose peak memory is then the contender's own."""
    chosen = CONTENDERS[contender]
    if not chosen.all_threads:
        torch.set_num_threads(1)
    work = chosen.prepare(name, device)
    if device == "cuda":
        work(1)  # the first use of a GPU costs seconds that no later run pays
    wall, cpu = time.perf_counter(), time.process_time()
    accuracy = work(epochs)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    per_run = {"seconds": wall / chosen.runs, "cpu_seconds": cpu / chosen.runs, "peak_mb": peak_mb()}
    threads = torch.get_num_threads() if chosen.all_threads else 1
    return {"contender": contender, "runs": chosen.runs, "threads": threads, **per_run, "accuracy": accuracy}


def peak_mb() -> float:
    """The most memory this process has held."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def rounds_of(
    name: str,
    device: str,
    rounds: int,
    epochs: int,
    say: Callable[[str], None],
    contenders: Sequence[str] = tuple(CONTENDERS),
) -> pd.DataFrame:
    """The contenders in turn, round after round, each in a process of its own; seconds are per run."""
    rows = []
    for number in range(1, rounds + 1):
        for contender in contenders:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                row = pool.submit(measure, contender, name, epochs, device).result()
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
            rows.append({"round": number, **row, "epochs": epochs, "data": name, "device": device, "load": load})
            title = CONTENDERS[contender].title
            say(f"round {number} of {rounds}: {title}: {row['seconds']:.2f} s a run")
    return pd.DataFrame(rows)


def ratios(measured: pd.DataFrame) -> pd.DataFrame:
    """Each ratio's median, least and greatest value over the rounds, its limit and whether it is kept."""
    rows = []
    for ratio in RATIOS:
        times = measured.pivot(index="round", columns="contender", values=ratio.column)
        if ratio.below not in times:
            continue
        values = times[ratio.above] / times[ratio.below]
        limit = ratio.limit if measured.device[0] == "cpu" else None
        spread = {"median": values.median(), "min": values.min(), "max": values.max()}
        rows.append({"ratio": ratio.title, **spread, "limit": limit})
    return pd.DataFrame(rows)


def summary(measured: pd.DataFrame) -> pd.DataFrame:
    """One line per contender: medians per run, with the least and the greatest time."""
    groups = measured.groupby("contender", sort=False)
    table = groups[["threads", "cpu_seconds", "peak_mb", "accuracy"]].median()
    for statistic in ("median", "min", "max"):
        table[f"seconds_{statistic}"] = groups["seconds"].agg(statistic)
    table.index = [CONTENDERS[contender].title for contender in table.index]
    return table


def conditions(measured: pd.DataFrame) -> str:
    """Where, when and with what it was measured, in one line."""
    first = measured.iloc[0]
    device = torch.cuda.get_device_name() if first.device == "cuda" else f"{processor()}, {os.cpu_count()} cores"
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision", "numpy"))
    return (
        f"{first.data} on {device}; Python {platform.python_version()}, {packages}; {date.today().isoformat()};"
        f" {measured['round'].max()} rounds of {first.epochs} epochs; the machine's load was"
        f" {measured.load.min():.1f} to {measured.load.max():.1f}"
    )


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
