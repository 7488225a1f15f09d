"""Every kind of file gives its rows, in order, with their places; what is wrong with a file is said."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data import Refusal, SourceOptions
from atanor.data.blocks import Block, blocks_of, read_block
from atanor.data.containers.markup import page_of
from atanor.data.containers.strict_json import StrictDecoder
from atanor.data.readers import digest_of, read_records
from atanor.data.records import Record
from atanor.data.sources import FileKind, locate
from atanor.errors import DataError, MissingExtraError, Problem
from tests.data.containers import PACKERS, ROWS, all_of, epub, jsonl, records, source_of, sqlite, write_every_kind


def problem_of(root: Path, name: str, **options: Any) -> Problem:
    """The one thing that is wrong with a file."""
    with pytest.raises(DataError) as error:
        all_of(root, name, **options)
    (found,) = error.value.problems
    assert found.fix
    return found


# Kinds


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.arrow", "b.arrow", "a.sqlite"])
def test_tables_and_lines_hold_the_same_rows(tmp_path: Path, name: str) -> None:
    write_every_kind(tmp_path)
    assert [record.fields for record in records(tmp_path, name)] == ROWS


def test_feather_is_arrow(tmp_path: Path) -> None:
    pyarrow.feather.write_feather(pa.Table.from_pylist(ROWS), tmp_path / "a.feather")
    assert [(record.line, record.fields) for record in records(tmp_path, "a.feather")] == list(enumerate(ROWS, 1))


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "txt", "json", "md", "html"])
def test_packed_text_reads_as_it_does_unpacked(tmp_path: Path, kind: str, suffix: str) -> None:
    plain = write_every_kind(tmp_path)[f"a.{kind}"]
    (tmp_path / f"p.{kind}{suffix}").write_bytes(PACKERS[suffix](plain.read_bytes()))
    assert records(tmp_path, f"p.{kind}{suffix}") == records(tmp_path, plain.name)


@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_streams_one_after_the_other_are_one_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a.jsonl{suffix}").write_bytes(PACKERS[suffix](jsonl(ROWS[:2])) + PACKERS[suffix](jsonl(ROWS[2:])))
    assert [record.fields for record in records(tmp_path, f"a.jsonl{suffix}")] == ROWS


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "txt", "md"])
def test_rows_before_a_cut_in_packed_data_are_kept(tmp_path: Path, kind: str, suffix: str) -> None:
    texts = [os.urandom(200).hex() for _ in range(4000)]
    form = {"jsonl": '{{"text": "{}"}}\n', "csv": '"{}"\n', "txt": "{}\n\n", "md": "{}\n"}[kind]
    content = ("text\n" if kind == "csv" else "") + "".join(form.format(text) for text in texts)
    packed = PACKERS[suffix](content.encode())
    (tmp_path / f"a.{kind}{suffix}").write_bytes(packed[: len(packed) * 2 // 3])
    *good, last = all_of(tmp_path, f"a.{kind}{suffix}")
    assert isinstance(last, Refusal) and "data is damaged from here on" in last.reason
    assert [row.fields["text"] for row in good if isinstance(row, Record)] == texts[: len(good)]
    # Zstandard unpacks by blocks of 128 KiB and bzip2 of 900 kB; a document is one row.
    assert kind == "md" or len(good) > 2000


def test_a_folder_is_its_files_by_name_and_its_texts_are_documents(tmp_path: Path) -> None:
    for name in (
        "books/b.txt",
        "books/a/z.txt",
        "books/.hidden.txt",
        "books/.git/x.txt",
        "books/cover.png",
        "rows.jsonl",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"one\r\n\r\ntwo\n")
    sources = locate([SourceOptions(path="books/")], tmp_path)
    assert [source.name for source in sources] == ["books/a/z.txt", "books/b.txt"]
    assert [source.passed_over for source in sources] == [("books/cover.png",), ()]
    assert [record.fields["text"] for record in records(tmp_path, "books")] == ["one\n\ntwo\n"] * 2
    assert [record.fields["text"] for record in records(tmp_path, "books/b.txt")] == ["one", "two"]


def test_a_pattern_is_the_files_that_match(tmp_path: Path) -> None:
    for name in ("data/b.jsonl", "data/a.jsonl", "data/deep/c.jsonl", "data/[x].jsonl", "data/note.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(jsonl(ROWS[:1]))
    names = [
        [s.name for s in locate([SourceOptions(path=path)], tmp_path)] for path in ("data/?.jsonl", "data/**/*.jsonl")
    ]
    assert names[0] == ["data/a.jsonl", "data/b.jsonl"]
    assert names[1] == ["data/[x].jsonl", "data/a.jsonl", "data/b.jsonl", "data/deep/c.jsonl"]
    assert source_of(tmp_path, "data/[x].jsonl").name == "data/[x].jsonl", "a file of that very name comes first"
    assert problem_of(tmp_path, "data/*.png").reason == "no file of rows has such a name; files there: data/note.png"
    assert problem_of(tmp_path, "data/*.csv").reason == "no file of rows has such a name"


def test_markdown_is_one_row_with_its_front_matter_aside(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text('---\ntitle: "The end"\ntags: [x]\n---\n\n# One\n\ntext\n\n## Two\n')
    (tmp_path / "b.md").write_text("\ufeff# One #\r\n\r\ntext\r\n---\r\nmore\r\n")
    (tmp_path / "c.md").write_text(" \n\n")
    (record,) = records(tmp_path, "a.md")
    assert record.fields == {
        "title": "The end",
        "text": "# One\n\ntext\n\n## Two",
        "front_matter": 'title: "The end"\ntags: [x]',
    }
    (record,) = records(tmp_path, "b.md")
    assert record.fields == {"title": "One", "text": "# One #\n\ntext\n---\nmore"}
    assert records(tmp_path, "c.md") == []


def test_html_is_the_text_that_a_reader_sees(tmp_path: Path) -> None:
    page = (
        "<!DOCTYPE html><html><head><title>A &amp; B</title><style>p < q { }</style></head><body>"
        "<script>if (a < b) document.write('<p>no</p>')</script><h1>One\n <i>two</i></h1><!-- <p>no</p> -->"
        "<p title='a > b'>three<br>four &lt;five&gt;</p><ul><li>six<li>seven</ul><pre>  eight\n   nine</pre>"
        "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table><svg><text>no</text></svg>3 < 4 <unclosed"
    )
    (tmp_path / "a.html").write_text(page)
    (record,) = records(tmp_path, "a.html")
    assert record.fields == {
        "title": "A & B",
        "text": "One two\n\nthree\nfour <five>\n\n- six\n- seven\n\n  eight\n   nine\n\n1 2\n3\n\n3 < 4 <unclosed",
    }
    assert record.raw == page


def test_epub_chapters_come_in_reading_order(tmp_path: Path) -> None:
    chapters = {
        "a": "<h2>Last</h2><p>Fin.</p>",
        "b": "<p>No heading</p>",
        "c": "<img src='x'/>",
        "d": "<h1>1<br/>x</h1><p>Uno</p>",
    }
    epub(tmp_path / "a.epub", chapters)
    assert [(record.line, record.fields) for record in records(tmp_path, "a.epub")] == [
        (1, {"title": "El libro", "chapter": "1 x", "text": "1\nx\n\nUno"}),
        (3, {"title": "El libro", "chapter": "T", "text": "No heading"}),
        (4, {"title": "El libro", "chapter": "Last", "text": "Last\n\nFin."}),
    ]


def test_epubs_that_are_broken_protected_or_hostile(tmp_path: Path) -> None:
    locked = "<encryption><CipherReference URI='OEBPS/b.xhtml'/></encryption>"
    chapters = {"a": "<p>a</p>", "b": "<p>b</p>"}
    epub(tmp_path / "locked.epub", chapters, extra={"META-INF/encryption.xml": locked})
    refused, good = all_of(tmp_path, "locked.epub")
    assert isinstance(refused, Refusal) and isinstance(good, Record)
    assert (refused.line, refused.reason, refused.value) == (1, "the chapter is encrypted", "'OEBPS/b.xhtml'")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><container>&b;</container>'
    with pytest.warns(UserWarning, match="Duplicate name"):
        epub(tmp_path / "bomb.epub", chapters, extra={"META-INF/container.xml": bomb})
    assert problem_of(tmp_path, "bomb.epub").reason == "META-INF/container.xml in it declares XML entities"
    (tmp_path / "not.epub").write_bytes(b"PK nothing")
    assert problem_of(tmp_path, "not.epub").reason.startswith("not an EPUB that can be read")
    (tmp_path / "rows.epub").write_bytes(
        (tmp_path / "locked.epub").read_bytes().replace(b"container.xml", b"contained.xml")
    )
    assert problem_of(tmp_path, "rows.epub").reason.startswith("not an EPUB: it has no META-INF/container.xml")


# Databases


def test_a_database_with_several_tables_needs_one_named(tmp_path: Path) -> None:
    sqlite(tmp_path / "a.db")
    sqlite(tmp_path / "a.db", ROWS[:1], table='odd "name"')
    assert [record.fields for record in records(tmp_path, "a.db", table='odd "name"')] == ROWS[:1]
    query = "SELECT prompt AS q, 1.5 AS x, NULL AS n, x'ff41' AS b FROM rows WHERE completion LIKE '%3'"
    (record,) = records(tmp_path, "a.db", query=query)
    assert record.fields == {"q": "question 3 ñ", "x": 1.5, "n": None, "b": "\\xffA"}
    found = problem_of(tmp_path, "a.db")
    assert (found.field, found.reason) == ("data.table", 'one table is expected; tables there: odd "name", rows')
    assert problem_of(tmp_path, "a.db", table="row").reason == 'no table `row`; tables there: odd "name", rows'


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("ATTACH 'other.db' AS other", "not authorized"),
        ("DELETE FROM rows", "not authorized"),
        ("PRAGMA writable_schema = ON", "not authorized"),
        ("SELECT load_extension('x')", "not authorized"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT rows.other FROM rows", "no such column: rows.other"),
        ("SELECT prompt, prompt FROM rows", "the query gives two columns `prompt`"),
        ("", "the query gives no rows"),
    ],
)
def test_a_query_only_reads(tmp_path: Path, query: str, reason: str) -> None:
    sqlite(tmp_path / "a.db")
    found = problem_of(tmp_path, "a.db", query=query)
    assert found.field == "data.query"
    assert reason in found.reason
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db"]


def test_a_database_in_use_is_not_read_without_its_newest_rows(tmp_path: Path) -> None:
    sqlite(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        with database:
            database.execute("INSERT INTO rows VALUES ('new', 'row')")
        found = problem_of(tmp_path, "a.db")
        assert found.reason == "a.db-wal holds changes that are not in the database yet"
    assert records(tmp_path, "a.db")[-1].fields["prompt"] == "new"


def test_a_cell_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    sqlite(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("UPDATE rows SET prompt = CAST(x'63616fff' AS TEXT) WHERE completion = 'answer 2'")
    rows = all_of(tmp_path, "a.db")
    assert [row.line for row in rows] == [1, 2, 3, 4, 5]
    assert isinstance(rows[1], Refusal) and (rows[1].field, rows[1].reason) == ("prompt", "a cell is not UTF-8 text")


def test_a_damaged_schema_whose_message_is_no_text(tmp_path: Path) -> None:
    sqlite(tmp_path / "a.db")
    content = (tmp_path / "a.db").read_bytes()
    assert b"(prompt TEXT, " in content
    (tmp_path / "a.db").write_bytes(content.replace(b"(prompt TEXT, ", b"(prompt TEX \xe6("))
    assert problem_of(tmp_path, "a.db").reason.startswith("the database cannot be read")


# Data sets of the `datasets` library


def test_a_saved_data_set_is_read_without_the_library(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    for number, part in enumerate((ROWS[:3], ROWS[3:])):
        table = pa.Table.from_pylist(part)
        path = str(folder / f"data-{number}.arrow")
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    (folder / "dataset_info.json").write_text("{}")
    state: dict[str, Any] = {"_data_files": [{"filename": f"data-{number}.arrow"} for number in (0, 1)]}
    (folder / "state.json").write_text(json.dumps(state))
    found = records(tmp_path, "saved")
    assert [(record.line, record.fields) for record in found] == list(enumerate(ROWS, 1))
    source = source_of(tmp_path, "saved")
    assert source.kind is FileKind.DATASET
    before = digest_of(source)
    (folder / "data-1.arrow").write_bytes((folder / "data-0.arrow").read_bytes())
    assert digest_of(source) != before
    for wrong, reason in (
        ({"_data_files": [{"filename": "../a.arrow"}]}, "names files outside"),
        (state | {"_indices_files": [1]}, "a selection of rows"),
        ([], "cannot be read"),
    ):
        (folder / "state.json").write_text(json.dumps(wrong))
        assert reason in problem_of(tmp_path, "saved").reason
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "dataset_dict.json").write_text("{}")
    (folder / "state.json").write_text("{}")
    shutil.copytree(folder, tmp_path / "all" / "train")
    assert problem_of(tmp_path, "all").fix == "Name one of them: all/train"


def test_a_data_set_on_the_hub_needs_the_library_and_a_right_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problem_of(tmp_path, "hf:x").reason == "not the name of a data set"
    assert problem_of(tmp_path, "hf:a/b", table="x").reason == "`table` is about databases"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"needs the `datasets` package\n.*not installed.*pip install"):
        records(tmp_path, "hf:owner/name:train@main")


def test_the_splits_of_a_data_set_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_every_kind(tmp_path)

    class Split:
        cache_files = ({"filename": str(tmp_path / "b.arrow")},)

    asked = []

    def loaded(source: object, name: str, revision: str | None) -> dict[str, Split]:
        asked.append((name, revision))
        return {"train": Split()} if name == "a/one" else {"test": Split(), "train": Split()}

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("atanor.data.containers.saved_datasets._loaded", loaded)
    assert [record.fields for record in records(tmp_path, "hf:a/one@v1.0")] == ROWS
    assert [record.fields for record in records(tmp_path, "hf:a/two:test")] == ROWS
    assert asked == [("a/one", "v1.0"), ("a/two", None)]
    assert problem_of(tmp_path, "hf:a/two").reason == "several splits; splits there: test, train"
    assert problem_of(tmp_path, "hf:a/two:dev").fix == "Write hf:a/two:SPLIT"


# Encodings and line ends


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl().decode().encode(encoding))
    assert source_of(tmp_path, "a.jsonl").encoding == encoding.replace("utf-8-sig", "utf-8")
    assert [record.fields for record in records(tmp_path, "a.jsonl")] == ROWS


def test_other_encodings_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\ncafé “x”,1\nb\x81,2\n".encode("cp1252", "ignore") + b"c\x81,3\nd,4\n")
    rows = all_of(tmp_path, "a.csv", encoding="windows-1252")
    assert [row.line for row in rows] == [2, 3, 4, 5]
    assert isinstance(rows[0], Record) and rows[0].fields["text"] == "café “x”"
    assert isinstance(rows[2], Refusal)
    assert (rows[2].reason, rows[2].fix) == (
        "the row is not CP1252 text",
        "Check `encoding`, or save the file as UTF-8",
    )
    found = problem_of(tmp_path, "a.csv", encoding="cp1253x")
    assert (found.field, found.fix) == ("data.encoding", "Did you mean `cp1253`?")
    assert problem_of(tmp_path, "a.csv", encoding="rot13").reason == "`rot13` is no known encoding"
    (tmp_path / "w.csv").write_bytes("text\na\n".encode("utf-16"))
    assert "byte-order mark says utf-16" in problem_of(tmp_path, "w.csv", encoding="cp1252").reason
    assert len(records(tmp_path, "w.csv", encoding="utf-16")) == 1


def test_half_a_character_of_utf16_is_no_good_text(tmp_path: Path) -> None:
    row = '{"prompt": "a\ud83d", "completion": "b"}\n'.encode("utf-16", "surrogatepass")
    (tmp_path / "a.jsonl").write_bytes(row + jsonl(ROWS[:1]).decode().encode("utf-16-le"))
    bad, good = all_of(tmp_path, "a.jsonl")
    assert isinstance(bad, Refusal) and bad.reason == "the row is not UTF-16 text"
    assert isinstance(good, Record) and (good.line, good.fields) == (2, ROWS[0])


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(tmp_path: Path, ends: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl().replace(b"\n", ends.encode()))
    (tmp_path / "a.txt").write_bytes(ends.join(["one", "two", "", "three", ""]).encode())
    assert [(record.line, record.fields) for record in records(tmp_path, "a.jsonl")] == list(enumerate(ROWS, 1))
    assert [(record.line, record.raw) for record in records(tmp_path, "a.txt")] == [(1, "one\ntwo"), (4, "three")]


# Places


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder with secrets beside it."""
    (tmp_path / "secret.jsonl").write_bytes(jsonl())
    (tmp_path / "project" / "data").mkdir(parents=True)
    return tmp_path / "project"


