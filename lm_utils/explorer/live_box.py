"""What explorer and picker have in common: a choice with its controls, a training in a thread, and growing curves."""

import time
from collections.abc import Callable, Iterable
from threading import Event

import ipywidgets as widgets

from lm_utils.data import load_data
from lm_utils.evidence.results import reference
from lm_utils.explorer import texts
from lm_utils.explorer.choice import Choice
from lm_utils.explorer.controls import ChoiceControls
from lm_utils.explorer.live_run import LiveRun
from lm_utils.explorer.training_bar import TrainingBar, stop_all
from lm_utils.show.chart import LiveChart
from lm_utils.training import Run, pick_device

CURVES_SHARE = 0.1  # of a training's time, spent on drawing curves


class Pace:
    """Say whether it is time to draw again: never more often than `seconds`, and never over a share of all time."""

    def __init__(self, seconds: float = 0.2, share: float = CURVES_SHARE) -> None:
        self.seconds, self.share = seconds, share
        self._drawn = self._cost = 0.0

    def due(self) -> bool:
        """Say whether a drawing may be made now."""
        return time.perf_counter() - self._drawn >= max(self.seconds, self._cost / self.share)

    def draw(self, draw: Callable[[], None]) -> None:
        """Draw, and remember how long it took."""
        started = time.perf_counter()
        draw()
        self._drawn = time.perf_counter()
        self._cost = self._drawn - started


class LiveBox(widgets.VBox):
    """The common part; a subclass has `_chosen`, `_work`, `_ended` and `_curves` of its own."""

    ready = ""  # what the status line says before a training

    def __init__(self, choice: Choice, fields: Iterable[str], data: str, device: str, label: str = "Train") -> None:
        stop_all()
        self.splits, self.device, self.shipped = load_data(data, seed=0), pick_device(device), reference("mnist")
        self.choice, self.live, self.pace = choice, None, Pace()
        self.card, self.curves = widgets.HTML(), LiveChart()
        self.controls = ChoiceControls(choice, fields, self.choose)
        self.bar = TrainingBar(self.train, self._ended, label)
        super().__init__(layout={"max_width": "1120px", "width": "100%"})

    def choose(self, choice: Choice) -> None:
        """Take another choice: a training under way is stopped, and everything shown is about the new choice."""
        interrupted = self.live if self.bar.running else None
        if self.bar.running:
            self.bar.end()
        self.choice, self.live = choice, None
        self.controls.show(choice)
        self.bar.progress.value = 0
        self.bar.say("The choice has changed: the training was stopped." if interrupted else self.ready)
        self._chosen(interrupted)

    def train(self) -> None:
        """Train the choice in a thread."""
        self.pace = Pace()
        self.bar.start(self._work)

    def watch(self, choice: Choice, stop: Event) -> Run:
        """Train one seed and draw its curves as it goes."""
        splits = self.splits if choice.seed == self.splits.seed else load_data(self.splits.name, seed=choice.seed)
        self.live = LiveRun(choice, splits, self.device, lambda live: None if stop.is_set() else self._watched(live))
        return self.live.train(stop)

    def _watched(self, live: LiveRun) -> None:
        """Look at the training before its first batch and after each, in its own thread, when it is time to."""
        if self.pace.due():
            self.pace.draw(lambda: self._glance(live))

    def _glance(self, live: LiveRun) -> None:
        live.look()
        self._progress(live, min(1.0, live.epoch / live.expected_epochs))
        self.curves.draw(self._curves(), moving=True)

    def _progress(self, live: LiveRun, share: float) -> None:
        """Say how far the training is."""
        self.bar.say(texts.progress(live), moving=True)
        self.bar.progress.value = share
