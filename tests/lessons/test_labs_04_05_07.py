"""What the labs of notebooks 00, 04, 05 and 07 compute, and that each answers its controls, without a browser."""

import math
import re
from functools import partial

import ipywidgets as widgets
import pytest
import torch
from yardstick import cost, plain_figure

import lm_utils as lm
from lm_utils.lessons import experiment_design, matching_loss_to_task, output_activations, start_here
from lm_utils.runs.rows import rows
from lm_utils.show.style import Picture, png


def parts(box, kind):
    """All widgets of a kind inside a box."""
    children = [box] if not hasattr(box, "children") else [w for child in box.children for w in parts(child, kind)]
    return [widget for widget in children if isinstance(widget, kind)]


@pytest.fixture(scope="module")
def digits():
    return lm.load_data("digits", seed=0)


# --- every lab ----------------------------------------------------------------------------------------------

LABS = {
    "round trip": (output_activations.round_trip_lab, widgets.FloatSlider, 20.0),
    "coupling": (output_activations.coupling_lab, widgets.FloatSlider, -3.0),
    "penalty": (matching_loss_to_task.penalty_lab, widgets.FloatSlider, 0.5),
    "proper": (matching_loss_to_task.proper_lab, widgets.FloatSlider, 0.3),
    "pull": (matching_loss_to_task.pull_lab, widgets.FloatSlider, 4.0),
    "noise": (matching_loss_to_task.noise_lab, widgets.IntSlider, 6),
    "verdict": (start_here.verdict_lab, widgets.Dropdown, "regression"),
}


@pytest.mark.alone
@pytest.mark.parametrize("name", LABS)
def test_every_lab_shows_a_picture_untouched_and_answers_quickly(name):
    lab, kind, value = LABS[name]
    box = lab()
    picture, control = parts(box, Picture)[0], parts(box, kind)[0]
    before, untouched = picture.value, control.value
    assert 'alt="' in before and control.description
    answer, figure = cost(partial(turn, control, untouched, value), plain_figure)
    assert picture.value != before
    assert answer / 2 < 4 * figure


def turn(control, one, other):
    """Move a control to one value and to another: two answers at most."""
    control.value = one
    control.value = other


@pytest.mark.parametrize("name", LABS)
def test_slow_sliders_wait_for_the_hand_to_rest(name):
    sliders = parts(LABS[name][0](), (widgets.FloatSlider, widgets.IntSlider))
    assert all(not slider.continuous_update for slider in sliders)


# --- 04: range and rounding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, one, zero",
    [("float16", 8.32, 17.34), ("bfloat16", 6.25, 89), ("float32", 16.64, 88.72), ("float64", 36.74, 709.8)],
)
def test_bisection_finds_the_very_first_number(name, one, zero):
    dtype = output_activations.PRECISIONS[name]
    first = torch.tensor(output_activations.becomes_one(dtype), dtype=dtype)
    below = torch.nextafter(first, torch.zeros_like(first))
    assert torch.sigmoid(first) == 1 and torch.sigmoid(below) < 1
    assert first.item() == pytest.approx(one, abs=0.01)
    last = torch.tensor(output_activations.becomes_zero(dtype), dtype=dtype)
    assert torch.sigmoid(-last) == 0 and torch.sigmoid(-torch.nextafter(last, torch.zeros_like(last))) > 0
    assert last.item() == pytest.approx(zero, abs=0.05)


@pytest.mark.parametrize("row", output_activations.saturation_table(), ids=lambda row: row["precision"])
def test_nothing_larger_returns_than_the_table_says(row):
    dtype = output_activations.PRECISIONS[row["precision"]]
    back = output_activations.recovered(
        torch.linspace(0, row["exactly 1 from"], 100_000, dtype=torch.float64).to(dtype)
    )
    assert back[torch.isfinite(back)].max().item() == row["largest that returns"]


def test_a_whole_vector_saturates_where_a_single_number_does():
    for dtype in output_activations.PRECISIONS.values():
        assert (torch.sigmoid(torch.full((1000,), output_activations.becomes_one(dtype), dtype=dtype)) == 1).all()


