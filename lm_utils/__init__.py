"""Loss Misuse Lab: what happens when the loss or the output activation does not fit the task.

The files beside this one are the core: data, tasks, losses, activations, network, pairing, advice, training. Around it,
each room importing only from those above it:

doctor/     `diagnose` and its checks; imports nothing of ours
runs/       train many: rows, sweep, store, shipped runs, changed conditions, GPU, cluster
evidence/   what runs say: results, statistics, tables, sentences, claims
show/       what every lesson shows with: style, lab(), questions, figures of results
lessons/    what one notebook computes and draws
explorer/   train any pairing and watch it
challenge/  the grader of the broken scripts
workshop/   what the Makefile runs: set-up, tests, run_all/, publish/, bench/
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lm_utils.errors import UserError

__version__ = "0.1.0"

HOME = {
    "load_data": "lm_utils.data",
    "Splits": "lm_utils.data",
    "TASKS": "lm_utils.tasks",
    "Task": "lm_utils.tasks",
    "LOSSES": "lm_utils.losses",
    "ACTIVATIONS": "lm_utils.activations",
    "CNN": "lm_utils.model",
    "TinyCNN": "lm_utils.model",
    "Pairing": "lm_utils.pairing",
    "fit": "lm_utils.training",
    "Run": "lm_utils.training",
    "diagnose": "lm_utils.doctor",
    "sweep": "lm_utils.runs.sweep",
}
__all__ = list(HOME)

if TYPE_CHECKING:
    from lm_utils.activations import ACTIVATIONS as ACTIVATIONS
    from lm_utils.data import Splits as Splits
    from lm_utils.data import load_data as load_data
    from lm_utils.doctor import diagnose as diagnose
    from lm_utils.losses import LOSSES as LOSSES
    from lm_utils.model import CNN as CNN
    from lm_utils.model import TinyCNN as TinyCNN
    from lm_utils.pairing import Pairing as Pairing
    from lm_utils.runs.sweep import sweep as sweep
    from lm_utils.tasks import TASKS as TASKS
    from lm_utils.tasks import Task as Task
    from lm_utils.training import Run as Run
    from lm_utils.training import fit as fit


def __getattr__(name: str) -> object:
    """Import a public name from its home the first time it is used, so that `import lm_utils` is quick."""
    if name not in HOME:
        raise AttributeError(f"lm_utils has no {name!r}; public names are {', '.join(HOME)}.")
    try:
        value = getattr(import_module(HOME[name]), name)
    except ModuleNotFoundError as missing:
        raise UserError(
            f"lm_utils.{name} needs {missing.name}, which the extra `course` brings: pip install 'lm_utils[course]'."
        ) from missing
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for tab completion."""
    return [*__all__, "__version__"]
