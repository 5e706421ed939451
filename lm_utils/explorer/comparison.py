"""The last few runs side by side: their curves, a table, and both as files."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from math import isnan
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lm_utils.evidence.results import TITLES, counted
from lm_utils.evidence.sentences import shown
from lm_utils.evidence.tables import Table
from lm_utils.explorer.figures import METRIC, PERCENT, WIDTH
from lm_utils.explorer.live_run import LiveRun
from lm_utils.files import write_whole
from lm_utils.show.lab import Fold
from lm_utils.show.style import COLORS, LINES, MARKERS, Picture, new_figure, png
from lm_utils.training import RECORD

KEPT = 6
OF_A_RUN = ("seed", "data", "status", "best_epoch", "test_metric")


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
        """Write both files into the folder, and offer them as links."""
        if not self.runs:
            self.links.value = "There are no runs to save yet."
            return
        files = {"explorer-runs.csv": ("text/csv", runs_csv(self.runs).encode()),
                 "explorer-runs.png": ("image/png", png(comparison_figure(self.runs)))}  # fmt: skip
        links = [f"<a download='{name}' href='data:{kind};base64,{base64.b64encode(content).decode()}'>{name}</a>"
                 for name, (kind, content) in files.items()]  # fmt: skip
        try:
            for name, (_, content) in files.items():
                write_whole(self.folder / name, content)
            told = f"Written into {escape(str(self.folder))}; or download"
        except OSError as problem:
            told = f"{escape(str(self.folder))} cannot be written ({escape(problem.strerror or '')}); download"
        self.links.value = f"&nbsp;{told} {' and '.join(links)}."


def runs_table(runs: Sequence[LiveRun]) -> str:
    """Return the runs as a table, the numbers as in the overlay."""
    if not runs:
        return "No runs kept yet: the last six are."
    lines = []
    for number, live in enumerate(runs, 1):
        choice, run, task = live.choice, live.run, live.choice.pairing.spec
        best, test = ("" if isnan(value) else shown(value, task) for value in (run.valid_metric, run.test_metric))
        lines.append({"run": number, "task": task.title, "pairing": choice.pairing.label, "lr": f"{choice.lr:g}",
                      "seed": choice.seed, "status": run.status, "epochs": run.epochs, "best validation": best,
                      "test": test, "data": TITLES[run.data]})  # fmt: skip
    page = Table.page_of(pd.DataFrame(lines))
    page = page.replace("'text-align:left", "'padding:.15em .7em;text-align:left")
    return page.replace('class="dataframe"', "style='font-size:13px;line-height:1.35'")


def runs_csv(runs: Sequence[LiveRun]) -> str:
    """Return the runs as CSV: one line per run and epoch (one line without epoch for a run that has none)."""
    lines = []
    for number, live in enumerate(runs, 1):
        fixed = {"run": number, **asdict(live.choice.pairing), "lr": live.choice.lr, "patience": live.choice.patience,
                 **{name: getattr(live.run, name) for name in OF_A_RUN}}  # fmt: skip
        lines += [fixed | record for record in live.run.history or [dict.fromkeys(RECORD, "")]]
    return pd.DataFrame(lines, dtype=object).to_csv(index=False, na_rep="nan", lineterminator="\n")


def comparison_figure(runs: Sequence[LiveRun]) -> Figure:
    """Draw the runs over each other, a row of panels for each task; runs without a curve are named below."""
    tasks = list(dict.fromkeys(live.choice.pairing.spec for live in runs if live.history))
    rows = max(1, len(tasks))
    figure, panels = new_figure(rows, 2, width=WIDTH, height=0.5 + 2.9 * rows, squeeze=False)
    told = []
    for (loss, metric), task in zip(panels, tasks, strict=False):
        labels = []
        for i, live in enumerate(runs):
            if live.choice.pairing.spec == task and live.history:
                draw_run(loss, metric, live, i)
                labels.append(metric.lines[-1].get_label())
        loss.set(title="Validation loss (comparable only within one kind)", xlabel="epoch", ylabel="loss")
        metric.set(title=task.title, xlabel="epoch", ylabel=METRIC[task.metric])
        metric.legend(fontsize=9, loc="best", framealpha=0.8)
        told.append(f"{task.title}: {'; '.join(labels)}.")
    without = [f"{i}: {live.choice.label} ({live.run.status})" for i, live in enumerate(runs, 1) if not live.history]
    if without:
        told.append(f"Without a curve: {'; '.join(without)}.")
        figure.supxlabel(told[-1], fontsize=10)
    figure.set_label(f"{counted(len(runs), 'run')} side by side, a row of panels for each task. {' '.join(told)}")
    return figure


def draw_run(loss: Axes, metric: Axes, live: LiveRun, number: int) -> None:
    """Draw loss and metric of one run in its own colour, line and marker."""
    epochs = [record["epoch"] for record in live.history]
    style = {"ls": LINES[number], "marker": MARKERS[number], "color": COLORS[number], "markersize": 6,
             "markevery": max(1, len(epochs) // 10), "label": f"{number + 1}: {live.choice.label}"}  # fmt: skip
    loss.plot(epochs, [record["valid_loss"] for record in live.history], **style)
    factor = PERCENT[live.choice.pairing.spec.metric]
    metric.plot(epochs, [factor * record["valid_metric"] for record in live.history], **style)
