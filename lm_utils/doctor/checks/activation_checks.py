"""Does the output activation fit the loss, and if not, which floor does it put under it?"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from math import e, exp, isfinite, log, log1p

import torch
from torch import nn

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.output_origin import NEVER_NEGATIVE, nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Observation
from lm_utils.doctor.report import Finding, said, table

BOUNDED = {"tanh": "by a tanh", "clamp": "by a clamp", "erf": "by an erf", "sine": "by a sine",
           "cosine": "by a cosine", "within_one": "however hard the model is pushed"}  # fmt: skip
LOGITS_OUT = "return self.out(x)  # no activation at the end of forward()"
MISFITS = {(row["family"], kind): row for row in table("misfits.csv") for kind in row["emits"].split("|")}
"""What is said of an output activation (the kinds in a row read the same) and a family of losses."""
MODEL_ENDS = "The model ends in"
OUT_OF_LOSS = "Take it out of the loss function: hand it the model's raw outputs, `loss_fn(outputs, targets)`."
VISIBLE_FLOOR = 0.02  # a floor below this is no handicap (logits capped at ±30, say)


def check_activation(case: Case) -> Iterator[Finding]:
    """Name the misfit between what the model emits and what the loss expects."""
    emits = case.emits
    if emits == "softmax_over_one":
        yield built(case, "any", emits)
    elif emits in ("logits", "clamp") and case.call.family in ("nll", "kl_div") and is_log_probability(case):
        return
    elif emits == "clamp" and case.call.family == "bce" and not 0 <= case.origin.low <= case.origin.high <= 1:
        yield built(case, "bce", "logits")
    elif (emits == "clamp" and case.call.family == "bce" and case.origin.under == "other") or (
        case.call.family == "poisson" and case.call.options.get("log_input") is False
    ):
        return
    elif case.call.family == "ctc":
        yield from _into_ctc(case)
    elif case.call.family == "gaussian":
        yield from _variance(case)
    else:
        if (case.call.family, emits) in MISFITS:
            yield built(case, case.call.family, emits)
        else:
            yield from bounded_logits(case)


def _into_ctc(case: Case) -> Iterator[Finding]:
    """CTC wants log-probabilities, and its gradient is only right for those."""
    if bool((case.values.exp().sum(-1) - 1).abs().max() < 10 * case.tolerance):
        return
    shares = bool((case.values >= 0).all()) and bool((case.values.sum(-1) - 1).abs().max() < 10 * case.tolerance)
    given = "probabilities" if shares else "logits"
    yield said(f"ctc_on_{given}", f"{case.call.layer} receives {given}, and it expects log-probabilities.")


def _variance(case: Case) -> Iterator[Finding]:
    """The variance of a Gaussian must be kept above 0."""
    variance = case.call.options.get("var")
    if isinstance(variance, torch.Tensor) and origin_of(variance).kind in ("linear", "tanh"):
        yield said("variance_not_positive", layer=case.call.layer)


def built(case: Case, family: str, emits: str) -> Finding:
    """The finding of the table for this case, with its numbers and names filled in."""
    row, classes = MISFITS[family, emits], case.classes
    facts = {
        "layer": case.call.layer,
        "classes": classes,
        "floor": log1p((classes - 1) / e),
        "bce_floor": (log1p(1 / e) + (classes - 1) * log(2)) / max(1, classes),
        "logits_out": logits_out(case, row["emits"].split("|")[0]),
    }
    finding = Finding(row["code"], row["severity"], *(row[part].format(**facts) for part in ("what", "why", "fix")))
    if case.in_loss and finding.message.startswith(MODEL_ENDS):
        message = finding.message.replace(MODEL_ENDS, "The loss function itself applies", 1)
        return replace(finding, message=message, fix=OUT_OF_LOSS)
    return finding


def logits_out(case: Case, emits: str) -> str:
    """The corrected line: which layer to take out, where the model has it as a layer, else how forward ends."""
    layers = {"softmax": nn.Softmax, "sigmoid": nn.Sigmoid, "relu": nn.ReLU, "log_softmax": nn.LogSoftmax}
    model = case.patient.model
    if isinstance(model, nn.Module) and emits in layers:
        names = [name for name, part in model.named_modules() if isinstance(part, layers[emits])]
        if len(names) == 1 and isinstance(model, nn.Sequential) and "." not in names[0]:
            return f"model[{names[0]}] = nn.Identity()" if names[0].isdigit() else LOGITS_OUT
        if len(names) == 1 and emits != "relu":
            return f"model.{names[0]} = nn.Identity()" if names[0].isidentifier() else LOGITS_OUT
    return LOGITS_OUT


def check_two_deep(seen: Observation, cases: list[Case]) -> Iterator[Finding]:
    """One activation on top of another, at the end of the model or in the loss."""
    for tensor in (*tensors_in(seen.whole), *(case.outputs for case in cases)):
        origin = origin_of(tensor)
        over, under = origin.kind.replace("_", "-"), origin.under.replace("_", "-")
        if origin.kind not in ("sigmoid", "softmax", "log_softmax", "log_sigmoid"):
            continue
        if origin.under in ("sigmoid", "softmax"):
            yield said("activation_twice", over=over, under=under)
        elif origin.under in NEVER_NEGATIVE:
            made = f"A {over} is applied to what a {under} has made."
            yield said("relu_before_activation", made, under=under, over=over)


def is_log_probability(case: Case) -> bool:
    """Do the exponentials sum to one over the classes, or are these weighed log-probabilities, as a focal loss has?"""
    near = islice(nodes_behind(case.outputs.grad_fn), 6) if case.call.family == "nll" else ()
    weighed = bool((case.values <= 0).all()) and any(operation(node) == "LogSoftmax" for node in near)
    return weighed or case.sums_to_one(case.values.exp())


def bounded_logits(case: Case) -> Iterator[Finding]:
    """Outputs that a tanh or a clamp keeps near zero leave a floor under a loss on logits."""
    low, high = (-1.0, 1.0) if case.emits == "within_one" else (case.origin.low, case.origin.high)
    if case.emits not in BOUNDED or not (isfinite(low) and isfinite(high)):
        return
    family, layer = case.call.family, case.call.layer
    if family == "cross_entropy":
        floor = log1p((case.classes - 1) * exp(low - high))
    elif family in ("bce_logits", "soft_margin"):
        floor = min(log1p(exp(low)), log1p(exp(-high)))
    else:
        return
    if floor > VISIBLE_FLOOR:
        facts = {"low": low, "high": high, "bound": BOUNDED[case.emits], "layer": layer, "floor": floor}
        yield said("bounded_logits", **facts, logits_out=LOGITS_OUT)
