"""Where the project's files lie, where a user's are kept, and how a file is written whole."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "results"
NOTEBOOKS = PROJECT / "notebooks"
DOCS = PROJECT / "docs"
BUILD = PROJECT / "build"
WORKING_COPY = PROJECT / "my_notebooks"  # beside notebooks/, so that links to docs/ lead there from both


def user_cache() -> Path:
    """Return the folder of this project in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loss-misuse-lab"


def cache_folder() -> Path:
    """Return where runs are kept: LM_CACHE_DIR, or the user's cache folder."""
    return Path(os.environ.get("LM_CACHE_DIR") or user_cache()).expanduser().absolute()


def answers_folder() -> Path:
    """Return where votes and replies are kept: in the working copy for its own notebooks, else where runs are kept."""
    return WORKING_COPY if Path.cwd().is_relative_to(WORKING_COPY) else cache_folder()


def try_to_write(folder: Path) -> None:
    """Make a folder and see whether it takes a file; the OSError says why it does not."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(65_536))


def read_kept(path: Path) -> dict:
    """Return what was kept as JSON by name; nothing where the file is missing or cannot be read."""
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        return kept if isinstance(kept, dict) else {}
    return {}


def read_lines(path: Path) -> list[dict]:
    """Return what the lines of a JSONL file hold; nothing where there is no file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def write_lines(path: Path, entries: Iterable[dict]) -> None:
    """Write a JSONL file, whole or not at all."""
    write_whole(path, "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries))


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, through a hidden file beside it that no other process uses."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        os.replace(beside, path)
    except OSError as problem:
        problem.filename = str(path)  # the file that was asked for, not the one beside it
        raise
    finally:
        with suppress(OSError):  # on a read-only file system this fails too, and would hide what failed first
            beside.unlink(missing_ok=True)
