"""Do the targets have the type, the values and the meaning that the loss expects?"""

from collections.abc import Iterator
from math import inf

import torch
from torch import Tensor

from lm_utils.doctor.belongings import first_tensor, tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.checks.hidden_checks import weights_of
from lm_utils.doctor.output_origin import operation
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

LARGE_TARGET, HUGE_TARGET = 10.0, 1e3
FEWEST = 8  # samples below which it says little that all are of one class
MANY_TARGETS, MANY_PLACES = 32, 100  # from which it says something that a class is missing, or that all are class 0
UNLIKELY = 0.01
SIGN_LOSSES = {"soft_margin", "hinge_embedding", "pairs"}


def check_targets(case: Case, seen: Observation) -> Iterator[Finding]:
    """All questions about the targets of this loss."""
    if not torch.isfinite(case.target_values).all():
        yield said("targets_not_finite")
        return
    family = case.call.family
    if family in ("cross_entropy", "nll", "multi_margin"):
        shares = family == "cross_entropy" or case.call.is_own
        indices = not (shares and case.one_per_target and case.targets.is_floating_point())
        yield from _check_indices(case, seen) if indices else _check_class_shares(case, case.class_axis)
    elif family in ("bce", "bce_logits"):
        yield from _check_dtype(case)
        yield from _check_unit_targets(case)
    elif family == "distance":
        if case.call.name == "huber_loss":
            yield from _check_dtype(case)
        yield from check_reach(case)
        yield from _check_scale(case)
    elif family == "kl_div":
        yield from _check_kl_targets(case)
    elif family in SIGN_LOSSES:
        yield from _check_signs(case)
    elif family == "multilabel_margin":
        yield from _check_label_lists(case)
    elif family == "poisson" and case.target_values.min() < 0:
        yield said("negative_counts")
    elif family == "ctc":
        places = torch.arange(case.targets.shape[-1], device=case.targets.device)
        ends = torch.as_tensor(case.call.options["target_lengths"]).view(-1, 1) if case.targets.dim() > 1 else inf
        if bool(((case.targets == case.call.options.get("blank", 0)) & (places < ends)).any()):
            yield said("blank_in_targets")
    yield from check_independent_labels(case)


def _check_dtype(case: Case) -> Iterator[Finding]:
    if not case.targets.is_floating_point():
        yield said("integer_targets", kind=_name(case.targets), layer=case.call.layer)
    elif case.call.family == "bce" and case.targets.dtype != case.outputs.dtype:
        both = f"The outputs are {_name(case.outputs)} and the targets {_name(case.targets)}."
        yield said("target_dtype", both, layer=case.call.layer)


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _check_indices(case: Case, seen: Observation) -> Iterator[Finding]:
    targets, classes = case.targets, case.classes
    whole = not targets.is_floating_point() and targets.dtype != torch.bool
    if targets.dtype not in (torch.int64, torch.uint8):
        wanted = f"The targets are {_name(targets)}, and {case.call.layer} expects class numbers as int64."
        yield said(f"class_index_type{': whole' * whole}", wanted)
    if not whole:
        return
    ignored = case.call.options.get("ignore_index", -100)
    kept = targets[targets != ignored]
    if kept.numel() == 0 and targets.numel():
        yield said("all_targets_ignored", ignored=ignored)
    elif kept.numel() and classes > 1 and (kept.min() < 0 or kept.max() >= classes):
        yield _index_out_of_range(case, int(kept.min()), int(kept.max()))
    elif kept.numel() >= FEWEST and classes > 1:
        yield from _unused_class(case, kept, seen)


def _unused_class(case: Case, kept: Tensor, seen: Observation) -> Iterator[Finding]:
    """Labels 1 to K with K + 1 outputs, or one label for all: numbers that hardly come from K classes."""
    found, classes = kept.unique(), case.classes
    rows = first_tensor(case.patient.targets)
    one_a_sample = case.targets is rows and rows.dim() == 1 and classes > 2 and case.origin.made_by == "Addmm"
    own = rows is not None and rows.dim() > 1 and rows.numel() == case.targets.numel()  # the loss made no others
    enough = MANY_TARGETS if int(found[0]) > 0 else MANY_PLACES if own else inf
    made = [s.result for s in seen.watcher.steps if isinstance(s.result, Tensor) and s.result.requires_grad]
    empty = any(t.numel() == 0 for t in made)  # outputs that were picked by their labels, and none was
    if len(found) == 1 and (one_a_sample or empty or kept.numel() >= enough):
        yield said("one_class_only", count=kept.numel(), found=int(found))
    chance = (1 - 1 / classes) ** kept.numel()  # that a class is missing if all are as frequent
    from_one = found.tolist() == list(range(1, classes)) and kept.numel() >= MANY_TARGETS
    words = first_tensor(case.patient.inputs)
    from_one = from_one and (words.is_floating_point() or bool((words == 0).any()))  # 0 may be kept for padding
    flat = rows is not None and rows.dim() == 1 and rows.numel() == case.targets.numel()
    if classes > 2 and from_one and chance < UNLIKELY and flat:
        none = f"The labels run from 1 to {classes - 1} and none is 0, so output 0 has nothing to learn."
        yield said("unused_class", none, fewer=classes - 1)


