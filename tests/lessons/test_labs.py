"""Every lab of notebooks 00 and 03 to 07 shows a picture untouched and answers each of its controls."""

from functools import partial

import ipywidgets as widgets
import pytest
from yardstick import cost, plain_figure

from lm_utils.lessons import bce_and_logits, losses_from_scratch, matching_loss_to_task, output_activations, start_here
from lm_utils.show.style import Picture

LABS = [
    start_here.verdict_lab, losses_from_scratch.clipping_lab, output_activations.round_trip_lab,
    output_activations.coupling_lab, matching_loss_to_task.penalty_lab, matching_loss_to_task.proper_lab,
    matching_loss_to_task.pull_lab, matching_loss_to_task.noise_lab, bce_and_logits.floors_lab,
    bce_and_logits.extremes_lab,
]  # fmt: skip


@pytest.mark.alone
@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.__name__)
def test_every_control_redraws_quickly(lab):
    box = lab()
    (picture,) = (part for part in box.children if isinstance(part, Picture))
    assert 'alt="' in picture.value
    for control in box.controls.values():
        before = picture.value
        move(control)
        assert picture.value != before and control.description
    answer, figure = cost(partial(move, next(iter(box.controls.values()))), plain_figure)
    assert answer < 6 * figure


def move(control):
    """Move a control to another value."""
    if isinstance(control, widgets.FloatSlider | widgets.IntSlider):
        control.value = control.max if control.value != control.max else control.min
    else:
        control.index = (control.index + 1) % len(control.options)
