"""Curves by name: one plain figure for whatever is drawn over epochs, steps or places."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure


def curves_figure(
    curves: Mapping[str, Sequence[Sequence[float]]], alt: str, x: Sequence[float] | None = None,
    levels: Mapping[str, float] | None = None, every: int = 1, **look: object,
) -> Figure:  # fmt: skip
    """Draw one colour per name and one line for each of its curves, with dotted levels to read them by.

    Without `x` the first value stands at 1; `every` so many values there is a mark; `look` is for `axes.set`.
    """
    figure, axes = new_figure(height=3.8)
    for i, (name, lines) in enumerate(curves.items()):
        style = {"ls": LINES[i], "marker": MARKERS[i], "ms": 5, "lw": 1.8, "color": COLORS[i]}
        marks = (i * every // len(curves), every)  # so that marks of different curves do not hide each other
        for j, line in enumerate(lines):
            places = range(1, len(line) + 1) if x is None else x
            axes.plot(places, line, markevery=marks, label="" if j else name, **style)
    for name, value in (levels or {}).items():
        axes.axhline(value, color="0.4", lw=1.2, ls=":", label=name)
    axes.set(**look)
    axes.legend()
    figure.set_label(alt)
    return figure
