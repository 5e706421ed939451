"""What the doctor says: findings, and the report that holds them."""

from __future__ import annotations

import csv
import json
import textwrap
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from pathlib import Path


def table(name: str) -> list[dict[str, str]]:
    """Read a table of sentences that lies beside this file."""
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SEVERITIES = ("error", "warning", "info")
"""error: cannot work as it stands; warning: will suffer; info: good to know."""


class DoctorError(ValueError):
    """What the doctor was given cannot be examined; the message is one sentence."""


@dataclass(frozen=True)
class Finding:
    """One thing the doctor noticed: what it is, why it matters, and how to put it right."""

    code: str
    severity: str
    message: str
    why: str
    fix: str

    def __str__(self) -> str:
        lines = [f"{self.severity.upper()}  {self.code}"]
        for label, text in (("What", self.message), ("Why", self.why), ("Fix", self.fix)):
            lines += textwrap.wrap(
                text,
                100,
                initial_indent=f"  {label:<5}",
                subsequent_indent=" " * 7,
                break_long_words=False,
                break_on_hyphens=False,
            )
        return "\n".join(lines)


SENTENCES = {row["key"]: row for row in table("sentences.csv")}
"""What is said with a finding: how grave it is, what was seen, why it matters, and how to put it right."""


def said(key: str, message: str = "", **facts: object) -> Finding:
    """Return the finding of a key ("code" or "code: where it arises"), with the facts filled into its sentences.

    A message is handed over where the same finding may have been seen in several ways.
    """
    row = SENTENCES[key]
    what, why, fix = (row[part].format(**facts) for part in ("what", "why", "fix"))
    return Finding(key.split(":")[0], row["severity"], message or what, why, fix)


def known_codes(ignored: Collection[str]) -> frozenset[str]:
    """Return the codes that are to be left out, or say which one is none: a slip of the pen would ignore nothing."""
    wanted = frozenset([ignored] if isinstance(ignored, str) else ignored)
    codes = {key.split(":")[0] for key in SENTENCES} | {row["code"] for row in table("misfits.csv")}
    for code in sorted(wanted - codes):
        near = get_close_matches(code, codes, 1)
        raise DoctorError(f"No finding is called {code!r}{f'; the nearest is {near[0]!r}' if near else ''}.")
    return wanted


def first_sentence(error: BaseException) -> str:
    """The first line of an error's message, ended by a full stop."""
    lines = str(error).strip().splitlines()
    text = lines[0].split(". ")[0][:300].rstrip(".") if lines else type(error).__name__
    return f"{type(error).__name__}: {text}." if lines and isinstance(error, (KeyError, SystemExit)) else f"{text}."


def kind_of(value: object) -> str:
    """The kind of a value with its article, such as "a list" or "an int"."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeioAEIO' or name == 'ndarray' else 'a'} {name}"


@dataclass(frozen=True)
class Report:
    """All findings about one model, loss and batch, the worst first."""

    findings: tuple[Finding, ...]
    examined: str = ""

    @property
    def ok(self) -> bool:
        """True where nothing was found that fails or suffers; remarks (info) may remain."""
        return not any(finding.severity in ("error", "warning") for finding in self.findings)

    @property
    def codes(self) -> list[str]:
        """The findings' codes, the worst first."""
        return [finding.code for finding in self.findings]

    def without(self, ignored: Collection[str]) -> Report:
        """Return the report without the findings of these codes."""
        return replace(self, findings=tuple(f for f in self.findings if f.code not in set(ignored)))

    def as_json(self) -> str:
        """Return the report as JSON, for a machine to read."""
        found = [asdict(finding) for finding in self.findings]
        return json.dumps({"ok": self.ok, "examined": self.examined, "findings": found})

    def count(self, severity: str) -> int:
        """How many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def __str__(self) -> str:
        counts = [
            f"{n} {word}{'s' if n > 1 and word != 'info' else ''}" for word in SEVERITIES if (n := self.count(word))
        ]
        verdict = "Nothing to object to" if self.ok else "Needs attention"
        head = f"{verdict}: {', '.join(counts) or 'no findings'}."
        seen = [f"Examined: {self.examined}"] if self.examined else []
        return "\n\n".join(["\n".join([head, *seen]), *map(str, self.findings)])

    __repr__ = __str__


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings without repeats of a code, errors first, otherwise in the order they were found."""
    first: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)):
        first.setdefault(finding.code, finding)
    return tuple(first.values())
