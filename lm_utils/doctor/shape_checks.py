"""Do outputs and targets have shapes that meet the way the writer meant?"""

from collections.abc import Iterator

import torch

from lm_utils.doctor.belongings import first_tensor
from lm_utils.doctor.case import Case
from lm_utils.doctor.report import Finding

ELEMENTWISE = {"bce", "bce_logits", "distance", "kl_div", "soft_margin", "poisson", "hinge_embedding"}
LINEAR_LAYER = {"Addmm", "Mm", "Linear", "MkldnnLinear"}
REFUSES_OTHER_SHAPES = {"binary_cross_entropy", "binary_cross_entropy_with_logits"}


def check_shapes(case: Case) -> Iterator[Finding]:
    """All questions about the two shapes."""
    if case.outputs.device != case.targets.device:
        yield Finding("different_devices", "error",
                      f"The outputs are on {case.outputs.device} and the targets on {case.targets.device}.",
                      "A loss needs both on one device.",
                      "Move them: `targets = targets.to(outputs.device)`.")  # fmt: skip
    if case.call.family in ELEMENTWISE:
        yield from _check_elementwise(case)
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
    return (
        case.targets.dim() == case.outputs.dim()
        and case.outputs.shape[0] > 1
        and case.targets.requires_grad is False
        and (first_tensor(case.patient.targets) is not None and first_tensor(case.patient.targets).numel() == 1)
    )


def _check_elementwise(case: Case) -> Iterator[Finding]:
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
        yield Finding("shapes_differ", "error", f"Shapes do not meet: {_shapes(case)}.",
                      f"{case.call.layer} compares number by number and refuses these shapes.",
                      f"Write {_mended(case)}.")  # fmt: skip
    elif joint == outputs and targets == outputs[1:] and outputs[0] != case.patient.batch_size == targets[0]:
        return  # several models, one set of targets
    elif joint != outputs or len(targets) < len(outputs) or targets[0] != outputs[0]:
        yield Finding("shapes_broadcast", "error",
            f"Shapes do not match: {_shapes(case)} are silently stretched to {list(joint)}.",
            "Every output is compared with targets of other samples, and the best answer is the mean of all targets.",
            f"Write {_mended(case)}.")  # fmt: skip
    else:
        yield Finding("targets_repeated", "info", f"Each target is repeated over several outputs: {_shapes(case)}.",
                      "That is right only where several outputs predict the same number.",
                      f"If not, write {_mended(case)}.")  # fmt: skip


def _check_classes(case: Case) -> Iterator[Finding]:
    outputs, targets = case.outputs, case.targets
    if outputs.dim() == 1:
        yield from _check_flat(case)
        return
    if outputs.dim() == 0:
        return
    positions_first = outputs.dim() >= 3 and targets.shape == outputs.shape[:-1]
    if outputs.shape[1] == 1 and not positions_first:
        yield _one_column(case)
        return
    wanted = (outputs.shape[0], *outputs.shape[2:])
    if tuple(targets.shape) == wanted or (targets.is_floating_point() and case.one_per_target):
        yield from _check_square(case)
        return
    yield _wrong_class_shape(case, wanted)


def _check_flat(case: Case) -> Iterator[Finding]:
    size, batch = case.outputs.shape[0], case.patient.batch_size
    if case.targets.dim() == 0 or not case.one_per_target:
        if case.targets.dim() and case.targets.numel() != 1:
            yield _wrong_class_shape(case, ())
        return
    adds_up = abs(case.target_values.sum().item() - 1) < 1e-3
    if size == batch or not adds_up:
        yield Finding("one_sample_of_many_classes", "error",
            f"Outputs and targets are both flat, [{size}]: {case.call.layer} reads one sample with {size} classes.",
            "The samples of the batch then compete with each other, and the value depends on the batch size.",
            "For one output per sample write `loss_fn = nn.BCEWithLogitsLoss()`.")  # fmt: skip


def _one_column(case: Case) -> Finding:
    return Finding("one_column_cross_entropy", "error",
                   f"The model has one output per sample, and {case.call.layer} needs one per class.",
                   "A softmax over one number is always 1, so the loss is always 0 and no gradient flows.",
                   "For yes or no write `loss_fn = nn.BCEWithLogitsLoss()` with targets of the same shape, or give the "
                   "model two outputs: `nn.Linear(features, 2)`.")  # fmt: skip


def _check_square(case: Case) -> Iterator[Finding]:
    """[N, L, C] from a linear layer, where L happens to equal C: the classes stand last, not second."""
    outputs = case.outputs
    squares = outputs.dim() == 3 and outputs.shape[1] == outputs.shape[2]
    features_last = case.origin.made_by in LINEAR_LAYER and not case.origin.turned
    features_last = features_last and case.origin.width in (None, outputs.shape[-1])
    if squares and features_last and not case.targets.is_floating_point():
        yield _classes_last(case)


def _classes_last(case: Case) -> Finding:
    shape = list(case.outputs.shape)
    return Finding("classes_not_second", "error",
        f"{case.call.layer} takes the classes from axis 1, but the outputs {shape} hold them last.",
        "It then takes positions for classes and classes for positions.",
        "Turn them: `loss_fn(outputs.transpose(1, 2), targets)`, or flatten both over the positions.")  # fmt: skip


def _wrong_class_shape(case: Case, wanted: tuple[int, ...]) -> Finding:
    outputs, targets = case.outputs, case.targets
    if outputs.dim() >= 3 and tuple(targets.shape) == tuple(outputs.shape[:-1]):
        if outputs.dim() == 3:
            return _classes_last(case)
        return Finding("classes_not_second", "error",
            f"{case.call.layer} takes the classes from axis 1, but the outputs {list(outputs.shape)} hold them last.",
            "It then takes a row of pixels for the classes.",
            "Turn them: `loss_fn(outputs.movedim(-1, 1), targets)`.")  # fmt: skip
    if case.one_per_target:
        return Finding("one_hot_integers", "error",
            f"The targets are one-hot rows of integers; {case.call.layer} takes class numbers or floating shares.",
            "Integers are read as class numbers, one per sample.",
            f"Write `loss_fn(outputs, targets.argmax({case.class_axis}))` or `loss_fn(outputs, targets.float())`."
        )  # fmt: skip
    if targets.dim() == len(wanted) + 1 and 1 in targets.shape[1:]:
        return Finding("shapes_differ", "error", f"The targets have an axis of length 1 too many: {_shapes(case)}.",
            f"{case.call.layer} expects class numbers of shape {list(wanted)}.",
            f"Write `loss_fn(outputs, targets.squeeze({list(targets.shape).index(1, 1)}).long())`.")  # fmt: skip
    return Finding("shapes_differ", "error", f"Shapes do not meet: {_shapes(case)}.",
        f"{case.call.layer} expects class numbers of shape {list(wanted)}, or shares of shape {list(outputs.shape)}.",
        f"Bring the targets into shape: `assert targets.shape == {list(wanted)}`.")  # fmt: skip
