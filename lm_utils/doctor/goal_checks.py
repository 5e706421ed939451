"""Values that are taught by a goal: what is given now, and a share of what follows, as far as nothing ends."""

from collections.abc import Iterator

import torch
from torch import Tensor

from lm_utils.doctor.batch_checks import cost_with
from lm_utils.doctor.belongings import changed, tensors_in
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding, said

STEP, MOST = 0.05, 0.8  # by which numbers are moved; the share of the samples that must agree


def check_goals(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Move rewards, ends and the values that follow, and see how the goals of the values follow them."""
    parts = [t for t in tensors_in(patient.targets) if t.dim()]
    for head in tensors_in(patient.chosen(seen.outputs)) if len(parts) > 1 else ():
        if head.requires_grad and head.dim() and head.is_floating_point() and len(head) == len(parts[0]) > 3:
            what = next(_wrong_goals(patient, patient.chosen(seen.outputs), head, parts), None)
            if what is not None:
                yield said("wrong_formula: goal", what)


def _wrong_goals(patient: Patient, whole: object, head: Tensor, parts: list[Tensor]) -> Iterator[str]:
    """Say what is wrong with the goals of one head, from the slopes of a loss that is a square around them."""
    values = head.detach()

    def slopes(by: float | Tensor = 0.0, part: Tensor | None = None, step: float = STEP) -> Tensor:
        targets = changed(patient.targets, lambda t: t + step if t is part else t)
        return cost_with(patient, whole, head, values + by, targets)[1]

    for size in (1.0, 1.0, 0.5, 0.5, 0.0):  # towards the goals, where the loss grows evenly far off, as Huber's does
        at = [slopes(by) for by in (0.0, STEP)]
        curve, farther = ((slopes(by) - at[0]) / by for by in (STEP, 5 * STEP))
        used = (curve != 0) & ((farther - curve).abs() < 1e-3 * curve.abs())  # a likelihood is no square
        if int(used.sum()) > 0.9 * int((at[0] != 0).sum()):
            break
        values = values - size * at[0].sign() * (curve == 0)
    rows, per_row = used.nonzero()[:, 0], used.reshape(len(head), -1).sum(1)
    chosen = head.numel() > len(head) and int(per_row.max()) == 1  # one action's value each
    if len(rows) < 4 or int(used.sum()) <= 0.5 * int((curve != 0).sum()) or not (chosen or used.float().mean() > 0.25):
        return
    if chosen and float(at[0][used].std()) < 1e-4 * float(at[0][used].abs().mean()):
        yield "All values are moved alike, however far off each of them is."
    even = torch.arange(len(head), device=head.device).view(-1, *[1] * (head.dim() - 1)) % 2 == 0
    if not torch.allclose(slopes(STEP * even)[1::2], at[0][1::2], rtol=1e-4, atol=1e-7):
        return
    curve = curve[used]
    of_used = {id(t): (t.reshape(head.shape)[used] if t.numel() == head.numel() else t.flatten()[rows])
               for t in parts if t.numel() in (len(head), head.numel())}  # fmt: skip
    taken = next((t for t in parts if id(t) in of_used and not t.is_floating_point() and t.max() > 1), None)
    if chosen and head.dim() == 2 and taken is not None and (
            float((used.nonzero()[:, 1] == of_used[id(taken)]).float().mean()) < 0.5):  # fmt: skip
        yield "The values that the loss moves are not those of the actions that were taken."
    given, ahead, ends, added = [], [], [], []
    for part in (t for t in parts if id(t) in of_used):
        marks = of_used[id(part)]
        mark = bool(((marks == 0) | (marks == 1)).all()) and len(marks.unique()) == 2
        ends += [marks] if mark else []
        here, there = (-(slopes(by, part) - one)[used] / curve / STEP for by, one in zip((0.0, STEP), at, strict=True)
                       ) if part.is_floating_point() else (torch.zeros(1), torch.ones(1))  # fmt: skip
        on = here.abs() > 2e-3
        if not bool(on.any()) or float(((here - there).abs() < 0.01).float().mean()) < MOST:
            continue  # it moves no goal, or only weighs a sample
        level = float(here[on].median())
        if float(((here - level).abs() < 0.02)[on].float().mean()) > MOST:
            kind = added if mark else ahead if chosen and part.shape == head.shape else given
            kind.append((level, on))
    given = [(level, on) for level, on in given if abs(abs(level) - 1) < 0.01]
    if given and bool((curve < 0).all()):
        yield "The loss falls as the values leave their goals."
    if given and max(level for level, _ in given) < 0:
        yield "The more is given now, the lower is the goal."
    if given and any(bool((on == (marks == m)).all()) for _, on in given for marks in ends for m in (0, 1)):
        yield "What is given at the end is not counted."
    if given and any(level < -0.5 and bool(on.all()) for level, on in added):
        yield "The marks of the end are added to the goal; they must multiply what follows."
    if any(level < -0.5 or level > 1.01 for level, _ in ahead):
        yield "What follows lowers the goal, or weighs more than what is given now."
