"""The final challenge: broken scripts are seen through, repairs are recognised, other breakage is told in words."""

import tomllib
from pathlib import Path

import pytest
import sklearn.datasets

from lm_utils import __main__ as command_line
from lm_utils.challenge import grade as lab
from lm_utils.challenge import run_script
from lm_utils.challenge.grade import BROKEN, FIXED, FOLDER, NOT_FIXED, challenges

SOLUTIONS = tomllib.loads((Path(__file__).parent / "solutions.toml").read_text("utf-8"))
NUMBERS = sorted(challenges())


def repaired(number: int, changes: int | None = None) -> str:
    """A script after its first changes (all of them, where no number is given)."""
    text = (FOLDER / challenges()[number].file).read_text("utf-8")
    for change in SOLUTIONS[str(number)]["changes"][:changes]:
        assert text.count(change["old"]) == 1
        text = text.replace(change["old"], change["new"])
    return text


def written(number: int, text: str, folder: Path) -> Path:
    """A text as that challenge's script."""
    script = folder / challenges()[number].file
    script.write_text(text, "utf-8")
    return script


def graded(number: int, text: str, folder: Path, limit: int = lab.LIMIT) -> lab.Grade:
    """The grade of a text, run in a process of its own as students do it."""
    return lab.grade(challenges()[number], written(number, text, folder), limit)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """The same without a process of its own, which would import torch each time."""
    monkeypatch.setattr(sklearn.datasets, "load_digits", sklearn.datasets.load_digits)  # put back afterwards

    unseen, task = run_script.split(sklearn.datasets.load_digits())[1], lambda number: challenges()[number].spec

    def judge(number: int, text: str) -> lab.Grade:
        monkeypatch.setattr(sklearn.datasets, "load_digits", lab.load_digits)
        try:
            found = run_script.examine(written(number, text, tmp_path), task(number), lambda: unseen.images)
        except run_script.Ungradable as problem:
            found = {"error": str(problem)}
        return lab.judge(challenges()[number], lab.scored(found, task(number), unseen.target))

    return judge


def test_there_are_six_short_scripts():
    assert NUMBERS == [1, 2, 3, 4, 5, 6] and len(SOLUTIONS) == 6
    assert {challenge.file for challenge in challenges().values()} == {p.name for p in FOLDER.glob("*.py")}
    assert all(len((FOLDER / c.file).read_text("utf-8").splitlines()) < 45 for c in challenges().values())
    assert all(len(c.hints) == 3 for c in challenges().values())


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_a_broken_script_is_not_fixed(number, judged):
    found = judged(number, repaired(number, 0))
    assert found.state == NOT_FIXED, found.message


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_a_repaired_script_is_fixed(number, judged):
    found = judged(number, repaired(number))
    assert found.state == FIXED, found.message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        (3, ".unsqueeze(1)", ""),  # the range repaired, the shapes not
        (4, "nn.BCELoss()", "nn.CrossEntropyLoss()"),  # the activation repaired, the loss not
        (6, "nn.LogSoftmax(dim=1)", "nn.Softmax(dim=1)"),  # the axis repaired, the logarithm not
    ],
)
def test_half_a_repair_is_not_fixed(number, old, new, judged):
    text = repaired(number)
    found = judged(number, text.replace(old, new))
    assert found.state == NOT_FIXED, found.message


# --- cheats ---

