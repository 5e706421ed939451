"""Tests for document 000, section 1: which loss fits which task."""

import torch
from torch import nn
from torch.nn import functional as F

from lm_utils.evidence.changed_conditions import (
    BASELINE_CONDITION,
    CALLED,
    FEWER_POINTS,
    FITS,
    TWICE,
    compared_pairings,
    kinds_of_data,
    new_data_comparisons,
    once_and_twice,
)
from lm_utils.evidence.claims.by_computing import LABEL, P, Y, Z, close, listed, slope
from lm_utils.evidence.claims.by_conditions import lacking_conditions
from lm_utils.evidence.claims.claim import Finding, decided
from lm_utils.evidence.results import counted, under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.conditions import LONGER
from lm_utils.tasks import TASKS


def misfits_suffer_on_new_data(data: str) -> Finding:
    """Test whether a misfit that is not worse at home surely loses a whole point or more somewhere else."""
    families = under_conditions("new-data", data)
    names = [f"{BASELINE_CONDITION}/{name}" for name in [FITS, *compared_pairings(families)]]
    if found := lacking_conditions(families, names):
        return found
    judged = new_data_comparisons(families)
    at_home = families[names[0]][0]["title"]
    worse = {key: c for key, c in judged.items() if c.verdict == "worse" and key[1] != at_home}
    sure = {key: c for key, c in worse.items() if c.difference.high <= -FEWER_POINTS}
    bad = [
        f"{CALLED.get(name, name)}, {title}: {shown_difference(c.difference, TASKS['multiclass'])}"
        for (name, title), c in sure.items()
        if judged[name, at_home].verdict != "worse"
    ]
    again = once_and_twice(data)
    fallen = [c for c in again.values() if c.verdict == "worse" and c.difference.high <= -FEWER_POINTS]
    confirmed = bool(fallen) and judged[TWICE, at_home].verdict != "worse"
    equal = sum(c.verdict == "practically equal" for c in judged.values())
    words = [f"Of {len(judged)} paired comparisons with the fitting pairing, {equal} are practically equal."]
    if waiting := len(kinds_of_data(families).keys() - {title for _, title in judged}):
        words.append(f"{counted(waiting, 'further kind')} of new data: too few seeds so far.")
    words.append(f"Worse by a whole point or more beyond doubt: {'; '.join(bad) or 'none'}.")
    if lesser := len(worse) - len(sure):
        words.append(f"Worse beyond chance, but by less than a point or not surely by one: {lesser}.")
    if before := len(sure) - len(bad):
        words.append(f"Worse by a point or more, but by a pairing that is worse on the data at hand, too: {before}.")
    if again:
        seeds = max(c.difference.n for c in again.values())
        lines = [f"{kind} {shown_difference(c.difference, TASKS['multiclass'])}, p = {c.p_corrected:.3g} ({c.verdict})"
                 for kind, c in again.items()]  # fmt: skip
        words.append(f"What stood out, {CALLED[TWICE]}, alone on {seeds} fresh seeds: {'; '.join(lines)}.")
        words.append(f"At home it is {judged[TWICE, at_home].verdict}.")
    if longer := once_and_twice(data, "patience"):
        lines = [f"{kind} {shown_difference(c.difference, TASKS['multiclass'])} ({c.verdict})"
                 for kind, c in longer.items()]  # fmt: skip
        words.append(f"The same, both with a patience of {LONGER} epochs instead of 10: {'; '.join(lines)}.")
    return Finding("holds here" if bad or confirmed else "not shown", " ".join(words))


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


def only_cross_entropy_punishes_without_bound() -> Finding:
    """Show how the losses of a yes grow as the predicted probability falls."""
    p = torch.tensor([0.5, 0.01, 1e-6], dtype=torch.float64)
    cross, square, absolute = -p.log(), (1 - p) ** 2, 1 - p
    return decided(
        bool(cross[2] > 10 and square.max() <= 1 and absolute.max() <= 1),
        f"For a yes predicted with 0.5, 0.01 and 0.000001, cross-entropy costs {listed(cross, 2)}; the squared error"
        f" {listed(square, 2)} and the absolute error {listed(absolute, 2)} end at 1.",
    )


