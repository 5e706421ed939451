"""Values that are taught by a goal: what is given now, and a share of what follows, as far as nothing ends."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from lm_utils.doctor.batch_checks import cost_with
from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

STEP = 0.05  # by which numbers are moved
MOST, FEW = 0.8, 0.25  # share of the samples that must agree; of the steps that go on, where hardly all others end
ENDS = {"done", "dones", "terminal", "terminals", "terminated"}


def check_goals(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Move rewards, ends and what networks say of the next step, and see how the goals of the values follow."""
    parts = [t for t in tensors_in(patient.targets) if t.dim()]
    for head in tensors_in(patient.chosen(seen.outputs)) if len(parts) > 1 else ():
        if head.requires_grad and head.dim() and head.is_floating_point() and len(head) == len(parts[0]) > 3:
            what = next(_Goals(patient, patient.chosen(seen.outputs), head, parts).wrong(), None)
            if what is not None:
                yield said("wrong_formula: goal", what)


@dataclass(eq=False)
class _Mover:
    """Something that goals follow: how far each of them does, in steps."""

    thing: object
    by: Tensor
    numbers: Tensor

    @property
    def on(self) -> Tensor:
        """The goals that follow it."""
        return self.by != 0

    @property
    def level(self) -> float:
        """How far those do that follow."""
        return float(self.by[self.on].median()) if bool(self.on.any()) else 0.0

    @property
    def steady(self) -> bool:
        """Do all those follow it alike?"""
        return bool(self.on.any()) and float(((self.by - self.level).abs() < 0.02)[self.on].float().mean()) > MOST

    def counted(self, marks: Tensor) -> bool | None:
        """Does it count just where the marks are 1, or just where they are 0?"""
        shares = [float((self.on == (marks == mark)).float().mean()) for mark in (0, 1)]
        return None if max(shares) < 0.95 else shares[1] > shares[0]