SECOND = """
second = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.AdamW(second.parameters(), lr=3e-3)
for _ in range(20):
    for batch in train[torch.randperm(900)].split(32):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(second(inputs[batch]), targets[batch]).backward()
        optimizer.step()
"""
BUNDLED = """
import csv, gzip, pathlib
import sklearn
path = pathlib.Path(sklearn.__file__).parent / "datasets" / "data" / "digits.csv.gz"
rows = torch.tensor([[float(x) for x in row] for row in csv.reader(gzip.open(path, "rt"))])
"""
FOLDER_OF_DIGITS = "import os, subprocess, sklearn\nfolder = os.path.dirname(sklearn.__file__) + '/datasets/data'\n"
NEAREST = "return %s[torch.cdist(inputs, %s).argmin(dim=1)]"
OLD_PREDICT = "return model(inputs).argmax(dim=1)"
UNTRAINED = (", nn.Softmax(dim=1))", ")"), ("range(20)", "range(0)"), ("right = (", "loss = torch.zeros(())\nright = (")
CHEATS = {  # what is changed in the first script, what is put at its end, and what the refusal says
    "the bundled answers are read, the model is untrained": (
        (*UNTRAINED, (OLD_PREDICT, NEAREST % ("rows[:, -1].long()", "rows[:, :64] / 16")),
         ("bundle = load_digits()", f"{BUNDLED}\nbundle = load_digits()")),
        "", "reads the bundled digits itself",
    ),
    "a shell copies them under another name": (
        ((", nn.Softmax(dim=1))", ")"),),
        FOLDER_OF_DIGITS + "subprocess.run(f'cp {folder}/dig*.gz seen.gz', shell=True)\n",
        "reads the bundled digits itself",
    ),
    "a link gives them another name": (
        ((", nn.Softmax(dim=1))", ")"),),
        FOLDER_OF_DIGITS + "os.symlink(folder + '/digits.csv.gz', 'seen.gz')\n", "reads the bundled digits itself",
    ),
    "it trains on the hidden images": (
        ((", nn.Softmax(dim=1))", ")"), ("from sklearn.datasets import", "from sklearn.datasets._base import")),
        "", "reads the bundled digits itself",
    ),
    "a refused reading is hidden": (
        ((", nn.Softmax(dim=1))", ")"),),
        "try:\n    from sklearn.datasets import _base\n    _base.load_digits()\nexcept Exception:\n    pass\n",
        "reads the bundled digits itself",
    ),
    "a decoy stands for the trained model": (
        (),
        "real, model = model, nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))\n"
        "def predict(inputs):\n    return real(inputs).argmax(dim=1)\n",
        "do not come from `model`",
    ),
    "a second model answers in predict": (
        ((", nn.Softmax(dim=1))", ")"), ("range(20)", "range(1)")),
        SECOND + "def predict(inputs):\n    return second(inputs).argmax(dim=1)\n",
        "do not come from `model`",
    ),
    "a second model answers while the decoy is as it was": (
        ((", nn.Softmax(dim=1))", ")"), ("lr=3e-3", "lr=0.0")),
        SECOND + "mark = sum(p.sum() for p in model.parameters()).item()\n"
        "def predict(inputs):\n    same = sum(p.sum() for p in model.parameters()).item() == mark\n"
        "    return (second if same else model)(inputs).argmax(dim=1)\n",
        "not those that were trained",
    ),
    "the nearest image that it has seen answers": (
        UNTRAINED, f"seen = inputs\ndef predict(inputs):\n    {NEAREST % ('targets', 'seen')}\n",
        "do not come from `model`",
    ),
    "the softmax is taken off after the training": (
        (), "model = model[:-1]\n", "not those that were trained",
    ),
    "the doctor is told to find nothing": (
        (), "import lm_utils.challenge.run_script as grader\nfrom types import SimpleNamespace as S\n"
        "grader.diagnose = lambda *_: S(findings=[], codes=())\n", "there is still a misfit",
    ),
}  # fmt: skip


FRAMES = """
import sys
def predict(inputs):
    frame = sys._getframe()
    while frame := frame.f_back:
        for value in frame.f_locals.values():
            target = getattr(value, "target", value)
            if isinstance(target, (list, np.ndarray)) and len(target) == len(inputs) and np.ndim(target) == 1:
                return torch.tensor(target)
    raise LookupError("no digits in any frame")
"""


