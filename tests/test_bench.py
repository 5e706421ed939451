"""The benchmark compares like with like, and its reports say what was measured."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from lm_utils import mnist
from lm_utils.commands import bench as command
from lm_utils.data import load_data
from lm_utils.experiments import bench
from lm_utils.experiments.plain_loop import plain_datasets


def check_images(name: str) -> None:
    splits = load_data(name, seed=2)
    for theirs, ours in zip(plain_datasets(name, seed=2), (splits.train, splits.valid, splits.test), strict=True):
        assert len(theirs) == len(ours)
        for i in (0, 7, len(ours) - 1):
            image, digit = theirs[i]
            assert image.equal(ours.images[i]) and digit == ours.digits[i]


def test_the_plain_loop_sees_the_same_images() -> None:
    check_images("digits")


@pytest.mark.mnist
def test_the_plain_loop_sees_the_same_mnist() -> None:
    try:
        mnist.read(mnist.raw_folder())
    except mnist.Unavailable:
        pytest.skip("needs the MNIST files: LM_DATA_DIR names the folder that holds them")
    check_images("mnist")


def test_the_plain_loop_learns_what_fit_learns() -> None:
    torch.manual_seed(0)
    accuracies = [bench.plain("digits", "cpu")(4), bench.one_fit("digits", "cpu")(4)]
    assert min(accuracies) > 0.85 and abs(accuracies[0] - accuracies[1]) < 0.07


@pytest.mark.slow
def test_a_quick_round_writes_table_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main("digits", "cpu", quick=True, folder=tmp_path) == 0
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".md", ".png"]
    rows = pd.read_csv(tmp_path / "digits-cpu.csv")
    assert list(rows.contender) == ["plain", "fit", "sweep"] and list(rows.runs) == [1, 1, 4]
    assert (rows.seconds > 0).all() and (rows.cpu_seconds > 0).all() and rows.peak_mb.between(100, 4000).all()
    printed = capsys.readouterr().out
    assert torch.__version__.split("+")[0] in printed and "No verdict" in printed
    assert (tmp_path / "digits-cpu.md").read_text(encoding="utf-8") in printed


def three_rounds(fit: float, sweep: float, peak: float = 900.0, device: str = "cpu") -> pd.DataFrame:
    seconds = {"plain": 1.0, "plain_all": 0.7, "fit": fit, "sweep": sweep}
    return pd.DataFrame(
        {"round": number, "contender": name, "runs": 1, "threads": 1, "seconds": number * value,
         "cpu_seconds": number * value, "peak_mb": peak, "accuracy": 0.9, "epochs": 4, "data": "digits",
         "device": device, "load": 0.1}
        for number in (1, 2, 3) for name, value in seconds.items()
    )  # fmt: skip


def test_ratios_compare_within_a_round() -> None:
    table = bench.ratios(three_rounds(fit=0.4, sweep=0.3)).set_index("ratio")
    assert table.loc["fit / plain loop, CPU time", ["median", "min", "max"]].tolist() == pytest.approx([0.4] * 3)
    assert table.loc["sweep / plain loop, time per run", "median"] == pytest.approx(0.3)


def test_a_missed_promise_is_named() -> None:
    assert command.missed(three_rounds(fit=0.4, sweep=0.3)) == []
    assert command.missed(three_rounds(fit=0.6, sweep=0.3)) == ["fit / plain loop, CPU time"]
    assert command.missed(three_rounds(fit=0.4, sweep=0.3, peak=1600)) == ["peak memory of a sweep"]
    assert "Every promise was kept" in command.report(three_rounds(fit=0.4, sweep=0.3))
    assert "Missed: fit" in command.report(three_rounds(fit=0.6, sweep=0.3))


def test_the_picture_has_words() -> None:
    assert "fit, one thread, 0.80 s" in command.figure(three_rounds(fit=0.4, sweep=0.3)).get_label()
