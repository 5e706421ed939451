"""What document 001 says on output activations."""

from math import e, inf

import torch
from torch.nn import functional as F

from lm_utils.activations import inverse_sigmoid
from lm_utils.evidence.claims.by_computing import LABEL, Z, listed, slope
from lm_utils.evidence.claims.by_conditions import one_optimiser_is_best
from lm_utils.evidence.claims.by_pairs import accuracy_tells_enough, better
from lm_utils.evidence.claims.by_rows import fail, harm_is_possible, learn
from lm_utils.evidence.claims.claim import Claim, Finding, decided
from lm_utils.evidence.claims.document_000_sections_2_to_3_3 import digits_are_balanced
from lm_utils.model import CNN
from lm_utils.tasks import TASKS

Claim("001-harm", "1", "An output activation that does not fit can keep a model from learning.").trained(
    harm_is_possible, rows=["001-3-2-softmax-bce", "001-3-4-sigmoid-bce"]
)

Claim("001-softmax-probability", "2", "Softmax is the wrong activation for one probability.").trained(
    fail, rows=["001-3-2-softmax-bce", "000-3-2-ce-softmax"]
)

Claim("001-none-regression", "1", "Regression needs no output activation.").trained(learn, rows=["001-3-1-none"])

Claim(
    "001-relu-regression",
    "1",
    "Where the numbers are never negative, a ReLU output may be used on regression.",
    note="Not all of this is ReLU's doing: raw targets stop this network without an activation as well (notebook "
    "08). What ReLU adds are networks that emit 0 from the start.",
).trained(learn, rows=["001-3-1-relu-raw"])

Claim(
    "001-relu-standardised",
    "3-1",
    "Among the output activations for regression, ReLU counts as a fitting one (here with standardised numbers).",
    note="About half of the standardised numbers are negative, out of a ReLU's reach.",
).trained(learn, rows=["001-3-1-relu"])

Claim("001-sigmoid-probability", "1", "For one probability a sigmoid is right.").trained(
    learn, rows=["001-3-2-sigmoid-bce"]
)

Claim("001-softmax-binary", "1", "For two exclusive outputs softmax is better than sigmoid.").trained(
    better, pairs=[["001-3-3-softmax-ce", "001-3-3-sigmoid-bce"], ["001-3-3-softmax-ce", "001-3-3-sigmoid-ce"]]
)

Claim(
    "001-softmax-multiclass",
    "1",
    "For ten exclusive classes softmax is better than sigmoid (with binary cross-entropy).",
).trained(better, pairs=[["001-3-4-softmax-ce", "001-3-4-sigmoid-bce"]])

Claim("001-sigmoid-labels", "1", "For labels independent sigmoids are better than softmax.").trained(
    better, pairs=[["001-3-5-sigmoid-bce", "001-3-5-softmax-bce"], ["001-3-5-sigmoid-bce", "001-3-5-softmax-ce"]]
)


@Claim("001-bends", "1-1", "A sigmoid on the targets distorts the data.").worked_out
def sigmoid_bends_the_targets() -> Finding:
    """Compare equal steps of the target with the steps of its sigmoid."""
    t = torch.tensor([1.0, 2.0, 3.0, 4.0, 6.0], dtype=torch.float64)
    s = torch.sigmoid(t)
    return decided(
        bool((s[4] - s[3]) < 0.2 * (s[1] - s[0])),
        f"Targets 1, 2, 3, 4 and 6 become {listed(s)}: the step from 4 to 6 shrinks to {s[4] - s[3]:.3f}, that from 1"
        f" to 2 is {s[1] - s[0]:.3f}. (Standardised targets suffer less.)",
    )


@Claim("001-complexity", "1-1", "Transforming and transforming back makes the model more complex.").worked_out
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


def smallest_certainty() -> float:
    """Find the smallest float32 whose sigmoid is exactly 1."""
    x = torch.linspace(0, 40, 400_001, dtype=torch.float64).float()
    return x[torch.sigmoid(x) == 1].min().item()


