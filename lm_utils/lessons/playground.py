"""Notebook 14: exercises that ask for a pairing with some properties, and their check."""

from collections.abc import Callable, Mapping
from dataclasses import fields

from lm_utils.evidence.reference_lines import stored_reference_lines
from lm_utils.evidence.results import reference
from lm_utils.evidence.sentences import sentence
from lm_utils.pairing import Pairing
from lm_utils.show.quiz import Verdict

Property = Callable[[Pairing], bool]


def check_pairing(answer: object, wanted: Mapping[str, Property]) -> Verdict:
    """Say whether a pairing has every property, or the message of the first that it lacks; add its stored result."""
    if answer is ...:
        return Verdict("unanswered", "Replace the `...` above by a pairing, then run both cells again.")
    if not isinstance(answer, Pairing):
        return Verdict("wrong", f"Expected is a pairing, `lm.Pairing(...)`; yours is a {type(answer).__name__}.")
    for message, has in wanted.items():
        if not has(answer):
            return Verdict("wrong", message)
    known = f"Stored reference: {sentence(answer)}" if reference().of(answer) else answer.advice.reason
    return Verdict("right", known)


def floor_above(value: float, data: str) -> Property:
    """Test that the loss cannot fall below this value, however good the network is."""
    return lambda pairing: (stored_reference_lines(pairing, data).least_loss or 0.0) > value


def differs_in_one(other: Pairing) -> Property:
    """Test that exactly one field differs."""
    return lambda pairing: sum(getattr(pairing, f.name) != getattr(other, f.name) for f in fields(Pairing)) == 1
