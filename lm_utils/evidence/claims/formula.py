"""Claims about the mathematics of losses and activations, worked out in double precision."""

from __future__ import annotations

from collections.abc import Callable
from math import e, log

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal
from torch.nn import functional as F

from lm_utils.evidence.claims.finding import Finding, decided
from lm_utils.evidence.results import baseline, tested_digits
from lm_utils.model import CNN
from lm_utils.runs.rows import rows
from lm_utils.tasks import TASKS

CLIP = 1e-7  # document 003's
Z, LABEL = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64), torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)


def slope(loss: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """The gradient by autograd."""
    at = at.clone().requires_grad_()
    return torch.autograd.grad(loss(at), at)[0]


def number(value: float) -> Tensor:
    """A number in double precision."""
    return torch.tensor(value, dtype=torch.float64)


def listed(values: Tensor, digits: int = 3) -> str:
    """Numbers in words, with a true minus sign."""
    return ", ".join(f"{value:.{digits}f}".replace("-", "−") for value in values.tolist())


# --- penalties, proper losses, exclusivity ---------------------------------------------------------------------------


def only_cross_entropy_punishes_without_bound() -> Finding:
    """How the losses of a yes grow as the predicted probability falls."""
    p = torch.tensor([0.5, 0.01, 1e-6], dtype=torch.float64)
    cross, square, absolute = -p.log(), (1 - p) ** 2, 1 - p
    true = cross[2] > 10 and square.max() <= 1 and absolute.max() <= 1
    return decided(
        bool(true),
        f"For a yes predicted with 0.5, 0.01 and 0.000001, cross-entropy costs {listed(cross, 2)}; the squared error"
        f" {listed(square, 2)} and the absolute error {listed(absolute, 2)} end at 1.",
    )


def squared_error_fits_numbers_between_0_and_1() -> Finding:
    """Whether the range of a probability speaks against MSE: where its expectation is lowest for any true value."""
    p = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    truths = (0.1, 0.3, 0.5, 0.9)
    best = [p[(q * (1 - p) ** 2 + (1 - q) * p**2).argmin()].item() for q in truths]
    return decided(
        any(abs(found - q) > 0.002 for found, q in zip(best, truths, strict=True)),
        f"Where the truth is {listed(torch.tensor(truths), 1)}, the expected squared error of numbers"
        f" between 0 and 1 is lowest at {listed(torch.tensor(best), 2)}: the range is no reason against it. What MSE"
        " lacks is the steep price of confident mistakes, the document's second reason.",
    )


def distances_shrink_towards_the_label() -> Finding:
    """Whether squared and absolute error fall all the way from the wrong answer to the label."""
    p = torch.linspace(0, 1, 101, dtype=torch.float64)
    costs = {"squared": (1 - p) ** 2, "absolute": 1 - p}
    return decided(
        all(bool((cost.diff() < 0).all()) and cost[-1] == 0 for cost in costs.values()),
        f"For a yes predicted with 0, 0.5 and 1 the squared error is {listed(costs['squared'][[0, 50, 100]], 2)} and"
        f" the absolute one {listed(costs['absolute'][[0, 50, 100]], 2)} (the root is lowest at the same place)."
        " That makes learning possible, not sure: ten sigmoids under MSE have the same lowest point (see notebook 11).",
    )


def losses_shrink_towards_the_one_hot_label() -> Finding:
    """Whether both losses fall all the way from the wrong class to the right one, over two outputs that share 1."""
    right = torch.linspace(0.01, 1, 100, dtype=torch.float64)
    outputs, label = torch.stack([1 - right, right], 1), torch.tensor([0.0, 1.0], dtype=torch.float64).expand(100, 2)
    costs = {
        "binary cross-entropy": F.binary_cross_entropy(outputs, label, reduction="none").mean(1),
        "the squared error": (outputs - label).square().mean(1),
    }
    told = "; ".join(f"{name} {listed(cost[[0, 49, 99]], 2)}" for name, cost in costs.items())
    return decided(
        all(bool((cost.diff() < 0).all()) and cost[-1].abs() < 1e-9 for cost in costs.values()),
        f"With {listed(right[[0, 49, 99]], 2)} on the right one of two classes the losses are: {told}. Both are lowest"
        " at the label, as cross-entropy is.",
    )


def expected_loss_is_lowest_at_the_truth() -> Finding:
    """Which prediction minimises each expected loss where the true probability is 0.3."""
    p = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    costs = {
        "cross-entropy": -(0.3 * p.log() + 0.7 * (1 - p).log()),
        "the squared error": 0.3 * (1 - p) ** 2 + 0.7 * p**2,
        "the absolute error": 0.3 * (1 - p) + 0.7 * p,
    }
    best = {name: p[cost.argmin()].item() for name, cost in costs.items()}
    told = ", ".join(f"{name} at {value:.2f}" for name, value in best.items())
    return decided(
        abs(best["cross-entropy"] - 0.3) < 0.002,
        f"Where the truth is 0.3, the expected loss is lowest for {told}. The squared error shares the virtue, so it"
        " is no reason against MSE; the absolute error does not.",
    )


def two_classes_are_the_smallest_many() -> Finding:
    """Softmax over two outputs is the sigmoid of their difference."""
    z = torch.randn(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gap = (torch.softmax(z, 1)[:, 1] - torch.sigmoid(z[:, 1] - z[:, 0])).abs().max().item()
    return decided(
        gap < 1e-12, f"On 100 random pairs softmax and the sigmoid of the difference differ by at most {gap:.0e}."
    )


def bce_adds_up_output_by_output() -> Finding:
    """Changing one output leaves the other outputs' shares of the loss as they are."""
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    p, q = torch.tensor([0.8, 0.3], dtype=torch.float64), torch.tensor([0.1, 0.3], dtype=torch.float64)
    one, other = (F.binary_cross_entropy(values, y, reduction="none")[1].item() for values in (p, q))
    return decided(one == other, f"The second output's share stays {one:.4f} while the first goes from 0.8 to 0.1.")


def bce_does_not_fit_two_softmax_outputs() -> Finding:
    """If it did not fit, it would ask for something else than cross-entropy does."""
    z, y = torch.tensor([[0.7, -0.4]], dtype=torch.float64), torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    bce = lambda z: F.binary_cross_entropy(torch.softmax(z, 1), y)  # noqa: E731
    cross = lambda z: F.cross_entropy(z, y)  # noqa: E731
    gap = abs(bce(z) - cross(z)).item() + (slope(bce, z) - slope(cross, z)).abs().max().item()
    return decided(
        gap > 1e-9,
        f"With two classes the second probability is 1 minus the first, and both losses become −log p of the right"
        f" class: {bce(z):.6f} and {cross(z):.6f}, with the same gradient ({listed(slope(bce, z)[0])}).",
    )


def exclusivity_comes_from_the_loss() -> Finding:
    """Competition shows in gradients that add up to zero over the classes."""
    losses = {"cross-entropy": lambda p: -(LABEL * p.log()).sum(), "MSE": lambda p: (p - LABEL).square().mean()}
    behind = {n: slope(lambda z, f=f: f(torch.softmax(z, 0)), Z).sum().abs().item() for n, f in losses.items()}
    alone = {n: slope(lambda z, f=f: f(torch.sigmoid(z)), Z).sum().abs().item() for n, f in losses.items()}
    return decided(
        behind["MSE"] > 1e-9 and alone["cross-entropy"] < 1e-9,
        f"Behind a softmax the classes' gradients add up to {behind['cross-entropy']:.0e} under cross-entropy and"
        f" {behind['MSE']:.0e} under MSE; on independent sigmoids to {alone['cross-entropy']:.2f} and"
        f" {alone['MSE']:.2f}. The competition comes from the softmax, whichever loss follows.",
    )


def sigmoids_ignore_each_other() -> Finding:
    """No sigmoid output depends on another class's logit."""
    slopes = torch.autograd.functional.jacobian(torch.sigmoid, Z)
    others = slopes[~torch.eye(len(Z), dtype=torch.bool)].abs().max().item()
    shared = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, 0), Z)
    return decided(
        others == 0,
        f"The slope of every sigmoid output along every other class's logit is {others:g}; behind softmax it is"
        f" {shared[0, 1].item():.3f} for the first two classes.",
    )


