"""What a loss shares out, takes from 1 and weighs."""

from collections.abc import Iterator
from itertools import pairwise
from math import prod

import torch
from torch import Tensor

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.checks.formula_checks import behind, is_wide, kind_of, of, of_outputs, pairs_of, plain_arguments
from lm_utils.doctor.output_origin import origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.watching import LOSSES

REDUCING = {"max", "amax", "min", "amin", "sum", "mean", "norm", "logsumexp", "std"}
CHOOSING = {"softmax", "log_softmax", "logsumexp", "cross_entropy", "exp"}
FEWEST = 3  # pieces: two halves may be two kinds of samples


def check_shares(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about shares in a formula of one's own."""
    for check in (_shares, _smoothed, _divided, _shared_out, _no_share, _mean_times_weights, _weighted_scores,
                  _rows_to_columns, _lengths, _pieces_added):  # fmt: skip
        yield from check(seen, patient)


def _shares(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Log-probabilities times shares, a cross-entropy by hand: the shares sum to one, and no logarithm is theirs."""
    halves = [half for _, pair in pairs_of(seen, "mul") for half in (pair, pair[::-1])]
    known = [t for t, other in halves if other.requires_grad and of(seen, t) == {"targets"}]
    both_ways = any(not c.is_own for c in seen.calls) or any(of_outputs(seen, "gather", "getitem"))  # the right one too
    both_ways = both_ways or any(len(t.unique()) == 2 and t.min() >= 0 for t in known)
    for step in seen.watcher.steps:
        logs = kind_of(step) in ("log", "log2", "log10") and not both_ways and any(t is step.result for t in known)
        hot = step.tensors[0] if logs or kind_of(step) == "log_softmax" else None
        if hot is not None and hot.dim() > 1 and of(seen, hot) == {"targets"} and bool((hot >= 0).all()) and (
                bool(((hot.amax(-1) - 1).abs() < 1e-3).all() and ((hot.sum(-1) - 1).abs() < 1e-3).all())):  # fmt: skip
            yield said("arguments_swapped: shares")
            return
    for log, shares in halves:
        alike = log.shape == shares.shape and log.dim() > 1 and log.requires_grad and not shares.requires_grad
        if not alike or bool((shares == 0).any()):
            continue
        said_of = [log.exp(), log]  # shares may also be picked before the logarithm
        axis = next((a for p in said_of for a in (-1, 1) if bool(((p.sum(a) - 1).abs() < 1e-3).all() and (
            p >= 0).all())), None)  # fmt: skip
        sums = shares.sum(axis).abs() if axis else torch.ones(1)
        smoothed = bool(axis) and len(shares.unique()) == 2  # a one for the truth, and one for all the others
        most = 1.0 if smoothed else 0.25
        if bool(((sums - sums.mean()).abs() < 1e-3).all()) and 1e-3 < abs(float(sums.mean()) - 1) < most:
            yield said("targets_do_not_sum_to_one: shares", total=float(sums.mean()))
            return


def _smoothed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A loss of weighed log-probabilities alone, one for the truth and alike for all others: they sum to 1."""
    logs = [step.result for step, _ in of_outputs(seen, "log_softmax", "log")]
    for log in (t for t in (*tensors_in(seen.outputs), *logs) if t.requires_grad and t.dim() > 1):
        axis = next((a for a in (-1, 1) if bool(((log.exp().sum(a) - 1).abs() < 1e-3).all())), None)
        slope = seen.slope_at(log) if axis else None
        if slope is None or log.shape[axis] < 3 or not torch.allclose((slope * log).sum(), seen.loss.sum()):
            continue
        shares = -slope.movedim(axis, -1).flatten(0, -2)
        least, sums = shares.amin(1, keepdim=True), shares.sum(1)
        others = ((shares - least).abs() < 1e-4 * sums[:, None]).sum(1) == shares.shape[1] - 1
        total = min((float(sums[0]), float(sums[0]) * len(sums)), key=lambda one: abs(one - 1))
        if bool((least > 0).all() and others.all()) and torch.allclose(sums, sums[:1]) and 1e-3 < abs(total - 1) < 0.25:
            yield said("targets_do_not_sum_to_one: shares", total=total)
            return


def _divided(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """What a sigmoid made, divided by its sum over the classes before a logarithm."""
    read = any(call.is_own and call.family == "nll" for call in seen.calls)
    if read and any(origin_of(over).kind == "sigmoid" and over.dim() > under.squeeze(-1).dim() and torch.allclose(
            over.sum(-1), under.squeeze(-1)) for _, (over, under) in pairs_of(seen, "div")):  # fmt: skip
        yield said("sigmoid_before_cross_entropy: divided")


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


def _rows_to_columns(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """What was taken from each row of a square table meets its columns, where the axis was not kept."""
    taken: dict[int, Tensor] = {}  # the table of what was made of its rows
    for step in (s for s in seen.watcher.steps if s.tensors and any(t.numel() > 1 for t in tensors_in(s.result))):
        first, made = step.tensors[0], next(tensors_in(step.result))
        axis = next((a for a in (step.kwargs.get("dim"), *step.args[:0:-1]) if type(a) is int), 0)
        if kind_of(step) in REDUCING and made.dim() == first.dim() - 1 and axis % first.dim():
            taken[id(made)] = first
        elif len(step.tensors) == 1 and id(first) in taken and made.shape == first.shape:
            taken[id(made)] = taken[id(first)]  # detached, or kept from zero
    columns = [s.tensors[0] for s in seen.watcher.steps if s.tensors and getattr(s.result, "shape", ())[-1:] == (1,)]
    for step, pair in pairs_of(seen, "add", "sub", "mul", "div") if taken else ():
        for table, row in (pair, pair[::-1]):
            known = taken.get(id(row)) is table and not any(row is t for t in columns)  # it meets both, say
            if known and "outputs" in of(seen, table) and not torch.equal(table, table.mT):
                facts = {"one": list(row.shape), "joint": list(table.shape), "step": kind_of(step)}
                yield said("shapes_broadcast: rows to columns", **facts)
                return


def _lengths(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Samples that a softmax compares with each other have a length each, not one for all or for each column."""
    kinds = {kind_of(s) for s in seen.watcher.steps}
    products = [s for s in seen.watcher.steps if kind_of(s) in ("mm", "matmul", "einsum")] if kinds & CHOOSING else []
    for rows in (s.result for s in seen.watcher.steps if products and kind_of(s) in ("div", "normalize", "mul")):
        samples, width = rows.shape if rows.dim() == 2 else (0, 0)
        if not samples or samples % (patient.batch_size or samples) or not 1 < width != samples:
            continue
        one = any(bool(((length - 1).abs() < 1e-3).all()) for length in (rows.norm(), rows.norm(dim=0)))
        after = behind(seen, rows) if one and of(seen, rows) == {"outputs"} else ()
        if any(id(s.tensors[0]) in after and s.result.shape[:1] == (samples,) for s in products):
            yield said("wrong_formula: one length", shape=[samples, width])
            return


def _pieces_added(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Means over the pieces of one long tensor, cut across samples or steps, are added, and not averaged."""
    calls = [c for c in seen.calls if not c.is_own and isinstance(c.input, Tensor) and isinstance(c.target, Tensor)]
    pieces = [c for c in calls if c.input.dim() and c.options.get("reduction", "mean") == "mean"]
    sizes = {prod(t.shape[a:b]) for t in tensors_in(seen.outputs) for b in range(t.dim() + 1) for a in range(b)}
    if len(pieces) < FEWEST or len(pieces[0].input) in sizes | {1}:
        return  # each piece is a sample or a step
    follow = all(_follows(*pair) for key in ("input", "target") for pair in pairwise(getattr(c, key) for c in pieces))
    slopes = [seen.slope_at(c.result) for c in pieces] if follow else [None]
    if all(slope is not None and bool((slope == 1).all()) for slope in slopes):
        yield said("wrong_formula: pieces", count=len(pieces), shape=list(pieces[0].input.shape))


def _follows(one: Tensor, other: Tensor) -> bool:
    """Does the second tensor begin in memory where the first one ends?"""
    return other.data_ptr() == one.data_ptr() + one.numel() * one.element_size() and one.is_contiguous()
