"""Claims about PyTorch, decided by asking PyTorch."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from math import inf, isclose, log

import torch
from sklearn.metrics import log_loss
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.activations import inverse_sigmoid
from lm_utils.evidence.claims.finding import Finding, decided
from lm_utils.evidence.results import MNIST_TEST
from lm_utils.tasks import TASKS

P, Y = torch.tensor([[0.9, 0.2], [0.4, 0.6]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
Z, CLASSES = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]]), torch.tensor([0, 1])
PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1]])


def close(a: Tensor | float, b: Tensor | float) -> bool:
    """Whether two numbers or tensors agree to float32's precision."""
    return torch.allclose(torch.as_tensor(a), torch.as_tensor(b), rtol=1e-5, atol=1e-6)


def quietly(work: Callable[[], Tensor]) -> Tensor:
    """What an outdated option gives, without its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


def smallest_certainty(dtype: torch.dtype = torch.float32) -> float:
    """The smallest number whose sigmoid is exactly 1."""
    x = torch.linspace(0, 40, 400_001, dtype=torch.float64).to(dtype)
    return x[torch.sigmoid(x) == 1].min().item()


# --- BCELoss and BCEWithLogitsLoss -----------------------------------------------------------------------------------


def bce_takes_values_as_they_are() -> Finding:
    """nn.BCELoss computes the cross-entropy of exactly the numbers it gets."""
    mine, theirs = -(Y * P.log() + (1 - Y) * (1 - P).log()).mean(), nn.BCELoss()(P, Y)
    return decided(close(mine, theirs), f"The formula on four probabilities gives {mine:.4f}, nn.BCELoss {theirs:.4f}.")


def bce_refuses_numbers_outside() -> Finding:
    """nn.BCELoss stops at an input outside [0, 1]."""
    try:
        nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.0]))
    except RuntimeError as refusal:
        first = str(refusal).strip().splitlines()[0]
        return decided(
            True,
            f"nn.BCELoss on an output of 1.5 raises on the CPU: “{first}”.",
        )
    return decided(False, "nn.BCELoss accepted an output of 1.5.")


def logits_version_contains_the_sigmoid() -> Finding:
    """nn.BCEWithLogitsLoss equals nn.BCELoss of the sigmoid."""
    z = torch.logit(P)
    with_logits, by_hand = nn.BCEWithLogitsLoss()(z, Y), nn.BCELoss()(torch.sigmoid(z), Y)
    return decided(close(with_logits, by_hand), f"On the same outputs: {with_logits:.6f} and {by_hand:.6f}.")


def sigmoid_twice_costs_something() -> Finding:
    """A sigmoid before nn.BCEWithLogitsLoss leaves a floor under the loss."""
    lowest = nn.BCEWithLogitsLoss()(torch.tensor([1.0]), torch.tensor([1.0])).item()
    seen = torch.sigmoid(torch.tensor([0.0, 1.0])).tolist()
    return decided(
        lowest > 0.1,
        f"Behind a sigmoid the loss sees only probabilities from {seen[0]:.3f} to {seen[1]:.3f}"
        f" and cannot fall below {lowest:.4f}. No error warns of it.",
    )


def logits_version_is_more_stable() -> Finding:
    """Far from the truth, only the version on logits still has a gradient."""
    z = torch.tensor([-200.0], requires_grad=True)
    fused = nn.BCEWithLogitsLoss()(z, torch.ones(1))
    fused_slope = torch.autograd.grad(fused, z)[0].item()
    apart = nn.BCELoss()(torch.sigmoid(z), torch.ones(1))
    slope = torch.autograd.grad(apart, z)[0].item()
    true = isclose(fused.item(), 200) and fused_slope == -1 and apart.item() == 100 and slope == 0
    return decided(
        true,
        f"At an output of −200 with label 1, nn.BCEWithLogitsLoss gives {fused:.0f} with gradient"
        f" −1; sigmoid and nn.BCELoss give {apart:.0f} with gradient {abs(slope):.0f}.",
    )


def logit_is_a_log_probability() -> Finding:
    """z would have to be the logarithm of sigmoid(z)."""
    z = torch.tensor(2.0)
    p = torch.sigmoid(z)
    return decided(
        close(p.log(), z),
        f"For z = 2 the probability is {p:.4f} and its logarithm {p.log():.4f};"
        f" z is the log of the odds: log({p:.4f} / {1 - p:.4f}) = {(p / (1 - p)).log():.4f}."
        " A log-probability is never positive.",
    )


def logits_are_probabilities() -> Finding:
    """A logit may be any number."""
    layer = nn.Linear(4, 1000, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-3, 3, 4000).view(1000, 4))
        z = layer(torch.ones(1, 4))
    return decided(
        bool(((z >= 0) & (z <= 1)).all()),
        f"Logits are what stands before the sigmoid; a linear layer emits"
        f" anything, here {z.min():.1f} to {z.max():.1f}.",
    )


def bce_formula_is_the_default() -> Finding:
    """The mean over samples of the two-term formula."""
    z, y = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([1.0, 0.0, 1.0])
    p = torch.sigmoid(z)
    mine = -(y * p.log() + (1 - y) * (1 - p).log()).sum() / len(y)
    theirs = nn.BCEWithLogitsLoss()(z, y)
    return decided(close(mine, theirs), f"Formula {mine:.6f}, nn.BCEWithLogitsLoss {theirs:.6f}.")


def bce_is_log_loss() -> Finding:
    """Two libraries, one number."""
    y, p = [1, 0, 1, 1], [0.9, 0.2, 0.4, 0.6]
    ours, theirs = nn.BCELoss()(torch.tensor(p), torch.tensor(y, dtype=torch.float32)).item(), log_loss(y, p)
    return decided(close(ours, theirs), f"nn.BCELoss gives {ours:.6f}, scikit-learn's log_loss {theirs:.6f}.")


# --- CrossEntropyLoss ------------------------------------------------------------------------------------------------


def cross_entropy_takes_probabilities() -> Finding:
    """If it took probabilities, the loss would be −log p of the right class."""
    told, meant = nn.CrossEntropyLoss()(PROBABILITIES, torch.tensor([0])).item(), -log(0.7)
    floor = nn.CrossEntropyLoss()(torch.eye(10)[:1], torch.tensor([0])).item()
    return decided(
        close(told, meant),
        f"For the probabilities 0.7, 0.2, 0.1 and class 0, −log 0.7 is {meant:.4f}, but the"
        f" loss is {told:.4f}: it takes them for logits and applies softmax. A perfect"
        f" prediction of ten classes would still cost {floor:.4f}.",
    )


def cross_entropy_contains_softmax() -> Finding:
    """It equals the negative log of the softmax at the right class."""
    mine, theirs = -torch.softmax(Z, 1).log()[[0, 1], CLASSES].mean(), nn.CrossEntropyLoss()(Z, CLASSES)
    return decided(
        close(mine, theirs), f"−log softmax at the right class: {mine:.6f}; nn.CrossEntropyLoss: {theirs:.6f}."
    )


def cross_entropy_is_unstable_at_small_p() -> Finding:
    """An instable loss would be infinite where p underflows."""
    z = torch.tensor([[1000.0, 0.0]])
    by_hand, told = torch.softmax(z, 1).log()[0, 1].item(), nn.CrossEntropyLoss()(z, torch.tensor([1])).item()
    return decided(
        told in (inf, 100.0),
        f"For the logits 1000 and 0 and the second class, log(softmax) by hand gives {by_hand}".replace("-", "−")
        + f" and so a loss of {-by_hand}; nn.CrossEntropyLoss gives {told:.0f}: it never forms the small probability.",
    )


def cross_entropy_targets_have_two_forms() -> Finding:
    """Class indices and class probabilities give the same loss."""
    indices, rows = nn.CrossEntropyLoss()(Z, CLASSES), nn.CrossEntropyLoss()(Z, F.one_hot(CLASSES, 3).float())
    return decided(close(indices, rows), f"Class indices give {indices:.6f}, the same classes as rows {rows:.6f}.")


def cross_entropy_sums_by_default() -> Finding:
    """The document's double sum has no division by N."""
    double_sum = -(F.one_hot(CLASSES, 3) * torch.softmax(Z, 1).log()).sum()
    default, summed = nn.CrossEntropyLoss()(Z, CLASSES), nn.CrossEntropyLoss(reduction="sum")(Z, CLASSES)
    return decided(
        close(default, double_sum),
        f"The double sum gives {double_sum:.4f}, which is reduction='sum'"
        f" ({summed:.4f}); the default divides by the number of samples:"
        f" {default:.4f}.",
    )