def sigmoid_then_cross_entropy_ignores_other_classes() -> Finding:
    """If exclusivity were out of sight, raising the logit of one class would take nothing from the others' shares."""
    right, first = int(LABEL.argmax()), 0
    raised = Z.clone()
    raised[first] += 1
    shares = [torch.softmax(torch.sigmoid(z), 0)[right].item() for z in (Z, raised)]
    taken = torch.autograd.functional.jacobian(lambda z: torch.softmax(torch.sigmoid(z), 0), Z)
    behind = slope(lambda z: F.cross_entropy(torch.sigmoid(z), LABEL), Z).sum()
    plain = slope(lambda z: F.cross_entropy(z, LABEL), Z).sum().abs().item()
    most = e / (e + 9)
    return decided(
        bool((taken[~torch.eye(len(Z), dtype=torch.bool)] >= 0).any()),
        "nn.CrossEntropyLoss applies its softmax to the sigmoid outputs, so the classes still compete: raising another"
        f" class's logit by 1 lowers the right class's share from {shares[0]:.3f} to {shares[1]:.3f}. Only it is no"
        " longer a zero-sum game, as each logit is weighted with its own sigmoid's slope: the gradients at the logits"
        f" add up to {listed(behind[None])} (without the sigmoids to {plain:.0e}). And range is lost: with ten classes"
        f" no probability can exceed {most:.3f}.",
    )


