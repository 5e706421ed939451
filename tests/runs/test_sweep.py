import errno
import json
import warnings
from pathlib import Path

import pytest

from lm_utils.files import cache_folder
from lm_utils.pairing import Pairing
from lm_utils.runs.store import COLUMNS, Store
from lm_utils.runs.sweep import sweep, sweep_entries
from lm_utils.training import EXPERIMENT_VERSION

QUICK = dict(data="digits", max_epochs=1, device="cpu", progress=False)
PAIRINGS = [Pairing("probability", "bce", "sigmoid"), Pairing("regression", "bce", normalize=True)]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


@pytest.mark.slow
def test_a_sweep_is_a_table_and_trains_nothing_twice(store):
    trained = []
    table = sweep(PAIRINGS, range(2), store=store, on_run=trained.append, **QUICK)
    assert list(table.columns) == list(COLUMNS) and len(table) == 4 == len(trained)
    assert set(table[table.task == "regression"].status) == {"error"}  # recorded, not raised
    again = sweep(PAIRINGS, range(2), store=store, on_run=trained.append, **QUICK)
    assert len(trained) == 4
    assert again.drop(columns="seconds").equals(table.drop(columns="seconds"))
    sweep(PAIRINGS[:1], [0], store=store, on_run=trained.append, fresh=True, **QUICK)
    assert len(trained) == 5


UNREADABLE = [(content, "it cannot be read") for content in ("", "{", "[]", "{}", "\x00\xff")]
OLD = ('{"version": 0}', f"it is of version 0, and now is version {EXPERIMENT_VERSION}")
INCOMPLETE = (json.dumps({"version": EXPERIMENT_VERSION}), "it is incomplete")


@pytest.mark.parametrize("content, reason", [*UNREADABLE, OLD, INCOMPLETE])
def test_a_corrupt_or_old_entry_is_a_miss_with_one_line(store, content, reason):
    entry = {**dict.fromkeys(COLUMNS), "version": EXPERIMENT_VERSION, "history": []}
    path = store.path(PAIRINGS[0], 0, "digits", "cpu", (1, 10))
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.warns(UserWarning, match=f"does not count: {reason}\\.$"):
        trained = sweep_entries(PAIRINGS[:1], [0], store=store, work=lambda *_, **__: entry, **QUICK)
    assert (
        trained == [entry] == [json.loads(path.read_text())] == sweep_entries(PAIRINGS[:1], [0], store=store, **QUICK)
    )


def test_an_unwritable_store_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"cannot be stored in .*LM_CACHE_DIR"):
        sweep(PAIRINGS[:1], [0], store=Store(tmp_path / "file" / "runs"), **QUICK)


def test_a_read_only_file_system_is_one_sentence(store, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(ValueError, match=r"cannot be stored in .*Read-only file system.*LM_CACHE_DIR"):
        store.put((PAIRINGS[0], 0), {}, "digits", "cpu", (1, 1))


def test_the_cache_is_the_same_folder_wherever_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LM_CACHE_DIR", "here")
    assert cache_folder() == tmp_path / "here"
    monkeypatch.setenv("LM_CACHE_DIR", "~/here")
    assert cache_folder() == Path.home() / "here"


def test_an_interrupt_keeps_what_is_finished(store):
    def interrupt(entry):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(PAIRINGS[:1], range(6), store=store, jobs=1, on_run=interrupt, **{**QUICK, "max_epochs": 2})
    kept = list(store.folder.rglob("*.json"))
    assert 1 <= len(kept) < 6 and not list(store.folder.rglob("*.part"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(store.get(path) for path in kept)


@pytest.mark.slow
def test_two_workers_give_the_numbers_of_one(tmp_path):
    one, two = (sweep(PAIRINGS[:1], range(2), store=Store(tmp_path / str(jobs)), jobs=jobs, **QUICK) for jobs in (1, 2))
    assert one.test_metric.tolist() == pytest.approx(two.test_metric.tolist(), abs=1e-3)


BAD = [dict(seeds=[-1]), dict(data="dogs"), dict(device="tpu"), dict(max_epochs=0), dict(precision="int8")]


@pytest.mark.parametrize("options", BAD)
def test_bad_input_is_refused_before_anything_trains(store, options):
    with pytest.raises(ValueError):
        sweep(PAIRINGS[:1], **{"seeds": [0], "store": store, **QUICK, **options})
    assert not store.folder.exists()


@pytest.mark.slow  # many processors have no bfloat16 of their own
def test_bf16_is_another_run_than_fp32(store):
    full, half = (
        sweep_entries(PAIRINGS[:1], [0], store=store, precision=name, **QUICK)[0] for name in ("fp32", "bf16")
    )
    assert "precision" not in full and half["precision"] == "bf16"
    assert half["test_metric"] == pytest.approx(full["test_metric"], abs=0.1) and half["history"] != full["history"]
    assert len(list(store.folder.rglob("*.json"))) == 2
    assert sweep_entries(PAIRINGS[:1], [0], store=store, precision="bf16", **QUICK) == [half]
