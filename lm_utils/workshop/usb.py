"""`make usb`: one folder with the project, its packages and MNIST, for machines without a network."""

import os
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from lm_utils.errors import UserError
from lm_utils.files import PROJECT as ROOT
from lm_utils.workshop.setup import CPU_CHANNEL, say
from lm_utils.workshop.templates import filled

LEFT_BEHIND = (".git", ".venv", "build", "__pycache__", "*.egg-info", ".ipynb_checkpoints", ".pytest_cache",
               ".ruff_cache", "mine", "node_modules")  # fmt: skip
PROJECT, WHEELS, DATA = "loss-misuse-lab", "wheels", "data"


def main(folder: Path) -> int:
    """Fill the folder; a second call on another system adds that system's packages."""
    folder = folder.expanduser().resolve()
    if folder == ROOT or ROOT in folder.parents:
        raise UserError(f"{folder} lies inside the project; name a folder elsewhere, such as a USB stick.")
    folder.mkdir(parents=True, exist_ok=True)
    data = copy_data(folder / DATA)
    copy_project(folder / PROJECT)
    download(packages(), folder / WHEELS, os.environ.get("TORCH", ""))
    (folder / "README.txt").write_text(instructions(bool(data)), encoding="utf-8")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    say(f"{folder}: {size / 1e9:.1f} GB. {data or 'No MNIST here; the embedded digits are used.'}")
    say("README.txt there says how to install without a network.")
    return 0


def copy_project(target: Path, source: Path = ROOT) -> None:
    """Copy the checkout without what is built, downloaded or private."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*LEFT_BEHIND), dirs_exist_ok=True)


def packages() -> list[str]:
    """What an installation of the project asks for, with what builds it."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = table["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["course"], *table["build-system"]["requires"]]


def download(wanted: list[str], target: Path, torch: str = "") -> None:
    """Download the locked versions, for this system and this Python, with all that they need."""
    if torch not in ("", "cpu"):
        raise UserError(f"TORCH is 'cpu' or left out, not {torch!r}.")
    say(f"Downloading packages for {platform.system()} and Python {platform.python_version()} into {target} ...")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--dest", str(target)]
    command += ["--only-binary=:all:", "-c", str(ROOT / "constraints.txt")]
    command += ["--extra-index-url", CPU_CHANNEL] if torch == "cpu" else []
    if subprocess.run([*command, *wanted], stdout=sys.stderr).returncode:
        raise UserError("The download failed (pip says why above); call the same command again.")


def copy_data(target: Path) -> str:
    """Copy MNIST where it can be had; a sentence about it, empty where there is none."""
    from lm_utils import data, mnist

    try:
        data.load_data("mnist")
    except UserError:
        return ""
    source = mnist.raw_folder()
    shutil.copytree(source, target / source.parent.name / source.name, dirs_exist_ok=True)
    return "MNIST is in it."


def instructions(with_data: bool) -> str:
    """What to do with the folder on a machine without a network."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    machine = {"system": platform.system(), "machine": platform.machine(), "version": version}
    return filled("usb.txt", project=PROJECT, with_data=with_data, **machine)
