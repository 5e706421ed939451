"""The tools of the browser tests: a control moves, a picture changes, a failure is seen."""

import pytest

from lm_utils.workshop.run_all.notebook import first_problem

pytestmark = pytest.mark.browser

LAB = """
import ipywidgets as widgets
from lm_utils.show.style import Picture, new_figure
from lm_utils.show import quiz
slider = widgets.IntSlider(2, 0, 9, description="size", continuous_update=False)
which = widgets.Dropdown(options=["plain", "dashed"], description="line")
picture = Picture()
def redraw(_=None):
    figure, axes = new_figure(height=2)
    axes.plot([0, slider.value], "--" if which.value == "dashed" else "-")
    figure.set_label(f"A line of size {slider.value}")
    picture.draw(figure)
for control in (slider, which):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([slider, which, picture])
"""
QUESTION = 'from lm_utils.show import quiz\nquiz.predict("Up?", ["yes", "no"], "yes", "It rises.")'


def test_controls_move_pictures(jupyter, monkeypatch):
    monkeypatch.setenv("LM_SCREENS", "1")
    with jupyter.open_code(LAB, QUESTION) as page:
        assert page.errors() == []
        with page.change("A line"):
            page.slider("size").press("ArrowRight", times=2)
        page.image("A line of size 4").wait_for()
        assert page.slider("size").value == "4"
        with page.change("A line"):
            page.dropdown("line").select_option(label="dashed")
        page.radio("yes").check()
        page.button("Show the answer").click()
        page.see("It rises.")
        assert page.screenshot("browser_tools", around=page.image("A line")).stat().st_size > 10_000


def test_failures_are_seen(jupyter):
    with jupyter.open_code("1 / 0", "print(1)") as page:
        assert "ZeroDivisionError" in page.errors()[0]
        assert "ZeroDivisionError" in first_problem(page.kept())


def test_what_is_kept_holds_an_error_that_a_widget_hides(jupyter):
    sources = (
        "import ipywidgets\nout = ipywidgets.Output()\nipywidgets.VBox([out])",
        "with out:\n    raise KeyError('lost')",
    )
    with jupyter.open_code(*sources) as page:
        assert "a widget hides KeyError: 'lost'" in first_problem(page.kept())


def test_a_silent_kernel_is_ended_and_another_one_runs_the_notebook(jupyter, monkeypatch):
    monkeypatch.setattr(jupyter.kernel, "idle_limit", 10)
    first = jupyter.kernel.watched().pid
    with jupyter.open_code(f"import os, time\nif os.getpid() == {first}: time.sleep(3600)", "print('spoken')") as page:
        page.see("spoken")
        assert page.errors() == [] and jupyter.kernel.watched().pid != first