def test_a_path_leads_out_only_where_it_may(project: Path) -> None:
    (project / "data" / "link.jsonl").symlink_to("../../secret.jsonl")
    (project / "folder").symlink_to("..")
    for name in ("../secret.jsonl", str(project.parent / "secret.jsonl"), "data/link.jsonl", "data", "data/*.jsonl"):
        found = problem_of(project, name)
        assert found.reason == "the path leads out of the project's folder"
        assert "outside: true" in str(found.fix)
        assert [record.fields for record in records(project, name, outside=True)] == ROWS
        assert locate([SourceOptions(path=name)], project, confined=False)
    assert problem_of(project, "folder/secret.jsonl").reason == "the path leads out of the project's folder"
    (project / "data" / "link.jsonl").unlink()
    (project / "data" / "own.jsonl").write_bytes(jsonl())
    (project / "data" / "link.jsonl").symlink_to("own.jsonl")
    assert len(records(project, "data/../data/link.jsonl")) == 5
    assert len(records(project, str(project / "data" / "own.jsonl"))) == 5, "absolute, but not outside"


def test_circles_of_links_end(project: Path) -> None:
    (project / "data" / "again").symlink_to("..")
    (project / "data" / "loop.jsonl").symlink_to("loop.jsonl")
    (project / "data" / "own.jsonl").write_bytes(jsonl())
    assert "symbolic links" in problem_of(project, "data/loop.jsonl").reason
    (project / "data" / "loop.jsonl").unlink()
    (source,) = locate([SourceOptions(path="data")], project)
    assert (source.name, source.passed_over) == ("data/own.jsonl", ("data/again",))
    assert [source.name for source in locate([SourceOptions(path="**/*.jsonl")], project)] == ["data/own.jsonl"]


