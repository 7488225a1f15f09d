"""Sides for a million rows at a time, from keys in arrays: which rows stay together, and what is drawn for which side.

Groups of rows are put in an order that only the seed and their content decide; the test side is filled first, then
validation, and the rest is for training. A group is never cut. Drawn by time, the newest groups are the test, those
before them validation. See `splitting` for the same over examples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from atanor.data.duplicates.clusters import together
from atanor.data.frozen import Frozen, read_frozen, require_same, write_frozen
from atanor.data.identity import assignment_sha
from atanor.data.options import SplitOptions
from atanor.data.sides import SIDES, Side
from atanor.data.splitting import require_possible
from atanor.data.stratified import draw, groups_in_order, quotas, room_for_test
from atanor.errors import DataError, Problem

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SplitKeys:
    """What decides the side of each row. Every array is (rows,).

    Attributes:
        rows: 64-bit key of the row's content, as `Example.id` is; exact copies have been left out.
        groups: 64-bit keys of groups, an array for each kind of group (prompt, scene, source …); at least one.
        clusters: number of the row's near-duplicate cluster. Rows that share a group or cluster stay together.
        labels: number of the row's class, from 0 in an order that does not hang on that of the rows.
        times: seconds since 1970.
    """

    rows: Keys
    groups: tuple[Keys, ...]
    clusters: Numbers | None = None
    labels: Numbers | None = None
    times: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Assignment:
    """The side of every row.

    Attributes:
        sides: uint8 (rows,) places in `SIDES`.
        together: int64 (rows,) lowest row of those that stay together with each row.
        sha: hex SHA-256 of every row's key with its side.
        added_to_train: new rows that joined train, when the split was frozen before.
        added_to_groups: new rows that joined the side of a group or cluster that was already there.
        vanished: rows of the frozen split that are no longer there.
        bridging: new rows close to rows on several sides; each is on the one that is held out most.
        tied: rows as old as others on the next side, so that the seed and not their time divided them.
    """

    sides: npt.NDArray[np.uint8]
    together: Numbers
    sha: str
    added_to_train: int = 0
    added_to_groups: int = 0
    vanished: int = 0
    bridging: int = 0
    tied: int = 0


def assign_sides(keys: SplitKeys, options: SplitOptions, seed: int, frozen: Path | None) -> Assignment:
    """Draw the sides, or give each row the side it has had since the split was frozen.

    Args:
        keys: what decides.
        options: how many rows are held out and how they are drawn.
        seed: orders the groups.
        frozen: file of the frozen split; written when it is not there. None: nothing is frozen.

    Raises:
        ConfigurationError: the options contradict each other.
        DataError: a side would be empty, more rows are asked for than there are, labels or times are missing, or the
            frozen split was made with other options or another seed.
        StoreError: the frozen file is damaged or cannot be written.
    """
    require_possible(options)
    groups = together(len(keys.rows), *keys.groups, *([] if keys.clusters is None else [keys.clusters]))
    if frozen is not None and frozen.exists():
        old = read_frozen(frozen)
        require_same(old, options, seed, frozen)
        return _thawed(keys, groups, old, frozen)
    sides, tied = _Drawing(keys, groups, options, seed).sides()
    assignments = _named(keys.rows, sides)
    if frozen is not None:
        group_sides: dict[str, str] = {}
        for kind in keys.groups:
            group_sides |= _named(kind, sides)
        write_frozen(frozen, Frozen(options, seed, assignments, group_sides))
    return Assignment(sides, groups, assignment_sha(assignments), tied=tied)


class _Drawing:
    """One drawing of all sides, group by group."""

    def __init__(self, keys: SplitKeys, groups: Numbers, options: SplitOptions, seed: int) -> None:
        self._keys = keys
        self._options = options
        self._rows = len(groups)
        self._first, self._group = np.unique(groups, return_inverse=True)
        self._sizes = np.bincount(self._group, minlength=len(self._first))
        # Named by content, so that the order of the rows does not matter: the least key of any of its rows.
        self._names = np.full(len(self._first), np.iinfo(np.uint64).max, np.uint64)
        for kind in keys.groups:
            np.minimum.at(self._names, self._group, kind)
        self._order = _order(self._names, seed)
        self._side = np.zeros(len(self._first), np.uint8)
        """Of each group."""

    def sides(self) -> tuple[npt.NDArray[np.uint8], int]:
        """The side of each row, and how many rows time could not tell apart."""
        wanted = self._wanted()
        tied = 0
        if self._options.time_by is not None:
            tied = self._draw_newest(wanted)
        elif self._options.stratify_by is not None:
            self._draw_stratified(wanted)
        else:
            for number, rows, kept_back in wanted:
                free = self._order[self._side[self._order] == 0]
                self._side[self._fill(free, rows, len(free) - kept_back)] = number
        return self._side[self._group], tied

    def _wanted(self) -> list[tuple[int, int, int]]:
        """For the test side and then for validation: its number, its rows, and the groups to leave for the others."""
        test, validation = (_rows_wanted(one, self._rows) for one in (self._options.test, self._options.validation))
        if test + validation >= self._rows:
            raise _error(
                f"{test} test and {validation} validation rows are asked for, and {self._rows} distinct rows are "
                "there; none is left to train on",
                "test",
                "Ask for fewer, or bring more rows",
            )
        if len(self._first) < len(SIDES):
            reason = f"the {self._rows} rows fall into {len(self._first)} groups, and three sides need one each"
            raise _error(reason, "test", "Group by a column with more values, or bring rows of more groups")
        return [(SIDES.index(Side.TEST), test, 2), (SIDES.index(Side.VALIDATION), validation, 1)]

    def _fill(self, free: Numbers, wanted: int, most: int) -> list[int]:
        """From 1 to `most` groups with about `wanted` rows together, the first in order that fit; over by one."""
        taken: list[int] = []
        missing = wanted
        for group, size in zip(free.tolist(), self._sizes[free].tolist(), strict=True):
            if missing == 0 or len(taken) == most:
                break
            if size <= missing:
                taken.append(group)
                missing -= size
        rest = np.setdiff1d(free, taken)
        if missing and len(taken) < most:
            off = np.abs(self._sizes[rest] - missing)
            closest = np.lexsort((self._names[rest], off))[0]
            if not taken or off[closest] < missing:
                taken.append(int(rest[closest]))
        return taken

    def _draw_newest(self, wanted: list[tuple[int, int, int]]) -> int:
        """The newest groups are the test, the next validation; the seed orders those of one time."""
        times = self._keys.times
        if times is None or np.isnan(times).any():
            missing = self._rows if times is None else int(np.isnan(times).sum())
            fix = "Mend or remove the rows without a time, or split without `time_by`"
            raise _error(f"{missing} of {self._rows} rows have no time that can be read", "time_by", fix)
        newest = np.full(len(self._first), -np.inf)
        np.maximum.at(newest, self._group, times)
        order = self._order[np.argsort(-newest[self._order], kind="stable")]
        begin = tied = 0
        for number, rows, kept_back in wanted:
            reached = np.cumsum(self._sizes[order[begin : len(order) - kept_back]])
            end = begin + int(np.argmin(np.abs(reached - rows))) + 1
            self._side[order[begin:end]] = number
            before, after = order[begin:end], order[end:]
            cut = newest[before[-1]]
            if newest[after[0]] == cut:
                tied += int(self._sizes[before[newest[before] == cut]].sum())
            begin = end
        return tied

    def _draw_stratified(self, wanted: list[tuple[int, int, int]]) -> None:
        """Every class keeps its share on every side, as far as groups permit."""
        labels = self._keys.labels
        if labels is None:
            reason = "no row has a class to keep the shares of"
            raise _error(reason, "stratify_by", "Name a column that the rows have, or split without it")
        place = np.empty(len(self._order), np.int64)
        place[self._order] = np.arange(len(self._order))
        groups = groups_in_order(place[self._group], labels)
        sizes = np.bincount(labels)
        left, room = sizes, room_for_test(sizes)
        for number, rows, kept_back in wanted:
            exact = isinstance(
                self._options.test if number == SIDES.index(Side.TEST) else self._options.validation, int
            )
            free = np.flatnonzero(self._side[self._order] == 0)
            drawn = draw(groups, free.tolist(), quotas(sizes, rows, room, exact=exact), left, len(free) - kept_back)
            if not drawn:
                reason = f"no {SIDES[number]} row can be drawn: of nearly every class there is one row or one group"
                raise _error(reason, "stratify_by", "Stratify by a column with fewer values, or group by a finer one")
            self._side[self._order[drawn]] = number
            left = np.bincount(labels[self._side[self._group] == 0], minlength=len(sizes))
            room = np.maximum(left - 1, 0)


def _thawed(keys: SplitKeys, groups: Numbers, old: Frozen, file: Path) -> Assignment:
    """The frozen sides; a new row joins its group's side, or that of the rows it stays with, or else train."""
    known = _looked_up(keys.rows, old.assignments)
    new = known < 0
    of_group = np.maximum.reduce([_looked_up(kind, old.groups) for kind in keys.groups])
    found = np.where(new, of_group, known)
    of_company = np.full(len(groups), -1, np.int8)
    np.maximum.at(of_company, groups, found)
    least = np.full(len(groups), len(SIDES), np.int8)
    np.minimum.at(least, groups[found >= 0], found[found >= 0])
    of_company, torn = of_company[groups], (least < of_company)[groups]
    joined = new & (of_company >= 0)
    sides = np.where(found >= 0, found, np.maximum(of_company, 0)).astype(np.uint8)
    assignments = _named(keys.rows, sides)
    vanished = len(old.assignments.keys() - assignments.keys())
    for number in reversed(range(len(SIDES))):
        if not (sides == number).any():
            fix = (
                f"Bring the rows back, or delete {file} to make a new split; verdicts on the old one no longer compare"
            )
            reason = f"no {SIDES[number]} row of the frozen split is left in the data; {vanished} rows have vanished"
            raise _error(reason, SIDES[number], fix)
    return Assignment(
        sides=sides,
        together=groups,
        sha=assignment_sha(assignments),
        added_to_train=int((new & ~joined).sum()),
        added_to_groups=int(joined.sum()),
        vanished=vanished,
        bridging=int((new & torn).sum()),
    )


