"""One run of a sweep: what names it, and how it is trained into the entry that is stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from threading import Event

import torch

from lm_utils.data import Splits, load_data
from lm_utils.pairing import Pairing
from lm_utils.runs.outputs import summarise
from lm_utils.runs.store import entry_of
from lm_utils.training import Stopped, fit

Key = tuple[Pairing, int]  # what a run is: the pairing, and the seed of its split, weights and order alike
Finished = Callable[[Key, dict], None]  # what is told of each run, in the thread that asked for the sweep


def one_run(
    key: Key, stop: Event | None = None, *, data: str, limits: tuple[int, int], device: str, precision: str = "fp32"
) -> dict:
    """Train one run and give its entry."""
    splits = splits_of(data, key[1])
    run = fit(key[0], splits, key[1], *limits, device, stop=stop, precision=precision)
    if run.status == "stopped":
        raise Stopped
    return entry_of(run, summarise(run, splits))


@lru_cache(maxsize=4)
def splits_of(name: str, seed: int) -> Splits:
    """The splits of a seed, kept while its runs are trained."""
    return load_data(name, seed=seed)


def single_threaded() -> None:
    """One intra-op thread for this worker, and numbers too small to matter become 0 instead of slow."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
