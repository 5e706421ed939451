"""The notebooks people open equal their sources, and keep the style that was promised."""

import ast
import json
import re
import statistics
from collections import Counter
from functools import cache

import nbformat
import pandas as pd
import pytest
import torch

from lm_utils.workshop.publish import minutes, notebooks

SOURCES = sorted((notebooks.PROJECT / "notebooks" / "src").glob("*.py"))
every_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

SMALL = """# %% [markdown]
# # 01 Small
# See [the next](02_other.ipynb) and [this](01_small.ipynb).

# %% [markdown] tags=["lang-ko"] english="c8444796"
# # 01 작은 것
# [다음](02_other.ipynb), [이것](01_small.ipynb).

# %% tags=["parameters"]
data = "auto"

# %%
answer = ...

# %% tags=["solution"]
answer = 3

# %%
answer = ...
"""


@cache
def edition(source, name="student"):
    return notebooks.build(source, name)


@pytest.fixture
def house(tmp_path):
    folder = tmp_path / "notebooks" / "src"
    folder.mkdir(parents=True)
    (folder / "01_small.py").write_text(SMALL, "utf-8")
    (folder / "02_other.py").write_text("# %% [markdown]\n# # 02 Other\n", "utf-8")
    return tmp_path


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def test_editions(house, capsys):
    assert notebooks.main(check=True, root=house) == 1
    assert notebooks.main(root=house) == 0
    assert notebooks.main(root=house, solutions=True) == 0
    student = cells_of(house / "notebooks" / "01_small.ipynb")
    teacher = cells_of(house / "build" / "solutions" / "01_small.ipynb")
    korean = cells_of(house / "notebooks" / "ko" / "01_small.ipynb")
    assert [c.source for c in student][1:] == ['data = "auto"', "answer = ...", "answer = ..."]
    assert [c.source for c in teacher][3] == "answer = 3"
    assert [c for c in teacher if "solution" not in c.metadata.get("tags", [])] == student
    assert "작은" in korean[0].source and "Small" not in korean[0].source
    assert korean[1:] == student[1:]
    assert "(../02_other.ipynb)" in korean[0].source and "(01_small.ipynb)" in korean[0].source
    assert not (house / "notebooks" / "ko" / "02_other.ipynb").exists()
    assert len({c.id for c in student}) == len(student)
    capsys.readouterr()
    assert notebooks.main(check=True, root=house) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_question_hides_its_source_which_holds_the_answer(house):
    source = house / "notebooks" / "src" / "02_other.py"
    texts = ["quiz.check(mine, expected=3)", "mine = ...", "mine = ...\ncheck(mine, 3)", "assert f(3)\ncheck(mine, 3)"]
    source.write_text("".join(f"# %%\n{text}\n\n" for text in texts))
    notebooks.main(root=house)
    cells = cells_of(house / "notebooks" / "02_other.ipynb")
    hidden = {"jupyter": {"source_hidden": True}, "cellView": "form"}
    assert [dict(cell.metadata) for cell in cells] == [hidden, {}, {}, hidden]


def test_a_changed_english_cell_asks_for_its_korean(house, capsys):
    source = house / "notebooks" / "src" / "01_small.py"
    source.write_text(SMALL.replace("See [the next]", "Look at [the next]"), "utf-8")
    assert notebooks.main(root=house) == 0 and notebooks.main(check=True, root=house) == 1
    sentence = "01_small.py: the English cell '01 Small Look at [the next](02_other.ipynb)' has changed"
    said = capsys.readouterr().out
    assert said.count(sentence) == 2 and "make notebooks TRANSLATED=1" in said and "up to date" not in said
    before = source.read_text("utf-8")
    assert notebooks.main(translated=True, root=house) == 0 and notebooks.main(check=True, root=house) == 0
    changed = [
        new for old, new in zip(before.splitlines(), source.read_text("utf-8").splitlines(), strict=True) if old != new
    ]
    assert len(changed) == 1 and changed[0].startswith('# %% [markdown] tags=["lang-ko"] english="')
    assert "english" not in cells_of(house / "notebooks" / "ko" / "01_small.ipynb")[0].metadata


def test_only_what_changed_is_written_and_a_new_cell_leaves_the_others_alone(house):
    notebooks.main(root=house)
    small, other = (house / "notebooks" / f"{name}.ipynb" for name in ("01_small", "02_other"))
    before, times = small.read_text("utf-8"), (small.stat().st_mtime_ns, other.stat().st_mtime_ns)
    source = house / "notebooks" / "src" / "01_small.py"
    source.write_text(SMALL.replace("# %%\nanswer", "# %%\nfirst = 1\n\n# %%\nanswer", 1), "utf-8")
    assert notebooks.outdated(notebooks.student_files(house)) == [
        small,
        house / "notebooks/ko/01_small.ipynb",
    ]
    notebooks.main(root=house)
    assert small.stat().st_mtime_ns != times[0] and other.stat().st_mtime_ns == times[1]
    kept = {json.dumps(cell) for cell in json.loads(small.read_text("utf-8"))["cells"]}
    assert {json.dumps(cell) for cell in json.loads(before)["cells"]} < kept


