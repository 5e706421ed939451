"""Padding, ignored classes, weights and masks: do they say what was meant for these targets?"""

from collections.abc import Iterator

import torch
from torch import Tensor

from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.checks.batch_checks import cost_of, cost_with
from lm_utils.doctor.checks.formula_checks import behind, kind_of, pairs_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.sides import are_shares
from lm_utils.doctor.watching import Step

FEW = 0.3  # share of positives below which they are rare
ENOUGH = 16  # targets below which shares say little


def check_weights(case: Case) -> Iterator[Finding]:
    """All questions about what is ignored and what is weighed."""
    targets, given = case.targets, [case.call.options.get(name) for name in ("weight", "pos_weight")]
    least = min((float(t.min()) for t in given if isinstance(t, Tensor) and t.numel()), default=0.0)
    if least < 0:
        yield said("class_weight_reversed: negative", least=least)
    if case.call.family in ("cross_entropy", "nll") and not targets.is_floating_point() and targets.numel():
        yield from _ignored_class(case)


def _rows(patient: Patient) -> Tensor | None:
    """The user's own targets as rows of tokens, where they are such."""
    whole = [t for t in tensors_in(patient.targets) if t.dim() == 2 and not t.is_floating_point()]
    return next((t for t in whole if min(t.shape) > 1 and t.dtype != torch.bool), None)


def _tails(rows: Tensor, token: int) -> Tensor:
    """Mark where a token fills the end of a row."""
    return (rows == token).flip(1).cumprod(1).flip(1).bool()


def _ignored_class(case: Case) -> Iterator[Finding]:
    targets, weights = case.targets, case.call.options.get("weight")
    free = (weights == 0).nonzero().flatten().tolist() if isinstance(weights, Tensor) else []
    left_out = [k for k in (case.call.options.get("ignore_index", -100), *free) if bool((targets == k).any())]
    ignored, found = (left_out or [-1])[0], int((targets == (left_out or [-1])[0]).sum())
    if not 0 <= ignored < case.classes or (ignored in free and targets.dim() > 1):
        return  # pixels of no class are given the weight 0 on purpose
    rows, words = _rows(case.patient), case.patient.inputs
    tokens = isinstance(words, Tensor) and not words.is_floating_point() and words.numel() > 0
    if tokens and case.classes > int(words.max()) and not bool((words == ignored).any()):
        return  # a number that is no word marks where no word is asked for
    asked = words[rows != ignored] if tokens and rows is not None and words.shape == rows.shape else torch.zeros(0)
    if len(asked) and float((asked == asked.mode().values).float().mean()) > 0.6:
        return  # hidden words are asked for, and nothing else
    if rows is not None and any(torch.equal(r == ignored, _tails(r, ignored)) for r in (rows, rows.mT)):
        return  # it marks padding, also where time comes first
    told = f"The weight of class {ignored} is 0" if ignored in free else f"ignore_index={ignored}"
    emitted = f"{told}, a class that the model can emit, and {found} targets have it."
    yield said("ignored_class", emitted, ignored=ignored)


