"""The ten questions in JupyterLab, unfolded by keys and ticked: all is asked for, then score and answers are told."""

import pytest

from lm_utils.lessons.ten_questions import questions

pytestmark = pytest.mark.browser

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


def test_by_keyboard_a_question_is_two_lists_one_tab_each(jupyter):
    with jupyter.open_code("from lm_utils.lessons import ten_questions\nten_questions.before()") as page:
        lists = page.raw.locator(".lm-quiz select")
        assert lists.count() == 0 or not lists.first.is_visible()
        page.button("▸ Ten questions (optional)").press("Enter")
        lists.first.wait_for()
        for place in range(2 * len(questions())):
            page.raw.keyboard.press("Tab")
            assert lists.nth(place).evaluate("element => element === document.activeElement")
        page.raw.keyboard.press("Tab")
        page.raw.keyboard.press("Enter")
        page.see("Still open, answer and confidence: question 1, 2, 3")
