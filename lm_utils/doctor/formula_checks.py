"""Own formulas: what the operations between the outputs and the loss do to each other."""

from collections.abc import Iterator
from math import prod

from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.output_origin import nodes_behind, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding
from lm_utils.doctor.watching import LOSSES, LossCall, Step

ALIKE = {
    "subtract": "sub", "rsub": "sub", "multiply": "mul", "rmul": "mul", "radd": "add", "divide": "div",
    "true_divide": "div", "truediv": "div", "rtruediv": "div", "rdiv": "div", "rpow": "pow", "square": "pow",
}  # fmt: skip
STRETCHING = {"sub", "add", "mul", "div", "max", "min", "maximum", "minimum", "where"}
SQUASHING = {"softmax", "log_softmax", "sigmoid", "logsigmoid", "log_sigmoid", "logsumexp"}
SHARES = {"softmax", "sigmoid"}
LINEAR_STEPS = {"getitem", "get", "mean", "sum", "sub", "neg", "add", "eq", "view", "reshape", "squeeze", "flatten"}


def kind_of(step: Step) -> str:
    """Return the plain name of an operation: `a - b`, `torch.sub` and `b.__rsub__(a)` are all "sub"."""
    name = step.name.strip("_")
    return ALIKE.get(name, name)


def check_formula(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about the steps of a loss of one's own."""
    for check in (
        _stretch,
        _squashed,
        _logarithm,
        _overlap,
        _focal,
        _weight_in_probability,
        _scrambled,
        _dead_term,
        _critic,
        _after_mean,
    ):
        yield from check(seen, patient)


def own_difference(seen: Observation) -> LossCall | None:
    """Return "outputs minus targets" of a formula of one's own, as if it were a call of a torch loss."""
    for step in seen.watcher.steps if not seen.calls else []:
        pair = _pair(step) if kind_of(step) == "sub" else None
        if pair is None or pair[0].shape != pair[1].shape:
            continue
        outputs, targets = pair if pair[0].requires_grad else pair[::-1]
        if _of(seen, outputs) == {"outputs"} and _of(seen, targets) == {"targets"} and outputs.requires_grad:
            return LossCall(F.mse_loss, "own_difference", outputs, targets)
    return None


def _pair(step: Step) -> tuple[Tensor, Tensor] | None:
    tensors = step.tensors[-2:] if kind_of(step) == "where" else step.tensors
    return (tensors[0], tensors[1]) if len(tensors) == 2 else None


def _of(seen: Observation, *values: object) -> frozenset[str]:
    return seen.watcher.sources(*values)


def _stretch(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """[N] against [N, 1]: the shorter shape gets an axis in front, and both grow into a table of all pairs."""
    for step in seen.watcher.steps:
        pair = _pair(step) if kind_of(step) in STRETCHING else None
        if pair is None or not isinstance(step.result, Tensor) or not _both_grow(*pair, step.result):
            continue
        own = [("outputs" in _of(seen, one), "targets" in _of(seen, one)) for one in pair]
        if (own[0][0] and own[1][1] and not own[1][0]) or (own[1][0] and own[0][1] and not own[0][0]):
            yield Finding(
                "shapes_broadcast",
                "error",
                f"Inside the loss {list(pair[0].shape)} and {list(pair[1].shape)} meet and are silently stretched "
                f"to {list(step.result.shape)}.",
                "Every sample meets the targets of all other samples, and the best answer is their mean.",
                f"Give both one shape before `{kind_of(step)}`: `values.squeeze(-1)` or `targets.unsqueeze(-1)`.",
            )
            return


def _both_grow(one: Tensor, other: Tensor, result: Tensor) -> bool:
    return one.dim() != other.dim() and result.numel() > max(one.numel(), other.numel()) and min(
        one.numel(), other.numel()) > 1  # fmt: skip


def _squashed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax or sigmoid of what is one already, or a softmax that runs over the batch."""
    for step in seen.watcher.steps:
        name, first = kind_of(step), next(iter(step.tensors), None)
        if name not in SQUASHING or first is None or "outputs" not in _of(seen, first):
            continue
        before = origin_of(first).kind
        if before in SHARES if name != "logsumexp" else before == "softmax":
            yield Finding(
                "activation_twice",
                "warning",
                f"The loss applies a {name} to numbers that a {before} has made already.",
                "The second one sees only numbers between 0 and 1, so it can never become sure and gradients shrink.",
                f"Use one of the two: leave the {name} out of the loss, or return raw outputs from the model.",
            )
        yield from _over_batch(step.result, patient, "The loss applies")
    for tensor in tensors_in(seen.outputs):
        yield from _over_batch(tensor, patient, "The model ends in")


def _over_batch(result: object, patient: Patient, where: str) -> Iterator[Finding]:
    if not isinstance(result, Tensor) or result.dim() < 2 or result.shape[0] == result.shape[1]:
        return
    origin = origin_of(result)
    if origin.kind in ("softmax", "log_softmax") and origin.axis == 0 and origin.size == patient.batch_size:
        yield Finding("softmax_wrong_axis", "error",
            f"{where} a {origin.kind.replace('_', '-')} that runs over the batch.",
            "The classes of one prediction should share the whole; a sample's output then depends on the others.",
            f"Name the axis of the classes: `dim={-1 if result.dim() < 4 else 1}`.")  # fmt: skip


def _logarithm(seen: Observation, patient: Patient) -> Iterator[Finding]:
    for step in seen.watcher.steps:
        first = next(iter(step.tensors), None)
        if kind_of(step) not in ("log", "log2", "log10") or first is None or "outputs" not in _of(seen, first):
            continue
        if origin_of(first).kind == "linear":
            yield Finding(
                "logarithm_of_raw_outputs",
                "error",
                "The loss takes a logarithm of raw outputs, and nothing keeps them positive.",
                "The logarithm of a negative number is NaN, and of one near 0 it has a gradient without bound.",
                "Use the stable form on raw outputs: `F.log_softmax(outputs, dim=1)` or `F.logsigmoid(outputs)`.",
            )
            return


def _behind(seen: Observation, start: object, without_gradient: bool = False) -> set[int]:
    """The identities of all tensors that were computed from this one, or of those that carry no gradient."""
    reached = {id(tensor) for tensor in tensors_in(start)}
    for step in seen.watcher.steps if reached else []:
        if any(id(tensor) in reached for tensor in step.tensors):
            reached |= {id(t) for t in tensors_in(step.result) if not (without_gradient and t.requires_grad)}
    return reached


def _overlap(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Dice or intersection over union on numbers that are no probabilities."""
    products = [step.result for step in seen.watcher.steps if _is_overlap(seen, step)]
    wide = _behind(seen, [step.result for step in seen.watcher.steps if kind_of(step) == "sum" and _is_wide(
        step.tensors[0]) and _of(seen, step.tensors[0]) == {"outputs"}])  # fmt: skip
    raw = _behind(seen, [t for t in products if _is_wide(t)])
    reached = _behind(seen, products)
    for step in seen.watcher.steps if products else []:
        pair = _pair(step) if kind_of(step) == "div" else None
        if pair and id(pair[0]) in reached and "outputs" in _of(seen, pair[1]) and {id(pair[0]), id(pair[1])} & (wide | raw):
            yield Finding(
                "overlap_on_logits",
                "error",
                "The overlap of outputs and targets is computed on raw outputs, not on probabilities.",
                "The denominator can then reach 0 or turn negative, and large outputs win without being right.",
                "Squash them first: `outputs.sigmoid()` for masks, `outputs.softmax(1)` for exclusive classes.",
            )
            return


def _is_overlap(seen: Observation, step: Step) -> bool:
    pair = _pair(step) if kind_of(step) == "mul" else None
    if pair is None:
        return False
    for values, mask in (pair, pair[::-1]):
        from_model = "outputs" in _of(seen, values) and "targets" not in _of(seen, values)
        if from_model and _of(seen, mask) == {"targets"} and values.shape == mask.shape and values.is_floating_point():
            return bool(((mask == 0) | (mask == 1)).all())
    return False


def _is_wide(numbers: Tensor) -> bool:
    return numbers.is_floating_point() and bool(((numbers < -1e-3) | (numbers > 1 + 1e-3)).any())


def _after_mean(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Weights of samples or places that meet a loss which has been summed up already."""
    steps = seen.watcher.steps
    sums = [step.result for step in steps if kind_of(step) in ("sum", "mean") or step.name in LOSSES]
    sums = {id(t) for t in sums if isinstance(t, Tensor) and t.dim() == 0 and "outputs" in _of(seen, t)}
    for step in steps:
        pair = _pair(step) if kind_of(step) == "mul" else None
        for one, weights in (pair, pair[::-1]) if pair else ():
            if id(one) in sums and weights.numel() > 1 and _of(seen, weights) == {"targets"}:
                yield Finding("weights_after_mean", "warning",
                    f"Weights {list(weights.shape)} multiply a loss that is one number for the whole batch already.",
                    "They then only scale it: no sample and no place counts more than another.",
                    'Weigh first: `(F.cross_entropy(outputs, targets, reduction="none") * weights).mean()`.')  # fmt: skip
                return


def _focal(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A power of a function of the batch's mean loss, where every sample was meant."""
    if not isinstance(seen.loss, Tensor) or (patient.batch_size or 1) < 2:
        return
    nodes = set(nodes_behind(seen.loss.grad_fn))
    for mean in [step.result for step in seen.watcher.losses()]:
        if not isinstance(mean, Tensor) or mean.dim() or mean.grad_fn is None:
            continue
        reached = _behind(seen, mean)
        inside = [kind_of(step) for step in seen.watcher.steps if any(id(t) in reached for t in step.tensors)
                  and isinstance(step.result, Tensor) and step.result.grad_fn in nodes]  # fmt: skip
        if "pow" in inside and {"exp", "log"} & set(inside):
            yield Finding(
                "focal_after_mean",
                "error",
                "The factor that should weigh every sample is computed from the mean loss of the whole batch.",
                "All samples then get one weight: hard and easy ones are treated alike.",
                'Take the loss per sample, weigh it, and average last: `F.cross_entropy(..., reduction="none")`.',
            )
            return


def _weight_in_probability(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """exp(-loss) is the probability of the truth only where the loss carries no class weight."""
    for call in seen.calls:
        weight = next((w for key in ("weight", "pos_weight") if isinstance(w := call.options.get(key), Tensor)), None)
        if weight is None or bool((weight == weight.flatten()[0]).all()) or not isinstance(call.result, Tensor):
            continue
        reached = _behind(seen, call.result) if call.result.dim() else set()
        inside = {kind_of(step) for step in seen.watcher.steps if any(id(t) in reached for t in step.tensors)}
        if {"exp", "pow"} <= inside:
            yield Finding("wrong_formula", "warning",
                "The probability of the truth is read from a loss that the class weights have scaled already.",
                "exp(-weight * loss) is the probability to the power of the weight: hard and easy change places.",
                'Weigh last: `each = F.cross_entropy(outputs, targets, reduction="none")`, then '
                "`weight[targets] * (1 - torch.exp(-each)) ** 2 * each`.")  # fmt: skip
            return


def _scrambled(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """[N, C, ...] seen as [-1, C], or its axes in another order, without moving one."""
    for step in seen.watcher.steps:
        first, result = next(iter(step.tensors), None), step.result
        if kind_of(step) not in ("view", "reshape") or not isinstance(result, Tensor) or first.dim() < 3:
            continue
        if _of(seen, first) == {"outputs"} and _is_scrambled(first.shape, result.shape):
            yield Finding(
                "axes_scrambled",
                "error",
                f"{list(first.shape)} is seen as {list(result.shape)} without moving the classes.",
                "A row then holds numbers of one class at several places, not the classes of one place.",
                "Move the axis first: `outputs.movedim(1, -1).reshape(-1, classes)`, or `outputs.transpose(1, 2)`.",
            )
            return


def _is_scrambled(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    second, rest = before[1], prod(before[2:])
    if second < 2 or rest < 2:
        return False
    if len(after) == 2:
        return after[1] == second != before[-1]
    reordered = sorted(after) == sorted(before) and tuple(after) != tuple(before)
    return reordered or (tuple(after) == (before[0], rest, second) and rest != second)


def _dead_term(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A part of a sum that carries no gradient, although it is computed from the outputs or is a loss."""
    steps = seen.watcher.steps
    lost = [s.result for s in seen.watcher.losses() if isinstance(s.result, Tensor) and not s.result.requires_grad]
    weights = [t for step in steps for t in step.tensors if isinstance(t, nn.Parameter) and t.requires_grad]
    lost = _behind(seen, [*lost, *weights], without_gradient=True)
    numbers = [s.result for s in steps if kind_of(s) == "item" and "outputs" in _of(seen, s.args) and s.result]
    for step in steps:
        if kind_of(step) not in ("add", "sub") or not isinstance(step.result, Tensor) or step.result.dim():
            continue
        pair, alive = step.tensors, step.result.requires_grad
        dead = [t for t in pair if t.is_floating_point() and bool(t != 0) and (
            not t.requires_grad or _is_wrapped_anew(seen, t))]  # fmt: skip
        floats = [part for part in step.args if isinstance(part, float)]
        frozen = any("outputs" in _of(seen, t) or id(t) in lost or t.requires_grad for t in dead)
        if alive and (frozen or any(_is_multiple(part, number) for part in floats for number in numbers)):
            yield Finding("dead_term", "warning",
                "A term of the loss carries no gradient: it changes the number that is printed, and nothing else.",
                "Something cuts it off: .item(), detach, torch.no_grad(), or it never saw the model's outputs.",
                "Compute it from the outputs to the end: `loss = first_term + weight * second_term`.")  # fmt: skip
            return


def _is_wrapped_anew(seen: Observation, tensor: Tensor) -> bool:
    """Is this a leaf with the value of an earlier result, as Variable(..., requires_grad=True) makes it?"""
    if not tensor.is_leaf or isinstance(tensor, nn.Parameter):
        return False
    made = (step.result for step in seen.watcher.steps)
    return any(isinstance(one, Tensor) and one is not tensor and not one.requires_grad and one.dim() == 0
               and bool(one == tensor) for one in made)  # fmt: skip


def _is_multiple(value: float, number: float) -> bool:
    """Is this the number times a factor that somebody typed?"""
    factor = value / number
    return abs(factor - float(f"{factor:.3g}")) < 1e-9 * max(1.0, abs(factor))


def _critic(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A loss that is linear in outputs which a sigmoid keeps between 0 and 1."""
    outputs = next(iter(tensors_in(seen.outputs)), None)
    own = [s for s in seen.watcher.steps if "outputs" in _of(seen, s.args)]
    if outputs is None or not own or any(s.name in LOSSES or kind_of(s) not in LINEAR_STEPS for s in own):
        return
    if origin_of(outputs).kind == "sigmoid" and {"sub", "neg"} & {kind_of(s) for s in own}:
        yield Finding("bounded_critic", "warning",
            "The loss is a difference of plain means, and the model ends in a sigmoid.",
            "A critic must be free to emit any number; behind a sigmoid its gradient fades as soon as it is sure.",
            "Return the raw score, `return self.out(x)`, or use a loss for probabilities: `nn.BCELoss()`.")  # fmt: skip
