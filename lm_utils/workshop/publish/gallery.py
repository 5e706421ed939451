"""docs/gallery.md: a picture or two of each part of the course, to be looked at without installing anything."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib.figure import Figure

from lm_utils.evidence import changed_conditions, claims, tables
from lm_utils.evidence.results import reference
from lm_utils.files import DOCS
from lm_utils.lessons import (
    bce_and_logits,
    experiment_design,
    is_it_learning,
    losses,
    losses_from_scratch,
    losses_outlier,
    matching_loss_to_task,
    new_data,
    output_activations,
    regression,
    start_here,
    verdicts,
    why_these_losses,
)
from lm_utils.pairing import Pairing
from lm_utils.show import condition_figures, output_figures, result_figures
from lm_utils.show.style import Shown, png

PAGE = DOCS / "gallery.md"
HEAD = """\
# Gallery

A look at the course without installing anything. Pictures of formulas hold for everybody; pictures of trainings say
whose runs they show, and every one is the reference that ships with the course. In the notebooks most of them have
sliders, and any of the trainings can be run again.

This page is made by `python -m lm_utils readme`."""


class Exhibit(NamedTuple):
    """One picture: its file, the notebook it comes from, how it is drawn, and how to read it."""

    name: str
    notebook: str
    draw: Callable[[], object]  # a Figure, a Shown, or words where nobody has measured it yet
    reading: str


ALIKE = (("cross_entropy", "none"), ("cross_entropy", "softmax"), ("mse", "softmax"))  # in accuracy
ONCE_AND_TWICE = [Pairing("multiclass", "cross_entropy", name) for name in ("none", "softmax")]
ILL = "Run 4"  # of notebook 13
EXHIBITS: tuple[Exhibit, ...] = (
    Exhibit("verdicts-first", "00_start_here", lambda: start_here.verdict_figure("multiclass", "bce", "sigmoid"),
            "What the course says of every loss and output activation before anybody trains; framed is the pairing of"
            " the script that the first notebook asks about."),
    Exhibit("outlier", "01_losses", losses_outlier.pull_figure,
            "One wrong measurement drags the squared error's answer along; the absolute error and Huber's stop."),
    Exhibit("race", "01_losses", losses.race_figure,
            "How many steps it takes to get rid of an error, small or large: with plain gradient descent the losses"
            " differ; AdamW rescales the steps, and little of that is left."),
    Exhibit("neuron", "02_why_these_losses", why_these_losses.waiting_figure,
            "A single neuron that begins confidently wrong: how long it waits under the squared error and under"
            " cross-entropy."),
    Exhibit("slopes", "03_losses_from_scratch",
            lambda: losses_from_scratch.slopes_figure(torch.tensor([2.0, 1.0, 0.0]), true_class=1),
            "Softmax and cross-entropy, derived by hand: what each logit is told, and what is lost when only the"
            " diagonal is kept."),
    Exhibit("reach", "04_output_activations", output_activations.reach_figure,
            "For how many of the ten digits an output activation can give the target at all."),
    Exhibit("round-trip", "04_output_activations", output_activations.round_trip_figure,
            "A sigmoid and its inverse undo each other on paper; in finite precision they stop doing so."),
    Exhibit("escape", "05_matching_loss_to_task", lambda: matching_loss_to_task.escape_figure(0.01),
            "The way out of a confident mistake, by loss."),
    Exhibit("floors", "06_bce_and_logits", bce_and_logits.floors_figure,
            "How low a loss can go when the activation is applied twice: a healthy training may end far above zero."),
    Exhibit("seeds", "07_experiment_design",
            lambda: experiment_design.seeds_figure(
                ["logits", "softmax twice"], [reference().scores(pairing) for pairing in ONCE_AND_TWICE],
                                            "reference: MNIST"),
            "Softmax once and twice, seed by seed: whoever trains one seed sees one bar and calls a winner."),
    Exhibit("regression", "08_regression",
            lambda: result_figures.dots_and_intervals(tables.summary("regression", "activation")),
            "Output activations for a number, with and without standardised targets. Each dot is one trained network."),
    Exhibit("no-floor", "08_regression", regression.no_floor_figure,
            "Why nn.BCEWithLogitsLoss runs away on numbers: for targets outside [0, 1] it has no lowest point."),
    Exhibit("no-activation", "09_probability",
            lambda: result_figures.dots_and_intervals(tables.summary("probability", "loss")),
            "One probability: losses with a sigmoid and without."),
    Exhibit("two-classes", "10_binary", lambda: result_figures.differences(tables.summary("binary", "loss")),
            "Two classes: differences to the fitting pairing, and the band that was called practically equal before"
            " anyone looked."),
    Exhibit("switches", "11_multi_class",
            lambda: condition_figures.outcome_figure(changed_conditions.stored("collapse")),
            "The collapse of ten sigmoids, switched off and on. A grey box shows where each run was expected to end."),
    Exhibit("calibration", "11_multi_class",
            lambda: output_figures.calibration([Pairing("multiclass", *names) for names in ALIKE]),
            "Three pairings that accuracy hardly tells apart, asked how honest their probabilities are."),
    Exhibit("grid", "11_multi_class", lambda: result_figures.grid_heatmap("multiclass"),
            "Losses by output activations on ten classes: every pairing that there is."),
    Exhibit("cut", "12_multi_label", verdicts.cut_figure,
            "Softmax over labels, read with the usual cut and with one chosen on validation images: the same trained"
            " networks."),
    Exhibit("vital-signs", "13_is_it_learning",
            lambda: is_it_learning.health_figure(
                "one seed, embedded digits", *(stored[ILL] for stored in is_it_learning.stored_runs())),
            "One of four runs to be judged by their vital signs. What is the matter with this one?"),
    Exhibit("verdicts", "15_verdicts", lambda: result_figures.verdict_bars(claims.counts(claims.judge_all())),
            "Every claim of the five documents and what became of it."),
    Exhibit("new-data", "16_on_new_data", new_data.all_differences,
            "Does a misfit that looks harmless cost more on new data?"),
)  # fmt: skip


def main(page: Path = PAGE) -> None:
    """Draw every picture into the folder beside the page, and write the page."""
    folder = page.parent / "figures" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    parts, last = [HEAD], ""
    for exhibit in EXHIBITS:
        drawn = exhibit.draw()
        figure = drawn.figure if isinstance(drawn, Shown) else drawn
        if not isinstance(figure, Figure):
            continue
        (folder / f"{exhibit.name}.png").write_bytes(png(figure, dpi=80))
        if exhibit.notebook != last:
            parts.append(f"## [{exhibit.notebook}](../notebooks/{exhibit.notebook}.ipynb)")
        last = exhibit.notebook
        parts += [f"![{figure.get_label()}](figures/gallery/{exhibit.name}.png)", exhibit.reading]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
