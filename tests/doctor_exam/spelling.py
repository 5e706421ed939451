"""The same set-ups in other spellings: does the doctor say the same?

`PYTHONPATH=tests python -m doctor_exam.spelling --write results/doctor/spelling.json` rewrites every set-up that is
judged rightly, as people write it by hand, and counts what is no longer named and which right ones get an alarm. A
rewriting counts only where it is used, and where the loss and its slopes at the weights stay what they were.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import doctor_exam.spelling_ways  # registers them  # noqa: F401
from doctor_exam.page import RUNS
from doctor_exam.score import SETS, called_with, doctor, meant
from doctor_exam.spelling_parts import SPELLINGS, USED, spelt
from lm_utils.doctor.patient import loss_in
from lm_utils.lessons.past_bugs import ExamCase

BUILDS: dict[str, Callable] = {}
"""For each other way to put the parts together: what it makes of a model, a loss, inputs and targets."""
OTHER_SCALE = {"loss times 100", "loss times 0.001", "a penalty on the weights", "a term of its own"}
"""These change what the loss is, and not what is wrong with it."""


SAME_CAUSE = (
    {"activation_twice", "softmax_before_cross_entropy", "sigmoid_before_bce_logits", "softmax_before_bce_logits"},
    {"one_column_cross_entropy", "softmax_over_one_output", "loss_is_constant"},
)
"""Names that torch's own loss and the formula by hand give to one cause."""


class DoesNotFit(Exception):
    """This set-up cannot be built this way."""


class Around(nn.Module):
    """A model inside another one, which hands its outputs on in another form."""

    def __init__(self, model: object, how: Callable, **parts: object) -> None:
        super().__init__()
        self.inner, self.how, self.training = model, how, getattr(model, "training", True)
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args, **kwargs):
        """Hand over the outputs in the other form."""
        return self.how(self, self.inner(*args, **kwargs))


def build(name: str, wanted: Callable[..., bool] = lambda *_: True) -> Callable:
    """Register another way to put a set-up together; `wanted` tells for which ones."""

    def register(how: Callable) -> Callable:
        def built(*setup: object) -> tuple:
            if not wanted(*setup):
                raise DoesNotFit
            return how(*setup)

        BUILDS[name] = built
        return how

    return register


def has_targets(model, loss, x, y):
    return y is not None


def plain_inputs(model, loss, x, y):
    return not isinstance(x, dict)


@build("outputs in a tuple", plain_inputs)
def _(model, loss, x, y):
    return Around(model, lambda _, out: (out, None)), lambda out, y: loss(out[0], y), x, y


@build("outputs in a dictionary", plain_inputs)
def _(model, loss, x, y):
    return Around(model, lambda _, out: {"logits": out}), lambda out, y: loss(out["logits"], y), x, y


@build("targets in a dictionary", has_targets)
def _(model, loss, x, y):
    return model, lambda out, given: loss(out, given["label"]), x, {"label": y}


@build("targets in a tuple", has_targets)
def _(model, loss, x, y):
    return model, lambda out, given: loss(out, given[0]), x, (y,)


def scaled(found: object, by: float) -> Tensor:
    if not isinstance(found, Tensor):
        raise DoesNotFit
    return found * by


@build("loss times 100")
def _(model, loss, x, y):
    return model, lambda out, y: scaled(loss(out, y), 100), x, y


@build("loss times 0.001")
def _(model, loss, x, y):
    return model, lambda out, y: scaled(loss(out, y), 0.001), x, y


@build("loss in a dictionary")
def _(model, loss, x, y):
    return model, lambda out, y: {"loss": scaled(loss(out, y), 1), "step": 0}, x, y


@build("a penalty on the weights", plain_inputs)
def _(model, loss, x, y):
    def how(self, out):
        return out, sum((weight**2).sum() for weight in self.inner.parameters())

    return Around(model, how), lambda out, y: loss(out[0], y) + 1e-4 * out[1], x, y


@build("a term of its own", plain_inputs)
def _(model, loss, x, y):
    goal, side = torch.tensor([1.0, 2.0, 3.0]), nn.Parameter(torch.randn(3))
    both = Around(model, lambda self, out: (out, self.side), side=side)
    return both, lambda out, y: loss(out[0], y) + 0.1 * F.mse_loss(out[1], goal), x, y


class Inside(nn.Module):
    """A model that computes its loss itself."""

    def __init__(self, model: object, loss: object) -> None:
        super().__init__()
        self.inner, self.loss, self.training = model, loss, getattr(model, "training", True)

    def forward(self, inputs, labels):
        """Return the loss beside what the model says."""
        out = called_with(self.inner, inputs)
        return {"loss": self.loss(out, labels), "logits": out}


@build("loss inside the model", lambda model, loss, x, y: isinstance(x, Tensor) and y is not None)
def _(model, loss, x, y):
    return Inside(model, loss), lambda out, _: out["loss"], (x, y), y


