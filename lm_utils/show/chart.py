"""Curves that grow: drawn by the browser with the site's own chart.js, and by matplotlib where there is no browser.

A chart is what `drawChart` in site/_static/chart.js takes: an alternative text and a list of panels.
"""

from collections.abc import Iterable, Sequence
from math import isfinite, nan

import anywidget
import traitlets
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.files import PROJECT
from lm_utils.show.style import ALERT, COLORS, CONSTANT_LINE, LINES, MARKERS, image_tag, new_figure

FRONT_END = PROJECT / "site" / "_static"
LOOKS = {  # of a series by its kind, as in chart.css
    "train": {"color": COLORS[0], "ls": LINES[0], "marker": MARKERS[0]},
    "valid": {"color": COLORS[1], "ls": LINES[1], "marker": MARKERS[1]},
    "look": {"color": "0.35", "lw": 1.2},
    "stored": {"color": "0.65", "lw": 1.2, "zorder": 1},
    "best": {"color": COLORS[3], "ls": "", "marker": "*", "ms": 15, "zorder": 5},
}
CONSTANT = CONSTANT_LINE | {"zorder": 2}
LIMIT = {"color": ALERT, "lw": 1.4, "ls": "-.", "zorder": 2}

Chart = dict  # "alt": text, "panels": list of panels


class LiveChart(anywidget.AnyWidget):
    """A chart that a browser draws anew whenever it changes; without a browser it is a still picture."""

    _esm = (FRONT_END / "chart.js").read_text("utf-8") + "\nexport default { render: renderChart };\n"
    _css = (FRONT_END / "chart.css").read_text("utf-8")
    chart = traitlets.Dict().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)  # the still picture as HTML, for executed pages
    drawn = traitlets.Bool(False).tag(sync=True)  # says the browser

    def draw(self, chart: Chart, moving: bool = False) -> None:
        """Show this chart now; while it is `moving`, no still picture is made of it."""
        self.chart = chart
        if not moving:
            self.value = "" if self.drawn else image_tag(chart_figure(chart))


def panel(title: str, y_label: str, series: Sequence[dict], lines: Iterable[dict | None], epochs: float,
          low: float | None = None, high: float | None = None, words: str = "") -> dict:  # fmt: skip
    """Return one panel; without `low` and `high` its axis holds every value, and a flat line looks flat."""
    lines = [line for line in lines if line]
    if low is None or high is None:
        shown = [value for one in series for value in one["values"] if value is not None]
        low, high = limits([*shown, *(line["value"] for line in lines)])
    return {"title": title, "yLabel": y_label, "series": series, "lines": lines, "first": 0, "epochs": epochs,
            "low": low, "high": high, "words": words}  # fmt: skip


def series(kind: str, values: Iterable[float], label: str = "", xs: Sequence[float] | None = None) -> dict:
    """Return one curve of a panel; its values stand at epochs 1, 2, ... or at `xs`."""
    kept = [float(f"{value:.6g}") if isfinite(value) else None for value in values]
    return {
        "name": label or kind,
        "kind": kind,
        "values": kept,
        "xs": xs or list(range(1, len(kept) + 1)),
        "label": label,
    }


def line(value: float | None, label: str, kind: str = "") -> dict | None:
    """Return a line across a panel, a `limit` or an answer that needs no network; None where there is no value."""
    return (
        {"name": label, "label": label, "value": value, "kind": kind} if value is not None and isfinite(value) else None
    )


def limits(shown: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis that holds these values; 0 is among them where they hardly differ."""
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    if high - low <= 0.1 * max(abs(low), abs(high)):
        low, high = min(0.0, 1.2 * low), max(0.0, 1.2 * high)
    room = 0.04 * (high - low) or 0.5
    return low - room * (low != 0), high + room


def chart_figure(chart: Chart) -> Figure:
    """Draw a chart with matplotlib."""
    count = len(chart["panels"])
    figure, places = new_figure(1, count, width=5.5 * count, height=2.9, squeeze=False)
    for axes, one in zip(places[0], chart["panels"], strict=True):
        for curve in one["series"]:
            values = [nan if value is None else value for value in curve["values"]]
            every = max(1, len(values) // 12)
            axes.plot(curve["xs"], values, label=curve["label"] or "_", markevery=every, **LOOKS[curve["kind"]])
        for level in one["lines"]:
            axes.axhline(level["value"], label=level["label"], **(LIMIT if level["kind"] else CONSTANT))
        axes.set(
            xlabel="epoch", ylabel=one["yLabel"], xlim=(one["first"], one["epochs"]), ylim=(one["low"], one["high"])
        )
        axes.set_title(one["title"], loc="left")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_formatter(short_number)
        axes.text(0.5, 0.3, one["words"], transform=axes.transAxes, color="0.35", size=15, ha="center", va="center")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="best", fontsize=10, framealpha=0.8)
    figure.set_label(chart["alt"])
    return figure


def short_number(value: float, position: int | None = None) -> str:
    """Return a tick label of at most seven characters."""
    if value == 0 or 0.01 <= abs(value) < 10_000:
        return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}".replace("-", "\N{MINUS SIGN}")
