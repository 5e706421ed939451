"""The explorer without a browser: choices, live runs, texts and pictures, and the box's states."""

import csv
import io
import subprocess
import sys
import time
from copy import copy
from dataclasses import replace
from threading import Event

import psutil
import pytest
from helpers import status_line, until
from matplotlib.backends.backend_agg import FigureCanvasAgg

from lm_utils.evidence.reference_lines import reference_lines
from lm_utils.evidence.results import Results, reference
from lm_utils.explorer import figures, server, texts
from lm_utils.explorer.choice import PRESETS, Choice, changed
from lm_utils.explorer.comparison import KEPT, Comparison, comparison_figure
from lm_utils.explorer.explorer import Explorer
from lm_utils.explorer.live_run import BREAKS, CONSTANT, LEARNS, LiveRun
from lm_utils.explorer.prediction import reply
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import KEY, activations_for
from lm_utils.show.chart import chart_figure
from lm_utils.tasks import TASKS

FITS = Choice(Pairing("multiclass", "cross_entropy"), epochs=2)
REFUSED = Choice(Pairing("regression", "bce"), epochs=2)
NOTHING_STORED = Results("reference", "mnist", ())


def trained(choice, data, stop=None):
    """A finished live run that was looked at after every batch."""
    live = LiveRun(choice, data, "cpu", lambda live: (live.look(), live.probe()))
    live.train(stop or Event())
    return live


def lines_of(live):
    """The lines that its curves are read by."""
    return reference_lines(live.choice.pairing, live.data)


@pytest.fixture(scope="module")
def done(tiny):
    return trained(FITS, tiny)


@pytest.fixture(scope="module")
def refused(tiny):
    return trained(REFUSED, tiny)


# --- choices ---


def test_six_presets_are_rows_of_the_tables():
    assert len(PRESETS) == 6 and len({preset.choice for preset in PRESETS}) == 6
    assert {preset.choice.pairing.verdict for preset in PRESETS} == {
        "recommended", "workable", "handicapped", "impossible",
    }  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_whatever_is_changed_the_choice_stays_valid(task):
    odd = Choice(Pairing("regression", "mse", "sigmoid_inverse", normalize=True))
    assert changed(odd, task=task).pairing.activation in activations_for(task)
    assert changed(changed(FITS, prior_bias=True), task=task).pairing.task == task
    assert changed(FITS, lr=0.1).lr == 0.1


# --- a live run ---


def test_a_live_run_knows_what_is_going_on(done):
    assert done.run.status == "ok" and len(done.history) == 2 and done.batches == 6 == 2 * done.batches_per_epoch
    assert [look.epoch for look in done.looks] == pytest.approx([k / 3 for k in range(7)])
    assert set(done.inner_looks[-1].gradients) == {"conv1", "conv2", "conv3", "fc", "out"}
    assert 0 <= done.inner_looks[-1].stuck <= done.inner_looks[-1].flat <= 1
    assert len(done.answers) == 16 and done.report is not None and done.seconds_left == 0


def test_a_run_that_is_watched_is_the_same_run(tiny, done):
    assert LiveRun(FITS, tiny, "cpu").train().history == done.run.history


def test_stop_before_the_first_batch(tiny):
    stop = Event()
    stop.set()
    live = trained(FITS, tiny, stop)
    assert live.run.status == "stopped" and live.report is None
    assert "in the first epoch, after 0 batches" in texts.ending(live) and live.outcome == ""


def test_a_loss_that_refuses_is_a_result(refused):
    assert refused.run.status == "error" and refused.report.count("error")
    assert "between 0 and 1" in texts.ending(refused) and refused.outcome == BREAKS


def test_nan_is_told(tiny):
    live = LiveRun(FITS, tiny, "cpu")
    setup = live._setup

    def poisoned(model):
        optimizer = setup(model)
        model.out.bias.data.fill_(float("nan"))
        return optimizer

    live._setup = poisoned
    live.train()
    assert live.run.status == "diverged" and "from the first epoch on" in texts.ending(live)
    assert live.outcome == BREAKS
    chart_figure(figures.curves_chart(FITS.pairing, lines_of(live), live))
    figures.inside_figure(live)


# --- words and pictures ---


def test_the_card_tells_the_verdict_by_sign_and_word_and_keeps_a_secret():
    choice = PRESETS[1].choice
    told, secret = texts.pairing_card(choice, NOTHING_STORED), texts.question_card(choice)
    assert "△ handicapped:" in told and "none of this pairing" in told
    assert "handicapped" not in secret and "Stored result" not in secret and "one-hot rows" in secret


def test_a_stored_result_says_whose_it_is_and_how_it_was_trained():
    stored = reference("mnist")
    entries = [entry for entry in stored.entries if entry["status"] == "ok"]
    if not entries:
        pytest.skip("no reference results here; `make results` makes them")
    pairing = Pairing(**{name: entries[0][name] for name in KEY[:-1]})
    assert "(reference: MNIST)" in texts.stored_line(Choice(pairing), stored)
    assert "learning rate 0.001" in texts.stored_line(Choice(pairing, lr=0.1), stored)


