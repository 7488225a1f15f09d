"""Every limit on what is read holds, says what it is and how to go on, and what stands before it is not lost."""

from __future__ import annotations

import gzip
import json
import sqlite3
import time
import tracemalloc
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atanor.data import Refusal, SourceOptions, limits
from atanor.data.containers.markup import page_of
from atanor.data.readers import read_records
from atanor.data.records import Record
from atanor.data.sources import locate
from atanor.errors import DataError, Problem
from tests.data.containers import PACKERS, ROWS, all_of, epub, jsonl, records, source_of, sqlite, write_every_kind

GOOD = b'{"prompt": "a", "completion": "b"}\n'


def problem_of(root: Path, name: str, **options: Any) -> Problem:
    with pytest.raises(DataError) as error:
        all_of(root, name, **options)
    return error.value.problems[0]


def refused(row: Record | Refusal) -> Refusal:
    assert isinstance(row, Refusal)
    return row


def test_every_limit_has_its_reason() -> None:
    text = Path(limits.__file__).read_text(encoding="utf-8")
    names = [name for name in vars(limits) if name.isupper()]
    assert len(names) == 12
    for name in names:
        assert f"\n{name} = " in text
        assert text.split(f"\n{name} = ", 1)[1].split("\n", 1)[1].startswith('"""'), name


def test_a_line_of_50_megabytes_costs_one_refusal_and_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(GOOD)
        for _ in range(50):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + GOOD)
    tracemalloc.start()
    try:
        first, long, last = all_of(tmp_path, "a.jsonl")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [isinstance(row, Record) for row in (first, last)] == [True, True]
    assert (first.line, long.line, last.line) == (1, 2, 3)
    assert refused(long).reason == "the row is longer than 16 MiB; the quarantine has its first 4096 bytes"
    assert refused(long).raw == "x" * 4096
    assert peak < 3 * limits.LONGEST_ROW


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "a.parquet", "a.arrow", "a.sqlite", "a.epub", "d"])
def test_a_long_row_of_any_kind_is_refused_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(limits, "LONGEST_ROW", 2000)
    monkeypatch.setattr(limits, "SQLITE_CELL", 2000)
    monkeypatch.setattr(limits, "KEPT_OF_LONGER", 10)
    rows = [{"text": "short"}, {"text": "long " * 1000}, {"text": "last"}]
    table = pa.Table.from_pylist(rows)
    (tmp_path / "a.txt").write_text("\n\n".join(row["text"] for row in rows))
    (tmp_path / "a.csv").write_text("text\n" + "".join(f'"{row["text"]}"\n'.replace(" ", "\n") for row in rows))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    epub(tmp_path / "a.epub", {str(9 - n): row["text"] for n, row in enumerate(rows)})
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as database, database:
        database.execute("CREATE TABLE t (text TEXT)")
        database.executemany("INSERT INTO t VALUES (?)", [(row["text"],) for row in rows])
    (tmp_path / "d").mkdir()
    for number, row in enumerate(rows):
        (tmp_path / "d" / f"{number}.md").write_text(row["text"])
    first, long, last = all_of(tmp_path, name)
    assert isinstance(first, Record) and isinstance(last, Record)
    assert (first.fields["text"], last.fields["text"]) == ("short", "last")
    assert any(word in refused(long).reason for word in ("is longer than", "is larger than"))
    assert refused(long).fix


def test_a_long_paragraph_does_not_fill_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LONGEST_ROW", 1 << 16)
    (tmp_path / "a.txt").write_text("one\n\n" + ("x" * 1000 + "\n") * 20_000 + "\ntwo\n")
    tracemalloc.start()
    try:
        first, long, last = all_of(tmp_path, "a.txt")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused(long).reason.startswith("the paragraph is longer than")
    assert (first.line, long.line, last.line) == (1, 3, 20_004)
    assert peak < 8 << 20


