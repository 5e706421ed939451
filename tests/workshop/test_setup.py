"""The set-up: what is declared, what is locked, what is installed, and how an environment comes about."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jupyter_client.kernelspec import KernelSpecManager
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from lm_utils.files import PROJECT as ROOT
from lm_utils.workshop import lock, setup
from lm_utils.workshop.lock import installed_versions, read_lock

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OWN_ENVIRONMENT = Path(sys.prefix) == ROOT / ".venv"
needs_own_environment = pytest.mark.skipif(
    not OWN_ENVIRONMENT, reason="another environment than .venv is in use, which need not equal the lock"
)


def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]
    return [Requirement(line) for line in lines if not line.startswith(PROJECT["name"])]


def locked_requirements() -> list[Requirement]:
    peers = PROJECT["optional-dependencies"]["bench"]  # measured as they are on the day; the report names the versions
    return [one for one in requirements() if one not in map(Requirement, peers)]


# What is written down agrees.


def test_lock_holds_versions_only():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 100
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9][a-z0-9.]*", line) for line in lines)
    assert list(read_lock()) == sorted(read_lock())


def test_every_range_contains_its_pin():
    pins = read_lock()
    held = {one: one.specifier.contains(pins[canonicalize_name(one.name)]) for one in locked_requirements()}
    assert [str(one) for one in held if not held[one]] == []


def test_every_dependency_has_both_bounds():
    assert [str(one) for one in requirements() if "<" not in str(one.specifier) or ">" not in str(one.specifier)] == []


@pytest.mark.slow
def test_everything_imported_is_declared():
    declared = {canonicalize_name(one.name) for one in requirements()}
    homes = importlib.metadata.packages_distributions()
    foreign = {name for name in imported(ROOT / "lm_utils", ROOT / "tests") if name in homes} - {"lm_utils"}
    assert foreign >= {"torch", "ipywidgets", "pytest"}
    undeclared = {name for name in foreign if not declared & {canonicalize_name(home) for home in homes[name]}}
    assert undeclared <= {"triton", "pytorch_lightning"}  # come with PyTorch, where it is at all, and lightning


def imported(*folders: Path) -> set[str]:
    """The first name of everything that the Python files of some folders import."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for folder in folders for file in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


def test_torch_and_torchvision_are_a_pair():
    pins = read_lock()
    needed = [Requirement(line) for line in importlib.metadata.requires("torchvision") or []]
    torch = next(one for one in needed if one.name == "torch")
    if importlib.metadata.version("torchvision").split("+")[0] == pins["torchvision"]:
        assert torch.specifier.contains(pins["torch"])
    assert (pins["torch"], pins["torchvision"]) == ("2.12.1", "0.27.1")


def test_conda_environment_installs_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge"]
    conda = [one for one in environment["dependencies"] if isinstance(one, str)]
    pip = next(one["pip"] for one in environment["dependencies"] if isinstance(one, dict))
    assert pip == ["--constraint constraints.txt", "--editable .[test]"]
    assert conda == [f"python {PROJECT['requires-python']}", "pip"]


def test_makefile_and_setup_ask_for_the_same_python():
    least = PROJECT["requires-python"].removeprefix(">=")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"sys.version_info < ({least.replace('.', ', ')})" in makefile
    assert f"Python {least} or newer" in makefile


def test_ci_does_what_a_newcomer_does():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("make test")


def test_only_ci_calls_apt_get():
    """A command may name `apt-get` in a sentence, never run it."""
    calls = re.compile(r"""["']apt-get["']|^\s*(sudo )?apt-get """, re.MULTILINE)
    files = [*(ROOT / "lm_utils").rglob("*.py"), ROOT / "Makefile"]
    assert [file.name for file in files if calls.search(file.read_text(encoding="utf-8"))] == []
    assert calls.search((ROOT / ".ci" / "run").read_text(encoding="utf-8"))


def test_lock_is_not_written_from_the_cpu_build(tmp_path, monkeypatch):
    monkeypatch.setattr(lock.importlib.metadata, "version", lambda name: "2.12.1+cpu")
    with pytest.raises(ValueError, match="ordinary one"):
        lock.main(tmp_path / "constraints.txt")
    assert not (tmp_path / "constraints.txt").exists()


