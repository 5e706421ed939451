"""`make test`: ruff, then every test."""

from __future__ import annotations

import subprocess
import sys

from lm_utils.workshop.setup import ROOT

CHECKED = ("lm_utils", "tests", "notebooks/src")


def main() -> int:
    """Run everything that CI runs; the exit code is 0 where nothing broke."""
    checked = [folder for folder in CHECKED if (ROOT / folder).exists()]
    steps = {"ruff": ["ruff", "check", *checked], "pytest": ["pytest"]}
    run = [sys.executable, "-m"]
    failed = [name for name, step in steps.items() if subprocess.run([*run, *step], cwd=ROOT).returncode]
    print(f"Failed: {' and '.join(failed)} (see above)." if failed else "All is well.")
    return 1 if failed else 0