# --- regression ------------------------------------------------------------------------------------------------------


def an_output_of_at_most_one_explains_the_error() -> Finding:
    """The published error against the worst that outputs between 0 and 1 could do."""
    targets = TASKS["regression"].target(tested_digits("mnist"))
    mean, std = targets.mean(), targets.std()
    worst = torch.maximum((targets - mean).square(), (targets - mean - std).square()).mean().item()
    raw = torch.maximum(targets.square(), (targets - 1).square()).mean().item()
    published = next(row.test for row in rows() if row.id == "000-3-1-bce-logits")
    return decided(
        published <= max(worst, raw),
        f"Outputs between 0 and 1, de-normalised, could do no worse than an MSE of {worst:.2f}, even with the worst one"
        f" for each image (not de-normalised: {raw:.2f}), but the published error is {published:.2f}, and"
        f" predicting the mean costs {baseline('regression'):.2f}. The metric reads the raw output, which no sigmoid"
        " bounds: the loss has no lower end for standardised targets outside 0 to 1, and the output runs away.",
    )


def sigmoid_bends_the_targets() -> Finding:
    """Equal steps of the target become unequal steps of its sigmoid."""
    t = torch.tensor([1.0, 2.0, 3.0, 4.0, 6.0], dtype=torch.float64)
    s = torch.sigmoid(t)
    return decided(
        bool((s[4] - s[3]) < 0.2 * (s[1] - s[0])),
        f"Targets 1, 2, 3, 4 and 6 become {listed(s)}: the step from 4 to 6 shrinks to {s[4] - s[3]:.3f}, that from 1"
        f" to 2 is {s[1] - s[0]:.3f}. (Standardised targets suffer less.)",
    )


def transforming_makes_the_model_more_complex() -> Finding:
    """Parameters with and without the transform."""
    count = [
        sum(p.numel() for p in CNN(1, name, "sigmoid", torch.Generator().manual_seed(0)).parameters())
        for name in ("none", "sigmoid_inverse")
    ]
    return Finding(
        "not shown" if count[0] == count[1] else "holds",
        f"Both networks have {count[0]:,} and {count[1]:,} parameters; what is added are two fixed functions, not a"
        " more complex model. Whether the code is harder to read is a matter of taste.",
    )


def sigmoids_need_not_add_up_to_one() -> Finding:
    """The sum of independent sigmoids."""
    sums = [torch.sigmoid(Z).sum().item(), torch.softmax(Z, 0).sum().item()]
    return decided(
        abs(sums[0] - 1) > 0.1, f"On three logits the sigmoids add up to {sums[0]:.3f}, softmax to {sums[1]:.3f}."
    )


# --- losses and their gradients (document 002) -----------------------------------------------------------------------


def mse_is_the_mean_square() -> Finding:
    """The definition."""
    return same_as_torch(lambda d: (d**2).mean(), F.mse_loss)


def mae_is_the_mean_distance() -> Finding:
    """The definition."""
    return same_as_torch(lambda d: d.abs().mean(), F.l1_loss)


def same_as_torch(formula: Callable[[Tensor], Tensor], theirs: Callable[[Tensor, Tensor], Tensor]) -> Finding:
    """A formula of the differences against PyTorch's function."""
    mine, told = formula(Z - LABEL).item(), theirs(Z, LABEL).item()
    return decided(abs(mine - told) < 1e-12, f"On three outputs: {mine:.6f}, PyTorch {told:.6f}.")


