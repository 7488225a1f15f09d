"""What each word of a batch means in each language, as arrays over words: the step from spelling to numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from atanor.data.bias.lexicon import FEMALE, MALE, Lexicon, lexicon_of
from atanor.data.bias.options import Dimension, Language
from atanor.data.bias.words import Ints, Words
from atanor.data.words.vocabulary import FUNCTION_WORDS

DIMENSIONS = tuple(Dimension)
_NEVER_AGE = frozenset(("year", "years", "month", "months", "week", "weeks", "how", "as", "años", "año", "meses"))
"""Words after which `old` is no age group: a 25-year-old man."""
_SHORTEST = 2


@dataclass(frozen=True)
class Meaning:
    """What each word of a batch means, one value a word.

    Attributes:
        group: for each dimension the number of the group a word names, -1 for none; dimension by word.
        beside: the group holds only beside a person.
        person: a word for a person.
        never_before: no age group follows it.
        occupation: the number of an occupation, -1 for none.
        gender: the gender an occupation's form tells: the number of a gender group, -1 for none.
        valence: what it is worth.
        negation: turns round what follows.
        degree: factor of what follows.
        telling: may stand in a list of words that stand near a group.
    """

    group: npt.NDArray[np.int64]
    beside: npt.NDArray[np.bool_]
    person: npt.NDArray[np.bool_]
    never_before: npt.NDArray[np.bool_]
    occupation: Ints
    gender: Ints
    valence: npt.NDArray[np.float64]
    negation: npt.NDArray[np.bool_]
    degree: npt.NDArray[np.float64]
    telling: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Catalogue:
    """Numbers for groups and occupations, the same in every batch and language.

    Attributes:
        groups: dimension and name of each group.
        occupations: name of each occupation.
    """

    groups: tuple[tuple[Dimension, str], ...]
    occupations: tuple[str, ...]

    @classmethod
    def of(cls, languages: Sequence[Language], dimensions: Sequence[Dimension]) -> Catalogue:
        """All that the lexicons of these languages name."""
        lexicons = [lexicon_of(language) for language in languages]
        groups = {
            (dimension, group)
            for lexicon in lexicons
            for dimension in dimensions
            for group in (
                *lexicon.groups[dimension].values(),
                *(group for _, of, group in lexicon.phrases if of is dimension),
            )
        }
        occupations = {name for lexicon in lexicons for name, _ in lexicon.occupations.values()}
        return cls(tuple(sorted(groups)), tuple(sorted(occupations)))


class Tables:
    """Looks words up in the lexicons of some languages."""

    def __init__(self, catalogue: Catalogue, languages: Sequence[Language]) -> None:
        self.languages = tuple(languages)
        self._group_numbers = {group: number for number, group in enumerate(catalogue.groups)}
        self._occupation_numbers = {name: number for number, name in enumerate(catalogue.occupations)}
        # One column for an unknown word and each known one, language after language.
        self._known = [{word: at for at, word in enumerate(_known_words(one), start=1)} for one in self.languages]
        self._first = np.cumsum([0, *(len(known) + 1 for known in self._known)])
        each = [
            self._columns_of(lexicon_of(one), ["", *known])
            for one, known in zip(self.languages, self._known, strict=True)
        ]
        self._columns = {
            field.name: np.concatenate([getattr(columns, field.name) for columns in each], axis=-1)
            for field in fields(Meaning)
        }

    def meaning(self, words: Words, texts: int) -> Meaning:
        """What the words of a batch of so many texts mean, each in the language of its text."""
        spelled = [_bare(word) for word in words.spelled]
        lowered = [word.lower() for word in spelled]
        language = self._language_of_words(words, lowered, texts)
        column = np.empty(len(words), np.int64)
        for number, known in enumerate(self._known):
            places = (known.get(word) or known.get(lower, 0) for word, lower in zip(spelled, lowered, strict=True))
            of_kind = np.fromiter(places, np.int64, len(spelled)) + self._first[number]
            here = language == number
            column[here] = of_kind[words.kind[here]]
        taken = {name: np.take(values, column, axis=-1) for name, values in self._columns.items()}
        letters = _flags(len(lower) >= _SHORTEST and lower.isalpha() for lower in lowered)
        taken["telling"] &= letters[words.kind]
        meaning = Meaning(**taken)
        self._add_phrases(meaning, words, lowered, language)
        return meaning

    def _language_of_words(self, words: Words, lowered: Sequence[str], texts: int) -> Ints:
        """For each word the index of the language of its text: the one it has most small words of, else the first."""
        if len(self.languages) == 1 or not len(words):
            return np.zeros(len(words), np.int64)
        small = np.array([[word in _small_words(one) for word in lowered] for one in self.languages])
        per_text = [np.bincount(words.text, weights=row[words.kind], minlength=texts) for row in small]
        chosen: Ints = np.argmax(np.stack(per_text), axis=0)[words.text]
        return chosen

    def _columns_of(self, lexicon: Lexicon, spelled: Sequence[str]) -> Meaning:
        """What the words of a list mean in one language, one value a word."""
        lowered = [word.lower() for word in spelled]
        pairs = list(zip(spelled, lowered, strict=True))
        group = np.full((len(DIMENSIONS), len(pairs)), -1, np.int64)
        for row, dimension in enumerate(DIMENSIONS):
            known = lexicon.groups[dimension]
            names = (known.get(word) or known.get(lower) for word, lower in pairs)
            group[row] = [self._group_numbers.get((dimension, name), -1) if name else -1 for name in names]
        occupations = [lexicon.occupations.get(lower) for lower in lowered]
        genders = {gender: self._group_numbers.get((Dimension.GENDER, gender), -1) for gender in (FEMALE, MALE)}
        named = group.max(axis=0, initial=-1) >= 0
        function_words = FUNCTION_WORDS["en"] | FUNCTION_WORDS["es"]
        return Meaning(
            group=group,
            beside=_flags(word in lexicon.beside_person or lower in lexicon.beside_person for word, lower in pairs),
            person=_flags(lower in lexicon.persons for lower in lowered),
            never_before=_flags(lower in _NEVER_AGE for lower in lowered),
            occupation=np.array([self._occupation_numbers[one[0]] if one else -1 for one in occupations], np.int64),
            gender=np.array([genders[one[1]] if one and one[1] else -1 for one in occupations], np.int64),
            valence=np.where(named, 0.0, _numbers(lowered, lexicon.valence, 0.0)),
            negation=_flags(lower in lexicon.negations for lower in lowered),
            degree=_numbers(lowered, lexicon.degrees, 1.0),
            telling=_flags(lower not in function_words for lower in lowered) & ~named,
        )

    def _add_phrases(self, meaning: Meaning, words: Words, lowered: Sequence[str], language: Ints) -> None:
        """Enter the terms of several words; the group stands at the first of them."""
        places = _places_by_word(lowered)
        firsts = {phrase[0] for one in self.languages for phrase, _, _ in lexicon_of(one).phrases}
        may_begin = _flags(word in firsts for word in lowered)
        begins = np.flatnonzero(may_begin[words.kind])
        for index, one in enumerate(self.languages):
            for phrase, dimension, group in lexicon_of(one).phrases:
                number = self._group_numbers.get((dimension, group))
                if number is None or any(word not in places for word in phrase):
                    continue
                at = begins[np.isin(words.kind[begins], places[phrase[0]]) & (language[begins] == index)]
                for step, word in enumerate(phrase[1:], start=1):
                    at = at[at + step < len(words)]
                    at = at[np.isin(words.kind[at + step], places[word])]
                    at = at[words.sentence[at + step] == words.sentence[at]]
                row = DIMENSIONS.index(dimension)
                for step in range(len(phrase)):
                    meaning.group[row, at + step] = -1
                    meaning.telling[at + step] = False
                    meaning.beside[at + step] = False
                meaning.group[row, at] = number


@cache
def tables_of(languages: tuple[Language, ...], dimensions: tuple[Dimension, ...]) -> tuple[Catalogue, Tables]:
    """The catalogue and the tables of some languages and dimensions, made once."""
    catalogue = Catalogue.of(languages, dimensions)
    return catalogue, Tables(catalogue, languages)


def _known_words(language: Language) -> dict[str, None]:
    """Every word that any list says something about, once."""
    lexicon = lexicon_of(language)
    lists = (
        *lexicon.groups.values(),
        lexicon.persons,
        lexicon.occupations,
        lexicon.valence,
        lexicon.negations,
        lexicon.degrees,
        FUNCTION_WORDS["en"] | FUNCTION_WORDS["es"],
        _NEVER_AGE,
    )
    return dict.fromkeys(sorted(word for words in lists for word in words))


@cache
def _small_words(language: Language) -> frozenset[str]:
    """Function words that no other language with lexicons has."""
    others = [words for name, words in FUNCTION_WORDS.items() if name != language]
    return FUNCTION_WORDS[language].difference(*others)


def _bare(word: str) -> str:
    """A word without the apostrophes around it and without a possessive ending."""
    word = word.strip("'")
    return word[:-2] if word.endswith(("'s", "'S")) and len(word) > 2 else word


def _flags(values: object) -> npt.NDArray[np.bool_]:
    return np.fromiter(values, np.bool_)  # type: ignore[call-overload, no-any-return]


def _numbers(words: Sequence[str], known: Mapping[str, float], otherwise: float) -> npt.NDArray[np.float64]:
    return np.fromiter((known.get(word, otherwise) for word in words), np.float64, len(words))


def _places_by_word(lowered: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, word in enumerate(lowered):
        places.setdefault(word, []).append(place)
    return places
