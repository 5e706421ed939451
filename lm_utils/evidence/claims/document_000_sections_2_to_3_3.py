"""What document 000 says in sections 2 to 3-3: the set-up, and the results of regression, one and two outputs."""

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from lm_utils.evidence.claims.by_computing import listed
from lm_utils.evidence.claims.by_conditions import one_optimiser_is_best
from lm_utils.evidence.claims.by_pairs import accuracy_tells_enough, better, equal, slightly_better
from lm_utils.evidence.claims.by_rows import fail, learn, loss_table, reproduce, row_sentences, with_rows
from lm_utils.evidence.claims.claim import Claim, Finding, decided
from lm_utils.evidence.claims.document_000_section_1 import bce_refuses_numbers_outside
from lm_utils.evidence.results import MNIST_TEST, Results, baseline, tested_digits
from lm_utils.runs.rows import Row, rows
from lm_utils.tasks import TASKS


@Claim("000-balanced", "2-1", "The digits are balanced.").asked_pytorch
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


Claim(
    "000-accuracy-enough",
    "2-1",
    "… and so balanced that performance may be measured by accuracy.",
    note="The claim before this one, that the classes are balanced, holds. What is tested here is the step from "
    "balance to accuracy alone: whether rows that agree in accuracy agree in their probabilities, too.",
).trained(
    accuracy_tells_enough,
    rows=["000-3-4-ce-softmax", "000-3-4-bce-softmax", "000-3-4-bce-logits-softmax", "000-3-4-mse-softmax"],
)

Claim(
    "000-adamw",
    "2-4",
    "AdamW is the optimiser to take for all of these runs, as it was the most accurate one on this data.",
    note="The document refers to a comparison in another of its texts, which has not been repeated here. What is "
    "tested is the step from there to all rows: one row that another optimiser learns and AdamW, as the "
    "document sets it, does not is enough against it. (With a tenth of that learning rate AdamW learns that "
    "row, too.)",
).trained_under_conditions(one_optimiser_is_best, ours="control", other="sgd")

Claim("000-recommended-normal", "3", "All recommended losses reach a normal level.").trained(
    learn, rows=[row.id for row in rows(table="loss") if row.fits]
)

Claim(
    "000-others-nearly-normal",
    "3",
    "Losses that are not recommended come close to normal, but for BCE on regression, softmax on one "
    "probability or labels, and sigmoids on ten classes.",
).trained(
    learn,
    rows=[
        "000-3-2-mse-none",
        "000-3-2-mse-sigmoid",
        "000-3-2-mae-none",
        "000-3-2-mae-sigmoid",
        "000-3-2-rmse-none",
        "000-3-2-rmse-sigmoid",
        "000-3-3-bce-softmax",
        "000-3-3-bce-sigmoid",
        "000-3-3-bce-logits-softmax",
        "000-3-3-mse-softmax",
        "000-3-3-mse-sigmoid",
        "000-3-4-bce-softmax",
        "000-3-4-bce-logits-softmax",
        "000-3-4-mse-softmax",
        "000-3-5-mse-sigmoid",
    ],
)

Claim("000-regression-equal", "3-1", "On regression MSE, MAE and RMSE show no large difference.").trained(
    equal, pairs=[["000-3-1-mae", "000-3-1-mse"], ["000-3-1-rmse", "000-3-1-mse"]]
)


