"""Texts as comparison sees them: case folded, punctuation dropped, white space collapsed.

Texts that differ only in these are one text to every search in this package. What carries meaning stays: signs such
as `+`, `*`, `/`, `#` and `%`, and punctuation right before a digit, so that `12.5` is not `125` nor `2+3` `2*3`.
Case folding is Unicode's full one (`ß` is `ss`); the texts are expected to be composed (NFC), as cleaning leaves them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

CHUNK_BYTES = 1 << 20
"""Bytes of text folded at once: working memory is about 40 times this, or 40 times the longest text."""

_SPACE = 32
_SIGNS = frozenset("#%&*/@\\")
"""Punctuation to Unicode, but part of what is said: `C#`, `2*3`, `50%`, `a/b`."""
_TABLED = 0x20000
"""Code points below this have cases and categories; above are ideographs, which have neither."""


Code = TypeVar("Code", bound=np.integer)


class _Kind(IntEnum):
    KEPT = 0
    DIGIT = 1
    SPACE = 2
    PUNCTUATION = 3
    DROPPED = 4
    EXPANDS = 5
    """Folds to several code points."""


@dataclass(frozen=True)
class FoldedTexts:
    """A batch of folded texts in one array. The text `i` is `codes[starts[i]:ends[i]]`.

    Attributes:
        codes: uint32, the code points of all texts; what lies between two texts belongs to none.
        starts: int64 (texts,), first code point of each text.
        ends: int64 (texts,), the one after its last; equal to its start where nothing is left of the text.
    """

    codes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, index: int) -> str:
        """The folded text at `index`."""
        return self.codes[self.starts[index] : self.ends[index]].tobytes().decode("utf-32-le")


def fold(texts: pa.StringArray) -> FoldedTexts:
    """Fold a batch of texts. A null is an empty text."""
    codes, borders = _code_points(texts)
    kinds, folded = _tables()
    kind = kinds[codes]
    if (kind == _Kind.EXPANDS).any():
        return fold(pa.array([(text or "").casefold() for text in texts.to_pylist()], pa.string()))
    before_digit = np.zeros(len(codes), bool)
    before_digit[:-1] = kind[1:] == _Kind.DIGIT
    before_digit[borders[1:][borders[1:] > 0] - 1] = False
    kept = (kind <= _Kind.SPACE) | ((kind == _Kind.PUNCTUATION) & before_digit)
    codes, borders = _only(kept, codes, borders)
    return _single_spaces(folded[codes], borders)


def fold_in_chunks(texts: pa.StringArray) -> Iterator[tuple[int, FoldedTexts]]:
    """Fold a batch of any size, some texts at a time; with each chunk the index of its first text."""
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    offsets = _offsets(texts)
    first = 0
    while first < len(texts):
        last = int(np.searchsorted(offsets, offsets[first] + CHUNK_BYTES, side="right")) - 1
        last = min(max(last, first + 1), len(texts))
        yield first, fold(texts.slice(first, last - first))
        first = last


def _single_spaces(codes: npt.NDArray[np.uint32], borders: npt.NDArray[np.int64]) -> FoldedTexts:
    """Of each run of spaces the first stays, at the beginning of a text none; one at its end is left outside."""
    space = codes == _SPACE
    after_space = np.empty(len(codes), bool)
    after_space[1:] = space[:-1]
    after_space[borders[:-1][borders[:-1] < len(codes)]] = True
    codes, borders = _only(~(space & after_space), codes, borders)
    starts, ends = borders[:-1], borders[1:].copy()
    filled = np.flatnonzero(ends > starts)
    ends[filled] -= codes[ends[filled] - 1] == _SPACE
    return FoldedTexts(codes, starts, ends)


def _only(
    kept: npt.NDArray[np.bool_], codes: npt.NDArray[Code], borders: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Code], npt.NDArray[np.int64]]:
    """The kept positions, and where the borders are among them."""
    places = np.flatnonzero(kept)
    if len(places) == len(kept):
        return codes, borders
    return codes[places], np.searchsorted(places, borders)


def _code_points(texts: pa.StringArray) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.int64]]:
    """The code points of all texts, as uint8 where all are ASCII, and the borders between texts: (texts + 1,)."""
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    offsets = _offsets(texts)
    data = texts.buffers()[2]
    raw = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data is not None else np.zeros(0, np.uint8)
    borders = offsets - offsets[0]
    if not len(raw) or raw.max() < 0x80:
        return raw, borders
    codes = np.frombuffer(raw.tobytes().decode().encode("utf-32-le"), np.uint32)
    return codes, np.searchsorted(np.flatnonzero((raw & 0xC0) != 0x80), borders)


def _offsets(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    """Byte offsets of the texts in their data buffer: (texts + 1,)."""
    if not len(texts):
        return np.zeros(1, np.int64)
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    found = np.frombuffer(texts.buffers()[1], width)[texts.offset : texts.offset + len(texts) + 1]
    return found.astype(np.int64)


@lru_cache(maxsize=1)
def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """Kind and folded form of every code point."""
    kinds = np.zeros(0x110000, np.uint8)
    folded = np.arange(0x110000, dtype=np.uint32)
    for code in range(_TABLED):
        character = chr(code)
        kinds[code] = kind = _kind(character)
        if kind == _Kind.KEPT:
            folded[code] = ord(character.casefold())
        elif kind == _Kind.SPACE:
            folded[code] = _SPACE
    kinds[0xE0000:0xE01F0] = _Kind.DROPPED  # tags and variation selectors
    return kinds, folded


def _kind(character: str) -> _Kind:
    category = unicodedata.category(character)
    if character.isspace():
        return _Kind.SPACE
    if category == "Nd":
        return _Kind.DIGIT
    if category in ("Cc", "Cf", "Cs", "Cn") or "\ufe00" <= character <= "\ufe0f":
        return _Kind.DROPPED
    if category.startswith("P") and character not in _SIGNS:
        return _Kind.PUNCTUATION
    return _Kind.KEPT if len(character.casefold()) == 1 else _Kind.EXPANDS
