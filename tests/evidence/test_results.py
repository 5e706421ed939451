"""Runs become tables and sentences that say whose they are, and missing runs are said to be missing."""

from dataclasses import replace
from math import exp, isnan, log, nan

import pytest
from made_up_runs import made_up, results_of, seeded

from lm_utils.evidence import statistics as st
from lm_utils.evidence import tables
from lm_utils.evidence.results import FITTING, MNIST_TEST, baseline, reference, under_conditions, yours
from lm_utils.evidence.sentences import (
    comparison_sentence,
    comparison_sentences,
    published_sentence,
    published_sentences,
    sentence,
)
from lm_utils.files import write_lines
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import rows
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store
from lm_utils.tasks import TASKS

FITS = FITTING["multiclass"]
SIGMOIDS = Pairing("multiclass", "bce", "sigmoid")
MSE = Pairing("multiclass", "mse", "softmax")
GOOD = [0.974 + 0.0002 * seed for seed in range(10)]


@pytest.fixture
def some():
    return results_of(
        seeded(FITS, GOOD),
        seeded(SIGMOIDS, [0.1135] * 10),
        seeded(MSE, [score - 0.001 for score in GOOD]),
        seeded(Pairing("multiclass", "mse", "sigmoid"), [0.0980, 0.1135, 0.9]),
    )


def test_the_fitting_pairings_are_recommended_and_are_trained():
    pairings = {row.pairing for row in rows()}
    for task, pairing in FITTING.items():
        assert pairing.task == task and pairing.verdict == "recommended"
        assert pairing in pairings


def test_the_origin_names_owner_data_seeds_version_device_and_date(some):
    assert some.origin == "reference: MNIST, 3 to 10 seeds, torch 2.12.1, cpu, 2026-01-02"
    assert results_of(data="digits", whose="yours").origin == "yours: embedded digits, no runs yet"


def test_summary_has_a_line_per_row_with_figures_and_verdict(some):
    table = tables.summary("multiclass", "loss", some)
    assert list(table.index) == [row.id for row in rows(task="multiclass", table="loss")]
    assert table.attrs["origin"] == some.origin
    collapsed = table.loc["000-3-4-bce-sigmoid"]
    assert (collapsed["seeds"], collapsed["failed"], collapsed["verdict"]) == (10, 10, "worse")
    assert collapsed["p_corrected"] < 0.05 and collapsed["ratio"] > 30
    assert collapsed["low"] == collapsed["high"] == pytest.approx(0.1135)
    close = table.loc["000-3-4-mse-softmax"]
    assert close["verdict"] == "practically equal" and close["difference"] == pytest.approx(-0.001)
    assert close["published"] == 0.9743 and close["epochs_to_95"] == 5


def test_rows_without_runs_are_said_to_be_missing(some):
    table = tables.summary("multiclass", "loss", some)
    missing = table.loc["000-3-4-ce-softmax"]
    assert (missing["seeds"], missing["verdict"]) == (0, "missing") and isnan(missing["mean"])
    words = tables.readable(table)
    assert "not trained yet" in repr(words) and "not trained yet" in words._repr_html_()
    assert words.origin in repr(words) and words.origin in words._repr_html_()


def test_incomplete_seeds_are_counted_and_get_no_verdict(some):
    few = tables.summary("multiclass", "loss", some).loc["000-3-4-mse-sigmoid"]
    assert (few["seeds"], few["failed"], few["verdict"]) == (3, 2, "illustration")
    assert "learnt; their mean 90.00 %" in repr(tables.readable(tables.summary("multiclass", "loss", some)))


def test_errors_are_compared_as_a_ratio_too(some):
    line = tables.summary("multiclass", "loss", some).loc["000-3-4-mse-softmax"]
    logs = [log((1 - mine) / (1 - good)) for mine, good in zip(some.scores(MSE).values(), GOOD, strict=True)]
    expected = exp(sum(logs) / 10)
    assert line["ratio"] == pytest.approx(expected) and expected > 1
    words = tables.readable(tables.summary("multiclass", "loss", some))
    assert f"{line['ratio']:.2f} ({line['ratio_low']:.2f} to" in repr(words)


def test_one_run_is_not_called_a_mean():
    assert sentence(FITS, results_of(seeded(FITS, [0.975]))).endswith("97.50 % (one run) (reference: MNIST).")


@pytest.mark.parametrize("task", TASKS)
def test_no_runs_at_all_is_a_table_all_the_same(task):
    table = tables.summary(task, results=results_of())
    assert set(table["verdict"]) == {"missing"}
    assert "no runs yet" in repr(tables.readable(table))


def test_the_row_of_the_fitting_pairing_is_not_compared_with_itself(some):
    table = tables.summary("multiclass", "twin", some)
    assert table.loc["twin-multiclass-ce", "verdict"] == "the fitting pairing"


