"""Notebook 13: the constant predictor's loss, four training runs with their vital signs, and a ritual."""

import copy
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.data import Splits, load_data
from lm_utils.doctor.checks.hidden_checks import stuck_units
from lm_utils.evidence import reference_lines
from lm_utils.evidence.reference_lines import double_softmax_floor
from lm_utils.evidence.results import counted
from lm_utils.files import RESULTS, write_whole
from lm_utils.model import CNN
from lm_utils.pairing import Pairing
from lm_utils.show.lab import lab, menu
from lm_utils.show.style import ALERT, COLORS, MARKERS, new_figure
from lm_utils.training import adamw, fit

STORED = RESULTS / "health" / "digits.json"
EPOCHS = 25

# --- the constant predictor ---------------------------------------------------------------------------------


def constant_loss(loss: str, task: str, targets: Tensor) -> float | None:
    """Return the loss of a network that has learned the targets' average and nothing else; None where it has none."""
    pairing = Pairing(task, loss, "sigmoid" if loss == "bce" else "none")  # nn.BCELoss takes nothing but probabilities
    if pairing.reads_batch_as_one_sample:  # then it depends on which images share a batch
        return None
    return reference_lines.constant_loss(pairing, targets, images=len(targets))


# --- four runs with their vital signs -----------------------------------------------------------------------


class Broadcasting(Pairing):
    """Mean squared error between outputs [N, 1] and targets [N]: every output against every target."""

    def loss_value(self, outputs: Tensor, aims: Tensor) -> Tensor:
        """Return the mean over the N x N table that broadcasting makes (PyTorch warns, once)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return F.mse_loss(outputs, aims.squeeze(1))


@dataclass(frozen=True)
class Patient:
    """A run to be judged: what was trained, and what is the matter with it."""

    pairing: Pairing
    state: str
    reading: str
    floor: float = 0.0


PATIENTS: dict[str, Patient] = {
    "Run 1": Patient(
        Broadcasting("regression", "mse", normalize=True), "collapsed to the mean",
        "The loss sits on the constant predictor's line and all images get the same answer, while the hidden layer is "
        "alive. Targets of shape [N] met outputs of shape [N, 1]; the best answer to all targets at once is a mean."),
    "Run 2": Patient(
        Pairing("multiclass", "cross_entropy", "softmax"), "learning; it only looks bad because of its floor",
        "The loss looks stuck far above 0, but it is close to its floor, far below the constant predictor, and most "
        "answers are right. Softmax was applied twice.", double_softmax_floor(10)),
    "Run 3": Patient(
        Pairing("multiclass", "cross_entropy", "none"), "healthy",
        "The loss falls far below the constant predictor towards 0, different images get different answers, and no "
        "hidden unit is stuck."),
    "Run 4": Patient(
        Pairing("multiclass", "bce", "sigmoid"), "saturated",
        "The loss sits on the constant predictor's line because nearly all hidden units are stuck on a flat end of "
        "their sigmoid: no gradient gets past them. Do not be fooled by the loss being the smallest at the start."),
}  # fmt: skip


@torch.no_grad()
def vital_signs(model: CNN, images: Tensor) -> dict[str, float]:
    """Return how far the outputs differ between images, and the share of hidden units that are stuck."""
    hidden = model.hidden_units(images)
    outputs = model.activation(model.out(hidden))
    return {"spread": outputs.std(0).mean().item(), "stuck": stuck_units(hidden)}


def train_run(name: str, data: Splits, device: str, epochs: int = EPOCHS, seed: int = 0) -> list[dict]:
    """Train one of the four runs; one record per epoch with loss, metric and vital signs."""
    models, records = [], []

    def setup(model: CNN) -> torch.optim.Optimizer:
        models.append(model)
        return adamw(model)

    def on_epoch(record: dict[str, float]) -> None:
        images = data.valid.images.to(next(models[0].parameters()).device)
        records.append(record | vital_signs(models[0], images))

    pairing = PATIENTS[name].pairing
    fit(pairing, data, seed, epochs, patience=epochs, device=device, on_epoch=on_epoch, setup=setup)
    return [{key: round(value, 6) for key, value in record.items()} for record in records]


def references(name: str, data: Splits) -> dict[str, float]:
    """Return the two lines a validation loss is read against: the constant predictor and the floor."""
    patient = PATIENTS[name]
    pairing, target = patient.pairing, patient.pairing.spec.target
    aims = pairing.aims(target(data.valid.digits), pairing.scale(target(data.train.digits)))
    return {"constant": constant_loss(pairing.loss, pairing.task, aims), "floor": patient.floor}


def stored_runs() -> tuple[dict[str, list[dict]], dict[str, dict[str, float]]]:
    """Return the four runs as they came out on the embedded digits, and their reference lines."""
    stored = json.loads(STORED.read_text("utf-8"))
    return stored["runs"], stored["references"]


def write_stored_runs() -> None:
    """Train all four runs on the embedded digits and store them."""
    data = load_data("digits", seed=0)
    runs = {name: train_run(name, data, "cpu") for name in PATIENTS}
    lines = {name: references(name, data) for name in PATIENTS}
    about = {"origin": "reference", "data": data.name, "seed": 0, "epochs": EPOCHS}
    write_whole(STORED, json.dumps(about | {"references": lines, "runs": runs}, indent=1) + "\n")


SIGNS = {"valid_loss": "validation loss", "spread": "how far outputs differ\nbetween images",
         "stuck": "share of hidden\nunits stuck"}  # fmt: skip


def draw_signs(axes: Sequence[Axes], records: Sequence[dict], lines: dict[str, float] | None, room: float) -> None:
    """Draw loss (with its reference lines if given), spread and stuck units; `room` for the legend above the loss."""
    epochs = [record["epoch"] for record in records]
    for place, (axis, key) in enumerate(zip(axes, SIGNS, strict=True)):
        values = [record[key] for record in records]
        axis.plot(epochs, values, color=COLORS[place], marker=MARKERS[place], markevery=6)
        axis.set_ylim(*((-0.03, 1.03) if key == "stuck" else (0, 1.1 * max([*values, 0.05]))))
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if lines:
        constant, floor = lines["constant"], lines["floor"]
        axes[0].axhline(constant, color=ALERT, linestyle="--", label=f"constant predictor {constant:.4f}")
        if floor:
            axes[0].axhline(floor, color="black", linestyle=":", label=f"floor {floor:.4f}")
        axes[0].legend(loc="upper right", fontsize=10)
    axes[0].set_ylim(0, room * max([record["valid_loss"] for record in records] + list((lines or {}).values())))


def health_figure(name: str, records: Sequence[dict], lines: dict[str, float] | None = None) -> Figure:
    """Draw a run's vital signs beside each other."""
    figure, axes = new_figure(1, 3, width=11, height=3.6, edges=(0.065, 0.16, 0.99, 0.91, 0.42))
    draw_signs(axes, records, lines, 1.45)
    for axis, label in zip(axes, SIGNS.values(), strict=True):
        axis.set(xlabel="epoch", ylabel=label)
    axes[1].set_title(name)
    figure.set_label(f"Three vital signs of {name}. {health_facts(records, lines)}")
    return figure


