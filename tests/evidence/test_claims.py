"""Every claim has a test that runs, the slips are caught, and no verdict is given on too few runs."""

import inspect
from collections import Counter
from math import nan

import pytest
from made_up_runs import made_up, results_of, seeded

from lm_utils.evidence import changed_conditions, our_verdicts
from lm_utils.evidence import claims as cl
from lm_utils.evidence.changed_conditions import FITS
from lm_utils.evidence.claims import by_conditions, document_000_section_1, document_004
from lm_utils.evidence.claims.by_conditions import learnt
from lm_utils.evidence.claims.by_pairs import accuracy_tells_enough, equal, lower
from lm_utils.evidence.claims.by_rows import reproduce, row_of
from lm_utils.evidence.claims.claim import KINDS
from lm_utils.evidence.claims.document_000_sections_2_to_4 import (
    REPAIRED_SKILL,
    digits_are_balanced,
    loss_of_the_average,
    loss_tells_learning,
)
from lm_utils.evidence.claims.document_004 import least_loss_is_most_accurate
from lm_utils.evidence.our_verdicts import contradictions
from lm_utils.evidence.results import FITTING, under_conditions
from lm_utils.lessons import verdicts
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import rows

COMPUTED = [claim for claim in cl.claims() if claim.kind in ("formula", "library")]
TRAINED = [claim for claim in cl.claims() if claim.kind in ("runs", "conditions")]
SLIPS = {
    "003-order", "003-clip-gradient", "003-other-classes", "004-takes-probabilities", "004-z", "004-reduce-sums",
    "004-sign", "004-unstable", "004-double-sum", "004-logits-are-probabilities", "001-highest-mse", "001-sigmoid-15",
    "001-sigmoid-ce", "000-at-most-one", "000-mse-range", "000-bce-not-softmax", "000-exclusivity",
    "002-sigmoid-factor", "003-mse-mean", "004-yes-item",
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
        assert claim.kind in KINDS and claim.says.strip() and claim.id.startswith(claim.document)
        assert (claim.kind == "none") == (claim.test is None), claim.id
        assert claim.kind != "none" or claim.note


@pytest.mark.parametrize("claim", TRAINED, ids=lambda claim: claim.id)
def test_rows_and_arguments_of_a_claim_exist(claim):
    inspect.signature(claim.test, follow_wrapped=False).bind(None, **claim.arguments)
    arguments = claim.arguments
    paired = [name for pair in arguments.get("pairs", []) for name in pair]
    for name in [*arguments.get("rows", []), *arguments.get("others", []), *paired]:
        row_of(name)


@pytest.mark.parametrize("claim", COMPUTED, ids=lambda claim: claim.id)
def test_computed_claims_get_the_verdict_they_deserve(claim):
    judged = cl.judge_claim(claim)
    expected = {"refuted"} if claim.id in SLIPS else {"not shown"} if claim.id == "001-complexity" else {"holds"}
    assert {judged.verdict} == expected, judged.evidence
    assert len(judged.evidence) > 20


def test_every_slip_is_a_claim():
    assert {claim.id for claim in COMPUTED} >= SLIPS


def test_competition_has_one_yardstick_the_logits():
    told = cl.verdict_of("001-sigmoid-ce").evidence
    assert "still compete" in told and "the gradients at the logits add up to −0.027" in told


def test_the_logarithm_is_minus_infinite_and_its_loss_infinite():
    assert "gives −inf and so a loss of inf;" in cl.verdict_of("004-unstable").evidence


def test_without_runs_nothing_is_guessed():
    for claim in cl.claims():
        if claim.kind == "runs":
            assert cl.judge_claim(claim, results_of()).verdict == "not tested", claim.id


def test_three_seeds_are_not_enough():
    few = results_of(*(seeded(row.pairing, [score_of(row)] * 3) for row in rows(task="multiclass")))
    judged = cl.verdict_of("000-sigmoid-collapse", few)
    assert judged.verdict == "not tested" and "6 are needed" in judged.evidence and "11.35 %" in judged.evidence


def test_with_all_runs_every_claim_about_runs_is_decided(everything):
    verdicts = {claim.id: cl.judge_claim(claim, everything).verdict for claim in TRAINED if claim.kind == "runs"}
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
    is_equal = lambda results: equal(results, pairs=[["000-3-2-mse-sigmoid", "000-3-2-bce-sigmoid"]]).verdict  # noqa: E731
    assert is_equal(two(0.001)) == "holds here"
    assert is_equal(two(0.0, 0.03)) == "not shown"
    assert is_equal(two(0.02)) == "refuted"


def test_fewer_epochs_are_told_by_the_paired_difference():
    slow = [made_up(MSE, seed, 0.97) for seed in range(10)]
    fast = [made_up(BCE, seed, 0.97) for seed in range(10)]
    for entry in fast:
        entry["history"] = entry["history"][3:]
    found = lower(
        results_of(fast, slow), pairs=[["000-3-2-bce-sigmoid", "000-3-2-mse-sigmoid"]], measure="epochs_to_95"
    )
    assert found.verdict == "holds here" and "−3" in found.evidence


def test_accuracy_is_not_enough_where_calibration_differs():
    pairings = [FITTING["multiclass"], *(row_of(f"000-3-4-{name}").pairing for name in
                ("ce-softmax", "bce-softmax", "bce-logits-softmax", "mse-softmax"))]  # fmt: skip
    told = [
        [made_up(p, seed, 0.97, outputs={"nll": 0.1 * (1 + i) + 0.001 * seed, "ece": 0.01}) for seed in range(10)]
        for i, p in enumerate(pairings)
    ]
    judged = cl.verdict_of("000-accuracy-enough", results_of(*told))
    assert judged.verdict == "refuted" and "negative log-likelihood" in judged.evidence


def test_that_accuracy_is_enough_is_judged_alike_for_both_documents():
    enough = {claim.document: claim for claim in cl.claims() if claim.test is accuracy_tells_enough}
    balanced = {claim.document: claim for claim in cl.claims() if claim.test is digits_are_balanced}
    assert set(enough) == set(balanced) == {"000", "001"}
    assert not any("accuracy" in claim.says for claim in balanced.values())
    assert {cl.judge_claim(claim).verdict for claim in enough.values()} == {"refuted"}


FOUR = ("Probability prediction", "Binary classification", "Multi-class classification", "Multi-label classification")


@pytest.mark.parametrize(("against", "verdict"), [(0, "holds here"), (2, "refuted"), (4, "refuted")])
def test_calibration_is_asked_of_every_task_with_classes(against, verdict):
    (claim,) = (claim for claim in cl.claims() if claim.id == "000-ce-calibrated")
    pairs = [[row_of(name).pairing for name in pair] for pair in claim.arguments["pairs"]]
    told = lambda ece: {"ece": ece, "nll": 0.1}  # noqa: E731
    groups = []
    for i, (ours, theirs) in enumerate(pairs):
        mine = 0.03 if i < against else 0.01
        groups += [seeded(ours, [0.97] * 10, outputs=told(mine)), seeded(theirs, [0.97] * 10, outputs=told(0.02))]
    judged = cl.judge_claim(claim, results_of(*groups))
    assert judged.verdict == verdict and all(task in judged.evidence for task in FOUR)
    assert f"lower in {10 if against < 4 else 0} of 10 seeds" in judged.evidence


def spread(pairing, learn, of=10, good=0.97, bad=0.1135):
    """So many runs that learn, and the rest at chance."""
    return seeded(pairing, [good + 0.0001 * seed for seed in range(learn)] + [bad] * (of - learn))


@pytest.mark.parametrize(
    ("learn", "verdict"), [((10, 10), "refuted"), ((0, 0), "holds here"), ((1, 1), "not shown"), ((10, 9), "not shown")]
)
def test_a_cause_holds_only_where_every_run_of_every_remedy_fails(learn, verdict):
    names = ("remedy-bce-prior", "remedy-mse-prior")
    groups = [spread(row_of(name).pairing, count) for name, count in zip(names, learn, strict=True)]
    assert cl.verdict_of("000-no-competition", results_of(*groups)).verdict == verdict


def test_rows_that_are_not_recommended_are_judged_whole():
    (claim,) = (claim for claim in cl.claims() if claim.id == "000-others-nearly-normal")
    excepted = {("probability", "softmax"), ("multilabel", "softmax"), ("multiclass", "sigmoid")}
    asked = {
        row.id
        for row in rows(table="loss")
        if not row.fits
        and row.pairing.task != "regression"
        and (row.pairing.task, row.pairing.activation) not in excepted
    }
    assert set(claim.arguments["rows"]) == asked


@pytest.mark.parametrize(("learn", "verdict"), [(10, "holds here"), (6, "not shown")])
def test_a_cure_that_loses_runs_is_not_shown(learn, verdict):
    lost = [spread(Pairing("multiclass", loss, "sigmoid"), 0) for loss in ("bce", "mse")]
    cured = [Pairing("multiclass", loss, "sigmoid", hidden="relu") for loss in ("bce", "mse")]
    judged = cl.verdict_of("002-relu-helps", results_of(*lost, spread(cured[0], 10), spread(cured[1], learn)))
    assert judged.verdict == verdict and ("6 of 10 learnt; their mean" in judged.evidence) == (learn == 6)


def with_lowest_loss(entries, value):
    """The same runs with this validation loss at its lowest."""
    for entry in entries:
        entry["history"][-1]["valid_loss"] = value
        for record in entry["history"]:
            record["valid_loss"] = max(record["valid_loss"], value)
    return entries


@pytest.mark.parametrize(
    ("lowest", "learn", "verdict"),
    [(0.05, 10, "holds here"), (0.325, 0, "holds here"), (0.05, 0, "refuted"), (0.05, 9, "not shown")],
)
def test_the_validation_loss_must_tell_learning_from_not_learning(lowest, learn, verdict):
    row = row_of("000-3-4-bce-sigmoid")
    found = loss_tells_learning(results_of(with_lowest_loss(spread(row.pairing, learn), lowest)), [row.id])
    assert found.verdict == verdict and "costs 0.3249" in found.evidence


def test_the_loss_of_the_average_is_that_of_constant_answers():
    paid = lambda name: loss_of_the_average(row_of(name).pairing, "mnist")  # noqa: E731
    assert paid("000-3-4-mse-sigmoid") == pytest.approx(0.09, abs=1e-4)
    assert paid("twin-multiclass-ce") == pytest.approx(2.3026, abs=2e-3)
    assert paid("000-3-1-mse") == pytest.approx(1, abs=1e-3)
    assert paid("000-3-1-bce-logits") == pytest.approx(0.6931, abs=1e-4)


def test_the_runaway_speaks_against_the_validation_loss_as_a_sign_of_learning():
    told = cl.verdict_of("000-valid-loss")
    assert told.verdict == "refuted" and "nn.BCEWithLogitsLoss on logits (normalised)" in told.evidence
    rest = cl.verdict_of("000-valid-loss-average")
    assert rest.verdict == "holds here" and "and 10 learn" in rest.evidence and "and 0 learn" in rest.evidence


@pytest.mark.parametrize(("drop", "verdict"), [(0.001, "holds here"), (0.02, "refuted"), (None, "not shown")])
def test_the_least_loss_is_compared_with_the_best_epoch(drop, verdict):
    row = row_of("000-3-2-bce-sigmoid")
    entries = seeded(row.pairing, [0.97] * 10)
    for i, entry in enumerate(entries):
        entry["history"][-1]["valid_metric"] -= (0.01 * (i % 2)) if drop is None else drop
    found = least_loss_is_most_accurate(results_of(entries), [row.id])
    assert found.verdict == verdict
    assert f"in {5 if drop is None else 10} of 10 runs the epoch of the least" in found.evidence


@pytest.mark.parametrize(
    ("ten", "two", "verdict"),
    [(0, 10, "holds here"), (10, 10, "refuted"), (3, 10, "not shown"), (0, 0, "refuted")],
)
def test_hinge_is_for_binary_questions_if_ten_classes_fail(ten, two, verdict):
    hinge = {task: Pairing(task, "hinge") for task in ("probability", "binary", "multilabel", "multiclass")}
    groups = [spread(pairing, ten if task == "multiclass" else two) for task, pairing in hinge.items()]
    judged = cl.verdict_of("002-hinge-binary", results_of(*groups))
    assert judged.verdict == verdict and all(task in judged.evidence for task in FOUR)


@pytest.mark.parametrize(("cut", "verdict"), [(0.98, "refuted"), (0.952, "not shown")])
def test_a_cut_repairs_a_row_that_it_brings_nine_tenths_of_the_way(cut, verdict):
    rows_of = [row_of(f"000-3-5-{name}-softmax").pairing for name in ("mse", "ce")]
    groups = [seeded(pairing, [0.77] * 10, outputs={"accuracy_at_cut": score, "cut": 0.2})
              for pairing, score in zip(rows_of, (0.98, cut), strict=True)]  # fmt: skip
    judged = cl.verdict_of("000-labels-cannot", results_of(*groups))
    assert judged.verdict == verdict and f"({REPAIRED_SKILL:.2%}".replace("%", " %") in judged.evidence


@pytest.mark.parametrize(
    ("mse", "verdict"), [((0.1, 0.01), "holds here"), ((0.1, 0.03), "not shown"), (None, "refuted")]
)
def test_softmax_reads_as_probabilities_after_every_loss_or_not(mse, verdict):
    (claim,) = (claim for claim in cl.claims() if claim.id == "000-softmax-reading")
    groups = [seeded(FITTING["multiclass"], [0.97] * 10, outputs={"nll": 0.1, "ece": 0.01})]
    for name in claim.arguments["rows"]:
        row = row_of(name)
        nll, ece = (1.0, 0.1) if mse is None else mse if row.pairing.loss == "mse" else (0.1, 0.01)
        groups.append(seeded(row.pairing, [0.97] * 10, outputs={"nll": nll, "ece": ece}))
    assert cl.judge_claim(claim, results_of(*groups)).verdict == verdict


def test_losses_said_to_be_for_other_problems_may_do_as_well(everything):
    assert cl.verdict_of("004-bce-binary", everything).verdict == "not shown"
    assert "Binary classification" in cl.verdict_of("004-bce-binary").evidence


def test_a_published_run_is_met_by_the_mean_or_by_the_spread_of_single_runs():
    row = row_of("000-3-5-ce-softmax")
    far = lambda spread: reproduce(  # noqa: E731
        results_of(seeded(row.pairing, [row.test + 0.02 + spread * (-1) ** i for i in range(10)])), [row.id]
    )
    assert far(0.02).verdict == "holds here"
    assert far(0.0001).verdict == "not shown"  # not recommended and not collapsed: a difference to be told
    fits = row_of("000-3-5-bce-sigmoid")
    low = results_of(seeded(fits.pairing, [0.95 + 0.0001 * i for i in range(10)]))
    assert reproduce(low, [fits.id]).verdict == "refuted"
    collapsed = row_of("000-3-4-bce-sigmoid")
    assert reproduce(results_of(seeded(collapsed.pairing, [0.97] * 10)), [collapsed.id]).verdict == "refuted"


# --- changed conditions ----------------------------------------------------------------------------------------------


def under(**scores):
    """Made-up runs of conditions; each keyword is a condition and its ten scores or one score."""
    pairing = Pairing("multiclass", "bce", "sigmoid")
    stored = {"chance": 0.1135, "train_images": 1100}
    return {
        name: [
            {"condition": name, "title": name, **stored, **made_up(pairing, 100 + seed, ten[seed])}
            for seed in range(10)
        ]
        for name, score in scores.items()
        for ten in [score if isinstance(score, list) else [score] * 10]
    }


@pytest.fixture
def families(monkeypatch):
    found = {}
    for place in (by_conditions, changed_conditions, document_000_section_1, document_004):
        monkeypatch.setattr(place, "under_conditions", lambda family, data: found.get(family, {}))
    return found


def test_conditions_nobody_ran_are_not_tested(families):
    for claim in TRAINED:
        if claim.kind == "conditions":
            assert cl.judge_claim(claim).verdict == "not tested"


def test_a_cause_is_refuted_by_runs_that_keep_it_and_learn(families):
    every = {"prior-bias": 0.97, "head-first": 0.97, "sgd": 0.97, "softmax-pushed": 0.1135, "control": 0.1135}
    families["collapse"] = under(**every)
    assert cl.verdict_of("000-no-competition-switch").verdict == "refuted"
    assert cl.verdict_of("000-adamw").verdict == "refuted"
    families["collapse"] = under(**{**every, "sgd": 0.1135})
    assert cl.verdict_of("000-adamw").verdict == "not shown"
    assert "10 of 10 runs learn" in cl.verdict_of("000-no-competition-switch").evidence


MIXED = [0.97] * 9 + [0.1135]


@pytest.mark.parametrize(
    ("keeping", "lacking", "verdict"),
    [(0.97, 0.1135, "refuted"), (0.1135, 0.97, "holds here"), (MIXED, 0.1135, "not shown"),
     (MIXED, MIXED[::-1], "not shown"), (0.97, 0.97, "not shown"), (0.1135, 0.1135, "not shown")],
)  # fmt: skip
def test_a_cause_that_single_runs_speak_against_is_neither_refuted_nor_shown(families, keeping, lacking, verdict):
    keep = {"prior-bias": keeping, "head-first": keeping, "sgd": keeping}
    families["collapse"] = under(**keep, **{"softmax-pushed": lacking})
    assert cl.verdict_of("000-no-competition-switch").verdict == verdict


def test_each_run_has_its_own_stored_chance(families):
    rare = under(**{"one-0.1": 0.902, "ten-halves": 0.98})
    for run in rare["ten-halves"]:
        run |= {"task": "ten_halves", "chance": 0.5}
    for run in rare["one-0.1"]:
        run |= {"task": "probability", "chance": 0.902}
    families["collapse"] = rare
    assert cl.verdict_of("000-two-outputs-spared").verdict == "refuted"
    (sole,) = under(control=0.12).values()
    assert learnt(sole) == 0
    assert learnt([{**run, "chance": 0.05} for run in sole]) == 10
    number = {**made_up(Pairing("regression", "mse"), 100, 0.1), "chance": 1.78}
    assert learnt([number, {**number, "test_metric": 1.8}]) == 1


def test_new_data_can_bring_out_a_misfit(families):
    pairs = [(world, name) for world in ("images-2000", "images-50") for name in ("cross_entropy-none", "mse-softmax")]
    families["new-data"] = under(**{"/".join(pair): 0.97 for pair in pairs})
    judged = cl.verdict_of("000-new-data")
    assert judged.verdict == "not shown" and "2 paired comparisons" in judged.evidence
    for run in families["new-data"]["images-50/mse-softmax"]:
        run["test_metric"] = 0.6 + 0.001 * run["seed"]
    judged = cl.verdict_of("000-new-data")
    assert judged.verdict == "holds here" and "MSE + softmax" in judged.evidence


def test_what_stood_out_decides_only_where_fresh_seeds_confirm_it(families):
    names = ("cross_entropy-none", "cross_entropy-softmax")
    worlds = ("images-2000", "images-50")
    families["new-data"] = under(**{f"{world}/{name}": 0.97 for world in worlds for name in names})
    assert cl.verdict_of("000-new-data").verdict == "not shown"
    families["confirmation"] = under(**{f"images-50/{names[0]}": 0.6, f"images-50/{names[1]}": 0.3})
    judged = cl.verdict_of("000-new-data")
    assert judged.verdict == "holds here" and "alone on" in judged.evidence and "(worse)" in judged.evidence
    families["confirmation"] = under(**{f"images-50/{names[0]}": 0.6, f"images-50/{names[1]}": 0.597})
    assert cl.verdict_of("000-new-data").verdict == "not shown"  # surely less, and not by a point


def test_a_whole_point_beyond_doubt_needs_the_whole_interval(families):
    pairs = [(world, name) for world in ("images-2000", "images-50") for name in ("cross_entropy-none", "mse-softmax")]
    families["new-data"] = under(**{"/".join(pair): 0.97 for pair in pairs})
    for i, run in enumerate(families["new-data"]["images-50/mse-softmax"]):
        run["test_metric"] -= 0.013 + 0.01 * (-1) ** i
    judged = cl.verdict_of("000-new-data")
    assert judged.verdict == "not shown" and "beyond doubt: none" in judged.evidence
    assert "not surely by one: 1." in judged.evidence
    for run in families["new-data"]["images-2000/mse-softmax"]:
        run["test_metric"] -= 0.02
    for run in families["new-data"]["images-50/mse-softmax"]:
        run["test_metric"] -= 0.02
    judged = cl.verdict_of("000-new-data")
    assert judged.verdict == "not shown" and "worse on the data at hand, too: 1." in judged.evidence


@pytest.mark.parametrize(
    ("many", "few", "verdict"),
    [(0.97, 0.95, "holds here"), (0.97, 0.93, "not shown"), (0.97, 0.90, "not shown"), (0.90, 0.88, "refuted"),
     (0.93, 0.93, "not shown")],
)  # fmt: skip
def test_imbalance_must_cost_more_than_fewer_images_do(families, many, few, verdict):
    scores = {"images-2000": many, "images-500": few, "imbalance-10": 0.93}
    families["new-data"] = under(**{
        f"{name}/{FITS}": [score + 0.001 * (i % 3) for i in range(10)] for name, score in scores.items()
    })  # fmt: skip
    judged = cl.verdict_of("004-imbalance")
    assert judged.verdict == verdict and "1,100 images in all" in judged.evidence
    assert ("fewer images could be the reason" in judged.evidence) == (many > 0.93 and verdict == "not shown")
    del families["new-data"][f"images-500/{FITS}"]
    assert cl.verdict_of("004-imbalance").verdict == "not tested"


def test_families_that_are_not_there_are_empty():
    assert under_conditions("no-such-family") == {}


# --- our own verdicts ------------------------------------------------------------------------------------------------


def test_a_cut_that_repairs_only_on_average_does_not_refute():
    rows_of = [row_of(f"000-3-5-{name}-softmax").pairing for name in ("mse", "ce")]
    wide = [[made_up(p, seed, 0.77, outputs={"accuracy_at_cut": 0.93 + 0.007 * seed, "cut": 0.2}) for seed in range(10)]
            for p in rows_of]  # fmt: skip
    judged = cl.verdict_of("000-labels-cannot", results_of(*wide))
    assert judged.verdict == "not shown" and "at the lower end of the interval" in judged.evidence


def test_own_verdicts_are_contradicted_by_runs_that_say_otherwise():
    fitting, sigmoids = FITTING["multiclass"], Pairing("multiclass", "bce", "sigmoid")
    good = [0.97 + 0.001 * seed for seed in range(10)]
    assert contradictions(results_of(seeded(fitting, good), seeded(sigmoids, [0.1135] * 10))) == []
    (told,) = contradictions(results_of(seeded(fitting, good), seeded(sigmoids, good)))
    assert "called handicapped" in told and "practically equal" in told
    (told,) = contradictions(results_of(seeded(fitting, [0.1] * 10)))
    assert "called recommended" in told
    assert contradictions(results_of(seeded(fitting, [0.1] * 5))) == []


def test_the_shipped_results_contradict_our_verdicts_where_notebook_15_says_so():
    found = contradictions()
    assert all(told.startswith("probability, called recommended: ") and ": better." not in told for told in found)
    assert [told.split(": ")[1] for told in found] == ["nn.BCELoss + sigmoid", "nn.BCEWithLogitsLoss on logits"]


def test_refuted_claims_are_counted():
    judged = [cl.judge_claim(claim) for claim in COMPUTED]
    assert cl.counts(judged)["refuted"].sum() == len(SLIPS)


def test_forecasts_are_held_against_the_pairings_that_no_document_ran(monkeypatch):
    names = (("huber", "softmax"), ("bce", "relu"), ("hinge", "softmax"))
    huber, relu, hinge = (Pairing("multiclass", *both) for both in names)
    fitting, mae = FITTING["multiclass"], Pairing("multiclass", "mae", "sigmoid")
    good, chance = [0.97, 0.971, 0.972], [0.1135] * 3
    runs = results_of(
        seeded(fitting, good), seeded(huber, [0.969, 0.1135, 0.97]), seeded(relu, [nan] * 3, status="error"),
        seeded(hinge, good), seeded(mae, chance[:2]),
    )  # fmt: skip
    assert set(our_verdicts.beyond_the_documents(runs)) == {huber, relu, hinge}  # two seeds are too few
    said_and_came = {(our_verdicts.forecast(p), our_verdicts.outcome(p, runs)) for p in (huber, relu, hinge)}
    assert said_and_came == {
        ("workable", "loses some runs"), ("impossible", "stops with an error"), ("handicapped", "learns in every run")
    }  # fmt: skip
    assert our_verdicts.misses(runs) == [huber, hinge]
    monkeypatch.setitem(our_verdicts.FORECAST, relu, "workable")
    assert set(our_verdicts.misses(runs)) == {huber, relu, hinge}
    page = verdicts.forecast_misses(runs).data
    assert page.count("- multiclass, called") == 3 and f"Now called impossible: {relu.advice.reason}" in page
