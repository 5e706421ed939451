"""Outputs that are no answers: means and spreads, views of a sample, the shares of actions."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from math import inf, log2

import torch
from torch import Tensor
from torch.nn import functional as F

from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.checks.batch_checks import cost_of, cost_with
from lm_utils.doctor.checks.formula_checks import behind, factors_in, kind_of, of, of_outputs, pairs_of
from lm_utils.doctor.checks.trial import is_advantage
from lm_utils.doctor.output_origin import origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.sides import agreeing_and_contradicting, of_classes
from lm_utils.doctor.watching import LOSSES

READ = (lambda h: (h / 2).exp(), torch.exp, lambda h: h, torch.sqrt, F.softplus, lambda h: F.softplus(h).sqrt())
"""The deviation of a normal distribution, from the logarithm of its variance, its own, itself, or the variance."""
LARGE, FAR_HEAVIER = 32, 8  # numbers of an output, and how many times the error's weight is too much
CENTRE, ERRORS, ROUNDS, FEWEST = 3.0, (0.7, 1.4, 2.8), 5, 8  # where targets lie, how far off, how finely it is looked


def check_gaussian(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A mean and a spread that a term of the loss draws to a standard normal distribution, as a code has them."""
    heads = _heads(seen.outputs)
    spreads = [head for head in heads if _is_exponentiated(seen, patient, head)]
    if len(heads) < 2 or not isinstance(seen.loss, Tensor):
        return
    if len(spreads) == 1 and origin_of(spreads[0]).low >= 0:
        yield said("range_cannot_reach_targets")
    if not any("rand" in step.name or "normal" in step.name for step in seen.watcher.steps):
        for mean, head in pairwise(heads):
            bent = any(id(t) in behind(seen, head) for _, t in of_outputs(seen, "exp", "log"))
            if bent and mean.shape == head.shape and mean.dim() > 1:
                yield from _divergence(seen, patient, mean, head)


def _heads(outputs: object) -> list[Tensor]:
    values = list(tensors_in(outputs))
    return values if not isinstance(outputs, Tensor) and all(v.is_floating_point() for v in values) else []


def _is_exponentiated(seen: Observation, patient: Patient, head: Tensor) -> bool:
    """Is an exponential taken of this head alone?"""
    others = behind(seen, [t for t in tensors_in([seen.outputs, patient.targets]) if t is not head])
    own = behind(seen, head) - others
    return any(id(t) in own and t.numel() == head.numel() for _, t in of_outputs(seen, "exp"))


def _divergence(seen: Observation, patient: Patient, mean: Tensor, head: Tensor) -> Iterator[Finding]:
    """A divergence's slopes are w * mean, and w * (size - 1 / size) times the size's own slope, however it is read."""
    centre, level = torch.rand_like(mean) - 0.5, (torch.rand_like(head) + 0.3).requires_grad_()
    values, heads = {id(mean): centre, id(head): level}, [id(t) for t in tensors_in(seen.outputs)]
    moved = changed(patient.targets, lambda t: t.roll(1, 0) * 0.5 if t.is_floating_point() else t.roll(1, 0))
    found = []
    for by, targets in ((0, patient.targets), (1, moved)):
        whole = changed(seen.outputs, lambda t, by=by: values.get(id(t), t.roll(by, 0)))
        slopes = cost_of(patient, whole, targets)[1]
        found.append(torch.stack([slopes[heads.index(id(t))] for t in (mean, head)]))
    weight = float((found[0][0] * centre).sum() / centre.square().sum())
    near = partial(torch.allclose, rtol=0.02, atol=0.02 * abs(weight))
    if not near(*found) or not bool(found[0].flatten(1).any(1).all()):
        return  # it depends on the targets or on other heads: no divergence from a fixed prior
    slopes = [torch.autograd.grad((read(level) ** 2 / 2 - read(level).log()).sum(), level)[0] for read in READ]
    laws = [read for read, slope in zip(READ, slopes, strict=True) if near(found[0][1], weight * slope)]
    near_by = changed(seen.outputs, lambda t: level if t is head else t)
    if weight < 0 < float((cost_with(patient, near_by, mean, 10 * centre)[1] * centre).sum()):
        return  # it is drawn to a size of its own
    if weight <= 0 or not laws or not near(found[0][0], weight * centre):
        yield from [said("wrong_formula: divergence")] if _is_exponentiated(seen, patient, head) else ()
        return
    yield from _out_of_balance(seen, patient, [mean, head], weight * len(head))
    drawn = [(noise.std(), t) for noise, t in seen.watcher.factors if t.shape == head.shape and t.requires_grad]
    made = [t * (size if size < 0.5 else 1) for size, t in drawn]
    if made and not any(torch.allclose(t, laws[0](head), 0.02, 0.02) for t in made):
        yield said("wrong_formula: noise read otherwise")


