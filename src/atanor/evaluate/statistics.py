"""How sure a change is: paired, by resampling clusters of items, with what small tests need besides.

Both candidates saw the same items, so every resample draws the same items for both, and what makes an item hard cancels
out. Items of one cluster (a conversation, a scene) are alike, so whole clusters are drawn.

1. The interval is the symmetric studentised bootstrap's (`bootstrap`); the p-value is that interval, inverted. Of a
   yes or no in clusters it is too wide, and expanded percentiles are used: benchmarks/coverage.py has both.
2. The bootstrap knows only what it saw. Where so few clusters changed that some resamples see no change at all, it is
   too narrow, and where every cluster changed alike it has no width. A yes/no metric then reports the envelope of
   expanded percentiles and Bonett and Price's adjusted Wald interval (2012), and so does any bounded metric whose
   clusters all changed alike.
3. The p-value of a yes/no metric is McNemar's exact test (1947), which takes items for independent; with clusters of
   several items the larger of its p-value and the bootstrap's is reported.
4. No exact test of n pairs can give less than 2 / 2^n (the sign test, all pairs one way). With so few clusters that
   this is above 1 - confidence (fewer than 6 at 95 %), no interval is claimed: it is unbounded.
5. Beside it stand Wilcoxon's signed-rank test, which looks at ranks alone and so is not moved by one item that changed
   hugely, and the p-values of two one-sided tests (Schuirmann 1987): of a change beyond the margin either way, and of
   one beyond it to the worse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# scipy.special, not scipy.stats: `atanor check` imports this room and must answer at once.
from scipy.special import bdtr, ndtr, ndtri

from atanor.evaluate.bootstrap import (
    Aggregate,
    ClusterSums,
    Interval,
    Resampled,
    least_p_value,
    percentile_interval,
    percentile_p_value,
    resample,
    sum_within_clusters,
)
from atanor.evaluate.metrics.base import Statistics

_ROUNDING = 1e-12
"""Relative error that sums of doubles in another order may have."""
_EXACT_RANKS = 50
"""Most changes, all of different size, of which the signed-rank test is computed exactly, as in scipy."""


@dataclass(frozen=True)
class PairedChange:
    """Candidate against baseline on one metric.

    Attributes:
        baseline: the baseline's score over all items.
        candidate: the candidate's.
        interval: of candidate minus baseline; unbounded (infinite) with too few clusters. Always holds the change.
        p_value: two-sided, of no change.
        clusters: number of independent clusters.
        p_ranks: Wilcoxon's, of no change; None of a yes/no metric and where nothing changed.
        resampled: what the bootstrap drew; None with too few clusters.
        wald: of a yes/no metric, the adjusted centre and standard error of the change.
    """

    baseline: float
    candidate: float
    interval: Interval
    p_value: float
    clusters: int
    p_ranks: float | None = None
    resampled: Resampled | None = field(default=None, compare=False, repr=False)
    wald: Wald | None = None

    @property
    def change(self) -> float:
        """Candidate minus baseline."""
        return self.candidate - self.baseline

    def p_above(self, limit: float) -> float:
        """One-sided p-value of the change being at most `limit`; 1 with too few clusters."""
        if self.resampled is None:
            return 1.0
        normal = 0.0 if self.wald is None else float(ndtr((limit - self.wald.centre) / self.wald.error))
        return max(self.resampled.p_above(limit), normal)

    def p_below(self, limit: float) -> float:
        """One-sided p-value of the change being at least `limit`; 1 with too few clusters."""
        if self.resampled is None:
            return 1.0
        normal = 0.0 if self.wald is None else float(ndtr((self.wald.centre - limit) / self.wald.error))
        return max(self.resampled.p_below(limit), normal)

    def p_equivalent(self, margin: float) -> float:
        """P-value of a change of `margin` or more either way: two one-sided tests (Schuirmann 1987)."""
        return max(self.p_above(-margin), self.p_below(margin))


@dataclass(frozen=True)
class Wald:
    """Centre and standard error of Bonett and Price's adjusted Wald interval, a single item."""

    centre: float
    error: float

    def interval(self, confidence: float) -> Interval:
        """Within [-1, 1]."""
        reach = float(ndtri((1 + confidence) / 2)) * self.error
        return Interval(max(-1.0, self.centre - reach), min(1.0, self.centre + reach))


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
    extra_error: float = 0.0,
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
        extra_error: standard error of the change from elsewhere than the items, as of marks that are estimates.
    """
    sums = sum_within_clusters(baseline, candidate, clusters)
    before, after = float(aggregate(baseline.sum(axis=0))), float(aggregate(candidate.sum(axis=0)))
    count = len(sums)
    mcnemar = mcnemar_p_value(baseline[:, 0] > 0.5, candidate[:, 0] > 0.5) if yes_no else None
    ranks = None if yes_no else signed_rank_p_value(sums, aggregate)
    if count < fewest_clusters(confidence):
        unbounded = Interval(-math.inf, math.inf)
        return PairedChange(before, after, unbounded, max(mcnemar or 0.0, least_p_value(count)), count, ranks)
    generator = np.random.default_rng(seed)
    drawn = resample(sums, aggregate, resamples, generator)
    if extra_error > 0:
        drawn = drawn.widened(extra_error, generator)
    clustered = count < len(baseline)
    if yes_no and clustered:
        interval, bootstrap = (
            percentile_interval(drawn.changes, count, confidence),
            percentile_p_value(drawn.changes, count),
        )
    else:
        interval, bootstrap = drawn.interval(confidence), drawn.p_value
    wald = adjusted_wald(sums.candidate[:, 0] - sums.baseline[:, 0], sums.sizes) if yes_no else None
    if wald is not None and drawn.studentised is None:
        interval = interval.envelope(wald.interval(confidence))
    elif span is not None and interval.high - interval.low <= _ROUNDING * span:
        alike = adjusted_wald(np.full(count, (after - before) / span), np.ones(count, np.int64)).interval(confidence)
        interval = interval.envelope(Interval(alike.low * span, alike.high * span))
    if span is not None:
        interval = Interval(max(interval.low, -span), min(interval.high, span))
    # A percentile interval of a skewed statistic may miss its own estimate; a reader would not believe that one.
    interval = interval.envelope(Interval(after - before, after - before))
    p_value = bootstrap
    if mcnemar is not None:
        p_value = max(mcnemar, bootstrap) if clustered else mcnemar
    return PairedChange(before, after, interval, p_value, count, ranks, drawn, wald)


def signed_rank_p_value(sums: ClusterSums, aggregate: Aggregate) -> float | None:
    """Wilcoxon's signed-rank test (1945) of the clusters' own scores, two-sided; clusters that did not change count
    for neither side. None where no cluster has a score of its own that changed.
    """
    with np.errstate(all="ignore"):
        changes = aggregate(sums.candidate) - aggregate(sums.baseline)
    changes = changes[np.isfinite(changes) & (changes != 0)]
    if not len(changes):
        return None
    from scipy.stats import wilcoxon

    sizes = np.abs(changes)
    exact = len(changes) <= _EXACT_RANKS and len(np.unique(sizes)) == len(sizes)
    return float(wilcoxon(changes, method="exact" if exact else "asymptotic").pvalue)


def mcnemar_p_value(baseline: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> float:
    """McNemar's exact test: the binomial test that pairs which differ go either way with equal chance (1947)."""
    won = int((candidate & ~baseline).sum())
    lost = int((baseline & ~candidate).sum())
    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))


def adjusted_wald(changes: NDArray[np.float64], sizes: NDArray[np.int64]) -> Wald:
    """Bonett and Price's interval of a paired difference of proportions (2012), also for clusters.

    Two pairs are added, one that changed from no to yes and one the other way, before Wald's interval is computed. Of
    clusters, two of mean size are added and the variance is that of a ratio; with clusters of one item that is
    the published interval.

    Args:
        changes: candidate minus baseline summed within each cluster, in [-size, size].
        sizes: items in each cluster.
    """
    extra = sizes.mean()
    changes = np.append(changes, [extra, -extra])
    counts = np.append(sizes, [extra, extra])
    centre = changes.sum() / counts.sum()
    error = math.sqrt(float(((changes - centre * counts) ** 2).sum())) / counts.sum()
    return Wald(float(centre), float(error))


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
