"""How sure a change is: paired, by resampling clusters of items, with what small tests need besides.

Both candidates saw the same items, so every resample draws the same items for both, and what makes an item hard cancels
out. Items of one cluster (a conversation, a scene) are alike, so whole clusters are drawn.

1. The interval is the percentile bootstrap's, with tails expanded for small samples (Hesterberg 2015, "What teachers
   should know about the bootstrap", section 5.2); the p-value is that interval, inverted.
2. The bootstrap knows only what it saw. Where every cluster changed alike it has no width, and for a yes or no on few
   items too little. A yes/no metric therefore reports the envelope of the bootstrap's interval and Bonett and Price's
   adjusted Wald interval (2012), and so does any bounded metric whose clusters all changed alike.
3. The p-value of a yes/no metric is McNemar's exact test (1947), which takes items for independent; with clusters of
   several items the larger of its p-value and the bootstrap's is reported.
4. No exact test of n pairs can give less than 2 / 2^n (the sign test, all pairs one way). With so few clusters that
   this is above 1 - confidence (fewer than 6 at 95 %), no interval is claimed: it is unbounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# scipy.special, not scipy.stats: `atanor check` imports this room and must answer at once.
from scipy.special import bdtr, ndtr, ndtri, stdtr, stdtrit

from atanor.evaluate.metrics.base import Scores, Statistics

_CELLS_AT_ONCE = 2_000_000
"""Counts of resampled clusters held at once: about 48 MB, however many resamples and clusters."""

_ROUNDING = 1e-12
"""Relative error that sums of doubles in another order may have."""

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
class PairedChange:
    """Candidate against baseline on one metric.

    Attributes:
        baseline: the baseline's score over all items.
        candidate: the candidate's.
        interval: of candidate minus baseline; unbounded (infinite) with too few clusters. Always holds the change.
        p_value: two-sided, of no change.
        clusters: number of independent clusters.
    """

    baseline: float
    candidate: float
    interval: Interval
    p_value: float
    clusters: int

    @property
    def change(self) -> float:
        """Candidate minus baseline."""
        return self.candidate - self.baseline


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


def paired_change(
    baseline: Statistics,
    candidate: Statistics,
    clusters: Sequence[str],
    aggregate: Aggregate,
    *,
    yes_no: bool,
    span: float | None,
    confidence: float,
    resamples: int,
    seed: int,
) -> PairedChange:
    """The change with its interval and p-value, as the module's docstring says.

    Args:
        baseline: statistics of each item, shape [items, k].
        candidate: the same of the candidate.
        clusters: the cluster of each item.
        aggregate: scores from sums, [..., k] to [...].
        yes_no: every item is a yes (1) or no (0) and the statistics are (value, 1).
        span: highest minus lowest possible score; None for an unbounded metric.
        confidence: of the interval, two-sided.
        resamples: bootstrap resamples.
        seed: of the bootstrap; the same seed gives the same interval.
    """
    sums = sum_within_clusters(baseline, candidate, clusters)
    before, after = float(aggregate(baseline.sum(axis=0))), float(aggregate(candidate.sum(axis=0)))
    count = len(sums)
    mcnemar = mcnemar_p_value(baseline[:, 0] > 0.5, candidate[:, 0] > 0.5) if yes_no else None
    if count < fewest_clusters(confidence):
        unbounded = Interval(-math.inf, math.inf)
        return PairedChange(before, after, unbounded, max(mcnemar or 0.0, _floor(count)), count)
    changes = bootstrap_changes(sums, aggregate, resamples, np.random.default_rng(seed))
    interval = percentile_interval(changes, count, confidence)
    if span is not None:
        if yes_no:
            gained = sums.candidate[:, 0] - sums.baseline[:, 0]
            interval = interval.envelope(adjusted_wald(gained, sums.sizes, confidence))
        elif interval.high - interval.low <= _ROUNDING * span:
            alike = np.full(count, (after - before) / span)
            wald = adjusted_wald(alike, np.ones(count, np.int64), confidence)
            interval = interval.envelope(Interval(wald.low * span, wald.high * span))
    # A percentile interval of a skewed statistic may miss its own estimate; a reader would not believe that one.
    interval = interval.envelope(Interval(after - before, after - before))
    bootstrap = bootstrap_p_value(changes, count)
    if mcnemar is None:
        return PairedChange(before, after, interval, bootstrap, count)
    clustered = count < len(baseline)
    return PairedChange(before, after, interval, max(mcnemar, bootstrap) if clustered else mcnemar, count)


def sum_within_clusters(baseline: Statistics, candidate: Statistics, clusters: Sequence[str]) -> ClusterSums:
    """Add up the statistics of each cluster's items: [items, k] to [clusters, k]."""
    _, member, sizes = np.unique(np.asarray(clusters, dtype=object), return_inverse=True, return_counts=True)
    summed = [np.zeros((len(sizes), statistics.shape[1])) for statistics in (baseline, candidate)]
    for target, statistics in zip(summed, (baseline, candidate), strict=True):
        np.add.at(target, member, statistics)
    return ClusterSums(summed[0], summed[1], sizes.astype(np.int64))


