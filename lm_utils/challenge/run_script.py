"""Runs one challenge script in this process and writes down what is to be judged: `challenge.grade` starts it."""

from __future__ import annotations

import json
import math
import runpy
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import sklearn.datasets
import torch
from torch import Tensor, nn

from lm_utils.doctor import diagnose
from lm_utils.tasks import TASKS, Task

NAMES = ("model", "loss_fn", "inputs_for", "targets_for", "predict")
SHOWN, EXAMINED = 1200, 64  # images that the script gets to see, and images of one examined batch
HARMLESS = {"saturated_units", "dead_layer", "large_targets", "weights_without_gradient"}
"""Warnings about the state of a network, not about a misfit; whether they matter shows in the metric."""


class Ungradable(Exception):
    """The script cannot be judged; the message says why in a sentence."""


def main(script: str, task: str, result: str) -> None:
    """Run the script on a part of the images and judge it on the rest."""
    try:
        found = examine(Path(script), TASKS[task])
    except Ungradable as problem:
        found = {"error": str(problem)}
    Path(result).write_text(json.dumps(found), "utf-8")


def examine(script: Path, task: Task) -> dict:
    """The metric on images that the script has never seen, and the codes of the misfits that are left."""
    seen, unseen = hidden_split()
    names = run(script, seen)
    missing = [name for name in NAMES if name not in names]
    if missing:
        raise Ungradable(f"It no longer defines {', '.join(missing)}; keep these names, they are graded.")
    if not isinstance(names["model"], nn.Module):
        raise Ungradable(f"Its `model` is a {type(names['model']).__name__}; a torch module is expected.")
    try:
        truth = task.target(torch.tensor(unseen.target))
        with torch.no_grad():
            answers = torch.as_tensor(names["predict"](names["inputs_for"](unseen.images)))
        answers = same_shape(answers.detach().float(), truth)
        images, digits = seen.images[:EXAMINED], seen.target[:EXAMINED]
        batch = names["inputs_for"](images), names["targets_for"](digits)
        report = diagnose(names["model"], names["loss_fn"], *batch)
    except Ungradable:
        raise
    except Exception as error:
        raise Ungradable(f"It ran, but its functions fail on new images with {described(error)}") from error
    return {
        "metric": metric(task, answers, truth),
        "misfits": [f.code for f in report.findings if f.severity != "info" and f.code not in HARMLESS],
        "collapsed": bool((answers == answers[0]).all()) or "saturated_units" in report.codes,
    }


def hidden_split() -> tuple[sklearn.utils.Bunch, sklearn.utils.Bunch]:
    """scikit-learn's digits in two parts: what the script may load, and what it is graded on."""
    bundle = sklearn.datasets.load_digits()
    order = np.random.default_rng(0).permutation(len(bundle.target))
    return tuple(
        sklearn.utils.Bunch(images=bundle.images[part], data=bundle.data[part], target=bundle.target[part])
        for part in (order[:SHOWN], order[SHOWN:])
    )


def run(script: Path, seen: sklearn.utils.Bunch) -> dict:
    """Execute the script, whose load_digits() gives the seen part only; the names it leaves behind."""
    sklearn.datasets.load_digits = lambda **_options: seen
    warnings.simplefilter("ignore")
    try:
        return runpy.run_path(str(script), run_name="__main__")
    except SyntaxError as error:
        raise Ungradable(f"It is not valid Python: {error.msg} in line {error.lineno}.") from error
    except SystemExit as error:
        raise Ungradable("It leaves through exit() before it can be graded.") from error
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
        where = f" in line {lines[-1]}" if lines else ""
        raise Ungradable(f"It stops{where} with {described(error)}") from error


def described(error: Exception) -> str:
    """Kind and first line of an error, as the end of a sentence."""
    words = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return f"{type(error).__name__}{': ' if words else ''}{words}."


def same_shape(answers: Tensor, truth: Tensor) -> Tensor:
    """The answers in the shape of the truth, if there is one for each."""
    if answers.numel() != truth.numel():
        each = truth[0].numel()
        expected = "1 answer" if each == 1 else f"{each} answers"
        raise Ungradable(
            f"Its predict gives {list(answers.shape)} for {len(truth)} images; expected {expected} per image."
        )
    if not bool(torch.isfinite(answers).all()):
        raise Ungradable("Some of its answers are not numbers (nan or infinite); did the training diverge?")
    return answers.reshape(truth.shape)


def metric(task: Task, answers: Tensor, truth: Tensor) -> float:
    """Mean squared error, or the share of right answers; answers are decisions already."""
    if task.metric == "mse":
        found = (answers - truth).square().mean().item()
    else:
        found = (answers == truth).float().mean().item()
    return found if math.isfinite(found) else 1e9


if __name__ == "__main__":
    main(*sys.argv[1:])
