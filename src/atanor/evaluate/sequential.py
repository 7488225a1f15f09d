"""Looking at answers while they come, and stopping as soon as the verdict is clear, without being fooled more often.

Whoever looks several times and stops at the first clear answer is fooled more often than the confidence promises. Here
what may be spent on errors is spread over the looks by the function of Lan and DeMets (1983) that follows O'Brien and
Fleming: nearly nothing early, nearly all of it at the end. Each look has a confidence of its own, and an interval made
with it holds the truth at all looks together with the confidence asked for (Jennison and Turnbull 1989).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

_POINTS = 2001
"""Of the grid on which the density of comparisons that go on is kept."""
_FARTHEST = 12.0
"""Standard normal units beyond which nothing is looked for."""


def confidences_of_looks(shares: Sequence[float], confidence: float) -> list[float]:
    """The confidence each look's interval needs so that all of them together have the one asked for.

    Args:
        shares: of the independent items that are there at each look, rising to 1.
        confidence: of all looks together, as 0.95.

    Returns:
        One confidence a look; each is at least `confidence`.

    Reference:
        Lan and DeMets 1983, Discrete sequential boundaries for clinical trials; the recursion over looks is that of
        Armitage, McPherson and Rowe 1969.
    """
    alpha = 1 - confidence
    spent = [_spent(share, alpha) for share in shares]
    sums = np.zeros(1)  # of the observed changes, as a Brownian motion that starts at 0
    weights = np.ones(1)
    found: list[float] = []
    before_share, before_spent = 0.0, 0.0
    for share, now in zip(shares, spent, strict=True):
        step = math.sqrt(share - before_share)

        def missing(
            z: float,
            *,
            wide: float = math.sqrt(share),
            step: float = step,
            sums: np.ndarray = sums,
            weights: np.ndarray = weights,
            wanted: float = now - before_spent,
        ) -> float:
            beyond = norm.sf((z * wide - sums) / step) + norm.cdf((-z * wide - sums) / step)
            return float((weights * beyond).sum()) - wanted

        z = float(brentq(missing, 0.0, _FARTHEST, xtol=1e-10)) if missing(_FARTHEST) < 0 else _FARTHEST
        found.append(1 - 2 * float(norm.sf(z)))
        edge = z * math.sqrt(share)
        going_on = np.linspace(-edge, edge, _POINTS)
        density = norm.pdf((going_on[:, None] - sums) / step) @ weights / step
        trapezoid = np.full(_POINTS, going_on[1] - going_on[0])
        trapezoid[[0, -1]] /= 2
        sums, weights = going_on, density * trapezoid
        before_share, before_spent = share, now
    return found


def _spent(share: float, alpha: float) -> float:
    """What may be spent on errors until so much was seen, half of it on either side."""
    return 4 * float(norm.sf(float(norm.isf(alpha / 4)) / math.sqrt(share)))
