"""The doctor's command: exit codes, options, one sentence for a bad target."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lm_utils.doctor.command import main


@pytest.fixture
def own_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_training.py").write_text(
        "import torch\nfrom torch import nn\n"
        "x, y = torch.randn(8, 4), torch.arange(8) % 3\n"
        "def good(): return nn.Linear(4, 3), nn.CrossEntropyLoss(), x, y\n"
        "def weak(): return nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)), nn.CrossEntropyLoss(), x, y\n"
        "def bad(): return nn.Linear(4, 1), nn.BCELoss(), x, torch.ones(8, 1)\n"
        "def three(): return 1, 2, 3\n"
        "def broken(): raise RuntimeError('no data')\n"
        "def three_lines(): raise RuntimeError('no data\\nat all\\nhere')\n"
        "def ends(): raise SystemExit(0)\n"
        "def loud(): return Loud(4, 3), nn.CrossEntropyLoss(), x, y\n"
        "def foreign(): return nn.Linear(4, 3), no_such_loss, x, y\n"
        "def no_such_loss(out, y): raise ValueError('größer 日本')\n"
        "class Loud(nn.Linear):\n"
        "    def forward(self, x): print('forward'); return super().forward(x)\n"
        "number = 3\n"
    )
    yield
    sys.modules.pop("own_training", None)


def test_command_exit_codes(own_code, capsys):
    assert main(["own_training:good"]) == 0
    assert main(["own_training:weak"]) == 0 and "softmax_before_cross_entropy" in capsys.readouterr().out
    assert main(["own_training:bad"]) == 1 and "logits_into_bce" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spec", "word"),
    [("nonsense", "module:factory"), ("no_such_module:make", "no module"), ("own_training:nope", "no function"),
     ("own_training:number", "no function"), ("own_training:three", "returned"), ("own_training:broken", "no data"),
     ("own_training:three_lines", "no data."), ("own_training:ends", "SystemExit: 0."), ("ending:make", "failed"),
     ("./some/train.py:make", "write some.train:make"), ("needy:make", "needs 'need', which is not installed")],
)  # fmt: skip
def test_command_says_in_one_sentence_what_is_wrong(own_code, capsys, spec, word):
    Path("ending.py").write_text("raise SystemExit(0)")
    Path("needy.py").write_text("import need")
    assert main([spec]) == 2
    shown = capsys.readouterr().err
    assert word in shown and shown.count("\n") == 1


def test_command_options(own_code, capsys):
    assert main(["own_training:weak", "--strict"]) == 1
    assert main(["own_training:weak", "--strict", "--ignore", "softmax_before_cross_entropy"]) == 0
    capsys.readouterr()
    assert main(["own_training:bad", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"] and told["findings"][0]["code"] == "logits_into_bce" and told["findings"][0]["fix"]


def test_command_through_the_front_door(own_code):
    done = subprocess.run([sys.executable, "-m", "lm_utils", "doctor", "own_training:bad"],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1 and "ERROR" in done.stdout, done.stderr


def test_json_is_all_that_is_printed(own_code, capsys):
    assert main(["own_training:loud", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["ok"] and "forward" in shown.err


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_terminal_without_such_letters_gets_the_report_all_the_same(own_code, options):
    done = subprocess.run([sys.executable, "-m", "lm_utils", "doctor", "own_training:foreign", *options],
                          capture_output=True, text=True, env=os.environ | {"PYTHONIOENCODING": "ascii"})  # fmt: skip
    assert done.returncode == 1 and "loss_fails" in done.stdout, done.stderr
    assert not options or "größer 日本" in json.loads(done.stdout)["findings"][0]["message"]


def test_a_code_that_does_not_exist_is_said_to_be_none(own_code, capsys):
    assert main(["own_training:weak", "--ignore", "softmax_before_cross_entropi"]) == 2
    assert "the nearest is 'softmax_before_cross_entropy'." in capsys.readouterr().err
    assert main(["own_training:weak", "--strict", "--ignore", "large_targets,softmax_before_cross_entropy"]) == 0


def test_a_module_that_reads_its_own_options_does_not_see_ours(own_code, monkeypatch):
    Path("reading.py").write_text(
        "import argparse, sys\nsys.path.remove('')\n"
        "argparse.ArgumentParser().parse_args()\nfrom own_training import good\n"
    )
    monkeypatch.setattr(sys, "argv", ["lm_utils", "doctor", "reading:good", "--strict"])
    monkeypatch.syspath_prepend(Path.cwd())
    path = sys.path[:]
    assert main(["reading:good", "--strict"]) == 0 and sys.path == path and len(sys.argv) == 4