def test_round_trip_is_exact_on_the_left_and_ends_on_the_right():
    trip = output_activations.round_trip_at(-15.0, "float32")
    assert trip["back"] == pytest.approx(-15, abs=1e-6) and trip["sigmoid"] > 0
    assert output_activations.round_trip_at(16.0, "float32")["back"] == pytest.approx(15.94, abs=0.01)
    assert output_activations.round_trip_at(17.0, "float32")["back"] == math.inf
    assert "lost" in output_activations.round_trip_text(17.0, "float32")
    assert "off by" in output_activations.round_trip_text(16.0, "float32")


def test_squeezing_makes_equal_mistakes_unequal():
    costs = output_activations.cost_of_missing_by_one(torch.tensor([1.0, 6.0]))
    assert costs[0] / costs[1] > 1000
    assert output_activations.undecided_answer(torch.tensor([1.0, 6.0])) == pytest.approx(1.85, abs=0.01)
    assert output_activations.undecided_answer(torch.tensor([3.0, 3.0])) == pytest.approx(3)


def test_jacobians_equal_their_formulas():
    z = torch.tensor([0.5, -1.0, 2.0])
    p, s = torch.softmax(z, 0), torch.sigmoid(z)
    torch.testing.assert_close(output_activations.jacobian("softmax", z), torch.diag(p) - torch.outer(p, p))
    torch.testing.assert_close(output_activations.jacobian("sigmoid", z), torch.diag(s * (1 - s)))


def test_reach():
    assert output_activations.reach("multilabel", "softmax") == pytest.approx(0.3)
    assert output_activations.reach("multiclass", "sigmoid") == 1
    assert output_activations.reach("regression", "relu") == 1
    assert output_activations.reach("probability", "softmax") == 0.5


def test_dead_outputs_are_those_of_fit(digits):
    outputs = output_activations.first_outputs(10, digits.train.images[:20])
    dead = (outputs.max(dim=1).values <= 0).nonzero()
    assert 1 <= len(dead) <= 9
    run = lm.fit(lm.Pairing("regression", "mse", "relu"), digits, dead[0].item(), max_epochs=1)
    assert run.valid_predictions.abs().max() == 0


# --- 05: penalties ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", matching_loss_to_task.LOSSES)
def test_curves_equal_autograd(loss):
    curves = matching_loss_to_task.penalty_curves()[loss]
    for i in (0, 9, 500, 998):
        for key, value in matching_loss_to_task.penalty(loss, matching_loss_to_task.PLACES[i]).items():
            assert curves[key][i] == pytest.approx(abs(value), rel=1e-6)


def test_way_out_of_a_confident_mistake():
    steps = {
        name: matching_loss_to_task.steps_to_half(matching_loss_to_task.escape(name))
        for name in matching_loss_to_task.LOSSES
    }
    assert steps["BCE"] < 10 < steps["MSE"] < steps["MAE"]


@pytest.mark.parametrize("truth", [0.1, 0.35, 0.8])
def test_honesty_is_cheapest_but_for_the_absolute_error(truth):
    assert matching_loss_to_task.best_report("BCE", truth) == pytest.approx(truth, abs=1e-3)
    assert matching_loss_to_task.best_report("MSE", truth) == pytest.approx(truth, abs=1e-3)
    assert matching_loss_to_task.best_report("MAE", truth) == pytest.approx(round(truth), abs=2e-3)


def test_competition_belongs_to_softmax():
    z = torch.tensor([0.5, 6.0, 0.0, -1.0])
    for loss in ("CE", "BCE", "MSE"):
        assert matching_loss_to_task.pull(loss, "softmax", z, 0).sum().abs() < 1e-12
    assert (matching_loss_to_task.pull("CE", "sigmoid", z, 0)[1:] == 0).all()
    assert (
        matching_loss_to_task.pull("MSE", "softmax", z, 0).abs().max()
        < 0.05
        < matching_loss_to_task.pull("CE", "softmax", z, 0).abs().max()
    )