@with_rows
def stop_with_an_error(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether every run of every row ends with an error."""
    every = all(entry["status"] == "error" for row in chosen for entry in results.of(row.pairing))
    return Finding("holds here" if every else "refuted", row_sentences(results, chosen))


Claim(
    "000-bceloss-error",
    "3-1",
    "nn.BCELoss on regression stops with an error.",
    note="“device-side assert” is what a GPU says; the CPU names the reason.",
).trained(stop_with_an_error, rows=["000-3-1-bce"])

Claim("000-bcelogits-large", "3-1", "nn.BCEWithLogitsLoss on regression leaves a very large error.").trained(
    fail, rows=["000-3-1-bce-logits"]
)

Claim("000-bceloss-why", "3-1", "The reason: nn.BCELoss refuses outputs outside 0 to 1.").asked_pytorch(
    bce_refuses_numbers_outside
)


@Claim(
    "000-at-most-one", "3-1", "The reason: its own sigmoid keeps the output at 1 or below, so the error cannot shrink."
).worked_out
def an_output_of_at_most_one_explains_the_error() -> Finding:
    """Compare the published error with the worst that outputs between 0 and 1 could do."""
    targets = TASKS["regression"].target(tested_digits("mnist"))
    mean, std = targets.mean(), targets.std()
    worst = torch.maximum((targets - mean).square(), (targets - mean - std).square()).mean().item()
    raw = torch.maximum(targets.square(), (targets - 1).square()).mean().item()
    published = next(row.test for row in rows() if row.id == "000-3-1-bce-logits")
    return decided(
        published <= max(worst, raw),
        f"Outputs between 0 and 1, de-normalised, could do no worse than an MSE of {worst:.2f}, even with the worst one"
        f" for each image (not de-normalised: {raw:.2f}), but the published error is {published:.2f}, and"
        f" predicting the mean costs {baseline('regression'):.2f}. The metric reads the raw output, which no sigmoid"
        " bounds: the loss has no lower end for standardised targets outside 0 to 1, and the output runs away.",
    )


Claim("000-normalise", "3-1", "Regression targets must be normalised to get a good result.").trained(
    better, pairs=[["001-3-1-none", "001-3-1-none-raw"]]
)

Claim("000-regression-figures", "3-1", "The published figures for regression.").trained(
    reproduce, rows=loss_table("000", "3-1")
)

Claim(
    "000-probability-equal",
    "3-2",
    "On one probability BCE, MSE, MAE and RMSE show no large difference.",
    note="Large is what exceeds the course's margin of half a point; the document's own figures differ by 1.8 "
    "points, and it does not call that large.",
).trained(
    equal,
    pairs=[
        ["000-3-2-mse-none", "000-3-2-bce-sigmoid"],
        ["000-3-2-mse-sigmoid", "000-3-2-bce-sigmoid"],
        ["000-3-2-mae-none", "000-3-2-bce-sigmoid"],
        ["000-3-2-mae-sigmoid", "000-3-2-bce-sigmoid"],
        ["000-3-2-rmse-none", "000-3-2-bce-sigmoid"],
        ["000-3-2-rmse-sigmoid", "000-3-2-bce-sigmoid"],
    ],
)

Claim("000-probability-ce", "3-2", "Cross-entropy with softmax on one output learns nothing at all.").trained(
    fail, rows=["000-3-2-ce-softmax"]
)

Claim(
    "000-no-activation",
    "3-2",
    "Under MSE, MAE and RMSE no activation does slightly better than a sigmoid (more experiments needed).",
    guess=True,
).trained(
    slightly_better,
    pairs=[
        ["000-3-2-mse-none", "000-3-2-mse-sigmoid"],
        ["000-3-2-mae-none", "000-3-2-mae-sigmoid"],
        ["000-3-2-rmse-none", "000-3-2-rmse-sigmoid"],
    ],
)


@Claim("000-one-softmax", "3-2", "Softmax over a single output is always 1, so nothing can be learnt.").asked_pytorch
def softmax_of_one_output_is_one() -> Finding:
    """Apply softmax to single outputs, each divided by itself."""
    outputs = torch.softmax(torch.linspace(-50, 50, 101)[:, None], dim=1)
    return decided(
        bool((outputs == 1).all()),
        f"Over 101 outputs from −50 to 50 the softmax of a single output is always {outputs.min():.0f}.",
    )


@Claim(
    "000-distance-probability",
    "3-2",
    "The reason why MSE, MAE and RMSE work on one probability: they, too, make the distance to the label small.",
).worked_out
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


Claim("000-probability-figures", "3-2", "The published figures for one probability.").trained(
    reproduce, rows=loss_table("000", "3-2")
)

Claim("000-binary-equal", "3-3", "With two outputs cross-entropy, BCE and MSE differ by no more than chance.").trained(
    equal,
    pairs=[
        ["000-3-3-bce-softmax", "000-3-3-ce-softmax"],
        ["000-3-3-bce-sigmoid", "000-3-3-ce-softmax"],
        ["000-3-3-bce-logits-softmax", "000-3-3-ce-softmax"],
        ["000-3-3-mse-softmax", "000-3-3-ce-softmax"],
        ["000-3-3-mse-sigmoid", "000-3-3-ce-softmax"],
    ],
)

Claim("000-binary-activation", "3-3", "… and so do softmax and sigmoid.").trained(
    equal, pairs=[["000-3-3-bce-sigmoid", "000-3-3-bce-softmax"], ["000-3-3-mse-sigmoid", "000-3-3-mse-softmax"]]
)


@Claim(
    "000-distance-one-hot",
    "3-3",
    "The reason why BCE and MSE work on two outputs: they, too, make the distance to the one-hot label small.",
).worked_out
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


Claim("000-binary-figures", "3-3", "The published figures for two outputs.").trained(
    reproduce, rows=loss_table("000", "3-3")
)
