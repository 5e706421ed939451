"""What the live trainer of the web site reads: the embedded digits at 14x14 pixels, and the five tasks."""

import json
from pathlib import Path

import torch
from torch.nn import functional as F

from lm_utils.activations import ACTIVATIONS
from lm_utils.data import Part, load_data
from lm_utils.losses import LOSSES
from lm_utils.tasks import TASKS, Task

SEED = 0  # of the split that the page trains on


def write_live(folder: Path) -> None:
    """Write digits.bin (a digit and its 196 pixels in turn) and tasks.json into the folder of the trainer."""
    data = load_data("digits", seed=SEED)
    (folder / "digits.bin").write_bytes(packed(data.train) + packed(data.valid))
    told = {
        "tasks": {name: plain_task(task) for name, task in TASKS.items()},
        "losses": {loss.name: loss.title for loss in LOSSES.values()},
        "activations": {one.name: one.title for one in ACTIVATIONS.values()},
        "digits": {"file": "digits.bin", "train": len(data.train.digits), "valid": len(data.valid.digits)},
    }
    (folder / "tasks.json").write_text(json.dumps(told, separators=(",", ":")), encoding="utf-8")


def packed(part: Part) -> bytes:
    """Return for each image its digit and its pixels, halved as the tiny network halves them, in one byte each."""
    halved = F.avg_pool2d(part.images, 2).flatten(1)
    pixels = ((halved + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return torch.cat([part.digits[:, None].to(torch.uint8), pixels], dim=1).numpy().tobytes()


def plain_task(task: Task) -> dict:
    """Return a task as the page reads it."""
    return {"title": task.title, "question": task.question, "kind": task.kind, "names": task.names, "table": task.table}
