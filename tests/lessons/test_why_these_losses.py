"""Notebook 02's labs: one neuron, depth, likelihoods; computed here without widgets, then clicked as functions."""

import math

import numpy as np
import pytest
import torch

from lm_utils.lessons import why_these_losses as lesson
from lm_utils.lessons import why_these_losses_likelihood as likelihood
from lm_utils.show.style import image_tag


@pytest.mark.parametrize("loss", lesson.LOSSES)
@pytest.mark.parametrize("z, target", [(6.0, 0.0), (0.0, 1.0), (-0.5, 0.0)])
def test_slope_is_autograds(loss, z, target):
    logit = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    cost = lesson.LOSSES[loss](torch.sigmoid(logit), torch.tensor(target, dtype=torch.float64))
    assert lesson.slope(loss, z, target) == pytest.approx(torch.autograd.grad(cost, logit)[0].item())


@pytest.mark.parametrize("loss", lesson.LOSSES)
def test_both_ways_to_count_the_steps_agree(loss):
    path = lesson.train(loss, 2.0, 2.0, 0.1, steps=400)
    by_hand = int(np.flatnonzero(path["output"] <= lesson.LEARNT)[0])
    assert by_hand == lesson.steps_to_learn(loss, 4.0, rate=0.1)


def test_waiting_grows_exponentially_under_mse_only():
    slow, quick = ([lesson.steps_to_learn(loss, z) for z in (8.0, 9.0, 10.0)] for loss in lesson.LOSSES)
    assert slow[2] / slow[1] == pytest.approx(math.e, abs=0.1) and quick[2] - quick[0] <= 4


def test_the_start_of_deep_networks_is_pytorchs():
    ours, theirs = lesson.Deep(2, "ReLU", lesson.STARTS[0]), torch.nn.Linear(lesson.WIDTH, lesson.WIDTH)
    for mine, its in ((ours.layers[0].weight, theirs.weight), (ours.layers[0].bias, theirs.bias)):
        assert mine.abs().max() <= lesson.WIDTH**-0.5 and its.abs().max() <= lesson.WIDTH**-0.5
        assert mine.std().item() == pytest.approx(its.std().item(), rel=0.4)


def test_no_loss_cures_depth():
    mse, ce = (np.array(lesson.gradient_sizes(6, "sigmoid", loss)) for loss in lesson.LOSSES)
    assert np.ptp(ce / mse) < 0.2 and mse[0] < 1e-4 * mse[-1]
    factors = {name: lesson.factor_per_layer(lesson.gradient_sizes(10, name, "MSE")) for name in lesson.ACTIVATIONS}
    assert factors["sigmoid"] < 0.25 < factors["ReLU"] < factors["tanh"] < 1
    assert lesson.factor_per_layer(lesson.gradient_sizes(10, "ReLU", "MSE", lesson.STARTS[1])) == pytest.approx(
        1, abs=0.2
    )
    assert lesson.factor_per_layer(lesson.gradient_sizes(1, "ReLU", "MSE")) == 1


def test_relu_learns_what_sigmoid_does_not():
    sigmoid, relu = lesson.learn(6, "sigmoid", 2, 120), lesson.learn(6, "ReLU", 2, 120)
    for loss in lesson.LOSSES:
        assert sigmoid[loss].shape == (2, 120) and relu[loss][:, -1].min() > sigmoid[loss][:, -1].max() + 0.1


def test_runs_side_by_side_equal_a_run_alone():
    x, y = lesson.rings(1)
    network = lesson.Deep(2, "ReLU", lesson.STARTS[0], 1, inputs=2)
    optimizer, accuracy = torch.optim.AdamW(network.parameters(), lr=0.01), []
    for _ in range(10):
        optimizer.zero_grad()
        output = network(x)
        lesson.LOSSES["MSE"](output, y).backward()
        optimizer.step()
        accuracy.append(((output >= 0.5) == (y > 0.5)).float().mean().item())
    together = lesson.learn(2, "ReLU", 2, 10)["MSE"][1]
    assert together == pytest.approx(np.array(accuracy), abs=0.011)  # rounding may move a point or two


@pytest.mark.parametrize("noise", likelihood.NOISES)
@pytest.mark.parametrize("width", [0.4, 1.0, 3.0])
def test_every_nll_is_its_loss_scaled_and_shifted(noise, width):
    nll, loss = likelihood.curves(noise, width)
    assert np.abs(nll - loss).max() < 1e-12


def test_the_huber_density_has_area_one():
    e = np.linspace(-60, 60, 1_200_001)
    energy = np.where(np.abs(e) <= 1, e**2 / 2, np.abs(e) - 0.5)
    assert np.trapezoid(np.exp(-energy), e) == pytest.approx(likelihood.huber_area(), abs=1e-6)


def test_best_predictions():
    best = {name: float(what.places[likelihood.curves(name)[0].argmin()]) for name, what in likelihood.NOISES.items()}
    expected = [likelihood.VALUES.mean().item(), likelihood.VALUES.median().item(), None, 0.7, 0.6]
    for found, wanted in zip(best.values(), expected, strict=True):
        assert wanted is None or found == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize(
    "figure, arguments",
    [
        (lesson.neuron_figure, (-5.0, -5.0, 100.0)), (lesson.neuron_figure, (5.0, 5.0, 0.01, ["MSE"])),
        (lesson.depth_figure, (1, "tanh", lesson.STARTS[1])), (lesson.depth_figure, (12, "sigmoid")),
        (lesson.learning_figure, (2, 1)),
        (likelihood.likelihood_figure, ("Laplace", 7.0, 0.4)),
        (likelihood.likelihood_figure, ("Bernoulli (yes or no)", 0.95)),
        (likelihood.likelihood_figure, ("categorical (one of three)", 0.05)),
    ],
)  # fmt: skip
def test_figures_draw_at_the_ends_of_the_sliders_and_carry_alt_text(figure, arguments):
    drawn = figure(*arguments)
    assert image_tag(drawn).startswith('<img alt="')


@pytest.mark.slow
def test_pictures_follow_the_controls():
    box = lesson.neuron_lab()
    seen = {box.places[-1].value}
    for name, value in {"weight": -1.0, "bias": 0.5, "rate": 10.0, "losses": ("MSE",)}.items():
        box.controls[name].value = value
        seen.add(box.places[-1].value)
    assert len(seen) == 5 and "w = -1, b = 0.5 with learning rate 10:" in box.places[-1].value
    box = lesson.depth_lab()
    for name, value in {"layers": 12, "hidden": "ReLU", "start": lesson.STARTS[1]}.items():
        box.controls[name].value = value
    assert "12 hidden ReLU layers" in box.places[-1].value


def test_the_noise_decides_which_sliders_are_shown():
    box = likelihood.likelihood_lab()
    which, number, width, share = box.controls.values()
    assert [slider.layout.display for slider in (number, share, width)] == [None, "none", None]
    which.value = "Bernoulli (yes or no)"
    assert [slider.layout.display for slider in (number, share, width)] == ["none", None, "none"]
    share.value = 0.7
    assert "Bernoulli (yes or no) noise around the prediction 0.7." in box.places[-1].value
    which.value, number.value, width.value = "Laplace", 6.5, 0.4
    assert "Laplace noise around the prediction 6.5." in box.places[-1].value


def test_one_seed_is_one_seed():
    assert lesson.learning_figure(2, 1).axes[0].get_title().endswith("(1 seed)")