@pytest.mark.parametrize("opened", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("closed", [False, True])
def test_nested_json_is_refused_before_it_costs_the_stack(tmp_path: Path, opened: str, closed: bool) -> None:
    depth = 100_000
    ends = {"[": "]", '{"a":': "}", '[{"a":': "}]"}[opened]
    bomb = '{"prompt": ' + opened * depth + ("1" + ends * depth + "}" if closed else "")
    (tmp_path / "a.jsonl").write_bytes(GOOD + bomb.encode() + b"\n" + GOOD)
    first, deep, last = all_of(tmp_path, "a.jsonl")
    assert isinstance(first, Record) and isinstance(last, Record)
    assert refused(deep).reason == "the JSON is nested too deeply: more than 128 levels"
    (tmp_path / "a.json").write_text(f"[{bomb}]")
    assert "nested too deeply" in problem_of(tmp_path, "a.json").reason


def test_nesting_counts_levels_and_not_brackets(tmp_path: Path) -> None:
    texts = [json.dumps({"a": "[{" * 1000}), json.dumps({"a": [[]] * 1000}), '{"a": ' + "[" * 127 + "]" * 127 + "}"]
    (tmp_path / "a.jsonl").write_text("\n".join([*texts, '{"a": ' + "[" * 128 + "]" * 128 + "}"]))
    *good, deep = all_of(tmp_path, "a.jsonl")
    assert [isinstance(row, Record) for row in good] == [True] * 3
    assert "nested too deeply" in refused(deep).reason
    # An open quote with many escaped ones behind it must not be searched again from each.
    started = time.perf_counter()
    (tmp_path / "a.jsonl").write_text('{"a": ' + "[" * 200 + '"' + '\\"' * 500_000)
    refused(all_of(tmp_path, "a.jsonl")[0])
    assert time.perf_counter() - started < 5


def test_long_numbers_are_refused_whatever_python_was_told(tmp_path: Path) -> None:
    numbers = ["1" * 4300, "1" * 4301, "-" + "1" * 100_000, "1." + "1" * 100_000, '"' + "1" * 100_000 + '"']
    (tmp_path / "a.jsonl").write_text("\n".join(f'{{"a": {number}}}' for number in numbers))
    rows = all_of(tmp_path, "a.jsonl")
    assert [isinstance(row, Record) for row in rows] == [True, False, False, True, True]
    assert refused(rows[1]).reason == "a number has 4301 digits, more than 4300"


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_stops_and_says_how_to_allow_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(limits, "RATIO_FROM", 1 << 16)
    row = json.dumps({"prompt": "a" * 1000}).encode() + b"\n"
    content = row * 5000
    (tmp_path / f"a.jsonl{suffix}").write_bytes(PACKERS[suffix](content))
    source = source_of(tmp_path, f"a.jsonl{suffix}")
    packed = source.path.stat().st_size
    assert len(content) > limits.RATIO * packed
    given = 0
    with pytest.raises(DataError) as error:
        for _ in read_records(source):
            given += 1
    assert given * len(row) <= max(1 << 16, limits.RATIO * packed)
    found = error.value.problems[0]
    assert found.reason.startswith("the file unpacks to more than")
    assert found.reason.endswith("bomb does")
    assert found.fix == "If it is meant to, allow more with `max_bytes:`"
    assert len(records(tmp_path, f"a.jsonl{suffix}", max_bytes=len(content))) == 5000
    found = problem_of(tmp_path, f"a.jsonl{suffix}", max_bytes=len(content) - 1)
    assert (found.field, found.reason) == ("data.max_bytes", f"the file unpacks to more than {len(content) - 1} bytes")


def test_a_packed_line_without_an_end_stays_small(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"x" * (60 << 20)))
    tracemalloc.start()
    try:
        (long,) = all_of(tmp_path, "a.jsonl.gz")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "is longer than 16 MiB" in refused(long).reason
    assert peak < 4 * limits.LONGEST_ROW


