"""Padding, ignored classes, weights and masks: do they say what was meant for these targets?"""

from collections.abc import Iterator

import torch
from torch import Tensor

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.formula_checks import kind_of, pairs_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.watching import Step

FEW = 0.3  # share of positives below which they are rare
ENOUGH = 16  # targets below which shares say little


def check_weights(case: Case) -> Iterator[Finding]:
    """All questions about what is ignored and what is weighed."""
    targets = case.targets
    if case.call.family in ("cross_entropy", "nll") and not targets.is_floating_point() and targets.numel():
        yield from _ignored_class(case)
        yield from _class_weights(case)
    elif case.call.family == "bce_logits":
        yield from _positive_weight(case)


def _ignored(case: Case) -> int:
    return case.call.options.get("ignore_index", -100)


def _rows(patient: Patient) -> Tensor | None:
    """The user's own targets as rows of tokens, where they are such."""
    whole = [t for t in tensors_in(patient.targets) if t.dim() == 2 and not t.is_floating_point()]
    return next((t for t in whole if min(t.shape) > 1 and t.dtype != torch.bool), None)


def _tails(rows: Tensor, token: int) -> Tensor:
    """Mark where a token fills the end of a row."""
    return (rows == token).flip(1).cumprod(1).flip(1).bool()


def _ignored_class(case: Case) -> Iterator[Finding]:
    ignored, targets = _ignored(case), case.targets
    found = int((targets == ignored).sum())
    if not 0 <= ignored < case.classes or not found:
        return
    rows, words = _rows(case.patient), case.patient.inputs
    tokens = isinstance(words, Tensor) and not words.is_floating_point() and words.numel() > 0
    if tokens and case.classes > int(words.max()) and not bool((words == ignored).any()):
        return  # a number that is no word marks where no word is asked for
    if rows is not None:
        inside = (rows == ignored) & ~_tails(rows, ignored)
        if not bool(inside.any()):
            return  # it marks padding
    emitted = f"ignore_index={ignored} is a class that the model can emit, and {found} targets have it."
    yield said("ignored_class", emitted, ignored=ignored)


