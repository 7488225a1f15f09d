"""The paired bootstrap: how far a change varies when clusters of items are drawn again, and what follows from it.

Percentile intervals are too narrow for small or skewed samples, and BCa, which mends skew, is worse than they are where
differences are heavy-tailed. The symmetric studentised interval (Hall 1988, "On symmetric bootstrap confidence
intervals") divides the change of every resample by that resample's own standard error; benchmarks/coverage.py shows how
often each of them holds the truth. The standard error is that of the clusters' influence values, found by leaving out
one cluster at a time (the jackknife; Efron and Tibshirani 1993, chapter 11), so it serves every metric that is a
function of sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# scipy.special, not scipy.stats: `atanor check` imports this room and must answer at once.
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from atanor.evaluate.metrics.base import Scores, Statistics

_CELLS_AT_ONCE = 2_000_000
"""Counts of resampled clusters held at once: about 48 MB, however many resamples and clusters."""
_ROUNDING = 1e-12
"""Relative error that sums of doubles in another order may have."""
_NO_SPREAD = 1e-6
"""Standard error of a resample, as a share of the sample's own, that is nothing but rounding."""
_WITHOUT_SPREAD = 0.025
"""Share of resamples without spread above which nothing is studentised: so few clusters changed at all."""

Aggregate = Callable[[Statistics], Scores]


@dataclass(frozen=True)
class Interval:
    """A confidence interval, in the metric's unit."""

    low: float
    high: float

    def envelope(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True)
class ClusterSums:
    """Statistics of both candidates added up within clusters: what a resample draws.

    Attributes:
        baseline: shape [clusters, k].
        candidate: shape [clusters, k].
        sizes: items in each cluster, shape [clusters].
    """

    baseline: Statistics
    candidate: Statistics
    sizes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sizes)

    def change(self, aggregate: Aggregate) -> float:
        """Candidate minus baseline over all clusters."""
        return float(aggregate(self.candidate.sum(axis=0)) - aggregate(self.baseline.sum(axis=0)))


@dataclass(frozen=True)
class Resampled:
    """A change and what it came to in every resample.

    Attributes:
        change: candidate minus baseline over all clusters.
        error: its standard error.
        changes: candidate minus baseline in each resample, shape [resamples].
        errors: the standard error of each, shape [resamples].
        clusters: independent clusters behind it.
    """

    change: float
    error: float
    changes: NDArray[np.float64]
    errors: NDArray[np.float64]
    clusters: int

    @cached_property
    def studentised(self) -> NDArray[np.float64] | None:
        """Each resample's distance from the change in its own standard errors, [resamples]; None where that is void."""
        there = self.errors > _NO_SPREAD * self.error
        if not self.error > 0 or 1 - there.mean() > _WITHOUT_SPREAD:
            return None
        away = self.changes - self.change
        # A resample without spread is as far out as any: it must not make the interval narrower.
        divided = np.divide(away, self.errors, out=np.full(len(away), math.inf), where=there)
        return divided if np.isfinite(divided[there]).all() else None

    def widened(self, error: float, generator: np.random.Generator) -> Resampled:
        """The same with an independent normal error of this standard error drawn for every resample."""
        changes = self.changes + generator.normal(0.0, error, len(self.changes))
        errors = np.hypot(self.errors, error)
        return Resampled(self.change, math.hypot(self.error, error), changes, errors, self.clusters)

    def interval(self, confidence: float) -> Interval:
        """Symmetric and studentised; where too few clusters changed for that, expanded percentiles."""
        found = self.studentised
        if found is None:
            return percentile_interval(self.changes, self.clusters, confidence)
        reach = float(np.quantile(np.abs(found), confidence, method="higher")) * self.error
        return Interval(self.change - reach, self.change + reach)

    @property
    def p_value(self) -> float:
        """Two-sided, of no change: 1 - confidence of the widest interval that leaves zero out.

        At least 1 / (resamples + 1) (Davison and Hinkley 1997, section 4.2), nor below what n pairs can tell.
        """
        found = self.studentised
        if found is None:
            return percentile_p_value(self.changes, self.clusters)
        beyond = int((np.abs(found) >= abs(self.change) / self.error).sum())
        return max((beyond + 1) / (len(found) + 1), least_p_value(self.clusters))

    def p_above(self, limit: float) -> float:
        """One-sided p-value of the change being at most `limit`: small where it is surely above."""
        return self._one_sided(self.change - limit, 1.0)

    def p_below(self, limit: float) -> float:
        """One-sided p-value of the change being at least `limit`: small where it is surely below."""
        return self._one_sided(limit - self.change, -1.0)

    def _one_sided(self, distance: float, sign: float) -> float:
        found = self.studentised
        away, wanted = (self.changes - self.change, distance) if found is None else (found, distance / self.error)
        beyond = int((sign * away >= wanted).sum())
        return max((beyond + 1) / (len(away) + 1), least_p_value(self.clusters) / 2)


