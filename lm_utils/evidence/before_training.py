"""What the shipped runs answered before training: weights follow from the seed, so this is computed, not trained.

`python -m lm_utils.evidence.before_training` writes results/mnist/before_training.json anew.

Expected before it was computed: each network gives nearly one answer to all images, so at least nine in ten of the ten
classes' confusion matrices have more than half of their images in one column, and no run is far from chance.
"""

import json
from datetime import date
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from lm_utils.files import RESULTS, write_whole
from lm_utils.pairing import Pairing
from lm_utils.runs.outputs import answers, histograms, means_by_digit
from lm_utils.runs.shipped import KEY, read_entries, rounded
from lm_utils.runs.store import Key, key_of, single_threaded, splits_of
from lm_utils.training import EVALUATION_BATCH, new_model

FILE = "before_training.json"


def main(data: str = "mnist") -> None:
    """Write the outputs before training of every shipped run that has outputs after it."""
    single_threaded()
    runs = [entry for entry in read_entries(RESULTS / data) if entry["outputs"]]
    runs.sort(key=lambda entry: (entry["seed"], entry["hidden"]))
    told = [[*(entry[name] for name in KEY), outputs_before(*key_of(entry), data)] for entry in runs]
    made = {"device": "cpu", "torch": torch.__version__, "date": date.today().isoformat(), "data": data}
    write_whole(RESULTS / data / FILE, json.dumps({**made, "key": KEY, "runs": told}, separators=(",", ":")) + "\n")


def stored(folder: Path) -> dict[Key, dict]:
    """Return the outputs before training of each run; none where they were not computed."""
    file = folder / FILE
    runs = json.loads(file.read_text(encoding="utf-8"))["runs"] if file.exists() else []
    return {(Pairing(*names), seed): outputs for *names, seed, outputs in runs}


def outputs_before(pairing: Pairing, seed: int, data: str) -> dict:
    """Return what the untrained network of a run answers to the test images."""
    splits, task = splits_of(data, seed), pairing.spec
    model = new_model(pairing, task.target(splits.train.digits), seed)
    with torch.no_grad():
        outputs = [model.activation(model.out(some)) for some in hidden_units(pairing.hidden, seed, data)]
    predictions = pairing.predict(torch.cat(outputs), pairing.scale(task.target(splits.train.digits)))
    if task.kind == "value":
        return rounded({"mean_by_digit": means_by_digit(predictions, splits.test.digits)})
    targets = task.target(splits.test.digits)
    return rounded({"histogram": histograms(task, predictions, targets), **answers(task, predictions, targets)})


@lru_cache(maxsize=2)
def hidden_units(hidden: str, seed: int, data: str) -> list[Tensor]:
    """Return the hidden layer's values: all tasks share the layers below the last, as those are drawn first."""
    splits = splits_of(data, seed)
    model = new_model(Pairing("multiclass", "cross_entropy", hidden=hidden), splits.train.digits, seed)
    with torch.no_grad():
        return [model.hidden_units(images) for images in splits.test.images.split(EVALUATION_BATCH)]


if __name__ == "__main__":
    main()
