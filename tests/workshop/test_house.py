"""The house: imports between its rooms run one way, files and folders stay small, and the map shows every room."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import lm_utils
from lm_utils.files import PROJECT

PACKAGE = PROJECT / "lm_utils"
FILES = sorted(PACKAGE.rglob("*.py"))
CORE = ""
MAY_IMPORT = {  # each room, and the rooms that it may import from besides itself
    CORE: set(),
    "doctor": set(),
    "runs": {CORE, "doctor"},
    "evidence": {CORE, "runs"},
    "show": {CORE, "doctor", "runs", "evidence"},
    "lessons": {CORE, "doctor", "runs", "evidence", "show"},
    "explorer": {CORE, "doctor", "runs", "evidence", "show"},
    "challenge": {CORE, "doctor", "runs", "evidence", "show"},
    "workshop": {CORE, "doctor", "runs", "evidence", "show", "lessons", "explorer", "challenge"},
}
DOORS = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}  # they import what lies in the rooms when it is asked for
LINES, CORE_LINES, FILES_OF_A_FOLDER = 315, 250, 15


def room_of(module: str) -> str:
    """Return the room of a module such as lm_utils.runs.sweep."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else CORE


def name_of(file: Path) -> str:
    """Return a file's name as a module."""
    return ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path, at_once: bool = False) -> set[str]:
    """Return the modules that a file imports anywhere, or only those that it imports as soon as it is imported."""
    tree, found = ast.parse(file.read_text(encoding="utf-8")), set()
    waiting = list(tree.body) if at_once else list(ast.walk(tree))
    for node in waiting:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file} imports by a relative path; write the whole one"
            whole = {f"{node.module}.{alias.name}": PROJECT / Path(*node.module.split("."), alias.name)
                     for alias in node.names}  # fmt: skip
            found |= {name if path.is_dir() or path.with_suffix(".py").exists() else node.module
                      for name, path in whole.items()}  # fmt: skip
    return found


def ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.split(".")[0] == "lm_utils"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_rooms_below_it(room):
    inside = [file for file in FILES if room_of(name_of(file)) == room and file not in DOORS]
    wrong = [f"{name_of(file)} imports {module}" for file in inside for module in ours(imports(file))
             if room_of(module) not in MAY_IMPORT[room] | {room}]  # fmt: skip
    assert inside and wrong == []


def test_there_is_no_circle():
    names = {name_of(file) for file in FILES}
    graph = {name_of(file): (ours(imports(file, at_once=True)) & names) - {name_of(file)} for file in FILES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(names)


def test_the_doctor_imports_torch_and_the_standard_library_only():
    allowed = {*sys.stdlib_module_names, "torch"}
    guests = {  # for whoever has them
        "lightning_callback": {"lightning", "pytorch_lightning"},
        "trainer_callback": {"transformers"},
    }
    for file in [file for file in FILES if room_of(name_of(file)) == "doctor"]:
        found = {module for module in imports(file) if not module.startswith("lm_utils.doctor")}
        assert {module.split(".")[0] for module in found} <= allowed | guests.get(file.stem, set()), file


def test_no_file_is_too_long_to_read():
    lengths = {file.relative_to(PROJECT).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
               for file in FILES}  # fmt: skip
    long = {name: n for name, n in lengths.items() if n > (CORE_LINES if name.count("/") == 1 else LINES)}
    assert long == {}


def test_no_folder_holds_more_than_about_a_dozen_files():
    folders = {file.parent for file in FILES}
    counts = {folder.relative_to(PROJECT).as_posix(): len([*folder.glob("*.py")]) - 1 for folder in folders}
    lessons, checks = counts.pop("lm_utils/lessons"), counts.pop("lm_utils/doctor/checks")
    assert {folder: count for folder, count in counts.items() if count > FILES_OF_A_FOLDER} == {}
    assert checks <= 20  # a file for each kind of question
    assert lessons <= FILES_OF_A_FOLDER + len([*(PROJECT / "notebooks" / "src").glob("*.py")])


def test_every_room_says_what_lives_there_and_the_map_has_it():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(MAY_IMPORT) - {CORE}
    page = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"over {LINES} lines" in page and f"over {CORE_LINES} lines" in page
    for door in PACKAGE.glob("*/**/__init__.py"):
        text = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))
        assert text and len(text.split()) > 12, f"{door} says what lives there and what may not"
    for room in rooms:
        assert f"`lm_utils/{room}/`" in page and f"{room}/" in lm_utils.__doc__
