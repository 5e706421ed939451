"""How long a run-all will take: a probe of this machine at work as a run-all is, times what runs and notebooks cost."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import fmean, median

from lm_utils.data import Splits, load_data
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store, single_threaded
from lm_utils.threads import cores
from lm_utils.training import fit
from lm_utils.workshop.run_all.report import Settings

EPOCHS = 27  # that a run takes until it stops: the mean over the rows that are trained here
NOTEBOOK = 39  # what a notebook costs, in epochs of the probe: the mean over all of them


def forecast(settings: Settings, splits: Splits, device: str, pairings: Sequence[Pairing], notebooks: int) -> str:
    """Return the first line of a run-all: about how long it will take, and for what."""
    probe = load_data("digits", seed=0)
    jobs = settings.jobs or cores()
    with ThreadPoolExecutor(jobs, initializer=single_threaded) as pool:  # side by side each is slower than alone
        epoch = fmean(pool.map(seconds_per_epoch, [probe] * jobs))
    keys = [(pairing, seed) for seed in range(settings.seeds) for pairing in pairings]
    stored = {} if settings.fresh else Store().find(keys, splits.name, device, LIMITS)
    missing = len(keys) - len(stored)
    work = notebooks * NOTEBOOK + missing * EPOCHS * len(splits.train) / len(probe.train)
    minutes = work * epoch / jobs / 60
    if device == "cuda":
        return f"{missing} trainings on the GPU, then {notebooks} notebooks."
    return f"About {max(1, round(minutes))} min if nothing else runs: {missing} trainings, then {notebooks} notebooks."


def seconds_per_epoch(splits: Splits) -> float:
    """Return how long an epoch of a training takes, in the middle of four; the first one also loads what it needs.

    Only this thread's own work counts: the server of forks is importing at the same time, and will have ended by then.
    """
    ends: list[float] = []
    fit(Pairing("multiclass", "cross_entropy"), splits, max_epochs=5, device="cpu",
        on_epoch=lambda _: ends.append(time.thread_time()))  # fmt: skip
    return median(later - earlier for earlier, later in pairwise(ends))
