"""`make lab`: JupyterLab, opened at the start notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from lm_utils.threads import capped_environment
from lm_utils.workshop.setup import ROOT

START = "notebooks/00_start_here.ipynb"
NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def main() -> int:
    """Start JupyterLab in the project's folder and stay until it ends."""
    settings = ROOT / "build" / "jupyter" / "labconfig"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(NO_NEWS), encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(settings.parent), os.environ.get("JUPYTER_CONFIG_PATH", "")]))
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{START}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return subprocess.run(command, cwd=ROOT, env={**capped_environment(), "JUPYTER_CONFIG_PATH": path}).returncode
