"""Questions that a notebook asks: predictions before a result, and exercises that check themselves."""

import copy
import html
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import numpy as np

from lm_utils.errors import UserError
from lm_utils.show.keys import Keys
from lm_utils.show.style import GOOD, QUIET, WARNING

# Every state has a sign and a word of its own, so that the colour is never the only signal.
STATES = {
    "unanswered": ("…", "Not answered yet", QUIET),
    "right": ("✓", "Right", GOOD),
    "wrong": ("✗", "Not yet", WARNING),
}
CARD = (
    "background:#f7f7f5;color:#1a1a1a;border-left:6px solid {color};border-radius:3px;"
    "padding:.5em .9em;margin:.3em 0;font-size:1.05rem;line-height:1.45;max-width:46em"
)


@dataclass(frozen=True)
class Verdict:
    """What a check found: a state ("unanswered", "right" or "wrong") and one message; true when right."""

    state: str
    message: str

    def __bool__(self) -> bool:
        return self.state == "right"

    def __repr__(self) -> str:
        sign, word, _ = STATES[self.state]
        return f"{sign} {word}. {self.message}".rstrip()

    def _repr_html_(self) -> str:
        return _card(self.state, f"{STATES[self.state][1]}.", self.message)


# Jupyter draws options at 13 pixels; the last row of a classroom reads them too.
LARGER = (
    "<style>.lm-quiz label, .lm-quiz .widget-label {font-size: 1rem; line-height: 1.5; height: auto}"
    " .lm-quiz .widget-radio-box label {margin-bottom: .2em}</style>"
)


class Prediction(widgets.VBox):
    """A question with its options; the answer shows after a choice, or unfolds where no widget is live."""

    def __init__(self, question: str, options: Sequence[str], answer: str, reading: str = "") -> None:
        options, answer = [str(option) for option in options], str(answer)
        if len(options) < 2 or len(set(options)) < len(options):
            raise UserError(f"A prediction needs at least two different options, got {options}.")
        if answer not in options:
            raise UserError(f"The answer {answer!r} must be one of the options {options}.")
        self.question, self.answer, self.reading = question, answer, reading
        self.choices = widgets.RadioButtons(
            options=options,
            value=None,
            description="Your prediction:",
            style={"description_width": "initial"},
            layout={"width": "auto"},
        )
        self.button = widgets.Button(
            description="Choose first",
            disabled=True,
            style={"font_size": "1rem"},
            layout={"width": "auto", "align_self": "flex-start"},
        )
        self.choices.add_class("lm-quiz")
        self.verdict = widgets.HTMLMath()
        self.choices.observe(self._chosen, names="value")
        self.button.on_click(self._reveal)
        title = widgets.HTMLMath(
            f"{LARGER}<div style='font-size:1.05rem;line-height:1.45;max-width:46em'>"
            f"<b>Predict first.</b> {markup(question)}</div>"
        )
        super().__init__([title, self.choices, self.button, self.verdict, Keys()])

    def _chosen(self, change: dict[str, Any]) -> None:
        self.button.disabled = change["new"] is None
        self.button.description = "Choose first" if change["new"] is None else "Show the answer"
        self.verdict.value = ""

    def _reveal(self, _button: widgets.Button) -> None:
        if self.choices.value is None:
            return
        right = self.choices.value == self.answer
        words = "Right" if right else f"You chose: {self.choices.value}. The answer is"
        self.verdict.value = _card("right" if right else "wrong", f"{words}: {self.answer}.", self.reading)

    def folded(self) -> str:
        """Return the question as HTML that needs no widgets: the answer unfolds."""
        items = "".join(f"<li>{markup(option)}</li>" for option in self.choices.options)
        answer = f"<b>{markup(self.answer)}</b> {markup(self.reading)}"
        return (
            f"<div style='{CARD.format(color=STATES['unanswered'][2])}'><b>Predict first.</b> "
            f"{markup(self.question)}<ul>{items}</ul>"
            f"<details><summary>Show the answer</summary>{answer}</details></div>"
        )

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**options) or {}
        return {**bundle, "text/plain": f"Predict first. {self.question}", "text/html": self.folded()}


