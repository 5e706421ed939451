"""Ten questions before and after the course: an answer and a confidence each, and what became of both."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import ipywidgets as widgets

from lm_utils.files import answers_folder, read_kept, write_whole
from lm_utils.lessons import ten_proofs
from lm_utils.show import quiz
from lm_utils.show.keys import Keys
from lm_utils.show.lab import Fold

CONFIDENCE = {  # what is ticked: the share of such answers that one expects to be right
    "a guess (right 1 time in 3)": 1 / 3,
    "rather sure (2 in 3)": 2 / 3,
    "sure (19 in 20)": 0.95,
}
SURE, WELL_JUDGED = 0.95, 0.15
FOLDED = "Ten questions (optional)"
WIDE = {"description_width": "initial"}


@dataclass(frozen=True)
class Question:
    """One question, its options by key, and the proof of its answer."""

    id: str
    question: str
    options: Mapping[str, str]
    proof: str
    reading: str
    cure: str

    @cached_property
    def proven(self) -> tuple[str, str]:
        """The right option's key, and the reading with its figures; computed when first asked for."""
        key, facts = getattr(ten_proofs, self.proof)()
        return key, self.reading.format(**facts)


@dataclass(frozen=True)
class Reply:
    """A chosen option and how sure the student was of it."""

    option: str
    confidence: float


@dataclass(frozen=True)
class Outcome:
    """What became of a set of replies."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    expected: float  # how many right answers the confidences add up to
    sure_but_wrong: tuple[str, ...]

    @property
    def answered(self) -> int:
        """How many questions have a reply."""
        return len(self.right) + len(self.wrong)

    @property
    def excess(self) -> float:
        """By how much the mean confidence lies above the share of right answers."""
        return (self.expected - len(self.right)) / max(self.answered, 1)


@cache
def questions() -> tuple[Question, ...]:
    """Return the ten questions in their order."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return tuple(Question(**entry) for entry in table["question"])


def score(replies: Mapping[str, Reply]) -> Outcome:
    """Compare replies with what is proven."""
    asked = [question for question in questions() if question.id in replies]
    is_right = {question.id: replies[question.id].option == question.proven[0] for question in asked}
    return Outcome(
        tuple(name for name, right in is_right.items() if right),
        tuple(name for name, right in is_right.items() if not right),
        sum(replies[name].confidence for name in is_right),
        tuple(name for name, right in is_right.items() if not right and replies[name].confidence >= SURE),
    )


def score_in_words(outcome: Outcome) -> str:
    """Tell a score, and how well the confidence fitted it."""
    if not outcome.answered:
        return "No question has been answered."
    right = len(outcome.right)
    words = f"{right} of {outcome.answered} right. Your confidence amounts to {outcome.expected:.1f} expected right. "
    if outcome.excess > WELL_JUDGED:
        words += "You were surer than your answers deserved."
    elif outcome.excess < -WELL_JUDGED:
        words += "You know more than you think."
    else:
        words += "You judged yourself well."
    if outcome.sure_but_wrong:
        words += f" Sure and wrong (the most useful ones to look at): {', '.join(outcome.sure_but_wrong)}."
    return words


def change_in_words(before: Outcome, after: Outcome) -> str:
    """Tell what has changed from the first time to the second."""
    gained = [name for name in after.right if name in before.wrong]
    lost = [name for name in after.wrong if name in before.right]
    words = f"Before: {len(before.right)} of {before.answered} right; now {len(after.right)} of {after.answered}."
    words += f" New: {', '.join(gained)}." if gained else ""
    words += f" Lost on the way: {', '.join(lost)}." if lost else ""
    return words


# --- keeping the first replies -------------------------------------------------------------------------------


def kept_file() -> Path:
    """Return where the replies of the first time are kept."""
    return answers_folder() / "ten_questions.json"


def keep(replies: Mapping[str, Reply]) -> None:
    """Keep the replies for the second time."""
    plain = {name: [reply.option, reply.confidence] for name, reply in replies.items()}
    write_whole(kept_file(), json.dumps(plain))


def recall() -> dict[str, Reply]:
    """Return the replies of the first time; none where the file is missing or unreadable."""
    known = {question.id: question for question in questions()}
    try:
        replies = {name: Reply(str(option), float(sure)) for name, (option, sure) in read_kept(kept_file()).items()}
    except (ValueError, TypeError):
        return {}
    return {name: reply for name, reply in replies.items() if name in known and reply.option in known[name].options}


# --- the widget ----------------------------------------------------------------------------------------------


