"""Tests for document 004: nn.BCELoss, nn.BCEWithLogitsLoss, nn.CrossEntropyLoss, and binary cross-entropy by hand."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from math import inf, isclose, log

import torch
from torch import Tensor, nn
from torch.func import grad_and_value
from torch.nn import functional as F

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import BASELINE_CONDITION, FITS, metric_of
from lm_utils.evidence.claims.by_computing import close, double, listed
from lm_utils.evidence.claims.by_conditions import lacking_conditions
from lm_utils.evidence.claims.by_rows import titles, with_rows
from lm_utils.evidence.claims.claim import Finding, decided
from lm_utils.evidence.results import Results, counted, number, under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.rows import Row
from lm_utils.tasks import TASKS

LOGITS, CLASSES = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]]), torch.tensor([0, 1])
PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1]])
FEWER, RARE = "images-500", "imbalance-10"  # the first has fewer images in all than the second, but balanced ones


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


def logits_version_is_more_stable() -> Finding:
    """Compare the gradients far from the truth."""
    z, yes = torch.tensor(-200.0), torch.tensor(1.0)
    fused_slope, fused = grad_and_value(nn.BCEWithLogitsLoss())(z, yes)
    apart_slope, apart = grad_and_value(lambda z: nn.BCELoss()(torch.sigmoid(z), yes))(z)
    return decided(
        bool(isclose(fused, 200) and fused_slope == -1 and apart == 100 and apart_slope == 0),
        f"At an output of −200 with label 1, nn.BCEWithLogitsLoss gives {fused:.0f} with gradient"
        f" −1; sigmoid and nn.BCELoss give {apart:.0f} with gradient {abs(apart_slope):.0f}.",
    )


def bce_formula_is_the_default() -> Finding:
    """Compare with the mean over samples of the two-term formula."""
    z, y = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([1.0, 0.0, 1.0])
    p = torch.sigmoid(z)
    mine = -(y * p.log() + (1 - y) * (1 - p).log()).sum() / len(y)
    theirs = nn.BCEWithLogitsLoss()(z, y)
    return decided(close(mine, theirs), f"Formula {mine:.6f}, nn.BCEWithLogitsLoss {theirs:.6f}.")


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


def weights_count_classes() -> Finding:
    """Compare with the weighted mean of the samples' losses."""
    weight = torch.tensor([1.0, 5.0, 1.0])
    each = nn.CrossEntropyLoss(reduction="none")(LOGITS, CLASSES)
    mine = (weight[CLASSES] * each).sum() / weight[CLASSES].sum()
    theirs = nn.CrossEntropyLoss(weight=weight)(LOGITS, CLASSES)
    return decided(
        close(mine, theirs),
        f"Weighted mean by hand {mine:.6f}, weight=… {theirs:.6f}; it divides by the sum of"
        " the weights, not by the number of samples.",
    )


