"""The final challenge: six broken training scripts, graded by running them."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from lm_utils.challenge.run_script import OUT_OF_TIME, split
from lm_utils.errors import UserError
from lm_utils.files import PROJECT
from lm_utils.show.quiz import STATES
from lm_utils.tasks import TASKS, Task
from lm_utils.threads import VARIABLE

FOLDER = PROJECT / "challenge"
LIMIT = 60  # seconds of processor time for one script on one core; training takes a few
PATIENCE = 600  # seconds by the clock: for a busy machine, and for a script that waits instead of working
LAST_WORDS = 160  # characters of an unforeseen end
FIXED, NOT_FIXED, BROKEN = "fixed", "not fixed yet", "broken in another way"
RULE = (
    "Good answers alone are not enough: another cut in `predict`, for instance, lets them look right while the network"
    " is still asked for what it cannot say. The rule is that model, loss and targets fit."
)
SIGN_OF = {FIXED: "right", NOT_FIXED: "unanswered", BROKEN: "wrong"}


@dataclass(frozen=True)
class Challenge:
    """One broken script: which task it is about, which metric a repair reaches, and three hints."""

    number: int
    file: str
    task: str
    bar: float
    hints: tuple[str, ...]

    @property
    def spec(self) -> Task:
        """The task itself."""
        return TASKS[self.task]

    def reached(self, metric: float) -> bool:
        """Whether the metric is as good as the bar, or better."""
        return metric == self.bar or self.spec.better(metric, self.bar)

    def told(self, metric: float) -> str:
        """A metric in words."""
        if self.spec.metric == "mse":
            return f"mean squared error {metric:.3f} (at most {self.bar:g} is asked for)"
        return f"{metric:.1%} right answers (at least {self.bar:.0%} are asked for)"


@dataclass(frozen=True)
class Grade:
    """What became of a script: FIXED, NOT_FIXED or BROKEN, and why in a sentence or two."""

    challenge: Challenge
    state: str
    message: str

    def __str__(self) -> str:
        sign = STATES[SIGN_OF[self.state]][0]
        return f"{sign} {self.challenge.file}: {self.state}. {self.message}"


@cache
def challenges() -> dict[int, Challenge]:
    """The six challenges by number."""
    table = tomllib.loads(Path(__file__).with_name("scripts.toml").read_text("utf-8"))
    return {int(n): Challenge(int(n), c["file"], c["task"], c["bar"], tuple(c["hints"])) for n, c in table.items()}


def grade(challenge: Challenge, script: Path, limit: int = LIMIT) -> Grade:
    """Run a script in a process of its own and say whether it is fixed."""
    if not script.exists():
        return Grade(challenge, BROKEN, f"There is no file {script}; copy it from the folder challenge again.")
    unseen = split(load_digits())[1]
    images = io.BytesIO()
    np.save(images, unseen.images.astype("uint8"))
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "lm_utils.challenge.run_script", str(script), challenge.task, str(result)]
        one_thread = {**os.environ, VARIABLE: "1"}
        try:
            done = subprocess.run([*command, str(limit)], input=images.getvalue(), capture_output=True, env=one_thread,
                                  timeout=PATIENCE)  # fmt: skip
        except subprocess.TimeoutExpired:
            return Grade(challenge, BROKEN, f"It did not end within {PATIENCE} seconds; does it wait for something?")
        if result.exists():
            return judge(challenge, scored(json.loads(result.read_text("utf-8")), challenge.spec, unseen.target))
        if done.returncode == OUT_OF_TIME:
            return Grade(challenge, BROKEN, f"It did not end within {limit} seconds of work; is there an endless loop?")
        last = (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Grade(challenge, BROKEN, f"It ended before it could be graded: {last[:LAST_WORDS]}.")


def scored(found: dict, task: Task, digits: np.ndarray) -> dict:
    """Add the metric of the answers, and whether they follow from the weights of `model`."""
    if "error" in found:
        return found
    truth = task.target(torch.tensor(digits))
    metric = metric_of(task, found["answers"], truth)
    redrawn = sum(metric_of(task, answers, truth) for answers in found["redrawn"]) / len(found["redrawn"])
    halfway = (metric + task.baseline(truth, truth)) / 2
    return found | {"metric": metric, "from_model": task.better(halfway, redrawn)}


def metric_of(task: Task, answers: list, truth: Tensor) -> float:
    """Return the mean squared error, or the share of right answers; answers are decisions already."""
    answers = torch.tensor(answers)
    if task.metric == "mse":
        return (answers - truth).square().mean().item()
    return (answers == truth).float().mean().item()


def judge(challenge: Challenge, found: dict) -> Grade:
    """Say what the findings of a run mean: an error, or a metric, where it comes from, and the misfits left."""
    if found.get("error"):
        return Grade(challenge, BROKEN, found["error"])
    metric, left = found["metric"], found["misfits"]
    words, reached = f"On images it has never seen: {challenge.told(metric)}", challenge.reached(metric)
    if reached and left:
        return Grade(challenge, NOT_FIXED, f"{words}, but {misfits(left)} between model, loss and targets. {RULE}")
    if reached and not found["from_model"]:
        return Grade(challenge, BROKEN, f"{words}, but the answers do not come from `model`: they stay as good when its"
                     " weights are drawn anew. Let `predict` ask the `model` that was trained.")  # fmt: skip
    if reached and not found["trained"]:
        return Grade(challenge, BROKEN, f"{words}, but `model` and `loss_fn` are not those that were trained together.")
    if reached:
        return Grade(challenge, FIXED, f"{words}, and model, loss and targets fit each other.")
    if left or found["collapsed"]:
        what = f"; there {misfits(left).removeprefix('there ')}" if left else "; it answers all images alike"
        return Grade(challenge, NOT_FIXED, f"{words}{what}.")
    return Grade(challenge, BROKEN, f"{words}. No misfit is left, but something else keeps it from learning.")


def misfits(codes: Sequence[str]) -> str:
    """How many misfits are left, without naming them."""
    return "there is still a misfit" if len(codes) == 1 else f"there are still {len(codes)} misfits"


def own_copies(folder: Path = FOLDER) -> Path:
    """The student's folder, filled with copies of the scripts that are not there yet."""
    mine = folder / "mine"
    for challenge in challenges().values():
        copy, original = mine / challenge.file, folder / challenge.file
        if not copy.exists() and original.exists():
            mine.mkdir(exist_ok=True)
            shutil.copyfile(original, copy)
    if not mine.exists():
        raise UserError(f"{folder} holds no challenge; run this in a copy of the whole repository.")
    return mine


