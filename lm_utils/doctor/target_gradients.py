"""Does a gradient flow into what should stand still: a target, or an advantage?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from torch import Tensor

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.formula_checks import kind_of
from lm_utils.doctor.output_origin import nodes_behind, operation
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding
from lm_utils.doctor.watching import Step

COMPARED = {"distance", "kl_div", "bce", "bce_logits", "cross_entropy"}


def check_target_gradients(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A target that is computed by a network and not detached, or an advantage that carries a gradient."""
    roots = {tensor.grad_fn for tensor in tensors_in(seen.outputs) if tensor.grad_fn is not None}
    for call in seen.calls:
        pair = call.input, call.target
        if call.family not in COMPARED or not all(isinstance(t, Tensor) and t.requires_grad for t in pair):
            continue
        behind = [_learns_beside(tensor, roots) for tensor in pair]
        if any(behind) and not all(behind):
            yield Finding(
                "gradient_into_target",
                "warning",
                "The target of the loss is computed by a network, and a gradient flows into it.",
                "The loss then falls by moving the target towards the outputs, too.",
                "Compute the target without gradient: `with torch.no_grad(): goal = ...`, or `goal = goal.detach()`.",
            )
            return
    yield from _advantages(seen)


def _learns_beside(tensor: Tensor, roots: set) -> bool:
    """Do weights stand behind this tensor that are not reached through the model's outputs?"""
    nodes = list(nodes_behind(tensor.grad_fn))
    return not roots.intersection(nodes) and any(operation(node) == "AccumulateGrad" for node in nodes)


def _advantages(seen: Observation) -> Iterator[Finding]:
    made_by = {id(step.result): step for step in seen.watcher.steps}
    for step in seen.watcher.steps:
        tensors = step.tensors if kind_of(step) == "mul" else []
        if len(tensors) != 2 or not all(t.requires_grad for t in tensors):
            continue
        for score, advantage in (tensors, tensors[::-1]):
            if _is_log_probability(score, made_by) and _is_difference(advantage, made_by, seen):
                yield Finding(
                    "gradient_through_advantage",
                    "warning",
                    "The factor that multiplies the log-probability carries a gradient.",
                    "The loss then falls by moving the baseline, too, and the policy learns from a wrong signal.",
                    "Let it stand still: `advantage = (returns - values).detach()`.",
                )
                return


def _is_log_probability(tensor: Tensor, made_by: dict[int, Step]) -> bool:
    step = made_by.get(id(tensor))
    if step is not None and kind_of(step) == "neg":
        tensor = step.tensors[0]
    near = itertools.islice(nodes_behind(tensor.grad_fn), 12)
    return bool((tensor <= 0).all()) and any(operation(node) in ("LogSoftmax", "Logsumexp") for node in near)


def _is_difference(tensor: Tensor, made_by: dict[int, Step], seen: Observation) -> bool:
    step = made_by.get(id(tensor))
    return step is not None and kind_of(step) == "sub" and seen.watcher.sources(tensor) == {"outputs", "targets"}
