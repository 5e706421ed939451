"""The command line: every command leads somewhere, and a mistake gets one sentence."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lm_utils import __main__ as command_line
from lm_utils.errors import UserError
from lm_utils.files import PROJECT
from lm_utils.workshop import browser, check, lab, setup, test

COMMANDS = {**command_line.COMMANDS}


def said(arguments: list[str], capsys) -> tuple[int, str]:
    """The exit code of a command and what it wrote to stderr."""
    try:
        code = command_line.main(arguments)
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_function(name):
    module, function = COMMANDS[name].function.split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_makefile_has_each_command():
    targets = re.findall(r"^([a-z-]+):.* ## ", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(targets) == set(COMMANDS)


def test_make_alone_lists_the_commands():
    shown = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {name} " in shown for name in COMMANDS)


def test_help_imports_nothing_heavy():
    code = "import sys; from lm_utils.__main__ import main; main([]); print([n for n in sys.modules if '.' not in n])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "run-all" in shown
    assert not {"'torch'", "'pandas'", "'numpy'", "'matplotlib'", "'IPython'"} & set(re.split(r"[\s,\[\]]+", shown))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run-all", "--data=foo"], "data: expected one of auto, mnist, digits, not 'foo'."),
        (["run-all", "--seeds=-1"], "seeds: expected a whole number of at least 1, not '-1'."),
        (["run-all", "--seeds=many"], "seeds: expected a whole number of at least 1, not 'many'."),
        (["run-all", "--jobs=0"], "jobs: expected a whole number of at least 1, not '0'."),
        (["run-all", "--device=tpu"], "device: expected one of auto, cpu, cuda, not 'tpu'."),
        (["run-all", "--only=99"], "ONLY names the notebook '99', which does not exist"),
        (["doctor", "nonsense"], "'nonsense' does not name a factory"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments, sentence, capsys):
    code, error = said(arguments, capsys)
    assert code == 2
    assert error.startswith(sentence)
    assert error.count("\n") == 1


def pretend(monkeypatch, behaviour) -> None:
    """Let `make check` do something else."""
    monkeypatch.setattr(check, "main", behaviour)


@pytest.mark.parametrize("name", ["test", "site"])
def test_a_command_names_the_extra_packages_that_it_lacks(name, monkeypatch, capsys):
    monkeypatch.setitem(setup.EXTRAS, name, ("no_such_tool",))
    code, error = said([name], capsys)
    assert (code, error.count("\n")) == (2, 1)
    assert f"but not no_such_tool: run `{sys.executable} -m pip install -e '.[{name}]'" in error


def test_what_a_user_can_cause_is_its_sentence(monkeypatch, capsys):
    def refused() -> int:
        raise UserError("This needs that.")

    pretend(monkeypatch, refused)
    assert said(["check"], capsys) == (2, "This needs that.\n")


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupted() -> int:
        raise KeyboardInterrupt

    pretend(monkeypatch, interrupted)
    assert said(["check"], capsys) == (130, "Stopped.\n")


def test_full_disk_is_a_sentence(monkeypatch, capsys):
    def full() -> int:
        raise OSError(28, "No space left on device", "runs.csv")

    pretend(monkeypatch, full)
    assert said(["check"], capsys) == (2, "[Errno 28] No space left on device: 'runs.csv'\n")


def test_missing_package_names_the_way_out(monkeypatch, capsys):
    pretend(monkeypatch, lambda: importlib.import_module("no_such_package"))
    code, error = said(["check"], capsys)
    assert code == 2
    assert "no_such_package is not installed" in error and "python -m lm_utils setup" in error


def our_bug() -> int:
    raise ValueError("a bug of ours, though a line that raises made it")


@pytest.mark.parametrize("bug", [lambda: int("x"), lambda: json.loads("{"), lambda: Path("none").stat(), our_bug])
def test_a_bug_keeps_its_traceback(bug, monkeypatch):
    pretend(monkeypatch, bug)
    with pytest.raises((ValueError, FileNotFoundError)):
        command_line.main(["check"])


def test_check_reports_a_fault_and_goes_on(monkeypatch, capsys):
    def broken() -> None:
        raise RuntimeError("operator torchvision::nms does not exist\nand more")

    monkeypatch.setattr(check, "LOOKS", {"PyTorch": broken, "Python": check.look_at_python})
    assert check.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "problem PyTorch  RuntimeError: operator torchvision::nms does not exist"
    assert lines[1].startswith("ok      Python   3.")


def test_check_finds_an_unwritable_cache(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "file" / "runs"))
    [(state, sentence)] = check.look_at_cache()
    assert state == "problem" and "LM_CACHE_DIR" in sentence


def test_check_says_something_about_everything(capsys):
    check.main()
    shown = capsys.readouterr().out
    assert all(f" {name} " in shown for name in check.LOOKS)


def test_lab_starts_without_news(monkeypatch, tmp_path):
    started = {}

    def run(command, **options):
        started.update(options, command=command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(lab.subprocess, "run", run)
    monkeypatch.setattr(lab, "WORKING_COPY", tmp_path / "mine")
    assert lab.main() == 0
    assert started["cwd"] == PROJECT
    assert started["env"]["OMP_NUM_THREADS"] == os.environ.get("OMP_NUM_THREADS", "1")
    assert (tmp_path / "mine" / lab.START).exists() and any(lab.START in word for word in started["command"])
    folder = started["env"]["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0]
    with open(f"{folder}/labconfig/default_setting_overrides.json", encoding="utf-8") as file:
        assert json.load(file) == lab.NO_NEWS


@pytest.mark.parametrize(
    ("broken", "quick", "code", "last"),
    [
        ([], False, 0, "All is well."),
        (["ruff"], False, 1, "Failed: ruff (see above)."),
        (["pytest"], False, 1, "Failed: tests and tests of speed (see above)."),
        ([], True, 0, "All is well."),
    ],
)
def test_test_runs_every_step(broken, quick, code, last, monkeypatch, capsys):
    steps = []

    def run(command, **_):
        steps.append(command[2:])
        return subprocess.CompletedProcess(command, int(command[2] in broken))

    monkeypatch.setattr(test.subprocess, "run", run)
    monkeypatch.setattr(test, "skipped", lambda quick: ["Skipped tests: no Chromium."])
    assert test.main(quick) == code
    assert [step[0] for step in steps] == ["ruff", "pytest", "pytest"][: 2 if quick else 3]
    chosen = [step[-1] for step in steps[1:]]
    assert chosen == ([test.QUICK] if quick else ["not alone", "alone"]), "each test runs in one of the steps"
    assert capsys.readouterr().out.splitlines() == ["Skipped tests: no Chromium.", last]


def test_what_is_skipped_for_want_of_a_browser_or_a_font_is_one_line_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(check, "find_browser", lambda: None)
    monkeypatch.setattr("lm_utils.show.style.rc", lambda: {"font.family": ["DejaVu Sans"]})
    (line,) = test.skipped(quick=False)
    assert "apt-get install chromium" in line and "apt-get install fonts-nanum" in line
    (line,) = test.skipped(quick=True)
    assert "chromium" not in line
    monkeypatch.setattr(check, "find_browser", lambda: "/usr/bin/chromium")
    monkeypatch.setattr("lm_utils.show.style.rc", lambda: {"font.family": ["DejaVu Sans", "NanumGothic"]})
    assert test.skipped(quick=False) == []


@pytest.mark.parametrize(
    "variable, app",
    [("HOME", "Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
     ("PROGRAMFILES(X86)", "Microsoft/Edge/Application/msedge.exe"),
     ("LOCALAPPDATA", "Google/Chrome/Application/chrome.exe")],
)  # fmt: skip
def test_a_browser_is_found_where_macos_and_windows_keep_it(variable, app, monkeypatch, tmp_path):
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    for name in ("HOME", *browser.WINDOWS_FOLDERS):
        monkeypatch.setenv(name, str(tmp_path / "nothing here"))
    monkeypatch.setattr(browser.Path, "home", lambda: Path(os.environ["HOME"]))
    (tmp_path / app).parent.mkdir(parents=True)
    (tmp_path / app).touch()
    assert browser.find_browser() is None
    monkeypatch.setenv(variable, str(tmp_path))
    assert browser.find_browser() == str(tmp_path / app)
