"""How fast the course is, out of results/bench/: a report with tables, and picture and block of docs/results.md."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.evidence.tables import markdown_table
from lm_utils.files import RESULTS
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.workshop.bench import growth
from lm_utils.workshop.bench import speed as bench
from lm_utils.workshop.bench.competitors import PEERS

FOLDER = RESULTS / "bench"
LOOKS = {name: place for place, name in enumerate(bench.CONTENDERS)}  # a contender has one look everywhere
SHORT = {
    "plain": "plain loop",
    "plain_all": "plain loop, default threads",
    **PEERS,
    "fit": "fit",
    "fit_bf16": "fit in bf16",
    "sweep": "sweep, two at once",
    "group": "64 runs as a group",
}
OURS = ("fit", "fit_bf16", "sweep", "group")  # full colours in the bars

# --- the report ----------------------------------------------------------------------------------------------


def report(measured: pd.DataFrame) -> str:
    """Write the contenders and their ratios as Markdown, with the conditions and the promises."""
    heads = ("per run", "time in s (median, min to max)", "CPU time in s", "share of the matrix product's speed",
             "peak memory of the process", "accuracy")  # fmt: skip
    contenders = [
        (row.Index, f"{row.seconds_median:.2f} ({row.seconds_min:.2f} to {row.seconds_max:.2f})",
         f"{row.cpu_seconds:.2f}", f"{row.share:.0%}", f"{row.peak_mb:.0f} MB", f"{row.accuracy:.1%}")
        for row in bench.summary(measured).itertuples()
    ]  # fmt: skip
    ratios = [
        (row.ratio, f"{row.median:.2f}", f"{row.min:.2f} to {row.max:.2f}",
         "" if pd.isna(row.limit) else f"at most {row.limit:.2f}")
        for row in bench.ratios(measured).itertuples()
    ]  # fmt: skip
    rounds = f"{measured['round'].max()} rounds of {measured.epochs[0]} epochs"
    return "\n\n".join([
        "# Speed beside the plain loop", f"Measured: {bench.conditions(measured)}; {rounds}.",
        markdown_table(heads, contenders), markdown_table(("ratio", "median", "min to max", "promised"), ratios),
        arithmetic(measured), verdict(measured),
    ]) + "\n"  # fmt: skip


def arithmetic(measured: pd.DataFrame) -> str:
    """Say what the share of the peak means here."""
    gflop, speed = measured.gflop[0], measured.matrix_gflops.median()
    epoch = bench.work_of(measured.data[0], 1) - bench.work_of(measured.data[0], 0)
    where = "one core" if measured.device[0] == "cpu" else "the GPU"
    return (
        f"A run of {measured.epochs[0]} epochs is {gflop:.1f} GFLOP, {epoch:.1f} of them in each epoch, counted from"
        f" the layers. Products of fp32 matrices reached {speed:.0f} GFLOP/s on {where}, in the same processes."
    )


def verdict(measured: pd.DataFrame) -> str:
    """Say whether the promises were kept, where there are any and enough rounds to say so."""
    if measured.device[0] != "cpu" or measured["round"].max() < 3:
        return "No verdict: promises are about a CPU, and about the median of three rounds or more."
    late = missed(measured)
    return f"Missed: {', '.join(late)}." if late else "Every promise was kept."


def missed(measured: pd.DataFrame) -> list[str]:
    """Return the promised figures that were not reached."""
    table = bench.ratios(measured)
    late = [row.ratio for row in table.itertuples() if row.limit is not None and row.median > row.limit]
    peak = measured[measured.contender == "sweep"].peak_mb.max()
    return late + ["peak memory of a sweep"] * bool(peak > bench.PEAK_LIMIT)


def growth_report(grown: pd.DataFrame) -> str:
    """Write how time grows as Markdown: every point, and what a thousand images more cost."""
    images = grown[grown.curve == "images"]
    table = images.pivot(index="contender", columns="x", values="cpu_seconds").reindex(images.contender.unique())
    slopes = growth.per_thousand_images(grown)
    heads = ("CPU time in s, by training images", *(f"{size:,}" for size in table.columns), "another thousand")
    rows = [(SHORT[name], *(f"{value:.2f}" for value in row), f"{slopes[name]:.3f}") for name, row in table.iterrows()]
    measured = f"Measured: {bench.conditions(grown)}; {grown.epochs[0]} epoch, each point once."
    parts = ["# How the time grows", measured, markdown_table(heads, rows)]
    for curve in ("runs", "workers"):
        points = grown[grown.curve == curve]
        if len(points):
            heads = (growth.CURVES[curve], "time in s", "time per run in s", "peak memory")
            rows = [(row.x, f"{row.seconds * row.runs:.2f}", f"{row.seconds:.2f}", f"{row.peak_mb:.0f} MB")
                    for row in points.itertuples()]  # fmt: skip
            parts.append(markdown_table(heads, rows))
    return "\n\n".join(parts) + "\n"


# --- the picture -----------------------------------------------------------------------------------------------


def overview(measured: pd.DataFrame, grown: pd.DataFrame) -> Figure:
    """Draw the picture of docs/results.md: CPU time per run of everybody, and how it grows with the training images."""
    drawing, (left, right) = new_figure(1, 2, width=11, height=4.2)
    bars(left, measured)
    left.set_xlabel(f"CPU time of a run of {measured.epochs[0]} epochs, seconds")
    curves(right, grown)
    drawing.set_label(f"{in_words(measured)} {growth_in_words(grown)}")
    return drawing


def bars(axis: Axes, measured: pd.DataFrame) -> None:
    """Draw a bar for the median CPU time of each contender, and a dot for each of its rounds."""
    names = list(measured.contender.unique())
    for place, name in enumerate(names):
        values = measured[measured.contender == name].cpu_seconds
        color, ours = COLORS[LOOKS[name] % len(COLORS)], name in OURS
        axis.barh(place, values.median(), color=color, alpha=0.9 if ours else 0.35, hatch="" if ours else "//", lw=0)
        axis.plot(values, [place] * len(values), MARKERS[LOOKS[name]], color=color, markeredgecolor="black")
    axis.set_yticks(range(len(names)), [SHORT[name] for name in names])
    axis.set_xlim(left=0)
    axis.invert_yaxis()


def curves(axis: Axes, grown: pd.DataFrame) -> None:
    """Draw a line for each contender: CPU time of a run over its training images."""
    chosen = grown[grown.curve == "images"]
    for name, points in chosen.groupby("contender", sort=False):
        look = LOOKS[name]
        style = {"marker": MARKERS[look], "linestyle": LINES[look % len(LINES)], "color": COLORS[look % len(COLORS)]}
        axis.plot(points.x, points.cpu_seconds, label=SHORT[name], **style)
    axis.set_xlabel(growth.CURVES["images"])
    axis.set_ylabel("CPU time of one epoch, seconds")
    axis.set_ylim(bottom=0)
    axis.set_xlim(left=0, right=1.05 * chosen.x.max())
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.legend()


def in_words(measured: pd.DataFrame) -> str:
    """Put the bars into words."""
    medians = measured.groupby("contender", sort=False)[["seconds", "cpu_seconds"]].median()
    told = (f"{SHORT[name]}, {row.seconds:.2f} s ({row.cpu_seconds:.2f} s of CPU)" for name, row in medians.iterrows())
    return f"Median time per run: {'; '.join(told)}."


def growth_in_words(grown: pd.DataFrame) -> str:
    """Put the slopes into words."""
    told = (f"{SHORT[name]} {slope:.2f} s" for name, slope in growth.per_thousand_images(grown).items())
    return f"CPU time of another thousand training images in one epoch: {', '.join(told)}."


# --- the block of docs/results.md ----------------------------------------------------------------------------


def page_rows(measured: pd.DataFrame, grown: pd.DataFrame) -> str:
    """Write the table: each contender's time and CPU time per run, beside the plain loop's, and per image."""
    timed = ["seconds", "cpu_seconds"]
    medians = measured.groupby("contender", sort=False)[timed].median()
    plain = measured[measured.contender == "plain"].set_index("round")[timed]
    beside = measured[timed] / plain.loc[measured["round"]].to_numpy()  # within a round, as everywhere
    ratios, slopes = beside.groupby(measured.contender).median(), growth.per_thousand_images(grown)
    heads = ("a run", "time", "of the plain loop's", "CPU time", "of the plain loop's", "a thousand images more")
    rows = [
        (bench.CONTENDERS[name].title, f"{row.seconds:.2f} s", f"{ratios.seconds[name]:.2f}",
         f"{row.cpu_seconds:.2f} s", f"{ratios.cpu_seconds[name]:.2f}",
         f"{slopes[name]:.2f} s" if name in slopes else "")
        for name, row in medians.iterrows()
    ]  # fmt: skip
    return markdown_table(heads, rows)


def conditions(measured: pd.DataFrame) -> str:
    """Say what those figures are, and where they come from."""
    return (
        f"A run here is {measured.epochs[0]} epochs of the multi-class network with one test at the end, the same work"
        " for everybody; the last column is CPU time for one epoch. Measured by"
        f" `make bench`, the median of {measured['round'].max()} rounds (a ratio is formed within each round,"
        f" before its median is taken): {bench.conditions(measured)}. The peers come with `python -m lm_utils setup"
        " --extras=bench`. All figures: [results/bench](../results/bench/mnist-cpu.md). On more than one machine:"
        " [cluster](cluster.md); what a million runs would cost: [scale](scale.md)."
    )
