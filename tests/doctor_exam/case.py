"""A set of set-ups under examination."""

from collections.abc import Callable

from lm_utils.lessons.past_bugs import ExamCase


class CaseSet(list[ExamCase]):
    """Set-ups under examination, added with `@right(name)` and `@wrong(name, code)`."""

    def right(self, name: str, source: str = "") -> Callable:
        """Register a correct set-up."""
        return lambda build: self.append(ExamCase(name, None, build, source)) or build

    def wrong(self, name: str, code: str, source: str = "") -> Callable:
        """Register a set-up that must be reported with this code."""
        return lambda build: self.append(ExamCase(name, code, build, source)) or build
