"""The race of the first steps, mapped: where the hidden layer is stuck before the outputs reach the base rate.

A fresh sigmoid output says one half. Until it says its base rate, every image pushes it down, and the push moves the
hidden layer, too. Which of the two is first there decides what follows, and that depends on the base rate, the learning
rate, the width and the kind of the hidden layer. A probe is one short training of the tiny network at one such point.

Expected, written before any probe of seeds 300 to 304 was run:
1. With a sigmoid hidden layer, 32 units and learning rate 0.01, most probes at base rates of 0.1 or less collapse, and
   nearly all at 0.2 and 0.5 learn. A tanh does as the sigmoid does.
2. Behind LayerNorm hardly any probe collapses, at any point. A ReLU layer collapses less than a sigmoid, not never.
3. A smaller learning rate means fewer collapses, a wider layer too: more units pull an output down faster.
4. The race tells the outcome: in four of five probes with a sigmoid or tanh, those whose units are stuck first collapse
   and the others learn.

After the first fourteen probes, before anything was counted, the map was made smaller to fit the time: no learning rate
of 0.001, and other widths for the sigmoid layer alone.

The border. In a line of the map (one hidden layer, learning rate and width), going from common labels to rare ones,
stand the last base rate at which most probes learn and the first at which most collapse. Trained three times as long as
a probe, on seeds 305 to 308. Expected, written before they were run:
5. At the rare side of the border at least four of five runs end collapsed, at the common side nine of ten have learnt.

The documents' CNN. The same map with its own usual learning rate and width, on seeds 300 to 302 and for 8 epochs at
most, because a step costs five times as much. Expected, written before they were run (after ten probes, before anything
was counted, its map was cut to the sigmoid layer and LayerNorm, to have all seeds at those):
6. With a sigmoid layer and its usual learning rate and width, most probes collapse at base rates of 0.2 or less and
   none at 0.5. Behind LayerNorm hardly any probe collapses, at any point.
7. A smaller learning rate and a wider layer mean fewer collapses. In four of five probes with a sigmoid or tanh the
   race tells the outcome.
8. It is the mechanism's map: in four of five points with the usual width most probes end as on the tiny network at the
   same multiple of the usual learning rate.

Later this map got the other two layers and five seeds, 300 to 304, as the tiny network's has. Expected, written before
any of these probes was run:
9. A tanh collapses less often than a sigmoid, as on the tiny network, and behind a ReLU fewer than one probe in ten
   collapses. At four of five of their points most probes end as on the tiny network.
10. The third to fifth seed change the outcome of most probes at no more than three of the forty points that had two.

At last both maps became whole: a base rate of 0.01, a tenth of the usual learning rate, and other widths for all four
layers, on the same seeds. Expected, written before any of these probes was run:
11. Where most probes of a line collapse at a base rate of 0.02, most collapse at 0.01. Where none does there, none does
    at 0.01.
12. With a tenth of the usual learning rate fewer than one probe in twenty collapses, whatever the layer; at rare labels
    most are "not yet" when the probe ends.
13. Other widths change little behind LayerNorm and ReLU: fewer than one probe in ten collapses. A wider tanh collapses
    less than a narrow one, as a sigmoid does.
14. In four of five of the new probes with a sigmoid or tanh that learn or collapse, the race tells which.

With a tenth of its learning rate the documents' CNN had not decided after eight epochs in most probes. So its points
with a sigmoid or tanh were trained for forty, on the same seeds. Expected, written before any of these was run:
15. They end as the tiny network's at a tenth of its learning rate: most collapse at base rates of 0.02 and 0.01, most
    learn at 0.5, 0.2 and 0.1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import pairwise, product
from operator import itemgetter
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.data import load_data
from lm_utils.files import RESULTS, read_lines, write_lines
from lm_utils.model import CNN, TinyCNN
from lm_utils.runs.shipped import alone_in
from lm_utils.runs.store import GrowingFile
from lm_utils.runs.watches import stuck_among, stuck_units
from lm_utils.training import BATCH, adamw

FOLDER = RESULTS / "robustness" / "digits"
SEEDS, BORDER_SEEDS = range(300, 305), range(305, 309)
EPOCHS = 15
BACKGROUND = 10  # an image that shows no digit, so that none of the ten labels is true
STEPS = (*range(1, 21), *range(25, 51, 5), *range(60, 101, 10), *range(125, 286, 20))  # after which a probe looks
LEARNT = 0.9  # of the best constant answer's loss: below it a network has learnt something about the images
RATES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


@dataclass(frozen=True)
class Point:
    """A point of the tiny network's map: how often a label is true, learning rate, width and kind of hidden layer."""

    rate: float = 0.1
    lr: float = TinyCNN.learning_rate
    width: int = TinyCNN.units
    hidden: str = "sigmoid"

    network: ClassVar[type[CNN]] = TinyCNN
    layers: ClassVar[tuple[str, ...]] = ("sigmoid", "tanh", "relu", "layernorm")
    learning_rates: ClassVar[tuple[float, ...]] = (0.001, 0.003, 0.01, 0.03)
    widths: ClassVar[tuple[int, ...]] = (16, 32, 64, 256)
    epochs: ClassVar[int] = EPOCHS
    stored: ClassVar[Path] = FOLDER / "race.jsonl"