def _out_of_balance(seen: Observation, patient: Patient, code: list[Tensor], weight: float) -> Iterator[Finding]:
    """Beside a divergence of a sample, whose weight is given, stands an error averaged over the sample's numbers."""
    goals = [t for t in tensors_in([patient.targets, patient.inputs]) if t.is_floating_point() and t.dim() > 1]
    for head in (t for t in _heads(seen.outputs) if not any(t is one for one in code)):
        goal = next((t for t in goals if t.shape == head.shape), None)
        if goal is None or (size := head[0].numel()) < LARGE:
            continue
        other = (goal + goal.roll(1, 0)) / 2
        right, wrong = (cost_with(patient, seen.outputs, head, value)[0] for value in (goal, other))
        each = (wrong - right) / float((goal - other).square().sum() / len(goal))
        if 0 < each < 16 / size and weight > FAR_HEAVIER * each:
            yield said("terms_out_of_balance", times=weight / each, size=size)
        elif each > max(16 / size, FAR_HEAVIER * weight) and (long := code[0].shape[-1]) >= LARGE and any(
            s.tensors[0].shape == code[0].shape for s in seen.watcher.steps if kind_of(s) == "mean"
                and s.argument(1, "dim", "axis") not in (0, (0,), [0])):  # fmt: skip
            yield said("terms_out_of_balance: code", times=each / weight, size=long)


class _Spread:
    """A likelihood as a function of one number for each head and sample, where all targets are alike."""

    def __init__(self, seen: Observation, patient: Patient) -> None:
        self.patient, self.whole, self.goal = patient, seen.outputs, patient.targets
        width = 2 * self.goal[0].numel()
        self.packed = isinstance(self.whole, Tensor) and self.whole.shape[-1:] == (width,)
        heads = self.whole.chunk(2, -1) if self.packed else _heads(self.whole)
        self.heads = heads if all(h.dim() and len(h) == len(self.goal) for h in heads) else []

    def slopes(self, error: float, levels: Iterable[float | Tensor]) -> list[Tensor]:
        """Return the slope at each head of each sample, where the targets lie so far from CENTRE."""
        rows = [(torch.zeros(len(self.goal)) + level).view(-1, *[1] * (head.dim() - 1)) for head, level in zip(
            self.heads, levels, strict=True)]  # fmt: skip
        filled = [row.to(head).expand_as(head).contiguous() for row, head in zip(rows, self.heads, strict=True)]
        given = iter(filled)
        outputs = torch.cat(filled, -1) if self.packed else changed(self.whole, lambda _: next(given))
        found = cost_of(self.patient, outputs, torch.full_like(self.goal, CENTRE + error))[1]
        return [s.reshape(len(s), -1).sum(1).double().cpu() for s in (found[0].chunk(2, -1) if self.packed else found)]

    def pull(self, head: int, centre: float = CENTRE, away: float = 1.0) -> tuple[int, Tensor]:
        """Is this head pulled to a number from both sides (1), pushed away (-1) or neither (0), and how strongly?"""
        side = away * (1 - torch.arange(len(self.goal)) % 2 * 2)
        found = torch.cat([side * self.slopes(0.0, [centre + side if k == head else level for k in range(
            len(self.heads))])[head] for level in (0.5, 1.5)])  # fmt: skip
        return int((found > 0).all()) - int((found < 0).all()), found / away

    def best(self, location: int, head: int, error: float) -> float | None:
        """Return the level of this head that suits errors of this size, infinity where the larger the better."""
        origin = origin_of(self.heads[head])
        positive = origin.low >= 0 or (origin.kind != "linear" and bool((self.heads[head] > 0).all()))
        low, high = (1e-2, 100.0) if positive else (-4.0, 9.0)
        for _ in range(ROUNDS):
            level = torch.linspace(low, high, len(self.goal), dtype=torch.float64)
            levels = [CENTRE if k == location else level if k == head else 1.0 for k in range(len(self.heads))]
            slope, other = (self.slopes(size, levels)[head] for size in (error, 2 * error))
            if not bool(torch.isfinite(slope + other).all()):
                high /= 2  # the exponential of an exponential
                continue
            rises = slope > 0
            if torch.allclose(slope, other, rtol=1e-2, atol=1e-4) or bool((rises[1:] < rises[:-1]).any()):
                return None  # it knows nothing of errors, or it has no valley
            if bool(rises.all() or not rises.any()):
                return -inf if bool(rises.all()) else inf
            last = int(rises.long().argmax()) - 1
            low, high = float(level[last]), float(level[last + 1])
        return (low + high) / 2


