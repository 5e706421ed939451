"""What the slides take from npm: exact versions with checksums, fetched once, and one sentence where npm is missing."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lm_utils.workshop.publish import web_parts

SITE = web_parts.PROJECT / "site"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "lists").mkdir()
    for name, text in {"package.json": '{"dependencies": {"@a/one": "1.0.0"}}', "package-lock.json": "{}"}.items():
        (tmp_path / "lists" / name).write_text(text)
    return tmp_path / "lists"


@pytest.fixture
def npm(monkeypatch):
    """A stand-in for npm that installs a package and counts its calls."""
    calls = []

    def run(command: list[str], cwd: Path, **_: object) -> subprocess.CompletedProcess:
        calls.append(command)
        (cwd / "node_modules" / "@a/one").mkdir(parents=True)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(web_parts.shutil, "which", lambda name: f"/somewhere/{name}")
    monkeypatch.setattr(web_parts.subprocess, "run", run)
    return calls


def test_lock_is_exact_checked_and_names_no_host():
    wanted = json.loads((SITE / "package.json").read_text())["dependencies"]
    packages = json.loads((SITE / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == wanted
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, one in packages.items() if not one.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []


def test_fetched_once_and_again_after_a_change(lists, tmp_path, npm):
    store = tmp_path / "store"
    part = web_parts.web_part("@a/one", lists, store)
    web_parts.web_part("@a/one", lists, store)
    assert len(npm) == 1
    assert npm[0][1] == "ci"
    assert part.is_dir() and part.is_relative_to(store)
    (lists / "package-lock.json").write_text('{"changed": true}')
    web_parts.web_part("@a/one", lists, store)
    assert len(npm) == 2


def test_a_broken_off_fetch_is_made_good(lists, tmp_path, npm):
    store = tmp_path / "store"
    (tmp_path / "store.new" / "node_modules" / "@a/one").mkdir(parents=True)
    assert web_parts.web_part("@a/one", lists, store).is_dir()


def test_missing_npm_is_one_sentence(lists, tmp_path, monkeypatch):
    monkeypatch.setattr(web_parts.shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match=r"need npm, which comes with Node\.js: install it"):
        web_parts.web_part("@a/one", lists, tmp_path / "store")
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm; `apt-get install npm` on Debian and Ubuntu")
def test_real_parts_are_there():
    for name in json.loads((SITE / "package.json").read_text())["dependencies"]:
        assert (web_parts.web_part(name) / "package.json").is_file()
