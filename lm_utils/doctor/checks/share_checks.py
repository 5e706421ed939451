"""What a loss shares out, takes from 1 and weighs."""

from collections.abc import Iterator

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.checks.formula_checks import behind, is_wide, kind_of, of, of_outputs, pairs_of, plain_arguments
from lm_utils.doctor.output_origin import origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.watching import LOSSES


def check_shares(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about shares in a formula of one's own."""
    for check in (_shared_out, _no_share, _mean_times_weights, _weighted_scores):
        yield from check(seen, patient)


def _shared_out(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax of the loss runs over the classes, as the targets tell where these stand."""
    for step in seen.watcher.steps:
        scores = step.tensors[0] if kind_of(step) in ("softmax", "log_softmax", "logsumexp") else None
        axis = step.argument(1, "dim") if scores is not None and scores.dim() > 1 else None
        if not isinstance(axis, int) or scores.shape[axis] == 1:
            continue
        axis, alike = axis % scores.dim(), any(scores.shape == t.shape for t in tensors_in(seen.outputs))
        whole = [t for t in tensors_in(patient.targets) if not t.is_floating_point() and t.dim() == scores.dim() - 1]
        fits = {a for t in whole for a in (1, scores.dim() - 1) if alike and t.shape == scores.select(a, 0).shape}
        if len(fits) == 1 and scores.shape[axis] != scores.shape[(right := fits.pop())]:
            yield said("softmax_wrong_axis: in the loss", ran=axis, axis=right)
            return


def _no_share(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """One minus what is no probability: a log-probability, a raw output whose power weighs a loss."""
    made_by = {id(step.result): step for step in seen.watcher.steps}
    powers = {id(s.args[0]) for s in seen.watcher.steps if kind_of(s) == "pow" and any(
        id(one) in (weights := behind(seen, s.result)) and id(other) not in weights and other.requires_grad
        and "outputs" in of(seen, other) for _, p in pairs_of(seen, "mul") for one, other in (p, p[::-1]))}  # fmt: skip
    for step, shares in of_outputs(seen, "sub"):
        if len(step.tensors) == 1 and 1 in plain_arguments(step):
            logs = origin_of(shares).kind in ("log_softmax", "log_sigmoid", "log_of_softmax")
            if logs or (id(step.result) in powers and is_wide(shares)):
                yield said("wrong_formula: no share")
                return
    for _, values in of_outputs(seen, "logsigmoid", "log_sigmoid"):
        inner = made_by.get(id(values))
        if inner is not None and kind_of(inner) == "sub" and 1 in plain_arguments(inner):
            yield said("wrong_formula: one minus a logit")
            return


def _weighted_scores(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Weights of classes belong to the losses, not to the scores that a softmax shares out."""
    scores = {id(call.input): call.input for call in seen.calls if call.family == "cross_entropy"}
    scores |= {id(t): t for _, t in of_outputs(seen, "softmax", "log_softmax")}
    for step, pair in pairs_of(seen, "mul") if scores else ():
        weights = next((t for t in pair if not t.requires_grad and t.numel() > 1), None)
        row = weights is not None and weights.numel() == max(weights.shape) in step.result.shape[1:]
        if row and id(step.result) in scores and bool((weights != weights.flatten()[0]).any()):
            yield said("wrong_formula: weighted scores")
            return


def _mean_times_weights(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A loss that is a mean already cannot be weighed place by place."""
    means = {id(s.result) for s in seen.watcher.steps if s.name in LOSSES or kind_of(s) == "mean"}
    means &= behind(seen, patient.targets)
    for _, pair in pairs_of(seen, "mul"):
        for mean, weights in (pair, pair[::-1]):
            single = id(mean) in means and not mean.dim() and "outputs" in of(seen, mean)
            rows = weights.dim() and len(weights) == patient.batch_size
            if single and rows and bool((weights != weights.flatten()[0]).any()):
                yield said("wrong_formula: weighs the batch", shape=list(weights.shape))
                return
