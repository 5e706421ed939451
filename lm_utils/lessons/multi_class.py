"""Notebook 11: why ten sigmoids stop learning: the first push, how the hidden layer fills up, and a map of where."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.data import Splits
from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import BY_NAME, collapsed, origin
from lm_utils.evidence.results import under_conditions, with_origin
from lm_utils.evidence.tables import Table
from lm_utils.model import CNN, TinyCNN
from lm_utils.pairing import Pairing
from lm_utils.runs import race
from lm_utils.runs.conditions import LEVER
from lm_utils.runs.interventions import BALANCES, REMOVED
from lm_utils.show.quiz import Verdict
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.training import fit, new_model


@dataclass(frozen=True)
class FirstPush:
    """What the loss asks of a fresh network before any step: per class, and how far the images agree."""

    pairing: Pairing
    by_class: list[float]  # mean gradient at each logit
    agreement: float  # share of images that push the average hidden unit the way of the majority


def first_push(pairing: Pairing, data: Splits, seed: int = 0, images: int = 256) -> FirstPush:
    """Return the gradient at the logits and at the hidden layer of an untrained network."""
    part = data.train.images[:images]
    targets = pairing.spec.target(data.train.digits[:images])
    model = new_model(pairing, pairing.spec.target(data.train.digits), seed)
    hidden = model.hidden_units(part).detach().requires_grad_()
    logits = model.out(hidden)
    loss = pairing.loss_value(model.activation(logits), targets) * len(part)
    at_logits, at_hidden = torch.autograd.grad(loss, (logits, hidden))
    same_way = at_hidden.sign().mean(dim=0).abs()
    return FirstPush(pairing, at_logits.mean(dim=0).tolist(), (0.5 + same_way / 2).mean().item())


def first_push_figure(pushes: Sequence[FirstPush]) -> Figure:
    """Draw ten bars per pairing: the mean gradient at each class's logit before the first step."""
    figure, axes = new_figure(columns=len(pushes), width=11, height=3.6)
    for place, (axis, push) in enumerate(zip(axes, pushes, strict=True)):
        bars = [value / max(map(abs, push.by_class)) for value in push.by_class]
        axis.bar(range(10), bars, color=COLORS[place], edgecolor="black", hatch=("", "//", "..")[place % 3])
        axis.axhline(0, color="black", linewidth=1)
        axis.set(title=push.pairing.label, xlabel="class", ylim=(-1.15, 1.15), xticks=range(10))
        axis.text(4.5, -1.1, f"images agree: {push.agreement:.0%}", ha="center", va="bottom")
    axes[0].set_ylabel("mean gradient at the logit\n(largest = 1)")
    in_words = "; ".join(
        f"{push.pairing.label}: {sum(value > 0 for value in push.by_class)} of 10 classes pushed down,"
        f" {push.agreement:.0%} of images push a hidden unit the same way"
        for push in pushes
    )
    figure.set_label(f"Bar charts of the mean gradient at each of ten logits before the first step. {in_words}.")
    return figure


def trace_figure(traces: dict[str, list[dict]], epochs: int = 10) -> Figure:
    """Draw, over the epochs, the share of hidden activations at a flat end and the gradient in conv1."""
    figure, (left, right) = new_figure(columns=2, width=11, height=4)
    for place, (name, runs) in enumerate(traces.items()):
        for number, run in enumerate(runs):
            steps = run["trace"][: epochs + 1]
            look = {"color": COLORS[place], "linestyle": LINES[place], "marker": MARKERS[place], "markersize": 6,
                    "alpha": 0.9 if len(runs) == 1 else 0.5,
                    "label": BY_NAME[name].title if not number else None}  # fmt: skip
            left.plot([step["stuck"] for step in steps], **look)
            right.plot([max(step["conv1"], 1e-20) for step in steps], **look)
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel="epoch", ylabel="hidden activations at a flat end", ylim=(-0.03, 1.03))
    right.set(xlabel="epoch", ylabel="mean gradient in conv1", yscale="log")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    in_words = "; ".join(trace_in_words(name, runs) for name, runs in traces.items())
    figure.set_label(f"Share of hidden activations at a flat end and first-layer gradient over the epochs. {in_words}.")
    return figure


def trace_in_words(name: str, runs: list[dict]) -> str:
    """Say what the first epoch did to the hidden layer."""
    stuck = [run["trace"][1]["stuck"] for run in runs if len(run["trace"]) > 1]
    gradient = [run["trace"][min(2, len(run["trace"]) - 1)]["conv1"] for run in runs]
    if not stuck:
        return f"{BY_NAME[name].title}: stopped before the first epoch ended"
    return (
        f"{BY_NAME[name].title}: after one epoch {sum(stuck) / len(stuck):.0%} of hidden activations are stuck,"
        f" and the gradient in conv1 is {max(gradient):.1e} at most after the second"
    )


