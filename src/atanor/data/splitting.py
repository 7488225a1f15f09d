"""The three-way split: made once, by content and not by place, and frozen, so that verdicts stay comparable.

Groups are put in an order that only the seed and their content decide; the test side is filled first, then
validation, and the rest is for training. A group is never cut, so that no prompt, scene or document is both learned
and tested (`reference/frameworks.md`, section 4, item 21).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from atanor.data.frozen import Frozen, read_frozen, require_same, write_frozen
from atanor.data.identity import assignment_sha, group_key
from atanor.data.options import SplitOptions
from atanor.data.rows import Example
from atanor.errors import DataError, Problem


class Side(StrEnum):
    """The three sides of a split."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class Split:
    """Examples on three sides, each in the order they were read.

    Attributes:
        train: learned from.
        validation: chooses the best checkpoint.
        test: the verdict is made on these.
        sha: hex SHA-256 of every example id with its side.
        duplicates: exact copies of an example read before; not used.
        added_to_train: new examples of new groups that joined train, when the split was frozen before.
        added_to_groups: new examples that joined the side of a group that was already there.
        vanished: examples of the frozen split that are no longer in the data.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    sha: str
    duplicates: tuple[Example, ...]
    added_to_train: int = 0
    added_to_groups: int = 0
    vanished: int = 0


def split_examples(examples: Sequence[Example], options: SplitOptions, seed: int, frozen: Path | None) -> Split:
    """Split the examples, or give each the side it has had since the split was frozen.

    Args:
        examples: all usable rows. Those with equal content are used once.
        options: how many rows are held out: counts, or shares of the distinct examples.
        seed: orders the groups.
        frozen: file of the frozen split; written when it is not there. None: nothing is frozen.

    Raises:
        DataError: a side would be empty, more rows are asked for than there are, or the frozen split was made with
            other options or another seed.
        StoreError: the frozen file is damaged or cannot be written.
    """
    unique, duplicates = _without_duplicates(examples)
    groups = {example.id: group_key(example) for example in unique}
    if frozen is None or not frozen.exists():
        sides = _fresh_sides(Counter(groups.values()), options, seed)
        assignments = {name: sides[group] for name, group in groups.items()}
        if frozen is not None:
            write_frozen(frozen, Frozen(options, seed, assignments, dict(sides)))
        return _split(unique, duplicates, assignments)
    old = read_frozen(frozen)
    require_same(old, options, seed, frozen)
    return _thawed(unique, duplicates, groups, old, frozen)


def _without_duplicates(examples: Sequence[Example]) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The first example of each content, and the others."""
    first: dict[str, Example] = {}
    duplicates: list[Example] = []
    for example in examples:
        name = example.id
        if name in first:
            duplicates.append(example)
        else:
            first[name] = example
    return tuple(first.values()), tuple(duplicates)


def _split(
    unique: Sequence[Example],
    duplicates: tuple[Example, ...],
    assignments: Mapping[str, str],
    added: tuple[int, int] = (0, 0),
    vanished: int = 0,
) -> Split:
    def side(wanted: Side) -> tuple[Example, ...]:
        return tuple(example for example in unique if assignments[example.id] == wanted)

    return Split(
        train=side(Side.TRAIN),
        validation=side(Side.VALIDATION),
        test=side(Side.TEST),
        sha=assignment_sha(assignments),
        duplicates=duplicates,
        added_to_train=added[0],
        added_to_groups=added[1],
        vanished=vanished,
    )


def _thawed(
    unique: Sequence[Example],
    duplicates: tuple[Example, ...],
    groups: Mapping[str, str],
    old: Frozen,
    file: Path,
) -> Split:
    """The frozen sides, with new examples on the side of their group, or in train when that is new too."""
    assignments: dict[str, str] = {}
    to_train = to_groups = 0
    for example in unique:
        known = old.assignments.get(example.id)
        of_group = old.groups.get(groups[example.id])
        assignments[example.id] = known or of_group or Side.TRAIN
        to_groups += known is None and of_group is not None
        to_train += known is None and of_group is None
    split = _split(
        unique, duplicates, assignments, (to_train, to_groups), len(old.assignments.keys() - assignments.keys())
    )
    for name, side in ((Side.TEST, split.test), (Side.VALIDATION, split.validation), (Side.TRAIN, split.train)):
        if not side:
            fix = (
                f"Bring the rows back, or delete {file} to make a new split; verdicts on the old one no longer compare"
            )
            reason = f"no {name} row of the frozen split is left in the data; {split.vanished} rows have vanished"
            raise _error(reason, name, fix)
    return split


def _fresh_sides(sizes: Mapping[str, int], options: SplitOptions, seed: int) -> dict[str, str]:
    """The side of every group."""
    rows = sum(sizes.values())
    test, validation = _rows_wanted(options.test, rows), _rows_wanted(options.validation, rows)
    if test + validation >= rows:
        raise _error(
            f"{test} test and {validation} validation rows are asked for, and {rows} distinct rows are there; "
            "none is left to train on",
            "test",
            "Ask for fewer, or bring more rows",
        )
    order = sorted(sizes, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    if len(order) < len(Side):
        fix = "Group by a column with more values, or bring rows of more groups"
        raise _error(f"the {rows} rows fall into {len(order)} groups, and three sides need one each", "test", fix)
    sides = dict.fromkeys(order, Side.TRAIN.value)
    for name, wanted, kept_back in ((Side.TEST, test, 2), (Side.VALIDATION, validation, 1)):
        free = [group for group in order if sides[group] == Side.TRAIN]
        for group in _fill(free, sizes, wanted, len(free) - kept_back):
            sides[group] = name.value
    return sides


def _fill(free: Sequence[str], sizes: Mapping[str, int], wanted: int, most: int) -> list[str]:
    """From 1 to `most` groups with about `wanted` rows together, the first in order that fit; over by one at most."""
    taken: list[str] = []
    missing = wanted
    for group in free:
        if len(taken) < most and sizes[group] <= missing:
            taken.append(group)
            missing -= sizes[group]
    rest = sorted(set(free) - set(taken))
    if missing and len(taken) < most:
        closest = min(rest, key=lambda group: abs(sizes[group] - missing))
        if not taken or abs(sizes[closest] - missing) < missing:
            taken.append(closest)
    return taken


def _rows_wanted(option: float, rows: int) -> int:
    """Rows a count or a share asks for; a share asks for one at least, because an empty side judges nothing."""
    return option if isinstance(option, int) else max(1, round(option * rows))


def _error(reason: str, side: str, fix: str) -> DataError:
    return DataError("the data cannot be split", [Problem(reason, field=f"split.{side}", fix=fix)])
