"""`make bench`: measure, print the ratios, and write a table and a picture into results/bench/."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from lm_utils.data import load_data
from lm_utils.experiments import bench
from lm_utils.labs.style import COLORS, MARKERS, new_figure, png
from lm_utils.training import pick_device

FOLDER = Path(__file__).resolve().parents[2] / "results" / "bench"


def main(data: str = "auto", device: str = "auto", quick: bool = False, folder: Path | None = None) -> int:
    """Measure and report; 1 where a promised figure is missed. A quick round only shows that it works."""
    rounds, epochs = (1, 1) if quick else (5, 4)
    contenders = ("plain", "fit", "sweep") if quick else tuple(bench.CONTENDERS)
    device = pick_device(device).type
    splits = load_data(data)
    say(splits.source)
    measured = bench.rounds_of(splits.name, device, rounds, epochs, say, contenders)
    text = report(measured)
    print(text)
    folder = folder or (FOLDER.parents[1] / "build" / "bench" if quick else FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{splits.name}-{device}"
    measured.round(4).to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / f"{name}.png").write_bytes(png(figure(measured)))
    print(f"Written: {folder / name}.csv, .md and .png")
    return 0 if quick or not missed(measured) else 1


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


def missed(measured: pd.DataFrame) -> list[str]:
    """The promised figures that were not reached."""
    table = bench.ratios(measured)
    late = [row.ratio for row in table.itertuples() if row.limit is not None and row.median > row.limit]
    peak = measured[measured.contender == "sweep"].peak_mb.max()
    return late + ["peak memory of a sweep"] * bool(peak > bench.PEAK_LIMIT)


def report(measured: pd.DataFrame) -> str:
    """Both tables as Markdown, with the conditions and the promises."""
    lines = [f"# Speed beside the plain loop\n\nMeasured: {bench.conditions(measured)}.\n"]
    lines.append("| per run | time in s (median, min to max) | CPU time in s | peak memory of the process | accuracy |")
    lines.append("|---|---|---|---|---|")
    for row in bench.summary(measured).itertuples():
        seconds = f"{row.seconds_median:.2f} ({row.seconds_min:.2f} to {row.seconds_max:.2f})"
        lines.append(f"| {row.Index} | {seconds} | {row.cpu_seconds:.2f} | {row.peak_mb:.0f} MB | {row.accuracy:.1%} |")
    lines.append("\n| ratio | median | min to max | promised |\n|---|---|---|---|")
    for row in bench.ratios(measured).itertuples():
        promised = "" if pd.isna(row.limit) else f"at most {row.limit:.2f}"
        lines.append(f"| {row.ratio} | {row.median:.2f} | {row.min:.2f} to {row.max:.2f} | {promised} |")
    return "\n".join([*lines, f"\n{verdict(measured)}\n"])


def verdict(measured: pd.DataFrame) -> str:
    """Whether the promises were kept, where there are any and enough rounds to say so."""
    if measured.device[0] != "cpu" or measured["round"].max() < 3:
        return "No verdict: promises are about a CPU, and about the median of three rounds or more."
    late = missed(measured)
    return f"Missed: {', '.join(late)}." if late else "Every promise was kept."


def figure(measured: pd.DataFrame) -> Figure:
    """Every measurement as a dot: time per run and CPU time per run, contender by contender."""
    drawing, axes = new_figure(1, 2, width=11, height=3.6, sharey=True)
    names = list(measured.contender.unique())
    titles = [bench.CONTENDERS[name].title for name in names]
    for axis, column, title in zip(axes, ("seconds", "cpu_seconds"), ("time", "CPU time"), strict=True):
        for place, name in enumerate(names):
            values = measured[measured.contender == name][column]
            axis.barh(place, values.median(), color=COLORS[place], alpha=0.35)
            axis.plot(values, [place] * len(values), MARKERS[place], color=COLORS[place], markeredgecolor="white")
        axis.set_xlabel(f"{title} per run, seconds")
        axis.set_xlim(left=0)
    axes[0].set_yticks(range(len(titles)), titles)
    axes[0].invert_yaxis()
    drawing.set_label(alt_text(measured))
    return drawing


def alt_text(measured: pd.DataFrame) -> str:
    """The picture in words."""
    medians = bench.summary(measured).seconds_median
    return "Median time per run: " + "; ".join(f"{title}, {value:.2f} s" for title, value in medians.items()) + "."
