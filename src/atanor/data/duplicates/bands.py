"""Locality-sensitive hashing: signatures cut into bands, so that only rows that share a whole band are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from atanor.data.duplicates.shingles import mixed

RECALL = 0.95
"""Share of the pairs right at the threshold that bands must find; more alike ones are found more often."""


@dataclass(frozen=True)
class Banding:
    """How signatures are cut (Leskovec, Rajaraman, Ullman 2020, section 3.4).

    Attributes:
        bands: number of bands.
        rows: numbers of the signature in each.
    """

    bands: int
    rows: int

    def probability(self, similarity: float) -> float:
        """The chance that two texts of this Jaccard similarity share a band."""
        return 1 - (1 - similarity**self.rows) ** self.bands


def banding_for(threshold: float, permutations: int, recall: float = RECALL) -> Banding:
    """The banding with the fewest chance candidates among those that find pairs at the threshold often enough.

    Args:
        threshold: Jaccard similarity from which a pair is wanted, above 0, at most 1.
        permutations: numbers in a signature.
        recall: the chance a pair at the threshold must have.
    """
    cuts = [Banding(permutations // rows, rows) for rows in range(permutations, 0, -1)]
    return next((cut for cut in cuts if cut.probability(threshold) >= recall), cuts[-1])


def band_keys(signatures: npt.NDArray[np.uint32], banding: Banding) -> npt.NDArray[np.uint64]:
    """One 8-byte key for each band of each signature: equal where the whole band is.

    Args:
        signatures: (texts, permutations), as `signatures` makes them.
        banding: at most `permutations` numbers in all.

    Returns:
        uint64 (bands, texts).
    """
    used = signatures[:, : banding.bands * banding.rows].reshape(len(signatures), banding.bands, banding.rows)
    keys = np.zeros((banding.bands, len(signatures)), np.uint64)
    for number in range(banding.rows):
        keys = mixed(keys + used[:, :, number].T)
    return keys
