"""How large the gradient still is, layer by layer, when it travels back through a deep network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray
from torch import Tensor, nn

from lm_utils.evidence.results import counted
from lm_utils.show.style import COLORS, LINES, MARKERS, Picture, new_figure

WIDTH = 32
ACTIVATIONS = {"sigmoid": torch.sigmoid, "ReLU": torch.relu, "tanh": torch.tanh}
STEEPEST = {"sigmoid": 0.25, "ReLU": 1.0, "tanh": 1.0}
LOSSES = {"MSE": nn.functional.mse_loss, "cross-entropy": nn.functional.binary_cross_entropy}
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
            bound = layer.in_features**-0.5  # what nn.Linear does by itself, here from a seed of our own
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        if start != STARTS[0]:
            for layer in self.layers[:-1]:
                nn.init.normal_(layer.weight, 0, GAINS[hidden] * layer.in_features**-0.5, generator=generator)
                middle = -0.5 * layer.weight.sum(1) if hidden == "sigmoid" else torch.zeros(layer.out_features)
                layer.bias.data = middle.detach()  # a sigmoid's outputs lie around 0.5: keep its inputs around 0

    def forward(self, x: Tensor) -> Tensor:
        """The probability of a yes."""
        for layer in self.layers[:-1]:
            x = self.hidden(layer(x))
        return torch.sigmoid(self.layers[-1](x))


@lru_cache(maxsize=64)
def gradient_sizes(layers: int, hidden: str, loss: str, start: str = STARTS[0], seed: int = 0) -> tuple[float, ...]:
    """Root mean square of the gradient by each layer's weights, first layer first, on 128 random images of noise."""
    network = Deep(layers, hidden, start, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    x = torch.randn(128, WIDTH, generator=generator)
    y = (x[:, :1] > 0).float()
    with one_thread():
        LOSSES[loss](network(x), y).backward()
    return tuple(layer.weight.grad.square().mean().sqrt().item() for layer in network.layers)


def factor_per_layer(sizes: tuple[float, ...]) -> float:
    """By what factor a gradient shrinks (or grows) on its way from the last hidden layer to the first."""
    return (max(sizes[0], 1e-30) / sizes[-2]) ** (1 / (len(sizes) - 2)) if len(sizes) > 2 else 1.0


def depth_figure(layers: int = 6, hidden: str = "sigmoid", start: str = STARTS[0]) -> Figure:
    """Size of the gradient in each layer, for both losses."""
    figure, axes = new_figure(height=4.0)
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.09, right=0.98, bottom=0.15, top=0.9)
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
    style = {"description_width": "8em"}
    count = widgets.IntSlider(layers, min=1, max=12, description="hidden layers", continuous_update=False,
                              style=style, layout={"width": "30em"})  # fmt: skip
    what = widgets.Dropdown(options=list(ACTIVATIONS), value=hidden, description="activation", style=style)
    start = widgets.Dropdown(options=STARTS, description="start weights", style=style)
    picture = Picture()

    def redraw(_change: object = None) -> None:
        picture.draw(depth_figure(count.value, what.value, start.value))

    for control in (count, what, start):
        control.observe(redraw, names="value")
    redraw()
    return widgets.VBox([count, widgets.HBox([what, start]), picture])


# --- does it matter? -----------------------------------------------------------------------------------------


def rings(seed: int = 0, count: int = 200) -> tuple[Tensor, Tensor]:
    """Points in a square; a yes for those inside a circle that holds half of it."""
    x = 2 * torch.rand(count, 2, generator=torch.Generator().manual_seed(seed)) - 1
    return x, (x.square().sum(1, keepdim=True) < 2 / torch.pi).float()


def output_spread(layers: int, hidden: str, seed: int = 0) -> float:
    """How much the output of a fresh network differs between the points (standard deviation)."""
    with torch.no_grad():
        return Deep(layers, hidden, STARTS[0], seed, inputs=2)(rings(seed)[0]).std().item()


@contextmanager
def one_thread() -> Iterator[None]:
    """Tiny tensors on one core: a second thread costs more than it helps, on a busy machine many times more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=8)
def learn(layers: int, hidden: str, seeds: int = 3, steps: int = 200) -> dict[str, NDArray]:
    """Accuracy [seed, step] under each loss, with AdamW (rate 0.01) and PyTorch's default start.

    All runs go side by side as slices of the same tensors; no run sees another.
    """
    points = [rings(seed) for _ in LOSSES for seed in range(seeds)]
    x, y = (torch.stack(part) for part in zip(*points, strict=True))
    networks = [Deep(layers, hidden, STARTS[0], seed, inputs=2) for _ in LOSSES for seed in range(seeds)]
    weights = [torch.stack([net.layers[k].weight.detach() for net in networks]) for k in range(layers + 1)]
    biases = [torch.stack([net.layers[k].bias.detach() for net in networks]) for k in range(layers + 1)]
    optimizer = torch.optim.AdamW([part.requires_grad_() for part in (*weights, *biases)], lr=0.01)
    accuracy = []
    with one_thread():
        for _ in range(steps):
            output = _side_by_side(x, weights, biases, ACTIVATIONS[hidden])
            optimizer.zero_grad()
            parts = zip(LOSSES.values(), output.split(seeds), y.split(seeds), strict=True)
            sum(seeds * loss(said, true) for loss, said, true in parts).backward()
            optimizer.step()
            accuracy.append(((output >= 0.5) == (y > 0.5)).float().mean(dim=(1, 2)))
    return dict(zip(LOSSES, torch.stack(accuracy, dim=1).numpy().reshape(len(LOSSES), seeds, steps), strict=True))


def _side_by_side(x: Tensor, weights: list[Tensor], biases: list[Tensor], hidden: Callable) -> Tensor:
    """Outputs of many networks at once, each with its own weights."""
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = (hidden if k < len(weights) - 1 else torch.sigmoid)(torch.baddbmm(b[:, None], x, w.transpose(1, 2)))
    return x


def learning_figure(layers: int = 6, seeds: int = 3) -> Figure:
    """Accuracy over the steps for two losses and two hidden activations, one line per seed."""
    figure, axes = new_figure(height=4.0)
    pairs = [(hidden, loss) for hidden in ("sigmoid", "ReLU") for loss in LOSSES]
    for i, (hidden, loss) in enumerate(pairs):
        for seed, accuracy in enumerate(learn(layers, hidden, seeds)[loss]):
            axes.plot(100 * accuracy, ls=LINES[i], lw=1.6, color=COLORS[i], marker=MARKERS[i], markevery=(8 * i, 40),
                      label="" if seed else f"{hidden}, {loss}")  # fmt: skip
    axes.axhline(50, color="0.4", lw=1, ls=":")
    axes.set(xlabel="step of AdamW", ylabel="right answers (%)", ylim=(20, 103))
    axes.set_title(f"{layers} hidden layers learn whether a point lies inside a circle ({counted(seeds, 'seed')})")
    axes.legend(loc="lower right", ncols=2)
    figure.set_label("Accuracy over steps of networks with sigmoid or ReLU hidden layers under MSE and cross-entropy.")
    return figure
