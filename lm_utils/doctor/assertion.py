"""The doctor in tests and training loops: raise or warn where a set-up needs attention."""

import warnings
from collections.abc import Callable, Collection

from lm_utils.doctor.diagnosis import diagnose
from lm_utils.doctor.report import Report


def assert_healthy(
    model: Callable,
    loss_fn: Callable,
    inputs: object,
    targets: object,
    *,
    ignore: Collection[str] = (),
    strict: bool = True,
) -> Report:
    """Fail a test where the doctor finds an error, or a warning unless `strict` is off; return the report."""
    report = diagnose(model, loss_fn, inputs, targets).without(ignore)
    if report.count("error") or (strict and report.count("warning")):
        raise AssertionError(f"\n{report}")
    return report


def tell(report: Report, strict: bool) -> None:
    """Say once what a callback found: an exception under `strict`, else a warning; nothing where all is well."""
    if report.ok:
        return
    if strict:
        raise AssertionError(f"\n{report}")
    warnings.warn(f"\n{report}", UserWarning, stacklevel=3)
