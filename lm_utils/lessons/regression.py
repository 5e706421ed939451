"""Notebook 08: regression with the wrong tools; a loss without a floor, and outputs that run away.

Its table of results is made in `lm_utils/evidence/tables.py` (`summary`, `own_table`).
"""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure


def level_and_gap_figure(watched: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draw over the epochs the mean output of all images, and how far those of large and small targets are apart."""
    figure, (left, right) = new_figure(columns=2, width=11, height=3.8)
    words = []
    for place, (name, (level, gap)) in enumerate(watched.items()):
        look = {"color": COLORS[place], "marker": MARKERS[place], "linestyle": LINES[place], "label": name}
        left.plot(range(1, len(level) + 1), level, **look)
        right.plot(range(1, len(gap) + 1), gap, **look)
        words.append(f"{name}: level {level[-1]:.2f}, gap {gap[-1]:.2f} at the end")
    for axis in (left, right):
        axis.axhline(0, color="0.35", linewidth=1)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel="epoch", ylabel="mean output", title="Level: all images")
    right.set(xlabel="epoch", ylabel="difference of mean outputs", title="Gap: large minus small targets")
    left.legend(loc="best")
    figure.set_label(f"Mean output and gap between large and small targets over the epochs. {'; '.join(words)}.")
    return figure
