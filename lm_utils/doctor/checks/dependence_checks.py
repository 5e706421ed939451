"""Do the outputs depend on the inputs at all, and is the loss better than a constant's?"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.doctor.belongings import changed, draw_anew, first_tensor, tensors_in
from lm_utils.doctor.case import Case
from lm_utils.doctor.checks.hidden_checks import DRAWN, rows_alike
from lm_utils.doctor.output_origin import operation
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.watching import LossCall

SMALLEST = 1e-6  # keeps a probability off 0 and 1 before a logarithm
SURE, FAR_ABOVE = 8.0, 4  # logits so large are sure, and a loss so many times the constant's is surely wrong
LITTLE, HARDLY, ROUNDED = 0.01, 1e-4, 1e-6  # differences of samples, as shares of the largest number
COPIED = 2  # a word moves its own place so many times as far as any other, if it is copied
FEWEST = 8  # samples below which a comparison with the constant predictor says nothing


def check_dependence(outputs: Tensor | None, patient: Patient) -> Iterator[Finding]:
    """Outputs equal to the last bit for different inputs, in double precision and after a small push too.

    The push matters: a fresh last layer of zeros gives equal outputs and is healthy, and so is a deep
    network whose outputs differ only below the precision of its type.
    """
    if outputs is None or outputs.dim() == 0 or outputs.numel() < 2:
        return
    if not _inputs_differ(patient):
        yield from _inputs_alike(patient)
        return
    if rows_alike(outputs) and _still_equal(patient) and not _slope_at_inputs(patient):
        yield said("outputs_ignore_inputs")
    x = first_tensor(patient.inputs)
    hardly = HARDLY if _is_tiny(patient.model) else ROUNDED
    if outputs.dtype == torch.float32 == x.dtype and _spread(x) > LITTLE and 0 < _spread(outputs.detach()) < hardly:
        yield said("vanishing_gradient: outputs", spread=_spread(outputs.detach()))


def _is_tiny(model: object) -> bool:
    """Are some weights far smaller than torch draws them?"""
    layers = [part for part in model.modules() if isinstance(part, DRAWN)] if isinstance(model, nn.Module) else []
    return any(float(part.weight.detach().square().mean() * 3 * part.weight[0].numel()) < LITTLE for part in layers)


def _spread(values: Tensor) -> float:
    """The largest deviation from the mean of the samples, in the largest size."""
    return float((values - values.mean(0)).abs().max() / values.abs().max().clamp(min=1e-30))


def _inputs_alike(patient: Patient) -> Iterator[Finding]:
    goals = [t for t in tensors_in(patient.targets) if t.dim() and len(t) == patient.batch_size]
    if goals and len(goals[0]) >= FEWEST and all(bool((t != t[:1]).any()) for t in goals):
        yield said("outputs_ignore_inputs: inputs", samples=len(goals[0]))


def _inputs_differ(patient: Patient) -> bool:
    parts = (part for part in tensors_in(patient.inputs) if part.dim() and len(part) > 1)
    return any(bool((part != part[:1]).any()) for part in parts)


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
    return None if seen.failed_in == "model" else first_tensor(seen.outputs)


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
    size = float(case.values.square().mean().sqrt())
    usual = 10 * float(case.target_values.square().mean().sqrt()) if case.call.family == "distance" else 0.0
    learned = sum(n.variable.numel() for n in seen.behind(case.outputs) if operation(n) == "AccumulateGrad")
    curve = 0 < learned < FEWEST  # its few numbers may start anywhere
    if constant is not None and size > max(SURE, usual) and own > FAR_ABOVE * constant and not curve:
        yield said("outputs_too_large", own=own, constant=constant, size=size)
    elif constant is not None and own >= constant * (1 - 1e-6) and constant > 0:
        reached = f"The loss is {own:.4f}, and a model that ignores its input reaches {constant:.4f} on these targets."
        yield said("no_better_than_constant", reached, constant=constant)


def check_leak(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does a model of texts see at each place the very token that it has to predict there?"""
    yield from _in_the_inputs(seen, patient)
    call = next((c for c in seen.calls if c.family in ("cross_entropy", "nll")), None)
    if call is None or call.target.is_floating_point():
        return
    texts = list(filter(is_text, tensors_in(patient.inputs)))[:2]
    again = len(texts) > 1 and torch.equal(texts[0][:, :-1], texts[1])  # a text is written once more
    for tokens in texts[again:]:
        yield from _in_the_text(tokens, call, seen, patient, decoder=tokens is not texts[0])


