"""Many runs as one program, for a GPU: what `training.fit` does, done to a whole group of runs at every step.

How it differs from `fit`: the weights of a group are stacked and every step trains all of them, each on its own
images in its own order; everything lies on the device; the step is a CUDA graph; the device is waited for once per
epoch, to see who goes on; a finished run's slot is given to the next one. What a run is stays the same: fresh weights,
order, loss, AdamW, early stopping, the best epoch's test; numbers agree with `fit` within rounding, and tests hold it
to that in float64. Convolutions use TF32 where PyTorch's own do. `seconds` is a run's share: the time of each epoch,
divided by the runs that were in it. A loss that refuses its input, or could kill a CUDA process, goes through `fit`.

Checks that need a GPU: `python -m pytest -m gpu`. On a CPU `fit` in threads is the faster way (sweep.py).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, partial

import torch
from tqdm.auto import tqdm

from lm_utils.data import load_data
from lm_utils.errors import UserError
from lm_utils.pairing import Pairing, Scale
from lm_utils.runs.batched_graph import out_of_memory
from lm_utils.runs.batched_group import Finished, Group, Key, Load, by_itself
from lm_utils.training import BadPairing, checked_loss, pick_device

GROUP = 128  # runs at once, some 60 MB each; a GPU without room for them gets half as many, or a quarter
BENCH_RUNS = 64


def run_groups(
    keys: Sequence[Key],
    data: str,
    limits: tuple[int, int],
    device: str,
    finished: Finished,
    progress: bool = True,
) -> None:
    """Train every pairing with its seed; `finished` gets each run's entry as soon as it is there."""
    where, load = pick_device(device), partial(load_data, data)
    with tqdm(total=len(keys), desc="runs", unit="run", disable=not (progress and keys)) as bar:

        def keep(key: Key, entry: dict) -> None:
            finished(key, entry)
            bar.update()

        in_groups([key for key in keys if can_join(key[0])], load, limits, where, keep)
        for key in keys:
            if not can_join(key[0]):
                keep(key, by_itself(key, load, limits, where.type))


@cache
def can_join(pairing: Pairing) -> bool:
    """Whether the loss takes whatever this pairing hands to it; else its own words are recorded by `fit`."""
    if pairing.may_leave_unit_interval:
        return False
    aims = pairing.aims(pairing.spec.target(torch.tensor([0, 1])), Scale())
    try:
        checked_loss(pairing, torch.full((2, pairing.spec.outputs), 0.5, dtype=torch.float32), aims)
    except BadPairing:
        return False
    return True


def in_groups(
    keys: Sequence[Key],
    load: Load,
    limits: tuple[int, int],
    where: torch.device,
    finished: Finished,
) -> None:
    """Train all runs in groups; out of memory, those that were under way begin again in groups of half the size."""
    waiting, size = dict.fromkeys(keys), GROUP

    def keep(key: Key, entry: dict) -> None:
        finished(key, entry)
        del waiting[key]

    while waiting:
        size = min(size, len(waiting))
        try:
            with products_as_convolutions() if where.type == "cuda" else nullcontext():
                Group(list(waiting), load, limits, where, size).train(keep)
            continue
        except RuntimeError as problem:
            if not out_of_memory(problem):
                raise
        size = half(size)  # here, where the exception no longer holds on to the group's tensors


def half(size: int) -> int:
    """Give back what the failed group held, and say how many runs are tried next."""
    gc.collect()
    torch.cuda.empty_cache()
    if size == 1:
        raise UserError("The GPU has no room for a single run; close what else uses it, or ask for device='cpu'.")
    tqdm.write(f"No room on the GPU for {size} runs at once; going on with {size // 2}.")
    return size // 2


@contextmanager
def products_as_convolutions() -> Iterator[None]:
    """Let a GPU's matrix products, which stand for convolutions here, be as exact as PyTorch's convolutions are."""
    products, before = torch.backends.cuda.matmul, torch.backends.cuda.matmul.fp32_precision
    products.fp32_precision = torch.backends.cudnn.conv.fp32_precision
    try:
        yield
    finally:
        products.fp32_precision = before


def one_group(name: str, device: str) -> Callable[[int], float]:
    """BENCH_RUNS runs of one pairing as a group, ready to be timed: epochs in, the mean test accuracy out."""
    splits = [load_data(name, seed) for seed in range(4)]  # their images serve all seeds in turn
    keys = [(Pairing("multiclass", "cross_entropy"), seed) for seed in range(BENCH_RUNS)]

    def work(epochs: int) -> float:
        scores = []
        in_groups(keys, lambda seed: splits[seed % 4], (epochs, epochs), pick_device(device),
                  lambda _, entry: scores.append(entry["test_metric"]))  # fmt: skip
        return sum(scores) / len(scores)

    return work
