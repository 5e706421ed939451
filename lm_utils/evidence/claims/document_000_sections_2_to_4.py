"""Tests for document 000, sections 2 to 4: the set-up, the results of the five tasks, and what they add up to."""

from collections.abc import Sequence
from math import inf

import torch
from torch.nn import functional as F

from lm_utils.activations import ACTIVATIONS
from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.by_computing import listed
from lm_utils.evidence.claims.by_pairs import CLEARLY_MORE
from lm_utils.evidence.claims.by_rows import (
    row_of,
    row_sentences,
    titles,
    too_few_seeds,
    with_rows,
)
from lm_utils.evidence.claims.claim import Finding, decided
from lm_utils.evidence.results import MNIST_TEST, Results, baseline, counted, estimate, mean, tested_digits
from lm_utils.evidence.sentences import shown, shown_interval
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import Row
from lm_utils.tasks import TASKS

REPAIRED_SKILL = 0.9  # another cut repairs a row that it brings nine tenths of the way from the baseline to perfect
CLEARLY_BELOW = 0.98  # a validation loss below this share of what the average answer costs looks like learning


def digits_are_balanced() -> Finding:
    """Compare the counts of the rarest and the commonest digit."""
    most, least = max(MNIST_TEST), min(MNIST_TEST)
    labels = TASKS["multilabel"].target(torch.arange(10)).mean(dim=0)
    rates = ", ".join(f"{name} {rate:.0%}" for name, rate in zip(TASKS["multilabel"].names, labels, strict=True))
    return decided(
        most / least < 1.5,
        f"MNIST's test images: {least} of the rarest digit, {most} of the commonest, a ratio"
        f" of {most / least:.2f}. (Asked one by one, though, each of ten classes is a yes in"
        f" only one image of ten. Labels by digits: {rates}.)",
    )


@with_rows
def stop_with_an_error(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether every run of every row ends with an error."""
    every = all(entry["status"] == "error" for row in chosen for entry in results.of(row.pairing))
    return Finding("holds here" if every else "refuted", row_sentences(results, chosen))


def an_output_of_at_most_one_explains_the_error() -> Finding:
    """Compare the published error with the worst that outputs between 0 and 1 could do."""
    targets = TASKS["regression"].target(tested_digits("mnist"))
    mean, std = targets.mean(), targets.std()
    worst = torch.maximum((targets - mean).square(), (targets - mean - std).square()).mean().item()
    raw = torch.maximum(targets.square(), (targets - 1).square()).mean().item()
    published = row_of("000-3-1-bce-logits").test
    return decided(
        published <= max(worst, raw),
        f"Outputs between 0 and 1, de-normalised, could do no worse than an MSE of {worst:.2f}, even with the worst one"
        f" for each image (not de-normalised: {raw:.2f}), but the published error is {published:.2f}, and"
        f" predicting the mean costs {baseline('regression'):.2f}. The metric reads the raw output, which no sigmoid"
        " bounds: the loss has no lower end for standardised targets outside 0 to 1, and the output runs away.",
    )


def softmax_of_one_output_is_one() -> Finding:
    """Apply softmax to single outputs, each divided by itself."""
    outputs = torch.softmax(torch.linspace(-50, 50, 101)[:, None], dim=1)
    return decided(
        bool((outputs == 1).all()),
        f"Over 101 outputs from −50 to 50 the softmax of a single output is always {outputs.min():.0f}.",
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
    words = "; ".join(f"{name} {listed(cost[[0, 49, 99]], 2)}" for name, cost in costs.items())
    return decided(
        all(bool((cost.diff() < 0).all()) and cost[-1].abs() < 1e-9 for cost in costs.values()),
        f"With {listed(right[[0, 49, 99]], 2)} on the right one of two classes the losses are: {words}. Both are lowest"
        " at the label, as cross-entropy is.",
    )


@with_rows
def remedies_keep_the_blamed_part(results: Results, chosen: Sequence[Row]) -> Finding:
    """Refute a cause that is still there where every run learns; it holds only where every run still fails."""
    lost = [is_lost for row in chosen for is_lost in results.at_chance(row.pairing)]
    words = row_sentences(results, chosen)
    if not any(lost):
        return Finding("refuted", "These rows keep independent sigmoids and change something else: " + words)
    return Finding("holds here" if all(lost) else "not shown", words)


def near_the_fitting(results: Results, chosen: Sequence[Row], how: str, if_near: str, if_far: str) -> Finding:
    """Judge by whether likelihood and calibration of all the rows, or of none, come near the fitting pairing's."""
    fitting = row_of("fitting-multiclass")
    if reason := too_few_seeds(results, [fitting]):
        return Finding("not tested", reason)
    words, near = [], []
    for row in chosen:
        mine, theirs = (mean(results.scores(r.pairing, "nll").values()) for r in (row, fitting))
        ece, others = (mean(results.scores(r.pairing, "ece").values()) for r in (row, fitting))
        near += [mine <= CLEARLY_MORE * theirs, ece <= CLEARLY_MORE * others]
        words.append(
            f"{row.label}, {how}: negative log-likelihood {mine:.3f} against {theirs:.3f}"
            f" for {fitting.label}, calibration error {ece:.4f} against {others:.4f}."
        )
    return Finding(if_near if all(near) else "not shown" if any(near) else if_far, " ".join(words))


@with_rows
def reads_as_class_probability(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether sigmoid outputs fail as class probabilities: compare their calibration with the fitting pairing's."""
    return near_the_fitting(results, chosen, "outputs divided by their sum", if_near="refuted", if_far="holds here")


@with_rows
def reads_well_whatever_the_loss(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether softmax outputs serve as class probabilities after any loss; the same yardstick, the other way round."""
    return near_the_fitting(results, chosen, "outputs as they are", if_near="holds here", if_far="refuted")


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
        runs, learnt = results.of(row.pairing), [not is_lost for is_lost in results.at_chance(row.pairing)]
        lowest = [min((record["valid_loss"] for record in entry["history"]), default=inf) for entry in runs]
        low = [loss < CLEARLY_BELOW * average for loss in lowest]
        right.append([fell == learns for fell, learns in zip(low, learnt, strict=True)])
        words.append(
            f"{names[row]}: the average answer costs {average:.4f}; the validation loss falls clearly below that in"
            f" {sum(low)} of {counted(len(runs), 'run')}, and {sum(learnt)} learn."
        )
    wrong = any(sum(rights) <= len(rights) / 2 for rights in right)
    verdict = "holds here" if all(map(all, right)) else "refuted" if wrong else "not shown"
    return Finding(verdict, " ".join(words))
