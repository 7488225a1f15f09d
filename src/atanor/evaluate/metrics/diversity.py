"""How varied answers are: over all of them, and within each. They need no reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import Marks, MeanOverItems, Metric, Scores, Statistics, answer_of, ratio
from atanor.evaluate.metrics.words import words_of

_REPEATED_ORDER = 4


class Distinct(Metric):
    """Distinct-n (Li et al. 2016): different n-grams of words over all n-grams, of all answers together.

    The number of different n-grams is no sum over answers. Each n-gram's one is therefore shared out evenly among its
    occurrences, so that the sums over all items give the corpus score exactly; a resample of items keeps the shares.
    Statistics: (shares, n-grams). Longer corpora have less of it, so compare candidates on the same items only.
    """

    unit = "share"
    decimals = 3
    bounds = (0.0, 1.0)

    def __init__(self, order: int, margin: float | None = None) -> None:
        super().__init__(margin)
        self.name = f"distinct_{order}"
        self.label = f"distinct-{order}"
        self._order = order

    def tabulate(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Marks:
        answers = [self._counted(item, outcome) for item, outcome in zip(items, outcomes, strict=True)]
        everywhere: Counter[tuple[str, ...]] = Counter()
        for counts in answers:
            everywhere.update(counts)
        return [
            (sum(count / everywhere[ngram] for ngram, count in counts.items()), float(counts.total()))
            for counts in answers
        ]

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        """Of one answer alone."""
        counts = self._counted(item, outcome)
        return (float(len(counts)), float(counts.total()))

    def aggregate(self, sums: Statistics) -> Scores:
        """0 where no answer has n-grams."""
        shares = ratio(sums[..., 0], sums[..., 1])
        shares[sums[..., 1] <= 0] = 0.0
        return shares

    def default_margin(self, baseline: float) -> float:
        """0.02: two in a hundred words."""
        del baseline
        return 0.02

    def _counted(self, item: Item, outcome: Outcome) -> Counter[tuple[str, ...]]:
        return ngrams(words_of(answer_of(self, item, outcome)), self._order)


class Repetition(MeanOverItems):
    """Share of an answer's runs of four words that it has already had; mean over items.

    Seq-rep-4 of Welleck et al. (2020), of words. What falls into a loop goes towards 1; an answer of fewer than four
    words repeats nothing.
    """

    name = "repetition"
    label = "repetition"
    unit = "share"
    higher_is_better = False
    bounds = (0.0, 1.0)

    def value(self, item: Item, answer: str) -> float:
        del item
        found = ngrams(words_of(answer), _REPEATED_ORDER)
        return 1 - len(found) / found.total() if found else 0.0

    def default_margin(self, baseline: float) -> float:
        """0.02: two in a hundred 4-grams."""
        del baseline
        return 0.02


def ngrams(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    """Every run of so many words, counted."""
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))
