"""The losses as curves: what an error costs, and how hard it pulls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as widgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from lm_utils.show.style import COLORS, LINES, MARKERS, Picture, new_figure

Curve = Callable[[NDArray], NDArray]
ERRORS = np.linspace(-3, 3, 601)
SCORES = np.linspace(-6, 6, 601)

# --- losses of an error --------------------------------------------------------------------------------------


def mse(e: ArrayLike) -> NDArray:
    """Squared error of an error e = prediction - target."""
    return np.square(e)


def mse_slope(e: ArrayLike) -> NDArray:
    """Slope of the squared error: as large as the error, twice."""
    return 2 * np.asarray(e, float)


def mae(e: ArrayLike) -> NDArray:
    """Absolute error."""
    return np.abs(e)


def mae_slope(e: ArrayLike) -> NDArray:
    """Slope of the absolute error: -1 or 1, and 0 at an error of exactly 0."""
    return np.sign(e)


def huber(e: ArrayLike, delta: float = 1.0) -> NDArray:
    """Half the square up to delta, a straight line beyond."""
    size = np.abs(e)
    return np.where(size <= delta, np.square(e) / 2, delta * (size - delta / 2))


def huber_slope(e: ArrayLike, delta: float = 1.0) -> NDArray:
    """Slope of the Huber loss: the error itself, but never more than delta."""
    return np.clip(e, -delta, delta)


def rmse(e: ArrayLike, other: float = 1.0) -> NDArray:
    """Root mean squared error of a batch of two: this error and another one."""
    return np.sqrt((np.square(e) + other**2) / 2)


def rmse_slope(e: ArrayLike, other: float = 1.0) -> NDArray:
    """Slope of the batch's RMSE by this error: it depends on the other one too."""
    return np.asarray(e, float) / (2 * np.maximum(rmse(e, other), 1e-12))


def error_curves(delta: float = 1.0, other: float = 1.0) -> dict[str, tuple[Curve, Curve]]:
    """Value and slope of each loss of an error, by name."""
    return {
        "MSE": (mse, mse_slope),
        "MAE": (mae, mae_slope),
        "Huber": (lambda e: huber(e, delta), lambda e: huber_slope(e, delta)),
        "RMSE": (lambda e: rmse(e, other), lambda e: rmse_slope(e, other)),
    }


# --- losses of a score ---------------------------------------------------------------------------------------


def sigmoid(z: ArrayLike) -> NDArray:
    """The probability that a score z stands for."""
    return 0.5 * (1 + np.tanh(np.asarray(z, float) / 2))


def score_curves(sign: int = 1, rivals: int = 2) -> dict[str, tuple[Curve, Curve]]:
    """Value and slope of each classification loss by the score z, for a label +1 or -1, by name.

    The cross-entropy belongs to a class with score z among `rivals` others with score 0; a label of -1 means
    that the first of these others is the true class.
    """
    yes = (1 + sign) / 2

    def share(z: NDArray) -> NDArray:
        return sigmoid(z - np.log(rivals))

    return {
        "BCE": (lambda z: np.logaddexp(0, -sign * z), lambda z: sigmoid(z) - yes),
        f"cross-entropy, {rivals + 1} classes": (
            lambda z: np.logaddexp(np.log(rivals), z) - yes * z,
            lambda z: share(z) - yes,
        ),
        "hinge": (lambda z: np.maximum(0, 1 - sign * z), lambda z: np.where(sign * z < 1, -float(sign), 0.0)),
        "MSE on sigmoid": (
            lambda z: (sigmoid(z) - yes) ** 2,
            lambda z: 2 * (sigmoid(z) - yes) * sigmoid(z) * sigmoid(-z),
        ),
    }


# --- figures and labs ----------------------------------------------------------------------------------------


def curves_figure(
    curves: Mapping[str, tuple[Curve, Curve]], x: NDArray, at: float, names: tuple[str, str], tops: Sequence[float]
) -> Figure:
    """Value (left) and slope (right) of several losses, with a marker where we stand."""
    figure, panels = new_figure(1, 2, width=11, height=4.0)
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.06, right=0.985, bottom=0.15, top=0.9, wspace=0.17)
    for which, (panel, title, top) in enumerate(zip(panels, names, tops, strict=True)):
        for i, (name, pair) in enumerate(curves.items()):
            here = float(pair[which](np.array(at)))
            y = pair[which](x)
            y = np.where(np.r_[False, np.abs(np.diff(y)) > 0.5], np.nan, y)  # a jump is no slope: draw no line
            panel.plot(x, y, ls=LINES[i], color=COLORS[i], label=name)
            panel.plot([at], [np.clip(here, -top, top)], MARKERS[i], color=COLORS[i], ms=9, mec="white", clip_on=False)
        panel.axvline(at, color="0.4", lw=1, ls=":")
        panel.axhline(0, color="0.4", lw=1)
        panel.set(xlim=(x[0], x[-1]), title=title)
    panels[0].set_ylim(-0.04 * tops[0], tops[0])
    panels[1].set_ylim(-tops[1], tops[1])
    return figure


