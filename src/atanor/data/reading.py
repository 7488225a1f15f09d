"""Files to examples: every row becomes an example, a refusal or a row left out, and the three add up."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atanor.data.conversation import example_of
from atanor.data.json_rows import read_json, read_jsonl
from atanor.data.options import RowFormat, SourceOptions
from atanor.data.records import Record
from atanor.data.refusals import listed, refusal_of
from atanor.data.rows import Example, Refusal
from atanor.data.shapes import FIRST_ROWS, Columns, columns_of, require_column
from atanor.data.sources import FileKind, Source, locate
from atanor.data.table_rows import read_csv, read_parquet
from atanor.data.text_rows import read_txt
from atanor.errors import DataError
from atanor.store.files import sha256_file

_READERS: dict[FileKind, Callable[[Source], Iterator[Record | Refusal]]] = {
    FileKind.JSONL: read_jsonl,
    FileKind.JSON: read_json,
    FileKind.CSV: read_csv,
    FileKind.TSV: read_csv,
    FileKind.PARQUET: read_parquet,
    FileKind.TXT: read_txt,
}


@dataclass(frozen=True)
class SourceFormat:
    """How one file was read.

    Attributes:
        path: as the user wrote it.
        kind: how rows are laid out in the file.
        columns: the recognised shape and the column read for each part of it.
        unused: columns of the first rows that are not read.
        sha256: hex digest of the file's bytes.
        read: rows in the file.
        left_out: rows that `where` and `limit` left out.
    """

    path: str
    kind: FileKind
    columns: Columns
    unused: tuple[str, ...]
    sha256: str
    read: int
    left_out: int


@dataclass(frozen=True)
class ReadResult:
    """All rows of a role. `read == len(examples) + len(refusals) + left_out`."""

    examples: tuple[Example, ...]
    refusals: tuple[Refusal, ...]
    read: int
    left_out: int
    formats: tuple[SourceFormat, ...]


@dataclass(frozen=True)
class _Wishes:
    """What the role wants of every source; see `read_examples`."""

    group_by: str | None
    system: str | None
    task_text: bool
    seed: int


def read_examples(
    sources: Sequence[SourceOptions],
    root: Path,
    *,
    group_by: str | None = None,
    system: str | None = None,
    task_text: bool = False,
    seed: int = 0,
) -> ReadResult:
    """Read and check every row of every source, in order.

    Args:
        sources: the files.
        root: folder that relative paths start from.
        group_by: column whose equal values stay on one side of the split; every row must have it.
        system: system message put before conversations that have none.
        task_text: the role continues plain text: rows are read as text, and conversations are an error.
        seed: draws the rows of a source with a `limit`.

    Raises:
        DataError: a file is missing, unreadable, empty or not recognised, or its options contradict it. A bad row
            is no error: it is a refusal.
    """
    wishes = _Wishes(group_by, system, task_text, seed)
    parts = [_read_source(source, wishes) for source in locate(sources, root)]
    return ReadResult(
        examples=tuple(itertools.chain.from_iterable(part.examples for part in parts)),
        refusals=tuple(itertools.chain.from_iterable(part.refusals for part in parts)),
        read=sum(part.read for part in parts),
        left_out=sum(part.left_out for part in parts),
        formats=tuple(itertools.chain.from_iterable(part.formats for part in parts)),
    )


def require_enough(read: ReadResult, max_refused: float) -> None:
    """Stop when too few rows are usable.

    Args:
        read: what was read.
        max_refused: the largest share of refused rows that is put up with, from 0 to 1.

    Raises:
        DataError: more rows are refused than that, or none is left; lists the first problems.
    """
    refused = len(read.refusals)
    if not read.examples:
        raise DataError(
            f"no row is left of {read.read} read: {refused} refused, {read.left_out} left out", listed(read.refusals)
        )
    if refused > max_refused * read.read:
        share = f"{refused} of {read.read} rows are refused ({refused / read.read:.1%})"
        raise DataError(f"{share}, more than the {max_refused:.1%} allowed", listed(read.refusals))


def _read_source(source: Source, wishes: _Wishes) -> ReadResult:
    records = _READERS[source.kind](source)
    first = _first_rows(records)
    rows = [record for record in first if isinstance(record, Record)]
    columns = _columns(source, first, rows, wishes)
    examples: list[Example] = []
    refusals: list[Refusal] = []
    read = left_out = 0
    for record in itertools.chain(first, records):
        read += 1
        if isinstance(record, Refusal):
            refusals.append(record)
        elif not _passes(record.fields, source.options.where):
            left_out += 1
        else:
            try:
                examples.append(example_of(record, columns, source.name, wishes.system, wishes.group_by))
            except DataError as error:
                refusals.append(refusal_of(error, source.name, record.line, record.raw))
    kept = _draw(examples, source.options.limit, wishes.seed)
    left_out += len(examples) - len(kept)
    seen = dict.fromkeys(name for record in rows for name in record.fields)
    unused = tuple(name for name in seen if name not in (*columns.used, wishes.group_by))
    digest = sha256_file(source.path)
    found = SourceFormat(source.name, source.kind, columns, unused, digest, read, left_out)
    return ReadResult(kept, tuple(refusals), read, left_out, (found,))


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


def _columns(source: Source, first: Sequence[Record | Refusal], rows: Sequence[Record], wishes: _Wishes) -> Columns:
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


def _draw(examples: Sequence[Example], limit: int | None, seed: int) -> tuple[Example, ...]:
    """At most `limit` examples in their order; the draw hangs on content, so that more rows keep most of it."""
    if limit is None or limit >= len(examples):
        return tuple(examples)
    keys = [hashlib.sha256(f"{seed}:{example.id}".encode()).digest() for example in examples]
    drawn = sorted(range(len(examples)), key=lambda index: (keys[index], index))[:limit]
    return tuple(examples[index] for index in sorted(drawn))
