"""Notebook 02, parts 1 and 2: one sigmoid neuron that is confidently wrong, and gradients in deep networks."""

import math
from collections.abc import Sequence
from functools import lru_cache

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit as sigmoid
from torch import Tensor, func, nn

from lm_utils.evidence.results import counted
from lm_utils.model import default_init
from lm_utils.show.curves import curves_figure
from lm_utils.show.lab import lab, menu, slider
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure

LOSSES = {"MSE": nn.functional.mse_loss, "cross-entropy": nn.functional.binary_cross_entropy}

# --- one neuron with one input of 1 and the target 0 -----------------------------------------------------------

LEARNT = 0.1


def slope(loss: str, z: ArrayLike, target: float = 0.0) -> NDArray:
    """Return the slope by the logit z: 2 (a - y) times the sigmoid's slope for MSE, a - y for cross-entropy."""
    a = sigmoid(z)
    return (a - target) * (2 * a * (1 - a) if loss == "MSE" else 1)


def train(loss: str, weight: float, bias: float, rate: float, steps: int = 300) -> dict[str, NDArray]:
    """Run gradient descent on weight and bias; return logit, output and size of the slope at each step."""
    w, b, logits = weight, bias, []
    for _ in range(steps + 1):
        logits.append(w + b)
        force = slope(loss, w + b)
        w, b = w - rate * force, b - rate * force
    z = np.array(logits)
    return {"logit": z, "output": sigmoid(z), "slope": np.abs(slope(loss, z))}


def steps_to_learn(loss: str, logit: float, rate: float = 0.5, limit: int = 100_000) -> int:
    """Count the steps until the output has fallen to 0.1, from weight = bias = logit / 2."""
    z, goal = logit, math.log(LEARNT / (1 - LEARNT))
    for step in range(limit):
        if z <= goal:
            return step
        z -= 2 * rate * slope(loss, z)
    return limit


def neuron_figure(
    weight: float = 3.0, bias: float = 3.0, rate: float = 0.5, losses: Sequence[str] = tuple(LOSSES)
) -> Figure:
    """Draw output and slope over the steps, and the sigmoid with the place where the neuron starts."""
    figure, (left, middle, right) = new_figure(
        1, 3, width=11, height=3.9, width_ratios=[1.25, 1.25, 1], edges=(0.055, 0.15, 0.985, 0.89, 0.24)
    )
    for loss in losses:
        i, path = list(LOSSES).index(loss), train(loss, weight, bias, rate)
        learnt = np.flatnonzero(path["output"] <= LEARNT)
        name = f"{loss}: {learnt[0]} steps" if len(learnt) else f"{loss}: more than {len(path['output']) - 1}"
        look = {"ls": LINES[i], "color": COLORS[i], "marker": MARKERS[i], "markevery": 50}
        left.plot(path["output"], label=name, **look)
        middle.plot(np.maximum(path["slope"], 1e-5), label=loss, **look)
        right.plot([path["logit"][-1]], [path["output"][-1]], MARKERS[i], color=COLORS[i], ms=10)
    left.axhline(LEARNT, color="0.4", lw=1, ls=":")
    left.set(ylim=(-0.02, 1.42), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1], xlabel="step", title="Output (target 0)")
    left.legend(title="until 0.1 is reached", title_fontsize=10, loc="upper right", fontsize=10)
    middle.set_yscale("log")
    middle.yaxis.set_minor_locator(NullLocator())
    middle.set_yticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["0.0001", "0.001", "0.01", "0.1", "1"])
    middle.set(ylim=(5e-5, 2), xlabel="step", title="Size of the slope by w and b")
    z = np.linspace(-10, 10, 201)
    right.plot(z, sigmoid(z), color="0.55", lw=1.6, zorder=1)
    right.plot([weight + bias], [sigmoid(weight + bias)], "*", color="black", ms=16)
    right.set(xlim=(-10.5, 10.5), ylim=(-0.05, 1.08), xlabel="z = w + b", title="Start (★) and end")
    figure.set_label(
        f"One neuron from w = {weight:g}, b = {bias:g} with learning rate {rate:g}: its output and the size of its"
        f" slope over 300 steps under {' and '.join(losses)}, and its start and end on the sigmoid."
    )
    return figure


