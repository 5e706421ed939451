"""A Train button, a Stop button, a progress bar and a line that says what is going on: one state at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape

import ipywidgets as widgets
import torch

from lm_utils.explorer.live import LiveTraining, Work

DOUBLE_CLICK = 0.5  # seconds within which a second click is not meant
BUSY_ELSEWHERE = "Another training is running in this notebook; stop it first, then train here."


class TrainingBar(widgets.HBox):
    """Starts and stops work in a thread; `ended` hears None, or one sentence about what went wrong."""

    def __init__(self, clicked: Callable[[], None], ended: Callable[[str | None], None], label: str = "Train") -> None:
        self._ended = ended
        self._training = LiveTraining(self._finished)
        self._clicked_at, self._quiet = 0.0, False
        wide = {"width": "auto", "min_width": "7em", "flex": "0 0 auto"}
        self.train = widgets.Button(description=label, button_style="primary", layout=wide)
        self.stop = widgets.Button(description="Stop", disabled=True, layout={"width": "6em", "flex": "0 0 auto"})
        self.progress = widgets.FloatProgress(min=0, max=1, layout={"width": "10em", "flex": "0 0 auto"})
        self.status = widgets.HTML(layout={"flex": "1 1 auto"})
        self.train.on_click(lambda button: self._train_clicked(clicked))
        self.stop.on_click(lambda button: self.ask_to_stop())
        super().__init__([self.train, self.stop, self.progress, self.status], layout={"align_items": "center"})

    @property
    def running(self) -> bool:
        """Whether its thread is at work."""
        return self._training.running

    def say(self, text: str) -> None:
        """Show a line; screen readers read it out."""
        words = f"<div role='status' aria-live='polite' style='line-height:1.3'>{escape(text)}</div>"
        if self.status.value != words:
            self.status.value = words

    def start(self, work: Work) -> bool:
        """Begin in a thread, unless a training is running in this kernel."""
        if not self.stop.disabled:
            return False
        self._training.stop(wait=2)  # the one before has said its last word; let its thread end
        self._quiet = False
        self.train.disabled, self.stop.disabled = True, False
        self.progress.value, self.progress.bar_style = 0, ""
        if self._training.start(lambda stop: self._limited(work, stop)):
            return True
        self._rest()
        self.say(BUSY_ELSEWHERE)
        return False

    def ask_to_stop(self) -> None:
        """Stop within a batch."""
        if self.running:
            self.stop.disabled = True
            self.say("Stopping …")
            self._training.stop()

    def end(self) -> None:
        """Stop and wait for the thread to end, without a last word of it."""
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
            self.say(f"{type(problem).__name__}: {problem}")

    @staticmethod
    def _limited(work: Work, stop: object) -> None:
        """Let numbers too small to matter become 0 instead of slow, in this thread too."""
        torch.set_flush_denormal(True)
        work(stop)

    def _rest(self) -> None:
        self.train.disabled, self.stop.disabled = False, True

    def _finished(self, problem: str | None) -> None:
        try:
            if not self._quiet:
                self._ended(problem)
        finally:
            self._rest()
