"""From ten classes to a thousand without new data: digits side by side, two give a hundred classes, three a thousand.

Rows of digits are drawn from the training images of the embedded digits for training, and from the test images for the
test. Two small networks, one with a sigmoid layer and a modern one with BatchNorm and ReLU, are trained for a fixed
number of epochs and tested after each.

Expected, written before any training of seeds 300 to 304 (a look at cross-entropy on seed 9 had shown that the sigmoid
network does not learn a thousand classes at all):
1. Sigmoid layer: plain BCE stays at chance for every number of classes. With the output bias at the prior or with
   pos_weight, ten classes are learnt as well as with cross-entropy (within two points). Nothing learns a thousand.
2. BatchNorm and ReLU: plain BCE learns ten and a hundred classes and ends within two points of cross-entropy. With a
   thousand it ends more than ten points below. The bias at the prior brings it nearer; pos_weight does not.

The same on MNIST, with the small BatchNorm network and with the documents' CNN (64 sigmoid units, learning rate 0.001)
for ten and a hundred classes. Expected, written before any training on MNIST:
3. The documents' CNN: plain BCE stays at chance at ten and at a hundred classes. With the prior or pos_weight ten
   classes are learnt within three points of cross-entropy. At a hundred cross-entropy gets more than a fifth right.
4. BatchNorm and ReLU, as on the embedded digits: plain BCE ends at most two points below cross-entropy at ten and a
   hundred classes, and at a thousand with the prior it is ahead of plain BCE.
"""

from dataclasses import asdict, dataclass
from functools import partial
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.data import Part, load_data
from lm_utils.files import RESULTS
from lm_utils.model import CNN, TinyCNN
from lm_utils.runs import race
from lm_utils.training import BATCH, adamw

PATHS = {data: RESULTS / "robustness" / data / "classes.jsonl" for data in ("digits", "mnist")}
SEEDS, EPOCHS, TRAIN_ROWS, TEST_ROWS = range(300, 305), 12, 2000, 500
LOSSES = ("bce", "bce-prior", "bce-pos-weight", "cross-entropy")


@dataclass(frozen=True)
class Point:
    """How many digits stand in a row, the kind of network, and the loss."""

    digits: int = 1
    network: str = "sigmoid"  # or "batchnorm", or "documents": the documents' CNN
    loss: str = "bce"


def rows(part: Part, digits: int, count: int, order: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw rows of digits; return their images side by side and the numbers they show."""
    picked = torch.randint(len(part.digits), (count, digits), generator=order)
    images = torch.cat(list(part.images[picked].unbind(1)), dim=-1)
    return images, (part.digits[picked] * 10 ** torch.arange(digits)).sum(dim=1)


def network(point: Point, seed: int) -> CNN:
    """Return the fresh network for rows of so many digits."""
    base, height, width = (CNN, 4, 7 * point.digits - 3) if point.network == "documents" else \
                          (TinyCNN, 3, 7 * point.digits // 2)  # fmt: skip
    convolutions = lambda model: base.add_convolutions(model) // height**2 * height * width  # noqa: E731
    units = base.units if base is CNN else 128
    kind = type(base.__name__, (base,), {"units": units, "add_convolutions": convolutions})
    model = kind(10**point.digits, hidden="relu" if point.network == "batchnorm" else "sigmoid",
                 generator=torch.Generator().manual_seed(seed))  # fmt: skip
    if point.network == "batchnorm":
        model.conv1 = nn.Sequential(model.conv1, nn.BatchNorm2d(8))
        model.conv2 = nn.Sequential(model.conv2, nn.BatchNorm2d(16))
        model.fc = nn.Sequential(model.fc, nn.BatchNorm1d(model.units))
    if point.loss == "bce-prior":
        nn.init.constant_(model.out.bias, -torch.tensor(10.0**point.digits - 1).log().item())
    return model


def loss_of(point: Point, logits: Tensor, numbers: Tensor) -> Tensor:
    """Return the loss of a batch."""
    if point.loss == "cross-entropy":
        return F.cross_entropy(logits, numbers)
    classes = logits.shape[1]
    weight = torch.tensor(classes - 1.0) if point.loss == "bce-pos-weight" else None
    return F.binary_cross_entropy_with_logits(logits, F.one_hot(numbers, classes).float(), pos_weight=weight)


def train(point: Point, seed: int, data: str = "digits") -> dict:
    """Train one point; return the test accuracy after each epoch."""
    data, order = load_data(data, seed), torch.Generator().manual_seed(seed)
    images, numbers = rows(data.train, point.digits, TRAIN_ROWS, order)
    seen, wanted = rows(data.test, point.digits, TEST_ROWS, order)
    model = network(point, seed)
    optimizer, accuracy = adamw(model), []
    for _ in range(EPOCHS):
        model.train()
        for batch in torch.randperm(len(images), generator=order).split(BATCH):
            optimizer.zero_grad()
            loss_of(point, model.logits(images[batch]), numbers[batch]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy.append(round((model.logits(seen).argmax(dim=1) == wanted).float().mean().item(), 5))
    return {**asdict(point), "seed": seed, "classes": 10**point.digits, "accuracy": accuracy}


def points(data: str) -> list[Point]:
    """Return the points on these data, few classes first."""
    if data == "digits":
        return [Point(*at) for at in product((1, 2, 3), ("sigmoid", "batchnorm"), LOSSES)]
    of_documents = [Point(*at) for at in product((1, 2), ("documents",), LOSSES)]
    return [*(Point(*at) for at in product((1, 2, 3), ("batchnorm",), LOSSES)), *of_documents]


if __name__ == "__main__":
    for data, path in PATHS.items():
        race.extend(path, points(data), SEEDS, partial(train, data=data), data)
