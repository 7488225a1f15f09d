"""A source opened: its shape is known from its first rows, so that any block of it can be read by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atanor.data.blocks import Block, blocks_of, read_block
from atanor.data.formats import (
    FIRST_ROWS,
    Columns,
    Frame,
    Tally,
    columns_of,
    examples_of_records,
    frame_of,
    require_column,
)
from atanor.data.options import RowFormat
from atanor.data.readers import read_records
from atanor.data.records import Record
from atanor.data.refusals import listed
from atanor.data.rows import Example, Refusal
from atanor.data.sources import FileKind, Source
from atanor.errors import DataError


@dataclass(frozen=True)
class Wishes:
    """What a role wants of all its sources.

    Attributes:
        root: folder that relative paths start from.
        group_by: column whose equal values stay on one side of the split; every row must have it.
        system: system message put before conversations that have none.
        task_text: the role continues plain text: rows are read as text, and conversations are an error.
    """

    root: Path
    group_by: str | None = None
    system: str | None = None
    task_text: bool = False


@dataclass(frozen=True)
class Part:
    """What a block of a source, or all of it, holds. `read + tally.extra` is examples, refusals, left out and joined.

    Attributes:
        examples: usable rows.
        refusals: the others, each with its reason.
        read: rows there.
        left_out: rows that `where` and the options of the shape left out.
        tally: rows that are not one example or refusal each.
    """

    examples: list[Example]
    refusals: list[Refusal]
    read: int
    left_out: int
    tally: Tally


@dataclass(frozen=True)
class OpenSource:
    """A source and its shape. It may be sent to another process.

    Attributes:
        source: the file.
        columns: the shape and the column of each part of it.
        frame: how its rows become examples.
        unused: columns of the first rows that are not read.
    """

    source: Source
    columns: Columns
    frame: Frame
    unused: tuple[str, ...]

    def blocks(self, block_bytes: int) -> tuple[Block | None, ...]:
        """The parts that can be read by themselves; one None where the shape has to see all rows."""
        return (None,) if self.columns.needs_whole_file else blocks_of(self.source, block_bytes)

    def read(self, block: Block | None = None) -> Part:
        """The rows of a block, or of the whole source.

        Raises:
            DataError: the file cannot be read as what it is, or it changed.
        """
        records = read_records(self.source) if block is None else read_block(self.source, block)
        filtered, tally = _Filter(records, self.source.options.where), Tally()
        examples: list[Example] = []
        refusals: list[Refusal] = []
        for outcome in examples_of_records(filtered, self.frame, tally):
            if isinstance(outcome, Example):
                examples.append(outcome)
            else:
                refusals.append(outcome)
        return Part(examples, refusals, filtered.read, filtered.left_out + tally.left_out, tally)


def open_source(source: Source, wishes: Wishes) -> OpenSource:
    """Recognise the shape of a source from its first rows.

    Raises:
        DataError: it is empty or not recognised, or its options contradict it.
    """
    first = _first_rows(read_records(source))
    rows = [record for record in first if isinstance(record, Record)]
    columns = _columns(source, first, rows, wishes)
    frame = frame_of(source, columns, wishes.root, system=wishes.system, group_by=wishes.group_by)
    seen = dict.fromkeys(name for record in rows for name in record.fields)
    unused = tuple(name for name in seen if name not in (*columns.used, wishes.group_by))
    return OpenSource(source, columns, frame, unused)


class _Filter:
    """The records that `where` keeps, and refusals; counts what was read and left out as it goes."""

    def __init__(self, records: Iterator[Record | Refusal], where: Mapping[str, Any]) -> None:
        self._records = records
        self._where = where
        self.read = 0
        self.left_out = 0

    def __iter__(self) -> Iterator[Record | Refusal]:
        for record in self._records:
            self.read += 1
            if not self._where or isinstance(record, Refusal) or _passes(record.fields, self._where):
                yield record
            else:
                self.left_out += 1


def _first_rows(records: Iterator[Record | Refusal]) -> list[Record | Refusal]:
    """What stands in the file up to its fiftieth readable row."""
    first: list[Record | Refusal] = []
    rows = 0
    for record in records:
        first.append(record)
        rows += isinstance(record, Record)
        if rows == FIRST_ROWS:
            break
    return first


def _columns(source: Source, first: Sequence[Record | Refusal], rows: Sequence[Record], wishes: Wishes) -> Columns:
    """The columns of the source, checked against its first rows together with those its filters need."""
    options = source.options
    if not first:
        raise source.error("the file holds no rows", fix="Put rows in it, or remove it from the project")
    named = (options.prompt and options.completion) or options.messages or options.text
    if not rows and not named and options.format in (RowFormat.AUTO, RowFormat.PROMPT_COMPLETION):
        refusals = [record for record in first if isinstance(record, Refusal)]
        if source.kind is FileKind.JSONL and refusals[0].raw.lstrip().startswith("["):
            raise source.error("the file is one JSON list, not one row a line", fix="Rename the file to .json")
        summary = f"{source.name} cannot be recognised: none of its {len(first)} rows can be read"
        raise DataError(summary, listed(refusals))
    columns = columns_of(source, rows, task_text=wishes.task_text)
    present = dict.fromkeys(name for record in rows for name in record.fields)
    for column in options.where:
        require_column(source, column, present, f"where.{column}")
    if wishes.group_by is not None:
        require_column(source, wishes.group_by, present, "group_by")
    return columns


def _passes(fields: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Every column has the value wanted, or one of those wanted."""
    return all(
        _equal(fields.get(column), wanted)
        or (isinstance(wanted, list) and any(_equal(fields.get(column), one) for one in wanted))
        for column, wanted in where.items()
    )


def _equal(cell: Any, wanted: Any) -> bool:
    """Equal as JSON: 1 is not true; a cell of a CSV file, always text, equals the number it spells."""
    if isinstance(cell, str) and isinstance(wanted, (int, float)):
        return cell.strip().lower() == str(wanted).lower()
    return isinstance(cell, bool) == isinstance(wanted, bool) and bool(cell == wanted)
