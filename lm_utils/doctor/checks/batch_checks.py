"""One sample among others: is its output its own, is it judged by its own target, and does each count alike?"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from math import nan

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import changed, draw_anew, first_tensor, tensors_in
from lm_utils.doctor.checks.formula_checks import kind_of
from lm_utils.doctor.output_origin import operation, saved_axis
from lm_utils.doctor.patient import Observation, Patient, loss_in
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.watching import LOSSES

VIEWS = {"view", "reshape", "flatten", "transpose", "permute", "movedim", "squeeze", "unsqueeze", "contiguous",
         "float", "long", "size"}  # fmt: skip
FEWEST = 8  # samples below which one that counts alone says little
ALL_AT_ONCE = (nn.RNNBase, nn.MultiheadAttention)


def check_samples_mixed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does a sample's output depend on the other samples, because a layer takes the batch for time?"""
    inputs, outputs = first_tensor(patient.inputs), first_tensor(seen.outputs)
    if inputs is None or inputs.dim() < 1 + isinstance(patient.inputs, Tensor) or outputs is None:
        return
    samples = inputs.shape[0]
    if any(t.shape[:1] != (samples,) or t.shape == (samples,) * 2 for t in tensors_in(patient.inputs)):
        return  # a graph or a mask of all pairs
    numbers = [t for t in tensors_in(patient.inputs) if t.dtype == torch.int64 and t.dim() == 1]
    if any(t[0] == 0 and bool(((step := t.diff()) >= 0).all() and (step <= 1).all()) for t in numbers):
        return  # the numbers of the graphs that the samples, nodes, belong to
    suspects = _time_first_layers(patient.model)
    axis = int(outputs.shape[:1] != (samples,) and inputs.dim() > 3)  # time may come first in the outputs
    if samples < 4 or outputs.shape[axis : axis + 1] != (samples,) or not isinstance(patient.model, nn.Module):
        return
    labelled = next((t for t in tensors_in(patient.targets) if t.dim()), None)
    if labelled is not None and labelled.shape[0] != samples:
        return
    if (axis or outputs.shape[:2] == (samples,) * 2) and not _is_shorter_for_fewer(patient, outputs.shape, axis):
        return  # a table of all pairs, or as many features as there are samples
    goal = patient.targets if inputs.dim() > 1 else None
    along = isinstance(goal, Tensor) and goal.shape == inputs.shape and torch.equal(inputs[:, 1:], goal[:, :-1])
    known = along or (labelled is not None and labelled.dim() == 1)  # that the samples come first
    unknown = outputs.dim() > 2 and inputs.dim() < 4 and not known  # time may come first on purpose
    series = outputs.shape[:2] == inputs.shape[:2] and (suspects or inputs.is_floating_point())
    if (unknown and not series) or _mixes_on_purpose(seen, patient.model, outputs):
        return
    with patient.predicting():
        ways = ((samples, axis), (*outputs.shape[1:2], 1, 1))[: 1 + unknown]  # if unknown, the samples stand on neither
        if not all(_changes_with_others(patient, *way) for way in ways) or _one_input_stays_apart(patient, axis):
            return
    if suspects:
        name, layer = suspects[0]
        yield said("samples_mixed: time first", name=name, layer=type(layer).__name__)
    elif not _softmax_over_batch(seen, outputs, samples):
        yield said("samples_mixed")
    else:
        yield said("softmax_wrong_axis: samples mixed")


def _is_shorter_for_fewer(patient: Patient, shape: torch.Size, axis: int) -> bool:
    """Do the outputs of a smaller batch have another shape along this axis only, so that the samples stand there?"""
    with patient.predicting(), suppress(RuntimeError, ValueError, IndexError):
        fewer = first_tensor(patient.outputs_of(changed(patient.inputs, lambda t: t[:-1])))
        return [n for n, (few, all_) in enumerate(zip(fewer.shape, shape, strict=True)) if few != all_] == [axis]
    return False


