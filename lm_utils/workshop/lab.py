"""`make lab`: JupyterLab, opened in a working copy of the lessons that git ignores.

What a student saves stays in the working copy, so that `git pull` finds nothing changed. A newer edition of a lesson
replaces a copy that nobody has changed; beside changed ones it is put into a folder of its own.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir

from lm_utils.errors import UserError
from lm_utils.files import NOTEBOOKS, PROJECT, WORKING_COPY, read_kept, try_to_write, write_whole
from lm_utils.threads import capped_environment

NEWER = "new_edition"
GIVEN = ".editions.json"  # which edition of each lesson was copied or offered last
START = "00_start_here.ipynb"
NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def main() -> int:
    """Start JupyterLab at the first lesson of the working copy and stay until it ends."""
    offered = renew_copy(NOTEBOOKS, WORKING_COPY)
    if offered:
        print(
            f"There is a newer edition of {', '.join(offered)} in {WORKING_COPY / NEWER}; yours is as you left it."
            " To take the new one, move it over yours.",
            flush=True,
        )
    advice = "JupyterLab keeps its files there: make it writable, or set HOME to a folder that is"
    for folder in (jupyter_config_dir(), jupyter_data_dir(), jupyter_runtime_dir()):
        check_writable(Path(folder), advice)
    settings = PROJECT / "build" / "jupyter" / "labconfig"
    write_whole(settings / "default_setting_overrides.json", json.dumps(NO_NEWS))
    path = os.pathsep.join(filter(None, [str(settings.parent), os.environ.get("JUPYTER_CONFIG_PATH", "")]))
    page = f"/lab/tree/{WORKING_COPY.name}/{START}"
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", f"--LabApp.default_url={page}"]
    return subprocess.run(command, cwd=PROJECT, env={**capped_environment(), "JUPYTER_CONFIG_PATH": path}).returncode


def renew_copy(lessons: Path, copy: Path) -> list[str]:
    """Bring the working copy up to date; return the lessons whose newer edition is offered beside a changed copy."""
    if copy.exists() and not copy.is_dir():
        raise UserError(f"{copy} is a file, but the lessons are copied into a folder of that name: move the file away.")
    check_writable(copy, "the lessons are copied there: make it writable")
    given, offered = read_kept(copy / GIVEN), []
    for lesson in sorted([*lessons.glob("[0-9][0-9]_*.ipynb"), *lessons.glob("ko/[0-9][0-9]_*.ipynb")]):
        name = lesson.relative_to(lessons)
        mine, edition = copy / name, lesson.read_bytes()
        newest = hashlib.sha256(edition).hexdigest()
        now = hashlib.sha256(mine.read_bytes()).hexdigest() if mine.exists() else None
        if now in (None, given.get(name.as_posix())):  # nobody has changed it
            write_whole(mine, edition)
        elif now != newest and given.get(name.as_posix()) != newest:
            write_whole(copy / NEWER / name, edition)
            offered.append(name.as_posix())
        given[name.as_posix()] = newest
    write_whole(copy / GIVEN, json.dumps(given, indent=1))
    return offered


def check_writable(folder: Path, advice: str) -> None:
    """Refuse a folder that takes no files, in one sentence."""
    try:
        try_to_write(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}), and {advice}.") from error
