"""Runs the Triton kernels wherever they can run, and falls back on a stored comparison where they cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from lm_utils.errors import UserError
from lm_utils.files import PROJECT, RESULTS

STORED = RESULTS / "kernels" / "triton.json"
SECONDS = 120


def run_kernels() -> dict:
    """Compare Triton, our layers and PyTorch: on the GPU, else in the interpreter, else a stored result.

    The dict holds `where` (one phrase), `rows` (one per loss), and `stored`: why it was only read, or "".
    """
    if find_spec("triton") is None:
        return _stored("Triton is not installed here")
    reason = ""
    for extra in ({}, {"TRITON_INTERPRET": "1"}):  # a GPU without a compiler still has the interpreter
        done = _in_own_process(extra)
        if done.returncode == 0:
            return {**json.loads(done.stdout), "stored": ""}
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
    return _stored(f"Triton stopped here with {reason!r}")


def _in_own_process(extra: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Triton reads its settings when it is first imported, so each try gets a process of its own."""
    command = [sys.executable, "-m", "lm_utils.lessons.triton_losses"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **extra}
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment)


def _stored(reason: str) -> dict:
    return {**json.loads(STORED.read_text("utf-8")), "stored": reason}


def source(name: str) -> str:
    """The text of one kernel, as Markdown; read from the file, so it needs no Triton."""
    text = Path(__file__).with_name("triton_losses.py").read_text("utf-8")
    parts = text.split("@triton.jit\n")[1:]
    found = next(part for part in parts if part.startswith(f"def {name}_kernel("))
    return f"```python\n@triton.jit\n{found.split(chr(10) * 3)[0]}\n```"


def sentence(result: dict) -> str:
    """One line that says where the figures come from."""
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    if result["stored"]:
        return f"{result['stored']}; this is a stored result ({result['where']}; {versions})."
    return f"Computed just now by {result['where']} ({versions})."


def table(result: dict) -> pd.DataFrame:
    """The comparison as a table, one line per loss."""
    return pd.DataFrame(result["rows"]).set_index("loss")


def store() -> None:
    """Keep a comparison made here for machines without Triton (`python -m lm_utils.lessons.kernels`)."""
    result = run_kernels()
    if result.pop("stored"):
        raise UserError("The kernels did not run here; install Triton (Linux) before storing a result.")
    STORED.parent.mkdir(parents=True, exist_ok=True)
    STORED.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(f"Stored in {STORED.relative_to(PROJECT)}: {result['where']}.")


if __name__ == "__main__":
    store()