def test_pipes_devices_and_files_one_may_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "null.jsonl").symlink_to("/dev/zero")
    (tmp_path / "empty.jsonl").mkdir()
    assert problem_of(tmp_path, "pipe.jsonl").reason == "this is a pipe or a device, not a file"
    assert problem_of(tmp_path, "null.jsonl", outside=True).reason == "this is a pipe or a device, not a file"
    assert problem_of(tmp_path, "empty.jsonl").reason == "this is a folder without a file of rows"
    assert "null byte" in problem_of(tmp_path, "a\0.jsonl").reason
    assert "too long" in problem_of(tmp_path, "a" * 5000 + ".jsonl").reason
    if os.geteuid():
        (tmp_path / "closed.jsonl").write_bytes(jsonl())
        (tmp_path / "closed.jsonl").chmod(0)
        assert problem_of(tmp_path, "closed.jsonl").reason == "the file cannot be read: Permission denied"


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path, name: str) -> None:
    path = write_every_kind(tmp_path)[name]
    source = source_of(tmp_path, name)
    (block,) = blocks_of(source)
    rows = read_records(source)
    next(rows)
    path.write_bytes(path.read_bytes() + b"\n\n")
    with pytest.raises(DataError, match="the file changed while it was read"):
        list(rows)
    with pytest.raises(DataError, match=r"the file changed while it was read|not a Parquet file"):
        list(read_block(source, block))


