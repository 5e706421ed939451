"""Notebooks 00, 04, 05 and 07 in JupyterLab: run all, turn every control, answer the questions."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_start_here(jupyter):
    with jupyter.open("00_start_here") as page:
        assert page.errors() == []
        assert page.warnings() == []
        page.button("Train").click()  # the curves end as those that a later cell has trained: no other picture
        page.see("Script B trains")
        page.see("B: 10% of the test images right")
        page.screenshot("00_scripts", around=page.image("Accuracy over epochs of two scripts"))
        boxes = [page.see(text).bounding_box() for text in ("Script A", "It would learn, given more patience")]
        assert boxes[1]["y"] + boxes[1]["height"] - boxes[0]["y"] < 560  # one screen, beside JupyterLab's own bars
        page.radio("Something goes wrong in the first steps").check()
        page.screenshot("00_vote", around=page.see("Kept:"))
        page.radio("it trains, without any warning").check()
        page.button("Show the answer").click()
        page.see("The largest output stays the largest")
        picture = "Verdicts for"
        with page.change(picture):
            page.dropdown("loss").select_option(label="Binary cross-entropy")
        page.see("nn.BCELoss()")
        with page.change(picture):
            page.dropdown("activation").select_option(label="sigmoid")
        page.see("That is what you voted on")
        page.screenshot("00_verdict_script_b", around=page.image(picture))
        with page.change(picture):
            page.dropdown("task").select_option(label="Regression")
        page.see("nn.BCELoss refuses outputs or targets")
        page.screenshot("00_map", around=page.see("Self-study"))
        page.screenshot("00_machine", around=page.see("for the browser tests"))


def test_output_activations(jupyter):
    with jupyter.open("04_output_activations") as page:
        assert page.errors() == []
        assert page.warnings() == []
        page.screenshot("04_reach", around=page.image("Table of five tasks"))
        coupled, stairs = "Bars: outputs of softmax", "What returns of numbers around"
        with page.change(coupled):
            page.slider("logit 0").press("ArrowRight")
        assert page.slider("logit 0").value == "2.5"
        page.screenshot("04_coupling", around=page.image(coupled))
        with page.change(stairs):
            page.slider("x").press("ArrowRight", times=4)
        page.see("the number is lost")
        with page.change(stairs):
            page.dropdown("precision").select_option(label="float64")
        page.see("In float64, sigmoid(17)")
        page.screenshot("04_round_trip", around=page.image(stairs))
        page.screenshot("04_saturation", around=page.image("Worst error of sigmoid"))
        page.screenshot("04_squeeze", around=page.image("Left: targets 1 to 6"))
        page.screenshot("04_dead", around=page.image("Output range of fresh networks"))
        page.radio("about 16.6").check()
        page.button("Show the answer", nth=0).click()
        page.screenshot("04_question", around=page.see("24 ln 2"))


def test_matching_loss_to_task(jupyter):
    with jupyter.open("05_matching_loss_to_task") as page:
        assert page.errors() == []
        assert page.warnings() == []
        cost, proper, pull, noise = (
            "Loss, slope by p", "Expected loss over", "Push on each class's logit", "Logistic curves fitted",
        )  # fmt: skip
        page.screenshot("05_penalty", around=page.image(cost))
        with page.change(cost):
            page.slider("p").press("ArrowRight", times=5)
        page.see("p = 0.06, label 1")
        with page.change(proper):
            page.slider("true probability").press("Home")
        page.screenshot("05_proper", around=page.image(proper))
        with page.change(pull):
            page.slider("logit 1").press("End")
        with page.change(pull):
            page.dropdown("true class").select_option(label="3")
        page.screenshot("05_pull", around=page.image(pull))
        with page.change(noise):
            page.slider("wrong labels").press("ArrowRight", times=3)
        page.screenshot("05_noise", around=page.image(noise))
        page.radio("about 50 times").check()
        page.button("Show the answer").click()
        page.screenshot("05_question", around=page.see("the sigmoid is flat there"))


def test_experiment_design(jupyter):
    with jupyter.open("07_experiment_design") as page:
        assert page.errors() == []
        page.screenshot("07_targets", around=page.image("An image of each digit"))
        page.screenshot("07_balance", around=page.image("Six panels"))
        page.screenshot("07_run", around=page.image("Ten classes"))
        page.screenshot("07_patience", around=page.image("Validation accuracy over epochs"))
        page.screenshot("07_seeds", around=page.image("Test accuracy of logits"))
        page.radio("about 55 %").check()
        page.button("Show the answer").click()
        page.see("far less impressive")