def _changes_with_others(patient: Patient, samples: int, axis: int, along: int = 0) -> bool:
    """Does the last sample's output change among other samples, or, where nothing is drawn, at another place?"""

    def said_of(order: list[int], place: int, seed: int = 0) -> Tensor:
        draw_anew(seed)
        given = changed(patient.inputs, lambda t: t.transpose(0, along)[order].transpose(0, along))
        found = [t for t in tensors_in(patient.outputs_of(given)) if t.dim() > axis and t.shape[axis] == samples]
        found = [t for t in found if t.shape[:2] != (samples,) * 2] or found  # tables of all pairs beside them
        return torch.cat([t.select(axis, place).flatten() for t in found])

    last, others = samples - 1, [0] * (samples - 1)
    here = said_of([*range(samples)], -1)
    if torch.allclose(here, said_of([last, *others], 0), rtol=1e-4, atol=1e-5):
        return False
    if not torch.allclose(here, said_of([*range(samples)], -1), rtol=1e-4, atol=1e-5):
        return False  # a model that remembers, or draws by itself, says something else each time
    return torch.equal(here, said_of([*range(samples)], -1, 1)) or not torch.allclose(
        here, said_of([*others, last], -1), rtol=1e-4, atol=1e-5)  # fmt: skip


def _one_input_stays_apart(patient: Patient, axis: int) -> bool:
    """Is there one of several inputs of which only the own sample matters, as the query beside examples in order?"""

    def last_of(change: Callable[[Tensor], Tensor]) -> Tensor:
        draw_anew()
        return first_tensor(patient.outputs_of(changed(patient.inputs, change))).select(axis, -1)

    def minds(rows: Callable[[int], list[int]], query: Tensor, others: bool = False) -> bool:
        moved = last_of(lambda t: t[rows(len(t))] if t.is_floating_point() and (t is query) != others else t)
        return not torch.allclose(usual, moved, rtol=1e-4, atol=1e-5)

    usual = last_of(lambda t: t)
    several = [t for t in tensors_in(patient.inputs) if t.is_floating_point() and t.dim() > 1]
    return len(several) > 1 and any(
        not minds(lambda n: [0] * (n - 1) + [-1], t)
        and minds(lambda n: [*range(n - 1), 0], t)
        and minds(lambda n: [*range(n)][::-1], t, others=True)  # a mean of the batch has no order, and no labels
        for t in several
    )


def _softmax_over_batch(seen: Observation, outputs: Tensor, samples: int) -> bool:
    """Does a softmax behind these outputs share out the whole among the samples?"""
    found = [saved_axis(node) for node in seen.behind(outputs) if operation(node) == "Softmax"]
    return any(axis == 0 and len(shape) > 1 and shape[0] == samples for axis, shape in found)


def _mixes_on_purpose(seen: Observation, model: nn.Module, outputs: Tensor) -> bool:
    """Does a norm without running statistics, or a given table of the samples' neighbours, belong to the model?"""
    norms = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    left = [getattr(node, "_saved_self", None) for node in seen.behind(outputs) if operation(node) == "Mm"]
    tables = [t for t in left if isinstance(t, Tensor) and t.shape == (len(outputs),) * 2 and not t.requires_grad]
    return bool(tables) or any(norm.running_mean is None for norm in norms)


def _time_first_layers(model: object) -> list[tuple[str, nn.Module]]:
    if not isinstance(model, nn.Module):
        return []
    return [(name, part) for name, part in model.named_modules()
            if isinstance(part, ALL_AT_ONCE) and not getattr(part, "batch_first", True)]  # fmt: skip


def cost_of(patient: Patient, outputs: object, targets: object) -> tuple[float, list[Tensor]]:
    """Return what these outputs cost and the slope at each tensor of them; NaN where the loss cannot take them."""
    free = []

    def freed(tensor: Tensor) -> Tensor:
        free.append(tensor.detach().clone().requires_grad_(tensor.is_floating_point()))
        return free[-1]

    whole = changed(outputs, freed)
    draw_anew()
    with torch.enable_grad():
        try:
            loss = loss_in(patient.loss_fn(whole, targets)).sum()
            slopes = torch.autograd.grad(loss, [t for t in free if t.requires_grad], allow_unused=True)
        except (Exception, SystemExit):
            return nan, [torch.zeros_like(t) for t in free]
        given = iter(slopes)
        found = [next(given) if t.requires_grad else None for t in free]
        return loss.item(), [torch.zeros_like(t) if g is None else g for t, g in zip(free, found, strict=True)]


def cost_with(
    patient: Patient, whole: object, head: Tensor, values: Tensor, targets: object = None
) -> tuple[float, Tensor]:
    """Return what the outputs cost where one of them has these values, and the slope there."""
    outputs = changed(whole, lambda t: values if t is head else t)
    cost, slopes = cost_of(patient, outputs, patient.targets if targets is None else targets)
    return cost, next(slope for slope, one in zip(slopes, tensors_in(whole), strict=True) if one is head)


