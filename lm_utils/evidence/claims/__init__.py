"""The documents' checkable claims: claims.csv says what each says and which test decides it; here they are judged.

The tests stand in the files beside this one: of stored runs in `by_rows`, `by_pairs` and `by_conditions`, of formulas
and of PyTorch itself in the file of the document. Nothing here draws or trains, and no verdict is typed by hand.
"""

import csv
import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from math import nan
from pkgutil import iter_modules

import pandas as pd

from lm_utils.errors import UserError
from lm_utils.evidence.claims.claim import VERDICTS, Claim, Test
from lm_utils.evidence.results import Results, reference

ONE_VALUE = ("measure", "ours", "other")  # arguments of tests that are no lists
HYPHEN_AS_MINUS = re.compile(r"(?<![\w)-])-(?=\d)")
SIGNS = {"holds": "✓", "holds here": "✓", "not shown": "≈", "refuted": "✗", "not tested": "…"}


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict and the figures behind it."""

    claim: Claim
    verdict: str
    evidence: str
    p: float = nan

    @property
    def signed(self) -> str:
        """Return the verdict with a sign before it, so that it can be seen at a glance."""
        return f"{SIGNS[self.verdict]} {self.verdict}"


@cache
def claims() -> tuple[Claim, ...]:
    """Return all claims, in the documents' order."""
    modules = [import_module(f"{__name__}.{beside.name}") for beside in iter_modules(__path__)]
    tests = {name: found for module in modules for name, found in inspect.getmembers(module, inspect.isfunction)}
    lines = csv.DictReader(files(__package__).joinpath("claims.csv").read_text(encoding="utf-8").splitlines())
    return tuple(claim_of(line, tests) for line in lines)


def claim_of(line: dict[str, str], tests: dict[str, Test]) -> Claim:
    """Return a claim out of its line; `called_with` is such as "pairs: one against other; one against third"."""
    arguments = {}
    for part in filter(None, line.pop("called_with").split(" | ")):
        name, told = part.split(": ")
        values = [each.split(" against ") if " against " in each else each for each in told.split("; ")]
        arguments[name] = values[0] if name in ONE_VALUE else values
    test, guess = line.pop("test"), line.pop("guess") == "yes"
    return Claim(**line, test=tests[test] if test else None, arguments=arguments, guess=guess)


def judge_claim(claim: Claim, results: Results | None = None) -> Judged:
    """Run the test of a claim."""
    if claim.test is None:
        return Judged(claim, "not tested", claim.note)
    runs = {"runs": [results or reference()], "conditions": [(results or reference()).data]}.get(claim.kind, [])
    found = claim.test(*runs, **claim.arguments)
    evidence = " ".join(part for part in (found.evidence, claim.note) if part)
    return Judged(claim, found.verdict, HYPHEN_AS_MINUS.sub("\N{MINUS SIGN}", evidence), found.p)


def judge_all() -> list[Judged]:
    """Return every claim with its verdict, in the documents' order."""
    return [judge_claim(claim) for claim in claims()]


def verdict_of(name: str, results: Results | None = None) -> Judged:
    """Return the claim of this id with its verdict."""
    found = [claim for claim in claims() if claim.id == name]
    if not found:
        raise UserError(f"There is no claim {name!r}; their ids stand in lm_utils/evidence/claims/claims.csv.")
    return judge_claim(found[0], results)


def counts(judged: Iterable[Judged]) -> pd.DataFrame:
    """Count how many claims of each document got each verdict."""
    lines = [(one.claim.document, one.verdict) for one in judged]
    frame = pd.DataFrame(lines, columns=["document", "verdict"])
    return pd.crosstab(frame["document"], frame["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
