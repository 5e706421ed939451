"""Notebook 01, part 2: what one point far from the others does to a line fitted under three losses."""

from itertools import combinations

import ipywidgets as widgets
import numpy as np
import scipy
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lm_utils.lessons.losses import THREE, value_and_slope
from lm_utils.show.lab import lab, menu, slider
from lm_utils.show.style import ALERT, COLORS, LINES, MARKERS, new_figure

MODELS = {"a line": 2, "one number": 1}
PLACES = np.linspace(1.0, 6.25, 8)
NOISE = np.array([0.3, -0.5, 0.1, 0.6, -0.2, -0.4, 0.5, -0.3])
ENDS = np.array([0.0, 20.6])


def points(x: float, y: float, model: str = "a line") -> tuple[NDArray, NDArray]:
    """Return eight points near the line 1 + x (or near the number 4), and one more wherever it is wanted."""
    truth = 1 + PLACES if model == "a line" else np.full(len(PLACES), 4.0)
    return np.append(PLACES, x), np.append(truth + NOISE, y)


def design(x: NDArray, model: str) -> NDArray:
    """Return the columns that a model combines: ones, and for a line also x."""
    return np.stack([np.ones_like(x), x], axis=1)[:, : MODELS[model]]


def fit(x: NDArray, y: NDArray, loss: str, model: str = "a line") -> NDArray:
    """Return height at 0 (and rise) with the lowest loss: exact for MSE and MAE, to 1e-10 for Huber."""
    columns = design(x, model)
    if loss == "MSE":
        return np.linalg.lstsq(columns, y, rcond=None)[0]
    return {"MAE": fit_absolutes, "Huber": fit_huber}[loss](columns, y)


def fit_absolutes(columns: NDArray, y: NDArray) -> NDArray:
    """Find the least absolute errors, exactly: some best line runs through two points, so all pairs are tried."""
    if columns.shape[1] == 1:
        return np.array([np.median(y)])
    pairs = [pair for pair in map(list, combinations(range(len(y)), 2)) if np.ptp(columns[pair, 1]) > 0]
    lines = np.linalg.solve(columns[pairs], y[pairs][..., None])[..., 0]
    return lines[np.abs(lines @ columns.T - y).sum(axis=1).argmin()]


def fit_huber(columns: NDArray, y: NDArray, delta: float = 1.0) -> NDArray:
    """Find Huber's fit, from that of the least absolute errors."""
    found = scipy.optimize.least_squares(
        lambda fitted: columns @ fitted - y, fit_absolutes(columns, y), loss="huber", f_scale=delta,
        ftol=1e-15, xtol=1e-15, gtol=1e-12,
    )  # fmt: skip
    return found.x


def share_of_pull(x: NDArray, y: NDArray, loss: str, model: str = "a line") -> float:
    """Return the last point's share of all pulls (sizes of slopes) on the fitted model."""
    errors = np.round(design(x, model) @ fit(x, y, loss, model) - y, 9)
    pulls = np.abs(value_and_slope(THREE[loss], errors)[1])
    return float(pulls[-1] / pulls.sum())


def outlier_figure(x: float = 5.5, y: float = 16.0, model: str = "a line") -> Figure:
    """Draw the points and the three fits; beside them, how much of all pulling the outlier does."""
    figure, (left, right) = new_figure(
        1, 2, width=11, height=4.6, width_ratios=[1.6, 1], edges=(0.055, 0.13, 0.985, 0.91, 0.18)
    )
    right.set_position([0.685, 0.56, 0.3, 0.35])
    xs, ys = points(x, y, model)
    left.plot(xs[:-1], ys[:-1], "o", color="0.35", label="eight good points")
    left.plot([x], [y], "X", color=ALERT, ms=14, zorder=5, label="the outlier")
    for i, name in enumerate(THREE):
        parts = fit(xs, ys, name, model)
        rule = f"{parts[0]:.2f}" if model == "one number" else f"{parts[0]:.2f} {parts[1]:+.2f} x"
        line = design(ENDS, model) @ parts
        left.plot(ENDS, line, ls=LINES[i], color=COLORS[i], label=f"{name}: {rule.replace('-', '−')}")
        left.plot([9 + i], [np.interp(9 + i, ENDS, line)], MARKERS[i], color=COLORS[i])
    left.set(xlim=(0, 20.6), ylim=(-6.5, 22.5), xlabel="x", ylabel="y", title=f"Three fits of {model}")
    shares = [100 * share_of_pull(xs, ys, name, model) for name in THREE]
    bars = right.barh(list(THREE), shares, color=COLORS[:3], hatch=["", "//", ".."], edgecolor="white")
    right.bar_label(bars, fmt="%.0f %%", padding=4)
    right.set(xlim=(0, 60), xlabel="%", title="The outlier's share of all pulling")
    right.invert_yaxis()
    right.grid(False, axis="y")
    figure.legend(loc="lower left", bbox_to_anchor=(0.675, 0.04), fontsize=11)
    figure.set_label(
        f"Fits of {model} under MSE, MAE and Huber with an outlier at x = {x:g}, y = {y:g}; bars show the outlier's"
        " share of all pulling."
    )
    return figure


def outlier_lab(model: str = "a line") -> widgets.VBox:
    """Move the outlier up, down and sideways; the three fits follow."""
    return lab(
        outlier_figure,
        y=slider("outlier's height", 16.0, -6.0, 22.0, 0.5),
        model=menu("fit", list(MODELS), model),
        x=slider("outlier's place x", 5.5, 0.5, 20.0, 0.5),
    )