def test_a_built_notebook_without_source_is_named(house, capsys):
    notebooks.main(root=house)
    (house / "notebooks" / "src" / "02_other.py").unlink()
    assert notebooks.main(check=True, root=house) == 1
    assert "02_other.ipynb: has no source" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("notes.py", "", "NN_name.py"),
        ("01_twice.py", "", "share the number 01"),
        ("03_lost.py", '# %% [markdown] tags=["lang-ko"]\n# 말\n', "must follow"),
        ("03_typo.py", "# %%\nx = (\n", "03_typo.py: a cell is not valid Python"),
    ],
)
def test_bad_sources_are_refused_in_one_sentence(house, name, text, words):
    (house / "notebooks" / "src" / name).write_text(text, "utf-8")
    with pytest.raises(ValueError, match=words):
        notebooks.main(root=house)


def test_no_source_at_all(tmp_path):
    with pytest.raises(ValueError, match="no notebook source"):
        notebooks.main(root=tmp_path)


def code_lines(cell):
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())


def test_nothing_built_is_left_over_or_out_of_date():
    files = notebooks.student_files()
    assert notebooks.strays(files) == [] and notebooks.outdated(files) == [], "run `make notebooks`"


@every_notebook
def test_code_cells_are_short_and_prose_keeps_pace(source):
    cells = edition(source).cells
    code = [code_lines(cell) for cell in cells if cell.cell_type == "code"]
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert statistics.median(code) <= 5
    assert max(code) <= 20
    assert len(prose) >= len(code)
    assert len(re.findall(r"\w+", " ".join(prose))) >= 500


@every_notebook
def test_no_cell_is_empty(source):
    for cell in edition(source, "teacher").cells:
        assert cell.source.strip()
        assert cell.cell_type != "code" or code_lines(cell) > 0, f"only comments: {cell.source!r}"


@every_notebook
def test_no_prose_is_left_in_a_code_cell(source):
    """As where the mark of a Markdown cell was forgotten: no code cell ends with a comment."""
    for cell in edition(source, "teacher").cells:
        assert cell.cell_type != "code" or not cell.source.rstrip().rpartition("\n")[2].startswith("#"), cell.source


@every_notebook
def test_required_parts(source):
    cells = edition(source).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert cells[0].source.startswith(f"# {source.stem[:2]} ")
    assert "**Time:** {time}\n" in source.read_text("utf-8") and re.search(r"\*\*Time:\*\* \d+ minutes", prose)
    assert "**Covers" in prose
    parameters = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(parameters) == 1
    names = {node.targets[0].id: node.value.value for node in ast.parse(parameters[0]).body}
    assert names == {"data": "auto", "seeds": 3, "device": "auto"}
    assert "banner(data, device)" in code
    assert len(re.findall(r"\bcheck(_\w+)?\(", code)) >= 2, "two exercises that check themselves"
    assert re.search(r"\bpredict\(", code), "a predict-first question"
    assert re.search(r"^#+ .*summary|^#+ .*what you (now )?know", prose, re.IGNORECASE | re.MULTILINE)
    following = [other for other in SOURCES if other.stem[:2] == f"{int(source.stem[:2]) + 1:02d}"]
    for other in following:
        assert f"({other.name.replace('.py', '.ipynb')}" in cells[-1].source + cells[-2].source


@every_notebook
@pytest.mark.parametrize("name, at_home", [("student", "At home"), ("korean", "집에서")])
def test_what_is_longer_than_a_lesson_is_split(source, name, at_home):
    """At a heading that a reader sees; both parts fit into a lesson, and their times are those that the rule gives."""
    cells = edition(source, name).cells
    headings, _ = zip(*minutes.parts(cells), strict=True)
    _, counted = zip(*minutes.parts(edition(source).cells), strict=True)
    stated = re.search(r"^\*\*(?:Time|시간):\*\* ([^*\n]+)", cells[0].source, re.MULTILINE)[1]
    every, *halves = map(int, re.findall(r"\d+", stated))
    border = [place for place, heading in enumerate(headings) if heading.startswith(f"{at_home}: ")]
    assert bool(border) == bool(halves) == (every > minutes.LESSON) and (source.stem != "15_verdicts" or every <= 35)
    if not border:
        assert every == minutes.rounded(sum(counted))
        return
    [home] = border
    assert halves == [minutes.rounded(sum(counted[:home])), minutes.rounded(sum(counted[home + 1 :]))]
    assert max(halves) <= minutes.LESSON and every == sum(halves)
    assert f" {halves[1]} minutes" in headings[home] or f" {halves[1]}분" in headings[home]
    assert f"*{headings[home + 1]}*" in cells[0].source


# Notebooks 00, 11 and 15 as readers were timed: words, then figures, labs, questions, exercises, other code cells.
TIMED = {28: (961, 0, 3, 2, 2, 9), 85: (2499, 14, 1, 2, 3, 14), 95: (3396, 8, 1, 2, 2, 32)}


