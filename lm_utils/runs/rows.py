"""The documents' tables as data: each row with its section, its published figure if any, and its pairing."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

from lm_utils.pairing import Pairing

TABLES = ("loss", "activation", "twin", "extra", "remedy")


@dataclass(frozen=True)
class Row:
    """One row of a table: what the document calls it, what it published, and the pairing it means."""

    id: str
    table: str  # "loss" (document 000), "activation" (document 001), "twin", "extra", "remedy"
    label: str
    fits: bool  # whether the row is marked as the recommended one
    pairing: Pairing
    valid: float | None = None  # published; None where the document left it empty
    test: float | None = None
    published_error: str = ""
    differs: str = ""  # why our mean is further than a point (0.03 of MSE) from the published figure, where it is
    corrects: tuple[str, ...] = ()  # the rows a twin or remedy answers

    @property
    def document(self) -> str:
        """'000' or '001'; empty for rows of our own."""
        return self.id[:3] if self.table in ("loss", "activation") else ""

    @property
    def section(self) -> str:
        """Such as '3-4'; empty for rows of our own."""
        return self.id[4:7] if self.document else ""


@cache
def rows(task: str | None = None, table: str | None = None) -> tuple[Row, ...]:
    """All rows, or those of one task or one table, in the documents' order."""
    entries = tomllib.loads(files(__package__).joinpath("rows.toml").read_text(encoding="utf-8"))["row"]
    every = tuple(row_of(entry) for entry in entries)
    return tuple(row for row in every if task in (None, row.pairing.task) and table in (None, row.table))


def row_of(entry: dict) -> Row:
    """A row out of its entry in the file."""
    options = {field.name: entry[field.name] for field in fields(Pairing) if field.name in entry}
    own = {name: value for name, value in entry.items() if name not in options}
    own["corrects"] = tuple(own.get("corrects", ()))
    return Row(pairing=Pairing(**options), **own)


def pairings(chosen: Iterable[Row] | None = None) -> tuple[Pairing, ...]:
    """The different pairings of some rows (of all, when none are named); several rows may share one."""
    return tuple(dict.fromkeys(row.pairing for row in (rows() if chosen is None else chosen)))
