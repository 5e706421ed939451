"""Notebooks 01 and 02 in JupyterLab: every lab is turned, a question answered, and the pictures change."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_losses(jupyter):
    with jupyter.open("01_losses") as page:
        assert page.errors() == [] and page.warnings() == []
        shapes = "Value and slope of MSE"
        page.screenshot("01_error", around=page.image(shapes))
        with page.change(shapes):
            page.slider("error").press("ArrowLeft", times=5)
        page.see("error 1.5")
        with page.change(shapes):
            page.slider("Huber's delta").press("ArrowRight", times=4)
        with page.change(shapes):
            page.slider("RMSE: other error").press("Home")

        page.screenshot("01_outlier", around=page.image("Fits of"))
        with page.change("Fits of"):
            page.slider("outlier's height").press("Home")
        with page.change("Fits of"):
            page.slider("outlier's place x").press("End")
        page.screenshot("01_lever", around=page.image("Fits of"))
        with page.change("Fits of"):
            page.dropdown("fit").select_option(label="one number")
        page.screenshot("01_pull", around=page.image("Fitted value"))

        page.screenshot("01_walk", around=page.image("Forty steps"))
        with page.change("Forty steps"):
            page.slider("step size").press("ArrowRight", times=8)
        with page.change("Forty steps"):
            page.dropdown("steps are").select_option(label="halved every 5 steps")
        page.screenshot("01_race", around=page.image("Steps until a tenth"))

        page.radio("it keeps hopping").check()
        page.button("Show the answer", 0).click()
        page.see("Each step is 0.4 long")
        page.screenshot("01_predict", around=page.see("Each step is 0.4 long"))

        scores = "Value and slope of BCE"
        with page.change(scores):
            page.slider("score z").press("ArrowRight", times=3)
        with page.change(scores):
            page.dropdown("label").select_option(label="no (-1)")
        page.screenshot("01_score", around=page.image(scores))
        assert page.errors() == []


def test_why_these_losses(jupyter):
    with jupyter.open("02_why_these_losses") as page:
        assert page.errors() == [] and page.warnings() == []
        neuron = "One neuron from"
        page.screenshot("02_neuron", around=page.image(neuron))
        with page.change(neuron):
            page.slider("start weight").press("Home")
        with page.change(neuron):
            page.slider("start bias").press("ArrowRight", times=4)
        with page.change(neuron):
            page.slider("learning rate").press("ArrowRight", times=5)
        with page.change(neuron):
            page.dropdown("loss").select_option(label="MSE")
        page.screenshot("02_neuron_moved", around=page.image(neuron))
        page.screenshot("02_waiting", around=page.image("Steps needed"))

        depth = "Size of the gradient"
        page.screenshot("02_depth", around=page.image(depth))
        with page.change(depth):
            page.slider("hidden layers").press("End")
        with page.change(depth):
            page.dropdown("activation").select_option(label="ReLU")
        with page.change(depth):
            page.dropdown("start weights").select_option(label="scaled to the activation")
        page.image("Size of the gradient in each of 12 hidden ReLU layers").wait_for(state="attached")
        page.screenshot("02_learning", around=page.image("Accuracy over steps"))

        noise = "Left: the data"
        with page.change(noise):
            page.slider("prediction").press("ArrowRight", times=5)
        page.screenshot("02_likelihood", around=page.image(noise))
        with page.change(noise):
            page.slider("width of noise").press("ArrowRight", times=3)
        with page.change(noise):
            page.dropdown("noise").select_option(label="categorical (one of three)")
        page.image("Left: the data under categorical").wait_for(state="attached")
        with page.change(noise):
            page.slider("probability").press("ArrowRight", times=2)
        assert page.slider("probability").value == "0.50"
        page.screenshot("02_categorical", around=page.image(noise))

        page.radio("Laplace: large errors do happen").check()
        page.raw.locator(".jp-OutputArea-output button", has_text="Show the answer").first.click()
        page.see("Laplace's density is")
        assert page.errors() == []
