"""Drawing rows so that every class keeps its share on every side: the largest-remainder method, class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

_ON_EVERY_SIDE = 3
"""Rows from which a class can be on every side."""


@dataclass(frozen=True)
class Groups:
    """Rows that stay together, and the classes in each group, in the order groups are drawn in.

    Group `i` has `counts[j]` rows of class `classes[j]` for `j` from `starts[i]` to `starts[i + 1]`.
    """

    starts: list[int]
    classes: list[int]
    counts: list[int]

    def of(self, group: int) -> list[tuple[int, int]]:
        """Class and number of rows, for each class in the group."""
        here = slice(self.starts[group], self.starts[group + 1])
        return list(zip(self.classes[here], self.counts[here], strict=True))


def groups_in_order(group: Numbers, labels: Numbers) -> Groups:
    """The classes in each group.

    Args:
        group: (rows,) the place of each row's group in the order, from 0.
        labels: (rows,) number of each row's class, from 0.
    """
    width = int(labels.max()) + 1
    pairs, counts = np.unique(group * width + labels, return_counts=True)
    starts = np.searchsorted(pairs // width, np.arange(int(group.max()) + 2))
    return Groups(starts.tolist(), (pairs % width).tolist(), counts.tolist())


def quotas(sizes: Numbers, wanted: int, room: Numbers, *, exact: bool) -> Numbers:
    """Rows of each class that a side should have: its share rounded up or down, `wanted` together.

    A class of three rows or more that would have none gets one, taken from a class whose share was rounded up. Where
    none can spare it, the side grows by the row, unless its size is `exact`.

    Args:
        sizes: (classes,) rows of each class.
        wanted: rows of the side.
        room: (classes,) the most rows of each class that the side may have.
        exact: whether the side may not have more than `wanted`.
    """
    total = int(sizes.sum())
    whole, rest = np.divmod(sizes * wanted, total)
    quota = np.minimum(whole, room)
    rest[quota >= room] = 0
    up = np.argsort(-rest, kind="stable")[: max(wanted - int(quota.sum()), 0)]
    up = up[rest[up] > 0]
    quota[up] += 1
    absent = np.flatnonzero((quota == 0) & (room > 0) & (sizes >= _ON_EVERY_SIDE))
    absent = absent[np.argsort(-sizes[absent], kind="stable")]
    donors = up[quota[up] > 1][::-1]
    given = min(len(absent), len(donors))
    quota[donors[:given]] -= 1
    spare = wanted - int(quota.sum()) if exact else len(absent)
    quota[absent[: max(spare, 0)]] = 1
    return quota


def room_for_test(sizes: Numbers) -> Numbers:
    """The most test rows of each class that leave one to learn from, and one to validate on where there are three."""
    return np.maximum(np.where(sizes >= _ON_EVERY_SIDE, sizes - 2, sizes - 1), 0)


def draw(groups: Groups, free: list[int], quota: Numbers, left: Numbers, most: int) -> list[int]:
    """Groups that together have about the quota of every class, the first in order that fit.

    Args:
        groups: all groups.
        free: the groups that may be drawn, in order.
        quota: (classes,) rows wanted.
        left: (classes,) rows of the free groups; a class is never drawn whole.
        most: groups that may be drawn.
    """
    missing, remaining = quota.tolist(), left.tolist()
    wanted = sum(missing)
    taken: list[int] = []
    passed: list[int] = []
    for place, group in enumerate(free):
        if wanted == 0 or len(taken) == most:
            passed += free[place:]
            break
        rows = groups.of(group)
        if all(count <= missing[label] and count < remaining[label] for label, count in rows):
            taken.append(group)
            wanted -= sum(count for _, count in rows)
            _take(rows, missing, remaining)
        else:
            passed.append(group)
    for group in passed if wanted else ():
        # What is still missing is smaller than the groups: one that overshoots is taken if that comes closer.
        rows = groups.of(group)
        closer = sum(abs(missing[label] - count) - abs(missing[label]) for label, count in rows) < 0
        if closer and len(taken) < most and all(count < remaining[label] for label, count in rows):
            taken.append(group)
            _take(rows, missing, remaining)
    return taken


def _take(rows: list[tuple[int, int]], missing: list[int], remaining: list[int]) -> None:
    for label, count in rows:
        missing[label] -= count
        remaining[label] -= count
