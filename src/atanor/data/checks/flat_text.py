"""The bytes of many texts as one NumPy array: characters are counted for a million texts without a Python loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_FIRST_OF_MANY_BYTES = 0x80


def ascii_mask(characters: str, *, beyond: bool = False) -> Mask:
    """Which of the 256 byte values belong to a class.

    Args:
        characters: the ASCII characters of the class.
        beyond: whether the bytes of characters beyond ASCII belong to it as well.
    """
    mask = np.zeros(256, dtype=bool)
    mask[[ord(character) for character in characters]] = True
    mask[_FIRST_OF_MANY_BYTES:] = beyond
    return mask


@dataclass(frozen=True)
class FlatText:
    """The UTF-8 bytes of texts, one after another.

    Attributes:
        data: every byte, `uint8`.
        offsets: where each text starts, and at the end where the last one stops; one more than there are texts.
    """

    data: npt.NDArray[np.uint8]
    offsets: Counts

    @classmethod
    def of(cls, texts: pa.StringArray) -> FlatText:
        """The bytes of an Arrow array, not copied; a null is an empty text where Arrow keeps no bytes for it."""
        _, offsets, data = texts.buffers()
        if not len(texts) or data is None:
            return cls(np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int64))
        width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
        places = np.frombuffer(offsets, dtype=width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
        return cls(np.frombuffer(data, dtype=np.uint8)[places[0] : places[-1]], places - places[0])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> Counts:
        """Bytes of each text."""
        return np.diff(self.offsets)

    def count(self, where: Mask) -> Counts:
        """For each text, how many of its bytes `where` (one value a byte of `data`) is true for."""
        counts = np.zeros(len(self), np.int64)
        filled = np.flatnonzero(self.lengths)  # `reduceat` would give an empty text the byte after it
        counts[filled] = np.add.reduceat(where.view(np.uint8), self.offsets[filled], dtype=np.int32)
        return counts

    def count_runs(self, where: Mask) -> Counts:
        """For each text, how many unbroken runs of bytes `where` is true for; a run ends where its text does."""
        begins = where.copy()
        begins[1:] &= ~where[:-1]
        starts = self.offsets[:-1][self.lengths > 0]
        begins[starts] = where[starts]
        return self.count(begins)
