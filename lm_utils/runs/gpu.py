"""Many runs as one program, for a GPU: what `training.fit` does, done to a whole group of runs at every step.

How it differs from `fit`: the weights of a group are stacked and every step trains all of them, each on its own
images in its own order; everything lies on the device; the step is a CUDA graph; the device is waited for once per
epoch, to see who goes on; a finished run's slot is given to the next one. What a run is stays the same: fresh weights,
order, loss, AdamW, early stopping, the best epoch's test; numbers agree with `fit` within rounding, and tests hold it
to that in float64. Convolutions use TF32 where PyTorch's own do. `seconds` is a run's share: the time of each epoch,
divided by the runs that were in it. A loss that refuses its input, or could kill a CUDA process, goes through `fit`.

Checks that need a GPU: `python -m pytest -m gpu`. On a CPU `fit` in threads is the faster way (sweep.py).
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from math import isfinite

import torch
from torch import Tensor
from tqdm.auto import tqdm

from lm_utils.data import Splits, load_data
from lm_utils.errors import UserError
from lm_utils.pairing import Pairing, Scale
from lm_utils.runs.gpu_network import outputs_of
from lm_utils.runs.gpu_step import DeviceImages, Program, out_of_memory
from lm_utils.runs.outputs import summarise
from lm_utils.runs.store import Finished, Key, entry_of, entry_of_fit
from lm_utils.training import RECORD, BadPairing, Run, checked_loss

GROUP = 128  # runs at once, some 60 MB each; a GPU without room for them gets half as many, or a quarter
FREE = 4  # a group is arranged anew when one slot in so many is free and other runs wait for one
FREE_AT_THE_END = 2  # and when none waits

Load = Callable[[int], Splits]


def run_groups(
    keys: Sequence[Key],
    data: str,
    limits: tuple[int, int],
    device: str,
    finished: Finished,
    progress: bool = True,
) -> None:
    """Train every pairing with its seed; `finished` gets each run's entry as soon as it is there."""
    where, load = torch.device(device), partial(load_data, data)
    with tqdm(total=len(keys), desc="runs", unit="run", disable=not (progress and keys)) as bar:

        def keep(key: Key, entry: dict) -> None:
            finished(key, entry)
            bar.update()

        in_groups([key for key in keys if trains_in_a_group(key[0])], load, limits, where, keep)
        for key in keys:
            if not trains_in_a_group(key[0]):
                keep(key, entry_of_fit(key, load(key[1]), limits, where.type))


@cache
def trains_in_a_group(pairing: Pairing) -> bool:
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


@dataclass(eq=False)
class ActiveRun:
    """A run in a slot, and the generator of its order; once it is over, the slot is free."""

    run: Run
    order: torch.Generator
    over: bool = False

    @property
    def key(self) -> Key:
        """The pairing and the seed."""
        return self.run.pairing, self.run.seed


