"""What things cost here and now: speed is tested as a ratio to these, never in seconds."""

import time
from collections.abc import Callable

import torch

from lm_utils.model import CNN
from lm_utils.show.style import new_figure, png


def cost(*works: Callable[[], object], rounds: int = 3) -> list[float]:
    """The least CPU time of each piece of work, taken in turns."""
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            started = time.process_time()
            work()
            least[place] = min(least[place], time.process_time() - started)
    return least


def crowding() -> float:
    """How many times as long as alone a piece of work takes here and now, since others use the machine; at least 1."""
    wall, work = time.monotonic(), time.thread_time()
    while time.thread_time() - work < 0.2:
        pass
    return max(1.0, (time.monotonic() - wall) / 0.2)


def plain_figure() -> None:
    """Draw two panels with a line each: what any answer of a lab has to pay for at least."""
    figure, (left, right) = new_figure(columns=2)
    left.plot(range(50))
    right.plot(range(50))
    png(figure)


def training_step(images: torch.Tensor, model: CNN) -> None:
    """One forward and backward pass of the course's network."""
    torch.nn.functional.cross_entropy(model(images), torch.arange(len(images)) % 10).backward()