def _index_out_of_range(case: Case, low: int, high: int) -> Finding:
    classes = case.classes
    advice = f"Give the model {high + 1} outputs: `nn.Linear(features, {high + 1})`."
    if low == 1 and high == classes:
        advice = "Count from 0: `loss_fn(outputs, targets - 1)`."
    elif high == 255 or low == -1:
        mark = 255 if high == 255 else -1
        advice = f"{mark} usually marks what is to be ignored: `nn.CrossEntropyLoss(ignore_index={mark})`."
    elif low < 0:
        advice = "Count from 0: `assert targets.min() >= 0` where the data are read."
    numbers = f"Class numbers run from {low} to {high}, and {classes} outputs allow 0 to {classes - 1}."
    return said("class_index_out_of_range", numbers, advice=advice)


def _check_class_shares(case: Case, axis: int) -> Iterator[Finding]:
    targets = case.target_values
    if targets.min() < 0:
        yield said("negative_probabilities")
        return
    sums = targets.sum(axis)
    off = (sums - 1).abs() > 10 * case.tolerance
    zeros_and_ones = bool(((targets == 0) | (targets == 1)).all())
    if bool((off & (sums != 0)).any()) and not zeros_and_ones:
        yield said("targets_do_not_sum_to_one: class shares")


def _check_unit_targets(case: Case) -> Iterator[Finding]:
    low, high = case.target_values.min().item(), case.target_values.max().item()
    if low >= -case.tolerance and high <= 1 + case.tolerance:
        return
    advice = "Use a loss for values: `loss_fn = nn.MSELoss()`."
    if (low, high) == (-1.0, 1.0):
        advice = "Turn -1/+1 into 0/1: `loss_fn(outputs, (targets + 1) / 2)`."
    elif low >= 0 and high in (100.0, 255.0):
        advice = f"Scale them: `loss_fn(outputs, targets / {high:g})`."
    numbers = f"The targets run from {low:.3g} to {high:.3g}, and {case.call.layer} expects 0 to 1."
    yield said("targets_outside_unit_range: numbers", numbers, advice=advice)


def _check_scale(case: Case) -> Iterator[Finding]:
    values = case.target_values
    size = max(values.mean().abs().item(), values.std(correction=0).item())
    if size > LARGE_TARGET and case.emits in ("logits", "unknown"):
        kind = f"large_targets{': huge' * (size > HUGE_TARGET)}"
        yield said(kind, mean=values.mean(), spread=values.std(correction=0))


def _check_kl_targets(case: Case) -> Iterator[Finding]:
    values, as_log = case.target_values, bool(case.call.options.get("log_target"))
    if not case.one_per_target:
        return
    if not as_log and values.min() < 0:
        yield said("kl_targets_are_logarithms")
    elif as_log and values.min() >= 0 and values.max() <= 1:
        yield said("kl_targets_are_probabilities")
    elif not as_log and (axis := case.unit_axis(case.values.exp())) is not None:
        yield from _check_class_shares(case, axis)
    if case.call.options.get("reduction", "mean") == "mean":
        yield said("kl_div_mean", 'KLDivLoss uses reduction="mean".')
    elif case.call.options.get("reduction") == "batchmean" and values.dim() > 2 and bool((values != values[:1]).any()):
        yield said("wrong_formula: batchmean", shape=list(values.shape), samples=len(values))


def _check_signs(case: Case) -> Iterator[Finding]:
    values = case.target_values
    if bool((values.abs() == 1).all()):
        return
    if bool(((values == 0) | (values == 1)).all()):
        yield said("labels_zero_one", layer=case.call.layer)
    else:
        yield said("labels_not_signs", layer=case.call.layer)


