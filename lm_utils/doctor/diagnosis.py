"""`diagnose`: look at a model, its loss and one batch, and name what does not fit."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import first_tensor, tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.checks.activation_checks import check_activation, check_two_deep
from lm_utils.doctor.checks.batch_checks import check_own_targets, check_samples_mixed
from lm_utils.doctor.checks.dependence_checks import check_baseline, check_dependence, check_leak
from lm_utils.doctor.checks.formula_checks import check_formula, own_difference
from lm_utils.doctor.checks.gradient_checks import (
    check_asked_slopes,
    check_finite,
    check_flow,
    check_path,
    check_registered,
    check_target_gradients,
)
from lm_utils.doctor.checks.hidden_checks import check_hidden_units, check_inner_layers
from lm_utils.doctor.checks.left_out_checks import check_left_out
from lm_utils.doctor.checks.own_loss import read_own_losses
from lm_utils.doctor.checks.padding_checks import check_padding_seen
from lm_utils.doctor.checks.pair_checks import check_pairs
from lm_utils.doctor.checks.role_checks import (
    check_gaussian,
    check_quantiles,
    check_roles,
    check_spread,
    check_volume,
)
from lm_utils.doctor.checks.shape_checks import check_axes, check_shapes
from lm_utils.doctor.checks.share_checks import check_shares
from lm_utils.doctor.checks.target_checks import check_fakes, check_reach, check_targets
from lm_utils.doctor.checks.trial_checks import check_rewards
from lm_utils.doctor.checks.use_checks import FIRST_CHECKS, USE_CHECKS, narrow_to_answers
from lm_utils.doctor.checks.weight_checks import WEIGHT_CHECKS, check_weights
from lm_utils.doctor.gpu_guard import WouldKillDevice
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.record import nothing_changes
from lm_utils.doctor.report import DoctorError, Finding, Report, first_sentence, in_order, kind_of, known_codes, said
from lm_utils.doctor.watching import LossCall

USUAL_KEYS = ("out", "logits", "output", "outputs", "prediction", "predictions")
CONSTANT_OUTPUT = {"softmax_over_one_output", "one_column_cross_entropy"}
"""Causes that explain equal outputs and zero gradients, which are then not reported again."""
TRIALS = (check_own_targets, check_rewards, check_left_out, check_roles, check_pairs, check_spread,
          check_quantiles, check_volume)  # fmt: skip
"""Checks that hand the loss other outputs."""


def diagnose(model: Callable, loss_fn: Callable, inputs: object, targets: object) -> Report:
    """Examine `loss_fn(model(inputs), targets)` in the mode the model is in; nothing is trained or changed.

    A tuple of inputs is passed as several arguments, a mapping as named ones where its names fit, anything else
    as one.
    """
    for name, value in (("model", model), ("loss", loss_fn)):
        if not callable(value):
            raise DoctorError(f"The {name} must be something that can be called, not {kind_of(value)}.")
        if isinstance(value, type) and issubclass(value, nn.Module):
            raise DoctorError(f"The {name} is the class {value.__name__}; hand over an object: {value.__name__}().")
    for name, value in (("inputs", inputs), ("targets", targets)):
        _must_be_readable_twice(name, value)
    if _is_meta(model, inputs):
        reason = "everything, because the model or the inputs are on the meta device and have no values"
        return Report((not_looked_at(reason),))
    with nothing_changes(model, loss_fn) as record:
        try:
            patient = Patient(model, loss_fn, inputs, targets)
            report, note = _examine(patient), patient.note
        except Exception as error:  # a model of a kind nobody thought of must not end somebody's tests
            report, note = Report(()), f"everything, because the doctor failed: {first_sentence(error)}"
    notes = [not_looked_at(one) for one in (note, record.note) if one]
    return replace(report, findings=(*report.findings, *notes)) if notes else report


def _must_be_readable_twice(name: str, value: object) -> None:
    """The doctor runs the step several times, on copies."""
    if any(isinstance(part, Iterator) for part in (value if isinstance(value, tuple) else (value,))):
        raise DoctorError(f"The {name} are read only once by {kind_of(value)}; hand over a list of what it yields.")
    try:
        list(tensors_in(value))
    except RecursionError:
        raise DoctorError(f"The {name} contain themselves, so they cannot be copied.") from None


def _is_meta(model: object, inputs: object) -> bool:
    parameters = model.parameters() if isinstance(model, nn.Module) else ()
    return any(tensor.is_meta for tensor in (*tensors_in(inputs), *parameters))


class _Examination:
    """The findings so far; a check that fails does not end it."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.skipped: dict[str, str] = {}

    def ask(self, check: Callable[..., Iterator[Finding]], *about: object) -> list[Finding]:
        """Add what one check finds; where it fails, remember that it was not looked at."""
        found: list[Finding] = []
        try:
            for finding in check(*about):
                found.append(finding)
        except (Exception, SystemExit) as error:  # a tensor of a kind nobody thought of must not end the examination
            what = check.__name__.strip("_").removeprefix("check_").replace("_", " ")
            self.skipped.setdefault(f"the check of {what}", first_sentence(error))
        self.findings += found
        return found


