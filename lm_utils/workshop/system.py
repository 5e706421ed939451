"""What the machine itself offers: system packages and a browser; only the standard library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages where we may (root, apt-get, network); never fails, says whether it worked."""
    if shutil.which("apt-get") is None or getattr(os, "geteuid", lambda: 1)() != 0:
        return False
    print(f"Installing {' and '.join(packages)} through apt-get ...", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    patience = ["-o", "Acquire::http::Timeout=20", "-o", "DPkg::Lock::Timeout=120"]
    subprocess.run(["apt-get", *patience, "update"], **quiet)
    install = ["apt-get", *patience, "install", "-y", "--no-install-recommends", *packages]
    return subprocess.run(install, **quiet).returncode == 0


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome; None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)
