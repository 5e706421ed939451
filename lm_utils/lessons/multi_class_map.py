"""Notebook 11, part 8: the race of the first steps, the maps of where it is lost, and what was expected of them."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.evidence.results import with_origin
from lm_utils.evidence.tables import Table
from lm_utils.runs import race
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure


def race_figure(runs: Sequence[dict], steps: int = 18) -> Figure:
    """Draw, over the first steps, the units that are stuck and the mean output, for some points of the map."""
    chosen = {race.Point(): "sigmoid layer, base rate 0.1", race.Point(rate=0.5): "sigmoid layer, base rate 0.5",
              race.Point(hidden="layernorm"): "LayerNorm before the sigmoid, base rate 0.1"}  # fmt: skip
    figure, (left, right) = new_figure(columns=2, width=11, height=4)
    told = []
    for place, (point, name) in enumerate(chosen.items()):
        found = [np.array(run["race"]) for run in race.at(runs, point)]
        look = {"color": COLORS[place], "linestyle": LINES[place], "marker": MARKERS[place], "markersize": 5}
        for number, (axis, column, factor) in enumerate(((left, 2, 100), (right, 1, 1))):
            mean = np.mean([one[:steps, column] for one in found], axis=0)
            axis.plot(found[0][:steps, 0], factor * mean, label=None if number else name, **look)
        stuck = np.mean([one[steps - 1, 2] for one in found])
        told.append(f"{name}: {stuck:.0%} of units stuck after {steps} steps")
    right.axhline(0.1, color="0.35", linestyle=":")
    right.text(steps, 0.105, "base rate 0.1", ha="right", va="bottom")
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel("step of AdamW")
    left.set(ylabel="units stuck at one end (%)", ylim=(-3, 103))
    right.set(ylabel="mean output", ylim=(0, 0.6))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.set_label(f"Stuck units and mean output over the first steps of the tiny network. {'; '.join(told)}.")
    return figure


LAYERS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "layernorm": "LayerNorm, sigmoid"}
MAPPED = {race.Point: "tiny network", race.DocumentsPoint: "documents' CNN"}


def map_figure(found: dict[type[race.Point], list[dict]]) -> Figure:
    """Draw the share of probes that collapse over base rate and learning rate or width, two rows for each network.

    The line parts points where, in most probes, half of the units are stuck before the outputs have come nine tenths of
    the way to the base rate: there the race says "collapse".
    """
    figure, axes = new_figure(2 * len(found), 4, 12, 0.9 + 4.6 * len(found), squeeze=False)
    told = []
    for (kind, runs), rows in zip(found.items(), axes.reshape(len(found), 2, 4), strict=True):
        sides = {"learning rate": ("lr", kind.learning_rates), "hidden units": ("width", kind.widths)}
        for row, (side, (name, values)) in zip(rows, sides.items(), strict=True):
            for axis, (hidden, title) in zip(row, LAYERS.items(), strict=True):
                grid = [
                    [race.at(runs, kind(rate, hidden=hidden, **{name: value})) for rate in race.RATES]
                    for value in values
                ]
                words = draw_map(axis, grid, title, [f"{value:g}" for value in values])
                told.append(f"{MAPPED[kind]}, {side}, {words}")
            row[0].set_ylabel(f"{MAPPED[kind]}\n{side}")
    for axis in axes[-1]:
        axis.set_xlabel("base rate")
    figure.suptitle("Number: probes that collapse (\u2026: some neither learnt nor stuck); right of the line the hidden"
                    " layer wins the race", fontsize=12)  # fmt: skip
    figure.set_label(f"Maps of the share of probes that collapse. {'; '.join(told)}.")
    return figure


def draw_map(axis: Axes, grid: list[list[list[dict]]], title: str, rows: Iterable[str]) -> str:
    """Draw one panel; return it in words."""
    ends = [[[race.outcome(run) for run in runs] for runs in line] for line in grid]
    share = np.array([[cell.count("collapses") / len(cell) if cell else np.nan for cell in line] for line in ends])
    axis.imshow(share, vmin=0, vmax=1, cmap="YlOrRd", aspect="auto", origin="lower")
    for y, x in np.argwhere(~np.isnan(share)):
        waits = "\u2026" if "not yet" in ends[y][x] else ""
        axis.text(x, y, f"{ends[y][x].count('collapses')}/{len(ends[y][x])}{waits}", ha="center", va="center",
                  color="white" if share[y, x] > 0.6 else "black", fontsize=8)  # fmt: skip
    foretold = np.array([[bool(runs) and hidden_layer_first(runs) for runs in line] for line in grid])
    for y, x in np.argwhere(foretold[:, 1:] != foretold[:, :-1]):
        axis.plot([x + 0.5, x + 0.5], [y - 0.5, y + 0.5], color=COLORS[0], lw=3)
    for y, x in np.argwhere(foretold[1:] != foretold[:-1]):
        axis.plot([x - 0.5, x + 0.5], [y + 0.5, y + 0.5], color=COLORS[0], lw=3)
    axis.set_xticks(range(len(race.RATES)), [f"{rate:g}" for rate in race.RATES], fontsize=9)
    axis.set_yticks(range(len(grid)), list(rows), fontsize=9)
    axis.grid(visible=False)
    axis.set_title(title)
    agree = (foretold == (share > 0.5))[~np.isnan(share)]
    return f"{title}: {sum(cell.count('collapses') for line in ends for cell in line)} of" \
           f" {sum(len(cell) for line in ends for cell in line)} probes collapse, at {agree.sum()} of" \
           f" {agree.size} points most end as foretold"  # fmt: skip


def hidden_layer_first(runs: Sequence[dict]) -> bool:
    """Whether in most probes half of the units are stuck before the outputs are near the base rate."""
    return median(race.steps_to_stuck(run) < race.steps_to_rate(run) for run in runs) > 0.5


# --- what was expected of the maps; `runs/race.py` has it as it was written before the runs ---------------------------

Came = dict[str, bool]


def probes_table(maps: Mapping[type[race.Point], Sequence[dict]]) -> pd.DataFrame:
    """Return a line for each probe: its point, how it ended, what was first, and whether the first maps had it."""
    return pd.DataFrame([
        {**run, "network": MAPPED[kind], "ends": race.outcome(run), "lost": race.outcome(run) == "collapses",
         "first": "units stuck" if race.steps_to_stuck(run) < race.steps_to_rate(run) else "outputs arrive",
         "added later": run["rate"] == 0.01 or run["lr"] == kind.learning_rates[0]
         or (run["hidden"] != "sigmoid" and run["width"] != kind().width)}
        for kind, runs in maps.items() for run in runs
    ])  # fmt: skip


def expectations_table(table: pd.DataFrame, slow: pd.DataFrame) -> Table:
    """Return what was expected of the maps and whether it came true; `slow` are the long runs with small steps."""
    first = table[~table["added later"]]
    tiny, documents = (first[first["network"] == name] for name in MAPPED.values())
    lines = {
        "tiny network": of_tiny(tiny),
        "documents' CNN": of_documents(documents, tiny),
        "added later": of_added(table),
        "long runs": of_slow(slow),
    }
    told = [(of, what, "yes" if came else "no") for of, found in lines.items() for what, came in found.items()]
    frame = pd.DataFrame(told, columns=["map", "expected", "came true"])
    return Table(
        with_origin(frame, f"{len(table):,} probes and {len(slow)} long runs on the embedded digits, on the CPU")
    )


def lost_at(table: pd.DataFrame, kind: type[race.Point]) -> pd.DataFrame:
    """Return the share of probes of the usual width that collapse: layer and learning rate by base rate."""
    usual = table[table["width"] == kind().width]
    return usual.pivot_table(index=["hidden", "lr"], columns="rate", values="lost")


def by_width(table: pd.DataFrame, kind: type[race.Point], hidden: str = "sigmoid") -> pd.Series:
    """Return the share of probes that collapse at the usual learning rate, by the width of such a layer."""
    return table[(table["hidden"] == hidden) & (table["lr"] == kind().lr)].groupby("width")["lost"].mean()


def foretold(table: pd.DataFrame) -> float:
    """Return the share of probes with a sigmoid or tanh that end as the race says."""
    bare = table[table["hidden"].isin(["sigmoid", "tanh"])]
    return (bare["ends"] == np.where(bare["first"] == "units stuck", "collapses", "learns")).mean()


def of_tiny(tiny: pd.DataFrame) -> Came:
    """Judge what was expected of the tiny network's first map."""
    lost = lost_at(tiny, race.Point)
    usual, by_layer = lost.loc["sigmoid", race.Point().lr], lost.groupby("hidden").mean().mean(axis=1)
    by_step, wider = lost.groupby("lr").mean().mean(axis=1), by_width(tiny, race.Point)
    return {
        "sigmoid, 32 units, learning rate 0.01: most collapse at base rates up to 0.1": (usual[:0.1] > 0.5).all(),
        "... and nearly all learn at 0.2 and 0.5": (usual[0.2:] <= 0.2).all(),
        "a tanh does as the sigmoid does": (lost.loc["tanh"] - lost.loc["sigmoid"]).abs().max(axis=None) <= 0.2,
        "behind LayerNorm hardly any collapses": by_layer["layernorm"] < 0.05,
        "a ReLU layer collapses less than a sigmoid, not never": 0 < by_layer["relu"] < by_layer["sigmoid"],
        "smaller steps and wider layers mean fewer collapses": by_step.is_monotonic_increasing
        and wider.is_monotonic_decreasing,
        "with sigmoid or tanh the race foretells the end of four in five": foretold(tiny) >= 0.8,
    }


