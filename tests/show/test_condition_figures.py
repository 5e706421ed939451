"""Conditions that switch an effect off and on: what their runs are called, in tables, figures and sentences."""

import pytest

from lm_utils.evidence.changed_conditions import BY_NAME, COLLAPSE, SWITCHES, outcome_table
from lm_utils.show.condition_figures import outcome_figure


def runs(*metrics, chance=0.1, task="multiclass"):
    return [{"task": task, "test_metric": metric, "chance": chance, "seed": 100 + place, "data": "mnist"}
            for place, metric in enumerate(metrics)]  # fmt: skip


def test_tables_and_figures_count_what_happened():
    found = {"control": runs(0.1, 0.11), "relu": runs(0.97, 0.1), "ten-halves": runs(0.98, chance=0.5)}
    table = outcome_table(found).frame
    assert table["collapsed"].tolist() == ["2 of 2", "1 of 2", "0 of 1"]
    assert table["as expected"].tolist() == ["yes", "no", "yes"]
    assert "collapsed in 1 of 2" in outcome_figure(found).get_label()
    assert outcome_table(found).origin == "MNIST, seeds 100 to 101, fresh: no table of the documents uses them"


def test_numbers_collapse_when_their_error_is_that_of_the_mean():
    numbers = {"chance": 1.78, "task": "regression"}
    found = {"raw": runs(1.78, 1.77, **numbers), "raw-bias": runs(0.1, 0.2, **numbers)}
    table = outcome_table(found).frame
    assert table["collapsed"].tolist() == ["2 of 2", "0 of 2"] and table["as expected"].tolist() == ["yes", "yes"]
    assert "test MSE" in table.columns and outcome_figure(found).axes[0].get_xscale() == "log"


def test_without_a_prediction_nothing_came_as_expected():
    table = outcome_table({"relu-output": runs(1.78, 0.5, chance=1.78, task="regression")}).frame
    assert table["expected"].tolist() == ["no prediction"] and table["as expected"].tolist() == [""]


@pytest.mark.parametrize("family", ["collapse", "switches"])
def test_every_condition_of_both_families_has_one_name_of_its_own(family):
    written = [condition for condition in BY_NAME.values() if condition.family == family]
    assert len(written) == {"collapse": len(COLLAPSE), "switches": len(SWITCHES)}[family]
