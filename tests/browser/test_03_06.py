"""Notebooks 03 and 06 in JupyterLab: run all, turn every control, answer the questions."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_losses_from_scratch(jupyter):
    with jupyter.open("03_losses_from_scratch") as page:
        assert page.errors() == [] and page.warnings() == []
        assert page.raw.locator(".jp-InputPlaceholder").count() >= 3  # the sources of questions are folded away
        picture = "Two panels over the logit"
        page.screenshot("03_slopes", around=page.image("The Jacobian of softmax"))
        with page.change(picture):
            page.slider("Logit z").press("ArrowRight", times=6)
        assert page.slider("Logit z").value == "−17.0"
        page.see("At logit z = -17 with label y = 1")
        with page.change(picture):
            page.button("y = 0").click()
        with page.change(picture):
            page.slider("Logit z").press("End")
        with page.change(picture):
            page.dropdown("Clip at").select_option(label="0.001")
        with page.change(picture):
            page.dropdown("Number format").select_option(label="float16")
        page.see("the true loss is 40, the clipped loss says 6.9")
        page.screenshot("03_clipping", around=page.image(picture))
        page.radio("two thirds of it").check()
        page.button("Show the answer").click()
        page.screenshot("03_question", around=page.see("Without the half"))
        page.screenshot("03_formulas", around=page.raw.get_by_text("The Kronecker delta"))
        page.screenshot("03_triton", around=page.see("Computed just now"))


def test_bce_and_logits(jupyter):
    with jupyter.open("06_bce_and_logits") as page:
        assert page.errors() == [] and page.warnings() == []
        floors, extremes = "Losses against the lead", "Relative error in three number formats"
        page.screenshot("06_floors_10", around=page.image(floors))
        with page.change(floors):
            page.slider("Number of classes K").press("ArrowRight", times=3)
        page.see("With K = 100 classes")
        page.screenshot("06_floors_100", around=page.image(floors))
        page.screenshot("06_extremes", around=page.image(extremes))
        with page.change(extremes):
            page.button("y = 1").click()
        with page.change(extremes):
            page.button("gradient").click()
        page.see("Label 1, gradient")
        page.screenshot("06_extremes_gradient", around=page.image(extremes))
        page.radio("about 1.46").check()
        page.button("Show the answer").click()
        page.screenshot("06_question", around=page.see("It takes the ones and zeros"))
        page.screenshot("06_speed", around=page.see("separate / fused"))
