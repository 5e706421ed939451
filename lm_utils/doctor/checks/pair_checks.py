"""Outputs that are compared with each other: views of a sample, members of a class, pairs of yes and no."""

from collections.abc import Iterator
from math import inf

import torch
from torch import Tensor

from lm_utils.doctor.belongings import changed, draw_anew, tensors_in
from lm_utils.doctor.checks.batch_checks import cost_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

BETWEEN = 0.02  # of the larger cost by which one answer must be cheaper than another
LEAST = 3.0  # length of the tried vectors, as a margin may be wider than a fresh model's outputs
FEWEST = 3  # pairs of a kind
CHOOSES = {"cross_entropy", "nll_loss", "log_softmax", "logsumexp", "gather"}


class _Points:
    """The loss as a function of where the samples lie, as vectors [N, D], in each of several views."""

    def __init__(self, seen: Observation, patient: Patient) -> None:
        self.patient, self.whole = patient, seen.outputs
        heads = list(tensors_in(self.whole))
        shape = heads[0].shape if heads else torch.Size()
        self.packed = len(heads) == 1 and len(shape) == 3
        alike = all(t.shape == shape and t.is_floating_point() for t in heads)
        fits = heads and alike and len(shape) == 2 + self.packed and min(shape) > 1 and shape[0] != shape[-1]
        self.views = (shape[1] if self.packed else len(heads)) if fits else 0
        self.samples, self.width = (shape[0], shape[-1]) if fits else (0, 0)

    def cost(self, *views: Tensor) -> float:
        """Return what these places cost, one tensor for every view or one for all of them."""
        given = iter(views if len(views) > 1 else views * self.views)
        outputs = changed(self.whole, lambda _: torch.stack(list(given), 1) if self.packed else next(given))
        return cost_of(self.patient, outputs, self.patient.targets)[0]

    def drawn(self, groups: Tensor) -> Tensor:
        """Draw a place for each group and put its samples there."""
        draw_anew()
        head = next(tensors_in(self.whole)).detach()
        places = torch.nn.functional.normalize(torch.randn(int(groups.max()) + 1, self.width), dim=-1).to(head)
        return places[groups.to(head.device)] * max(LEAST, float(head.norm(dim=-1).mean()))


def check_pairs(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Hand the loss samples that lie together or apart, as they should or should not, and compare what it costs."""
    points, targets = _Points(seen, patient), patient.targets
    goal = targets.flatten() if isinstance(targets, Tensor) and targets.numel() == points.samples else None
    if points.views in (2, 3) and (targets is None or (
            goal is not None and goal.tolist() == list(range(points.samples)))):  # fmt: skip
        yield from _of_views(points, bool({step.name for step in seen.watcher.steps} & CHOOSES))
    elif points.views and goal is not None and torch.equal(goal, goal.round()) and len(goal.unique()) > 2:
        yield from _of_groups(points, goal.unique(return_inverse=True)[1])
    elif points.views and not (seen.calls or {s.name for s in seen.watcher.steps} & {"softmax", "log_softmax", "gather"}
                               or any(t.is_floating_point() for t in tensors_in(targets))):  # fmt: skip
        yield from _at_random(points)


def _at_random(points: _Points) -> Iterator[Finding]:
    """Whoever is sure without knowing anything must pay for it, in whatever order the samples come."""
    drawn = points.drawn(torch.arange(points.samples))
    orders = [[drawn[torch.randperm(points.samples)] for _ in range(points.views)] for _ in range(2 * FEWEST)]
    costs = [[points.cost(*(size * one for one in views)) for size in (0.3, 3.0)] for views in orders]
    if all(most < 5 * more < -1e-2 for more, most in costs):
        yield said("wrong_formula: endless", more=costs[0][0], most=costs[0][1])


def _of_views(points: _Points, chosen: bool) -> Iterator[Finding]:
    """Two views of a sample must cost less than views of two samples; so must a triplet the right way round.

    Where the partner is chosen among the others by a softmax, the two cannot cost the same.
    """
    one, rest = points.drawn(torch.arange(points.samples)), points.views == 3
    other = one.roll(1, 0)
    near, far = points.cost(one, one, *[other] * rest), points.cost(one, other, *[one] * rest)
    least = min(near, points.cost(one, one, one)) if rest else near
    yield from _compare(points, one, [near, far, least], chosen and not rest, rest and _is_cheaper(near, far))


def _of_groups(points: _Points, groups: Tensor) -> Iterator[Finding]:
    """Members of a class must cost less together than apart, where samples are compared with each other."""
    if not 1 < len(groups.unique()) < len(groups) - FEWEST or _judged_alone(points, points.drawn(groups)):
        return
    right = points.drawn(groups)
    if abs(points.cost(right) - points.cost(right.roll(1, 1))) > 1e-3 * abs(points.cost(right)):
        return  # each column means something by itself: these are scores of classes
    near, far = points.cost(right), points.cost(right[torch.randperm(len(right))])
    known = points.views == 1 and abs(near - far) > 1e-5 * abs(near)  # what the labels say
    yield from _compare(points, right, [near, far, near], known, points.views == 1)


def _compare(points: _Points, right: Tensor, costs: list[float], differs: bool, tells: bool) -> Iterator[Finding]:
    """Nearer must be cheaper than farther, and all samples in one place, whichever it is, no cheaper than either."""
    near, far, least = costs
    if _is_cheaper(far, near) or (differs and not _is_cheaper(near, far)):
        yield said("better_outputs_cost_more: of views", equal=near, other=far)
        return
    places = [row.expand_as(right).contiguous() for row in right[:16]]
    same = sum(map(points.cost, places)) / len(places)
    if _is_cheaper(same, least) or (tells and abs(same - least) <= 1e-5 * (1e-2 + abs(least))):
        yield said("wrong_formula: all in one", same=same, apart=least)
    more, most = (points.cost(size * right) for size in (1.0, 10.0))
    if most < 5 * more < -1e-2 and all(float(t.detach().norm(dim=-1).std()) > 1e-3 for t in tensors_in(points.whole)):
        yield said("unbounded_loss", more=more, most=most)


def _judged_alone(points: _Points, right: Tensor) -> bool:
    """Do the slopes of some samples stay the same beside other samples?"""

    def slopes(rest: Tensor, half: int = len(right) // 2) -> Tensor:
        given = torch.cat([right[:half], rest[half:]])
        outputs = changed(points.whole, lambda t: given if t.dim() == 2 else given[:, None].expand_as(t))
        return torch.stack(cost_of(points.patient, outputs, points.patient.targets)[1])[:, :half]

    return torch.allclose(slopes(right), slopes(right.roll(1, 1)), rtol=1e-4)


def _is_cheaper(one: float, other: float) -> bool:
    return one < other == inf or one < other - BETWEEN * max(abs(one), abs(other)) - 1e-6
