"""The misuse doctor: `diagnose` looks at a model, its loss and one batch, and names a misfit in words.

It imports torch and the standard library, nothing else of this package, so that it can stand in anybody's tests. Each
file of checks yields findings about one subject, and `diagnosis` asks them all. What it says of an activation that
does not fit its loss stands in misfits.csv, of everything else in sentences.csv; `assert_healthy` (in `diagnosis`) is
for tests. `tests/doctor_exam` measures how often the findings are right.
"""

from lm_utils.doctor.diagnosis import assert_healthy, diagnose
from lm_utils.doctor.report import DoctorError, Finding, Report

__all__ = ["DoctorError", "Finding", "Report", "assert_healthy", "diagnose"]