@pytest.mark.parametrize(
    ("name", "options", "field", "reason"),
    [
        ("a.jsonl", {"table": "x"}, "data.table", "`table` is about databases"),
        ("a.csv", {"query": "x"}, "data.query", "`query` is about databases"),
        ("a.db", {"table": "x", "query": "y"}, "data.query", "`table` and `query` exclude each other"),
        ("a.db", {"encoding": "cp1252"}, "data.encoding", "`encoding` is about files of text"),
        ("a.jsonl", {"max_bytes": 10}, "data.max_bytes", "the file is larger than 10 bytes"),
    ],
)
def test_no_option_is_ignored(tmp_path: Path, name: str, options: dict[str, Any], field: str, reason: str) -> None:
    write_every_kind(tmp_path)
    sqlite(tmp_path / "a.db")
    found = problem_of(tmp_path, name, **options)
    assert (found.field, found.reason) == (field, reason)


# Blocks


def in_blocks(root: Path, name: str, size: int) -> tuple[int, list[Record | Refusal]]:
    source = source_of(root, name)
    blocks = blocks_of(source, size)
    assert all(isinstance(block, Block) for block in blocks)
    return len(blocks), [row for block in blocks for row in read_block(source, block)]


LINES = st.lists(
    st.sampled_from(
        [b'{"a": 1}', b"", b"oops", b"\xff", b'{"a": "' + b"x" * 40 + b'"}', b" \r", b'"', b"\xef\xbb\xbf{}", b"[1]"]
    ),
    max_size=40,
)


