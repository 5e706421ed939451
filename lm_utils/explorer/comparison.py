"""The last few runs side by side: laid over each other, as a table, and as files."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from html import escape
from math import isnan
from pathlib import Path

import ipywidgets as widgets
from matplotlib.figure import Figure

from lm_utils.evidence.results import TITLES
from lm_utils.evidence.sentences import shown
from lm_utils.explorer.figures import METRIC, PERCENT, fixed_axes, title
from lm_utils.explorer.live_run import LiveRun
from lm_utils.show.style import COLORS, LINES, MARKERS, Picture, png
from lm_utils.training import RECORD

KEPT = 6
RUN_COLUMNS = (
    "run", "task", "loss", "activation", "hidden", "normalize", "prior_bias", "lr", "patience", "seed", "data",
    "status", "best_epoch", "test_metric",
)  # fmt: skip
HEAD = ("run", "task", "pairing", "lr", "seed", "status", "epochs", "best validation", "test", "data")


class Fold(widgets.VBox):
    """A box behind a button that opens and closes it; the button takes the keyboard as any other."""

    def __init__(self, title: str, content: Sequence[widgets.Widget]) -> None:
        self.title = title
        self.button = widgets.ToggleButton(layout={"width": "auto"})
        self.button.add_class("lm-fold")
        self.content = widgets.VBox(list(content), layout={"display": "none", "padding": "6px 2px"})
        self.button.observe(lambda change: self.turn(), names="value")
        self.turn()
        super().__init__([self.button, self.content])

    def turn(self) -> None:
        """Show or hide the content as the button says."""
        self.content.layout.display = "" if self.button.value else "none"
        self.button.description = f"{'▾' if self.button.value else '▸'} {self.title}"


class Comparison(Fold):
    """The runs that were trained last; the oldest leaves when there are too many."""

    def __init__(self, folder: Path) -> None:
        self.runs: list[LiveRun] = []
        self.folder = folder
        self.picture, self.table, self.links = Picture(), widgets.HTML(), widgets.HTML()
        save = widgets.Button(description="Save CSV and PNG", layout={"width": "auto"})
        forget = widgets.Button(description="Forget all runs", layout={"width": "auto"})
        save.on_click(lambda button: self.save())
        forget.on_click(lambda button: self.show([]))
        super().__init__("", [self.table, self.picture, widgets.HBox([save, forget, self.links])])
        self.button.observe(lambda change: self.show(self.runs), names="value")
        self.show([])

    def keep(self, live: LiveRun) -> None:
        """Add a run, if anything came of it."""
        if live.run is not None and (live.run.epochs or live.run.status == "error"):
            self.show([*self.runs, live][-KEPT:])

    def show(self, runs: list[LiveRun]) -> None:
        """Show these runs."""
        self.runs, self.title = runs, f"Compare your runs ({len(runs)} of {KEPT})"
        self.turn()
        self.table.value, self.links.value = runs_table(runs), ""
        self.picture.layout.display = "" if runs else "none"
        if runs and self.button.value:
            self.picture.draw(comparison_figure(runs))

    def save(self) -> None:
        """Write both files into the working folder, and offer them as links."""
        if not self.runs:
            self.links.value = "There are no runs to save yet."
            return
        files = {"explorer-runs.csv": ("text/csv", runs_csv(self.runs).encode()),
                 "explorer-runs.png": ("image/png", png(comparison_figure(self.runs)))}  # fmt: skip
        links = [download_link(name, *file) for name, file in files.items()]
        try:
            for name, (_, content) in files.items():
                (self.folder / name).write_bytes(content)
            told = f"Written into {escape(str(self.folder))}; or download"
        except OSError as problem:
            told = f"{escape(str(self.folder))} cannot be written ({escape(problem.strerror or '')}); download"
        self.links.value = f"&nbsp;{told} {' and '.join(links)}."


def download_link(name: str, kind: str, content: bytes) -> str:
    """Return a link that holds the file."""
    return f"<a download='{name}' href='data:{kind};base64,{base64.b64encode(content).decode()}'>{name}</a>"


def runs_table(runs: Sequence[LiveRun]) -> str:
    """Return the runs as a table, the numbers as in the overlay."""
    if not runs:
        return "No runs kept yet: the last six are."
    rows = "".join(table_row(table_line(number, live), "td") for number, live in enumerate(runs, 1))
    return f"<table style='font-size:13px;line-height:1.35'>{table_row(HEAD, 'th')}{rows}</table>"


def table_row(values: Sequence[object], tag: str) -> str:
    """Return one row of a table."""
    style = "padding:.15em .7em;text-align:left"
    return "<tr>" + "".join(f"<{tag} style='{style}'>{escape(str(value))}</{tag}>" for value in values) + "</tr>"


def table_line(number: int, live: LiveRun) -> tuple:
    """Return what the table says about one run."""
    choice, run, task = live.choice, live.run, live.choice.pairing.spec
    scores = ["" if isnan(value) else shown(value, task) for value in (run.valid_metric, run.test_metric)]
    return (number, task.title, choice.pairing.label, f"{choice.lr:g}", choice.seed, run.status, run.epochs, *scores,
            TITLES[run.data])  # fmt: skip


def runs_csv(runs: Sequence[LiveRun]) -> str:
    """Return the runs as CSV: one line per run and epoch (one line without epoch for a run that has none)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*RUN_COLUMNS, *RECORD))
    for number, live in enumerate(runs, 1):
        p, run = live.choice.pairing, live.run
        fixed = (number, p.task, p.loss, p.activation, p.hidden, p.normalize, p.prior_bias, live.choice.lr,
                 live.choice.patience, run.seed, run.data, run.status, run.best_epoch, run.test_metric)  # fmt: skip
        for record in run.history or [dict.fromkeys(RECORD, "")]:
            writer.writerow((*fixed, *(record[name] for name in RECORD)))
    return text.getvalue()


def comparison_figure(runs: Sequence[LiveRun]) -> Figure:
    """Draw the runs of the task that was trained last over each other."""
    figure, (loss, metric) = fixed_axes(3.4, (0.062, 0.16, 0.988, 0.9), columns=2)
    drawn = [live for live in runs if live.history]
    task = drawn[-1].choice.pairing.spec if drawn else None
    same = [live for live in drawn if live.choice.pairing.spec == task]
    for i, live in enumerate(runs):
        if live not in same:
            continue
        epochs = [record["epoch"] for record in live.history]
        style = {"ls": LINES[i], "marker": MARKERS[i], "color": COLORS[i], "markevery": max(1, len(epochs) // 10),
                 "markersize": 6, "label": f"{i + 1}: {live.choice.label}"}  # fmt: skip
        factor = PERCENT[task.metric]
        loss.plot(epochs, [record["valid_loss"] for record in live.history], **style)
        metric.plot(epochs, [factor * record["valid_metric"] for record in live.history], **style)
    loss.set(xlabel="epoch", ylabel="validation loss")
    title(loss, "Loss (comparable only within one kind)")
    metric.set(xlabel="epoch", ylabel=METRIC[task.metric] if task else "")
    title(metric, task.title if task else "No curve yet")
    if metric.lines:
        metric.legend(fontsize=9, loc="best", framealpha=0.8)
    figure.set_label(f"{len(same)} runs of one task laid over each other: "
                     + "; ".join(live.choice.label for live in same))  # fmt: skip
    return figure
