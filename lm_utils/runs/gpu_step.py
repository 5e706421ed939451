"""The work that `gpu` does on all its runs at once: one training step, one evaluation, one test.

A run has a slot. A slot holds what the run owns: its weights as one row, the optimiser's two means and step count, the
best weights so far, and its targets. Images lie on the device once per seed; a batch is a table of places in them.
Slots are independent of each other: nan in one reaches no other. On a GPU the step is captured once per batch size as
a CUDA graph and replayed; on a CPU the very same function runs as it is. It asks the device for no number, draws none
and makes no tensor on the CPU, as a capture demands.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import functional as F

from lm_utils.data import Part, Splits
from lm_utils.pairing import Pairing
from lm_utils.runs.gpu_network import BORDER, ROW, WIDTH, loss_of, network, packed, padded_targets, score_of
from lm_utils.training import BATCH, EVALUATION_BATCH, LEARNING_RATE, Run, new_model, prepare

WARM_UPS = 2  # times that a step runs as it is before it is captured


@dataclass(frozen=True)
class DeviceImages:
    """The images of every seed on the device, with the border of the first convolution; labels stay on the CPU."""

    train: Tensor  # [seeds * images, 30, 30], seed after seed
    valid: Tensor
    test: Tensor  # [images, 30, 30], the same for every seed
    splits: dict[int, Splits]  # seed by seed, without images, which take a hundred times the room
    sizes: tuple[int, int, int]

    @classmethod
    def filled(cls, seeds: Sequence[int], load: Callable[[int], Splits], where: torch.device) -> DeviceImages:
        """Load every seed's split and put its images on the device."""
        train, valid, splits = [], [], {}
        for seed in seeds:
            data = load(seed)
            train.append(bordered(data.train.images, where))
            valid.append(bordered(data.valid.images, where))
            parts = {name: getattr(data, name) for name in ("train", "valid", "test")}
            splits[seed] = replace(data, **{name: Part(part.images[:0], part.digits) for name, part in parts.items()})
        sizes = len(data.train), len(data.valid), len(data.test)
        return cls(torch.cat(train), torch.cat(valid), bordered(data.test.images, where), splits, sizes)


def bordered(images: Tensor, where: torch.device) -> Tensor:
    """Images [N, 1, 28, 28] as [N, 30, 30] on the device."""
    return F.pad(images.squeeze(1).to(where, torch.get_default_dtype()), (BORDER,) * 4)


class Slots:
    """What runs own, zeros at first; in every tensor the first dimension counts the slots."""

    def __init__(self, count: int, shelf: DeviceImages, where: torch.device) -> None:
        zeros = partial(torch.zeros, device=where)
        train, valid = ((count, size, WIDTH) for size in shelf.sizes[:2])
        self.weights, self.exp_avg, self.exp_avg_sq = (zeros(count, ROW) for _ in range(3))
        self.steps = zeros(count, dtype=torch.float32)
        self.best = zeros(count, ROW)  # the weights of the best epoch
        self.kept = zeros(valid)  # the logits of the valid part in that epoch
        self.train_aims, self.valid_aims, self.valid_targets = zeros(train), zeros(valid), zeros(valid)
        # where the images of the run's seed begin
        self.train_start, self.valid_start = (zeros(count, dtype=torch.long) for _ in range(2))
        self.mean, self.std = zeros(count), zeros(count)
        self.relu = zeros(count, dtype=torch.bool)  # whether the hidden layer has a ReLU

    def rows(self, places: Tensor) -> dict[str, Tensor]:
        """A copy of what is in these slots."""
        return {name: mine.detach()[places] for name, mine in vars(self).items()}

    def put(self, places: Tensor | int, rows: dict[str, Tensor | float]) -> None:
        """Fill slots; what `rows` does not name becomes 0."""
        for name, mine in vars(self).items():
            mine.detach()[places] = torch.as_tensor(rows.get(name, 0), dtype=mine.dtype, device=mine.device)


