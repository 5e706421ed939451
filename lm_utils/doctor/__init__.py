"""The misuse doctor: `diagnose` looks at a model, its loss and one batch, and names a misfit in words.

It imports torch and the standard library, nothing else of this package, so that it can stand in anybody's tests. Each
file of checks yields findings about one subject, and `diagnosis` asks them all; `tests/doctor_exam` measures how often
they are right.
"""

from lm_utils.doctor.diagnosis import assert_healthy, diagnose
from lm_utils.doctor.report import DoctorError, Finding, Report

__all__ = ["DoctorError", "Finding", "Report", "assert_healthy", "diagnose"]