# --- common to the classes, or to the images? ------------------------------------------------------------------------

NETWORKS = {"sigmoids": "ten sigmoids", "softmax-biased": "softmax, output biases at +3 and \N{MINUS SIGN}3"}


def if_classes_matter(name: str) -> str:
    """Say what a cell of the grid would do if the harm came from what the classes share."""
    network, _, removal = name.split("/")
    return "learns" if network != "sigmoids" or removal in ("class-mean", "both-means") else "collapses"


def grid_runs(data: str = "mnist") -> dict[str, list[dict]]:
    """Return the stored runs of the grid, without its controls."""
    family = "lever" if data == "mnist" else "tiny-lever"
    found, cells = under_conditions(family, data), [condition.name for condition in LEVER]
    return {name: found[name] for name in cells if name in found and name.split("/")[0] in NETWORKS}


def grid_table(data: str = "mnist") -> Table:
    """Return a line for each cell of the grid: what both explanations expect, and how many runs learnt."""
    found, lines = grid_runs(data), []
    for name, runs in found.items():
        network, balance, removal = name.split("/")
        lines.append({
            "network": f"{NETWORKS[network]}, {REMOVED[removal][0]}", "training images": BALANCES[balance][0],
            "if the classes matter": if_classes_matter(name), "if the images matter": BY_NAME[name].expected,
            "learnt": f"{len(runs) - collapsed(runs)} of {len(runs)}",
        })  # fmt: skip
    return Table(with_origin(pd.DataFrame(lines), origin(found)))


# --- the race, and the map of where it is lost -----------------------------------------------------------------------


def race_figure(runs: Sequence[dict], steps: int = 18) -> Figure:
    """Draw, over the first steps, the units that are stuck and the mean output, for some points of the map."""
    chosen = {race.Point(): "sigmoid layer, base rate 0.1", race.Point(rate=0.5): "sigmoid layer, base rate 0.5",
              race.Point(hidden="layernorm"): "LayerNorm before the sigmoid, base rate 0.1"}  # fmt: skip
    figure, (left, right) = new_figure(columns=2, width=11, height=4)
    told = []
    for place, (point, name) in enumerate(chosen.items()):
        found = [np.array(run["race"]) for run in race.at(runs, point)]
        look = {"color": COLORS[place], "linestyle": LINES[place], "marker": MARKERS[place], "markersize": 5}
        for number, (axis, column, factor) in enumerate(((left, 2, 100), (right, 1, 1))):
            mean = np.mean([one[:steps, column] for one in found], axis=0)
            axis.plot(found[0][:steps, 0], factor * mean, label=None if number else name, **look)
        stuck = np.mean([one[steps - 1, 2] for one in found])
        told.append(f"{name}: {stuck:.0%} of units stuck after {steps} steps")
    right.axhline(0.1, color="0.35", linestyle=":")
    right.text(steps, 0.105, "base rate 0.1", ha="right", va="bottom")
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel("step of AdamW")
    left.set(ylabel="units stuck at one end (%)", ylim=(-3, 103))
    right.set(ylabel="mean output", ylim=(0, 0.6))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.set_label(f"Stuck units and mean output over the first steps of the tiny network. {'; '.join(told)}.")
    return figure


LAYERS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "layernorm": "LayerNorm, sigmoid"}
MAPPED = {race.Point: "tiny network", race.DocumentsPoint: "documents' CNN"}


def map_figure(found: dict[type[race.Point], list[dict]]) -> Figure:
    """Draw the share of probes that collapse over base rate and learning rate or width, two rows for each network.

    The line parts points where, in most probes, half of the units are stuck before the outputs have come nine tenths of
    the way to the base rate: there the race says "collapse".
    """
    figure, axes = new_figure(2 * len(found), 4, 12, 0.9 + 4.6 * len(found), squeeze=False)
    told = []
    for (kind, runs), rows in zip(found.items(), axes.reshape(len(found), 2, 4), strict=True):
        sides = {"learning rate": ("lr", kind.learning_rates), "hidden units": ("width", kind.widths)}
        for row, (side, (name, values)) in zip(rows, sides.items(), strict=True):
            for axis, (hidden, title) in zip(row, LAYERS.items(), strict=True):
                grid = [
                    [race.at(runs, kind(rate, hidden=hidden, **{name: value})) for rate in race.RATES]
                    for value in values
                ]
                words = draw_map(axis, grid, title, [f"{value:g}" for value in values])
                told.append(f"{MAPPED[kind]}, {side}, {words}")
            row[0].set_ylabel(f"{MAPPED[kind]}\n{side}")
    for axis in axes[-1]:
        axis.set_xlabel("base rate")
    figure.suptitle("Number: probes that collapse (\u2026: some neither learnt nor stuck); right of the line the hidden"
                    " layer wins the race", fontsize=12)  # fmt: skip
    figure.set_label(f"Maps of the share of probes that collapse. {'; '.join(told)}.")
    return figure