def squares_pull_harder_when_far() -> Finding:
    """Gradients at an error of 5 and of 0.5."""
    square = [slope(lambda x: x**2, number(d)).item() for d in (5.0, 0.5)]
    absolute = [slope(torch.abs, number(d)).item() for d in (5.0, 0.5)]
    return decided(
        square[0] == 10 * square[1] and absolute[0] == absolute[1],
        f"At errors of 5 and 0.5 the squared error's gradient is {square[0]:g} and {square[1]:g}, the absolute error's"
        f" {absolute[0]:g} and {absolute[1]:g}.",
    )


def outliers_move_the_mean() -> Finding:
    """The best constant under each loss, with and without an outlier."""
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


def mae_keeps_the_unit() -> Finding:
    """Metres to centimetres."""
    absolute, square = (f(100 * Z, 100 * LABEL).item() / f(Z, LABEL).item() for f in (F.l1_loss, F.mse_loss))
    return decided(
        abs(absolute - 100) < 1e-9, f"From metres to centimetres MAE grows {absolute:.0f}-fold, MSE {square:,.0f}-fold."
    )


def mae_jumps_about_its_minimum() -> Finding:
    """Twenty steps of the same size under both losses."""
    ends = {}
    for name, loss in {"MAE": torch.abs, "MSE": torch.square}.items():
        x = number(1.05)
        for _ in range(20):
            x = x - 0.1 * slope(loss, x)
        ends[name] = abs(x.item())
    return decided(
        ends["MAE"] > 0.04 and ends["MSE"] < 0.02,
        f"After 20 steps of learning rate 0.1 from 1.05, MAE still jumps at a distance of {ends['MAE']:.3f} from its"
        f" minimum, MSE is {ends['MSE']:.3f} away.",
    )


def cross_entropy_tells_distributions_apart() -> Finding:
    """It is lowest where the two agree, though not zero there."""
    p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    others = torch.softmax(torch.randn(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64), 1)
    same, lowest = -(p * p.log()).sum().item(), -(p * others.log()).sum(1).min().item()
    return decided(
        lowest > same,
        f"For (0.7, 0.2, 0.1) it is lowest when the prediction agrees, but {same:.4f} there, not 0: what measures the"
        " difference alone is the KL divergence, cross-entropy less that value. For a one-hot label both agree.",
    )


def hinge_asks_for_a_margin() -> Finding:
    """Right answers inside the margin still cost something."""
    z = torch.tensor([-0.5, 0.5, 1.5], dtype=torch.float64)
    cost = (1 - z).clamp_min(0)
    return decided(
        cost.tolist() == [1.5, 0.5, 0.0],
        f"For the label +1, outputs of −0.5, 0.5 and 1.5 cost {listed(cost, 1)}: being right is not enough, the"
        " output must be beyond 1.",
    )


def slopes_multiply_to_nothing() -> Finding:
    """The steepest sigmoid, ten times."""
    steepest = slope(torch.sigmoid, number(0.0)).item()
    return decided(
        steepest**10 < 1e-5,
        f"The sigmoid's slope is at most {steepest:g}; ten layers multiply it to at most {steepest**10:.0e}.",
    )


def neuron(loss: Callable[[Tensor], Tensor]) -> float:
    """The gradient at a neuron with output sigmoid(4) that should say 0."""
    return slope(lambda z: loss(torch.sigmoid(z)), number(4.0)).item()


def mse_starves_a_wrong_neuron() -> Finding:
    """Gradient of a badly wrong sigmoid neuron under MSE."""
    square, cross = neuron(lambda p: (p - 0) ** 2 / 2), neuron(lambda p: -(1 - p).log())
    p = torch.sigmoid(number(4.0)).item()
    factor = p * (1 - p)
    return decided(
        abs(square - cross * factor) < 1e-12 and factor < 0.05,
        f"A neuron that says {p:.3f} where 0 is right: the gradient under MSE is {square:.4f}, which is the error times"
        f" the sigmoid's slope of {factor:.4f}; without that factor it would be {cross:.4f}.",
    )


def the_sigmoid_itself_is_a_factor() -> Finding:
    """Whether a sigmoid neuron's gradient under MSE is the error times the sigmoid, or times the sigmoid's slope."""
    square, p = neuron(lambda p: (p - 0) ** 2 / 2), torch.sigmoid(number(4.0)).item()
    return decided(
        abs(square - p * p) < 1e-12,
        f"A neuron that says {p:.3f} where 0 is right: the error times the sigmoid is {p * p:.4f}, times the sigmoid's"
        f" slope {p * p * (1 - p):.4f}; the gradient is {square:.4f}.",
    )