def with_changes(text: str, changes) -> str:
    """A text with pieces of it replaced."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


@pytest.mark.slow
@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_refused_and_told_why(name, judged):
    changes, end, words = CHEATS[name]
    found = judged(1, f"{with_changes(repaired(1, 0), changes)}\n{end}")
    assert found.state != FIXED and words in found.message, found.message


def test_a_moved_cut_is_refused_by_a_rule_that_is_explained(judged):
    text = repaired(4, 0)
    assert text.count(">= 0.5") == 1
    moved = judged(4, text.replace(">= 0.5", ">= 0.2"))
    assert moved.state == NOT_FIXED and "another cut in `predict`" in moved.message


@pytest.mark.slow
def test_another_way_out_counts_too(judged):
    text = repaired(5, 0).replace("nn.Linear(1024, 64), nn.Sigmoid()", "nn.Linear(1024, 64), nn.ReLU()")
    found = judged(5, text.replace("lr=1e-2", "lr=1e-3"))
    assert found.state == FIXED, found.message


@pytest.mark.slow
def test_a_process_of_its_own_grades_alike(tmp_path, monkeypatch):
    assert graded(2, repaired(2), tmp_path).state == FIXED
    text = with_changes(repaired(1, 0), UNTRAINED)
    searched = graded(1, f"import numpy as np\n{text}{FRAMES}", tmp_path)
    assert searched.state == BROKEN and "no digits in any frame" in searched.message
    monkeypatch.setenv(lab.VARIABLE, "2")  # the grader sets it to one for the script
    crashed = graded(2, "import os, torch\n\nos._exit(2 + torch.get_num_threads())\n", tmp_path)
    assert crashed.state == BROKEN and "exit code 3" in crashed.message


@pytest.mark.slow
def test_a_loop_and_a_missing_file_are_told(tmp_path):
    looped = graded(1, "while True:\n    pass\n", tmp_path, limit=1)
    assert looped.state == BROKEN and "did not end within 1 seconds of work" in looped.message
    assert "no file" in lab.grade(challenges()[2], tmp_path / "none.py").message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import torch\n\ntorch.zeros(2)[5]\n", "stops in line 3 with IndexError"),
        ("def broken(:\n    pass\n", "not valid Python"),
        ("raise SystemExit(0)\n", "exit()"),
        ("model = 1\n", "no longer defines loss_fn, inputs_for, targets_for, predict"),
    ],
)
def test_a_crash_is_told(text, words, judged):
    found = judged(1, text)
    assert found.state == BROKEN and words in found.message


def test_answers_of_a_wrong_form_are_told(judged):
    text = repaired(1).replace(".argmax(dim=1)\n", "\n").replace("for _ in range(20)", "for _ in range(0)")
    text = text.split("right = ")[0]
    found = judged(1, text)
    assert found.state == BROKEN and "expected 1 answer per image" in found.message


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        ({"metric": 0.95, "misfits": [], "from_model": True, "trained": True}, FIXED, "fit each other"),
        ({"metric": 0.95, "misfits": [], "from_model": False, "trained": True}, BROKEN, "do not come from `model`"),
        ({"metric": 0.95, "misfits": [], "from_model": True, "trained": False}, BROKEN, "not those that were trained"),
        ({"metric": 0.95, "misfits": ["a"], "collapsed": False}, NOT_FIXED, "there is still a misfit"),
        ({"metric": 0.5, "misfits": ["a", "b"], "collapsed": False}, NOT_FIXED, "are still 2 misfits"),
        ({"metric": 0.1, "misfits": [], "collapsed": True}, NOT_FIXED, "alike"),
        ({"metric": 0.5, "misfits": [], "collapsed": False}, BROKEN, "something else"),
        ({"error": "It stops."}, BROKEN, "It stops."),
    ],
)
def test_findings_become_a_grade(found, state, words):
    told = lab.judge(challenges()[1], found)
    assert told.state == state and words in told.message and told.challenge.file in str(told)


def test_students_work_on_copies_that_are_kept(tmp_path, monkeypatch, capsys):
    for challenge in challenges().values():
        (tmp_path / challenge.file).write_text("original", "utf-8")
    mine = lab.own_copies(tmp_path)
    (mine / challenges()[1].file).write_text("my repair", "utf-8")
    monkeypatch.setattr(lab, "grade", lambda challenge, script: lab.Grade(challenge, FIXED, script.read_text("utf-8")))
    assert lab.main(folder=tmp_path) == 0
    shown = capsys.readouterr().out
    assert "my repair" in shown and shown.count("fixed. original") == 5
    assert (tmp_path / challenges()[1].file).read_text("utf-8") == "original"


def test_the_command_line_tells_hints_in_steps(capsys):
    assert command_line.main(["challenge", "3", "--hint", "2"]) == 0
    shown = capsys.readouterr().out
    assert "Hint 1:" in shown and "Hint 2:" in shown and "Hint 3:" not in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["7"], "no challenge 7"), (["--hint", "1"], "which challenge"), (["1", "--hint", "4"], "There are 3 hints")],
)
def test_a_mistake_gets_one_sentence(arguments, words, capsys):
    assert command_line.main(["challenge", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
