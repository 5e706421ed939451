"""What a test of a claim gives back."""

from __future__ import annotations

from dataclasses import dataclass

VERDICTS = {
    "holds": "true by mathematics, or of the library as it is",
    "holds here": "what our runs show, on this data and this network",
    "not shown": "the runs show no difference that matters, or cannot decide",
    "refuted": "the opposite was computed or measured",
    "not tested": "nobody has run what would decide it, or not with enough seeds yet",
}


@dataclass(frozen=True)
class Finding:
    """A verdict and the sentence with the figures behind it."""

    verdict: str
    evidence: str


def decided(true: bool, evidence: str) -> Finding:
    """The verdict of a check that computes whether a claim is true."""
    return Finding("holds" if true else "refuted", evidence)
