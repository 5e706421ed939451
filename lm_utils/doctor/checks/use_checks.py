"""Does everything take part, each input, layer and output, and does a step leave nothing behind for the next one?"""

from collections.abc import Iterator
from itertools import accumulate, combinations

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import changed, draw_anew, first_tensor, held_by, tensors_in
from lm_utils.doctor.checks.batch_checks import cost_of, cost_with
from lm_utils.doctor.checks.formula_checks import kind_of, of
from lm_utils.doctor.checks.gradient_checks import check_own_functions
from lm_utils.doctor.output_origin import node_behind, nodes_behind
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said
from lm_utils.doctor.watching import LOSSES

MOST_PARTS = 4  # inputs that are tried one by one
STRONG = 0.8  # share that a dropout erases, from which little is left to learn from


def check_left_behind(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Is the batch as it was after a step, and does the next step not reach back into this one?"""
    for name, value in (("inputs", patient.inputs), ("targets", patient.targets)):
        if any(tensor._version for tensor in tensors_in(value)):
            yield said("changed_in_place", name=name)
    held = held_by([patient.model, patient.loss_fn])
    kept = {t.grad_fn: t for t in held if isinstance(t, Tensor) and t.grad_fn is not None}
    again = patient.observe().loss if kept else None
    known = {id(weight) for weight in patient.parameters.values()}
    for node in kept.keys() & set(nodes_behind(again.grad_fn)) if isinstance(again, Tensor) else ():
        if any(id(getattr(one, "variable", None)) in known for one in nodes_behind(node)):
            yield said("backward_fails: next step")
        else:  # made of a parameter that the model does not list, so that it is none
            yield said("unregistered_parameter", shape=list(kept[node].shape), count=1)
        return


def check_inputs_used(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Each of several inputs must change the outputs."""
    parts = list(tensors_in(patient.inputs))
    if len(parts) < 2 or not isinstance(patient.model, nn.Module) or hasattr(patient.inputs, "_fields"):
        return
    drawn = torch.Generator().manual_seed(0)
    with patient.predicting():
        before = _outputs(patient, patient.inputs)
    for part in (part for part in parts[:MOST_PARTS] if part.dim() and bool((part != part[:1]).any())):
        mixed = part.flatten()[torch.randperm(part.numel(), generator=drawn).to(part.device)].view_as(part)
        others = [changed(patient.inputs, lambda t, old=part, new=new: new if t is old else t)
                  for new in (part.roll(1, 0), mixed)]  # fmt: skip
        with patient.predicting():
            same = all(_are_equal(before, _outputs(patient, other)) for other in others)
        # boxes, say, are looked at in training alone, and a table of zeros hides what is multiplied with it
        moved = {name: w + 0.1 * torch.randn(w.shape, generator=drawn).to(w) for name, w in (
            patient.parameters.items() if same else ())}  # fmt: skip
        if same and all(_are_equal(*(_outputs(patient, x, weights) for x in (patient.inputs, others[0])))
                        for weights in (None, moved)) and _are_equal(
                            *(_learning(patient, x) for x in (patient.inputs, others[0]))):  # fmt: skip
            yield said("unused_input", shape=list(part.shape))
            return


def _are_equal(before: list[Tensor], after: list[Tensor]) -> bool:
    return bool(before) and len(after) == len(before) and all(map(torch.equal, before, after))


def _learning(patient: Patient, inputs: object) -> list[Tensor]:
    """All that learns, also what a fresh model is not yet sure enough of for the loss to look at."""
    draw_anew()
    return [t for t in tensors_in(patient.observe(inputs).whole) if t.requires_grad]


def _outputs(patient: Patient, inputs: object, parameters: dict[str, Tensor] | None = None) -> list[Tensor]:
    draw_anew()
    try:
        return list(tensors_in(patient.outputs_of(inputs, parameters)))
    except (RuntimeError, ValueError, IndexError, AssertionError):
        return []  # the model cannot take these: it looked at them


def check_heads_used(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """An output must change the loss where no output that does so has its weights."""
    heads = list(tensors_in(seen.outputs))
    if len(heads) < 2 or not isinstance(seen.loss, Tensor) or seen.inside_model:
        return
    weights = [{id(n.variable) for n in nodes_behind(t.grad_fn) if hasattr(n, "variable")} for t in heads]
    made = [(t, own) for t, own in zip(heads, weights, strict=True) if t.requires_grad and t.dim() > 1 and bool((
        t != t[:1]).any())]  # fmt: skip
    pairs = ((a, b) for (a, by), (b, other) in combinations(made, 2) if by == other)  # else one gradient was cut
    for pair in [p for p in pairs if p[0] is not p[1] and p[0].dtype == p[1].dtype and torch.equal(*p)][:1]:
        meet = [s.tensors for s in seen.watcher.steps if kind_of(s) == "sub" or s.name in LOSSES]
        found = any(t is one for ts in meet for t in ts if of(seen, *ts[:1]) == of(seen, *ts[1:]) for one in pair)
        yield said("wrong_formula: called twice" if found else "units_all_alike: outputs")
    cost, slopes = cost_of(patient, seen.outputs, patient.targets)
    learning = set().union(*(found for found, slope in zip(weights, slopes, strict=True) if bool(slope.any())))
    for place, (head, slope) in enumerate(zip(heads, slopes, strict=True)):
        alone = weights[place] - learning and head.is_floating_point() and not bool(slope.any())
        if alone and _is_unused(seen, patient, head, cost):
            yield said("unused_output", shape=list(head.shape))
            return
        own = [weight for weight in patient.parameters.values() if id(weight) in weights[place]]
        if own and bool(slope.any()) and head.numel() > 1:
            pulls = torch.autograd.grad(head, own, slope, allow_unused=True, retain_graph=True)
            yield from [] if any(pull is not None and bool(pull.any()) for pull in pulls) else [said("dead_term")]


def _is_unused(seen: Observation, patient: Patient, head: Tensor, cost: float) -> bool:
    tried = (cost_with(patient, seen.outputs, head, by * head.detach().roll(1, 0) + 0.1) for by in (0.7, 100))
    return all(other == cost and not bool(at_other.any()) for other, at_other in tried)


def narrow_to_answers(seen: Observation, patient: Patient) -> Observation:
    """Leave as it is what costs nothing, a term that minds no other output, and a target that is one number."""
    whole, targets = list(tensors_in(seen.outputs)), list(tensors_in(patient.targets))
    plain = isinstance(seen.outputs, Tensor), isinstance(patient.targets, Tensor) or not targets
    if seen.failure is not None or seen.inside_model or all(plain):
        return seen
    terms = {id(t) for t in whole if t.dim() == 0 or (t.is_leaf and t.requires_grad)}
    other = changed(seen.outputs, lambda t: t if id(t) in terms else 0.7 * t.roll(1, 0) if t.is_floating_point() else t)
    (cost, slopes), (_, moved) = (cost_of(patient, outputs, patient.targets) for outputs in (seen.outputs, other))
    rows = [(t, s) for t, s, m in zip(whole, slopes, moved, strict=True) if id(t) not in terms or not torch.equal(s, m)]
    heads = [t for t, slope in rows if bool(slope.any()) or not (
        t.is_floating_point() and _is_unused(seen, patient, t, cost))] or [t for t, _ in rows]  # fmt: skip
    goals = [t for t in targets if t.dim() and bool((t != t.flatten()[:1]).any())]
    patient.narrow(seen, heads if any(t.requires_grad for t in heads) else whole, goals or targets)
    return patient.observe()


def check_layers_used(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A layer that forward() never calls while training, or whose result it throws away; scripts show no calls."""
    looked = seen.watcher.touched and isinstance(seen.loss, Tensor) and isinstance(patient.model, nn.Module)
    if not looked or not patient.model.training:
        return
    ends = [*seen.watcher.cuts, *(t.grad_fn for t in tensors_in(seen.whole) if t.grad_fn not in set(seen.graph))]
    nodes = [*seen.graph, *(node for end in ends for node in nodes_behind(end))]
    used = {id(getattr(node, "variable", None)) for node in nodes}
    for name, part in patient.model.named_modules():
        inner = part._modules.values() if isinstance(part, (nn.Sequential, nn.ModuleList)) else []
        inner = [id(layer) for layer in inner if any(weight.dim() > 1 for weight in layer.parameters())]
        if len(set(inner)) < len(inner):
            yield said("units_all_alike: one layer", name=name or "model", count=len(inner))
            break
    for name, layer, deep in _own_layers(patient.model):
        own = {id(weight) for weight in layer.parameters() if weight.requires_grad}
        called = bool(own & seen.watcher.touched.keys())
        if list(layer.children()) and "." not in name and _has_twin(patient.model, layer, used):
            continue  # a network that follows another one slowly, say
        lost = own and not own & used and called >= deep and all(seen.watcher.touched.get(w, True) for w in own)
        if lost and len(_homes(patient.model, name) - {"torch"}) < 2:  # what a library's model hands out may be left
            what = "called, and what it gives is thrown away" if called else "never called"
            yield said("weights_without_gradient: never called", name=name, what=what)
            return


def _homes(model: nn.Module, name: str) -> set[str]:
    """The packages from which the classes of a model and of those that hold this layer come."""
    holders = ["", *accumulate(name.split(".")[:-1], "{}.{}".format)]
    return {type(model.get_submodule(holder)).__module__.partition(".")[0] for holder in holders}


def _has_twin(model: nn.Module, network: nn.Module, used: set[int]) -> bool:
    """Does the model hold the same network once more, and use that one?"""
    others = (part for part in model.children() if part is not network and repr(part) == repr(network))
    return any(id(weight) in used for other in others for weight in other.parameters())


def _own_layers(model: nn.Module, before: str = "", deep: bool = False) -> Iterator[tuple[str, nn.Module, bool]]:
    """Yield the layers that a model's own forward() calls, also those in lists, then those inside other models."""
    for name, part in model.named_children():
        inside = deep or not isinstance(part, (nn.ModuleList, nn.ModuleDict))
        if isinstance(part, (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)) and not before:
            continue  # a pattern of which an encoder made copies, perhaps
        if inside or not list(part.children()):
            yield before + name, part, deep
        if list(part.children()):
            yield from _own_layers(part, f"{before}{name}.", inside)


def check_rates(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Shares the wrong way round in dropouts and norms, and a dropout that goes on when the model is evaluated."""
    if not isinstance(patient.model, nn.Module):
        return
    outputs = first_tensor(seen.outputs)
    if outputs is not None and seen.calls and node_behind(outputs) in seen.watcher.dropped:
        yield said("dropout_on_outputs")
    shares = [part.p for part in patient.model.modules() if isinstance(part, nn.modules.dropout._DropoutNd)]
    if any(share >= STRONG for share in shares):
        yield said("dropout_too_strong", share=100 * max(shares))
    norms = [part.momentum for part in patient.model.modules() if isinstance(part, nn.modules.batchnorm._NormBase)]
    if any(momentum is not None and not 0 < momentum <= 0.5 for momentum in norms):
        yield said("batch_norm_momentum", momentum=norms[0])
    was = patient.model.training
    if seen.watcher.dropped and was:
        patient.model.eval()
        seen = patient.observe()
        patient.model.train(was)
    if seen.watcher.dropped:
        yield said("dropout_in_evaluation")


FIRST_CHECKS = (check_left_behind, check_heads_used)  # of all that the model returns
USE_CHECKS = (check_inputs_used, check_layers_used, check_rates, check_own_functions)