def listed(description: str, options: Iterable[str]) -> widgets.Select:
    """Return a list to choose from that is one Tab stop, where each radio button would be one."""
    chosen = widgets.Select(
        options=list(options), value=None, rows=3, description=description, style=WIDE, layout={"width": "auto"}
    )
    chosen.add_class("lm-quiz")
    return chosen


class AskedQuestion(quiz.Prediction):
    """One question with its options, its confidence, and no button of its own."""

    def __init__(self, number: int, question: Question) -> None:
        self.source = question
        key, reading = next(iter(question.options)), ""  # the true ones are looked up when they are revealed
        super().__init__(question.question, list(question.options.values()), question.options[key], reading)
        self.choices = listed("Your answer:", question.options.values())
        self.confidence = listed("How sure?", CONFIDENCE)
        self.confidence.layout.display = "none"  # until there is an answer, a question is one Tab stop
        self.choices.observe(lambda _: setattr(self.confidence.layout, "display", None), "value")
        title = self.children[0]
        title.value = title.value.replace("Predict first.", f"Question {number}.")
        self.children = [title, self.choices, self.confidence, self.verdict]

    @property
    def reply(self) -> Reply | None:
        """What was chosen; None until both rows are ticked."""
        if self.choices.value is None or self.confidence.value is None:
            return None
        option = next(key for key, text in self.source.options.items() if text == self.choices.value)
        return Reply(option, CONFIDENCE[self.confidence.value])

    def reveal(self) -> None:
        """Show the proven answer, its reading, and where to read on."""
        key, reading = self.source.proven
        self.answer, self.reading = self.source.options[key], f"{reading} (Notebook {self.source.cure[:2]}.)"
        self._reveal(self.button)

    def folded(self) -> str:
        """Return the question as HTML that needs no widgets and gives nothing away."""
        items = "".join(f"<li>{quiz.markup(text)}</li>" for text in self.source.options.values())
        return f"<p>{quiz.markup(self.source.question)}</p><ul>{items}</ul>"


class TenQuestions(widgets.VBox):
    """All questions and one button: the first time replies are kept, the second time they are judged."""

    def __init__(self, second_time: bool) -> None:
        self.second_time = second_time
        self.asked = [AskedQuestion(number, question) for number, question in enumerate(questions(), 1)]
        words = "Show the result" if second_time else "Keep my answers"
        self.button = widgets.Button(description=words, style={"font_size": "1rem"}, layout={"width": "auto"})
        self.result = widgets.HTMLMath()
        self.button.on_click(self._finish)
        inside = [*self.asked, self.button, self.result, Keys()]
        super().__init__(inside if second_time else [Fold(FOLDED, inside)])

    @property
    def replies(self) -> dict[str, Reply]:
        """The complete replies by question."""
        return {one.source.id: one.reply for one in self.asked if one.reply is not None}

    def _finish(self, _button: widgets.Button) -> None:
        try:
            self.result.value = f"<p role='status' style='font-size:1.05rem'>{quiz.markup(self.finish())}</p>"
        except (OSError, ValueError) as problem:
            self.result.value = f"<p role='status'>{quiz.markup(str(problem))}</p>"

    def finish(self) -> str:
        """Judge or keep what was replied, and return the sentence to show."""
        open_ones = [str(number) for number, one in enumerate(self.asked, 1) if one.reply is None]
        if open_ones:
            return f"Still open, answer and confidence: question {', '.join(open_ones)}. A guess is fine."
        if not self.second_time:
            keep(self.replies)
            return "Kept. The answers come at the end of the course, in notebook 15, where you are asked again."
        for one in self.asked:
            one.reveal()
        first, now = recall(), score(self.replies)
        return " ".join([score_in_words(now), *([change_in_words(score(first), now)] if first else [])])

    def _repr_mimebundle_(self, **options: object) -> dict:
        page = "".join(one.folded() for one in self.asked)
        bundle = super()._repr_mimebundle_(**options) or {}
        summary = "Ten questions" if self.second_time else FOLDED
        page = f"<details{' open' * self.second_time}><summary><b>{summary}</b></summary>{page}</details>"
        return {**bundle, "text/plain": "Ten questions", "text/html": page}


def before() -> TenQuestions:
    """Ask the ten questions for the first time: nothing is given away."""
    return TenQuestions(second_time=False)


def after() -> TenQuestions:
    """Ask the ten questions again: score, confidence, answers, and the change since the first time."""
    return TenQuestions(second_time=True)
