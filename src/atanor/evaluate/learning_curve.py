"""What more training rows would bring: scores at several numbers of rows, and a power law taken beyond them.

Through the scores s(n) of candidates trained on n rows goes  s(n) = level + drop * n ** -exponent, the law that
learning curves follow over wide ranges (Hestness et al. 2017, arXiv:1712.00409; Viering and Loog 2022,
arXiv:2103.10948). It is fitted anew to every resample of the test items, drawn alike for all sizes, so that its
interval holds what the choice of items may have done. What another draw of training rows or another seed would do is
not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from atanor.evaluate.bootstrap import Interval, drawn_counts, percentile_interval, sum_within_clusters
from atanor.evaluate.comparison import oriented
from atanor.evaluate.metrics.base import Metric, Statistics
from atanor.evaluate.statistics import adjusted_wald, fewest_clusters

AHEAD = 2
"""How many times the rows there are is asked about."""
LEAST_SIZES = 3
"""A law of three numbers needs as many points."""
_EXPONENTS = np.linspace(0.1, 1.5, 29)
"""Steeper than any that was reported, and so flat that it is a logarithm."""

Floats = NDArray[np.float64]


class MoreRows(StrEnum):
    """What collecting more rows would do to the score."""

    WORTH_IT = "worth it"
    HARDLY = "hardly worth it"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class PowerLaw:
    """level + drop * rows ** -exponent."""

    level: float
    drop: float
    exponent: float

    def at(self, rows: float) -> float:
        """The score with so many training rows."""
        return float(self.level + self.drop * rows**-self.exponent)


@dataclass(frozen=True)
class Forecast:
    """A metric at every number of rows, and beyond.

    Attributes:
        metric, label, higher_is_better: as in a comparison.
        margin: smallest change of interest.
        base: score of the untouched base.
        scores: measured, one a size.
        intervals: of each of them; None with too few independent items.
        law: fitted to all sizes.
        follows: whether the scores follow it: no score is surely, and by more than the margin, away from it.
        foretold: what the law of all sizes but the largest says of the largest; None with too few sizes.
        rows: how many were asked about.
        score: with so many, by the law.
        gain: of that beyond the law's score at the largest size; positive is better.
        interval: of the gain; None with too few independent items.
        more: what follows.
    """

    metric: str
    label: str
    higher_is_better: bool
    margin: float
    base: float
    scores: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...] | None
    law: PowerLaw
    follows: bool
    foretold: float | None
    rows: int
    score: float
    gain: float
    interval: tuple[float, float] | None
    more: MoreRows


def forecast(
    metric: Metric,
    sizes: Sequence[int],
    statistics: Sequence[Statistics],
    clusters: Sequence[str],
    *,
    base: float,
    confidence: float,
    resamples: int,
    seed: int,
) -> Forecast:
    """Fit a metric's learning curve and follow it to `AHEAD` times the rows.

    Args:
        metric: whose scores; it knows how sums become a score.
        sizes: numbers of training rows, rising, at least `LEAST_SIZES`.
        statistics: what the metric keeps of every test item, [items, k], one a size.
        clusters: of each item.
        base: score of the untouched base.
        confidence: of the intervals, two-sided.
        resamples: of the items.
        seed: of the resamples.
    """
    rows = np.asarray(sizes, dtype=np.float64)
    scores = np.array([float(metric.aggregate(one.sum(axis=0))) for one in statistics])
    wanted = np.array([rows[-1], AHEAD * rows[-1]])
    level, drop, exponent = (float(one[0]) for one in fit_power_law(rows, scores[None]))
    law = PowerLaw(level, drop, exponent)
    here, there = _bounded(metric, np.array([law.at(one) for one in wanted]))
    drawn = _drawn_scores(metric, statistics, clusters, resamples, seed)
    count = len(set(clusters))
    intervals, ends, more, follows = None, None, MoreRows.CANNOT_TELL, True
    margin = metric.margin_at(base)
    gain, *_ = oriented(float(there - here), 0.0, 0.0, metric.higher_is_better)
    if count >= fewest_clusters(confidence):
        intervals = _intervals(drawn, count, confidence)
        laws = fit_power_law(rows, drawn)
        missed = scores - np.array([law.at(one) for one in rows])
        sure = [low > 0 or high < 0 for low, high in _intervals(drawn - _along(laws, rows), count, confidence)]
        follows = not any(surely and abs(one) > margin for surely, one in zip(sure, missed, strict=True))
        beyond = _bounded(metric, _along(laws, wanted))
        found = percentile_interval(beyond[:, 1] - beyond[:, 0], count, confidence)
        found = (
            found.envelope(_alike(metric, float(there - here), count, confidence)) if found.low == found.high else found
        )
        _, low, high = oriented(gain, found.low, found.high, metric.higher_is_better)
        ends = (min(low, gain), max(high, gain))
        more = _more(gain, ends, margin) if follows else MoreRows.CANNOT_TELL
    return Forecast(
        metric=metric.name,
        label=metric.label,
        higher_is_better=metric.higher_is_better,
        margin=margin,
        base=base,
        scores=tuple(scores.tolist()),
        intervals=intervals,
        law=law,
        follows=follows,
        foretold=_foretold(metric, rows, scores),
        rows=AHEAD * sizes[-1],
        score=float(there),
        gain=gain,
        interval=ends,
        more=more,
    )


def fit_power_law(rows: Floats, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """(level, drop, exponent) of the law nearest to scores, by least squares, each (R,).

    Args:
        rows: numbers of training rows, (K,), not all equal.
        scores: (R, K).
    """
    best = np.full(len(scores), np.inf)
    found = np.zeros((3, len(scores)))
    for exponent in _EXPONENTS:
        x_K = rows**-exponent
        centred_K = x_K - x_K.mean()
        drop_R = scores @ centred_K / (centred_K @ centred_K)
        level_R = scores.mean(axis=1) - drop_R * x_K.mean()
        missed_R = ((scores - level_R[:, None] - drop_R[:, None] * x_K) ** 2).sum(axis=1)
        nearer = missed_R < best
        best = np.where(nearer, missed_R, best)
        found = np.where(nearer, np.stack([level_R, drop_R, np.full(len(scores), exponent)]), found)
    return found[0], found[1], found[2]


def _along(laws: tuple[Floats, Floats, Floats], rows: Floats) -> Floats:
    level_R, drop_R, exponent_R = laws
    return np.asarray(level_R[:, None] + drop_R[:, None] * rows[None] ** -exponent_R[:, None], dtype=np.float64)


def _bounded(metric: Metric, scores: Floats) -> Floats:
    return scores if metric.bounds is None else np.clip(scores, *metric.bounds)


def _foretold(metric: Metric, rows: Floats, scores: Floats) -> float | None:
    if len(rows) <= LEAST_SIZES:
        return None
    return float(_bounded(metric, _along(fit_power_law(rows[:-1], scores[None, :-1]), rows[-1:]))[0, 0])


def _drawn_scores(
    metric: Metric, statistics: Sequence[Statistics], clusters: Sequence[str], resamples: int, seed: int
) -> Floats:
    """Scores of all sizes on the same resamples, [resamples, sizes]."""
    sums = [sum_within_clusters(one, one, clusters).baseline for one in statistics]
    scores = np.empty((resamples, len(sums)))
    for part, counts in drawn_counts(len(sums[0]), resamples, np.random.default_rng(seed)):
        for place, one in enumerate(sums):
            scores[part, place] = metric.aggregate(counts @ one)
    return scores


def _intervals(drawn: Floats, count: int, confidence: float) -> tuple[tuple[float, float], ...]:
    """Of every column."""
    found = [percentile_interval(column, count, confidence) for column in drawn.T]
    return tuple((one.low, one.high) for one in found)


def _alike(metric: Metric, change: float, count: int, confidence: float) -> Interval:
    """Where no resample differs from another: what as many items that all changed alike leave open, as in a verdict."""
    if metric.bounds is None:
        return Interval(change, change)
    span = metric.bounds[1] - metric.bounds[0]
    found = adjusted_wald(np.full(count, change / span), np.ones(count, np.int64)).interval(confidence)
    return Interval(found.low * span, found.high * span)


def _more(gain: float, ends: tuple[float, float], margin: float) -> MoreRows:
    low, high = ends
    if low > 0 and gain >= margin:
        return MoreRows.WORTH_IT
    return MoreRows.HARDLY if high < margin else MoreRows.CANNOT_TELL
