"""Tests for document 001: output activations."""

from math import e, inf

import torch
from torch.nn import functional as F

from lm_utils.activations import inverse_sigmoid
from lm_utils.evidence.claims.by_computing import LABEL, Z, listed, slope
from lm_utils.evidence.claims.claim import Finding, decided
from lm_utils.model import CNN
from lm_utils.tasks import TASKS


def sigmoid_bends_the_targets() -> Finding:
    """Compare equal steps of the target with the steps of its sigmoid."""
    t = torch.tensor([1.0, 2.0, 3.0, 4.0, 6.0], dtype=torch.float64)
    s = torch.sigmoid(t)
    return decided(
        bool((s[4] - s[3]) < 0.2 * (s[1] - s[0])),
        f"Targets 1, 2, 3, 4 and 6 become {listed(s)}: the step from 4 to 6 shrinks to {s[4] - s[3]:.3f}, that from 1"
        f" to 2 is {s[1] - s[0]:.3f}. (Standardised targets suffer less.)",
    )


def transforming_makes_the_model_more_complex() -> Finding:
    """Count the parameters with and without the transform."""
    count = [
        sum(p.numel() for p in CNN(1, name, "sigmoid", torch.Generator().manual_seed(0)).parameters())
        for name in ("none", "sigmoid_inverse")
    ]
    return Finding(
        "not shown" if count[0] == count[1] else "holds",
        f"Both networks have {count[0]:,} and {count[1]:,} parameters; what is added are two fixed functions, not a"
        " more complex model. Whether the code is harder to read is a matter of taste.",
    )


def sigmoid_of_15_counts_as_one() -> Finding:
    """Whether float32 takes sigmoid(±15) for 1 and 0."""
    high, low = torch.sigmoid(torch.tensor(15.0)).item(), torch.sigmoid(torch.tensor(-15.0)).item()
    x = torch.linspace(0, 40, 400_001, dtype=torch.float64).float()
    first = x[torch.sigmoid(x) == 1].min().item()
    back = inverse_sigmoid(torch.sigmoid(torch.tensor(15.0))).item()
    zero = torch.sigmoid(torch.tensor([-87.0, -89.0])).tolist()
    return decided(
        high == 1 or low == 0,
        f"In float32 sigmoid(15) is 1 − {1 - high:.2g} and comes back as {back:.2f}; it is exactly 1 only"
        f" from {first:.2f} on. sigmoid(−15) is {low:.2g}; sigmoid(−87) is still {zero[0]:.1g} and"
        f" sigmoid(−89) is {zero[1]:.0f}.",
    )


def sigmoid_of_15_is_near_one() -> Finding:
    """Measure how far sigmoid(15) lies from 1."""
    far = 1 - torch.sigmoid(torch.tensor(15.0, dtype=torch.float64)).item()
    return decided(far < 1e-6, f"sigmoid(15) lies {far:.1g} below 1, sigmoid(−15) as much above 0.")


def inverse_fails_where_sigmoid_saturates() -> Finding:
    """Invert a sigmoid that was rounded to 1."""
    back = inverse_sigmoid(torch.sigmoid(torch.tensor([16.0, 17.0]))).tolist()
    return decided(back[1] == inf, f"In float32 16 comes back as {back[0]:.2f}, 17 as {back[1]}.")


def sigmoids_need_not_add_up_to_one() -> Finding:
    """Add up independent sigmoids, and a softmax."""
    sums = [torch.sigmoid(Z).sum().item(), torch.softmax(Z, 0).sum().item()]
    return decided(
        abs(sums[0] - 1) > 0.1, f"On three logits the sigmoids add up to {sums[0]:.3f}, softmax to {sums[1]:.3f}."
    )


def sigmoids_ignore_each_other() -> Finding:
    """Differentiate every sigmoid output by the other classes' logits."""
    slopes = torch.autograd.functional.jacobian(torch.sigmoid, Z)
    others = slopes[~torch.eye(len(Z), dtype=torch.bool)].abs().max().item()
    shared = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, 0), Z)
    return decided(
        others == 0,
        f"The slope of every sigmoid output along every other class's logit is {others:g}; behind softmax it is"
        f" {shared[0, 1].item():.3f} for the first two classes.",
    )


def sigmoid_then_cross_entropy_ignores_other_classes() -> Finding:
    """Raise the logit of one class: if exclusivity were out of sight, the others' shares would stay."""
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


def more_is_better_for_mse() -> Finding:
    """Whether a table of accuracies and errors can ask for the highest MSE."""
    better = TASKS["regression"].better(2.0, 1.0)
    return decided(
        better,
        "A lower mean squared error is the better one, and the document's own section 2-1 measures"
        " classification by accuracy; we fill the tables with the lowest MSE (regression) and the"
        " accuracy (everything else).",
    )
