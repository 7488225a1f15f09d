"""What a metric is: numbers kept for each item that add up, and a score made from their sums.

A score such as perplexity or BLEU is no mean over items. But each is a function of sums over items (of nats and tokens,
of n-gram counts), so the bootstrap can resample items, add up their *sufficient statistics* and compute the exact
corpus score of every resample in one vectorised call.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from atanor.errors import MetricError
from atanor.evaluate.items import Item, OnError, Outcome

Statistics: TypeAlias = NDArray[np.float64]
"""Sums of statistics, the k numbers of a metric on the last axis: shape [..., k]."""

Marks: TypeAlias = list[tuple[float, ...] | MetricError]
"""For each item its numbers, or why it has none."""

Scores: TypeAlias = NDArray[np.float64]
"""Scores made from such sums: shape [...]."""

MARGIN_OF_A_SHARE = 0.05
"""Smallest change of interest of a share of items or fields: one in twenty."""


class Metric(ABC):
    """One way to mark answers or likelihoods.

    Attributes:
        name: as written in a project file.
        label: for reading.
        unit: of the score, for reading: `share`, `points of 100`, `bits/byte`; empty where it has none.
        decimals: how many of them are worth showing.
        higher_is_better: direction of the score.
        yes_no: every item is a plain yes (1) or no (0).
        needs_generation: it looks at `Outcome.answer`.
        uses_general_text: its items are the general text, not the role's test items.
        bounds: lowest and highest possible score; None where there is no such thing.
        target: it is about what the role should do. What is no target is a cost: a gate can ask for it, and it makes no
            candidate better or worse.
        counts_tokens: it looks at the tokens of prompt and answer, which a classifier does not have.
        of_this_machine: what it measures depends on the machine, and is measured anew on another.
        margin: the smallest change of interest as the project says; None for the metric's own.
        on_error: what happens to an item that cannot be marked.
        extra_error: standard error of the change beside that of the items; above 0 where marks are estimates.
        about: what a reader has to know of how the marks came to be, in sentences; known when items are marked.
    """

    name: str
    label: str
    unit: str = ""
    decimals: int = 2
    higher_is_better: bool = True
    yes_no: bool = False
    needs_generation: bool = True
    uses_general_text: bool = False
    bounds: tuple[float, float] | None = None
    target: bool = True
    counts_tokens: bool = False
    of_this_machine: bool = False

    def __init__(self, margin: float | None = None) -> None:
        self.margin = margin
        self.on_error = OnError.STOP
        self.extra_error = 0.0
        self.about: tuple[str, ...] = ()

    @abstractmethod
    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        """The k numbers of one item. Called once an item and candidate.

        Raises:
            MetricError: the item cannot be marked; the problem names it.
        """

    @abstractmethod
    def aggregate(self, sums: Statistics) -> Scores:
        """Scores from summed statistics, for any number of leading axes: [..., k] to [...]; nan where undefined."""

    @abstractmethod
    def default_margin(self, baseline: float) -> float:
        """The smallest change of interest in the metric's unit, given the baseline's score."""

    def begin(self, items: Sequence[Item]) -> None:
        """Told all items before the first of them is marked, for a metric that has to know what there is."""
        del items

    def tabulate(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Marks:
        """The numbers of every item of one candidate, in order, or why an item has none.

        A metric that has to see all answers at once has its own.
        """
        return [self._marked(item, outcome) for item, outcome in zip(items, outcomes, strict=True)]

    def tabulate_both(
        self, items: Sequence[Item], baseline: Sequence[Outcome], candidate: Sequence[Outcome]
    ) -> tuple[Marks, Marks]:
        """The same of both candidates; a metric that sets one answer beside the other has its own."""
        return self.tabulate(items, baseline), self.tabulate(items, candidate)

    def worst(self) -> tuple[float, ...] | None:
        """The numbers of an answer as bad as can be; None where there is no such thing."""
        return None

    def _marked(self, item: Item, outcome: Outcome) -> tuple[float, ...] | MetricError:
        try:
            return self.statistics(item, outcome)
        except MetricError as error:
            return error

    def check_item(self, item: Item) -> None:
        """Refuse an item that can never be marked, before anything is generated for it.

        Raises:
            MetricError: the problem names the item.
        """
        del item

    def item_score(self, statistics: tuple[float, ...]) -> float:
        """One item's score for reading and plotting; nan where it has none."""
        score = float(self.aggregate(np.asarray(statistics, dtype=np.float64)))
        return score if math.isfinite(score) else math.nan

    def margin_at(self, baseline: float) -> float:
        """The margin in force: the project's, else the metric's own at this baseline."""
        return self.default_margin(baseline) if self.margin is None else self.margin


class MeanOverItems(Metric):
    """A metric whose score is the mean of one number an answer. Its statistics are (value, 1)."""

    @abstractmethod
    def value(self, item: Item, answer: str) -> float:
        """The number of one answer."""

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (self.value(item, answer_of(self, item, outcome)), 1.0)

    def worst(self) -> tuple[float, ...] | None:
        return None if self.bounds is None else (self.bounds[0 if self.higher_is_better else 1], 1.0)

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])


def answer_of(metric: Metric, item: Item, outcome: Outcome) -> str:
    """The generated answer; its absence is a fault of the program, never of the candidate."""
    assert outcome.answer is not None, (
        f"`{metric.name}` needs an answer to item {item.id} and none was generated: "
        "the caller must generate when `needs_generation` is true"
    )
    return outcome.answer


def ratio(numerator: Scores, denominator: Scores) -> Scores:
    """Division that gives nan for nothing over nothing, without a warning."""
    quotient: Scores = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
