"""Show the code: which function of ours made what a cell shows, and its source, folded to one line below it."""

import inspect
import sys
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from types import CodeType

import pandas as pd
from IPython import get_ipython
from IPython.display import Markdown

from lm_utils.files import PROJECT

PACKAGE = Path(__file__).resolve().parent
FOLD = (
    '<details class="code"><summary style="font-size:.85em">{}</summary><pre style="font-size:.85em">{}</pre></details>'
)


def maker() -> CodeType | None:
    """Return the function of ours that a notebook's cell called; None where the cell called the caller itself."""
    frame, found = sys._getframe(2), None
    while frame and frame.f_globals.get("__name__") != "__main__":  # the cell; below it a kernel may be a fork of ours
        if frame.f_globals.get("__name__", "").startswith("lm_utils."):
            found = frame.f_code
        frame = frame.f_back
    return found


def drawn_by(draw: Callable) -> list[CodeType]:
    """Return the functions of ours that make a lab's picture; for a function inside another, those that it calls."""
    while isinstance(draw, partial):
        draw = draw.func
    called = [draw]
    if "<locals>" in draw.__qualname__ or draw.__name__ == "<lambda>":
        called = [one for one in inspect.getclosurevars(draw).globals.values() if inspect.isfunction(one)]
    return [one.__code__ for one in called if Path(one.__code__.co_filename).is_relative_to(PACKAGE)]


def folded(*functions: CodeType | None) -> str:
    """Return the source of these functions as HTML, folded under their names and their files'."""
    known = [function for function in functions if function]
    places = ", ".join(f"<code>{escape(one.co_qualname)}</code> in <code>{place_of(one)}</code>" for one in known)
    source = escape("\n\n".join(inspect.cleandoc("\n" + inspect.getsource(one)) for one in known))
    source = source.replace("\n", "&#10;").replace("$", "&#36;")  # inside Markdown: no empty line, no formula
    return FOLD.format(f"Show the code: {places}", source) if known else ""


def with_code(text: str) -> Markdown:
    """Return Markdown with the code of the function that the cell called folded below it."""
    return Markdown(f"{text}\n\n{folded(maker())}")


def table_with_code(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that knows the function of ours that the cell called; a notebook unfolds it below."""
    table.attrs["made_by"] = maker()
    if notebook := get_ipython():
        html = notebook.display_formatter.formatters["text/html"]
        html.for_type(pd.DataFrame, lambda shown: shown._repr_html_() + folded(shown.attrs.get("made_by")))
    return table


def place_of(function: CodeType) -> str:
    """Return the file of a function and its first line, as they stand in the project."""
    file = Path(function.co_filename)
    name = file.relative_to(PROJECT).as_posix() if file.is_relative_to(PROJECT) else file.name
    return f"{name}:{function.co_firstlineno}"
