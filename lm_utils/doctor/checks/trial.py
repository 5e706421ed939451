"""The loss as a function of one output of the model, and which outputs meet which targets in it."""

from itertools import islice

import torch
from torch import Tensor

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.checks.batch_checks import cost_with, is_torchs_own
from lm_utils.doctor.checks.formula_checks import LINEAR_STEPS, factors_in, kind_of, of_outputs
from lm_utils.doctor.output_origin import nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.sides import of_classes
from lm_utils.doctor.watching import LOSSES, PICKING, Step

CLASS_STEPS = {"softmax", "log_softmax", "cross_entropy", "nll_loss", "logsumexp"}
CORNERS = {"clamp", "clamp_min", "relu", "maximum", "max", "softplus", "logsigmoid", "exp"}  # of a margin loss
TURNING = {"exp", "sigmoid", "tanh", "softplus"}
CHOOSING = {"gather", "take_along_dim", "__getitem__", "cross_entropy", "nll_loss"}


def compared(seen: Observation, patient: Patient) -> list[tuple[Tensor, Tensor]]:
    """Pairs of a free output and a target that meet in the loss."""
    outputs, targets = seen.outputs, patient.targets
    steps, sources = seen.watcher.steps, seen.watcher.sources
    if is_advantage(seen):
        return []
    if isinstance(outputs, Tensor) and isinstance(targets, Tensor):
        if _are_weights(targets, steps):
            return []
        weighed = [s for s in steps if kind_of(s) == "mul" and all(any(t is one for one in s.tensors) for t in (
            outputs, targets))]  # fmt: skip
        if (
            weighed
            and targets.is_floating_point()
            and targets.min() < 0 < targets.max()
            and all(kind_of(s) in LINEAR_STEPS | {"mul", "div"} for s in steps if "outputs" in sources(s.args))
        ):
            return []  # what an action gained, times how likely it was
        return [(outputs, targets)] * (outputs.requires_grad and outputs.is_floating_point())
    if any(kind_of(s) == "sub" and len(s.tensors) > 1 and all(
            sources(t) == {"outputs", "targets"} for t in s.tensors[:2]) for s in steps):  # fmt: skip
        return []  # what one answer gained over a reference, less what another one did
    goals = {id(t) for t in tensors_in(targets)}
    heads = {id(t) for t in tensors_in(outputs) if t.requires_grad and t.is_floating_point()}
    squared = {id(s.tensors[0]) for s in seen.watcher.steps if s.tensors and kind_of(s) in ("pow", "abs")}
    steps = [s for s in seen.watcher.steps if s.name in LOSSES or kind_of(s) == "sub" or (
        id(s.result) in squared and s.name not in PICKING)]  # fmt: skip
    meet = [step.tensors[:2] for step in steps if len(step.tensors) > 1]
    pairs = {(id(a), id(b)): (a, b) for one in meet for a, b in (one, one[::-1]) if id(a) in heads and id(b) in goals}
    chosen = [s.tensors[0] for s in seen.watcher.steps if s.name in CHOOSING and id(s.tensors[0]) in heads and not (
        is_mask(s))]  # fmt: skip
    by_class = [(t, targets) for t in chosen if isinstance(targets, Tensor) and of_classes(t, targets)]
    found = [*pairs.values(), *by_class][:2] or _labelled(seen, outputs, targets)
    gains = factors_in(seen, targets, True) if found else []  # what lost need not be cheap
    return [pair for pair in found if all(gain is pair[1] for gain in gains)]


def is_advantage(seen: Observation) -> bool:
    """Does what an output lacks of its target, without its gradient, weigh what another one is to do?"""
    return any(kind_of(s) == "detach" and seen.watcher.sources(s.args) == {"outputs", "targets"}
               for s in seen.watcher.steps)  # fmt: skip


def _are_weights(targets: Tensor, steps: list[Step]) -> bool:
    """Do the targets do nothing but scale squares or absolute values, as the weights of samples do?"""
    sizes = {id(s.result) for s in steps if kind_of(s) in ("pow", "abs")}
    used = [s for s in steps if any(t is targets for t in s.tensors)]
    return bool(used) and all(kind_of(s) == "mul" and any(id(t) in sizes for t in s.tensors) for s in used)