@needs_own_environment
def test_lock_is_read_as_written(tmp_path):
    assert lock.main(tmp_path / "constraints.txt") == 0
    assert read_lock(tmp_path / "constraints.txt") == installed_versions()


# What is installed equals what is written down.


@needs_own_environment
def test_environment_equals_the_lock():
    installed, pins = installed_versions(), read_lock()
    assert {name: version for name, version in installed.items() if pins.get(name) != version} == {}
    as_locked = sys.platform == "linux" and sys.version_info[:2] == (3, 11)  # others need fewer packages
    if as_locked and setup.stamp_of(ROOT / ".venv").get("torch") != "cpu":
        assert set(pins) == set(installed)


@needs_own_environment
def test_every_pin_installs_on_the_oldest_python():
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    demands = {name: importlib.metadata.metadata(name).get("Requires-Python") for name in installed_versions()}
    assert {name: one for name, one in demands.items() if one and not SpecifierSet(one).contains(oldest)} == {}


def test_package_is_found_from_any_folder(tmp_path):
    code = "import lm_utils, sys; print(lm_utils.__file__); print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [str(ROOT / "lm_utils" / "__init__.py"), "False"]


def test_kernels_use_this_python():
    first = KernelSpecManager().get_kernel_spec("python3").argv[0]
    assert first in ("python", "python3") or Path(first).parent == Path(sys.executable).parent


# How an environment comes about.


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout without an environment, and a list that takes the place of every process started."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("# first")
    calls: list[list[str]] = []
    monkeypatch.setattr(setup, "holds_package", lambda root: False)
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        calls.append(command)
        if "venv" in command:
            python = setup.python_of(Path(command[-1]))
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        return subprocess.CompletedProcess(command, run.result)

    run.result = 0
    monkeypatch.setattr(setup.subprocess, "run", run)
    return tmp_path, calls, run


def kinds(calls: list[list[str]]) -> list[str]:
    """What each process did, but for those that look for uv."""
    return ["venv" if "venv" in call else call[-1] for call in calls if call[-1] != "list" and call[-1][:2] != "uv"]


def installers(calls: list[list[str]], root: Path) -> list[str]:
    """The program of each process that installed the project itself."""
    return [call[0] for call in calls if call[-1].startswith(str(root)) and "venv" not in call]


def test_first_use_makes_and_installs_the_second_does_nothing(checkout):
    root, calls, _ = checkout
    python = setup.ready_python(root, (), torch="")
    assert kinds(calls) == ["venv", f"{root}[course]"]
    done = len(calls)
    assert setup.ready_python(root, (), torch="") == python
    assert len(calls) == done


def test_extras_add_up(checkout):
    root, calls, _ = checkout
    setup.ready_python(root, ("site",), torch="")
    setup.ready_python(root, ("cluster",), torch="")
    setup.ready_python(root, ("site", "cluster"), torch="")
    assert kinds(calls) == ["venv", f"{root}[course,site]", f"{root}[cluster,course,site]"]


def test_an_unknown_extra_is_refused(checkout):
    with pytest.raises(ValueError, match="Unknown extra 'gpu'; choose from test, site"):
        setup.ready_python(checkout[0], ("gpu",), torch="")


def test_every_extra_has_its_modules():
    assert set(setup.EXTRAS) == set(PROJECT["optional-dependencies"])