def weights_count_classes() -> Finding:
    """The weighted mean of the samples' losses."""
    weight = torch.tensor([1.0, 5.0, 1.0])
    each = nn.CrossEntropyLoss(reduction="none")(Z, CLASSES)
    mine = (weight[CLASSES] * each).sum() / weight[CLASSES].sum()
    theirs = nn.CrossEntropyLoss(weight=weight)(Z, CLASSES)
    return decided(
        close(mine, theirs),
        f"Weighted mean by hand {mine:.6f}, weight=… {theirs:.6f}; it divides by the sum of"
        " the weights, not by the number of samples.",
    )


def size_average_chooses_mean_or_sum() -> Finding:
    """The retired option still does what it did."""
    mean = quietly(lambda: nn.CrossEntropyLoss(size_average=True)(Z, CLASSES))
    total = quietly(lambda: nn.CrossEntropyLoss(size_average=False)(Z, CLASSES))
    true = close(mean, nn.CrossEntropyLoss()(Z, CLASSES)) and close(total, 2 * mean)
    return decided(
        true, f"True gives {mean:.4f}, False gives {total:.4f} for two samples, with a warning that it is retired."
    )


def reduce_false_keeps_every_sample() -> Finding:
    """The retired option reduce=False gives one loss per sample."""
    each = quietly(lambda: nn.CrossEntropyLoss(reduce=False)(Z, CLASSES))
    return decided(each.shape == (2,), f"reduce=False on two samples gives {len(each)} losses.")


