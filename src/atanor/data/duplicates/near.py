"""Near-duplicates among millions of rows: candidates by sorting one band at a time, then verified, then joined.

A pair is verified by the agreement of its signatures, kept as their low bytes (b-bit minwise hashing, Li and König
2010), and by the exact Jaccard similarity of its texts where these are given. A band that very many rows share, as all
that carry the same boilerplate, is compared along a chain and with its first row only, never all with all, so that
time grows with the number of rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.duplicates.bands import Banding, band_keys, banding_for
from atanor.data.duplicates.clusters import Clusters, joined
from atanor.data.duplicates.minhash import PERMUTATIONS, is_empty
from atanor.data.duplicates.shingles import SHINGLE, jaccard
from atanor.data.options import NEAR_DUPLICATE

_NEIGHBOURS = 3
"""Rows after it in its band that a row is compared with, besides the first of all."""
_MARGIN = 0.1
"""How far below the threshold a signature may put a pair that is then compared exactly: two standard errors."""
_CHUNK = 1 << 16
"""Pairs verified at once."""

Number = TypeVar("Number", bound=np.generic)
Texts = Callable[[npt.NDArray[np.int64]], pa.StringArray]
"""Gives the texts of these rows, in this order."""


@dataclass
class NearDuplicates:
    """Collects signatures in batches, then finds the clusters of near-duplicates among all of them.

    Each row takes 8 bytes a band and one a permutation: 328 at the defaults.

    Attributes:
        threshold: Jaccard similarity from which two rows are near-duplicates, above 0, at most 1.
        permutations: numbers in a signature.
        folder: an existing folder where keys and signatures lie, memory-mapped; None: in memory.
    """

    threshold: float = NEAR_DUPLICATE
    permutations: int = PERMUTATIONS
    folder: Path | None = None
    _keys: list[npt.NDArray[np.uint64]] = field(default_factory=list, init=False)
    _low_bytes: list[npt.NDArray[np.uint8]] = field(default_factory=list, init=False)
    _empty: list[npt.NDArray[np.bool_]] = field(default_factory=list, init=False)

    @property
    def banding(self) -> Banding:
        """How the signatures are cut."""
        return banding_for(self.threshold, self.permutations)

    def add(self, signatures: npt.NDArray[np.uint32]) -> None:
        """Take the next rows: (rows, permutations), as `signatures` makes them."""
        self._empty.append(is_empty(signatures))
        self._keys.append(self._kept(band_keys(signatures, self.banding)))
        self._low_bytes.append(self._kept(signatures.astype(np.uint8)))

    def clusters(
        self, texts: Texts | None = None, *, shingle: int = SHINGLE, done: Callable[[int, int], None] | None = None
    ) -> Clusters:
        """The clusters of all rows added.

        Args:
            texts: gives the texts of rows, for exact similarities; None: those the signatures estimate.
            shingle: letters of a shingle, as the signatures were made with.
            done: called after each band with the bands done and their number.
        """
        verify = _Verification(_Rows(self._low_bytes, self.permutations), self.threshold, texts, shingle)
        filled = np.flatnonzero(~np.concatenate(self._empty)) if self._empty else np.zeros(0, np.int64)
        representative = np.arange(sum(map(len, self._empty)), dtype=np.int64)
        for band in range(self.banding.bands):
            if self._keys:
                keys = np.concatenate([batch[band] for batch in self._keys])[filled]
                for left, right in _candidates(keys, filled):
                    apart = representative[left] != representative[right]
                    representative = joined(representative, *verify.alike(left[apart], right[apart]))
            if done is not None:
                done(band + 1, self.banding.bands)
        return Clusters(representative, verify.to_representative(representative), self.threshold)

    def _kept(self, batch: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """The batch, in a file of its own where there is a folder."""
        if self.folder is None:
            return batch
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".npy", delete=False) as file:
            np.save(file, batch)
        kept: npt.NDArray[Number] = np.load(file.name, mmap_mode="r")
        return kept


def _candidates(
    keys: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Pairs of rows with equal keys: each with the next few of its band, and with the first; lowest row first."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    rows = rows[order]
    shared = np.zeros(len(keys) + 1, bool)
    shared[1:-1] = keys[1:] == keys[:-1]
    in_company = shared[:-1] | shared[1:]
    keys, rows = keys[in_company], rows[in_company]
    for distance in range(1, _NEIGHBOURS + 1):
        equal = keys[distance:] == keys[:-distance]
        yield rows[:-distance][equal], rows[distance:][equal]
    places = np.arange(len(keys))
    begins = np.ones(len(keys), bool)
    begins[1:] = keys[1:] != keys[:-1]
    first = np.maximum.accumulate(np.where(begins, places, 0))
    far = places - first > _NEIGHBOURS
    yield rows[first[far]], rows[far]


class _Rows:
    """The low bytes of all signatures, wherever their batches lie."""

    def __init__(self, batches: list[npt.NDArray[np.uint8]], permutations: int) -> None:
        self._batches = batches
        self._permutations = permutations
        self._starts = np.cumsum([0, *map(len, batches)])

    def at(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        found = np.empty((len(rows), self._permutations), np.uint8)
        batch = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(batch):
            here = batch == number
            found[here] = self._batches[number][rows[here] - self._starts[number]]
        return found


class _Verification:
    """Decides which candidates are near-duplicates. A pair refused by its texts is not compared again."""

    def __init__(self, rows: _Rows, threshold: float, texts: Texts | None, shingle: int) -> None:
        self._rows = rows
        self._threshold = threshold
        self._texts = texts
        self._shingle = shingle
        self._refused = np.zeros(0, np.int64)

    def alike(
        self, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Those of the pairs that are near-duplicates."""
        enough = self._threshold if self._texts is None else self._threshold - _MARGIN
        passed = self._estimates(left, right) >= enough
        left, right = left[passed], right[passed]
        if self._texts is None or not len(left):
            return left, right
        pairs = left << 32 | right
        new = ~np.isin(pairs, self._refused)
        left, right, pairs = left[new], right[new], pairs[new]
        passed = self._exact(left, right) >= self._threshold
        self._refused = np.concatenate([self._refused, pairs[~passed]])
        return left[passed], right[passed]

    def to_representative(self, representative: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The similarity of each row to the first of its cluster, 1 for that one itself."""
        rows = np.flatnonzero(representative != np.arange(len(representative)))
        similarity = np.ones(len(representative), np.float32)
        compare = self._estimates if self._texts is None else self._exact
        similarity[rows] = compare(representative[rows], rows)
        return similarity

    def _estimates(self, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The similarity by signature, less the 1 in 256 of the low bytes that are equal by chance."""
        found: npt.NDArray[np.float32] = np.empty(len(left), np.float32)
        for at in range(0, len(left), _CHUNK):
            here = slice(at, at + _CHUNK)
            found[here] = (self._rows.at(left[here]) == self._rows.at(right[here])).mean(axis=1)
        np.maximum((found - 1 / 256) / (1 - 1 / 256), 0, out=found)
        return found

    def _exact(self, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        assert self._texts is not None
        found = np.empty(len(left), np.float32)
        for at in range(0, len(left), _CHUNK):
            here = slice(at, at + _CHUNK)
            found[here] = jaccard(self._texts(left[here]), self._texts(right[here]), self._shingle)
        return found
