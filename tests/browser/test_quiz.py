"""A question answered by keyboard alone, in JupyterLab; and the pages of run-all without a network."""

import nbformat
import pytest

from lm_utils.workshop.run_all.pages import notebook_page
from tests.browser.conftest import PATIENCE

pytestmark = pytest.mark.browser

QUESTION = """
from lm_utils.show import quiz
quiz.predict("Which loss suits `ten classes`?", ["mse", "hinge", "cross-entropy"], "cross-entropy", "It **fits**.")
"""
CHECKS = """
from IPython.display import display
from lm_utils.show import quiz
display(quiz.check(..., 3), quiz.check(4, 3, hint="Count again."), quiz.check(3, 3))
"""


def test_a_prediction_by_keyboard(jupyter):
    with jupyter.open_code(QUESTION, CHECKS) as page:
        assert page.errors() == []
        assert page.button("Choose first").is_disabled()
        page.radio("mse").focus()
        page.raw.keyboard.press("Tab")
        page.raw.keyboard.press("Tab")
        page.raw.keyboard.press("Space")
        assert page.radio("cross-entropy").is_checked()
        page.button("Show the answer").wait_for()
        assert "It fits" not in " ".join(page.texts())
        page.raw.keyboard.press("Tab")
        page.raw.keyboard.press("Enter")
        page.see("Right: cross-entropy.")
        page.see("Not answered yet")
        page.screenshot("quiz", around=page.see("Count again."))


def test_a_page_of_an_executed_notebook_asks_nobody(chromium, tmp_path):
    cells = [nbformat.v4.new_markdown_cell(r"# A page with $\frac{1}{2}$"), nbformat.v4.new_code_cell("1")]
    file = tmp_path / "page.html"
    file.write_text(notebook_page(nbformat.v4.new_notebook(cells=cells), "00_page"), "utf-8")
    page = chromium.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.locator("math mfrac").evaluate("part => part.getBoundingClientRect().width") > 0
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    page.close()
