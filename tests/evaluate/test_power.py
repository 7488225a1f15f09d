"""What a test can show is what simulated comparisons show."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from atanor.evaluate.comparison import decide
from atanor.evaluate.items import Verdict
from atanor.evaluate.power import (
    USUAL_POWER,
    power_of_mean,
    power_yes_no,
    sight_of,
    smallest_of_mean,
    smallest_yes_no,
)
from tests.evaluate.marking import metric
from tests.evaluate.test_statistics import change_of, singles

SIMULATIONS = 400
WITHIN = 0.06
"""Three standard errors of a share of 400; benchmarks/coverage.py simulates 2,000 and asks for 0.03."""


def shown(before: list[np.ndarray], after: list[np.ndarray], *, yes_no: bool, margin: float) -> float:
    verdicts = []
    for one, other in zip(before, after, strict=True):
        found = change_of(one, other, singles(len(one)), yes_no=yes_no, resamples=1000)
        ends = (found.interval.low, found.interval.high)
        verdicts.append(decide(found.change, *ends, margin, True, p_value=found.p_value, confidence=0.95))
    return float(np.mean([verdict is Verdict.BETTER for verdict in verdicts]))


@pytest.mark.parametrize(("items", "gain", "margin"), [(60, 0.15, 0.05), (200, 0.08, 0.05)])
def test_power_of_yes_and_no_is_what_simulations_show(items: int, gain: float, margin: float) -> None:
    dice = np.random.default_rng(1)
    before, after = [], []
    for _ in range(SIMULATIONS):
        turn = dice.random(items)
        was = np.where(turn < 0.05, 1.0, np.where(turn < 0.1 + gain, 0.0, (dice.random(items) < 0.4) * 1.0))
        before.append(was)
        after.append(np.where(turn < 0.05, 0.0, np.where(turn < 0.1 + gain, 1.0, was)))
    expected = power_yes_no(items, gain, margin=margin)
    assert shown(before, after, yes_no=True, margin=margin) == pytest.approx(expected, abs=WITHIN)


@pytest.mark.parametrize(("items", "gain", "margin"), [(30, 0.15, 0.02), (100, 0.06, 0.02)])
def test_power_of_a_mean_is_what_simulations_show(items: int, gain: float, margin: float) -> None:
    dice = np.random.default_rng(2)
    before = [dice.random(items) for _ in range(SIMULATIONS)]
    after = [one + dice.normal(gain, 0.25, items) for one in before]
    expected = power_of_mean(items, gain, margin=margin)
    assert shown(before, after, yes_no=False, margin=margin) == pytest.approx(expected, abs=WITHIN)


def test_without_a_margin_the_power_of_a_mean_is_the_t_test_s() -> None:
    dice = np.random.default_rng(3)
    drawn = dice.normal(0.1, 0.25, (4000, 40))
    found = ttest_1samp(drawn, 0.0, axis=1)
    rejected = float(((found.pvalue < 0.05) & (found.statistic > 0)).mean())
    assert power_of_mean(40, 0.1) == pytest.approx(rejected, abs=0.02)


def test_the_smallest_gain_has_the_usual_power_and_shrinks_with_items() -> None:
    gains = [smallest_yes_no(items) for items in (30, 60, 200, 500)]
    assert all(one is not None for one in gains)
    assert gains == sorted(gains, reverse=True)
    assert power_yes_no(60, gains[1] or 0) == pytest.approx(USUAL_POWER, abs=0.01)
    mean = smallest_of_mean(60, spread=0.2)
    assert mean is not None and power_of_mean(60, mean, spread=0.2) == pytest.approx(USUAL_POWER, abs=0.01)


def test_a_test_of_five_items_shows_nothing() -> None:
    assert smallest_yes_no(5) is None


def test_a_gain_of_the_margin_itself_is_seen_half_of_the_time_at_most() -> None:
    assert power_of_mean(10_000, 0.05, margin=0.05) == pytest.approx(0.5, abs=0.01)
    assert smallest_of_mean(10_000, margin=0.05) > 0.05  # type: ignore[operator]


def test_what_a_test_can_show_is_said_of_means_with_bounds_alone() -> None:
    said = sight_of(metric("exact_match"), 60, 0.95)
    assert said is not None and said.in_words == (
        "60 independent items show a gain of 0.20 or more of exact match 4 times of 5, if tuning breaks 5% of the items"
    )
    few = sight_of(metric("exact_match"), 5, 0.95)
    assert few is not None and "too few to show any gain" in few.in_words
    assert sight_of(metric("rouge_l"), 60, 0.95) is not None
    assert sight_of(metric("perplexity"), 60, 0.95) is None
