"""`PYTHONPATH=tests python -m doctor_exam.speed OUT.json`: a diagnosis, counted in training steps of the same model."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from yardstick import cost

from doctor_exam.parts import Tagger
from lm_utils.doctor import diagnose


def convolutions(width: int, *ends: nn.Module) -> nn.Sequential:
    """Two convolutions and two linear layers on 32 by 32 colour pictures."""
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(8), nn.Flatten(), nn.Linear(64 * width, 256), nn.ReLU(),
                         nn.Linear(256, 10), *ends)  # fmt: skip


def dense(width: int, *ends: nn.Module) -> nn.Sequential:
    """Three linear layers."""
    return nn.Sequential(nn.Linear(1024, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                         nn.Linear(width, 10), *ends)  # fmt: skip


def pictures(count: int) -> tuple:
    """Pictures and their classes."""
    return torch.randn(count, 3, 32, 32), torch.arange(count) % 10


def vectors(count: int) -> tuple:
    """Vectors and their classes."""
    return torch.randn(count, 1024), torch.arange(count) % 10


SIZES: dict[str, Callable[[], tuple]] = {
    "a tagger of short texts": lambda: (
        Tagger(10), lambda out, y: F.cross_entropy(out.flatten(0, 1), y.flatten()), torch.randint(0, 50, (32, 20)),
        torch.randint(0, 10, (32, 20))),
    "a small classifier of pictures": lambda: (convolutions(32), nn.CrossEntropyLoss(), *pictures(64)),
    "a classifier of pictures": lambda: (convolutions(64), nn.CrossEntropyLoss(), *pictures(64)),
    "the same with a softmax too many": lambda: (convolutions(64, nn.Softmax(1)), nn.CrossEntropyLoss(), *pictures(64)),
    "dense layers": lambda: (dense(2048), nn.CrossEntropyLoss(), *vectors(64)),
    "large dense layers": lambda: (dense(5120), nn.CrossEntropyLoss(), *vectors(64)),
    "large dense layers with a softmax too many": lambda: (
        dense(5120, nn.Softmax(1)), nn.CrossEntropyLoss(), *vectors(64)),
}  # fmt: skip


def ratio(name: str, rounds: int = 5) -> tuple[int, float]:
    """Return the number of weights, and the least CPU time of a diagnosis in those of an Adam step, taken in turns."""
    torch.manual_seed(0)
    model, loss_fn, inputs, targets = SIZES[name]()
    optimiser = torch.optim.Adam(model.parameters(), 1e-4)

    def step() -> None:
        optimiser.zero_grad()
        loss_fn(model(inputs), targets).backward()
        optimiser.step()

    step()
    diagnosis, training = cost(lambda: diagnose(model, loss_fn, inputs, targets), step, rounds=rounds)
    return sum(weight.numel() for weight in model.parameters()), diagnosis / training


def main(argv: list[str]) -> int:
    """Measure every size and write the ratios."""
    rows = []
    for name in SIZES:
        weights, steps = ratio(name)
        rows.append({"model": name, "weights": weights, "steps": round(steps, 2)})
        print(rows[-1], flush=True)
    found = {"torch": torch.__version__.split("+")[0], "device": "cpu, one thread", "rows": rows}
    Path(argv[0]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