def reduce_false_sums() -> Finding:
    """It would have to give one number, the sum."""
    each = quietly(lambda: nn.CrossEntropyLoss(reduce=False)(Z, CLASSES))
    total = nn.CrossEntropyLoss(reduction="sum")(Z, CLASSES)
    numbers = ", ".join(f"{value:.4f}" for value in each)
    return decided(
        each.ndim == 0,
        f"reduction='sum' gives {total:.4f}; reduce=False gives one loss per sample: {numbers}."
        " What sums is size_average=False.",
    )


def reductions_do_what_they_say() -> Finding:
    """'none', 'mean' and 'sum'."""
    none, mean, total = (nn.CrossEntropyLoss(reduction=name)(Z, CLASSES) for name in ("none", "mean", "sum"))
    true = none.shape == (2,) and close(none.mean(), mean) and close(none.sum(), total)
    return decided(true, f"Two samples: each {none[0]:.4f} and {none[1]:.4f}, mean {mean:.4f}, sum {total:.4f}.")


def ignored_index_is_minus_100() -> Finding:
    """A sample with that label takes no part."""
    default = inspect.signature(nn.CrossEntropyLoss).parameters["ignore_index"].default
    with_ignored = nn.CrossEntropyLoss()(Z, torch.tensor([0, -100]))
    alone = nn.CrossEntropyLoss()(Z[:1], torch.tensor([0]))
    return decided(
        default == -100 and close(with_ignored, alone),
        f"The default is {default}; with it on the second sample the loss is {with_ignored:.4f}, that of the first.",
    )


def label_smoothing_mixes_in_the_even_target() -> Finding:
    """A smoothing of s moves s of the label evenly onto all classes."""
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)(Z, CLASSES)
    mixed = nn.CrossEntropyLoss()(Z, 0.9 * F.one_hot(CLASSES, 3) + 0.1 / 3)
    default = inspect.signature(nn.CrossEntropyLoss).parameters["label_smoothing"].default
    return decided(
        close(smooth, mixed) and default == 0,
        f"label_smoothing=0.1 gives {smooth:.4f}, targets mixed by hand {mixed:.4f}; the default is {default}.",
    )


# --- other losses and activations ------------------------------------------------------------------------------------


def huber_joins_two_losses() -> Finding:
    """Quadratic up to delta, linear beyond."""
    errors = torch.tensor([0.5, 1.0, 3.0])
    told = nn.HuberLoss(reduction="none", delta=1.0)(errors, torch.zeros(3))
    mine = torch.where(errors <= 1, 0.5 * errors**2, errors - 0.5)
    return decided(
        close(told, mine),
        f"For errors of 0.5, 1 and 3 it gives {told[0]:.3f}, {told[1]:.3f} and {told[2]:.3f}:"
        " half the square, then the absolute error less one half.",
    )


def hinge_needs_signs() -> Finding:
    """With labels 0 and 1 the loss of every 0 is constant."""
    z = torch.tensor([-2.0, 0.5, 2.0], requires_grad=True)
    right = (1 - torch.tensor([-1.0, 1.0, 1.0]) * z).clamp_min(0)
    slope = torch.autograd.grad((1 - 0.0 * z).clamp_min(0).sum(), z)[0]
    true = right.tolist() == [0.0, 0.5, 0.0] and bool((slope == 0).all())
    return decided(
        true,
        f"With ±1 the margins −2, 0.5 and 2 cost {right[0]:.1f}, {right[1]:.1f} and {right[2]:.1f}; with a"
        " label of 0 the loss is 1 whatever the output, and its gradient is 0.",
    )


