"""Words that stand near one group more often than near the others of its dimension.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, Fightin' Words, section 3.5.1): the prior
is what stands near all groups of the dimension, so a word that is frequent everywhere belongs to nobody.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PRIOR_WORDS = 500.0
"""Weight of the prior, in words."""
_SURE = 1.96
_FEWEST = 3
"""Fewest times a word stands near a group for it to be shown."""
_MOST_WORDS = 300_000
"""Different words kept over all groups before the rarest are forgotten."""


@dataclass(frozen=True, slots=True)
class WordNear:
    """A word that belongs to a group.

    Attributes:
        word: the word in lower case.
        count: how often it stands near the group.
        others: how often it stands near the other groups of the dimension.
        z: log-odds over its standard error; 1.96 and more is shown.
    """

    word: str
    count: int
    others: int
    z: float


class WordCounts:
    """How often each word stands near each group, in bounded memory.

    Once there are too many different words, those seen least are forgotten (as in Lossy Counting, Manku and Motwani
    2002); totals still count them.
    """

    def __init__(self, groups: int, most: int = _MOST_WORDS) -> None:
        self._counts: list[Counter[str]] = [Counter() for _ in range(groups)]
        self._totals = [0] * groups
        self._most = most

    def add(self, group: int, words: Sequence[str], counts: Sequence[int]) -> None:
        """Count words near a group."""
        tally = self._counts[group]
        for word, count in zip(words, counts, strict=True):
            tally[word] += count
        self._totals[group] += sum(counts)

    def forget_rare(self) -> None:
        """Drop the rarest words where there are too many different ones."""
        least = 1
        while sum(map(len, self._counts)) > self._most:
            for number, tally in enumerate(self._counts):
                self._counts[number] = Counter({word: count for word, count in tally.items() if count > least})
            least += 1

    def nearest(self, groups: Sequence[int], most: int) -> dict[int, tuple[WordNear, ...]]:
        """For each of the groups of one dimension the words that belong to it, the surest first."""
        pooled: Counter[str] = Counter()
        for group in groups:
            pooled.update(self._counts[group])
        total = sum(self._totals[group] for group in groups)
        return {group: self._of_group(group, pooled, total)[:most] for group in groups}

    def _of_group(self, group: int, pooled: Mapping[str, int], total: int) -> tuple[WordNear, ...]:
        inside, outside = self._totals[group], total - self._totals[group]
        if not inside or not outside:
            return ()
        found = []
        for word, count in self._counts[group].items():
            if count < _FEWEST:
                continue
            others = pooled[word] - count
            z = _z_score((count, inside), (others, outside), PRIOR_WORDS * pooled[word] / total)
            if z >= _SURE:
                found.append(WordNear(word, count, others, z))
        return tuple(sorted(found, key=lambda one: (-one.z, one.word)))


def _z_score(here: tuple[int, int], there: tuple[int, int], prior: float) -> float:
    """Equations 15, 20 and 22 of the paper, for one word: its count and all words, here and there."""
    odds = [math.log((count + prior) / max(total + PRIOR_WORDS - count - prior, 0.5)) for count, total in (here, there)]
    variance = 1 / (here[0] + prior) + 1 / (there[0] + prior)
    return (odds[0] - odds[1]) / math.sqrt(variance)