def quietly(work: Callable[[], Tensor]) -> Tensor:
    """Return what an outdated option gives, without its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


def size_average_chooses_mean_or_sum() -> Finding:
    """Ask the retired option whether it still does what it did."""
    mean = quietly(lambda: nn.CrossEntropyLoss(size_average=True)(LOGITS, CLASSES))
    total = quietly(lambda: nn.CrossEntropyLoss(size_average=False)(LOGITS, CLASSES))
    true = close(mean, nn.CrossEntropyLoss()(LOGITS, CLASSES)) and close(total, 2 * mean)
    return decided(
        true, f"True gives {mean:.4f}, False gives {total:.4f} for two samples, with a warning that it is retired."
    )


def ignored_index_is_minus_100() -> Finding:
    """Show that a sample with that label takes no part."""
    default = inspect.signature(nn.CrossEntropyLoss).parameters["ignore_index"].default
    with_ignored = nn.CrossEntropyLoss()(LOGITS, torch.tensor([0, -100]))
    alone = nn.CrossEntropyLoss()(LOGITS[:1], torch.tensor([0]))
    return decided(
        default == -100 and close(with_ignored, alone),
        f"The default is {default}; with it on the second sample the loss is {with_ignored:.4f}, that of the first.",
    )


def reduce_false_keeps_every_sample() -> Finding:
    """Count the losses that the retired option reduce=False gives."""
    each = quietly(lambda: nn.CrossEntropyLoss(reduce=False)(LOGITS, CLASSES))
    return decided(each.shape == (2,), f"reduce=False on two samples gives {len(each)} losses.")


def reductions_do_what_they_say() -> Finding:
    """Compare 'none', 'mean' and 'sum'."""
    none, mean, total = (nn.CrossEntropyLoss(reduction=name)(LOGITS, CLASSES) for name in ("none", "mean", "sum"))
    true = none.shape == (2,) and close(none.mean(), mean) and close(none.sum(), total)
    return decided(true, f"Two samples: each {none[0]:.4f} and {none[1]:.4f}, mean {mean:.4f}, sum {total:.4f}.")


def reduce_false_sums() -> Finding:
    """Compare with the one number that a sum would be."""
    each = quietly(lambda: nn.CrossEntropyLoss(reduce=False)(LOGITS, CLASSES))
    total = nn.CrossEntropyLoss(reduction="sum")(LOGITS, CLASSES)
    return decided(
        each.ndim == 0,
        f"reduction='sum' gives {total:.4f}; reduce=False gives one loss per sample: {listed(each, 4)}."
        " What sums is size_average=False.",
    )


def label_smoothing_mixes_in_the_even_target() -> Finding:
    """Compare a smoothing of s with targets that move s of the label evenly onto all classes."""
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)(LOGITS, CLASSES)
    mixed = nn.CrossEntropyLoss()(LOGITS, 0.9 * F.one_hot(CLASSES, 3) + 0.1 / 3)
    default = inspect.signature(nn.CrossEntropyLoss).parameters["label_smoothing"].default
    return decided(
        close(smooth, mixed) and default == 0,
        f"label_smoothing=0.1 gives {smooth:.4f}, targets mixed by hand {mixed:.4f}; the default is {default}.",
    )


def cross_entropy_takes_probabilities() -> Finding:
    """Compare with −log p of the right class, which it would be if it took probabilities."""
    loss, meant = nn.CrossEntropyLoss()(PROBABILITIES, torch.tensor([0])).item(), -log(0.7)
    floor = nn.CrossEntropyLoss()(torch.eye(10)[:1], torch.tensor([0])).item()
    return decided(
        close(loss, meant),
        f"For the probabilities 0.7, 0.2, 0.1 and class 0, −log 0.7 is {meant:.4f}, but the"
        f" loss is {loss:.4f}: it takes them for logits and applies softmax. A perfect"
        f" prediction of ten classes would still cost {floor:.4f}.",
    )


def cross_entropy_targets_have_two_forms() -> Finding:
    """Compare the losses of class indices and of class probabilities."""
    indices, rows = nn.CrossEntropyLoss()(LOGITS, CLASSES), nn.CrossEntropyLoss()(LOGITS, F.one_hot(CLASSES, 3).float())
    return decided(close(indices, rows), f"Class indices give {indices:.6f}, the same classes as rows {rows:.6f}.")


def cross_entropy_contains_softmax() -> Finding:
    """Compare it with the negative log of the softmax at the right class."""
    mine, theirs = -torch.softmax(LOGITS, 1).log()[[0, 1], CLASSES].mean(), nn.CrossEntropyLoss()(LOGITS, CLASSES)
    return decided(
        close(mine, theirs), f"−log softmax at the right class: {mine:.6f}; nn.CrossEntropyLoss: {theirs:.6f}."
    )


def cross_entropy_is_unstable_at_small_p() -> Finding:
    """Compute it where p underflows; an instable loss would be infinite there."""
    z = torch.tensor([[1000.0, 0.0]])
    by_hand, loss = torch.softmax(z, 1).log()[0, 1].item(), nn.CrossEntropyLoss()(z, torch.tensor([1])).item()
    return decided(
        loss in (inf, 100.0),
        f"For the logits 1000 and 0 and the second class, log(softmax) by hand gives {by_hand}".replace("-", "−")
        + f" and so a loss of {-by_hand}; nn.CrossEntropyLoss gives {loss:.0f}: it never forms the small probability.",
    )


def imbalance_verdict(against_many: str, against_few: str) -> str:
    """Judge: worse than both is due to the imbalance, worse than more images alone may be due to their number."""
    if "illustration" in (against_many, against_few):
        return "not tested"
    if against_many == "better":
        return "refuted"
    return "holds here" if against_many == against_few == "worse" else "not shown"


def imbalance_hurts(data: str) -> Finding:
    """Compare cross-entropy on rare classes with as many balanced images, and with fewer than its own."""
    families = under_conditions("new-data", data)
    rare, many, few = names = [f"{name}/{FITS}" for name in (RARE, BASELINE_CONDITION, FEWER)]
    if found := lacking_conditions(families, names):
        return found
    scores = [{run["seed"]: metric_of(run) for run in families[name]} for name in names]
    seeds = sorted(set.intersection(*(set(own) for own in scores)))
    compared = st.compare([[scores[0][seed] - other[seed] for seed in seeds] for other in scores[1:]], "accuracy")
    images = sum(number(run, "train_images") for run in families[rare]) / len(families[rare])
    words = [f"{families[rare][0]['title']} ({images:,.0f} images in all), cross-entropy on logits:"]
    words += [
        f"against {families[name][0]['title']} {shown_difference(c.difference, TASKS['multiclass'])},"
        f" p = {c.p_corrected:.3g} ({c.verdict})."
        for name, c in zip((many, few), compared, strict=True)
    ]
    verdict = imbalance_verdict(*(c.verdict for c in compared))
    if verdict == "not shown" and compared[0].verdict == "worse":
        words.append("That there are fewer images could be the reason as well.")
    return Finding(verdict, " ".join(words))


def cross_entropy_sums_by_default() -> Finding:
    """Compare it with the document's double sum, which has no division by N."""
    double_sum = -(F.one_hot(CLASSES, 3) * torch.softmax(LOGITS, 1).log()).sum()
    default, summed = nn.CrossEntropyLoss()(LOGITS, CLASSES), nn.CrossEntropyLoss(reduction="sum")(LOGITS, CLASSES)
    return decided(
        close(default, double_sum),
        f"The double sum gives {double_sum:.4f}, which is reduction='sum'"
        f" ({summed:.4f}); the default divides by the number of samples:"
        f" {default:.4f}.",
    )