def _check_label_lists(case: Case) -> Iterator[Finding]:
    values = case.target_values
    if case.one_per_target and case.classes > 2 and bool(((values == 0) | (values == 1)).all()):
        yield said("multi_hot_into_multilabel_margin")


def check_independent_labels(case: Case) -> Iterator[Finding]:
    """A softmax, in the model or in the loss, where several labels (or none) may be true at once."""
    inside_loss = case.call.family == "cross_entropy"
    emits = case.emits in ("softmax", "log_softmax", "log_of_softmax")
    if not (inside_loss or emits) or not case.one_per_target or case.classes < 2:
        return
    values = case.target_values
    likenesses = case.in_loss and case.outputs.shape == (case.patient.batch_size,) * 2  # of samples to each other
    if likenesses or case.outputs.dim() < 2 or not bool(((values == 0) | (values == 1)).all()):
        return
    shares = case.values if case.emits == "softmax" else case.values.exp()
    axis = case.class_axis if inside_loss else case.unit_axis(shares)
    sums = values.sum(axis)
    masked = inside_loss and bool((sums <= 1).all()) and bool((sums == 1).any())
    if bool((sums == 1).all()) or masked or holds_labels(case.patient.inputs, values):
        return
    where = f"{case.call.layer} applies a softmax" if inside_loss else "The model ends in a softmax"
    yield said("softmax_for_independent_labels", where=where, least=int(sums.min()), most=int(sums.max()))


def holds_labels(inputs: object, goal: Tensor) -> bool:
    """Are these labels the inputs again, all or some of them? What was bought, say, is shared out on purpose."""
    return any(t.shape == goal.shape and bool(t.any()) and not bool(t[goal == 0].any()) for t in tensors_in(inputs))


def check_reach(case: Case) -> Iterator[Finding]:
    """Can the outputs take the values of the targets, and do they need their whole range?"""
    low, high = _reach(case)
    values, slack = case.target_values, case.tolerance * 10
    missed = ((values < low - slack) | (values > high + slack)).float().mean().item()
    if missed == 0:
        yield from _unused_half(case, low, high)
        return
    word = case.origin.kind.replace("_", "-") if case.emits not in ("unit_range", "within_one") else "output activation"
    yield said(f"range_cannot_reach_targets: {'many' if missed > 0.05 else 'some'}",
        f"The outputs stay between {low:g} and {high:g} ({word}), but the targets run from {values.min():.3g} to "
        f"{values.max():.3g}.", share=100 * missed)  # fmt: skip


def _unused_half(case: Case, low: float, high: float) -> Iterator[Finding]:
    if (low, high) == (-1.0, 1.0) and _fills_unit_range(case.target_values):
        yield said("range_wider_than_targets")


def _fills_unit_range(values: Tensor) -> bool:
    pictures = values.is_floating_point() and values.numel() >= 64 and values.dim() > 1
    return pictures and bool(0 <= values.min() < 0.1 and 0.9 < values.max() <= 1)


def check_fakes(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """One layer takes real samples of 0 to 1 and others that a tanh has made."""
    reals = [t.flatten(1) for t in tensors_in((patient.inputs, patient.targets)) if _fills_unit_range(t)]
    nodes = {n: operation(n) for t in tensors_in((seen.whole, seen.loss)) if reals for n in seen.behind(t)}
    fakes = [n._saved_result.flatten(1) for n, name in nodes.items() if name == "Tanh" and n._saved_result.dim() > 1]
    taken: list[set[int]] = [set(), set()]  # the layers' weights
    for node in nodes if fakes else ():
        given = getattr(node, {"Convolution": "_saved_input", "Addmm": "_saved_mat1"}.get(nodes[node], ""), None)
        rows = [row for t in tensors_in(given) for row in t.flatten(1).split(len(reals[0]))]
        for found, known in zip(taken, (reals, fakes), strict=True):
            if any(row.shape == one.shape and torch.equal(row, one) for row in rows for one in known):
                found |= weights_of(node)
    if taken[0] & taken[1]:
        yield said("range_wider_than_targets")


def _reach(case: Case) -> tuple[float, float]:
    if case.emits in ("unit_range", "softmax", "probability"):
        return 0.0, 1.0
    if case.emits == "within_one":
        return -1.0, 1.0
    return (case.origin.low, case.origin.high) if case.origin.kind not in ("other", "linear") else (-inf, inf)
