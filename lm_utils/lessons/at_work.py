"""Notebook 17: temperature, weights and softer targets with ten seeds; `python -m lm_utils.lessons.at_work` adds runs.

Each function repeats a cell of the notebook, where the same lines stand in view. The stored file opens with what was
expected, written down before its seeds were run.
"""

import json
import platform
from collections.abc import Callable

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.data import Part, load_data
from lm_utils.evidence.statistics import mean_interval
from lm_utils.files import RESULTS, write_whole
from lm_utils.runs.interventions import imbalance
from lm_utils.runs.outputs import reliability
from lm_utils.show.style import COLORS, MARKERS, new_figure

STORED = RESULTS / "at_work" / "digits.json"
SEEDS = range(500, 510)  # no other run of this repository uses them
EPOCHS, RARE, EIGHT = 40, 0.1, 8
TEMPERATURES = torch.logspace(-1, 1, 201)


def focal(logits: Tensor, targets: Tensor, gamma: float = 2.0) -> Tensor:
    """Cross-entropy that counts an image less the surer its right answer is."""
    each = F.cross_entropy(logits, targets, reduction="none")
    return ((1 - torch.exp(-each)) ** gamma * each).mean()


def network(outputs: int = 10) -> nn.Module:
    """The notebook's small network, which can learn its 600 images by heart."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, outputs))


def small() -> nn.Module:
    """A model of ten weights that sees nine pixels and can learn nothing by heart."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9, 1))


def train(part: Part, targets: Tensor, loss_fn: Callable, make: Callable = network, seed: int = 0) -> nn.Module:
    """Train for 40 epochs, without looking at the validation part."""
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(targets)).split(32):
            optimizer.zero_grad()
            loss_fn(model(part.images[batch]), targets[batch]).backward()
            optimizer.step()
    return model.eval().requires_grad_(False)


def temperature(logits: Tensor, digits: Tensor) -> float:
    """Return the temperature with the least cross-entropy on these images."""
    return min(TEMPERATURES.tolist(), key=lambda T: F.cross_entropy(logits / T, digits).item())


def scores(logits: Tensor, digits: Tensor) -> dict[str, float]:
    """Return accuracy, recall of the digits 5 to 9, negative log-likelihood and calibration error."""
    p = logits.softmax(1)
    sure, right = p.max(1).values, (p.argmax(1) == digits).float()
    return {"accuracy": right.mean().item(), "recall": right[digits >= 5].mean().item(),
            "nll": F.cross_entropy(logits, digits).item(), "ece": reliability(sure, right)["ece"]}  # fmt: skip


def yes_scores(logits: Tensor, yes: Tensor) -> dict[str, float]:
    """Return mean probability, share of yes, recall and precision at one half, and negative log-likelihood."""
    p, said = logits.sigmoid(), logits > 0
    return {"mean_p": p.mean().item(), "share": yes.mean().item(), "recall": said[yes == 1].float().mean().item(),
            "precision": yes[said].mean().item() if said.any() else 1.0,
            "nll": F.binary_cross_entropy_with_logits(logits, yes).item()}  # fmt: skip


def measure(seed: int) -> list[dict]:
    """Return what one seed says: a line for each part of the notebook and way."""
    data = load_data("digits", seed)
    return [{"seed": seed, **line} for part in (sure_lines, rare_lines, eight_lines) for line in part(data, seed)]


def sure_lines(data: object, seed: int) -> list[dict]:
    """The ten classes as they are: plain, with a temperature, with smoothed targets, and with the focal loss."""
    lines = []
    for name, loss in {"plain": F.cross_entropy, "smoothing": nn.CrossEntropyLoss(label_smoothing=0.1),
                       "focal": focal}.items():  # fmt: skip
        model = train(data.train, data.train.digits, loss, seed=seed)
        valid, test = model(data.valid.images), model(data.test.images)
        T = temperature(valid, data.valid.digits)
        lines += [{"part": "sure", "way": name, "T": 1.0, **scores(test, data.test.digits)},
                  {"part": "sure", "way": f"{name}, scaled", "T": T, **scores(test / T, data.test.digits)}]  # fmt: skip
    return lines