class Program:
    """Slots for runs of the given families, in this order, and what is done on all of them at once."""

    def __init__(self, families: Sequence[Pairing], shelf: DeviceImages, where: torch.device) -> None:
        self.shelf, self.where, self.count = shelf, where, len(families)
        self.families = [(family, len(list(same))) for family, same in groupby(families)]
        self.slots = Slots(self.count, shelf, where)
        self.slots.weights.requires_grad_()
        self.totals = torch.zeros(self.count, device=where)
        self.logits: Tensor | None = None  # of the valid part, as last evaluated
        self.optimizer = self.make_optimizer()
        sizes = dict.fromkeys(map(len, torch.arange(shelf.sizes[0]).split(BATCH)))  # the last one may be shorter
        self.batches = {size: torch.zeros(self.count, size, dtype=torch.long, device=where) for size in sizes}
        self.steps = {size: partial(self.step, batch) for size, batch in self.batches.items()}
        if where.type == "cuda":
            pool = torch.cuda.graph_pool_handle()
            self.steps = {size: captured(step, pool) for size, step in self.steps.items()}

    def make_optimizer(self) -> torch.optim.Optimizer:
        """The optimiser of `fit`, to which every slot's row is a parameter with a step count of its own."""
        slots, rows = self.slots, self.slots.weights.detach().unbind()
        optimizer = torch.optim.AdamW(rows, lr=LEARNING_RATE, fused=True, capturable=self.where.type == "cuda")
        for row, *state in zip(rows, slots.steps, slots.exp_avg, slots.exp_avg_sq, strict=True):
            optimizer.state[row] = dict(zip(("step", "exp_avg", "exp_avg_sq"), state, strict=True))
        return optimizer

    def load(self, place: int, run: Run) -> None:
        """Begin a run in a slot: its fresh network, and what its loss is to meet."""
        data = self.shelf.splits[run.seed]
        train, valid = (prepare(part, run, "cpu") for part in (data.train, data.valid))
        before = list(self.shelf.splits).index(run.seed)  # how many seeds' images lie before this one's
        starts = {"train_start": before * self.shelf.sizes[0], "valid_start": before * self.shelf.sizes[1]}
        targets = {"train_aims": train.aims, "valid_aims": valid.aims, "valid_targets": valid.targets}
        rows = {"weights": packed(new_model(run.pairing, train.targets, run.seed)), "mean": run.scale.mean,
                "std": run.scale.std, "relu": run.pairing.hidden == "relu", **starts}  # fmt: skip
        self.slots.put(place, rows | {name: padded_targets(values) for name, values in targets.items()})

    def by_family(self, function: Callable[..., Tensor], *stacked: Tensor) -> Tensor:
        """A function of a pairing and of one run's tensors, mapped over all slots, family by family."""
        shares = zip(*(tensor.split([count for _, count in self.families]) for tensor in stacked), strict=True)
        parts = zip(self.families, shares, strict=True)
        return torch.cat([vmap(partial(function, family))(*share) for (family, _), share in parts])

    @torch.enable_grad()
    def gradients(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Every slot's loss and gradient for its images [S, size], numbered within its own training part."""
        slots = self.slots
        images = self.shelf.train[slots.train_start[:, None] + batch]
        aims = slots.train_aims.gather(1, batch[..., None].expand(-1, -1, WIDTH))
        losses = self.by_family(loss_of, network(slots.weights, images, slots.relu), aims)
        return losses.detach(), torch.autograd.grad(losses.sum(), slots.weights)[0]

    def step(self, batch: Tensor) -> None:
        """One batch of every slot; this is what a CUDA graph holds."""
        losses, gradients = self.gradients(batch)
        for row, gradient in zip(self.optimizer.param_groups[0]["params"], gradients, strict=True):
            row.grad = gradient
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.totals += losses * batch.shape[1]

    def train_epoch(self, order: Tensor) -> None:
        """Train every slot on all its images in its own order [S, images]; nothing is awaited."""
        self.totals.zero_()
        for part in order.to(self.where).split(BATCH, dim=1):
            self.batches[part.shape[1]].copy_(part)
            self.steps[part.shape[1]]()

    @torch.no_grad()
    def evaluate(self) -> Tensor:
        """Every slot's sum of training losses, valid loss and valid metric [3, S]; nothing is awaited."""
        slots = self.slots
        self.logits = self.answers(slots.weights, slots.relu, self.shelf.valid, slots.valid_start, self.shelf.sizes[1])
        losses = self.by_family(loss_of, self.logits, slots.valid_aims)
        scores = self.by_family(score_of, self.logits, slots.valid_targets, slots.mean, slots.std)
        return torch.stack([self.totals, losses, scores])

    @torch.no_grad()
    def keep(self, places: list[int]) -> None:
        """Remember the epoch just evaluated as the best so far of these slots."""
        index = torch.tensor(places, device=self.where)
        self.slots.best[index], self.slots.kept[index] = self.slots.weights[index], self.logits[index]

    @torch.no_grad()
    def test(self, places: list[int]) -> tuple[Tensor, Tensor]:
        """The best epoch's logits of the valid part, and the test part's with its weights, on the CPU."""
        slots, index = self.slots, torch.tensor(places, device=self.where)
        from_0 = torch.zeros_like(index)
        logits = self.answers(slots.best[index], slots.relu[index], self.shelf.test, from_0, self.shelf.sizes[2])
        return slots.kept[index].cpu(), logits.cpu()

    def answers(self, weights: Tensor, relu: Tensor, images: Tensor, start: Tensor, size: int) -> Tensor:
        """The logits of `size` images for these networks, in pieces that take no more memory for few of them."""
        piece = EVALUATION_BATCH * (self.count // len(weights))
        places = torch.arange(size, device=self.where).split(piece)
        return torch.cat([network(weights, images[start[:, None] + part], relu) for part in places], dim=1)

    def close(self) -> None:
        """Give the device's memory back at once, whoever still holds on to this program."""
        vars(self).clear()


def captured(work: Callable[[], None], pool: object) -> Callable[[], None]:
    """Do the work a few times as it is, then capture it as a CUDA graph, and return what replays it.

    Graphs share a pool of memory, since they never run side by side.
    """
    here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
    aside.wait_stream(here)
    with torch.cuda.stream(aside):
        for _ in range(WARM_UPS):
            work()
    here.wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph, pool=pool):
            work()
    except RuntimeError as refusal:
        warnings.warn(f"No CUDA graph of the step, which makes it slower: {refusal}", stacklevel=2)
        return work
    return graph.replay
