"""Notebook 00: the scripts on the page are the runs shown, the vote keeps its secret, the map is the notebooks'."""

import re

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot
from torch.optim import AdamW

import lm_utils as lm
from lm_utils.files import NOTEBOOKS
from lm_utils.lessons import start_here as lesson
from lm_utils.lessons import start_here_scripts as scripts
from lm_utils.lessons import ten_questions
from lm_utils.pairing import USUAL_ACTIVATIONS, recommended, usual_pairing
from lm_utils.runs.rows import rows
from lm_utils.show import quiz
from lm_utils.workshop.publish import notebooks

SOURCE = NOTEBOOKS / "src" / "00_start_here.py"


@pytest.mark.parametrize("name", scripts.SCRIPTS)
def test_the_scripts_shown_are_the_runs_shown(name, digits):
    """Run the very text on the page for one epoch: its mean loss is the one that `fit` reports."""
    targets = one_hot(digits.train.digits, 10).float()

    order = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(0)).split(32)
    losses = []

    class Recorded(nn.BCELoss):
        def forward(self, p, y):
            value = super().forward(p, y)
            losses.append(value.item() * len(p))
            return value

    world = {
        "AdamW": AdamW, "nn": type("nn", (), {"BCELoss": Recorded}),
        "batches": [(digits.train.images[batch], targets[batch]) for batch in order],
    }  # fmt: skip

    class Seeded(lm.TinyCNN):
        def __init__(self, outputs):
            super().__init__(outputs, generator=torch.Generator().manual_seed(0))

    world["TinyCNN"] = Seeded
    exec(scripts.NETWORK + scripts.script(name), world)
    run = lm.fit(scripts.PAIRINGS[name], digits, max_epochs=1, device="cpu", network=lm.TinyCNN)
    assert sum(losses) / len(digits.train) == pytest.approx(run.history[0]["train_loss"], abs=1e-3)


@pytest.fixture(scope="module")
def opened(digits):
    """The cold open, before and after a click on Train."""
    box = scripts.ColdOpen(digits, 0.1, lesson.Vote("scripts", "Why?", ["this", "that"]), "cpu")
    before = box.picture.value
    box.button.click()
    assert box.runs is box.finished  # waits for the click's training, and trains nothing again
    return box, before


@pytest.mark.slow
def test_a_click_trains_both_scripts_and_draws_their_curves(opened):
    box, before = opened
    assert "not trained yet" in before and "not trained yet" not in box.picture.value
    assert box.runs["A"].test_metric > 0.8 and box.runs["B"].test_metric < 0.3
    assert [len(history) for history in box.histories.values()] == [scripts.EPOCHS] * 2
    assert box.status.value.count("of the test images right") == 2


