"""What test items are found by while training rows stream past: whole texts, runs of words, bands of signatures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.duplicates.bands import band_keys, banding_for
from atanor.data.duplicates.minhash import is_empty, signatures
from atanor.data.duplicates.words import Words

NO_ROW = np.iinfo(np.int64).max
"""Stands where no training row was found."""
TEMPLATE_ITEMS = 10
"""A run that more items than this have in common is their template, and says nothing about one of them."""

_BUCKET = 8
"""Items of one band that a training row is compared with; any others there are much like these."""


class HashIndex:
    """Distinct hashes, each with the first row that had it.

    Attributes:
        keys: uint64, ascending.
        first_row: int64, `NO_ROW` for a key that no row had.
    """

    def __init__(self, keys: npt.NDArray[np.uint64]) -> None:
        self.keys = keys
        self.first_row = np.full(len(keys), NO_ROW)
        # One look into a table tells nearly all hashes that are not there; the search is for the few that may be.
        bits = max(int(len(keys) * 16).bit_length(), 16)
        self._mask = np.uint64((1 << bits) - 1)
        self._table = np.zeros(1 << bits, bool)
        self._table[keys & self._mask] = True

    def look_up(self, hashes: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]) -> None:
        """Note the rows of those hashes that are keys.

        Args:
            hashes: any number.
            rows: the row of each.
        """
        likely = np.flatnonzero(self._table[hashes & self._mask])
        place = np.searchsorted(self.keys, hashes[likely])
        there = place < len(self.keys)
        there[there] = self.keys[place[there]] == hashes[likely[there]]
        np.minimum.at(self.first_row, place[there], rows[likely[there]])


class TextIndex:
    """Items by all their words."""

    def __init__(self, words: Words) -> None:
        self._filled = np.flatnonzero(words.counts)
        keys, self._key = np.unique(words.whole()[self._filled], return_inverse=True)
        self._index = HashIndex(keys)
        self._items = len(words.counts)

    def look_up(self, words: Words, first_row: int) -> None:
        """Look for texts whose numbers begin at `first_row`."""
        filled = np.flatnonzero(words.counts)
        self._index.look_up(words.whole()[filled], filled + first_row)

    def rows(self) -> npt.NDArray[np.int64]:
        """For each item the first text equal to it, or `NO_ROW`."""
        found = np.full(self._items, NO_ROW)
        found[self._filled] = self._index.first_row[self._key]
        return found


@dataclass(frozen=True)
class RunHits:
    """The runs of items that were found; arrays are (items,).

    Attributes:
        row: first row with a run of the item, or `NO_ROW`.
        place: number of the word where the run of that row begins.
        size: words of a run.
        covered: words of the item that found runs cover.
    """

    row: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    size: int
    covered: npt.NDArray[np.int64]


class RunIndex:
    """Items by their runs of a number of words.

    Attributes:
        templates: distinct runs left aside because many items have them.
    """

    def __init__(self, words: Words, size: int, fits: npt.NDArray[np.bool_]) -> None:
        """Index the items of `words` that fit, by runs of `size` words."""
        self._size = size
        self._word_starts = np.concatenate([[0], np.cumsum(words.counts)])
        runs = words.only(fits).ngrams(size)
        self._starts = runs.starts
        self._owner = np.repeat(np.arange(len(fits)), np.diff(runs.starts))
        keys, self._key = np.unique(runs.hashes, return_inverse=True)
        once = np.unique(self._key * len(fits) + self._owner)
        common = np.bincount(once // len(fits), minlength=len(keys)) > TEMPLATE_ITEMS
        self.templates = int(common.sum())
        self._place = np.where(common, len(keys) - self.templates, np.cumsum(~common) - 1)
        self._index = HashIndex(keys[~common])

    def look_up(self, words: Words, first_row: int) -> None:
        """Look for the runs in texts whose numbers begin at `first_row`."""
        runs = words.ngrams(self._size)
        rows = np.repeat(np.arange(first_row, first_row + len(words.counts)), np.diff(runs.starts))
        self._index.look_up(runs.hashes, rows)

    def hits(self) -> RunHits:
        """What was found of each item."""
        rows = np.append(self._index.first_row, NO_ROW)[self._place[self._key]]
        number = np.arange(len(rows)) - self._starts[self._owner]
        items = len(self._starts) - 1
        found = np.full(items, NO_ROW)
        np.minimum.at(found, self._owner, rows)
        place = np.full(items, NO_ROW)
        first = (rows != NO_ROW) & (rows == found[self._owner])
        np.minimum.at(place, self._owner[first], number[first])
        return RunHits(found, place, self._size, self._covered(number, rows != NO_ROW))

    def _covered(self, number: npt.NDArray[np.int64], hit: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Words of each item inside at least one of the runs that hit."""
        steps = np.zeros(self._word_starts[-1] + 1, np.int64)
        begins = (self._word_starts[self._owner] + number)[hit]
        np.add.at(steps, begins, 1)
        np.add.at(steps, begins + self._size, -1)
        inside = np.concatenate([[0], np.cumsum(np.cumsum(steps)[:-1] > 0)])
        covered: npt.NDArray[np.int64] = np.diff(inside[self._word_starts])
        return covered


