"""Show the code: what a lesson's function does, folded below the cell that calls it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from html import escape
from pathlib import Path

from IPython.display import HTML

from lm_utils.files import PROJECT


def code_of(function: Callable) -> HTML:
    """Return the source of a function or a class, folded, under its name and its file's."""
    source, first = inspect.getsourcelines(function)
    file = Path(inspect.getfile(function))
    place = file.relative_to(PROJECT).as_posix() if file.is_relative_to(PROJECT) else file.name
    head = f"Show the code: <code>{function.__qualname__}</code> in <code>{place}</code>, line {first}"
    return HTML(f"<details><summary>{head}</summary><pre>{escape(''.join(source))}</pre></details>")
