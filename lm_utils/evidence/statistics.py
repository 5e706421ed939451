"""Honest statistics for few paired seeds: intervals, sign-flip tests, equivalence and failures.

Intervals and p values speak of the seeds (split, weights and order of batches together); they are conditional on one
test set. What was declared when, and what was changed with results in view (UTC, from the history of this project):

when             | stored by then   | declared or changed
2026-11-21 07:28 | no run           | margins, six seeds at least, failure below a skill of 5 %, sign flips with max-T
2026-11-21 07:28 | no run           | Student's intervals and BCa intervals
2026-11-21 07:50 | no run           | "works normally": nine tenths; a figure is met within a point (0.03 of MSE)
2026-11-21 07:50 | no run           | a calibration measure 1.5 times as large is a clear difference
2026-11-21 08:10 | 121 runs         | BCa dropped, Student's kept
2026-11-21 08:12 | 121 runs         | a published figure is also met where one further run would lie
2026-11-21 18:23 | ten of every row | max-T in its step-down form, which gives smaller p values
2026-11-21 18:23 | ten of every row | "one further run" counts only for rows that the document does not recommend
2026-11-28 20:02 | all of these     | rows with lost runs get no interval of the whole; skewed rows are named
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, isnan, log, nan, sqrt

import numpy as np
import scipy  # which loads a submodule at its first use; `stats` takes seconds

from lm_utils.tasks import PERFECT, skill

LEVEL = 0.95
MARGIN = {"accuracy": 0.005, "mse": 0.01}  # a paired difference inside it is practically no difference
REPRODUCED = {"accuracy": 0.01, "mse": 0.03}  # how near our mean must come to a published figure
FAILURE_SKILL = 0.05  # a run that closes less than this share of the way from the baseline to perfect has failed
FEWEST_SEEDS = 6  # with five paired seeds no sign-flip p can fall below 2 / 2**5 = 0.0625
EXACT_UP_TO = 14  # seeds whose 2**n sign patterns are all counted; beyond, they are drawn
DRAWN = 20_000


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval and the number of values behind it."""

    mean: float
    low: float
    high: float
    n: int

    def inside(self, margin: float) -> bool:
        """Whether the whole interval lies within plus or minus the margin."""
        return -margin <= self.low and self.high <= margin

    def outside(self, margin: float) -> bool:
        """Whether the whole interval lies beyond the margin, on either side."""
        return self.low > margin or self.high < -margin

    def told(self, digits: str) -> str:
        """Write the mean in these digits, with its interval where it has one."""
        return f"{self.mean:{digits}}" + ("" if isnan(self.low) else f" ({self.low:{digits}} to {self.high:{digits}})")

    def times(self, factor: float) -> Estimate:
        """Return the same in another unit."""
        return Estimate(factor * self.mean, factor * self.low, factor * self.high, self.n)


NOTHING = Estimate(nan, nan, nan, 0)


def mean_interval(values: Sequence[float], bounds: tuple[float, float] = (-inf, inf)) -> Estimate:
    """Return the mean with Student's 95 % interval, cut at the bounds that no mean can pass.

    One value alone has no interval (nan); equal values have one of no width.
    """
    array = finite(values)
    if not len(array):
        return NOTHING
    mean = float(array.mean())
    if len(array) == 1:
        return Estimate(mean, nan, nan, 1)
    reach = scipy.special.stdtrit(len(array) - 1, (1 + LEVEL) / 2) * array.std(ddof=1) / sqrt(len(array))
    return Estimate(mean, float(max(mean - reach, bounds[0])), float(min(mean + reach, bounds[1])), len(array))


def prediction_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return where one further run of the same kind would lie with 95 % probability; a published run is held to it."""
    interval = mean_interval(values)
    reach = (interval.high - interval.mean) * sqrt(interval.n + 1)
    return interval.mean - reach, interval.mean + reach


def finite(values: Sequence[float]) -> np.ndarray:
    """Return the values that are numbers."""
    array = np.asarray(list(values), dtype=float)
    return array[np.isfinite(array)]


# --- paired differences ----------------------------------------------------------------------------------------------


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return how often random signs give a mean as far from 0 as the one seen (two-sided); nan without differences."""
    return float(sign_flip_max_t([differences])[0])


