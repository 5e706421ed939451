"""`make bench`: measure, print, and write tables and reports into results/bench/."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from lm_utils.data import load_data
from lm_utils.errors import UserError
from lm_utils.files import BUILD, RESULTS
from lm_utils.training import pick_device
from lm_utils.workshop.bench import bf16, competitors, growth, scale, speed, speed_page

BUILD = BUILD / "bench"
PARTS = ("speed", "growth")


def main(
    data: str = "auto",
    device: str = "auto",
    quick: bool = False,
    parts: Iterable[str] = PARTS,
    folder: Path | None = None,
) -> int:
    """Measure and report; 1 where a promised figure is missed. A quick round only shows that it works."""
    unknown = sorted(set(parts) - set(MEASURED))
    if unknown:
        raise UserError(f"Unknown part {unknown[0]!r}; choose from {', '.join(MEASURED)}.")
    folder = folder or (BUILD if quick else speed_page.FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    splits, device = load_data(data), pick_device(device)
    print(splits.source, flush=True)
    late = [MEASURED[part](splits.name, device, quick, folder) for part in parts]
    print(f"Written into {folder}")
    return int(any(late))


def measure_speed(name: str, device: str, quick: bool, folder: Path) -> bool:
    """Time everybody in turn, round after round; say whether a promised figure was missed."""
    rounds, epochs = (1, 1) if quick else (5, 4)
    if absent := competitors.missing():
        told = f"Not measured, because not installed: {', '.join(absent)}"
        print(f"{told}; `{competitors.HOW}` installs them.", flush=True)
    measured = speed.rounds_of(name, device, rounds, epochs)
    write(folder, f"{name}-{device}", speed_page.report(measured), measured)
    return not quick and bool(speed_page.missed(measured))


def measure_growth(name: str, device: str, quick: bool, folder: Path) -> None:
    """Measure how the time grows with images, runs and workers."""
    grown = growth.growth_of(name, device, quick)
    write(folder, f"growth-{name}-{device}", speed_page.growth_report(grown), grown)


def measure_scale(name: str, device: str, quick: bool, folder: Path) -> None:
    """Measure what very many runs cost besides training; the page about it is written where the figures are shipped."""
    scale.jobs_of(200 if quick else scale.JOBS).round(4).to_csv(folder / "scale-jobs.csv", index=False)
    on_cpu, on_gpu = (table_of(f"mnist-{kind}") for kind in ("cpu", "cuda"))
    scale.a_run(on_cpu, on_gpu).round(4).to_csv(folder / "scale-run.csv", index=False)
    write(scale.PAGE.parent if folder == speed_page.FOLDER else folder, "scale", scale.page(folder))


def measure_bf16(name: str, device: str, quick: bool, folder: Path) -> None:
    """Measure what bfloat16 does to each task's metric, beside the shipped runs."""
    less = {"seeds": 1, "data": "digits", "limits": (1, 1)} if quick else {}
    bf16.train(folder / "bf16.csv", **less)
    rows = bf16.paired(pd.read_csv(folder / "bf16.csv"), pd.read_csv(RESULTS / "mnist" / "runs.csv"))
    write(folder, "bf16", bf16.report(rows, table_of("mnist-cpu")))


def table_of(name: str) -> pd.DataFrame | None:
    """Return what was measured before; None where it was not."""
    path = speed_page.FOLDER / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else None


MEASURED = {"speed": measure_speed, "growth": measure_growth, "scale": measure_scale, "bf16": measure_bf16}


def write(folder: Path, name: str, text: str, table: pd.DataFrame | None = None) -> None:
    """Print a report and write it, with the table that it is about."""
    print(text)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    if table is not None:
        table.round(4).to_csv(folder / f"{name}.csv", index=False)
