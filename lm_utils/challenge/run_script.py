"""Run one challenge script and write down what is to be judged; `grade` starts this in a process of its own.

The script sees two thirds of the images, with their digits. The others arrive on standard input, without their digits,
when it has ended; what its `predict` says about them is judged by `grade`, once as it is and again after the weights of
`model` have been drawn anew.
"""

import json
import os
import runpy
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Thread

import numpy as np
import sklearn.datasets
import torch
from sklearn.utils import Bunch
from torch import Tensor, nn

from lm_utils.doctor import diagnose
from lm_utils.errors import one_line
from lm_utils.tasks import TASKS, Task

NAMES = ("model", "loss_fn", "inputs_for", "targets_for", "predict")
SHOWN, EXAMINED = 1200, 64  # images that the script gets to see, and images of one examined batch
REDRAWN = 3  # times that the weights are drawn anew
OUT_OF_TIME = 124  # the exit code of a script that worked for too long
WATCHED = {"open", "os.link", "os.symlink", "os.system", "os.posix_spawn", "os.exec", "subprocess.Popen"}
HARMLESS = {"saturated_units", "dead_layer", "vanishing_gradient", "large_targets", "inputs_not_scaled",
            "weights_without_gradient"}  # fmt: skip
"""Warnings about the state of a network, not about a misfit; whether they matter shows in the metric."""


class Ungradable(Exception):
    """The script cannot be judged; the message says why in a sentence."""


def main(script: str, task: str, result: str, seconds: str) -> None:
    """Run the script with so many seconds of processor time and write what was found as JSON."""
    limit_processor_time(int(seconds))
    try:
        found = examine(Path(script), TASKS[task], lambda: np.load(BytesIO(sys.stdin.buffer.read())))
    except Ungradable as problem:
        found = {"error": str(problem)}
    Path(result).write_text(json.dumps(found), "utf-8")


def limit_processor_time(seconds: int) -> None:
    """End this process after so many more seconds of work, however long they take by the clock."""
    last = time.process_time() + seconds

    def watch() -> None:
        while time.process_time() < last:
            time.sleep(0.1)
        os._exit(OUT_OF_TIME)

    Thread(target=watch, daemon=True).start()


def examine(script: Path, task: Task, unseen: Callable[[], np.ndarray]) -> dict:
    """Return the answers about unseen images, those after drawing the weights anew, and the misfits that are left."""
    seen = split(sklearn.datasets.load_digits())[0]
    with no_reading_of_digits():
        names, trained = run(script, seen)
        missing = [name for name in NAMES if name not in names]
        if missing:
            raise Ungradable(f"It no longer defines {', '.join(missing)}; keep these names, they are graded.")
        model, loss_fn = names["model"], names["loss_fn"]
        if not isinstance(model, nn.Module):
            raise Ungradable(f"Its `model` is a {type(model).__name__}; a torch module is expected.")
        try:
            inputs = names["inputs_for"](unseen().astype(float))
            batch = names["inputs_for"](seen.images[:EXAMINED]), names["targets_for"](seen.target[:EXAMINED])
            answers, redrawn = answers_of(names["predict"], inputs, task), []
            report = diagnose(model, loss_fn, *batch)
            loss, redrawn_losses = loss_of(model, loss_fn, *batch), []
            for number in range(REDRAWN):
                draw_anew(model, number)
                redrawn.append(answers_of(names["predict"], inputs, task).tolist())
                redrawn_losses.append(loss_of(model, loss_fn, *batch))
        except Ungradable:
            raise
        except Exception as error:
            raise Ungradable(f"It ran, but its functions fail on new images with {described(error)}") from error
    return {
        "answers": answers.tolist(),
        "redrawn": redrawn,
        "misfits": [f.code for f in report.findings if f.severity != "info" and f.code not in HARMLESS],
        "collapsed": bool((answers == answers[0]).all()) or "saturated_units" in report.codes,
        "trained": trained(model) and trained(loss_fn) and loss < min(redrawn_losses),
    }


