"""Run a model and its loss once, on copies, so that nothing of the user's changes."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import cloned, copies_of, filled, first_tensor, taken_out, tensors_in, unwrapped
from lm_utils.doctor.output_origin import nodes_behind
from lm_utils.doctor.watching import LossCall, Watcher

LOSS_KEYS = ("loss", "total_loss", "loss_total", "total")


@dataclass
class Observation:
    """What one forward pass gave: the outputs, the torch losses reached, the loss, or what went wrong."""

    outputs: object = None  # those that are looked at
    whole: object = None  # all that the model returned
    calls: list[LossCall] = field(default_factory=list)
    loss: object = None
    failure: BaseException | None = None
    failed_in: str = ""
    inside_model: bool = False  # the calls were made by the model itself
    watcher: Watcher = field(default_factory=Watcher)
    walked: dict = field(default_factory=dict)
    slopes: dict = field(default_factory=dict)  # of the loss, at tensors that are kept with them

    @property
    def graph(self) -> list[object]:
        """The nodes behind the loss, those nearest to it first."""
        return self.behind(self.loss)

    def behind(self, value: object) -> list[object]:
        """Return the nodes behind a tensor, those nearest to it first; each way is walked once."""
        node = getattr(value, "grad_fn", None)
        if node not in self.walked:
            self.walked[node] = list(nodes_behind(node))
        return self.walked[node]

    def slope_at(self, tensor: Tensor) -> Tensor | None:
        """Return the loss's gradient at a tensor on its way, None where none arrives."""
        if not isinstance(self.loss, Tensor) or not self.loss.requires_grad or not tensor.requires_grad:
            return None
        if id(tensor) not in self.slopes:
            found = torch.autograd.grad(self.loss.sum(), tensor, allow_unused=True, retain_graph=True)[0]
            self.slopes[id(tensor)] = tensor, found
        return self.slopes[id(tensor)][1]

    def read(self, call: LossCall) -> LossCall:
        """Put outputs first in a distance, and any target where a mask takes a place out: it may be a mark there."""
        if call.family == "distance" and call.target.requires_grad and not call.input.requires_grad:
            call = replace(call, input=call.target, target=call.input)
        found, goal = call.result, call.target
        slope = self.slope_at(found) if isinstance(found, Tensor) and found.shape == getattr(goal, "shape", 0) else None
        if slope is not None and bool(slope.any()) and bool(torch.isfinite(goal).all()):
            call = replace(call, target=goal.masked_fill(slope == 0, goal[slope != 0][0].item()))
        return call


