"""Metrics of answers that name a class, or several with `, ` between them.

A text is read as the set of the classes it names, upper and lower case, order and white space aside. A text that names
none of the test's classes is a miss, so a model that writes freely is marked by the same rule as a classifier.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atanor.data.rows import BETWEEN_CLASSES
from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import (
    MARGIN_OF_A_SHARE,
    MeanOverItems,
    Metric,
    Scores,
    Statistics,
    answer_of,
    ratio,
)


def classes_in(text: str) -> frozenset[str]:
    """The classes a text names."""
    return frozenset(name for part in text.split(BETWEEN_CLASSES.strip()) if (name := part.strip().casefold()))


class Accuracy(MeanOverItems):
    """The answer names the classes of the reference, all of them and no other (of several classes: subset accuracy)."""

    name = "accuracy"
    label = "accuracy"
    unit = "share"
    yes_no = True
    bounds = (0.0, 1.0)

    def value(self, item: Item, answer: str) -> float:
        return float(classes_in(answer) in map(classes_in, item.references))

    def default_margin(self, baseline: float) -> float:
        """0.05: one item in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


class LabelF1(Metric):
    """F1 of the classes of all items together (micro-averaged F1). Statistics: (named rightly, named and wanted)."""

    name = "label_f1"
    label = "label F1"
    unit = "share"
    bounds = (0.0, 1.0)

    def check_item(self, item: Item) -> None:
        _check_classes(self, item)

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        given, wanted = _marked(self, item, outcome)
        return (2.0 * len(given & wanted), float(len(given) + len(wanted)))

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        """0.05: one class in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


class MacroF1(Metric):
    """Mean over classes of each one's F1, so that a rare class counts as much as a frequent one.

    It is no mean over items, but a function of three counts a class: how often it was named rightly, named, and wanted.
    Those are the statistics, so a resample of items has exactly its own macro-F1. The classes are those that the
    references of the test name; in a resample without one of them the mean is over those that are left. Naming
    something that is no class of the test is no class's false alarm, but the class that was wanted is missed.
    """

    name = "macro_f1"
    label = "macro-F1"
    unit = "share"
    bounds = (0.0, 1.0)

    def __init__(self, margin: float | None = None) -> None:
        super().__init__(margin)
        self._numbers: dict[str, int] = {}

    def begin(self, items: Sequence[Item]) -> None:
        """Take the classes from the references."""
        named = sorted({name for item in items for text in item.references for name in classes_in(text)})
        self._numbers = {name: number for number, name in enumerate(named)}

    def check_item(self, item: Item) -> None:
        _check_classes(self, item)

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        given, wanted = _marked(self, item, outcome)
        counts = np.zeros((3, len(self._numbers)))
        for row, names in enumerate((given & wanted, given, wanted)):
            for name in names:
                if name in self._numbers:
                    counts[row, self._numbers[name]] += 1
        return tuple(counts.ravel().tolist())

    def aggregate(self, sums: Statistics) -> Scores:
        right, given, wanted = np.split(sums, 3, axis=-1)
        there = wanted > 0
        f1 = np.where(there, 2 * right / np.maximum(given + wanted, 1), 0)
        return ratio(f1.sum(axis=-1), there.sum(axis=-1).astype(np.float64))

    def default_margin(self, baseline: float) -> float:
        """0.05 of a class's F1, on the mean."""
        del baseline
        return MARGIN_OF_A_SHARE


def _check_classes(metric: Metric, item: Item) -> None:
    if not all(map(classes_in, item.references)):
        problem = Problem(
            f"item {item.id}: the reference names no class", field=metric.name, fix="Give the row a label"
        )
        raise MetricError(f"`{metric.name}` cannot be computed", [problem])


def _marked(metric: Metric, item: Item, outcome: Outcome) -> tuple[frozenset[str], frozenset[str]]:
    """The classes the answer names, and those of the reference; of several references the one it agrees with most."""
    given = classes_in(answer_of(metric, item, outcome))
    return given, max(map(classes_in, item.references), key=lambda wanted: len(wanted & given) / max(1, len(wanted)))
