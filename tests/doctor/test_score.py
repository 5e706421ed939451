"""The score on all set-ups is at least the stored one, none of them is changed, and the two pages say what was run."""

import json
import re

import pytest
import torch
from doctor_exam import page
from doctor_exam.score import SETS, counts, doctor, main, plain_pytorch, rows_of
from torch import Tensor, nn

from lm_utils.doctor import diagnose
from lm_utils.doctor.belongings import tensors_in
from lm_utils.lessons import past_bugs

RUNS = page.runs()
STORED = RUNS["now"]
FRESH = [name for name in SETS if name != "known"]


def test_there_are_enough_new_set_ups_and_each_wrong_one_names_its_thread():
    wrong = [case for name in FRESH for case in SETS[name] if case.expected]
    right = [case for name in FRESH for case in SETS[name] if not case.expected]
    assert len(wrong) >= 60 and len(right) >= 60 and all(case.source for case in wrong)
    assert len({case.name for case in wrong + right}) == len(wrong) + len(right)
    assert len(SETS["held out"]) * 2 - len(SETS["new"]) in range(-4, 5)


def modules_of(*values: object) -> list[nn.Module]:
    """Modules among these values, and in the closures of functions."""
    cells = [cell.cell_contents for value in values for cell in getattr(value, "__closure__", None) or ()]
    return [value for value in (*values, *cells) if isinstance(value, nn.Module)]


def everything(*setup: object) -> list[object]:
    """Weights, buffers, gradients, modes, hooks and batch, and the state of the random numbers."""
    found: list[object] = [torch.get_rng_state(), torch.is_grad_enabled(), torch.get_default_dtype()]
    for module in modules_of(*setup):
        lazy = any(isinstance(p, nn.UninitializedParameter) for p in module.parameters())
        found += [] if lazy else [t.detach().clone() for t in (*module.parameters(), *module.buffers())]
        found += [None if p.grad is None else p.grad.clone() for p in module.parameters()]
        found += [(m.training, len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks))
                  for m in module.modules()]  # fmt: skip
    return found + [t.detach().clone() for value in setup[2:] for t in tensors_in(value)]


def same(one: object, other: object) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one.nan_to_num(), other.nan_to_num()) if one.is_floating_point() else torch.equal(one, other)
    return one == other


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_the_score_is_not_worse_than_the_stored_one_and_no_set_up_is_changed(name, monkeypatch):
    changed, broken = [], []

    def watched(*setup):
        before = everything(*setup)
        report = diagnose(*setup)
        after = everything(*setup)
        broken.extend(f.message for f in report.findings if "the check of" in f.message)
        changed.append(len(after) != len(before) or not all(map(same, before, after)))
        assert all(f.message.endswith(".") and f.why.endswith(".") and f.fix for f in report.findings), str(report)
        return report

    monkeypatch.setattr(past_bugs, "diagnose", watched)
    rows = rows_of(SETS[name])
    now, stored = counts(rows), STORED["sets"][name]["counts"]
    names = [row["name"] for row, is_so in zip(rows, changed, strict=True) if is_so]
    assert names == [] and broken == []
    if name == "known":
        assert now["named"] == now["wrong"] and now["alarms"] == now["warnings"] == 0
    for key in ("wrong", "right", "silent"):
        assert now[key] == stored[key]
    for key in ("named", "silent named"):
        assert now[key] >= stored[key]
    for key in ("alarms", "warnings", "crashes"):
        assert now[key] <= stored[key]


def test_the_comparison_sees_a_change():
    model = nn.Linear(2, 2)
    before = everything(model, lambda out, y: out, torch.zeros(2), None)
    model.bias.data[0] += 1
    assert not all(map(same, before, everything(model, lambda out, y: out, torch.zeros(2), None)))


def test_right_set_ups_are_left_alone():
    found = [STORED["sets"][name]["counts"] for name in STORED["sets"]]
    assert sum(one["alarms"] + one["crashes"] for one in found) == 0
    assert sum(one["warnings"] for one in found) <= sum(one["right"] for one in found) / 50


def test_the_page_is_the_stored_run():
    assert page.PAGE.read_text(encoding="utf-8") == page.page(RUNS)
    assert list(RUNS["first_seen"]["sets"]) == list(STORED["sets"]) == list(SETS)
    found = [STORED["sets"][name]["counts"] for name in RUNS["peers"]["sets"]]
    for key in ("wrong", "silent", "right"):
        assert sum(one[key] for one in found) == RUNS["peers"][key]
    for name, run in RUNS["first_seen"]["sets"].items():
        assert [row["name"] for row in run["rows"]] == [row["name"] for row in STORED["sets"][name]["rows"]]


def test_the_ten_bugs_of_the_page_are_in_the_exam():
    text = (page.ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| (\S+#\d+) \| (silent|warning|error) \| `(\w+)` \|$", text, re.M)
    assert len(rows) == 10
    cases = {case.source: case for name in FRESH for case in SETS[name]}
    for source, word, code in rows:
        said = doctor(cases[source])
        assert plain_pytorch(cases[source]) == word and code in said["errors"] + said["warnings"], source


def test_the_command(tmp_path, capsys):
    assert main(["--sets", "late", "--list", "--write", str(tmp_path / "run.json")]) == 0
    written = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert "late:" in capsys.readouterr().out and written["sets"]["late"]["counts"]["right"] == 12


def test_a_cause_inside_the_loss_is_said_to_be_there():
    from doctor_exam.parts import classes, inputs, mlp
    from torch.nn import functional as F

    report = diagnose(mlp(5), lambda out, y: F.cross_entropy(out.softmax(1), y), inputs(), classes(5))
    assert report.codes[0] == "softmax_before_cross_entropy"
    assert report.findings[0].message.startswith("The loss function itself applies a softmax")
    assert "loss_fn(outputs, targets)" in report.findings[0].fix
