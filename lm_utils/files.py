"""Where the project's files lie."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "results"
NOTEBOOKS = PROJECT / "notebooks"
DOCS = PROJECT / "docs"
BUILD = PROJECT / "build"
