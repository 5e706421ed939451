"""What the machine itself offers: a browser."""

from __future__ import annotations

import shutil

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome; None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)
