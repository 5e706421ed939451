"""Notebook 13 in JupyterLab: run all, look at the four runs, tick both boxes, answer a question."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_is_it_learning(jupyter):
    with jupyter.open("13_is_it_learning") as page:
        assert page.errors() == []
        picture = "Three vital signs of"
        page.screenshot("13_run_1", around=page.image(picture))
        with page.change(picture):
            page.button("Run 2").click()
        with page.change(picture):
            page.checkbox("Show the constant predictor and the floor").check()
        page.see("and the floor at 1.4612")
        page.checkbox("Show the diagnosis").check()
        page.see("it only looks bad because of its floor")
        page.screenshot("13_run_2", around=page.image(picture))
        with page.change(picture):
            page.button("Run 4").click()
        assert not page.checkbox("Show the diagnosis").is_checked()
        page.checkbox("Show the diagnosis").check()
        page.see("Run 4: saturated")
        page.screenshot("13_run_4", around=page.image(picture))
        page.radio("about 0.33").check()
        page.button("Show the answer").click()
        page.screenshot("13_question", around=page.see("Each output is a no nine times out of ten"))
        page.screenshot("13_table", around=page.raw.get_by_text("Root mean squared error"))
        page.screenshot("13_doctor", around=page.raw.get_by_text("silently stretched to [32, 32]"))
        page.screenshot("13_bugs", around=page.raw.get_by_text("ariecattan/SciCo#2"))