def _examine(patient: Patient) -> Report:
    seen = patient.observe()
    if seen.failed_in == "model":
        return Report((said("model_fails", inputs=_described(patient.inputs), reason=first_sentence(seen.failure)),))
    examination = _Examination()
    examination.ask(_choose_tensor, seen, patient)
    if examination.findings:
        seen = patient.observe()
    for check in FIRST_CHECKS:
        examination.ask(check, seen, patient)
    seen = narrow_to_answers(seen, patient)
    examination.ask(read_own_losses, seen, patient)
    cases = _cases(seen, patient)
    for case in cases:
        _examine_call(case, seen, examination)
    outputs = _main_outputs(cases) if cases else first_tensor(seen.outputs)
    examination.ask(check_finite, seen, outputs)
    examination.ask(check_path, seen, outputs, patient)
    examination.ask(check_hidden_units, seen, outputs)
    examination.ask(check_two_deep, seen, cases)
    for check in (check_registered, check_leak, check_padding_seen, check_inner_layers, check_axes, check_formula,
                  check_shares, _check_own_difference, *WEIGHT_CHECKS, check_gaussian, check_target_gradients,
                  check_samples_mixed, check_asked_slopes, check_fakes, *USE_CHECKS, check_flow):  # fmt: skip
        examination.ask(check, seen, patient)
    examination.ask(check_dependence, outputs, patient)
    fails = any(finding.severity == "error" for finding in examination.findings)
    fails = fails or not isinstance(seen.loss, Tensor) or seen.loss.numel() != 1 or seen.inside_model
    for trial in () if fails else TRIALS:
        examination.ask(trial, seen, patient)
    examination.ask(_about_the_call, seen, cases, examination.findings, patient.targets)
    findings = list(in_order(_without_echoes(examination.findings)))
    findings += [not_looked_at(f"{what}: {why}") for what, why in examination.skipped.items()]
    return Report(tuple(findings), _examined(patient, outputs, cases))


def _cases(seen: Observation, patient: Patient) -> list[Case]:
    """Return the loss calls that compare the model's outputs with something."""
    return [
        Case(patient, seen.read(call), number, not seen.inside_model and seen.watcher.made_by_loss(call.input))
        for number, call in enumerate(seen.calls)
        if seen.inside_model or _is_about(call, seen.whole)
    ]


def _examine_call(case: Case, seen: Observation, examination: _Examination) -> None:
    if case.targets.requires_grad and not case.outputs.requires_grad:
        if not _is_reverse_divergence(case):
            examination.findings.append(said("arguments_swapped: arguments swapped", layer=case.call.layer))
        return
    shapes = examination.ask(check_shapes, case, seen)
    if not case.outputs.is_floating_point() or case.outputs.numel() == 0:
        return
    examination.ask(check_activation, case)
    if not any(finding.severity == "error" for finding in shapes) or case.call.family in ("bce", "bce_logits"):
        examination.ask(check_targets, case, seen)
        examination.ask(check_weights, case)
    if not shapes and not seen.inside_model:
        examination.ask(check_baseline, case, seen)


def _main_outputs(cases: list[Case]) -> Tensor:
    """Return what the first loss call received from the model; in a reverse divergence that is its target."""
    first = cases[0]
    return first.targets if _is_reverse_divergence(first) and first.targets.requires_grad else first.outputs


def _is_reverse_divergence(case: Case) -> bool:
    """The student as target of a divergence is right where the teacher comes as log-probabilities."""
    return case.call.family == "kl_div" and case.sums_to_one(case.values.exp()) and case.one_per_target


def _check_own_difference(seen: Observation, patient: Patient) -> Iterator[Finding]:
    call = own_difference(seen)
    return check_reach(Case(patient, call, 0)) if call is not None else iter(())