def check_padding_counted(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Rows of targets that end in runs of one token: does the loss send a gradient to those places, by any formula?"""
    rows = _rows(patient)
    if rows is None or rows.shape[0] < 4 or not isinstance(seen.loss, Tensor) or not seen.loss.requires_grad:
        return
    token = int(rows[:, -1].mode().values)
    tails = _tails(rows, token)
    filled, inside = tails.sum(1) >= 2, (rows == token) & ~tails
    if filled.sum() < rows.shape[0] / 3 or tails.sum(1).unique().numel() <= 2 or inside.any() or token < 0:
        return
    for scores in tensors_in(seen.outputs):
        if scores.dim() != 3 or not scores.requires_grad or len(scores) != len(rows):
            continue
        slope = torch.autograd.grad(seen.loss.sum(), scores, allow_unused=True, retain_graph=True)[0]
        width = rows.shape[1]
        axis = next((a for a in (1, 2) if scores.shape[a] in (width, width + 1)), None)
        if slope is not None and axis and bool((slope.abs().amax(3 - axis)[:, :width][tails] > 0).float().mean() > 0.5):
            yield said("padding_not_ignored",
                f"{int(filled.sum())} of {rows.shape[0]} rows of targets end in a run of {token} that the loss counts.",
                token=token)  # fmt: skip
            return


def _class_weights(case: Case) -> Iterator[Finding]:
    weight = case.call.options.get("weight")
    if not isinstance(weight, Tensor) or weight.numel() != case.classes or case.targets.numel() < ENOUGH:
        return
    kept = case.targets[(case.targets >= 0) & (case.targets < case.classes)]
    counts = torch.bincount(kept.flatten(), minlength=case.classes).to(weight)
    present = counts > 0
    counts, weight = counts[present], weight.detach()[present]
    if len(counts) < 2 or counts.max() < 3 * counts.min() or weight.max() < 2 * weight.min():
        return
    both = torch.stack([counts.log(), weight.log().nan_to_num(neginf=-20)])
    if torch.corrcoef(both)[0, 1] > 0.8:
        yield said("class_weight_reversed: class weights",
            f"The most frequent class has the weight {weight[counts.argmax()]:.3g}, the rarest "
            f"{weight[counts.argmin()]:.3g}.")  # fmt: skip


def _positive_weight(case: Case) -> Iterator[Finding]:
    weight, targets = case.call.options.get("pos_weight"), case.target_values
    if not isinstance(weight, Tensor) or targets.numel() < ENOUGH or not weight.numel():
        return
    if weight.numel() > 1 and targets.dim() < 2:
        return
    share = targets.mean() if weight.numel() == 1 else targets.movedim(1, -1).flatten(0, -2).mean(0)
    if share.numel() not in (1, weight.numel()) or not bool(((targets >= 0) & (targets <= 1)).all()):
        return
    weight, share = weight.detach().flatten().to(share), share.flatten()
    wrong = ((share < FEW) & (share > 0) & (weight < 0.7)) | ((share > 1 - FEW) & (share < 1) & (weight > 1.5))
    if bool(wrong.float().mean() > 0.5):
        yield said("pos_weight_reversed",
            f"{100 * share.mean():.0f} % of the targets are positive, and pos_weight is {weight.mean():.3g}."
        )  # fmt: skip


def check_masks(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about products of losses and numbers that carry no gradient."""
    products = {id(step.result): (step, *found) for step, pair in pairs_of(seen, "mul") if (found := _factor(pair))}
    yield from _padded_mean(seen, products)
    yield from _counts(seen)
    for step, each, weights in products.values():
        yield from _own_weights(seen, patient, step, each, weights)


def _counts(seen: Observation) -> Iterator[Finding]:
    """A division by the sum of numbers of both signs, or by how many were filled with zero, as if they had counted."""
    made_by = {id(step.result): step for step in seen.watcher.steps}
    filled = {id(step.args[1]) for step in seen.watcher.steps if step.name == "masked_fill" and step.args[2:] == (0.0,)}
    for _, (over, under) in pairs_of(seen, "div"):
        step = made_by.get(id(under))
        while step is not None and kind_of(step) in ("clamp", "clamp_min"):
            step = made_by.get(id(step.tensors[0]))
        if step is None or kind_of(step) != "sum" or not over.requires_grad or under.requires_grad:
            continue
        values = step.tensors[0]
        signed = bool((values < 0).any() and (values > 0).any())
        if seen.watcher.sources(values) == {"targets"} and (signed or id(values) in filled):
            what = "a sum of numbers of both signs" if signed else "the number of places that a mask has emptied"
            yield said("wrong_formula: counts", f"The loss is divided by {what}.")
            return


def _factor(pair: list[Tensor]) -> tuple[Tensor, Tensor] | None:
    """Return what is weighed and its weights, where one of two factors has a gradient and the other none."""
    weights = [t for t in pair if not t.requires_grad and t.dim()]
    each = [t for t in pair if t.requires_grad]
    return (each[0], weights[0]) if len(each) == len(weights) == 1 else None


def _is_binary(values: Tensor) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _padded_mean(seen: Observation, products: dict[int, tuple[Step, Tensor, Tensor]]) -> Iterator[Finding]:
    means = [first for step in seen.watcher.steps for first in step.tensors[:1]
             if kind_of(step) == "mean" and id(first) in products]  # fmt: skip
    masked = [
        (each, mask)
        for _, each, mask in (products[id(first)] for first in means)
        if _is_binary(mask) and bool((mask == 0).any())
    ]
    for each, mask in masked[:1]:
        places = mask.dim() >= 2 and mask.numel() > mask.shape[0]  # places within a sample, not samples
        alone = all(other is mask or torch.equal(other, mask) for _, other in masked)
        losses = "targets" in seen.watcher.sources(each) and bool((each >= 0).all())
        perhaps = "" if places and losses and alone else ": perhaps"
        yield said(f"mean_over_padding{perhaps}", "The mean runs over masked places too.")


def _own_weights(seen: Observation, patient: Patient, step: Step, each: Tensor, weights: Tensor) -> Iterator[Finding]:
    """Two weights chosen by the target: the rarer label must not be the cheaper one."""
    labels = next((t for t in tensors_in(patient.targets) if t.numel() == weights.numel()), None)
    if labels is None or "outputs" not in seen.watcher.sources(each) or not _is_binary(labels) or labels.numel() < 16:
        return
    yes = labels.reshape(-1).bool()
    weights, share = weights.reshape(-1), yes.float().mean()
    if not 0 < share < 1 or seen.watcher.sources(step.tensors[0]) == seen.watcher.sources(step.tensors[1]):
        return
    if any(kind_of(one) == "pow" and "outputs" in seen.watcher.sources(one.args) for one in seen.watcher.steps):
        return  # a focal loss weighs the other way round on purpose
    of_yes, of_no = weights[yes], weights[~yes]
    if bool((of_yes != of_yes[0]).any()) or bool((of_no != of_no[0]).any()) or min(of_yes[0], of_no[0]) <= 0:
        return
    ratio, odds = of_yes[0] / of_no[0], share / (1 - share)
    if torch.minimum(ratio, odds) > 2 or torch.maximum(ratio, odds) < 0.5:
        yield said("class_weight_reversed: own weights",
            f"{100 * share:.0f} % of the labels are yes; a yes weighs {of_yes[0]:.3g} and a no {of_no[0]:.3g}."
        )  # fmt: skip
