"""Photographs of handwritten digits as tensors, split into a train, a valid and a test part."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils import mnist
from lm_utils.errors import UserError

NAMES = ("auto", "mnist", "digits")
SIZES = {"mnist": (2_000, 3_000, 10_000), "digits": (600, 300, 897)}  # train, valid, test
TEST_SEED = 0  # draws the test part of the embedded digits, the same for every seed
ASKED, FOUND = "as asked for", "because its files are there"


@dataclass(frozen=True, eq=False)
class Part:
    """Images and the digits they show."""

    images: Tensor  # [N, 1, 28, 28] float32 from -1 (paper) to 1 (ink)
    digits: Tensor  # [N] int64 from 0 to 9

    def __len__(self) -> int:
        return len(self.digits)


@dataclass(frozen=True, eq=False)
class Splits:
    """One data set, split by one seed; `source` says in a sentence what it is, from where, and why this one."""

    train: Part
    valid: Part
    test: Part
    name: str
    source: str
    seed: int


def load_data(name: str = "auto", seed: int = 0) -> Splits:
    """MNIST ("mnist"), the embedded digits ("digits"), or MNIST where it can be had and else the digits ("auto")."""
    check_request(name, seed)
    if name == "digits":
        return digits_splits(seed, ASKED)
    try:
        arrays = mnist.load(try_again=name == "mnist")
        return mnist_splits(arrays, seed, FOUND if name == "auto" else ASKED)
    except mnist.Unavailable as reason:
        if name == "mnist":
            raise UserError(
                f"MNIST cannot be had: {reason}; connect to a network, name a folder that holds its files in"
                ' LM_DATA_DIR, or use data="digits".'
            ) from None
        return digits_splits(seed, f"instead of MNIST: {reason}")


def describe_data(name: str = "auto") -> str:
    """Which data `load_data(name)` would take now, in a sentence; nothing is downloaded."""
    check_request(name, seed=0)
    if name == "digits":
        return digits_source(ASKED)
    raw = mnist.raw_folder()
    try:
        mnist.read(raw)
        return mnist_source(FOUND if name == "auto" else ASKED)
    except mnist.Unavailable as reason:
        failure = mnist.recent_failure(raw)
        if name == "auto" and failure:
            return digits_source(f"instead of MNIST: {reason} and {failure}")
    otherwise = "scikit-learn's digits are used" if name == "auto" else "it is an error"
    return f"MNIST will be downloaded into {raw} (12 MB, once); if that fails, {otherwise}."


def friendly(source: str) -> str:
    """Return where data come from; without a network, the paths and errors are left to `make check`."""
    about, failed, _ = source.partition(", instead of MNIST: ")
    return f"{about}, because MNIST could not be downloaded; `make check` says why." if failed else source


def check_request(name: str, seed: int) -> None:
    """Refuse an unknown data set and a seed no generator takes."""
    if name not in NAMES:
        raise UserError(f"Unknown data set {name!r}: choose one of {', '.join(NAMES)}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise UserError(f"A seed must be a whole number from 0 to 2**63 - 1, not {seed!r}.")


def mnist_splits(arrays: tuple[Tensor, ...], seed: int, why: str) -> Splits:
    """Train and valid drawn from MNIST's training images without overlap; its test images as they are."""
    images, digits, test_images, test_digits = arrays
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    train, valid = order[: sum(SIZES["mnist"][:2])].split(SIZES["mnist"][:2])
    parts = part(images, digits, train), part(images, digits, valid), part(test_images, test_digits)
    return Splits(*parts, "mnist", mnist_source(why), seed)


def digits_splits(seed: int, why: str) -> Splits:
    """Every part holds each digit in the same proportion; only train and valid depend on the seed."""
    images, digits = embedded_digits()
    train_size, valid_size, test_size = SIZES["digits"]
    order = stratified_order(digits, TEST_SEED)
    test, rest = order[:test_size], order[test_size:]
    train, valid = rest[stratified_order(digits[rest], seed)].split((train_size, valid_size))
    parts = [part(images, digits, chosen) for chosen in (train, valid, test)]
    return Splits(*parts, "digits", digits_source(why), seed)


def embedded_digits() -> tuple[Tensor, Tensor]:
    """scikit-learn's digits, enlarged to MNIST's size and range: images [N, 28, 28] and digits [N]."""
    folder = Path(find_spec("sklearn").origin).parent / "datasets" / "data"  # to import it would take seconds
    table = torch.from_numpy(np.loadtxt(folder / "digits.csv.gz", delimiter=","))  # a line: 64 pixels, the digit
    small = table[:, :64].float().view(-1, 8, 8).div(16)  # 8 x 8, from 0 to 16
    large = F.interpolate(small[:, None], size=28, mode="bicubic").squeeze(1).clamp(0, 1)
    return large.mul(255).round().to(torch.uint8), table[:, 64].long()


def stratified_order(digits: Tensor, seed: int) -> Tensor:
    """A random order in which every stretch holds the ten digits in nearly the same proportion."""
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    place = torch.empty(len(digits))  # how far along its own digit's images each image stands, from 0 to 1
    for digit in range(10):
        mine = (digits[order] == digit).nonzero().flatten()
        place[mine] = (torch.arange(len(mine)) + 0.5) / len(mine)
    return order[place.argsort(stable=True)]


def part(images: Tensor, digits: Tensor, chosen: Tensor | slice = slice(None)) -> Part:
    """The chosen images with pixels from -1 to 1, and their digits; both are copies."""
    pixels = images[chosen].unsqueeze(1).float()
    return Part(pixels.div_(255).sub_(0.5).div_(0.5), digits[chosen].long().clone())


def mnist_source(why: str) -> str:
    """Where MNIST is read and why it is used."""
    train, valid, test = SIZES["mnist"]
    folder = mnist.raw_folder()
    return f"MNIST: {train:,} train, {valid:,} valid and {test:,} test images, from {folder}, {why}."


def digits_source(why: str) -> str:
    """What the embedded digits are and why they are used."""
    train, valid, test = SIZES["digits"]
    return (
        "scikit-learn's handwritten digits (8x8 pixels enlarged to 28x28):"
        f" {train} train, {valid} valid and {test} test images, {why}."
    )
