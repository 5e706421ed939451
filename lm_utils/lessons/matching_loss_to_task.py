"""Notebook 05: what a wrong probability costs, what its gradient says, and which probability each loss likes best."""

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
import scipy
import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from lm_utils.show.lab import lab, menu, slider, small_table
from lm_utils.show.style import ALERT, COLORS, LINES, MARKERS, new_figure

LOSSES = {"BCE": F.binary_cross_entropy, "MSE": F.mse_loss, "MAE": F.l1_loss}
PLACES = np.linspace(0.001, 0.999, 999)


# --- one probability, one label ------------------------------------------------------------------------------


def penalty(loss: str, p: ArrayLike) -> dict[str, np.ndarray]:
    """Return the loss of saying p where the label is 1, and its slopes by p and by the logit (by autograd)."""
    logit = torch.tensor(p, dtype=torch.float64).logit().requires_grad_()
    said = torch.sigmoid(logit)
    value = LOSSES[loss](said, torch.ones_like(said), reduction="none")
    by_p, by_logit = torch.autograd.grad(value.sum(), (said, logit))
    return {"loss": value.detach().numpy(), "by p": by_p.numpy(), "by logit": by_logit.numpy()}


def penalty_figure(p: float) -> Figure:
    """Draw value and slopes of three losses over the probability given to what is true, with a marker at p."""
    figure, axes = new_figure(1, 3, width=11, height=3.7, edges=(0.06, 0.18, 0.99, 0.88, 0.22))
    titles = {"loss": "loss", "by p": "|slope by p|", "by logit": "|slope by the logit|"}
    for (key, title), panel, top in zip(titles.items(), axes, (5.2, 12, 1.05), strict=True):
        for i, name in enumerate(LOSSES):
            panel.plot(PLACES, np.abs(penalty(name, PLACES)[key]), ls=LINES[i], color=COLORS[i], label=name)
            panel.plot([p], [min(np.abs(penalty(name, p)[key]), top)], MARKERS[i], color=COLORS[i], ms=9)
        panel.axvline(p, color="0.4", lw=1, ls=":")
        panel.set(xlabel="p given to what is true", ylim=(0, top), xlim=(0, 1))
        panel.set_title(title)
    axes[0].legend()
    figure.set_label(
        "Loss, slope by p and slope by the logit of BCE, MSE and MAE over the probability of the truth;"
        f" marked at {p:g}."
    )
    return figure


def penalty_table(p: float) -> str:
    """Return loss and slopes at p as a small HTML table."""
    rows = {name: penalty(name, p).values() for name in LOSSES}
    return small_table(f"p = {p:g}, label 1", ("loss", "value", "slope by p", "slope by the logit"), rows, 4)


def penalty_lab(p: float = 0.01) -> widgets.VBox:
    """Slide the probability given to what is true; read what three losses charge and how hard they pull."""
    return lab(lambda p: (penalty_table(p), penalty_figure(p)), p=slider("p", p, 0.01, 0.99, 0.01))


# --- the way out of a confident mistake ----------------------------------------------------------------------


def escape(loss: str, p: float = 0.01, rate: float = 1.0, steps: int = 2000) -> np.ndarray:
    """Return the probabilities along gradient descent on one logit that starts at p, with label 1."""
    z, path = float(np.log(p / (1 - p))), []
    for _ in range(steps + 1):
        q = 1 / (1 + np.exp(-z))
        path.append(q)
        z += rate * {"BCE": 1 - q, "MSE": 2 * (1 - q) * q * (1 - q), "MAE": q * (1 - q)}[loss]
    return np.array(path)


