"""The documents' tables, read from rows.csv: each row with its section, its published figures, and its pairing."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lm_utils.pairing import Pairing

TABLES = ("loss", "activation", "twin", "extra", "remedy")


@dataclass(frozen=True)
class Row:
    """One row of a table: its table, what the document published, and the pairing it means."""

    id: str  # document, section, what; or a table of ours and what
    table: str  # "loss" (000), "activation" (001), "twin" (the call PyTorch means), "extra" (a loss of 002), "remedy"
    fits: bool  # whether the document marks it as the recommended one; for our own rows, whether it fits the task
    pairing: Pairing
    valid: float | None = None  # published; None where the document left it empty
    test: float | None = None
    published_error: str = ""
    differs: str = ""  # why our mean is further than a point (0.03 of MSE) from the published figure, where it is
    corrects: tuple[str, ...] = ()  # the rows a twin or remedy answers

    @property
    def label(self) -> str:
        """The name of its pairing."""
        return self.pairing.label

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
    lines = files(__package__).joinpath("rows.csv").read_text(encoding="utf-8").splitlines()
    every = tuple(row_of(line) for line in csv.DictReader(lines))
    return tuple(row for row in every if task in (None, row.pairing.task) and table in (None, row.table))


def row_of(line: dict[str, str]) -> Row:
    """A row out of its line in the file."""
    task, loss, activation, hidden = (line.pop(name) for name in ("task", "loss", "activation", "hidden"))
    normalize, prior_bias, fits = (line.pop(name) == "yes" for name in ("normalize", "prior_bias", "fits"))
    valid, test = (float(figure) if (figure := line.pop(name)) else None for name in ("valid", "test"))
    pairing = Pairing(task, loss, activation, hidden or "sigmoid", normalize, prior_bias)
    corrects = tuple(line.pop("corrects").split())
    return Row(pairing=pairing, fits=fits, valid=valid, test=test, corrects=corrects, **line)


def pairings(chosen: Iterable[Row] | None = None) -> tuple[Pairing, ...]:
    """The different pairings of some rows (of all, when none are named); several rows may share one."""
    return tuple(dict.fromkeys(row.pairing for row in (rows() if chosen is None else chosen)))
