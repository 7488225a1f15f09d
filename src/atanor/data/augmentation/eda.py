"""Easy data augmentation: synonym replacement, random insertion, random swap and random deletion.

Wei and Zou 2019, EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks
(https://aclanthology.org/D19-1670). As there, each candidate is made by one of the four, and `alpha` is the share of
words it changes. Other than there, protected spans, negations and question words stay, capitals and articles are
mended, and an operation that finds nothing to work on gives way to another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from atanor.data.augmentation.protect import Protection
from atanor.data.augmentation.thesaurus import Thesaurus
from atanor.data.augmentation.wording import Wording
from atanor.data.words.languages import Identify

_BEST_OF = 3
"""Synonyms a word is drawn from: the most frequent ones."""


class EdaOperation(StrEnum):
    """The four operations of the paper."""

    SYNONYM_REPLACEMENT = "synonym_replacement"
    RANDOM_INSERTION = "random_insertion"
    RANDOM_SWAP = "random_swap"
    RANDOM_DELETION = "random_deletion"


@dataclass(frozen=True)
class Synonyms:
    """The thesaurus of each language, and how a text's language is told."""

    by_language: Mapping[str, Thesaurus]
    identify: Identify

    def of(self, text: str) -> Thesaurus | None:
        """The thesaurus for a text. Where the language cannot be told and there is only one, that one."""
        language = self.identify(text)
        if language is None and len(self.by_language) == 1:
            return next(iter(self.by_language.values()))
        return self.by_language.get(language or "")


@dataclass(frozen=True)
class Eda:
    """A `Rewriter`: one of `operations`, drawn anew for each candidate.

    Attributes:
        operations: which of the four are used.
        alpha: share of the words an operation changes; at least one.
        synonyms: for the two operations that need them.
        protection: what stays.
    """

    operations: Sequence[EdaOperation]
    alpha: float
    synonyms: Synonyms
    protection: Protection

    def rewrite(self, text: str, rng: Random) -> str | None:
        """One candidate by the first operation, in drawn order, that has something to work on, or None."""
        wording = Wording.of(text, self.protection)
        count = max(1, int(self.alpha * len(wording.words)))
        if not wording.free:
            return None
        for operation in rng.sample(self.operations, len(self.operations)):
            if _OPERATIONS[operation](self, wording, count, rng):
                return wording.text
        return None

    def replace_synonyms(self, wording: Wording, count: int, rng: Random) -> bool:
        """Replace up to `count` words by synonyms; False where no word has one."""
        places = self._with_synonyms(wording)
        for index, found in rng.sample(places, min(count, len(places))):
            wording.replace(index, rng.choice(found[:_BEST_OF]))
        return bool(places)

    def insert_synonyms(self, wording: Wording, count: int, rng: Random) -> bool:
        """Put synonyms of up to `count` words at random places; False where no word has one."""
        places = self._with_synonyms(wording)
        for _, found in rng.sample(places, min(count, len(places))):
            word = rng.choice(found[:_BEST_OF])
            wording.insert(rng.choice(wording.free), word)
        return bool(places)

    def swap_words(self, wording: Wording, count: int, rng: Random) -> bool:
        """Exchange two free words, `count` times; False where there are not two that differ."""
        free = wording.free
        if len({wording.words[index].lower() for index in free}) < 2:
            return False
        for _ in range(count):
            first, second = rng.sample(free, 2)
            wording.swap(first, second)
        return True

    def delete_words(self, wording: Wording, count: int, rng: Random) -> bool:
        """Delete each free word with probability alpha, at least one of them; False where one word would be left."""
        free = wording.free
        if len(wording.words) < 3:
            return False
        drawn = [index for index in free if rng.random() < self.alpha] or [rng.choice(free)]
        for index in sorted(drawn[: len(wording.words) - 2], reverse=True):
            wording.delete(index)
        del count  # the paper draws each word on its own
        return True

    def _with_synonyms(self, wording: Wording) -> list[tuple[int, tuple[str, ...]]]:
        thesaurus = self.synonyms.of(" ".join(wording.words))
        if thesaurus is None:
            return []
        found = ((index, thesaurus.synonyms(wording.words, index)) for index in wording.free)
        return [(index, words) for index, words in found if words]


_OPERATIONS: Mapping[EdaOperation, Callable[[Eda, Wording, int, Random], bool]] = {
    EdaOperation.SYNONYM_REPLACEMENT: Eda.replace_synonyms,
    EdaOperation.RANDOM_INSERTION: Eda.insert_synonyms,
    EdaOperation.RANDOM_SWAP: Eda.swap_words,
    EdaOperation.RANDOM_DELETION: Eda.delete_words,
}