def escape_figure(p: float = 0.01) -> Figure:
    """Draw the way of three losses out of the same confident mistake."""
    figure, axes = new_figure(height=3.8)
    for i, name in enumerate(LOSSES):
        path = escape(name, p)
        half = int(np.argmax(path >= 0.5))  # the first step there
        axes.semilogx(range(1, len(path)), path[1:], ls=LINES[i], color=COLORS[i], label=f"{name}: {half} steps to 0.5")
        axes.plot([half], [path[half]], MARKERS[i], color=COLORS[i])
    axes.axhline(0.5, color="0.4", lw=1, ls=":")
    axes.set(xlabel="step of gradient descent on the logit (rate 1)", ylabel="p given to what is true", ylim=(0, 1))
    axes.set_title(f"Out of a confident mistake: from p = {p:g}")
    axes.legend()
    figure.set_label(
        "Probability of the truth over gradient steps: BCE leaves a confident mistake first, MSE and MAE later."
    )
    return figure


# --- which probability is rewarded ---------------------------------------------------------------------------


def expected_loss(loss: str, truth: float, said: np.ndarray = PLACES) -> np.ndarray:
    """Return the mean loss of saying each probability when the event happens with probability `truth`."""
    p = torch.from_numpy(said)
    yes, no = (LOSSES[loss](p, torch.full_like(p, label), reduction="none").numpy() for label in (1.0, 0.0))
    return truth * yes + (1 - truth) * no


def best_report(loss: str, truth: float) -> float:
    """Return the probability (on a grid of thousandths) with the lowest expected loss."""
    return float(PLACES[np.argmin(expected_loss(loss, truth))])


def proper_figure(truth: float) -> Figure:
    """Draw the expected loss over the probability said, for three losses, with each minimum marked."""
    figure, axes = new_figure(1, 3, width=11, height=3.5, edges=(0.065, 0.18, 0.99, 0.87, 0.22))
    for i, (name, panel) in enumerate(zip(LOSSES, axes, strict=True)):
        cost, best = expected_loss(name, truth), best_report(name, truth)
        panel.plot(PLACES, cost, color=COLORS[i], ls=LINES[i])
        panel.plot([best], [cost.min()], MARKERS[i], color=COLORS[i], ms=11)
        panel.axvline(truth, color="0.4", lw=1, ls=":")
        panel.set(xlabel="probability said", ylim=(0, min(2.0, 1.1 * cost.max())))
        panel.set_title(f"{name}: best to say {best:.2f}")
    axes[0].set_ylabel("expected loss")
    figure.set_label(f"Expected loss over the probability said when the true probability is {truth:g}; minima marked.")
    return figure


def proper_lab(truth: float = 0.7) -> widgets.VBox:
    """Choose how often the event happens; see which answer each loss rewards."""
    return lab(proper_figure, truth=slider("true probability", truth, 0.05, 0.95, 0.05))


# --- where competition between classes comes from ------------------------------------------------------------


def pull(loss: str, activation: str, logits: Tensor, label: int) -> Tensor:
    """Return minus the gradient of a loss by each logit: which way, and how hard, each class is pushed."""
    z = logits.double().clone().requires_grad_()
    probabilities = torch.softmax(z, 0) if activation == "softmax" else torch.sigmoid(z)
    hot = F.one_hot(torch.tensor(label), len(z)).double()
    value = {
        "CE": lambda: -probabilities[label].log(),
        "BCE": lambda: F.binary_cross_entropy(probabilities, hot, reduction="sum"),
        "MSE": lambda: (probabilities - hot).square().sum(),
    }[loss]()
    return -torch.autograd.grad(value, z)[0]


def pull_figure(logits: Sequence[float], label: int) -> Figure:
    """Draw how three losses push the logits behind softmax and behind sigmoids."""
    figure, axes = new_figure(1, 2, width=11, height=3.8, sharey=True, edges=(0.085, 0.16, 0.99, 0.88, 0.05))
    z, places = torch.tensor([float(logit) for logit in logits]), np.arange(len(logits))
    for panel, activation in zip(axes, ("softmax", "sigmoid"), strict=True):
        for i, loss in enumerate(("CE", "BCE", "MSE")):
            pushes = pull(loss, activation, z, label).numpy()
            total = pushes.sum()
            panel.bar(places + (i - 1) * 0.27, pushes, 0.25, color=COLORS[i], hatch=["", "//", ".."][i],
                      label=f"{loss}: sum {0.0 if abs(total) < 5e-3 else total:.2f}")  # fmt: skip
        panel.axhline(0, color="0.2", lw=1)
        panel.set(xlabel=f"class (the true one is {label})", xticks=places)
        panel.set_title(f"behind {activation}")
        panel.legend(loc="upper right" if label < len(logits) / 2 else "upper left", fontsize=10)
    top = max(abs(bar.get_height()) for panel in axes for bar in panel.patches)
    axes[0].set(ylabel="push on the logit", ylim=(-1.15 * top, 2.1 * top))
    figure.set_label(
        "Push on each class's logit under CE, BCE and MSE. Behind softmax the pushes of every loss sum to zero;"
        " behind sigmoids they do not, and CE pushes the true class alone."
    )
    return figure


