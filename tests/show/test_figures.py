"""Every figure of results can be drawn, with runs and without, and says in words what it shows."""

import numpy as np
import pandas as pd
import pytest
from made_up_runs import results_of, seeded
from matplotlib.font_manager import fontManager

from lm_utils.evidence import claims, tables
from lm_utils.evidence import statistics as st
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import rows
from lm_utils.show import condition_figures, output_figures, result_figures, style
from lm_utils.show.style import png
from lm_utils.tasks import TASKS

EMPTY = results_of()
THREE = {
    "regression": [Pairing("regression", "mse", normalize=True), Pairing("regression", "bce_logits", normalize=True)],
    "multiclass": [Pairing("multiclass", "cross_entropy"), Pairing("multiclass", "cross_entropy", "softmax"),
                   Pairing("multiclass", "bce", "sigmoid")],
    "multilabel": [Pairing("multilabel", "bce", "sigmoid"), Pairing("multilabel", "mse", "softmax")],
}  # fmt: skip
HISTOGRAM = {"range": [0.0, 1.0], "yes": [1] * 20, "no": [2] * 20}
RELIABILITY = {"confidence": [i / 20 for i in range(20)], "accuracy": [i / 20 for i in range(20)], "count": [50] * 20}
OUTPUTS = {
    "multiclass": {"histogram": HISTOGRAM, "confusion": [[10] * 10] * 10, "ece": 0.01, "reliability": RELIABILITY},
    "multilabel": {"histogram": HISTOGRAM, "accuracy_by_output": [0.9] * 4, "ece": 0.01, "reliability": RELIABILITY},
    "regression": {"mean_by_digit": [2.0] * 10},
}
GOOD = {"regression": 0.06, "multiclass": 0.97, "multilabel": 0.97}
SOME = results_of(
    *(
        seeded(pairing, [GOOD[task] + 0.001 * seed for seed in range(10)], outputs=OUTPUTS[task])
        for task, pairings in THREE.items()
        for pairing in pairings
    )
)


def drawn(figure):
    """The alt text of a figure that could be drawn."""
    assert len(png(figure, dpi=40)) > 2000
    assert 7 <= figure.get_size_inches()[0] <= 11
    assert len(figure.get_label()) > 40
    return figure.get_label()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("draw", [result_figures.dots_and_intervals, result_figures.differences])
def test_tables_are_drawn_with_and_without_runs(task, draw):
    assert "nan" not in drawn(draw(tables.summary(task, "loss", SOME)))
    drawn(draw(tables.summary(task, "activation", EMPTY)))


def test_dots_show_seeds_means_and_published_figures():
    table = tables.summary("multiclass", "loss", SOME)
    alt = drawn(result_figures.dots_and_intervals(table))
    assert "mean 97.45 % over 10 seeds" in alt and "not trained yet" in alt
    marks = result_figures.dots_and_intervals(table).axes[0].get_lines()
    seeds = [line for line in marks if line.get_label() == "one seed"]
    assert sum(len(line.get_xdata()) for line in seeds) == 20
    assert sum(line.get_label().startswith("published") for line in marks) == len(rows(task="multiclass", table="loss"))


@pytest.mark.parametrize(
    "draw", [output_figures.learning_curves, output_figures.output_histograms, output_figures.calibration]
)
@pytest.mark.parametrize("runs", [SOME, EMPTY], ids=["runs", "none"])
@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_pairings_are_drawn(draw, runs, task):
    assert THREE[task][0].label in drawn(draw(THREE[task], runs)) or runs is EMPTY


@pytest.mark.slow
def test_learning_curves_name_the_lines_they_are_read_by():
    alt = drawn(output_figures.learning_curves(THREE["multiclass"], SOME))
    assert "lowest loss within reach 1.46" in alt and "loss of a constant 0.325" in alt
    assert "best within reach 0.802" in drawn(output_figures.learning_curves(THREE["multilabel"], SOME))
    drawn(output_figures.learning_curves(THREE["regression"], SOME))


@pytest.mark.slow
@pytest.mark.parametrize("runs", [SOME, EMPTY], ids=["runs", "none"])
def test_figures_of_one_kind_of_task(runs):
    drawn(output_figures.confusion(THREE["multiclass"], runs))
    drawn(output_figures.per_label_bars(THREE["multilabel"], runs))
    drawn(output_figures.means_by_digit(THREE["regression"], runs))


@pytest.mark.parametrize("task", TASKS)
def test_the_grid_shows_what_is_there(task):
    alt = drawn(result_figures.grid_heatmap(task, SOME, normalize=task == "regression"))
    assert ("Nothing is trained" in alt) == (task not in THREE)


def test_verdicts_and_new_data():
    pairs = zip(claims.claims(), claims.VERDICTS, strict=False)
    judged = [claims.Judged(claim, verdict, "") for claim, verdict in pairs]
    assert "document 000" in drawn(result_figures.verdict_bars(claims.counts(judged)))


def test_conditions_are_compared_in_a_panel_for_each_pairing():
    small, large = (st.mean_interval([shift + i / 10 for i in range(10)]) for shift in (0.0, -30.0))
    gaps = {("MSE + softmax", "50 images"): small, ("softmax twice", "50 images"): large}
    wide = gaps | {("MSE + softmax", "noise"): st.Estimate(2.0, -7.0, 11.0, 6)}
    assert [text.get_text() for text in condition_figures.differences_by_condition(wide, "").axes[0].texts] == [
        "◂ -7",
        "+11 ▸",
    ]  # both ends are too far out to be drawn
    figure = condition_figures.differences_by_condition(gaps, "reference")
    assert "MSE + softmax, 50 images +0.45, softmax twice, 50 images -29.55" in drawn(figure)
    assert [axis.get_title() for axis in figure.axes] == ["MSE + softmax", "softmax twice"]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == pytest.approx((-1.1, 1.1))
    assert [text.get_text() for text in figure.axes[1].texts] == ["◂ -30 (-30 to -29)"]  # too far out to be drawn


@pytest.mark.slow
def test_every_row_of_the_shipped_results_is_drawn():
    for task in TASKS:
        table = tables.summary(task)
        assert isinstance(table, pd.DataFrame)
        drawn(result_figures.dots_and_intervals(table))


def test_histograms_of_different_ranges_meet_in_common_bins():
    edges = np.array([-1.0, 0.0, 1.0, 2.0])
    assert output_figures.in_bins([1, 3], (0.0, 2.0), edges).tolist() == [0.0, 0.25, 0.75]
    assert output_figures.in_bins([2, 2], (-1.0, 1.0), edges).tolist() == [0.5, 0.5, 0.0]


def test_a_korean_font_that_was_installed_after_matplotlibs_list_is_found(monkeypatch):
    found = style.korean_fonts()
    if not found:
        pytest.skip("no font with Korean letters is installed")
    old = [font for font in fontManager.ttflist if font.name not in style.KOREAN_FONTS]
    monkeypatch.setattr(fontManager, "ttflist", old)
    assert style.korean_fonts() == found