def test_softmax_shares_one_among_the_true_labels():
    labels = torch.tensor([1.0, 1.0, 1.0, 0.0])
    for loss in ("CE", "BCE"):
        torch.testing.assert_close(
            matching_loss_to_task.best_probabilities(loss, "softmax", labels), labels / 3, atol=2e-3, rtol=0
        )
    assert (matching_loss_to_task.best_probabilities("MSE", "sigmoid", labels) - labels).abs().max() < 0.01


def test_wrong_labels_move_cross_entropy_alone():
    def place(name, wrong):
        weight, bias = matching_loss_to_task.fit_line(*matching_loss_to_task.noisy_line(wrong), name)
        return abs(bias / weight)

    assert all(place(name, 0) < 0.02 for name in matching_loss_to_task.LOSSES)
    assert place("BCE", 3) > 0.3 and place("MSE", 3) < 0.05 and place("MAE", 3) < 0.05


# --- 00: the start ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", start_here.SCRIPTS)
def test_the_scripts_shown_are_the_runs_shown(name, digits):
    """Run the very text on the page for one epoch: its mean loss is the one that `fit` reports."""
    from torch import nn
    from torch.nn.functional import one_hot
    from torch.optim import AdamW

    targets = one_hot(digits.train.digits, 10).float()

    order = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(0)).split(32)
    losses = []

    class Recorded(nn.BCELoss):
        def forward(self, p, y):
            value = super().forward(p, y)
            losses.append(value.item() * len(p))
            return value

    world = {
        "CNN": lambda outputs: lm.CNN(outputs, generator=torch.Generator().manual_seed(0)),
        "AdamW": AdamW, "nn": type("nn", (), {"BCELoss": Recorded}),
        "batches": [(digits.train.images[batch], targets[batch]) for batch in order],
    }  # fmt: skip
    exec(start_here.script(name), world)
    run = lm.fit(start_here.PAIRINGS[name], digits, max_epochs=1, device="cpu")
    assert sum(losses) / len(digits.train) == pytest.approx(run.history[0]["train_loss"], abs=1e-3)


def test_the_reason_stays_a_secret_until_its_notebook():
    secret = start_here.PAIRINGS["B"].advice.reason
    told = start_here.verdict_text("multiclass", "bce", "sigmoid")
    assert secret not in told and "notebook 11" in told and "handicapped" in told
    assert "notebook 11" not in start_here.verdict_text("multiclass", "cross_entropy", "none")


def test_the_table_agrees_with_the_documents():
    recommended = {(row.pairing.task, row.pairing.loss) for row in rows(table="loss") if row.fits}
    ours = {(task, pairing.loss) for task in lm.TASKS for pairing in start_here.fitting(task)}
    assert recommended <= ours
    assert not start_here.fitting_table()["task"].isna().any()


def test_how_many_pairings_are_impossible():
    """Notebook 00 says it in words, with figures for the three tasks with classes or labels."""
    found = {
        task: [
            start_here.pairing_of(task, loss, activation).verdict
            for loss in lm.LOSSES
            for activation in start_here.CHOICES
        ]
        for task in lm.TASKS
    }
    assert {len(verdicts) for verdicts in found.values()} == {32}
    impossible = {task: verdicts.count("impossible") for task, verdicts in found.items()}
    few = {task: count for task, count in impossible.items() if lm.TASKS[task].kind in ("exclusive", "labels")}
    assert few == {"binary": 2, "multiclass": 2, "multilabel": 2}
    assert min(impossible["regression"], impossible["probability"]) > 10


def test_the_ten_questions_come_before_any_answer():
    text = (start_here.Path(start_here.__file__).resolve().parents[2] / "notebooks/src/00_start_here.py").read_text(
        "utf-8"
    )
    assert text.index("start_here.vote(") < text.index("ten_questions.before()") < text.index("quiz.predict(")


