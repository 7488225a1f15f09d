"""All words of a batch of texts as NumPy arrays: cut out of the bytes at once, without a Python loop over words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.checks.flat_text import FlatText, ascii_mask

Ints = npt.NDArray[np.int64]

_WORD = ascii_mask("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'", beyond=True)
_SENTENCE_END = ascii_mask(".!?;:\n")
_NOT_WORD = r"[^\pL\pN\pM\x00-\x7f]+"


@dataclass(frozen=True)
class Words:
    """The words of a batch, in order. An apostrophe belongs to its word, a hyphen does not.

    Attributes:
        spelled: each different word once, as it is written.
        kind: for each word its place in `spelled`.
        text: for each word the index of its text.
        sentence: for each word a number that is equal inside one sentence of one text, and never falls.
    """

    spelled: list[str]
    kind: Ints
    text: Ints
    sentence: Ints

    @classmethod
    def of(cls, texts: pa.StringArray) -> Words:
        """Cut texts into words; a null is an empty text."""
        flat = FlatText.of(_plain(texts))
        inside = _WORD[flat.data]
        begins, ends = inside.copy(), inside.copy()
        begins[1:] &= ~inside[:-1]
        ends[:-1] &= ~inside[1:]
        # Two texts touch in the bytes: a word ends where its text does.
        full = flat.lengths > 0
        first, last = flat.offsets[:-1][full], flat.offsets[1:][full] - 1
        begins[first], ends[last] = inside[first], inside[last]
        starts, stops = np.flatnonzero(begins), np.flatnonzero(ends) + 1
        text = np.searchsorted(flat.offsets, starts, side="right") - 1
        breaks = np.searchsorted(np.flatnonzero(_SENTENCE_END[flat.data]), starts)
        coded = _words(flat.data[inside], stops - starts).dictionary_encode()
        kind = coded.indices.to_numpy().astype(np.int64)
        return cls(coded.dictionary.to_pylist(), kind, text, breaks + text)

    def __len__(self) -> int:
        return len(self.kind)


def _words(data: npt.NDArray[np.uint8], lengths: Ints) -> pa.LargeStringArray:
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return pa.LargeStringArray.from_buffers(len(lengths), pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes()))


def _plain(texts: pa.StringArray) -> pa.StringArray:
    """Texts whose quotation marks, dashes and other signs beyond ASCII are spaces, so that only letters are left."""
    texts = pc.fill_null(texts, "")
    foreign = pc.invert(pc.string_is_ascii(texts))
    if not pc.any(foreign).as_py():
        return texts
    read = pc.replace_substring(texts.filter(foreign), "…", ".")
    read = pc.replace_substring_regex(pc.replace_substring(read, "’", "'"), _NOT_WORD, " ")
    return pc.replace_with_mask(texts, foreign, read)