@pytest.mark.parametrize("task", TASKS)
def test_pictures_of_every_task_have_an_alt_text(tiny, task):
    live = trained(changed(FITS, task=task, epochs=1, loss="mse"), tiny)
    pictures = [
        chart_figure(figures.curves_chart(live.choice.pairing, lines_of(live), live)),
        figures.inside_figure(live),
        figures.images_figure(live),
        comparison_figure([live]),
    ]
    assert all(figure.get_label() for figure in pictures) and len({figure.get_label() for figure in pictures}) == 4


def test_the_legend_leaves_the_star_of_a_short_run_alone(tiny):
    live = trained(changed(FITS, epochs=3), tiny)
    for record, value in zip(live.history, (0.46, 0.66, 0.76), strict=True):
        record["valid_metric"] = value
    live.looks, live.run = [], replace(live.run, best_epoch=3)
    axes = chart_figure(figures.curves_chart(FITS.pairing, lines_of(live), live)).axes[1]
    axes.figure.canvas.draw()
    (star,) = (line for line in axes.lines if line.get_label() == "best epoch")
    x, y = axes.transData.transform(star.get_xydata()[0])
    assert not axes.get_legend().get_window_extent().padded(8).contains(x, y)


def test_the_curves_carry_their_reference_lines(digits):
    pairing = PRESETS[2].choice.pairing
    figure = chart_figure(figures.curves_chart(pairing, reference_lines(pairing, digits)))
    named = {line.get_label(): line.get_ydata()[0] for line in figure.axes[0].lines}
    assert named["lowest loss within reach"] == pytest.approx(1.4612, abs=1e-4)
    assert named["constant answer"] == pytest.approx(2.3026, abs=1e-3)


def test_the_doctor_in_words(done, refused):
    assert "✗ error:" in texts.findings(refused.report) and "<code>" in texts.findings(refused.report)
    assert texts.findings(None) == "" and "doctor" in texts.findings(done.report)


def test_prediction_and_outcome_side_by_side():
    assert "As you said" in reply(LEARNS, LEARNS)
    assert "Not as you said" in reply(LEARNS, CONSTANT)
    assert "Stopped" in reply(LEARNS, "")


def test_six_runs_are_kept_and_saved(done, refused, tmp_path):
    comparison = Comparison(tmp_path)
    comparison.save()
    assert "no runs" in comparison.links.value
    for live in [refused, *[done] * KEPT]:
        comparison.keep(live)
    assert len(comparison.runs) == KEPT and refused not in comparison.runs
    comparison.keep(refused)
    comparison.save()
    lines = list(csv.DictReader(io.StringIO((tmp_path / "explorer-runs.csv").read_text())))
    assert len(lines) == 2 * (KEPT - 1) + 1 and lines[-1]["status"] == "error" and lines[0]["valid_loss"]
    assert (tmp_path / "explorer-runs.png").read_bytes().startswith(b"\x89PNG")
    comparison.folder = tmp_path / "explorer-runs.csv"  # a file is no folder
    comparison.save()
    assert "cannot be written" in comparison.links.value and "download=" in comparison.links.value
    comparison.show([])
    assert comparison.runs == []


def test_every_task_has_its_panel_and_every_run_its_line(done, refused, tiny):
    other = trained(changed(FITS, task="multilabel", loss="bce", activation="sigmoid", epochs=1), tiny)
    figure = comparison_figure([done, other, refused, done])
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 1, 1]
    assert "Without a curve: 3: nn.BCELoss without activation" in figure.get_label()
    assert "1 epoch " in figures.curves_alt(
        other.choice.pairing, lines_of(other), other)  # fmt: skip


@pytest.mark.parametrize("loss", [-3.25e5, -1.25e-5, 2.5e-4, 123456.0, 87654.0, 0.3251])
def test_the_label_of_an_axis_stays_in_the_picture(done, loss):
    live = copy(done)
    live.looks, live.history = [], [{**record, "train_loss": loss, "valid_loss": loss * (1 + record["epoch"] / 4)}
                                    for record in done.history]  # fmt: skip
    figure = chart_figure(figures.curves_chart(FITS.pairing, replace(lines_of(done), constant_loss=None), live))
    figure.draw_without_rendering()
    draw = FigureCanvasAgg(figure).get_renderer()
    for axes in figure.axes:
        label, ticks = axes.yaxis.label.get_window_extent(draw), axes.yaxis.get_tightbbox(draw)
        numbers = [tick.get_window_extent(draw).x0 for tick in axes.get_yticklabels() if tick.get_text()]
        assert label.x0 >= 0 and ticks.x0 >= 0 and min(numbers) > label.x1 - 1


