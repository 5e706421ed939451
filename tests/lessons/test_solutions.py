"""Every lesson runs from top to bottom, in both editions at once, and every solution in it is right."""

import ast
import re
from symtable import symtable

import lesson_kernel as kernels
import nbformat
import pytest
from lesson_kernel import GAP, OWN, after_check, both_editions, has_tag

from lm_utils.workshop.publish import notebooks
from lm_utils.workshop.run_all.notebook import first_problem
from lm_utils.workshop.run_all.pages import notebook_page

every_lesson = pytest.mark.parametrize("name", [path.stem for path in notebooks.sources()])


def texts(cells):
    """What executed cells show, as text."""
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    return ["".join(output.get("text/plain", "")) for output in outputs]


def said(cells):
    """The verdicts on answers."""
    return [text for text in texts(cells) if text.startswith(("✓ ", "✗ ", "… "))]


@pytest.mark.slow
@every_lesson
def test_it_runs_and_every_solution_is_right(kernel, name):
    notebook = kernel.lesson(name)
    assert first_problem(notebook) == ""
    gaps = [cell for cell in notebook.cells if has_tag(cell, GAP)]
    right = said(cell for cell in notebook.cells if cell not in gaps)
    assert len(right) >= 2 and [text for text in right if not text.startswith("✓ Right")] == []
    assert len(said(gaps)) == len(right) and [text for text in said(gaps) if text.startswith("✓ ")] == []
    assert "This page shows an executed notebook" in notebook_page(notebook, name)


@pytest.mark.slow
@every_lesson
def test_no_later_cell_reads_what_a_solution_made(name):
    """So that what follows an exercise is the same in both editions."""
    cells = both_editions(name).cells
    for place in [at for at, cell in enumerate(cells) if has_tag(cell, "solution")]:
        made = set_by(cells[place])
        for cell in cells[after_check(cells, place) :]:
            if cell.cell_type == "code":
                read = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
                made -= set_by(cell)
                assert not made & read, f"{made & read} in {cell.source}"


def set_by(cell):
    """The names that a code cell sets in the notebook."""
    symbols = symtable(cell.source, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_the_readers_own_runs_stand_apart_from_the_shipped_ones(kernel, name):
    shown = texts(kernel.lesson(name).cells)
    mine = [text for text in shown if "Runs: yours: embedded digits" in text]
    assert len(mine) == 1 and re.search(r"(77\.00 %|0\.770) \(one run\)", mine[0]) and "reference" not in mine[0]
    assert any("Runs: reference: MNIST, 10 seeds" in text for text in shown)


@pytest.mark.slow
def test_a_silent_kernel_is_ended_and_another_one_executes_the_notebook(tmp_path):
    with kernels.lesson_kernel(tmp_path) as kernel:
        kernel.idle_limit, first = 10, kernel.watched().pid
        sources = f"import os, time\nif os.getpid() == {first}: time.sleep(3600)", "1 / 0"
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        assert "ZeroDivisionError" in first_problem(kernel.run(made))
        assert kernel.watched().pid != first


def test_who_works_or_tells_something_is_not_silent(monkeypatch):
    clock, work = 0, 0.0
    monkeypatch.setattr(kernels, "work_of", lambda pid: work)
    monkeypatch.setattr(kernels, "monotonic", lambda: clock)
    silence = kernels.Silence(1, limit=10)
    clock, work = 11, 1.0
    assert not silence.is_long(told=0)
    clock = 22
    assert not silence.is_long(told=1)
    clock, work = 32, 1.1
    assert not silence.is_long(told=1)
    clock = 33
    assert silence.is_long(told=1)
