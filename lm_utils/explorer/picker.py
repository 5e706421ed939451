"""The picker of notebooks 08 to 12: choose a pairing of one task, see its stored result at once, or train it here."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import ipywidgets as widgets

from lm_utils.evidence.reference_lines import reference_lines, stored_reference_lines
from lm_utils.evidence.results import FITTING, Results
from lm_utils.evidence.sentences import sentence
from lm_utils.explorer import texts
from lm_utils.explorer.choice import Choice, can_normalise
from lm_utils.explorer.figures import curves_chart
from lm_utils.explorer.live_box import LiveBox
from lm_utils.explorer.live_run import LiveRun
from lm_utils.pairing import check_name
from lm_utils.runs.outputs import summarise
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store, entry_of
from lm_utils.show.chart import Chart
from lm_utils.show.keys import Keys
from lm_utils.show_code import folded
from lm_utils.tasks import TASKS

SEEDS = (1, 2, 3)


class Picker(LiveBox):
    """A box for any pairing of a task: its explanation, its stored runs, a Train button for your own, and curves."""

    def __init__(self, task: str, data: str = "auto", device: str = "auto", store: Store | None = None) -> None:
        check_name("task", task, TASKS)
        option = "normalize" if can_normalise(task) else "prior_bias"
        choice = Choice(FITTING[task], epochs=LIMITS[0], patience=LIMITS[1])
        super().__init__(choice, ("loss", "activation", "hidden", option), data, device, label="Train it here")
        self.store, self.place = store or Store(), (self.splits.name, self.device, LIMITS)
        self.seeds = widgets.Dropdown(description="Seeds", options=SEEDS, style={"description_width": "4em"},
                                      layout={"width": "9em", "flex": "0 0 auto"})  # fmt: skip
        self.seed, self.last = 0, 1  # which seed is trained, of how many
        bar = widgets.HBox([self.bar, self.seeds], layout={"align_items": "center"})
        code = widgets.HTML(folded(curves_chart.__code__))
        self.children = [self.controls, self.card, bar, self.curves, Keys(), code]
        self.choose(self.choice)

    @property
    def mine(self) -> Results:
        """Return the reader's own stored runs of this pairing."""
        keys = [(self.choice.pairing, seed) for seed in range(max(SEEDS))]
        found = self.store.find(keys, *self.place)
        return Results("yours", self.splits.name, tuple(found.values()))

    def _chosen(self, interrupted: LiveRun | None = None) -> None:
        mine = self.mine
        self.card.value = texts.pairing_card(self.choice, self.shipped, *([mine] if mine.entries else []))
        self.curves.draw(self._curves())

    def _work(self, stop: Event) -> None:
        """Train the chosen number of seeds, those that are not stored yet."""
        self.last = self.seeds.value
        for seed in range(self.last):
            self.seed, key = seed, (self.choice.pairing, seed)
            if stop.is_set() or self.store.find([key], *self.place):
                continue
            run = self.watch(replace(self.choice, seed=seed), stop)
            if run.status != "stopped":
                self.store.put(key, entry_of(run, summarise(run, self.live.data)), *self.place)

    def _progress(self, live: LiveRun, share: float) -> None:
        self.bar.say(f"Seed {self.seed + 1} of {self.last}. {texts.progress(live)}", moving=True)
        self.bar.progress.value = (self.seed + share) / self.last

    def _ended(self, problem: str | None) -> None:
        live = self.live
        self.bar.progress.value = 1.0
        if problem:
            self.bar.say(problem)
        elif live is not None and live.run is not None and live.run.status == "stopped":
            self.bar.say(texts.ending(live))
        else:
            self.bar.say(f"Yours: {sentence(self.choice.pairing, self.mine)}")
            self.live = None
        self._chosen()

    def _curves(self) -> Chart:
        """Show one's own runs where there are some, else the shipped ones; behind a training only one's own."""
        pairing, live, mine = self.choice.pairing, self.live, self.mine
        if live is None:
            results = mine if mine.entries else self.shipped
            return curves_chart(pairing, stored_reference_lines(pairing, results.data), None, results)
        return curves_chart(pairing, reference_lines(pairing, live.data), live, mine)


picker = Picker  # written as the last line of a cell