def sign_flip_max_t(table: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the p values of several comparisons [comparison, seed], corrected together for how many they are.

    All comparisons of a seed flip their sign together. The clearest one is compared with the largest statistic of
    every flip, each further one with the largest of those that are left (step-down max-T), and no p is smaller than
    that of a clearer one. A missing seed (nan) takes no part in its comparison. A flip of signs is as likely as the
    signs seen only where differences are symmetric about 0; `skewed` tells where they clearly are not.
    """
    differences = np.asarray(table, dtype=float)
    known = np.isfinite(differences)
    differences = np.where(known, differences, 0.0)
    length = np.sqrt((differences**2).sum(axis=1))
    scaled = differences / np.where(length > 0, length, 1.0)[:, None]
    seen = np.abs(scaled.sum(axis=1))
    order = np.argsort(-seen, kind="stable")
    flipped = np.abs(signs(differences.shape[1]) @ scaled[order].T)
    largest_left = np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1]
    p = np.empty(len(seen))
    p[order] = np.maximum.accumulate((largest_left >= seen[order] - 1e-9).mean(axis=0))
    return np.where(known.any(axis=1), p, nan)


def signs(seeds: int) -> np.ndarray:
    """Return all patterns of plus and minus one over the seeds, or the seen one and many drawn ones."""
    if seeds <= EXACT_UP_TO:
        patterns = np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1
        return 1.0 - 2.0 * patterns
    drawn = np.random.default_rng(0).choice([-1.0, 1.0], size=(DRAWN, seeds))
    return np.concatenate([np.ones((1, seeds)), drawn])


def skewed(differences: Sequence[float]) -> bool:
    """Whether differences are clearly not symmetric (a test of skewness; it needs eight of them and sees little)."""
    array = finite(differences)
    return len(array) >= 8 and np.ptp(array) > 0 and bool(scipy.stats.skewtest(array).pvalue < 1 - LEVEL)


def equivalence_p(differences: Sequence[float], margin: float) -> float:
    """Return a p value that is below 5 % exactly where the 95 % interval lies inside the margin (two one-sided t)."""
    array = finite(differences)
    if len(array) < 2 or np.ptp(array) == 0:
        return float(not len(array) or abs(array.mean()) > margin)
    room = margin - array * np.copysign(1, array.mean())
    return min(1.0, 2 * float(scipy.stats.ttest_1samp(room, 0, alternative="greater").pvalue))


@dataclass(frozen=True)
class Comparison:
    """A paired comparison: the difference with interval, its p alone and corrected, and what follows."""

    difference: Estimate
    p: float
    p_corrected: float
    verdict: str  # "practically equal", "better", "worse", "undecided", "illustration", "missing"


def verdict_on(difference: Estimate, p: float, metric: str) -> str:
    """Say what a paired difference shows; fewer than six seeds are an illustration and get no verdict."""
    if difference.n == 0:
        return "missing"
    if difference.n < FEWEST_SEEDS:
        return "illustration"
    if difference.inside(MARGIN[metric]):
        return "practically equal"
    if p >= 1 - LEVEL:
        return "undecided"
    return "better" if (difference.mean > 0) == (metric == "accuracy") else "worse"


def compare(tables: Sequence[Sequence[float]], metric: str) -> list[Comparison]:
    """Judge several rows of paired differences [comparison, seed] as one family."""
    if not len(tables):
        return []
    corrected = sign_flip_max_t(tables)
    found = []
    for row, p_corrected in zip(tables, corrected, strict=True):
        difference = mean_interval(row)
        verdict = verdict_on(difference, p_corrected, metric)
        found.append(Comparison(difference, sign_flip_p(row), float(p_corrected), verdict))
    return found


def error_ratio(ours: Sequence[float], others: Sequence[float], metric: str) -> Estimate:
    """Return how many times as large our error is as the other's: the geometric mean over pairs, with its interval."""
    errors = [(abs(PERFECT[metric] - a), abs(PERFECT[metric] - b)) for a, b in zip(ours, others, strict=True)]
    logs = [log(a / b) for a, b in errors if isfinite(a) and isfinite(b) and a > 0 and b > 0]
    ratio = mean_interval(logs)
    return Estimate(exp(ratio.mean), exp(ratio.low), exp(ratio.high), ratio.n)


# --- failures and speed ----------------------------------------------------------------------------------------------


def at_chance(score: float, baseline: float, metric: str) -> bool:
    """Whether a run is at chance, no better than a constant answer: below a skill of 5 %, or without any score."""
    return not skill(score, baseline, metric) >= FAILURE_SKILL


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval for a share."""
    if of == 0:
        return nan, nan
    found = scipy.stats.binomtest(count, of).proportion_ci(confidence_level=LEVEL, method="wilson")
    return float(found.low), float(found.high)


def epochs_to(scores: Sequence[float], final: float, metric: str, baseline: float) -> float:
    """Find the first epoch with 95 % of the final accuracy, or of the way down from the baseline's error."""
    goal = 0.95 * final if metric == "accuracy" else baseline - 0.95 * (baseline - final)
    for epoch, score in enumerate(scores, start=1):
        if (score >= goal) if metric == "accuracy" else (score <= goal):
            return float(epoch)
    return nan
