"""Intervals cover, p values are exact, the correction holds, and verdicts are those declared beforehand."""

from itertools import product
from math import isnan, nan

import numpy as np
import pytest
from scipy import stats

from lm_utils.evidence import statistics as st

RANDOM = np.random.default_rng


def test_interval_of_a_known_sample():
    found = st.mean_interval([1, 2, 3, 4, 5])
    reach = 2.7764451 * np.sqrt(2.5 / 5)
    assert found.mean == 3 and found.n == 5
    assert (found.low, found.high) == pytest.approx((3 - reach, 3 + reach))


def test_degenerate_samples_have_an_answer():
    assert st.mean_interval([]).n == 0 and isnan(st.mean_interval([]).mean)
    assert isnan(st.mean_interval([0.5]).low)
    same = st.mean_interval([0.4931] * 10)
    assert (same.low, same.high) == pytest.approx((0.4931, 0.4931))
    assert st.mean_interval([0.5, nan, 0.7]).n == 2
    assert st.mean_interval([0.1, 1.0], bounds=(0, 1)).high == 1


@pytest.mark.parametrize("draw", ["normal", "skewed"])
def test_the_interval_covers_the_truth_as_often_as_it_says(draw):
    random, hits, percentile = RANDOM(1), 0, 0
    samples = random.normal(size=(2000, 10)) if draw == "normal" else random.gamma(4, size=(2000, 10)) - 4
    for sample in samples:
        found = st.mean_interval(sample)
        hits += found.low <= 0 <= found.high
    assert 0.925 <= hits / len(samples) <= 0.97
    for sample in samples[:400]:
        means = random.choice(sample, size=(400, 10)).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        percentile += low <= 0 <= high
    assert percentile / 400 < hits / len(samples)  # the plain bootstrap is too narrow with ten seeds


def test_one_more_run_lies_where_it_is_said_to():
    samples = RANDOM(2).normal(size=(2000, 11))
    hits = sum(low <= sample[10] <= high for sample in samples for low, high in [st.prediction_interval(sample[:10])])
    assert 0.935 <= hits / len(samples) <= 0.965
    assert isnan(st.prediction_interval([0.5])[0])


def test_sign_flip_p_is_the_enumeration():
    differences = RANDOM(3).normal(0.4, 1, size=8)
    means = [abs(np.mean(differences * np.array(flip))) for flip in product((1, -1), repeat=8)]
    expected = np.mean(np.array(means) >= abs(differences.mean()) - 1e-12)
    assert st.sign_flip_p(differences) == pytest.approx(expected)
    theirs = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert st.sign_flip_p(differences) == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize(("seeds", "smallest"), [(3, 0.25), (5, 0.0625), (10, 2 / 1024)])
def test_the_smallest_p_is_two_over_all_patterns(seeds, smallest):
    assert st.sign_flip_p(np.linspace(1, 2, seeds)) == pytest.approx(smallest)


def test_p_of_no_difference_is_one_and_of_no_data_is_nothing():
    assert st.sign_flip_p([0.0] * 10) == 1
    assert isnan(st.sign_flip_p([nan] * 10))


def test_a_missing_seed_takes_no_part():
    assert st.sign_flip_p([1, 2, 3, 4, nan]) == pytest.approx(st.sign_flip_p([1, 2, 3, 4]))


def test_many_seeds_are_drawn_and_agree_with_the_count():
    differences = RANDOM(4).normal(0.6, 1, size=20)
    exact = stats.ttest_1samp(differences, 0).pvalue
    assert st.sign_flip_p(differences) == pytest.approx(exact, abs=0.02)


def test_max_t_is_never_smaller_than_one_alone_and_equal_for_copies():
    table = RANDOM(5).normal(0.3, 1, size=(6, 10))
    alone = np.array([st.sign_flip_p(row) for row in table])
    assert (st.sign_flip_max_t(table) >= alone - 1e-12).all()
    copies = st.sign_flip_max_t(np.repeat(table[:1], 7, axis=0))
    assert copies == pytest.approx(alone[0])  # seven copies are one comparison: Holm would have paid seven times


def test_max_t_keeps_the_family_wise_error():
    random, wrong, uncorrected, families = RANDOM(6), 0, 0, 300
    for _ in range(families):
        shared = random.normal(size=(1, 10))  # all rows are compared with the same pairing
        table = random.normal(size=(8, 10)) + shared
        wrong += st.sign_flip_max_t(table).min() < 0.05
        uncorrected += min(st.sign_flip_p(row) for row in table) < 0.05
    assert wrong / families <= 0.08 < uncorrected / families


