"""The page about very large sweeps says what was measured, and the pretended runs go the way of real ones."""

import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import KEY
from lm_utils.runs.store import COLUMNS, Store
from lm_utils.runs.sweep import sweep_entries
from lm_utils.workshop.bench import bf16, scale, speed
from lm_utils.workshop.bench.command import table_of


def test_a_pretended_sweep_costs_a_little_more_than_its_sleep() -> None:
    row = scale.pretended_sweep("threads", 8, 200)
    assert row["jobs"] == 200 and row["seconds"] > 200 * scale.SECONDS / 8
    assert row["overhead_ms"] == pytest.approx(1000 * (row["seconds"] / 200 - scale.SECONDS / 8))
    entry = scale.typical_entry()
    assert row["bytes_per_run"] == pytest.approx(len(json.dumps(entry)), rel=0.1)


def test_what_stands_in_for_a_run_is_stored_like_one(tmp_path: Path) -> None:
    pairing, store = Pairing("binary", "mse", "softmax"), Store(tmp_path)
    work = lambda key, stop, **_: scale.pretend(key, entry=scale.typical_entry(), seconds=0)  # noqa: E731
    options = {"data": "digits", "device": "cpu", "store": store, "progress": False}
    (first,) = sweep_entries([pairing], [7], work=work, **options)
    assert (first["loss"], first["seed"]) == ("mse", 7)
    assert sweep_entries([pairing], [7], **options) == [first]  # found again, nothing trained


def test_the_page_in_docs_is_up_to_date() -> None:
    assert scale.PAGE.read_text(encoding="utf-8") == scale.page(), "run `python -m lm_utils bench --parts=scale`"


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A folder with round figures."""
    told = {"machine": "a machine", "versions": "torch 2", "date": "2026-01-02", "load": 0.5}
    jobs = [{"way": way, "workers": 32, "jobs": 10_000, "job_seconds": 0.01, "seconds": 13.125,
             "caller_cpu_seconds": 5.0, "overhead_ms": 1.0, "bytes_per_run": 4000.0, **told}
            for way in ("threads", "cluster")]  # fmt: skip
    jobs.append({"way": "results folder", "workers": 1, "jobs": 10_000, "seconds": 2.0, **told})
    pd.DataFrame(jobs).to_csv(tmp_path / "scale-jobs.csv", index=False)
    run = {"runs": 600, "epochs": 35.0, "gflop": 2000.0, "bytes_per_run": 3000.0, "core_seconds": 36.0}
    pd.DataFrame([{**run, "machine": "a machine"}]).assign(gpu_seconds=float("nan"), gpu="").to_csv(
        tmp_path / "scale-run.csv", index=False
    )
    return tmp_path


def test_the_arithmetic_of_a_million_runs(measured: Path) -> None:
    text = scale.page(measured)
    assert "10,000 core hours, 3.0 GB of results" in text  # 36 s are a hundredth of an hour
    assert (
        "| 64 such cores | 6.5 days |" in text
        and "| 1,000 such cores | 10.0 hours |" in text
        and "No GPU has been measured yet" in text
    )
    assert "fewer than about 36,000 cores" in text  # 36 s a run, 1 ms of overhead
    assert "4.0 GB in a million files" in text and "it can follow 18 cores" in text


def test_a_gpu_adds_its_lines(measured: Path) -> None:
    run = pd.read_csv(measured / "scale-run.csv").assign(gpu_seconds=0.864, gpu="a GPU")
    run.to_csv(measured / "scale-run.csv", index=False)
    text = scale.page(measured)
    assert "| 1 × a GPU | 10.0 days |" in text and "one caller serves about 864" in text and "No GPU" not in text


def test_a_run_is_reckoned_from_the_benchmark() -> None:
    on_cpu = pd.DataFrame({"contender": ["fit"], "cpu_seconds": [2.0], "gflop": [100.0], "machine": ["a machine"]})
    row = scale.a_run(on_cpu).iloc[0]
    assert row.gflop == pytest.approx(speed.work_of("mnist", 0) + row.epochs * 62.744832, rel=1e-6)
    assert row.core_seconds == pytest.approx(row.gflop / 50) and not row.gpu_seconds > 0
    on_gpu = on_cpu.assign(contender="group", seconds=0.1, machine="a GPU")
    assert scale.a_run(on_cpu, on_gpu).iloc[0].gpu_seconds == pytest.approx(row.gflop / 1000)


def runs(metric: float, data: str = "mnist") -> pd.DataFrame:
    rows = []
    for pairing in bf16.recommended():
        named = {name: getattr(pairing, name) for name in KEY[:-1]}
        rows += [{**dict.fromkeys(COLUMNS, 0), **named, "seed": seed, "data": data, "test_metric": metric + seed / 1000}
                 for seed in range(6)]  # fmt: skip
    return pd.DataFrame(rows)


def test_bf16_is_compared_seed_by_seed_within_one_data_set() -> None:
    compared = bf16.paired(runs(0.951), runs(0.95))
    assert [pairing.task for pairing, *_ in compared] == list(bf16.TASKS)
    for _, full, half, comparison in compared:
        assert (full.mean, half.mean) == pytest.approx((0.9525, 0.9535))
        assert comparison.difference.n == 6 and comparison.verdict == "practically equal"
    assert "| 0.9525 | 0.9535 | +0.0010 (+0.0010 to +0.0010) | 6 | practically equal |" in bf16.report(
        compared, table_of("mnist-cpu")
    )
    assert {row[3].verdict for row in bf16.paired(runs(0.9, "digits"), runs(0.95))} == {"missing"}


def test_bf16_runs_go_on_where_they_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(bf16, "recommended", lambda: [Pairing("multiclass", "cross_entropy")])
    work = partial(scale.pretend, entry=scale.typical_entry(), seconds=0)
    monkeypatch.setattr(bf16, "sweep_entries", partial(sweep_entries, work=work))
    for seeds in (1, 2):
        bf16.train(tmp_path / "bf16.csv", seeds, "digits", (1, 1))
    said = [line for line in capsys.readouterr().out.splitlines() if "bf16" in line]
    assert [line.rpartition(": ")[2] for line in said] == ["1 of 1 runs to train", "1 of 2 runs to train"]
    table = pd.read_csv(tmp_path / "bf16.csv")
    assert list(table.columns) == list(COLUMNS) and table.seed.tolist() == [0, 1]
