"""The experiment notebooks in JupyterLab: run all, see the tables, pick a pairing, move the cut."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_regression_picker_and_a_question(jupyter):
    with jupyter.open("08_regression") as page:
        assert page.errors() == []
        page.screenshot("08_rows", around=page.image("test MSE"))
        page.radio("far worse").check()
        page.button("Show the answer").click()
        page.see("Right: far worse.")
        page.dropdown("Output activation").select_option(label="ReLU")
        page.see("it may also be dead from the start")
        page.dropdown("Loss").select_option(label="Binary cross-entropy on logits (bce_logits)")
        page.dropdown("Output activation").select_option(label="no activation")
        page.see("it rewards outputs that run away from the target")
        page.screenshot("08_picker", around=page.button("Train it here"))


def test_probability_picker_trains_one_seed_of_what_learns_nothing(jupyter):
    with jupyter.open("09_probability") as page:
        assert page.errors() == []
        page.screenshot("09_calibration", around=page.image("Reliability diagram"))
        page.dropdown("Output activation").select_option(label="softmax")
        page.see("Softmax over a single output is always 1")
        page.see("49.31 %")
        page.button("Train it here").click()
        page.see("Stored result (yours: embedded digits)")
        page.screenshot("09_picker_trained", around=page.button("Train it here"))


def test_binary_picker_and_what_it_costs(jupyter):
    with jupyter.open("10_binary") as page:
        assert page.errors() == []
        page.screenshot("10_differences", around=page.image("Paired differences"))
        page.dropdown("Output activation").select_option(label="softmax")
        page.see("The loss applies softmax a second time")
        page.see("nn.CrossEntropyLoss + softmax (twice): test accuracy")
        page.checkbox("output bias at the prior").check()
        page.see("none of this pairing")
        page.screenshot("10_picker", around=page.see("none of this pairing"))


def test_multi_label_cut_and_picker(jupyter):
    with jupyter.open("12_multi_label") as page:
        assert page.errors() == []
        cut = "Histogram of outputs and accuracy against the cut"
        page.screenshot("12_cut", around=page.image(cut))
        with page.change(cut):
            page.slider("cut").press("ArrowLeft", times=15)
        assert page.slider("cut").value == "0.20"
        page.screenshot("12_cut_moved", around=page.image(cut))
        page.outputs.locator("details.code summary").filter(has_text="cut_figure").first.click()
        page.see("def cut_figure(runs")
        page.radio("about 0.5 for both").check()
        page.button("Show the answer").click()
        page.see("gets half of the one unit")
        question = page.outputs.filter(has_text="how much of that gap")
        question.locator("label").filter(has_text="next to nothing").locator("input").check()
        question.get_by_role("button", name="Show the answer").click()
        page.see("on average over three losses")
        page.screenshot("12_table", around=page.see("MSE + softmax"))


def test_multi_class_why_and_picker(jupyter):
    with jupyter.open("11_multi_class") as page:
        assert page.errors() == []
        page.screenshot("11_rows", around=page.image("test accuracy"))
        page.screenshot("11_push", around=page.image("Bar charts of the mean gradient"))
        page.screenshot("11_stuck", around=page.image("Share of hidden activations at a flat end"))
        page.dropdown("Output activation").select_option(label="sigmoid")
        page.see("so no logit can exceed another by more than 1")
        page.dropdown("Loss").select_option(index=4)
        page.see("Ten yes/no questions")
        page.screenshot("11_picker", around=page.see("Ten yes/no questions"))
