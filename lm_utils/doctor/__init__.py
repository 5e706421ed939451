"""The misuse doctor: `diagnose` looks at a model, its loss and one batch, and names a misfit in words."""

from lm_utils.doctor.diagnosis import diagnose
from lm_utils.doctor.report import Finding, Report

__all__ = ["Finding", "Report", "diagnose"]
