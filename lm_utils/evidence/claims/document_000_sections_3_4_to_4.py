"""What document 000 says in sections 3-4 to 4: the results of ten classes and of labels, and what they add up to."""

from collections.abc import Sequence
from math import inf

from lm_utils.activations import ACTIVATIONS
from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.by_conditions import cause_is_refuted
from lm_utils.evidence.claims.by_pairs import CLEARLY_MORE, better, equal
from lm_utils.evidence.claims.by_rows import (
    fail,
    learn,
    loss_table,
    reproduce,
    row_of,
    row_sentences,
    runs_at_chance,
    titles,
    too_few_seeds,
    with_rows,
)
from lm_utils.evidence.claims.claim import Claim, Finding
from lm_utils.evidence.results import Results, counted, estimate, mean, tested_digits
from lm_utils.evidence.sentences import shown, shown_interval
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import Row

REPAIRED_SKILL = 0.9  # another cut repairs a row that it brings nine tenths of the way from the baseline to perfect
CLEARLY_BELOW = 0.98  # a validation loss below this share of what the average answer costs looks like learning

Claim("000-softmax-fine", "3-4", "With softmax, BCE and MSE do about as well on ten classes as cross-entropy.").trained(
    equal,
    pairs=[
        ["000-3-4-bce-softmax", "000-3-4-ce-softmax"],
        ["000-3-4-bce-logits-softmax", "000-3-4-ce-softmax"],
        ["000-3-4-mse-softmax", "000-3-4-ce-softmax"],
    ],
)

Claim("000-sigmoid-collapse", "3-4", "With sigmoids (BCE or MSE) ten classes are not learnt at all.").trained(
    fail, rows=["000-3-4-bce-sigmoid", "000-3-4-mse-sigmoid"]
)


@with_rows
def remedies_keep_the_blamed_part(results: Results, chosen: Sequence[Row]) -> Finding:
    """Refute a cause that is still there where every run learns; it holds only where every run still fails."""
    lost = [is_lost for row in chosen for is_lost in runs_at_chance(results, row.pairing)]
    words = row_sentences(results, chosen)
    if not any(lost):
        return Finding("refuted", "These rows keep independent sigmoids and change something else: " + words)
    return Finding("holds here" if all(lost) else "not shown", words)


Claim(
    "000-no-competition", "3-4", "The reason: independent sigmoids know no competition between the classes.", guess=True
).trained(remedies_keep_the_blamed_part, rows=["remedy-bce-prior", "remedy-mse-prior"])

Claim(
    "000-no-competition-switch",
    "3-4",
    "The same reason, switched off and on: if it were the cause, runs without competition would fail and "
    "runs with it learn.",
    guess=True,
).trained_under_conditions(cause_is_refuted, keeping=["prior-bias", "head-first", "sgd"], lacking_it=["softmax-pushed"])

Claim(
    "000-two-outputs-spared",
    "3-4",
    "Two outputs are spared because there are only two classes.",
    guess=True,
    note="Our explanation is the base rate: how rarely the answer is a yes.",
).trained_under_conditions(cause_is_refuted, keeping=["ten-halves"], lacking_it=["one-0.1"])


def near_the_fitting_probabilities(results: Results, chosen: Sequence[Row], how: str) -> tuple[list[bool], str]:
    """Return whether each row's likelihood and calibration come near the fitting pairing's; none without its seeds."""
    fitting = row_of("fitting-multiclass")
    reason = too_few_seeds(results, [fitting])
    if reason:
        return [], reason
    words, near = [], []
    for row in chosen:
        mine, theirs = (mean(results.scores(r.pairing, "nll").values()) for r in (row, fitting))
        ece, others = (mean(results.scores(r.pairing, "ece").values()) for r in (row, fitting))
        near += [mine <= CLEARLY_MORE * theirs, ece <= CLEARLY_MORE * others]
        words.append(
            f"{row.label}, {how}: negative log-likelihood {mine:.3f} against {theirs:.3f}"
            f" for {fitting.label}, calibration error {ece:.4f} against {others:.4f}."
        )
    return near, " ".join(words)


