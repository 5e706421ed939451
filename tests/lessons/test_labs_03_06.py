"""What the labs of notebooks 03 and 06 compute, without a browser."""

import math
import re
from functools import partial

import ipywidgets as widgets
import pytest
import torch
from torch import nn
from yardstick import cost, plain_figure

from lm_utils.lessons import bce_and_logits, clipping, kernels, softmax_slopes
from lm_utils.show.style import Picture, png


def parts(box, kind):
    """All widgets of a kind inside a box."""
    children = [box] if not hasattr(box, "children") else [w for child in box.children for w in parts(child, kind)]
    return [widget for widget in children if isinstance(widget, kind)]


# --- 03: clipping -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [0, 1])
def test_inside_the_clip_all_agree(label):
    at = clipping.clipped_bce(torch.linspace(-8, 8, 33), label)
    torch.testing.assert_close(at.clipped_loss, at.true_loss, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(at.by_autograd, at.by_hand, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("label, logit, ceiling", [(1, -20.0, -math.log(1e-7)), (0, 20.0, 23 * math.log(2))])
def test_beyond_the_clip_value_and_gradient_part(label, logit, ceiling):
    at = clipping.clipped_bce(torch.tensor([logit]), label)
    assert at.true_loss.item() == pytest.approx(20)
    assert at.clipped_loss.item() == pytest.approx(ceiling, abs=1e-4)
    assert at.by_autograd.item() == 0 and abs(at.by_hand.item()) == pytest.approx(1)


def test_half_precision_rounds_the_upper_clip_away():
    assert clipping.clipped_bce(torch.tensor([20.0]), 0, dtype=torch.float16).clipped_loss.item() == math.inf
    assert "rounded away" in clipping.reading(20.0, 0, 1e-7, "float16")
    assert "rounded away" not in clipping.reading(20.0, 0, 1e-7, "float64")


def test_true_loss_is_pytorchs_in_float64():
    z = torch.linspace(-40, 40, 81, dtype=torch.float64)
    expected = nn.BCEWithLogitsLoss(reduction="none")(z, torch.ones_like(z))
    torch.testing.assert_close(clipping.clipped_bce(z, 1).true_loss, expected)


def test_a_label_that_is_no_label_is_refused():
    with pytest.raises(ValueError, match="0 or 1"):
        clipping.clipped_bce(torch.zeros(1), 2)


# --- 03: slopes of softmax ----------------------------------------------------------------------------------


def test_only_the_full_jacobian_gives_prediction_minus_target():
    z = torch.tensor([2.0, 1.0, 0.0])
    both = softmax_slopes.gradients(z, true_class=1)
    expected = torch.softmax(z, 0) - torch.tensor([0.0, 1.0, 0.0])
    torch.testing.assert_close(both["all terms"], expected)
    assert both["only i = j"].nonzero().flatten().tolist() == [1]


def test_the_kernel_on_the_page_is_the_kernel_that_runs():
    text = kernels.source("cross_entropy")
    assert text.startswith("```python\n@triton.jit\ndef cross_entropy_kernel(") and text.count("def ") == 1


# --- 06: floors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes, twice, bce", [(2, 0.3133, 0.5032), (4, 0.7437, 0.5982), (10, 1.4612, 0.6552)])
def test_floors(classes, twice, bce):
    assert bce_and_logits.double_softmax_floor(classes) == pytest.approx(twice, abs=5e-5)
    assert bce_and_logits.bce_on_softmax_floor(classes) == pytest.approx(bce, abs=5e-5)
    perfect = torch.eye(classes)
    assert nn.CrossEntropyLoss()(perfect, torch.arange(classes)).item() == pytest.approx(twice, abs=5e-5)
    assert nn.BCEWithLogitsLoss()(perfect, perfect).item() == pytest.approx(bce, abs=5e-5)


@pytest.mark.parametrize("classes", bce_and_logits.CLASSES)
def test_curves_start_at_log_k_and_end_on_their_floors(classes):
    right, twice, bce = bce_and_logits.misuse_curves(classes).values()
    assert right[0].item() == pytest.approx(math.log(classes), abs=1e-5)
    assert twice[0].item() == pytest.approx(math.log(classes), abs=1e-5)
    assert right[-1] < 1e-3
    assert twice[-1].item() == pytest.approx(bce_and_logits.double_softmax_floor(classes), abs=2e-3)
    assert bce[-1].item() == pytest.approx(bce_and_logits.bce_on_softmax_floor(classes), abs=2e-3)
    assert (twice >= bce_and_logits.double_softmax_floor(classes) - 1e-5).all()


def test_no_point_of_the_simplex_lies_below_the_floors():
    generator = torch.Generator().manual_seed(0)
    p = torch.softmax(4 * torch.randn(2000, 5, generator=generator), dim=1)
    hot = nn.functional.one_hot(torch.randint(5, (2000,), generator=generator), 5).float()
    each = nn.BCEWithLogitsLoss(reduction="none")(p, hot).mean(dim=1)
    assert each.min() >= bce_and_logits.bce_on_softmax_floor(5) - 1e-6


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        bce_and_logits.misuse_curves(1)


# --- 06: extreme logits and speed ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("number_format, bound", [("float16", 1e-3), ("bfloat16", 8e-3), ("float32", 1e-6)])
def test_the_fused_loss_errs_by_rounding_only(number_format, bound, label, what):
    _, errors = bce_and_logits.relative_errors("BCEWithLogitsLoss", number_format, label, what)
    assert errors.max() < bound


@pytest.mark.parametrize("number_format, one", [("float16", 8.4), ("bfloat16", 6.3), ("float32", 16.7)])
def test_the_separate_road_fails_where_sigmoid_becomes_one(number_format, one):
    sizes, errors = bce_and_logits.relative_errors("Sigmoid, then BCELoss", number_format, 0)
    beyond = (sizes > one + 0.2) & (sizes < 40)
    assert (errors[beyond] > 1).all()
    _, lost = bce_and_logits.relative_errors("Sigmoid, then BCELoss", number_format, 0, "gradient")
    assert (lost[beyond].nan_to_num(1) == 1).all()


def test_the_race_reports_its_ratio():
    table = bce_and_logits.race_table(rows=64, classes=4, rounds=3)
    assert (table["separate / fused"] - table["separate, ms"] / table["fused, ms"]).abs().max() < 1e-9
    assert (table > 0).all(axis=None)


# --- figures and labs ---------------------------------------------------------------------------------------

FIGURES = {
    "clipping": lambda: clipping.clipping_figure(),
    "slopes": lambda: softmax_slopes.slopes_figure(torch.tensor([2.0, 1.0, 0.0]), 1),
    "floors": lambda: bce_and_logits.floors_figure(10),
    "extremes": lambda: bce_and_logits.extremes_figure(1, "gradient"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_have_alt_text_with_numbers(name):
    figure = FIGURES[name]()
    assert len(figure.get_label()) > 40 and re.search(r"\d", figure.get_label())
    assert len(png(figure)) > 10_000


@pytest.mark.alone
@pytest.mark.parametrize("lab", [clipping.clipping_lab, bce_and_logits.floors_lab, bce_and_logits.extremes_lab])
def test_every_control_redraws_quickly(lab):
    box = lab()
    (picture,) = parts(box, Picture)
    controls = parts(box, (widgets.FloatSlider, widgets.SelectionSlider, widgets.Dropdown, widgets.ToggleButtons))
    assert controls and all(control.description for control in controls)
    for control in controls:
        before = picture.value
        move(control)
        assert picture.value != before
        answer, figure = cost(partial(move, control), plain_figure)
        assert answer < 6 * figure


def move(control):
    """Move a control to another value."""
    if isinstance(control, widgets.FloatSlider):
        control.value = 12.5 if control.value != 12.5 else 11.0
    else:
        control.index = (control.index + 1) % len(control.options)


def test_an_error_is_one_sentence_in_the_lab(monkeypatch):
    box = clipping.clipping_lab()
    monkeypatch.setattr(clipping, "clipping_figure", lambda *state: 1 / 0)
    (slider,) = parts(box, widgets.FloatSlider)
    slider.value = 3.0
    assert "could not be drawn: division by zero" in box.children[-1].value