def low_probabilities_cost_steeply() -> Finding:
    """Show how −log p grows."""
    p = torch.tensor([0.9, 0.1, 0.001], dtype=torch.float64)
    cost = -p.log()
    return decided(
        bool(cost[2] > 3 * cost[1] - 1e-9 and cost[1] > 20 * cost[0]), f"−log p at 0.9, 0.1 and 0.001: {listed(cost)}."
    )


def item_of_a_yes_is_the_plain_log() -> Finding:
    """Compare the item of the loss for y = 1, by PyTorch, with log p."""
    p = double(0.9)
    item, log_p = F.binary_cross_entropy(p, double(1.0)), p.log()
    return decided(
        bool((item - log_p).abs() < 1e-12),
        f"For p = {p:.1f} and y = 1 log p is {listed(log_p[None])}, but the loss is {listed(item[None])}, which is"
        " −log p: a loss that grew with p would teach the opposite.",
    )


def log_is_negative_only_below_a_half() -> Finding:
    """Find the sign of log p."""
    p = torch.tensor([0.1, 0.5, 0.9, 1.0], dtype=torch.float64)
    values = p.log()
    return decided(
        bool(values[2] >= 0),
        f"log p at 0.1, 0.5, 0.9 and 1 is {listed(values)}: negative for every probability below 1. The minus sign"
        " is there for all of them.",
    )


@with_rows
def least_loss_is_most_accurate(results: Results, chosen: Sequence[Row]) -> Finding:
    """Test whether the accuracy at the least validation loss is practically the best epoch's, or surely lower."""
    gaps, words, names = [], [], titles(chosen)
    for row in chosen:
        runs = results.of(row.pairing)
        chosen_by_loss = [min(entry["history"], key=lambda record: record["valid_loss"]) for entry in runs]
        lower = [epoch["valid_metric"] - run["valid_metric"] for epoch, run in zip(chosen_by_loss, runs, strict=True)]
        gap = st.mean_interval(lower)
        gaps.append((gap, st.MARGIN[row.pairing.spec.metric]))
        words.append(
            f"{names[row]}: in {sum(one != 0 for one in lower)} of {counted(len(lower), 'run')} the epoch of the least"
            " validation loss is not the most accurate one; beside that one it has"
            f" {shown_difference(gap, row.pairing.spec)}."
        )
    equal, worse = all(gap.inside(margin) for gap, margin in gaps), any(gap.outside(margin) for gap, margin in gaps)
    return Finding("holds here" if equal else "refuted" if worse else "not shown", " ".join(words))
