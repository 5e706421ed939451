"""One training at a time, stopped at once, no error lost."""

import time
from threading import Event

from helpers import until

from lm_utils.explorer.live_box import Pace
from lm_utils.explorer.training_bar import TrainingBar, TrainingThread, stop_all


def test_a_second_start_is_refused_and_a_stop_is_obeyed():
    heard = []
    one, other = TrainingThread(heard.append), TrainingThread(heard.append)
    assert one.start(lambda stop: stop.wait(600)) and not one.start(print) and not other.start(print)
    one.stop(wait=60)
    assert not one.running and heard == [None]
    assert other.start(lambda stop: None)
    until(lambda: heard == [None, None])


def test_an_error_becomes_one_sentence_and_the_next_start_works():
    heard = []
    training = TrainingThread(heard.append)

    def fails(stop):
        raise ValueError("first line\nsecond line")

    training.start(fails)
    until(lambda: heard)
    assert heard == ["ValueError: first line"]
    until(lambda: not training.running)
    assert training.start(lambda stop: None)


def test_a_stop_that_comes_while_the_end_is_drawn_leaves_the_last_word_alone():
    drawn = Event()
    bar = TrainingBar(print, lambda problem: (bar.say("Done."), drawn.wait(60)))
    bar.start(lambda stop: None)
    until(lambda: "Done." in bar.status.value)
    bar.stop.click()
    drawn.set()
    until(lambda: not bar.running)
    assert "Done." in bar.status.value


def test_an_error_while_the_end_is_drawn_is_said():
    bar = TrainingBar(print, lambda problem: 1 / 0)
    bar.start(lambda stop: None)
    until(lambda: not bar.running)
    assert "ZeroDivisionError: division by zero" in bar.status.value and bar.stop.disabled


def test_stop_all_ends_the_training_of_a_cell_that_was_run_before():
    old = TrainingThread(lambda sentence: None)
    old.start(lambda stop: stop.wait(600))
    stop_all()
    assert not old.running


def test_drawing_takes_at_most_its_share_of_the_time():
    pace = Pace(seconds=0.0, share=0.15)
    assert pace.due()
    pace.draw(lambda: time.sleep(0.05))
    assert not pace.due()
    until(pace.due)