def is_mask(step: Step) -> bool:
    """Does this operation choose by yes and no, not by numbers?"""
    return any(t.dtype == torch.bool for t in tensors_in(step.args[1:]))


def _labelled(seen: Observation, outputs: object, targets: object) -> list[tuple[Tensor, Tensor]]:
    """The one output and the one target that holds labels for it, beside masks, lengths and weights."""
    parts, heads = list(tensors_in(targets)), [t for t in tensors_in(outputs) if t.requires_grad]
    if any(t.is_floating_point() and bool((t < 0).any()) for t in parts) or len(heads) != 1:
        return []  # gains, say: what is likely need not be cheap
    sources = seen.watcher.sources
    near = [s for s in seen.watcher.steps if kind_of(s) == "sub" or LOSSES.get(s.name, ("",))[0] == "distance"]
    if any(sources(s.args) == {"outputs", "targets"} and any(
            t.is_floating_point() and not t.requires_grad and "targets" in sources(t) for t in s.tensors)
            for s in near):  # fmt: skip
        return []  # values of actions, which may meet what an older copy expects of the next ones
    found = [t for t in parts if not t.is_floating_point() and of_classes(heads[0].detach(), t)]
    return [(heads[0], found[0])] if len(found) == 1 else []


class Trial:
    """The loss as a function of one output of the model; the others stay as they are."""

    def __init__(self, seen: Observation, patient: Patient, outputs: Tensor) -> None:
        self.whole, self.patient, self.outputs = seen.outputs, patient, outputs
        steps, sources = self.steps, _ = seen.watcher.steps, seen.watcher.sources
        products = [s.result for s in steps if kind_of(s) == "mul" and sources(s.args) == {"outputs", "targets"}]
        nodes = {t.grad_fn for t in products}
        self.multiplied = any(kind_of(s) in CORNERS and s.tensors and nodes & set(islice(nodes_behind(
            s.tensors[0].grad_fn), 4)) for s in steps)  # fmt: skip
        self.own = not is_torchs_own(seen)
        self.turned = any(kind_of(s) in TURNING and s.tensors[0] is outputs for s in steps)
        self.cut = operation(outputs.grad_fn).startswith("Clamp")  # the model itself keeps away from the ends
        self.raw = origin_of(outputs).kind == "linear"
        by_targets = [s for s in steps if s.name in CHOOSING and sources(*s.tensors[1:]) == {"targets"}]
        self.masked = any(map(is_mask, by_targets))
        self.chosen = not all(map(is_mask, by_targets))
        self.chosen |= any(c.is_own and c.family in ("cross_entropy", "nll") for c in seen.calls)
        sums = [outputs.detach().sum(axis) for axis in range(1, outputs.dim())]
        self.shared = any(bool(((one - 1).abs() < 1e-3).all()) for one in sums)
        lengths = {"LinalgVectorNorm", "Norm"} & {operation(node) for node in seen.behind(outputs)[:24]}
        self.tied = self.shared or bool(lengths and outputs.abs().max() < 1 + 1e-4)  # cosines, say
        self.growing = self.chosen and any(bool((t > 0).any()) for _, t in of_outputs(seen, "exp"))
        kinds = {origin_of(outputs).kind, *(step.name for step in steps)}
        self.classes = self.chosen or bool(kinds & CLASS_STEPS)

    def meets(self, targets: Tensor) -> bool:
        """Do outputs and targets meet as they are, not scaled or in part?"""
        both = {id(self.outputs), *(id(t) for t in tensors_in(self.patient.targets) if t.shape == targets.shape)}
        names = [s.name for s in self.steps if len({id(t) for t in s.tensors} & both) > 1]
        values = self.outputs.detach()
        sizes = [how(dim=a) for a in range(1, values.dim()) if values.shape[a] > 1 for how in (values.norm, values.sum)]
        tied = any(float(one.std()) < 1e-4 for one in sizes)
        return not (self.classes or self.turned or tied) and any(
            LOSSES.get(n, ("distance",))[0] == "distance" for n in names
        )

    def __call__(self, values: Tensor, targets: object = None) -> tuple[float, Tensor]:
        """Return the cost of these values and its slope; NaN where the loss cannot take them."""
        return cost_with(self.patient, self.whole, self.outputs, values, targets)
