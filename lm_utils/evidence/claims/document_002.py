"""Tests for document 002: losses, backpropagation and likelihood."""

from collections.abc import Callable, Sequence
from math import log

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal
from torch.nn import functional as F

from lm_utils.evidence.claims.by_computing import LABEL, Z, close, double, listed, slope
from lm_utils.evidence.claims.by_rows import fail, learn, row_of, row_sentences
from lm_utils.evidence.claims.claim import Finding, decided
from lm_utils.evidence.results import Results


def same_as_torch(formula: Callable[[Tensor], Tensor], theirs: Callable[[Tensor, Tensor], Tensor]) -> Finding:
    """Compare a formula of the differences with PyTorch's function."""
    mine, pytorchs = formula(Z - LABEL).item(), theirs(Z, LABEL).item()
    return decided(abs(mine - pytorchs) < 1e-12, f"On three outputs: {mine:.6f}, PyTorch {pytorchs:.6f}.")


def mse_is_the_mean_square() -> Finding:
    """Compare the definition with PyTorch's function."""
    return same_as_torch(lambda d: (d**2).mean(), F.mse_loss)


def squares_pull_harder_when_far() -> Finding:
    """Compare the gradients at an error of 5 and of 0.5."""
    square = [slope(lambda x: x**2, double(d)).item() for d in (5.0, 0.5)]
    absolute = [slope(torch.abs, double(d)).item() for d in (5.0, 0.5)]
    return decided(
        square[0] == 10 * square[1] and absolute[0] == absolute[1],
        f"At errors of 5 and 0.5 the squared error's gradient is {square[0]:g} and {square[1]:g}, the absolute error's"
        f" {absolute[0]:g} and {absolute[1]:g}.",
    )


def outliers_move_the_mean() -> Finding:
    """Find the best constant under each loss, with and without an outlier."""
    values, c = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), torch.linspace(0, 30, 3001)
    best = []
    for sample in (values, torch.tensor([1.0, 2.0, 3.0, 4.0, 100.0])):
        d = c[:, None] - sample
        best.append([c[(d**2).mean(1).argmin()].item(), c[d.abs().mean(1).argmin()].item()])
    return decided(
        best[1][0] - best[0][0] > 5 * abs(best[1][1] - best[0][1]),
        f"Of 1, 2, 3, 4, 5 let the 5 become 100: the best constant under MSE moves from {best[0][0]:.0f} to"
        f" {best[1][0]:.0f}, under MAE from {best[0][1]:.0f} to {best[1][1]:.0f}.",
    )


def mae_is_the_mean_distance() -> Finding:
    """Compare the definition with PyTorch's function."""
    return same_as_torch(lambda d: d.abs().mean(), F.l1_loss)


def mae_keeps_the_unit() -> Finding:
    """Go from metres to centimetres."""
    absolute, square = (f(100 * Z, 100 * LABEL).item() / f(Z, LABEL).item() for f in (F.l1_loss, F.mse_loss))
    return decided(
        abs(absolute - 100) < 1e-9, f"From metres to centimetres MAE grows {absolute:.0f}-fold, MSE {square:,.0f}-fold."
    )


def mae_jumps_about_its_minimum() -> Finding:
    """Make twenty steps of the same size under both losses."""
    ends = {}
    for name, loss in {"MAE": torch.abs, "MSE": torch.square}.items():
        x = double(1.05)
        for _ in range(20):
            x = x - 0.1 * slope(loss, x)
        ends[name] = abs(x.item())
    return decided(
        ends["MAE"] > 0.04 and ends["MSE"] < 0.02,
        f"After 20 steps of learning rate 0.1 from 1.05, MAE still jumps at a distance of {ends['MAE']:.3f} from its"
        f" minimum, MSE is {ends['MSE']:.3f} away.",
    )


def huber_joins_two_losses() -> Finding:
    """Compare Huber's loss with the half square up to delta and the line beyond."""
    errors = torch.tensor([0.5, 1.0, 3.0])
    pytorchs = nn.HuberLoss(reduction="none", delta=1.0)(errors, torch.zeros(3))
    mine = torch.where(errors <= 1, 0.5 * errors**2, errors - 0.5)
    return decided(
        close(pytorchs, mine),
        f"For errors of 0.5, 1 and 3 it gives {pytorchs[0]:.3f}, {pytorchs[1]:.3f} and {pytorchs[2]:.3f}:"
        " half the square, then the absolute error less one half.",
    )


