"""Inside the model: units that are stuck, alike or dropped, and softmaxes that share out the wrong whole."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from lm_utils.doctor.output_origin import node_behind, nodes_behind, operation, saved_axis
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding

FLAT = 1e-3  # a sigmoid or tanh whose slope is below this for every sample passes next to nothing
MOST = 0.9  # share of a layer's units that must be stuck before it is worth a word
FADED = 1e-7  # of the largest layer's slope, below which a layer hardly learns
DRAWN = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def check_hidden_units(seen: Observation, outputs: Tensor | None) -> Iterator[Finding]:
    """Are the units of a hidden sigmoid or tanh stuck on their flat ends, or is a ReLU layer dead?"""
    if outputs is None or outputs.grad_fn is None:
        return
    for node in nodes_behind(outputs.grad_fn):
        values = getattr(node, "_saved_result", None) if operation(node) in ("Sigmoid", "Tanh", "Relu") else None
        if values is None or values.dim() < 2 or values.shape[0] < 2 or values.shape == outputs.shape:
            continue
        yield from _stuck(operation(node), values.detach().float().flatten(1))


def _stuck(name: str, values: Tensor) -> Iterator[Finding]:
    if name == "Relu":
        if not bool(values.any()):
            yield Finding("dead_layer", "warning", "A ReLU layer gives zero for every unit and every sample.",
                "No gradient passes a ReLU at zero, so nothing before it can learn.",
                "Start anew with smaller weights or a smaller learning rate: `lr=1e-4`; check the inputs' scale."
            )  # fmt: skip
        return
    slope = values * (1 - values) if name == "Sigmoid" else 1 - values**2
    stuck = (slope.max(0).values < FLAT).float().mean().item()
    if stuck >= MOST:
        yield Finding("saturated_units", "warning",
            f"{100 * stuck:.0f} % of the units of a hidden {name.lower()} layer are at a flat end for every sample.",
            "There its slope is nearly 0: no gradient reaches the layers before it.",
            "Normalise the inputs, start with smaller weights or steps (`lr=1e-4`), or use `nn.ReLU()` there."
        )  # fmt: skip


def check_inner_softmax(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """A softmax over one number, or weights that are summed over another axis than the one they share out."""
    start = seen.loss if isinstance(seen.loss, Tensor) else None
    for node in nodes_behind(start.grad_fn) if start is not None else ():
        if operation(node) in ("Softmax", "LogSoftmax"):
            axis, shape = saved_axis(node)
            if shape and shape[axis] == 1 and (max(shape[1:], default=1) > 1 or len(shape) == 2):
                yield Finding("softmax_over_one_output", "error",
                    f"A softmax on {list(shape)} runs over one number.",
                    "It is always exactly 1, so what it weighs is not weighed at all and no gradient flows.",
                    "Name the axis of the steps or classes: `dim=1` for scores [N, L, 1].")  # fmt: skip
                return
            if _masked_by_product(node):
                yield Finding("mask_before_softmax", "warning",
                    "A softmax is applied to scores that a mask of zeros and ones was multiplied with.",
                    "A score of 0 is no small one: exp(0) is 1, and what should be hidden keeps its share.",
                    "Hide it with minus infinity: `scores.masked_fill(mask == 0, -torch.inf)`.")  # fmt: skip
                return
        elif operation(node) == "Sigmoid" and _masked_by_product(node):
            yield Finding("mask_before_sigmoid", "warning",
                "A sigmoid is applied to outputs that a mask of zeros and ones was multiplied with.",
                "The sigmoid turns a masked 0 into 0.5, so what should not count counts as half a yes.",
                "Mask the probabilities: `outputs.sigmoid() * mask`.")  # fmt: skip
            return
        elif operation(node) == "Bmm" and _shares_out_another_axis(node):
            yield Finding("softmax_wrong_axis", "warning",
                "The weights of an attention sum to one over the places that ask, not over those that answer.",
                "Each place then gets a sum whose weights do not add up to one, and some get next to nothing.",
                "Take the softmax over the last axis of [N, queries, keys]: `scores.softmax(-1) @ v`.")  # fmt: skip
            return


def _masked_by_product(node: object) -> bool:
    parents = [parent for parent, _ in node.next_functions if parent is not None]
    if not parents or operation(parents[0]) != "Mul":
        return False
    factors = [getattr(parents[0], name, None) for name in ("_saved_self", "_saved_other")]
    masks = [t for t in factors if isinstance(t, Tensor) and t.dim() and not t.requires_grad]
    return any(bool(((t == 0) | (t == 1)).all()) and 0 < float(t.float().mean()) < 1 for t in masks)


def _shares_out_another_axis(product: object) -> bool:
    """Does a softmax reach this product of matrices whose axis is not the one that is summed over, the last?"""
    node = product.next_functions[0][0]
    while node is not None and operation(node) in ("View", "UnsafeView", "Expand", "Clone"):
        node = node.next_functions[0][0]
    if node is None or operation(node) != "Softmax" or node._saved_result.dim() < 3:
        return False
    shares = node._saved_result
    return shares.shape[-1] > 1 and bool(((shares.sum(-1) - 1).abs() > 1e-2).any())


def check_linear_layers(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Two linear layers in a row whose middle is as wide as both ends: together they are no more than one."""
    start = seen.loss if isinstance(seen.loss, Tensor) else None
    for node in nodes_behind(start.grad_fn) if start is not None else ():
        inner = node.next_functions[1][0] if operation(node) == "Addmm" else None
        while inner is not None and operation(inner) in ("View", "UnsafeView"):
            inner = inner.next_functions[0][0]
        if inner is None or operation(inner) != "Addmm":
            continue
        (first, middle), (_, last) = (one._saved_mat2_sym_sizes for one in (inner, node))
        if middle > first and middle >= last:
            yield Finding("no_activation_between", "warning",
                f"A linear layer {int(first)} to {int(middle)} is followed by one to {int(last)}, and nothing between.",
                "A linear function of a linear function is linear: the two are worth one layer.",
                "Put an activation between: `nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))`.")  # fmt: skip
            return


