"""Notebook 02, part 3: choose the noise, and its negative log-likelihood is one of PyTorch's losses."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, distributions
from torch.nn import functional as F

from lm_utils.show.lab import lab, menu, slider
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure

VALUES = torch.tensor([1.2, 2.1, 2.6, 2.9, 3.0, 3.3, 3.7, 4.4, 6.8], dtype=torch.float64)
ANSWERS = torch.tensor([1, 1, 0, 1, 1, 1, 0, 1, 0, 1], dtype=torch.float64)
CLASSES = torch.tensor([0] * 6 + [1] * 3 + [2])


@dataclass(frozen=True)
class Noise:
    """A way in which targets may scatter around a prediction, and the loss that follows from it.

    `nll` and `loss` take predictions and a width and return one mean over the data for each prediction; the first is
    computed from the distribution, the second by PyTorch's loss. `scale` and `offset` tell how they differ.
    """

    loss_name: str
    formula: str
    data: Tensor
    places: Tensor  # predictions to try
    nll: Callable[[Tensor, float], Tensor]
    loss: Callable[[Tensor, float], Tensor]
    scale: Callable[[float], float] = lambda width: 1.0
    offset: Callable[[float], float] = lambda width: 0.0

    @property
    def continuous(self) -> bool:
        """Say whether targets are numbers (and the noise has a width)."""
        return self.data is VALUES


def huber_area() -> float:
    """Return the area under exp(-Huber loss) with a knee at 1, which makes it a density when divided by it."""
    return math.sqrt(2 * math.pi) * math.erf(1 / math.sqrt(2)) + 2 * math.exp(-0.5)


def class_probabilities(first: Tensor) -> Tensor:
    """Return probabilities of three classes: the first as given, the others share the rest as 3 to 1."""
    return torch.stack([first, 0.75 * (1 - first), 0.25 * (1 - first)], dim=-1)


def _pairs(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Set every prediction beside every target."""
    return torch.broadcast_tensors(predictions[:, None], targets)


NUMBERS, SHARES = torch.linspace(0, 7, 281).double(), torch.linspace(0.02, 0.98, 193).double()
NOISES = {
    "Gaussian": Noise(
        "MSE", "NLL = MSE / (2σ²) + ½ log(2πσ²)", VALUES, NUMBERS,
        lambda m, w: -distributions.Normal(m[:, None], w).log_prob(VALUES).mean(1),
        lambda m, w: F.mse_loss(*_pairs(m, VALUES), reduction="none").mean(1),
        lambda w: 1 / (2 * w**2), lambda w: 0.5 * math.log(2 * math.pi * w**2),
    ),
    "Laplace": Noise(
        "MAE", "NLL = MAE / b + log(2b)", VALUES, NUMBERS,
        lambda m, w: -distributions.Laplace(m[:, None], w).log_prob(VALUES).mean(1),
        lambda m, w: F.l1_loss(*_pairs(m, VALUES), reduction="none").mean(1),
        lambda w: 1 / w, lambda w: math.log(2 * w),
    ),
    "Gaussian middle, Laplace tails": Noise(
        "Huber", "NLL = Huber / s² + log(2.92 s), with the knee at s", VALUES, NUMBERS,
        lambda m, w: (_huber_energy((VALUES - m[:, None]) / w) + math.log(huber_area() * w)).mean(1),
        lambda m, w: F.huber_loss(*_pairs(m, VALUES), reduction="none", delta=w).mean(1),
        lambda w: 1 / w**2, lambda w: math.log(huber_area() * w),
    ),
    "Bernoulli (yes or no)": Noise(
        "BCE", "NLL = BCE, exactly", ANSWERS, SHARES,
        lambda p, w: -distributions.Bernoulli(p[:, None]).log_prob(ANSWERS).mean(1),
        lambda p, w: F.binary_cross_entropy(*_pairs(p, ANSWERS), reduction="none").mean(1),
    ),
    "categorical (one of three)": Noise(
        "cross-entropy", "NLL = cross-entropy, exactly", CLASSES, SHARES,
        lambda p, w: -distributions.Categorical(class_probabilities(p)[:, None]).log_prob(CLASSES).mean(1),
        lambda p, w: F.cross_entropy(
            class_probabilities(p).log()[..., None].expand(-1, -1, 10), CLASSES.expand(len(p), -1), reduction="none"
        ).mean(1),

    ),
}  # fmt: skip


def _huber_energy(e: Tensor) -> Tensor:
    """Return the Huber loss with its knee at 1."""
    return torch.where(e.abs() <= 1, e.square() / 2, e.abs() - 0.5)


