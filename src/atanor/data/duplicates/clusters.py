"""Rows that belong together, directly or through others: union-find over whole arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Clusters:
    """The cluster of each row, named by its lowest row.

    Attributes:
        representative: int64 (rows,) lowest row of the cluster; a row alone is its own.
        similarity: float32 (rows,) Jaccard similarity to that row, 1 for the row itself. A row that joined through
            others may be less alike than the threshold.
        threshold: similarity from which two rows were joined.
    """

    representative: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]
    threshold: float

    @property
    def copies(self) -> npt.NDArray[np.int64]:
        """Rows that may go because the first of their cluster says nearly the same; those alike through others stay."""
        own = np.arange(len(self.representative))
        return np.flatnonzero((self.representative != own) & (self.similarity >= self.threshold))


def joined(
    representative: npt.NDArray[np.int64], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The representatives after the clusters of each pair of rows became one.

    Args:
        representative: (rows,) lowest row of the cluster of each row.
        left: (pairs,) rows.
        right: (pairs,) the rows they belong with.
    """
    if not len(left):
        return representative
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # Only the clusters that pairs touch take part, so that a few pairs among many rows cost little.
    ends = representative[np.concatenate([left, right])]
    touched, place = np.unique(ends, return_inverse=True)
    edges = (np.ones(len(left), bool), (place[: len(left)], place[len(left) :]))
    count, component = connected_components(coo_array(edges, shape=(len(touched), len(touched))), directed=False)
    lowest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(lowest, component, touched)
    moved = np.arange(len(representative))
    moved[touched] = lowest[component]
    return moved[representative]


def together(count: int, *keys: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """The lowest row of the component of each row, where rows that share a value of any of the keys are together.

    Args:
        count: number of rows.
        keys: each (rows,).
    """
    representative = np.arange(count, dtype=np.int64)
    for key in keys:
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        representative = joined(representative, np.arange(count), first[place])
    return representative
