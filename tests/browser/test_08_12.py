"""The experiment notebooks in JupyterLab: run all, see the tables, pick a pairing, move the cut."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_multi_label_cut_and_picker(jupyter):
    with jupyter.open("12_multi_label") as page:
        assert page.errors() == []
        cut = "Histogram of outputs and accuracy against the cut"
        page.screenshot("12_cut", around=page.image(cut))
        with page.change(cut):
            page.slider("cut").press("ArrowLeft", times=15)
        assert page.slider("cut").value == "0.20"
        page.screenshot("12_cut_moved", around=page.image(cut))
        page.radio("about 0.5 for both").check()
        page.button("Show the answer").click()
        page.see("gets half of the one unit")
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
