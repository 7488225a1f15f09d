"""What a classifier learns from: the rows of both sides, their classes, and the base that reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atanor.data.options import TooLong
from atanor.data.rows import BETWEEN_CLASSES, Example
from atanor.data.sides import Side
from atanor.errors import DataError, Problem
from atanor.models import LocalBase


@dataclass(frozen=True)
class ClassMaterial:
    """What lies before `classifier` when it makes a candidate, beside its bench.

    Attributes:
        names: of the classes, sorted.
        training: rows to learn from.
        validation: rows that choose the best checkpoint.
        local: a base of its own, or None for the role's.
        too_long: what happens to texts longer than the base reads.
    """

    names: tuple[str, ...]
    training: tuple[Example, ...]
    validation: tuple[Example, ...]
    local: LocalBase | None
    too_long: TooLong


def classes_of(example: Example, *, multi_label: bool) -> tuple[str, ...]:
    """The classes of a row: its label, or its answer where it has none."""
    label = example.reference if example.label is None else example.label
    return tuple(dict.fromkeys(label.split(BETWEEN_CLASSES))) if multi_label else (label,)


def class_names(sides: Mapping[Side, Sequence[Example]], *, multi_label: bool) -> tuple[str, ...]:
    """The classes that the training rows have, sorted.

    Args:
        sides: the rows of every side.
        multi_label: a row has a list of classes.

    Raises:
        DataError: nothing can be learned or judged: there is one class only, a class that is asked for was never shown,
            or rows have several classes where each is to have one, or the other way round.
    """
    _require_as_many_as_said(sides[Side.TRAIN], multi_label)
    counts = {
        side: Counter(name for row in rows for name in classes_of(row, multi_label=multi_label))
        for side, rows in sides.items()
    }
    shown = counts[Side.TRAIN]
    if len(shown) < 2:
        reason = f"all {len(sides[Side.TRAIN])} training rows have the class `{next(iter(shown), '')}`"
        raise _refused(reason, "data", "Give rows of at least two classes")
    for side, count in counts.items():
        for name, rows in sorted(count.items()):
            if name not in shown:
                reason = f"`{name}` is the class of {_rows(rows)} of the {side} side and of none of training"
                fix = "Write `split: {stratify_by: label}`, give more rows of the class, or leave it out with `where`"
                raise _refused(reason, "split.stratify_by", fix)
    return tuple(sorted(shown))


def _require_as_many_as_said(training: Sequence[Example], multi_label: bool) -> None:
    if multi_label and all(len(classes_of(row, multi_label=True)) == 1 for row in training):
        reason = f"each of the {len(training)} training rows has one class"
        raise _refused(reason, "methods.classifier.multi_label", "Remove `multi_label: true`", "true")
    if multi_label:
        return
    for row in training:
        parts = len(classes_of(row, multi_label=True))
        if parts > 1 and any(isinstance(value, list) and len(value) == parts for value in row.fields.values()):
            problem = Problem(
                f"the row has {parts} classes",
                file=row.source,
                line=row.line,
                field="methods.classifier.multi_label",
                value="false",
                fix="Write `multi_label: true`, or give every row one class",
            )
            raise DataError("the classes cannot be learned", [problem])


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _refused(reason: str, field: str, fix: str, value: str | None = None) -> DataError:
    return DataError("the classes cannot be learned", [Problem(reason, field=field, value=value, fix=fix)])
