"""Words of folded texts as hashes. Where a script writes no spaces (Chinese, Japanese) each character is a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from atanor.data.duplicates.folding import FoldedTexts
from atanor.data.duplicates.shingles import Windows, mixed, windows

_BASE = np.uint64(0xD1342543DE82EF95)
_SPACE = 32
_UNSPACED = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@dataclass(frozen=True)
class Words:
    """The words of a batch of texts. Those of text `i` are `hashes[starts[i]:ends[i]]`.

    Attributes:
        hashes: uint64, equal where the words are.
        starts: int64 (texts,).
        ends: int64 (texts,).
        places: int64, where each word begins among the code points of its batch.
    """

    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Words of each text."""
        return self.ends - self.starts

    def only(self, wanted: npt.NDArray[np.bool_]) -> Words:
        """The same texts, but for those not wanted, which are left without words."""
        return Words(self.hashes, self.starts, np.where(wanted, self.ends, self.starts), self.places)

    def ngrams(self, size: int) -> Windows:
        """Hashes of all runs of `size` words; texts with fewer have none."""
        ends = np.where(self.counts >= size, self.ends, self.starts)
        return windows(self.hashes, self.starts, ends, size)

    def whole(self) -> npt.NDArray[np.uint64]:
        """A hash of all words of each text: equal where the texts are, once folded. 0 where there are none."""
        filled = np.flatnonzero(self.counts)
        found = np.zeros(len(self.starts), np.uint64)
        found[filled] = _sequences(self.hashes, self.starts[filled])
        return found


def words_of(texts: FoldedTexts) -> Words:
    """The words of each text."""
    codes = texts.codes
    letters = codes != _SPACE
    alone = np.zeros(len(codes), bool)
    if len(codes) and codes.max() >= _UNSPACED[0][0]:
        for low, high in _UNSPACED:
            alone |= (codes >= low) & (codes <= high)
    begins = letters.copy()
    begins[1:] &= ~letters[:-1] | alone[1:] | alone[:-1]
    filled = texts.ends > texts.starts
    begins[texts.starts[filled]] = True
    places = np.flatnonzero(begins)
    values = np.where(letters, codes, 0).astype(np.uint64)
    return Words(
        hashes=_sequences(values, places),
        starts=np.searchsorted(places, texts.starts),
        ends=np.searchsorted(places, texts.ends),
        places=places,
    )


def joined_words(batches: Sequence[Words]) -> Words:
    """The words of several batches as those of one."""
    before = np.cumsum([0, *(len(batch.hashes) for batch in batches)])[:-1].tolist()
    none = np.zeros(0, np.int64)
    return Words(
        hashes=np.concatenate([np.zeros(0, np.uint64), *(batch.hashes for batch in batches)]),
        starts=np.concatenate([none, *(batch.starts + shift for batch, shift in zip(batches, before, strict=True))]),
        ends=np.concatenate([none, *(batch.ends + shift for batch, shift in zip(batches, before, strict=True))]),
        places=np.concatenate([none, *(batch.places for batch in batches)]),
    )


def _sequences(values: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """One hash for each sequence, that begins at its start and ends before the next; order counts, zeros do not."""
    if not len(starts):
        return np.zeros(0, np.uint64)
    lengths = np.diff(starts, append=len(values))
    powers = np.multiply.accumulate(np.full(lengths.max(), _BASE))
    position = np.arange(starts[0], len(values)) - np.repeat(starts, lengths)
    return mixed(np.add.reduceat(values[starts[0] :] * powers[position], starts - starts[0]))
