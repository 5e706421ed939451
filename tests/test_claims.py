"""Every claim has a test that runs, the slips are caught, and no verdict is given on too few runs."""

import inspect
from collections import Counter
from importlib import import_module

import pytest
from made_up_runs import made_up, results_of, seeded

from lm_utils.experiments import claims as cl
from lm_utils.experiments.claims import conditions, runs
from lm_utils.experiments.claims.own import contradictions
from lm_utils.experiments.documents import rows
from lm_utils.experiments.results import FITTING, under_conditions
from lm_utils.pairing import Pairing

COMPUTED = [claim for claim in cl.claims() if claim.kind in ("formula", "library")]
TRAINED = [claim for claim in cl.claims() if claim.kind in ("runs", "conditions")]
SLIPS = {
    "003-order", "003-clip-gradient", "003-other-classes", "004-takes-probabilities", "004-z", "004-reduce-sums",
    "004-sign", "004-unstable", "004-double-sum", "004-logits-are-probabilities", "001-highest-mse", "001-sigmoid-15",
    "001-sigmoid-ce", "000-at-most-one", "000-mse-range", "000-bce-not-softmax", "000-exclusivity",
}  # fmt: skip


def score_of(row, good=0.97, bad=0.3):
    """A score as published, or as the row deserves."""
    return row.test if row.test is not None else good if row.pairing.spec.metric == "accuracy" else bad


@pytest.fixture(scope="module")
def everything():
    """Ten made-up runs of every row, as near to the published figures as runs can be."""
    groups = {}
    for row in rows():
        error = {"status": "error", "error": "between 0 and 1"} if row.published_error else {}
        base = float("nan") if error else score_of(row)
        scores = [base + 0.0001 * (seed - 4.5) for seed in range(10)]
        told = {"nll": 0.1, "ece": 0.01, "accuracy_at_cut": 0.98, "cut": 0.2}
        groups.setdefault(row.pairing, seeded(row.pairing, scores, outputs=told, **error))
    return results_of(*groups.values())


def test_the_claims_are_data_with_a_test_each():
    every = cl.claims()
    assert len({claim.id for claim in every}) == len(every) >= 120
    assert set(Counter(claim.document for claim in every)) == {"000", "001", "002", "003", "004"}
    for claim in every:
        assert claim.kind in cl.KINDS and claim.says.strip() and claim.id.startswith(claim.document)
        assert (claim.kind == "none") == (not claim.test), claim.id
        assert claim.kind != "none" or claim.note


@pytest.mark.parametrize("claim", TRAINED, ids=lambda claim: claim.id)
def test_rows_and_arguments_of_a_claim_exist(claim):
    test = getattr(import_module(f"lm_utils.experiments.claims.{claim.kind}"), claim.test)
    inspect.signature(test, follow_wrapped=False).bind(None, **claim.arguments)
    pairs = claim.arguments.get("pairs", [])
    for name in [*claim.arguments.get("rows", []), *(name for pair in pairs for name in pair)]:
        runs.row_of(name)


@pytest.mark.parametrize("claim", COMPUTED, ids=lambda claim: claim.id)
def test_computed_claims_get_the_verdict_they_deserve(claim):
    judged = cl.judge(claim)
    expected = {"refuted"} if claim.id in SLIPS else {"not shown"} if claim.id == "001-complexity" else {"holds"}
    assert {judged.verdict} == expected, judged.evidence
    assert len(judged.evidence) > 20


def test_every_slip_is_a_claim():
    assert {claim.id for claim in COMPUTED} >= SLIPS


def test_without_runs_nothing_is_guessed():
    for claim in cl.claims():
        if claim.kind == "runs":
            assert cl.judge(claim, results_of()).verdict == "not tested", claim.id


def test_three_seeds_are_not_enough():
    few = results_of(*(seeded(row.pairing, [score_of(row)] * 3) for row in rows(task="multiclass")))
    judged = cl.verdict_of("000-sigmoid-collapse", few)
    assert judged.verdict == "not tested" and "6 are needed" in judged.evidence and "11.35 %" in judged.evidence


