"""Critics: what is real and what was made are scored apart, each sample for itself."""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from lm_utils.doctor.batch_checks import cost_of
from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.output_origin import nodes_behind
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

FAR, NEAR = 4.0, 4  # scores that are sure; operations behind them among which their last weights are


def check_critics(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Hand a loss that needs no targets other scores of one network, and look which way it pushes them."""
    scores = [t for t in tensors_in(seen.outputs) if t.requires_grad and t.is_floating_point() and t.dim()]
    scores = [t for t in scores if t.numel() == len(t) == len(scores[0]) > 3]
    weights = [[id(n.variable) for n in nodes_behind(t.grad_fn) if hasattr(n, "variable")] for t in scores]
    learns = all(any(hasattr(n, "variable") for n in islice(nodes_behind(t.grad_fn), NEAR)) for t in scores)
    if patient.targets is not None or len(scores) < 2 or not learns or any(set(w) != set(weights[0]) for w in weights):
        return
    places = [place for place, t in enumerate(tensors_in(seen.outputs)) if any(t is one for one in scores)]
    unit = all(bool(((t >= 0) & (t <= 1)).all()) for t in scores)
    trials = []
    for level in (None, 0.0, FAR, -FAR):

        def other(score: Tensor, level: float | None = level) -> Tensor:
            if not any(score is one for one in scores):
                return score
            if level is None:
                return torch.rand_like(score) if unit else torch.randn_like(score)
            return torch.full_like(score, 0.5 + 0.1 * level if unit else level)

        whole = changed(seen.outputs, other)
        slopes = cost_of(patient, whole, None)[1]
        trials.append([slopes[place] for place in places])
    pushes = [[float(slope.sum()) for slope in one] for one in trials]
    what = ""
    if any(not any(one) for one in zip(*pushes, strict=True)):
        what = "The loss does not look at the scores of one kind of samples."
    elif all(min(one) >= 0 or max(one) <= 0 for one in pushes):
        what = "All scores are pushed the same way."
    elif all(float(slope.std()) < 1e-4 * float(slope.abs().mean()) for slope in trials[0]) and any(
            abs(now - then) > 0.1 * abs(then) for now, then in zip(pushes[2], pushes[0], strict=True)):  # fmt: skip
        what = "Only the mean score of each kind counts, not whether a sample is told apart."
    if what:
        yield said("wrong_formula: critic", what)
