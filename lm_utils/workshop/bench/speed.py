"""How fast the course trains, beside the plain loop and its peers: same images, same network, same epochs, in turn."""

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from lm_utils.data import SIZES, load_data
from lm_utils.model import CNN
from lm_utils.pairing import Pairing
from lm_utils.runs.store import Store
from lm_utils.runs.sweep import sweep, workers
from lm_utils.training import BATCH, UNCAPPED_THREADS, fit
from lm_utils.workshop.bench import competitors
from lm_utils.workshop.bench.competitors import PEERS, missing, plain_datasets, plain_loop, splits_with
from lm_utils.workshop.bench.machine import matrix_speed, peak_mb, provenance

PAIRING = Pairing("multiclass", loss="cross_entropy", activation="none")
SWEEP_RUNS = 4
GROUP_RUNS = 64
Work = Callable[[int], float]  # epochs -> test accuracy (the mean one, of several runs)


def plain(name: str, device: str, train_images: int | None = None) -> Work:
    """The plain loop, ready to start."""
    datasets = plain_datasets(name, train_images)
    return lambda epochs: plain_loop(*datasets, epochs, device)


def one_fit(name: str, device: str, train_images: int | None = None, precision: str = "fp32") -> Work:
    """One run of `fit`, ready to start; "bf16" has its convolutions in bfloat16."""
    data, where = splits_with(name, train_images), {"device": device, "precision": precision}
    return lambda epochs: fit(PAIRING, data, max_epochs=epochs, patience=epochs, **where).test_metric


def one_sweep(name: str, device: str, runs: int = SWEEP_RUNS, jobs: int | None = None) -> Work:
    """A sweep of some seeds into an empty store, ready to start; on a CPU with two workers where it has two cores."""

    def run(epochs: int) -> float:
        limits = {"max_epochs": epochs, "patience": epochs, "progress": False}
        with tempfile.TemporaryDirectory() as folder:
            store, at_once = Store(folder), jobs or min(2, workers(device))
            entries = sweep([PAIRING], range(runs), data=name, device=device, store=store, jobs=at_once, **limits)
        return entries.test_metric.mean()

    return run


def one_group(name: str, device: str) -> Work:
    """Return GROUP_RUNS runs of one pairing as one program on a GPU, ready to be timed."""
    from lm_utils.runs.gpu import in_groups

    splits = [load_data(name, seed) for seed in range(4)]  # their images serve all seeds in turn
    keys = [(PAIRING, seed) for seed in range(GROUP_RUNS)]

    def run(epochs: int) -> float:
        scores = []
        in_groups(keys, lambda seed: splits[seed % 4], (epochs, epochs), torch.device(device),
                  lambda key, entry: scores.append(entry["test_metric"]))  # fmt: skip
        return sum(scores) / len(scores)

    return run


@dataclass(frozen=True)
class Contender:
    """Something to be timed: how it is made ready, how many runs it does, on one thread or on all, and where."""

    title: str
    short: str  # its name in a picture
    prepare: Callable[..., Work]
    runs: int = 1
    all_threads: bool = False
    devices: tuple[str, ...] = ("cpu", "cuda")
    package: str = ""  # what must be installed for it


CONTENDERS = {
    "plain": Contender("plain loop, one thread", "plain loop", plain),
    "plain_all": Contender("plain loop, PyTorch's default threads", "plain loop, default threads", plain,
                           all_threads=True),
    **{name: Contender(f"{title}, one thread", title, getattr(competitors, name), package=name)
       for name, title in PEERS.items()},
    "fit": Contender("fit, one thread", "fit", one_fit),
    "fit_bf16": Contender("fit in bf16, one thread", "fit in bf16", partial(one_fit, precision="bf16")),
    "sweep": Contender("sweep of four runs, two workers", "sweep, two at once", one_sweep,
                       runs=SWEEP_RUNS, devices=("cpu",)),
    "group": Contender(f"{GROUP_RUNS} runs as one group", f"{GROUP_RUNS} runs as a group", one_group,
                       runs=GROUP_RUNS, devices=("cuda",)),
}  # fmt: skip
RATIOS = pd.read_csv(Path(__file__).with_name("ratios.csv"))  # `limit` is what the project promises on a CPU
PEAK_LIMIT = 1500  # MB of a process that sweeps


