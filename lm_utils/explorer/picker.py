"""The picker of notebooks 08 to 12: choose a pairing of one task, see its stored result at once, or train it here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from threading import Event

import ipywidgets as widgets

from lm_utils.data import Splits, load_data
from lm_utils.errors import UserError
from lm_utils.evidence.reference_lines import landmarks, stored_landmarks
from lm_utils.evidence.results import FITTING, Results, reference
from lm_utils.evidence.sentences import sentence
from lm_utils.explorer import texts
from lm_utils.explorer.choice import Choice, can_normalise
from lm_utils.explorer.controls import ChoiceControls
from lm_utils.explorer.figures import curves_figure
from lm_utils.explorer.live import Pace, stop_all
from lm_utils.explorer.live_run import LiveRun
from lm_utils.explorer.training_bar import TrainingBar
from lm_utils.runs.outputs import summarise
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store, entry_of
from lm_utils.show.style import Picture
from lm_utils.tasks import TASKS
from lm_utils.training import pick_device

SEEDS = (1, 2, 3)
SHARE = 0.12  # of a training's time, spent on drawing


def picker(task: str, data: str = "auto", device: str = "auto") -> widgets.VBox:
    """Any pairing of a task: its explanation, its stored runs, and a Train button for runs of your own."""
    if task not in TASKS:
        raise UserError(f"Unknown task {task!r}; choose one of {', '.join(TASKS)}.")
    stop_all()
    return Picker(task, data, device)


def stored_runs(choice: Choice, splits: Splits, device: str, store: Store) -> Results:
    """The reader's own stored runs of a pairing; none where nothing was trained."""
    where = pick_device(device, choice.pairing).type
    paths = [store.path(choice.pairing, seed, splits.name, where, LIMITS) for seed in range(max(SEEDS))]
    return Results("yours", splits.name, tuple(entry for path in paths if (entry := store.get(path))))


def shown_runs(choice: Choice, mine: Results, shipped: Results) -> Results:
    """The runs whose curves are drawn: one's own where there are some, else the shipped ones."""
    return mine if mine.of(choice.pairing) else shipped


def result_lines(choice: Choice, mine: Results, shipped: Results) -> str:
    """What is known about a pairing, each line with whose runs it speaks of."""
    lines = [texts.stored_line(choice, shipped)]
    if mine.of(choice.pairing):
        lines.append(texts.stored_line(choice, mine))
    return "<br>".join(lines)


class Picker(widgets.VBox):
    """Controls, explanation, stored result, curves, and a Train button."""

    def __init__(self, task: str, data: str = "auto", device: str = "auto", store: Store | None = None) -> None:
        self.splits, self.device, self.store = load_data(data, seed=0), device, store or Store()
        self.shipped = reference("mnist")
        self.choice = Choice(FITTING[task], epochs=LIMITS[0], patience=LIMITS[1])
        option = "normalize" if can_normalise(task) else "prior_bias"
        self.controls = ChoiceControls(self.choice, ("loss", "activation", "hidden", option), self.choose)
        self.card, self.curves, self.pace = widgets.HTML(), Picture(), Pace()
        self.seeds = widgets.Dropdown(description="Seeds", options=SEEDS, style={"description_width": "4em"},
                                      layout={"width": "9em", "flex": "0 0 auto"})  # fmt: skip
        self.bar = TrainingBar(self.train, self._ended, label="Train it here")
        self.bar.layout.flex = "1 1 auto"
        bar = widgets.HBox([self.bar, self.seeds], layout={"align_items": "center"})
        super().__init__([self.controls, self.card, bar, self.curves], layout={"max_width": "1120px", "width": "100%"})
        self.choose(self.choice)

    def choose(self, choice: Choice) -> None:
        """Another pairing: a training under way is stopped, and everything shown is about the new one."""
        interrupted = self.bar.running
        if interrupted:
            self.bar.end()
        self.choice, self.live = choice, None
        self.controls.show(choice)
        self.bar.progress.value = 0
        self.bar.say("The choice has changed: the training was stopped." if interrupted else "")
        self._show()

    def _show(self) -> None:
        mine = stored_runs(self.choice, self.splits, self.device, self.store)
        self.card.value = texts.explained(self.choice, result_lines(self.choice, mine, self.shipped))
        self._draw(shown_runs(self.choice, mine, self.shipped))

    def _draw(self, results: Results) -> None:
        pairing, live = self.choice.pairing, self.live
        lines = stored_landmarks(pairing, results.data) if live is None else landmarks(pairing, live.data)
        behind = results if live is None or results.whose == "yours" else None
        self.curves.draw(curves_figure(pairing, lines, live, behind))

    # --- training ---

    def train(self) -> None:
        """Train the chosen pairing with the chosen number of seeds, those not stored yet."""
        self.pace = Pace(0.3, SHARE)
        if self.bar.start(partial(self._work, self.choice, self.seeds.value)):
            self.bar.say("Starting …")

    def train_now(self, seeds: int = 1) -> None:
        """The same without a thread, for a page that runs by itself."""
        self._work(self.choice, seeds, Event())
        self._ended(None)

    def _work(self, choice: Choice, seeds: int, stop: Event) -> None:
        for seed in range(seeds):
            path = self.store.path(choice.pairing, seed, self.splits.name,
                                   pick_device(self.device, choice.pairing).type, LIMITS)  # fmt: skip
            if stop.is_set() or self.store.get(path):
                continue
            splits = load_data(self.splits.name, seed=seed)
            told = lambda live, seed=seed: None if stop.is_set() else self._told(live, seed, seeds)  # noqa: E731
            self.live = LiveRun(replace(choice, seed=seed), splits, self.device, told)
            run = self.live.train(stop)
            if run.status != "stopped":
                self.store.put(path, entry_of(run, summarise(run, splits)))

    def _told(self, live: LiveRun, seed: int, seeds: int) -> None:
        if not live.batches:
            live.look()  # before any training
        elif self.pace.due():
            self.pace.draw(lambda: self._glance(live, seed, seeds))

    def _glance(self, live: LiveRun, seed: int, seeds: int) -> None:
        live.look()
        self.bar.say(f"Seed {seed + 1} of {seeds}. {texts.progress_words(live)}")
        self.bar.progress.value = (seed + min(1.0, live.epoch / live.expected_epochs)) / seeds
        self._draw(stored_runs(self.choice, self.splits, self.device, self.store))

    def _ended(self, problem: str | None) -> None:
        live, pairing = self.live, self.choice.pairing
        mine = stored_runs(self.choice, self.splits, self.device, self.store)
        self.bar.progress.value = 1.0
        if problem:
            self.bar.say(problem)
        elif live is not None and live.run is not None and live.run.status == "stopped":
            self.bar.say(texts.outcome(live))
        else:
            self.bar.say(f"Yours: {sentence(pairing, mine)}")
            self.live = None
        self._show()