def of_documents(documents: pd.DataFrame, tiny: pd.DataFrame) -> Came:
    """Judge what was expected of the documents' CNN's first map."""
    lost = lost_at(documents, race.DocumentsPoint)
    usual, by_layer = lost.loc["sigmoid", race.DocumentsPoint().lr], lost.groupby("hidden").mean().mean(axis=1)
    same = (lost > 0.5) == (lost_at(tiny, race.Point).set_axis(lost.index) > 0.5)
    return {
        "sigmoid, 64 units, learning rate 0.001: most collapse at base rates up to 0.2": (usual[:0.2] > 0.5).all(),
        "... and none at 0.5": usual[0.5] == 0,
        "behind LayerNorm hardly any collapses": by_layer["layernorm"] < 0.05,
        "a tanh collapses less often than a sigmoid": by_layer["tanh"] < by_layer["sigmoid"],
        "behind a ReLU fewer than one in ten collapses": by_layer["relu"] < 0.1,
        "smaller steps mean fewer collapses": lost.groupby("lr").mean().mean(axis=1).is_monotonic_increasing,
        "wider layers mean fewer collapses": by_width(documents, race.DocumentsPoint).is_monotonic_decreasing,
        "with sigmoid or tanh the race foretells the end of four in five": foretold(documents) >= 0.8,
        "at four of five points most end as the tiny network's": same.mean(axis=None) >= 0.8,
    }


