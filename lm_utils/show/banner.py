"""The line at the top of a notebook: which data, which device, and why."""

from __future__ import annotations

from html import escape

from IPython.display import HTML

from lm_utils.data import describe_data
from lm_utils.show.slider_names import SCRIPT
from lm_utils.training import pick_device


def banner(data: str = "auto", device: str = "auto") -> HTML:
    """Say which data set and device this notebook will use."""
    rows = {"Data": describe_data(data), "Device": str(pick_device(device))}
    lines = "".join(f"<div><b>{name}:</b> {escape(text)}</div>" for name, text in rows.items())
    return HTML(f'<div role="note" style="border-left:4px solid #0173b2;padding:.4em 1em">{lines}</div>{SCRIPT}')
