"""Do outputs and targets have shapes that meet the way the writer meant, in torch's losses and in one's own?"""

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import prod

import torch
from torch import Tensor

from lm_utils.doctor.belongings import first_tensor, tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.checks.formula_checks import kind_of, of, of_outputs, pairs_of, plain_arguments
from lm_utils.doctor.output_origin import PASSES, nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

ELEMENTWISE = {"bce", "bce_logits", "distance", "kl_div", "soft_margin", "poisson", "hinge_embedding"}
LINEAR_LAYER = {"Addmm", "Mm", "Linear", "MkldnnLinear"}
STRETCHING = {"sub", "add", "mul", "div", "max", "min", "maximum", "minimum", "where", "masked_select"}
SQUASHING = {"softmax", "log_softmax", "sigmoid", "logsigmoid", "log_sigmoid", "logsumexp"}
SHARES = {"softmax", "sigmoid"}
JOINING = {"Cat", "Stack"}
REFUSES_OTHER_SHAPES = {"binary_cross_entropy", "binary_cross_entropy_with_logits"}


def check_shapes(case: Case, seen: Observation) -> Iterator[Finding]:
    """All questions about the two shapes."""
    if case.outputs.device != case.targets.device:
        yield said("different_devices", outputs=case.outputs.device, targets=case.targets.device)
    if case.call.family in ELEMENTWISE:
        yield from _check_elementwise(case, seen)
    elif case.call.family in ("cross_entropy", "nll", "multi_margin"):
        yield from _check_classes(case)


def _shapes(case: Case) -> str:
    return f"outputs {list(case.outputs.shape)} and targets {list(case.targets.shape)}"


def _mended(case: Case) -> str:
    outputs, targets = case.outputs.shape, case.targets.shape
    if targets == outputs[:-1] and len(outputs) > 1 and outputs[-1] == 1:
        return "`loss_fn(outputs, targets.unsqueeze(-1))`"
    if outputs == targets[:-1] and targets[-1] == 1:
        return "`loss_fn(outputs, targets.squeeze(-1))`"
    if len(targets) == 1 and len(outputs) == 2 and not case.targets.is_floating_point():
        return f"`loss_fn(outputs, F.one_hot(targets, {outputs[1]}).float())`"
    if _without_ones(targets) == _without_ones(outputs):
        return "`loss_fn(outputs, targets.reshape(outputs.shape))`"
    if len(outputs) == len(targets) and (order := _order(targets, outputs)):
        return f"`loss_fn(outputs, targets.permute{order})`"
    return "`assert outputs.shape == targets.shape` before the loss, and mend the one that is wrong"


def _without_ones(shape: torch.Size) -> list[int]:
    return [size for size in shape if size != 1]


def _order(given: torch.Size, wanted: torch.Size) -> tuple[int, ...] | None:
    """Return the one order of axes that turns a shape into another; None where there is none or more than one."""
    if sorted(given) != sorted(wanted) or len(set(given)) != len(given):
        return None
    return tuple(list(given).index(size) for size in wanted)


def _one_of_many(case: Case) -> bool:
    """One target of shape [1, 1] or [1] against several samples was hardly meant as a constant."""
    given = first_tensor(case.patient.targets)
    alone = given is not None and given.numel() == 1 and not case.targets.requires_grad
    return alone and case.targets.dim() == case.outputs.dim() and case.outputs.shape[0] > 1


def _check_elementwise(case: Case, seen: Observation) -> Iterator[Finding]:
    outputs, targets = case.outputs.shape, case.targets.shape
    if outputs == targets:
        return
    if case.targets.numel() == 1 and case.call.name not in REFUSES_OTHER_SHAPES and not _one_of_many(case):
        return
    try:
        joint = torch.broadcast_shapes(outputs, targets)
    except RuntimeError:
        joint = None
    if joint is None or case.call.name in REFUSES_OTHER_SHAPES:
        met = f"Shapes do not meet: {_shapes(case)}."
        yield said("shapes_differ", met, layer=case.call.layer, mended=_mended(case))
    elif joint == outputs and targets == outputs[1:] and outputs[0] != case.patient.batch_size == targets[0]:
        return  # several models, one set of targets
    elif joint != outputs or len(targets) < len(outputs) or targets[0] != outputs[0]:
        met = f"Shapes do not match: {_shapes(case)} are silently stretched to {list(joint)}."
        yield said("shapes_broadcast", met, mended=_mended(case))
    else:
        met = f"Each target is repeated over several outputs: {_shapes(case)}."
        alike = not _differ(case, seen)
        yield said("shapes_broadcast: repeated" if alike else "targets_repeated", met, mended=_mended(case))