def test_max_t_keeps_it_also_where_some_differences_are_real():
    random, wrong, families = RANDOM(11), 0, 300
    for _ in range(families):
        table = random.normal(size=(6, 10)) + random.normal(size=(1, 10))
        table[:3] += 4.0  # real, and found first: they must not lend their clearness to the others
        wrong += st.sign_flip_max_t(table)[3:].min() < 0.05
    assert 0.02 < wrong / families <= 0.08


def test_a_difference_of_one_sign_in_every_seed_stays_clear_beside_clearer_ones():
    lost_one = [0.009, 0.007, 0.008, 0.006, 0.009, 0.007, 0.008, 0.485, 0.007, 0.008]  # one run of the other learnt not
    table = [np.linspace(0.005, 0.007, 10), np.linspace(0.006, 0.008, 10), lost_one]
    assert st.sign_flip_max_t(table) == pytest.approx([2 / 2**10] * 3)


def test_thirty_comparisons_can_still_reach_significance():
    table = RANDOM(7).normal(0, 1, size=(30, 10))
    table[0] = np.linspace(1, 1.1, 10)
    assert st.sign_flip_max_t(table)[0] < 0.05


@pytest.mark.parametrize(
    ("differences", "metric", "expected"),
    [
        (np.linspace(-0.002, 0.002, 10), "accuracy", "practically equal"),
        (np.linspace(0.001, 0.002, 10), "accuracy", "practically equal"),  # surely more, and it does not matter
        (np.linspace(-0.03, -0.02, 10), "accuracy", "worse"),
        (np.linspace(0.02, 0.03, 10), "accuracy", "better"),
        (np.linspace(0.02, 0.03, 10), "mse", "worse"),
        (np.linspace(-0.005, 0.005, 10), "mse", "practically equal"),
        (np.linspace(-0.03, 0.035, 10), "accuracy", "undecided"),
        (np.linspace(-0.03, -0.02, 5), "accuracy", "illustration"),
        ([nan] * 10, "accuracy", "missing"),
    ],
)
def test_verdicts(differences, metric, expected):
    assert st.compare([differences], metric)[0].verdict == expected


def test_equivalence_is_rarely_claimed_at_the_edge_of_the_margin():
    samples = RANDOM(8).normal(0.005, 0.003, size=(1000, 10))
    claimed = sum(st.mean_interval(sample).inside(0.005) for sample in samples)
    assert claimed / 1000 <= 0.045  # 2.5 % on each side, of which one matters at the edge


def test_ratio_of_errors():
    found = st.error_ratio([0.98, 0.96], [0.99, 0.98], "accuracy")
    assert found.mean == pytest.approx(2) and found.n == 2
    assert st.error_ratio([0.1, 0.2], [0.1, 0.1], "mse").mean == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("score", "metric", "baseline", "expected"),
    [(0.1135, "accuracy", 0.1135, True), (0.2, "accuracy", 0.1135, False), (0.4931, "accuracy", 0.5069, True),
     (nan, "accuracy", 0.5, True), (9.4, "mse", 1.78, True), (1.78, "mse", 1.78, True), (0.65, "mse", 1.78, False)],
)  # fmt: skip
def test_failures_are_runs_at_chance(score, metric, baseline, expected):
    assert st.at_chance(score, baseline, metric) is expected


def test_wilson():
    low, high = st.wilson(0, 10)
    assert (low, high) == pytest.approx((0, 0.2775), abs=1e-4)
    assert isnan(st.wilson(0, 0)[0])


def test_epochs_to_most_of_the_final_metric():
    assert st.epochs_to([0.5, 0.9, 0.96, 0.97], 0.97, "accuracy", 0.1) == 3
    assert st.epochs_to([1.0, 0.3, 0.1], 0.1, "mse", 1.8) == 3
    assert st.epochs_to([1.0, 0.15, 0.1], 0.1, "mse", 1.8) == 2
    assert isnan(st.epochs_to([], nan, "accuracy", 0.1))


def test_an_equivalence_p_says_what_the_interval_says():
    for spread in (0.001, 0.004, 0.01, 0.02):
        differences = [0.002 + spread * step for step in (-2, -1, -0.5, 0, 0.5, 1, 2.5)]
        inside = st.mean_interval(differences).inside(0.005)
        assert (st.equivalence_p(differences, 0.005) < 0.05) == inside
    assert st.equivalence_p([0.001] * 6, 0.005) == 0 and st.equivalence_p([0.01] * 6, 0.005) == 1
