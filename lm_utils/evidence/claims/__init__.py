"""The documents' checkable claims: each is data (`claims.toml`), and a named test decides its verdict."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.resources import files

import pandas as pd

from lm_utils.errors import UserError
from lm_utils.evidence.claims.finding import VERDICTS, Finding
from lm_utils.evidence.results import Results, carrying, reference
from lm_utils.evidence.tables import Table

KINDS = {
    "formula": "worked out",  # mathematics, computed in double precision
    "library": "asked PyTorch",  # what the installed library does
    "runs": "trained",  # the results of runs, ten paired seeds
    "conditions": "trained under changed conditions",
    "none": "nobody ran it",
}


HYPHEN_AS_MINUS = re.compile(r"(?<![\w)-])-(?=\d)")
SIGNS = {"holds": "✓", "holds here": "✓", "not shown": "≈", "refuted": "✗", "not tested": "…"}


@dataclass(frozen=True)
class Claim:
    """What a document says, in our words, and the test that decides it."""

    id: str
    document: str  # "000" to "004"
    section: str
    says: str
    kind: str  # one of KINDS
    test: str = ""  # a function in the module named by `kind`; empty where nobody ran the experiment
    arguments: dict = field(default_factory=dict, hash=False)
    guess: bool = False  # whether the document itself marks it as a guess
    note: str = ""  # why nothing was tested, or a slip of the pen explained kindly


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict and the figures behind it."""

    claim: Claim
    verdict: str
    evidence: str

    @property
    def signed(self) -> str:
        """The verdict with a sign before it, so that it can be seen at a glance."""
        return f"{SIGNS[self.verdict]} {self.verdict}"


@cache
def claims(document: str | None = None) -> tuple[Claim, ...]:
    """All claims, or those of one document, in the documents' order."""
    text = (files(__package__) / "claims.toml").read_text(encoding="utf-8")
    every = tuple(Claim(**entry) for entry in tomllib.loads(text)["claim"])
    return tuple(claim for claim in every if document in (None, claim.document))


def judge(claim: Claim, results: Results | None = None) -> Judged:
    """Run the test of a claim."""
    if claim.kind == "none":
        return Judged(claim, "not tested", claim.note)
    test = getattr(import_module(f"{__name__}.{claim.kind}"), claim.test)
    context = {"runs": [results or reference()], "conditions": [(results or reference()).data]}.get(claim.kind, [])
    found: Finding = test(*context, **claim.arguments)
    evidence = " ".join(part for part in (found.evidence, claim.note) if part)
    return Judged(claim, found.verdict, HYPHEN_AS_MINUS.sub("\N{MINUS SIGN}", evidence))


def judge_all(document: str | None = None, results: Results | None = None) -> list[Judged]:
    """Every claim with its verdict, in the documents' order."""
    return [judge(claim, results) for claim in claims(document)]


def verdict_of(name: str, results: Results | None = None) -> Judged:
    """The claim of this id with its verdict."""
    for claim in claims():
        if claim.id == name:
            return judge(claim, results)
    raise UserError(f"There is no claim {name!r}; their ids stand in claims.toml.")


def table(judged: Sequence[Judged], results: Results | None = None) -> Table:
    """Claims, verdicts and evidence as a table to be shown."""
    lines = [
        {"section": f"{one.claim.document} §{one.claim.section}", "the document says": one.claim.says,
         "verdict": one.signed, "how": KINDS[one.claim.kind], "evidence": one.evidence}
        for one in judged
    ]  # fmt: skip
    trained = any(one.claim.kind in ("runs", "conditions") for one in judged)
    origin = (results or reference()).of_rows().origin if trained else "none; formulas and PyTorch itself decide"
    return Table(carrying(pd.DataFrame(lines), origin))


def counts(judged: Iterable[Judged]) -> pd.DataFrame:
    """How many claims of each document got each verdict."""
    lines = [(one.claim.document, one.verdict) for one in judged]
    frame = pd.DataFrame(lines, columns=["document", "verdict"])
    return pd.crosstab(frame["document"], frame["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