def main(number: int | None = None, hint: int | None = None, folder: Path = FOLDER) -> int:
    """Grade one script or all; the exit code is 0 where all of them are fixed. With `hint`, tell hints instead."""
    if number is not None and number not in challenges():
        raise UserError(f"There is no challenge {number}; choose one of {', '.join(map(str, challenges()))}.")
    if hint is not None:
        return tell_hints(number, hint)
    mine = own_copies(folder)
    print(f"Your scripts are in {mine}. Repair them there; the originals stay as they are.", flush=True)
    states = []
    for challenge in [challenges()[number]] if number else challenges().values():
        graded = grade(challenge, mine / challenge.file)
        states.append(graded.state)
        print(graded, flush=True)
    fixed = states.count(FIXED)
    if fixed < len(states):
        print(f"{fixed} of {len(states)} fixed. A hint: `python -m lm_utils challenge {number or 1} --hint 1`.")
    return int(fixed < len(states))


def tell_hints(number: int | None, hint: int) -> int:
    """Print the first hints of one challenge."""
    if number is None:
        raise UserError("Say which challenge the hint is for, as in `python -m lm_utils challenge 3 --hint 1`.")
    hints = challenges()[number].hints
    if hint > len(hints):
        raise UserError(f"There are {len(hints)} hints for challenge {number}; the last one says nearly everything.")
    for place, text in enumerate(hints[:hint], 1):
        print(f"Hint {place}: {text}")
    return 0
