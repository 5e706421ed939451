"""The labs of notebooks 01, 02, 05 and 06 in Python, for the web site's formulas to be compared with."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from scipy.special import expit

from lm_utils.evidence.reference_lines import bce_on_softmax_floor, double_softmax_floor
from lm_utils.lessons import bce_and_logits, losses, matching_loss_to_task, why_these_losses

ROUNDED = 1e-5  # the notebook of the floors computes in float32, whose sum over 1,000 classes is 7.4e-6 off
Curves = dict[str, np.ndarray]  # the curves of a panel over its places, by name

SETTINGS: dict[str, list[dict]] = {
    "error_lab": [{"error": 2, "delta": 1, "other": 1}, {"error": -0.3, "delta": 0.4, "other": 0}],
    "score_lab": [{"score": -3, "sign": 1}, {"score": 4.5, "sign": -1}],
    "walk_lab": [{"rate": 0.4, "halve": 0}, {"rate": 1.7, "halve": 5}],
    "neuron_lab": [{"weight": 3, "bias": 3, "rate": -0.3, "losses": "MSE,cross-entropy"},
                   {"weight": -1.5, "bias": 5, "rate": 1.1, "losses": "MSE"}],
    "penalty_lab": [{"p": 0.01}, {"p": 0.8}],
    "proper_lab": [{"truth": 0.7}, {"truth": 0.05}],
    "pull_lab": [{"label": 0, "logit_0": 0.5, "logit_1": 1.5, "logit_2": 0, "logit_3": -1},
                 {"label": 3, "logit_0": -6, "logit_1": 2, "logit_2": 6, "logit_3": -6}],
    "floors_lab": [{"classes": 10}, {"classes": 2}, {"classes": 1000}],
}  # fmt: skip
DRAW = (
    "(cases) => JSON.stringify(Object.fromEntries(Object.keys(cases)"
    ".map((lab) => [lab, cases[lab].map((v) => LABS[lab].draw(v))])))"
)


def pairs(functions: dict[str, Callable], xs: np.ndarray) -> list[Curves]:
    """Return values and slopes of losses."""
    return [{name: losses.value_and_slope(loss, xs)[which] for name, loss in functions.items()} for which in (0, 1)]


def in_python(lab: str, v: dict, panels: list[dict]) -> list[Curves]:
    """Return the curves of a lab's panels, computed by its notebook's functions over the same places."""
    xs = np.array(panels[0]["xs"])
    if lab == "error_lab":
        return pairs(losses.error_losses(v["delta"], v["other"]), xs)
    if lab == "score_lab":
        return pairs(losses.score_losses(v["sign"]), xs)
    if lab == "walk_lab":
        walks = {name: losses.walk(name, rate=v["rate"], halve=v["halve"]) for name in losses.THREE}
        return [walks, {name: np.maximum(np.abs(walk), 1e-7) for name, walk in walks.items()}]
    if lab == "neuron_lab":
        start = v["weight"], v["bias"], 10 ** v["rate"]
        paths = {loss: why_these_losses.train(loss, *start) for loss in v["losses"].split(",")}
        curves = [{loss: path[what] for loss, path in paths.items()} for what in ("output", "slope")]
        return [*curves, {"sigmoid": expit(panels[2]["xs"])}]
    if lab == "penalty_lab":
        mine = matching_loss_to_task
        return [{loss: np.abs(mine.penalty(loss, xs)[what]) for loss in mine.LOSSES}
                for what in ("loss", "by p", "by logit")]  # fmt: skip
    if lab == "proper_lab":
        mine = matching_loss_to_task
        return [{loss: mine.expected_loss(loss, v["truth"], xs)} for loss in mine.LOSSES]
    if lab == "pull_lab":
        logits = torch.tensor([float(v[f"logit_{i}"]) for i in range(4)])
        return [{loss: matching_loss_to_task.pull(loss, activation, logits, v["label"]).numpy()
                 for loss in ("CE", "BCE", "MSE")} for activation in ("softmax", "sigmoid")]  # fmt: skip
    return [{name: values.numpy() for name, values in bce_and_logits.misuse_curves(v["classes"]).items()}]


def table_of(lab: str, v: dict) -> list[str] | None:
    """Return the last column of a lab's table where it says more than the curves."""
    if lab == "neuron_lab":
        outputs = [why_these_losses.train(loss, v["weight"], v["bias"], 10 ** v["rate"])["output"]
                   for loss in v["losses"].split(",")]  # fmt: skip
        counts = [np.flatnonzero(path <= why_these_losses.LEARNT) for path in outputs]
        return [str(found[0]) if len(found) else "more than 300" for found in counts]
    if lab == "proper_lab":
        mine = matching_loss_to_task
        return [f"{mine.best_report(loss, v['truth']):.3f}" for loss in mine.LOSSES]
    if lab == "floors_lab":
        return ["0.000", *(f"{floor(v['classes']):.3f}" for floor in (double_softmax_floor, bce_on_softmax_floor))]
    return None


def lab_faults(drawn: dict[str, list[dict]]) -> Iterator[str]:
    """Yield where the drawn panels and tables differ from Python's."""
    for lab, cases in SETTINGS.items():
        for values, found in zip(cases, drawn[lab], strict=True):
            expected = in_python(lab, values, found["panels"])
            for panel, curves in zip(found["panels"], expected, strict=True):
                if panel["curves"].keys() != curves.keys():
                    yield f"{lab}: {list(panel['curves'])} against {list(curves)}"
                for name in panel["curves"].keys() & curves.keys():
                    if not np.allclose(panel["curves"][name], curves[name], rtol=2e-5, atol=ROUNDED):
                        yield f"{lab} {values}, {panel['title']}: {name}"
            told = table_of(lab, values)
            if told and told != [row[-1] if lab != "neuron_lab" else row[1] for row in found["rows"]]:
                yield f"{lab} {values}: {told} against {found['rows']}"
