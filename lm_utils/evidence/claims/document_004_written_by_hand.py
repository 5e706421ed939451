"""What document 004 says on binary cross-entropy written by hand."""

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.by_computing import double, listed
from lm_utils.evidence.claims.by_rows import titles, with_rows
from lm_utils.evidence.claims.claim import Claim, Finding, decided
from lm_utils.evidence.claims.document_003 import batch_mean_does_not_grow
from lm_utils.evidence.results import Results, counted
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.rows import Row


@Claim("004-log-why", "BCE by hand", "The logarithm is there to punish low probabilities of what happened.").worked_out
def low_probabilities_cost_steeply() -> Finding:
    """Show how −log p grows."""
    p = torch.tensor([0.9, 0.1, 0.001], dtype=torch.float64)
    cost = -p.log()
    return decided(
        bool(cost[2] > 3 * cost[1] - 1e-9 and cost[1] > 20 * cost[0]), f"−log p at 0.9, 0.1 and 0.001: {listed(cost)}."
    )


@Claim(
    "004-yes-item",
    "BCE by hand",
    "For y = 1 the item of the loss becomes log p (for y = 0, log(1 − p)).",
    note="Perhaps the item inside the formula's brackets is meant, whose minus sign stands before them. Said of "
    "the loss it is a slip of the pen: the two points after it have the sign.",
).worked_out
def item_of_a_yes_is_the_plain_log() -> Finding:
    """Compare the item of the loss for y = 1, by PyTorch, with log p."""
    p = double(0.9)
    item, log_p = F.binary_cross_entropy(p, double(1.0)), p.log()
    return decided(
        bool((item - log_p).abs() < 1e-12),
        f"For p = {p:.1f} and y = 1 log p is {listed(log_p[None])}, but the loss is {listed(item[None])}, which is"
        " −log p: a loss that grew with p would teach the opposite.",
    )


Claim("004-mean", "BCE by hand", "Divided by N, the loss does not depend on the number of samples.").asked_pytorch(
    batch_mean_does_not_grow
)


@Claim("004-sign", "BCE by hand", "The minus sign is there because log p is negative where p is below 0.5.").worked_out
def log_is_negative_only_below_a_half() -> Finding:
    """Find the sign of log p."""
    p = torch.tensor([0.1, 0.5, 0.9, 1.0], dtype=torch.float64)
    values = p.log()
    return decided(
        bool(values[2] >= 0),
        f"log p at 0.1, 0.5, 0.9 and 1 is {listed(values)}: negative for every probability below 1. The minus sign"
        " is there for all of them.",
    )


def metric_at_lowest_loss(entry: dict) -> float:
    """Return the validation metric of the epoch with the least validation loss."""
    return min(entry["history"], key=lambda record: record["valid_loss"])["valid_metric"]


@with_rows
def least_loss_is_most_accurate(results: Results, chosen: Sequence[Row]) -> Finding:
    """Test whether the accuracy at the least validation loss is practically the best epoch's, or surely lower."""
    gaps, words, names = [], [], titles(chosen)
    for row in chosen:
        lower = [metric_at_lowest_loss(entry) - entry["valid_metric"] for entry in results.of(row.pairing)]
        gap = st.mean_interval(lower)
        gaps.append((gap, st.MARGIN[row.pairing.spec.metric]))
        words.append(
            f"{names[row]}: in {sum(one != 0 for one in lower)} of {counted(len(lower), 'run')} the epoch of the least"
            " validation loss is not the most accurate one; beside that one it has"
            f" {shown_difference(gap, row.pairing.spec)}."
        )
    equal, worse = all(gap.inside(margin) for gap, margin in gaps), any(gap.outside(margin) for gap, margin in gaps)
    return Finding("holds here" if equal else "refuted" if worse else "not shown", " ".join(words))


Claim(
    "004-minimising",
    "BCE by hand",
    "Minimising this loss optimises the model's performance (here: the epoch of the least validation loss is "
    "as accurate as the best one).",
    note="The best of many epochs is a maximum and a little lucky, so a small gap is to be expected.",
).trained(least_loss_is_most_accurate, rows=["000-3-2-bce-sigmoid", "000-3-3-bce-sigmoid", "000-3-5-bce-sigmoid"])
