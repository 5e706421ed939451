"""Every line of code on the page for engineers is run as it stands there."""

import re
import shlex
import sys

import pytest
import torch
from doctor_exam.page import ROOT
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lm_utils.doctor import assert_healthy
from lm_utils.doctor.command import main

PAGE = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.+?)```", PAGE, re.S)
COMMANDS = re.findall(r"python -m lm_utils doctor (train:make.*)", PAGE)


def make_model():
    return nn.Linear(8, 5)


@pytest.fixture
def names():
    """What the page takes for given."""
    torch.manual_seed(0)
    x, y = torch.randn(32, 8), torch.arange(32) % 5
    loader = DataLoader(TensorDataset(x, y), batch_size=16)
    return {"make_model": make_model, "make_loss": nn.CrossEntropyLoss, "loader": loader, "model": make_model(),
            "loss_fn": nn.CrossEntropyLoss(), "inputs": x, "targets": y, "assert_healthy": assert_healthy}  # fmt: skip


def test_the_page_has_the_blocks_that_are_run_here():
    assert len(PYTHON) == 5 and len(COMMANDS) == 3


@pytest.mark.parametrize("block", PYTHON)
def test_every_block_runs(block, names, tmp_path, capsys):
    if "lightning" in block:
        pytest.importorskip("lightning.pytorch", reason="lightning is not installed")
    if "transformers" in block:
        transformers = pytest.importorskip("transformers", reason="transformers is not installed")
        pytest.importorskip("accelerate", reason="accelerate is not installed")
        names["arguments"] = transformers.TrainingArguments(str(tmp_path), use_cpu=True, report_to=[])
        names["rows"] = [{"input": torch.zeros(8)}]
    exec(compile(block, "docs/doctor.md", "exec"), names)
    if "test_training_setup" in names:
        names["test_training_setup"]()
    if "print(" in block:
        assert capsys.readouterr().out.startswith("Nothing to object to")
    if "trainer" in names:
        held = getattr(names["trainer"], "callbacks", None) or names["trainer"].callback_handler.callbacks
        assert "DoctorCallback" in {type(one).__name__ for one in held}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_runs_and_ci_sees_the_canonical_bug(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = ("import torch\nfrom torch import nn\n\ndef make():\n    return nn.Sequential(nn.Linear(8, 5){}), "
            "nn.CrossEntropyLoss(), torch.randn(16, 8), torch.arange(16) % 5\n")  # fmt: skip
    for end, code in (("", 0), (", nn.Softmax(1)", int("--strict" in line))):
        (tmp_path / "train.py").write_text(text.format(end))
        sys.modules.pop("train", None)
        sys.dont_write_bytecode, was = True, sys.dont_write_bytecode
        assert main(shlex.split(line)) == code
        sys.dont_write_bytecode = was
    assert "softmax_before_cross_entropy" in capsys.readouterr().out
    sys.modules.pop("train", None)
