"""Can the outputs take the values of the targets?"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from lm_utils.doctor.case import Case
from lm_utils.doctor.report import Finding


def check_reach(case: Case) -> Iterator[Finding]:
    """Can the outputs take the values of the targets, and do they need their whole range?"""
    low, high = _reach(case)
    values, slack = case.target_values, case.tolerance * 10
    missed = ((values < low - slack) | (values > high + slack)).float().mean().item()
    if missed == 0:
        yield from _unused_half(case, low, high)
        return
    many = missed > 0.05
    word = case.origin.kind.replace("_", "-") if case.emits not in ("unit_range", "within_one") else "output activation"
    yield Finding(
        "range_cannot_reach_targets",
        "error" if many else "warning",
        f"The outputs stay between {low:g} and {high:g} ({word}), but the targets run from "
        f"{values.min():.3g} to {values.max():.3g}.",
        f"{100 * missed:.0f} % of the targets can never be reached, whatever is learned.",
        "Take the activation away, `return self.out(x)`, or scale the targets into its range.",
    )


def _unused_half(case: Case, low: float, high: float) -> Iterator[Finding]:
    values = case.target_values
    pictures = values.numel() >= 64 and values.dim() > 1 and values.min() < 0.1 and values.max() > 0.9
    if (low, high) == (-1.0, 1.0) and pictures and values.min() >= 0 and values.max() <= 1:
        yield Finding(
            "range_wider_than_targets",
            "warning",
            "The outputs run from -1 to 1, and the targets fill the range from 0 to 1.",
            "Half of the output's range is never wanted, and black lies in its steep middle instead of at its end.",
            "Scale the targets, `targets * 2 - 1`, or end in a sigmoid, `return torch.sigmoid(self.out(x))`.",
        )


def _reach(case: Case) -> tuple[float, float]:
    if case.emits in ("unit_range", "softmax", "probability"):
        return 0.0, 1.0
    if case.emits == "within_one":
        return -1.0, 1.0
    return (case.origin.low, case.origin.high) if case.origin.kind not in ("other", "linear") else (-inf, inf)
