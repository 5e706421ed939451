"""How fast the course is, out of results/bench/: a report with tables, pictures, and the README's block."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.files import RESULTS
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.workshop.bench import growth
from lm_utils.workshop.bench import speed as bench

FOLDER = RESULTS / "bench"
LOOKS = {name: place for place, name in enumerate(bench.CONTENDERS)}  # a contender has one look everywhere
SHORT = {
    "plain": "plain loop",
    "plain_all": "plain loop, default threads",
    **bench.peers.PEERS,
    "fit": "fit",
    "fit_bf16": "fit in bf16",
    "sweep": "sweep, two at once",
    "group": "64 runs as a group",
}


OURS = ("fit", "fit_bf16", "sweep", "group")  # full colours in the bars


def title(contender: str) -> str:
    """What a contender is called in a picture."""
    return SHORT[contender]


# --- the report ----------------------------------------------------------------------------------------------


def report(measured: pd.DataFrame) -> str:
    """The contenders and their ratios as Markdown, with the conditions and the promises."""
    rounds = f"{measured['round'].max()} rounds of {measured.epochs[0]} epochs"
    lines = [f"# Speed beside the plain loop\n\nMeasured: {bench.conditions(measured)}; {rounds}.\n"]
    lines.append(
        "| per run | time in s (median, min to max) | CPU time in s | share of the matrix product's speed"
        " | peak memory of the process | accuracy |"
    )
    lines.append("|---|---|---|---|---|---|")
    for row in bench.summary(measured).itertuples():
        seconds = f"{row.seconds_median:.2f} ({row.seconds_min:.2f} to {row.seconds_max:.2f})"
        cells = (row.Index, seconds, f"{row.cpu_seconds:.2f}", f"{row.share:.0%}", f"{row.peak_mb:.0f} MB")
        lines.append(f"| {' | '.join(cells)} | {row.accuracy:.1%} |")
    lines.append("\n| ratio | median | min to max | promised |\n|---|---|---|---|")
    for row in bench.ratios(measured).itertuples():
        promised = "" if pd.isna(row.limit) else f"at most {row.limit:.2f}"
        lines.append(f"| {row.ratio} | {row.median:.2f} | {row.min:.2f} to {row.max:.2f} | {promised} |")
    return "\n".join([*lines, f"\n{arithmetic(measured)}\n\n{verdict(measured)}\n"])


def arithmetic(measured: pd.DataFrame) -> str:
    """What the share of the peak means here."""
    gflop, speed = measured.gflop[0], measured.matrix_gflops.median()
    epoch = bench.work_of(measured.data[0], 1) - bench.work_of(measured.data[0], 0)
    where = "one core" if measured.device[0] == "cpu" else "the GPU"
    return (
        f"A run of {measured.epochs[0]} epochs is {gflop:.1f} GFLOP, {epoch:.1f} of them in each epoch, counted from"
        f" the layers. Products of fp32 matrices reached {speed:.0f} GFLOP/s on {where}, in the same processes."
    )


def verdict(measured: pd.DataFrame) -> str:
    """Whether the promises were kept, where there are any and enough rounds to say so."""
    if measured.device[0] != "cpu" or measured["round"].max() < 3:
        return "No verdict: promises are about a CPU, and about the median of three rounds or more."
    late = missed(measured)
    return f"Missed: {', '.join(late)}." if late else "Every promise was kept."


def missed(measured: pd.DataFrame) -> list[str]:
    """The promised figures that were not reached."""
    table = bench.ratios(measured)
    late = [row.ratio for row in table.itertuples() if row.limit is not None and row.median > row.limit]
    peak = measured[measured.contender == "sweep"].peak_mb.max()
    return late + ["peak memory of a sweep"] * bool(peak > bench.PEAK_LIMIT)


def growth_report(grown: pd.DataFrame) -> str:
    """How time grows, as Markdown: every point, and what a thousand images more cost."""
    lines = [
        f"# How the time grows\n\nMeasured: {bench.conditions(grown)}; {grown.epochs[0]} epoch, each point once.\n"
    ]
    images = grown[grown.curve == "images"]
    table = images.pivot(index="contender", columns="x", values="cpu_seconds").reindex(images.contender.unique())
    slopes = growth.per_thousand_images(grown)
    heads = [*(f"{size:,}" for size in table.columns), "another thousand"]
    lines += [f"| CPU time in s, by training images | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name, row in table.iterrows():
        cells = [*(f"{value:.2f}" for value in row), f"{slopes[name]:.3f}"]
        lines.append(f"| {title(name)} | {' | '.join(cells)} |")
    for curve in ("runs", "workers"):
        points = grown[grown.curve == curve]
        if len(points):
            lines += [
                "",
                f"| {growth.CURVES[curve]} | time in s | time per run in s | peak memory |",
                "|---|---|---|---|",
            ]
            lines += [f"| {row.x} | {row.seconds * row.runs:.2f} | {row.seconds:.2f} | {row.peak_mb:.0f} MB |"
                      for row in points.itertuples()]  # fmt: skip
    return "\n".join(lines) + "\n"


def bf16_report(rows: Sequence[tuple], measured: pd.DataFrame | None) -> str:
    """What bf16 does to each task's metric and to the time, as Markdown."""
    lines = ["# bf16 beside fp32", "", '`lm.fit(..., precision="bf16")` and `lm.sweep(..., precision="bf16")`: the']
    lines[-1] += " convolutions work in bfloat16, everything else stays float32. Test metrics on MNIST, paired by seed"
    lines[-1] += " with the shipped runs; *practically equal* is what the course calls so everywhere."
    lines += [
        "",
        "| task | metric | fp32 | bf16 | difference (95 % interval) | seeds | |",
        "|---|---|---|---|---|---|---|",
    ]
    for pairing, full, half, compared in rows:
        d = compared.difference
        figures = (f"{full.mean:.4f}", f"{half.mean:.4f}", f"{d.mean:+.4f} ({d.low:+.4f} to {d.high:+.4f})")
        cells = (*(figures if d.n else ("", "", "")), str(d.n))
        name = f"{pairing.spec.title}: {pairing.label}"
        lines.append(f"| {name} | {pairing.spec.metric} | {' | '.join(cells)} | {compared.verdict} |")
    if measured is not None and "fit_bf16" in set(measured.contender):
        ratio = bench.ratios(measured).set_index("ratio").loc["fit in bf16 / fit, CPU time"]
        lines += ["", f"CPU time of a run in bf16, as a share of fp32: {ratio['median']:.2f} ({ratio['min']:.2f} to"]
        lines[-1] += f" {ratio['max']:.2f} over the rounds). Measured: {bench.conditions(measured)}."
    return "\n".join(lines) + "\n"


