"""Whatever the bytes of a file, reading ends with rows, refusals or a `DataError`, and no good row is lost."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atanor.data import Refusal, SourceOptions
from atanor.data.blocks import blocks_of, read_block
from atanor.data.readers import digest_of, read_records
from atanor.data.records import Record
from atanor.data.sources import locate
from atanor.errors import DataError, StoreError
from tests.data.containers import PACKERS, write_every_kind

SECONDS = 60
KINDS = [
    *("a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a.md", "a.html", "a.parquet", "a.arrow", "b.arrow", "a.sqlite"),
    *("a.epub", *(f"a.jsonl{suffix}" for suffix in PACKERS)),
]
fuzzing = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """A test that hangs fails instead."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"still reading after {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of a good file of every kind."""
    paths = write_every_kind(tmp_path_factory.mktemp("good"))
    assert set(paths) == set(KINDS)
    return {name: path.read_bytes() for name, path in paths.items()}


def read_anything(folder: Path, name: str, content: bytes) -> list[Record | Refusal]:
    """Everything that comes out of a file before it ends or is given up; a refusal tells place, reason and fix."""
    (folder / name).write_bytes(content)
    rows: list[Record | Refusal] = []
    try:
        for source in locate([SourceOptions(path=name)], folder):
            rows.extend(read_records(source))
            assert len(digest_of(source)) == 64
            assert [row for block in blocks_of(source, 64) for row in read_block(source, block)] == rows
    except (DataError, StoreError) as error:
        assert error.problems
        assert all(problem.reason and problem.fix and problem.file for problem in error.problems)
    for row in rows:
        assert row.line >= 1
        if isinstance(row, Refusal):
            assert row.reason and row.fix
        else:
            json.dumps(row.fields)
    return rows


@pytest.mark.parametrize("name", KINDS)
@given(content=st.binary(max_size=300))
@fuzzing
def test_any_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    read_anything(tmp_path, name, content)


@st.composite
def wounds(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Places (as shares of the length), how many bytes are taken out there, and what is put in."""
    filling = st.binary(max_size=8) | st.sampled_from(
        [b"\0" * 40, b"\r", b'"', b"\xff\xff\xff\x7f", b"<!--", b"[" * 500]
    )
    wound = st.tuples(st.floats(0, 1), st.integers(0, 40), filling)
    return draw(st.lists(wound, min_size=1, max_size=4))


@pytest.mark.parametrize("name", KINDS)
@given(wounds=wounds(), keep=st.sampled_from([1.0, 1.0, 0.99, 0.7, 0.3]))
@fuzzing
def test_good_files_with_wounds(
    tmp_path: Path, good: dict[str, bytes], name: str, wounds: list[tuple[float, int, bytes]], keep: float
) -> None:
    content = good[name]
    content = content[: int(len(content) * keep)]
    for share, taken, put in wounds:
        place = int(len(content) * share)
        content = content[:place] + put + content[place + taken :]
    read_anything(tmp_path, name, content)


JUNK = st.one_of(
    st.binary(max_size=40).map(lambda content: content.replace(b"\n", b"")),
    st.sampled_from(
        [b"{", b"[" * 2000, b"\0", b'{"n": NaN}', b'{"n": 1, "n": 2}', b"\xff\xfe", b"\xc3(", b"null", b'"']
    ),
)


@given(st.lists(JUNK | st.none(), max_size=30), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.integers(1, 200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_good_rows_among_bad_ones_come_out_with_their_lines(
    tmp_path: Path, lines: list[bytes | None], end: bytes, is_last_ended: bool, size: int
) -> None:
    written = [json.dumps({"row": number}).encode() if line is None else line for number, line in enumerate(lines, 2)]
    content = end.join([b'{"row": 1}', *written]) + end * is_last_ended
    (tmp_path / "a.jsonl").write_bytes(content)
    (source,) = locate([SourceOptions(path="a.jsonl")], tmp_path)
    for rows in (
        list(read_records(source)),
        [row for block in blocks_of(source, size) for row in read_block(source, block)],
    ):
        planted = [1, *(number for number, line in enumerate(lines, 2) if line is None)]
        found = {row.line: row.fields["row"] for row in rows if isinstance(row, Record) and "row" in row.fields}
        assert found == {number: number for number in planted}
        assert [row.line for row in rows] == [n for n, line in enumerate([b"{}", *written], 1) if line.strip()]


@given(st.lists(JUNK.filter(lambda junk: b'"' not in junk and b"\r" not in junk) | st.none(), max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_good_rows_of_a_table_among_bad_ones(tmp_path: Path, lines: list[bytes | None]) -> None:
    written = [f'"cell, {number}",x,y'.encode() if line is None else line for number, line in enumerate(lines, 2)]
    (tmp_path / "a.csv").write_bytes(b"\n".join([b"a,b,c", *written]))
    rows = read_anything(tmp_path, "a.csv", b"\n".join([b"a,b,c", *written]))
    found = {row.line for row in rows if isinstance(row, Record) and row.fields["a"] == f"cell, {row.line}"}
    assert found == {number for number, line in enumerate(lines, 2) if line is None}
    assert {row.line for row in rows} == {number for number, line in enumerate(written, 2) if line}
