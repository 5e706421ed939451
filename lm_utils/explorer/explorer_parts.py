"""Parts of the explorer: a box that folds, the question before a training, and the last few runs side by side."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import ipywidgets as widgets

from lm_utils.explorer import figures, texts
from lm_utils.explorer.live_run import LiveRun
from lm_utils.show.style import Picture, png

KEPT = 6


class Fold(widgets.VBox):
    """A box behind a button that opens and closes it; the button takes the keyboard as any other."""

    def __init__(self, title: str, content: Sequence[widgets.Widget]) -> None:
        self.title = title
        self.button = widgets.ToggleButton(layout={"width": "auto"})
        self.button.add_class("lm-fold")
        self.content = widgets.VBox(list(content), layout={"display": "none", "padding": "6px 2px"})
        self.button.observe(lambda change: self._turn(), names="value")
        self._turn()
        super().__init__([self.button, self.content])

    def rename(self, title: str) -> None:
        """Another title."""
        self.title = title
        self._turn()

    def _turn(self) -> None:
        self.content.layout.display = "" if self.button.value else "none"
        self.button.description = f"{'▾' if self.button.value else '▸'} {self.title}"


class PredictFirst(widgets.VBox):
    """A question before the training; off until it is switched on."""

    def __init__(self, switched: Callable[[], None]) -> None:
        self.switch = widgets.Checkbox(description="Predict first", indent=False, layout={"width": "auto"})
        self.options = widgets.RadioButtons(options=texts.OUTCOMES, value=None, layout={"width": "auto"})
        self.question = widgets.VBox([widgets.HTML("<b>What will happen?</b> Choose, then press Train."), self.options])
        self.reply = widgets.HTML()
        self.answered = False
        self.switch.observe(lambda change: self._switched(switched), names="value")
        super().__init__([self.question, self.reply])
        self.ask_again()

    @property
    def waiting(self) -> bool:
        """Whether verdict and result are to stay hidden."""
        return self.switch.value and not self.answered

    def ask_again(self) -> None:
        """Forget the last prediction."""
        self.options.value, self.reply.value, self.answered = None, "", False
        self.question.layout.display = "" if self.switch.value else "none"

    def answer(self, live: LiveRun) -> None:
        """Compare the prediction with what happened."""
        if self.switch.value and self.options.value:
            self.reply.value = texts.prediction_reply(self.options.value, texts.what_happened(live))
            self.question.layout.display, self.answered = "none", True

    def _switched(self, switched: Callable[[], None]) -> None:
        self.ask_again()
        switched()


class Comparison(Fold):
    """The last few runs, laid over each other, as a table, and as files."""

    def __init__(self, folder: Path) -> None:
        self.runs: list[LiveRun] = []
        self.folder = folder
        self.picture, self.table, self.links = Picture(), widgets.HTML(), widgets.HTML()
        save = widgets.Button(description="Save CSV and PNG", layout={"width": "auto"})
        forget = widgets.Button(description="Forget all runs", layout={"width": "auto"})
        save.on_click(lambda button: self.save())
        forget.on_click(lambda button: self.forget())
        super().__init__("", [self.table, self.picture, widgets.HBox([save, forget, self.links])])
        self.button.observe(lambda change: self.show(), names="value")
        self.show()

    def keep(self, live: LiveRun) -> None:
        """Add a run; the oldest leaves when there are too many."""
        self.runs = [*self.runs, live][-KEPT:]
        self.show()

    def forget(self) -> None:
        """Start anew."""
        self.runs = []
        self.show()

    def show(self) -> None:
        """Table and overlay as they are now."""
        self.rename(f"Compare your runs ({len(self.runs)} of {KEPT})")
        self.table.value, self.links.value = texts.runs_table(self.runs), ""
        self.picture.layout.display = "" if self.runs else "none"
        if self.runs and self.button.value:
            self.picture.draw(figures.comparison_figure(self.runs))

    def save(self) -> None:
        """Write both files into the working folder, and offer them as links."""
        if not self.runs:
            self.links.value = "There are no runs to save yet."
            return
        files = {"explorer-runs.csv": ("text/csv", texts.runs_csv(self.runs).encode()),
                 "explorer-runs.png": ("image/png", png(figures.comparison_figure(self.runs)))}  # fmt: skip
        links = [download_link(name, *file) for name, file in files.items()]
        try:
            for name, (_, content) in files.items():
                (self.folder / name).write_bytes(content)
            told = f"Written into {escape(str(self.folder))}; or download"
        except OSError as problem:
            told = f"{escape(str(self.folder))} cannot be written ({escape(problem.strerror or '')}); download"
        self.links.value = f"&nbsp;{told} {' and '.join(links)}."


def download_link(name: str, kind: str, content: bytes) -> str:
    """A file as a link that holds it."""
    return f"<a download='{name}' href='data:{kind};base64,{base64.b64encode(content).decode()}'>{name}</a>"
