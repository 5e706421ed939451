"""Korean words for the pages that are written from code."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from lm_utils.errors import UserError

FILE = Path(__file__).with_name("korean.toml")


@cache
def phrases() -> dict[str, str]:
    """Return every English text that has a translation, with it."""
    return {pair["english"]: pair["korean"] for pair in tomllib.loads(FILE.read_text("utf-8"))["phrase"]}


def korean(text: str) -> str:
    """Return a text in Korean."""
    if text not in phrases():
        raise UserError(f"No Korean for {text!r}; add a phrase to {FILE.name}.")
    return phrases()[text]