def test_a_row_without_a_partner_is_not_compared():
    table = tables.summary("multiclass", "loss", results_of(seeded(MSE, GOOD)))
    assert table.loc["000-3-4-mse-softmax", "verdict"] == "not compared"


def test_errors_are_results_too():
    broken = Pairing("regression", "bce", normalize=True)
    runs = seeded(broken, [nan] * 10, status="error", error="all elements of input should be between 0 and 1")
    line = tables.summary("regression", "loss", results_of(runs)).loc["000-3-1-bce"]
    assert (line["verdict"], line["failed"]) == ("error", 10)
    assert "between 0 and 1" in sentence(broken, results_of(runs))
    shown = tables.readable(tables.summary("regression", "loss", results_of(runs))).frame.set_index("row")
    told = shown.loc["nn.BCELoss without activation (normalised)"]
    assert told["published"] == "CUDA error: device-side assert triggered" and told["at chance"] == ""
    assert told["ours (95 % interval)"] == "error: all elements of input should be between 0 and 1"


def test_runs_at_chance_are_told_with_how_many_of_a_hundred_that_may_mean(some):
    shown = tables.readable(tables.summary("multiclass", "loss", some)).frame.set_index("row")["at chance"]
    assert shown["MSE + softmax"] == "0 of 10 (0 to 28 %)"
    assert shown["nn.BCELoss + sigmoid"] == "10 of 10 (72 to 100 %)"


def test_published_figures_are_those_of_mnist_and_stand_beside_nothing_else():
    mine = results_of([made_up(MSE, seed, 0.9, data="digits") for seed in range(3)], whose="yours", data="digits")
    table = tables.summary("multiclass", "loss", mine)
    assert table["published"].isna().all() and set(table["published_error"]) == {""}
    assert tables.summary("multiclass", "loss").loc["000-3-4-mse-softmax", "published"] == 0.9743


def test_own_runs_are_shown_as_such_or_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    told = tables.own_table("multiclass", 2, "digits", "cpu").data
    assert "None of these rows has been trained here yet (yours: embedded digits, no runs yet)" in told
    store = Store()
    entry = made_up(MSE, 0, 0.91, data="digits")
    store.put((MSE, 0), entry, "digits", "cpu", LIMITS)
    shown = repr(tables.own_table("multiclass", 2, "digits", "cpu"))
    assert "91.00 % (one run)" in shown and "Runs: yours: embedded digits" in shown and "97.43" not in shown


def test_every_row_far_from_its_published_figure_says_why_and_no_other_does():
    far = {
        row.id
        for row in rows()
        if row.test is not None
        and abs(reference().mean(row.pairing) - row.test) > st.REPRODUCED[row.pairing.spec.metric]
    }
    assert far == {row.id for row in rows() if row.differs}
    told = published_sentences("regression")
    assert told.startswith("3 of 4 published figures lie within 0.03 of our mean.")
    assert "Why: the outputs run away" in told


def test_unknown_table_is_one_sentence():
    with pytest.raises(ValueError, match="choose one of loss, activation"):
        tables.summary("multiclass", "losses", results_of())


def test_sentences_say_what_the_runs_gave(some):
    assert "97.49 % (97.45 to 97.53 %) over 10 seeds" in sentence(FITS, some)
    assert sentence(SIGMOIDS, some).endswith("over 10 seeds, 10 of 10 at chance (reference: MNIST).")
    assert "not trained yet" in sentence(Pairing("binary", "bce", "sigmoid"), some)
    assert "practically equal" in comparison_sentence(MSE, results=some)
    assert "\N{MINUS SIGN}0.10 points" in comparison_sentence(MSE, results=some)
    pairs = [(MSE, FITS), (SIGMOIDS, FITS)]
    assert [line.split(": ")[-1] for line in comparison_sentences(pairs, some)] == ["practically equal.", "worse."]
    assert "corrected for 2 comparisons" in comparison_sentences(pairs, some)[0]
    assert "share no seed" in comparison_sentence(Pairing("binary", "bce", "sigmoid"), results=some)
    row = next(row for row in rows() if row.id == "000-3-4-mse-softmax")
    assert "published 97.43 %, ours 97.39 %" in published_sentence(row, some)


def test_two_owners_are_never_mixed(tmp_path, monkeypatch):
    write_lines(tmp_path / "histories" / "multiclass.jsonl",
                [*seeded(FITS, GOOD), made_up(FITS, 11, 0.9, data="digits")])  # fmt: skip
    shipped = reference(folder=tmp_path)
    assert len(shipped.entries) == 10 and shipped.origin.startswith("reference: MNIST, 10 seeds")
    store = Store(tmp_path / "store")
    mine = yours([FITS], seeds=2, data="digits", device="cpu", store=store)
    assert mine.entries == () and mine.origin == "yours: embedded digits, no runs yet"
    entry = made_up(FITS, 1, 0.95, data="digits")
    store.put((FITS, 1), entry, "digits", "cpu", LIMITS)
    mine = yours([FITS], seeds=2, data="digits", device="cpu", store=store)
    assert mine.scores(FITS) == {1: 0.95} and mine.origin.startswith("yours: embedded digits, 1 seed,")


