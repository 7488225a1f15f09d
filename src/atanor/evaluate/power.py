"""What a test can show: how often a true gain of some size makes the verdict `better`, before anything is trained.

Two kinds of scores. A yes or no an item: what counts is how many items are mended and how many broken (McNemar), so
the power is a sum over the trinomial of the two. A mean of graded scores: what counts is the spread of the paired
changes, and the power is the noncentral t's. Both follow `comparison.decide`: the change must be certain and at least
the margin. Items of one cluster count as one; give the number of clusters where items are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaln, nctdtr, ndtri, stdtrit

from atanor.evaluate.metrics.base import MeanOverItems, Metric

USUAL_POWER = 0.8
"""Chance with which a gain counts as one the test can show (Cohen 1988)."""
CHURN = 0.05
"""Share of items assumed broken by any tuning, whatever it mends."""
SPREAD = 0.25
"""Standard deviation of paired changes assumed of scores between 0 and 1, such as ROUGE or token F1."""
_SEARCH = 40


def power_yes_no(
    items: int, gain: float, *, churn: float = CHURN, margin: float = 0.0, confidence: float = 0.95
) -> float:
    """Chance of the verdict `better` where `churn` of the items are broken and `churn + gain` mended.

    Args:
        items: independent test items.
        gain: true change of the share, 0 to 1 - 2 x churn.
        churn: share of items that go from yes to no.
        margin: smallest change of interest.
        confidence: of the interval and of the test.
    """
    won, lost = np.meshgrid(np.arange(items + 1), np.arange(items + 1), indexing="ij")
    inside = won + lost <= items
    won, lost = won[inside], lost[inside]
    certain = 2 * bdtr(np.minimum(won, lost), won + lost, 0.5) < 1 - confidence
    better = certain & (won > lost) & (_least(won, lost, items, confidence) > 0) & ((won - lost) / items >= margin)
    return float(_trinomial(won[better], lost[better], items, churn + gain, churn).sum())


def power_of_mean(
    items: int, gain: float, *, spread: float = SPREAD, margin: float = 0.0, confidence: float = 0.95
) -> float:
    """Chance of the verdict `better` for a metric that is a mean over items.

    Args:
        items: independent test items, at least 2.
        gain: true change.
        spread: standard deviation of candidate minus baseline over items.
        margin: smallest change of interest.
        confidence: of the interval and of the test.
    """
    error = spread / items**0.5
    threshold = max(float(stdtrit(items - 1, (1 + confidence) / 2)), margin / error)
    return float(1 - nctdtr(items - 1, gain / error, threshold))


def smallest_yes_no(
    items: int, *, churn: float = CHURN, margin: float = 0.0, confidence: float = 0.95, power: float = USUAL_POWER
) -> float | None:
    """The smallest gain of a share that the test shows with this power; None where it shows none at all."""
    return _smallest(
        lambda gain: power_yes_no(items, gain, churn=churn, margin=margin, confidence=confidence), 1 - 2 * churn, power
    )


def smallest_of_mean(
    items: int,
    *,
    spread: float = SPREAD,
    margin: float = 0.0,
    confidence: float = 0.95,
    power: float = USUAL_POWER,
    largest: float = 1.0,
) -> float | None:
    """The smallest gain of a mean that the test shows with this power; None where even `largest` is not shown."""
    return _smallest(
        lambda gain: power_of_mean(items, gain, spread=spread, margin=margin, confidence=confidence), largest, power
    )


@dataclass(frozen=True)
class Sight:
    """What a test can show of one metric.

    Attributes:
        metric: its label.
        items: independent test items.
        gain: the smallest gain that makes the verdict `better` with the usual power; None where none does.
        assuming: what that rests on.
    """

    metric: str
    items: int
    gain: float | None
    assuming: str

    @property
    def in_words(self) -> str:
        """One sentence."""
        if self.gain is None:
            return f"{self.items} independent items are too few to show any gain of {self.metric}"
        return (
            f"{self.items} independent items show a gain of {self.gain:.2f} or more of {self.metric} 4 times of 5, "
            f"{self.assuming}"
        )


def sight_of(metric: Metric, items: int, confidence: float) -> Sight | None:
    """What so many independent items can show of a metric; None where that cannot be told beforehand.

    It can be told of a yes or no, and of a mean of scores with bounds.
    """
    if metric.bounds is None or not isinstance(metric, MeanOverItems):
        return None
    margin = metric.margin or metric.default_margin(0.0)
    if metric.yes_no:
        gain = smallest_yes_no(items, margin=margin, confidence=confidence)
        return Sight(metric.label, items, gain, f"if tuning breaks {CHURN:.0%} of the items")
    span = metric.bounds[1] - metric.bounds[0]
    gain = smallest_of_mean(items, spread=SPREAD * span, margin=margin, confidence=confidence, largest=span)
    return Sight(metric.label, items, gain, f"if an item's change varies by {SPREAD * span:g}")


def _smallest(power_at: Callable[[float], float], largest: float, power: float) -> float | None:
    if power_at(largest) < power:
        return None
    low, high = 0.0, largest
    for _ in range(_SEARCH):
        middle = (low + high) / 2
        if power_at(middle) >= power:
            high = middle
        else:
            low = middle
        if high - low < 1e-4 * largest:
            break
    return high


def _least(won: NDArray[np.int64], lost: NDArray[np.int64], items: int, confidence: float) -> NDArray[np.float64]:
    """Lower end of Bonett and Price's interval of the change, as in `statistics.adjusted_wald`."""
    up, down = (won + 1) / (items + 2), (lost + 1) / (items + 2)
    reach = ndtri((1 + confidence) / 2) * np.sqrt((up + down - (up - down) ** 2) / (items + 2))
    return np.asarray(up - down - reach)


def _trinomial(
    won: NDArray[np.int64], lost: NDArray[np.int64], items: int, mended: float, broken: float
) -> NDArray[np.float64]:
    """Probability of so many items mended and broken."""
    same = items - won - lost
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [
            np.where(count > 0, count * np.log(share), 0.0)
            for count, share in ((won, mended), (lost, broken), (same, max(0.0, 1 - mended - broken)))
        ]
    choices = gammaln(items + 1) - gammaln(won + 1) - gammaln(lost + 1) - gammaln(same + 1)
    return np.asarray(np.exp(choices + sum(logs)))
