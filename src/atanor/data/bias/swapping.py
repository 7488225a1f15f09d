"""A row's texts with the groups of one dimension exchanged, or the reason why they stay as they are.

Counterfactual data augmentation (Lu et al. 2018, arXiv:1807.11714; Zhao et al. 2018, arXiv:1804.06876), with first
names as in Hall Maudslay et al. 2019 (arXiv:1909.00871). What is not certain is refused: a new row that says what
is false, or that no speaker would write, is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Protocol

from atanor.data.bias.demonyms import GroupSwap, exchange_of
from atanor.data.bias.english import EnglishGender, names_english_gender
from atanor.data.bias.lexicon import entries
from atanor.data.bias.named_persons import (
    DATED,
    OtherNames,
    first_names,
    refuse_full_names,
    refuse_small_names,
    unknown_names,
)
from atanor.data.bias.options import Dimension, Language
from atanor.data.bias.outcome import NotSwapped, Refused, Swapped, Why
from atanor.data.bias.spanish import SpanishGender, names_spanish_gender
from atanor.data.bias.tokens import WORD, Tokens

_CODE = re.compile(
    r"```|[{}<>\\|]|https?://|www\.|\bdef \w+\(|\w\(\)|==|^\s*#include|</?\w+>|&[a-z]+;|\w+_\w+|\bSELECT\b|;\s*$|@\w",
    re.MULTILINE,
)


class _Rules(Protocol):
    """The rules of a dimension in a language, for the texts of one row."""

    def swap(self, tokens: Tokens, kept: frozenset[int]) -> None: ...


@dataclass(frozen=True)
class _Phrases:
    """Phrases of one dimension and language."""

    keep: re.Pattern[str]
    refuse: re.Pattern[str]


def swap_groups(
    texts: Sequence[str], dimension: Dimension, language: Language, rng: Random, protect: Sequence[str] = ()
) -> Swapped | NotSwapped:
    """Exchange the groups of one dimension in all texts of one row, the same way everywhere.

    Args:
        texts: prompt, answer and whatever else belongs to the row.
        dimension: what is exchanged.
        language: the language of all of them.
        rng: draws names and groups where there are several.
        protect: words and phrases that forbid the exchange.

    Returns:
        The new texts in the same order, or the reason why there are none.
    """
    tokens = [Tokens.of(text) for text in texts]
    if not any(_names_a_group(one, dimension, language) for one in tokens):
        return NotSwapped(Why.NO_GROUP)
    try:
        for text, one in zip(texts, tokens, strict=True):
            _refuse_unfit(text, dimension, language, protect)
            if dimension is Dimension.GENDER:
                refuse_full_names(one, language)
                refuse_small_names(one, language)
        rules = _rules(dimension, language, rng, tokens)
        for text, one in zip(texts, tokens, strict=True):
            rules.swap(one, frozenset(_kept(text, _phrases(dimension, language))))
    except Refused as refused:
        return refused.outcome
    swapped = tuple(one.text for one in tokens)
    return NotSwapped(Why.NO_GROUP) if swapped == tuple(texts) else Swapped(swapped, tuple(_pairs(texts, tokens)))


def _names_a_group(tokens: Tokens, dimension: Dimension, language: Language) -> bool:
    """Whether a text has any word that is exchanged; most have none, and are done with here."""
    if dimension is Dimension.GENDER:
        return names_english_gender(tokens) if language == "en" else names_spanish_gender(tokens)
    terms = exchange_of(dimension, language).terms
    return any(lower in terms for lower in tokens.lower)


def _rules(dimension: Dimension, language: Language, rng: Random, tokens: Sequence[Tokens]) -> _Rules:
    """The rules for one row, which know the names in all of its texts."""
    gender = dimension is Dimension.GENDER
    doubtful = next((name for one in tokens for name in unknown_names(one, language, places=not gender)), None)
    if not gender:
        return GroupSwap(dimension, language, rng, doubtful)
    taken = [word for one in tokens for word in one.words if word in first_names(language)]
    names = OtherNames(language, rng, taken)
    return EnglishGender(names, doubtful) if language == "en" else SpanishGender(names, doubtful)


def _refuse_unfit(text: str, dimension: Dimension, language: Language, protect: Sequence[str]) -> None:
    protected = next((word for word in protect if _whole(word).search(text)), None)
    if protected is not None:
        raise Refused(Why.PROTECTED, protected)
    code = _CODE.search(text)
    if code is not None:
        raise Refused(Why.CODE, code[0])
    dated = DATED.search(text)
    if dated is not None:
        raise Refused(Why.REAL_PERSON, dated[0])
    fact = _phrases(dimension, language).refuse.search(text)
    if fact is not None:
        raise Refused(Why.FACT, fact[0])


def _kept(text: str, phrases: _Phrases) -> Iterator[int]:
    """Indices of the words inside phrases that stay."""
    spans = [match.span() for match in phrases.keep.finditer(text)]
    if spans:
        for index, match in enumerate(WORD.finditer(text)):
            if any(start <= match.start() < end for start, end in spans):
                yield index


def _pairs(texts: Sequence[str], tokens: Sequence[Tokens]) -> dict[tuple[str, str], None]:
    found: dict[tuple[str, str], None] = {}
    for text, one in zip(texts, tokens, strict=True):
        for match, new in zip(WORD.finditer(text), one.words, strict=True):
            if match[0] != new:
                found[match[0].lower(), new.lower()] = None
    return found


@cache
def _phrases(dimension: Dimension, language: Language) -> _Phrases:
    terms: dict[str, list[str]] = {"keep": [], "refuse": []}
    for line in entries(language, "kept"):
        heading, _, phrases = line.partition(":")
        of, kind = heading.split()
        if of == dimension:
            terms[kind] += [phrase.strip() for phrase in phrases.split("|")]
    return _Phrases(_any(terms["keep"]), _any(terms["refuse"]))


def _any(phrases: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    spelled = (_spelled(phrase) for phrase in longest_first)
    return re.compile(rf"(?<!\w)(?:{'|'.join(spelled) or '(?!)'})(?!\w)", re.IGNORECASE)


def _spelled(phrase: str) -> str:
    pattern = re.escape(phrase.removesuffix("*")).replace(r"\ ", r"\s+").replace("'", "['’]?")
    return rf"{pattern}\w*" if phrase.endswith("*") else pattern


@cache
def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