@pytest.mark.slow
def test_the_sizes_on_the_page_are_the_network_s(opened):
    model = opened[0].runs["A"].model
    page = scripts.two_scripts()
    assert f"{model.fc.in_features} numbers" in page
    assert f"fc: {model.fc.in_features} → {model.fc.out_features} hidden units" in page
    assert f"out: {model.out.in_features} → {model.out.out_features} numbers" in page
    convolutions = [layer for layer in model.children() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 2 and "two convolutions" in page


def test_the_reason_stays_a_secret_until_its_notebook():
    secret = scripts.PAIRINGS["B"].advice.reason
    text = lesson.verdict_text("multiclass", "bce", "sigmoid")
    assert secret not in text and "notebook 11" in text and "handicapped" in text
    assert "notebook 11" not in lesson.verdict_text("multiclass", "cross_entropy", "none")


def test_the_table_agrees_with_the_documents():
    published = {(row.pairing.task, row.pairing.loss) for row in rows(table="loss") if row.fits}
    ours = {(task, pairing.loss) for task in lm.TASKS for pairing in recommended(task)}
    assert published <= ours
    assert not lesson.fitting_table()["task"].isna().any()


def test_how_many_pairings_are_impossible():
    """Notebook 00 says it in words, with figures for the three tasks with classes or labels."""
    pairs = [(loss, activation) for loss in lm.LOSSES for activation in USUAL_ACTIVATIONS]
    found = {task: [usual_pairing(task, *pair).verdict for pair in pairs] for task in lm.TASKS}
    assert {len(verdicts) for verdicts in found.values()} == {32}
    impossible = {task: verdicts.count("impossible") for task, verdicts in found.items()}
    few = {task: count for task, count in impossible.items() if lm.TASKS[task].kind in ("exclusive", "labels")}
    assert few == {"binary": 2, "multiclass": 2, "multilabel": 2}
    assert min(impossible["regression"], impossible["probability"]) > 10


def test_the_ten_questions_come_before_any_answer():
    text = SOURCE.read_text("utf-8")
    assert text.index("lesson.Vote(") < text.index("ten_questions.before()") < text.index("quiz.predict(")


def test_a_vote_is_kept_and_nothing_is_revealed(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    box = lesson.Vote("scripts", "Why?", ["this", "that"])
    assert lesson.recall("scripts") is None
    box.choices.value = "that"
    assert lesson.recall("scripts") == "that" and "Kept" in box.note.value
    assert "again in notebook 15" in box.note.value
    assert lesson.Vote("scripts", "Why?", ["this", "that"]).choices.value == "that"
    (tmp_path / "votes.json").write_text("[1", "utf-8")
    assert lesson.recall("scripts") is None


def test_votes_and_replies_of_the_working_copy_are_kept_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr("lm_utils.files.WORKING_COPY", tmp_path / "my_notebooks")
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "cache"))
    for folder, kept_in in (("my_notebooks/ko", "my_notebooks"), ("notebooks", "cache")):
        (tmp_path / folder).mkdir(parents=True)
        monkeypatch.chdir(tmp_path / folder)
        lesson.keep("scripts", kept_in)
        assert lesson.recall("scripts") == kept_in
        assert lesson.votes_file() == tmp_path / kept_in / "votes.json" and lesson.votes_file().exists()
        assert ten_questions.kept_file() == tmp_path / kept_in / "ten_questions.json"


def test_every_option_of_the_vote_is_answered_at_the_end():
    verdicts = pytest.importorskip("lm_utils.lessons.verdicts")
    source = SOURCE.read_text("utf-8")
    assert all(f'"{option}"' in source for option in verdicts.VOTES)


def test_a_vote_survives_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "file"))
    box = lesson.Vote("scripts", "Why?", ["this", "that"])
    box.choices.value = "this"
    assert "remember it" in box.note.value


def test_map_and_paths_come_from_the_notebooks():
    course = lesson.notebooks_here()
    listed = (SOURCE.parents[1] / "README.md").read_text("utf-8")
    said = {number: int(re.search(rf"\[{number} .*? \| (\d+) minutes", listed)[1]) for number in ("00", "04")}
    assert {number: int(course[number]["minutes"]) for number in said} == said
    assert course["04"]["file"] == "04_output_activations.ipynb"
    assert "00_start_here.ipynb" in lesson.course_map().data
    assert f"Two, {sum(said.values())} minutes:" in lesson.course_path("Two", ["00", "04"]).data
    assert "Plan, 17 minutes:" in lesson.course_path("Plan", {"00": 10, "04": 7, "99": 5}).data


@pytest.mark.parametrize(
    "old, new, state, words",
    [
        ("range(200)", "range(400)", "unanswered", "still gives"),
        (", nn.Softmax(dim=1)", "", "right", "now gives"),
        ("nn.Softmax(dim=1)", "nn.Sigmoid()", "wrong", "A sigmoid also keeps"),
        ("nn.Softmax(dim=1)", "nn.ReLU()", "wrong", "ReLU cuts off"),
        ("nn.CrossEntropyLoss()", "nn.NLLLoss()", "wrong", "NLLLoss expects logarithms"),
        (
            "nn.CrossEntropyLoss()(model(flowers), kinds)",
            "nn.MSELoss()(model(flowers), flowers)",
            "wrong",
            "another loss",
        ),
    ],
)
def test_every_common_repair_of_the_broken_script_gets_its_message(tmp_path, old, new, state, words):
    code = [cell.source for cell in notebooks.build(SOURCE).cells if cell.cell_type == "code"]
    (script,), (asked,) = ([text for text in code if mark in text] for mark in ("def script", "quiz.check_script"))
    file = tmp_path / "script.py"  # the check reads the code of the script
    file.write_text(script.replace(old, new), "utf-8")
    names = {"torch": torch, "nn": torch.nn, "quiz": quiz}
    exec(compile(file.read_text("utf-8"), file, "exec"), names)
    verdict = eval(asked, names)
    assert old in script and verdict.state == state and words in verdict.message