def cross_entropy_tells_distributions_apart() -> Finding:
    """Show that it is lowest where the two agree, though not zero there."""
    p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    others = torch.softmax(torch.randn(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64), 1)
    same, lowest = -(p * p.log()).sum().item(), -(p * others.log()).sum(1).min().item()
    return decided(
        lowest > same,
        f"For (0.7, 0.2, 0.1) it is lowest when the prediction agrees, but {same:.4f} there, not 0: what measures the"
        " difference alone is the KL divergence, cross-entropy less that value. For a one-hot label both agree.",
    )


def bce_is_log_loss() -> Finding:
    """Compare the numbers of two libraries."""
    from sklearn.metrics import log_loss

    y, p = [1, 0, 1, 1], [0.9, 0.2, 0.4, 0.6]
    ours, theirs = nn.BCELoss()(torch.tensor(p), torch.tensor(y, dtype=torch.float32)).item(), log_loss(y, p)
    return decided(close(ours, theirs), f"nn.BCELoss gives {ours:.6f}, scikit-learn's log_loss {theirs:.6f}.")


def hinge_asks_for_a_margin() -> Finding:
    """Show that right answers inside the margin still cost something."""
    z = torch.tensor([-0.5, 0.5, 1.5], dtype=torch.float64)
    cost = (1 - z).clamp_min(0)
    return decided(
        cost.tolist() == [1.5, 0.5, 0.0],
        f"For the label +1, outputs of −0.5, 0.5 and 1.5 cost {listed(cost, 1)}: being right is not enough, the"
        " output must be beyond 1.",
    )


def hinge_needs_signs() -> Finding:
    """Compare with labels 0 and 1, where the loss of every 0 is constant."""
    z = torch.tensor([-2.0, 0.5, 2.0])
    right = (1 - torch.tensor([-1.0, 1.0, 1.0]) * z).clamp_min(0)
    flat = slope(lambda z: (1 - 0.0 * z).clamp_min(0).sum(), z)
    return decided(
        right.tolist() == [0.0, 0.5, 0.0] and not flat.any(),
        f"With ±1 the margins −2, 0.5 and 2 cost {right[0]:.1f}, {right[1]:.1f} and {right[2]:.1f}; with a"
        " label of 0 the loss is 1 whatever the output, and its gradient is 0.",
    )


def only_these_learn(results: Results, rows: Sequence[str], others: Sequence[str]) -> Finding:
    """Test whether these rows learn and the others fail; refuted where these do not learn or the others mostly do."""
    found = [learn(results, rows), fail(results, others)]
    if open_still := [finding for finding in found if finding.verdict == "not tested"]:
        return open_still[0]
    verdicts = {finding.verdict for finding in found}
    verdict = next((name for name in ("refuted", "not shown") if name in verdicts), "holds here")
    return Finding(verdict, row_sentences(results, [row_of(name) for name in [*rows, *others]]))


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


def the_sigmoid_itself_is_a_factor() -> Finding:
    """Whether a sigmoid neuron's gradient under MSE is the error times the sigmoid, or times the sigmoid's slope."""
    square, p = neuron(lambda p: (p - 0) ** 2 / 2), torch.sigmoid(double(4.0)).item()
    return decided(
        abs(square - p * p) < 1e-12,
        f"A neuron that says {p:.3f} where 0 is right: the error times the sigmoid is {p * p:.4f}, times the sigmoid's"
        f" slope {p * p * (1 - p):.4f}; the gradient is {square:.4f}.",
    )


def cross_entropy_spares_the_output_layer() -> Finding:
    """Show that the sigmoid's slope cancels."""
    cross, p = neuron(lambda p: -(1 - p).log()), torch.sigmoid(double(4.0)).item()
    return decided(abs(cross - p) < 1e-12, f"Prediction less label is {p:.4f}; the gradient is {cross:.4f}.")


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


def relu_slope_is_zero_or_one() -> Finding:
    """Differentiate ReLU."""
    slopes = slope(lambda z: torch.relu(z).sum(), torch.tensor([-2.0, -0.1, 0.1, 2.0])).tolist()
    return decided(
        set(slopes) == {0.0, 1.0},
        f"At −2, −0.1, 0.1 and 2 autograd gives {slopes}; a unit whose input is"
        " negative for every image learns nothing.",
    )


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