@given(LINES, st.integers(1, 60), st.booleans(), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_blocks_of_lines_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, ends: bool, mark: bytes
) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "blocks.jsonl").write_bytes(mark + b"\n".join([b"{}", *lines]) + b"\n" * ends)
    assert in_blocks(root, "blocks.jsonl", size)[1] == all_of(root, "blocks.jsonl")


CELLS = st.lists(
    st.sampled_from(
        [b"a,b", b'"a,b",c', b'"a\nb","c"', b'"a""b",c', b'a""b,c', b'"a"x,b', b'"open,b', b"", b'x "y",z', b'a,"\n\n"',
         b'a,""', b'"",b', b'a\r"b,c', b'"a"\rb,c', b"a,b\r", b'""",b"', b"\xff,a", b'a,b"', b'\t"a",b']
    ),
    max_size=25,
)  # fmt: skip


@given(CELLS, st.integers(1, 30), st.sampled_from([b"one,two", b'\n\n"o\nne",two', b"\xef\xbb\xbfone,two", b'"one"']))
def test_blocks_of_quoted_rows_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[bytes], size: int, header: bytes
) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "blocks.csv").write_bytes(b"\n".join([header, *rows]))
    assert in_blocks(root, "blocks.csv", size)[1] == all_of(root, "blocks.csv")


