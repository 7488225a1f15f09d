"""What the report on a tokenizer says, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


@dataclass(frozen=True)
class TextCounts:
    """How much text there is and how many tokens it takes.

    Attributes:
        texts: texts.
        characters: Unicode characters.
        bytes: UTF-8 bytes.
        words: runs of letters, marks and digits.
        tokens: tokens, without the ones a base puts around a row.
    """

    texts: int = 0
    characters: int = 0
    bytes: int = 0
    words: int = 0
    tokens: int = 0

    def __add__(self, other: TextCounts) -> TextCounts:
        return TextCounts(
            self.texts + other.texts,
            self.characters + other.characters,
            self.bytes + other.bytes,
            self.words + other.words,
            self.tokens + other.tokens,
        )

    @property
    def tokens_per_character(self) -> float:
        """Tokens a character takes; 0 without characters."""
        return _share(self.tokens, self.characters)

    @property
    def tokens_per_word(self) -> float:
        """Tokens a word takes, with the marks and spaces around it (the fertility of Rust et al. 2021)."""
        return _share(self.tokens, self.words)

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes a token stands for."""
        return _share(self.bytes, self.tokens)


@dataclass(frozen=True)
class WordSplits:
    """Into how many pieces words are split, each word as it stands after a space.

    Attributes:
        words: words looked at, each as often as it occurs.
        over_one: words of more than one piece.
        over_two: words of more than two.
        over_four: words of more than four.
    """

    words: int
    over_one: int
    over_two: int
    over_four: int

    @property
    def shares(self) -> tuple[float, float, float]:
        """Share of words of more than one, two and four pieces, from 0 to 1."""
        return _share(self.over_one, self.words), _share(self.over_two, self.words), _share(self.over_four, self.words)


@dataclass(frozen=True)
class CharacterCost:
    """A character that takes more than one token, or that the tokenizer does not know.

    Attributes:
        character: the character.
        name: its Unicode name, or its code point where it has none.
        count: how often it occurs.
        tokens: tokens that one more of it takes.
        unknown: whether it becomes the unknown token.
        example: a place where it stands.
    """

    character: str
    name: str
    count: int
    tokens: int
    unknown: bool
    example: str


@dataclass(frozen=True)
class SpecialSeen:
    """A special token written inside texts, where it acts as a control token; `texts` have it."""

    token: str
    texts: int


@dataclass(frozen=True)
class LengthBin:
    """Rows of `low` to `high - 1` tokens."""

    low: int
    high: int
    rows: int


@dataclass(frozen=True)
class ContextCut:
    """What a context length cuts off.

    Attributes:
        context: tokens of the context.
        rows: rows that are longer.
        rows_share: their share, from 0 to 1.
        tokens: tokens beyond it.
        tokens_share: their share of all tokens.
    """

    context: int
    rows: int
    rows_share: float
    tokens: int
    tokens_share: float


@dataclass(frozen=True)
class Comparison:
    """The same texts with another tokenizer.

    Attributes:
        whole: all texts.
        languages: the texts of each language.
        ratio: tokens of the first tokenizer for one of this; below 1 the first is the shorter.
    """

    whole: TextCounts
    languages: Mapping[str, TextCounts]
    ratio: float


@dataclass(frozen=True)
class TokenisationReport:
    """How a tokenizer treats a data set.

    Attributes:
        whole: all texts.
        languages: the texts of each language that was told, in order of their names.
        rows: rows the texts belong to.
        unknown: tokens that are the unknown token.
        broken: tokens that hold only a part of a character, as bytes.
        splits: into how many pieces words fall.
        costly: characters that take most tokens, the most expensive first.
        specials: special tokens seen inside text.
        lengths: rows by length in tokens, in bins that double.
        quantiles: length of a row at 0.5, 0.9, 0.99 and 1.
        cuts: what each context length cuts off.
        vocabulary: tokens the tokenizer has, special ones aside.
        unused: how many of them never occur.
        unused_examples: some of those, in order of their ids.
        other: the same texts with the second tokenizer, or None.
    """

    whole: TextCounts
    languages: Mapping[str, TextCounts]
    rows: int
    unknown: int
    broken: int
    splits: WordSplits
    costly: tuple[CharacterCost, ...]
    specials: tuple[SpecialSeen, ...]
    lengths: tuple[LengthBin, ...]
    quantiles: Mapping[float, int]
    cuts: tuple[ContextCut, ...]
    vocabulary: int
    unused: int
    unused_examples: tuple[str, ...]
    other: Comparison | None = None

    @property
    def unknown_share(self) -> float:
        """Share of the tokens that are the unknown token, from 0 to 1."""
        return _share(self.unknown, self.whole.tokens)

    @property
    def broken_share(self) -> float:
        """Share of the tokens that hold only a part of a character."""
        return _share(self.broken, self.whole.tokens)

    @property
    def unused_share(self) -> float:
        """Share of the vocabulary that never occurs."""
        return _share(self.unused, self.vocabulary)
