"""Inside the model: units that are stuck, alike or dropped, and softmaxes that share out the wrong whole."""

from collections import Counter
from collections.abc import Iterator
from math import inf

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import first_tensor, tensors_in
from lm_utils.doctor.output_origin import node_behind, operation, saved_axis, seen_through
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

FLAT = 0.01  # of its range: a sigmoid or tanh so near to an end is flat and passes next to nothing
LINEAR_NODES = {"Addmm", "Mm", "Convolution"}
MOST_STEPS = 4  # of a recurrent layer that are looked at
MOST = 0.9  # share of a layer's units that must be stuck before it is worth a word
FADED = 1e-7  # of the largest layer's slope, below which a layer hardly learns
VISIBLE = 1e-3  # share of a softmax that is none for what a mask should hide
FAR, TINY = 30.0, 0.01  # roots of the inputs' mean square, beyond which they are called large or tiny
DRAWN = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def check_hidden_units(seen: Observation, outputs: Tensor | None) -> Iterator[Finding]:
    """Are the units of a hidden sigmoid or tanh stuck on their flat ends, or is a ReLU layer dead?"""
    if outputs is None or outputs.grad_fn is None:
        return
    layers: dict[tuple, list[Tensor]] = {}  # by kind and shape, so that the steps of a recurrent layer are one look
    for node in seen.behind(outputs):
        kind = operation(node)
        values = getattr(node, "_saved_result", None) if kind in ("Sigmoid", "Tanh", "Relu") else None
        if values is None or values.dim() < 2 or values.shape[0] < 2:
            continue
        if kind == "Relu" and not bool(values.any()):
            yield said("dead_layer")
        elif kind != "Relu" and values.shape != outputs.shape:
            layers.setdefault((kind, values.shape), []).append(values)
    for (kind, _), found in layers.items():
        some = [values.detach().float().flatten(1) for values in found[:: -(-len(found) // MOST_STEPS)]]
        bottom, top = flat_ends(torch.stack(some), -1.0 if kind == "Tanh" else 0.0)
        flat = (bottom | top).all(1).float().mean(1).max().item()
        if flat >= MOST:
            yield said("saturated_units", share=100 * flat, kind=kind.lower())


def flat_ends(values: Tensor, low: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return which values lie at the bottom and which at the top of a range from `low` to 1."""
    place = (values - low) / (1 - low)
    return place < FLAT, place > 1 - FLAT


def stuck_units(values: Tensor, low: float = 0.0) -> float:
    """Return the share of units (columns) at the same flat end for every sample (row): they say nothing of any."""
    bottom, top = flat_ends(values, low)
    return (bottom.all(0) | top.all(0)).float().mean().item()


def check_inner_layers(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Linear layers in a row, large inputs, a softmax over one number, one summed over another axis."""
    yield from _linear_layers(seen)
    yield from _inputs_scaled(seen, patient)
    ends = {node_behind(t) for t in (*tensors_in(seen.outputs), *(call.input for call in seen.calls))}
    for node, name in ((node, operation(node)) for node in seen.graph):
        if name in ("Softmax", "LogSoftmax"):
            axis, shape = saved_axis(node)
            if shape and shape[axis] == 1 and (max(shape[1:], default=1) > 1 or len(shape) == 2):
                yield said("softmax_over_one_output", shape=list(shape))
                return
        if name in ("Softmax", "LogSoftmax", "Sigmoid"):
            if _masked_by_product(node):
                yield said(f"mask_before_{'sigmoid' if name == 'Sigmoid' else 'softmax'}")
                return
            if node not in ends and operation(seen_through(node.next_functions[0][0])) == name != "LogSoftmax":
                yield said("activation_twice", over=name.lower(), under=name.lower())
                return
        elif name in ("Bmm", "Mm") and _shares_out_another_axis(node):
            yield said("softmax_wrong_axis: inner softmax")
            return


def _masked_by_product(node: object) -> bool:
    parents = [parent for parent, _ in node.next_functions if parent is not None]
    name = operation(parents[0]) if parents else ""
    if name in ("Where", "MaskedFill") and operation(node) != "Sigmoid":
        shares = node._saved_result if operation(node) == "Softmax" else node._saved_result.exp()
        hidden = (parents[0]._saved_mask if name == "MaskedFill" else parents[0]._saved_condition).expand_as(shares)
        hidden = ~hidden if name == "Where" and parents[0].next_functions[1][0] is None else hidden
        return bool((shares > VISIBLE)[hidden & ~hidden.all(saved_axis(node)[0], keepdim=True)].any())
    if name != "Mul":
        return False
    factors = [getattr(parents[0], name, None) for name in ("_saved_self", "_saved_other")]
    masks = [t for t in factors if isinstance(t, Tensor) and t.dim() and not t.requires_grad]
    return any(bool(((t == 0) | (t == 1)).all()) and 0 < float(t.float().mean()) < 1 for t in masks)


def _shares_out_another_axis(product: object) -> bool:
    """Does a softmax reach this product of matrices whose axis is not the one that is summed over?"""
    for place, (name, axis) in enumerate((("_saved_self", -1), ("_saved_mat2", -2))):
        node, shares = seen_through(product.next_functions[place][0]), getattr(product, name, None)
        of_logs = operation(node) == "Exp" and operation(seen_through(node.next_functions[0][0])) == "LogSoftmax"
        if operation(node) == "Softmax" or of_logs:
            shares = node._saved_result if shares is None else shares
            square = shares.dim() > 1 and shares.shape[-2] == shares.shape[-1] > 1  # clusters share out places, say
            if square and bool(((shares.sum(axis) - 1).abs() > 1e-2).any()):
                return True
    return False


def _linear_layers(seen: Observation) -> Iterator[Finding]:
    """Linear layers in a row: three, or two whose middle is as wide as both ends, are no more than one."""
    linear = (node for node in seen.graph if operation(node) in LINEAR_NODES)
    layers = {node: found for node in linear if (found := _layer(node))}
    below, paths = {}, {}
    for node, (_, _, inner) in layers.items():
        between = [inner]
        while inner is not None and (operation(inner) in ("View", "UnsafeView", "NativeBatchNorm") or _is_bias(inner)):
            inner = next((parent for parent, _ in inner.next_functions if operation(parent) != "AccumulateGrad"), None)
            between.append(inner)
        if inner in layers and operation(inner) == operation(node):
            below[node], paths[node] = inner, between
    taken = Counter(parent for node in seen.graph for parent, _ in node.next_functions) if below else {}
    used = Counter(weight for node in layers for weight in weights_of(node)) if below else {}
    below = {
        node: inner
        for node, inner in below.items()
        if all(taken[one] == 1 for one in paths[node]) and all(used[one] == 1 for one in weights_of(inner))
    }  # nobody else takes it past this layer
    for node, inner in below.items():
        (first, middle, _), last = layers[inner], layers[node][1] or node._saved_weight.shape[0]
        if middle and (inner in below or (middle > first and middle >= last)):
            yield said("no_activation_between", first=int(first), middle=int(middle), last=int(last))
            return


def _is_bias(node: object) -> bool:
    """Is this a sum of which one part is a weight?"""
    return operation(node) == "Add" and [operation(p) for p, _ in node.next_functions].count("AccumulateGrad") == 1


def _layer(node: object) -> tuple[int, int, object] | None:
    """What goes into a linear layer, what comes out (0 where it is meant to be a part), and where it comes from."""
    name = operation(node)
    if name == "Convolution":
        out, inner, *size = node._saved_weight.shape
        if node._saved_transposed:
            out, inner = inner, out
        return (inner, out if node._saved_groups == 1 and min(size) == max(size) > 1 else 0, node.next_functions[0][0])
    if name == "Mm" and not weights_of(node):
        return None  # a product of two things that the model computes
    return (*node._saved_mat2_sym_sizes, node.next_functions[name == "Addmm"][0])


def weights_of(layer: object) -> set[int]:
    """The identities of the weights of a layer's node, seen through a transposition and a scaling."""
    nodes = [parent for parent, _ in layer.next_functions[1:] if parent is not None]
    for _ in range(2):
        nodes += [p for n in nodes if operation(n) in ("T", "Mul", "Transpose") for p, _ in n.next_functions if p]
    return {id(node.variable) for node in nodes if hasattr(node, "variable")}


def _inputs_scaled(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Do numbers far from zero reach the first layer as they are, and does no norm follow?"""
    x, loss = first_tensor(patient.inputs), seen.loss
    parts = list(patient.model.modules()) if isinstance(patient.model, nn.Module) and isinstance(loss, Tensor) else []
    words = x is not None and not x.is_floating_point() and any(isinstance(part, nn.Embedding) for part in parts)
    if not parts or x is None or words or any("Norm" in type(part).__name__ for part in parts):
        return
    given = float(x.detach().float().square().mean().sqrt())
    nodes = seen.graph if not TINY <= given <= FAR else ()
    taken = (getattr(node, f"_saved_{name}", None) for node in nodes for name in ("mat1", "input"))
    first = [t for t in taken if isinstance(t, Tensor) and t.dim() and not t.requires_grad and len(t) == len(x)]
    size = float(first[0].square().mean().sqrt()) if first else 1.0
    if size > FAR or 0 < size < TINY:
        yield said("inputs_not_scaled", kind="large" if size > FAR else "tiny", size=size)


def check_weight_slopes(seen: Observation, patient: Patient, slopes: dict[str, Tensor]) -> Iterator[Finding]:
    """Are units alike for ever, or do the slopes of some layers fade away?"""
    layers = {f"{name}.weight": part.weight for name, part in patient.model.named_modules() if isinstance(part, DRAWN)}
    layers = {name: weight for name, weight in layers.items() if name in slopes and not slopes[name].is_sparse}
    for name, weight in layers.items():
        if rows_alike(weight) and _rows_close(slopes[name]) and weight.numel() > weight.shape[0]:
            yield said("units_all_alike", name=name)
            break
    for name, slope in slopes.items():
        weight = patient.parameters[name]
        if name not in layers and weight.dim() == 2 and rows_alike(weight.T) and not slope.is_sparse and (
                bool(slope.any()) and _rows_close(slope.T)):  # fmt: skip
            yield said("units_all_alike", name=name)  # factors of a product, say
            break
    yield from _recurrent(patient, slopes)
    sizes = {name: slopes[name].float().square().mean().sqrt().item() for name in layers}
    sizes = {name: size for name, size in sizes.items() if size > 0}
    least = min(sizes, key=sizes.get, default=None)
    between = [size for size in sizes.values() if FADED * 10 < size / max(sizes.values()) < 0.01]
    if between and sizes[least] < FADED * max(sizes.values()) and slopes[least].dtype == torch.float32 and sum(
            operation(node) in ("Sigmoid", "Tanh") for node in seen.graph) > 3:  # fmt: skip
        yield said("vanishing_gradient", least=least, ratio=sizes[least] / max(sizes.values()))


def _recurrent(patient: Patient, slopes: dict[str, Tensor]) -> Iterator[Finding]:
    """Recurrent layers whose units start alike, or that never see a second step."""
    for layer, part in patient.model.named_modules():
        weights = dict(part.named_parameters(recurse=False)) if isinstance(part, (nn.RNNBase, nn.RNNCellBase)) else {}
        matrices = {name: weight for name, weight in weights.items() if weight.dim() > 1}
        if matrices and all(map(rows_alike, matrices.values())):
            yield said("units_all_alike", name=layer)
            continue
        arrived = {name: slopes.get(f"{layer}.{name}") for name, weight in matrices.items() if weight.requires_grad}
        moved = {name: slope is not None and bool(slope.any()) for name, slope in arrived.items()}
        began = moved.get("weight_ih_l0", moved.get("weight_ih"))
        if began and not any(was for name, was in moved.items() if "_hh" in name):
            yield said("weights_without_gradient: one step", name=layer)
        elif any(moved.values()) and not all(moved.values()):
            yield said("weights_without_gradient: part", name=layer, part=min(moved, key=moved.get))


def _rows_close(slope: Tensor) -> bool:
    """Are these rows equal up to rounding?"""
    largest = float(slope.abs().max())
    return largest < inf and torch.allclose(slope, slope[:1].expand_as(slope), rtol=1e-3, atol=1e-5 * largest)


def rows_alike(values: Tensor) -> bool:
    """Are there several rows, all finite and equal to the last bit?"""
    rows = values.detach().flatten(1) if values.dim() > 1 else values.detach()
    if len(rows) < 2 or bool((rows[0] != rows[1]).any()):
        return False
    return bool(((rows == rows[:1]) & rows.isfinite()).all())