def is_torchs_own(seen: Observation) -> bool:
    """Is the loss one of torch's and nothing else, but for views of what it receives?"""
    return len(seen.calls) == 1 and all(step.name in LOSSES or kind_of(step) in VIEWS for step in seen.watcher.steps)


def compares_means(seen: Observation) -> bool:
    """Are features averaged over the samples on purpose, before they meet the targets' averages?"""
    means = [s for s in seen.watcher.steps if s.name == "mean" and s.argument(1, "dim", "axis") in (0, (0,), [0])]
    taken = (s.tensors[0] for s in means)
    return any(t.dim() > 1 and t[0].numel() > 1 and seen.watcher.sources(t) == {"outputs"} for t in taken)


def check_own_targets(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """With other outputs the loss must change, and where samples are judged one by one, with others' targets too."""
    if is_torchs_own(seen):
        return
    whole = seen.outputs
    heads = [t for t in tensors_in(whole) if t.requires_grad and t.dim()]
    if not heads or not all(t.is_floating_point() and torch.isfinite(t).all() for t in heads):
        return
    cost, slopes = cost_of(patient, whole, patient.targets)
    if not any(bool(s.any()) for s in slopes) and seen.loss.requires_grad:
        again, others = cost_of(patient, changed(whole, lambda t: 0.7 * t), patient.targets)
        if again == cost and not any(bool(s.any()) for s in others):
            yield said("loss_is_constant", cost=cost)
        return
    looked_up = {id(t) for s in seen.watcher.steps if s.name == "__getitem__" for t in tensors_in(s.args[1:])}
    guessed = any(c.family == "cross_entropy" and seen.watcher.sources(c.target) == {"outputs"} for c in seen.calls)
    if guessed or isinstance(patient.targets, (tuple, list)):
        yield from _unused(patient, whole, cost, slopes, looked_up)
    yield from _few_samples(patient, whole, slopes)
    samples = len(heads[0])
    if samples >= 4 and all(len(t) == samples or len(t) % samples for t in heads):
        yield from _one_by_one(seen, patient, whole, samples)


def _unused(
    patient: Patient, whole: object, cost: float, slopes: list[Tensor], looked_up: set[int]
) -> Iterator[Finding]:
    """Each part of the targets but what the model was given must matter: with other numbers something must change."""
    x = first_tensor(patient.inputs)
    for part in (part for part in tensors_in(patient.targets) if x is None or not torch.equal(part.to(x), x)):
        ordered = id(part) in looked_up or (
            part.dim() == 1 and any(torch.equal(part, part.sort(descending=d).values) for d in (True, False))
        )
        if part.dim() and bool((part != part[:1]).any()) and not ordered:
            targets = [changed(patient.targets, lambda t, new=new, old=part: new if t is old else t) for new in (
                part.roll(1, 0), part[:1].expand_as(part).clone())]  # fmt: skip
            found = [cost_of(patient, whole, one) for one in targets]
            if all(c == cost and all(map(torch.equal, s, slopes)) for c, s in found):
                yield said("unused_target", shape=list(part.shape))


def _few_samples(patient: Patient, whole: object, slopes: list[Tensor]) -> Iterator[Finding]:
    """Of a batch with a target for each sample all must have a part in the loss, not only the first or the last."""
    samples = patient.batch_size or 0
    targets = [t for t in tensors_in(patient.targets) if t.dim() and len(t) == samples]

    def taught_by(slopes: list[Tensor], axis: int = 0) -> list[int]:
        fits = [s for s in slopes if s.dim() > 1 and s.shape[0] in (1, samples)]
        return [int(s.movedim(axis, 0).flatten(1).any(1).sum()) for s in fits]

    def nearer(head: Tensor) -> Tensor:
        return next((0.8 * t + 0.2 * head for t in targets if t.shape == head.shape and t.is_floating_point()), head)

    taught = taught_by(slopes)
    if samples >= FEWEST and targets and len(taught) == len(slopes) and 0 < max(taught) < 3 and (
            max(taught_by(cost_of(patient, changed(whole, nearer), patient.targets)[1])) < 3):  # fmt: skip
        yield said("wrong_formula: few samples", kind="samples", count=samples, taught=max(taught))
    places = max((t.shape[1] for t in targets if t.dim() == 2), default=0)
    if places >= FEWEST // 2 and len(slopes) == 1 and taught_by(slopes, 1) == [1] and slopes[0].shape[1] == places:
        yield said("wrong_formula: few samples", kind="places of a row", count=places, taught=1)


def _one_by_one(seen: Observation, patient: Patient, whole: object, samples: int) -> Iterator[Finding]:
    """Where each sample is judged alone: is it judged by its own target, and are all parts reduced alike?"""

    def handed(value: object, how: Callable[[Tensor], Tensor]) -> object:
        return changed(value, lambda t: how(t) if t.dim() and len(t) == samples else t)

    def slopes_at(outputs: object, targets: object) -> list[Tensor]:
        return [s for s in cost_of(patient, outputs, targets)[1] if s.dim() and len(s) in (samples, 2 * samples)]

    def slopes_with(targets: object, own: float = 0.5) -> list[Tensor]:
        def mixed(t: Tensor) -> Tensor:
            late = torch.arange(samples, device=t.device) >= samples // 2
            rows = late.view(-1, *[1] * (t.dim() - 1))
            return torch.where(rows, own * t + (1 - own) * t.roll(1, 0), t) if t.is_floating_point() else t

        return slopes_at(handed(whole, mixed), targets)

    def same_in(order: list[int]) -> bool:
        """Do slopes follow the samples when these take other places?"""
        moved = cost_of(patient, *(handed(value, lambda t: t[order]) for value in (whole, patient.targets)))[1]
        return _alike([handed(s, lambda t: t[order]) for s in cost_of(patient, whole, patient.targets)[1]], moved)

    here = slopes_with(patient.targets)
    if not _alike(*([s[: samples // 2] for s in slopes] for slopes in (here, slopes_with(patient.targets, 0.2)))):
        return  # samples are compared with each other
    places = list(range(samples))
    if not same_in(places[::-1]):  # a sample's place in the batch means something
        swapped = [same_in([*places[:k], k + 1, k, *places[k + 2 :]]) for k in range(min(4, samples - 1))]
        times = first_tensor(patient.inputs)  # the first one may be where an equation starts
        parts = patient.model.modules() if isinstance(patient.model, nn.Module) else ()
        steps = any(isinstance(part, nn.RNNBase) and not part.batch_first for part in parts)  # the first axis is time
        if not swapped[0] and all(swapped[1:]) and not (steps or torch.equal(times, times.sort(0).values)):
            yield said("wrong_formula: first sample")
        return
    copied, turned = (handed(patient.targets, how) for how in (
        lambda t: t[:1].expand_as(t).clone(), lambda t: t.roll(1, 0)))  # fmt: skip
    if not compares_means(seen) and not _alike(here, slopes_with(copied)) and _alike(here, slopes_with(turned)):
        yield said("wrong_formula: one by one")
    goals = [t for t in tensors_in(patient.targets) if t.is_floating_point() and t.dim() and len(t) == samples]
    summed = [s.tensors[0] for s in seen.watcher.steps if kind_of(s) == "sum" and s.tensors]
    goals = [t for t in goals if not any(t is one for one in summed)]  # an episode's rewards, added up on purpose
    for goal in goals if not isinstance(patient.targets, Tensor) else ():
        other, double = (changed(patient.targets, lambda t, new=new, old=goal: new if t is old else t)
                         for new in (goal.roll(1, 0), 2 * goal))  # fmt: skip
        if bool((goal != goal[:1]).any()) and _alike(here, slopes_with(other)) and _alike(
                [2 * s for s in here], slopes_with(double)):  # fmt: skip
            yield said("wrong_formula: weighs the batch", shape=list(goal.shape))
    once = slopes_at(whole, patient.targets)
    twice = slopes_at(*(handed(value, lambda t: torch.cat([t, t])) for value in (whole, patient.targets)))
    ratios = [float((two[:samples] * one).sum() / one.square().sum()) for one, two in zip(once, twice, strict=True)
              if len(two) == 2 * samples and bool(one.any())]  # fmt: skip
    alike = any(all(abs(ratio - wanted) < 0.04 for ratio in ratios) for wanted in (0.5, 1.0))
    counted = any(
        kind_of(s) == "div" and type(s.argument(1)) is int and s.args[1] == samples for s in seen.watcher.steps
    )
    if samples >= FEWEST and ratios and not (alike or counted) and min(ratios) > 0.45 and max(ratios) < 1.05:
        yield said("wrong_formula: one by one too")


def _alike(some: list[Tensor], others: list[Tensor]) -> bool:
    largest = max(float(s.abs().max()) for s in some)
    return all(torch.allclose(s, o, rtol=1e-4, atol=1e-5 * largest) for s, o in zip(some, others, strict=True))
