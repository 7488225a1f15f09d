"""What augmentation must not touch: names, numbers, quotations, addresses, code, JSON, placeholders, given words.

A text is cut into protected and free pieces; techniques rewrite the free ones. What leaves this process (a translator,
a model) is checked afterwards: a candidate that lost a protected span, or brought a number of its own, is filtered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from atanor.data.words.vocabulary import (
    CONNECTORS,
    DAYS_AND_MONTHS,
    MONTHS,
    NUMBER_WORDS,
    SENTENCE_STARTERS,
    SPEAKING_OF_ONE,
    UNITS,
)

_DIGITS = r"[$€£¥]?[+\-−]?\w*\d\w*(?:[.,:/\-–'’]\w*\d\w*)*"
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_LONG_UNIT = "|".join(sorted((re.escape(unit) for unit in UNITS if len(unit) > 2), key=len, reverse=True))
_COUNTED = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))

_MONTH = "|".join(sorted(MONTHS))
_DAY = r"\b\d{1,2}(?:st|nd|rd|th)?"

_ALWAYS = re.compile(
    "|".join(
        (
            r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)",  # fenced code
            r"`[^`\n]+`",
            r"\b(?:https?|ftp|file)://[^\s<>\"]*[^\s<>\".,;:!?)\]}'’]|\bwww\.[^\s<>\"]*[^\s<>\".,;:!?)\]}'’]",
            r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
            r"</?[A-Za-z_][^<>\n]{0,200}>",  # <x> and markup
            r"%\(\w+\)[sdfr]|%[sdf]\b|\$[A-Za-z_]\w*",
            r"\"[^\"\n]+\"|“[^”\n]+”|«[^»\n]+»|‘[^’\n]+’(?!\w)",
            r"(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w))+'(?!\w)",
            r"\b[^\W\d]\w*\([^()\n]*\)",  # a call
            r"(?<![\w/])(?:~|\.{1,2})?/\w[\w.-]*(?:/[\w.-]+)*|\b[A-Za-z]:\\\S+",  # a path
            r"(?<!\w)[@#]\w+",
            r"\b\w+(?:_\w+)+\b|\b[^\W\d_]+(?:\.[^\W\d_]+)+\b|\b[a-z]+[A-Z]\w*\b",  # identifiers
            r"\b(?:[A-Z]\.){2,}|\b[A-Z]{2,}s?\b",
            rf"{_DAY}\s(?:of\s|de\s)?(?i:{_MONTH})\b(?:,?\s(?:de\s)?\d{{4}}\b)?",
            rf"{_DIGITS}(?:\s?(?:%|[€£$¥]|°[CF]?|(?i:{_UNIT})\b))?",
            rf"\b(?i:{_COUNTED})\b(?:\s(?i:{_LONG_UNIT})\b)?",
            rf"\b(?i:{'|'.join(sorted(DAYS_AND_MONTHS))})\b",
        )
    ),
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;…\n¿¡*•]|--|—)[\s\"'“‘«(\[*_-]*\Z")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_POSSESSIVE = ("'s", "’s", "s'", "s’")
_BRACKETS = {"{": "}", "[": "]"}
_TOUCHING = frozenset(" -–")
"""Two protected spans with one of these between them are one: `3 March 2020` comes out as a whole."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a text; the pieces of a text joined are the text."""

    text: str
    protected: bool


@dataclass(frozen=True)
class Protection:
    """The rules of what comes out unchanged.

    Attributes:
        words: words and phrases the user protects, whatever their case.
    """

    words: tuple[str, ...] = ()
    _given: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        longest_first = sorted((word for word in self.words if word.strip()), key=len, reverse=True)
        given = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first)
        object.__setattr__(self, "_given", re.compile(given, re.IGNORECASE) if given else None)

    def split(self, text: str) -> tuple[Piece, ...]:
        """The text as free and protected pieces, in order; joined they are the text."""
        pieces: list[Piece] = []
        at = 0
        for start, end in self._merged(text):
            if start > at:
                pieces.append(Piece(text[at:start], protected=False))
            pieces.append(Piece(text[start:end], protected=True))
            at = end
        if at < len(text):
            pieces.append(Piece(text[at:], protected=False))
        return tuple(pieces)

    def spans(self, text: str) -> tuple[str, ...]:
        """The protected runs of the text, in order."""
        return tuple(text[start:end] for start, end in self._merged(text))

    def lost(self, text: str, candidate: str) -> str | None:
        """The first protected span of `text` that `candidate` lacks, or a number that only `candidate` has, or None."""
        for span, count in Counter(self.spans(text)).items():
            if _occurrences(span, candidate) < count:
                return span
        known = set(_NUMBER.findall(text))
        return next((number for number in _NUMBER.findall(candidate) if number not in known), None)

    def _merged(self, text: str) -> list[tuple[int, int]]:
        found = [match.span() for match in _ALWAYS.finditer(text)]
        found += _bracketed(text)
        found += _names(text)
        if self._given is not None:
            found += [match.span() for match in self._given.finditer(text)]
        merged: list[tuple[int, int]] = []
        for start, end in sorted(span for span in found if span[0] < span[1]):
            touching = merged and (start <= merged[-1][1] or text[merged[-1][1] : start] in _TOUCHING)
            if touching:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged


