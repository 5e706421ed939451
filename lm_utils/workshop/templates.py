"""Fill the templates of this room: each is a file that looks like what it becomes, with places for what is computed."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

SIGNS = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: str) -> str:
    """Return text as Markdown that shows it as it is, whatever its signs mean there."""
    return SIGNS.sub(r"\\\1", " ".join(text.split()))


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_suffix("")),
    autoescape=select_autoescape(default_for_string=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters |= {"plain": plain, "as": format}


def filled(template: str, **values: object) -> str:
    """Return a template of the folder `templates` with these values in it."""
    return TEMPLATES.get_template(template).render(values)
