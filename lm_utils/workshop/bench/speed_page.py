"""How fast the course is, out of results/bench/: a report with tables, and picture and block of docs/results.md."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.files import RESULTS
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.workshop.bench import growth
from lm_utils.workshop.bench import speed as bench
from lm_utils.workshop.templates import filled

FOLDER = RESULTS / "bench"
LOOKS = {name: place for place, name in enumerate(bench.CONTENDERS)}  # a contender has one look everywhere
SHORT = {name: one.short for name, one in bench.CONTENDERS.items()}
OURS = ("fit", "fit_bf16", "sweep", "group")  # full colours in the bars

# --- the reports ---------------------------------------------------------------------------------------------


def report(measured: pd.DataFrame) -> str:
    """Write the contenders and their ratios as Markdown, with the conditions and the promises."""
    run = measured.iloc[0]
    return filled(
        "speed_report.md",
        conditions=bench.conditions(measured), rounds=measured["round"].max(), epochs=run.epochs, device=run.device,
        contenders=bench.summary(measured).itertuples(), ratios=bench.ratios(measured).itertuples(),
        gflop=run.gflop, epoch=bench.work_of(run.data, 1) - bench.work_of(run.data, 0),
        matrix_speed=measured.matrix_gflops.median(), missed=missed(measured),
    )  # fmt: skip


def missed(measured: pd.DataFrame) -> list[str]:
    """Return the promised figures that were not reached."""
    table = bench.ratios(measured)
    late = table.ratio[table["median"] > table.limit].tolist()
    peak = measured[measured.contender == "sweep"].peak_mb.max()
    return late + ["peak memory of a sweep"] * bool(peak > bench.PEAK_LIMIT)


def growth_report(grown: pd.DataFrame) -> str:
    """Write how time grows as Markdown: every point, and what a thousand images more cost."""
    images = grown[grown.curve == "images"]
    table = images.pivot(index="contender", columns="x", values="cpu_seconds").reindex(images.contender.unique())
    sweeps = [(growth.CURVES[curve], grown[grown.curve == curve]) for curve in ("runs", "workers")]
    told = {"conditions": bench.conditions(grown), "epochs": grown.epochs[0], "names": SHORT}
    return filled("growth_report.md", images=table, slopes=growth.per_thousand_images(grown), sweeps=sweeps, **told)


# --- the picture -----------------------------------------------------------------------------------------------


def overview(measured: pd.DataFrame, grown: pd.DataFrame) -> Figure:
    """Draw the picture of docs/results.md: CPU time per run of everybody, and how it grows with the training images."""
    drawing, (left, right) = new_figure(1, 2, width=11, height=4.2)
    bars(left, measured)
    left.set_xlabel(f"CPU time of a run of {measured.epochs[0]} epochs, seconds")
    curves(right, grown)
    slopes = (f"{SHORT[name]} {slope:.2f} s" for name, slope in growth.per_thousand_images(grown).items())
    growing = f"CPU time of another thousand training images in one epoch: {', '.join(slopes)}."
    medians = measured.groupby("contender", sort=False)[["seconds", "cpu_seconds"]].median()
    told = (f"{SHORT[name]}, {row.seconds:.2f} s ({row.cpu_seconds:.2f} s of CPU)" for name, row in medians.iterrows())
    drawing.set_label(f"Median time per run: {'; '.join(told)}. {growing}")
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


# --- the block of docs/results.md ----------------------------------------------------------------------------


def speed_table(measured: pd.DataFrame, grown: pd.DataFrame) -> str:
    """Write each contender's time and CPU time per run, beside the plain loop's and per image."""
    timed = ["seconds", "cpu_seconds"]
    plain = measured[measured.contender == "plain"].set_index("round")[timed]
    beside = measured[timed] / plain.loc[measured["round"]].to_numpy()  # within a round, as everywhere
    rows = measured[["contender", *timed]].join(beside, rsuffix="_ratio").groupby("contender", sort=False).median()
    rows["title"] = [bench.CONTENDERS[name].title for name in rows.index]
    return filled(
        "speed_table.md", rows=rows, slopes=growth.per_thousand_images(grown), epochs=measured.epochs[0],
        rounds=measured["round"].max(), conditions=bench.conditions(measured),
    )  # fmt: skip
