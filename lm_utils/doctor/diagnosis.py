"""`diagnose`: look at a model, its loss and one batch, and name what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from lm_utils.doctor.activation_checks import check_activation, check_unit_values
from lm_utils.doctor.case import Case
from lm_utils.doctor.dependence_checks import check_baseline, check_dependence
from lm_utils.doctor.gpu_guard import WouldKillDevice
from lm_utils.doctor.gradient_checks import check_finite, check_flow, check_hidden_units, check_path, first_sentence
from lm_utils.doctor.loss_calls import LossCall
from lm_utils.doctor.observation import Observation, Patient, first_tensor, nothing_changes
from lm_utils.doctor.report import Finding, Report, in_order
from lm_utils.doctor.shape_checks import check_shapes
from lm_utils.doctor.target_checks import check_targets

USUAL_KEYS = ("out", "logits", "output", "outputs", "prediction", "predictions")
CONSTANT_OUTPUT = {"softmax_over_one_output", "one_column_cross_entropy"}
"""Causes that explain equal outputs and zero gradients, which are then not reported again."""


def diagnose(model: Callable, loss_fn: Callable, inputs: object, targets: object) -> Report:
    """Examine `loss_fn(model(inputs), targets)` in the mode the model is in; nothing is trained or changed.

    A tuple of inputs is passed as several arguments, a mapping as named ones, anything else as one.
    """
    with nothing_changes(model, inputs):
        return _examine(Patient(model, loss_fn, inputs, targets))


def _examine(patient: Patient) -> Report:
    seen = patient.observe()
    if seen.failed_in == "model":
        return Report((_model_fails(seen.failure),))
    findings = list(_choose_tensor(seen, patient))
    if patient.pick:
        seen = patient.observe()
    cases = [Case(patient, call, number) for number, call in enumerate(seen.calls) if _is_about(call, seen.outputs)]
    for case in cases:
        findings += _examine_call(case, seen)
    outputs = cases[0].outputs if cases else first_tensor(patient.pick(seen.outputs) if patient.pick else seen.outputs)
    findings += check_finite(seen, outputs)
    findings += check_path(seen, outputs, patient)
    findings += check_hidden_units(seen, outputs)
    findings += check_flow(seen, patient)
    findings += check_dependence(outputs, patient)
    findings += _about_the_call(seen, cases, findings)
    return Report(in_order(_without_echoes(findings)), _examined(patient, outputs, cases))


def _examine_call(case: Case, seen: Observation) -> Iterator[Finding]:
    if case.targets.requires_grad and not case.outputs.requires_grad:
        if case.call.family != "distance":
            yield _arguments_swapped(case)
        return
    shapes = list(check_shapes(case))
    yield from shapes
    if not case.outputs.is_floating_point() or case.outputs.numel() == 0:
        return
    yield from check_activation(case)
    yield from check_unit_values(case)
    if not any(finding.severity == "error" for finding in shapes) or case.call.family in ("bce", "bce_logits"):
        yield from check_targets(case)
    if not shapes:
        yield from check_baseline(case, seen)


def _is_about(call: LossCall, outputs: object) -> bool:
    """Does this loss call compare tensors, and do they come from the model?"""
    if not isinstance(call.input, Tensor) or not isinstance(call.target, Tensor):
        return False
    roots = [t for t in _all_tensors(outputs) if t.requires_grad]
    both = [t for t in (call.input, call.target) if t.requires_grad]
    if not roots or not both or any(t is root for t in both for root in roots):
        return True
    slopes = [torch.autograd.grad(t.sum(), roots, allow_unused=True, retain_graph=True) for t in both]
    return any(slope is not None for row in slopes for slope in row)


def _all_tensors(outputs: object) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    parts = outputs.values() if isinstance(outputs, Mapping) else outputs if isinstance(outputs, (tuple, list)) else []
    return [tensor for part in parts for tensor in _all_tensors(part)]


def _choose_tensor(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A dict or tuple handed to a loss that wants one tensor: say so, and go on with the likely one."""
    outputs = seen.outputs
    if isinstance(outputs, Tensor) or seen.failure is None:
        return
    if isinstance(outputs, Mapping):
        keys = list(outputs)
        key = next((name for name in USUAL_KEYS if name in keys), keys[0] if keys else None)
        kind, access = f"a dictionary ({', '.join(map(str, keys))})", f"[{key!r}]".replace("'", '"')
        pick = (lambda found: found[key]) if keys else None
    elif isinstance(outputs, (tuple, list)) and outputs:
        kind, access, pick = f"a {type(outputs).__name__} of {len(outputs)}", "[0]", lambda found: found[0]
    elif hasattr(outputs, "logits"):
        kind, access, pick = f"a {type(outputs).__name__}", ".logits", lambda found: found.logits
    else:
        kind, access, pick = f"a {type(outputs).__name__}", "", None
    patient.pick = pick
    yield Finding(
        "outputs_not_a_tensor",
        "error",
        f"The model returns {kind}, and the loss takes one tensor.",
        f"The call fails ({first_sentence(seen.failure)[:-1]}).",
        f"Pass the part that is meant: `loss_fn(model(inputs){access}, targets)`.",
    )