def curves(noise: str, width: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean negative log-likelihood, and scale x loss + offset, for every prediction tried."""
    what = NOISES[noise]
    nll, loss = what.nll(what.places, width).numpy(), what.loss(what.places, width).numpy()
    return nll, what.scale(width) * loss + what.offset(width)


def likelihood_figure(noise: str = "Gaussian", prediction: float = 2.0, width: float = 1.0) -> Figure:
    """Draw the data under the assumed noise; the negative log-likelihood, and the loss laid over it."""
    what = NOISES[noise]
    figure, (left, right) = new_figure(1, 2, width=11, height=4.0, edges=(0.06, 0.15, 0.985, 0.9, 0.18))
    _draw_data(left, noise, prediction, width)
    nll, loss = curves(noise, width)
    same = "" if np.allclose((what.scale(width), what.offset(width)), (1, 0)) else (
        f"{what.scale(width):.3g} × {what.loss_name} {what.offset(width):+.3f}".replace("-", "−")
    )  # fmt: skip
    right.plot(what.places, nll, color="0.7", lw=7, label="negative log-likelihood")
    right.plot(what.places, loss, ls=LINES[1], color=COLORS[0], label=same or what.loss_name)
    here = what.nll(torch.tensor([prediction]).double(), width).item()
    right.plot([prediction], [here], MARKERS[0], color=COLORS[3], ms=11, label=f"prediction {prediction:g}: {here:.3f}")
    best = int(nll.argmin())
    right.plot([what.places[best]], [nll[best]], "*", color="black", ms=15, label=f"best: {what.places[best]:.2f}")
    low, span = nll.min(), np.ptp(nll)
    right.set(xlabel="prediction", title=what.formula, ylim=(low - 0.12 * span, low + 1.55 * span))
    right.legend(loc="upper center", fontsize=10, ncols=2)
    figure.set_label(
        f"Left: the data under {noise} noise around the prediction {prediction:g}. Right: its negative log-likelihood"
        f" over the prediction, and {what.loss_name}, scaled and shifted, lying exactly on it."
    )
    return figure


def _draw_data(axes: Axes, noise: str, prediction: float, width: float) -> None:
    """Draw the targets and what the noise claims about them."""
    what = NOISES[noise]
    if what.continuous:
        places = torch.linspace(0, 8, 321).double()
        density = {
            "Gaussian": lambda: distributions.Normal(prediction, width).log_prob(places).exp(),
            "Laplace": lambda: distributions.Laplace(prediction, width).log_prob(places).exp(),
        }.get(noise, lambda: torch.exp(-_huber_energy((places - prediction) / width)) / (huber_area() * width))()
        axes.fill_between(places.numpy(), density.numpy(), color=COLORS[0], alpha=0.25)
        axes.plot(places, density, color=COLORS[0], label="assumed density")
        axes.vlines(VALUES.numpy(), 0, np.interp(VALUES, places, density), color="0.3", lw=1.2)
        axes.plot(VALUES, np.zeros(9), "o", color="black", clip_on=False, label="nine targets")
        axes.set(xlim=(0, 8), ylim=(0, 1.25 * float(density.max())), xlabel="target", title=f"Noise: {noise}")
    else:
        count = 2 if what.data is ANSWERS else 3
        seen = torch.bincount(what.data.long(), minlength=count) / len(what.data)
        said = [1 - prediction, prediction] if count == 2 else class_probabilities(torch.tensor(prediction)).tolist()
        names = ["no", "yes"] if count == 2 else ["class 0", "class 1", "class 2"]
        axes.bar(np.arange(count) - 0.2, said, 0.38, color=COLORS[0], hatch="//", edgecolor="white", label="predicted")
        axes.bar(np.arange(count) + 0.2, seen.tolist(), 0.38, color="0.35", label="seen in ten targets")
        axes.set_xticks(range(count), names)
        axes.set(ylim=(0, 1.2), ylabel="probability", title=f"Noise: {noise}")
    axes.legend(loc="upper right" if what.continuous or prediction < 0.7 else "upper left", fontsize=10)


def likelihood_lab(noise: str = "Gaussian") -> widgets.VBox:
    """Choose the noise, its width and a prediction; see which loss the negative log-likelihood is."""

    def draw(noise: str, number: float, width: float, share: float) -> Figure:
        return likelihood_figure(noise, number if NOISES[noise].continuous else share, width)

    box = lab(
        draw,
        noise=menu("noise", list(NOISES), noise),
        number=slider("prediction", 2.0, 0, 7, 0.1),
        width=slider("width of noise", 1.0, 0.4, 3, 0.1),
        share=slider("probability", 0.4, 0.05, 0.95, 0.05),
    )

    def show_fitting(_change: object = None) -> None:
        numbers = NOISES[box.controls["noise"].value].continuous
        for name, wanted in (("number", numbers), ("width", numbers), ("share", not numbers)):
            box.controls[name].layout.display = None if wanted else "none"

    box.controls["noise"].observe(show_fitting, names="value")
    show_fitting()
    return box
