"""A claim of a document, how it is decided, and what its test gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import nan

VERDICTS = {
    "holds": "true by mathematics, or of the library as it is",
    "holds here": "what our runs show, on this data and this network",
    "not shown": "the runs show no difference that matters, or cannot decide",
    "refuted": "the opposite was computed or measured",
    "not tested": "nobody has run what would decide it, or not with enough seeds yet",
}
KINDS = {
    "formula": "worked out",  # mathematics, computed in double precision
    "library": "asked PyTorch",  # what the installed library does
    "runs": "trained",  # the results of runs, ten paired seeds
    "conditions": "trained under changed conditions",
    "none": "nobody ran it",
}


@dataclass(frozen=True)
class Finding:
    """A verdict and the sentence with the figures behind it."""

    verdict: str
    evidence: str
    p: float = nan  # of the claim as it stands, where paired differences decide it


def decided(true: bool, evidence: str) -> Finding:
    """Return the verdict of a check that computes whether a claim is true."""
    return Finding("holds" if true else "refuted", evidence)


Test = Callable[..., Finding]


@dataclass(frozen=True)
class Claim:
    """What a document says, in our words, and what decides it: a line of claims.csv."""

    id: str  # begins with the document's number, "000" to "004"
    section: str
    says: str
    kind: str  # one of KINDS
    test: Test | None  # None where nobody ran the experiment
    arguments: dict = field(hash=False)  # what the test is called with, besides the runs
    guess: bool  # whether the document itself marks it as a guess
    note: str  # why nothing was tested, or a slip of the pen explained kindly

    @property
    def document(self) -> str:
        """Return the number of the document."""
        return self.id[:3]
