"""Do the outputs depend on the inputs at all, and is the loss better than a constant's?"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import changed, first_tensor, tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.hidden_checks import DRAWN, rows_alike
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding

SMALLEST = 1e-6  # keeps a probability off 0 and 1 before a logarithm
FEWEST = 8  # samples below which a comparison with the constant predictor says nothing


def check_dependence(outputs: Tensor | None, patient: Patient) -> Iterator[Finding]:
    """Outputs equal to the last bit for different inputs, in double precision and after a small push too.

    The push matters: a fresh last layer of zeros gives equal outputs and is healthy, and so is a deep
    network whose outputs differ only below the precision of its type.
    """
    if outputs is None or outputs.dim() == 0 or outputs.numel() < 2 or not _inputs_differ(patient):
        return
    if rows_alike(outputs) and _still_equal(patient) and not _slope_at_inputs(patient):
        yield Finding("outputs_ignore_inputs", "error", "The outputs are the same for every input, to the last bit.",
            "Whatever is learned then is the average of the targets: something cuts the input off.",
            "Follow one batch through forward(): `print(x.std(0).max())` after each layer shows where it turns to 0."
        )  # fmt: skip


def _inputs_differ(patient: Patient) -> bool:
    return any(
        part.dim() and part.shape[0] > 1 and bool((part != part[:1]).any()) for part in tensors_in(patient.inputs)
    )


def _still_equal(patient: Patient) -> bool:
    """Are the rows equal with other weights too, in double precision and in the type they have?"""
    if not isinstance(patient.model, nn.Module):
        return True
    for in_double in (True, False):

        def held(tensor: Tensor, double: bool = in_double) -> Tensor:
            return tensor.detach().double() if double and tensor.is_floating_point() else tensor.detach()

        weights = {name: _nudged(held(weight)) for name, weight in patient.parameters.items()}
        buffers = {name: held(buffer) for name, buffer in patient.model.named_buffers()}
        with torch.no_grad():
            seen = patient.observe(changed(patient.inputs, held), weights | buffers)
        found = _tensor_of(seen, patient)
        if found is not None:
            return rows_alike(found)
    return False


def _slope_at_inputs(patient: Patient) -> bool:
    """Does a gradient reach the inputs all the same, as through rounding with a straight-through step?"""
    inputs = changed(patient.inputs, lambda t: t.detach().clone().requires_grad_(t.is_floating_point()))
    free = [tensor for tensor in tensors_in(inputs) if tensor.requires_grad]
    found = _tensor_of(patient.observe(inputs), patient) if free else None
    if found is None or not found.requires_grad:
        return False
    slopes = torch.autograd.grad(found.square().sum() + found.sum(), free, allow_unused=True)
    return any(slope is not None and bool(slope.any()) for slope in slopes)


def _tensor_of(seen: Observation, patient: Patient) -> Tensor | None:
    if seen.calls and isinstance(seen.calls[0].input, Tensor):
        return seen.calls[0].input
    return None if seen.failed_in == "model" else first_tensor(patient.chosen(seen.outputs))


def _nudged(weight: Tensor) -> Tensor:
    return weight + 0.05 * torch.randn_like(weight) if weight.is_floating_point() else weight


def is_fresh(model: object) -> bool:
    """Do all layers still have the weights that torch draws for a new one: uniform up to 1/sqrt(fan-in)?"""
    layers = [part for part in model.modules() if isinstance(part, DRAWN)] if isinstance(model, nn.Module) else []
    return bool(layers) and all(_is_drawn(layer.weight.detach()) for layer in layers)


def _is_drawn(weight: Tensor) -> bool:
    bound = weight[0].numel() ** -0.5 if weight.numel() else 0.0
    largest = weight.abs().max().item() if weight.numel() else 0.0
    return largest == 0 or (0.8 if weight.numel() > 16 else 0.2) * bound < largest <= bound * (1 + 1e-3)


def check_baseline(case: Case, seen: Observation) -> Iterator[Finding]:
    """Is the loss at or above what the best constant reaches, although the model was trained?"""
    if seen.failure is not None or case.outputs.shape[:1] < (FEWEST,) or is_fresh(case.patient.model):
        return
    with torch.no_grad():
        constants = best_constant(case)
        own, constant = (None if outputs is None else case.call.repeat(outputs, case.targets).mean().item()
                         for outputs in (case.outputs.detach(), constants))  # fmt: skip
    if constant is not None and own >= constant * (1 - 1e-6) and constant > 0:
        yield Finding("no_better_than_constant", "info",
            f"The loss is {own:.4f}, and a model that ignores its input reaches {constant:.4f} on these targets.",
            "Before training that is expected; after training it means that nothing was learned.",
            f"Compare again after some epochs: `assert valid_loss < {constant:.4f}`.")  # fmt: skip


def check_leak(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does a model of texts see at each place the very token that it has to predict there?"""
    tokens, call = patient.inputs, next((c for c in seen.calls if c.family in ("cross_entropy", "nll")), None)
    if not _is_text(tokens) or call is None or call.target.is_floating_point():
        return
    rows, length = tokens.shape
    width = call.target.numel() // rows
    if call.target.numel() != rows * width or not 3 <= width <= length or len(tokens.unique()) < 4:
        return
    goals = call.target.reshape(rows, width)
    ahead = next((d for d in range(length - width + 2) if _equal_where_both(goals, tokens[:, d:])), None)
    if ahead is None:
        return
    place, changed_tokens = min(width, length - ahead) - 1, tokens.clone()
    changed_tokens[:, ahead + place] = tokens[:, ahead + place].roll(1, 0)
    with patient.predicting():
        both = [patient.observe(x).calls for x in (tokens, changed_tokens)]
    ignored = int((goals == call.options.get("ignore_index", -100)).sum())
    masked = ignored or call.options.get("reduction") == "none"  # a masked language model, perhaps
    places = [_scores_by_place(calls[seen.calls.index(call)].input, rows, width) for calls in both]
    moved = (places[0] - places[1]).abs().amax((0, 2)) > 1e-6
    if bool(moved[place]) and (ahead > 0 or not (masked or bool(moved[0]))):
        yield Finding("target_in_view" if ahead else "labels_not_shifted", "warning",
            "At each place the model has read the very token that the loss asks for there.",
            "Copying it makes the loss small, and nothing is learnt about the next token.",
            "Shift the targets, `loss_fn(logits[:, :-1], tokens[:, 1:])`, and hide what follows: "
            "`is_causal=True`, or no bidirectional layer.")  # fmt: skip