def _in_the_text(
    tokens: Tensor, call: LossCall, seen: Observation, patient: Patient, decoder: bool
) -> Iterator[Finding]:
    """Ask it of one text of the inputs; the second is what a decoder has written so far."""
    rows, length = tokens.shape
    width = call.target.numel() // rows
    if call.target.numel() != rows * width or not 3 <= width <= length + 1 or len(tokens.unique()) < 4:
        return
    goals = call.target.reshape(rows, width)
    begun = int(width > length)  # a start, the same for all, which the model puts before the text
    if begun and bool((goals[:, 0] != goals[0, 0]).any()):
        return
    goals, width = goals[:, begun:], width - begun
    ahead = next((d for d in range(length - width + 2) if _equal_where_both(goals, tokens[:, d:])), None)
    if ahead is None or (ahead == 0 and any(_says(t, goals) for t in tensors_in(patient.targets))):
        return  # a teacher was asked for the same words
    differ = (tokens != tokens[:1]).any(0).tolist()  # the last token may be the same end of every text
    place = max(
        (p for p in range(1, min(width, length - ahead)) if differ[ahead + p] and differ[ahead + p - 1]), default=0
    )
    if not place:
        return
    others = [tokens.index_copy(1, torch.tensor([c], device=tokens.device), tokens[:, [c]].roll(1, 0))
              for c in (ahead + place, ahead + place - 1)]  # fmt: skip
    with patient.predicting():
        both = [draw_anew() or patient.observe(changed(patient.inputs, lambda t, x=x: x if t is tokens else t)).calls
                for x in (tokens, *others)]  # fmt: skip
    slope, ignored = seen.slope_at(call.input), bool((goals == call.options.get("ignore_index", -100)).any())
    masked = ignored or (slope is not None and not bool(_scores_by_place(slope, rows, width, begun).any(-1).all()))
    masked = masked and not decoder  # what it has written stands there as it is
    places = [_scores_by_place(calls[seen.calls.index(call)].input, rows, width, begun) for calls in both]
    pushes = [(places[0] - other).abs().amax((0, 2)) for other in places[1:]]
    moved, before = (push > 1e-6 for push in pushes)
    if ahead > 1 and not bool(moved[place] or before[place]):
        yield said("labels_shifted_twice", ahead=ahead)
    copied = all(push[place - i] > COPIED * push.topk(2).values[1] for i, push in enumerate(pushes))
    if bool(moved[place]) and (ahead > 0 or not (masked or bool(moved[0] and not (decoder or copied)))):
        new = others[0][:, ahead + place] != tokens[:, ahead + place]
        hides = not bool((places[1] != places[0]).any(-1)[new, place].all())  # the model itself, some of its tokens
        yield said("target_in_view: tokens" if ahead else "target_in_view: hidden" if hides else "labels_not_shifted")


def _in_the_inputs(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Is a target of numbers the very number, up to scale and shift, that stands at one place of the inputs?"""
    inputs, targets = patient.inputs, patient.targets
    if not all(isinstance(t, Tensor) and t.is_floating_point() and t.dim() for t in (inputs, targets)):
        return
    if (samples := len(inputs)) < FEWEST or len(targets) != samples or inputs.dim() < 3:
        return  # of a table it is often asked on purpose, as a first trial
    if targets.shape == inputs.shape and torch.equal(targets[:, :-1], inputs[:, 1:]):
        place = inputs.shape[1] // 2
        later = torch.cat([inputs[:, :place], inputs[:, place:].roll(1, 0)], 1)
        with patient.predicting():
            before, after = (first_tensor(patient.outputs_of(x)) for x in (inputs, later))
        if before.shape == inputs.shape and not torch.allclose(before[:, :place], after[:, :place], atol=1e-6):
            yield said("target_in_view", "What the model says of a step changes with the steps after it, its targets.")
        return
    features, goals = (t.reshape(samples, -1) for t in (inputs, targets))
    if goals.shape[1] > features.shape[1] / 2 or not bool(goals.std(0).min() > 0):
        return
    features, goals = (F.normalize(t.double() - t.double().mean(0), dim=0) for t in (features, goals))
    alike = (features.T @ goals).abs() > 1 - 1e-9
    recurrent = isinstance(patient.model, nn.Module) and any(isinstance(m, nn.RNNBase) for m in patient.model.modules())
    told = (features.T @ goals).abs().amax(1).unflatten(0, (inputs.shape[1], -1)) > 0.5
    if recurrent and torch.equal(told, alike.any(1).view_as(told)) and not bool(told[-1].any()):
        return  # of noise, an earlier step is to be remembered
    if targets.unique().numel() > 2 and bool(alike.any(0).all()):
        place = int(alike[:, 0].float().argmax())
        with patient.predicting():
            other = inputs.reshape(samples, -1).clone()
            other[:, place] = other[:, place].roll(1, 0)
            found = [first_tensor(patient.outputs_of(x)) for x in (inputs, other.reshape(inputs.shape))]
        if not torch.allclose(*found):
            yield said("target_in_view", "What is to be predicted stands in the inputs, up to a scale and a shift.")


def is_text(tokens: object) -> bool:
    return isinstance(tokens, Tensor) and tokens.dim() == 2 and not tokens.is_floating_point() and min(tokens.shape) > 2


def _says(teacher: Tensor, goals: Tensor) -> bool:
    """Are these scores of words, most of which are highest for the words that are asked for?"""
    scores = teacher.is_floating_point() and teacher.dim() == 3 and teacher.shape[:2] == goals.shape
    return scores and bool((teacher.argmax(-1) == goals).float().mean() > 0.5)


def _equal_where_both(goals: Tensor, tokens: Tensor) -> bool:
    """Are most words, or many and all that are asked for, the same, the others hidden behind one never asked for?"""
    width = min(goals.shape[1], tokens.shape[1])
    kept = goals[:, :width] >= 0
    goals, tokens = goals[:, :width][kept], tokens[:, :width][kept]
    hidden = tokens[tokens != goals]
    alone = len(hidden.unique()) < 2 and 2 * len(hidden) < len(goals) and not bool(torch.isin(goals, hidden).any())
    many = not len(hidden) and len(goals) >= 2 * FEWEST and len(goals.unique()) >= FEWEST
    return width > 1 and alone and (many or bool(kept.float().mean() > 0.5))


def _scores_by_place(scores: Tensor, rows: int, width: int, begun: int = 0) -> Tensor:
    """Scores as [rows, places, classes], without what stands before the text."""
    if scores.dim() == 3 and scores.shape[:2] != (rows, begun + width):
        scores = scores.transpose(1, 2)
    return scores.detach().reshape(rows, begun + width, -1)[:, begun:]


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
