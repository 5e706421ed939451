"""The benchmark compares like with like, and its reports say what was measured."""

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from lm_utils import mnist
from lm_utils.data import Part, Splits, load_data
from lm_utils.show.style import png
from lm_utils.workshop.bench import command, competitors, growth, speed, speed_page
from lm_utils.workshop.bench.competitors import places, plain_datasets, splits_with


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Measured as the benchmark does: a second thread on a busy machine can take many times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def check_images(name: str, train_images: int | None = None) -> None:
    splits = splits_with(name, train_images, seed=2)
    theirs_and_ours = zip(plain_datasets(name, train_images, seed=2), parts(splits), strict=True)
    for theirs, ours in theirs_and_ours:
        assert len(theirs) == len(ours)
        for i in (0, 7, len(ours) - 1):
            image, digit = theirs[i]
            assert image.equal(ours.images[i]) and digit == ours.digits[i]


def parts(splits: Splits) -> tuple[Part, Part, Part]:
    return splits.train, splits.valid, splits.test


@pytest.mark.parametrize("train_images", [None, 150])
def test_the_plain_loop_sees_the_same_images(train_images: int | None) -> None:
    check_images("digits", train_images)


@pytest.mark.mnist
@pytest.mark.parametrize("train_images", [None, 500, 3000])
def test_the_plain_loop_sees_the_same_mnist(train_images: int | None) -> None:
    try:
        mnist.read(mnist.raw_folder())
    except mnist.Unavailable:
        pytest.skip("needs the MNIST files: LM_DATA_DIR names the folder that holds them")
    check_images("mnist", train_images)
    usual, more = load_data("mnist", 2), splits_with("mnist", 3000, 2)
    assert more.train.images[:2000].equal(usual.train.images) and more.valid.images.equal(usual.valid.images)
    assert not set(places(3000, 2)[0]) & set(places(3000, 2)[1])


def test_the_embedded_digits_have_no_more_images() -> None:
    with pytest.raises(ValueError, match="have 600 training images, not 601; use MNIST"):
        splits_with("digits", 601)


def test_the_arithmetic_of_an_epoch_is_counted_from_the_layers() -> None:
    products = [28**2 * 32 * 9, 12**2 * 64 * 32 * 9, 4**2 * 64 * 64 * 9, 1024 * 64, 64 * 10]  # multiply and add: 2
    forward = 2 * sum(products)
    backward = 2 * forward - 2 * products[0]  # nobody asks for the gradient of the images
    expected = (2000 * (forward + backward) + 3000 * forward) / 1e9
    assert speed.work_of("mnist", 3) - speed.work_of("mnist", 2) == pytest.approx(expected)
    assert speed.work_of("mnist", 0) == pytest.approx(10_000 * forward / 1e9)


@pytest.mark.parametrize("name", competitors.PEERS)
def test_a_peer_learns_what_the_plain_loop_learns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip(name, reason=f"needs the benchmark's peers: {competitors.HOW}")
    accuracies = []
    for prepare in (speed.plain, getattr(competitors, name)):
        work = prepare("digits", "cpu")
        torch.manual_seed(0)
        accuracies.append(work(2))
    assert min(accuracies) > 0.75 and abs(accuracies[0] - accuracies[1]) < 0.1
    if name != "keras":  # these two ask PyTorch for the same random numbers as the plain loop
        assert accuracies[1] == pytest.approx(accuracies[0], abs=0.005)


def test_peers_that_are_not_installed_are_named_with_the_way_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(competitors, "find_spec", lambda name: None)
    monkeypatch.setattr(speed, "rounds_of", lambda *_: three_rounds(0.4, 0.3))
    assert [name for name in speed.here("cpu") if name in competitors.PEERS] == []
    command.main("digits", "cpu", parts=("speed",), folder=tmp_path)
    assert f"not installed: skorch, lightning, keras; `{competitors.HOW}` installs them." in capsys.readouterr().out


def test_an_unknown_part_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="Unknown part 'memory'; choose from speed, growth, scale, bf16"):
        command.main(parts=["memory"])


@pytest.mark.slow
def test_the_plain_loop_learns_what_fit_learns() -> None:
    torch.manual_seed(0)
    accuracies = [speed.plain("digits", "cpu")(4), speed.one_fit("digits", "cpu")(4)]
    assert min(accuracies) > 0.85 and abs(accuracies[0] - accuracies[1]) < 0.07


