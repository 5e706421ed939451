"""README, commands and results tell the truth about tasks, commands and files; pictures come from the results."""

import re
import tomllib

import pytest
from PIL import Image

import lm_utils as lm
from lm_utils.__main__ import COMMANDS, OPTIONS
from lm_utils.files import PROJECT
from lm_utils.losses import LOSSES
from lm_utils.workshop.publish import collapse_picture, readme

README, COMMAND_PAGE = ((PROJECT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/commands.md"))
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


@pytest.mark.parametrize("text", [README, COMMAND_PAGE], ids=["README", "commands"])
def test_every_command_named_exists(text):
    named = set(re.findall(r"make ([a-z-]+)`", text)) | set(re.findall(r"^make ([a-z-]+)$", text, re.MULTILINE))
    assert {"run-all", "test", "lab"} <= named <= set(COMMANDS)


def test_the_readme_is_short_and_begins_with_what_to_type():
    lines = README.splitlines()
    assert len(lines) <= 150
    blocks = re.findall(r"^```\n(.+?)^```", README, re.DOTALL | re.MULTILINE)
    typed = blocks[0].splitlines()
    assert [line.split()[:2] for line in typed[:1]] == [["git", "clone"]] and len(typed) == 3
    assert typed[0].split()[-1] == typed[1].removeprefix("cd ") and typed[2] == "make lab"
    assert lines.index("make lab") < 25


def test_the_address_of_the_repository_stands_in_one_place():
    urls = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
    address = urls.get("Repository", readme.UNKNOWN_ADDRESS)
    assert f"git clone {address} " in README
    cited = re.findall(r"^repository-code: (.+)$", (PROJECT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert all(one.strip('"') == address for one in cited)


def test_what_the_commands_print_is_what_the_readme_shows():
    source = {name: (PROJECT / "lm_utils" / "workshop" / name).read_text(encoding="utf-8")
              for name in ("run_all/report.py", "test.py")}  # fmt: skip
    assert "status   seconds  cells" in README and "status   seconds  cells" in source["run_all/report.py"]
    for words in ("Every notebook ran through", " s in all. To read: "):
        assert words in README and words in source["run_all/report.py"]
    assert "\nAll is well.\n" in README and "All is well." in source["test.py"]


def test_every_variable_named_is_passed_on():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    variables = re.findall(r"^\| `([A-Z]+)=", COMMAND_PAGE, re.MULTILINE)
    assert len(variables) >= 10
    for variable in variables:
        assert variable == "TORCH" or (variable.lower() in OPTIONS and re.search(rf"[{{(]{variable}[:)]", makefile))


@pytest.mark.parametrize("name", ["README.md", "docs/commands.md", "docs/results.md"])
def test_every_file_linked_is_there(name):
    page = PROJECT / name
    found = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    targets = [target for target in found if "://" not in target]
    assert targets and [target for target in targets if not (page.parent / target).exists()] == []


def test_what_left_the_readme_is_one_link_away():
    assert all(f"]({page}" in README for page in ("docs/commands.md", "docs/results.md", "docs/gallery.md"))


def test_code_example_runs():
    example = re.search(r"```python\n(.+?)```", COMMAND_PAGE, re.DOTALL)[1]
    quick = example.replace('"auto"', '"digits"').replace("seed=0)\nprint(run", "seed=0, max_epochs=1)\nprint(run")
    assert quick.count("max_epochs") == 1
    space: dict = {}
    exec(quick, space)
    assert space["run"].status == "ok"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The pages, without the words between their marks and without the alternative texts, written anew."""
    root = tmp_path_factory.mktemp("project")
    (root / "docs").mkdir()
    for name, places in readme.PAGES.items():
        text = readme.PICTURE.sub(r"![old](\1)", (PROJECT / name).read_text(encoding="utf-8"))
        for place in places:
            text = readme.between_marks(text, name, place, lambda: "old")
        (root / name).write_text(text, encoding="utf-8")
    readme.main(root)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", readme.PAGES)
def test_the_committed_pages_are_what_the_results_say(written, name):
    """But for pixels, which another version of a library may set otherwise."""
    made = (written / name).read_text(encoding="utf-8")
    assert made == (PROJECT / name).read_text(encoding="utf-8"), "run `make readme`"
    for alt, path in re.findall(r"!\[(.+?)\]\((\S+)\)", made):
        assert len(alt) > 40 and 0 < ((written / name).parent / path).stat().st_size < 300_000


def test_every_picture_is_on_a_page_and_every_notebook_of_the_gallery_exists():
    pages = [(PROJECT / name).read_text(encoding="utf-8") for name in readme.PAGES]
    assert {found[2] for page in pages for found in readme.PICTURE.finditer(page)} == set(readme.PICTURES)
    folder = PROJECT / "docs" / "figures"
    assert {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.*")} == set(readme.PICTURES)
    assert len(re.findall(r"gallery/.+\.png", pages[2])) >= 17


@pytest.mark.slow
def test_the_animated_picture_is_small_begins_again_and_has_a_still(written):
    figures = written / "docs" / "figures"
    assert (figures / "collapse.gif").stat().st_size < 500_000
    assert "](docs/figures/collapse.png)" in (written / "README.md").read_text(encoding="utf-8")
    with Image.open(figures / "collapse.gif") as moving, Image.open(figures / "collapse.png") as still:
        assert moving.n_frames == collapse_picture.epochs(collapse_picture.pair()) + 1 and moving.info["loop"] == 0
        assert moving.size == still.size


@pytest.mark.slow
def test_the_animated_picture_is_the_same_each_time_it_is_drawn(monkeypatch):
    monkeypatch.setattr(collapse_picture, "epochs", lambda found: 2)  # three frames instead of thirty
    assert collapse_picture.animated() == collapse_picture.animated()


def test_a_page_without_a_place_is_named(tmp_path):
    (tmp_path / "README.md").write_text("# Title\n")
    with pytest.raises(ValueError, match=r"README\.md has no place for the first lines"):
        readme.main(tmp_path)
    assert (tmp_path / "README.md").read_text() == "# Title\n"
