"""`PYTHONPATH=tests python -m doctor_exam.peers`: three other tools on the same set-ups (it needs all three).

Counted is whether a tool says anything: an exception of torchtest's own, a warning or a failure of torchtest2 (its
default call), a finding of torch-audit above an info, without its advice on speed (TA200, TA201). None is asked to
name the cause. The counts are written to results/doctor/peers.json.
"""

import contextlib
import io
import json
import sys
import warnings
from importlib.metadata import version

import torch

from doctor_exam.page import RUNS
from doctor_exam.score import SETS, plain_pytorch
from lm_utils.doctor.patient import as_arguments
from lm_utils.lessons.past_bugs import ExamCase


def torchtest(case: ExamCase) -> bool:
    """Does one of its three checks of a training step raise its own exception?"""
    from torchtest import torchtest as checks

    model, loss_fn, inputs, targets = case.build()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    which = dict.fromkeys(("test_vars_change", "test_nan_vals", "test_inf_vals"), True)
    try:
        checks.test_suite(model, loss_fn, optimiser, [inputs, targets], **which)
    except (checks.VariablesChangeException, checks.NaNTensorException, checks.InfTensorException):
        return True
    return False


def torchtest2(case: ExamCase) -> bool:
    """Does its report hold a warning or a failure?"""
    from torchtest2 import check_model

    model, loss_fn, inputs, targets = case.build()
    report = check_model(model, inputs, targets, loss_fn=loss_fn)
    if any(result.name == "forward" and result.status.name == "FAIL" for result in report.results):
        raise RuntimeError("it could not call the model")
    return bool(report.warnings or report.failures)


def torch_audit(case: ExamCase) -> bool:
    """Does one audited step give a finding?"""
    from torch_audit import Auditor

    model, loss_fn, inputs, targets = case.build()
    args, kwargs = as_arguments(model, inputs)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    with Auditor(model, optimizer=optimiser, every_n_steps=1, reporters=[]) as auditor:
        auditor.audit_static()
        auditor.audit_data(inputs)
        loss = loss_fn(auditor.forward(*args, **kwargs), targets)
        auditor.backward(loss["loss"] if isinstance(loss, dict) else loss)
        auditor.optimizer_step()
    found = [one for one in auditor.findings if one.rule_id not in ("TA200", "TA201")]
    return any("INFO" not in str(one.severity) for one in found)


TOOLS = {
    torchtest: ("torchtest", "variables change, NaN and infinity"),
    torchtest2: ("torchtest2", "its default checks, 200 steps on one batch among them"),
    torch_audit: ("torch-audit", "all phases of one step, without its advice on speed (TA200, TA201)"),
}


def asked(tool, case: ExamCase) -> bool | None:
    """Return whether the tool speaks of this set-up; None where it fails itself."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            return tool(case)
        except Exception:
            return None


def main() -> int:
    """Ask every tool about every set-up that was not known while the doctor was built, and write the counts."""
    sets = [name for name in SETS if name != "known"]
    cases = [case for name in sets for case in SETS[name]]
    silent = [case for case in cases if case.expected and plain_pytorch(case) == "silent"]
    right = [case for case in cases if not case.expected]
    rows = []
    for tool, (name, what) in TOOLS.items():
        said = {case.name: asked(tool, case) for case in cases}
        rows.append({"name": f"{name} {version(name)}", "with": what,
                     "silent spoken of": sum(bool(said[case.name]) for case in silent),
                     "right spoken of": sum(bool(said[case.name]) for case in right),
                     "could not run": sum(one is None for one in said.values())})  # fmt: skip
    found = {"sets": sets, "wrong": len(cases) - len(right), "silent": len(silent), "right": len(right), "tools": rows}
    (RUNS / "peers.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