# --- the box ---


@pytest.fixture
def box(tmp_path, tiny):
    made = Explorer("digits", "cpu", tmp_path)
    made.splits = tiny
    made.choose(FITS)
    yield made
    made.bar.end()


def click(box):
    box.bar._clicked_at = 0.0  # as if the last click were long ago
    box.bar.train.click()


def test_untouched_it_shows_a_picture_and_trains_nothing(box):
    assert "Learning curves" in box.curves.value and box.curves.chart["panels"][0]["words"] == "Press Train"
    assert box.live is None and not box.bar.running
    assert status_line(box) == "Ready: press Train." and box.bar.stop.disabled


@pytest.mark.slow
def test_train_to_the_end(box):
    click(box)
    until(lambda: not box.bar.running)
    assert status_line(box).startswith("Done in") and len(box.comparison.runs) == 1
    assert "Three panels" in box.inside.value and "test images" in box.images.value and "doctor" in box.doctor.value
    assert box.bar.stop.disabled and not box.bar.train.disabled


@pytest.mark.slow
def test_a_double_click_trains_once(box):
    click(box)
    box.bar.train.click()
    until(lambda: not box.bar.running)
    box.bar._clicked_at = time.monotonic()
    box.bar.train.click()  # the second click of a pair, after a training that was over at once
    assert not box.bar.running and len(box.comparison.runs) == 1


@pytest.mark.slow
def test_stop_is_obeyed_and_the_run_is_kept(box):
    box.choose(changed(FITS, epochs=500, patience=100))
    click(box)
    until(lambda: box.live and len(box.live.history) > 1)
    box.bar.stop.click()
    epochs = len(box.live.history)
    until(lambda: "Stopped after" in status_line(box))
    until(lambda: not box.bar.running)
    assert len(box.live.history) <= epochs + 1  # not even the epoch under way was finished, or it had just ended
    assert len(box.comparison.runs) == 1 and not box.bar.train.disabled


@pytest.mark.slow
def test_another_choice_stops_the_training_first(box):
    box.choose(changed(FITS, epochs=500, patience=100))
    click(box)
    until(lambda: box.live and box.live.history)
    box.presets[1].click()
    assert not box.bar.running and "stopped" in status_line(box) and box.live is None
    assert "● " in box.presets[1].description and len(box.comparison.runs) == 1
    box.choose(REFUSED)
    click(box)
    until(lambda: not box.bar.running)
    assert "The loss refused" in status_line(box) and "✗ error" in box.doctor.value


def lines_drawn(box):
    """The lines that the loss and the metric are read by now."""
    return [[line["label"] for line in panel["lines"]] for panel in box.curves.chart["panels"]]


@pytest.mark.slow
def test_predict_first_asks_hides_and_answers(box):
    box.predict.switch.value = True
    assert "hidden until" in box.card.value
    assert lines_drawn(box) == [[], ["constant answer"]]
    click(box)
    assert not box.bar.running and "Say first" in status_line(box)
    box.predict.options.value = LEARNS
    click(box)
    until(lambda: not box.bar.running)
    assert "you said" in box.predict.reply.value.lower() and "hidden until" not in box.card.value
    assert lines_drawn(box)[0] == ["constant answer"]
    box.presets[0].click()
    assert "hidden until" in box.card.value and box.predict.reply.value == ""


def test_controls_follow_the_choice_and_grey_out_what_makes_no_sense(box):
    fields = box.controls.fields
    assert fields["normalize"].disabled and not fields["prior_bias"].disabled
    fields["task"].value = "regression"
    assert not fields["normalize"].disabled and fields["prior_bias"].disabled
    assert box.choice.pairing.task == "regression" and "Regression" in box.card.value
    assert "sigmoid_inverse" in [value for _, value in fields["activation"].options]
    box.presets[0].click()
    assert fields["task"].value == "multiclass" and box.choice == PRESETS[0].choice


# --- its own page ---


@pytest.mark.slow
def test_who_ends_the_command_ends_its_server():
    code = (
        "import sys; from lm_utils.explorer import server; server.answers = lambda *_: True;"
        "server.command = lambda *_: [sys.executable, '-c', 'import time; time.sleep(60)']; sys.exit(server.main())"
    )
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert "The explorer" in command.stdout.readline()
    (server_process,) = psutil.Process(command.pid).children()
    command.terminate()
    assert command.wait(600) == 0 and not server_process.is_running()


def test_the_page_is_for_this_machine_and_needs_a_token(tmp_path):
    words_of_command = server.command(tmp_path / "x.ipynb", 1234)
    assert "--Voila.ip=127.0.0.1" in words_of_command and "--Voila.auto_token=True" in words_of_command
    (cell,) = server.notebook(tmp_path).cells
    assert compile(cell.source, "cell", "exec") and str(tmp_path) in cell.source
    assert 1024 < server.free_port() < 65536