def neuron_lab(weight: float = 3.0, bias: float = 3.0, rate: float = 0.5) -> widgets.VBox:
    """Choose start weight and bias, learning rate and loss; watch one neuron learn to say 0."""
    return lab(
        neuron_figure,
        weight=slider("start weight", weight, -5, 5, 0.5),
        bias=slider("start bias", bias, -5, 5, 0.5),
        rate=slider("learning rate", rate, -2, 2, 0.1, widgets.FloatLogSlider, readout_format=".2f"),
        losses=menu("loss", {"both": tuple(LOSSES), "MSE": ("MSE",), "cross-entropy": ("cross-entropy",)}),
    )


# --- how much gradient arrives in a deep network ---------------------------------------------------------------

WIDTH = 32
ACTIVATIONS = {"sigmoid": torch.sigmoid, "ReLU": torch.relu, "tanh": torch.tanh}
STARTS = ["PyTorch's default", "scaled to the activation"]
GAINS = {"sigmoid": 4.0, "ReLU": 2**0.5, "tanh": 1.0}


class Deep(nn.Module):
    """Some hidden layers of 32 units each, then one sigmoid output."""

    def __init__(self, layers: int, hidden: str, start: str, seed: int = 0, inputs: int = WIDTH) -> None:
        super().__init__()
        sizes = [inputs] + [WIDTH] * layers
        generator = torch.Generator().manual_seed(seed)
        self.hidden = ACTIVATIONS[hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, [*sizes[1:], 1], strict=True))
        for layer in self.layers:
            default_init(layer, generator)
        if start != STARTS[0]:
            for layer in self.layers[:-1]:
                nn.init.normal_(layer.weight, 0, GAINS[hidden] * layer.in_features**-0.5, generator=generator)
                middle = -0.5 * layer.weight.sum(1) if hidden == "sigmoid" else torch.zeros(layer.out_features)
                layer.bias.data = middle.detach()  # a sigmoid's outputs lie around 0.5: keep its inputs around 0

    def forward(self, x: Tensor) -> Tensor:
        """Return the probability of a yes."""
        for layer in self.layers[:-1]:
            x = self.hidden(layer(x))
        return torch.sigmoid(self.layers[-1](x))


