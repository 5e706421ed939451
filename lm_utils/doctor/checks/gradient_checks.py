"""How do gradients behave: is there a path, is it alive, are hidden units stuck?"""

import copy
import itertools
from collections.abc import Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import changed, draw_anew, first_tensor, held_by, tensors_in
from lm_utils.doctor.checks.formula_checks import kind_of, pairs_of
from lm_utils.doctor.checks.hidden_checks import check_weight_slopes
from lm_utils.doctor.output_origin import nodes_behind, operation
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, first_sentence, said
from lm_utils.doctor.watching import Step

ROUNDING = ("Round", "Floor", "Ceil", "Trunc", "Sign", "Bernoulli", "Normal", "Poisson")  # their slope is zero
LOW_PRECISION = (torch.float16, torch.bfloat16)
DESCENT = 8  # steps downhill


def check_path(seen: Observation, outputs: Tensor | None, patient: Patient) -> Iterator[Finding]:
    """Is there a way from the loss back to the weights at all?"""
    if outputs is None or not patient.parameters:
        return
    ends = [t for t in tensors_in(seen.outputs) if t.requires_grad]
    nodes = {*seen.graph} if not isinstance(seen.whole, Tensor) else {t.grad_fn for t in ends}
    weights = {id(getattr(node, "variable", None)) for node in nodes}
    cut = not any(t.grad_fn in nodes or id(t) in weights for t in ends)
    if not any(p.requires_grad for p in patient.parameters.values()):
        yield said("all_weights_frozen")
    elif not any(t.requires_grad for t in (outputs, *tensors_in(seen.outputs))):
        cause = (
            "they are whole numbers, as argmax, round or a comparison gives them"
            if not outputs.is_floating_point()
            else "they were made under torch.no_grad(), detached, or passed through numpy"
        )
        yield said("outputs_without_gradient", cause=cause)
    elif isinstance(seen.loss, Tensor) and (not seen.loss.requires_grad or (ends and cut)):
        yield said("loss_without_gradient: path")


