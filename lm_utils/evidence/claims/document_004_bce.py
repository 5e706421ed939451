"""What document 004 says on nn.BCELoss and nn.BCEWithLogitsLoss."""

from math import isclose

import torch
from torch import nn

from lm_utils.evidence.claims.by_computing import close
from lm_utils.evidence.claims.by_pairs import equal
from lm_utils.evidence.claims.claim import Claim, Finding, decided
from lm_utils.evidence.claims.document_000_section_1 import bce_refuses_numbers_outside
from lm_utils.evidence.claims.document_002_section_1 import cross_entropy_tells_distributions_apart

Claim("004-ce", "BCELoss", "Cross-entropy measures how far two distributions are apart.").worked_out(
    cross_entropy_tells_distributions_apart
)

Claim(
    "004-bce-softmax",
    "BCELoss",
    "nn.BCELoss is to be used whether the last layer is a sigmoid or a softmax.",
    note="Two, ten, and several of four outputs. If the choice did not matter, it would matter in none of the three.",
).trained(
    equal,
    pairs=[
        ["000-3-3-bce-softmax", "000-3-3-bce-sigmoid"],
        ["000-3-4-bce-softmax", "000-3-4-bce-sigmoid"],
        ["001-3-5-softmax-bce", "001-3-5-sigmoid-bce"],
    ],
)

Claim("004-bce-probabilities", "BCELoss", "nn.BCELoss needs outputs that are probabilities.").asked_pytorch(
    bce_refuses_numbers_outside
)


@Claim("004-logits-are-probabilities", "BCEWithLogitsLoss", "Logits are probabilities.").asked_pytorch
def logits_are_probabilities() -> Finding:
    """Show that a logit may be any number."""
    layer = nn.Linear(4, 1000, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-3, 3, 4000).view(1000, 4))
        z = layer(torch.ones(1, 4))
    return decided(
        bool(((z >= 0) & (z <= 1)).all()),
        f"Logits are what stands before the sigmoid; a linear layer emits"
        f" anything, here {z.min():.1f} to {z.max():.1f}.",
    )


@Claim("004-stable", "BCEWithLogitsLoss", "It is numerically more stable than sigmoid and nn.BCELoss.").asked_pytorch
def logits_version_is_more_stable() -> Finding:
    """Compare the gradients far from the truth."""
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


Claim("004-efficient", "BCEWithLogitsLoss", "It is more efficient than sigmoid and nn.BCELoss.").untested(
    "Nobody timed the two here."
)


@Claim(
    "004-formula-logits", "BCEWithLogitsLoss", "The formula: the mean of −[y log σ(z) + (1 − y) log(1 − σ(z))]."
).asked_pytorch
def bce_formula_is_the_default() -> Finding:
    """Compare with the mean over samples of the two-term formula."""
    z, y = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([1.0, 0.0, 1.0])
    p = torch.sigmoid(z)
    mine = -(y * p.log() + (1 - y) * (1 - p).log()).sum() / len(y)
    theirs = nn.BCEWithLogitsLoss()(z, y)
    return decided(close(mine, theirs), f"Formula {mine:.6f}, nn.BCEWithLogitsLoss {theirs:.6f}.")


@Claim("004-z", "BCEWithLogitsLoss", "z is a log-probability.").asked_pytorch
def logit_is_a_log_probability() -> Finding:
    """Compare z with the logarithm of sigmoid(z)."""
    z = torch.tensor(2.0)
    p = torch.sigmoid(z)
    return decided(
        close(p.log(), z),
        f"For z = 2 the probability is {p:.4f} and its logarithm {p.log():.4f};"
        f" z is the log of the odds: log({p:.4f} / {1 - p:.4f}) = {(p / (1 - p)).log():.4f}."
        " A log-probability is never positive.",
    )