def _order(names: Keys, seed: int) -> Numbers:
    """The groups in the order of the SHA-256 of seed and name."""
    written = names.astype(">u8").tobytes().hex().encode()
    start = f"{seed}:".encode()
    digests = b"".join(
        [hashlib.sha256(start + written[place : place + 16]).digest() for place in range(0, len(written), 16)]
    )
    parts = np.frombuffer(digests, ">u8").reshape(-1, 4)
    return np.lexsort((parts[:, 3], parts[:, 2], parts[:, 1], parts[:, 0]))


def _named(keys: Keys, sides: npt.NDArray[np.uint8]) -> dict[str, str]:
    """Side by key, as frozen files write them, and in their order: sorting a million again takes no time then."""
    names = tuple(side.value for side in SIDES)
    order = np.argsort(keys)
    pairs = zip(keys[order].tolist(), sides[order].tolist(), strict=True)
    return {f"{key:016x}": names[side] for key, side in pairs}


def _looked_up(keys: Keys, sides: Mapping[str, str]) -> npt.NDArray[np.int8]:
    """The place in `SIDES` of each key's side, -1 where there is none."""
    known = np.fromiter((int(key, 16) for key in sides), np.uint64, len(sides))
    places = {side.value: place for place, side in enumerate(SIDES)}
    numbers = np.fromiter((places[side] for side in sides.values()), np.int8, len(sides))
    if not len(known):
        return np.full(len(keys), -1, np.int8)
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known, keys, sorter=order), len(known) - 1)
    found = order[place]
    return np.where(known[found] == keys, numbers[found], np.int8(-1))


def _rows_wanted(option: float, rows: int) -> int:
    """Rows a count or a share asks for; a share asks for one at least, because an empty side judges nothing."""
    return option if isinstance(option, int) else max(1, round(option * rows))


def _error(reason: str, option: str, fix: str) -> DataError:
    return DataError("the data cannot be split", [Problem(reason, field=f"split.{option}", fix=fix)])