def test_growing_files_are_read_again(tmp_path):
    path = tmp_path / "histories" / "multiclass.jsonl"
    write_lines(path, seeded(FITS, GOOD[:2]))
    assert len(reference(folder=tmp_path).entries) == 2
    write_lines(path, seeded(FITS, GOOD))
    assert len(reference(folder=tmp_path).entries) == 10
    assert reference(folder=tmp_path / "nowhere").entries == ()


def test_measures_of_the_outputs_are_paired_by_seed():
    told = results_of(seeded(FITS, GOOD[:3], outputs={"nll": 0.1}), [made_up(MSE, 2, 0.97, outputs={"nll": 0.3})])
    assert told.scores(FITS, "nll") == {0: 0.1, 1: 0.1, 2: 0.1}
    assert told.paired(MSE, FITS, "nll") == pytest.approx([0.2])
    assert isnan(told.scores(FITS, "ece")[0])


def test_conditions_are_read_by_name(tmp_path):
    lines = [{"condition": "control", **made_up(SIGMOIDS, seed, 0.1)} for seed in (101, 100)]
    write_lines(tmp_path / "collapse.jsonl", lines)
    found = under_conditions("collapse", folder=tmp_path)
    assert [run["seed"] for run in found["control"]] == [100, 101]
    assert under_conditions("nothing", folder=tmp_path) == {}


def test_a_table_counts_the_seeds_of_its_own_rows(some):
    grid = seeded(Pairing("multiclass", "hinge", "softmax"), [0.5] * 3)
    table = tables.summary("multiclass", "loss", results_of(list(some.entries), grid))
    assert table.attrs["origin"].startswith("reference: MNIST, 3 to 10 seeds")  # MSE + sigmoid of the fixture has three
    whole = results_of([run for run in some.entries if run["activation"] != "sigmoid"], grid)
    assert whole.origin.startswith("reference: MNIST, 3 to 10 seeds")
    assert tables.summary("multiclass", "loss", whole).attrs["origin"].startswith("reference: MNIST, 10 seeds")
    assert whole.of_rows("multiclass").origin.startswith("reference: MNIST, 10 seeds")


def test_baselines():
    assert baseline("multiclass") == 0.1135
    assert baseline("probability") == pytest.approx(1 - 0.4931)
    assert baseline("regression") == pytest.approx(1.78, abs=0.01)
    assert baseline("multilabel") == pytest.approx(0.552, abs=0.001)
    assert baseline("multiclass", "digits") == pytest.approx(0.1, abs=0.01)


def test_mnist_counts_are_those_of_the_shipped_confusions():
    confusions = [run["outputs"]["confusion"] for run in reference().of(FITS)]
    if not confusions:
        pytest.skip("the shipped results have no multi-class runs yet; `make results` trains them")
    assert [sum(line) for line in confusions[0]] == list(MNIST_TEST)


def test_every_summary_of_the_shipped_results_can_be_shown():
    for task in TASKS:
        table = tables.summary(task)
        assert "Runs: reference: MNIST" in repr(tables.readable(table))
        assert set(table["verdict"]) <= {"practically equal", "better", "worse", "undecided", "illustration", "missing",
                                         "error", "not compared", "the fitting pairing"}  # fmt: skip


def test_few_seeds_never_get_a_verdict():
    few = results_of(seeded(FITS, GOOD[:5]), seeded(SIGMOIDS, [0.1] * 5))
    assert st.FEWEST_SEEDS == 6
    assert tables.summary("multiclass", "loss", few).loc["000-3-4-bce-sigmoid", "verdict"] == "illustration"


def test_options_are_part_of_a_pairing(some):
    assert some.of(replace(SIGMOIDS, prior_bias=True)) == []


def test_probabilities_are_measured_and_a_row_without_them_says_so(some):
    told = tables.probabilities([FITS, SIGMOIDS, Pairing("multiclass", "hinge")], some).frame
    assert list(told["seeds"]) == ["10", "10", "0"]
    assert "calibration error" in told.columns and set(told["Brier score"].tail(1)) == {"none stored"}
    shipped = tables.probabilities([FITS, Pairing("multiclass", "hinge")])
    assert "Runs: reference: MNIST" in repr(shipped)
    assert float(shipped.frame["Brier score"][0].split()[0]) < 0.1
    assert shipped.frame["negative log-likelihood"][1] == "none stored"
