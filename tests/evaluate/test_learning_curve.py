"""What more rows would bring: the law is found where it holds, its interval holds the truth, and misfits are said."""

from __future__ import annotations

import numpy as np
import pytest

from atanor.evaluate.learning_curve import Forecast, MoreRows, PowerLaw, fit_power_law, forecast
from tests.evaluate.marking import metric

SIZES = (40, 80, 160, 320)


def shares_right(law: PowerLaw, items: int, generator: np.random.Generator) -> list[np.ndarray]:
    """(right, 1) of items that all sizes are asked: hard items stay hard, and no size forgets what a smaller knew."""
    hardness = generator.random(items)
    return [np.column_stack([hardness < law.at(size), np.ones(items)]).astype(np.float64) for size in SIZES]


def ahead(statistics: list[np.ndarray], sizes: tuple[int, ...] = SIZES, resamples: int = 400) -> Forecast:
    clusters = [str(number) for number in range(len(statistics[0]))]
    asked = {"base": 0.0, "confidence": 0.95, "resamples": resamples, "seed": 0}
    return forecast(metric("exact_match"), sizes, statistics, clusters, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("law", [PowerLaw(0.9, -2.0, 0.5), PowerLaw(0.7, -1.0, 1.0), PowerLaw(0.2, 3.0, 0.3)])
def test_a_law_is_found_again(law: PowerLaw) -> None:
    rows = np.asarray(SIZES, dtype=np.float64)
    scores = np.array([[law.at(one) for one in rows]])
    found = PowerLaw(*(float(one[0]) for one in fit_power_law(rows, scores)))
    assert found.exponent == pytest.approx(law.exponent)
    assert found.at(640) == pytest.approx(law.at(640))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    law = PowerLaw(0.9, -2.5, 0.5)
    truth = law.at(640) - law.at(320)
    generator = np.random.default_rng(7)
    found = [ahead(shares_right(law, 200, generator), resamples=300).interval for _ in range(300)]
    inside = np.mean([interval is not None and interval[0] <= truth <= interval[1] for interval in found])
    assert 0.92 <= inside <= 0.99


def test_it_says_whether_more_rows_are_worth_it() -> None:
    generator = np.random.default_rng(0)
    rising = ahead(shares_right(PowerLaw(1.0, -4.0, 0.4), 2000, generator))
    assert rising.more is MoreRows.WORTH_IT and rising.gain > 0.05 and rising.rows == 640
    assert rising.foretold == pytest.approx(rising.scores[-1], abs=0.1)
    flat = ahead(shares_right(PowerLaw(0.8, -8.0, 1.2), 2000, generator))
    assert flat.more is MoreRows.HARDLY and flat.gain < flat.margin
    few = ahead(shares_right(PowerLaw(0.8, -2.0, 0.5), 20, generator))
    assert few.more is MoreRows.CANNOT_TELL and few.interval is not None


def test_scores_that_follow_no_such_law_are_said_to() -> None:
    items = 400
    jump = [np.column_stack([np.arange(items) < right, np.ones(items)]).astype(np.float64) for right in (4, 6, 20, 300)]
    found = ahead(jump)
    assert not found.follows and found.more is MoreRows.CANNOT_TELL


def test_too_few_items_have_no_interval() -> None:
    found = ahead([np.array([[1.0, 1.0]] * 3)] * 4)
    assert found.interval is None and found.intervals is None and found.more is MoreRows.CANNOT_TELL


def test_answers_that_never_changed_are_not_taken_for_certainty() -> None:
    never = np.column_stack([np.zeros(12), np.ones(12)])
    few, many = ahead([never] * 4), ahead([np.tile(never, (50, 1))] * 4)
    assert few.gain == 0 and few.interval is not None and few.interval[1] > 0.05
    assert few.more is MoreRows.CANNOT_TELL and many.more is MoreRows.HARDLY
