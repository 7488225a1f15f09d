"""Matthews' correlation of the classes named with the classes wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atanor.errors import MetricError, Problem, shorten
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, Metric, Scores, Statistics, answer_of
from atanor.evaluate.metrics.classes import classes_in


class Matthews(Metric):
    """Matthews' correlation coefficient of several classes, R_K (Gorodkin 2004), as scikit-learn computes it.

    1 is right throughout, 0 is what chance gives, whatever the sizes of the classes. Its statistics are how often the
    class named is the one wanted, the items, and for each class how often it was named and wanted. The classes are
    those that the references of the test name, and one more for every answer that names none of them or several. Where
    one class alone is named or wanted the coefficient is undefined and counts as 0, as in scikit-learn.
    """

    name = "mcc"
    label = "Matthews correlation"
    decimals = 3
    bounds = (-1.0, 1.0)

    def __init__(self, margin: float | None = None) -> None:
        super().__init__(margin)
        self._numbers: dict[str, int] = {}

    def begin(self, items: Sequence[Item]) -> None:
        """Take the classes from the references."""
        named = sorted({next(iter(classes_in(text)), "") for item in items for text in item.references})
        self._numbers = {name: number for number, name in enumerate(named)}

    def check_item(self, item: Item) -> None:
        for reference in item.references:
            if len(classes_in(reference)) > 1:
                problem = Problem(
                    f"item {item.id}: the reference names several classes, and a correlation is of one an item",
                    field=self.name,
                    value=shorten(reference),
                    fix="Use `label_f1` or `macro_f1` for rows of several classes",
                )
                raise MetricError(f"`{self.name}` cannot be computed", [problem])

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        self.check_item(item)
        named = classes_in(answer_of(self, item, outcome)) or {""}
        foreign = len(self._numbers)
        given = self._numbers.get(next(iter(named)), foreign) if len(named) == 1 else foreign
        right = [self._numbers[next(iter(classes_in(text)), "")] for text in item.references]
        wanted = given if given in right else right[0]
        counts = np.zeros((2, foreign + 1))
        counts[0, given] = counts[1, wanted] = 1
        return (float(given == wanted), 1.0, *counts.ravel().tolist())

    def aggregate(self, sums: Statistics) -> Scores:
        right, items = sums[..., 0], sums[..., 1]
        given, wanted = np.split(sums[..., 2:], 2, axis=-1)
        together = right * items - (given * wanted).sum(axis=-1)
        spread = (items**2 - (given**2).sum(axis=-1)) * (items**2 - (wanted**2).sum(axis=-1))
        defined = spread > 0
        return np.where(defined, together / np.sqrt(np.where(defined, spread, 1.0)), 0.0)

    def item_score(self, statistics: tuple[float, ...]) -> float:
        """Of one item there is no correlation: whether its class was named."""
        return statistics[0]

    def default_margin(self, baseline: float) -> float:
        """0.05 of a correlation."""
        del baseline
        return MARGIN_OF_A_SHARE
