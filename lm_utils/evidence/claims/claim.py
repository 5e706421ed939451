"""A claim of a document, how it is decided, and what its test gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
WRITTEN: dict[str, Claim] = {}  # every claim by its id, in the order in which the documents' files write them down


@dataclass(frozen=True)
class Claim:
    """What a document says, in our words; one of the methods says what decides it, and enters it into the list."""

    id: str  # begins with the document's number, "000" to "004"
    section: str
    says: str
    guess: bool = False  # whether the document itself marks it as a guess
    note: str = ""  # why nothing was tested, or a slip of the pen explained kindly
    kind: str = ""  # one of KINDS
    test: Test | None = None  # None where nobody ran the experiment
    arguments: dict = field(default_factory=dict, hash=False)

    @property
    def document(self) -> str:
        """Return the number of the document."""
        return self.id[:3]

    def worked_out(self, test: Test) -> Test:
        """Let a function decide it that computes; a decorator."""
        return self.decided_by("formula", test)

    def asked_pytorch(self, test: Test) -> Test:
        """Let a function decide it that asks the installed library; a decorator."""
        return self.decided_by("library", test)

    def trained(self, test: Test, **arguments: object) -> Test:
        """Let a test of stored runs decide it, called with the results and these arguments; rows are ids of rows."""
        return self.decided_by("runs", test, arguments)

    def trained_under_conditions(self, test: Test, **arguments: object) -> Test:
        """Let a test of runs under changed conditions decide it, called with the data's name and these arguments."""
        return self.decided_by("conditions", test, arguments)

    def untested(self, why: str) -> None:
        """Leave it open, and say why."""
        replace(self, note=why).decided_by("none", None)

    def decided_by(self, kind: str, test: Test | None, arguments: dict | None = None) -> Test | None:
        """Enter the claim into the list of all, with what decides it."""
        if self.id in WRITTEN:
            raise ValueError(f"There are two claims {self.id!r}; give one of them another id.")
        WRITTEN[self.id] = replace(self, kind=kind, test=test, arguments=arguments or {})
        return test