def here(device: str) -> list[str]:
    """The contenders that can run on this device with what is installed."""
    absent = missing()
    return [name for name, one in CONTENDERS.items() if device in one.devices and one.package not in absent]


def measure(contender: str, name: str, epochs: int, device: str, **options: object) -> dict:
    """Time one contender; meant for a fresh process, whose peak memory is then the contender's own."""
    chosen = CONTENDERS[contender]
    torch.set_num_threads(1)
    speed = matrix_speed(device)
    threads = UNCAPPED_THREADS if chosen.all_threads else 1
    torch.set_num_threads(threads)
    work, runs = chosen.prepare(name, device, **options), options.get("runs", chosen.runs)
    if device == "cuda":
        work(1)  # the first use of a GPU costs seconds that no later run pays
    wall, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(0)  # who asks PyTorch for numbers gets the same ones
    accuracy = work(epochs)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    per_run = {"seconds": wall / runs, "cpu_seconds": cpu / runs, "peak_mb": peak_mb(), "matrix_gflops": speed}
    return {"contender": contender, "runs": runs, "threads": threads, **per_run, "accuracy": accuracy}


def work_of(name: str, epochs: int, train_images: int | None = None) -> float:
    """The GFLOP of one run, counted from the layers: training, a look at the valid set per epoch, one test."""
    train, valid, test = SIZES[name]
    model, images = CNN(10), torch.zeros(BATCH, 1, 28, 28)
    with FlopCounterMode(display=False) as both:
        model(images).sum().backward()
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        model(images)
    step, look = (counter.get_total_flops() / BATCH / 1e9 for counter in (both, forward))
    return epochs * ((train_images or train) * step + valid * look) + test * look


def apart(points: Sequence[tuple[str, dict]], name: str, epochs: int, device: str) -> list[dict]:
    """Measure contenders with their options, one after the other in a fresh process, and how busy the machine was."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        rows = [pool.submit(measure, one, name, epochs, device, **options).result() for one, options in points]
    told = {"epochs": epochs, "data": name, "device": device, **provenance(device)}
    gflop = (work_of(name, epochs, options.get("train_images")) for _, options in points)
    return [{**row, **told, "gflop": work} for row, work in zip(rows, gflop, strict=True)]


def rounds_of(name: str, device: str, rounds: int, epochs: int) -> pd.DataFrame:
    """All contenders in turn, round after round; seconds are per run."""
    rows = []
    for number in range(1, rounds + 1):
        for contender in here(device):
            [row] = apart([(contender, {})], name, epochs, device)
            rows.append({"round": number, **row})
            told = f"{CONTENDERS[contender].title}: {row['seconds']:.2f} s a run"
            print(f"round {number} of {rounds}: {told}", flush=True)
    return pd.DataFrame(rows)


def ratios(measured: pd.DataFrame) -> pd.DataFrame:
    """Each ratio's median, least and greatest value over the rounds, its limit and whether it is kept."""
    rows = []
    for ratio in RATIOS.itertuples():
        times = measured.pivot(index="round", columns="contender", values=ratio.column)
        if {ratio.above, ratio.below} <= set(times):
            spread = (times[ratio.above] / times[ratio.below]).agg(["median", "min", "max"])
            limit = ratio.limit if measured.device[0] == "cpu" else float("nan")
            rows.append({"ratio": ratio.title, **spread, "limit": limit})
    return pd.DataFrame(rows)


def summary(measured: pd.DataFrame) -> pd.DataFrame:
    """One line per contender: medians per run, with the least and the greatest time.

    Its share of the matrix product's speed is that of each core it kept busy, or of the whole GPU.
    """
    seconds = measured.seconds.where(measured.device == "cuda", measured.cpu_seconds)
    share = measured.gflop / (seconds * measured.matrix_gflops)
    groups = measured.assign(share=share).groupby("contender", sort=False)
    table = groups[["threads", "cpu_seconds", "peak_mb", "accuracy", "share"]].median()
    table = table.join(groups.seconds.agg(["median", "min", "max"]).add_prefix("seconds_"))
    table.index = [CONTENDERS[contender].title for contender in table.index]
    return table


def conditions(measured: pd.DataFrame) -> str:
    """Where, when and with what it was measured, in one line."""
    first = measured.iloc[0]
    load = f"{measured.load.min():.1f} to {measured.load.max():.1f}"
    return f"{first.data} on {first.machine}; {first.versions}; {first.date}; the machine's load was {load}"