def test_with_all_runs_every_claim_about_runs_is_decided(everything):
    verdicts = {claim.id: cl.judge(claim, everything).verdict for claim in TRAINED if claim.kind == "runs"}
    assert "not tested" not in verdicts.values()
    assert verdicts["000-sigmoid-collapse"] == "holds here"
    assert verdicts["000-bceloss-error"] == "holds here"
    assert verdicts["000-bcelogits-large"] == "holds here"
    assert verdicts["000-multiclass-figures"] == verdicts["000-labels-figures"] == "holds here"
    assert verdicts["000-no-activation"] == "holds here"
    assert verdicts["000-labels-softmax"] == "holds here"
    assert verdicts["000-labels-cannot"] == "refuted"
    assert verdicts["000-no-competition"] == "refuted"
    assert verdicts["000-regression-equal"] == "holds here"


BCE, MSE = Pairing("probability", "bce", "sigmoid"), Pairing("probability", "mse", "sigmoid")
BETTER = "000-ce-better-probability"


def two(gap, spread=0.0):
    """BCE at 0.97 and MSE and MAE this much lower."""
    base = [0.97 + 0.001 * seed for seed in range(10)]
    lower = [score - gap + spread * (-1) ** seed for seed, score in enumerate(base)]
    return results_of(seeded(BCE, base), seeded(MSE, lower), seeded(Pairing("probability", "mae", "sigmoid"), lower))


@pytest.mark.parametrize(
    ("gap", "spread", "verdict"),
    [(0.02, 0, "holds here"), (0.001, 0, "not shown"), (0.0, 0.03, "not shown"), (-0.02, 0, "refuted")],
)
def test_better_means_beyond_the_margin_and_beyond_doubt(gap, spread, verdict):
    assert cl.verdict_of(BETTER, two(gap, spread)).verdict == verdict


def test_equal_is_shown_and_not_assumed():
    equal = lambda results: runs.equal(results, [["000-3-2-mse-sigmoid", "000-3-2-bce-sigmoid"]]).verdict  # noqa: E731
    assert equal(two(0.001)) == "holds here"
    assert equal(two(0.0, 0.03)) == "not shown"
    assert equal(two(0.02)) == "refuted"


def test_fewer_epochs_are_told_by_the_paired_difference():
    slow = [made_up(MSE, seed, 0.97) for seed in range(10)]
    fast = [made_up(BCE, seed, 0.97) for seed in range(10)]
    for entry in fast:
        entry["history"] = entry["history"][3:]
    found = runs.lower(results_of(fast, slow), [["000-3-2-bce-sigmoid", "000-3-2-mse-sigmoid"]], measure="epochs_to_95")
    assert found.verdict == "holds here" and "−3" in found.evidence


def test_accuracy_is_not_enough_where_calibration_differs():
    pairings = [FITTING["multiclass"], *(runs.row_of(f"000-3-4-{name}").pairing for name in
                ("ce-softmax", "bce-softmax", "bce-logits-softmax", "mse-softmax"))]  # fmt: skip
    told = [
        [made_up(p, seed, 0.97, outputs={"nll": 0.1 * (1 + i) + 0.001 * seed, "ece": 0.01}) for seed in range(10)]
        for i, p in enumerate(pairings)
    ]
    judged = cl.verdict_of("000-accuracy-enough", results_of(*told))
    assert judged.verdict == "refuted" and "negative log-likelihood" in judged.evidence


def test_a_published_run_is_met_by_the_mean_or_by_the_spread_of_single_runs():
    row = runs.row_of("000-3-5-ce-softmax")
    far = lambda spread: runs.reproduce(  # noqa: E731
        results_of(seeded(row.pairing, [row.test + 0.02 + spread * (-1) ** i for i in range(10)])), [row.id]
    )
    assert far(0.02).verdict == "holds here"
    assert far(0.0001).verdict == "not shown"  # not recommended and not collapsed: a difference to be told
    fits = runs.row_of("000-3-5-bce-sigmoid")
    low = results_of(seeded(fits.pairing, [0.95 + 0.0001 * i for i in range(10)]))
    assert runs.reproduce(low, [fits.id]).verdict == "refuted"
    collapsed = runs.row_of("000-3-4-bce-sigmoid")
    assert runs.reproduce(results_of(seeded(collapsed.pairing, [0.97] * 10)), [collapsed.id]).verdict == "refuted"


