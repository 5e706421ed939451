"""The ten questions: each answer is proven, nothing shows too early, score and confidence are told."""

import pytest

from lm_utils.files import PROJECT
from lm_utils.lessons import ten_questions as ten
from lm_utils.show.quiz import Prediction

RIGHT = {  # what each reading in the table is written for
    "double-softmax": "silent", "plateau": "depends", "small-loss": "nothing", "ten-sigmoids": "start",
    "two-bce": "log2", "one-run": "little", "squared-error": "close", "hidden-misfit": "not_at_all",
    "shared-probability": "ceiling", "shapes": "mean",
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    return tmp_path


def replies(right: int, confidence: float = 2 / 3) -> dict[str, ten.Reply]:
    """Ten replies, the first ones right."""
    wrong = {q.id: next(key for key in q.options if key != RIGHT[q.id]) for q in ten.questions()}
    chosen = [RIGHT[q.id] if place < right else wrong[q.id] for place, q in enumerate(ten.questions())]
    return {q.id: ten.Reply(key, confidence) for q, key in zip(ten.questions(), chosen, strict=True)}


def answer_all(test: ten.TenQuestions, given: dict[str, ten.Reply]) -> None:
    """Tick everything."""
    for one in test.asked:
        reply = given[one.source.id]
        one.choices.value = one.source.options[reply.option]
        one.confidence.value = next(text for text, value in ten.CONFIDENCE.items() if value == reply.confidence)


@pytest.mark.parametrize("question", ten.questions(), ids=lambda question: question.id)
def test_each_answer_is_proven(question):
    key, reading = question.proven
    assert key == RIGHT[question.id] and key in question.options
    assert "{" not in reading and len(question.options) == 3
    assert (PROJECT / "notebooks" / "src" / f"{question.cure}.py").exists()


def test_there_are_ten_and_no_column_is_lucky():
    assert len(ten.questions()) == 10 == len({q.proof for q in ten.questions()})
    places = [list(q.options).index(RIGHT[q.id]) for q in ten.questions()]
    assert max(places.count(place) for place in range(3)) < 6


@pytest.mark.parametrize(
    ("right", "confidence", "words"),
    [(10, 0.95, "judged yourself well"), (5, 0.95, "surer than"), (9, 1 / 3, "more than you think")],
)
def test_confidence_is_compared_with_the_score(right, confidence, words):
    outcome = ten.score(replies(right, confidence))
    assert (len(outcome.right), outcome.answered) == (right, 10)
    assert f"{right} of 10 right" in ten.score_in_words(outcome) and words in ten.score_in_words(outcome)
    assert len(outcome.sure_but_wrong) == (10 - right if confidence == 0.95 else 0)


def test_no_reply_is_no_score():
    assert ten.score_in_words(ten.score({})) == "No question has been answered."


def test_the_first_time_gives_nothing_away():
    test = ten.before()
    assert isinstance(test.asked[0], Prediction)
    test.button.click()
    assert "Still open" in test.result.value and "question 1, 2, 3" in test.result.value
    answer_all(test, replies(4))
    test.button.click()
    assert "Kept" in test.result.value and all(one.verdict.value == "" for one in test.asked)
    page = test._repr_mimebundle_()["text/html"]
    assert ten.questions()[0].options["silent"] in page and page.count("<details") == 1
    assert ten.recall() == replies(4)


def test_the_second_time_judges_and_compares():
    ten.keep(replies(4))
    test = ten.after()
    answer_all(test, replies(9, 0.95))
    test.button.click()
    assert "9 of 10 right" in test.result.value and "Before: 4 of 10 right; now 9 of 10." in test.result.value
    assert "New: two-bce" in test.result.value
    assert "✓ </span>" in test.asked[0].verdict.value or "✓" in test.asked[0].verdict.value
    assert "✗" in test.asked[-1].verdict.value and "Notebook 13" in test.asked[-1].verdict.value


def test_without_a_first_time_only_the_score_is_told():
    test = ten.after()
    answer_all(test, replies(10))
    assert "Before" not in test.finish()


@pytest.mark.parametrize("text", ["", "[]", '{"plateau": ["none of them", 0.5]}', '{"plateau": 3}'])
def test_spoilt_replies_count_as_none(text, cache):
    ten.kept_file().write_text(text, encoding="utf-8")
    assert ten.recall() == {}


def test_a_folder_that_cannot_be_written_is_told(cache, monkeypatch):
    (cache / "file").touch()
    monkeypatch.setenv("LM_CACHE_DIR", str(cache / "file" / "runs"))
    test = ten.before()
    answer_all(test, replies(1))
    test.button.click()
    assert "file" in test.result.value
