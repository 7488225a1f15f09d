"""Rows of tables: CSV and TSV (RFC 4180, quoted line breaks included) and Parquet."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from atanor.data.lines import LONGEST_ROW, decode, loose_text, read_lines, readable
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import FileKind, Source
from atanor.errors import DataError

_BATCH = 1024
"""Parquet rows held in memory at once."""


@dataclass
class _LineFeed:
    """Hands lines to the CSV reader and remembers those of the row being read."""

    source: Source
    first: int = 0
    taken: list[bytes] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for line in read_lines(self.source.path):
            if line.cut:
                # Where the row ends is unknown from here on: the rest of the line may open or close a quote.
                what = f"a line is longer than {LONGEST_ROW >> 20} MiB"
                raise self.source.error(what, line=line.number, fix="Break the file into rows, one a line")
            self.first = self.first if self.taken else line.number
            self.taken.append(line.content)
            yield loose_text(line.content) + "\n"

    def take(self) -> tuple[int, bytes]:
        """The line the row began on and its bytes; the next row begins afresh."""
        content = b"\n".join(self.taken)
        self.taken = []
        return self.first, content


def read_csv(source: Source) -> Iterator[Record | Refusal]:
    """One row for each row after the header; every cell is text; blank lines are no rows.

    Raises:
        DataError: the header names a column twice, or cannot be read.
    """
    # The limit is the process's own; raising it harms nobody, and rows are bounded by LONGEST_ROW.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW))
    feed = _LineFeed(source)
    reader = csv.reader(iter(feed), delimiter=_delimiter(source), strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line, content = feed.take()
            if header is None:
                raise source.error(f"the header is not CSV: {error}", line=line, fix="Mend its quotes") from error
            yield refusal_of(_quoting_error(error), source.name, line, readable(content))
            continue
        line, content = feed.take()
        if header is None and cells:
            header = _header(source, cells, line, content)
        elif header is not None and cells:
            yield _row(source, header, cells, line, content)


def _delimiter(source: Source) -> str:
    """Tab for .tsv; comma for .csv, or the `;` or tab that a header without commas has."""
    if source.kind is FileKind.TSV:
        return "\t"
    head = next((line.content for line in read_lines(source.path) if line.content), b"")
    return next((mark for mark in (",", ";", "\t") if mark.encode() in head), ",")


def _header(source: Source, cells: Sequence[str], line: int, content: bytes) -> list[str]:
    try:
        decode(content, line)
    except DataError as error:
        problem = error.problems[0]
        raise source.error(f"the header is not UTF-8: {problem.value}", line=line, fix=problem.fix or "") from error
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise source.error(f"the header names `{twice}` twice", line=line, fix="Give every column its own name")
    return names


def _row(source: Source, header: Sequence[str], cells: Sequence[str], line: int, content: bytes) -> Record | Refusal:
    try:
        raw = decode(content, line)
        if len(cells) != len(header):
            raise row_error(
                f"the row has {len(cells)} cells and the header {len(header)}",
                value=cells[-1],
                fix="Put double quotes around cells that hold the separator or line breaks",
            )
        return Record(line, raw, dict(zip(header, cells, strict=True)))
    except DataError as error:
        return refusal_of(error, source.name, line, readable(content))


def _quoting_error(error: csv.Error) -> DataError:
    return row_error(
        f"not CSV: {error}",
        fix='Close the quote of the cell, and write a quote inside a quoted cell as ""; '
        "what the open quote swallowed is in the quarantine too",
    )


def read_parquet(source: Source) -> Iterator[Record | Refusal]:
    """One row for each row of the table; the line is its number from 1.

    Raises:
        DataError: the file is not Parquet or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(source.path) as table:
            for batch in table.iter_batches(_BATCH):
                for index in range(batch.num_rows):
                    number += 1
                    yield _parquet_row(source, batch.slice(index, 1), number)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise source.error(f"not a Parquet file that can be read: {reason}", fix="Write the file again") from error


def _parquet_row(source: Source, row: Any, number: int) -> Record | Refusal:
    try:
        fields = {name: _plain(value) for name, value in row.to_pylist()[0].items()}
    except UnicodeDecodeError as error:
        refused = row_error("a text column is not UTF-8", value=error.object[:20], fix="Write the column as UTF-8")
        return refusal_of(refused, source.name, number, "")
    return Record(number, json.dumps(fields, ensure_ascii=False), fields)


def _plain(value: Any) -> Any:
    """A Parquet value as JSON has it: dates, decimals and bytes become text; a missing number becomes None."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return readable(value)
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)
