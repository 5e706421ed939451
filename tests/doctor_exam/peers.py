"""`PYTHONPATH=tests python -m doctor_exam.peers OUT.json SET ...`: two other tools on the same set-ups (needs both).

Counted is whether a tool says anything: a warning or a failure of torchtest2 (its default call), a finding of
torch-audit above an info, without its advice on speed (TA200, TA201). Neither is asked to name the cause.
"""

import contextlib
import io
import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import torch

from doctor_exam.score import SETS, plain_pytorch
from lm_utils.doctor.patient import as_arguments
from lm_utils.lessons.past_bugs import ExamCase


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


def main(argv: list[str]) -> int:
    """Ask both tools about every set-up and write the counts."""
    cases = [case for name in argv[1:] for case in SETS[name]]
    silent = [case for case in cases if case.expected and plain_pytorch(case) == "silent"]
    right = [case for case in cases if not case.expected]
    rows = []
    for tool, (name, what) in TOOLS.items():
        said = {case.name: asked(tool, case) for case in cases}
        rows.append({"name": f"{name} {version(name)}", "with": what,
                     "silent spoken of": sum(bool(said[case.name]) for case in silent),
                     "right spoken of": sum(bool(said[case.name]) for case in right),
                     "could not run": sum(one is None for one in said.values())})  # fmt: skip
    found = {
        "sets": argv[1:],
        "wrong": len(cases) - len(right),
        "silent": len(silent),
        "right": len(right),
        "tools": rows,
    }
    Path(argv[0]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
