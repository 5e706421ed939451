"""The teacher's edition runs from top to bottom, and every solution in it is right."""

import re
from functools import cache

import lesson_kernel as kernels
import nbformat
import pytest
from lesson_kernel import lesson_kernel
from made_up_runs import made_up
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store
from lm_utils.workshop.publish import notebooks
from lm_utils.workshop.run_all.notebook import first_problem
from lm_utils.workshop.run_all.pages import notebook_page

OWN = {  # a run of the reader's own for the loss table of each task's notebook
    "08_regression": Pairing("regression", "mae", normalize=True),
    "09_probability": Pairing("probability", "mse", "sigmoid"),
    "10_binary": Pairing("binary", "mse", "softmax"),
    "11_multi_class": Pairing("multiclass", "bce_logits", "softmax"),
    "12_multi_label": Pairing("multilabel", "mse", "softmax"),
}
PARAMETERS = {"data": "digits", "seeds": 3, "device": "cpu"}


@pytest.fixture(scope="session")
def executed(tmp_path_factory):
    """A function that executes a notebook of the teacher's edition, each once."""
    folder = tmp_path_factory.mktemp("solutions")
    store = Store(folder / "cache" / "runs")
    for pairing in OWN.values():
        store.put((pairing, 0), made_up(pairing, 0, 0.77, data="digits"), "digits", "cpu", LIMITS)
    with lesson_kernel(folder) as kernel:
        for path, text in notebooks.teacher_files().items():
            (folder / "notebooks" / path.name).write_text(text, "utf-8")

        @cache
        def execute(name):
            notebook = load_notebook_node(str(folder / "notebooks" / f"{name}.ipynb"))
            return kernel.run(parameterize_notebook(notebook, PARAMETERS))

        yield execute


def each(names):
    """Parametrise by notebook; all tests of one notebook share a process, which executes it once."""
    return pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in names])


def texts(notebook):
    """What the cells of an executed notebook show, as text."""
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())]
    return ["".join(output.get("text/plain", "")) for output in outputs]


@pytest.mark.slow
@each([path.stem for path in notebooks.sources()])
def test_it_runs_and_every_solution_is_right(executed, name):
    notebook = executed(name)
    assert first_problem(notebook) == ""
    said = [text for text in texts(notebook) if text.startswith(("✓ ", "✗ ", "… "))]
    assert len(said) >= 2
    assert [text for text in said if not text.startswith("✓ Right")] == []
    assert "This page shows an executed notebook" in notebook_page(notebook, name)


@pytest.mark.slow
@each(OWN)
def test_the_readers_own_runs_stand_apart_from_the_shipped_ones(executed, name):
    shown = texts(executed(name))
    mine = [text for text in shown if "Runs: yours: embedded digits" in text]
    assert len(mine) == 1 and re.search(r"(77\.00 %|0\.770) \(one run\)", mine[0]) and "reference" not in mine[0]
    assert any("Runs: reference: MNIST, 10 seeds" in text for text in shown)


@pytest.mark.slow
def test_a_silent_kernel_is_ended_and_another_one_executes_the_notebook(tmp_path):
    with lesson_kernel(tmp_path) as kernel:
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