def patients_figure(runs: dict[str, list[dict]], lines: dict[str, dict[str, float]]) -> Figure:
    """Draw the vital signs of all runs side by side, a column for each run."""
    figure, axes = new_figure(len(SIGNS), len(runs), 11, 6.6, sharex=True)
    for column, (name, records) in zip(axes.T, runs.items(), strict=True):
        draw_signs(column, records, lines[name], 1.9)
        column[0].set_title(f"{name}: {PATIENTS[name].state.split(';')[0]}")
        column[-1].set_xlabel("epoch")
    for axis, label in zip(axes[:, 0], SIGNS.values(), strict=True):
        axis.set_ylabel(label)
    words = " ".join(f"{name}: {health_facts(records, lines[name])}" for name, records in runs.items())
    figure.set_label(f"Vital signs of {len(runs)} runs side by side. {words}")
    return figure


def health_facts(records: Sequence[dict], lines: dict[str, float] | None = None) -> str:
    """Return the last epoch in one sentence."""
    last = records[-1]
    against = f", the constant predictor is at {lines['constant']:.4f}" if lines else ""
    against += f" and the floor at {lines['floor']:.4f}" if lines and lines["floor"] else ""
    after = f"After {counted(int(last['epoch']), 'epoch')}"
    return (
        f"{after} the validation loss is {last['valid_loss']:.4f}{against}; outputs differ "
        f"between images by {last['spread']:.3f}, and {last['stuck']:.0%} of the hidden units are stuck."
    )


def health_lab() -> widgets.VBox:
    """Look at four runs, then show the reference lines, then the diagnosis."""
    runs, known = stored_runs()
    run = menu("Which run", list(PATIENTS), kind=widgets.ToggleButtons)
    lines = widgets.Checkbox(description="Show the constant predictor and the floor", indent=False)
    diagnosis = widgets.Checkbox(description="Show the diagnosis", indent=False)
    run.observe(lambda _: diagnosis.set_trait("value", False), "value")  # every run is guessed at first

    def draw(run: str, lines: bool, diagnosis: bool) -> tuple[Figure, str]:
        shown = known[run] if lines else None
        return health_figure(run, runs[run], shown), health_words(run, runs[run], shown, diagnosis)

    return lab(draw, run=run, lines=lines, diagnosis=diagnosis)


def health_words(name: str, records: Sequence[dict], lines: dict[str, float] | None, diagnosis: bool) -> str:
    """Return what stands below the picture: the facts, and the diagnosis where it was asked for."""
    patient, facts = PATIENTS[name], health_facts(records, lines)
    if not diagnosis:
        return f"<p>{facts}</p>"
    unit = patient.pairing.spec.metric
    metric = records[-1]["valid_metric"]
    result = f"{metric:.1%} right" if unit == "accuracy" else f"mean squared error {metric:.3f}"
    return f"<p>{facts}</p><p><b>{name}: {patient.state}</b> ({result}). {patient.reading}</p>"


# --- the ritual ---------------------------------------------------------------------------------------------


def overfit(
    model: nn.Module, loss_fn: Callable, inputs: Tensor, targets: Tensor, steps: int = 200, lr: float = 1e-3
) -> list[float]:
    """Train a copy of the model on one small batch; return the loss before every step and at the end."""
    model = copy.deepcopy(model).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        return [*losses, loss_fn(model(inputs), targets).item()]


if __name__ == "__main__":
    write_stored_runs()
