"""Rows to bytes: JSON Lines, a JSON list, CSV, TSV and Parquet, plain or packed. Equal rows give equal bytes."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from atanor.data.writing.kinds import WriteFormat
from atanor.data.writing.shapes import SHAPES, Row
from atanor.errors import DataError, Problem

if TYPE_CHECKING:
    import pyarrow as pa

_CONTAINERS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
_PACKED = (".gz", ".zst")
_ROWS_AT_ONCE = 10_000


class Sink(Protocol):
    """Takes the rows of a file, one after the other."""

    def write(self, row: Row) -> None:
        """Write one row."""

    def end(self) -> None:
        """Write what stands after the last row."""


def container_of(path: Path, kind: WriteFormat, *, upload: bool) -> str:
    """The container a path asks for, as `.csv`.

    Raises:
        DataError: it is not known, cannot hold the format, or is not what an upload has to be.
    """
    packed = path.suffix.lower() in _PACKED
    suffix = (path.with_suffix("") if packed else path).suffix.lower()
    if suffix not in _CONTAINERS:
        raise _error(path, f"no rows are written into {suffix or 'such'} files", f"Use {', '.join(_CONTAINERS)}")
    if packed and suffix == ".parquet":
        raise _error(path, "a Parquet file is packed inside", f"Name it {path.with_suffix('').name}")
    if upload and (packed or suffix != ".jsonl"):
        raise _error(path, f"an upload in format `{kind}` is a plain .jsonl file", "Name it so")
    if suffix in (".csv", ".tsv") and not SHAPES[kind].flat:
        fix = "Write .jsonl or .parquet, or choose a format of plain columns"
        raise _error(path, f"rows of format `{kind}` hold lists, and cells of a table are text", fix)
    return suffix


@contextmanager
def opened(temporary: Path, path: Path, container: str, kind: WriteFormat) -> Iterator[Sink]:
    """The sink for rows of `path`, which is written as `temporary`; its end is written on leaving without error."""
    if container == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetWriter(temporary, _schema(kind), compression="zstd") as table:
            rows = _ParquetRows(table, _schema(kind))
            yield rows
            rows.end()
        return
    with opened_text(temporary, path, container) as sink:
        yield sink


@contextmanager
def opened_text(temporary: Path, path: Path, container: str) -> Iterator[Sink]:
    """The sink for rows of any columns in a container of text; a table has those of its first row."""
    with _packed(temporary, path.suffix.lower()) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
        sink = _text_sink(file, container)
        yield sink
        sink.end()


def _text_sink(file: IO[str], container: str) -> Sink:
    if container == ".jsonl":
        return JsonLines(file)
    return JsonList(file) if container == ".json" else _TableRows(file, "," if container == ".csv" else "\t")


@contextmanager
def _packed(path: Path, suffix: str) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if suffix == ".gz":
            # A time or a name in the header would make equal rows unequal files.
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        elif suffix == ".zst":
            import pyarrow as pa

            with pa.CompressedOutputStream(file, "zstd") as packed:
                yield packed
        else:
            yield file


class JsonLines:
    """One object a line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: Row) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def end(self) -> None:
        """Nothing stands after the last line."""


class JsonList:
    """One list of objects, one a line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._before = "[\n"

    def write(self, row: Row) -> None:
        self._file.write(self._before + json.dumps(row, ensure_ascii=False))
        self._before = ",\n"

    def end(self) -> None:
        self._file.write("\n]\n" if self._before == ",\n" else "[]\n")


class _TableRows:
    """Comma or tab separated cells, quoted as RFC 4180 says wherever a reader could take one for two."""

    def __init__(self, file: IO[str], mark: str) -> None:
        self._file = file
        self._mark = mark
        self._header: Sequence[str] = ()

    def write(self, row: Row) -> None:
        if not self._header:
            self._header = tuple(row)
            self._file.write(self._mark.join(row) + "\n")
        self._file.write(self._mark.join(self._cell(row[name]) for name in self._header) + "\n")

    def end(self) -> None:
        """Nothing stands after the last line."""

    def _cell(self, value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        plain = text and text.isprintable() and text.strip() == text and not {'"', self._mark, ";"} & set(text)
        return text if plain else '"' + text.replace('"', '""') + '"'


class _ParquetRows:
    """Rows of a Parquet file, in blocks."""

    def __init__(self, table: Any, schema: pa.Schema) -> None:
        self._table = table
        self._schema = schema
        self._rows: list[Row] = []

    def write(self, row: Row) -> None:
        self._rows.append(_typed(row))
        if len(self._rows) == _ROWS_AT_ONCE:
            self.end()

    def end(self) -> None:
        import pyarrow as pa

        self._table.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows = []


def _typed(row: Row) -> Row:
    """The row with tools and calls as JSON text: columns have one type, and every tool has its own."""
    typed = {key: json.dumps(value, ensure_ascii=False) if key == "tools" else value for key, value in row.items()}
    if isinstance(row.get("messages"), list):
        typed["messages"] = [
            message | {"tool_calls": json.dumps(message["tool_calls"], ensure_ascii=False)}
            if "tool_calls" in message
            else message
            for message in row["messages"]
        ]
    return typed


def _schema(kind: WriteFormat) -> pa.Schema:
    """The columns of a format; the types do not hang on the rows that happen to be there."""
    import pyarrow as pa

    text = pa.string()
    turns = pa.list_(pa.struct([("role", text), ("content", text)]))
    names = ("role", "content", "name", "tool_call_id", "tool_calls")
    full = pa.list_(pa.struct([*((name, text) for name in names), ("weight", pa.int8())]))
    spoken = pa.list_(pa.struct([("from", text), ("value", text)]))
    columns: dict[WriteFormat, dict[str, pa.DataType]] = {
        WriteFormat.MESSAGES: {"messages": full, "tools": text, "parallel_tool_calls": pa.bool_()},
        WriteFormat.SHAREGPT: {"conversations": spoken},
        WriteFormat.ALPACA: dict.fromkeys(("instruction", "input", "output"), text),
        WriteFormat.PROMPT_COMPLETION: dict.fromkeys(("prompt", "completion"), text),
        WriteFormat.PROMPT_COMPLETION_CHAT: dict.fromkeys(("prompt", "completion"), turns),
        WriteFormat.PREFERENCE: dict.fromkeys(("prompt", "chosen", "rejected"), text),
        WriteFormat.PREFERENCE_CHAT: dict.fromkeys(("prompt", "chosen", "rejected"), turns),
        WriteFormat.KTO: {"prompt": text, "completion": text, "label": pa.bool_()},
        WriteFormat.KTO_CHAT: {"prompt": turns, "completion": turns, "label": pa.bool_()},
        WriteFormat.REFERENCES: {"prompt": text, "references": pa.list_(text)},
        WriteFormat.CLASSIFICATION: {"text": text, "label": text},
        WriteFormat.TEXT: {"text": text},
    }
    return pa.schema(list(columns[kind].items()))


def _error(path: Path, reason: str, fix: str) -> DataError:
    return DataError(f"{path} cannot be written", [Problem(reason, file=str(path), fix=fix)])
