"""Trials: other outputs are handed to the loss, or other samples to the model, and the answer is compared."""

from collections.abc import Iterator
from itertools import islice
from math import inf, isfinite, nan

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.formula_checks import kind_of
from lm_utils.doctor.output_origin import nodes_behind, operation, origin_of
from lm_utils.doctor.patient import Observation, Patient, loss_in
from lm_utils.doctor.report import Finding
from lm_utils.doctor.watching import LOSSES

SURE = 8.0  # a logit that means yes
SUREST = 30.0  # a logit of an overconfident network
BETWEEN = 0.05  # of the difference by which undecided outputs must lie between the two
NEARLY = 0.02  # how far a sure probability stays from 0 and 1
CLASS_STEPS = {"softmax", "log_softmax", "cross_entropy", "nll_loss", "logsumexp"}
CORNERS = {"clamp", "clamp_min", "relu", "maximum", "max", "softplus", "logsigmoid", "exp"}  # of a margin loss
CHOOSING = {"gather", "take_along_dim", "__getitem__"}
ALL_AT_ONCE = (nn.RNNBase, nn.MultiheadAttention)


def check_rewards(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Hand the loss outputs that agree with the targets and others that do not, and compare what they cost."""
    if not isinstance(seen.loss, Tensor) or seen.loss.numel() != 1:
        return
    if patient.targets is None or _is_count(patient.targets):
        yield from _of_views(seen, patient)
    for outputs, targets in _compared(seen, patient):
        sides = _agreeing_and_contradicting(outputs.detach(), targets.detach())
        if sides is not None and outputs.requires_grad and outputs.is_floating_point():
            yield from _sides(_Trial(seen, patient, outputs), targets, *sides)


def _compared(seen: Observation, patient: Patient) -> list[tuple[Tensor, Tensor]]:
    """Pairs of an output and a target that meet in the loss."""
    outputs, targets = patient.chosen(seen.outputs), patient.targets
    if isinstance(outputs, Tensor) and isinstance(targets, Tensor):
        return [(outputs, targets)]
    goals = {id(t) for t in tensors_in(targets)}
    heads = {id(t) for t in tensors_in(outputs)}
    steps = [s for s in seen.watcher.steps if s.name in LOSSES or kind_of(s) == "sub"]
    meet = [step.tensors[:2] for step in steps if len(step.tensors) > 1]
    pairs = {(id(a), id(b)): (a, b) for one in meet for a, b in (one, one[::-1]) if id(a) in heads and id(b) in goals}
    return list(pairs.values())[:2]


class _Trial:
    """The loss as a function of one output of the model; the others stay as they are."""

    def __init__(self, seen: Observation, patient: Patient, outputs: Tensor) -> None:
        self.whole, self.patient, self.outputs = patient.chosen(seen.outputs), patient, outputs
        steps, sources = seen.watcher.steps, seen.watcher.sources
        products = [s.result for s in steps if kind_of(s) == "mul" and sources(s.args) == {"outputs", "targets"}]
        nodes = {t.grad_fn for t in products}
        self.multiplied = any(kind_of(s) in CORNERS and s.tensors and nodes & set(islice(nodes_behind(
            s.tensors[0].grad_fn), 4)) for s in steps)  # fmt: skip
        self.raw = origin_of(outputs).kind == "linear"
        self.chosen = any(step.name in CHOOSING and sources(*step.args[1:]) == {"targets"} for step in steps)
        self.classes = (
            self.chosen or origin_of(outputs).kind in CLASS_STEPS or any(step.name in CLASS_STEPS for step in steps)
        )

    def __call__(self, values: Tensor) -> tuple[float, Tensor]:
        """Return the cost of these values and its slope; NaN where the loss cannot take them."""
        values = values.detach().clone().requires_grad_()
        whole = changed(self.whole, lambda t: values if t is self.outputs else t.detach())
        with torch.random.fork_rng([]), torch.enable_grad():
            torch.manual_seed(0)
            try:
                loss = loss_in(self.patient.loss_fn(whole, self.patient.targets))
                return loss.item(), torch.autograd.grad(loss, values)[0]
            except (RuntimeError, AttributeError, TypeError, ValueError, KeyError, IndexError):
                return nan, torch.zeros_like(values)


def _sides(trial: _Trial, targets: Tensor, good: Tensor, bad: Tensor) -> Iterator[Finding]:
    whole = not targets.is_floating_point() and targets.dtype != torch.bool and targets.dim() < good.dim()
    truth = targets.reshape(good.shape) if targets.numel() == good.numel() else None
    binary = truth is not None and bool(((truth == 0) | (truth == 1)).all())
    (right, _), (wrong, at_wrong), (between, at_none) = trial(good), trial(bad), trial(_undecided(good, bad))
    if not all(map(isfinite, (right, wrong, between))):
        if (whole or binary) and inf in (abs(right), abs(wrong)):
            yield from _unstable("clearly right or clearly wrong")
        return
    free = bool((good.abs() > 1).any())  # logits, not probabilities
    if whole and not trial.classes:
        return  # outputs that are no class scores: embeddings, say
    if ((whole and trial.chosen) or binary) and free:
        more, most = trial(10 * good)[0], trial(100 * good)[0]
        if most < 5 * more < 0:
            yield Finding("unnormalised_likelihood" if whole else "unbounded_loss", "warning",
                f"The loss falls without end: outputs ten times as large take it from {more:.3g} to {most:.3g}.",
                "The optimiser only makes the outputs larger, and nothing is ever learnt well enough.",
                "Use a loss with a lower bound: `nn.CrossEntropyLoss()` or `nn.BCEWithLogitsLoss()`.")  # fmt: skip
            return
    margin = BETWEEN * abs(right - wrong) + 1e-6
    if wrong + margin < between < right - margin:
        yield Finding("better_outputs_cost_more", "warning",
            f"Outputs that agree with the targets cost {right:.4g}, outputs that contradict them cost {wrong:.4g}.",
            "The optimiser makes the loss small, so it drives the model away from the targets.",
            "Turn the sign of the loss, `loss = -score` or `loss = 1 - score`, or swap its two arguments.")  # fmt: skip
        return
    if not whole and not binary and trial.raw and bool((good.abs() != 1).any()):
        for side in (1, -1):
            more, most = (trial(good + side * far * good.std())[0] for far in (100, 1000))
            if most < 5 * more < 5 * min(right, -1e-3):
                yield Finding("wrong_formula", "warning",
                    f"Outputs far from the targets cost less than the targets: {more:.3g}, then {most:.3g}.",
                    "The loss falls without end, so the outputs run away.",
                    "Give every branch its sign: `torch.maximum(q * (y - out), (q - 1) * (y - out))`.")  # fmt: skip
                return
    if (trial.chosen or binary) and max(right, wrong) < between - margin - 0.01 * abs(between):
        yield Finding("wrong_formula", "warning",
            f"Outputs that contradict the targets cost {wrong:.4g}, outputs that take no side cost {between:.4g}.",
            "Whoever is surely wrong is rewarded for it: the loss falls in both directions.",
            "Weigh what is hard, `(1 - p) ** gamma * -log(p)`, where p is the probability of the truth.")  # fmt: skip
    if (whole or binary) and _is_symmetric(trial, good, bad):
        yield Finding("wrong_formula", "warning",
            "The loss is the same when the right answers are handed to other samples.",
            "Every sample meets the targets of all samples, so the model can only learn how frequent they are.",
            "Take each sample's own: `log_p[torch.arange(len(y)), y]` or `log_p.gather(1, y[:, None])`.")  # fmt: skip
    for label in (0, 1) if binary else ():
        here = truth == label
        if bool(here.any()) and not bool(at_wrong[here].any() or at_none[here].any()) and bool(at_none[~here].any()):
            signs = label == 0 and trial.multiplied
            yield Finding("labels_zero_one" if signs else "wrong_formula", "warning",
                f"Where the target is {label} the loss has no gradient, however wrong the output is.",
                f"Only targets of {1 - label} teach, so the model learns to say {1 - label} to everything.",
                "Give the loss labels of -1 and +1: `2 * y - 1`." if signs else
                "Add the other half: `-(y * log(p) + (1 - y) * log(1 - p))`.")  # fmt: skip
    sure = bad * (SUREST / SURE) if free else torch.sigmoid(SUREST * (2 * bad - 1).sign()) if binary else bad
    cost, slope = trial(sure)
    if not (isfinite(cost) and bool(torch.isfinite(slope).all())):
        yield from _unstable(f"sure and wrong, at a logit of {SUREST:g}")


def _unstable(where: str) -> Iterator[Finding]:
    yield Finding("unstable_formula", "warning",
        f"The loss or its gradient is not finite where the model is {where}.",
        "float32 rounds a sure probability to 0 or 1, and its logarithm is infinite: one sample ruins all weights.",
        "Use the stable form: `F.binary_cross_entropy_with_logits`, `F.cross_entropy`, `F.logsigmoid`.")  # fmt: skip


def _is_symmetric(trial: _Trial, good: Tensor, bad: Tensor) -> bool:
    """Is the loss the same when outputs of every kind are handed round among the samples?"""
    if bool((good == good[:1]).all()):
        return False  # one target for all
    mixture = torch.rand(len(good), *[1] * (good.dim() - 1), generator=torch.Generator().manual_seed(0)).to(good)
    values = mixture * good + (1 - mixture) * bad
    here, elsewhere = trial(values)[1], trial(values.roll(1, 0))[1].roll(-1, 0)
    return bool(here.any()) and torch.allclose(here, elsewhere, rtol=1e-4, atol=1e-6 * float(here.abs().max()))


def _is_count(targets: object) -> bool:
    """Does every sample have its own number, as the pairs of a contrastive loss?"""
    return isinstance(targets, Tensor) and targets.dim() == 1 and targets.tolist() == list(range(len(targets)))


def _of_views(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Two views of a sample must cost less than views of two samples; so must a triplet the right way round."""
    outputs = seen.outputs
    packed = isinstance(outputs, Tensor) and outputs.dim() == 3 and patient.targets is None
    views = outputs.unbind(1) if packed else tuple(tensors_in(outputs)) if not isinstance(outputs, Tensor) else ()
    views = views if len(views) in (2, 3) else ()
    first = views[0] if views and all(isinstance(t, Tensor) and t.dim() == 2 for t in views) else None
    if first is None or any(t.shape != first.shape for t in views) or min(first.shape) < 2:
        return
    one = first.detach() + torch.randn_like(first) * first.detach().std()
    other, rest = one.roll(1, 0), len(views) == 3
    costs = []
    for answer in ([one, one, *[other] * rest], [one, other, *[one] * rest]):
        with torch.no_grad(), torch.random.fork_rng([]):
            torch.manual_seed(0)
            given = iter(answer)
            whole = torch.stack(answer, 1) if packed else changed(outputs, lambda _: next(given))  # noqa: B023
            costs.append(loss_in(patient.loss_fn(whole, patient.targets)).item())
    if costs[1] < costs[0] - BETWEEN * abs(costs[0]) - 1e-6:
        yield Finding("better_outputs_cost_more", "warning",
            f"Equal views of a sample cost {costs[0]:.4g}, views of two different samples cost {costs[1]:.4g}.",
            "The optimiser makes the loss small, so it drives apart what belongs together.",
            "Turn the sign, `loss = 1 - similarity`, or put the positive before the negative.")  # fmt: skip


def _undecided(good: Tensor, bad: Tensor) -> Tensor:
    """Outputs that take no side: a loss that only compares other places than these outputs finds them cheapest."""
    return ((good + bad) / 2).mean(0, keepdim=True).expand_as(good).contiguous()


def _agreeing_and_contradicting(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
    if targets.dim() and not targets.is_floating_point() and targets.dtype != torch.bool:
        return _of_classes(outputs, targets)
    if targets.numel() != outputs.numel() or targets.numel() < 2:
        return None
    truth = targets.reshape(outputs.shape).to(outputs.dtype)
    if bool(((truth == 0) | (truth == 1)).all()):
        if bool((truth == truth.flatten()[0]).all()):
            return None  # nothing to contradict
        if bool(((outputs >= 0) & (outputs <= 1)).all()):
            return truth.clamp(NEARLY, 1 - NEARLY), (1 - truth).clamp(NEARLY, 1 - NEARLY)
        return SURE * (2 * truth - 1), SURE * (1 - 2 * truth)
    ranks = truth.argsort(0).argsort(0)
    other = truth.sort(0, descending=True).values.gather(0, ranks)  # the largest target for the smallest, and so on
    return (truth, other) if bool(torch.isfinite(truth).all()) and not torch.equal(truth, other) else None


def _of_classes(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
    if outputs.dim() != targets.dim() + 1 or targets.shape[0] != outputs.shape[0]:
        return None
    axis = 1 if targets.shape == outputs.shape[:1] + outputs.shape[2:] else -1
    classes = outputs.shape[axis]
    if classes < 2 or outputs.movedim(axis, -1).shape[:-1] != targets.shape or not _all_classes(targets, classes):
        return None
    away = torch.randint(1, classes, targets.shape, generator=torch.Generator().manual_seed(0)).to(targets)
    hot = [F.one_hot(t, classes).movedim(-1, axis).to(outputs.dtype) for t in (targets, (targets + away) % classes)]
    if bool((outputs <= 0).all()):  # log-probabilities
        return tuple(torch.log_softmax(SURE * one, axis) for one in hot)
    shares = bool((outputs >= 0).all()) and bool((outputs.sum(axis) - 1).abs().max() < 1e-2)
    return tuple(torch.softmax(SURE * one, axis) if shares else SURE * one for one in hot)


def _all_classes(targets: Tensor, classes: int) -> bool:
    return targets.numel() > 0 and bool(((targets >= 0) & (targets < classes)).all())


def check_samples_mixed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does a sample's output depend on the other samples, because a layer takes the batch for time?"""
    inputs, outputs = patient.inputs, next(tensors_in(seen.outputs), None)
    if not isinstance(inputs, Tensor) or inputs.dim() < 2 or outputs is None:
        return
    samples = inputs.shape[0]
    suspects, over_batch = _time_first_layers(patient.model), _softmax_over_batch(outputs, samples)
    if samples < 4 or outputs.dim() < 1 or outputs.shape[0] != samples or not isinstance(patient.model, nn.Module):
        return
    labelled = next((t for t in tensors_in(patient.targets) if t.dim()), None)
    if outputs.shape[1:2] == (samples,) or (labelled is not None and labelled.shape[0] != samples):
        return
    if (outputs.dim() > 2 and inputs.dim() < 4) or _mixes_on_purpose(patient.model, outputs):
        return  # time may come first on purpose
    other = torch.cat([inputs[:1].expand(samples - 1, *inputs.shape[1:]), inputs[-1:]])
    was = patient.model.training
    patient.model.eval()
    try:
        with torch.no_grad():
            found = []
            for x in (inputs, other):
                torch.manual_seed(0)
                found.append(next(tensors_in(patient.outputs_of(x)), None))
            before, after = found
    finally:
        patient.model.train(was)
    if before is None or after is None or torch.allclose(before[-1], after[-1], rtol=1e-4, atol=1e-5):
        return
    if suspects:
        name, layer = suspects[0]
        yield Finding("samples_mixed", "error",
            f"The output of one sample depends on the other samples: {type(layer).__name__} `{name}` has "
            "batch_first=False and takes the first axis, the samples, for time.",
            "Every sample then sees those before it in the batch, and its own steps are treated as separate samples.",
            f"Say that the batch comes first: `{type(layer).__name__}(..., batch_first=True)`.")  # fmt: skip
    elif not over_batch:
        yield Finding("samples_mixed", "warning",
            "The output of one sample depends on the other samples of the batch.",
            "A view, reshape or transpose has taken the axis of the samples apart, or something averages over it.",
            "Keep the samples first: `x.flatten(1)`, `x.transpose(1, 2)`; the last state is `h[-1]`.")  # fmt: skip
    else:
        yield Finding("softmax_wrong_axis", "error",
            "A softmax inside the model runs over the batch, and the output of one sample depends on the others.",
            "The weights of one sample should share the whole among its own steps or classes.",
            "Name the axis: `dim=1` for the steps of [N, L, ...], `dim=-1` for classes.")  # fmt: skip


def _softmax_over_batch(outputs: Tensor, samples: int) -> bool:
    """Does a softmax behind these outputs share out the whole among the samples?"""
    for node in nodes_behind(outputs.grad_fn):
        result = getattr(node, "_saved_result", None) if operation(node) == "Softmax" else None
        if result is not None and node._saved_dim == 0 and result.dim() > 1 and result.shape[0] == samples:
            return True
    return False


def _mixes_on_purpose(model: nn.Module, outputs: Tensor) -> bool:
    """Does a norm without running statistics, or a given table of the samples' neighbours, belong to the model?"""
    norms = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    left = [getattr(node, "_saved_self", None) for node in nodes_behind(outputs.grad_fn) if operation(node) == "Mm"]
    tables = [t for t in left if isinstance(t, Tensor) and t.shape == (len(outputs),) * 2 and not t.requires_grad]
    return bool(tables) or any(norm.running_mean is None for norm in norms)


def _time_first_layers(model: object) -> list[tuple[str, nn.Module]]:
    if not isinstance(model, nn.Module):
        return []
    return [(name, part) for name, part in model.named_modules()
            if isinstance(part, ALL_AT_ONCE) and not getattr(part, "batch_first", True)]  # fmt: skip
