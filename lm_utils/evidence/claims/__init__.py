"""The documents' checkable claims: a file for each document, where sentence, section and test stand together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan

import pandas as pd

from lm_utils.errors import UserError
from lm_utils.evidence.claims import (  # noqa: F401  (each writes its claims down, in the documents' order)
    document_000_section_1,
    document_000_sections_2_to_3_3,
    document_000_sections_3_4_to_4,
    document_001,
    document_002_section_1,
    document_002_section_2,
    document_003,
    document_004_bce,
    document_004_cross_entropy,
    document_004_written_by_hand,
)
from lm_utils.evidence.claims.claim import KINDS, VERDICTS, WRITTEN, Claim
from lm_utils.evidence.results import Results, reference, with_origin
from lm_utils.evidence.tables import Table

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


def claims(document: str | None = None) -> tuple[Claim, ...]:
    """Return all claims, or those of one document, in the documents' order."""
    return tuple(claim for claim in WRITTEN.values() if document in (None, claim.document))


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
    if name not in WRITTEN:
        raise UserError(f"There is no claim {name!r}; their ids stand in lm_utils/evidence/claims.")
    return judge_claim(WRITTEN[name], results)


def claims_table(judged: Sequence[Judged], results: Results | None = None) -> Table:
    """Return claims, verdicts and evidence as a table to be shown."""
    lines = [
        {"section": f"{one.claim.document} §{one.claim.section}", "the document says": one.claim.says,
         "verdict": one.signed, "how": KINDS[one.claim.kind], "evidence": one.evidence}
        for one in judged
    ]  # fmt: skip
    trained = any(one.claim.kind in ("runs", "conditions") for one in judged)
    origin = (results or reference()).of_rows().origin if trained else "none; formulas and PyTorch itself decide"
    return Table(with_origin(pd.DataFrame(lines), origin))


def counts(judged: Iterable[Judged]) -> pd.DataFrame:
    """Count how many claims of each document got each verdict."""
    lines = [(one.claim.document, one.verdict) for one in judged]
    frame = pd.DataFrame(lines, columns=["document", "verdict"])
    return pd.crosstab(frame["document"], frame["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