predict = Prediction  # written as the last line of a cell


def check(
    answer: Any,
    expected: Any,
    tolerance: float = 0.0,
    mistakes: Mapping[Any, str] | Iterable[tuple[Any, str]] | None = None,
    hint: str = "",
) -> Verdict:
    """Compare an answer with the expected value and say, kindly, what is right or what to look at."""
    if _is_stub(answer):
        return Verdict("unanswered", "Replace the `...` above by your answer, then run both cells again.")
    if _agree(answer, expected, tolerance):
        return Verdict("right", f"Your answer is {_show(answer)}.")
    pairs = mistakes.items() if isinstance(mistakes, Mapping) else mistakes or ()
    for wrong, message in pairs:
        if _agree(answer, wrong, tolerance):
            return Verdict("wrong", _join(message, hint))
    return Verdict("wrong", _join(_difference(answer, expected, tolerance), hint))


def check_function(
    function: Any,
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    mistakes: Iterable[tuple[Callable[..., Any], str]] = (),
    hint: str = "",
    tolerance: float = 1e-6,
) -> Verdict:
    """Compare a function with a reference on every case; known wrong functions get their own message."""
    if function is ...:
        return Verdict("unanswered", "Replace the `...` above by your function, then run both cells again.")
    if not callable(function):
        return Verdict("wrong", _join(f"A function is expected, yours is a {type(function).__name__}.", hint))
    cases = [tuple(case) for case in cases]
    name = getattr(function, "__name__", "your function")
    first_wrong = ""
    for case in cases:
        try:
            result = function(*_fresh(case))
        except NotImplementedError:
            return Verdict("unanswered", f"`{name}` is still to be written.")
        except Exception as error:  # whatever a student's code raises
            text = f"`{name}({_arguments(case)})` raised {type(error).__name__}: {error}"
            return Verdict("wrong", _join(text.rstrip(".") + ".", hint))
        if _is_stub(result):
            return Verdict("unanswered", f"`{name}` still returns `...`.")
        expected = reference(*_fresh(case))
        if not first_wrong and not _agree(result, expected, tolerance):
            first_wrong = f"`{name}({_arguments(case)})` returns {_show(result)}, expected {_show(expected)}."
    if not first_wrong:
        tried = f"all {len(cases)} cases" if len(cases) > 1 else "the one case tried"
        return Verdict("right", f"`{name}` agrees with the reference on {tried}.")
    for wrong, message in mistakes:
        if _same_function(function, wrong, cases, tolerance):
            return Verdict("wrong", _join(message, hint))
    return Verdict("wrong", _join(first_wrong, hint))


def check_script(
    script: Callable[[], Any],
    works: Callable[[Any], bool],
    broken: Any,
    mistakes: Iterable[tuple[str | Callable[[Any], bool], str]] = (),
    hint: str = "",
    tolerance: float = 1e-3,
) -> Verdict:
    """Run a short script that the learner repairs; `broken` is what it gave before, each known repair has its message.

    A mistake is a pattern of code that the script must not hold, or a test of what the script returns. Code is looked
    at first: its message stands also where the script raises an error, or still gives what it gave.
    """
    mistakes, code = list(mistakes), _code(script)
    told = [message for wrong, message in mistakes if isinstance(wrong, str) and re.search(wrong, code, re.S)]
    try:
        result = script()
    except Exception as error:  # whatever a student's code raises
        raised = f"The script raised {type(error).__name__}: {error}".rstrip(".") + "."
        return Verdict("wrong", _join(raised, *told[:1] or [hint]))
    if not told and _agree(result, broken, tolerance):
        return Verdict("unanswered", f"The script still gives {_show(result)}. Change it, then run both cells again.")
    told += [message for wrong, message in mistakes if not isinstance(wrong, str) and wrong(result)]
    if not told and works(result):
        return Verdict("right", f"The script now gives {_show(result)}.")
    return Verdict("wrong", _join(f"The script gives {_show(result)}.", *told[:1] or [hint]))


