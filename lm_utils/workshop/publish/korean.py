"""Korean words for the pages that are written from code, and the marks that tie Korean cells to their English ones."""

import hashlib
import re
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import jupytext

from lm_utils.errors import UserError
from lm_utils.files import write_whole

FILE = Path(__file__).with_name("korean.toml")
HEADER = re.compile(r'^(# %% \[markdown\] tags=\["lang-ko"\]).*$', re.MULTILINE)


@cache
def phrases() -> dict[str, str]:
    """Return every English text that has a translation, with it."""
    return tomllib.loads(FILE.read_text("utf-8"))


def korean(text: str) -> str:
    """Return a text in Korean."""
    if text not in phrases():
        raise UserError(f"No Korean for {text!r}; add it to {FILE.name}.")
    return phrases()[text]


# --- cells of notebooks ---


def mark(english: str) -> str:
    """Return the short hash by which a Korean cell names the English text that it translates."""
    return hashlib.sha256(english.encode()).hexdigest()[:8]


def changed_since_translated(source: Path) -> list[str]:
    """Name, in a sentence each, the English cells that changed since their Korean was written."""
    return [
        f"{source.name}: the English cell {_first_words(english)!r} has changed since its Korean was written; "
        "translate it again, then run `make notebooks TRANSLATED=1`."
        for english, known in _translations(source)
        if known != mark(english)
    ]


def renew(source: Path) -> None:
    """Write into the header of every Korean cell the mark of its English cell as it stands now."""
    marks = iter([mark(english) for english, _ in _translations(source)])
    text = source.read_text("utf-8")
    write_whole(source, HEADER.sub(lambda header: f'{header[1]} english="{next(marks)}"', text))


def _translations(source: Path) -> list[tuple[str, str | None]]:
    """Return each translated English text, with the mark that stands on its Korean cell."""
    return [
        (english.source, cell.metadata.get("english"))
        for english, cell in pairwise(jupytext.read(source, fmt="py:percent").cells)
        if "lang-ko" in cell.metadata.get("tags", [])
    ]


def _first_words(text: str) -> str:
    return " ".join(text.lstrip("# ").split()[:6])
