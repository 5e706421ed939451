"""The live explorer: choose task, loss and activation, press Train, and watch what the choice does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event

import ipywidgets as widgets

from lm_utils.data import friendly
from lm_utils.evidence.reference_lines import reference_lines
from lm_utils.explorer import figures, texts
from lm_utils.explorer.choice import PRESETS
from lm_utils.explorer.comparison import Comparison
from lm_utils.explorer.controls import PAIRING_FIELDS, TRAINING_FIELDS
from lm_utils.explorer.live_box import LiveBox, Pace
from lm_utils.explorer.live_run import BREAKS, CONSTANT, LEARNS, LiveRun
from lm_utils.explorer.prediction import PredictFirst
from lm_utils.show.chart import Chart
from lm_utils.show.keys import Keys
from lm_utils.show.lab import Fold
from lm_utils.show.quiz import markup
from lm_utils.show.style import Picture
from lm_utils.show_code import folded

INSIDE_SHARE = 0.05  # of a training's time, spent on drawing the inside
FIRST_LOOK_INSIDE = 3.0  # seconds after the start: before, the curves come first
FIGURES = (figures.curves_chart, figures.images_figure, figures.inside_figure)
BAR_STYLES = {LEARNS: "success", CONSTANT: "warning", BREAKS: "danger", "": ""}
STYLE = """<style>
.lm-preset { white-space: normal; height: auto; min-height: 3em; line-height: 1.25; padding: .3em .5em; }
.lm-preset:focus-visible, .lm-fold:focus-visible { outline: 3px solid #0173b2; outline-offset: 1px; }
.lm-preset.lm-chosen { background: #dceefb; color: #11344f; box-shadow: inset 0 0 0 2px #0173b2; font-weight: bold; }
.lm-fold { text-align: left; }
.lm-explorer .widget-checkbox label { display: flex; align-items: center; }
.lm-explorer .widget-checkbox input { margin: 0 8px 0 0; }
.lm-picture img { display: block; }
</style>"""


class Explorer(LiveBox):
    """Presets, everything else one step behind, Train and Stop, pictures, the doctor, a comparison.

    Nothing trains until Train is pressed. Files are saved in `folder`, or here.
    """

    ready = "Ready: press Train."

    def __init__(self, data: str = "auto", device: str = "auto", folder: str | Path | None = None) -> None:
        super().__init__(PRESETS[0].choice, (*PAIRING_FIELDS, *TRAINING_FIELDS), data, device)
        self.inside_pace = Pace()
        self.presets = [self._preset_button(number) for number in range(len(PRESETS))]
        self.predict = PredictFirst(self._show_what_is_known)
        self.images, self.inside, self.doctor = Picture(), Picture(), widgets.HTML()
        self.comparison = Comparison(Path(folder or Path.cwd()))
        for picture in (self.images, self.inside):
            picture.add_class("lm-picture")
        self.layout.margin = "0 auto"
        self.add_class("lm-explorer")
        columns = {"grid_template_columns": "repeat(6, minmax(0, 1fr))", "grid_gap": "4px"}
        hint = f"Data: {markup(friendly(self.splits.source))} If buttons do not answer, run this cell again."
        self.children = [
            widgets.HTML(STYLE, layout={"display": "none"}),
            widgets.GridBox(self.presets, layout=columns),
            Fold("Everything else: task, loss, activations, learning rate, patience, seed …", [self.controls]),
            self.card, widgets.HBox([self.bar, self.predict.switch], layout={"align_items": "center"}), self.predict,
            self.curves, self.images, self.inside, self.doctor, self.comparison,
            widgets.HTML(f"<div style='line-height:1.3;font-size:12px'>{hint}</div>"),
            Keys(), widgets.HTML(folded(*(draw.__code__ for draw in FIGURES))),
        ]  # fmt: skip
        self.choose(self.choice)

    def _preset_button(self, number: int) -> widgets.Button:
        button = widgets.Button(tooltip=PRESETS[number].told, layout={"width": "auto"})
        button.add_class("lm-preset")
        button.on_click(lambda button: self.choose(PRESETS[number].choice))
        return button

    # --- choosing ---

    def _chosen(self, interrupted: LiveRun | None) -> None:
        if interrupted:
            self.comparison.keep(interrupted)
        for button, preset in zip(self.presets, PRESETS, strict=True):
            chosen = preset.choice == self.choice
            button.description = ("● " if chosen else "") + preset.title
            (button.add_class if chosen else button.remove_class)("lm-chosen")
        self.predict.ask_again()
        self._show_what_is_known()
        self.images.value = self.inside.value = self.doctor.value = ""

    def _show_what_is_known(self) -> None:
        secret = self.predict.waiting
        self.card.value = texts.question_card(self.choice) if secret else texts.pairing_card(self.choice, self.shipped)
        self.curves.draw(self._curves())

    # --- training ---

    def train(self) -> None:
        """Train the choice in a thread, unless a prediction is still missing."""
        if self.predict.missing:
            self.bar.say("Say first what will happen, then press Train.")
            return
        self.inside_pace, self.doctor.value = Pace(1.0, INSIDE_SHARE), ""
        super().train()

    def _work(self, stop: Event) -> None:
        self.watch(self.choice, stop)

    def _watched(self, live: LiveRun) -> None:
        if live is not self.live:
            return
        super()._watched(live)
        if not live.batches:
            live.probe()
        elif live.seconds > FIRST_LOOK_INSIDE and self.inside_pace.due():
            self.inside_pace.draw(lambda: self._look_inside(live))

    def _look_inside(self, live: LiveRun) -> None:
        live.answer()
        live.probe()
        self._draw_inside()

    def _ended(self, problem: str | None) -> None:
        live = self.live
        if live is None or live.run is None:
            self.bar.say(problem or "Stopped before it began.")
            return
        self.bar.say(problem or texts.ending(live))
        self.bar.progress.value, self.bar.progress.bar_style = 1.0, BAR_STYLES[live.outcome]
        self._draw_inside()
        self.doctor.value = texts.findings(live.report)
        self.predict.answer(live)
        self._show_what_is_known()
        self.comparison.keep(live)

    # --- pictures ---

    def _curves(self) -> Chart:
        live, pairing = self.live, self.choice.pairing
        secret = self.predict.waiting
        comparable = self.splits.name == self.shipped.data and not secret
        lines = reference_lines(pairing, live.data if live is not None else self.splits)
        if secret:  # what these outputs can reach would give the answer away
            lines = replace(lines, constant_loss=None, least_loss=None, best_metric=None)
        return figures.curves_chart(pairing, lines, live, self.shipped if comparable else None)

    def _draw_inside(self) -> None:
        self.images.draw(figures.images_figure(self.live))
        self.inside.draw(figures.inside_figure(self.live))


explorer = Explorer  # written as the last line of a cell