@lru_cache(maxsize=64)
def gradient_sizes(layers: int, hidden: str, loss: str, start: str = STARTS[0], seed: int = 0) -> tuple[float, ...]:
    """Return the root mean square of the gradient by each layer's weights, first layer first, on random inputs."""
    network = Deep(layers, hidden, start, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    x = torch.randn(128, WIDTH, generator=generator)
    y = (x[:, :1] > 0).float()
    LOSSES[loss](network(x), y).backward()
    return tuple(layer.weight.grad.square().mean().sqrt().item() for layer in network.layers)


def factor_per_layer(sizes: tuple[float, ...]) -> float:
    """Return the factor by which a gradient shrinks (or grows) on its way from the last hidden layer to the first."""
    return (max(sizes[0], 1e-30) / sizes[-2]) ** (1 / (len(sizes) - 2)) if len(sizes) > 2 else 1.0


def depth_figure(layers: int = 6, hidden: str = "sigmoid", start: str = STARTS[0]) -> Figure:
    """Draw the size of the gradient in each layer, for both losses."""
    figure, axes = new_figure(height=4.0, edges=(0.09, 0.15, 0.98, 0.9))
    places = range(1, layers + 2)
    for i, loss in enumerate(LOSSES):
        sizes = gradient_sizes(layers, hidden, loss, start)
        name = f"{loss}: × {factor_per_layer(sizes):.2f} per layer back"
        axes.plot(places, np.maximum(sizes, 1e-14), ls=LINES[i], marker=MARKERS[i], color=COLORS[i], label=name)
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticks([1e-12, 1e-9, 1e-6, 1e-3, 1], ["10⁻¹²", "10⁻⁹", "10⁻⁶", "0.001", "1"])
    axes.set(ylim=(3e-14, 3), xlim=(0.7, 13.3), xlabel="layer (1 = first, the last one is the output)")
    axes.set_xticks(range(1, 14))
    axes.set_ylabel("size of the gradient")
    axes.set_title(f"{layers} hidden {hidden} layers, start: {start}")
    axes.legend(loc="lower right")
    figure.set_label(
        f"Size of the gradient in each of {layers} hidden {hidden} layers and the output layer, under MSE and"
        " cross-entropy, on a logarithmic scale. The two curves run side by side."
    )
    return figure


def depth_lab(layers: int = 6, hidden: str = "sigmoid") -> widgets.VBox:
    """Choose the number of hidden layers, their activation and their start; see how much gradient arrives."""
    return lab(
        depth_figure,
        layers=slider("hidden layers", layers, 1, 12),
        hidden=menu("activation", list(ACTIVATIONS), hidden),
        start=menu("start weights", STARTS),
    )


# --- does it matter? -----------------------------------------------------------------------------------------


def rings(seed: int = 0, count: int = 200) -> tuple[Tensor, Tensor]:
    """Return points in a square, and a yes for those inside a circle that holds half of it."""
    x = 2 * torch.rand(count, 2, generator=torch.Generator().manual_seed(seed)) - 1
    return x, (x.square().sum(1, keepdim=True) < 2 / torch.pi).float()


@lru_cache(maxsize=8)
def learn(layers: int, hidden: str, seeds: int = 3, steps: int = 200) -> dict[str, NDArray]:
    """Train with AdamW (rate 0.01) from PyTorch's default start; return the accuracy [seed, step] under each loss.

    All runs go side by side as slices of the same tensors; no run sees another.
    """
    points = [rings(seed) for _ in LOSSES for seed in range(seeds)]
    x, y = (torch.stack(part) for part in zip(*points, strict=True))
    networks = [Deep(layers, hidden, STARTS[0], seed, inputs=2) for _ in LOSSES for seed in range(seeds)]
    weights, _ = func.stack_module_state(networks)
    side_by_side = func.vmap(lambda own, points: func.functional_call(networks[0], own, (points,)))
    optimizer, accuracy = torch.optim.AdamW(weights.values(), lr=0.01), []
    for _ in range(steps):
        output = side_by_side(weights, x)
        optimizer.zero_grad()
        parts = zip(LOSSES.values(), output.split(seeds), y.split(seeds), strict=True)
        sum(seeds * loss(said, true) for loss, said, true in parts).backward()
        optimizer.step()
        accuracy.append(((output >= 0.5) == (y > 0.5)).float().mean(dim=(1, 2)))
    return dict(zip(LOSSES, torch.stack(accuracy, dim=1).numpy().reshape(len(LOSSES), seeds, steps), strict=True))


def learning_figure(layers: int = 6, seeds: int = 3) -> Figure:
    """Draw the accuracy over the steps for two losses and two hidden activations, one line per seed."""
    curves = {f"{hidden}, {loss}": 100 * accuracy for hidden in ("sigmoid", "ReLU")
              for loss, accuracy in learn(layers, hidden, seeds).items()}  # fmt: skip
    return curves_figure(
        curves, "Accuracy over steps of networks with sigmoid or ReLU hidden layers under MSE and cross-entropy.",
        levels={"half right": 50}, every=40, xlabel="step of AdamW", ylabel="right answers (%)", ylim=(20, 103),
        title=f"{layers} hidden layers learn whether a point lies inside a circle ({counted(seeds, 'seed')})",
    )  # fmt: skip