def _about_the_call(seen: Observation, cases: list[Case], findings: list[Finding]) -> Iterator[Finding]:
    explained = any(finding.severity == "error" for finding in findings)
    if seen.failure is not None and not explained:
        name = "would_kill_device" if isinstance(seen.failure, WouldKillDevice) else "loss_fails"
        yield Finding(
            name,
            "error",
            f"The loss cannot be computed: {first_sentence(seen.failure)}",
            "It does not accept these outputs and targets.",
            "Compare shapes and types: `print(outputs.shape, outputs.dtype, targets.shape, targets.dtype)`.",
        )
    elif seen.failure is None and not isinstance(seen.loss, Tensor):
        yield Finding(
            "loss_not_a_tensor",
            "error",
            f"The loss is a {type(seen.loss).__name__}, not a tensor.",
            "Only a tensor remembers how it was computed, and backward() needs that.",
            "Return the tensor itself, without .item() or float(): `return loss`.",
        )
    elif seen.failure is None and seen.loss.numel() != 1:
        yield Finding(
            "loss_not_scalar",
            "info",
            f"The loss has shape {list(seen.loss.shape)}, not a single number.",
            "backward() needs one number.",
            "Average it: `loss_fn(outputs, targets).mean()`.",
        )
    if seen.failure is None and not cases:
        yield Finding(
            "unknown_loss",
            "info",
            "The loss is not one of torch's that the doctor knows, so its demands are unknown.",
            "Only what holds for every loss was checked: gradients, hidden units, dependence on the input.",
            "Nothing needs to be done; with a loss of torch's, such as `nn.CrossEntropyLoss()`, more is checked.",
        )


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Drop findings that only repeat what another one explains."""
    codes = {finding.code for finding in findings}
    echoes = {"outputs_ignore_inputs", "zero_gradient"} if codes & CONSTANT_OUTPUT else set()
    echoes |= {"zero_gradient"} if "outputs_ignore_inputs" in codes else set()
    echoes |= (
        {"loss_not_finite", "gradient_not_finite"}
        if any(f.severity == "error" for f in findings if f.code not in ("loss_not_finite", "gradient_not_finite"))
        else set()
    )
    return [finding for finding in findings if finding.code not in echoes]


def _model_fails(error: Exception) -> Finding:
    return Finding(
        "model_fails",
        "error",
        f"The model fails on these inputs: {first_sentence(error)}",
        "Without outputs nothing else can be examined.",
        "Try `model(inputs)` alone; several inputs go in as a tuple, named ones as a dict.",
    )


def _arguments_swapped(case: Case) -> Finding:
    return Finding(
        "arguments_swapped",
        "error",
        f"{case.call.layer} receives the targets first and the outputs second.",
        "The two are not treated alike: one is taken as prediction, the other as truth.",
        "Swap them: `loss_fn(outputs, targets)`.",
    )


def _examined(patient: Patient, outputs: Tensor | None, cases: list[Case]) -> str:
    mode = "training mode" if getattr(patient.model, "training", False) else "evaluation mode"
    parts = [f"{type(patient.model).__name__} in {mode}"]
    if outputs is not None:
        parts.append(f"outputs {list(outputs.shape)} {str(outputs.dtype).removeprefix('torch.')}")
    if cases:
        targets = cases[0].targets
        parts[-1] += f" ({cases[0].emits.replace('_', ' ')})"
        parts.append(f"targets {list(targets.shape)} {str(targets.dtype).removeprefix('torch.')}")
        parts.append(" + ".join(dict.fromkeys(case.call.layer for case in cases)))
    return "; ".join(parts)
