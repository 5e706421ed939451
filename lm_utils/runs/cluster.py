"""Many runs on a Dask cluster: the scheduler hands them to its workers, and what they give travels back here.

Nothing stands between a sweep and the scheduler: it is Dask that moves the work of a worker which dies to another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from lm_utils.errors import UserError
from lm_utils.runs.store import Finished, Key, single_threaded
from lm_utils.training import EXPERIMENT_VERSION

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 10.0  # how many seconds a scheduler may take to answer
GROUP = 256  # runs in a task of a GPU worker, and at most lost with it
ON_GPU = {"GPU": 1}  # what `dask worker --resources GPU=1` declares


def train_on_cluster(
    address: str,
    keys: Sequence[Key],
    data: str,
    limits: tuple[int, int],
    device: str,
    finished: Finished,
    progress: bool,
    one: Callable[..., dict],
) -> None:
    """Train these runs on the workers of a cluster: one after the other on their cores, or in groups on their GPUs."""

    def take(keys: Sequence[Key], entries: Sequence[dict]) -> None:
        for key, entry in zip(keys, entries, strict=True):
            check_version(entry)
            finished(key, entry)

    if device == "cuda":
        work, groups, needs = partial(on_gpu, data=data, limits=limits), grouped(keys), ON_GPU
    else:
        one = partial(one, data=data, limits=limits, device="cpu")
        work, groups, needs = lambda keys: [one(key) for key in keys], [(key,) for key in keys], None
    on_cluster(address, work, groups, take, progress, needs)


def on_gpu(keys: Sequence[Key], data: str, limits: tuple[int, int]) -> list[dict]:
    """What a worker with a GPU does for a group of runs."""
    from lm_utils.runs.gpu import run_groups

    entries: dict[Key, dict] = {}
    run_groups(keys, data, limits, "cuda", entries.__setitem__, progress=False)
    return [entries[key] for key in keys]


def grouped(keys: Sequence[Key]) -> list[tuple[Key, ...]]:
    """Groups for GPU workers: runs of the same pairing side by side."""
    kin = sorted(keys, key=lambda key: repr(key[0]))
    return [tuple(kin[start : start + GROUP]) for start in range(0, len(kin), GROUP)]


def check_version(entry: dict) -> None:
    """Refuse what a worker with another version of the experiments has trained."""
    if entry["version"] != EXPERIMENT_VERSION:
        raise UserError(
            f"A worker runs version {entry['version']} of the experiments and this is version {EXPERIMENT_VERSION};"
            " install the same lm_utils everywhere and start the workers again."
        )


def on_cluster(
    address: str,
    work: Callable[[object], object],
    keys: Sequence[object],
    finished: Callable[[object, object], None],
    progress: bool = True,
    needs: dict[str, float] | None = None,
) -> None:
    """Do the work for every key on the workers (those that declare what it needs); an interrupt cancels what waits."""
    if not keys:
        return
    futures: dict[Future, object] = {}
    shown = {"desc": f"runs on {address}", "unit": "run", "disable": not progress}
    with connected(address) as client, tqdm(total=len(keys), **shown) as bar:
        from distributed import as_completed

        try:
            futures.update(zip(client.map(alone, keys, work=work, pure=False, resources=needs), keys, strict=True))
            for future in as_completed(list(futures), loop=client.loop):
                finished(futures.pop(future), result_of(future, address))
                bar.update()
        finally:
            client.cancel(list(futures))


def alone(key: object, work: Callable[[object], object]) -> object:
    """Do the work for one key in this thread of a worker, on one core."""
    single_threaded()
    return work(key)


def connected(address: str) -> Client:
    """A client of the scheduler at this address."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise UserError(
            "A cluster needs the package distributed; `python -m lm_utils setup --extras=cluster` installs it."
        ) from None
    try:
        with ThreadPoolExecutor(1) as apart:  # a notebook's own thread is in an event loop already
            apart.submit(lambda: asyncio.run(shake_hands(address))).result()
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as problem:
        raise UserError(
            f"No Dask scheduler answers at {address}; start one with `dask scheduler` and give the address that it"
            " prints, such as tcp://HOST:8786."
        ) from problem


async def shake_hands(address: str) -> None:
    """Find out whether a scheduler is there: a client of Dask's would wait for ever for a port that keeps silent."""
    from distributed.comm import connect

    comm = await asyncio.wait_for(connect(address, timeout=PATIENCE), PATIENCE)
    await comm.close()


def result_of(future: Future, address: str) -> object:
    """Return what a worker gave; where it gave nothing, say why, in its own words where it refused."""
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as killed:
        raise UserError(
            "A run was given up because the workers that trained it kept dying; their logs tell why (often it is"
            " memory), and the same command goes on where it ended."
        ) from killed
    except (ValueError, ImportError) as refusal:
        raise UserError(f"A worker of {address} says: {refusal}") from refusal
    except (OSError, CancelledError) as problem:
        if future.status == "error":  # a worker's own, not the connection's
            raise
        raise UserError(f"The scheduler at {address} is gone; what was finished is kept, so start again.") from problem
