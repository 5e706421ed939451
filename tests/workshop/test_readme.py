"""The README tells the truth about tasks, commands and files; its pictures and table come from the results."""

from __future__ import annotations

import re

import pytest

import lm_utils as lm
from lm_utils.__main__ import COMMANDS, OPTIONS
from lm_utils.losses import LOSSES
from lm_utils.workshop.publish import readme
from lm_utils.workshop.setup import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| [^|]+ \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", README, re.MULTILINE)


def test_decision_table_has_every_task():
    assert [task for task, _, _ in ROWS] == list(lm.TASKS)


@pytest.mark.parametrize(("task", "losses", "ending"), ROWS, ids=[row[0] for row in ROWS])
def test_decision_table_recommends_what_the_course_recommends(task, losses, ending):
    named = re.findall(r"`(nn\.\w+)`", losses)
    keys = [next(key for key, loss in LOSSES.items() if loss.code.startswith(f"{name}(")) for name in named]
    assert keys and "no activation" in ending
    options = {"normalize": True} if task == "regression" else {}
    assert {lm.Pairing(task, loss=key, activation="none", **options).verdict for key in keys} == {"recommended"}


def test_every_command_named_exists():
    named = set(re.findall(r"make ([a-z-]+)`", README)) | set(re.findall(r"^make ([a-z-]+)$", README, re.MULTILINE))
    assert {"run-all", "test", "lab"} <= named <= set(COMMANDS)


def test_every_variable_named_is_passed_on():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for variable in re.findall(r"^\| `([A-Z]+)=", README, re.MULTILINE):
        assert variable == "TORCH" or (variable.lower() in OPTIONS and re.search(rf"[{{(]{variable}[:)]", makefile))


def test_every_file_linked_is_there():
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert targets and [target for target in targets if not (ROOT / target).exists()] == []


def test_code_example_runs():
    example = re.search(r"```python\n(.+?)```", README, re.DOTALL)[1]
    quick = example.replace('"auto"', '"digits"').replace("seed=0)\nprint(run", "seed=0, max_epochs=1)\nprint(run")
    assert quick.count("max_epochs") == 1
    space: dict = {}
    exec(quick, space)
    assert space["run"].status == "ok"


def test_pictures_and_table_are_written_between_the_marks(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"# Title\n\n{readme.BEGIN}\nold\n{readme.END}\n\nafter\n")
    readme.main(page, tmp_path / "docs" / "figures")
    text = page.read_text()
    assert "old" not in text and text.startswith("# Title") and text.endswith("after\n")
    for alt, path in re.findall(r"!\[(.+?)\]\((.+?)\)", text):
        assert len(alt) > 40 and 0 < (tmp_path / path).stat().st_size < 300_000
    assert "Multi-class classification" in text and "published" in text


def test_a_readme_without_a_place_is_named(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("# Title\n")
    with pytest.raises(ValueError, match="no place for the results"):
        readme.main(page, tmp_path / "figures")
    assert page.read_text() == "# Title\n"
