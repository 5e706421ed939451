"""A principle of the doctor: a wrong set-up is named, and its right neighbour is left alone."""

from collections.abc import Callable

import torch

from lm_utils.doctor import diagnose
from lm_utils.doctor.report import Report


def seeded(setup: Callable) -> Report:
    """Return what the doctor says of a set-up that is built with the same random numbers each time."""
    torch.manual_seed(0)
    return diagnose(*setup())


def holds(code: str, wrong: Callable, right: Callable) -> None:
    """Fail where the wrong one is not named by an error or a warning, or where the right one is spoken of."""
    found, after = seeded(wrong), seeded(right)
    assert code in [f.code for f in found.findings if f.severity != "info"], str(found)
    assert after.ok, str(after)