def test_a_vote_is_kept_and_nothing_is_revealed(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    box = start_here.vote("scripts", "Why?", ["this", "that"])
    assert start_here.recall("scripts") is None
    box.choices.value = "that"
    assert start_here.recall("scripts") == "that" and "Kept" in box.told.value
    assert "again in notebook 15" in box.told.value
    assert start_here.vote("scripts", "Why?", ["this", "that"]).choices.value == "that"
    (tmp_path / "votes.json").write_text("[1", "utf-8")
    assert start_here.recall("scripts") is None


def test_every_option_of_the_vote_is_answered_at_the_end():
    verdicts = pytest.importorskip("lm_utils.lessons.verdicts")
    source = (start_here.Path(start_here.__file__).resolve().parents[2] / "notebooks/src/00_start_here.py").read_text(
        "utf-8"
    )
    assert all(f'"{option}"' in source for option in verdicts.VOTES)


def test_a_vote_survives_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path / "file"))
    box = start_here.vote("scripts", "Why?", ["this", "that"])
    box.choices.value = "this"
    assert "remember it" in box.told.value


def test_map_and_paths_come_from_the_notebooks():
    course = start_here.notebooks_here()
    folder = start_here.Path(start_here.__file__).resolve().parents[2] / "notebooks" / "src"
    said = {
        name[:2]: int(re.search(r"\*\*Time:\*\* (\d+)", (folder / name).read_text("utf-8"))[1])
        for name in ("00_start_here.py", "04_output_activations.py")
    }
    assert {number: int(course[number]["minutes"]) for number in said} == said
    assert course["04"]["file"] == "04_output_activations.ipynb"
    assert "00_start_here.ipynb" in start_here.course_map().data
    assert f"Two, {sum(said.values())} minutes:" in start_here.course_path("Two", ["00", "04"]).data
    assert "Plan, 17 minutes:" in start_here.course_path("Plan", {"00": 10, "04": 7, "99": 5}).data


# --- 07: the design --------------------------------------------------------------------------------------------


def test_shares_and_baselines(digits):
    found = experiment_design.shares(lm.TASKS["regression"], digits.train.digits)
    assert list(found) == ["1", "2", "3", "4", "6"] and sum(found.values()) == pytest.approx(1)
    assert len(experiment_design.shares(lm.TASKS["multilabel"], digits.train.digits)) == 4
    assert len(experiment_design.baseline_table(digits)) == 5


def test_patience_reads_a_curve_as_fit_does(digits):
    run = lm.fit(lm.Pairing("binary", "cross_entropy"), digits, max_epochs=20, patience=2)
    values = experiment_design.metric_of(run.history)
    assert experiment_design.stops_at(values, 2) == (run.epochs, run.best_epoch)
    assert experiment_design.stops_at([0.5, 0.4, 0.9], 1) == (2, 1)
    assert experiment_design.stops_at([0.5, 0.4, 0.9], 5) == (3, 3)


def test_short_runs_have_enough_updates(digits):
    assert experiment_design.epochs_for(digits, 200) == 11  # 19 batches each


def test_figures_tell_what_they_show(digits):
    history = [{"valid_metric": 0.5}, {"valid_metric": 0.9}, {"valid_metric": 0.8}]
    metrics = [{0: 0.9, 1: 0.8}, {1: 0.9, 0: 0.8, 7: 0.1}]
    for figure in (
        experiment_design.balance_figure(digits),
        experiment_design.targets_figure(digits),
        experiment_design.curves_figure({"a": [[1, 2]], "b": [[2, 3]]}, "y", "title", (1.0, "level")),
        experiment_design.patience_figure([history] * 2),
        experiment_design.seeds_figure(["a", "b"], metrics, "made up"),
        output_activations.dead_figure(output_activations.first_outputs(4, digits.train.images[:5])),
        output_activations.round_trip_figure(),
        matching_loss_to_task.escape_figure(),
    ):
        assert figure.get_label() and len(png(figure)) > 5000


def test_one_seed_is_one_seed():
    figure = experiment_design.seeds_figure(["a", "b"], [{0: 0.9}, {0: 0.8}], "made up")
    assert figure.axes[0].get_title() == "Every run is a dot (made up, 1 seed)"
