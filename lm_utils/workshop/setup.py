"""Find or make the Python that the commands run in, with the standard library: nothing is installed yet."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lm_utils.errors import UserError
from lm_utils.files import PROJECT, read_kept

EXTRAS = {  # what can be added to the packages of the core, and the modules that tell whether it is there
    "test": ("pytest", "xdist", "ruff", "playwright", "sphinx", "distributed"),
    "site": ("sphinx", "myst_nb"),
    "cluster": ("distributed",),
    "bench": ("skorch", "lightning", "keras"),
    "course": ("anywidget", "jupyterlab", "ipywidgets", "matplotlib", "pandas", "papermill", "voila"),  # always
}
UV_FILES = "uv-files"  # in the environment, so that uv links what it has unpacked instead of copying it
CPU_CHANNEL = "https://download.pytorch.org/whl/cpu"


def main(extras: Iterable[str] = (), print_python: bool = False) -> int:
    """Make the environment ready, with the extras asked for; say which Python it is."""
    python = ready_python(PROJECT, extras, torch=os.environ.get("TORCH", ""))
    print(python if print_python else f"Ready: {python}")
    return 0


def ready_python(root: Path, extras: Iterable[str], torch: str) -> Path:
    """The active environment's Python where it holds this package, else that of .venv, made when needed."""
    if torch not in ("", "cpu"):
        raise UserError(f"TORCH is 'cpu' or left out, not {torch!r}.")
    extras = ("course", *extras)
    unknown = sorted(set(extras) - set(EXTRAS))
    if unknown:
        raise UserError(f"Unknown extra {unknown[0]!r}; choose from {', '.join(EXTRAS)}.")
    venv = root / ".venv"
    if Path(sys.prefix) != venv and holds_package(root):
        for extra in extras:
            require_extra(extra)
        return Path(sys.executable)
    if not is_ready(venv, root, extras, torch):
        with one_at_a_time(root):
            if not is_ready(venv, root, extras, torch):
                install(venv, root, extras, torch)
    return python_of(venv)


def holds_package(root: Path) -> bool:
    """Whether this checkout is installed in the running Python; to stand in its folder is not enough."""
    folders = [folder for folder in sys.path if folder and Path(folder).resolve() != root]
    for found in importlib.metadata.distributions(name="lm_utils", path=folders):
        origin = json.loads(found.read_text("direct_url.json") or "{}").get("url", "")
        return origin == root.as_uri()
    return False


def require_extra(extra: str) -> None:
    """Refuse to go on with an active environment that lacks an extra, and say how to add it."""
    missing = [module for module in EXTRAS[extra] if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(
            f"The active environment holds lm_utils but not {', '.join(missing)}: run "
            f"`{sys.executable} -m pip install -e '.[{extra}]' -c constraints.txt`, then call this again."
        )


def python_of(venv: Path) -> Path:
    """The interpreter inside an environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_of(venv: Path) -> dict:
    """What the last finished set-up noted down; empty where none finished."""
    return read_kept(venv / "lm_utils_setup.json")


def wanted(root: Path) -> dict:
    """What a set-up of this checkout, as it stands now, would note down."""
    files = [root / "pyproject.toml", root / "constraints.txt"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return {"root": str(root), "files": digest}


def is_ready(venv: Path, root: Path, extras: Iterable[str], torch: str) -> bool:
    """Whether the environment was set up completely, for this checkout and these files."""
    stamp = stamp_of(venv)
    same = all(stamp.get(key) == value for key, value in wanted(root).items())
    enough = set(extras) <= set(stamp.get("extras", ())) and torch in ("", stamp.get("torch"))
    return bool(same and enough and python_of(venv).exists())


def install(venv: Path, root: Path, extras: Iterable[str], torch: str) -> None:
    """Install the locked versions: on top of a finished set-up, or from nothing where one was broken off."""
    stamp = stamp_of(venv)
    usable = stamp.get("root") == str(root) and python_of(venv).exists() and torch in ("", stamp.get("torch"))
    extras, torch = sorted({*extras, *stamp.get("extras", ())}), torch or stamp.get("torch", "")
    (venv / "lm_utils_setup.json").unlink(missing_ok=True)
    if not usable:
        make_venv(venv)
    say("Installing the packages (PyTorch, Jupyter and the rest; about 5 GB on Linux) ...")
    wanted_packages = ["-c", str(root / "constraints.txt"), "--editable", f"{root}[{','.join(extras)}]"]
    if torch == "cpu":
        wanted_packages[:0] = ["--extra-index-url", CPU_CHANNEL]
    for tool in tools(venv):
        if subprocess.run([*tool, *wanted_packages], stdout=sys.stderr).returncode == 0:
            break
    else:
        raise UserError("The installation failed (pip says why above); call the same command again.")
    shutil.rmtree(venv / UV_FILES, ignore_errors=True)
    note = {**wanted(root), "extras": extras, "torch": torch}
    (venv / "lm_utils_setup.json").write_text(json.dumps(note), encoding="utf-8")


def tools(venv: Path) -> Iterator[list[str]]:
    """Yield what can install: uv, which is several times as fast, and pip where uv cannot be had or fails.

    Neither compiles what may never be imported: Python does it at the first import.
    """
    python = str(python_of(venv))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
    settings = settings_of_pip(python)
    if "no-index" not in settings:
        uv, files = shutil.which("uv"), []
        if uv is None and subprocess.run([*pip, "--quiet", "--retries=1", "uv>=0.9,<1"]).returncode == 0:
            uv, files = str(python_of(venv).with_name("uv")), ["--cache-dir", str(venv / UV_FILES)]
        if uv is not None:
            index = ["--index-url", settings["index-url"]] if "index-url" in settings else []
            yield [uv, "pip", "install", "--python", python, "--index-strategy", "unsafe-best-match", *index, *files]
    yield pip


def settings_of_pip(python: str) -> dict[str, str]:
    """Return what the user has set for pip, which uv does not read."""
    told = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout or ""
    pairs = [line.partition("=") for line in told.splitlines() if "=" in line]
    return {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in pairs}


def make_venv(venv: Path) -> None:
    """Make an empty environment, in place of whatever was left there."""
    say(f"Making the environment {venv} ...")
    base = getattr(sys, "_base_executable", sys.executable)
    if subprocess.run([base, "-m", "venv", "--clear", str(venv)], capture_output=True).returncode:
        raise UserError(
            f"{base} cannot make the environment {venv}: on Debian and Ubuntu run `apt-get install "
            "python3-venv`, elsewhere install Python from python.org, then call this again."
        )


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Let a second set-up of the same checkout wait for the first one."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    (root / "build").mkdir(exist_ok=True)
    with open(root / "build" / "setup.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up of this folder is running; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """Report progress on stderr: stdout is for results."""
    print(line, file=sys.stderr, flush=True)
