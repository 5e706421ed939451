import pytest
import torch

from lm_utils.tasks import TASKS

DIGITS = torch.arange(10)


def test_targets_are_those_of_the_documents():
    assert TASKS["regression"].target(DIGITS).flatten().tolist() == [2, 1, 2, 2, 6, 3, 3, 2, 4, 3]
    curved = {0, 3, 6, 8, 9}
    assert {d for d in range(10) if TASKS["probability"].target(DIGITS)[d] == 1} == curved
    assert {d for d in range(10) if TASKS["binary"].target(DIGITS)[d] == 1} == curved
    assert TASKS["multiclass"].target(DIGITS).tolist() == list(range(10))
    labels = TASKS["multilabel"].target(DIGITS)
    members = [{d for d in range(10) if labels[d, column] == 1} for column in range(4)]
    assert members == [{0, 2, 4, 6, 8}, {2, 3, 5, 7}, curved, {0, 1, 4, 9}]


@pytest.mark.parametrize(("name", "shape", "dtype"), [
    ("regression", (10, 1), torch.float32), ("probability", (10, 1), torch.float32), ("binary", (10,), torch.int64),
    ("multiclass", (10,), torch.int64), ("multilabel", (10, 4), torch.float32),
])  # fmt: skip
def test_target_shapes(name, shape, dtype):
    target = TASKS[name].target(DIGITS)
    assert target.shape == shape and target.dtype == dtype
    assert len(TASKS[name].names) == {"multiclass": 10, "multilabel": 4, "binary": 2}.get(name, 1)


def test_scores():
    labels = TASKS["multilabel"]
    predictions = torch.tensor([[0.5, 0.49, 0.9, 0.1]])
    assert labels.score(predictions, torch.tensor([[1.0, 0.0, 1.0, 1.0]])) == 0.75  # 0.5 counts as a yes
    assert TASKS["binary"].score(torch.tensor([[0.2, 0.8], [0.9, 0.1]]), torch.tensor([1, 1])) == 0.5
    assert TASKS["regression"].score(torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [3.0]])) == 0.5


def test_baselines_are_the_best_constant_answers():
    digits = torch.tensor([0, 0, 0, 1, 2, 3])
    for task in TASKS.values():
        targets = task.target(digits)
        if task.kind == "value":
            best = min(task.score(torch.full_like(targets, c / 100), targets) for c in range(700))
            assert task.baseline(targets, targets) == pytest.approx(best, abs=1e-3)
    assert TASKS["multiclass"].baseline(digits, digits) == 0.5
    assert TASKS["multilabel"].baseline(*2 * [TASKS["multilabel"].target(DIGITS)]) == pytest.approx(
        (0.5 + 0.6 + 0.5 + 0.6) / 4
    )