class Patient:
    """A model, its loss and a batch, as copies that may be handled without harm."""

    def __init__(self, model: Callable, loss_fn: Callable, inputs: object, targets: object) -> None:
        self.model, self.loss_fn, self.note = copies_of(unwrapped(model), loss_fn)
        self.inputs = cloned(inputs)
        self.targets = cloned(targets)
        self.taken: Callable[[object], object] = lambda whole: whole  # the outputs that are looked at
        self.narrowed = False  # the loss is then handed all that the model returned, too
        self.own: list = []  # what a formula of one's own amounts to

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The model's parameters by name (none for a plain function)."""
        return dict(self.model.named_parameters()) if isinstance(self.model, nn.Module) else {}

    @property
    def batch_size(self) -> int | None:
        """The length of the inputs' first axis."""
        first = first_tensor(self.inputs)
        return first.shape[0] if first is not None and first.dim() else None

    def observe(self, inputs: object = None, parameters: dict[str, Tensor] | None = None) -> Observation:
        """Run model and loss once, with other inputs or parameters if given."""
        seen = Observation()
        watcher = seen.watcher
        try:
            with watcher:
                seen.failed_in = "model"
                seen.whole = self._forward(self.inputs if inputs is None else inputs, parameters)
                seen.outputs = self.taken(seen.whole)
                inside = list(watcher.calls)
                watcher.calls.clear()
                watcher.mark(seen.outputs, "outputs")
                watcher.mark([t for t in tensors_in(seen.whole) if not watcher.sources(t)], "other outputs")
                watcher.mark(self.targets, "targets")
                seen.failed_in, watcher.in_loss = "loss", True
                seen.loss = loss_in(self.loss_fn(seen.outputs, self.targets, *[seen.whole] * self.narrowed))
                seen.failed_in = ""
        except (Exception, SystemExit) as error:  # whatever a stranger's code raises is a finding, not our crash
            seen.failure = error
        seen.calls = watcher.calls
        if seen.failure is None and not seen.calls and isinstance(seen.loss, Tensor):
            seen.calls = _part_of(seen.loss, inside)
            used = [seen.loss, *(t for step in watcher.steps for t in step.tensors)]
            alone = all(t.dim() == 0 for t in tensors_in(seen.whole) if any(t is one for one in used))
            seen.inside_model = bool(seen.calls) or (alone and any(t is seen.loss for t in tensors_in(seen.whole)))
        if seen.failure is None and self.own:
            seen.calls = [*seen.calls, *(call for one in self.own if (call := one.call(seen, self)) is not None)]
        return seen

    def narrow(self, seen: Observation, heads: list[Tensor], goals: list[Tensor]) -> None:
        """Look at these outputs and targets only, at one as a plain tensor; the loss gets the others as they are."""
        loss_fn, narrowed, taken, targets, first = self.loss_fn, self.narrowed, self.taken, self.targets, seen.whole
        places = [_places(heads, seen.outputs), _places(goals, targets)]

        def narrow(outputs: object, goal: object, whole: object = first) -> object:
            parts = filled(taken(whole), places[0], outputs), filled(targets, places[1], goal)
            return loss_fn(*parts, *[whole] * narrowed)

        self.loss_fn, self.narrowed, self.targets = narrow, True, taken_out(targets, places[1])
        self.taken = lambda whole: taken_out(taken(whole), places[0])

    def outputs_of(self, inputs: object, parameters: dict[str, Tensor] | None = None) -> object:
        """Run the model alone on other inputs; one that computes slopes itself needs gradients for it."""
        try:
            return self.taken(self._forward(inputs, parameters))
        except RuntimeError:
            with torch.enable_grad():
                return self.taken(self._forward(inputs, parameters))

    @contextmanager
    def predicting(self) -> Iterator[None]:
        """Put a module in evaluation mode, each of its parts back again, and compute no gradients."""
        parts = list(self.model.modules()) if isinstance(self.model, nn.Module) else []
        was = [part.training for part in parts]
        try:
            with torch.no_grad():
                for part in parts[:1]:
                    part.eval()
                yield
        finally:
            for part, training in zip(parts, was, strict=True):
                part.training = training

    def _forward(self, inputs: object, parameters: dict[str, Tensor] | None) -> object:
        args, kwargs = as_arguments(self.model, inputs)
        if parameters is None:
            return self.model(*args, **kwargs)
        return torch.func.functional_call(self.model, parameters, args, kwargs)


def _places(kept: list[Tensor], value: object) -> list[int]:
    """Return where these tensors stand in a nest; nothing where they are several and all that it holds."""
    places = [place for place, tensor in enumerate(tensors_in(value)) if any(tensor is one for one in kept)]
    return places if len(places) == 1 or len(places) < len(list(tensors_in(value))) else []


def _part_of(loss: Tensor, calls: list[LossCall]) -> list[LossCall]:
    """The calls made inside the model of which this loss was computed."""
    nodes = set(nodes_behind(loss.grad_fn)) if calls else set()
    return [c for c in calls if isinstance(c.result, Tensor) and (c.result is loss or c.result.grad_fn in nodes)]


def loss_in(found: object) -> object:
    """Return the loss itself where a loss function returns it among other things, or its terms by their names."""
    own = found._asdict() if hasattr(found, "_fields") else getattr(found, "__dict__", {})
    named = found if isinstance(found, Mapping) else own
    loss = next((named[key] for key in LOSS_KEYS if isinstance(named.get(key), Tensor)), None)
    if loss is None and isinstance(found, (tuple, list)) and found and isinstance(found[0], Tensor):
        return found[0] if found[0].numel() == 1 else found
    if loss is None and isinstance(found, Mapping):
        terms = [t for t in tensors_in(found) if t.requires_grad]  # the others are there to be shown
        return sum(terms[1:], terms[0]) if terms and all(t.numel() == 1 for t in terms) else found
    return found if loss is None else loss


def as_arguments(model: Callable, inputs: object) -> tuple[tuple, dict]:
    """Read inputs as a model's arguments: a tuple as several, a mapping as named ones where the names fit."""
    if isinstance(inputs, tuple) and not hasattr(inputs, "_fields"):
        return inputs, {}
    if isinstance(inputs, Mapping) and _names_fit(model, inputs):
        return (), dict(inputs)
    return (inputs,), {}


def _names_fit(model: Callable, inputs: Mapping) -> bool:
    try:
        inspect.signature(getattr(model, "forward", model)).bind(**inputs)
    except TypeError:
        return False
    except ValueError:
        return True  # no readable signature: the usual reading
    return True