def pull_lab(logits: Sequence[float] = (0.5, 1.5, 0.0, -1.0), label: int = 0) -> widgets.VBox:
    """Choose the true class and move the logits; see who is pushed where."""
    sliders = {f"logit_{i}": slider(f"logit {i}", z, -6.0, 6.0, 0.5) for i, z in enumerate(logits)}
    return lab(
        lambda label, **logits: pull_figure(list(logits.values()), label),
        label=menu("true class", range(len(logits)), label),
        **sliders,
    )


# --- the price of wrong labels -------------------------------------------------------------------------------


def noisy_line(flipped: int, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return points on a line, class 1 to the right of 0, with the labels of the rightmost few turned round."""
    x = np.linspace(-3, 3, count)
    y = (x > 0).astype(float)
    y[count - flipped :] = 0
    return x, y


def fit_line(x: np.ndarray, y: np.ndarray, loss: str) -> tuple[float, float]:
    """Return weight and bias of the logistic curve with the lowest loss on these points, from a good start."""

    def cost(parameters: np.ndarray) -> float:
        z = parameters[0] * x + parameters[1]
        p = 1 / (1 + np.exp(-np.clip(z, -40, 40)))
        each = {"BCE": np.logaddexp(0, z) - y * z, "MSE": (p - y) ** 2, "MAE": np.abs(p - y)}[loss]
        return float(each.mean() + 1e-4 * parameters @ parameters)

    weight, bias = scipy.optimize.minimize(cost, x0=[2.0, 0.0], method="BFGS").x
    return float(weight), float(bias)


def noise_figure(flipped: int) -> Figure:
    """Draw the logistic curves of three losses when some labels are wrong."""
    figure, axes = new_figure(height=3.8, edges=(0.08, 0.16, 0.98, 0.9))
    x, y = noisy_line(flipped)
    wrong = np.arange(len(x)) >= len(x) - flipped
    axes.plot(x[~wrong], y[~wrong], "o", color="0.45", ms=6, label="point")
    axes.plot(x[wrong], y[wrong], "X", color=ALERT, ms=10, label="wrong label")
    wide = np.linspace(-3.2, 3.2, 300)
    for i, name in enumerate(LOSSES):
        weight, bias = fit_line(x, y, name)
        curve = 1 / (1 + np.exp(-(weight * wide + bias)))
        boundary = f"p = 0.5 at x = {round(-bias / weight, 2) + 0.0:.2f}"
        axes.plot(wide, curve, ls=LINES[i], color=COLORS[i], label=f"{name}: {boundary}")
    axes.axvline(0, color="0.4", lw=1, ls=":")
    axes.set(xlabel="x (the true boundary is 0)", ylabel="p(class 1)", ylim=(-0.05, 1.05))
    axes.set_title(f"{flipped} of {len(x)} labels wrong, all far from the boundary")
    axes.legend(loc="upper left", fontsize=10)
    figure.set_label(f"Logistic curves fitted by BCE, MSE and MAE with {flipped} wrong labels far out on the right.")
    return figure


def noise_lab(flipped: int = 3) -> widgets.VBox:
    """Turn some labels round and see which loss gives way."""
    return lab(noise_figure, flipped=slider("wrong labels", flipped, 0, 8))
