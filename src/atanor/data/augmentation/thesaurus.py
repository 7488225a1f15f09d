"""Words that can stand in another word's place: English from WordNet, Spanish from Open Multilingual Wordnet.

A thesaurus without a parser replaces wrongly more often than rightly, so this one is shy: it asks for a part of speech
the sentence speaks for, for a meaning that is the word's usual one, and for a synonym that usually means it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from atanor.data.augmentation.inflection import Form, form_of, inflect
from atanor.data.augmentation.wordnet import PartOfSpeech, Sense, WordNet
from atanor.data.words.vocabulary import AUXILIARIES, BEFORE_NOUN, BEFORE_VERB, FUNCTION_WORDS, PARTICLES

_USUAL_SHARE = 0.5
"""The first sense must cover this share of a word's tagged uses."""
_CLEAR_LEAD = 3
"""Without a hint in the sentence the best part of speech must be this many times as frequent as the next."""
_USUAL_RANK = 2
"""The shared meaning must be among this many first meanings of the synonym."""
_LEAST_SHARE = 0.1
"""The synonym must have that meaning this share as often as the word it replaces: no `twelvemonth` for a year."""


class Thesaurus(Protocol):
    """What finds synonyms of a word where it stands."""

    def synonyms(self, words: Sequence[str], index: int) -> tuple[str, ...]:
        """What can stand in place of `words[index]`, in its form, best first.

        Args:
            words: the words of a sentence in order, as written.
            index: which one is asked for.
        """


@dataclass(frozen=True)
class EnglishThesaurus:
    """Synonyms by WordNet, in the inflection of the word they replace."""

    wordnet: WordNet

    def synonyms(self, words: Sequence[str], index: int) -> tuple[str, ...]:
        """See `Thesaurus.synonyms`."""
        word = words[index].lower()
        if len(word) < 3 or word in FUNCTION_WORDS["en"] or not word.isalpha() or self._in_phrase(words, index):
            return ()
        chosen = self._lemma(word, words[index - 1].lower() if index else "", index)
        if chosen is None:
            return ()
        lemma, part = chosen
        form = form_of(word, lemma, part)
        sense = self._usual_sense(lemma, part)
        if sense is None or form is None:
            return ()
        found = (self._inflected(other, form, part) for other in self._usual_words(sense, lemma, part))
        return tuple(dict.fromkeys(other for other in found if other is not None and other != word))

    def _in_phrase(self, words: Sequence[str], index: int) -> bool:
        """Whether the word is part of an expression with a meaning of its own: `credit card`, `top up`."""
        word = words[index].lower()
        after = words[index + 1].lower() if index + 1 < len(words) else ""
        before = words[index - 1].lower() if index else ""
        if after in PARTICLES and self.wordnet.lemmas(word, PartOfSpeech.VERB):
            return True
        pairs = [(before, word), (word, after)]
        return any(
            left and right and self._is_expression(left, right) and not {left, right} & FUNCTION_WORDS["en"]
            for left, right in pairs
        )

    def _is_expression(self, left: str, right: str) -> bool:
        ends = {right, *self.wordnet.lemmas(right, PartOfSpeech.NOUN)}
        return any(self.wordnet.knows(f"{left} {end}", PartOfSpeech.NOUN) for end in ends)

    def _lemma(self, word: str, before: str, index: int) -> tuple[str, PartOfSpeech] | None:
        """Base form and part of speech, by the word before and by how often each is meant."""
        frequency: dict[tuple[str, PartOfSpeech], int] = {}
        for part in PartOfSpeech:
            for lemma in self.wordnet.lemmas(word, part):
                frequency[lemma, part] = sum(sense.count_of(lemma) for sense in self.wordnet.senses(lemma, part))
        allowed = {key: count for key, count in frequency.items() if _fits(word, key, before, index)}
        if not allowed:
            return None
        ranked = sorted(allowed, key=lambda key: -allowed[key])
        if len(ranked) > 1 and allowed[ranked[0]] < _CLEAR_LEAD * max(1, allowed[ranked[1]]):
            return None
        return ranked[0]

    def _usual_sense(self, lemma: str, part: PartOfSpeech) -> Sense | None:
        senses = self.wordnet.senses(lemma, part)
        counts = [sense.count_of(lemma) for sense in senses]
        usual = sum(counts) > 0 and counts[0] >= _USUAL_SHARE * sum(counts)
        return senses[0] if usual else None

    def _usual_words(self, sense: Sense, lemma: str, part: PartOfSpeech) -> list[str]:
        """The other words of a meaning that usually mean it, the most frequent first."""
        others = []
        for word, count in zip(sense.words, sense.counts, strict=True):
            plain = word.replace(" ", "").isalpha() and word == word.lower() and len(word) > 2
            # `come in` for `enter` would leave its particle in the wrong place.
            phrase = word.count(" ") > (part is not PartOfSpeech.VERB)
            if word == lemma or not plain or phrase or count < max(1, _LEAST_SHARE * sense.count_of(lemma)):
                continue
            if sense.words in (rank.words for rank in self.wordnet.senses(word, part)[:_USUAL_RANK]):
                others.append((-count, word))
        return [word for _, word in sorted(others)]

    def _inflected(self, lemma: str, form: Form, part: PartOfSpeech) -> str | None:
        return inflect(lemma, form, part, self.wordnet)


def _fits(word: str, key: tuple[str, PartOfSpeech], before: str, index: int) -> bool:
    """Whether the place in the sentence allows this reading of the word."""
    lemma, part = key
    form = form_of(word, lemma, part)
    if before in BEFORE_VERB and before not in BEFORE_NOUN:
        return part in (PartOfSpeech.VERB, PartOfSpeech.ADVERB) and form not in (Form.GERUND, None)
    if before in BEFORE_NOUN:
        return part in (PartOfSpeech.NOUN, PartOfSpeech.ADJECTIVE)
    if before in AUXILIARIES:
        moving = part is PartOfSpeech.VERB and form in (Form.GERUND, Form.PAST, Form.IRREGULAR_PAST)
        return moving or part in (PartOfSpeech.ADJECTIVE, PartOfSpeech.ADVERB)
    return bool(index) or form is not None
