"""How the time grows: with training images, with runs and with workers."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import linear_regression

import pandas as pd

from lm_utils.data import SIZES
from lm_utils.runs.sweep import workers
from lm_utils.workshop.bench.machine import busy, provenance, say
from lm_utils.workshop.bench.speed import CONTENDERS, here, measure, work_of

IMAGES = (500, 1_000, 2_000, 5_000, 10_000, 20_000)
RUNS = (1, 2, 4, 8, 16, 32, 64)
RUNS_FOR_WORKERS = 8
EPOCHS = 1
CURVES = {"images": "training images", "runs": "runs in a sweep", "workers": "workers of a sweep"}


def growth_of(name: str, device: str, quick: bool = False) -> pd.DataFrame:
    """Every curve, each point measured once; seconds are per run."""
    rows = []
    for curve, contender, points in plan(name, device):
        points = points[:2] if quick else points
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            runs = 2 if quick else RUNS_FOR_WORKERS
            measured = pool.submit(measure_points, curve, contender, points, name, device, runs).result()
        told = {"data": name, "device": device, "load": busy(), **provenance(device)}
        rows += [{"curve": curve, **row, **told} for row in measured]
        points = ", ".join(f"{row['x']}: {row['seconds'] * row['runs']:.1f} s" for row in measured)
        say(f"{CURVES[curve]}, {CONTENDERS[contender].title}: {points}")
    return pd.DataFrame(rows)


def plan(name: str, device: str) -> list[tuple[str, str, Sequence[int]]]:
    """Which contender is measured at which points of which curve."""
    sizes = IMAGES if name == "mnist" else [SIZES[name][0] // part for part in (4, 2, 1)]
    curves = [("images", one, sizes) for one in here(device) if CONTENDERS[one].runs == 1 and one != "plain_all"]
    cores = workers(device)
    counts = sorted({*(2**power for power in range(8) if 2**power < cores), cores})
    return [*curves, ("runs", "sweep", RUNS)] + ([("workers", "sweep", counts)] if device == "cpu" else [])


def measure_points(
    curve: str, contender: str, points: Sequence[int], name: str, device: str, runs_for_workers: int
) -> list[dict]:
    """The points of one curve, the smallest first; meant for a fresh process."""
    rows = []
    for x in points:
        options = {
            "images": {"train_images": x},
            "runs": {"runs": x, "jobs": workers(device)},
            "workers": {"runs": runs_for_workers, "jobs": x},
        }[curve]
        row = measure(contender, name, EPOCHS, device, **options)
        gflop = work_of(name, EPOCHS, options.get("train_images"))
        rows.append({"x": x, **row, "epochs": EPOCHS, "gflop": gflop})
    return rows


def per_thousand_images(measured: pd.DataFrame) -> dict[str, float]:
    """CPU time that another thousand training images cost in one epoch: the slope of a straight line."""
    images = measured[measured.curve == "images"]
    return {contender: 1000 * linear_regression(points.x, points.cpu_seconds).slope
            for contender, points in images.groupby("contender", sort=False)}  # fmt: skip
