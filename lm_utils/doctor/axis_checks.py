"""Own formulas: which axes of outputs and targets meet, share the whole or are chosen from."""

from collections.abc import Iterator
from math import prod

import torch
from torch import Tensor

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.formula_checks import kind_of, of, pair_of
from lm_utils.doctor.output_origin import origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding

STRETCHING = {"sub", "add", "mul", "div", "max", "min", "maximum", "minimum", "where"}
SQUASHING = {"softmax", "log_softmax", "sigmoid", "logsigmoid", "log_sigmoid", "logsumexp"}
SHARES = {"softmax", "sigmoid"}


def check_axes(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about the axes in a loss of one's own."""
    for check in (_stretch, _squashed, _scrambled, _chosen_elsewhere, _labels_as_places):
        yield from check(seen, patient)


def _stretch(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """[N] against [N, 1]: the shorter shape gets an axis in front, and both grow into a table of all pairs."""
    for step in seen.watcher.steps:
        pair = pair_of(step) if kind_of(step) in STRETCHING else None
        if pair is None or not isinstance(step.result, Tensor) or not _both_grow(*pair, step.result):
            continue
        own = [("outputs" in of(seen, one), "targets" in of(seen, one)) for one in pair]
        if (own[0][0] and own[1][1] and not own[1][0]) or (own[1][0] and own[0][1] and not own[0][0]):
            yield Finding("shapes_broadcast", "error",
                f"Inside the loss {list(pair[0].shape)} and {list(pair[1].shape)} meet and are silently stretched "
                f"to {list(step.result.shape)}.",
                "Every sample meets the targets of all other samples, and the best answer is their mean.",
                f"Give both one shape before `{kind_of(step)}`: `values.squeeze(-1)` or `targets.unsqueeze(-1)`."
            )  # fmt: skip
            return


def _both_grow(one: Tensor, other: Tensor, result: Tensor) -> bool:
    return one.dim() != other.dim() and result.numel() > max(one.numel(), other.numel()) and min(
        one.numel(), other.numel()) > 1  # fmt: skip


def _squashed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax or sigmoid of what is one already, or a softmax that runs over the batch."""
    for step in seen.watcher.steps:
        name, first = kind_of(step), next(iter(step.tensors), None)
        if name not in SQUASHING or first is None or "outputs" not in of(seen, first):
            continue
        before = origin_of(first).kind
        if before in SHARES if name != "logsumexp" else before == "softmax":
            yield Finding("activation_twice", "warning",
                f"The loss applies a {name} to numbers that a {before} has made already.",
                "The second one sees only numbers between 0 and 1, so it can never become sure and gradients shrink.",
                f"Use one of the two: leave the {name} out of the loss, or return raw outputs from the model."
            )  # fmt: skip
        yield from _over_batch(step.result, patient, "The loss applies")
    for tensor in tensors_in(seen.outputs):
        yield from _over_batch(tensor, patient, "The model ends in")


def _over_batch(result: object, patient: Patient, where: str) -> Iterator[Finding]:
    if not isinstance(result, Tensor) or result.dim() < 2 or list(result.shape).count(patient.batch_size) != 1:
        return
    origin = origin_of(result)
    over = origin.kind in ("softmax", "log_softmax") and origin.size == patient.batch_size
    if over and (origin.axis == 0 or result.dim() == 3):
        yield Finding("softmax_wrong_axis", "error",
            f"{where} a {origin.kind.replace('_', '-')} that runs over the batch.",
            "The classes of one prediction should share the whole; a sample's output then depends on the others.",
            f"Name the axis of the classes: `dim={-1 if result.dim() < 4 else 1}`.")  # fmt: skip


def _scrambled(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """[N, C, ...] seen as [-1, C], or its axes in another order, without moving one."""
    for step in seen.watcher.steps:
        first, result = next(iter(step.tensors), None), step.result
        if kind_of(step) not in ("view", "reshape") or not isinstance(result, Tensor) or first.dim() < 3:
            continue
        if of(seen, first) == {"outputs"} and _is_scrambled(first.shape, result.shape):
            yield Finding("axes_scrambled", "error",
                f"{list(first.shape)} is seen as {list(result.shape)} without moving the classes.",
                "A row then holds numbers of one class at several places, not the classes of one place.",
                "Move the axis first: `outputs.movedim(1, -1).reshape(-1, classes)`, or `outputs.transpose(1, 2)`."
            )  # fmt: skip
            return


def _is_scrambled(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    second, rest = before[1], prod(before[2:])
    if second < 2 or rest < 2:
        return False
    if len(after) == 2:
        return after[1] == second != before[-1]
    reordered = sorted(after) == sorted(before) and tuple(after) != tuple(before)
    return reordered or (tuple(after) == (before[0], rest, second) and rest != second)


def _chosen_elsewhere(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax over one axis, and the truth picked or summed up along another."""
    products = {id(s.result): s for s in seen.watcher.steps if kind_of(s) == "mul" and len(s.tensors) == 2}
    for step in seen.watcher.steps:
        kind, shares = kind_of(step), next(iter(step.tensors), None)
        axis = step.argument(1, "dim")
        if kind == "sum" and id(shares) in products:
            pair = products[id(shares)].tensors
            shares = next((one for one, other in (pair, pair[::-1]) if of(seen, other) == {"targets"}), None)
        elif kind != "gather":
            continue
        if not isinstance(axis, int) or not isinstance(shares, Tensor) or "outputs" not in of(seen, shares):
            continue
        origin = origin_of(shares)
        known = origin.kind in ("softmax", "log_softmax") and origin.shape == shares.shape and not origin.turned
        if known and origin.axis != axis % shares.dim():
            yield Finding("softmax_wrong_axis", "error",
                f"A {origin.kind.replace('_', '-')} runs over axis {origin.axis} of {list(shares.shape)}, and the "
                f"truth is chosen along axis {axis % shares.dim()}.",
                "The classes of one prediction should share the whole; here different places do.",
                f"Let both run over the classes: `dim={axis}`.")  # fmt: skip
            return


def _labels_as_places(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Yes and no as whole numbers in square brackets: they pick samples 0 and 1 again and again."""
    for step in seen.watcher.steps:
        index = step.args[1] if step.name == "__getitem__" else None
        if not isinstance(index, Tensor) or index.dtype != torch.long or "outputs" not in of(seen, step.args[0]):
            continue
        if len(step.args[0]) == index.numel() > 2 and of(seen, index) == {"targets"} and int(index.max()) == 1:
            yield Finding("wrong_formula", "warning",
                f"Marks of 0 and 1 are used as places: `[...]` takes samples 0 and 1 {index.numel()} times.",
                "Whole numbers choose by place; only a boolean tensor chooses what is marked.",
                "Write `values[marks.bool()]`.")  # fmt: skip
