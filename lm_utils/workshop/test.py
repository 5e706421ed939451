"""`make test`: ruff, then every test, on all cores; what measures speed has the machine to itself afterwards."""

import os
import subprocess
import sys

from lm_utils.files import PROJECT
from lm_utils.threads import cores

CHECKED = ("lm_utils", "tests", "notebooks/src")
QUICK = "not alone and not slow and not browser"


def main(quick: bool = False) -> int:
    """Run everything that CI runs, or the quick tests only; the exit code is 0 where nothing broke."""
    processes = cores() + 1  # one more than cores, since a test in the browser waits a quarter of its time
    at_once = ["pytest", f"--numprocesses={processes}", "--dist=loadgroup", "-m"]
    steps = {"ruff": ["ruff", "check", *CHECKED], "tests": [*at_once, QUICK if quick else "not alone"]}
    if not quick:
        steps["tests of speed"] = ["pytest", "-m", "alone"]
    one_thread = {"OMP_NUM_THREADS": "1", **os.environ}  # in each process
    failed = [name for name, step in steps.items()
              if subprocess.run([sys.executable, "-m", *step], cwd=PROJECT, env=one_thread).returncode]  # fmt: skip
    for line in skipped(quick):
        print(line)
    print(f"Failed: {' and '.join(failed)} (see above)." if failed else "All is well.")
    return 1 if failed else 0


def skipped(quick: bool) -> list[str]:
    """Say in one line what a browser or a font would add to the tests, and how to get it; nothing where both are."""
    from lm_utils.workshop.check import look_at_browser, look_at_fonts

    looks = [look_at_fonts] if quick else [look_at_browser, look_at_fonts]
    missing = [sentence for look in looks for state, sentence in look() if state != "ok"]
    return [f"Skipped tests: {'; '.join(missing)}."] if missing else []
