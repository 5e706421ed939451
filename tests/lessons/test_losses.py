"""Every curve of notebook 01 is PyTorch's; fits are optimal; walks end where the text says."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lm_utils.lessons import losses as lesson
from lm_utils.lessons import losses_outlier as outlier
from lm_utils.show.style import image_tag

MODELS = list(outlier.MODELS)


def by_autograd(loss, at):
    place = torch.tensor(float(at), dtype=torch.float64, requires_grad=True)
    value = loss(place)
    return value.item(), torch.autograd.grad(value, place)[0].item()


@pytest.mark.parametrize("error", [-2.5, -0.4, 0.3, 1.7])
@pytest.mark.parametrize("delta, other", [(1.0, 1.0), (0.5, 2.0)])
def test_losses_of_an_error(error, delta, other):
    zero = torch.zeros((), dtype=torch.float64)
    torch_losses = {
        "MSE": lambda e: F.mse_loss(e, zero),
        "MAE": lambda e: F.l1_loss(e, zero),
        "Huber": lambda e: F.huber_loss(e, zero, delta=delta),
        "RMSE": lambda e: torch.stack([e, zero + other]).square().mean().sqrt(),
    }
    ours = lesson.error_losses(delta, other)
    assert set(ours) == set(torch_losses)
    for name, loss in torch_losses.items():
        assert lesson.value_and_slope(ours[name], error) == pytest.approx(by_autograd(loss, error)), name


@pytest.mark.parametrize("score", [-5.0, -0.5, 0.5, 4.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_losses_of_a_score(score, sign):
    yes = torch.tensor((1.0 + sign) / 2, dtype=torch.float64)
    zero = torch.zeros((), dtype=torch.float64)
    torch_losses = {
        "BCE": lambda z: F.binary_cross_entropy_with_logits(z, yes),
        "cross-entropy, 3 classes": lambda z: F.cross_entropy(
            torch.stack([z, zero, zero]), torch.tensor(0 if sign > 0 else 1)
        ),
        "hinge": lambda z: (1 - sign * z).clamp_min(0),
        "MSE on sigmoid": lambda z: F.mse_loss(torch.sigmoid(z), yes),
    }
    ours = lesson.score_losses(sign)
    assert set(ours) == set(torch_losses)
    for name, loss in torch_losses.items():
        assert lesson.value_and_slope(ours[name], score) == pytest.approx(by_autograd(loss, score)), name


def test_slopes_at_corners_are_the_ones_that_the_text_names():
    slopes = {name: lesson.value_and_slope(loss, 0.0)[1] for name, loss in lesson.error_losses(other=0.0).items()}
    assert slopes == {"MSE": 0, "MAE": 0, "Huber": 0, "RMSE": 0}
    assert lesson.value_and_slope(lesson.score_losses()["hinge"], 1.0) == (0, 0)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("place", [(5.5, 16.0), (20.0, 0.0), (2.5, -6.0), (outlier.PLACES[3], 9.0)])
def test_no_other_line_is_better(model, place):
    x, y = outlier.points(*place, model)
    steps = np.random.default_rng(0).normal(size=(300, outlier.MODELS[model])) * 0.05
    for name, loss in lesson.THREE.items():
        best = outlier.fit(x, y, name, model)
        columns = outlier.design(x, model)
        costs = [lesson.value_and_slope(loss, columns @ fitted - y)[0].sum() for fitted in (best, *(best + steps))]
        assert min(costs) >= costs[0] - 1e-9, name


def test_one_number_is_the_mean_or_the_median():
    x, y = outlier.points(5.5, 16.0, "one number")
    assert outlier.fit(x, y, "MSE", "one number")[0] == pytest.approx(y.mean())
    assert outlier.fit(x, y, "MAE", "one number")[0] == np.median(y)


def test_robust_to_height_but_not_to_a_lever():
    lines = {name: outlier.fit(*outlier.points(5.5, 1000.0), name) for name in lesson.THREE}
    assert abs(lines["MAE"][1] - 1) < 0.2 and abs(lines["Huber"][1] - 1) < 0.2 and lines["MSE"][1] > 10
    assert all(outlier.fit(*outlier.points(20.0, 0.0), name)[1] < 0 for name in lesson.THREE)


def test_shares_of_pull():
    x, y = outlier.points(5.5, 16.0)
    shares = {name: outlier.share_of_pull(x, y, name) for name in lesson.THREE}
    assert shares["MAE"] < shares["Huber"] < shares["MSE"]


def test_walks():
    assert abs(lesson.walk("MAE")[-2:]).max() == pytest.approx(0.27) and abs(lesson.walk("MAE", halve=5)[-1]) < 0.01
    assert abs(lesson.walk("Huber")[-1]) < 1e-6 and abs(lesson.walk("MSE")[-1]) < 1e-6
    assert np.isfinite(lesson.walk("MSE", rate=2.2)).all()
    assert [lesson.ending(lesson.walk("MSE", rate=rate)) for rate in (0.4, 1.2)] == ["ends at 0", "runs away"]


def test_who_is_fast_early():
    pairs = [(loss, rule) for loss in ("MSE", "MAE") for rule in ("SGD", "AdamW")]
    steps = {pair: lesson.steps_needed(*pair, 10.0) for pair in pairs}
    assert steps["MSE", "SGD"] < steps["MAE", "SGD"] and steps["MSE", "AdamW"] > steps["MAE", "AdamW"]
    assert lesson.steps_needed("MSE", "SGD", 0.1) > lesson.steps_needed("MAE", "SGD", 0.1)


@pytest.mark.parametrize(
    "figure, arguments",
    [
        (lesson.error_figure, (-3.0, 0.2, 0.0)), (lesson.score_figure, (6.0, -1)), (lesson.race_figure, ()),
        (outlier.outlier_figure, (20.0, 22.0)), (outlier.outlier_figure, (0.5, -6.0, "one number")),
        (lesson.walk_figure, (2.2, 0)), (lesson.walk_figure, (0.1, 5)),
    ],
)  # fmt: skip
def test_figures_draw_at_the_ends_of_the_sliders_and_carry_alt_text(figure, arguments):
    drawn = figure(*arguments)
    assert image_tag(drawn).startswith('<img alt="')


@pytest.mark.slow
def test_tables_and_pictures_follow_the_controls():
    box = lesson.error_lab()
    for name, value in {"error": -0.5, "delta": 0.2, "other": 0.0}.items():
        box.controls[name].value = value
    table, picture = box.children[0].children[1].value, box.children[1].value
    assert "error -0.5" in table and "0.080" in table and "marked at -0.5" in picture
    box = lesson.score_lab()
    box.controls["score"].value, box.controls["sign"].value = 2.0, -1
    table = box.children[0].children[1].value
    assert "score 2, probability 0.881" in table and "2.127" in table
    box = outlier.outlier_lab()
    seen = {box.places[-1].value}
    for name, value in {"y": 3.0, "x": 20.0, "model": "one number"}.items():
        box.controls[name].value = value
        seen.add(box.places[-1].value)
    assert len(seen) == 4 and "Fits of one number" in box.places[-1].value and "x = 20, y = 3" in box.places[-1].value
    assert "step size 0.4" in lesson.walk_lab().places[-1].value
