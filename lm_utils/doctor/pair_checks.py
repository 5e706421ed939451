"""Outputs that are compared with each other: views of a sample, members of a class, pairs of yes and no."""

from collections.abc import Callable, Iterator
from math import inf, isfinite

import torch
from torch import Tensor

from lm_utils.doctor.batch_checks import cost_of
from lm_utils.doctor.belongings import changed, draw_anew, tensors_in
from lm_utils.doctor.formula_checks import behind, kind_of, of
from lm_utils.doctor.output_origin import is_distance
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

BETWEEN = 0.02  # of the larger cost by which one answer must be cheaper than another
LEAST = 3.0  # length of the tried vectors, as a margin may be wider than a fresh model's outputs
SIZES = (0.3, 1.0, 10.0)  # times that length
MOST_PLACES = 16  # places at which all samples are put together
FEWEST = 3  # pairs of a kind
CHOOSES = {"cross_entropy", "nll_loss", "log_softmax", "logsumexp", "gather"}
PRODUCTS = {"matmul", "mm", "einsum", "bmm"}


class _Points:
    """The loss as a function of where the samples lie, as vectors [N, D], in each of several views."""

    def __init__(self, seen: Observation, patient: Patient) -> None:
        self.patient, self.whole = patient, patient.chosen(seen.outputs)
        heads = list(tensors_in(self.whole))
        shape = heads[0].shape if heads and heads[0].is_floating_point() else ()
        alike = len(shape) in (2, 3) and min(shape) > 1 and all(
            t.shape == shape and t.is_floating_point() for t in heads)  # fmt: skip
        self.packed = alike and len(heads) == 1 and len(shape) == 3
        fits = alike and len(shape) == 2 + self.packed
        self.views = (shape[1] if self.packed else len(heads)) if fits else 0
        self.samples, self.width = (shape[0], shape[-1]) if alike else (0, 0)
        self.norm = max(LEAST, float(heads[0].detach().norm(dim=-1).mean())) if alike else 0.0

    def cost(self, *views: Tensor) -> float:
        """Return what these places cost, one tensor for every view or one for all of them."""
        given = iter(views if len(views) > 1 else views * self.views)
        if self.packed:
            outputs = changed(self.whole, lambda _: torch.stack(list(given), 1))
        else:
            outputs = changed(self.whole, lambda _: next(given))
        return cost_of(self.patient, outputs, self.patient.targets)[0]

    def drawn(self, groups: Tensor) -> Tensor:
        """Draw a place for each group and put its samples there."""
        draw_anew()
        places = torch.randn(int(groups.max()) + 1, self.width)
        return self.norm * (places / places.norm(dim=-1, keepdim=True))[groups.cpu()].to(self.whole_kind)

    @property
    def whole_kind(self) -> Tensor:
        """The first output, for its type and device."""
        return next(tensors_in(self.whole)).detach()