@dataclass(frozen=True)
class Masked:
    """A text whose protected spans are written as opaque words that a translator copies.

    Attributes:
        text: the text to translate.
        spans: what stands behind the mask of each number.
        stem: letters every mask begins with; they do not occur in the original.
    """

    text: str
    spans: tuple[str, ...]
    stem: str

    @classmethod
    def of(cls, text: str, protection: Protection) -> Masked:
        """Mask the protected spans of a text."""
        stem = next(stem for number in range(len(text) + 2) if (stem := "X" + "Q" * (number + 1)) not in text)
        spans: list[str] = []
        parts: list[str] = []
        for piece in protection.split(text):
            parts.append(f"{stem}{len(spans)}Z" if piece.protected else piece.text)
            if piece.protected:
                spans.append(piece.text)
        return cls("".join(parts), tuple(spans), stem)

    def restored(self, translation: str) -> str | None:
        """The translation with the spans back in place, or None where a mask is missing or stands there twice."""
        mask = re.compile(rf"{self.stem}(\d+)Z")
        if sorted(mask.findall(translation), key=int) != [str(number) for number in range(len(self.spans))]:
            return None
        return mask.sub(lambda match: self.spans[int(match[1])], translation)


def _bracketed(text: str) -> Iterator[tuple[int, int]]:
    """Balanced runs in braces and square brackets: JSON, templates, `[x]`. Only the outermost ones matter."""
    opened: list[tuple[str, int]] = []
    for place, character in enumerate(text):
        if character in _BRACKETS:
            opened.append((_BRACKETS[character], place))
        elif opened and character == opened[-1][0]:
            yield opened.pop()[1], place + 1


def _names(text: str) -> Iterator[tuple[int, int]]:
    """Runs of capitalised words inside a sentence, and at its start where something says that it is a name."""
    words = list(_WORD.finditer(text))
    inside = {word[0] for word in words if _is_capital(word[0]) and not _starts_sentence(text, word.start())}
    at = 0
    while at < len(words):
        if not _is_capital(words[at][0]):
            at += 1
            continue
        first, last = at, _end_of_run(text, words, at)
        at = last + 1
        if _starts_sentence(text, words[first].start()) and not _names_someone(words, first, last, inside):
            first += 1
        if first <= last:
            yield words[first].start(), words[last].start() + len(_without_possessive(words[last][0]))


def _end_of_run(text: str, words: Sequence[re.Match[str]], first: int) -> int:
    """Index of the last word of a name that begins at `first`: `Game of Thrones` is one name."""
    last = at = first
    while at + 1 < len(words) and at - last < 2 and text[words[at].end() : words[at + 1].start()] == " ":
        at += 1
        if _is_capital(words[at][0]):
            last = at
        elif words[at][0] not in CONNECTORS:
            break
    return last


def _names_someone(words: Sequence[re.Match[str]], first: int, last: int, inside: set[str]) -> bool:
    """Whether the capital at the start of a sentence is a name's and not the sentence's."""
    word = words[first][0]
    bare = _without_possessive(word)
    if bare.lower() in SENTENCE_STARTERS or not bare.replace("-", "").isalpha():
        return False
    following = words[last + 1][0].lower() if last + 1 < len(words) else ""
    return last > first or word in inside or word.endswith(_POSSESSIVE) or following in SPEAKING_OF_ONE


def _is_capital(word: str) -> bool:
    return word[0].isupper() and word != "I" and not word.startswith(("I'", "I’"))


def _starts_sentence(text: str, place: int) -> bool:
    return _SENTENCE_END.search(text, max(0, place - 12), place) is not None if place else True


def _without_possessive(word: str) -> str:
    return word[:-2] if word.endswith(_POSSESSIVE[:2]) else word


def _occurrences(span: str, text: str) -> int:
    before = r"(?<!\w)" if span[0].isalnum() else ""
    after = r"(?!\w)" if span[-1].isalnum() else ""
    return len(re.findall(before + re.escape(span) + after, text))
