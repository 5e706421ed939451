"""Many runs as one program, for a GPU: what `training.fit` does, done to a whole group of runs at every step.

How it differs from `fit`: the weights of a group are stacked and every step trains all of them, each on its own
images in its own order; everything lies on the device; the step is a CUDA graph; the device is waited for once per
epoch, to see who goes on; the slots of finished runs are given to the next ones. What a run is stays the same: fresh
weights, order, loss, AdamW, early stopping, the best epoch's test; numbers agree with `fit` within rounding, and tests
hold it to that in float64. Convolutions use TF32 where PyTorch's own do. `seconds` is a run's share: the time of each
epoch, divided by the runs that were in it. A loss that refuses its input, or could kill a CUDA process, goes through
`fit`.

Checks that need a GPU: `python -m pytest -m gpu`. On a CPU `fit` in threads is the faster way (sweep.py).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor
from tqdm.auto import tqdm

from lm_utils.data import Splits, load_data
from lm_utils.errors import UserError
from lm_utils.pairing import Pairing, Scale
from lm_utils.runs.gpu_network import outputs_of
from lm_utils.runs.gpu_step import DeviceImages, Program
from lm_utils.runs.outputs import summarise
from lm_utils.runs.store import Finished, Key, entry_of, one_run
from lm_utils.training import BadPairing, Run, checked_loss

GROUP = 128  # runs at once
BYTES = 100e6  # of a GPU's free memory for each; some 60 MB are used
FREE = 4  # a group is arranged anew when one slot in so many is free

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

        if together := [key for key in keys if trains_in_a_group(key[0])]:
            in_groups(together, load, limits, where, keep)
        for key in keys:
            if not trains_in_a_group(key[0]):
                keep(key, one_run(key, data=load(key[1]), limits=limits, device=where.type))


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
    """Train all runs, as many at once as there is room for."""
    try:
        with products_as_convolutions():
            Group(keys, load, limits, where).train(finished)
    except torch.OutOfMemoryError:
        raise UserError(
            "The GPU's memory is full; close what else uses it and run again, which goes on where this ended,"
            " or ask for device='cpu'."
        ) from None


def room(where: torch.device) -> int:
    """Return how many runs the device has room for at once; a smaller number is told."""
    if where.type != "cuda":
        return GROUP
    torch.cuda.empty_cache()
    size = min(GROUP, int(torch.cuda.mem_get_info(where)[0] / BYTES))
    if not size:
        raise UserError("The GPU has no room for a single run; close what else uses it, or ask for device='cpu'.")
    if size < GROUP:
        tqdm.write(f"The GPU has room for {size} runs at once.")
    return size


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
class Seat:
    """A run in a slot, and the generator of its order; once it is over, the slot is free."""

    run: Run
    order: torch.Generator
    over: bool = False


class Group:
    """Runs in the slots of a program, and runs that wait for a slot.

    Where enough slots are free, a new program is arranged for the runs under way, which take their state along, and
    for as many of the waiting ones as there is room for.
    """

    def __init__(self, keys: Sequence[Key], load: Load, limits: tuple[int, int], where: torch.device) -> None:
        self.queue = sorted(keys, key=lambda key: family_of(key[0]))
        self.load, self.limits, self.where, self.size = load, limits, where, room(where)
        self.shelf = DeviceImages.filled(sorted({seed for _, seed in keys}), load, where)
        self.program: Program | None = None
        self.seats: list[Seat] = []
        self.since = time.perf_counter()

    def train(self, finished: Finished) -> None:
        """Train until nobody waits; runs that ended with one epoch are summarised while the GPU does the next."""
        ended: list[Seat] = []
        while True:
            try:
                told = self.epoch() if self.seated() else None
            finally:
                for seat in ended:
                    finished((seat.run.pairing, seat.run.seed), self.entry(seat.run))
            if told is None:
                return
            ended = self.judged(told)

    def seated(self) -> bool:
        """Arrange all anew where enough slots are free; False where nobody is left."""
        free = sum(seat.over for seat in self.seats)
        if not self.queue and free == len(self.seats):
            return False
        if free * FREE >= len(self.seats):
            self.rearrange()
        return True

    def rearrange(self) -> None:
        """A new program for the runs under way and as many of the waiting ones as there is room for."""
        staying = [place for place, seat in enumerate(self.seats) if not seat.over]
        rows = self.program.slots.rows(torch.tensor(staying, device=self.where)) if staying else {}
        if self.program:
            self.program.close()  # before the next one asks for memory
        stayers, free = [self.seats[place] for place in staying], self.size - len(staying)
        newcomers = [
            Seat(Run(*key, self.shelf.splits[key[1]].name, self.where.type), torch.Generator().manual_seed(key[1]))
            for key in self.queue[:free]
        ]
        self.queue = self.queue[free:]
        self.seats = sorted(stayers + newcomers, key=lambda seat: family_of(seat.run.pairing))
        self.program = Program([seat.run.pairing.plain() for seat in self.seats], self.shelf, self.where)
        if staying:
            self.program.slots.put(torch.tensor([self.seats.index(seat) for seat in stayers], device=self.where), rows)
        for seat in newcomers:
            self.program.load(self.seats.index(seat), seat.run)

    def epoch(self) -> Tensor:
        """One epoch of everybody, put in the GPU's queue; what it will tell of each run."""
        images = self.shelf.sizes[0]
        self.program.train_epoch(torch.stack([torch.randperm(images, generator=seat.order) for seat in self.seats]))
        return self.program.evaluate()

    def judged(self, told: Tensor) -> list[Seat]:
        """Wait for the epoch, write it down, remember the best ones; the runs that end with it are tested."""
        numbers = told.T.tolist()  # the one time an epoch waits for the device
        now = time.perf_counter()
        share = (now - self.since) / sum(not seat.over for seat in self.seats)
        self.since, better, ended = now, [], []
        max_epochs, patience = self.limits
        for place, (seat, (total, valid_loss, metric)) in enumerate(zip(self.seats, numbers, strict=True)):
            if seat.over:
                continue
            run = seat.run
            run.seconds += share
            better += [place] * run.note(total / self.shelf.sizes[0], valid_loss, metric)
            seat.over = run.status == "diverged" or run.epochs == max_epochs or run.epochs - run.best_epoch >= patience
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
            data = self.load(run.seed)
            return one_run((run.pairing, run.seed), data=data, limits=self.limits, device="cpu")
        return entry_of(run, summarise(run, self.shelf.splits[run.seed]))


def family_of(pairing: Pairing) -> str:
    """Name what runs must share to be served by the same launches: task, loss and activation."""
    return repr(pairing.plain())