def sum_within_clusters(baseline: Statistics, candidate: Statistics, clusters: Sequence[str]) -> ClusterSums:
    """Add up the statistics of each cluster's items: [items, k] to [clusters, k]."""
    _, member, sizes = np.unique(np.asarray(clusters, dtype=object), return_inverse=True, return_counts=True)
    summed = [np.zeros((len(sizes), statistics.shape[1])) for statistics in (baseline, candidate)]
    for target, statistics in zip(summed, (baseline, candidate), strict=True):
        np.add.at(target, member, statistics)
    return ClusterSums(summed[0], summed[1], sizes.astype(np.int64))


def resample(sums: ClusterSums, aggregate: Aggregate, resamples: int, generator: np.random.Generator) -> Resampled:
    """Draw clusters with replacement and compute the change anew.

    A resample is a row of counts, how often each cluster was drawn; counts times cluster sums are its statistics, so
    a chunk of resamples is one matrix product, whatever the metric.
    """
    count, kinds = sums.baseline.shape
    influence = influences(sums, aggregate)
    both = np.concatenate([sums.baseline, sums.candidate, np.column_stack([influence, influence**2])], axis=1)
    changes, errors = np.empty(resamples), np.empty(resamples)
    for part, counts in drawn_counts(count, resamples, generator):
        totals = counts @ both
        before, after = aggregate(totals[:, :kinds]), aggregate(totals[:, kinds : 2 * kinds])
        with np.errstate(invalid="ignore"):  # infinite minus infinite is nan, which `compare` refuses
            # A matrix product may round equal columns unequally; what differs by that alone is no change.
            changes[part] = np.where(np.abs(after - before) <= _ROUNDING * np.abs(after), 0.0, after - before)
        mean, square = totals[:, -2] / count, totals[:, -1] / count
        errors[part] = np.sqrt(np.maximum(square - mean**2, 0.0) / count)
    return Resampled(sums.change(aggregate), math.sqrt(float(influence.var()) / count), changes, errors, count)


def drawn_counts(
    clusters: int, resamples: int, generator: np.random.Generator
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """How often each cluster was drawn, [resamples, clusters], a part of the resamples at a time."""
    rows_at_once = max(1, _CELLS_AT_ONCE // clusters)
    for start in range(0, resamples, rows_at_once):
        rows = min(rows_at_once, resamples - start)
        drawn = generator.integers(0, clusters, (rows, clusters))
        drawn += np.arange(rows)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters)
        yield slice(start, start + rows), counts.astype(np.float64)


def influences(sums: ClusterSums, aggregate: Aggregate) -> NDArray[np.float64]:
    """How much each cluster moves the change, [clusters]: n - 1 times what leaving it out takes away.

    Of a mean of equal clusters these are the clusters' own deviations. Where the score is undefined without some
    cluster they are all zero, and nothing is studentised.
    """
    without = [aggregate(rows.sum(axis=0) - rows) for rows in (sums.candidate, sums.baseline)]
    with np.errstate(invalid="ignore"):
        left = without[0] - without[1]
    return (len(sums) - 1) * (left.mean() - left) if np.isfinite(left).all() else np.zeros(len(sums))


def percentile_interval(changes: NDArray[np.float64], clusters: int, confidence: float) -> Interval:
    """The bootstrap's quantiles, farther out than the nominal ones because the sample is small.

    With n clusters the tail is Phi(t * sqrt(n / (n - 1))), t being Student's quantile with n - 1 degrees of freedom:
    exact for the mean of normal data, where plain percentiles are too narrow (Hesterberg 2015, "What teachers should
    know about the bootstrap", section 5.2).
    """
    student = float(stdtrit(clusters - 1, (1 - confidence) / 2))
    tail = float(ndtr(student * math.sqrt(clusters / (clusters - 1))))
    low, high = np.quantile(changes, [tail, 1 - tail])
    return Interval(float(low), float(high))


def percentile_p_value(changes: NDArray[np.float64], clusters: int) -> float:
    """Two-sided p-value of no change: 1 - confidence of the widest expanded interval that leaves zero out."""
    if clusters < 2:
        return 1.0
    beyond = min(int((changes <= 0).sum()), int((changes >= 0).sum()))
    tail = min(0.5, (beyond + 1) / (len(changes) + 1))
    student = float(ndtri(tail)) * math.sqrt((clusters - 1) / clusters)
    return max(min(1.0, 2 * float(stdtr(clusters - 1, student))), least_p_value(clusters))


def least_p_value(clusters: int) -> float:
    """The least p-value of any exact test of so many pairs: the sign test's, all pairs one way."""
    return min(1.0, 2.0 ** (1 - clusters))
