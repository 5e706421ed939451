"""The line at the top of a notebook: which data, which device, and why; and names for its sliders."""

from html import escape
from pathlib import Path

from IPython.display import HTML

from lm_utils.data import describe_data, friendly
from lm_utils.training import pick_device

NAME_SLIDERS = f"<script>\n{Path(__file__).with_name('slider_names.js').read_text(encoding='utf-8')}</script>"


def banner(data: str = "auto", device: str = "auto") -> HTML:
    """Say which data set and device this notebook will use."""
    rows = {"Data": friendly(describe_data(data)), "Device": pick_device(device)}
    lines = "".join(f"<div><b>{name}:</b> {escape(text)}</div>" for name, text in rows.items())
    return HTML(f'<div role="note" style="border-left:4px solid #0173b2;padding:.4em 1em">{lines}</div>{NAME_SLIDERS}')