def two_classes_are_the_smallest_many() -> Finding:
    """Compare softmax over two outputs with the sigmoid of their difference."""
    z = torch.randn(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gap = (torch.softmax(z, 1)[:, 1] - torch.sigmoid(z[:, 1] - z[:, 0])).abs().max().item()
    return decided(
        gap < 1e-12, f"On 100 random pairs softmax and the sigmoid of the difference differ by at most {gap:.0e}."
    )


def bce_adds_up_output_by_output() -> Finding:
    """Change one output and compare the other output's share of the loss."""
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    p, q = torch.tensor([0.8, 0.3], dtype=torch.float64), torch.tensor([0.1, 0.3], dtype=torch.float64)
    one, other = (F.binary_cross_entropy(values, y, reduction="none")[1].item() for values in (p, q))
    return decided(one == other, f"The second output's share stays {one:.4f} while the first goes from 0.8 to 0.1.")


def bce_does_not_fit_two_softmax_outputs() -> Finding:
    """Compare it with cross-entropy: if it did not fit, it would ask for something else."""
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
    """Add up the gradients over the classes: where classes compete, the sum is zero."""
    losses = {"cross-entropy": lambda p: -(LABEL * p.log()).sum(), "MSE": lambda p: (p - LABEL).square().mean()}
    behind = {n: slope(lambda z, f=f: f(torch.softmax(z, 0)), Z).sum().abs().item() for n, f in losses.items()}
    alone = {n: slope(lambda z, f=f: f(torch.sigmoid(z)), Z).sum().abs().item() for n, f in losses.items()}
    return decided(
        behind["MSE"] > 1e-9 and alone["cross-entropy"] < 1e-9,
        f"Behind a softmax the classes' gradients add up to {behind['cross-entropy']:.0e} under cross-entropy and"
        f" {behind['MSE']:.0e} under MSE; on independent sigmoids to {alone['cross-entropy']:.2f} and"
        f" {alone['MSE']:.2f}. The competition comes from the softmax, whichever loss follows.",
    )


def expected_loss_is_lowest_at_the_truth() -> Finding:
    """Find the prediction that minimises each expected loss where the true probability is 0.3."""
    p = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    costs = {
        "cross-entropy": -(0.3 * p.log() + 0.7 * (1 - p).log()),
        "the squared error": 0.3 * (1 - p) ** 2 + 0.7 * p**2,
        "the absolute error": 0.3 * (1 - p) + 0.7 * p,
    }
    best = {name: p[cost.argmin()].item() for name, cost in costs.items()}
    places = ", ".join(f"{name} at {value:.2f}" for name, value in best.items())
    return decided(
        abs(best["cross-entropy"] - 0.3) < 0.002,
        f"Where the truth is 0.3, the expected loss is lowest for {places}. The squared error shares the virtue, so it"
        " is no reason against MSE; the absolute error does not.",
    )


def bce_takes_values_as_they_are() -> Finding:
    """Compare nn.BCELoss with the cross-entropy of exactly the numbers it gets."""
    mine, theirs = -(Y * P.log() + (1 - Y) * (1 - P).log()).mean(), nn.BCELoss()(P, Y)
    return decided(close(mine, theirs), f"The formula on four probabilities gives {mine:.4f}, nn.BCELoss {theirs:.4f}.")


def bce_refuses_numbers_outside() -> Finding:
    """Give nn.BCELoss an input outside [0, 1]."""
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
    """Compare nn.BCEWithLogitsLoss with nn.BCELoss of the sigmoid."""
    z = torch.logit(P)
    with_logits, by_hand = nn.BCEWithLogitsLoss()(z, Y), nn.BCELoss()(torch.sigmoid(z), Y)
    return decided(close(with_logits, by_hand), f"On the same outputs: {with_logits:.6f} and {by_hand:.6f}.")


def sigmoid_twice_costs_something() -> Finding:
    """Show the floor that a sigmoid before nn.BCEWithLogitsLoss leaves under the loss."""
    lowest = nn.BCEWithLogitsLoss()(torch.tensor([1.0]), torch.tensor([1.0])).item()
    seen = torch.sigmoid(torch.tensor([0.0, 1.0])).tolist()
    return decided(
        lowest > 0.1,
        f"Behind a sigmoid the loss sees only probabilities from {seen[0]:.3f} to {seen[1]:.3f}"
        f" and cannot fall below {lowest:.4f}. No error warns of it.",
    )