@with_rows
def reads_as_class_probability(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether sigmoid outputs fail as class probabilities: compare their calibration with the fitting pairing's."""
    near, words = near_the_fitting_probabilities(results, chosen, "outputs divided by their sum")
    if not near:
        return Finding("not tested", words)
    return Finding("refuted" if all(near) else "not shown" if any(near) else "holds here", words)


Claim(
    "000-sigmoid-reading",
    "3-4",
    "Independent sigmoid outputs cannot be read as the probability of each class.",
    guess=True,
).trained(reads_as_class_probability, rows=["remedy-bce-prior"])


@with_rows
def reads_well_whatever_the_loss(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether softmax outputs serve as class probabilities after any loss; the same yardstick, the other way round."""
    near, words = near_the_fitting_probabilities(results, chosen, "outputs as they are")
    if not near:
        return Finding("not tested", words)
    return Finding("holds here" if all(near) else "not shown" if any(near) else "refuted", words)


Claim(
    "000-softmax-reading",
    "3-4",
    "Outputs behind a softmax can be read as the probability of each class, whether the loss is "
    "cross-entropy, BCE or MSE.",
    guess=True,
).trained(
    reads_well_whatever_the_loss,
    rows=["000-3-4-ce-softmax", "000-3-4-bce-softmax", "000-3-4-bce-logits-softmax", "000-3-4-mse-softmax"],
)

Claim("000-multiclass-figures", "3-4", "The published figures for ten classes.").trained(
    reproduce, rows=loss_table("000", "3-4")
)

Claim("000-labels-sigmoid", "3-5", "On labels every row with sigmoids is normal.").trained(
    learn, rows=["000-3-5-bce-sigmoid", "000-3-5-mse-sigmoid"]
)

Claim("000-labels-softmax", "3-5", "On labels every row with softmax is clearly lower.").trained(
    better, pairs=[["000-3-5-bce-sigmoid", "000-3-5-mse-softmax"], ["000-3-5-bce-sigmoid", "000-3-5-ce-softmax"]]
)


@with_rows
def a_cut_repairs_it(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether the labels cannot be learnt: refuted where another cut surely reads them from the same networks."""
    words, repaired, broken = [], [], []
    for row in chosen:
        half = estimate(results.scores(row.pairing).values(), "accuracy")
        cut = estimate(results.scores(row.pairing, "accuracy_at_cut").values(), "accuracy")
        where = estimate(results.scores(row.pairing, "cut").values(), "accuracy")
        chance = results.baseline(row.pairing.task)
        way, least, most = (st.skill(score, chance, "accuracy") for score in (cut.mean, cut.low, cut.high))
        repaired.append(least >= REPAIRED_SKILL)
        broken.append(most < REPAIRED_SKILL)
        words.append(
            f"{row.label}: {shown_interval(half, row.pairing.spec)} with the cut at 0.5,"
            f" {shown_interval(cut, row.pairing.spec)} with the cut that suits the validation set (about"
            f" {where.mean:.2f}), on the same trained networks: {shown(way, row.pairing.spec)} of the way from the best"
            f" constant answer to perfect, {shown(least, row.pairing.spec)} at the lower end of the interval"
            f" ({shown(REPAIRED_SKILL, row.pairing.spec)} count as repaired)."
        )
    verdict = "refuted" if all(repaired) else "holds here" if all(broken) else "not shown"
    return Finding(verdict, " ".join(words))


Claim(
    "000-labels-cannot",
    "3-5",
    "The reason: softmax outputs add up to 1, so images with several true labels, or none, cannot be learnt properly.",
    note="As probabilities of the labels such outputs stay wrong, whatever the cut: they add up to 1. What is "
    "tested is whether the network has learnt to tell the labels.",
).trained(a_cut_repairs_it, rows=["000-3-5-mse-softmax", "000-3-5-ce-softmax"])

Claim("000-no-label-true", "3-5", "Softmax also fails where hardly any label is true.").untested(
    "Every digit of this task has at least one true label, so no row can show it."
)

Claim(
    "000-labels-difficulty",
    "3-5",
    "Such a result must not be put down to a difficult data set.",
    note="The same images reach this with sigmoids.",
).trained(learn, rows=["000-3-5-bce-sigmoid"])

Claim("000-labels-figures", "3-5", "The published figures for labels.").trained(
    reproduce, rows=loss_table("000", "3-5")
)


def lowest_loss(entry: dict) -> float:
    """Return the lowest validation loss of a run; infinite where it ended before its first."""
    return min((record["valid_loss"] for record in entry["history"]), default=inf)


def loss_of_the_average(pairing: Pairing, data: str) -> float:
    """Return what a network pays that says the average, whatever the image: mean number, or base rate of each yes."""
    targets = pairing.spec.target(tested_digits(data))
    aims = pairing.aims(targets, pairing.scale(targets))
    number = pairing.spec.kind == "value"
    average = aims.mean(dim=0) if number else ACTIVATIONS[pairing.activation].apply(pairing.prior(targets)[None])[0]
    return pairing.loss_value(average.expand(len(targets), -1), aims).item()


@with_rows
def loss_tells_learning(results: Results, chosen: Sequence[Row]) -> Finding:
    """Test whether the validation loss falls clearly below the average answer's in the runs that learn alone.

    A row in which that tells wrongly about half of the runs or more refutes it.
    """
    right, words, names = [], [], titles(chosen)
    for row in chosen:
        average = loss_of_the_average(row.pairing, results.data)
        runs, learnt = results.of(row.pairing), [not is_lost for is_lost in runs_at_chance(results, row.pairing)]
        low = [lowest_loss(entry) < CLEARLY_BELOW * average for entry in runs]
        right.append([fell == learns for fell, learns in zip(low, learnt, strict=True)])
        words.append(
            f"{names[row]}: the average answer costs {average:.4f}; the validation loss falls clearly below that in"
            f" {sum(low)} of {counted(len(runs), 'run')}, and {sum(learnt)} learn."
        )
    wrong = any(sum(rights) <= len(rights) / 2 for rights in right)
    verdict = "holds here" if all(map(all, right)) else "refuted" if wrong else "not shown"
    return Finding(verdict, " ".join(words))


Claim(
    "000-valid-loss-average", "4", "The validation loss shows whether a network has learnt more than the average."
).trained(
    loss_tells_learning,
    rows=[
        "000-3-4-ce-softmax",
        "000-3-4-bce-softmax",
        "000-3-4-bce-sigmoid",
        "000-3-4-bce-logits-softmax",
        "000-3-4-mse-softmax",
        "000-3-4-mse-sigmoid",
        "000-3-1-mse",
    ],
)

Claim(
    "000-valid-loss",
    "4",
    "… and so whether training goes well (here also where the loss does not fit).",
    note="For standardised numbers nn.BCEWithLogitsLoss has no lowest value: it goes on falling while the outputs "
    "run away (notebook 08).",
).trained(
    loss_tells_learning,
    rows=[
        "000-3-4-bce-softmax",
        "000-3-4-bce-sigmoid",
        "000-3-4-mse-softmax",
        "000-3-4-mse-sigmoid",
        "000-3-1-mse",
        "000-3-1-bce-logits",
    ],
)