def draw_map(axis: Axes, grid: list[list[list[dict]]], title: str, rows: Iterable[str]) -> str:
    """Draw one panel; return it in words."""
    ends = [[[race.outcome(run) for run in runs] for runs in line] for line in grid]
    share = np.array([[cell.count("collapses") / len(cell) if cell else np.nan for cell in line] for line in ends])
    axis.imshow(share, vmin=0, vmax=1, cmap="YlOrRd", aspect="auto", origin="lower")
    for y, x in np.argwhere(~np.isnan(share)):
        waits = "\u2026" if "not yet" in ends[y][x] else ""
        axis.text(x, y, f"{ends[y][x].count('collapses')}/{len(ends[y][x])}{waits}", ha="center", va="center",
                  color="white" if share[y, x] > 0.6 else "black", fontsize=8)  # fmt: skip
    foretold = np.array([[bool(runs) and hidden_layer_first(runs) for runs in line] for line in grid])
    for y, x in np.argwhere(foretold[:, 1:] != foretold[:, :-1]):
        axis.plot([x + 0.5, x + 0.5], [y - 0.5, y + 0.5], color=COLORS[0], lw=3)
    for y, x in np.argwhere(foretold[1:] != foretold[:-1]):
        axis.plot([x - 0.5, x + 0.5], [y + 0.5, y + 0.5], color=COLORS[0], lw=3)
    axis.set_xticks(range(len(race.RATES)), [f"{rate:g}" for rate in race.RATES], fontsize=9)
    axis.set_yticks(range(len(grid)), list(rows), fontsize=9)
    axis.grid(visible=False)
    axis.set_title(title)
    agree = (foretold == (share > 0.5))[~np.isnan(share)]
    return f"{title}: {sum(cell.count('collapses') for line in ends for cell in line)} of" \
           f" {sum(len(cell) for line in ends for cell in line)} probes collapse, at {agree.sum()} of" \
           f" {agree.size} points most end as foretold"  # fmt: skip


def hidden_layer_first(runs: Sequence[dict]) -> bool:
    """Whether in most probes half of the units are stuck before the outputs are near the base rate."""
    return median(race.steps_to_stuck(run) < race.steps_to_rate(run) for run in runs) > 0.5


# --- exercise 3: a set-up to repair ----------------------------------------------------------------------------------


def check_repair(setup: Callable[[CNN], torch.optim.Optimizer], data: Splits) -> Verdict:
    """Train ten sigmoids on the tiny network with the learner's set-up, and say what it did."""
    pairing = Pairing("multiclass", "bce", "sigmoid")
    model = TinyCNN(activation="sigmoid", generator=torch.Generator().manual_seed(0))
    start, optimizer = model.out.bias.detach().clone(), setup(model)
    if optimizer is None:
        return Verdict("wrong", "The set-up returns nothing; it must return the optimiser.")
    run = fit(pairing, data, max_epochs=15, patience=15, network=TinyCNN, setup=setup)
    reached = f"The network reaches {run.test_metric:.1%}."
    if not st.at_chance(run.test_metric, 0.1, "accuracy"):
        return Verdict("right", f"{reached} Compare your repair with those of parts 6 and 7.")
    bias, rate = model.out.bias.detach(), optimizer.param_groups[0]["lr"]
    if not torch.equal(bias, start) and (bias - 0.1).abs().max() < 0.01:
        return Verdict("wrong", f"{reached} The bias stands before the sigmoid: 0.1 there means an output of 0.52.")
    if not torch.equal(bias, start) and bias.mean() > 0:
        return Verdict("wrong", f"{reached} The outputs must start lower, not higher; look at the sign.")
    if rate > model.learning_rate:
        return Verdict("wrong", f"{reached} Larger steps fill the hidden layer even sooner.")
    if model.hidden in (torch.sigmoid, torch.tanh) and torch.equal(bias, start):
        return Verdict("wrong", f"{reached} Every output still starts at one half, and the layer can still fill up.")
    return Verdict("wrong", f"{reached} Let the outputs start at one tenth, or keep the layer from filling up.")
