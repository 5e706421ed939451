"""Does what stands in the padding of texts and series change what the model says of the rest?"""

from collections.abc import Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import changed, first_tensor, tensors_in
from lm_utils.doctor.checks.dependence_checks import is_text
from lm_utils.doctor.output_origin import nodes_behind
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

ATTENTION = ("BmmBackward", "ScaledDotProduct")  # what scores one place by another becomes in a graph


def check_padding_seen(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does a model of sequences let what stands in the padding change what it says of the rest?"""
    if not isinstance(patient.model, nn.Module) or isinstance(seen.failure, Exception):
        return
    with patient.predicting():
        if _mask_hides_nothing(patient) or _padding_moves(seen, patient):
            yield said("padding_attended")


def _mask_hides_nothing(patient: Patient) -> bool:
    """Do other inputs change the rest of the outputs both where a given mask is 0 and where it is 1?"""
    parts = list(tensors_in(patient.inputs))
    for mask in parts:
        ones = mask.bool() if mask.dim() == 2 and bool(((mask == 0) | (mask == 1)).all()) else None
        if ones is None or bool(ones.all()) or not bool(ones.any()):
            continue
        fill = bool((ones.long().cumprod(1) == ones).all())  # ones, then zeros
        if not fill and mask.dtype != torch.bool:
            continue
        held = [t for t in parts if t.shape[:2] == mask.shape and t is not mask and len(t.unique()) > 2]
        if held and all(_moves(patient, t, where) for t in held for where in (ones, ~ones)):
            return True  # of two texts each has its own mask
    return False


def _moves(patient: Patient, values: Tensor, where: Tensor) -> bool:
    """Do other values at these places change what comes out, at the other places if it comes place by place?"""
    new = values + 1 if values.is_floating_point() else torch.where(values == values.max(), values.min(), values + 1)
    rows = where.view(*where.shape, *[1] * (values.dim() - 2))
    outputs = [_said(patient, changed(patient.inputs, lambda t, v=v: v if t is values else t))
               for v in (values, torch.where(rows, new, values))]  # fmt: skip
    return _differ(*outputs, ~where)


def _said(patient: Patient, inputs: object) -> Tensor:
    """What the model says of its samples, not the loss that it may put first: that may sum over padding."""
    found = list(tensors_in(patient.outputs_of(inputs)))
    return next((t for t in found if t.dim()), found[0])


def _differ(one: Tensor, other: Tensor, kept: Tensor) -> bool:
    if one.dim() > 2 and one.shape[:2] != kept.shape == one.transpose(1, -1).shape[:2]:
        one, other = one.transpose(1, -1), other.transpose(1, -1)  # classes before places
    places = one.shape[:2] == kept.shape
    return not torch.allclose(*((t[kept] if places else t) for t in (one, other)), rtol=1e-3, atol=1e-5)


def _padding_moves(seen: Observation, patient: Patient) -> bool:
    """Texts filled up with one token, series with zeros: what is put there instead no real place may feel."""
    parts = list(patient.model.modules())
    remembers = any(isinstance(part, (nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)) for part in parts)
    tokens = next((t for t in tensors_in(patient.inputs) if is_text(t) or (
        remembers and t.is_floating_point() and t.dim() == 3)), None)  # fmt: skip
    if tokens is None or any(isinstance(part, nn.modules.conv._ConvNd) for part in parts):
        return False
    padding = tokens == tokens[:, -1].mode().values if tokens.dim() == 2 else (tokens == 0).all(-1)
    tails = padding.flip(1).cumprod(1).flip(1).bool()
    if tails.sum(1).unique().numel() < 4 or bool((padding & ~tails).any()):
        return False

    def embedded(_: nn.Module, given: tuple, result: Tensor) -> Tensor | None:
        return (
            torch.where(padding[..., None], result.roll(1, -1) + 1, result) if torch.equal(given[0], tokens) else None
        )

    tables = [part for part in parts if isinstance(part, nn.Embedding)]
    if tokens.dim() > 2 or any(
        part.padding_idx == tokens[0, -1] for part in tables
    ):  # it may know padding by its zeros
        return _cut_short_differs(patient, tokens, tails)
    told = any(torch.equal(t, (~tails).sum(1)) for t in tensors_in(patient.inputs))  # how long each text is
    if not told and not any(
        node.name().startswith(ATTENTION) for node in nodes_behind(first_tensor(seen.outputs).grad_fn)
    ):
        return False  # it reads padding as one more word, and may learn to
    usual = _said(patient, patient.inputs)
    hooks = [part.register_forward_hook(embedded) for part in tables]
    try:
        return _differ(usual, _said(patient, patient.inputs), ~tails)
    finally:
        for hook in hooks:
            hook.remove()


def _cut_short_differs(patient: Patient, series: Tensor, tails: Tensor) -> bool:
    """Does a sample without its padding get another answer than with it?"""
    row, steps = int(tails.sum(1).argmax()), tails.shape[1]
    real = max(1, steps - int(tails[row].sum()))
    one = changed(patient.inputs, lambda t: t[row : row + 1] if t.dim() and len(t) == len(series) else t)
    short = changed(one, lambda t: t[:, :real] if t.dim() > 1 and t.shape[1] == steps else t)
    with suppress(RuntimeError, IndexError, ValueError):  # some take one length only
        usual, other = (_said(patient, given) for given in (one, short))
        usual = usual[:, :real] if usual.shape[1:2] == (steps,) else usual
        return usual.shape == other.shape and not torch.allclose(usual, other, rtol=1e-3, atol=1e-5)
    return False
