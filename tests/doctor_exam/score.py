"""The doctor's score on a set of cases, beside what plain PyTorch says about each of them."""

import argparse
import importlib
import json
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from doctor_exam.fresh_right import FRESH_RIGHT
from doctor_exam.fresh_wrong import FRESH_WRONG
from doctor_exam.known import KNOWN
from doctor_exam.last import LAST
from doctor_exam.late import LATE
from doctor_exam.round_eight import ROUND_EIGHT
from doctor_exam.round_eighteen_engineers import EIGHTEEN_ENGINEERS
from doctor_exam.round_eighteen_learners import EIGHTEEN_LEARNERS
from doctor_exam.round_eighteen_projects import EIGHTEEN_PROJECTS
from doctor_exam.round_eleven import ROUND_ELEVEN
from doctor_exam.round_eleven_right import ROUND_ELEVEN_RIGHT
from doctor_exam.round_fifteen_makers import FIFTEEN_MAKERS
from doctor_exam.round_fifteen_pictures import FIFTEEN_PICTURES
from doctor_exam.round_fifteen_texts import FIFTEEN_TEXTS
from doctor_exam.round_five import ROUND_FIVE
from doctor_exam.round_four import ROUND_FOUR
from doctor_exam.round_fourteen_makers import FOURTEEN_MAKERS
from doctor_exam.round_fourteen_pictures import FOURTEEN_PICTURES
from doctor_exam.round_fourteen_texts import FOURTEEN_TEXTS
from doctor_exam.round_nine import ROUND_NINE
from doctor_exam.round_nineteen_people import NINETEEN_PEOPLE
from doctor_exam.round_seven import ROUND_SEVEN
from doctor_exam.round_seventeen_engineers import SEVENTEEN_ENGINEERS
from doctor_exam.round_seventeen_learners import SEVENTEEN_LEARNERS
from doctor_exam.round_seventeen_projects import SEVENTEEN_PROJECTS
from doctor_exam.round_six import ROUND_SIX
from doctor_exam.round_sixteen_classes import SIXTEEN_CLASSES
from doctor_exam.round_sixteen_labels import SIXTEEN_LABELS
from doctor_exam.round_sixteen_numbers import SIXTEEN_NUMBERS
from doctor_exam.round_ten import ROUND_TEN
from doctor_exam.round_thirteen_makers import THIRTEEN_MAKERS
from doctor_exam.round_thirteen_pictures import THIRTEEN_PICTURES
from doctor_exam.round_thirteen_texts import THIRTEEN_TEXTS
from doctor_exam.round_twelve import ROUND_TWELVE
from doctor_exam.round_twenty_answers import TWENTY_ANSWERS
from doctor_exam.round_twenty_five_makers import TWENTY_FIVE_MAKERS
from doctor_exam.round_twenty_five_numbers import TWENTY_FIVE_NUMBERS
from doctor_exam.round_twenty_five_pictures import TWENTY_FIVE_PICTURES
from doctor_exam.round_twenty_five_texts import TWENTY_FIVE_TEXTS
from doctor_exam.round_twenty_five_tutorials import TWENTY_FIVE_TUTORIALS
from doctor_exam.round_twenty_forum import TWENTY_FORUM
from doctor_exam.round_twenty_four_makers import TWENTY_FOUR_MAKERS
from doctor_exam.round_twenty_four_numbers import TWENTY_FOUR_NUMBERS
from doctor_exam.round_twenty_four_pictures import TWENTY_FOUR_PICTURES
from doctor_exam.round_twenty_four_texts import TWENTY_FOUR_TEXTS
from doctor_exam.round_twenty_four_tutorials import TWENTY_FOUR_TUTORIALS
from doctor_exam.round_twenty_makers import TWENTY_MAKERS
from doctor_exam.round_twenty_one_answers import TWENTY_ONE_ANSWERS
from doctor_exam.round_twenty_one_forum import TWENTY_ONE_FORUM
from doctor_exam.round_twenty_one_makers import TWENTY_ONE_MAKERS
from doctor_exam.round_twenty_one_projects import TWENTY_ONE_PROJECTS
from doctor_exam.round_twenty_one_users import TWENTY_ONE_USERS
from doctor_exam.round_twenty_projects import TWENTY_PROJECTS
from doctor_exam.round_twenty_six_analyst import TWENTY_SIX_ANALYST
from doctor_exam.round_twenty_six_language import TWENTY_SIX_LANGUAGE
from doctor_exam.round_twenty_six_researcher import TWENTY_SIX_RESEARCHER
from doctor_exam.round_twenty_six_student import TWENTY_SIX_STUDENT
from doctor_exam.round_twenty_six_vision import TWENTY_SIX_VISION
from doctor_exam.round_twenty_three_makers import TWENTY_THREE_MAKERS
from doctor_exam.round_twenty_three_numbers import TWENTY_THREE_NUMBERS
from doctor_exam.round_twenty_three_pictures import TWENTY_THREE_PICTURES
from doctor_exam.round_twenty_three_texts import TWENTY_THREE_TEXTS
from doctor_exam.round_twenty_three_tutorials import TWENTY_THREE_TUTORIALS
from doctor_exam.round_twenty_two_answers import TWENTY_TWO_ANSWERS
from doctor_exam.round_twenty_two_forum import TWENTY_TWO_FORUM
from doctor_exam.round_twenty_two_makers import TWENTY_TWO_MAKERS
from doctor_exam.round_twenty_two_projects import TWENTY_TWO_PROJECTS
from doctor_exam.round_twenty_two_users import TWENTY_TWO_USERS
from doctor_exam.round_twenty_users import TWENTY_USERS
from doctor_exam.study import STUDY
from doctor_exam.unseen_right import UNSEEN_RIGHT
from doctor_exam.unseen_wrong import UNSEEN_WRONG
from lm_utils.doctor.patient import as_arguments
from lm_utils.doctor.report import Report
from lm_utils.lessons.past_bugs import ExamCase