def check_scores(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about scores of samples with each other; they ask the loss's own graph."""
    if isinstance(seen.loss, Tensor) and not seen.inside_model and (points := _Points(seen, patient)).views:
        yield from _with_itself(seen, points)
        yield from _normalised_over_samples(seen, points)


def check_pairs(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Hand the loss samples that lie together or apart, as they should or should not, and compare what it costs."""
    points, targets = _Points(seen, patient), patient.targets
    yield from _of_distances(seen, patient)
    if not points.views:
        return
    chosen = any(s.name in CHOOSES and of(seen, *s.args[1:]) == {"targets"} for s in seen.watcher.steps)
    given = targets if isinstance(targets, Tensor) and targets.numel() == len(targets) == points.samples else None
    if targets is None or (given is not None and given.tolist() == list(range(points.samples))):
        yield from _of_views(points, {step.name for step in seen.watcher.steps})
    elif given is not None and points.views == 2 and len(given.unique()) == 2 and not points.packed:
        yield from _of_labels(points, given.flatten() == given.max())
    elif given is not None and not given.is_floating_point() and not (chosen and given.max() < points.width):
        yield from _of_groups(points, given.flatten().unique(return_inverse=True)[1])


def _of_views(points: _Points, names: set[str]) -> Iterator[Finding]:
    """Two views of a sample must cost less than views of two samples; so must a triplet the right way round.

    Where the partner is chosen among the others by a softmax, the two cannot cost the same.
    """
    if points.views not in (2, 3):
        return
    one = points.drawn(torch.arange(points.samples))
    rest = points.views == 3
    other = one.roll(1, 0)
    near, far = points.cost(one, one, *[other] * rest), points.cost(one, other, *[one] * rest)
    if _is_cheaper(far, near) or (names & CHOOSES and not rest and not _is_cheaper(near, far)):
        yield said("better_outputs_cost_more: of views", equal=near, other=far)
        return
    least = min(near, points.cost(one, one, one)) if rest else near
    yield from _all_in_one(points, one, least, rest and _is_cheaper(near, far))


def _of_groups(points: _Points, groups: Tensor) -> Iterator[Finding]:
    """Members of a class must cost less together than apart, where samples are compared with each other."""
    counts = groups.bincount()
    if len(counts) < 2 or (counts > 1).sum() < 2 or len(groups) < 2 * FEWEST:
        return
    right, turned = points.drawn(groups), _places_in_turn(groups)
    half = len(groups) // 2
    if _judged_alone(points, right, half):
        return
    wrong = points.drawn(groups)[turned]
    near, far = points.cost(right), points.cost(wrong)
    known = abs(near - far) > 1e-5 * abs(near)  # what the labels say
    if _is_cheaper(far, near) or (known and points.views == 1 and not _is_cheaper(near, far)):
        yield said("better_outputs_cost_more: of views", equal=near, other=far)
        return
    yield from _all_in_one(points, right, near, points.views == 1)


def _with_itself(seen: Observation, points: _Points) -> Iterator[Finding]:
    """In a table of scores of all samples with each other nobody is pushed away from itself."""
    tables = [s.result for s in seen.watcher.steps if kind_of(s) in PRODUCTS and of(seen, s.args) == {"outputs"}]
    tables = [t for t in tables if t.dim() == 2 and len(t) in (points.samples, points.samples * points.views)
              and len(t) != points.width and torch.equal(t, t.T)]  # fmt: skip
    shares = {kind_of(step) for step in seen.watcher.steps}
    if len(tables) != 1 or not (shares & CHOOSES or {"exp", "log"} <= shares) or (
            isinstance(points.patient.targets, Tensor) and points.patient.targets.is_floating_point()):  # fmt: skip
        return
    slope = seen.slope_at(tables[0])
    if slope is not None and bool((slope.diagonal() > 1e-3 * slope.abs().max()).all()):
        yield said("wrong_formula: with itself")


def _normalised_over_samples(seen: Observation, points: _Points) -> Iterator[Finding]:
    """Vectors that were normalised along the samples are compared along their numbers."""
    for step in seen.watcher.steps:
        vectors = step.tensors[0] if step.name == "normalize" and step.argument(2, "dim") == 0 else None
        if vectors is None or vectors.dim() != 2 or vectors.shape[1] != points.width or len(vectors) == points.width:
            continue
        reached = behind(seen, step.result)
        later = [s for s in seen.watcher.steps if s.tensors and id(s.tensors[0]) in reached]
        tables = any(kind_of(s) in PRODUCTS and len(s.result) == len(vectors) for s in later)
        products = {id(s.result) for s in later if kind_of(s) == "mul" and s.result.shape == vectors.shape}
        if tables or any(kind_of(s) == "sum" and id(s.tensors[0]) in products and s.argument(1, "dim") in (-1, 1)
                         for s in later):  # fmt: skip
            yield said("wrong_formula: normalised")
            return


def _places_in_turn(groups: Tensor) -> Tensor:
    """Return an order in which the members of each group take places of different groups."""
    within = torch.zeros_like(groups)
    for group in groups.unique():
        here = groups == group
        within[here] = torch.arange(int(here.sum()), device=groups.device)
    return (within * len(groups) + groups).argsort()[groups.argsort().argsort()]


def _judged_alone(points: _Points, right: Tensor, half: int) -> bool:
    """Do the slopes of some samples stay the same beside other samples?"""

    def slopes(rest: Tensor) -> Tensor:
        given = torch.cat([right[:half], rest[half:]])
        outputs = changed(points.whole, lambda t: given.view(t.shape) if t.dim() == 2 else given[:, None].expand_as(t))
        return torch.stack(cost_of(points.patient, outputs, points.patient.targets)[1])[:, :half]

    return torch.allclose(slopes(right), slopes(right.roll(1, 1)), rtol=1e-4)


def _all_in_one(points: _Points, right: Tensor, near: float, must_differ: bool) -> Iterator[Finding]:
    """With all samples in one place, whichever it is, the loss must not be smaller than with each where it belongs."""
    places = [right[[k]].expand_as(right).contiguous() for k in range(min(MOST_PLACES, len(right)))]
    costs = [points.cost(place) for place in places]
    same = sum(costs) / len(costs)
    if _is_cheaper(same, near) or (must_differ and abs(same - near) <= 1e-5 * (1e-2 + abs(near))):
        yield said("wrong_formula: all in one", same=same, apart=near)


def _of_labels(points: _Points, yes: Tensor) -> Iterator[Finding]:
    one = points.drawn(torch.arange(points.samples))

    def cost(together: Tensor, size: float) -> float:
        return points.cost(size * one, size * torch.where(together[:, None], one, one.roll(1, 0)))

    yield from _told_apart(cost, yes)


def _of_distances(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """The model may hand out the distances themselves."""
    whole, goal = patient.chosen(seen.outputs), patient.targets
    alone = isinstance(whole, Tensor) and isinstance(goal, Tensor) and goal.numel() == len(whole) == whole.numel()
    if not alone or not is_distance(whole) or len(goal.unique()) != 2:
        return

    def cost(together: Tensor, size: float) -> float:
        return cost_of(patient, torch.where(together.view(whole.shape), 0.01, LEAST * size).to(whole), goal)[0]

    yield from _told_apart(cost, goal.flatten() == goal.max())


def _told_apart(cost: Callable[[Tensor, float], float], yes: Tensor) -> Iterator[Finding]:
    """Pairs that belong together and pairs that do not, whichever label says so, must be told apart."""
    if min(int(yes.sum()), int((~yes).sum())) < FEWEST:
        return
    told, blind = (min(cost(pairs, size) for pairs in both for size in SIZES) for both in (
        (yes, ~yes), (yes | ~yes, yes & ~yes)))  # fmt: skip
    if isfinite(told) and not _is_cheaper(told, blind):
        yield said("wrong_formula: pairs", told=told, blind=blind)


def _is_cheaper(one: float, other: float) -> bool:
    return one < other == inf or one < other - BETWEEN * max(abs(one), abs(other)) - 1e-6