# --- pictures ------------------------------------------------------------------------------------------------


def figure(measured: pd.DataFrame) -> Figure:
    """Every measurement as a dot: time per run and CPU time per run, contender by contender."""
    drawing, axes = new_figure(1, 2, width=11, height=4.2, sharey=True)
    for axis, column, label in zip(axes, ("seconds", "cpu_seconds"), ("time", "CPU time"), strict=True):
        bars(axis, measured, column)
        axis.set_xlabel(f"{label} per run, seconds")
    drawing.set_label(in_words(measured))
    return drawing


def growth_figure(grown: pd.DataFrame) -> Figure:
    """A panel for each curve."""
    curves = list(grown.curve.unique())
    drawing, axes = new_figure(1, len(curves), width=4.2 * len(curves), height=4.2)
    for axis, curve in zip(axes, curves, strict=True):
        lines(axis, grown, curve)
    drawing.set_label("How the time grows: " + growth_in_words(grown))
    return drawing


def overview(measured: pd.DataFrame, grown: pd.DataFrame) -> Figure:
    """The README's picture: CPU time per run of everybody, and how it grows with the training images."""
    drawing, (left, right) = new_figure(1, 2, width=11, height=4.2)
    bars(left, measured, "cpu_seconds")
    left.set_xlabel(f"CPU time of a run of {measured.epochs[0]} epochs, seconds")
    lines(right, grown, "images")
    drawing.set_label(f"{in_words(measured)} {growth_in_words(grown)}")
    return drawing