def _differ(case: Case, seen: Observation) -> bool:
    """Are outputs that share a target drawn, set against it by hand, made by several layers, or weighed unlike?"""
    outputs, targets, each = case.outputs, case.targets, case.call.result
    verdicts = len(targets.unique()) <= 1 + (outputs.dim() > 3)  # one number for all, or yes or no for all patches
    several = operation(outputs.grad_fn) == "Unsqueeze" or case.origin.made_by in ("Bmm", "Baddbmm")
    if verdicts or several or seen.watcher.factors:
        return True
    if isinstance(each, Tensor) and each.shape == outputs.shape and (weights := seen.slope_at(each)) is not None:
        stretched = [axis for axis in range(outputs.dim()) if targets.shape[axis] < outputs.shape[axis]]
        if bool((weights.amax(stretched) > weights.amin(stretched)).any()):
            return True
    node = next((n for n in nodes_behind(outputs.grad_fn) if operation(n) not in PASSES - JOINING), None)
    parts = [one for one, _ in node.next_functions] if operation(node) in JOINING else []
    return len({next((n for n in nodes_behind(one) if hasattr(n, "variable")), None) for one in parts}) > 1


def _check_classes(case: Case) -> Iterator[Finding]:
    outputs, targets = case.outputs, case.targets
    if outputs.dim() < 2:
        yield from _check_flat(case) if outputs.dim() else ()
        return
    positions_first = outputs.dim() >= 3 and targets.shape == outputs.shape[:-1]
    if outputs.shape[1] == 1 and not positions_first:
        yield said("one_column_cross_entropy", layer=case.call.layer)
        return
    wanted = (outputs.shape[0], *outputs.shape[2:])
    if tuple(targets.shape) == wanted or (targets.is_floating_point() and case.one_per_target):
        yield from _check_square(case)
    else:
        yield _wrong_class_shape(case, wanted)


def _check_flat(case: Case) -> Iterator[Finding]:
    size, batch = case.outputs.shape[0], case.patient.batch_size
    if case.targets.dim() == 0 or not case.one_per_target:
        if case.targets.dim() and case.targets.numel() != 1:
            yield _wrong_class_shape(case, ())
        return
    adds_up = abs(case.target_values.sum().item() - 1) < 1e-3
    if size == batch or not adds_up:
        yield said("one_sample_of_many_classes", size=size, layer=case.call.layer)


def _check_square(case: Case) -> Iterator[Finding]:
    """[N, L, C] from a linear layer, where L happens to equal C: the classes stand last, not second."""
    shape, origin = case.outputs.shape, case.origin
    features_last = origin.made_by in LINEAR_LAYER and not origin.turned and origin.width in (None, shape[-1])
    if len(shape) == 3 and shape[1] == shape[2] and features_last and not case.targets.is_floating_point():
        yield _classes_last(case)


def _classes_last(case: Case) -> Finding:
    kind = "texts" if case.outputs.dim() == 3 else "pixels"
    return said(f"classes_not_second: {kind}", layer=case.call.layer, shape=list(case.outputs.shape))


def _wrong_class_shape(case: Case, wanted: tuple[int, ...]) -> Finding:
    outputs, targets, layer = case.outputs, case.targets, case.call.layer
    if outputs.dim() >= 3 and tuple(targets.shape) == tuple(outputs.shape[:-1]):
        return _classes_last(case)
    if case.one_per_target:
        taken = f"The targets are one-hot rows of integers; {layer} takes class numbers or floating shares."
        return said("one_hot_integers", taken, axis=case.class_axis)
    if targets.dim() == len(wanted) + 1 and 1 in targets.shape[1:]:
        met, place = f"The targets have an axis of length 1 too many: {_shapes(case)}.", list(targets.shape).index(1, 1)
        return said("shapes_differ: one too many", met, layer=layer, wanted=list(wanted), place=place)
    met, shares = f"Shapes do not meet: {_shapes(case)}.", list(outputs.shape)
    return said("shapes_differ: classes", met, layer=layer, wanted=list(wanted), shares=shares)


