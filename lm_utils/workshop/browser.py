"""Find the browser that prints the decision card and that the tests click in."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")
MAC = ("Chromium", "Google Chrome", "Microsoft Edge")
WINDOWS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


def find_browser() -> str | None:
    """Return the path of an installed Chromium, Chrome or Edge; None where there is none."""
    return next((path for name in COMMANDS if (path := shutil.which(name))), None) or next(installed_apps(), None)


def installed_apps() -> Iterator[str]:
    """The browsers that lie where macOS and Windows keep them, which is on no PATH."""
    for name in MAC:
        for folder in (Path("/Applications"), Path.home() / "Applications"):
            if (app := folder / f"{name}.app" / "Contents" / "MacOS" / name).exists():
                yield str(app)
    for variable in WINDOWS_FOLDERS:
        for name in WINDOWS:
            if (folder := os.environ.get(variable)) and (app := Path(folder, *name.split("\\"))).exists():
                yield str(app)