def of_added(table: pd.DataFrame) -> Came:
    """Judge what was expected when both maps were made whole."""
    maps = {kind: table[table["network"] == name] for kind, name in MAPPED.items()}
    by_rate = table.pivot_table(index=["network", "hidden", "lr", "width"], columns="rate", values="lost")
    many, none = by_rate[by_rate[0.02] > 0.5], by_rate[by_rate[0.02] == 0]
    small = {
        name: maps[kind][maps[kind]["lr"] == kind.learning_rates[0]]["lost"].mean() for kind, name in MAPPED.items()
    }
    normal = [by_width(found, kind, hidden) for kind, found in maps.items() for hidden in ("layernorm", "relu")]
    decided = table[table["added later"] & (table["ends"] != "not yet")]
    return {
        "where most collapse at a base rate of 0.02, most do at 0.01": (many[0.01] > 0.5).all(),
        "... and where none does, none does at 0.01": (none[0.01] == 0).all(),
        **{
            f"a tenth of the learning rate, {name}: fewer than one in twenty": lost < 0.05
            for name, lost in small.items()
        },
        "behind LayerNorm and ReLU any width: fewer than one in ten": max(widths.max() for widths in normal) < 0.1,
        "a wider tanh collapses less": all(
            by_width(found, kind, "tanh").is_monotonic_decreasing for kind, found in maps.items()
        ),
        "with sigmoid or tanh the race foretells the end of four in five that are decided": foretold(decided) >= 0.8,
    }


def of_slow(slow: pd.DataFrame) -> Came:
    """Judge what was expected of forty epochs with a tenth of the documents' CNN's learning rate."""
    lost = slow.pivot_table(index="hidden", columns="rate", values="lost")
    learns = slow.assign(learns=slow["ends"] == "learns").pivot_table(index="hidden", columns="rate", values="learns")
    return {
        "forty epochs of small steps: most collapse at 0.02 and 0.01": (lost[[0.01, 0.02]] > 0.5).all(axis=None),
        "... and most learn at 0.5, 0.2 and 0.1": (learns[[0.1, 0.2, 0.5]] > 0.5).all(axis=None),
    }
