"""Whether a new example is a near-copy of another: ROUGE-L of their words, as self-instruct asks it.

Wang et al. 2023, Self-Instruct: Aligning Language Models with Self-Generated Instructions
(https://aclanthology.org/2023.acl-long.754): an instruction is kept when its ROUGE-L to every other is below 0.7.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"\w+")


class Novelty:
    """The texts so far, searched by shared words before any longest common subsequence is computed."""

    def __init__(self, texts: Iterable[str], most: float) -> None:
        """
        Args:
            texts: what new texts are compared with.
            most: ROUGE-L from which one is a copy.
        """
        self._most = most
        self._texts: list[list[str]] = []
        self._with_word: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Compare later texts with this one too."""
        words = words_of(text)
        for occurrence in _occurrences(words):
            self._with_word[occurrence].append(len(self._texts))
        self._texts.append(words)

    def copied(self, text: str) -> float | None:
        """The first ROUGE-L to a text so far that reaches the limit, or None where the text is new."""
        words = words_of(text)
        shared: Counter[int] = Counter()
        for occurrence in _occurrences(words):
            shared.update(self._with_word.get(occurrence, ()))
        for index, count in sorted(shared.items()):
            other = self._texts[index]
            # The common subsequence is no longer than the words in common.
            if _f_measure(count, len(words), len(other)) < self._most:
                continue
            score = _f_measure(longest_common(words, other), len(words), len(other))
            if score >= self._most:
                return score
        return None


def words_of(text: str) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(text.lower())


def longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for place, other in enumerate(second, start=1):
            before, row[place] = row[place], before + 1 if word == other else max(row[place], row[place - 1])
    return row[-1]


def rouge_l(first: str, second: str) -> float:
    """F-measure of the longest common subsequence of words, 0 to 1 (Lin 2004)."""
    one, other = words_of(first), words_of(second)
    return _f_measure(longest_common(one, other), len(one), len(other))


def _f_measure(common: int, first: int, second: int) -> float:
    return 2 * common / (first + second) if first + second else 0.0


def _occurrences(words: Sequence[str]) -> Iterable[tuple[str, int]]:
    """Each word with its number among its equals, so that shared words are counted as often as both have them."""
    seen: Counter[str] = Counter()
    for word in words:
        yield word, seen[word]
        seen[word] += 1
