"""Own formulas: what the operations between the outputs and the loss do to each other."""

from collections.abc import Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.doctor.belongings import changed, draw_anew, tensors_in
from lm_utils.doctor.output_origin import node_behind, operation, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.watching import LOSSES, PICKING, LossCall, Step, Watcher

ALIKE = {
    "subtract": "sub", "rsub": "sub", "multiply": "mul", "rmul": "mul", "radd": "add", "divide": "div",
    "true_divide": "div", "truediv": "div", "rtruediv": "div", "rdiv": "div", "rpow": "pow", "square": "pow",
    "isub": "sub", "iadd": "add", "imul": "mul", "itruediv": "div", "ipow": "pow",
}  # fmt: skip
FAR_FROM_ONE = 0.05  # by which the overlap of equals misses 1
LOGS = {"log_softmax", "log_sigmoid", "log_of_softmax"}
LINEAR_STEPS = {"getitem", "get", "mean", "sum", "sub", "neg", "add", "eq", "view", "reshape", "squeeze", "flatten"}


def kind_of(step: Step) -> str:
    """Return the plain name of an operation: `a - b`, `torch.sub` and `b.__rsub__(a)` are all "sub"."""
    name = step.name.strip("_")
    return ALIKE.get(name, name)


def check_formula(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """All questions about the steps of a loss of one's own."""
    for check in (_logarithm, _overlap, _power_of_probability, _dead_term,
                  _said_twice, _critic, _similarity_added):  # fmt: skip
        yield from check(seen, patient)


def own_difference(seen: Observation) -> LossCall | None:
    """Return "outputs minus targets" of a formula of one's own, as if it were a call of a torch loss."""
    for step, (one, other) in pairs_of(seen, "sub", "mul") if not seen.calls else ():
        outputs, targets = (one, other) if one.requires_grad else (other, one)
        binary = origin_of(outputs).kind == "sigmoid" and len(targets.unique()) == 2
        alike = outputs.shape == targets.shape and outputs.requires_grad and (kind_of(step) == "sub" or binary)
        if alike and of(seen, outputs) == {"outputs"} and of(seen, targets) == {"targets"}:
            return LossCall(F.mse_loss, "own_difference", outputs, targets)
    return None


def pairs_of(seen: Observation, *kinds: str) -> Iterator[tuple[Step, list[Tensor]]]:
    """Yield the operations of these kinds that join two tensors, and the two."""
    for step in seen.watcher.steps:
        kind, tensors = kind_of(step), step.tensors
        pair = tensors[-2:] if kind == "where" else tensors
        if kind in kinds and len(pair) == 2:
            yield step, pair


def of_outputs(seen: Observation, *kinds: str) -> Iterator[tuple[Step, Tensor]]:
    """Yield the operations of these kinds whose first tensor was computed from the outputs, and that tensor."""
    for step in seen.watcher.steps:
        if kind_of(step) in kinds and step.tensors and "outputs" in of(seen, step.tensors[0]):
            yield step, step.tensors[0]


def of(seen: Observation, *values: object) -> frozenset[str]:
    return seen.watcher.sources(*values)


def _logarithm(seen: Observation, patient: Patient) -> Iterator[Finding]:
    moved = {id(s.result): t for s, t in of_outputs(seen, "add", "sub") if len(s.tensors) == 1}
    logs = [first for _, first in of_outputs(seen, "log", "log2", "log10")]
    under = [*(moved.get(id(t), t) for t in logs), *(t for _, t in of_outputs(seen, "log1p"))]
    taken = [t for s in seen.watcher.steps if kind_of(s) == "log" for t in s.tensors[:1]]
    sums = {id(s.result) for s in seen.watcher.steps if kind_of(s) in ("mm", "matmul", "bmm") and all(
        bool((t >= 0).all()) for t in s.tensors)}  # fmt: skip
    raw = [t for t in (*logs, *under) if id(t) not in sums and "linear" in (
        (one := origin_of(t)).kind, one.under if one.kind == "clamp" else "")]  # fmt: skip
    if any(any(t is one for one in logs) or bool((t < 0).any()) for t in raw):
        yield said("logarithm_of_raw_outputs")
    elif any(isinstance(t, nn.Parameter) or operation(node_behind(t)) == "AccumulateGrad" for t in taken):
        yield said("logarithm_of_raw_outputs: weight")
    elif {id(first) for first in logs} & {id(step.result) for step, _ in of_outputs(seen, "sigmoid")}:
        yield said("unstable_formula: sigmoid")
    for call in seen.calls:
        if call.family == "kl_div" and any(kind_of(s) == "mean" and s.tensors[0] is call.result and s.argument(
                1, "dim", "axis") in (None, 1, -1) for s in seen.watcher.steps) and call.result.dim() == 2:  # fmt: skip
            yield said("kl_div_mean", "A divergence for each class is averaged over the classes, not summed.")


def plain_arguments(step: Step) -> list[object]:
    return [part for part in step.args if not isinstance(part, Tensor)]


def behind(seen: Observation, start: object) -> set[int]:
    """The identities of all tensors that were computed from this one."""
    reached = {id(tensor) for tensor in tensors_in(start)}
    for step in seen.watcher.steps if reached else []:
        if any(id(tensor) in reached for tensor in step.tensors):
            reached |= {id(t) for t in tensors_in(step.result)}
    return reached


def factors_in(seen: Observation, targets: object, signed: bool) -> list[Tensor]:
    """Parts of several targets that weigh what the outputs say, as they are or changed; of both signs if asked for."""
    pairs = [both for _, pair in pairs_of(seen, "mul") for both in (pair, pair[::-1]) if both[1].requires_grad]
    plain = [t for t, _ in pairs if not t.requires_grad and t.dim() and (not signed or t.min() < 0 < t.max())]
    parts = [t for t in tensors_in(targets) if t.is_floating_point()] if not isinstance(targets, Tensor) else []
    return [part for part in parts if plain and {id(t) for t in plain} & behind(seen, part)]


def _overlap(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Dice or intersection over union on numbers that are no probabilities."""
    found = [(step, pair) for step, pair in pairs_of(seen, "mul", "dot") if _is_overlap(seen, pair)]
    products = [step.result for step, _ in found]
    wide = behind(seen, [step.result for step in seen.watcher.steps if kind_of(step) == "sum" and is_wide(
        step.tensors[0]) and of(seen, step.tensors[0]) == {"outputs"}])  # fmt: skip
    raw = behind(seen, [step.result for step, pair in found if any(map(is_wide, pair))])
    reached = behind(seen, products)
    for _, (over, under) in pairs_of(seen, "div") if products else ():
        if id(over) in reached and "outputs" in of(seen, under) and {id(over), id(under)} & (wide | raw):
            yield said("overlap_on_logits")
            return


def _is_overlap(seen: Observation, pair: list[Tensor]) -> bool:
    for values, mask in (pair, pair[::-1]):
        from_model = values.requires_grad and of(seen, values) == {"outputs"} and origin_of(values).kind not in LOGS
        if from_model and of(seen, mask) == {"targets"} and values.shape == mask.shape and values.is_floating_point():
            pairs = mask.dim() == 2 and len(mask) == mask.shape[1] and torch.equal(mask, mask.T)  # of samples
            return not pairs and bool(((mask == 0) | (mask == 1)).all())
    return False


def is_wide(numbers: Tensor) -> bool:
    return numbers.is_floating_point() and bool(((numbers < -1e-3) | (numbers > 1 + 1e-3)).any())


def check_overlap_of_equals(patient: Patient, outputs: object, equal: Tensor) -> Iterator[Finding]:
    """An overlap that is taken from 1 must be 1 for outputs of which one is equal to the targets."""
    seen = Observation(watcher=Watcher())
    seen.watcher.in_loss = True
    seen.watcher.mark(equal, "outputs")
    seen.watcher.mark(patient.targets, "targets")
    with suppress(RuntimeError), seen.watcher, torch.no_grad():  # a loss may ask for a slope itself
        patient.loss_fn(outputs, patient.targets)
    pairs = [(s.result, *p) for s, p in pairs_of(seen, "mul", "dot") if of(seen, *p) == {"outputs", "targets"}]
    both = behind(seen, [result for result, one, other in pairs if one.shape == other.shape and torch.allclose(
        one, other.to(one), atol=FAR_FROM_ONE)])  # fmt: skip
    quotients = [s.result for s, (over, _) in pairs_of(seen, "div") if id(over) in both and "outputs" in of(seen, over)]
    shares = behind(seen, quotients)
    for step in seen.watcher.steps:
        if kind_of(step) == "sub" and 1 in plain_arguments(step) and id(step.tensors[0]) in shares:
            usual = [float(t.nanmedian()) for t in (step.tensors[0], *quotients)]  # some samples may have none
            if all(abs(one - 1) > FAR_FROM_ONE for one in usual):
                yield said("wrong_formula: overlap", usual=usual[0])
            return


def _similarity_added(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Cosine similarities that the loss makes small, all of them."""
    for step in seen.watcher.steps if (patient.batch_size or 1) > 1 else ():
        first = step.tensors[0] if step.name == "cosine_similarity" else None
        both = torch.broadcast_shapes(*(t.shape for t in step.tensors)) if first is not None else ()
        last = first is not None and first.dim() > 1 and step.result.shape == both[:-1]
        if first is None or last or step.result.dim() != first.dim() - 1 or len(first) != patient.batch_size:
            continue
        origin = origin_of(first)
        if first.dim() == 2 or (origin.made_by in ("Addmm", "Mm", "Linear") and not origin.turned and first.dim() == 3):
            yield said("wrong_formula: similarity added")
    slopes = [seen.slope_at(step.result) for step in seen.watcher.steps if step.name == "cosine_similarity"]
    if slopes and all(s is not None and bool((s > 0).all()) and bool((s == s.max()).all()) for s in slopes):
        yield said("better_outputs_cost_more: similarity added")


def _power_of_probability(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """exp(-loss) is the probability of the truth for one sample only, and before a class weight has scaled it."""
    steps, nodes = seen.watcher.steps, set(seen.graph)
    weighted = [(c.result, any(is_uneven(c.options.get(key)) for key in ("weight", "pos_weight"))) for c in seen.calls]
    weighted += [(s.result, False) for s in steps if kind_of(s) in ("mean", "sum", "div") and s.result.dim() == 0]
    picked = {id(s.result) for s in steps if s.name in PICKING and not of(seen, s.tensors[0]) and is_uneven(s.result)}
    weighted += [(s.result, True) for s, pair in pairs_of(seen, "mul") if {id(t) for t in pair} & picked]
    rest = {id(s.result) for s in steps if kind_of(s) in ("sub", "add") and 1 in plain_arguments(s)}
    powers = any(kind_of(s) == "pow" and id(s.tensors[0]) in rest for s in steps if s.tensors)
    for result, scaled in weighted if powers else ():
        reached = behind(seen, result) if isinstance(result, Tensor) and result.grad_fn in nodes else set()
        inside = {kind_of(step) for step in steps if any(id(t) in reached for t in step.tensors)
                  and isinstance(step.result, Tensor) and step.result.grad_fn in nodes}  # fmt: skip
        if "pow" not in inside or not {"exp", "log"} & inside:
            continue
        if result.dim() == 0 and _is_of_several(seen, result):
            yield said("focal_after_mean")
            return
        if result.dim() and scaled:
            yield said("wrong_formula: weight in probability")
            return


def is_uneven(weights: object) -> bool:
    return isinstance(weights, Tensor) and bool(weights.numel() and (weights != weights.flatten()[0]).any())


def _is_of_several(seen: Observation, result: Tensor) -> bool:
    """Was this computed from the outputs for more than one sample?"""
    heads = [t for t in tensors_in(seen.outputs) if t.requires_grad and t.dim()]
    slopes = torch.autograd.grad(result, heads, allow_unused=True, retain_graph=True) if heads else ()
    return any(s is not None and int(s.reshape(len(s), -1).any(1).sum()) > 1 for s in slopes)


def _dead_term(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A part of a sum that carries no gradient, although it is computed from the outputs or is a loss."""
    steps = seen.watcher.steps
    lost = [s.result for s in seen.watcher.losses() if isinstance(s.result, Tensor) and not s.result.requires_grad]
    weights = [t for step in steps for t in step.tensors if isinstance(t, nn.Parameter) and t.requires_grad]
    lost = behind(seen, [*lost, *weights])
    sums = [step for step in steps if _is_sum(step)]
    dead = [t for step in sums for t in step.tensors if t.is_floating_point() and bool(t != 0) and (
        not t.requires_grad or _is_wrapped_anew(seen, t))]  # fmt: skip
    frozen = any("outputs" in of(seen, t) or id(t) in lost or t.requires_grad for t in dead)
    if frozen or (any(map(_numbers, sums)) and _moves_without_gradient(seen, patient)):
        yield said("dead_term")


def _said_twice(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Two terms of a sum that are equal and pull the outputs alike, also far from where a fresh model is."""
    if _has_twins(seen) and isinstance(patient.model, nn.Module):
        farther = {name: (10 * weight).detach().requires_grad_() for name, weight in patient.parameters.items()}
        if _has_twins(patient.observe(patient.inputs, farther)):
            yield said("dead_term: twice")


def _has_twins(seen: Observation) -> bool:
    heads = [t for t in tensors_in(seen.outputs) if t.requires_grad]
    for step, (one, other) in pairs_of(seen, "add") if heads else ():
        if not _is_sum(step) or one is other or not (one.requires_grad and other.requires_grad):
            continue
        if one.shape == other.shape and torch.allclose(one, other, rtol=1e-5, atol=0.0) and bool(one != 0):
            pulls = [torch.autograd.grad(t, heads, allow_unused=True, retain_graph=True) for t in (one, other)]
            if all(p is q or (p is not None and q is not None and torch.allclose(p, q, rtol=1e-4)) for p, q in zip(
                    *pulls, strict=True)):  # fmt: skip
                return True
    return False


def _is_sum(step: Step) -> bool:
    result = step.result
    alone = step.with_graph and isinstance(result, Tensor) and result.numel() == 1
    return kind_of(step) in ("add", "sub") and alone and result.requires_grad


def _numbers(step: Step) -> list[float]:
    """What a sum adds without a gradient, as Python's number or as a tensor."""
    return [float(part) for part in step.args if isinstance(part, float) or (
        isinstance(part, Tensor) and part.numel() == 1 and not part.requires_grad)]  # fmt: skip


def _is_wrapped_anew(seen: Observation, tensor: Tensor) -> bool:
    """Is this a leaf with the value of an earlier result, as Variable(..., requires_grad=True) makes it?"""
    if not tensor.is_leaf or isinstance(tensor, nn.Parameter):
        return False
    made = (step.result for step in seen.watcher.steps)
    return any(isinstance(one, Tensor) and one is not tensor and not one.requires_grad and one.dim() == 0
               and bool(one == tensor) for one in made)  # fmt: skip


def _moves_without_gradient(seen: Observation, patient: Patient) -> bool:
    """Is a number added to the loss that changes with the outputs, as one that was collected with .item() does?"""
    whole, added = seen.outputs, []
    for size in (0.0, 0.5):
        watcher = Watcher()
        watcher.in_loss = True
        with torch.random.fork_rng([]):
            draw_anew()
            moved = changed(whole, lambda t, by=size: t * (1 - by * torch.rand_like(t)) if t.is_floating_point() else t)
            with watcher:
                patient.loss_fn(moved, patient.targets)
        added.append([number for step in watcher.steps if _is_sum(step) for number in _numbers(step)])
    return len(added[0]) == len(added[1]) and any(abs(a - b) > 1e-5 * abs(a) for a, b in zip(*added, strict=True))


def _critic(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Real and made samples, judged by plain means or by squares, behind a sigmoid."""
    shares = [t for t in tensors_in(seen.outputs) if origin_of(t).kind == "sigmoid"]
    made = behind(seen, shares)
    own = [s for s in seen.watcher.steps if any(id(t) in made for t in s.tensors)]
    squared = [c for c in seen.calls if c.family == "distance" and origin_of(c.input).kind == "sigmoid" and (
        c.target.numel() > 1 and "outputs" in of(seen, c.input) and not c.target.requires_grad)]  # fmt: skip
    if {0.0, 1.0} <= {float(c.target.max()) for c in squared if c.target.max() == c.target.min()}:
        yield said("bounded_critic: squares")
    if {"sub", "neg"} & {kind_of(s) for s in own} and all(
        s.name not in LOSSES and kind_of(s) in LINEAR_STEPS for s in own
    ):
        yield said("bounded_critic")
