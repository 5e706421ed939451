"""What document 004 says on nn.CrossEntropyLoss."""

import inspect
import warnings
from collections.abc import Callable
from math import inf, log

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import BASELINE_CONDITION, FITS, accuracy
from lm_utils.evidence.claims.by_computing import close
from lm_utils.evidence.claims.by_conditions import lacking_conditions
from lm_utils.evidence.claims.by_pairs import better
from lm_utils.evidence.claims.claim import Claim, Finding, decided
from lm_utils.evidence.results import number, under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.tasks import TASKS

LOGITS, CLASSES = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]]), torch.tensor([0, 1])
PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1]])
FEWER, RARE = "images-500", "imbalance-10"  # the first has fewer images in all than the second, but balanced ones


@Claim("004-weight", "CrossEntropyLoss", "weight sets a weight for each class.").asked_pytorch
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


@Claim("004-size-average", "CrossEntropyLoss", "size_average: True averages, False sums.").asked_pytorch
def size_average_chooses_mean_or_sum() -> Finding:
    """Ask the retired option whether it still does what it did."""
    mean = quietly(lambda: nn.CrossEntropyLoss(size_average=True)(LOGITS, CLASSES))
    total = quietly(lambda: nn.CrossEntropyLoss(size_average=False)(LOGITS, CLASSES))
    true = close(mean, nn.CrossEntropyLoss()(LOGITS, CLASSES)) and close(total, 2 * mean)
    return decided(
        true, f"True gives {mean:.4f}, False gives {total:.4f} for two samples, with a warning that it is retired."
    )


@Claim("004-ignore", "CrossEntropyLoss", "ignore_index leaves a label out; it is −100 unless told.").asked_pytorch
def ignored_index_is_minus_100() -> Finding:
    """Show that a sample with that label takes no part."""
    default = inspect.signature(nn.CrossEntropyLoss).parameters["ignore_index"].default
    with_ignored = nn.CrossEntropyLoss()(LOGITS, torch.tensor([0, -100]))
    alone = nn.CrossEntropyLoss()(LOGITS[:1], torch.tensor([0]))
    return decided(
        default == -100 and close(with_ignored, alone),
        f"The default is {default}; with it on the second sample the loss is {with_ignored:.4f}, that of the first.",
    )


@Claim("004-reduce", "CrossEntropyLoss", "reduce=False does not reduce.").asked_pytorch
def reduce_false_keeps_every_sample() -> Finding:
    """Count the losses that the retired option reduce=False gives."""
    each = quietly(lambda: nn.CrossEntropyLoss(reduce=False)(LOGITS, CLASSES))
    return decided(each.shape == (2,), f"reduce=False on two samples gives {len(each)} losses.")


@Claim("004-reduction", "CrossEntropyLoss", "reduction is 'none', 'mean' or 'sum'.").asked_pytorch
def reductions_do_what_they_say() -> Finding:
    """Compare 'none', 'mean' and 'sum'."""
    none, mean, total = (nn.CrossEntropyLoss(reduction=name)(LOGITS, CLASSES) for name in ("none", "mean", "sum"))
    true = none.shape == (2,) and close(none.mean(), mean) and close(none.sum(), total)
    return decided(true, f"Two samples: each {none[0]:.4f} and {none[1]:.4f}, mean {mean:.4f}, sum {total:.4f}.")


@Claim(
    "004-reduce-sums",
    "CrossEntropyLoss",
    "reduction='sum' is the same as reduce=False.",
    note="The document says both things about reduce=False, a few lines apart.",
).asked_pytorch
def reduce_false_sums() -> Finding:
    """Compare with the one number that a sum would be."""
    each = quietly(lambda: nn.CrossEntropyLoss(reduce=False)(LOGITS, CLASSES))
    total = nn.CrossEntropyLoss(reduction="sum")(LOGITS, CLASSES)
    numbers = ", ".join(f"{value:.4f}" for value in each)
    return decided(
        each.ndim == 0,
        f"reduction='sum' gives {total:.4f}; reduce=False gives one loss per sample: {numbers}."
        " What sums is size_average=False.",
    )