def rare_lines(data: object, seed: int) -> list[dict]:
    """A tenth of the training images of 5 to 9: plain, shifted when read, with class weights, with the focal loss."""
    few = imbalance(data, seed, RARE).train
    shares = torch.bincount(few.digits, minlength=10) / len(few)
    lines = []
    for name, loss in {"plain": F.cross_entropy, "weights": nn.CrossEntropyLoss(weight=1 / shares),
                       "focal": focal}.items():  # fmt: skip
        test = train(few, few.digits, loss, seed=seed)(data.test.images)
        lines.append({"part": "rare", "way": name, **scores(test, data.test.digits)})
        if name == "plain":
            lines.append({"part": "rare", "way": "shifted", **scores(test - shares.log(), data.test.digits)})
    return lines


def eight_lines(data: object, seed: int) -> list[dict]:
    """Is it an 8? Plain, with pos_weight, and with its logarithm subtracted again; by a small model and a large one."""
    yes, truth = ((part.digits == EIGHT).float() for part in (data.train, data.test))
    w = (1 - yes.mean()) / yes.mean()
    lines = []
    for size, make in {"small": small, "large": lambda: network(1)}.items():
        for name, weight in {"plain": None, "pos_weight": w}.items():
            loss = nn.BCEWithLogitsLoss(pos_weight=weight)
            z = train(data.train, yes[:, None], loss, make, seed)(data.test.images)[:, 0]
            lines.append({"part": size, "way": name, **yes_scores(z, truth)})
        lines.append({"part": size, "way": "undone", **yes_scores(z - w.log(), truth)})
    return lines


def main() -> None:
    """Measure the seeds that are not stored yet; each is written as soon as it is there."""
    told = json.loads(STORED.read_text("utf-8"))
    done = {line["seed"] for line in told["lines"]}
    told |= {"data": "digits", "device": "cpu", "torch": torch.__version__, "python": platform.python_version()}
    for seed in (seed for seed in SEEDS if seed not in done):
        told["lines"] += [{k: round(v, 6) if isinstance(v, float) else v for k, v in line.items()}
                          for line in measure(seed)]  # fmt: skip
        body = ",\n".join(json.dumps(line) for line in told["lines"])
        head = json.dumps({k: v for k, v in told.items() if k != "lines"}, indent=1)
        write_whole(STORED, f'{head[:-2]},\n "lines": [\n{body}\n]}}\n')


def expected() -> dict[str, str]:
    """Return what was written down before the seeds were run."""
    return json.loads(STORED.read_text("utf-8"))["expected"]


def stored(part: str) -> pd.DataFrame:
    """Return the stored lines of one part, a column for each measure, by way and seed."""
    lines = json.loads(STORED.read_text("utf-8"))["lines"]
    table = pd.DataFrame([line for line in lines if line["part"] == part]).drop(columns="part")
    return table.dropna(axis="columns").set_index(["way", "seed"])


# --- the ten seeds in a table and in a figure ---


def intervals(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each measure over the seeds with its 95 % interval, a line for each way."""

    def told(values: pd.Series) -> str:
        found = mean_interval(values.tolist())
        return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"

    return runs.groupby(level=[name for name in runs.index.names if name != "seed"]).agg(told)


def scaling_figure() -> Figure:
    """Draw each network's calibration error as trained and with its temperature, a line per seed, a group per loss."""
    lines = stored("sure")
    titles = {"plain": "cross-entropy", "smoothing": "label smoothing 0.1", "focal": "focal loss"}
    figure, axes = new_figure(height=4.2)
    words = []
    for group, (name, title) in enumerate(titles.items()):
        before, after = (100 * lines.loc[way, "ece"] for way in (name, f"{name}, scaled"))
        for pair in zip(before, after, strict=True):
            axes.plot([2.6 * group, 2.6 * group + 1], pair, color=COLORS[group], marker=MARKERS[group],
                      lw=1.2, alpha=0.8)  # fmt: skip
        words.append(f"{title}: {before.mean():.1f} % before, {after.mean():.1f} % after, lower in"
                     f" {(after < before).sum()} of {len(after)} seeds")  # fmt: skip
    places = [2.6 * group + side for group in range(3) for side in (0, 1)]
    axes.set_xticks(places, [f"{side}\n{title}" if side == "as trained" else side for title in titles.values()
                             for side in ("as trained", "temperature")])  # fmt: skip
    axes.set(ylabel="calibration error on the test part (%)", ylim=(0, None))
    figure.set_label("Calibration error of ten networks for each of three losses, before and after the temperature. "
                     f"Means: {'; '.join(words)}.")  # fmt: skip
    return figure


if __name__ == "__main__":
    main()