class NearIndex:
    """Items by the bands of their signatures.

    Attributes:
        row: int64 (items,) the most alike row, the first of several, or `NO_ROW`.
        similarity: float64 (items,) its estimated Jaccard similarity; 0 where there is none.
    """

    def __init__(self, items: pa.StringArray, threshold: float, permutations: int) -> None:
        self.row = np.full(len(items), NO_ROW)
        self.similarity = np.zeros(len(items))
        self._threshold = threshold
        self._banding = banding_for(threshold, permutations)
        self._signatures = signatures(items, permutations)
        self._filled = np.flatnonzero(~is_empty(self._signatures))
        keys = band_keys(self._signatures[self._filled], self._banding)
        self._order = np.argsort(keys, axis=1, kind="stable")
        self._keys = np.take_along_axis(keys, self._order, axis=1)

    def look_up(self, rows: pa.StringArray, first_row: int) -> None:
        """Compare rows whose numbers begin at `first_row` with the items they share a band with."""
        if not len(self._filled):
            return
        found = signatures(rows, self._signatures.shape[1])
        filled = np.flatnonzero(~is_empty(found))
        keys = band_keys(found[filled], self._banding)
        pairs = [self._candidates(band, keys[band], filled) for band in range(self._banding.bands)]
        packed = np.unique(np.concatenate(pairs))
        self._compare(packed >> 32, packed & 0xFFFFFFFF, found, first_row)

    def _candidates(
        self, band: int, keys: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Items with the key of a row in this band, each pair as one number: the item above, the row below."""
        known = self._keys[band]
        first = np.searchsorted(known, keys)
        pairs = []
        for step in range(_BUCKET):
            place = first + step
            same = place < len(known)
            same[same] = known[place[same]] == keys[same]
            pairs.append(self._filled[self._order[band][place[same]]] << 32 | rows[same])
        return np.concatenate(pairs)

    def _compare(
        self,
        items: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int64],
        found: npt.NDArray[np.uint32],
        first_row: int,
    ) -> None:
        alike = np.empty(len(items))
        for at in range(0, len(items), 1 << 14):
            here = slice(at, at + (1 << 14))
            alike[here] = (self._signatures[items[here]] == found[rows[here]]).mean(axis=1)
        better = (alike >= self._threshold) & (alike > self.similarity[items])
        items, rows, alike = items[better], rows[better], alike[better]
        # The most alike row of each item comes first, and of equally alike ones the first read.
        order = np.lexsort((rows, -alike, items))
        items, best = np.unique(items[order], return_index=True)
        self.row[items] = rows[order][best] + first_row
        self.similarity[items] = alike[order][best]