def check_dropout_last(seen: Observation, outputs: Tensor | None) -> Iterator[Finding]:
    """Predictions that are set to zero at random."""
    last = node_behind(outputs) if outputs is not None and seen.calls else None
    if last is not None and any(last is node for node in seen.watcher.dropped):
        yield Finding("dropout_on_outputs", "warning", "A dropout stands behind the last layer.",
            "It sets predictions to zero at random and scales the others, and the loss asks for what was erased.",
            "Put it before the last layer: `nn.Sequential(..., nn.Dropout(), nn.Linear(64, 10))`.")  # fmt: skip


def check_weight_slopes(seen: Observation, patient: Patient, slopes: dict[str, Tensor]) -> Iterator[Finding]:
    """Are units alike for ever, or do the slopes of some layers fade away?"""
    layers = {f"{name}.weight": part.weight for name, part in patient.model.named_modules() if isinstance(part, DRAWN)}
    layers = {name: weight for name, weight in layers.items() if name in slopes and not slopes[name].is_sparse}
    for name, weight in layers.items():
        if rows_alike(weight) and rows_alike(slopes[name]) and weight.numel() > weight.shape[0]:
            yield Finding("units_all_alike", "warning",
                f"All units of `{name}` have the same weights and the same gradient.",
                "They stay alike for ever, so the layer is worth a single unit.",
                "Draw them at random, as torch does by default: `nn.init.kaiming_uniform_(layer.weight)`.")  # fmt: skip
            break
    sizes = {name: slopes[name].float().square().mean().sqrt().item() for name in layers}
    sizes = {name: size for name, size in sizes.items() if size > 0}
    least = min(sizes, key=sizes.get, default=None)
    between = [size for size in sizes.values() if FADED * 10 < size / max(sizes.values()) < 0.01]
    flat = sum(operation(node) in ("Sigmoid", "Tanh") for node in nodes_behind(seen.loss.grad_fn))
    if between and flat > 3 and sizes[least] < FADED * max(sizes.values()) and slopes[least].dtype == torch.float32:
        yield Finding("vanishing_gradient", "warning",
            f"The gradient of `{least}` is {sizes[least] / max(sizes.values()):.1g} times that of another layer.",
            "Every sigmoid or tanh on the way shrinks it, so the first layers hardly learn.",
            "Use `nn.ReLU()` with a normalisation between the layers, or connections that skip some.")  # fmt: skip


def rows_alike(values: Tensor) -> bool:
    """Are there several rows, all finite and equal to the last bit?"""
    rows = values.detach().flatten(1) if values.dim() > 1 else values.detach()
    if len(rows) < 2 or bool((rows[0] != rows[1]).any()):
        return False
    return bool(((rows == rows[:1]) & rows.isfinite()).all())