@pytest.mark.parametrize("needed", TIMED)
def test_the_rule_for_times_agrees_with_timed_readers(needed):
    words, *counts = TIMED[needed]
    texts = ["show(figure)", "lesson.walk_lab()", "quiz.predict(1)", "quiz.check(mine, expected=3)", "x = 1"]
    cells = [nbformat.v4.new_markdown_cell("word " * words)]
    cells += [nbformat.v4.new_code_cell(text) for text, count in zip(texts, counts, strict=True) for _ in range(count)]
    [(_, told)] = minutes.parts(cells)
    assert abs(told - needed) < 0.2 * needed


@every_notebook
def test_links_between_notebooks_lead_somewhere(source):
    prose = "\n".join(cell.source for cell in edition(source).cells if cell.cell_type == "markdown")
    linked = set(re.findall(r"\]\((\d\d_\w+)\.ipynb", prose))
    assert linked <= {path.stem for path in SOURCES}


@every_notebook
def test_figures_carry_alt_text(source):
    text = source.read_text("utf-8")
    assert not re.search(r"\bplt\.|pyplot", text), "figures come from functions and are shown with show(figure)"
    for match in re.finditer(r"!\[([^]]*)\]\(", text):
        assert match[1].strip(), "an image without alt text"
    for match in re.finditer(r"<img\b[^>]*>", text):
        assert re.search(r'alt="[^"]+"', match[0]), "an image without alt text"


@every_notebook
def test_every_exercise_has_a_solution_and_editions_differ_in_nothing_else(source):
    student, teacher = edition(source).cells, edition(source, "teacher").cells
    assert [c for c in teacher if "solution" not in c.metadata.get("tags", [])] == student
    code = [cell.source for cell in student if cell.cell_type == "code"]
    stubs = sum(bool(re.search(r"^\s*(\w+ = |return )\.\.\.$", text, re.MULTILINE)) for text in code)
    solutions = len(teacher) - len(student)
    assert solutions >= 2 and solutions >= stubs


@every_notebook
def test_nothing_of_this_machine_is_stored(source):
    notebook = edition(source)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "slideshow", "jupyter", "cellView"}
        assert not cell.get("outputs") and not cell.get("execution_count")


# Notebooks of experiments that are computed in view.
COMPUTES = {path.stem for path in SOURCES if path.stem[:2] in {"08", "09", "10", "11", "12", "15", "16"}}
VALUES = {name for kind in (torch.Tensor, pd.DataFrame) for name in dir(kind) if not name.startswith("_")}
VALUES -= {name for kind in (dict, list, str) for name in dir(kind)}  # "join" and "items" compute nothing


def work_of(cell, helpers):
    """Say what a code cell does: "computes" in view, "calls" the helper package only, or "neither".

    A cell computes where, outside its assertions, it holds arithmetic or a comparison of its own, or calls PyTorch,
    NumPy, pandas, SciPy or a method of their values. A cell that has none of this and calls what was imported from the
    package only calls the helper. (`lm` itself, the public names, is neither: a pairing is named, not computed.)
    """
    body = [node for line in ast.parse(cell.source).body if not isinstance(line, ast.Assert) for node in ast.walk(line)]
    calls = [node.func for node in body if isinstance(node, ast.Call)]
    numbers = [
        node for node in body if isinstance(node, ast.BinOp) and not is_text(node.left) and not is_text(node.right)
    ]
    if numbers or any(is_ours(call, helpers) is False for call in calls):
        return "computes"
    return "calls" if any(is_ours(call, helpers) for call in calls) else "neither"


def is_text(node):
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_ours(call, helpers):
    """Say whether a call is the helper's (True), arithmetic of a library (False), or neither (None)."""
    root = call
    while isinstance(root, ast.Attribute | ast.Call | ast.Subscript):
        root = root.func if isinstance(root, ast.Call) else root.value
    name = root.id if isinstance(root, ast.Name) else ""
    if name in helpers:
        return True
    library = name in {"torch", "nn", "F", "np", "pd", "stats", "math", "sum"}
    return False if library or (isinstance(call, ast.Attribute) and call.attr in VALUES) else None


@pytest.mark.parametrize("name", sorted(COMPUTES))
def test_an_experiment_is_computed_in_view(name):
    cells = edition(next(path for path in SOURCES if path.stem == name)).cells
    imports = re.findall(r"^from lm_utils[\w.]* import (.+)$", "\n".join(cell.source for cell in cells), re.MULTILINE)
    helpers = {part.split(" as ")[-1].strip() for line in imports for part in line.split(",")}
    code = [cell for cell in cells if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])]
    asked = re.compile(r"\bquiz\.|_questions?[.(]|check_repair|= \.\.\.( |$)|^from |^import |\bbanner\(", re.MULTILINE)
    kinds = Counter(work_of(cell, helpers) for cell in code if not asked.search(cell.source))
    assert kinds["computes"] >= 0.4 * kinds.total(), kinds
    assert kinds["calls"] <= 0.45 * kinds.total(), kinds