def split(bundle: Bunch) -> tuple[Bunch, Bunch]:
    """Return scikit-learn's digits in two parts: what the script may load, and what it is graded on."""
    order = np.random.default_rng(0).permutation(len(bundle.target))
    return tuple(
        Bunch(images=bundle.images[part], data=bundle.data[part], target=bundle.target[part])
        for part in (order[:SHOWN], order[SHOWN:])
    )


# --- running the script ----------------------------------------------------------------------------------------------


@contextmanager
def no_reading_of_digits() -> Iterator[None]:
    """Refuse a script that reads or copies the bundled digits itself, even where it hides that it was refused."""
    active, refused = True, []

    def watch(event: str, arguments: tuple) -> None:
        by_name = event in ("open", "os.link", "os.symlink")  # a command may name the file by a pattern: dig*.gz
        file = "digits.csv" if by_name else "sklearn"
        if active and event in WATCHED and file in str(arguments):
            refused.append(event)
            raise PermissionError("the bundled digits are for grading")

    sys.addaudithook(watch)  # it cannot be taken away again
    try:
        yield
    finally:
        active = False
        if refused:
            raise Ungradable(
                "It reads the bundled digits itself. Use load_digits(): it gives all images that the script may see."
            )


def run(script: Path, seen: Bunch) -> tuple[dict, Callable[[object], bool]]:
    """Execute the script with load_digits() giving the seen part; return its names, and what says what was trained."""
    sklearn.datasets.load_digits = lambda **_options: seen
    warnings.simplefilter("ignore")
    called = []  # modules that were called while gradients were recorded
    watch = nn.modules.module.register_module_forward_pre_hook(
        lambda module, _: called.append(module) if torch.is_grad_enabled() and module not in called else None
    )
    ours = [(module, dict(vars(module))) for name, module in sys.modules.items() if name.startswith("lm_utils")]
    try:
        names = runpy.run_path(str(script), run_name="__main__")
    except SyntaxError as error:
        raise Ungradable(f"It is not valid Python: {error.msg} in line {error.lineno}.") from error
    except SystemExit as error:
        raise Ungradable("It leaves through exit() before it can be graded.") from error
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
        where = f" in line {lines[-1]}" if lines else ""
        raise Ungradable(f"It stops{where} with {described(error)}") from error
    finally:
        watch.remove()
        for module, as_it_was in ours:  # a script may not teach the doctor to find nothing
            vars(module).update(as_it_was)
    return names, lambda part: not isinstance(part, nn.Module) or part in called


def described(error: Exception) -> str:
    """Return kind and first line of an error, as the end of a sentence."""
    return f"{one_line(error).rstrip('.')}."


# --- asking what it has left behind ----------------------------------------------------------------------------------


def answers_of(predict: Callable, inputs: Tensor, task: Task) -> Tensor:
    """Return what it predicts, in the shape of the targets, if there is one answer for each."""
    with torch.no_grad():
        answers = torch.as_tensor(predict(inputs)).detach().float()
    shape = task.target(torch.zeros(len(inputs), dtype=torch.long)).shape
    if answers.numel() != shape.numel():
        each = shape.numel() // len(inputs)
        expected = "1 answer" if each == 1 else f"{each} answers"
        raise Ungradable(
            f"Its predict gives {list(answers.shape)} for {len(inputs)} images; expected {expected} per image."
        )
    if not bool(torch.isfinite(answers).all()):
        raise Ungradable("Some of its answers are not numbers (nan or infinite); did the training diverge?")
    return answers.reshape(shape)


def loss_of(model: nn.Module, loss_fn: Callable, inputs: Tensor, targets: Tensor) -> float:
    """Return the loss on a batch."""
    with torch.no_grad():
        return float(loss_fn(model(inputs), targets))


def draw_anew(model: nn.Module, seed: int) -> None:
    """Replace every weight by a random number of about the same size."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in model.parameters():
            size = weights.abs().mean().item() or 0.1
            weights.copy_(size * torch.randn(weights.shape, generator=generator))


if __name__ == "__main__":
    main(*sys.argv[1:])
