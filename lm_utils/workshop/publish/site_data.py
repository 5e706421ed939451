"""What the web site's scripts read: the live trainer's digits and tasks, and the recorded runs of every pairing."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch.nn import functional as F

from lm_utils.activations import ACTIVATIONS
from lm_utils.data import Part, load_data
from lm_utils.evidence import before_training
from lm_utils.evidence.changed_conditions import BY_NAME, Families, origin, outcome_table, stored
from lm_utils.evidence.reference_lines import stored_reference_lines
from lm_utils.evidence.results import Results, number, reference
from lm_utils.evidence.statistics import at_chance
from lm_utils.explorer.choice import PRESETS
from lm_utils.files import RESULTS, write_whole
from lm_utils.losses import LOSSES
from lm_utils.pairing import Pairing
from lm_utils.runs.interventions import unchanged
from lm_utils.tasks import TASKS, Task
from lm_utils.training import RECORD, adamw


def write_live(folder: Path) -> None:
    """Write digits.bin (a digit and its 196 pixels in turn) and tasks.json into the folder of the trainer."""
    data = load_data("digits", seed=0)
    (folder / "digits.bin").write_bytes(packed(data.train) + packed(data.valid))
    digits = {"file": "digits.bin", "train": len(data.train.digits), "valid": len(data.valid.digits)}
    (folder / "tasks.json").write_text(json.dumps(names() | {"digits": digits}), encoding="utf-8")


def names() -> dict[str, dict]:
    """Return tasks, losses and output activations as the pages' menus name them."""
    return {
        "tasks": {name: plain_task(task) for name, task in TASKS.items()},
        "losses": {loss.name: loss.title for loss in LOSSES.values()},
        "activations": {one.name: one.title for one in ACTIVATIONS.values()},
    }


def packed(part: Part) -> bytes:
    """Return for each image its digit and its pixels, halved as the tiny network halves them, in one byte each."""
    halved = F.avg_pool2d(part.images, 2).flatten(1)
    pixels = ((halved + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return torch.cat([part.digits[:, None].to(torch.uint8), pixels], dim=1).numpy().tobytes()


def plain_task(task: Task) -> dict:
    """Return a task as the page reads it."""
    told = ("title", "question", "kind", "metric", "names", "table")
    return {name: getattr(task, name) for name in told}


# --- recorded runs ---------------------------------------------------------------------------------------------------


def write_runs(folder: Path, results: Results | None = None) -> dict:
    """Write a script for every recorded pairing, named after its content; return the index that the page holds."""
    results = results or reference()
    switched = conditions()
    files: dict = {}
    for (*places, last), told in [*pairings_told(results, switched), *conditions_told(switched)]:
        text = f"recordedRuns({script(told)});\n"
        inner = files
        for place in places:
            inner = inner.setdefault(place, {})
        inner[last] = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.js"
        write_whole(folder / inner[last], text)
    origins = {task: results.only(task).origin for task in TASKS}
    learnt, presets = results.that_learnt(), []
    for preset in PRESETS:  # its state, and how many seeds learnt
        pairing = preset.choice.pairing
        told = {"title": preset.title, "told": preset.told, "state": [*place_of(pairing), variant(pairing)]}
        presets.append(told | {"learnt": f"{len(learnt.of(pairing))} of {len(results.of(pairing))}"})
    return names() | {"origins": origins, "presets": presets, "files": files, "start": presets[1]["state"]}


def script(value: object) -> str:
    """Return a value as JavaScript that may stand in a page; unlike JSON it has NaN."""
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/")


def place_of(pairing: Pairing) -> tuple[str, str, str]:
    """Return where the menus have a pairing: its task, and with ten classes the ten labels of a condition."""
    return pairing.task if pairing.task in TASKS else "multiclass", pairing.loss, pairing.activation


def variant(pairing: Pairing) -> str:
    """Name the options of a pairing."""
    options = {"hidden layer with ReLU": pairing.hidden == "relu", "targets standardised": pairing.normalize,
               "output bias at the prior": pairing.prior_bias}  # fmt: skip
    return ", ".join(name for name, chosen in options.items() if chosen) or "nothing changed"


def conditions() -> dict[tuple[str, str, str], Families]:
    """Return the runs in which something was switched off or on, by the place of their pairing."""
    found: dict = {}
    for family in ("collapse", "switches", "lever"):
        for name, runs in stored(family).items():
            found.setdefault(place_of(BY_NAME[name].pairing), {})[name] = runs
    return found


def pairings_told(results: Results, switched: dict) -> Iterator[tuple[tuple, dict]]:
    """Yield place and content of every pairing: its verdict, and what was switched off and on."""
    before = before_training.stored(RESULTS / results.data)
    for pairing, runs in results.by_pairing.items():
        place = place_of(pairing)
        told = runs_told(pairing, runs, results.baseline(pairing.task))
        for run in told["runs"]:
            key = pairing, run["seed"]
            run |= {"before": before[key]} if key in before else {}
        told |= {"verdict": pairing.verdict, "explanation": pairing.explanation}
        told |= asdict(stored_reference_lines(pairing, results.data))
        if place in switched:
            table = outcome_table(switched[place]).frame
            told |= {"switches": {"columns": list(table), "rows": table.to_numpy().tolist()}}
            told |= {"watched": watched(pairing, switched[place])}
        yield (*place, variant(pairing)), told


def watched(pairing: Pairing, families: Families) -> list[dict]:
    """Return what was seen in the hidden layer where this pairing was trained again with nothing changed."""
    for name, runs in families.items():
        one = BY_NAME[name]
        if (one.pairing, one.setup, one.change) == (pairing, adamw, unchanged) and "trace" in runs[0]:
            return [{"seed": run["seed"], "trace": run["trace"]} for run in runs]
    return []


def conditions_told(switched: dict) -> Iterator[tuple[tuple, dict]]:
    """Yield place and content of every changed condition, with what was expected of it."""
    for place, families in switched.items():
        for name, runs in families.items():
            condition = BY_NAME[name]
            told = runs_told(condition.pairing, runs, runs[0]["chance"])
            if condition.change is unchanged and condition.pairing.task in TASKS:
                told |= asdict(stored_reference_lines(condition.pairing, runs[0]["data"]))
            yield (*place, condition.title), told | {"expected": condition.expected, "origin": origin({name: runs})}


def runs_told(pairing: Pairing, runs: list[dict], constant: float) -> dict:
    """Return every seed's run as it is stored, and how many learnt nothing or broke off."""
    lost = sum(at_chance(number(run, "test_metric"), constant, pairing.spec.metric) for run in runs)
    broken = sum(run["status"] != "ok" for run in runs)
    return {"constant": constant, "lost": lost, "broken": broken, "runs": [run_told(run) for run in runs]}


def run_told(run: dict) -> dict:
    """Return one seed's run: its curves in columns, its outputs without the bins of their calibration."""
    outputs = {name: value for name, value in run["outputs"].items() if name != "reliability"}
    own = {name: run[name] for name in ("seed", "status", "error", "best_epoch", "test_metric", "trace") if name in run}
    return own | {name: [record[name] for record in run["history"]] for name in RECORD[1:]} | {"outputs": outputs}