class Group:
    """Runs in the slots of a program, and runs that wait for a slot.

    A run whose slot has ended makes room for a waiting one of the same family (task, loss and activation), which
    changes nothing for the GPU. Where too many slots stay free, a new program is arranged for the runs under way, which
    take their state along, and for as many of the waiting ones as there is room for.
    """

    def __init__(
        self, keys: Sequence[Key], load: Load, limits: tuple[int, int], where: torch.device, size: int
    ) -> None:
        families = list(dict.fromkeys(family_of(key) for key in keys))
        self.queue = sorted(keys, key=lambda key: families.index(family_of(key)))
        self.families, self.load, self.limits, self.where, self.size = families, load, limits, where, size
        self.shelf = DeviceImages.filled(sorted({seed for _, seed in keys}), load, where)
        self.program: Program | None = None
        self.seats: list[ActiveRun] = []
        self.since = time.perf_counter()

    def train(self, finished: Finished) -> None:
        """Train until nobody waits; runs that ended with one epoch are summarised while the GPU does the next."""
        ended: list[ActiveRun] = []
        while True:
            try:
                told = self.epoch() if self.seated() else None
            finally:
                for seat in ended:
                    finished(seat.key, self.entry(seat.run))
            if told is None:
                return
            ended = self.judged(told)

    def seated(self) -> bool:
        """Give free slots to waiting runs of the same family, or arrange all anew; False where nobody is left."""
        for place, seat in enumerate(self.seats):
            if seat.over and (key := self.next_like(seat.key)):
                self.seats[place] = self.begun(key)
                self.program.load(place, self.seats[place].run)
        free = sum(seat.over for seat in self.seats)
        if not self.queue and free == len(self.seats):
            return False
        if free * (FREE if self.queue else FREE_AT_THE_END) >= len(self.seats):
            self.rearrange()
        return True

    def next_like(self, key: Key) -> Key | None:
        """The next waiting run of the same task, loss and activation, which waits no longer."""
        found = next((waiting for waiting in self.queue if family_of(waiting) == family_of(key)), None)
        if found:
            self.queue.remove(found)
        return found

    def rearrange(self) -> None:
        """A new program for the runs under way and as many of the waiting ones as there is room for."""
        staying = [place for place, seat in enumerate(self.seats) if not seat.over]
        rows = self.program.slots.rows(torch.tensor(staying, device=self.where)) if staying else {}
        if self.program:
            self.program.close()  # before the next one asks for memory
        room = self.size - len(staying)
        newcomers, self.queue = [self.begun(key) for key in self.queue[:room]], self.queue[room:]
        stayers = [self.seats[place] for place in staying]
        self.seats = sorted(stayers + newcomers, key=lambda seat: self.families.index(family_of(seat.key)))
        self.program = Program([family_of(seat.key) for seat in self.seats], self.shelf, self.where)
        if staying:
            self.program.slots.put(torch.tensor([self.seats.index(seat) for seat in stayers], device=self.where), rows)
        for seat in newcomers:
            self.program.load(self.seats.index(seat), seat.run)

    def begun(self, key: Key) -> ActiveRun:
        """A run that has not trained yet."""
        run = Run(*key, self.shelf.splits[key[1]].name, self.where.type)
        return ActiveRun(run, torch.Generator().manual_seed(key[1]))

    def epoch(self) -> Tensor:
        """One epoch of everybody, put in the GPU's queue; what it will tell of each run."""
        images = self.shelf.sizes[0]
        self.program.train_epoch(torch.stack([torch.randperm(images, generator=seat.order) for seat in self.seats]))
        return self.program.evaluate()

    def judged(self, told: Tensor) -> list[ActiveRun]:
        """Wait for the epoch, write it down, remember the best ones; the runs that end with it are tested."""
        numbers = told.T.tolist()  # the one time an epoch waits for the device
        now = time.perf_counter()
        share = (now - self.since) / sum(not seat.over for seat in self.seats)
        self.since, better, ended = now, [], []
        for place, (seat, (total, valid_loss, metric)) in enumerate(zip(self.seats, numbers, strict=True)):
            if seat.over:
                continue
            seat.run.seconds += share
            improved, seat.over = judge(seat.run, total / self.shelf.sizes[0], valid_loss, metric, *self.limits)
            better += [place] * improved
            ended += [place] * seat.over
        if better:
            self.program.keep(better)
        self.test([place for place in ended if self.seats[place].run.best_epoch])
        return [self.seats[place] for place in ended]

    def test(self, places: list[int]) -> None:
        """Test the best epoch of these runs."""
        for place, valid, test in zip(places, *self.program.test(places), strict=True) if places else ():
            run = self.seats[place].run
            answers = [run.pairing.predict(outputs_of(run.pairing, logits), run.scale) for logits in (valid, test)]
            run.valid_predictions, run.test_predictions = answers
            targets = run.pairing.spec.target(self.shelf.splits[run.seed].test.digits)
            run.test_metric = run.pairing.spec.score(run.test_predictions, targets)

    def entry(self, run: Run) -> dict:
        """A finished run as data; where nn.BCELoss met nan, `fit` does it again on the CPU and says what happened."""
        if run.pairing.loss == "bce" and run.status == "diverged":
            return entry_of_fit((run.pairing, run.seed), self.load(run.seed), self.limits, "cpu")
        return entry_of(run, summarise(run, self.shelf.splits[run.seed]))


def family_of(key: Key) -> Pairing:
    """What runs must share to be served by the same launches: task, loss and activation."""
    return key[0].plain()


def judge(
    run: Run, train_loss: float, valid_loss: float, metric: float, max_epochs: int, patience: int
) -> tuple[bool, bool]:
    """What `fit` does after an epoch: write it down; whether it is the best so far, and whether it is the last."""
    epoch = run.epochs + 1
    run.history.append(dict(zip(RECORD, (epoch, train_loss, valid_loss, metric), strict=True)))
    if not (isfinite(train_loss) and isfinite(valid_loss)):
        run.status = "diverged"
        return False, True
    better = not run.best_epoch or run.pairing.spec.better(metric, run.valid_metric)
    if better:
        run.best_epoch, run.valid_metric = epoch, metric
    return better, epoch == max_epochs or epoch - run.best_epoch >= patience
