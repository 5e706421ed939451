"""Functions that tests of several rooms share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from lm_utils.data import Part, Splits

if TYPE_CHECKING:  # a machine that only tests its GPU has no widgets
    import ipywidgets as widgets


def first_images(splits: Splits, *sizes: int) -> Splits:
    """Return the same split with only the first images of its train, valid and test part."""
    parts = {name: getattr(splits, name) for name in ("train", "valid", "test")}
    cut = {
        name: Part(part.images[:size], part.digits[:size])
        for (name, part), size in zip(parts.items(), sizes, strict=True)
    }
    return replace(splits, **cut)


def until(condition: Callable[[], object], seconds: float = 240.0) -> None:
    """Wait for a condition, but not for ever."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def parts(box: widgets.Widget, kind: type[widgets.Widget]) -> list[widgets.Widget]:
    """Return all widgets of a kind inside a box."""
    children = [box] if not hasattr(box, "children") else [w for child in box.children for w in parts(child, kind)]
    return [widget for widget in children if isinstance(widget, kind)]


def status_line(box: widgets.Widget) -> str:
    """Return what the line beside the buttons of a live training says."""
    return box.bar.status.value.split(">")[1].split("<")[0]
