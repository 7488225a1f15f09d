"""Looking several times fools nobody more often than the confidence promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from atanor.evaluate.sequential import confidences_of_looks

TABLE = {
    1: [1.960],
    2: [2.963, 1.969],
    3: [3.710, 2.511, 1.993],
    4: [4.333, 2.963, 2.359, 2.014],
    5: [4.877, 3.357, 2.680, 2.290, 2.031],
}
"""Boundaries of the spending function after O'Brien and Fleming at 0.05, as statistics books print them."""


@pytest.mark.parametrize("looks", TABLE)
def test_boundaries_are_those_of_the_books(looks: int) -> None:
    shares = [(look + 1) / looks for look in range(looks)]
    found = [norm.isf((1 - one) / 2) for one in confidences_of_looks(shares, 0.95)]
    assert found == pytest.approx(TABLE[looks], abs=2e-3)


def test_someone_is_fooled_once_in_twenty_however_often_they_look() -> None:
    rng = np.random.default_rng(0)
    shares = [0.3, 0.45, 0.8, 1.0]
    limits = [norm.isf((1 - one) / 2) for one in confidences_of_looks(shares, 0.95)]
    increments = rng.standard_normal((40_000, 4)) * np.sqrt(np.diff([0.0, *shares]))
    z = np.abs(increments.cumsum(axis=1)) / np.sqrt(shares)
    fooled = (z > limits).any(axis=1).mean()
    assert fooled == pytest.approx(0.05, abs=0.004)
    assert (z > 1.96).any(axis=1).mean() > 0.09