def cross_entropy_spares_the_output_layer() -> Finding:
    """The sigmoid's slope cancels."""
    cross, p = neuron(lambda p: -(1 - p).log()), torch.sigmoid(number(4.0)).item()
    return decided(abs(cross - p) < 1e-12, f"Prediction less label is {p:.4f}; the gradient is {cross:.4f}.")


def hidden_layers_still_fade() -> Finding:
    """The gradient at the first of six sigmoid layers under cross-entropy."""
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


def losses_are_likelihoods() -> Finding:
    """MSE from a normal distribution, BCE from a coin."""
    normal = (-Normal(Z, 1.0).log_prob(LABEL) - log(2 * torch.pi) / 2 - (Z - LABEL) ** 2 / 2).abs().max().item()
    p = torch.sigmoid(Z)
    coin = (-Bernoulli(p).log_prob(LABEL) - F.binary_cross_entropy(p, LABEL, reduction="none")).abs().max().item()
    return decided(
        max(normal, coin) < 1e-9,
        "The negative log-likelihood of a normal distribution is half the squared error plus a constant, that of a"
        f" coin is binary cross-entropy (largest gaps {normal:.0e} and {coin:.0e}).",
    )


# --- document 003's code ---------------------------------------------------------------------------------------------


def half_square_has_the_plain_difference_as_slope() -> Finding:
    """The document's MSE with its one half, against its gradient."""
    told, mine = slope(lambda a: ((a - LABEL) ** 2 * 0.5 / 3).sum(), Z), (Z - LABEL) / 3
    torchs = slope(lambda a: F.mse_loss(a, LABEL), Z)
    return decided(
        torch.allclose(told, mine),
        f"Autograd on the document's forward: {listed(told)}; its gradient: {listed(mine)}. PyTorch's MSELoss has no"
        f" ½, so its gradient is twice that: {listed(torchs)}.",
    )


def code_takes_the_mean_of_the_squares() -> Finding:
    """The document's MSE, added up over a batch of two samples, against the mean of the squares."""
    predictions, labels = torch.stack([Z, Z + 1]), torch.stack([LABEL, LABEL])
    coded, mean = [], []
    for outputs in (1, len(Z)):
        squares = (predictions - labels)[:, :outputs].square()
        coded.append((squares * 0.5 / len(squares)).sum().item())
        mean.append(squares.mean().item())
    return decided(
        all(abs(a - b) < 1e-12 for a, b in zip(coded, mean, strict=True)),
        f"Two samples of one output: the mean of the squares is {mean[0]:.4f}, the code's terms add up to"
        f" {coded[0]:.4f}; two samples of {len(Z)} outputs: {mean[1]:.4f} and {coded[1]:.4f}. The code halves every"
        " square and divides by the batch size n, not by the number of squares. The gradient beside it belongs to that"
        " form, and the lowest point is the same.",
    )


def softmax_slopes() -> Tensor:
    """All slopes of three softmax outputs."""
    return torch.autograd.functional.jacobian(lambda z: torch.softmax(z, 0), Z)


def softmax_slopes_are_as_derived() -> Finding:
    """y_i (1 − y_i) on the diagonal, −y_i y_j elsewhere."""
    y = torch.softmax(Z, 0)
    gap = (softmax_slopes() - (torch.diag(y) - torch.outer(y, y))).abs().max().item()
    return decided(gap < 1e-12, f"All nine slopes agree with autograd within {gap:.0e}.")


def other_classes_add_nothing() -> Finding:
    """The gradient of cross-entropy without the slopes of i ≠ j."""
    y, full = torch.softmax(Z, 0), softmax_slopes()
    whole, diagonal = -(LABEL / y) @ full, -(LABEL / y) @ torch.diag(full.diagonal())
    return decided(
        torch.allclose(whole, diagonal),
        f"With the terms of i ≠ j the gradient is {listed(whole)} (prediction less label), without them"
        f" {listed(diagonal)}: the delta is 0 there, the slope −y_i·y_j is not.",
    )