def error_figure(error: float = 2.0, delta: float = 1.0, other: float = 1.0) -> Figure:
    """Value and slope of MSE, MAE, Huber and RMSE over the error."""
    titles = ("What an error costs", "How hard it pulls (slope)")
    figure = curves_figure(error_curves(delta, other), ERRORS, error, titles, (4.5, 4.3))
    for panel in figure.axes:
        panel.set_xlabel("error = prediction - target")
    figure.axes[0].legend(loc="upper center", fontsize=10)
    figure.set_label(
        f"Value and slope of MSE, MAE, Huber and RMSE over the error, marked at {error:g}. MSE's slope is a straight"
        " line through zero, MAE's jumps from -1 to 1, Huber's is cut off, RMSE's bends."
    )
    return figure


def score_figure(score: float = -3.0, sign: int = 1) -> Figure:
    """Value and slope of BCE, cross-entropy, hinge and MSE behind a sigmoid over the score."""
    titles = ("What a score costs", "How hard it pulls (slope)")
    figure = curves_figure(score_curves(sign), SCORES, score, titles, (7.2, 1.15))
    for panel in figure.axes:
        panel.set_xlabel(f"score z; the label is {'yes (+1)' if sign > 0 else 'no (-1)'}")
    figure.axes[0].legend(loc="upper right" if sign > 0 else "upper left", fontsize=10)
    figure.set_label(
        f"Value and slope of BCE, cross-entropy, hinge and MSE behind a sigmoid over the score, marked at {score:g}."
        " For a confident mistake the first three keep a slope near one, the last one's slope fades to nothing."
    )
    return figure


def table(curves: Mapping[str, tuple[Curve, Curve]], at: float, caption: str) -> str:
    """Value and slope of each loss at one place, as a small HTML table."""
    rows, right = "", "text-align:right;padding:0 .8em"
    for name, pair in curves.items():
        numbers = [round(float(curve(np.array(at))), 3) + 0.0 for curve in pair]
        cells = "".join(f"<td style='{right}'>{number:.3f}</td>" for number in numbers)
        rows += f"<tr><th scope='row' style='text-align:left;padding:0 .8em'>{name}</th>{cells}</tr>"
    heads = "".join(f"<th scope='col' style='{right}'>{head}</th>" for head in ("loss", "value", "slope"))
    return f"<table style='font-size:1rem;line-height:1.35'><caption>{caption}</caption><tr>{heads}</tr>{rows}</table>"


def _slider(value: float, low: float, high: float, step: float, name: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        value, min=low, max=high, step=step, description=name, continuous_update=False, readout_format=".1f",
        style={"description_width": "11em"}, layout={"width": "34em"},
    )  # fmt: skip


def error_lab(error: float = 2.0) -> widgets.VBox:
    """Move an error; read what each loss charges for it and how hard it pulls."""
    errors = _slider(error, -3, 3, 0.1, "error")
    delta = _slider(1.0, 0.2, 2.0, 0.1, "Huber's delta")
    other = _slider(1.0, 0.0, 3.0, 0.1, "RMSE: other error")
    told, picture = widgets.HTML(), Picture()

    def redraw(_change: object = None) -> None:
        e, d, o = (round(slider.value, 2) + 0.0 for slider in (errors, delta, other))
        told.value = table(error_curves(d, o), e, f"error {e:g}")
        picture.draw(error_figure(e, d, o))

    for slider in (errors, delta, other):
        slider.observe(redraw, names="value")
    redraw()
    return widgets.VBox([widgets.HBox([widgets.VBox([errors, delta, other]), told]), picture])


def score_lab(score: float = -3.0) -> widgets.VBox:
    """Move a score; read what each classification loss charges for it and how hard it pulls."""
    scores = _slider(score, -6, 6, 0.5, "score z")
    label = widgets.Dropdown(
        options=[("yes (+1)", 1), ("no (-1)", -1)], description="label", style={"description_width": "11em"}
    )
    told, picture = widgets.HTML(), Picture()

    def redraw(_change: object = None) -> None:
        z = round(scores.value, 2) + 0.0
        told.value = table(score_curves(label.value), z, f"score {z:g}, probability {float(sigmoid(z)):.3f}")
        picture.draw(score_figure(z, label.value))

    for control in (scores, label):
        control.observe(redraw, names="value")
    redraw()
    return widgets.VBox([widgets.HBox([widgets.VBox([scores, label]), told]), picture])
