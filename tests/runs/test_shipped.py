"""The shipped results: table and histories agree, a stored run repeats, and a sweep goes on where they end."""

import errno
import os

import pandas as pd
import pytest
from made_up_runs import made_up

from lm_utils.data import load_data
from lm_utils.evidence import results as stored
from lm_utils.files import write_whole
from lm_utils.pairing import Pairing
from lm_utils.runs import shipped as reference
from lm_utils.runs import sweep
from lm_utils.runs.rows import pairings
from lm_utils.runs.store import COLUMNS
from lm_utils.tasks import TASKS
from lm_utils.training import EXPERIMENT_VERSION, fit

SHIPPED = reference.RESULTS / "mnist"


@pytest.fixture(scope="module")
def shipped():
    """The table and the histories, read at one time: a training may be adding runs."""
    return pd.read_csv(SHIPPED / "runs.csv"), reference.read_entries(SHIPPED)


@pytest.fixture
def entries(shipped):
    return shipped[1]


def test_the_table_is_made_of_the_histories(shipped):
    table, entries = shipped
    assert list(table.columns) == list(COLUMNS) and len(table) == len(entries)
    again = reference.table(sorted(entries, key=lambda entry: [entry[name] for name in reference.KEY]))
    pd.testing.assert_frame_equal(table, again, check_dtype=False)


def test_every_row_of_the_documents_has_runs_of_this_version(entries):
    assert {entry["version"] for entry in entries} == {EXPERIMENT_VERSION}
    assert {entry["data"] for entry in entries} == {"mnist"}
    trained = {Pairing(**{name: entry[name] for name in reference.KEY[:-1]}) for entry in entries}
    assert trained >= set(pairings())


def test_a_history_belongs_to_its_result(entries):
    for entry in entries:
        assert entry["epochs"] == len(entry["history"])
        if entry["status"] == "ok":
            best = entry["history"][entry["best_epoch"] - 1]
            assert best["valid_metric"] == entry["valid_metric"]


@pytest.mark.mnist
def test_a_stored_run_repeats(entries):
    try:
        data = load_data("mnist", seed=0)
    except ValueError as reason:
        pytest.skip(f"needs MNIST's files, named by LM_DATA_DIR ({reason})")
    pairing = Pairing("multiclass", "cross_entropy")
    stored = next(entry for entry in entries if entry["seed"] == 0 and entry["loss"] == pairing.loss
                  and entry["task"] == pairing.task and entry["activation"] == pairing.activation)  # fmt: skip
    run = fit(pairing, data, seed=0, max_epochs=2, device="cpu")
    for now, then in zip(run.history, stored["history"], strict=False):
        assert now["train_loss"] == pytest.approx(then["train_loss"], rel=0.02)
        assert now["valid_metric"] == pytest.approx(then["valid_metric"], abs=0.02)


def test_results_resume_from_their_own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "one"))
    wanted, folder = [Pairing("probability", "bce", "softmax")], tmp_path / "results"
    monkeypatch.setattr(reference, "LIMITS", (1, 1))
    reference.extend(wanted, 1, folder, "digits", "cpu", jobs=1)
    first = (folder / "histories" / "probability.jsonl").read_text()
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "another machine"))
    reference.extend(wanted, 2, folder, "digits", "cpu", jobs=1)
    lines = (folder / "histories" / "probability.jsonl").read_text().splitlines()
    assert lines[0] + "\n" == first and len(lines) == 2  # the first run was kept as it was, time and all


def test_runs_of_another_version_or_other_data_are_neither_shown_nor_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "cache"))
    pairing, other = Pairing("multiclass", "mse"), Pairing("multiclass", "mae")
    now, old = made_up(pairing, 0, 0.9, data="digits"), made_up(other, 0, 0.8, data="digits")
    reference.write_entries([now, {**old, "version": EXPERIMENT_VERSION - 1}], tmp_path / "digits")
    assert [entry["loss"] for entry in stored.reference("digits", tmp_path / "digits").entries] == ["mse"]
    reference.extend([pairing], 1, tmp_path / "digits", "digits", "cpu")
    assert "1 stored runs of another version or of other data than digits are left out." in capsys.readouterr().out
    again = made_up(other, 0, 0.7, data="digits")
    monkeypatch.setattr(sweep, "one_run", lambda *_, **__: again)
    reference.extend([pairing, other], 1, tmp_path / "digits", "digits", "cpu")
    kept = {entry["loss"]: entry["test_metric"] for entry in reference.read_entries(tmp_path / "digits")}
    assert kept == {"mse": 0.9, "mae": 0.7}


def test_the_grid_holds_every_combination_once():
    sizes = {task: len(reference.whole_grid(task)) for task in TASKS}
    assert sizes == {"regression": 80, "probability": 32, "binary": 32, "multiclass": 32, "multilabel": 32}
    assert all(len(set(reference.whole_grid(task))) == size for task, size in sizes.items())


def test_few_seeds_of_every_task_come_before_more_of_any(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(reference, "extend", lambda wanted, seeds, *_: asked.append((len(wanted), seeds)))
    reference.main(seeds=10, data="digits", tasks=("binary", "multilabel"))
    assert [seeds for _, seeds in asked] == [1, 1, 3, 3, 6, 6, 10, 10]
    asked.clear()
    reference.main(data="digits", grid=True, tasks=("binary",))
    assert asked == [(32, 1), (32, 3)]


def test_results_never_lie_in_a_folder_called_auto(tmp_path, monkeypatch):
    folders = set()
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(reference, "extend", lambda wanted, seeds, folder, data, *_: folders.add((folder.name, data)))
    reference.main(data="auto", seeds=1, tasks=("binary",))
    ((folder, data),) = folders
    assert folder == data == load_data("auto").name


def test_two_processes_never_train_into_one_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(reference, "extend", lambda *_: pytest.fail("the other process's runs would be erased"))
    folder = reference.RESULTS / "digits"
    with reference.alone_in(folder), pytest.raises(ValueError) as told:
        reference.main(data="digits", seeds=1)
    assert str(told.value) == f"Another process is training into {folder}; wait until it ends, or stop it."
    with reference.alone_in(folder), reference.alone_in(folder.with_name("mnist")):
        pass  # free again, and another folder is free all along


def test_locks_that_cannot_be_kept_are_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(ValueError, match=r"cannot be used .*name another folder in LM_CACHE_DIR"):
        reference.main(data="digits", seeds=1)


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path, monkeypatch):
    beside = []

    def full(part, path):
        beside.append(part)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "runs.csv", "some")
    assert str(os.getpid()) in beside[0].name and not list(tmp_path.iterdir())
