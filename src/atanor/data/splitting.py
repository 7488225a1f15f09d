"""The three-way split: made once, by content and not by place, and frozen, so that verdicts stay comparable.

Rows that share a group or a near-duplicate cluster are never cut apart, so that no prompt, scene or document is both
learned and tested (`reference/frameworks.md`, section 4, item 21). `assigning` draws the sides; here examples become
keys, and sides become examples again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from atanor.data.identity import content_key, group_key
from atanor.data.options import SplitOptions
from atanor.data.refusals import listed
from atanor.data.rows import Example, Refusal
from atanor.data.sides import SIDES, Side
from atanor.data.times import seconds_of
from atanor.errors import ConfigurationError, DataError, Problem, shorten

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from atanor.data.assigning import Assignment, Keys

SOURCE = "source"
"""Kind of group: the file a row stands in."""
LABEL = "label"
"""What `stratify_by` names the class of a row by, whatever its column is called."""

T = TypeVar("T")


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
        added_to_groups: new examples that joined the side of a group or cluster that was already there.
        vanished: examples of the frozen split that are no longer in the data.
        bridging: new examples close to others on several sides; each is on the one that is held out most.
        tied: examples as old as others on the next side, so that the seed and not their time divided them.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    sha: str
    duplicates: tuple[Example, ...]
    added_to_train: int = 0
    added_to_groups: int = 0
    vanished: int = 0
    bridging: int = 0
    tied: int = 0


def split_examples(
    examples: Sequence[Example],
    options: SplitOptions,
    seed: int,
    frozen: Path | None,
    *,
    clusters: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    times: Sequence[Any] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Split:
    """Split the examples, or give each the side it has had since the split was frozen.

    Args:
        examples: all usable rows. Those with equal content are used once.
        options: how many rows are held out, counts or shares of the distinct examples, and how they are drawn.
        seed: orders the groups.
        frozen: file of the frozen split; written when it is not there. None: nothing is frozen.
        clusters: number of each example's near-duplicate cluster. Those of one cluster stay together.
        labels: each example's class, for `stratify_by`; without it `Example.label` or the column is read.
        times: each example's time, for `time_by`; without it the column is read.
        groups: for kinds of group in `group_by` that are no column, the group of each example.

    Raises:
        ConfigurationError: the options contradict each other.
        DataError: a side would be empty, more rows are asked for than there are, an example has no group, class or
            time where one is needed, or the frozen split was made with other options or another seed.
        StoreError: the frozen file is damaged or cannot be written.
    """
    import numpy as np

    from atanor.data.assigning import SplitKeys, assign_sides

    require_possible(options)
    kept, duplicates = _without_duplicates(examples)
    unique = [examples[place] for place in kept]

    def of_kept(values: Sequence[T] | None) -> Sequence[T] | None:
        return None if values is None else [values[place] for place in kept]

    given = {kind: [values[place] for place in kept] for kind, values in (groups or {}).items()}
    keys = SplitKeys(
        rows=_numbers(example.id for example in unique),
        groups=group_keys(unique, options.group_by, given),
        clusters=None if clusters is None else np.asarray(of_kept(clusters), np.int64),
        labels=None
        if options.stratify_by is None
        else numbered(class_names(unique, options.stratify_by, of_kept(labels))),
        times=None if options.time_by is None else times_of(unique, options.time_by, of_kept(times)),
    )
    return _split(unique, duplicates, assign_sides(keys, options, seed, frozen))


def require_possible(options: SplitOptions) -> None:
    """Refuse options that cannot be followed together.

    Raises:
        ConfigurationError: with the reason and the fix.
    """
    grouped = (options.group_by,) if isinstance(options.group_by, str) else options.group_by or ()
    reason = None
    if options.stratify_by is not None and options.time_by is not None:
        reason = "time alone decides which rows are newest, so classes cannot keep their shares on every side"
        fix = "Remove `stratify_by` or `time_by`"
    elif options.stratify_by is not None and options.stratify_by in grouped:
        reason = "all rows of a class would stay on one side and also be spread over all of them"
        fix = "Remove it from `group_by` or from `stratify_by`"
    if reason is not None:
        problem = Problem(reason, field="split.stratify_by", value=options.stratify_by, fix=fix)
        raise ConfigurationError("the data cannot be split as the options say", [problem])


def _without_duplicates(examples: Sequence[Example]) -> tuple[list[int], tuple[Example, ...]]:
    """The place of the first example of each content, and the other examples."""
    first: dict[str, int] = {}
    duplicates: list[Example] = []
    for place, example in enumerate(examples):
        if first.setdefault(example.id, place) != place:
            duplicates.append(example)
    return list(first.values()), tuple(duplicates)


def _split(unique: Sequence[Example], duplicates: tuple[Example, ...], found: Assignment) -> Split:
    numbers = found.sides.tolist()
    train, validation, test = (
        tuple(example for example, number in zip(unique, numbers, strict=True) if SIDES[number] is side)
        for side in (Side.TRAIN, Side.VALIDATION, Side.TEST)
    )
    return Split(
        train=train,
        validation=validation,
        test=test,
        sha=found.sha,
        duplicates=duplicates,
        added_to_train=found.added_to_train,
        added_to_groups=found.added_to_groups,
        vanished=found.vanished,
        bridging=found.bridging,
        tied=found.tied,
    )


def group_keys(
    examples: Sequence[Example],
    group_by: str | tuple[str, ...] | None,
    given: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Keys, ...]:
    """A 64-bit key for each example, of each kind of group: rows that share one of any kind stay together.

    Args:
        examples: the rows.
        group_by: see `SplitOptions`; None: the prompt.
        given: the groups of kinds that are no column.

    Raises:
        DataError: an example has no group of a kind.
    """
    known = given or {}
    if group_by is None or (isinstance(group_by, str) and group_by not in known):
        return (_numbers(group_key(example) for example in examples),)
    found = []
    for kind in (group_by,) if isinstance(group_by, str) else group_by:
        if kind in known:
            names: Sequence[str] = known[kind]
        elif kind == SOURCE:
            names = [example.source for example in examples]
        else:
            names = _read(examples, _column(examples, kind), kind, _as_text)
        found.append(_numbers(content_key("group", kind, name) for name in names))
    return tuple(found)


def class_names(examples: Sequence[Example], column: str, labels: Sequence[str] | None = None) -> list[str]:
    """The class of each example: as given, else its label where `column` is `label`, else the value of the column.

    Raises:
        DataError: an example has none.
    """
    if labels is None:
        own = [example.label for example in examples] if column == LABEL else [None] * len(examples)
        written = _column(examples, column)
        labels = [told if told is not None else _as_text(value) or "" for told, value in zip(own, written, strict=True)]
    return _read(examples, labels, column, _as_text)


def numbered(names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Classes as numbers from 0, in the order of their names."""
    import numpy as np

    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([numbers[name] for name in names], np.int64)


