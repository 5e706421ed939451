"""The folder for a classroom without a network: what is copied, what is asked of pip, what the README says."""

import subprocess
import sys

import pytest

from lm_utils.files import PROJECT
from lm_utils.workshop import usb


@pytest.fixture
def asked(monkeypatch):
    """The pip commands that would have been run."""
    commands = []

    def run(command, **_options):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(usb.subprocess, "run", run)
    return commands


def test_the_project_is_copied_without_what_is_built(tmp_path):
    source, target = tmp_path / "source", tmp_path / "stick" / "project"
    for name in (
        "lm_utils/data.py",
        ".venv/bin/python",
        "build/x",
        "lm_utils/__pycache__/x.pyc",
        "challenge/mine/1.py",
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    usb.copy_project(target, source)
    usb.copy_project(target, source)  # a second time is fine
    assert [file.relative_to(target).as_posix() for file in target.rglob("*") if file.is_file()] == ["lm_utils/data.py"]


def test_pip_downloads_locked_wheels_and_the_builder(tmp_path, asked):
    wanted = usb.packages()
    assert any(name.startswith("torch>") for name in wanted) and any(name.startswith("setuptools") for name in wanted)
    usb.download(wanted, tmp_path / "wheels")
    usb.download(wanted, tmp_path / "wheels", torch="cpu")
    plain, lean = asked
    assert plain[:2] == [sys.executable, "-m"] and "download" in plain and str(PROJECT / "constraints.txt") in plain
    assert "--extra-index-url" in lean and "--extra-index-url" not in plain
    with pytest.raises(ValueError, match="TORCH"):
        usb.download(wanted, tmp_path, torch="gpu")


def test_a_failed_download_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(usb.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    with pytest.raises(ValueError, match="call the same command again"):
        usb.download(["tqdm"], tmp_path)


def test_the_folder_is_never_inside_the_project():
    with pytest.raises(ValueError, match="inside the project"):
        usb.main(PROJECT / "build" / "stick")


def test_the_readme_names_the_steps_of_each_system():
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    told = usb.instructions(with_data=True)
    assert f"    python{version} -m lm_utils setup\n" in told and f"    py -{version} -m lm_utils setup\n" in told
    assert "PIP_FIND_LINKS=../wheels" in told and "LM_DATA_DIR=%CD%\\..\\data" in told
    assert "LM_DATA_DIR" not in usb.instructions(with_data=False)


def test_everything_together(tmp_path, asked, monkeypatch, capsys):
    monkeypatch.setattr(usb, "copy_data", lambda target: "")
    monkeypatch.setattr(usb, "copy_project", lambda target: target.mkdir())
    assert usb.main(tmp_path / "stick") == 0
    assert (tmp_path / "stick" / "README.txt").exists() and len(asked) == 1
    assert "embedded digits" in capsys.readouterr().err
