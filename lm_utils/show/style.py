"""One look for every figure, and the two ways to show one: in a cell (`show`) and in a widget (`Picture`)."""

import base64
import html
import io
from functools import cache
from pathlib import Path

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findSystemFonts, fontManager, get_font_names

from lm_utils.errors import UserError
from lm_utils.show_code import folded, maker

COLORS = [  # seaborn's palette "colorblind"
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
]  # fmt: skip
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*"]
LINES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (5, 5))]
KOREAN_FONTS = {  # and the file that holds each
    "Noto Sans CJK KR": "NotoSansCJK-Regular", "NanumGothic": "NanumGothic", "Malgun Gothic": "malgun",
    "Apple SD Gothic Neo": "AppleSDGothicNeo", "AppleGothic": "AppleGothic",
}  # fmt: skip
GOOD, INFO, WARNING, ALERT, QUIET = "#0a6b4a", "#01588f", "#a23b00", "#8b1a1a", "#5c5c5c"  # each can be read on white
CONSTANT_LINE = {"color": "0.25", "lw": 1.4, "ls": ":"}  # the best constant answer, in every figure of curves and runs
SHARP = 200  # dots per inch of a picture on a screen, which shows 100

# A verdict of `advise`: a sign and a colour, the same in every notebook, in the explorer and on the card. The sign
# stands beside the colour everywhere; each colour is dark enough to be read on white, and with white signs on it.
VERDICT_SIGNS = {"recommended": "✓", "workable": "○", "handicapped": "△", "impossible": "✗"}
VERDICT_COLORS = {"recommended": GOOD, "workable": INFO, "handicapped": WARNING, "impossible": ALERT}


def korean_fonts() -> list[str]:
    """Return the fonts with Korean letters, also those that were installed after matplotlib had made its list."""
    if not KOREAN_FONTS.keys() & set(get_font_names()):
        for path in filter(lambda path: Path(path).stem in KOREAN_FONTS.values(), findSystemFonts()):
            fontManager.addfont(path)
    return [name for name in KOREAN_FONTS if name in set(get_font_names())]


@cache
def rc() -> dict:
    """Return the settings of every figure: large enough for the last row of a classroom."""
    fonts = korean_fonts()
    return {
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "patch.edgecolor"), "white"),
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ".15"),
        **dict.fromkeys(("axes.edgecolor", "grid.color"), ".8"),
        **dict.fromkeys(("axes.grid", "axes.axisbelow", "patch.force_edgecolor"), True),
        **dict.fromkeys(("xtick.bottom", "ytick.left", "axes.spines.top", "axes.spines.right"), False),
        "lines.solid_capstyle": "round",
        "font.family": ["DejaVu Sans", *fonts[:1]],
        **dict.fromkeys(("font.size", "axes.labelsize"), 12),
        **dict.fromkeys(("legend.fontsize", "xtick.labelsize", "ytick.labelsize"), 11),
        "axes.titlesize": 13,
        "lines.linewidth": 2.2,
        "lines.markersize": 7,
        "figure.dpi": 100,
        "axes.prop_cycle": mpl.cycler(color=COLORS[:8]),
    }


def new_figure(
    rows: int = 1, columns: int = 1, width: float = 10.0, height: float = 3.8,
    edges: tuple[float, ...] | None = None, **options: object,
) -> tuple[Figure, Axes]:  # fmt: skip
    """Make an empty figure in the course's style and its axes (an array of axes where there are several).

    With `edges` (left, bottom, right and top of the axes, and the space between columns) the places are fixed, which is
    quicker than to compute them at each turn of a control.
    """
    with mpl.rc_context(rc()):
        figure = Figure(figsize=(width, height), layout=None if edges else "constrained")
        axes = figure.subplots(rows, columns, **options)
    if edges:
        figure.subplots_adjust(*edges)
    figure.made_by = maker()
    return figure, axes


def heatmap(
    axis: Axes, table: np.ndarray, words: np.ndarray, across: list[str], down: list[str], colors: str = "cividis"
) -> None:
    """Colour the cells of a table from 0 to 1, grey where there is no number, with words in them."""
    import seaborn  # takes seconds, and few figures need it

    axis.set_facecolor("0.93")
    seaborn.heatmap(table, vmin=0, vmax=1, cmap=colors, annot=words, fmt="", annot_kws={"fontsize": 11}, cbar=False,
                    xticklabels=across, yticklabels=down, ax=axis)  # fmt: skip
    axis.grid(visible=False)
    axis.tick_params(axis="y", rotation=0)
    for row, column in zip(*np.nonzero(np.isnan(table)), strict=True):
        axis.text(column + 0.5, row + 0.5, words[row, column], ha="center", va="center", fontsize=11, color="0.35")


def png(figure: Figure, dpi: int = 100) -> bytes:
    """Return the figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context(rc()):
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def image_tag(figure: Figure) -> str:
    """Return the figure as an HTML image with its alt text, of twice the pixels it is wide, to be sharp enlarged."""
    alt = figure.get_label()
    if not alt:
        raise UserError("This figure has no alt text; set one with figure.set_label('what it shows').")
    data, width = base64.b64encode(png(figure, SHARP)).decode(), round(100 * figure.get_figwidth())
    return (
        f'<img alt="{html.escape(alt, quote=True)}" width="{width}" style="max-width:100%"'
        f' src="data:image/png;base64,{data}">'
    )


class Shown:
    """A figure as a cell's result: an image with alt text and its code, or the alt text where HTML is not drawn."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        code = folded(getattr(self.figure, "made_by", None))
        return {"text/html": image_tag(self.figure) + code, "text/plain": self.figure.get_label()}


show = Shown  # written as the last line of a cell


class Picture(widgets.HTML):
    """A figure inside a widget; `draw` replaces it without flicker and keeps its alt text."""

    def draw(self, figure: Figure) -> None:
        """Show this figure now."""
        self.value = image_tag(figure)
