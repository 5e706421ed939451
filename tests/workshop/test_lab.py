"""The working copy that `make lab` opens: lessons come, a student's changes stay, a newer edition is offered."""

import json
import os
import subprocess

import pytest

from lm_utils.__main__ import main as command
from lm_utils.files import PROJECT
from lm_utils.workshop import lab


@pytest.fixture
def folders(tmp_path):
    lessons, copy = tmp_path / "notebooks", tmp_path / "mine"
    (lessons / "ko").mkdir(parents=True)
    for name in ("00_start.ipynb", "01_next.ipynb", "ko/00_start.ipynb"):
        (lessons / name).write_text(f"first edition of {name}")
    (lessons / "src").mkdir()
    assert lab.renew_copy(lessons, copy) == []
    return lessons, copy


def test_the_copy_holds_every_lesson_in_the_same_places(folders):
    lessons, copy = folders
    held = {path.relative_to(copy).as_posix() for path in copy.rglob("*.ipynb")}
    assert held == {"00_start.ipynb", "01_next.ipynb", "ko/00_start.ipynb"}
    (copy / "01_next.ipynb").unlink()
    assert lab.renew_copy(lessons, copy) == [] and (copy / "01_next.ipynb").exists()


def test_a_newer_edition_replaces_what_nobody_changed_and_is_offered_once_beside_the_rest(folders):
    lessons, copy = folders
    (copy / "00_start.ipynb").write_text("my answers")
    assert lab.renew_copy(lessons, copy) == []  # no newer edition yet
    for name in ("00_start.ipynb", "01_next.ipynb"):
        (lessons / name).write_text("second edition")
    assert lab.renew_copy(lessons, copy) == ["00_start.ipynb"]
    assert (copy / "00_start.ipynb").read_text() == "my answers"
    assert (copy / "01_next.ipynb").read_text() == "second edition"
    assert (copy / lab.NEWER / "00_start.ipynb").read_text() == "second edition"
    assert lab.renew_copy(lessons, copy) == []
    (copy / lab.NEWER / "00_start.ipynb").replace(copy / "00_start.ipynb")  # as the sentence advises
    (lessons / "00_start.ipynb").write_text("third edition")
    assert lab.renew_copy(lessons, copy) == [] and (copy / "00_start.ipynb").read_text() == "third edition"


@pytest.mark.parametrize("note", ["", "[1]", "{}"])
def test_without_its_note_nothing_of_a_student_is_replaced(folders, note):
    lessons, copy = folders
    (copy / lab.GIVEN).write_text(note)
    (copy / "00_start.ipynb").write_text("my answers")
    assert lab.renew_copy(lessons, copy) == ["00_start.ipynb"]
    assert (copy / "00_start.ipynb").read_text() == "my answers"


def test_git_ignores_the_copy_and_links_to_other_folders_lead_there():
    ignored = subprocess.run(["git", "check-ignore", "-q", f"{lab.WORKING_COPY.name}/x"], cwd=PROJECT)
    assert ignored.returncode == 0 or not (PROJECT / ".git").exists()
    assert lab.WORKING_COPY.parent == lab.NOTEBOOKS.parent  # ../docs from a lesson is ../docs from its copy


def test_jupyterlab_opens_at_the_first_lesson_of_the_copy(folders, monkeypatch):
    lessons, copy = folders
    called = []
    monkeypatch.setattr(lab, "NOTEBOOKS", lessons)
    monkeypatch.setattr(lab, "WORKING_COPY", copy)
    monkeypatch.setattr(
        lab.subprocess, "run", lambda line, **_: called.append(line) or subprocess.CompletedProcess(line, 0)
    )
    assert lab.main() == 0
    assert f"--LabApp.default_url=/lab/tree/mine/{lab.START}" in called[0]
    assert (lab.PROJECT / "notebooks" / lab.START).exists()
    assert set(json.loads((copy / lab.GIVEN).read_text())) == {"00_start.ipynb", "01_next.ipynb", "ko/00_start.ipynb"}


def test_a_copy_that_is_a_file_is_one_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine").write_text("")
    monkeypatch.setattr(lab, "WORKING_COPY", tmp_path / "mine")
    assert command(["lab"]) == 2
    told = capsys.readouterr().err
    assert "is a file" in told and "move the file away" in told and told.count("\n") == 1


def test_a_home_that_cannot_be_written_is_one_sentence(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "NOTEBOOKS", folders[0])
    monkeypatch.setattr(lab, "WORKING_COPY", folders[1])
    (tmp_path / "file").write_text("")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, os.fspath(tmp_path / "file" / "jupyter"))
    assert command(["lab"]) == 2
    told = capsys.readouterr().err
    assert "cannot be written (Not a directory)" in told and "set HOME" in told and told.count("\n") == 1