@pytest.mark.slow
def test_a_quick_round_writes_tables_and_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "here", lambda device: ["plain", "fit", "sweep"])
    monkeypatch.setattr(growth, "here", lambda device: ["fit", "sweep"])
    server = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")
    server.set_forkserver_preload([growth.__name__])  # six processes of their own, and one import of PyTorch
    monkeypatch.setattr(speed, "get_context", lambda method: server)
    assert command.main("digits", "cpu", quick=True, folder=tmp_path) == 0
    names = [f"{name}.{kind}" for name in ("digits-cpu", "growth-digits-cpu") for kind in ("csv", "md")]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    rows = pd.read_csv(tmp_path / "digits-cpu.csv")
    assert list(rows.contender) == ["plain", "fit", "sweep"] and list(rows.runs) == [1, 1, 4]
    assert (rows.seconds > 0).all() and (rows.cpu_seconds > 0).all() and rows.peak_mb.between(100, 4000).all()
    printed = capsys.readouterr().out
    assert torch.__version__.split("+")[0] in printed and "No verdict" in printed
    assert (tmp_path / "digits-cpu.md").read_text(encoding="utf-8") in printed
    grown = pd.read_csv(tmp_path / "growth-digits-cpu.csv")
    assert set(grown.curve) == set(growth.CURVES) and (grown.seconds > 0).all()


def three_rounds(fit: float, sweep: float, peak: float = 900.0, device: str = "cpu") -> pd.DataFrame:
    seconds = {"plain": 1.0, "plain_all": 0.7, "fit": fit, "sweep": sweep}
    return pd.DataFrame(
        {"round": number, "contender": name, "runs": 1, "threads": 1, "seconds": number * value,
         "cpu_seconds": number * value, "peak_mb": peak, "accuracy": 0.9, "epochs": 4, "data": "digits",
         "device": device, "load": 0.1, "gflop": 8.0, "matrix_gflops": 80.0, "machine": "a machine",
         "versions": "torch 2", "date": "2026-01-02"}
        for number in (1, 2, 3) for name, value in seconds.items()
    )  # fmt: skip


def test_ratios_compare_within_a_round() -> None:
    table = speed.ratios(three_rounds(fit=0.4, sweep=0.3)).set_index("ratio")
    assert table.loc["fit / plain loop, CPU time", ["median", "min", "max"]].tolist() == pytest.approx([0.4] * 3)
    assert table.loc["sweep / plain loop, time per run", "median"] == pytest.approx(0.3)


def test_a_missed_promise_is_named() -> None:
    assert speed_page.missed(three_rounds(fit=0.4, sweep=0.3)) == []
    assert speed_page.missed(three_rounds(fit=0.6, sweep=0.3)) == ["fit / plain loop, CPU time"]
    assert speed_page.missed(three_rounds(fit=0.4, sweep=0.3, peak=1600)) == ["peak memory of a sweep"]
    assert "Every promise was kept" in speed_page.report(three_rounds(fit=0.4, sweep=0.3))
    assert "Missed: fit" in speed_page.report(three_rounds(fit=0.6, sweep=0.3))
    assert "No verdict" in speed_page.report(three_rounds(fit=0.6, sweep=0.3, device="cuda"))


def test_the_share_of_the_peak_is_work_over_time_times_speed() -> None:
    shares = speed.summary(three_rounds(fit=0.4, sweep=0.25)).share  # 8 GFLOP at 80 GFLOP/s would take 0.1 s
    assert shares["fit, one thread"] == pytest.approx(0.1 / 0.8)  # the median round took 0.8 s


def straight_lines() -> pd.DataFrame:
    slopes = {"plain": 0.5, "fit": 0.2}
    images = [{"curve": "images", "contender": name, "x": x, "runs": 1, "seconds": 1 + slope * x / 1000}
              for name, slope in slopes.items() for x in (500, 1000, 20_000)]  # fmt: skip
    runs = [{"curve": "runs", "contender": "sweep", "x": x, "runs": x, "seconds": 1.0} for x in (1, 64)]
    told = {"epochs": 1, "data": "mnist", "device": "cpu", "load": 0.1, "machine": "a machine", "versions": "torch 2",
            "date": "2026-01-02", "peak_mb": 900.0}  # fmt: skip
    return pd.DataFrame([{**row, **told} for row in [*images, *runs]]).assign(cpu_seconds=lambda frame: frame.seconds)


def test_the_slope_is_what_a_thousand_images_cost() -> None:
    assert growth.per_thousand_images(straight_lines()) == pytest.approx({"plain": 0.5, "fit": 0.2})
    text = speed_page.growth_report(straight_lines())
    assert "| plain loop | 1.25 | 1.50 | 11.00 | 0.500 |" in text and "| 64 | 64.00 | 1.00 | 900 MB |" in text


def test_the_page_of_results_tells_what_was_measured() -> None:
    told = speed_page.speed_table(three_rounds(fit=0.4, sweep=0.3), straight_lines())
    assert "| fit, one thread | 0.80 s | 0.40 | 0.80 s | 0.40 | 0.20 s |" in told
    assert "a machine" in told and "2026-01-02" in told


def test_the_picture_has_words_and_is_small() -> None:
    measured, grown = three_rounds(fit=0.4, sweep=0.3), straight_lines()
    drawing = speed_page.overview(measured, grown)
    assert "fit, 0.80 s" in drawing.get_label() and "fit 0.20 s" in drawing.get_label()
    assert len(png(drawing)) < 300_000


def test_a_group_is_as_large_as_it_says() -> None:
    assert speed.CONTENDERS["group"].runs == speed.GROUP_RUNS and "group" in speed.here("cuda")
