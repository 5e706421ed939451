"""A lab draws at once and after every change, and says what went wrong where nobody would see it."""

import ipywidgets as widgets
import pytest

from lm_utils.show.lab import lab, menu, slider
from lm_utils.show.style import Picture, new_figure


def picture(x, name):
    figure, _ = new_figure()
    figure.set_label(f"{name} at {x:g}")
    return f"{1 / x:.3f}", figure


def made(**options):
    return lab(
        picture, x=slider("place x", 2.0, 0.0, 4.0, 0.5), name=menu("who", {"first": "a", "last": "z"}), **options
    )


@pytest.mark.parametrize("beside", [True, False])
def test_text_and_picture_follow_the_controls(beside):
    box = made(beside=beside)
    head, image = box.children[0], box.places[-1]
    text = head.children[1] if beside else box.children[1]
    assert "0.500" in text.value and 'alt="a at 2"' in image.value
    box.controls["x"].value, box.controls["name"].label = 1.9999999999999998, "last"
    assert "0.500" in text.value and 'alt="z at 2"' in image.value


def test_controls_are_named_and_wait_for_the_hand_to_rest():
    x, name = made().controls.values()
    assert (x.description, name.description) == ("place x", "who")
    assert not x.continuous_update and x.readout_format == ".1f"
    assert isinstance(slider("n", 3, 0, 8), widgets.IntSlider) and slider("p", 0.5, 0, 1, 0.05).readout_format == ".2f"


def test_an_error_of_the_first_drawing_fails_the_cell():
    with pytest.raises(ZeroDivisionError):
        lab(picture, x=slider("x", 0.0, 0.0, 1.0), name=menu("who", ["a"]))


def test_a_later_error_is_one_sentence_and_takes_the_old_picture_away():
    box = made()
    text, image = box.places
    box.controls["x"].value = 0.0
    assert text.value == "" and "could not be drawn: float division by zero" in image.value
    box.controls["x"].value = 4.0
    assert "0.250" in text.value and isinstance(image, Picture) and "<img" in image.value


def test_a_lab_may_show_a_text_alone():
    box = lab(lambda n: f"<b>{n}</b>", n=menu("n", range(3), 2))
    box.controls["n"].value = 1
    assert "<b>1</b>" in box.places[-1].value
