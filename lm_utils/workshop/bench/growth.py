"""How the time grows: with training images, with runs and with workers."""

from statistics import linear_regression

import pandas as pd

from lm_utils.data import SIZES
from lm_utils.runs.sweep import workers
from lm_utils.workshop.bench.speed import CONTENDERS, apart, here

IMAGES = (500, 1_000, 2_000, 5_000, 10_000, 20_000)
RUNS = (1, 2, 4, 8, 16, 32, 64)
RUNS_FOR_WORKERS = 8
EPOCHS = 1
CURVES = {"images": "training images", "runs": "runs in a sweep", "workers": "workers of a sweep"}


def growth_of(name: str, device: str, quick: bool = False) -> pd.DataFrame:
    """Every curve, each point measured once, the smallest first; seconds are per run."""
    rows = []
    for curve, contender, points in plan(name, device, 2 if quick else RUNS_FOR_WORKERS):
        points = dict(list(points.items())[: 2 if quick else None])
        measured = apart([(contender, options) for options in points.values()], name, EPOCHS, device)
        rows += [{"curve": curve, "x": x, **row} for x, row in zip(points, measured, strict=True)]
        told = ", ".join(f"{x}: {row['seconds'] * row['runs']:.1f} s" for x, row in zip(points, measured, strict=True))
        print(f"{CURVES[curve]}, {CONTENDERS[contender].title}: {told}", flush=True)
    return pd.DataFrame(rows)


def plan(name: str, device: str, runs: int) -> list[tuple[str, str, dict[int, dict]]]:
    """Which contender is measured at which points of which curve, and with which options there."""
    sizes = IMAGES if name == "mnist" else [SIZES[name][0] // part for part in (4, 2, 1)]
    alone = [one for one in here(device) if CONTENDERS[one].runs == 1 and one != "plain_all"]
    cores = workers(device)
    counts = sorted({*(2**power for power in range(8) if 2**power < cores), cores}) if device == "cpu" else []
    curves = [("images", one, {size: {"train_images": size} for size in sizes}) for one in alone]
    curves.append(("runs", "sweep", {count: {"runs": count, "jobs": cores} for count in RUNS}))
    curves.append(("workers", "sweep", {count: {"runs": runs, "jobs": count} for count in counts}))
    return [curve for curve in curves if curve[2]]


def per_thousand_images(measured: pd.DataFrame) -> dict[str, float]:
    """CPU time that another thousand training images cost in one epoch: the slope of a straight line."""
    images = measured[measured.curve == "images"]
    return {contender: 1000 * linear_regression(points.x, points.cpu_seconds).slope
            for contender, points in images.groupby("contender", sort=False)}  # fmt: skip
