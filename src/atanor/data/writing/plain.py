"""Rows of any columns to a file: those of a file that was read, with little or nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from atanor.data.writing.containers import container_of, opened_text
from atanor.data.writing.kinds import WriteFormat
from atanor.data.writing.shapes import Row
from atanor.errors import DataError, Problem
from atanor.store.files import writing


def write_rows(rows: Iterable[Row], path: Path) -> int:
    """Write rows in order; the file is whole or as it was.

    Args:
        rows: what to write. Tables have the columns of all rows together, in the order they appear.
        path: the file; its suffixes tell the container, as for `write_examples`.

    Returns:
        How many were written.

    Raises:
        DataError: the container cannot hold them.
        StoreError: the disk is full or the folder cannot be written.
    """
    container = container_of(path, WriteFormat.TEXT, upload=False)
    with writing(path) as temporary:
        if container == ".parquet":
            count = _write_parquet(list(rows), temporary, path)
        else:
            with opened_text(temporary, path, container) as sink:
                count = 0
                for row in rows if container.startswith(".json") else _level(list(rows)):
                    sink.write(row)
                    count += 1
        temporary.chmod(0o644)
    return count


def _level(rows: list[Row]) -> Iterator[Row]:
    """The rows with the same columns; what a row has not is empty, and what is no text is JSON."""
    columns = dict.fromkeys(name for row in rows for name in row)
    for row in rows:
        yield {name: "" if (value := row.get(name)) is None else _cell(value) for name in columns}


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_parquet(rows: list[Row], temporary: Path, path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = dict.fromkeys(name for row in rows for name in row)
    try:
        table = pa.table({name: pa.array([row.get(name) for row in rows]) for name in columns})
        pq.write_table(table, temporary, compression="zstd")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        fix = f"Write {path.with_suffix('.jsonl').name}: its rows may differ"
        problem = Problem(f"a column holds values of several kinds: {error}", file=str(path), fix=fix)
        raise DataError(f"{path} cannot be written", [problem]) from error
    return len(rows)
