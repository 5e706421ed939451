"""Notebook 06: floors of a doubled softmax, and extreme logits in three number formats."""

import math

import pytest
import torch
from torch import nn

from lm_utils.evidence.reference_lines import bce_on_softmax_floor, double_softmax_floor
from lm_utils.lessons import bce_and_logits as lesson
from lm_utils.show.style import png


@pytest.mark.parametrize("classes, twice, bce", [(2, 0.3133, 0.5032), (4, 0.7437, 0.5982), (10, 1.4612, 0.6552)])
def test_floors(classes, twice, bce):
    assert double_softmax_floor(classes) == pytest.approx(twice, abs=5e-5)
    assert bce_on_softmax_floor(classes) == pytest.approx(bce, abs=5e-5)
    perfect = torch.eye(classes)
    assert nn.CrossEntropyLoss()(perfect, torch.arange(classes)).item() == pytest.approx(twice, abs=5e-5)
    assert nn.BCEWithLogitsLoss()(perfect, perfect).item() == pytest.approx(bce, abs=5e-5)


@pytest.mark.parametrize("classes", lesson.CLASSES)
def test_curves_start_at_log_k_and_end_on_their_floors(classes):
    right, twice, bce = lesson.misuse_curves(classes).values()
    assert right[0].item() == pytest.approx(math.log(classes), abs=1e-5)
    assert twice[0].item() == pytest.approx(math.log(classes), abs=1e-5)
    assert right[-1] < 1e-3
    assert twice[-1].item() == pytest.approx(double_softmax_floor(classes), abs=2e-3)
    assert bce[-1].item() == pytest.approx(bce_on_softmax_floor(classes), abs=2e-3)
    assert (twice >= double_softmax_floor(classes) - 1e-5).all()


def test_no_point_of_the_simplex_lies_below_the_floors():
    generator = torch.Generator().manual_seed(0)
    p = torch.softmax(4 * torch.randn(2000, 5, generator=generator), dim=1)
    hot = nn.functional.one_hot(torch.randint(5, (2000,), generator=generator), 5).float()
    each = nn.BCEWithLogitsLoss(reduction="none")(p, hot).mean(dim=1)
    assert each.min() >= bce_on_softmax_floor(5) - 1e-6


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        lesson.misuse_curves(1)


@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("number_format, bound", [("float16", 1e-3), ("bfloat16", 8e-3), ("float32", 1e-6)])
def test_the_fused_loss_errs_by_rounding_only(number_format, bound, label, what):
    _, errors = lesson.relative_errors("BCEWithLogitsLoss", number_format, label, what)
    assert errors.max() < bound


@pytest.mark.parametrize("number_format, one", [("float16", 8.4), ("bfloat16", 6.3), ("float32", 16.7)])
def test_the_separate_road_fails_where_sigmoid_becomes_one(number_format, one):
    sizes, errors = lesson.relative_errors("Sigmoid, then BCELoss", number_format, 0)
    beyond = (sizes > one + 0.2) & (sizes < 40)
    assert (errors[beyond] > 1).all()
    _, lost = lesson.relative_errors("Sigmoid, then BCELoss", number_format, 0, "gradient")
    assert (lost[beyond].nan_to_num(1) == 1).all()


@pytest.mark.parametrize(
    "figure, arguments", [(lesson.floors_figure, (10,)), (lesson.extremes_figure, (1, "gradient"))]
)
def test_figures_have_alt_text_with_numbers(figure, arguments):
    drawn = figure(*arguments)
    assert any(character.isdigit() for character in drawn.get_label()) and len(png(drawn)) > 10_000
