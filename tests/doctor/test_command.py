"""The doctor's command: exit codes, options, one sentence for a bad target."""

import json
import subprocess
import sys

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
     ("own_training:number", "no function"), ("own_training:three", "returned"), ("own_training:broken", "no data")],
)  # fmt: skip
def test_command_says_in_one_sentence_what_is_wrong(own_code, capsys, spec, word):
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
