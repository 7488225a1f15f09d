"""Rows that are nearly the same as rows of another table: all of them, and exactly, by prefix filtering.

Two sets whose Jaccard similarity is at least t share one of the rarest n - ceil(t n) + 1 members of each, n being its
size (Chaudhuri, Ganti and Kaushik 2006, A Primitive Operator for Similarity Joins in Data Cleaning). Only pairs that
share such a rare shingle are compared, so that no pair is missed and what all rows have in common costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.duplicates.shingles import HASH_BITS, SHINGLE, distinct_shingles
from atanor.data.options import NEAR_DUPLICATE

NO_ROW = -1
_TEXTS = 1 << 13
"""Texts whose shingles are made at once."""
_ROWS = 1 << 10
"""Rows looked up at once: bounds the pairs that are held."""
_PAIRS = 1 << 14
"""Pairs compared at once."""
_ROUNDING = 1e-9

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Nearest:
    """For each row the other row that is most alike.

    Attributes:
        other: (rows,) its place, the first of equally alike ones; `NO_ROW` where none is alike enough.
        similarity: (rows,) its Jaccard similarity; 0 where there is none.
    """

    other: Numbers
    similarity: npt.NDArray[np.float64]


def nearest_across(rows: pa.StringArray, others: pa.StringArray, threshold: float = NEAR_DUPLICATE) -> Nearest:
    """Find every row that is nearly the same as one of the others.

    Args:
        rows: (rows,) texts.
        others: (others,) the texts they are compared with.
        threshold: Jaccard similarity of their shingles, above 0, at most 1.
    """
    other = np.full(len(rows), NO_ROW, np.int64)
    similarity = np.zeros(len(rows))
    left, right = _ranked([_members(rows), _members(others)])
    rare = left.rarest(threshold)
    known = right.rarest(threshold)
    known = known.taken(np.argsort(known.values, kind="stable"))
    for start in range(0, len(rows), _ROWS):
        pairs = _pairs(rare.of_texts(start, start + _ROWS), known)
        alike = np.concatenate([np.zeros(0), *(_jaccard(left, right, *part) for part in _parts(*pairs))])
        order = np.lexsort((pairs[1], -alike, pairs[0]))
        order = order[alike[order] >= threshold - _ROUNDING]
        owners, best = np.unique(pairs[0][order], return_index=True)
        other[owners], similarity[owners] = pairs[1][order][best], alike[order][best]
    return Nearest(other, similarity)


@dataclass(frozen=True)
class _Members:
    """The shingles of texts.

    Attributes:
        owners: (shingles,) the text each belongs to, ascending.
        values: (shingles,) its hash, or its rank from the rarest.
        sizes: (texts,) shingles of each text.
    """

    owners: Numbers
    values: Numbers
    sizes: Numbers

    @property
    def starts(self) -> Numbers:
        """(texts,) where those of each text begin."""
        starts: Numbers = np.cumsum(self.sizes) - self.sizes
        return starts

    def taken(self, places: npt.NDArray[np.intp]) -> _Members:
        return _Members(self.owners[places], self.values[places], self.sizes)

    def of_texts(self, start: int, end: int) -> _Members:
        """Those of the texts from `start` to before `end`."""
        first, last = np.searchsorted(self.owners, [start, end])
        return _Members(self.owners[first:last], self.values[first:last], self.sizes)

    def rarest(self, threshold: float) -> _Members:
        """As many of each text as hold one that it shares with every text alike."""
        wanted = self.sizes - np.ceil(threshold * self.sizes - _ROUNDING).astype(np.int64) + 1
        return self.taken(np.flatnonzero(np.arange(len(self.owners)) - self.starts[self.owners] < wanted[self.owners]))

    def of_pairs(self, texts: Numbers) -> Numbers:
        """The values of each of these texts with its place among them in the high bits: they ascend."""
        counts = self.sizes[texts]
        places = np.arange(counts.sum()) + np.repeat(self.starts[texts] - np.cumsum(counts) + counts, counts)
        found: Numbers = np.repeat(np.arange(len(texts)) << 32, counts) | self.values[places]
        return found


def _members(texts: pa.StringArray) -> _Members:
    owners, hashes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(texts), _TEXTS):
        packed = distinct_shingles(texts.slice(start, _TEXTS), SHINGLE)
        owners.append((packed >> HASH_BITS).astype(np.int64) + start)
        hashes.append((packed & ((np.uint64(1) << HASH_BITS) - np.uint64(1))).astype(np.int64))
    every = np.concatenate(owners)
    return _Members(every, np.concatenate(hashes), np.bincount(every, minlength=len(texts)))


def _ranked(sides: Sequence[_Members]) -> list[_Members]:
    """Hashes become ranks from the rarest over all sides, and those of each text ascend."""
    every, places, counts = np.unique(
        np.concatenate([side.values for side in sides]), return_inverse=True, return_counts=True
    )
    rank = np.empty(len(every), np.int64)
    rank[np.lexsort((every, counts))] = np.arange(len(every))
    parts = np.split(rank[places], np.cumsum([len(side.values) for side in sides])[:-1])
    ranked = [_Members(side.owners, ranks, side.sizes) for side, ranks in zip(sides, parts, strict=True)]
    return [side.taken(np.lexsort((side.values, side.owners))) for side in ranked]


def _pairs(left: _Members, right: _Members) -> tuple[Numbers, Numbers]:
    """Texts of both sides that share a rank, each pair once; the ranks of the right side ascend."""
    first = np.searchsorted(right.values, left.values, side="left")
    counts = np.searchsorted(right.values, left.values, side="right") - first
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    packed = np.unique(np.repeat(left.owners, counts) << 32 | right.owners[np.repeat(first, counts) + steps])
    return packed >> 32, packed & 0xFFFFFFFF


def _parts(first: Numbers, second: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    for start in range(0, len(first), _PAIRS):
        yield first[start : start + _PAIRS], second[start : start + _PAIRS]


def _jaccard(left: _Members, right: _Members, first: Numbers, second: Numbers) -> npt.NDArray[np.float64]:
    """The similarity of each pair; both sides hold all their ranks."""
    every = np.concatenate([left.of_pairs(first), right.of_pairs(second)])
    every.sort(kind="stable")  # two runs that ascend already: this merges them
    common = np.bincount(every[1:][every[1:] == every[:-1]] >> 32, minlength=len(first))
    union = left.sizes[first] + right.sizes[second] - common
    similarity: npt.NDArray[np.float64] = common / np.maximum(union, 1)
    return similarity
