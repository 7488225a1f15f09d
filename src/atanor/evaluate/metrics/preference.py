"""Which of two answers a candidate finds likelier: it needs no generation."""

from __future__ import annotations

import math

from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, Metric, Scores, Statistics, ratio


class Preference(Metric):
    """Share of items whose better answer is likelier than their worse one; a tie counts half.

    The implicit reward accuracy of preference tuning, without its reference (Rafailov et al. 2023; the ranking accuracy
    of Chen et al. 2024, arXiv:2405.19534). Statistics: (1, 0.5 or 0, and 1); items without a worse answer give nothing.

    Args:
        margin: see `Metric`.
        per_token: compare the mean likelihood a token, so that a long answer has no disadvantage.
    """

    unit = "share"
    needs_generation = False
    bounds = (0.0, 1.0)

    def __init__(self, margin: float | None = None, *, per_token: bool = False) -> None:
        super().__init__(margin)
        self.name = "preference_per_token" if per_token else "preference"
        self.label = "better answer preferred" + (" a token" if per_token else "")
        self._per_token = per_token

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        if outcome.rejected_nll is None:
            return (0.0, 0.0)
        better, worse = outcome.nll, outcome.rejected_nll
        if not math.isfinite(better) or not math.isfinite(worse):
            fix = "The network overflows: evaluate it in float32 (`precision: exact`)"
            problem = Problem(f"item {item.id}: the likelihood of an answer is not finite", field=self.name, fix=fix)
            raise MetricError(f"`{self.name}` cannot be computed", [problem])
        if self._per_token:
            better, worse = better / outcome.tokens, worse / outcome.rejected_tokens
        return (0.5 if better == worse else float(better < worse), 1.0)

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        """0.05: one pair in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE
