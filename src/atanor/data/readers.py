"""Any source to its rows: which reader is for which kind of file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from atanor.data.containers.arrow_rows import read_arrow, read_parquet
from atanor.data.containers.csv_rows import read_csv
from atanor.data.containers.documents import read_document, read_html, read_markdown
from atanor.data.containers.epub_rows import read_epub
from atanor.data.containers.json_rows import read_json, read_jsonl
from atanor.data.containers.saved_datasets import dataset_files, read_dataset
from atanor.data.containers.sqlite_rows import read_sqlite
from atanor.data.containers.text_rows import read_txt
from atanor.data.records import Record
from atanor.data.rows import Refusal
from atanor.data.sources import FileKind, Source
from atanor.store.files import sha256_file

_READERS: dict[FileKind, Callable[[Source], Iterator[Record | Refusal]]] = {
    FileKind.JSONL: read_jsonl,
    FileKind.JSON: read_json,
    FileKind.CSV: read_csv,
    FileKind.TSV: read_csv,
    FileKind.PARQUET: read_parquet,
    FileKind.ARROW: read_arrow,
    FileKind.SQLITE: read_sqlite,
    FileKind.TXT: read_txt,
    FileKind.DOCUMENT: read_document,
    FileKind.MARKDOWN: read_markdown,
    FileKind.HTML: read_html,
    FileKind.EPUB: read_epub,
    FileKind.DATASET: read_dataset,
}


@dataclass(frozen=True)
class Stamp:
    """What changes when a file is written.

    Attributes:
        size: in bytes.
        changed: when it was last changed, in nanoseconds since 1970.
        number: the file system's own number of it; a file that is replaced by another of the same name has a new one.
    """

    size: int
    changed: int
    number: int


def read_records(source: Source) -> Iterator[Record | Refusal]:
    """Every row of a source in order: a record, or why it is refused.

    Raises:
        DataError: the file cannot be read as what it is, is more than it may be, or changed while it was read. The
            rows before that place have been given.
        MissingExtraError: an optional package is needed.
    """
    yield from unchanged(source, _READERS[source.kind](source), stamp_of(source))


def unchanged(source: Source, records: Iterator[Record | Refusal], stamp: Stamp | None) -> Iterator[Record | Refusal]:
    """The same rows, and at their end an error if the file is not the one that `stamp` is of any more.

    Raises:
        DataError: the file changed, or the system failed to read it.
    """
    try:
        yield from records
    except OSError as error:
        raise source.error(f"the file cannot be read: {error.strerror}", fix="Check the disk and run again") from error
    if stamp != stamp_of(source):
        raise source.error("the file changed while it was read", fix="Run again once nothing writes to it")


def stamp_of(source: Source) -> Stamp | None:
    """The stamp of a source as it is now; None for a data set on the hub, and for a file that is gone."""
    try:
        found = source.path.stat()
    except OSError:
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def digest_of(source: Source) -> str:
    """Hex SHA-256 of the bytes of a source; of a data set of several files, of their digests in order."""
    if source.kind is not FileKind.DATASET:
        return sha256_file(source.path)
    digests = "".join(sha256_file(path) for path in dataset_files(source))
    return hashlib.sha256(digests.encode()).hexdigest()