def _code(function: Callable) -> str:
    """Return a function's source without its comments, or nothing where it was not kept."""
    try:
        return re.sub(r"#.*", "", inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def _same_function(function: Callable, wrong: Callable, cases: list[tuple], tolerance: float) -> bool:
    try:
        return all(_agree(function(*_fresh(case)), wrong(*_fresh(case)), tolerance) for case in cases)
    except Exception:
        return False


def _fresh(case: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copy arguments, so that a function that changes them in place harms no later comparison."""
    try:
        return copy.deepcopy(case)
    except Exception:  # a tensor inside a graph cannot be copied
        return case


def _is_stub(answer: Any) -> bool:
    return answer is ... or (isinstance(answer, (list, tuple, set)) and any(_is_stub(part) for part in answer))


def _array(value: Any) -> np.ndarray | None:
    """Return a number, a tensor or a sequence of numbers as an array, anything else as None."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return None if isinstance(value, (str, bytes)) else array


def _agree(answer: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, str):
        return isinstance(answer, str) and answer.strip().casefold() == expected.strip().casefold()
    if isinstance(expected, (set, frozenset, dict)) or expected is None:
        return answer == expected
    mine, theirs = _array(answer), _array(expected)
    if theirs is None and isinstance(expected, (list, tuple)) and isinstance(answer, (list, tuple)):
        pairs = zip(answer, expected, strict=False)
        return len(answer) == len(expected) and all(_agree(a, e, tolerance) for a, e in pairs)
    if mine is None or theirs is None:
        return mine is theirs and bool(answer == expected)
    return mine.shape == theirs.shape and bool(np.allclose(mine, theirs, rtol=1e-9, atol=tolerance, equal_nan=True))


def _difference(answer: Any, expected: Any, tolerance: float) -> str:
    """Say how the answer differs from the expected value without giving the value away."""
    mine, theirs = _array(answer), _array(expected)
    shown = f"You have {_show(answer)}."
    if mine is None or theirs is None:
        kind = "a number" if theirs is not None and theirs.ndim == 0 else f"a {type(expected).__name__}"
        return shown if type(answer) is type(expected) else f"{shown} The answer is {kind}."
    if mine.shape != theirs.shape:
        return f"Your answer has the shape {mine.shape}, expected is {theirs.shape}."
    if isinstance(expected, (bool, np.bool_)):
        return shown
    if np.isnan(mine).any():
        return f"{shown} Something in it is not a number (nan)." if mine.ndim else "Your answer is not a number (nan)."
    if mine.ndim or not math.isfinite(float(theirs)):
        return shown
    if _agree(-mine, theirs, tolerance):
        return f"{shown} The size is right, the sign is not."
    if _agree(mine / 100, theirs, tolerance):
        return f"{shown} A fraction is asked for, not a percentage."
    return f"{shown} That is too {'large' if mine > theirs else 'small'}."


def _show(value: Any) -> str:
    array = _array(value)
    if array is None or isinstance(value, bool):
        return repr(value)
    text = f"{float(array):.6g}" if array.ndim == 0 else np.array2string(array, precision=4, threshold=12)
    return " ".join(text.split())


def _arguments(case: tuple[Any, ...]) -> str:
    return ", ".join(_show(argument) for argument in case)


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def markup(text: str) -> str:
    """Escape a text for HTML, keeping `code` and **bold**."""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)


def _card(state: str, title: str, message: str) -> str:
    sign, _, color = STATES[state]
    head = f"<b style='color:{color}'><span aria-hidden='true'>{sign}</span> {markup(title)}</b>"
    return f"<div role='status' style='{CARD.format(color=color)}'>{head} {markup(message)}</div>"