def softmax_of_one_output_is_one() -> Finding:
    """One number divided by itself."""
    outputs = torch.softmax(torch.linspace(-50, 50, 101)[:, None], dim=1)
    return decided(
        bool((outputs == 1).all()),
        f"Over 101 outputs from −50 to 50 the softmax of a single output is always {outputs.min():.0f}.",
    )


def sigmoid_of_15_counts_as_one() -> Finding:
    """Whether float32 takes sigmoid(±15) for 1 and 0."""
    high, low = torch.sigmoid(torch.tensor(15.0)).item(), torch.sigmoid(torch.tensor(-15.0)).item()
    first = smallest_certainty()
    back = inverse_sigmoid(torch.sigmoid(torch.tensor(15.0))).item()
    zero = torch.sigmoid(torch.tensor([-87.0, -89.0])).tolist()
    true = high == 1 or low == 0
    return decided(
        true,
        f"In float32 sigmoid(15) is 1 − {1 - high:.2g} and comes back as {back:.2f}; it is exactly 1 only"
        f" from {first:.2f} on. sigmoid(−15) is {low:.2g}; sigmoid(−87) is still {zero[0]:.1g} and"
        f" sigmoid(−89) is {zero[1]:.0f}.",
    )


def sigmoid_of_15_is_near_one() -> Finding:
    """Very close to 1 and 0."""
    far = 1 - torch.sigmoid(torch.tensor(15.0, dtype=torch.float64)).item()
    return decided(far < 1e-6, f"sigmoid(15) lies {far:.1g} below 1, sigmoid(−15) as much above 0.")


def inverse_fails_where_sigmoid_saturates() -> Finding:
    """The inverse of a rounded 1 is infinite."""
    back = inverse_sigmoid(torch.sigmoid(torch.tensor([16.0, 17.0]))).tolist()
    return decided(back[1] == inf, f"In float32 16 comes back as {back[0]:.2f}, 17 as {back[1]}.")


def sigmoid_stays_between_zero_and_one() -> Finding:
    """Never outside; in float32 the ends are reached."""
    p = torch.sigmoid(torch.linspace(-200, 200, 4001))
    true = bool((p >= 0).all() and (p <= 1).all())
    return decided(
        true,
        f"For inputs from −200 to 200: {p.min():.0f} to {p.max():.0f}; in float32 both ends are reached,"
        " which is why the clipping is needed.",
    )


def relu_slope_is_zero_or_one() -> Finding:
    """The derivative of ReLU."""
    z = torch.tensor([-2.0, -0.1, 0.1, 2.0], requires_grad=True)
    slopes = torch.autograd.grad(torch.relu(z).sum(), z)[0].tolist()
    return decided(
        set(slopes) == {0.0, 1.0},
        f"At −2, −0.1, 0.1 and 2 autograd gives {slopes}; a unit whose input is"
        " negative for every image learns nothing.",
    )


def digits_are_balanced() -> Finding:
    """No digit is much rarer than another."""
    most, least = max(MNIST_TEST), min(MNIST_TEST)
    labels = TASKS["multilabel"].target(torch.arange(10)).mean(dim=0)
    rates = ", ".join(f"{name} {rate:.0%}" for name, rate in zip(TASKS["multilabel"].names, labels, strict=True))
    return decided(
        most / least < 1.5,
        f"MNIST's test images: {least} of the rarest digit, {most} of the commonest, a ratio"
        f" of {most / least:.2f}. (Asked one by one, though, each of ten classes is a yes in"
        f" only one image of ten. Labels by digits: {rates}.)",
    )


def more_is_better_for_mse() -> Finding:
    """Whether a table of accuracies and errors can ask for the highest MSE."""
    better = TASKS["regression"].better(2.0, 1.0)
    return decided(
        better,
        "A lower mean squared error is the better one, and the document's own section 2-1 measures"
        " classification by accuracy; we fill the tables with the lowest MSE (regression) and the"
        " accuracy (everything else).",
    )


def batch_mean_does_not_grow() -> Finding:
    """Divided by the number of samples, a batch twice as long costs the same."""
    once, twice = nn.BCELoss()(P, Y), nn.BCELoss()(P.repeat(2, 1), Y.repeat(2, 1))
    by_elements, by_samples = nn.MSELoss()(P, Y), (P - Y).square().sum() / len(P)
    return decided(
        close(once, twice),
        f"The same samples twice: {once:.4f} and {twice:.4f}. PyTorch's mean divides by every"
        f" number there is, though: for two outputs MSELoss gives {by_elements:.4f}, the"
        f" sum over the batch size {by_samples:.4f}.",
    )
