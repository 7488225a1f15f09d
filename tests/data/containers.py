"""Files of every kind made in code, and their rows."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from atanor.data import Refusal, SourceOptions
from atanor.data.readers import read_records
from atanor.data.records import Record
from atanor.data.sources import Source, locate

ROWS = [{"prompt": f"question {number} ñ", "completion": f"answer {number}"} for number in range(1, 6)]


def source_of(root: Path, name: str, **options: Any) -> Source:
    (found,) = locate([SourceOptions(path=name, **options)], root)
    return found


def all_of(root: Path, name: str, **options: Any) -> list[Record | Refusal]:
    """Every row of every file that the name stands for."""
    return [row for source in locate([SourceOptions(path=name, **options)], root) for row in read_records(source)]


def records(root: Path, name: str, **options: Any) -> list[Record]:
    """The rows, none of which may be refused."""
    rows = all_of(root, name, **options)
    assert all(isinstance(row, Record) for row in rows), rows
    return [row for row in rows if isinstance(row, Record)]


def jsonl(rows: Sequence[Mapping[str, Any]] = ROWS) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


PACKERS = {
    ".gz": gzip.compress,
    ".zst": zstd,
    ".bz2": bz2.compress,
    ".xz": lambda content: lzma.compress(content, preset=0),
}


def sqlite(path: Path, rows: Sequence[Mapping[str, Any]] = ROWS, table: str = "rows") -> None:
    with closing(sqlite3.connect(path)) as database, database:
        quoted = table.replace('"', '""')
        database.execute(f'CREATE TABLE "{quoted}" (prompt TEXT, completion TEXT)')
        database.executemany(f'INSERT INTO "{quoted}" VALUES (?, ?)', [tuple(row.values()) for row in rows])


PAGE = '<?xml version="1.0" encoding="utf-8"?><html><head><title>T</title></head><body>{}</body></html>'
CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'


def epub(path: Path, chapters: Mapping[str, str], *, extra: Mapping[str, str | bytes] | None = None) -> None:
    """A book whose spine is the reverse of the alphabet, so that reading order is not the order of names."""
    order = sorted(chapters, reverse=True)
    items = "".join(f'<item id="{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in chapters)
    spine = "".join(f'<itemref idref="{n}"/>' for n in order)
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>El libro</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", package)
        for name, body in chapters.items():
            archive.writestr(f"OEBPS/{name}.xhtml", PAGE.format(body))
        for name, content in (extra or {}).items():
            archive.writestr(name, content)


def write_every_kind(folder: Path) -> dict[str, Path]:
    """A good file of every kind that holds rows of columns or prose."""
    table = pa.Table.from_pylist(ROWS)
    csv_text = "prompt,completion\n" + "".join(f'"{row["prompt"]}",{row["completion"]}\n' for row in ROWS)
    (folder / "a.jsonl").write_bytes(jsonl())
    (folder / "a.json").write_text(json.dumps(ROWS))
    (folder / "a.csv").write_text(csv_text)
    (folder / "a.tsv").write_text(csv_text.replace(",", "\t"))
    (folder / "a.txt").write_text("one\ntwo\n\nthree\n")
    (folder / "a.md").write_text("---\ntitle: T\n---\n# A\n\ntext\n")
    (folder / "a.html").write_text("<title>T</title><h1>A</h1><p>text &amp; more</p>")
    pq.write_table(table, folder / "a.parquet", row_group_size=2)
    with pa.OSFile(str(folder / "a.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pa.OSFile(str(folder / "b.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    sqlite(folder / "a.sqlite")
    epub(folder / "a.epub", {"a": "<h1>A</h1><p>text</p>", "b": "<h1>B</h1><p>text</p>"})
    for suffix, pack in PACKERS.items():
        (folder / f"a.jsonl{suffix}").write_bytes(pack(jsonl()))
    return {path.name: path for path in sorted(folder.iterdir())}