@Claim(
    "004-smoothing", "CrossEntropyLoss", "label_smoothing softens the labels a little; it is 0 unless told."
).asked_pytorch
def label_smoothing_mixes_in_the_even_target() -> Finding:
    """Compare a smoothing of s with targets that move s of the label evenly onto all classes."""
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)(LOGITS, CLASSES)
    mixed = nn.CrossEntropyLoss()(LOGITS, 0.9 * F.one_hot(CLASSES, 3) + 0.1 / 3)
    default = inspect.signature(nn.CrossEntropyLoss).parameters["label_smoothing"].default
    return decided(
        close(smooth, mixed) and default == 0,
        f"label_smoothing=0.1 gives {smooth:.4f}, targets mixed by hand {mixed:.4f}; the default is {default}.",
    )


Claim(
    "004-smoothing-helps",
    "CrossEntropyLoss",
    "Label smoothing keeps a model from being too sure and improves generalisation.",
).untested("No run here smooths its labels.")

Claim(
    "004-bce-binary",
    "CrossEntropyLoss",
    "nn.BCELoss and nn.BCEWithLogitsLoss are for binary classification, nn.CrossEntropyLoss is for several classes.",
    note="As advice for the first choice it is good; each loss is compared with the other one on the problem it "
    "is said to be for.",
).trained(
    better,
    pairs=[
        ["twin-multiclass-ce", "000-3-4-bce-softmax"],
        ["twin-multiclass-ce", "twin-multiclass-bce-logits"],
        ["000-3-3-bce-softmax", "twin-binary-ce"],
        ["twin-binary-bce-logits", "twin-binary-ce"],
    ],
)


@Claim(
    "004-takes-probabilities", "CrossEntropyLoss", "nn.CrossEntropyLoss takes probabilities as its input."
).asked_pytorch
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


@Claim("004-target-forms", "CrossEntropyLoss", "Targets may be class indices or class probabilities.").asked_pytorch
def cross_entropy_targets_have_two_forms() -> Finding:
    """Compare the losses of class indices and of class probabilities."""
    indices, rows = nn.CrossEntropyLoss()(LOGITS, CLASSES), nn.CrossEntropyLoss()(LOGITS, F.one_hot(CLASSES, 3).float())
    return decided(close(indices, rows), f"Class indices give {indices:.6f}, the same classes as rows {rows:.6f}.")


@Claim("004-contains-softmax", "CrossEntropyLoss", "It joins softmax and cross-entropy.").asked_pytorch
def cross_entropy_contains_softmax() -> Finding:
    """Compare it with the negative log of the softmax at the right class."""
    mine, theirs = -torch.softmax(LOGITS, 1).log()[[0, 1], CLASSES].mean(), nn.CrossEntropyLoss()(LOGITS, CLASSES)
    return decided(
        close(mine, theirs), f"−log softmax at the right class: {mine:.6f}; nn.CrossEntropyLoss: {theirs:.6f}."
    )


@Claim(
    "004-unstable", "CrossEntropyLoss", "It can be numerically unstable where a probability is very small."
).asked_pytorch
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


@Claim(
    "004-imbalance", "CrossEntropyLoss", "Performance may suffer where classes are imbalanced."
).trained_under_conditions
def imbalance_hurts(data: str) -> Finding:
    """Compare cross-entropy on rare classes with as many balanced images, and with fewer than its own."""
    families = under_conditions("new-data", data)
    rare, many, few = names = [f"{name}/{FITS}" for name in (RARE, BASELINE_CONDITION, FEWER)]
    if found := lacking_conditions(families, names):
        return found
    scores = [{run["seed"]: accuracy(run) for run in families[name]} for name in names]
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


Claim("004-weights-help", "CrossEntropyLoss", "Weights help against imbalance.").untested("No run here uses weights.")


@Claim(
    "004-double-sum", "CrossEntropyLoss", "The formula: a double sum over samples and classes (without division by N)."
).asked_pytorch
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