def check_axes(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about the axes in a loss of one's own."""
    for check in (_stretch, _squashed, _other_axis, _slopes_apart, _scrambled, _seen_in_another_order):
        yield from check(seen, patient)


def _stretch(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """[N] against [N, 1] grows into a table of all pairs; two factors may both be made of outputs and targets."""
    for step, pair in (*pairs_of(seen, *STRETCHING), *((s, s.tensors) for s in seen.watcher.stretched)):
        own, (one, other) = [of(seen, t) for t in pair], (_without_ones(t.shape) for t in pair)
        joint = torch.broadcast_tensors(*pair)[0] if kind_of(step) == "masked_select" else step.result
        grown = isinstance(joint, Tensor) and _both_grow(*pair, joint)
        factors = kind_of(step) == "mul" and pair[0].data_ptr() != pair[1].data_ptr()
        crossed = grown and one == other and all(own) and len(own[0] | own[1]) == 2 and (factors or {"targets"} in own)
        row = [t for t in pair if t.dim() == 1 < t.numel() and not t.requires_grad and not of(seen, t)]
        single = row and kind_of(step) == "mul" and len(own[0] | own[1]) == 2 and (1,) in [t.shape for t in pair]
        tables = [t for t in (joint, *tensors_in(seen.outputs)) if grown and t.shape == joint.shape]
        alike = one == other and own[0] | own[1] <= {"outputs"} and any(_alike_everywhere(seen, t) for t in tables)
        copied = factors and len(own[0] | own[1]) == 2 and any(map(_copied, pair, pair[::-1]))
        if crossed or alike or copied or (single and step.result.grad_fn in seen.graph):
            one, other, joint = (list(t.shape) for t in (*pair, joint))
            kind = "in the loss" if crossed else "all pairs" if alike else "copies" if copied else "a single mean"
            yield said(f"shapes_broadcast: {kind}", one=one, other=other, joint=joint, step=kind_of(step))
            return


def _alike_everywhere(seen: Observation, table: Tensor) -> bool:
    """Is the slope at each number of a table a matter of this number alone, the larger the larger or the smaller?"""
    slope = seen.slope_at(table)
    if slope is None or bool((slope == slope.flatten()[0]).all()):
        return False
    rises = slope.flatten()[table.detach().flatten().argsort()].diff() / slope.abs().max()
    return bool((rises > -1e-5).all() or (rises < 1e-5).all())


def _copied(mask: Tensor, values: Tensor) -> bool:
    """Does one channel of a picture meet several equal ones of a mask?"""
    fits = values.requires_grad and values.dim() == mask.dim() > 3 and values.shape[1] == 1 < mask.shape[1] <= 4
    fits = fits and mask.movedim(1, -1).shape[:-1] == values.movedim(1, -1).shape[:-1] and not mask.requires_grad
    return fits and bool((mask == mask[:, :1]).all() and (mask != mask.flatten()[0]).any())


def _both_grow(one: Tensor, other: Tensor, result: Tensor) -> bool:
    return one.dim() != other.dim() and 1 < one.numel() < result.numel() and 1 < other.numel() < result.numel()


def _squashed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax or sigmoid of what is one already, or a softmax that runs over the batch."""
    for step, first in of_outputs(seen, *SQUASHING):
        name, before = kind_of(step), origin_of(first).kind
        if before in SHARES if name != "logsumexp" else before == "softmax":
            applied = f"The loss applies a {name} to numbers that a {before} has made already."
            yield said("activation_twice: in the loss", applied, name=name)
        yield from _over_batch(step.result, patient, "The loss applies")
    for tensor in tensors_in(seen.whole):
        yield from _over_batch(tensor, patient, "The model ends in")


def _other_axis(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """The model's softmax must share out the axis of the classes, and the targets say which one it is."""
    outputs, targets = seen.outputs, patient.targets
    origin = origin_of(outputs) if isinstance(outputs, Tensor) and isinstance(targets, Tensor) else None
    shares = origin is not None and origin.kind in ("softmax", "log_softmax")
    if not shares or outputs.shape != origin.shape or origin.turned:
        return
    axes = range(1, outputs.dim())
    if targets.is_floating_point() and targets.shape == outputs.shape:
        parts = len(axes) > 2 and bool(((targets == 0) | (targets == 1)).all())  # of pictures: some places are of none
        classes = [a for a in axes if ((s := targets.sum(a)) - 1).abs().max() < 1e-3 or (parts and s.max() == 1)]
    else:
        classes = [a for a in axes if targets.shape == outputs.shape[:a] + outputs.shape[a + 1 :]]
    if classes and origin.axis not in classes:
        yield said("softmax_wrong_axis: other axis", ran=origin.axis, axis=classes[0])


def _slopes_apart(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A gradient's norm that leaves its pixels apart, or takes all samples together."""
    made_by = {id(step.result): step for step in seen.watcher.steps}
    for less_one in (step for step in seen.watcher.steps if kind_of(step) == "sub" and plain_arguments(step) == [1]):
        step, passed = made_by.get(id(less_one.tensors[0])), {""}
        while step is not None and step.tensors and kind_of(step) in ("sqrt", "pow", "add", "clamp", "clamp_min"):
            passed.add(kind_of(step))
            step = made_by.get(id(step.tensors[0]))
        kinds = ("norm", "sum") if passed & {"sqrt", "pow"} else ("norm",)
        if step is None or not step.tensors or kind_of(step) not in kinds:
            continue
        shape, over = step.tensors[0].shape, step.argument(1 + (kind_of(step) == "norm"), "dim")
        apart = (len(shape) > 2 and over in (1, [1], (1,))) or (over is None and len(shape) > 1)
        if apart and of(seen, step.tensors[0]) == {"outputs"}:
            yield said("wrong_formula: two axes", shape=list(shape))


def _over_batch(result: object, patient: Patient, where: str) -> Iterator[Finding]:
    if not isinstance(result, Tensor) or result.dim() < 2 or list(result.shape).count(patient.batch_size) != 1:
        return
    origin = origin_of(result)
    over = origin.kind in ("softmax", "log_softmax") and origin.size == patient.batch_size
    if over and (origin.axis == 0 or result.dim() == 3):
        ran = f"{where} a {origin.kind.replace('_', '-')} that runs over the batch."
        yield said("softmax_wrong_axis: over the batch", ran, axis=-1 if result.dim() < 4 else 1)


def _scrambled(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """[N, C, ...] seen as [-1, C], or its axes in another order, without moving one."""
    for step, first in of_outputs(seen, "view", "reshape"):
        both = [_without_ones(t.shape) for t in (first, step.result)]
        if first.dim() > 2 and of(seen, first) == {"outputs"} and _regrouped(*both):
            yield said("axes_scrambled: scrambled", before=list(first.shape), after=list(step.result.shape))
            return


def _seen_in_another_order(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """[N, L, H, D] seen as [N, H, L, D] inside the model: the same axes in another order, and no number moved."""
    for before, after in seen.watcher.views:
        one, other = _without_ones(before), _without_ones(after)
        if len(before) == 4 and sorted(before[2:]) == sorted(after[2:]) and _shifts(*sorted(before[2:])):
            continue
        across = before[0] == after[0] and len(before) > 2 < len(after) and _cuts_across(before, after)
        if len(before) == len(after) == 3 and before[1] == after[1] and 0 < after[2] < before[2]:
            across = before[2] // after[2] % before[1] > 0  # heads that hold some words whole, not a part of each
        if across or _regrouped(one, other):
            yield said("axes_scrambled: seen in another order", before=list(before), after=list(after))
            return


def _shifts(short: int, long: int) -> bool:
    """Are these the sides of a table of distances, which a view in the other order shifts row by row?"""
    return long - short == 1 or long - 2 * short in (0, -1)


def _regrouped(before: list[int], after: list[int]) -> bool:
    """Are axes split or merged into the same ones in another order, and in their own order they could not be?"""
    short, long = sorted((before, after), key=len)
    cuts = combinations(range(1, len(long)), len(short) - 1)
    groups = [[prod(long[a:b]) for a, b in pairwise((0, *cut, len(long)))] for cut in cuts]
    moved = short != long if len(short) == len(long) else len(short) > 2
    kept, rest = after[1:], iter(before[1:])  # of a batch that was merged with axes which do not stand beside it
    far = kept and after[0] != before[0] and kept != before[-len(kept) :] and all(one in rest for one in kept)
    return bool(far) or (moved and short not in groups and any(sorted(one) == sorted(short) for one in groups))


def _cuts_across(before: torch.Size, after: torch.Size) -> bool:
    """Do rows of one shape end in the middle of the other's, so that neither is made of whole pieces?"""
    ends = [{prod(shape[axis:]) for axis in range(1, len(shape))} for shape in (before, after)]
    return any(one % other and other % one for one in ends[0] for other in ends[1])
