"""The quiz reveals nothing early, recognises answers of every kind, and names known mistakes."""

import numpy as np
import pytest
import torch

from lm_utils.show import quiz


def question():
    return quiz.predict("Which `loss` wins?", ["mse", "bce", "tie <3"], "bce", "Because **it** fits.")


def test_nothing_is_revealed_before_a_choice():
    asked = question()
    assert asked.choices.value is None and asked.button.disabled and asked.verdict.value == ""
    asked.button.click()
    assert asked.verdict.value == ""
    asked.choices.value = "mse"
    assert not asked.button.disabled and asked.verdict.value == ""


def test_a_choice_is_answered_with_words_and_sign():
    asked = question()
    asked.choices.value = "mse"
    asked.button.click()
    assert "✗" in asked.verdict.value and "You chose: mse. The answer is: bce." in asked.verdict.value
    asked.choices.value = "bce"
    asked.button.click()
    assert "✓" in asked.verdict.value and "<b>it</b> fits" in asked.verdict.value


def test_without_live_widgets_the_answer_is_folded():
    bundle = question()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    before, folded = bundle["text/html"].split("<details>")
    assert "<code>loss</code>" in before and "tie &lt;3" in before and "fits" not in before
    assert "<b>bce</b>" in folded and "fits" in folded
    assert "bce" not in bundle["text/plain"]


@pytest.mark.parametrize("options, answer", [(["a"], "a"), (["a", "a"], "a"), (["a", "b"], "c")])
def test_a_badly_asked_question_is_refused(options, answer):
    with pytest.raises(ValueError, match="option"):
        quiz.predict("?", options, answer)


@pytest.mark.parametrize("answer", [..., [1, ...], (..., ...)])
def test_a_stub_is_not_answered_yet(answer):
    verdict = quiz.check(answer, expected=3)
    assert verdict.state == "unanswered" and "Not answered yet" in verdict._repr_html_()


@pytest.mark.parametrize(
    "answer, expected, tolerance",
    [
        (0.1 + 0.2, 0.3, 0.0),
        (0.69, 0.6931, 0.01),
        (" Softmax ", "softmax", 0.0),
        (True, True, 0.0),
        (np.float32(0.5), 0.5, 0.0),
        (torch.tensor([1.0, 2.0], requires_grad=True), [1, 2], 0.0),
        ([1, 2], torch.tensor([1, 2]), 0.0),
        (["mse", "mae"], ["MSE", "mae"], 0.0),
        ({"a", "b"}, {"b", "a"}, 0.0),
        (float("inf"), float("inf"), 0.0),
        (float("nan"), float("nan"), 0.0),
    ],
)
def test_right_answers_of_every_kind(answer, expected, tolerance):
    assert quiz.check(answer, expected, tolerance).state == "right"


@pytest.mark.parametrize(
    "answer, expected, words",
    [
        (-2.0, 2.0, "sign"),
        (97.0, 0.97, "percentage"),
        (5, 2, "too large"),
        (1, 2, "too small"),
        ("mse", 2, "a number"),
        ([1, 2], [[1], [2]], "shape"),
        (float("nan"), 2, "nan"),
        ("mse", "mae", "You have 'mse'"),
        (None, "mae", "a str"),
        (2, {1, 2}, "a set"),
    ],
)
def test_wrong_answers_say_how_they_differ(answer, expected, words):
    verdict = quiz.check(answer, expected, hint="Look at the gradient.")
    assert verdict.state == "wrong" and not verdict
    assert words in verdict.message and verdict.message.endswith("Look at the gradient.")
    assert "✗ Not yet" in repr(verdict)


def test_known_mistakes_have_their_own_message():
    mistakes = {1.0: "This is log 2 in bits.", (1, 2): "Swapped."}
    assert "in bits" in quiz.check(1.0, 0.6931, 1e-3, mistakes).message
    assert "Swapped" in quiz.check([1, 2], [2, 1], mistakes=mistakes).message
    assert "twice" in quiz.check([4.0], torch.tensor([2.0]), mistakes=[([4.0], "twice")]).message


def square(x):
    return x * x


CASES = [(2.0,), (3.0,), (torch.tensor([1.0, -2.0]),)]


def test_functions_are_compared_on_every_case():
    assert "all 3 cases" in quiz.check_function(lambda x: x**2, square, CASES).message
    verdict = quiz.check_function(lambda x: x + x, square, CASES)
    assert verdict.state == "wrong" and "returns 6, expected 9" in verdict.message
    named = quiz.check_function(lambda x: x + x, square, CASES, [(lambda x: 2 * x, "That doubles.")])
    assert named.message == "That doubles."


def raises(x):
    raise TypeError("no")


def later(x):
    raise NotImplementedError


@pytest.mark.parametrize(
    "function, state, words",
    [
        (..., "unanswered", "Replace"),
        (lambda x: ..., "unanswered", "still returns"),
        (later, "unanswered", "to be written"),
        (raises, "wrong", "raised TypeError: no"),
        (3, "wrong", "A function is expected"),
    ],
)
def test_unfinished_and_failing_functions(function, state, words):
    verdict = quiz.check_function(function, square, CASES)
    assert verdict.state == state and words in verdict.message


def test_a_function_that_changes_its_arguments_harms_nothing():
    case = torch.tensor([1.0, 2.0])
    assert quiz.check_function(lambda x: x.mul_(x), square, [(case,)])
    assert case.tolist() == [1.0, 2.0]


def slope_of_five():
    return 5.0


def slope_of_seven():
    return 7.0  # a comment about halves


def slope_by_halves():
    halves = 2
    return 6.0 / halves


def slope_by_halves_of_nothing():
    halves = 0
    return 6.0 / halves


def slope_of_five_by_halves():
    halves = 2
    return 10.0 / halves


@pytest.mark.parametrize(
    "script, state, words",
    [
        (slope_of_five, "unanswered", "still gives 5"),
        (lambda: 5.0001, "unanswered", "still gives"),
        (lambda: 2.0, "right", "now gives 2"),
        (slope_by_halves, "wrong", "gives 3. No halves, please."),
        (lambda: -1.0, "wrong", "gives -1. It went too far."),
        (slope_of_seven, "wrong", "gives 7. Look again."),
        (lambda: 1 / 0, "wrong", "raised ZeroDivisionError"),
        (slope_by_halves_of_nothing, "wrong", "by zero. No halves, please."),
        (slope_of_five_by_halves, "wrong", "gives 5. No halves, please."),
        (eval("lambda: 4.0"), "wrong", "Look again."),
    ],
)
def test_a_repaired_script_is_run_and_known_wrong_repairs_have_their_own_message(script, state, words):
    mistakes = [("halves", "No halves, please."), (lambda slope: slope < 0, "It went too far.")]
    verdict = quiz.check_script(script, lambda slope: slope < 4, 5.0, mistakes, hint="Look again.")
    assert verdict.state == state and words in verdict.message
