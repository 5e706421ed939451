"""Notebook 11: why ten sigmoids stop learning: the first push, and how the hidden layer fills up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lm_utils.data import Splits
from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import BY_NAME, collapsed, origin
from lm_utils.evidence.results import under_conditions, with_origin
from lm_utils.evidence.tables import Table
from lm_utils.model import CNN, TinyCNN
from lm_utils.pairing import Pairing
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
        nothing_shared = network != "sigmoids" or removal in ("class-mean", "both-means")  # by the classes
        lines.append({
            "network": f"{NETWORKS[network]}, {REMOVED[removal][0]}", "training images": BALANCES[balance][0],
            "if the classes matter": "learns" if nothing_shared else "collapses",
            "if the images matter": BY_NAME[name].expected,
            "learnt": f"{len(runs) - collapsed(runs)} of {len(runs)}",
        })  # fmt: skip
    return Table(with_origin(pd.DataFrame(lines), origin(found)))


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