def check_registered(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does the model hold a tensor that is meant to learn and that `parameters()` does not list?"""
    if not isinstance(patient.model, nn.Module) or not isinstance(seen.loss, Tensor):
        return
    listed = {id(tensor) for tensor in (*patient.parameters.values(), *tensors_in((patient.inputs, patient.targets)))}
    held, unlisted = {id(part) for part in held_by(vars(patient.model))}, _leaves(seen, listed)
    lost = [leaf for leaf in unlisted if id(leaf) in held]
    new = [leaf for leaf in unlisted if isinstance(leaf, nn.Parameter) and id(leaf) not in held]
    if new and not any(leaf is other for other in _leaves(patient.observe(), listed) for leaf in new):
        lost += new  # made anew in every forward pass
    if lost:
        yield said("unregistered_parameter", shape=list(lost[0].shape), count=len(lost))


def _leaves(seen: Observation, listed: set[int]) -> list[Tensor]:
    """What the outputs were computed from and is not listed."""
    outputs = first_tensor(seen.whole) if isinstance(seen.whole, Tensor) else seen.loss
    found = (getattr(node, "variable", None) for node in seen.behind(outputs) if operation(node) == "AccumulateGrad")
    return [leaf for leaf in found if leaf is not None and id(leaf) not in listed]


def check_own_functions(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does the backward() of somebody's own function agree with small steps forward, in double precision?"""
    for kind in {getattr(one, "_forward_cls", None) for one in set(map(type, seen.graph))} - {None}:
        forward = vars(kind).get("forward")
        given: list[tuple] = []
        if kind.__module__.startswith("torch.") or not isinstance(forward, staticmethod):
            continue
        kind.forward = staticmethod(lambda *args, held=forward.__func__, given=given: given.append(args) or held(*args))
        try:
            patient.observe()
        finally:
            kind.forward = forward
        args = given[0][kind.setup_context is torch.autograd.Function.setup_context :] if given else ()
        with suppress(RuntimeError):  # it may refuse double precision
            if any(isinstance(arg, Tensor) for arg in args) and _backward_differs(kind, args):
                yield said("wrong_formula: backward", name=kind.__name__)


def _backward_differs(kind: type, given: tuple) -> bool:
    """Compare slopes along random directions; what rounds, cuts or passes values through may have slopes of its own."""
    free = [t.requires_grad and t.is_floating_point() for t in given if isinstance(t, Tensor)]
    start = changed(given, lambda t: t.detach().double() if t.is_floating_point() else t)

    def result(moved: object) -> Tensor:
        draw_anew()
        return first_tensor(kind.apply(*moved))

    steps = []
    for place in (place for place, free_one in enumerate(free) if free_one):
        here = list(tensors_in(start))[place]
        way = torch.randn_like(here)
        ends = [changed(start, lambda t, old=here, new=here + by * way: new if t is old else t) for by in (1e-6, -1e-6)]
        step = (result(ends[0]) - result(ends[1])).detach() / 2e-6
        passes = step.shape == way.shape and torch.allclose(step, way, rtol=1e-4, atol=1e-6)
        if not bool(step.any()) or passes:
            return False
        steps.append((place, way, step))
    for place, way, step in steps:
        here = changed(start, lambda t: t.clone().requires_grad_(t.is_floating_point()))
        pull = step * torch.linspace(1, 2, step.numel()).to(step).view_as(step)
        one = list(tensors_in(here))[place]
        slope = torch.autograd.grad(result(here), one, pull, allow_unused=True)[0]
        own, small = 0.0 if slope is None else float((slope * way).sum()), float((pull * step).sum())
        if abs(own - small) > 1e-2 * small:
            return True
    return False


def check_finite(seen: Observation, outputs: Tensor | None) -> Iterator[Finding]:
    """Are outputs and loss ordinary numbers?"""
    if outputs is not None and outputs.is_floating_point() and not _masked_or_finite(outputs, seen.loss):
        yield said("outputs_not_finite")
    elif isinstance(seen.loss, Tensor) and not torch.isfinite(seen.loss).all():
        yield said("loss_not_finite")


def _masked_or_finite(outputs: Tensor, loss: object) -> bool:
    """Minus infinity forbids a class, and that is right where the loss is finite all the same."""
    finite = torch.isfinite(outputs)
    fine = isinstance(loss, Tensor) and bool(torch.isfinite(loss).all())
    return bool((finite | ((outputs == -torch.inf) & fine)).all())


def check_flow(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Do gradients arrive at the weights, and are they more than zero?"""
    loss, free = seen.loss, {n: p for n, p in patient.parameters.items() if p.requires_grad}
    if not isinstance(loss, Tensor) or not loss.requires_grad or not free or not torch.isfinite(loss).all():
        return
    try:
        slopes = torch.autograd.grad(loss.sum(), list(free.values()), allow_unused=True)
    except RuntimeError as error:
        if "use_reentrant" not in str(error):  # such a checkpoint bears backward() only, which moves gradients
            yield said("backward_fails", reason=first_sentence(error))
        return
    arrived = [_dense(slope) for slope in slopes if slope is not None]
    if not arrived and any("Checkpoint" in node.name() for node in seen.graph):
        return  # a re-entrant checkpoint hides its weights from everything but backward()
    if not all(torch.isfinite(slope).all() for slope in arrived):
        yield said("gradient_not_finite")
    elif not arrived:
        yield said("loss_without_gradient: flow")
    elif not any(bool(slope.any()) for slope in arrived):
        yield from _no_flow(loss)
    if arrived:
        named = dict(zip(free, slopes, strict=True))
        yield from _without_gradient(seen, patient, named)
        still = {
            name
            for name, slope in named.items()
            if slope is not None and slope.dim() > 1 and not bool(_dense(slope).any())
        }
        if still and len(still) < len(arrived):
            yield from _never_moved(patient, still)
        yield from check_weight_slopes(seen, patient, {n: slope for n, slope in named.items() if slope is not None})


def _without_gradient(seen: Observation, patient: Patient, slopes: dict[str, Tensor | None]) -> Iterator[Finding]:
    """Weights that take no part: perhaps on purpose, hardly where forward() uses their values and drops the graph."""
    weights, rounds = patient.parameters, [node for node in seen.graph if operation(node) in ROUNDING]
    cut_off, compared, rounded = ({id(getattr(node, "variable", None)) for end in ends for node in nodes_behind(end)}
                                  for ends in (seen.watcher.cuts, seen.watcher.compared, rounds))  # fmt: skip
    missing = [name for name, slope in slopes.items() if slope is None or (
        id(weights[name]) in rounded and not bool(_dense(slope).any()))]  # fmt: skip
    if not missing:
        return

    def whole(name: str) -> str:  # the part of the model that it belongs to, in words
        return f"{getattr(patient.model, name.split('.')[0], '')!r}{name.partition('.')[2]}{list(weights[name].shape)}"

    learning = {whole(name) for name in weights if name not in missing}
    cut = [name for name in missing if id(weights[name]) in cut_off | rounded]
    twin = {whole(n) for n in cut} <= learning and all(n.count(".") > 1 for n in cut if id(
        weights[n]) in compared | rounded)  # fmt: skip
    kind = ": cut" + " on purpose" * (twin or not patient.model.training) if cut else ""  # of a target network
    yield said(f"weights_without_gradient{kind}",
        f"{len(missing)} of {len(weights)} parameters take no part in this loss, such as {(cut or missing)[0]}.",
        last=(cut or missing)[-1])  # fmt: skip


def _never_moved(patient: Patient, still: set[str]) -> Iterator[Finding]:
    """Weights without a slope, also near and far from here and where all masks are open.

    A branch of zeros or a free divergence has one there, and a part for which there are no labels in this batch.
    """
    other = copy.copy(patient)
    other.targets = changed(patient.targets, _opened)
    for size in (0.1, 1.0):
        moved = {name: weight.detach() + size * torch.randn_like(weight) if weight.is_floating_point() else weight
                 for name, weight in patient.parameters.items()}  # fmt: skip
        loss = other.observe(parameters=moved | {name: moved[name].requires_grad_() for name in still}).loss
        if not isinstance(loss, Tensor) or not loss.requires_grad:
            return
        slopes = torch.autograd.grad(loss.sum(), [moved[name] for name in still], allow_unused=True)
        pairs = zip(still, slopes, strict=True)
        still = {name for name, slope in pairs if slope is not None and not bool(_dense(slope).any())}
        if not still:
            return
    yield said("weights_without_gradient: never moved", count=len(still), name=min(still))


def _opened(target: Tensor) -> Tensor:
    """A mask that hides nothing, labels that are all the last."""
    numbers = (target.is_floating_point() or target.is_complex()) and bool(((target != 0) & (target != 1)).any())
    return target if numbers or not target.numel() else torch.full_like(target, target.real.max().item())


def _dense(slope: Tensor) -> Tensor:
    return slope.coalesce().values() if slope.is_sparse else slope


def _no_flow(loss: Tensor) -> Iterator[Finding]:
    if loss.dtype in LOW_PRECISION or float(loss.detach().sum()) <= 1e-6:
        return  # a perfect fit, or numbers too small for half precision
    yield said("zero_gradient", loss=loss.detach().sum())


SHAPED = {"softplus", "relu", "clamp", "tanh", "div", "squeeze", "unsqueeze", "view", "reshape", "flatten", "getitem"}
COMPARED = {"distance", "kl_div", "bce", "bce_logits", "cross_entropy"}


def check_target_gradients(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A target that is computed by a network and not detached, or an advantage that carries a gradient."""
    roots = {tensor.grad_fn for tensor in tensors_in(seen.whole) if tensor.grad_fn is not None}
    pairs = [(True, (c.input, c.target)) for c in seen.calls if c.family in COMPARED]
    sums = {id(step.result) for step in seen.watcher.steps if kind_of(step) == "add" and any(
        seen.watcher.sources(t) == {"targets"} and not t.requires_grad for t in step.tensors)}  # fmt: skip
    pairs += [(False, one) for _, both in pairs_of(seen, "sub") for one in (both, both[::-1])
              if id(one[1]) in sums and one[1].dim()]  # fmt: skip
    for called, pair in pairs:
        if not all(isinstance(t, Tensor) and t.requires_grad for t in pair):
            continue
        behind = [_learns_beside(tensor, roots) for tensor in pair] if called else []
        given, goal = (seen.watcher.sources(tensor) for tensor in pair)
        follows = given == {"outputs"} and goal == {"outputs", "targets"}  # as a bootstrapped or residual target does
        if (follows and (called or seen.slope_at(pair[1]) is not None)) or (any(behind) and not all(behind)):
            yield said("gradient_into_target")
            return
    yield from _advantages(seen)


def _learns_beside(tensor: Tensor, roots: set) -> bool:
    """Do weights stand behind this tensor that are not reached through the model's outputs?"""
    nodes = list(nodes_behind(tensor.grad_fn))
    return not roots.intersection(nodes) and any(operation(node) == "AccumulateGrad" for node in nodes)


def _advantages(seen: Observation) -> Iterator[Finding]:
    made_by = {id(step.result): step for step in seen.watcher.steps}
    for _, pair in pairs_of(seen, "mul"):
        for score, advantage in (pair, pair[::-1]) if all(t.requires_grad for t in pair) else ():
            if _is_log_probability(score, made_by) and _is_difference(advantage, made_by, seen):
                yield said("gradient_through_advantage")
                return


def _is_log_probability(tensor: Tensor, made_by: dict[int, Step]) -> bool:
    step = made_by.get(id(tensor))
    if step is not None and kind_of(step) == "neg":
        tensor = step.tensors[0]
    near = itertools.islice(nodes_behind(tensor.grad_fn), 12)
    return bool((tensor <= 0).all()) and any(operation(node) in ("LogSoftmax", "Logsumexp") for node in near)


def _is_difference(tensor: Tensor, made_by: dict[int, Step], seen: Observation) -> bool:
    step = made_by.get(id(tensor))
    while step is not None and kind_of(step) in SHAPED and step.tensors:  # a positive or scaled advantage, say
        step = made_by.get(id(step.tensors[0]))
    return step is not None and kind_of(step) == "sub" and seen.watcher.sources(tensor) == {"outputs", "targets"}


def check_asked_slopes(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Where a model takes slopes itself: on the line between two samples; of an equation that zero must not solve."""
    for at in seen.watcher.asked:
        shares = [a for a, b in seen.watcher.factors if a.shape == b.shape == at.shape and at.dim() > 1 < at[0].numel()]
        if any(bool((one >= 0).all()) for one in shares):
            yield said("wrong_formula: off the line")
    weights, given = patient.parameters.items(), any(bool(t.any()) for t in tensors_in(patient.targets))
    small = ({name: (size * torch.randn_like(p)).requires_grad_() for name, p in weights} for size in (0, *[0.01] * 6))
    losses = (patient.observe(parameters=some).loss for some in small)
    found = seen.watcher.asked and not given and weights and next(losses) == 0 and all(loss > 0 for loss in losses)
    if found and not _goes_below_zero(patient):
        yield said("wrong_formula: nothing solves it")


def _goes_below_zero(patient: Patient) -> bool:
    """Does the loss fall below zero downhill, as no equation's error does but that of a density's slope?"""
    at = {name: p.detach().clone().requires_grad_() for name, p in patient.parameters.items() if p.requires_grad}
    for _ in range(DESCENT):
        loss = patient.observe(parameters=at).loss
        if loss < 0:
            return True
        slopes = torch.autograd.grad(loss, [*at.values()], allow_unused=True, materialize_grads=True)
        size = 2 * loss.detach() / sum(s.square().sum() for s in slopes)  # twice as far as a straight way to zero
        at = {n: (p - size * s).detach().requires_grad_() for (n, p), s in zip(at.items(), slopes, strict=True)}
    return False
