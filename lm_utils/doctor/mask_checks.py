"""Masks and weights of a loss of one's own: is a mean taken over what does not count, is a weight turned round?"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.formula_checks import kind_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding
from lm_utils.doctor.watching import Step


def check_masks(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about products of losses and numbers that carry no gradient."""
    products = {id(step.result): step for step in seen.watcher.steps if _factor(step) is not None}
    yield from _padded_mean(seen, products)
    for step in products.values():
        yield from _own_weights(seen, patient, step)


def _factor(step: Step) -> tuple[Tensor, Tensor] | None:
    """Return what is weighed and its weights, where a step multiplies one with gradient by one without."""
    pair = step.tensors if kind_of(step) == "mul" and len(step.tensors) == 2 else ()
    weights = [t for t in pair if not t.requires_grad and t.dim()]
    each = [t for t in pair if t.requires_grad]
    return (each[0], weights[0]) if len(each) == len(weights) == 1 else None


def _is_binary(values: Tensor) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _padded_mean(seen: Observation, products: dict[int, Step]) -> Iterator[Finding]:
    means = [first for step in seen.watcher.steps for first in step.tensors[:1]
             if kind_of(step) == "mean" and id(first) in products]  # fmt: skip
    pairs = [_factor(products[id(first)]) for first in means]
    masked = [(each, mask) for each, mask in pairs if _is_binary(mask) and bool((mask == 0).any())]
    for each, mask in masked[:1]:
        places = mask.dim() >= 2 and mask.numel() > mask.shape[0]  # places within a sample, not samples
        losses = "targets" in seen.watcher.sources(each) and bool((each >= 0).all())
        yield Finding(
            "mean_over_padding",
            "warning" if places and losses and len(masked) == 1 else "info",
            "The mean runs over masked places too.",
            "Zeros are counted, so the value depends on how much of a batch is padding.",
            "Divide by what counts: `(each * mask).sum() / mask.expand_as(each).sum()`.",
        )


def _own_weights(seen: Observation, patient: Patient, step: Step) -> Iterator[Finding]:
    """Two weights chosen by the target: the rarer label must not be the cheaper one."""
    each, weights = _factor(step)
    labels = next((t for t in tensors_in(patient.targets) if t.numel() == weights.numel()), None)
    if labels is None or "outputs" not in seen.watcher.sources(each) or not _is_binary(labels) or labels.numel() < 16:
        return
    yes = labels.reshape(-1).bool()
    weights, share = weights.reshape(-1), yes.float().mean()
    if not 0 < share < 1 or seen.watcher.sources(step.tensors[0]) == seen.watcher.sources(step.tensors[1]):
        return
    of_yes, of_no = weights[yes], weights[~yes]
    if bool((of_yes != of_yes[0]).any()) or bool((of_no != of_no[0]).any()) or min(of_yes[0], of_no[0]) <= 0:
        return
    ratio, odds = of_yes[0] / of_no[0], share / (1 - share)
    if torch.minimum(ratio, odds) > 2 or torch.maximum(ratio, odds) < 0.5:
        yield Finding(
            "class_weight_reversed",
            "warning",
            f"{100 * share:.0f} % of the labels are yes; a yes weighs {of_yes[0]:.3g} and a no {of_no[0]:.3g}.",
            "The weights make the imbalance worse: the rare label costs even less than it would without them.",
            "Swap the two weights: the rarer label gets the larger one.",
        )