@Claim(
    "001-sigmoid-15",
    "1-1",
    "Beyond ±15 a computer takes the sigmoid for exactly 1.0 or 0.0.",
    note="The warning is right, only the number comes a little early, and far too early on the negative side.",
).asked_pytorch
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


@Claim("001-sigmoid-15-near", "1-1", "sigmoid(15) and sigmoid(−15) are very close to 1 and 0.").asked_pytorch
def sigmoid_of_15_is_near_one() -> Finding:
    """Measure how far sigmoid(15) lies from 1."""
    far = 1 - torch.sigmoid(torch.tensor(15.0, dtype=torch.float64)).item()
    return decided(far < 1e-6, f"sigmoid(15) lies {far:.1g} below 1, sigmoid(−15) as much above 0.")


@Claim("001-inverse", "1-1", "Where the sigmoid has been rounded to 1, its inverse cannot be applied.").asked_pytorch
def inverse_fails_where_sigmoid_saturates() -> Finding:
    """Invert a sigmoid that was rounded to 1."""
    back = inverse_sigmoid(torch.sigmoid(torch.tensor([16.0, 17.0]))).tolist()
    return decided(back[1] == inf, f"In float32 16 comes back as {back[0]:.2f}, 17 as {back[1]}.")


Claim(
    "001-inverse-worse", "1-1", "A sigmoid on targets and outputs, undone at the end, is worse than no activation."
).trained(
    better, pairs=[["001-3-1-none", "001-3-1-sigmoid-inverse"], ["001-3-1-none-raw", "001-3-1-sigmoid-inverse-raw"]]
)


@Claim("001-sum", "1-2", "Softmax makes the probabilities add up to 1, sigmoids do not.").worked_out
def sigmoids_need_not_add_up_to_one() -> Finding:
    """Add up independent sigmoids, and a softmax."""
    sums = [torch.sigmoid(Z).sum().item(), torch.softmax(Z, 0).sum().item()]
    return decided(
        abs(sums[0] - 1) > 0.1, f"On three logits the sigmoids add up to {sums[0]:.3f}, softmax to {sums[1]:.3f}."
    )


@Claim(
    "001-sigmoid-alone",
    "1-2",
    "A sigmoid computes each class's probability by itself and does not take into account that the classes "
    "exclude each other.",
).worked_out
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


@Claim("001-sigmoid-ce", "1-2", "… so behind sigmoids cross-entropy cannot take it into account either.").worked_out
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


Claim(
    "001-sigmoid-ce-worse",
    "1-2",
    "… so sigmoid with cross-entropy is worse than softmax with cross-entropy on ten classes.",
).trained(better, pairs=[["001-3-4-softmax-ce", "001-3-4-sigmoid-ce"]])

Claim("001-balanced", "2-1", "The digits are balanced.").asked_pytorch(digits_are_balanced)

Claim(
    "001-accuracy-enough",
    "2-1",
    "… and so balanced that performance may be measured by accuracy.",
    note="The claim before this one, that the classes are balanced, holds. What is tested here is the step from "
    "balance to accuracy alone: whether rows that agree in accuracy agree in their probabilities, too.",
).trained(accuracy_tells_enough, rows=["001-3-4-softmax-ce", "001-3-4-sigmoid-ce"])

Claim(
    "001-adamw",
    "2-4",
    "AdamW is the optimiser to take for all of these runs, as it was the most accurate one on this data.",
    note="As for document 000: the comparison that the document refers to has not been repeated here.",
).trained_under_conditions(one_optimiser_is_best, ours="control", other="sgd")


@Claim(
    "001-highest-mse", "3", "The tables' headings ask for the highest MSE.", note="A slip of the pen, and an easy one."
).asked_pytorch
def more_is_better_for_mse() -> Finding:
    """Whether a table of accuracies and errors can ask for the highest MSE."""
    better = TASKS["regression"].better(2.0, 1.0)
    return decided(
        better,
        "A lower mean squared error is the better one, and the document's own section 2-1 measures"
        " classification by accuracy; we fill the tables with the lowest MSE (regression) and the"
        " accuracy (everything else).",
    )