def test_test_extras_are_added_once_and_stay(checkout):
    root, calls, _ = checkout
    setup.ready_python(root, (), torch="")
    setup.ready_python(root, ("test",), torch="")
    setup.ready_python(root, (), torch="")
    assert kinds(calls) == ["venv", f"{root}[course]", f"{root}[course,test]"]
    (root / "constraints.txt").write_text("# second")
    setup.ready_python(root, (), torch="")
    assert kinds(calls)[3:] == [f"{root}[course,test]"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_is_installed_on_top(checkout, name):
    root, calls, _ = checkout
    setup.ready_python(root, (), torch="")
    (root / name).write_text("# second")
    setup.ready_python(root, (), torch="")
    assert kinds(calls) == ["venv", f"{root}[course]", f"{root}[course]"]


def test_a_broken_off_set_up_starts_again(checkout):
    root, calls, run = checkout
    run.result = 1
    with pytest.raises(ValueError, match="cannot make the environment"):
        setup.ready_python(root, (), torch="")
    run.result = 0
    setup.ready_python(root, (), torch="")
    (root / "constraints.txt").write_text("# second")
    run.result = 1
    with pytest.raises(ValueError, match="installation failed"):
        setup.ready_python(root, (), torch="")
    run.result = 0
    setup.ready_python(root, (), torch="")
    assert kinds(calls) == ["venv", "venv", f"{root}[course]", f"{root}[course]", "venv", f"{root}[course]"]


def test_a_moved_checkout_gets_a_new_environment(checkout):
    root, calls, _ = checkout
    setup.ready_python(root, (), torch="")
    note = root / ".venv" / "lm_utils_setup.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "root": "/somewhere/else"}))
    setup.ready_python(root, (), torch="")
    assert kinds(calls) == ["venv", f"{root}[course]"] * 2


def test_cpu_build_comes_from_its_own_channel_and_stays(checkout):
    root, calls, _ = checkout
    setup.ready_python(root, (), torch="cpu")
    assert kinds(calls) == ["venv", f"{root}[course]"]  # one run of the resolver
    assert setup.CPU_CHANNEL in calls[-1]
    setup.ready_python(root, (), torch="")
    assert kinds(calls) == ["venv", f"{root}[course]"]


def test_uv_of_the_user_or_else_of_the_environment_installs(checkout, monkeypatch):
    root, calls, _ = checkout
    setup.ready_python(root, (), torch="")
    own = str(setup.python_of(root / ".venv").with_name("uv"))
    assert installers(calls, root) == [own] and str(setup.python_of(root / ".venv")) in calls[-1]
    assert "--cache-dir" in calls[-1] and not any("--index-url" in call for call in calls)
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    setup.ready_python(root, ("site",), torch="")
    assert installers(calls, root) == [own, "/usr/bin/uv"] and "--cache-dir" not in calls[-1]


@pytest.mark.parametrize("fails", ["uv>=", "cache-dir"], ids=["uv cannot be had", "uv fails"])
def test_pip_installs_where_uv_does_not(checkout, monkeypatch, fails):
    root, calls, run = checkout

    def without_uv(command, **options):
        result = run(command, **options)
        return subprocess.CompletedProcess(command, 1) if any(fails in word for word in command) else result

    monkeypatch.setattr(setup.subprocess, "run", without_uv)
    setup.ready_python(root, (), torch="")
    assert installers(calls, root)[-1] == str(setup.python_of(root / ".venv")) and "--no-compile" in calls[-1]
    assert len(installers(calls, root)) == (1 if fails == "uv>=" else 2)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("global.index-url='https://mirror.example/simple'", ["--index-url", "https://mirror.example/simple"]),
        (":env:.no-index='1'\n:env:.find-links='../wheels'", ["-m", "pip"]),  # the stick without a network
    ],
)
def test_what_the_user_has_set_for_pip_holds(checkout, monkeypatch, told, words):
    root, calls, run = checkout
    monkeypatch.setattr(
        setup.subprocess, "run",
        lambda command, **o: subprocess.CompletedProcess(run(command, **o).args, 0, stdout=told),
    )  # fmt: skip
    setup.ready_python(root, (), torch="")
    place = calls[-1].index(words[0])
    assert calls[-1][place : place + 2] == words and len(installers(calls, root)) == 1


def test_unknown_build_is_refused(checkout):
    with pytest.raises(ValueError, match="TORCH is 'cpu' or left out, not 'rocm'"):
        setup.ready_python(checkout[0], (), torch="rocm")


def test_an_environment_that_holds_the_package_is_used(checkout, monkeypatch):
    root, calls, _ = checkout
    monkeypatch.setattr(setup, "holds_package", lambda folder: folder == root)
    assert setup.ready_python(root, (), torch="") == Path(sys.executable)
    assert calls == []
    monkeypatch.setitem(setup.EXTRAS, "test", ("no_such_tool",))
    with pytest.raises(ValueError, match="holds lm_utils but not no_such_tool"):
        setup.ready_python(root, ("test",), torch="")


def test_package_of_another_checkout_does_not_count(tmp_path):
    assert not setup.holds_package(tmp_path)