@dataclass(frozen=True)
class DocumentsPoint(Point):
    """The same on the map of the documents' CNN."""

    lr: float = CNN.learning_rate
    width: int = CNN.units

    network: ClassVar[type[CNN]] = CNN
    learning_rates: ClassVar[tuple[float, ...]] = (0.0001, 0.0003, 0.001, 0.003)
    widths: ClassVar[tuple[int, ...]] = (16, 64, 256)
    epochs: ClassVar[int] = 8
    stored: ClassVar[Path] = FOLDER / "race-documents.jsonl"


def points(kind: type[Point] = Point) -> list[Point]:
    """Return a map's points: every layer and base rate with every learning rate, and with every width."""
    return [point for line in lines(kind) for point in line]


def lines(kind: type[Point] = Point) -> list[list[Point]]:
    """Return the map's lines, each from common labels to rare ones."""
    others = [width for width in kind.widths if width != kind.width]  # than the usual one
    ones = [{"hidden": hidden, "lr": lr} for hidden, lr in product(kind.layers, kind.learning_rates)]
    ones += [{"hidden": hidden, "width": width} for hidden, width in product(kind.layers, others)]
    return [[kind(rate, **one) for rate in RATES] for one in ones]


def slow() -> list[Point]:
    """Return the points of the documents' CNN that eight epochs do not decide: a tenth of its learning rate."""
    lr = DocumentsPoint.learning_rates[0]
    return [DocumentsPoint(rate, lr, hidden=hidden) for hidden, rate in product(("sigmoid", "tanh"), RATES)]


def border(runs: Sequence[dict]) -> list[Point]:
    """Return the points on both sides of where most probes collapse for the first time, in each line that has both."""
    found = []
    for line in lines():
        lost = [sum(outcome(run) == "collapses" for run in at(runs, point)) for point in line]
        mostly = pairwise(number > len(SEEDS) / 2 for number in lost)
        change = [pair for pair, (before, after) in zip(pairwise(line), mostly, strict=True) if after > before]
        found += change[0] if change else ()
    return found


def at(runs: Sequence[dict], point: Point) -> list[dict]:
    """Return the probes of one point."""
    return [run for run in runs if asdict(point).items() <= run.items()]


def network(point: Point, seed: int) -> CNN:
    """Return a fresh network with this hidden layer."""
    kind = type(point.network.__name__, (point.network,), {"units": point.width})
    model = kind(10, "sigmoid", generator=torch.Generator().manual_seed(seed))
    if point.hidden == "layernorm":
        model.norm = nn.LayerNorm(point.width)
        model.hidden = lambda x: torch.sigmoid(model.norm(x))
    else:
        model.hidden = getattr(torch, point.hidden)
    return model


