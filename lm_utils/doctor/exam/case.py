"""One set-up of the exam with the finding it must give, a set of them, and the count of misjudged ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from lm_utils.doctor.diagnosis import diagnose
from lm_utils.doctor.report import Report


@dataclass(frozen=True)
class ExamCase:
    """A set-up with the code it must give: `one|other` allows either, None neither error nor warning."""

    name: str
    expected: str | None
    build: Callable[[], tuple]
    source: str = ""

    def report(self) -> Report:
        """What the doctor says, from a fixed seed."""
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            return diagnose(*self.build())

    def judged(self) -> bool:
        """Is the doctor right about this one?"""
        report = self.report()
        if self.expected is None:
            return report.ok
        return any(f.code in self.expected.split("|") and f.severity != "info" for f in report.findings)


class CaseSet(list[ExamCase]):
    """Set-ups under examination, added with `@right(name)` and `@wrong(name, code)`."""

    def right(self, name: str, source: str = "") -> Callable:
        """Register a correct set-up."""
        return lambda build: self.append(ExamCase(name, None, build, source)) or build

    def wrong(self, name: str, code: str, source: str = "") -> Callable:
        """Register a set-up that must be reported with this code."""
        return lambda build: self.append(ExamCase(name, code, build, source)) or build


def measure(cases: Iterable[ExamCase]) -> dict[str, int]:
    """Count the right and wrong set-ups, and how many of each the doctor misjudges."""
    cases = list(cases)
    good = [case for case in cases if case.expected is None]
    bad = [case for case in cases if case.expected is not None]
    return {
        "right": len(good),
        "false_alarms": sum(not case.judged() for case in good),
        "wrong": len(bad),
        "misses": sum(not case.judged() for case in bad),
    }