def _is_text(tokens: object) -> bool:
    return isinstance(tokens, Tensor) and tokens.dim() == 2 and not tokens.is_floating_point() and min(tokens.shape) > 2


def _equal_where_both(goals: Tensor, tokens: Tensor) -> bool:
    width = min(goals.shape[1], tokens.shape[1])
    kept = goals[:, :width] >= 0
    return width > 1 and bool((goals[:, :width] == tokens[:, :width])[kept].all()) and bool(kept.float().mean() > 0.5)


def _scores_by_place(scores: Tensor, rows: int, width: int) -> Tensor:
    """Scores as [rows, places, classes]."""
    if scores.dim() == 3 and scores.shape[:2] != (rows, width):
        scores = scores.transpose(1, 2)
    return scores.detach().reshape(rows, width, -1)


def best_constant(case: Case) -> Tensor | None:
    """The constant outputs (in the outputs' shape) that suit these targets best, or None where unknown."""
    outputs, targets, family = case.outputs.detach(), case.targets, case.call.family
    if family in ("cross_entropy", "nll"):
        constant = _class_shares(case).clamp(min=SMALLEST).log()
    elif not case.one_per_target or not targets.is_floating_point() or family not in ("bce", "bce_logits", "distance"):
        return None
    else:
        constant = _middle(targets, Tensor.median if case.call.name == "l1_loss" else Tensor.mean)
    if family in ("bce", "bce_logits"):
        constant = constant.clamp(SMALLEST, 1 - SMALLEST)
    return (constant.logit() if family == "bce_logits" else constant).expand_as(outputs).to(outputs.dtype)


def _class_shares(case: Case) -> Tensor:
    if case.one_per_target:
        return _middle(case.targets, Tensor.mean)
    kept = case.targets[(case.targets >= 0) & (case.targets < case.classes)]
    shares = torch.bincount(kept.flatten(), minlength=case.classes) / max(1, kept.numel())
    return shares.reshape([-1 if axis == case.class_axis else 1 for axis in range(case.outputs.dim())])


def _middle(targets: Tensor, middle: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the middle over samples and positions, one for each of the outputs that stand side by side on axis 1."""
    columns = targets.unbind(1) if targets.dim() > 1 else [targets]
    return torch.stack([middle(c) for c in columns]).reshape([-1 if a == 1 else 1 for a in range(targets.dim())])