def bars(axis: Axes, measured: pd.DataFrame, column: str) -> None:
    """A bar for each contender's median, and a dot for each of its rounds."""
    names = list(measured.contender.unique())
    for place, name in enumerate(names):
        values = measured[measured.contender == name][column]
        color, ours = COLORS[LOOKS[name] % len(COLORS)], name in OURS
        axis.barh(place, values.median(), color=color, alpha=0.9 if ours else 0.35, hatch="" if ours else "//", lw=0)
        axis.plot(values, [place] * len(values), MARKERS[LOOKS[name]], color=color, markeredgecolor="black")
    axis.set_yticks(range(len(names)), [title(name) for name in names])
    axis.set_xlim(left=0)
    if not axis.yaxis_inverted():
        axis.invert_yaxis()


def lines(axis: Axes, grown: pd.DataFrame, curve: str) -> None:
    """A line for each contender: CPU time of a run over images, else the whole sweep's time."""
    chosen = grown[grown.curve == curve]
    for name, points in chosen.groupby("contender", sort=False):
        values = points.cpu_seconds if curve == "images" else points.seconds * points.runs
        look = LOOKS[name]
        style = {"marker": MARKERS[look], "linestyle": LINES[look % len(LINES)], "color": COLORS[look % len(COLORS)]}
        axis.plot(points.x, values, label=title(name), **style)
    axis.set_xlabel(growth.CURVES[curve])
    axis.set_ylabel("CPU time of one epoch, seconds" if curve == "images" else "time of the sweep, seconds")
    axis.set_ylim(bottom=0)
    axis.set_xlim(left=0, right=1.05 * chosen.x.max())
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if chosen.contender.nunique() > 1:
        axis.legend()


def in_words(measured: pd.DataFrame) -> str:
    """The bars in words."""
    medians = measured.groupby("contender", sort=False)[["seconds", "cpu_seconds"]].median()
    told = (f"{title(name)}, {row.seconds:.2f} s ({row.cpu_seconds:.2f} s of CPU)" for name, row in medians.iterrows())
    return f"Median time per run: {'; '.join(told)}."


def growth_in_words(grown: pd.DataFrame) -> str:
    """The slopes in words."""
    told = (f"{title(name)} {slope:.2f} s" for name, slope in growth.per_thousand_images(grown).items())
    return f"CPU time of another thousand training images in one epoch: {', '.join(told)}."


# --- the README's block --------------------------------------------------------------------------------------


def readme_rows(measured: pd.DataFrame, grown: pd.DataFrame) -> str:
    """The README's table: each contender's time and CPU time per run, beside the plain loop's, and per image."""
    timed = ["seconds", "cpu_seconds"]
    medians = measured.groupby("contender", sort=False)[timed].median()
    plain = measured[measured.contender == "plain"].set_index("round")[timed]
    beside = measured[timed] / plain.loc[measured["round"]].to_numpy()  # within a round, as everywhere
    ratios, slopes = beside.groupby(measured.contender).median(), growth.per_thousand_images(grown)
    rows = ["| a run | time | of the plain loop's | CPU time | of the plain loop's | a thousand images more |"]
    rows.append("|---|---|---|---|---|---|")
    for name, row in medians.iterrows():
        cells = [f"{part:.2f}{unit}" for column in medians for part, unit in
                 ((row[column], " s"), (ratios.loc[name, column], ""))]  # fmt: skip
        more = f"{slopes[name]:.2f} s" if name in slopes else ""
        rows.append(f"| {bench.CONTENDERS[name].title} | {' | '.join(cells)} | {more} |")
    return "\n".join(rows)


def conditions(measured: pd.DataFrame) -> str:
    """What the README's figures are, and where they come from."""
    return (
        f"A run here is {measured.epochs[0]} epochs of the multi-class network with one test at the end, the same work"
        " for everybody; the last column is CPU time for one epoch. Measured by"
        f" `make bench`, the median of {measured['round'].max()} rounds (a ratio is formed within each round,"
        f" before its median is taken): {bench.conditions(measured)}. The peers come with `python -m lm_utils setup"
        " --extras=bench`. All figures: [results/bench](results/bench/). On more than one machine:"
        " [docs/cluster.md](docs/cluster.md); what a million runs would cost: [docs/scale.md](docs/scale.md)."
    )