# --- changed conditions ----------------------------------------------------------------------------------------------


def under(**scores):
    """Made-up runs of conditions; each keyword is a condition and its ten scores or one score."""
    pairing = Pairing("multiclass", "bce", "sigmoid")
    return {
        name: [{"condition": name, "title": name, **made_up(pairing, 100 + seed, score)} for seed in range(10)]
        for name, score in scores.items()
    }


@pytest.fixture
def families(monkeypatch):
    found = {}
    monkeypatch.setattr(conditions, "under_conditions", lambda family, data: found.get(family, {}))
    return found


def test_conditions_nobody_ran_are_not_tested(families):
    for claim in TRAINED:
        if claim.kind == "conditions":
            assert cl.judge(claim).verdict == "not tested"


def test_a_cause_is_refuted_by_runs_that_keep_it_and_learn(families):
    every = {"prior-bias": 0.97, "head-first": 0.97, "sgd": 0.97, "softmax-pushed": 0.1135, "control": 0.1135}
    families["collapse"] = under(**every)
    assert cl.verdict_of("000-no-competition-switch").verdict == "refuted"
    assert cl.verdict_of("000-adamw").verdict == "refuted"
    families["collapse"] = under(**{**every, "sgd": 0.1135})
    assert cl.verdict_of("000-adamw").verdict == "not shown"
    assert "10 of 10 runs learn" in cl.verdict_of("000-no-competition-switch").evidence


def test_one_rare_output_has_its_own_chance(families):
    rare = under(**{"one-0.1": 0.902, "ten-halves": 0.98})
    for run in rare["ten-halves"]:
        run["task"] = "ten_halves"
    families["collapse"] = rare
    assert cl.verdict_of("000-two-outputs-spared").verdict == "refuted"


def test_new_data_can_bring_out_a_misfit(families):
    pairs = [(world, name) for world in ("images-2000", "images-50") for name in ("cross_entropy-none", "mse-softmax")]
    families["new-data"] = under(**{"/".join(pair): 0.97 for pair in pairs})
    judged = cl.verdict_of("000-new-data")
    assert judged.verdict == "not shown" and "2 paired comparisons" in judged.evidence
    for run in families["new-data"]["images-50/mse-softmax"]:
        run["test_metric"] = 0.6 + 0.001 * run["seed"]
    judged = cl.verdict_of("000-new-data")
    assert judged.verdict == "holds here" and "mse-softmax" in judged.evidence


def test_families_that_are_not_there_are_empty():
    assert under_conditions("no-such-family") == {}


# --- our own verdicts ------------------------------------------------------------------------------------------------


def test_own_verdicts_are_contradicted_by_runs_that_say_otherwise():
    fitting, sigmoids = FITTING["multiclass"], Pairing("multiclass", "bce", "sigmoid")
    good = [0.97 + 0.001 * seed for seed in range(10)]
    assert contradictions(results_of(seeded(fitting, good), seeded(sigmoids, [0.1135] * 10))) == []
    (told,) = contradictions(results_of(seeded(fitting, good), seeded(sigmoids, good)))
    assert "called handicapped" in told and "practically equal" in told
    (told,) = contradictions(results_of(seeded(fitting, [0.1] * 10)))
    assert "called recommended" in told
    assert contradictions(results_of(seeded(fitting, [0.1] * 5))) == []


def test_shipped_results_do_not_contradict_our_verdicts():
    assert contradictions() == []


def test_tables_of_claims_can_be_shown():
    judged = [cl.judge(claim) for claim in COMPUTED]
    words = cl.table(judged, results_of())
    assert "004 §BCEWithLogitsLoss" in repr(words) and "refuted" in words._repr_html_()
    assert cl.counts(judged)["refuted"].sum() == len(SLIPS)
