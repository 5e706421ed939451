"""The live explorer: choose task, loss and activation, press Train, and watch what the choice does."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from threading import Event

import ipywidgets as widgets

from lm_utils.data import load_data
from lm_utils.evidence.reference_lines import landmarks
from lm_utils.evidence.results import Results, reference
from lm_utils.explorer import figures, texts
from lm_utils.explorer.choice import PRESETS, Choice
from lm_utils.explorer.controls import PAIRING_FIELDS, TRAINING_FIELDS, ChoiceControls
from lm_utils.explorer.explorer_parts import Comparison, Fold, PredictFirst
from lm_utils.explorer.live import Pace, stop_all
from lm_utils.explorer.live_run import LiveRun
from lm_utils.explorer.training_bar import TrainingBar
from lm_utils.show.style import Picture

CURVES_SHARE, INSIDE_SHARE = 0.1, 0.05  # of a training's time, spent on drawing
FIRST_CURVE = 0.25  # seconds after the start: by then the first curve has somewhere to go
FIRST_LOOK_INSIDE = 3.0  # seconds after the start: before, the curves come first
STYLE = """<style>
.lm-preset { white-space: normal; height: auto; min-height: 3em; line-height: 1.25; padding: .3em .5em; }
.lm-preset:focus-visible, .lm-fold:focus-visible { outline: 3px solid #0173b2; outline-offset: 1px; }
.lm-preset.lm-chosen { background: #dceefb; color: #11344f; box-shadow: inset 0 0 0 2px #0173b2; font-weight: bold; }
.lm-fold { text-align: left; }
.lm-explorer .widget-checkbox label { display: flex; align-items: center; }
.lm-explorer .widget-checkbox input { margin: 0 8px 0 0; }
.lm-picture img { display: block; }
</style>"""


def explorer(data: str = "auto", device: str = "auto", folder: str | Path | None = None) -> widgets.VBox:
    """The explorer as one box; nothing trains until Train is pressed. Files are saved in `folder`, or right here."""
    stop_all()
    return Explorer(data, device, Path(folder or Path.cwd()))


class Explorer(widgets.VBox):
    """All of it: presets, everything else one step behind, Train and Stop, pictures, the doctor, a comparison."""

    def __init__(self, data: str = "auto", device: str = "auto", folder: Path = Path()) -> None:
        self.splits = load_data(data, seed=0)
        self.device = device
        self.stored = reference("mnist")
        self.live: LiveRun | None = None
        self.curves_pace = self.inside_pace = Pace()
        self.presets = [self._preset_button(number) for number in range(len(PRESETS))]
        self.choice = PRESETS[0].choice
        self.controls = ChoiceControls(self.choice, (*PAIRING_FIELDS, *TRAINING_FIELDS), self.choose)
        self.card = widgets.HTML()
        self.bar = TrainingBar(self.train, self._ended)
        self.predict = PredictFirst(self._show_card)
        self.curves, self.images, self.inside, self.doctor = Picture(), Picture(), Picture(), widgets.HTML()
        self.comparison = Comparison(folder)
        for picture in (self.curves, self.images, self.inside):
            picture.add_class("lm-picture")
        super().__init__(self._parts(), layout={"max_width": "1120px", "width": "100%", "margin": "0 auto"})
        self.add_class("lm-explorer")
        self.choose(self.choice)

    def _parts(self) -> list[widgets.Widget]:
        columns = {"grid_template_columns": "repeat(6, minmax(0, 1fr))", "grid_gap": "4px"}
        row = widgets.GridBox(self.presets, layout=columns)
        self.predict.switch.layout.flex = "0 0 auto"
        top = widgets.HBox([self.bar, self.predict.switch], layout={"align_items": "center"})
        self.bar.layout.flex = "1 1 auto"
        hint = f"Data: {escape(self.splits.source)} If buttons do not answer, run this cell again."
        hint = f"<div style='line-height:1.3;font-size:12px'>{hint}</div>"
        return [
            widgets.HTML(STYLE, layout={"display": "none"}), row,
            Fold("Everything else: task, loss, activations, learning rate, patience, seed …", [self.controls]),
            self.card, top, self.predict, self.curves, self.images, self.inside, self.doctor, self.comparison,
            widgets.HTML(hint),
        ]  # fmt: skip

    def _preset_button(self, number: int) -> widgets.Button:
        button = widgets.Button(tooltip=PRESETS[number].told, layout={"width": "auto"})
        button.add_class("lm-preset")
        button.on_click(lambda button: self.choose(PRESETS[number].choice))
        return button

    # --- choosing ---

    def choose(self, choice: Choice) -> None:
        """Another choice: a training under way is stopped and kept, and everything shown is about the new choice."""
        interrupted = self.live if self.bar.running else None
        if interrupted:
            self.bar.end()
            self._keep(interrupted)
        self.choice, self.live = choice, None
        self.controls.show(choice)
        for button, preset in zip(self.presets, PRESETS, strict=True):
            chosen = preset.choice == choice
            button.description = ("● " if chosen else "") + preset.title
            (button.add_class if chosen else button.remove_class)("lm-chosen")
        self.predict.ask_again()
        self._show_card()
        self.doctor.value, self.bar.progress.value = "", 0
        self.bar.say("The choice has changed: the training was stopped." if interrupted else "Ready: press Train.")
        self._draw_curves()
        for picture in (self.images, self.inside):
            picture.value = ""

    def _show_card(self) -> None:
        self.card.value = texts.pairing_card(self.choice, self.stored, secret=self.predict.waiting)

    # --- training ---

    def train(self) -> None:
        """Train the choice in a thread, unless a prediction is still missing."""
        if self.predict.waiting and self.predict.options.value is None:
            self.bar.say("Say first what will happen, then press Train.")
            return
        self.curves_pace, self.inside_pace = Pace(0.3, CURVES_SHARE), Pace(1.0, INSIDE_SHARE)
        self.doctor.value = ""
        if self.bar.start(partial(self._work, self.choice)):
            self.bar.say("Starting …")

    def train_now(self, stop: Event | None = None) -> LiveRun:
        """The same without a thread, for a page that runs by itself."""
        self._work(self.choice, stop or Event())
        self._ended(None)
        return self.live

    def _work(self, choice: Choice, stop: Event) -> None:
        splits = self.splits if choice.seed == self.splits.seed else load_data(self.splits.name, seed=choice.seed)
        self.live = LiveRun(choice, splits, self.device, lambda live: None if stop.is_set() else self._told(live))
        self.live.train(stop)

    def _told(self, live: LiveRun) -> None:
        """After every batch, in the training's thread: draw what it is time for."""
        if live is not self.live:
            return
        if not live.batches:
            live.look()  # before any training
            live.probe()
        elif live.seconds > FIRST_CURVE and self.curves_pace.due():
            self.curves_pace.draw(lambda: self._glance(live))
        if live.seconds > FIRST_LOOK_INSIDE and self.inside_pace.due():
            self.inside_pace.draw(lambda: self._look_inside(live))

    def _glance(self, live: LiveRun) -> None:
        live.look()
        self.bar.say(texts.progress_words(live))
        self.bar.progress.value = min(1.0, live.epoch / live.expected_epochs)
        self._draw_curves()

    def _look_inside(self, live: LiveRun) -> None:
        live.answer()
        live.probe()
        self._draw_inside()

    def _ended(self, problem: str | None) -> None:
        live = self.live
        if live is None or live.run is None:
            self.bar.say(problem or "Stopped before it began.")
            return
        self.bar.say(problem or texts.outcome(live))
        self.bar.progress.value = 1.0
        styles = {texts.OUTCOMES[0]: "success", texts.OUTCOMES[1]: "warning", texts.OUTCOMES[2]: "danger"}
        self.bar.progress.bar_style = styles.get(texts.what_happened(live), "")
        self._draw_curves()
        self._draw_inside()
        self.doctor.value = texts.findings(live.report)
        self.predict.answer(live)
        self._show_card()
        self._keep(live)

    def _keep(self, live: LiveRun) -> None:
        if live.run is not None and (live.run.epochs or live.run.status == "error"):
            self.comparison.keep(live)

    # --- pictures ---

    def _draw_curves(self) -> None:
        live, pairing = self.live, self.choice.pairing
        data = live.data if live is not None else self.splits
        self.curves.draw(figures.curves_figure(pairing, landmarks(pairing, data), live, self._behind()))

    def _behind(self) -> Results | None:
        """The stored runs, where they are of the same data set and no secret."""
        return self.stored if self.splits.name == self.stored.data and not self.predict.waiting else None

    def _draw_inside(self) -> None:
        self.images.draw(figures.images_figure(self.live))
        self.inside.draw(figures.inside_figure(self.live))