def test_a_json_file_is_held_as_a_whole_and_so_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WHOLE_FILE", 100)
    (tmp_path / "a.json").write_text(json.dumps(ROWS))
    found = problem_of(tmp_path, "a.json")
    assert "has to be held in memory as a whole" in found.reason
    assert "JSON Lines" in str(found.fix)


def test_columns_of_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COLUMNS", 1)
    write_every_kind(tmp_path)
    for name, reason in (
        ("a.csv", "the header has 2 columns, more than 1"),
        ("a.parquet", "the table has 2 columns, more than 1"),
        ("a.arrow", "the table has 2 columns, more than 1"),
    ):
        assert problem_of(tmp_path, name).reason == reason


def test_files_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILES", 3)
    for number in range(4):
        (tmp_path / "d").mkdir(exist_ok=True)
        (tmp_path / "d" / f"{number}.jsonl").write_bytes(GOOD)
    for name in ("d", "d/*.jsonl"):
        found = problem_of(tmp_path, name)
        assert (found.field, found.reason) == ("data.path", "more than 3 files are there")
    assert len(locate([SourceOptions(path="d/[0-2].jsonl")], tmp_path)) == 3


def test_books_are_bounded_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATIO_FROM", 1 << 16)
    epub(tmp_path / "a.epub", {"b": "<p>fine</p>", "a": "<p>" + "x" * (8 << 20) + "</p>"})
    rows = read_records(source_of(tmp_path, "a.epub"))
    assert isinstance(next(rows), Record)
    with pytest.raises(DataError, match=r"as a zip bomb does.*`max_bytes:`"):
        next(rows)
    assert len(records(tmp_path, "a.epub", max_bytes=9 << 20)) == 2
    monkeypatch.setattr(limits, "EPUB_ENTRIES", 3)
    assert problem_of(tmp_path, "a.epub").reason == "the book has 5 files inside, more than 3"


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path) -> None:
    epub(tmp_path / "a.epub", {"a": "<p>" + "x" * 100_000 + "</p>"})
    content = bytearray((tmp_path / "a.epub").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.epub") as archive:
        size = archive.getinfo("OEBPS/a.xhtml").file_size
    place = content.rindex(size.to_bytes(4, "little"))
    content[place : place + 4] = (50).to_bytes(4, "little")
    (tmp_path / "a.epub").write_bytes(content)
    with pytest.raises(DataError, match="not an EPUB that can be read"):
        all_of(tmp_path, "a.epub")


def test_a_large_cell_in_a_view_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SQLITE_CELL", 1000)
    sqlite(tmp_path / "a.db", [{"prompt": "a", "completion": "b" * 2000}])
    found = problem_of(tmp_path, "a.db", query="SELECT * FROM rows")
    assert (found.field, found.reason) == ("data.query", "the database cannot be read: string or blob too big")
    assert "Leave out cells" in str(found.fix)
    (row,) = all_of(tmp_path, "a.db")
    assert refused(row).reason == "a cell is larger than 0 MiB"


@pytest.mark.parametrize(
    "part",
    ["<a ", '<a "', "<a '\"", "<!--", "<![CDATA[", "<script>", "<svg>", "</b", "<p a=''", '<a b="<', "&", "<h1>"],
)
def test_markup_is_read_in_time_that_grows_with_its_length(part: str) -> None:
    started = time.perf_counter()
    page_of(part * 100_000)
    assert time.perf_counter() - started < 5


def test_parquet_rows_that_python_cannot_hold_are_refused(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b", "c"], "day": pa.array([0, 10**15, 0], pa.timestamp("ms"))})
    pq.write_table(table, tmp_path / "a.parquet")
    rows = all_of(tmp_path, "a.parquet")
    assert [isinstance(row, Record) for row in rows] == [True, False, True]
    assert refused(rows[1]).reason.startswith("a column cannot be read")


def test_jsonl_in_one_go(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS * 4000))
    started = time.process_time()
    assert len(records(tmp_path, "a.jsonl")) == 20_000
    assert (time.process_time() - started) / 20_000 < 100e-6, "ten times what it takes on a slow machine"