def gradient_is_prediction_less_label() -> Finding:
    """For softmax with cross-entropy and sigmoid with binary cross-entropy."""
    soft = slope(lambda z: -(LABEL * torch.softmax(z, 0).log()).sum(), Z)
    coin = slope(lambda z: F.binary_cross_entropy(torch.sigmoid(z), LABEL, reduction="sum"), Z)
    true = torch.allclose(soft, torch.softmax(Z, 0) - LABEL) and torch.allclose(coin, torch.sigmoid(Z) - LABEL)
    return decided(
        true, f"Softmax less label: {listed(soft)}; sigmoid less label: {listed(coin)}; both as autograd says."
    )


def slope_is_taken_at_the_logit() -> Finding:
    """The gradient at the sigmoid's output is another number."""
    p = torch.sigmoid(Z)
    at_logit, at_output = (
        (torch.sigmoid(Z) - LABEL)[1].item(),
        slope(lambda p: F.binary_cross_entropy(p, LABEL, reduction="sum"), p)[1].item(),
    )
    return decided(
        abs(at_logit - at_output) > 0.1,
        f"For a yes predicted with {p[1]:.3f}, the gradient at the logit is {at_logit:.3f}, at the sigmoid's output"
        f" {at_output:.3f}.".replace("-", "−"),
    )


def forward_and_gradient_share_their_arguments() -> Finding:
    """The document's forward takes (label, prediction); its gradient takes the first less the second."""
    prediction = torch.softmax(Z, 0)
    true = slope(lambda z: -(LABEL * torch.softmax(z, 0).clamp_min(CLIP).log()).sum(), Z)
    told = LABEL - prediction
    swapped = -(prediction * LABEL.clamp_min(CLIP).log()).sum().item()
    return decided(
        torch.allclose(true, told),
        f"In the forward the first argument is the label and the second sits in the logarithm; the gradient returns"
        f" first less second, {listed(told)}, where autograd gives {listed(true)}: the opposite sign. Called with the"
        f" prediction first, the gradient is right and the forward gives {swapped:.2f} instead of"
        f" {-(LABEL * prediction.log()).sum():.2f}.",
    )


def clipping_keeps_the_logarithm_finite() -> Finding:
    """The largest loss that is left."""
    lost = -log(CLIP)
    return decided(lost < 17, f"Cut at 0.0000001, no sample costs more than {lost:.2f} instead of infinity.")


def gradient_goes_with_the_clipped_loss() -> Finding:
    """Where the clip cuts, the loss is flat and the document's gradient is not."""
    z = number(-20.0)
    true = slope(lambda z: -torch.sigmoid(z).clamp(CLIP, 1 - CLIP).log(), z).item()
    told = (torch.sigmoid(z) - 1).item()
    return decided(
        abs(true - told) < 1e-6,
        f"At a logit of −20 with label 1 the clipped loss is flat, its slope {abs(true):.0f}; the code returns"
        f" {told:.0f} (before its swapped sign). It is the gradient of the loss without the clip, and the better one"
        " for learning, but not that of the loss it reports.".replace("-1", "−1"),
    )


# --- document 004's formula ------------------------------------------------------------------------------------------


def log_is_negative_only_below_a_half() -> Finding:
    """The sign of log p."""
    p = torch.tensor([0.1, 0.5, 0.9, 1.0], dtype=torch.float64)
    values = p.log()
    return decided(
        bool(values[2] >= 0),
        f"log p at 0.1, 0.5, 0.9 and 1 is {listed(values)}: negative for every probability below 1. The minus sign"
        " is there for all of them.",
    )


def item_of_a_yes_is_the_plain_log() -> Finding:
    """The item of the loss for y = 1, by PyTorch, against log p."""
    p = number(0.9)
    item, log_p = F.binary_cross_entropy(p, number(1.0)), p.log()
    return decided(
        bool((item - log_p).abs() < 1e-12),
        f"For p = {p:.1f} and y = 1 log p is {listed(log_p[None])}, but the loss is {listed(item[None])}, which is"
        " −log p: a loss that grew with p would teach the opposite.",
    )


def low_probabilities_cost_steeply() -> Finding:
    """How −log p grows."""
    p = torch.tensor([0.9, 0.1, 0.001], dtype=torch.float64)
    cost = -p.log()
    return decided(
        bool(cost[2] > 3 * cost[1] - 1e-9 and cost[1] > 20 * cost[0]), f"−log p at 0.9, 0.1 and 0.001: {listed(cost)}."
    )