def _is_about(call: LossCall, outputs: object) -> bool:
    """Does this loss call compare tensors, and do they come from the model?"""
    if not isinstance(call.input, Tensor) or not isinstance(call.target, Tensor):
        return False
    roots = [t for t in tensors_in(outputs) if t.requires_grad]
    both = [t for t in (call.input, call.target) if t.requires_grad]
    if not roots or any(t is root for t in both for root in roots):
        return True
    if not both:
        return False  # a teacher's loss, say
    try:
        slopes = [torch.autograd.grad(t.sum(), roots, allow_unused=True, retain_graph=True) for t in both]
    except RuntimeError:
        return True  # the step cannot go back; another check says why
    return any(slope is not None for row in slopes for slope in row)


def _choose_tensor(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A dict or tuple handed to a loss that wants one tensor: say so, and go on with the likely one."""
    outputs = seen.outputs
    if isinstance(outputs, Tensor) or not isinstance(seen.failure, (TypeError, AttributeError)):
        return
    if isinstance(outputs, Mapping):
        keys = list(outputs)
        key = next((name for name in USUAL_KEYS if name in keys), keys[0] if keys else None)
        kind, access = f"a dictionary ({', '.join(map(str, keys))})", f"[{key!r}]".replace("'", '"')
        pick = (lambda found: found[key]) if keys else None
    elif isinstance(outputs, (tuple, list)) and outputs:
        kind, access, pick = f"{kind_of(outputs)} of {len(outputs)}", "[0]", lambda found: found[0]
    elif hasattr(outputs, "logits"):
        kind, access, pick = kind_of(outputs), ".logits", lambda found: found.logits
    else:
        kind, access, pick = kind_of(outputs), "", None
    patient.taken = pick or patient.taken
    returned, failure = f"The model returns {kind}, and the loss takes one tensor.", first_sentence(seen.failure)[:-1]
    yield said("outputs_not_a_tensor", returned, failure=failure, access=access)


def _about_the_call(
    seen: Observation, cases: list[Case], findings: list[Finding], targets: object
) -> Iterator[Finding]:
    explained = any(finding.severity == "error" for finding in findings)
    if seen.failure is not None and not explained:
        name = "would_kill_device" if isinstance(seen.failure, WouldKillDevice) else "loss_fails"
        yield said(name, f"The loss fails on `targets` ({_described(targets)}): {first_sentence(seen.failure)}")
    elif seen.failure is None and not isinstance(seen.loss, Tensor):
        yield said("loss_not_a_tensor", kind=kind_of(seen.loss))
    elif seen.failure is None and seen.loss.numel() != 1:
        yield said("loss_not_scalar", shape=list(seen.loss.shape))
    if seen.failure is None and not cases:
        yield said("unknown_loss")


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Drop findings that only repeat what another one explains."""
    codes = {finding.code for finding in findings}
    echoes = {"outputs_ignore_inputs", "zero_gradient"} if codes & CONSTANT_OUTPUT else set()
    echoes |= {"zero_gradient"} if "outputs_ignore_inputs" in codes else set()
    echoes |= {"outputs_too_large"} if "inputs_not_scaled" in codes else set()
    not_finite = {"loss_not_finite", "gradient_not_finite"}
    if any(finding.severity == "error" and finding.code not in not_finite for finding in findings):
        echoes |= not_finite
    return [finding for finding in findings if finding.code not in echoes]


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {list(value.shape)}"
    return "None" if value is None else kind_of(value)


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


def not_looked_at(what: str) -> Finding:
    """Say what was not examined."""
    return said("not_looked_at", f"Not looked at: {what.rstrip('.')}.")


def assert_healthy(
    model: Callable,
    loss_fn: Callable,
    inputs: object,
    targets: object,
    *,
    ignore: Collection[str] = (),
    strict: bool = True,
) -> Report:
    """Fail a test where the doctor finds an error, or a warning unless `strict` is off; return the report."""
    ignored = known_codes(ignore)
    report = diagnose(model, loss_fn, inputs, targets).without(ignored)
    if report.count("error") or (strict and report.count("warning")):
        raise AssertionError(f"\n{report}")
    return report


def tell(report: Report, strict: bool) -> None:
    """Say once what a callback found: an exception under `strict`, else a warning; nothing where all is well."""
    if report.ok:
        return
    if strict:
        raise AssertionError(f"\n{report}")
    warnings.warn(f"\n{report}", UserWarning, stacklevel=3)
