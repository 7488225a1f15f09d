"""MinHash signatures: how alike two texts are, from 128 numbers each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.duplicates.folding import fold_in_chunks
from atanor.data.duplicates.shingles import SHINGLE, Windows, mixed, shingles

PERMUTATIONS = 128
"""The standard error of a similarity near 0.6 is then 0.043."""
EMPTY = np.uint32(0xFFFFFFFF)
"""Every number of the signature of a text without a shingle. Such a text is like no other."""

_BLOCK = 1 << 16
"""Shingles permuted at once: they and their images stay in the processor's second cache."""


def signatures(
    texts: pa.StringArray, permutations: int = PERMUTATIONS, shingle: int = SHINGLE
) -> npt.NDArray[np.uint32]:
    """The MinHash signature of each text: the share of equal numbers of two estimates their Jaccard similarity.

    Each number is the least image of the text's shingles under one permutation (Broder 1997), drawn from the linear
    ones modulo 2^32; the shingles are well mixed before. Texts are compared as `folding` describes.

    Args:
        texts: (texts,) any number; they are worked through in chunks.
        permutations: numbers in a signature; the standard error of an estimate J is sqrt(J (1 - J) / permutations).
        shingle: letters of a shingle.

    Returns:
        uint32 (texts, permutations); a row of `EMPTY` for a text without letters and digits.
    """
    found = np.full((len(texts), permutations), EMPTY, np.uint32)
    factors, shifts = _permutations(permutations)
    for first, folded in fold_in_chunks(texts):
        _permute(shingles(folded, shingle), factors, shifts, found[first : first + len(folded)])
    return found


def is_empty(found: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Which signatures are those of texts without a shingle: bool (texts,)."""
    empty: npt.NDArray[np.bool_] = found[:, 0] == EMPTY
    empty[empty] = (found[empty] == EMPTY).all(axis=1)
    return empty


def _permute(
    found: Windows,
    factors: npt.NDArray[np.uint32],
    shifts: npt.NDArray[np.uint32],
    out: npt.NDArray[np.uint32],
) -> None:
    """Write the least image of each text's shingles under every permutation."""
    filled = np.flatnonzero(np.diff(found.starts))
    starts = found.starts[filled]
    hashes = (found.hashes >> np.uint64(32)).astype(np.uint32)
    first = 0
    while first < len(filled):
        last = max(int(np.searchsorted(starts, starts[first] + _BLOCK)), first + 1)
        end = starts[last] if last < len(filled) else len(hashes)
        block, borders = hashes[starts[first] : end], starts[first:last] - starts[first]
        image = np.empty_like(block)
        least = np.empty((len(factors), len(borders)), np.uint32)
        for number, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
            np.multiply(block, factor, out=image)
            np.add(image, shift, out=image)
            np.minimum.reduceat(image, borders, out=least[number])
        out[filled[first:last]] = least.T
        first = last


def _permutations(count: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Odd factors and shifts, the same ones always."""
    drawn = mixed(np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return (drawn >> np.uint64(32)).astype(np.uint32) | np.uint32(1), drawn.astype(np.uint32)