SQUASHED = ("softmax", "sigmoid", "bounded_outputs")
GENERAL = {
    **{f"{squashed}_before_": ("bounded_logits", "activation_twice") for squashed in SQUASHED},
    "relu_before_": ("bounded_logits", "relu_before_activation"),
    "nll_on_logits": ("unnormalised_likelihood", "unbounded_loss"),
    "logits_into_bce": ("logarithm_of_raw_outputs",),
    "probabilities_into_margin_loss": ("bounded_logits",),
}
"""The general names that say what a special one, which begins so or is it, says too."""
LONGEST = 20  # seconds after which no answer counts as a crash


def called_with(model: Callable, inputs: object) -> object:
    """Call a model as its inputs suggest: a tuple as arguments, a mapping as named ones, else one argument."""
    args, kwargs = as_arguments(model, inputs)
    return model(*args, **kwargs)


def held_out(cases: Sequence[ExamCase]) -> list[ExamCase]:
    """Return the third that was not looked at while the doctor was mended."""
    return list(cases[2::3])


def seen(cases: Sequence[ExamCase]) -> list[ExamCase]:
    """Return the other two thirds."""
    return [case for place, case in enumerate(cases) if place % 3 != 2]


SETS = {
    "known": list(KNOWN),
    "new": seen(UNSEEN_WRONG) + seen(UNSEEN_RIGHT),
    "held out": held_out(UNSEEN_WRONG) + held_out(UNSEEN_RIGHT),
    "late": list(LATE),
    "fresh": list(FRESH_WRONG) + list(FRESH_RIGHT),
    "last": list(LAST),
    "study": list(STUDY),
    "fourth": list(ROUND_FOUR),
    "fifth": list(ROUND_FIVE),
    "sixth": list(ROUND_SIX),
    "seventh": list(ROUND_SEVEN),
    "eighth": list(ROUND_EIGHT),
    "ninth": list(ROUND_NINE),
    "tenth": list(ROUND_TEN),
    "eleventh": list(ROUND_ELEVEN) + list(ROUND_ELEVEN_RIGHT),
    "twelfth": list(ROUND_TWELVE),
    "thirteenth": [*THIRTEEN_PICTURES, *THIRTEEN_TEXTS, *THIRTEEN_MAKERS],
    "fourteenth": [*FOURTEEN_PICTURES, *FOURTEEN_TEXTS, *FOURTEEN_MAKERS],
    "fifteenth": [*FIFTEEN_PICTURES, *FIFTEEN_TEXTS, *FIFTEEN_MAKERS],
    "sixteenth": [*SIXTEEN_CLASSES, *SIXTEEN_LABELS, *SIXTEEN_NUMBERS],
    "eighteenth": [*EIGHTEEN_LEARNERS, *EIGHTEEN_PROJECTS, *EIGHTEEN_ENGINEERS],
    "nineteenth": list(NINETEEN_PEOPLE),
    "seventeenth": [*SEVENTEEN_LEARNERS, *SEVENTEEN_PROJECTS, *SEVENTEEN_ENGINEERS],
    "twentieth": [*TWENTY_FORUM, *TWENTY_ANSWERS, *TWENTY_PROJECTS, *TWENTY_USERS, *TWENTY_MAKERS],
    "twenty-first": [
        *TWENTY_ONE_FORUM,
        *TWENTY_ONE_ANSWERS,
        *TWENTY_ONE_PROJECTS,
        *TWENTY_ONE_USERS,
        *TWENTY_ONE_MAKERS,
    ],
    "twenty-second": [
        *TWENTY_TWO_FORUM,
        *TWENTY_TWO_ANSWERS,
        *TWENTY_TWO_PROJECTS,
        *TWENTY_TWO_USERS,
        *TWENTY_TWO_MAKERS,
    ],
    "twenty-third": [
        *TWENTY_THREE_PICTURES,
        *TWENTY_THREE_NUMBERS,
        *TWENTY_THREE_TEXTS,
        *TWENTY_THREE_MAKERS,
        *TWENTY_THREE_TUTORIALS,
    ],
    "twenty-fourth": [
        *TWENTY_FOUR_PICTURES,
        *TWENTY_FOUR_NUMBERS,
        *TWENTY_FOUR_TEXTS,
        *TWENTY_FOUR_MAKERS,
        *TWENTY_FOUR_TUTORIALS,
    ],
    "twenty-fifth": [
        *TWENTY_FIVE_PICTURES,
        *TWENTY_FIVE_NUMBERS,
        *TWENTY_FIVE_TEXTS,
        *TWENTY_FIVE_MAKERS,
        *TWENTY_FIVE_TUTORIALS,
    ],
    "twenty-sixth": [
        *TWENTY_SIX_STUDENT,
        *TWENTY_SIX_ANALYST,
        *TWENTY_SIX_VISION,
        *TWENTY_SIX_LANGUAGE,
        *TWENTY_SIX_RESEARCHER,
    ],
}
"""The sets of the score: known while building, new and then mended for, held out meanwhile, written
afterwards, and taken from a published study."""