def test_files_are_divided_where_they_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_every_kind(tmp_path)
    (tmp_path / "quoted.csv").write_text("text,label\n" + '"a\nb ""c""",d\n' * 50)
    (tmp_path / "unsure.csv").write_text("text,label\n" + 'a "b",d\n' * 50)
    (tmp_path / "mac.jsonl").write_bytes(jsonl().replace(b"\n", b"\r"))
    for name, count in (("a.jsonl", 5), ("a.csv", 6), ("quoted.csv", 51), ("a.parquet", 3)):
        found, rows = in_blocks(tmp_path, name, 5)
        assert found == count, name
        assert rows == all_of(tmp_path, name)
    for name in ("a.json", "a.jsonl.gz", "a.sqlite", "a.epub", "a.txt", "unsure.csv", "mac.jsonl", "a.arrow"):
        found, rows = in_blocks(tmp_path, name, 5)
        assert found == 1, name
        assert rows == all_of(tmp_path, name)
    monkeypatch.setattr("atanor.data.containers.row_ends._PIECE", 7)
    for name, count in (("a.jsonl", 5), ("quoted.csv", 51)):
        assert in_blocks(tmp_path, name, 5) == (count, all_of(tmp_path, name))


# JSON, strictly

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(st.sampled_from("ab:c"), inner), max_size=4),
    max_leaves=12,
)


def written(value: Any) -> tuple[str, bool]:
    """A value as JSON, lists of pairs as objects, and whether a strict reader may take it."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        parts = [(json.dumps(key), *written(inner)) for key, inner in value]
        text = "{" + ", ".join(f"{key} : {inner}" for key, inner, _ in parts) + "}"
        return text, len({key for key, _ in value}) == len(value) and all(fine for *_, fine in parts)
    if isinstance(value, list):
        inside = [written(inner) for inner in value]
        return "[" + ",".join(text for text, _ in inside) + "]", all(fine for _, fine in inside)
    return json.dumps(value), not isinstance(value, float) or math.isfinite(value)


@given(VALUES)
def test_json_is_taken_when_it_is_strict_and_only_then(value: Any) -> None:
    text, fine = written({"key": value}["key"])
    text = f'{{"key": {text}}}'
    decoder = StrictDecoder()
    if fine:
        assert decoder.whole_object(text) == json.loads(text)
    else:
        with pytest.raises(DataError, match=r"written twice|not a JSON number"):
            decoder.whole_object(text)
    assert decoder.whole_object('{"a": 1}') == {"a": 1}, "the next row is not to blame"


@given(st.text(alphabet="<>/!-[]&;\"' ab=CDAT", max_size=60))
def test_any_markup_is_text(markup: str) -> None:
    assert "\0" not in page_of(markup).text
