"""The ten questions in JupyterLab, unfolded by keys and ticked: all is asked for, then score and answers are told."""

import pytest

from lm_utils.lessons.ten_questions import questions

pytestmark = pytest.mark.browser

KEPT = "document.activeElement.hasAttribute('data-lm-suppress-shortcuts')"  # so JupyterLab leaves the keys alone
CELL = "from lm_utils.lessons import ten_questions\nten_questions.after()"


def test_ten_answers_and_how_sure(jupyter):
    with jupyter.open_code(CELL) as page:
        assert page.errors() == []
        page.button("Show the result").click()
        page.see("Still open, answer and confidence: question 1, 2, 3")
        for place, question in enumerate(questions()):
            lists = page.raw.locator(".lm-quiz select")  # two of each question: its answers, and how sure
            lists.nth(2 * place).select_option(label=question.options[question.proven[0]])
            lists.nth(2 * place + 1).select_option(label="rather sure (2 in 3)")
        page.screenshot("ten_questions_asked", around=page.see("Question 3."))
        page.button("Show the result").click()
        page.see("10 of 10 right.")
        assert page.errors() == []
        page.screenshot("ten_questions_told", around=page.see("Question 10."))


def test_by_keyboard_a_question_is_one_tab_until_an_arrow_answers_it(jupyter):
    with jupyter.open_code("from lm_utils.lessons import ten_questions\nten_questions.before()") as page:
        lists, focused = page.raw.locator(".lm-quiz select"), "element => element === document.activeElement"
        assert lists.count() == 0 or not lists.first.is_visible()
        page.button("▸ Ten questions (optional)").press("Enter")
        lists.first.wait_for()
        for place in range(len(questions())):
            page.raw.keyboard.press("Tab")
            assert lists.nth(2 * place).evaluate(focused)
        page.raw.wait_for_function(KEPT)
        page.raw.keyboard.press("ArrowDown")  # answers the last one: no cell of the notebook is chosen instead
        lists.last.wait_for()
        page.raw.keyboard.press("Tab")
        assert lists.last.evaluate(focused)
        page.raw.keyboard.press("Tab")
        page.raw.keyboard.press("Enter")
        page.see("Still open, answer and confidence: question 1, 2, 3")


def reach(page, control):
    """Come to a control by keyboard."""
    control.focus()
    page.raw.keyboard.press("Tab")
    page.raw.keyboard.press("Shift+Tab")
    page.raw.wait_for_function(KEPT)


def test_arrows_move_a_slider_and_a_prediction_instead_of_the_cells(jupyter):
    code = "from lm_utils.show import quiz\nquiz.predict('Which?', ['one', 'two'], 'two')"
    with jupyter.open_code(code) as page:
        reach(page, page.raw.locator(".lm-quiz input").first)
        page.raw.keyboard.press("Space")
        page.raw.keyboard.press("ArrowDown")
        page.button("Show the answer").click()
        page.see("Right: two.")
    with jupyter.open_code(
        "from lm_utils.show.lab import lab, slider\nlab(lambda a: f'a is {a}', a=slider('a', 3, 0, 9))"
    ) as page:
        reach(page, page.raw.locator(".noUi-handle").first)
        page.raw.keyboard.press("ArrowRight")
        page.see("a is 4")
