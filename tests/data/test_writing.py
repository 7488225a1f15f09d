"""What is written reads back as the same examples, in every format and container that can hold them."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from atanor.data import Example, Message, SourceOptions, Speaker, read_examples
from atanor.data.writing import WriteFormat, WriteReport, write_examples
from atanor.data.writing.parts import Part, parts_of
from atanor.data.writing.shapes import SHAPES
from atanor.data.writing.uploads import UPLOADS
from atanor.errors import DataError

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\r,;\"'"), min_size=1, max_size=12
)
WORDS = TEXTS.map(lambda text: f"x{text}")
"""Not empty, and no character that a reader of CSV or of lines may take for its own at the start."""
ASSISTANT = WORDS.map(lambda text: Message(Speaker.ASSISTANT, text))
USER = WORDS.map(lambda text: Message(Speaker.USER, text))
CALLS = st.just(json.dumps([{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": [1]}'}}]))
TOOLS = st.just(json.dumps([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]))


def example(messages: Sequence[Message] = (), text: str | None = None, **more: Any) -> Example:
    return Example(tuple(messages), text, "made", 1, **more)


def pair(draw: st.DrawFn) -> list[Message]:
    return [draw(USER), draw(ASSISTANT)]


def chat(draw: st.DrawFn, *, tools: bool) -> list[Message]:
    """Some turns that begin with the user's and end with the assistant's."""
    system = [Message(Speaker.SYSTEM, draw(WORDS))] if draw(st.booleans()) else []
    turns = [turn for _ in range(draw(st.integers(1, 3))) for turn in pair(draw)]
    if tools:
        turns[-1:-1] = [Message(Speaker.ASSISTANT, "x"), Message(Speaker.TOOL, draw(WORDS))]
    return [*system, *turns]


@st.composite
def examples_for(draw: st.DrawFn, kind: WriteFormat) -> Example:
    """An example with any of the parts the format has a place for, and all it needs."""
    holds = SHAPES[kind].holds
    if Part.TEXT in holds:
        return example(text=draw(WORDS))
    turns = chat(draw, tools=Part.TOOL_TURN in holds and draw(st.booleans())) if Part.TURNS in holds else pair(draw)
    more: dict[str, Any] = {}
    if Part.CALLS in holds and draw(st.booleans()):
        turns[-1:-1] = [
            Message(Speaker.ASSISTANT, draw(st.just("") | WORDS), calls=draw(CALLS)),
            Message(Speaker.TOOL, draw(WORDS), name="c"),
        ]
        more["tools"] = draw(TOOLS)
    if Part.WEIGHT in holds:
        turns[-1] = replace(turns[-1], train=draw(st.none() | st.just(True)))
    if Part.NAME in holds:
        turns[0] = replace(turns[0], name=draw(st.none() | WORDS))
    if Part.REFERENCES in holds:
        more["references"] = tuple(draw(st.lists(WORDS, max_size=3)))
    if Part.REJECTED in holds:
        more["rejected"] = draw(WORDS)
    if Part.DESIRABLE in holds:
        more["desirable"] = draw(st.booleans())
    if kind is WriteFormat.CLASSIFICATION:
        more["label"] = turns[-1].content
    return example(turns, **more)


def files_of(kind: WriteFormat) -> list[str]:
    if kind in UPLOADS:
        return ["a.jsonl"]
    return ["a.jsonl", "a.json.gz", "a.jsonl.zst", "a.parquet", *(["a.csv", "a.tsv.gz"] if SHAPES[kind].flat else [])]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in WriteFormat for name in files_of(kind)])
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_reads_back_the_same(kind: WriteFormat, name: str, data: st.DataObject) -> None:
    written = data.draw(st.lists(examples_for(kind), min_size=1, max_size=4))
    # A line break inside a cell of a table is read as LF, whichever it was.
    assume(not name.startswith(("a.csv", "a.tsv")) or r"\r\n" not in repr(written))
    if kind in UPLOADS:
        written = (written * UPLOADS[kind].least)[: max(UPLOADS[kind].least, len(written))]
    with tempfile.TemporaryDirectory() as folder:
        report = write_examples(written, Path(folder) / name, kind)
        result = read_examples([SourceOptions(path=name)], Path(folder))
    assert (report.written, report.refusals, result.refusals) == (len(written), (), ())
    assert [same(one) for one in result.examples] == [same(one) for one in written]


def same(one: Example) -> Example:
    """The example without where it stands."""
    return replace(one, source="", line=0, group=None)


ASK, SAY = Message(Speaker.USER, "q"), Message(Speaker.ASSISTANT, "a")
FEATURES = {
    Part.TEXT: example(text="t"),
    Part.CHAT: example([ASK, SAY]),
    Part.SYSTEM: example([Message(Speaker.SYSTEM, "s"), ASK, SAY]),
    Part.TURNS: example([ASK, SAY, ASK, SAY]),
    Part.TOOL_TURN: example([ASK, SAY, Message(Speaker.TOOL, "t"), SAY]),
    Part.CALLS: example([ASK, Message(Speaker.ASSISTANT, "", calls='[{"function": {"name": "f"}}]')]),
    Part.TOOLS: example([ASK, SAY], tools="[]"),
    Part.NAME: example([replace(ASK, name="Ann"), SAY]),
    Part.WEIGHT: example([ASK, replace(SAY, train=True)]),
    Part.REFERENCES: example([ASK, SAY], references=("b",)),
    Part.REJECTED: example([ASK, SAY], rejected="b"),
    Part.DESIRABLE: example([ASK, SAY], desirable=True),
}
GOOD: dict[WriteFormat, Example] = {
    kind: example([ASK, SAY], label="a", rejected="b" if shape.needs is Part.REJECTED else None)
    for kind, shape in SHAPES.items()
} | {
    WriteFormat.TEXT: FEATURES[Part.TEXT],
    WriteFormat.KTO: FEATURES[Part.DESIRABLE],
    WriteFormat.KTO_CHAT: FEATURES[Part.DESIRABLE],
}


def write(tmp_path: Path, kind: WriteFormat, *more: Example) -> WriteReport:
    return write_examples([*[GOOD[kind]] * 10, *more], tmp_path / "a.jsonl", kind)


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("kind", WriteFormat)
def test_what_a_format_has_no_place_for_is_refused_and_counted(tmp_path: Path, kind: WriteFormat, part: Part) -> None:
    assert part in parts_of(FEATURES[part])
    report = write(tmp_path, kind, FEATURES[part])
    homeless = parts_of(FEATURES[part]) - SHAPES[kind].holds
    if homeless:
        (refusal,) = report.refusals
        first = next(one for one in Part if one in homeless)
        assert refusal.reason == f"the format `{kind}` has no place for {first}"
        assert refusal.fix.startswith("Choose a format that holds it, or take it out: ")
    assert report.written + len(report.refusals) == 11
    rows = (tmp_path / "a.jsonl").read_text().splitlines()
    assert len(rows) == report.written


@pytest.mark.parametrize(
    ("kind", "refused", "reason"),
    [
        (WriteFormat.PREFERENCE, FEATURES[Part.CHAT], "the row lacks a rejected answer, which `preference` is about"),
        (WriteFormat.CLASSIFICATION, FEATURES[Part.CHAT], "the row has no class"),
        (WriteFormat.OPENAI, example([SAY, ASK]), "the last turn is not the assistant's"),
        (WriteFormat.VERTEX, example([ASK, Message(Speaker.SYSTEM, "s"), SAY]), "a system message stands inside"),
        (WriteFormat.VERTEX_PREFERENCE, example([ASK, SAY, SAY], rejected="b"), "the turn before the answers is not"),
        (
            WriteFormat.SHAREGPT,
            example([ASK, Message(Speaker.TOOL, "t", name="c"), SAY]),
            "the format has no place for",
        ),
        (WriteFormat.ALPACA, example([SAY, SAY]), "the row is not one question and its answer"),
    ],
)
def test_examples_that_do_not_fit_are_refused(tmp_path: Path, kind: WriteFormat, refused: Example, reason: str) -> None:
    (refusal,) = write(tmp_path, kind, refused).refusals
    assert refusal.reason.startswith(reason)
    assert refusal.fix


def test_the_rows_of_the_uploads(tmp_path: Path) -> None:
    def first(kind: WriteFormat, one: Example) -> Any:
        write_examples([one] * 10, tmp_path / "a.jsonl", kind)
        return json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])

    tools = [{"type": "function", "function": {"name": "f"}}]
    whole = example(
        [Message(Speaker.SYSTEM, "s"), ASK, Message(Speaker.ASSISTANT, "", calls=json.dumps(tools)),
         Message(Speaker.TOOL, "r", name="c1"), replace(SAY, train=True)],
        tools=json.dumps(tools), fields={"parallel_tool_calls": False},
    )  # fmt: skip
    assert first(WriteFormat.OPENAI, whole) == {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "q"},
            {"role": "assistant", "tool_calls": tools},
            {"role": "tool", "content": "r", "tool_call_id": "c1"},
            {"role": "assistant", "content": "a", "weight": 1},
        ],
        "tools": tools,
        "parallel_tool_calls": False,
    }
    compared = example([Message(Speaker.SYSTEM, "s"), ASK, SAY], rejected="b")
    assert first(WriteFormat.OPENAI_PREFERENCE, compared) == {
        "input": {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]},
        "preferred_output": [{"role": "assistant", "content": "a"}],
        "non_preferred_output": [{"role": "assistant", "content": "b"}],
    }
    assert first(WriteFormat.VERTEX, replace(compared, rejected=None)) == {
        "systemInstruction": {"role": "system", "parts": [{"text": "s"}]},
        "contents": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [{"text": "a"}]}],
    }
    assert first(WriteFormat.VERTEX_PREFERENCE, compared) == {
        "system_instruction": {"role": "system", "parts": [{"text": "s"}]},
        "contents": [{"role": "user", "parts": [{"text": "q"}]}],
        "completions": [
            {"score": 1, "completion": {"role": "model", "parts": [{"text": "a"}]}},
            {"score": 0, "completion": {"role": "model", "parts": [{"text": "b"}]}},
        ],
    }


def test_too_few_examples_for_a_platform_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with pytest.raises(DataError) as error:
        write_examples([FEATURES[Part.CHAT]] * 9 + [FEATURES[Part.TEXT]], path, WriteFormat.OPENAI)
    assert error.value.problems[0].reason == (
        "OpenAI takes files of at least 10 examples; this one would have 9 (examples without a place in the format: 1)"
    )
    assert error.value.problems[1].reason == "the format `openai` has no place for plain text"
    assert list(tmp_path.iterdir()) == []


def test_long_examples_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = example([ASK, Message(Speaker.ASSISTANT, "a" * 65_536 * 4)])
    report = write(tmp_path, WriteFormat.OPENAI, long)
    assert report.notes == (
        "1 of 11 examples may have more than 65,536 tokens (at 4 bytes a token), the most that OpenAI reads; "
        "it cuts the rest off",
    )
    assert write(tmp_path, WriteFormat.MESSAGES, long).notes == ()
    rules = replace(UPLOADS[WriteFormat.OPENAI], most_bytes=100)
    monkeypatch.setattr("atanor.data.writing.export.UPLOADS", {WriteFormat.OPENAI: rules})
    (note,) = write(tmp_path, WriteFormat.OPENAI).notes
    assert note.endswith("bytes, and OpenAI takes at most 100")


@pytest.mark.parametrize(
    ("name", "kind", "reason", "fix"),
    [
        ("a.txt", WriteFormat.TEXT, "no rows are written into .txt files", "Use .jsonl, .json"),
        ("a", WriteFormat.TEXT, "no rows are written into such files", "Use .jsonl"),
        ("a.parquet.gz", WriteFormat.TEXT, "a Parquet file is packed inside", "Name it a.parquet"),
        ("a.csv", WriteFormat.MESSAGES, "rows of format `messages` hold lists", "Write .jsonl or .parquet"),
        ("a.json", WriteFormat.OPENAI, "an upload in format `openai` is a plain .jsonl file", "Name it so"),
        ("a.jsonl.gz", WriteFormat.VERTEX, "an upload in format `vertex` is a plain .jsonl file", "Name it so"),
    ],
)
def test_files_that_cannot_hold_the_format(tmp_path: Path, name: str, kind: WriteFormat, reason: str, fix: str) -> None:
    with pytest.raises(DataError) as error:
        write_examples([], tmp_path / name, kind)
    assert error.value.problems[0].reason.startswith(reason)
    assert str(error.value.problems[0].fix).startswith(fix)


def test_nothing_to_write_is_an_error_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    with pytest.raises(DataError, match="none of the 2 examples has a place in `text`"):
        write_examples([FEATURES[Part.CHAT]] * 2, path, WriteFormat.TEXT)
    assert path.read_text() == "old"


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a.json"])
def test_equal_examples_give_equal_bytes(tmp_path: Path, name: str) -> None:
    contents = []
    for folder in ("one", "two"):
        write_examples([FEATURES[Part.CHAT]] * 3, tmp_path / folder / name, WriteFormat.MESSAGES)
        contents.append((tmp_path / folder / name).read_bytes())
    assert contents[0] == contents[1]
    if name.endswith(".gz"):
        assert len(gzip.decompress(contents[0]).splitlines()) == 3