def times_of(examples: Sequence[Example], column: str, times: Sequence[Any] | None = None) -> npt.NDArray[np.float64]:
    """The time of each example, in seconds since 1970.

    Raises:
        DataError: an example has none that can be read.
    """
    import numpy as np

    return np.array(_read(examples, _column(examples, column) if times is None else times, column, seconds_of))


def _column(examples: Sequence[Example], name: str) -> list[Any]:
    return [example.fields.get(name) for example in examples]


def _read(examples: Sequence[Example], values: Sequence[Any], name: str, read: Callable[[Any], T | None]) -> list[T]:
    """What is read of each value; an example of which nothing can be read stops the split, and is told."""
    found = [read(value) for value in values]
    refusals = (
        Refusal(
            source=example.source,
            line=example.line,
            reason=f"`{name}` is no date, time or epoch number" if value not in (None, "") else f"`{name}` is empty",
            fix=_FIXES[read],
            field=name,
            value=None if value is None else shorten(value),
        )
        for example, value, one in zip(examples, values, found, strict=True)
        if one is None
    )
    if problems := listed(refusals):
        raise DataError("the data cannot be split", problems)
    return [one for one in found if one is not None]


def _as_text(value: Any) -> str | None:
    """A group or class as it is compared; None where there is none."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _numbers(names: Iterable[str]) -> Keys:
    """Keys of 16 hex digits as numbers."""
    import numpy as np

    return np.array([int(name, 16) for name in names], np.uint64)


_FIXES: Mapping[Callable[[Any], Any], str] = {
    _as_text: "Give the row a value, or split without this column",
    seconds_of: "Write an ISO 8601 date or time, or an epoch number, or split without `time_by`",
}
