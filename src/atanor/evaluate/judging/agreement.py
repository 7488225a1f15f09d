"""How far a judge agrees with people, and what that leaves open of a change it measured.

Prediction-powered inference (Angelopoulos et al. 2023, Science 382) of a mean: the judge's mean over all items plus the
mean of person minus judge over rated examples, whose variance is added. Here two means are compared. The rated examples
are seldom answers of these two candidates, so the judge's error on each candidate is taken to be as uncertain as its
mean over the rated examples is: the change gains 2 v / n, v being the variance of person minus judge over n examples.
Where pairs are rated, the difference itself is, and it gains v / n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval by the bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Agreement:
    """Of a judge with people on the same examples.

    Attributes:
        examples: how many.
        kappa: Cohen's, with quadratic weights where there is an order (1960, 1968).
        correlation: Spearman's; None where there are too few scores to be ranked.
        excess: mean of person minus judge.
        variance: of that.
    """

    examples: int
    kappa: Estimate
    correlation: Estimate
    excess: float
    variance: float


def agreement(people: Sequence[float], judge: Sequence[float], values: Sequence[float]) -> Agreement:
    """Measure it.

    Args:
        people: what people said of each example.
        judge: what the judge said.
        values: what can be said, in order; people's mean of several is rounded to the nearest for kappa.
    """
    one, other = np.asarray(people, dtype=np.float64), np.asarray(judge, dtype=np.float64)
    known = np.asarray(values, dtype=np.float64)
    nearest = known[np.abs(one[:, None] - known).argmin(axis=1)]
    difference = one - other
    return Agreement(
        len(one),
        _estimated(lambda drawn: kappa(nearest[drawn], other[drawn]), len(one)),
        _estimated(lambda drawn: _spearman(one[drawn], other[drawn]), len(one)),
        float(difference.mean()),
        float(difference.var(ddof=1)),
    )


def kappa(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Cohen's kappa with quadratic weights: 1 less the squared distance over what chance would make of it."""
    by_chance = ((one[:, None] - other[None, :]) ** 2).mean()
    return float(1 - ((one - other) ** 2).mean() / by_chance) if by_chance > 0 else math.nan


def _spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    from scipy.stats import rankdata

    ranks, others = rankdata(one), rankdata(other)
    spread = ranks.std() * others.std()
    return float(((ranks - ranks.mean()) * (others - others.mean())).mean() / spread) if spread > 0 else math.nan


def _estimated(figure: Callable[[NDArray[np.int64]], float], count: int) -> Estimate:
    dice = np.random.default_rng(0)
    drawn = np.array([figure(dice.integers(0, count, count)) for _ in range(_RESAMPLES)])
    drawn = drawn[np.isfinite(drawn)]
    value = figure(np.arange(count))
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (math.nan, math.nan)
    return Estimate(value, float(low), float(high))
