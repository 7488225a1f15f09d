"""Windows over sequences as hashes: of letters for MinHash and Jaccard, of words for contamination."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.duplicates.folding import FoldedTexts, fold_in_chunks

SHINGLE = 5
"""Letters of a shingle, as usual for texts of a few sentences (Leskovec, Rajaraman, Ullman 2020, section 3.2)."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_PAIRS = 1 << 13
"""Pairs compared at once; with the place of a pair in 14 bits, 50 bits are left for the hash of a shingle."""
HASH_BITS = np.uint64(50)


@dataclass(frozen=True)
class Windows:
    """The windows of a batch of sequences. Those of sequence `i` are `hashes[starts[i]:starts[i + 1]]`.

    Attributes:
        hashes: uint64, well mixed.
        starts: int64 (sequences + 1,).
    """

    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]


def windows(
    values: npt.NDArray[np.integer], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], size: int
) -> Windows:
    """Hashes of all windows of `size` values; a shorter sequence is one window, an empty one has none.

    Args:
        values: all sequences in one array.
        starts: (sequences,) where each begins.
        ends: (sequences,) where each ends.
        size: values of a window.
    """
    lengths = ends - starts
    counts = np.where(lengths > 0, np.maximum(lengths - size + 1, 1), 0)
    borders = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(counts, out=borders[1:])
    places = np.repeat(starts - borders[:-1], counts) + np.arange(borders[-1])
    wide: npt.NDArray[np.uint64] = values.astype(np.uint64)
    whole = max(len(wide) - size + 1, 0)
    rolling = wide[:whole].copy()
    for shift in range(1, size):
        rolling *= _BASE
        rolling += wide[shift : shift + whole]
    hashes = rolling[np.minimum(places, whole - 1)] if whole else np.zeros(len(places), np.uint64)
    short = np.flatnonzero((lengths > 0) & (lengths < size))
    hashes[borders[short]] = _short(wide, starts[short], lengths[short], size)
    return Windows(mixed(hashes), borders)


def shingles(texts: FoldedTexts, size: int = SHINGLE) -> Windows:
    """Hashes of the runs of `size` letters of each text."""
    return windows(texts.codes, texts.starts, texts.ends, size)


def jaccard(left: pa.StringArray, right: pa.StringArray, size: int = SHINGLE) -> npt.NDArray[np.float32]:
    """Exact Jaccard similarity of the shingle sets of each pair of texts, 0 to 1; 0 where a text has no shingle.

    Args:
        left: (pairs,) texts.
        right: (pairs,) the texts they are compared with.
        size: letters of a shingle.
    """
    found = [_jaccard(left.slice(at, _PAIRS), right.slice(at, _PAIRS), size) for at in range(0, len(left), _PAIRS)]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Every bit of the result hangs on every bit of the value (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _short(
    values: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.uint64]:
    """The one window of sequences shorter than it, as if zeros followed."""
    found = np.zeros(len(starts), np.uint64)
    for shift in range(size):
        inside = lengths > shift
        found *= _BASE
        found[inside] += values[starts[inside] + shift]
    return found


def _jaccard(left: pa.StringArray, right: pa.StringArray, size: int) -> npt.NDArray[np.float32]:
    both = [distinct_shingles(texts, size) for texts in (left, right)]
    sizes = [np.bincount(one >> HASH_BITS, minlength=len(left)) for one in both]
    every = np.sort(np.concatenate(both))
    common = np.bincount(every[1:][every[1:] == every[:-1]] >> HASH_BITS, minlength=len(left))
    union = sizes[0] + sizes[1] - common
    similarity: npt.NDArray[np.float32] = (common / np.maximum(union, 1)).astype(np.float32)
    return similarity


def distinct_shingles(texts: pa.StringArray, size: int) -> npt.NDArray[np.uint64]:
    """The distinct shingles of each text, sorted: its place in the high bits, their hashes in the low `HASH_BITS`.

    Args:
        texts: at most 16,384 of them, so that their places have room.
        size: letters of a shingle.
    """
    parts = []
    for first, folded in fold_in_chunks(texts):
        found = shingles(folded, size)
        owner = np.repeat(np.arange(first, first + len(folded), dtype=np.uint64), np.diff(found.starts))
        parts.append((owner << HASH_BITS) | (found.hashes >> (np.uint64(64) - HASH_BITS)))
    every = np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)
    # `np.unique` hashes before it sorts, which takes several times as long here.
    new = np.ones(len(every), bool)
    new[1:] = every[1:] != every[:-1]
    distinct: npt.NDArray[np.uint64] = every[new]
    return distinct