def labelled(images: Tensor, digits: Tensor, rate: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return images with ten labels, each true with this rate.

    From one tenth upwards each label is true for several digits; below, images whose pixels are shuffled come in.
    """
    shown = min(1.0, 10 * rate)
    order = torch.Generator().manual_seed(seed)
    background = torch.rand(len(images), generator=order) >= shown
    shuffled = images.flatten(1)[:, torch.randperm(images[0].numel(), generator=order)].reshape(images.shape)
    digits = torch.where(background, BACKGROUND, digits)
    true_for = max(1, round(10 * rate))
    table = torch.tensor([[float((digit + label) % 10 < true_for) for label in range(10)] for digit in range(10)])
    table = torch.cat([table, torch.zeros(1, 10)])
    return torch.where(background[:, None, None, None], shuffled, images), table[digits]


def probe(point: Point, seed: int = 0, epochs: int | None = None, whole: bool = False) -> dict:
    """Train one point until it has learnt something, but not for ever, and tell how the race went."""
    data = load_data("digits", seed)
    images, labels = labelled(data.train.images, data.train.digits, point.rate, seed)
    seen, wanted = labelled(data.valid.images, data.valid.digits, point.rate, seed)
    model = network(point, seed)
    optimizer, order = adamw(model, point.lr), torch.Generator().manual_seed(seed)
    constant = F.binary_cross_entropy(labels.mean(dim=0).expand_as(wanted), wanted).item()
    told, step, learnt = [], 0, None
    for epoch in range(1, (epochs or point.epochs) + 1):
        for batch in torch.randperm(len(images), generator=order).split(BATCH):
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(model.logits(images[batch]), labels[batch]).backward()
            optimizer.step()
            step += 1
            if step in STEPS:
                told.append((step, *look(model, images[:128])))
        with torch.no_grad():
            loss = F.binary_cross_entropy_with_logits(model.logits(seen), wanted).item()
        if loss < LEARNT * constant:
            learnt = learnt or epoch
            if not whole:
                break
    stuck = stuck_units(model, seen)
    return {**asdict(point), "seed": seed, "learnt": learnt, "loss": loss, "constant": constant, "stuck": stuck,
            "race": told}  # fmt: skip


def look(model: CNN, images: Tensor) -> tuple[float, float]:
    """Return the mean output and the share of stuck units."""
    with torch.no_grad():
        units = model.hidden_units(images)
        mean = torch.sigmoid(model.out(units)).mean().item()
    return round(mean, 5), stuck_among(model, units)


def outcome(run: dict) -> str:
    """Return "learns", "collapses" (nothing learnt, nine of ten units stuck), or "not yet"."""
    if run["loss"] < LEARNT * run["constant"]:
        return "learns"
    return "collapses" if run["stuck"] >= 0.9 else "not yet"


def steps_to_rate(run: dict) -> float:
    """Return after how many steps the outputs have gone nine tenths of their way from one half to the base rate."""
    goal = run["rate"] + (0.5 - run["rate"]) / 10
    return next((step for step, mean, _ in run["race"] if mean <= goal), float("inf"))


def steps_to_stuck(run: dict) -> float:
    """Return after how many steps half of the hidden units are stuck."""
    return next((step for step, _, stuck in run["race"] if stuck >= 0.5), float("inf"))


def read(kind: type[Point] = Point) -> list[dict]:
    """Return the stored probes of a map."""
    return [run for run in read_lines(kind.stored) if run["lr"] in kind.learning_rates]


def extend(
    path: Path, points: Sequence[object], seeds: Iterable[int], train: Callable[..., dict], data: str = "digits"
) -> None:
    """Make the probes that are missing, seed by seed, and add each to the file."""
    key_of = itemgetter(*(field.name for field in fields(points[0])), "seed")
    with alone_in(path):
        file = GrowingFile({key_of(run): run for run in read_lines(path)}, partial(write_lines, path))
        for seed, point in product(seeds, points):
            key = (*asdict(point).values(), seed)
            if key not in file.runs:
                file.put(key, {**train(point, seed), "data": data, "device": "cpu", "torch": torch.__version__})


if __name__ == "__main__":
    extend(Point.stored, points(), SEEDS, probe)
    extend(FOLDER / "border.jsonl", border(read()), BORDER_SEEDS, partial(probe, epochs=3 * EPOCHS, whole=True))
    extend(DocumentsPoint.stored, points(DocumentsPoint), SEEDS, probe)
    extend(FOLDER / "slow.jsonl", slow(), SEEDS, partial(probe, epochs=5 * DocumentsPoint.epochs))
