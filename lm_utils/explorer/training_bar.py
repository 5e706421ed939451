"""A training in a thread of its own, one at a time in a kernel, with Train, Stop, a progress bar and a status line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from html import escape
from threading import Event, Thread

import ipywidgets as widgets
import torch

from lm_utils.errors import one_line
from lm_utils.show.style import INFO, QUIET

Work = Callable[[Event], None]
Ended = Callable[[str | None], None]  # is told None, or one sentence about what went wrong

READY, AT_WORK = INFO, QUIET  # of the Train button; it is never disabled, which would lose the keyboard
DOUBLE_CLICK = 0.5  # seconds within which a second click is not meant
BETWEEN_WORDS = 5.0  # seconds between two lines about one training that a screen reader reads out
BUSY_ELSEWHERE = "Another training is running in this notebook; stop it first, then train here."

_one_at_a_time = threading.Lock()
_running: set[TrainingThread] = set()


class TrainingThread:
    """Run one piece of work in a thread and tell `ended` how it went."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._stop = Event()
        self._thread: Thread | None = None

    @property
    def running(self) -> bool:
        """Say whether the thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Work) -> bool:
        """Begin, unless any training is running in this kernel; say whether it began."""
        with _one_at_a_time:
            if any(training.running for training in _running):
                return False
            self._stop = Event()
            self._thread = Thread(target=self._work, args=(work, self._stop), name="live training", daemon=True)
            _running.clear()
            _running.add(self)
            self._thread.start()
        return True

    def stop(self, wait: float = 0.0) -> None:
        """Ask the work to stop; with `wait`, give it so many seconds to end."""
        self._stop.set()
        if wait and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(wait)

    def _work(self, work: Work, stop: Event) -> None:
        sentence: str | None = "The training ended unexpectedly."
        try:
            torch.set_flush_denormal(True)  # numbers too small to matter become 0 instead of slow, in this thread too
            work(stop)
            sentence = None
        except Exception as problem:  # shown, not lost: nothing reads a thread's traceback in a notebook
            sentence = one_line(problem)
        finally:
            self._ended(sentence)


def stop_all() -> None:
    """Stop whatever still trains in this kernel, so that a cell that is run again begins anew."""
    for training in tuple(_running):
        training.stop(2.0)


class TrainingBar(widgets.HBox):
    """The buttons, the bar and the line; `clicked` is called by Train, `ended` when the work is over."""

    def __init__(self, clicked: Callable[[], None], ended: Ended, label: str = "Train") -> None:
        self._ended = ended
        self._training = TrainingThread(self._finished)
        self._clicked_at, self._told, self._quiet = 0.0, 0.0, False
        wide = {"width": "auto", "min_width": "7em", "flex": "0 0 auto"}
        self.train = widgets.Button(
            description=label, style={"button_color": READY, "text_color": "white"}, layout=wide
        )
        self.stop = widgets.Button(description="Stop", disabled=True, layout={"width": "6em", "flex": "0 0 auto"})
        self.progress = widgets.FloatProgress(min=0, max=1, layout={"width": "10em", "flex": "0 0 auto"})
        self.status = widgets.HTML(layout={"flex": "1 1 auto"})
        self.train.on_click(lambda button: self._train_clicked(clicked))
        self.stop.on_click(lambda button: self.ask_to_stop())
        layout = {"align_items": "center", "flex": "1 1 auto"}
        super().__init__([self.train, self.stop, self.progress, self.status], layout=layout)

    @property
    def running(self) -> bool:
        """Say whether the thread is at work."""
        return self._training.running

    def say(self, text: str, moving: bool = False) -> None:
        """Show a line, which screen readers read out; one that moves with a training only every few seconds."""
        told = not moving or time.monotonic() - self._told >= BETWEEN_WORDS
        self._told = time.monotonic() if told else self._told
        live = "polite" if told else "off"
        self.status.value = f"<div role='status' aria-live='{live}' style='line-height:1.3'>{escape(text)}</div>"

    def start(self, work: Work) -> None:
        """Begin in a thread, unless a training is running in this kernel."""
        if not self.stop.disabled:
            return
        self._training.stop(wait=2)  # the one before has said its last word; let its thread end
        self._quiet = False
        self.stop.disabled, self.train.style.button_color = False, AT_WORK
        self.progress.value, self.progress.bar_style = 0, ""
        self.say("Starting …")
        if not self._training.start(work):
            self._rest()
            self.say(BUSY_ELSEWHERE)

    def ask_to_stop(self) -> None:
        """Stop within a batch."""
        if self.running and not self.stop.disabled:
            self.stop.disabled = True
            self.train.focus()  # a disabled button loses the keyboard
            self.say("Stopping …")
            self._training.stop()

    def end(self) -> None:
        """Stop and wait for the thread to end; `ended` is not called."""
        self._quiet, self._clicked_at = True, 0.0
        self._training.stop(wait=3)
        self._rest()

    def _train_clicked(self, clicked: Callable[[], None]) -> None:
        if self.running or time.monotonic() - self._clicked_at < DOUBLE_CLICK:
            return
        self._clicked_at = time.monotonic()
        try:
            clicked()
        except Exception as problem:  # a callback's traceback would be lost in a log
            self.say(one_line(problem))

    def _rest(self) -> None:
        self.stop.disabled, self.train.style.button_color = True, READY

    def _finished(self, problem: str | None) -> None:
        self.stop.disabled = True  # nothing is left to stop, although the last pictures are still to be drawn
        try:
            if not self._quiet:
                self._ended(problem)
        except Exception as fault:  # the thread's traceback would be lost, too
            self.say(one_line(fault))
        finally:
            self._rest()
