"""One loss call under examination, with the questions that several checks ask about it."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import torch
from torch import Tensor

from lm_utils.doctor.belongings import changed, first_tensor
from lm_utils.doctor.output_origin import Origin, node_behind, nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Patient
from lm_utils.doctor.watching import LossCall

SILENT = {"other", "no_graph"}
"""Origins that say nothing about the range: then the values are asked."""
HALF_KNOWN = {"exp", "abs", "sine", "cosine", "erf", "elu", "gelu", "silu", "softplus"}
"""Origins whose range may or may not be cut to [0, 1] by what stands before them."""

FEWEST = 8  # numbers below which their signs say little
NEAR = 24  # nodes of the graph in which a norm is looked for


@dataclass
class Case:
    """A loss call together with the patient it came from."""

    patient: Patient
    call: LossCall
    number: int  # which loss call of the pass it is
    in_loss: bool = False  # the operation that made the outputs belongs to the loss function

    @property
    def outputs(self) -> Tensor:
        """What the loss received from the model."""
        return self.call.input

    @property
    def targets(self) -> Tensor:
        """What the loss compares it with."""
        return self.call.target

    @cached_property
    def values(self) -> Tensor:
        """The outputs without their graph, in float32 or better."""
        return _wide(self.outputs.detach())

    @cached_property
    def target_values(self) -> Tensor:
        """The targets in float32 or better."""
        return _wide(self.targets.detach())

    @property
    def tolerance(self) -> float:
        """How far rounding may push a value or a sum of probabilities."""
        return 1e-4 if self.outputs.dtype in (torch.float32, torch.float64) else 3e-2

    @property
    def class_axis(self) -> int:
        """The axis that CrossEntropyLoss and NLLLoss take the classes from."""
        return 1 if self.outputs.dim() > 1 else 0

    @property
    def classes(self) -> int:
        """How many outputs stand side by side for one prediction."""
        shape = self.outputs.shape
        return shape[self.class_axis] if len(shape) else 1

    @property
    def strict_axis(self) -> bool:
        """Does the loss itself fix the class axis?"""
        return self.call.family in ("cross_entropy", "nll")

    @property
    def one_per_target(self) -> bool:
        """Are the targets as many numbers as the outputs?"""
        return self.targets.shape == self.outputs.shape

    @cached_property
    def origin(self) -> Origin:
        """The operation that made the outputs."""
        return origin_of(self.outputs)

    @cached_property
    def emits(self) -> str:
        """What the outputs are, in one word: the origin's, or from pushing the model where that is silent."""
        kind = self.origin.kind
        if kind in ("softmax", "log_softmax", "log_of_softmax"):
            return self._softmax_kind(kind)
        if kind in SILENT or (kind in HALF_KNOWN and self.call.family == "bce") or self._may_be_bounded(kind):
            return self._by_value()
        return "logits" if kind in ("linear", "leaf") else kind  # a leaf is a weight itself

    def _may_be_bounded(self, kind: str) -> bool:
        """Is this a product of what is never negative, or of what was divided by its norm, say?"""
        if kind != "linear" or self.values.numel() < FEWEST:
            return False
        near = {operation(node) for node in islice(nodes_behind(self.outputs.grad_fn), NEAR)}
        small = self.values.abs().max() <= 1 + self.tolerance
        return bool(self.values.min() >= 0 or (small and near & {"LinalgVectorNorm", "Norm"}))

    def _softmax_kind(self, kind: str) -> str:
        origin = self.origin
        if origin.size == 1:
            return "softmax_over_one"
        shares = self.values if kind == "softmax" else self.values.exp()
        if self.sums_to_one(shares):
            return kind
        if origin.sliced:
            return "probability" if kind == "softmax" else "log_probability"
        return kind if kind != "softmax" else "probability"

    def sums_to_one(self, shares: Tensor) -> bool:
        """Do these numbers sum to one over an axis that may hold the classes?"""
        return self.unit_axis(shares) is not None

    def unit_axis(self, shares: Tensor) -> int | None:
        """The axis over which these numbers sum to one, if it may hold the classes."""
        for axis in self._possible_class_axes(shares):
            sums = shares.sum(axis)
            if shares.shape[axis] > 1 and bool(((sums - 1).abs() <= 10 * self.tolerance).all()):
                return axis
        return None

    def _possible_class_axes(self, shares: Tensor) -> list[int]:
        if self.strict_axis:
            return [self.class_axis]
        if shares.dim() < 2:
            return [] if shares.shape[:1] in ((), (self.patient.batch_size,)) else [0]
        return [shares.dim() - 1, *range(1, shares.dim() - 1)]

    def in_unit_range(self, values: Tensor) -> bool:
        """Do these values lie between 0 and 1, up to rounding?"""
        return bool(((values >= -self.tolerance) & (values <= 1 + self.tolerance)).all())

    def _by_value(self) -> str:
        """Tell probabilities from logits by what happens when inputs and weights are pushed."""
        values = self.values
        if not torch.isfinite(values).all() or values.numel() == 0:
            return "unknown"
        if self.call.family in ("nll", "kl_div", "cross_entropy") and self.sums_to_one(values.exp()):
            return "log_softmax"
        every = [values, *self.pushed]
        if any(map(self._is_free, every)) or self._adds_both_signs():
            return "logits"
        if len(every) == 1:
            return "unknown" if values.abs().max() <= 1 + self.tolerance else "logits"
        if all(self.in_unit_range(one) for one in every):
            return "softmax" if all(self.sums_to_one(one) for one in every) else "unit_range"
        within = all(one.abs().max() <= 1 + self.tolerance for one in every)
        return "within_one" if within else "non_negative" if self.call.family == "bce_logits" else "logits"

    def _adds_both_signs(self) -> bool:
        """Are these sums of products that are not all of one sign, as the product of two embeddings is?"""
        if self.origin.kind in HALF_KNOWN:
            return False  # the products stand before an exponential, say
        nodes = list(islice(nodes_behind(self.outputs.grad_fn), NEAR))
        pairs = [(node._saved_self, node._saved_other) for node in nodes if node.name() == "MulBackward0"]
        last = node_behind(self.outputs) if self.values.min() >= 0 else None  # those of both signs may be cosines
        rows, columns = (last._saved_self, last._saved_mat2) if operation(last) in ("Mm", "Bmm") else (None, None)
        if rows is not None and columns is not None:  # the ends of what is multiplied and then added
            pairs += [(rows.amax(-2), columns.amin(-1)), (rows.amin(-2), columns.amax(-1))]
        products = [a * b for a, b in pairs if a is not None and b is not None]
        products += [node._saved_result for node in nodes if operation(node) == "Prod"]
        return any(bool((product < 0).any()) for product in products)

    def _is_free(self, values: Tensor) -> bool:
        return bool(values.abs().max() > 1 + self.tolerance) and bool(values.min() < -self.tolerance)

    @cached_property
    def pushed(self) -> list[Tensor]:
        """The outputs when inputs or weights are made large, up to the first that are free."""
        found: list[Tensor] = []
        for values in map(self._output_under, self._pushes() if not self._is_free(self.values) else ()):
            if values is not None:
                found.append(values)
                if self._is_free(values):
                    break
        return found

    def _pushes(self) -> list[dict]:
        """Ways to drive the outputs far out: larger inputs, larger last weights."""
        inputs, parameters = self.patient.inputs, self.patient.parameters
        pushes = [{"inputs": scaled(inputs, factor)} for factor in (30.0, -30.0)] if _floats(inputs) else []
        last = self._last_parameters()
        for factor in (30.0, -30.0, 1e4, -1e4):
            changed = {name: parameters[name] * factor + factor / 10 for name in last}
            pushes += [{"parameters": parameters | changed}] if changed else []
        biases = {name: parameters[name] - 1e4 for name in last if parameters[name].dim() == 1}
        return [*pushes, {"parameters": parameters | biases}] if biases else pushes  # the largest of many can be no

    def _last_parameters(self) -> list[str]:
        """The few parameters nearest to the outputs, by the graph and by the order of the model: a graph may be cut."""
        names = {id(parameter): name for name, parameter in self.patient.parameters.items()}
        nodes = nodes_behind(self.outputs.grad_fn)
        found = [names.get(id(node.variable)) for node in nodes if hasattr(node, "variable")]
        return list(dict.fromkeys([*[name for name in found if name][:4], *list(names.values())[-2:]]))

    def _output_under(self, push: dict) -> Tensor | None:
        with torch.no_grad():
            calls = self.patient.observe(**push).calls
        if len(calls) <= self.number or not isinstance(calls[self.number].input, Tensor):
            return None
        values = _wide(calls[self.number].input.detach())
        return None if torch.isnan(values).any() else values  # infinite is an answer: nothing holds them


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _floats(value: object) -> bool:
    first = first_tensor(value)
    return first is not None and first.is_floating_point()


def scaled(value: object, factor: float) -> object:
    """Return the same structure with every floating tensor multiplied."""
    return changed(value, lambda tensor: tensor * factor if tensor.is_floating_point() else tensor)