def plain_pytorch(case: ExamCase) -> str:
    """Run the case's training step without the doctor and return "error", "warning" or "silent"."""
    with torch.random.fork_rng([]), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.manual_seed(0)
        model, loss_fn, inputs, targets = case.build()
        try:
            loss = loss_fn(called_with(model, inputs), targets)
            loss = sum(loss.values()) if isinstance(loss, dict) else loss
            (loss if isinstance(loss, Tensor) else torch.tensor(loss)).mean().backward()
        except Exception:
            return "error"
    return "warning" if any(issubclass(one.category, UserWarning) for one in caught) else "silent"


def _too_long(*_: object) -> None:
    raise TimeoutError(f"no answer within {LONGEST} s")


def of_checkout(folder: Path) -> Callable[[ExamCase], Report]:
    """Return what asks the doctor of another checkout, an earlier commit's say, about this one's set-ups."""
    for name in [name for name in sys.modules if name.split(".")[0] == "lm_utils"]:
        del sys.modules[name]
    sys.path.insert(0, str(folder.resolve()))
    diagnose = importlib.import_module("lm_utils.doctor").diagnose

    def ask(case: ExamCase) -> Report:
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            return diagnose(*case.build())

    return ask


def doctor(case: ExamCase, ask: Callable[[ExamCase], Report] = ExamCase.report) -> dict:
    """Return what the doctor says: its codes by severity, or its crash."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST)
    try:
        report = ask(case)
    except Exception as error:
        first_line = str(error).split("\n")[0][:120]
        return {"crash": f"{type(error).__name__}: {first_line}", "errors": [], "warnings": []}
    finally:
        signal.alarm(0)
    by = {word: [f.code for f in report.findings if f.severity == word] for word in ("error", "warning")}
    return {"crash": "", "errors": by["error"], "warnings": by["warning"]}


def meant(codes: Iterable[str]) -> set[str]:
    """Return these names and the general ones of the same cause.

    The special ones stand in a table of their own, misfits.csv, which a writer need not know.
    """
    return {
        *codes,
        *(general for code in codes for name, also in GENERAL.items() if code.startswith(name) for general in also),
    }


def rows_of(cases: Iterable[ExamCase], ask: Callable[[ExamCase], Report] = ExamCase.report) -> list[dict]:
    """Return one row a case: its thread, what it must give, what PyTorch and the doctor say."""
    rows = []
    for case in cases:
        said = doctor(case, ask)
        named = bool(case.expected) and bool(set(case.expected.split("|")) & meant(said["errors"] + said["warnings"]))
        rows.append({"name": case.name, "source": case.source, "expected": case.expected,
                     "pytorch": plain_pytorch(case), **said, "named": named})  # fmt: skip
    return rows


def counts(rows: list[dict]) -> dict[str, int]:
    """Count the rows: named causes among wrong and silent set-ups, alarms among ordinary and unusual right ones."""
    wrong = [row for row in rows if row["expected"]]
    silent = [row for row in wrong if row["pytorch"] == "silent"]
    right = [row for row in rows if not row["expected"]]
    return {
        "wrong": len(wrong),
        "named": sum(row["named"] for row in wrong),
        "silent": len(silent),
        "silent named": sum(row["named"] for row in silent),
        "right": len(right),
        "alarms": sum(bool(row["errors"]) for row in right),
        "warnings": sum(bool(row["warnings"]) for row in right),
        "crashes": sum(bool(row["crash"]) for row in rows),
    }


def main(argv: list[str] | None = None) -> int:
    """Examine the named sets, print the counts, and write rows and counts as JSON if asked."""
    random.seed(0)
    parser = argparse.ArgumentParser(prog="python -m doctor_exam.score", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--write", type=Path, help="a JSON file for the rows")
    parser.add_argument("--doctor", type=Path, help="a checkout of another commit whose doctor is asked")
    parser.add_argument("--list", action="store_true", help="also list what is misjudged")
    options = parser.parse_args(argv)
    ask = of_checkout(options.doctor) if options.doctor else ExamCase.report
    found = {name: rows_of(SETS[name], ask) for name in options.sets}
    for name, rows in found.items():
        print(f"{name}: {counts(rows)}")
        for row in rows if options.list else []:
            if (
                row["crash"]
                or (row["expected"] and not row["named"])
                or (not row["expected"] and (row["errors"] or row["warnings"]))
            ):
                print(f"  {row['name']}: expected {row['expected']}, pytorch {row['pytorch']}, got "
                      f"{row['crash'] or [*row['errors'], *row['warnings']]}")  # fmt: skip
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        content = {"torch": torch.__version__.split("+")[0],
                   "sets": {name: {"counts": counts(rows), "rows": rows} for name, rows in found.items()}}  # fmt: skip
        options.write.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
