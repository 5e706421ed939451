"""What document 002 says in section 2, on backpropagation and likelihood."""

from collections.abc import Callable
from math import log

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal
from torch.nn import functional as F

from lm_utils.evidence.claims.by_computing import LABEL, Z, double, slope
from lm_utils.evidence.claims.by_pairs import cures, lower
from lm_utils.evidence.claims.claim import Claim, Finding, decided


@Claim("002-vanishing", "2", "Many layers multiply slopes below 1 until the gradient is nearly 0.").worked_out
def slopes_multiply_to_nothing() -> Finding:
    """Multiply the steepest slope of the sigmoid ten times."""
    steepest = slope(torch.sigmoid, double(0.0)).item()
    return decided(
        steepest**10 < 1e-5,
        f"The sigmoid's slope is at most {steepest:g}; ten layers multiply it to at most {steepest**10:.0e}.",
    )


def neuron(loss: Callable[[Tensor], Tensor]) -> float:
    """Return the gradient at a neuron with output sigmoid(4) that should say 0."""
    return slope(lambda z: loss(torch.sigmoid(z)), double(4.0)).item()


@Claim(
    "002-mse-slow",
    "2 Backpropagation",
    "A wrong sigmoid neuron learns slowly under MSE, because the sigmoid's slope is a factor.",
).worked_out
def mse_starves_a_wrong_neuron() -> Finding:
    """Split the gradient of a badly wrong sigmoid neuron under MSE into its factors."""
    square, cross = neuron(lambda p: (p - 0) ** 2 / 2), neuron(lambda p: -(1 - p).log())
    p = torch.sigmoid(double(4.0)).item()
    factor = p * (1 - p)
    return decided(
        abs(square - cross * factor) < 1e-12 and factor < 0.05,
        f"A neuron that says {p:.3f} where 0 is right: the gradient under MSE is {square:.4f}, which is the error times"
        f" the sigmoid's slope of {factor:.4f}; without that factor it would be {cross:.4f}.",
    )


@Claim(
    "002-sigmoid-factor",
    "2 Backpropagation",
    "The gradient is small because the sigmoid is multiplied in.",
    note="A slip of the pen: a few lines further the document itself speaks of the activation's slope.",
).worked_out
def the_sigmoid_itself_is_a_factor() -> Finding:
    """Whether a sigmoid neuron's gradient under MSE is the error times the sigmoid, or times the sigmoid's slope."""
    square, p = neuron(lambda p: (p - 0) ** 2 / 2), torch.sigmoid(double(4.0)).item()
    return decided(
        abs(square - p * p) < 1e-12,
        f"A neuron that says {p:.3f} where 0 is right: the error times the sigmoid is {p * p:.4f}, times the sigmoid's"
        f" slope {p * p * (1 - p):.4f}; the gradient is {square:.4f}.",
    )


@Claim(
    "002-ce-free", "2 Backpropagation", "Under cross-entropy the output layer's gradient has no such factor."
).worked_out
def cross_entropy_spares_the_output_layer() -> Finding:
    """Show that the sigmoid's slope cancels."""
    cross, p = neuron(lambda p: -(1 - p).log()), torch.sigmoid(double(4.0)).item()
    return decided(abs(cross - p) < 1e-12, f"Prediction less label is {p:.4f}; the gradient is {cross:.4f}.")


Claim(
    "002-ce-faster-run",
    "2 Backpropagation",
    "… so it learns in fewer epochs than MSE (one probability, both with a sigmoid).",
).trained(lower, pairs=[["000-3-2-bce-sigmoid", "000-3-2-mse-sigmoid"]], measure="epochs_to_95")


@Claim(
    "002-hidden-fade", "2 Backpropagation", "In hidden layers the slopes still multiply, whatever the loss."
).worked_out
def hidden_layers_still_fade() -> Finding:
    """Compare the gradients at the first of six sigmoid or ReLU layers under cross-entropy."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(16, 16, generator=generator, dtype=torch.float64) / 4 for _ in range(6)]
    x = torch.randn(16, generator=generator, dtype=torch.float64)
    sizes = {}
    for name, activation in {"sigmoid": torch.sigmoid, "ReLU": torch.relu}.items():
        first = weights[0].clone().requires_grad_()
        h = activation(first @ x)
        for w in weights[1:]:
            h = activation(w @ h)
        sizes[name] = torch.autograd.grad(F.cross_entropy(h[None], torch.tensor([3])), first)[0].norm().item()
    return decided(
        sizes["sigmoid"] < sizes["ReLU"] / 10,
        f"Under cross-entropy through six layers, the first layer's gradient is {sizes['sigmoid']:.1e} with sigmoids"
        f" and {sizes['ReLU']:.1e} with ReLU.",
    )


@Claim("002-relu", "2 Backpropagation", "ReLU's slope is 0 or 1.").asked_pytorch
def relu_slope_is_zero_or_one() -> Finding:
    """Differentiate ReLU."""
    z = torch.tensor([-2.0, -0.1, 0.1, 2.0], requires_grad=True)
    slopes = torch.autograd.grad(torch.relu(z).sum(), z)[0].tolist()
    return decided(
        set(slopes) == {0.0, 1.0},
        f"At −2, −0.1, 0.1 and 2 autograd gives {slopes}; a unit whose input is"
        " negative for every image learns nothing.",
    )


Claim(
    "002-relu-helps",
    "2 Backpropagation",
    "… which makes ReLU an excellent choice (here: in the hidden layer of the ten sigmoids, with BCE and with MSE).",
).trained(cures, pairs=[["remedy-bce-relu", "000-3-4-bce-sigmoid"], ["remedy-mse-relu", "000-3-4-mse-sigmoid"]])


@Claim(
    "002-likelihood",
    "2 Maximum likelihood",
    "Losses are negative log-likelihoods: MSE of a normal distribution, cross-entropy of a coin.",
).worked_out
def losses_are_likelihoods() -> Finding:
    """Derive MSE from a normal distribution and BCE from a coin."""
    normal = (-Normal(Z, 1.0).log_prob(LABEL) - log(2 * torch.pi) / 2 - (Z - LABEL) ** 2 / 2).abs().max().item()
    p = torch.sigmoid(Z)
    coin = (-Bernoulli(p).log_prob(LABEL) - F.binary_cross_entropy(p, LABEL, reduction="none")).abs().max().item()
    return decided(
        max(normal, coin) < 1e-9,
        "The negative log-likelihood of a normal distribution is half the squared error plus a constant, that of a"
        f" coin is binary cross-entropy (largest gaps {normal:.0e} and {coin:.0e}).",
    )
