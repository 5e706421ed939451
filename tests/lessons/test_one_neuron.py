"""Notebook 02's labs: one neuron, depth, likelihoods; computed here without widgets, then clicked as functions."""

import math

import numpy as np
import pytest
import torch

from lm_utils.lessons import depth, likelihood, one_neuron
from lm_utils.show.style import image_tag


@pytest.mark.parametrize("loss", one_neuron.LOSSES)
@pytest.mark.parametrize("case", [(3.0, 3.0, 1.0, 0.0), (1.0, -2.0, 2.0, 1.0), (0.5, 0.0, -1.0, 0.0)])
def test_slope_by_weight_is_autograds(loss, case):
    weight, bias, x, target = (torch.tensor(value, dtype=torch.float64) for value in case)
    weight.requires_grad_()
    output = torch.sigmoid(weight * x + bias)
    functions = {"MSE": torch.nn.functional.mse_loss, "cross-entropy": torch.nn.functional.binary_cross_entropy}
    expected = torch.autograd.grad(functions[loss](output, target), weight)[0].item()
    assert one_neuron.slope_by_weight(loss, *case) == pytest.approx(expected)


@pytest.mark.parametrize("loss", one_neuron.LOSSES)
def test_our_own_descent_equals_pytorchs(loss):
    path = one_neuron.train(loss, 2.0, 2.0, 0.1, steps=400)
    by_hand = int(np.flatnonzero(path["output"] <= one_neuron.LEARNT)[0])
    assert by_hand == one_neuron.steps_to_learn(loss, 4.0, rate=0.1)
    assert abs(by_hand - one_neuron.steps_with("SGD", loss, 2.0, 2.0, rate=0.1)) <= 1


def test_waiting_grows_exponentially_under_mse_only():
    slow, quick = ([one_neuron.steps_to_learn(loss, z) for z in (8.0, 9.0, 10.0)] for loss in one_neuron.LOSSES)
    assert slow[2] / slow[1] == pytest.approx(math.e, abs=0.1) and quick[2] - quick[0] <= 4


def test_adamw_closes_the_gap_but_a_batch_still_forgets_its_worst_mistake():
    assert one_neuron.steps_with("AdamW", "MSE", 3.0, 3.0) < one_neuron.steps_with("SGD", "MSE", 3.0, 3.0) / 5
    assert one_neuron.share_of_confident("MSE", 6.0) < 0.01 < one_neuron.share_of_confident("cross-entropy", 6.0)


def test_the_start_of_deep_networks_is_pytorchs():
    ours, theirs = depth.Deep(2, "ReLU", depth.STARTS[0]), torch.nn.Linear(depth.WIDTH, depth.WIDTH)
    for mine, its in ((ours.layers[0].weight, theirs.weight), (ours.layers[0].bias, theirs.bias)):
        assert mine.abs().max() <= depth.WIDTH**-0.5 and its.abs().max() <= depth.WIDTH**-0.5
        assert mine.std().item() == pytest.approx(its.std().item(), rel=0.4)


def test_no_loss_cures_depth():
    mse, ce = (np.array(depth.gradient_sizes(6, "sigmoid", loss)) for loss in depth.LOSSES)
    assert np.ptp(ce / mse) < 0.2 and mse[0] < 1e-4 * mse[-1]
    factors = {name: depth.factor_per_layer(depth.gradient_sizes(10, name, "MSE")) for name in depth.ACTIVATIONS}
    assert factors["sigmoid"] < 0.25 < factors["ReLU"] < factors["tanh"] < 1
    assert depth.factor_per_layer(depth.gradient_sizes(10, "ReLU", "MSE", depth.STARTS[1])) == pytest.approx(1, abs=0.2)
    assert depth.factor_per_layer(depth.gradient_sizes(1, "ReLU", "MSE")) == 1


def test_relu_learns_what_sigmoid_does_not():
    before = torch.get_num_threads()
    sigmoid, relu = depth.learn(6, "sigmoid", 2, 120), depth.learn(6, "ReLU", 2, 120)
    assert torch.get_num_threads() == before
    for loss in depth.LOSSES:
        assert sigmoid[loss].shape == (2, 120) and relu[loss][:, -1].min() > sigmoid[loss][:, -1].max() + 0.1


def test_runs_side_by_side_equal_a_run_alone():
    x, y = depth.rings(1)
    network = depth.Deep(2, "ReLU", depth.STARTS[0], 1, inputs=2)
    optimizer, accuracy = torch.optim.AdamW(network.parameters(), lr=0.01), []
    for _ in range(10):
        optimizer.zero_grad()
        output = network(x)
        depth.LOSSES["MSE"](output, y).backward()
        optimizer.step()
        accuracy.append(((output >= 0.5) == (y > 0.5)).float().mean().item())
    together = depth.learn(2, "ReLU", 2, 10)["MSE"][1]
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


def test_each_loss_wins_on_its_own_noise():
    gaussian, laplace = (likelihood.spread_of_estimates(noise) for noise in ("Gaussian", "Laplace"))
    assert gaussian["MSE"] < gaussian["MAE"] and laplace["MAE"] < laplace["MSE"]


@pytest.mark.parametrize(
    "figure",
    [
        one_neuron.neuron_figure(-5.0, -5.0, 100.0), one_neuron.neuron_figure(5.0, 5.0, 0.01, "MSE"),
        one_neuron.waiting_figure(), depth.depth_figure(1, "tanh", depth.STARTS[1]), depth.depth_figure(12, "sigmoid"),
        depth.learning_figure(2, 1), likelihood.likelihood_figure("Laplace", 7.0, 0.4),
        likelihood.likelihood_figure("Bernoulli (yes or no)", 0.95),
        likelihood.likelihood_figure("categorical (one of three)", 0.05),
    ],
)  # fmt: skip
def test_figures_draw_at_the_ends_of_the_sliders_and_carry_alt_text(figure):
    assert image_tag(figure).startswith('<img alt="')


def test_controls_redraw():
    box = one_neuron.neuron_lab()
    (weight, bias), (rate, which), picture = box.children[0].children, box.children[1].children, box.children[2]
    seen = {picture.value}
    for control, value in ((weight, -1.0), (bias, 0.5), (rate, 10.0), (which, "MSE")):
        control.value = value
        seen.add(picture.value)
    assert len(seen) == 5 and "w = -1, b = 0.5 with learning rate 10:" in picture.value
    box = depth.depth_lab()
    count, (what, start), picture = box.children[0], box.children[1].children, box.children[2]
    count.value, what.value, start.value = 12, "ReLU", depth.STARTS[1]
    assert "12 hidden ReLU layers" in picture.value


def test_the_noise_decides_which_sliders_are_shown():
    box = likelihood.likelihood_lab()
    which, (number, share, width), picture = box.children[0], box.children[1].children, box.children[2]
    assert [slider.layout.display for slider in (number, share, width)] == [None, "none", None]
    which.value = "Bernoulli (yes or no)"
    assert [slider.layout.display for slider in (number, share, width)] == ["none", None, "none"]
    share.value = 0.7
    assert "Bernoulli (yes or no) noise around the prediction 0.7." in picture.value
    which.value, number.value, width.value = "Laplace", 6.5, 0.4
    assert "Laplace noise around the prediction 6.5." in picture.value