@build("sample by sample", lambda model, loss, x, y: isinstance(y, Tensor) and y.dim())
def _(model, loss, x, y):
    def one_by_one(out, y):
        if not isinstance(out, Tensor) or len(out) != len(y):
            raise DoesNotFit
        return torch.stack([loss(out[i : i + 1], y[i : i + 1]) for i in range(len(y))]).mean()

    return model, one_by_one, x, y


@dataclass
class Count:
    """What became of the set-ups in one spelling."""

    kept: int = 0
    lost: list[str] = field(default_factory=list)
    right: int = 0
    alarms: list[str] = field(default_factory=list)


def respelt(case: ExamCase, name: str) -> ExamCase:
    """Return the set-up in another spelling."""
    return replace(case, build=lambda: BUILDS[name](*case.build())) if name in BUILDS else case


def meaning(case: ExamCase) -> tuple[Tensor, Tensor] | None:
    """Return a training step's loss and its slopes at the weights; None where there is no such step."""
    with torch.random.fork_rng([]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            model, loss_fn, x, y = case.build()
            loss = loss_in(loss_fn(called_with(model, x), y))
            weights = [p for p in model.parameters() if p.requires_grad] if isinstance(model, nn.Module) else []
            free = weights if isinstance(loss, Tensor) and loss.requires_grad else []
            slopes = torch.autograd.grad(loss.sum(), free, allow_unused=True) if free else ()
            both = zip(slopes, free, strict=False)
            flat = [(torch.zeros_like(p) if s is None else s.to_dense()).flatten().double() for s, p in both]
            return loss.detach().double(), torch.cat([*flat, torch.zeros(1)])
        except Exception:
            return None


usual_meaning = cache(lambda setname, place: meaning(SETS[setname][place]))


def fits(name: str, setname: str, place: int) -> bool:
    """Is this spelling used in this set-up, and does it leave the loss what it was?"""
    case, before = SETS[setname][place], usual_meaning(setname, place)
    USED.clear()
    with spelt(name):
        after = meaning(respelt(case, name))
    if before is None or after is None or (name in SPELLINGS and name not in USED):
        return False
    if name in OTHER_SCALE:
        return True
    (loss, slopes), (other, others) = before, after
    if loss.shape != other.shape:
        return False
    largest = float(slopes.abs().nan_to_num().max())
    return torch.allclose(loss, other, 1e-3, 1e-5, equal_nan=True) and (slopes.shape != others.shape or torch.allclose(
        slopes, others, 1e-2, 1e-3 * largest, equal_nan=True))  # fmt: skip


def judged_rightly() -> Iterable[tuple[str, int]]:
    """Yield the set-ups that are judged rightly as they stand, and that plain PyTorch does not refuse."""
    stored = json.loads((RUNS / "now.json").read_text(encoding="utf-8"))["sets"]
    for setname, cases in SETS.items():
        rows = {row["name"]: row for row in stored[setname]["rows"]}
        for place, case in enumerate(cases):
            row = rows.get(case.name)
            spoken_of = row is None or row["errors"] or row["warnings"]
            if (row["named"] and row["pytorch"] != "error") if case.expected else not spoken_of:
                yield setname, place


def counted(name: str, chosen: Iterable[tuple[str, int]]) -> Count:
    """Examine these set-ups in one spelling."""
    found = Count()
    for setname, place in chosen:
        if not fits(name, setname, place):
            continue
        case = SETS[setname][place]
        with spelt(name):
            said = doctor(respelt(case, name))
        codes, which = said["errors"] + said["warnings"], f"{setname}: {case.name}"
        if not case.expected:
            found.right += 1
            found.alarms += [f"{which} ({', '.join(codes) or said['crash']})"] if codes or said["crash"] else []
        elif _named(case.expected.split("|"), codes):
            found.kept += 1
        else:
            found.lost.append(f"{which} ({case.expected}; said: {', '.join(codes) or said['crash'] or 'nothing'})")
    return found


def _named(expected: Sequence[str], codes: Sequence[str]) -> bool:
    also = set().union(*(names for names in SAME_CAUSE if names & {*expected}))
    return bool(({*expected} | also) & meant(codes))


def main(argv: Sequence[str] | None = None) -> int:
    """Examine all spellings, or the named ones, print the counts and write them."""
    parser = argparse.ArgumentParser(prog="python -m doctor_exam.spelling", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="spellings, all if none is given")
    parser.add_argument("--write", type=Path, help="a JSON file for the counts and the names of what is lost")
    options = parser.parse_args(argv)
    chosen, found = list(judged_rightly()), {}
    for name in options.names or [*SPELLINGS, *BUILDS]:
        one = counted(name, chosen)
        found[name] = {"kept": one.kept, "right": one.right, "lost": one.lost, "alarms": one.alarms}
        print(f"{name}: kept {one.kept}, lost {len(one.lost)}, right {one.right}, alarms {len(one.alarms)}", flush=True)
        if options.write:
            content = {"torch": torch.__version__.split("+")[0], "spellings": found}
            options.write.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
