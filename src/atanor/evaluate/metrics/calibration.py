"""Whether a candidate that chooses among classes is right as often as it believes to be."""

from __future__ import annotations

import numpy as np

from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import Metric, Scores, Statistics, answer_of
from atanor.evaluate.metrics.classes import classes_in

BINS = 10


class Calibration(Metric):
    """Expected calibration error (Naeini et al. 2015; Guo et al. 2017), in ten bins of equal width.

    In each bin of the probability of the class that was named, the distance of the mean probability from the share that
    was right; the mean over items. Statistics: for each bin its items, their probabilities, and how many were right. Of
    few items in a bin even a candidate that is calibrated has some error, so compare candidates rather than read it
    alone.
    """

    name = "ece"
    label = "calibration error"
    unit = "share"
    decimals = 3
    higher_is_better = False
    bounds = (0.0, 1.0)

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        right = float(classes_in(answer_of(self, item, outcome)) in map(classes_in, item.references))
        if outcome.confidence is None:
            problem = Problem(
                f"item {item.id}: the answer has no probability, because it was written and not chosen",
                field=self.name,
                fix="Set `generate: {choices: labels}`",
            )
            raise MetricError(f"`{self.name}` cannot be computed", [problem])
        counts = np.zeros((3, BINS))
        counts[:, bin_of(outcome.confidence)] = (1.0, outcome.confidence, right)
        return tuple(counts.ravel().tolist())

    def aggregate(self, sums: Statistics) -> Scores:
        items, believed, right = np.split(sums, 3, axis=-1)
        total = items.sum(axis=-1)
        return np.where(total > 0, np.abs(believed - right).sum(axis=-1) / np.maximum(total, 1), np.nan)

    def default_margin(self, baseline: float) -> float:
        """0.02: two in a hundred answers believed in vain."""
        del baseline
        return 0.02


def bin_of(confidence: float) -> int:
    """The bin of a probability: (0, 0.1] is the first, as in the papers."""
    return min(BINS - 1, max(0, int(np.ceil(confidence * BINS)) - 1))