@contextmanager
def _other_words(say: Callable[[int, Tensor], Tensor], depth: int) -> Iterator[None]:
    """Let networks with weights that the loss itself calls say something else, by the number of the call."""
    state = {"depth": depth, "calls": 0}

    def enter(*_: object) -> None:
        state["depth"] += 1

    def leave(module: nn.Module, _: object, result: object) -> object:
        state["depth"] -= 1
        if state["depth"] or not isinstance(result, Tensor) or next(module.parameters(), None) is None:
            return result
        state["calls"] += 1
        return say(state["calls"] - 1, result)

    handles = [register_module_forward_pre_hook(enter), register_module_forward_hook(leave)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Goals:
    """The goals of one head, found by the slopes of a loss that grows with the distance from them."""

    def __init__(self, patient: Patient, whole: object, head: Tensor, parts: list[Tensor]) -> None:
        self.patient, self.whole, self.head, self.parts = patient, whole, head, parts
        self.values, self.calls = head.detach(), []
        for size in (1.0, 1.0, 0.5, 0.5, 0.0):  # towards the goals, where the loss grows evenly, as Huber's far off
            self.at = [self.slopes(by=by) for by in (0.0, STEP)]
            curve, farther = ((self.slopes(by=by) - self.at[0]) / by for by in (STEP, 5 * STEP))
            self.used = (curve != 0) & ((farther - curve).abs() < 1e-3 * curve.abs())  # a likelihood is no square
            if int(self.used.sum()) > 0.9 * int((self.at[0] != 0).sum()):
                break
            self.values = self.values - size * self.at[0].sign() * (curve == 0)
        square = int(self.used.sum()) > 0.5 * int((curve != 0).sum())
        self.curve, self.rows = curve[self.used], self.used.nonzero()[:, 0]
        per_row = self.used.reshape(len(head), -1).sum(1)
        self.chosen = head.numel() > len(head) and int(per_row.max()) == 1  # one action's value each
        self.even = torch.arange(len(head), device=head.device).view(-1, *[1] * (head.dim() - 1)) % 2 == 0
        odd = torch.allclose(self.slopes(by=STEP * self.even)[1::2], self.at[0][1::2], rtol=1e-4, atol=1e-7)
        self.fits = len(self.rows) > 3 and odd and square and (self.chosen or bool(self.used.float().mean() > FEW))

    def slopes(self, thing: object = None, how: Callable | None = None, by: object = 0.0) -> Tensor:
        """Return the slopes where a target, another head or a network's saying, by its number, is another one."""
        whole, targets = (changed(v, lambda t: how(t.detach()) if t is thing else t) for v in (
            self.whole, self.patient.targets))  # fmt: skip

        def say(call: int, result: Tensor) -> Tensor:
            self.calls += [result.detach()] if call == len(self.calls) else []
            return how(result) if isinstance(thing, int) and call == thing else result

        with _other_words(say, -isinstance(self.patient.loss_fn, nn.Module)):
            return cost_with(self.patient, whole, self.head, self.values + by, targets)[1]

    def moved(self, thing: object, how: Callable, size: float = STEP) -> Tensor:
        """How far the goals move, in steps; nowhere where no goal changes, but the weight of a sample."""
        here, there = (-(self.slopes(thing, how, by) - at)[self.used] / self.curve / size
                       for by, at in zip((0.0, STEP), self.at, strict=True))  # fmt: skip
        same = float(((here - there).abs() < 0.01).float().mean()) > MOST
        return here * (here.abs() > 2e-3) if same else 0 * here

    def of_used(self, part: Tensor) -> Tensor:
        """Return the numbers of a part that belong to the values in use."""
        whole = part.numel() == self.values.numel()
        return part.reshape(self.values.shape)[self.used] if whole else part.flatten()[self.rows]

    def wrong(self) -> Iterator[str]:
        """Say what is wrong with these goals."""
        slopes = self.at[0][self.used]
        if self.chosen and len(slopes) > 3 and float(slopes.std()) < 1e-4 * float(slopes.abs().mean()):
            yield "All values are moved alike, however far off each of them is."
        if not self.fits:
            return
        shape, samples = self.head.shape, len(self.head)
        taken = (t for t in self.parts if not t.is_floating_point() and t.numel() == samples and t.max() > 1)
        action = next(taken, None) if self.chosen and self.used.dim() == 2 else None
        if action is not None and float((self.used.nonzero()[:, 1] == self.of_used(action)).float().mean()) < 0.5:
            yield "The values that the loss moves are not those of the actions that were taken."
        parts = [t for t in self.parts if t.numel() in (samples, self.head.numel())]
        marked = ((t, self.of_used(t)) for t in parts)
        ends = [(t, m) for t, m in marked if len(m.unique()) == 2 and bool(((m == 0) | (m == 1)).all())]
        numbers = [t for t in parts if t.is_floating_point() and not any(t is d for d, _ in ends)]
        later = [t for t in tensors_in(self.whole) if t is not self.head and t.shape == shape]
        later += [call for call, t in enumerate(self.calls) if t.shape in (shape, shape[:1], (samples, 1))]
        later += [t for t in numbers if self.chosen and t.shape == shape]
        numbers = [t for t in numbers if not any(t is one for one in later)]
        movers = {kind: [_Mover(t, self.moved(t, lambda t: t + STEP), self.calls[t] if isinstance(t, int) else t)
                         for t in things] for kind, things in (("now", numbers), ("later", later))}  # fmt: skip
        now, ahead = ([m for m in found if m.steady] for found in movers.values())
        both = [_Mover(one.thing, one.by + other.by, one.numbers) for one, other in combinations(now + ahead, 2)
                if one.numbers.shape == other.numbers.shape and not bool((one.on & other.on).any())]  # fmt: skip
        gated = [m for m in now + both if any(m.counted(marks) is not None for _, marks in ends)]
        given = [m for m in now if abs(abs(m.level) - 1) < 1e-2] or [m for m in now if m not in gated]
        ahead += [m for m in gated if m not in given]
        if given and bool((self.curve < 0).all()):
            yield "The loss falls as the values leave their goals."
        if given and max(m.level for m in given) < 0:
            yield "The more is given now, the lower is the goal."
        if self.chosen and not given and any(m.by.max() > STEP and m.by.min() < -STEP for m in movers["now"]):
            yield "What is given now multiplies what follows."
        for one, other in combinations(now + ahead, 2):
            if one.numbers.shape == other.numbers.shape and not bool((one.on & other.on).any()):
                larger = self.of_used(one.numbers) > self.of_used(other.numbers)
                if bool((one.on <= larger).all() and (other.on <= ~larger).all()):
                    yield "Of two judgements of what follows the goal takes the larger."
        if ahead:
            yield from self.of_what_follows(given, max(ahead, key=lambda m: m.level), ends)

    def of_what_follows(self, given: list[_Mover], ahead: _Mover, ends: list[tuple[Tensor, Tensor]]) -> Iterator[str]:
        """What follows is the best of its own sample, and counts by a share between 0 and 1, until the end."""
        level, on = ahead.level, ahead.on
        if level < -0.5:
            yield "The more follows, the lower is the goal."
        if level > 1.01 or 0 < level < STEP:
            yield f"What follows weighs {level:.3g} times what is given now."
        if given and level < 0.999 and abs(given[0].level - level) < 1e-3:
            yield "What is given now is discounted like what follows."
        far = self.moved(ahead.thing, lambda t: t + 10 * self.even.view(-1, *[1] * (t.dim() - 1)), 10.0)
        if bool(far[self.rows % 2 == 1].any()):
            yield "A goal moves with what follows other samples."
        if self.chosen and ahead.numbers.shape == self.head.shape:
            high, low = (self.moved(ahead.thing, lambda t, best=best: t + STEP * (t == best(t, 1, keepdim=True)))
                         for best in (torch.amax, torch.amin))  # fmt: skip
            if bool(low.any()) and not bool(high.any()):
                yield "The goal takes the least of the values that follow, not the largest."
        for part, marks in ends:
            kind = ahead.counted(marks)
            if kind is None and bool(on.all()):
                known = part.is_floating_point()
                by = self.moved(part, lambda t: t + STEP) if known else self.moved(part, torch.logical_not, 1.0)
                by = by if known else by * (1 - 2 * marks.float())  # up or down, as the mark was
                one_sided = any(m.counted(marks) is not None for m in given)
                if one_sided or float(((by != 0) & (by < 0.5)).float().mean()) > MOST:
                    yield "What follows counts after the end, too: the marks of the end do not multiply it."
            elif kind is not None:
                named = isinstance(self.patient.targets, Mapping) and any(
                    v is part and str(key).lower() in ENDS for key, v in self.patient.targets.items())  # fmt: skip
                if (named and kind) or float(on.float().mean()) <= FEW:
                    steps = f"{int(on.sum())} of {len(on)} steps"
                    yield f"What follows counts in {steps} only: ends and others may have changed places."
                if given and all(m.counted(marks) == kind for m in given):
                    yield "What is given at the end is not counted."