def check_hidden_places(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Places that a mask, a mark or padding hides must not be taught, and with more of them the loss must stay."""
    for hidden, token in _hidden(patient):
        width, ends = hidden.shape[1], _is_filled_up(~hidden)
        for head in tensors_in(seen.outputs):
            axis = next((a for a in range(1, head.dim()) if head.shape[a] in (width, width + 1)), None)
            slope = seen.slope_at(head) if axis and len(head) == len(hidden) else None
            if slope is None:
                continue
            places = slope.movedim(axis, 1)[:, :width]
            asked = places.flatten(2).amin(2) < 0 if places.dim() > 2 else places != 0
            shares = [float(a[h].float().mean()) for a, h in ((asked, hidden), (asked[:, :-1], hidden[:, 1:]))]
            if shares[0] > 0 if token is None else min(shares) > 0.5:
                kind = ": mask" if token is None else ": marks" * (token < 0 or not ends)
                filled = int(hidden[:, -2:].all(1).sum())
                yield said(
                    f"padding_not_ignored{kind}", share=100 * shares[0], filled=filled, rows=len(head), token=token
                )
            elif (
                shares[0] == 0
                and (ends or token is None)
                and isinstance(seen.outputs, Tensor)
                and _grows(patient, head, axis, hidden, token or 0)
            ):
                yield said("mean_over_padding", "With more padding, at which nothing is asked, the loss changes.")
            return


def _hidden(patient: Patient) -> Iterator[tuple[Tensor, int | None]]:
    """Where rows of targets hold marks below 0 or end in runs of one token, and what a mask beside them hides."""
    rows, parts = _rows(patient), list(tensors_in(patient.targets))
    if rows is not None and len(rows) >= 4:
        token = int(rows.min()) if bool((rows < 0).any()) else int(rows[:, -1].mode().values)
        tails = _tails(rows, token)
        often = (tails.sum(1) >= 2).sum() >= len(rows) / 3 and tails.sum(1).unique().numel() > 2
        if (token < 0 and len(rows[rows < 0].unique()) == 1) or (often and not bool(((rows == token) & ~tails).any())):
            yield rows == token, token
    words = next((t for t in tensors_in(patient.inputs) if t.dim() == 2 and not t.is_floating_point()), None)
    if rows is not None and words is not None and words.shape == rows.shape:
        asked = rows != (token := int(rows.mode().values.mode().values))
        secret = words == words[asked].mode().values if bool(asked.any()) else asked  # the token of hidden words
        if len(words[~secret].unique()) > 2 and bool(secret.any()) and torch.equal(asked, secret):
            yield ~asked, token
    tails = _tails(words, int(words[:, -1].mode().values)) if words is not None and words.numel() else torch.ones(0)
    for goal in (t for t in parts if len(parts) == 1 and t.shape == tails.shape and t.dtype == torch.float32):
        if len(tails.sum(1).unique()) > 2 and len(goal[tails].unique()) == 1 < len(goal[~tails].unique()):
            yield tails, None
    masks = [mask for t in parts if len(parts) > 1 and _is_filled_up(mask := _as_mask(t, patient))]
    for mask in masks:
        if not any(one.shape == mask.shape and bool((one >= mask).all() and (one > mask).any()) for one in masks):
            yield ~mask, None  # one inside another tells what is asked there


def _grows(patient: Patient, head: Tensor, axis: int, hidden: Tensor, token: int) -> bool:
    """Does the loss change with three more places at the end of each row that count for nothing?"""
    rows, head = _rows(patient), head.detach()
    last = head.narrow(axis, -1, 1)
    unlike = last[hidden[:, -1]][:1].expand_as(last)  # one that is hidden, also behind a row without padding

    def longer(t: Tensor, along: int = 1) -> Tensor:
        more = (unlike if t is head else t.narrow(along, -1, 1)).repeat_interleave(3, along)
        told = t[hidden].flatten()[0] if t.shape[:2] == hidden.shape else 0  # what a mask says of a hidden place
        return torch.cat([t, more if t is head else torch.full_like(more, token if t is rows else told)], along)

    targets = changed(patient.targets, lambda t: longer(t) if t.shape[:2] == hidden.shape else t)
    before, after = cost_of(patient, head, patient.targets)[0], cost_of(patient, longer(head, axis), targets)[0]
    return abs(before - after) > 1e-3 * abs(before)


def _as_mask(part: Tensor, patient: Patient) -> Tensor:
    """A mask as it is, or the one that lengths make where the padding of the inputs says the same."""
    words = next((t for t in tensors_in(patient.inputs) if t.dim() == 2 and not t.is_floating_point()), None)
    if part.dim() == 1 and words is not None and not part.is_floating_point() and len(part) == len(words):
        places = torch.arange(words.shape[1], device=part.device) < part[:, None]
        return places if torch.equal(~_tails(words, int(words[:, -1].mode().values)), places) else part
    return part.bool() if part.dim() == 2 and _is_binary(part) else part


def _is_filled_up(mask: Tensor) -> bool:
    """Are these rows of ones and then zeros, of several lengths?"""
    if mask.dtype != torch.bool or mask.dim() != 2 or not bool(mask[:, 0].all()):
        return False
    return len(mask.sum(1).unique()) > 2 and torch.equal(mask.long().cumprod(1).bool(), mask)


def check_counted(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Where the loss looks the targets must not all be one number, and any others where it does not look."""
    slopes = map(seen.slope_at, tensors_in(seen.outputs))
    for slope, goal in ((s, t) for s in slopes if s is not None for t in tensors_in(patient.targets)):
        places = [slope] if slope.shape == goal.shape else [slope.abs().amax(a) for a in (1, -1) if slope.dim() > 1]
        looked = next((p != 0 for p in places if p.shape == goal.shape), None)
        if looked is None or bool(looked.all()) or int(looked.sum()) < ENOUGH:
            continue
        text = any(t.shape == goal.shape and not t.is_floating_point() for t in tensors_in(patient.inputs))
        for asked in (goal, goal.roll(-1, -1))[: 1 + text]:
            if len(asked[looked].unique()) == 1 and len(asked[~looked].unique()) > 2:
                yield said("wrong_formula: counted", count=int(looked.sum()))
                return


def check_rare(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """At undecided outputs the slope of a place is its weight, in any loss: what is rare must not weigh less."""
    for step in seen.watcher.steps:
        own = seen.watcher.sources(step.args if kind_of(step) == "pow" else step.args[1:])
        if "outputs" in own and kind_of(step) in ("pow", "div"):
            return  # a focal loss weighs the other way round on purpose, an overlap by the size of what it found
    heads = [t for t in tensors_in(seen.outputs) if t.is_floating_point() and t.dim() and not seen.inside_model]
    for head, goal in ((h, t) for h in heads for t in tensors_in(patient.targets) if t.numel() >= ENOUGH):
        counts = goal.unique(return_counts=True)[1]
        if counts.max() < 2 * counts.min():
            continue
        even = torch.full_like(head, 0.5 if are_shares(head) else 1e-3)  # off the corners that a formula has at 0
        axis = next((a for a in (1, -1) if head.dim() > goal.dim() and head.select(a, 0).shape == goal.shape), None)
        slope = cost_with(patient, seen.outputs, head, even)[1]
        if _is_binary(goal) and goal.numel() == head.numel():
            yield from _rare_label(seen, goal.flatten().long(), slope.flatten())
            yes = (goal > 0).nonzero()[:, -1] if goal.dim() == 2 < goal.shape[1] else goal[:0]
            yield from _rare_class(yes, -slope.reshape(goal.shape)[goal > 0]) if len(yes) else ()
        elif axis is not None and not goal.is_floating_point() and 0 <= goal.max() < head.shape[axis]:
            own = -slope.gather(axis, goal.clamp(min=0).long().unsqueeze(axis)).squeeze(axis)
            yield from _rare_class(goal[own != 0], own[own != 0])


def _rare_class(labels: Tensor, sizes: Tensor) -> Iterator[Finding]:
    found, label, counts = labels.unique(return_inverse=True, return_counts=True)
    weights = torch.zeros(len(found)).to(sizes).index_add(0, label.flatten(), sizes.flatten()) / counts
    same = torch.allclose(weights[label.flatten()], sizes.flatten(), rtol=0.1)  # within a class
    plain = len(found) > 1 and same and bool((sizes > 0).all())  # the true class is the one that is pulled up
    if plain and counts.max() >= 3 * counts.min() and weights.max() > 1.9 * weights.min():
        as_often = torch.corrcoef(torch.stack([counts.to(weights).log(), weights.log()]))[0, 1] > 0.95
        most, second = weights.topk(2).values
        if as_often or (weights[counts.argmax()] == most and most > 1.9 * second):
            ratio = float(weights[counts.argmax()] / weights[counts.argmin()])
            yield said("class_weight_reversed: class weights", ratio=ratio)


def _rare_label(seen: Observation, labels: Tensor, sizes: Tensor) -> Iterator[Finding]:
    sizes = torch.where(labels == 1, -sizes, sizes)
    if bool((sizes < 0).any()):
        return  # a mask, say: there is something else to be learnt
    labels, sizes = labels[sizes > 0], sizes[sizes > 0]
    share = float(labels.float().mean())
    ratio = float(sizes[labels == 1].mean() / sizes[labels == 0].mean())
    if (0 < share < FEW and ratio < 0.7) or (1 > share > 1 - FEW and ratio > 1.5):
        given = any(isinstance(call.options.get("pos_weight"), Tensor) for call in seen.calls)
        code = "pos_weight_reversed" if given else "class_weight_reversed: own weights"
        yield said(code, share=100 * share, weight=ratio)


def check_masks(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about products of losses and numbers that carry no gradient."""
    products = {id(step.result): (step, *found) for step, pair in pairs_of(seen, "mul") if (found := _factor(pair))}
    yield from _padded_mean(seen, products, behind(seen, patient.targets))
    yield from _counts(seen)


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
            yield said("wrong_formula: counts", what=what)
            return


def _factor(pair: list[Tensor]) -> tuple[Tensor, Tensor] | None:
    """Return what is weighed and its weights, where one of two factors has a gradient and the other none."""
    weights = [t for t in pair if not t.requires_grad and t.dim()]
    each = [t for t in pair if t.requires_grad]
    return (each[0], weights[0]) if len(each) == len(weights) == 1 else None


def _is_binary(values: Tensor) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _padded_mean(
    seen: Observation, products: dict[int, tuple[Step, Tensor, Tensor]], judged: set[int]
) -> Iterator[Finding]:
    means = [first for step in seen.watcher.steps for first in step.tensors[:1]
             if kind_of(step) == "mean" and id(first) in products]  # fmt: skip
    masked = [
        (each, mask)
        for _, each, mask in (products[id(first)] for first in means)
        if _is_binary(mask) and bool((mask == 0).any())
    ]
    whole = behind(seen, [mask for _, mask in masked])  # a mean that is divided by the mask's own is right
    if any(id(under) in whole and not under.requires_grad for _, (_, under) in pairs_of(seen, "div")):
        return
    for each, mask in masked[:1]:
        places = mask.dim() > 1 and bool((mask.flatten(1) != mask.flatten(1)[:, :1]).any())  # not whole samples
        alone = all(other is mask or torch.equal(other, mask) for _, other in masked)
        losses = id(each) in judged and bool((each * mask >= 0).all())
        perhaps = "" if places and losses and alone else ": perhaps"
        yield said(f"mean_over_padding{perhaps}", "The mean runs over masked places too.")


WEIGHT_CHECKS = (check_masks, check_hidden_places, check_counted, check_rare)
"""The checks that ask the whole loss."""