def bootstrap_changes(
    sums: ClusterSums, aggregate: Aggregate, resamples: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Candidate minus baseline in each resample of clusters with replacement, shape [resamples].

    A resample is a row of counts, how often each cluster was drawn; counts times cluster sums are its statistics, so
    a chunk of resamples is one matrix product, whatever the metric.
    """
    count, kinds = sums.baseline.shape
    both = np.concatenate([sums.baseline, sums.candidate], axis=1)
    changes = np.empty(resamples)
    rows_at_once = max(1, _CELLS_AT_ONCE // count)
    for start in range(0, resamples, rows_at_once):
        rows = min(rows_at_once, resamples - start)
        drawn = generator.integers(0, count, (rows, count))
        drawn += np.arange(rows)[:, None] * count
        counts = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        totals = counts.astype(np.float64) @ both
        before, after = aggregate(totals[:, :kinds]), aggregate(totals[:, kinds:])
        with np.errstate(invalid="ignore"):  # infinite minus infinite is nan, which `compare` refuses
            # A matrix product may round equal columns unequally; what differs by that alone is no change.
            changes[start : start + rows] = np.where(
                np.abs(after - before) <= _ROUNDING * np.abs(after), 0.0, after - before
            )
    return changes


def percentile_interval(changes: NDArray[np.float64], clusters: int, confidence: float) -> Interval:
    """The bootstrap's quantiles, farther out than the nominal ones because the sample is small.

    With n clusters the tail is Phi(t * sqrt(n / (n - 1))), t being Student's quantile with n - 1 degrees of freedom:
    exact for the mean of normal data, where plain percentiles are too narrow (Hesterberg 2015).
    """
    student = float(stdtrit(clusters - 1, (1 - confidence) / 2))
    tail = float(ndtr(student * math.sqrt(clusters / (clusters - 1))))
    low, high = np.quantile(changes, [tail, 1 - tail])
    return Interval(float(low), float(high))


def bootstrap_p_value(changes: NDArray[np.float64], clusters: int) -> float:
    """Two-sided p-value of no change: 1 - confidence of the widest expanded interval that leaves zero out.

    The resamples on the far side of zero are counted with one more, so that it is never 0 and at least
    1 / (resamples + 1) (Davison and Hinkley 1997, section 4.2), nor is it below what n pairs can tell.
    """
    if clusters < 2:
        return 1.0
    beyond = min(int((changes <= 0).sum()), int((changes >= 0).sum()))
    tail = min(0.5, (beyond + 1) / (len(changes) + 1))
    student = float(ndtri(tail)) * math.sqrt((clusters - 1) / clusters)
    return max(min(1.0, 2 * float(stdtr(clusters - 1, student))), _floor(clusters))


def mcnemar_p_value(baseline: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> float:
    """McNemar's exact test: the binomial test that pairs which differ go either way with equal chance (1947)."""
    won = int((candidate & ~baseline).sum())
    lost = int((baseline & ~candidate).sum())
    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))


def adjusted_wald(changes: NDArray[np.float64], sizes: NDArray[np.int64], confidence: float) -> Interval:
    """Bonett and Price's interval of a paired difference of proportions (2012), also for clusters.

    Two pairs are added, one that changed from no to yes and one the other way, before Wald's interval is computed. Of
    clusters, two of mean size are added and the variance is that of a ratio; with clusters of one item that is
    the published interval.

    Args:
        changes: candidate minus baseline summed within each cluster, in [-size, size].
        sizes: items in each cluster.
        confidence: of the interval.

    Returns:
        The interval of the change a single item, within [-1, 1].
    """
    extra = sizes.mean()
    changes = np.append(changes, [extra, -extra])
    counts = np.append(sizes, [extra, extra])
    centre = changes.sum() / counts.sum()
    error = math.sqrt(float(((changes - centre * counts) ** 2).sum())) / counts.sum()
    reach = float(ndtri((1 + confidence) / 2)) * error
    return Interval(max(-1.0, float(centre - reach)), min(1.0, float(centre + reach)))


def fewest_clusters(confidence: float) -> int:
    """The fewest independent clusters a verdict at this confidence can rest on: 6 at 95 %."""
    return 1 + math.ceil(-math.log2(1 - confidence))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for looking at several metrics, in the order given (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = reached
    return adjusted


def _floor(clusters: int) -> float:
    """The least p-value of any exact test of so many pairs."""
    return min(1.0, 2.0 ** (1 - clusters))
