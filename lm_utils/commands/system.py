"""What the machine itself offers: system packages, a browser, fonts; only the standard library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KOREAN_FONTS = ("Nanum", "NotoSansCJK", "NotoSansKR", "malgun", "AppleSDGothicNeo", "AppleGothic")


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


def has_korean_font() -> bool:
    """Whether a font with Korean letters is installed."""
    folders = ["/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts"]
    folders += [str(Path.home() / ".fonts"), str(Path.home() / ".local/share/fonts"), r"C:\Windows\Fonts"]
    files = (file.name for folder in folders for file in Path(folder).rglob("*.tt?"))
    return any(name.startswith(KOREAN_FONTS) for name in files)
