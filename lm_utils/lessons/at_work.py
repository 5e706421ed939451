"""Notebook 17: what ten seeds said of temperature, weights and softer targets; the notebook's own cells measured them.

The stored file opens with what was expected, written down before its seeds were run.
"""

import json

import pandas as pd
from matplotlib.figure import Figure

from lm_utils.evidence.statistics import mean_interval
from lm_utils.files import RESULTS
from lm_utils.show.style import COLORS, MARKERS, new_figure

STORED = RESULTS / "at_work" / "digits.json"
SEEDS = range(500, 510)  # no other run of this repository uses them


def expected() -> dict[str, str]:
    """Return what was written down before the seeds were run."""
    return json.loads(STORED.read_text("utf-8"))["expected"]


def stored(part: str) -> pd.DataFrame:
    """Return the stored lines of one part, a column for each measure, by way and seed."""
    lines = json.loads(STORED.read_text("utf-8"))["lines"]
    table = pd.DataFrame([line for line in lines if line["part"] == part]).drop(columns="part")
    return table.dropna(axis="columns").set_index(["way", "seed"])


def intervals(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each measure over the seeds with its 95 % interval, a line for each way."""
    by_way = runs.groupby(level=[name for name in runs.index.names if name != "seed"])
    return by_way.agg(lambda values: mean_interval(values).told(".3f"))


def scaling_figure() -> Figure:
    """Draw each network's calibration error as trained and with its temperature, a line per seed, a group per loss."""
    lines = stored("sure")
    titles = {"plain": "cross-entropy", "smoothing": "label smoothing 0.1", "focal": "focal loss"}
    figure, axes = new_figure(height=4.2)
    words = []
    for group, (name, title) in enumerate(titles.items()):
        before, after = (100 * lines.loc[way, "ece"] for way in (name, f"{name}, scaled"))
        for pair in zip(before, after, strict=True):
            axes.plot([2.6 * group, 2.6 * group + 1], pair, color=COLORS[group], marker=MARKERS[group],
                      lw=1.2, alpha=0.8)  # fmt: skip
        words.append(f"{title}: {before.mean():.1f} % before, {after.mean():.1f} % after, lower in"
                     f" {(after < before).sum()} of {len(after)} seeds")  # fmt: skip
    places = [2.6 * group + side for group in range(3) for side in (0, 1)]
    axes.set_xticks(places, [f"{side}\n{title}" if side == "as trained" else side for title in titles.values()
                             for side in ("as trained", "temperature")])  # fmt: skip
    axes.set(ylabel="calibration error on the test part (%)", ylim=(0, None))
    figure.set_label("Calibration error of ten networks for each of three losses, before and after the temperature. "
                     f"Means: {'; '.join(words)}.")  # fmt: skip
    return figure
