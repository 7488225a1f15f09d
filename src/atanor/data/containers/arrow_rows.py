"""Rows of Parquet and Arrow files (IPC files and streams, Feather), by the row's number from 1."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from atanor.data import limits
from atanor.data.containers.lines import readable
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import DataError

_BATCH = 1024
"""Parquet rows held in memory at once."""


def read_parquet(source: Source) -> Iterator[Record | Refusal]:
    """One row for each row of the table.

    Raises:
        DataError: the file is not Parquet or is damaged.
    """
    yield from read_row_groups(source, None, 1)


def read_row_groups(source: Source, groups: Sequence[int] | None, first: int) -> Iterator[Record | Refusal]:
    """The rows of some row groups of a Parquet file.

    Args:
        source: the file.
        groups: which row groups; None means all.
        first: the number of the first row of them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(source.path) as table:
            _check_columns(source, table.schema_arrow.names)
            for batch in table.iter_batches(_BATCH, row_groups=groups):
                yield from _rows(source, batch, first)
                first += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _damaged(source, "Parquet", error) from error


def row_groups_of(source: Source, every: int) -> Iterator[tuple[int, int]]:
    """Where parts of at least `every` bytes begin: row group and number of its first row; at last the end of both.

    Raises:
        DataError: the file is not Parquet or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(source.path) as table:
            groups = [table.metadata.row_group(index) for index in range(table.num_row_groups)]
            sizes = [(group.total_byte_size, group.num_rows) for group in groups]
    except (pa.ArrowException, OSError) as error:
        raise _damaged(source, "Parquet", error) from error
    row, held = 1, every
    for index, (size, rows) in enumerate(sizes):
        if held >= every:
            yield index, row
            held = 0
        held += size
        row += rows
    if sizes:
        yield len(sizes), row


def read_arrow(source: Source) -> Iterator[Record | Refusal]:
    """One row for each row of an Arrow file or stream.

    Raises:
        DataError: the file is not Arrow or is damaged.
    """
    yield from read_arrow_files(source, (source.path,))


def read_arrow_files(source: Source, files: Sequence[Path]) -> Iterator[Record | Refusal]:
    """The rows of several Arrow files one after the other, counted through."""
    import pyarrow as pa

    first = 1
    for path in files:
        try:
            for batch in _batches(path):
                # Offsets of a damaged file may point anywhere in memory.
                batch.validate(full=True)
                _check_columns(source, batch.schema.names)
                yield from _rows(source, batch, first)
                first += batch.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise _damaged(source, "Arrow", error) from error


def _batches(path: Path) -> Iterator[Any]:
    import pyarrow as pa

    # Not memory-mapped: a file that shrinks while it is mapped kills the process.
    with pa.OSFile(str(path)) as file:
        magic = file.read(6)
        file.seek(0)
        if magic == b"ARROW1":
            table = pa.ipc.open_file(file)
            batches = (table.get_batch(index) for index in range(table.num_record_batches))
        else:
            batches = iter(pa.ipc.open_stream(file))
        for batch in batches:
            for start in range(0, batch.num_rows, _BATCH):
                yield batch.slice(start, _BATCH)


def _check_columns(source: Source, names: Sequence[str]) -> None:
    if len(names) > limits.COLUMNS:
        reason = f"the table has {len(names)} columns, more than {limits.COLUMNS}"
        raise source.error(reason, fix="Write one row for each example, not one column")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise source.error(f"two columns have the name `{twice}`", fix="Give every column its own name")


def _rows(source: Source, batch: Any, first: int) -> Iterator[Record | Refusal]:
    """The rows of a batch; where one cannot be read, each is read by itself."""
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):
        for index in range(batch.num_rows):
            yield _single(source, batch.slice(index, 1), first + index)
        return
    for number, row in enumerate(rows, first):
        yield record_of(source, row, number)


def _single(source: Source, row: Any, number: int) -> Record | Refusal:
    try:
        return record_of(source, row.to_pylist()[0], number)
    except UnicodeDecodeError as error:
        refused = row_error("a text column is not UTF-8", value=error.object[:20], fix="Write the column as UTF-8")
    except (ValueError, OverflowError) as error:
        # A date of the year 10,000, for one.
        refused = row_error(f"a column cannot be read: {error}", fix="Write the column as text")
    return refusal_of(refused, source.name, number, "")


def record_of(source: Source, row: dict[str, Any], number: int) -> Record | Refusal:
    """A row of a table as JSON has it, or why it is refused."""
    try:
        fields = {name: _plain(value, limits.NESTING) for name, value in row.items()}
        raw = json.dumps(fields, ensure_ascii=False)
        if len(raw) > limits.LONGEST_ROW:
            raise row_error(f"the row is longer than {limits.LONGEST_ROW >> 20} MiB", fix="Break it into several rows")
    except DataError as error:
        return refusal_of(error, source.name, number, "")
    return Record(number, raw, fields)


def _plain(value: Any, levels: int) -> Any:
    """A value as JSON has it: dates, decimals and bytes become text; a number that is not finite becomes None."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not levels:
        raise row_error(f"the row is nested too deeply: more than {limits.NESTING} levels", fix="Flatten the row")
    if isinstance(value, dict):
        return {str(key): _plain(inner, levels - 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, levels - 1) for inner in value]
    return readable(value) if isinstance(value, bytes) else str(value)


def _damaged(source: Source, form: str, error: Exception) -> DataError:
    # Some of Arrow's errors have no text.
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return source.error(f"not a {form} file that can be read: {reason}", fix="Write the file again")