def check_spread(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A head that says how large errors are must follow them, as a deviation, a variance or the inverse of one."""
    goal = patient.targets
    fits = isinstance(goal, Tensor) and goal.is_floating_point() and goal.dim() and len(goal.unique()) >= FEWEST
    if not fits or len(goal) < FEWEST or is_advantage(seen):
        return
    tried = _Spread(seen, patient)
    pulls = [tried.pull(head) for head in range(len(tried.heads))] if len(tried.heads) in (2, 3) else []
    location = next((head for head, (way, _) in enumerate(pulls) if way == 1), None)
    if location is None:
        yield from [said("wrong_formula: pushed away")] if any(way == -1 for way, _ in pulls) else ()
        return
    laplacian = torch.allclose(pulls[location][1], tried.pull(location, away=2.0)[1], rtol=1e-2)
    for head in (head for head, (way, _) in enumerate(pulls) if way != 1):
        best = [tried.best(location, head, error) for error in ERRORS]
        if None not in best:
            yield from _follows(torch.tensor(best, dtype=torch.float64), 1 if not laplacian else 2)


def _follows(level: Tensor, square: int) -> Iterator[Finding]:
    if not bool(torch.isfinite(level).all()):
        yield from [said("wrong_formula: likelihood")] if bool(torch.isinf(level).all()) else ()  # else it is no spread
        return
    error, laws = torch.tensor(ERRORS, dtype=torch.float64), []
    for meant in (level, level.exp(), torch.nn.functional.softplus(level)):
        power = (meant[1:] / meant[:-1]).log() / (error[1:] / error[:-1]).log()
        if bool((meant > 0).all()) and float((power - power.mean()).abs().max()) < 5e-3 < abs(float(power.mean())):
            laws.append((float(power.mean()), float(meant[0] / error[0] ** power.mean())))
    fits = any(round(abs(p), 1) in (1, 2) and min(abs(f - 1), abs(f - square ** (p / 2))) < 0.03 for p, f in laws)
    for power, factor in [] if fits else laws:
        off, twos = min(abs(abs(power) - usual) for usual in (1, 2)), 2 * log2(factor)
        if off > 0.2 or (off < 0.01 and abs(twos - round(twos)) < 0.05):  # another distribution may have other factors
            yield said("wrong_formula: spread", factor=factor, power=power)
            return


def check_quantiles(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Errors above and below weigh as the asked quantile says: its share below, the rest above, not the reverse."""
    whole = seen.outputs
    if not any(t.is_floating_point() for t in tensors_in(patient.targets)):
        return
    parts = [t for t in (*tensors_in(whole), *tensors_in(patient.targets)) if t.is_floating_point() and t.dim()]
    made = {id(s.result) for s in seen.watcher.steps if s.tensors}
    told = [t for s in seen.watcher.steps for t in s.tensors if not of(seen, t) and id(t) not in made]
    told += [torch.tensor([*{q: 0 for s in seen.watcher.steps for q in s.args if type(q) is float and 0 < q < 1}])]
    levels = [t for t in (*parts, *told) if not t.requires_grad and bool(((t > 0) & (t < 1)).all())]
    levels = [t for t in levels if len(t.unique()) > 1]
    for head, goal in ((h, g) for h in parts if h.requires_grad for g in tensors_in(patient.targets)):
        if (
            not (goal.is_floating_point() and goal.dim())
            or len(head) != len(goal)
            or goal.numel() not in (len(head), head.numel())
        ):
            continue
        truth = goal.reshape(len(goal), -1).expand(len(goal), head[0].numel()).reshape(head.shape)
        above, below = (cost_with(patient, whole, head, truth + side)[1] for side in (1, -1))
        asked = [t.reshape(head.shape) for t in levels if t.numel() == head.numel()]
        asked += [t.expand(head.shape) for t in levels if t.shape == head.shape[-1:]]
        found = [any(torch.allclose(one / (above - below), q.to(head), atol=1e-4) for q in asked) for one in (
            -below, above)]  # fmt: skip
        if found == [False, True]:
            yield said("wrong_formula: quantiles")
            return


def check_volume(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A determinant beside a point of a normal distribution must grow; a trace of slopes need not."""
    heads = sorted((t for t in tensors_in(seen.outputs) if t.requires_grad and t.dim() in (1, 2)), key=Tensor.numel)
    if patient.targets is not None or seen.watcher.asked or len(heads) != 2:
        return
    if not heads[0].numel() == len(heads[0]) == len(heads[1]) < heads[1].numel() or any(
            bool((t <= 0).all() or (t >= 0).all()) for t in heads):  # fmt: skip
        return
    up, down = (cost_with(patient, seen.outputs, head, head)[1] for head in heads)
    ratio = down / heads[1]
    normal = bool((down != 0).all()) and float(ratio.std()) < 1e-3 * float(ratio.mean())
    if normal and bool((up > 0).all()):
        yield said("wrong_formula: volume")


def check_roles(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Actions and what they brought: gains must make them likelier, and without any gain no policy grows surer."""
    parts = list(tensors_in(patient.targets)) if not isinstance(patient.targets, Tensor) else []
    heads = [t for t in tensors_in(seen.outputs) if t.requires_grad and t.is_floating_point()]
    numbers = [t.argmax(-1) if _is_one_hot(t) else t for t in parts if t.dtype != torch.bool]
    numbers += [t[:, 0] for t in numbers if t.shape[1:] == (1,)]
    taken = next(((h, t) for t in numbers for h in heads if not t.is_floating_point() and of_classes(h, t)), None)
    moved = next(((h, t) for t in parts for h in heads if t.is_floating_point() and t.shape == h.shape and t.dim() == 2
                  and (t.shape[1] > 1 or len(heads) == 1)), None)  # fmt: skip
    head, actions = taken or moved or (None, None)
    gains = [t for t in parts if t.is_floating_point() and t is not actions and head is not None
             and t.numel() == (actions.numel() if taken else len(actions)) > 0]  # fmt: skip
    factors = factors_in(seen, patient.targets, False)
    scaled = [pair for _, pair in pairs_of(seen, "mul") if any(t is head for t in pair) and not taken]
    scales = {id(t) for pair in scaled for t in pair}  # of the output itself, not of what it costs
    factors = [t for t in factors if not scales & behind(seen, t)]
    gains = [t for t in gains if taken and t.min() < 0 < t.max()] or [t for t in gains if any(t is f for f in factors)]
    classes = of_classes(head.detach(), actions) if taken else None
    good, bad = (classes or agreeing_and_contradicting(head, actions) or (None, None)) if gains else (None, None)
    if good is None:
        return
    whole, axis = seen.outputs, 0
    if taken:
        axis = 1 if good.shape[:1] + good.shape[2:] == actions.shape else -1
    even = good.mean(axis, keepdim=True).expand_as(good).contiguous()
    even = even if not taken or bool(((good >= 0) & (good <= 1)).all()) else even.log_softmax(axis)
    meets = [s.tensors[:2] for s in seen.watcher.steps if s.name in LOSSES or kind_of(s) == "sub"]

    def worth(part: Tensor, gain: Tensor) -> Tensor:
        """What is to be brought, on top of what the model expects where it is compared with that."""
        met = [t for pair in meets if any(t is part for t in pair) for t in pair if t is not part]
        others = [t for t in met if t.numel() == part.numel()]
        expected = next((t.detach().flatten() for t in others if of(seen, t) == {"outputs"}), torch.zeros(1))
        return (expected + gain.expand(len(part), part[0].numel()).flatten()).view_as(part).to(part)

    def costs(gain: Tensor, *answers: Tensor) -> list[float]:
        given = changed(patient.targets, lambda t: worth(t, gain) if any(t is one for one in gains) else t)
        return [cost_with(patient, whole, head, answer, given)[0] for answer in answers]

    ups = (torch.arange(len(good), device=good.device) % 2 == 0).view(-1, *[1] * (good.dim() - 1))
    gain = torch.where(ups.flatten(), 1.0, -1.0)[:, None]
    agree, against, none = costs(gain, torch.where(ups, good, bad), torch.where(ups, bad, good), even)
    margin = 1e-4 * abs(agree - against) + 1e-6
    lost = costs(-gain, torch.where(ups, good, bad))[0]
    sure, other, idle = costs(0 * gain, good, bad, even)
    if abs(lost - agree) < 1e-3 * abs(agree - idle) and any(t.min() < 0 < t.max() for t in factors):
        alike = "A loss and a gain of the same size are treated alike."
        yield said("better_outputs_cost_more: actions", alike, agree=agree, against=against)
    elif against + margin < none < agree - margin:
        yield said("better_outputs_cost_more: actions", agree=agree, against=against)
    if taken and max(sure, other) < idle - 1e-5 * (1 + abs(idle)):
        yield said("wrong_formula: surer", sure=sure, none=idle)


def _is_one_hot(values: Tensor) -> bool:
    return values.dim() > 1 and bool((values.amax(-1) == 1).all() and (values.abs().sum(-1) == 1).all())
