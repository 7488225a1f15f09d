"""Every shape of good row is read, every shape of bad row is refused with its place and its fix, and rows add up."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data import (
    Message,
    ReadResult,
    Refusal,
    RowFormat,
    SourceOptions,
    Speaker,
    problem_of,
    read_examples,
    refusal_of,
    require_enough,
)
from atanor.errors import DataError, Problem

GOOD = '{"prompt": "a", "completion": "b"}'
TALK = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'


def read(root: Path, name: str, **options: Any) -> ReadResult:
    role = {key: options.pop(key) for key in ("group_by", "system", "task_text", "seed") if key in options}
    result = read_examples([SourceOptions(path=name, **options)], root, **role)
    assert result.read == len(result.examples) + len(result.refusals) + result.left_out
    return result


def turns(result: ReadResult, index: int = 0) -> list[tuple[str, str]]:
    return [(message.speaker.value, message.content) for message in result.examples[index].messages]


def problem(error: pytest.ExceptionInfo[DataError]) -> Problem:
    return error.value.problems[0]


# Shapes


@pytest.mark.parametrize(
    ("row", "prompt", "answer"),
    [
        ({"instruction": "Name it", "input": "a cat", "output": "Tom"}, "Name it\n\na cat", "Tom"),
        ({"instruction": "Name it", "input": "", "output": "Tom"}, "Name it", "Tom"),
        ({"instruction": "Q", "context": "C", "response": "R", "category": "x"}, "Q\n\nC", "R"),
        ({"prompt": "p", "completion": "c"}, "p", "c"),
        ({"question": "q", "answer": "a"}, "q", "a"),
    ],
)
def test_usual_column_names_are_recognised(
    tmp_path: Path, write: Any, row: dict[str, str], prompt: str, answer: str
) -> None:
    result = read(tmp_path, write("rows.jsonl", json.dumps(row)))
    assert turns(result) == [("user", prompt), ("assistant", answer)]
    assert result.formats[0].columns.format is RowFormat.PROMPT_COMPLETION
    assert result.examples[0].fields == row


def test_a_context_may_be_absent_in_some_rows(tmp_path: Path, write: Any) -> None:
    rows = ['{"instruction": "a", "output": "b"}', '{"instruction": "a", "input": "i", "output": "b"}']
    result = read(tmp_path, write("rows.jsonl", "\n".join(rows)))
    assert [turns(result, index)[0][1] for index in (0, 1)] == ["a", "a\n\ni"]


def test_openai_messages_with_weights_and_all_roles(tmp_path: Path, write: Any) -> None:
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a", "weight": 0},
        {"role": "tool", "content": "t", "weight": None},
        {"role": "assistant", "content": "b", "weight": 1},
    ]
    example = read(tmp_path, write("rows.jsonl", json.dumps({"messages": messages}))).examples[0]
    assert example.messages == (
        Message(Speaker.SYSTEM, "s"),
        Message(Speaker.USER, "u"),
        Message(Speaker.ASSISTANT, "a", train=False),
        Message(Speaker.TOOL, "t"),
        Message(Speaker.ASSISTANT, "b", train=True),
    )
    assert example.reference == "b"


@pytest.mark.parametrize("column", ["conversations", "messages"])
def test_sharegpt_turns_are_known_by_their_keys(tmp_path: Path, write: Any, column: str) -> None:
    row = {column: [{"from": "system", "value": "s"}, {"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}]}
    result = read(tmp_path, write("rows.jsonl", json.dumps(row)))
    assert turns(result) == [("system", "s"), ("user", "u"), ("assistant", "a")]
    assert result.formats[0].columns.format is RowFormat.SHAREGPT


def test_mapped_columns_override_and_what_is_not_text_becomes_json(tmp_path: Path, write: Any) -> None:
    rows = [
        {"note": "n", "beat": {"who": "Inés", "where": [1, 2.5, None, True]}, "prompt": "x", "completion": "y"},
        {"note": {"scene": 3}, "beat": False, "prompt": "x", "completion": "y"},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    result = read(tmp_path, write("rows.jsonl", text), prompt="note", completion="beat")
    assert turns(result)[1][1] == '{"who": "Inés", "where": [1, 2.5, null, true]}'
    assert turns(result, 1) == [("user", '{"scene": 3}'), ("assistant", "false")]
    assert result.formats[0].unused == ("prompt", "completion")


def test_one_mapped_column_finds_its_usual_partner(tmp_path: Path, write: Any) -> None:
    result = read(tmp_path, write("rows.jsonl", '{"speaker": "A", "response": "b", "mood": "c"}'), prompt="speaker")
    assert turns(result) == [("user", "A"), ("assistant", "b")]


def test_system_is_put_before_conversations_that_have_none(tmp_path: Path, write: Any) -> None:
    own = '{"messages": [{"role": "system", "content": "own"}, ' + TALK.split("[", 1)[1]
    result = read(tmp_path, write("rows.jsonl", f"{TALK}\n{own}"), system="be brief")
    assert [turns(result, index)[0] for index in (0, 1)] == [("system", "be brief"), ("system", "own")]


def test_a_greeting_of_the_assistant_may_come_first_after_a_system_message(tmp_path: Path, write: Any) -> None:
    name = write("rows.jsonl", TALK.replace("[", '[{"role": "assistant", "content": "Hello"}, '))
    assert turns(read(tmp_path, name, system="Greet"))[:2] == [("system", "Greet"), ("assistant", "Hello")]
    (refusal,) = read(tmp_path, name).refusals
    assert (refusal.field, refusal.reason) == (
        "messages[0]",
        "the first turn is the assistant's, and nothing leads to it",
    )
    assert "give the role a `system` message" in refusal.fix


# Kinds of file


def test_csv_lines_are_true_lines_of_the_file(tmp_path: Path, write: Any) -> None:
    name = write("rows.csv", 'text,label\n"one\ntwo",x\n\nthree,y\nfour\n"five ""5""",z\n')
    result = read(tmp_path, name)
    assert [example.line for example in result.examples] == [2, 5, 7]
    assert turns(result)[0] == ("user", "one\ntwo")
    assert turns(result, 2)[0] == ("user", 'five "5"')
    refusal = result.refusals[0]
    assert (refusal.line, refusal.reason, refusal.raw) == (6, "the row has 1 cells and the header 2", "four")
    assert "double quotes" in refusal.fix


@pytest.mark.parametrize(("name", "mark"), [("rows.tsv", "\t"), ("rows.csv", ";"), ("rows.csv", "\t")])
def test_other_separators(tmp_path: Path, write: Any, name: str, mark: str) -> None:
    assert turns(read(tmp_path, write(name, f"text{mark}label\na{mark}b\n"))) == [("user", "a"), ("assistant", "b")]


def test_csv_with_an_open_quote_is_one_refusal_that_keeps_everything(tmp_path: Path, write: Any) -> None:
    result = read(tmp_path, write("rows.csv", 'text,label\na,b\n"open,c\nd,e\n'))
    assert (len(result.examples), len(result.refusals)) == (1, 1)
    assert result.refusals[0].line == 3
    assert result.refusals[0].raw == '"open,c\nd,e'
    assert "Close the quote" in result.refusals[0].fix


def test_csv_goes_on_after_text_behind_a_quote(tmp_path: Path, write: Any) -> None:
    result = read(tmp_path, write("rows.csv", 'text,label\n"a"x,b\nc,d\n'))
    assert ([refusal.line for refusal in result.refusals], [example.line for example in result.examples]) == ([2], [3])


def test_json_list_and_object_with_one_list(tmp_path: Path, write: Any) -> None:
    rows = f"[\n {GOOD},\n\n {GOOD.replace('a', 'c')}\n]"
    plain = read(tmp_path, write("a.json", rows))
    wrapped = read(tmp_path, write("b.json", f'{{"version": 1,\n "rows": {rows}, "n": {{}} }}'))
    assert [example.line for example in plain.examples] == [2, 4]
    assert [example.line for example in wrapped.examples] == [3, 5]
    assert [one.id for one in plain.examples] == [one.id for one in wrapped.examples]


def test_json_refuses_single_rows(tmp_path: Path, write: Any) -> None:
    content = f'[{GOOD},\n{{"prompt": "a", "prompt": "b", "completion": "c"}},\n 7,\n{{"prompt": "'.encode()
    result = read(tmp_path, write("a.json", content + b'\xe9", "completion": "b"}]'))
    assert [(refusal.line, refusal.reason) for refusal in result.refusals] == [
        (2, "the key `prompt` is written twice"),
        (3, "the row is not an object"),
        (4, "the row is not UTF-8 text"),
    ]


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (f"[{GOOD},\n{{oops}}]", "not JSON: expecting property name enclosed in double quotes at column 2", 2),
        (f"[{GOOD}\n{GOOD}]", "not JSON: a `,` or `]` is missing after a row", 2),
        (f"[{GOOD}] tail", "not JSON: more text follows the list", 1),
        (f"[{GOOD},]", "not JSON: ", 1),
        (f"{GOOD}\n{GOOD}", "several values follow each other: this is JSON Lines", None),
        ('{"a": 1}', "one list of rows is expected in the object; lists there: none", None),
        ('{"a": [], "b": []}', "one list of rows is expected in the object; lists there: `a`, `b`", None),
        ('"text"', "the file holds neither a list of rows nor an object", None),
        ("[]", "the file holds no rows", None),
    ],
)
def test_json_that_is_broken_as_a_whole(tmp_path: Path, write: Any, content: str, reason: str, line: int) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, write("a.json", content))
    assert problem(error).reason.startswith(reason)
    assert problem(error).line == line
    assert problem(error).fix


def test_parquet_rows_and_their_numbers(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "a", "weight": None}, {"role": "assistant", "content": "b"}], "x": 1},
        {"messages": None, "x": float("nan")},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    result = read(tmp_path, "rows.parquet")
    assert turns(result) == [("user", "a"), ("assistant", "b")]
    assert (result.refusals[0].line, result.refusals[0].field) == (2, "messages")
    assert json.loads(result.refusals[0].raw) == {"messages": None, "x": None}


def test_a_damaged_parquet_file_is_told(tmp_path: Path, write: Any) -> None:
    with pytest.raises(DataError, match="not a Parquet file that can be read"):
        read(tmp_path, write("rows.parquet", b"PAR1 nonsense"))


def test_txt_paragraphs_are_rows(tmp_path: Path, write: Any) -> None:
    result = read(tmp_path, write("book.txt", b"\xef\xbb\xbfone\r\ntwo\r\n \r\n\r\nthree"))
    assert [(example.line, example.text) for example in result.examples] == [(1, "one\ntwo"), (5, "three")]
    assert result.formats[0].columns.format is RowFormat.TEXT


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path, write: Any) -> None:
    jsonl = read(tmp_path, write("a.jsonl", b"\xef\xbb\xbf" + f"{GOOD}\r\n\r\n{GOOD}\r\n".encode()))
    csv = read(tmp_path, write("a.csv", b"\xef\xbb\xbf" + b"text,label\r\na,b\r\n"))
    assert [example.line for example in jsonl.examples] == [1, 3]
    assert turns(csv) == [("user", "a"), ("assistant", "b")]


def test_the_format_tells_file_hash_and_counts(tmp_path: Path, write: Any) -> None:
    name = write("a.jsonl", GOOD)
    found = read(tmp_path, name).formats[0]
    assert (found.path, found.kind, found.read, found.left_out) == (name, "jsonl", 1, 0)
    assert found.columns.used == ("prompt", "completion")
    assert found.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


def test_absolute_paths_are_read_where_they_are_allowed(tmp_path: Path, write: Any) -> None:
    name = str(tmp_path / write("a.jsonl", GOOD))
    assert read(Path("/nonexistent"), name, outside=True).read == 1
    assert read_examples([SourceOptions(path=name)], Path("/nonexistent"), confined=False).read == 1
    with pytest.raises(DataError, match=r"leads out of the project's folder.*`outside: true`"):
        read(Path("/nonexistent"), name)


# Bad rows


def messages(*turns: Any) -> str:
    return json.dumps({"messages": list(turns)})


USER, ANSWER = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}

BAD_TALKS = [
    ('{"messages": [}', None, "not JSON: expecting value at column 15", "Mend the JSON of this row"),
    (f"{TALK} x", None, "not JSON: one row a line is expected, but more follows at column", "Mend"),
    ("[1]", None, "the row is not an object", 'Write it as {"column": value, …}'),
    ('{"mesages": []}', "messages", "no column `messages`; columns there: `mesages`", "Did you mean `mesages`?"),
    ('{"messages": 1, "messages": 2}', "messages", "the key `messages` is written twice", "Keep one"),
    ('{"messages": NaN}', None, "NaN is not a JSON number", "finite number"),
    ('{"messages": -Infinity}', None, "-Infinity is not a JSON number", "finite number"),
    ('{"messages": 1e999}', None, "1e999 is not a JSON number", "finite number"),
    ('{"messages": ' + "[" * 100_000, None, "the JSON is nested too deeply", "Flatten"),
    ('{"messages": ' + "1" * 5000 + "}", None, "a number has 5000 digits, more than 4300", "as text"),
    ('{"messages": "hi"}', "messages", "`messages` is not a list of messages", "JSON Lines"),
    ('{"messages": []}', "messages", "`messages` is empty", "Give the row a user turn"),
    (messages("hi"), "messages[0]", "the message is not an object", '"role": …'),
    (messages({"rol": "user", "content": "a"}), "messages[0].role", "the message has no `role`", "`rol` is written"),
    (messages(USER, {"role": "asistant", "content": "b"}), "messages[1].role", "the role is not known", "`assistant`?"),
    (messages(USER, {"role": 7, "content": "b"}), "messages[1].role", "the role is not known", "Use one of"),
    (messages(USER, {"role": "assistant"}), "messages[1].content", "the message has no `content`", "Add `content`"),
    (messages({"role": "user", "content": None}, ANSWER), "messages[0].content", "is null", "Write text"),
    (messages({"role": "user", "content": [1]}, ANSWER), "messages[0].content", "is not text", "Join its parts"),
    (messages({"role": "user", "content": 5}, ANSWER), "messages[0].content", "is not text", "in quotes"),
    (messages({"role": "user", "content": " \n"}, ANSWER), "messages[0].content", "is empty", "Fill it"),
    (messages(USER), "messages", "no assistant turn, so there is nothing to learn", "Add the answer"),
    (
        messages(USER, ANSWER, USER),
        "messages[2]",
        "the last turn is the user's and has no answer",
        "Add the assistant's",
    ),
    (messages(ANSWER), "messages", "no user turn before the answer", "user turn"),
    (messages(USER, ANSWER | {"weight": 0}), "messages", "nothing to learn: every assistant turn has weight 0", "of 1"),
    (messages(USER, ANSWER | {"weight": 0.5}), "messages[1].weight", "a weight is 0 or 1", "Write 1"),
    (messages(USER, ANSWER | {"weight": True}), "messages[1].weight", "a weight is 0 or 1", "Write 1"),
    (messages(USER | {"weight": 1}, ANSWER), "messages[0].weight", "only assistant turns are learned", "Remove"),
    (messages(USER, ANSWER | {"tool_calls": [1]}), "messages[1].tool_calls[0]", "the call names no function", "Write"),
    (messages(USER, ANSWER | {"audio": {"id": "a"}}), "messages[1].audio", "`audio` cannot be learned", "as text"),
    (messages(USER, ANSWER | {"content": "\ud83d"}), "messages[1].content", "half of a surrogate pair", "both halves"),
]


@pytest.mark.parametrize(("row", "field", "reason", "fix"), BAD_TALKS)
def test_a_bad_row_is_refused_with_its_place_and_fix(
    tmp_path: Path, write: Any, row: str, field: str | None, reason: str, fix: str
) -> None:
    result = read(tmp_path, write("rows.jsonl", f"{TALK}\n{row}\n{TALK}\n"))
    assert [example.line for example in result.examples] == [1, 3]
    (refusal,) = result.refusals
    assert (refusal.source, refusal.line, refusal.field, refusal.raw) == ("rows.jsonl", 2, field, row)
    assert reason in refusal.reason
    assert fix in refusal.fix


def test_a_syntax_error_shows_the_text_around_it(tmp_path: Path, write: Any) -> None:
    row = '{"note": "n", "beat": {"who": "Ines" "where": "here"}}'
    refusal = read(tmp_path, write("rows.jsonl", f"{GOOD}\n{row}")).refusals[0]
    assert refusal.reason == "not JSON: expecting ',' delimiter at column 38"
    assert '"Ines" "where"' in str(refusal.value)


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ('{"prompt": "a"}', "completion", "no column `completion`; columns there: `prompt`"),
        ('{"prompt": "a", "completion": ""}', "completion", "`completion` is empty"),
        ('{"prompt": null, "completion": "b"}', "prompt", "`prompt` is null"),
        ('{"prompt": "a", "completion": 3}', "completion", "`completion` is not text"),
    ],
)
def test_prompt_and_completion_rows_that_are_refused(
    tmp_path: Path, write: Any, row: str, field: str, reason: str
) -> None:
    refusal = read(tmp_path, write("rows.jsonl", f"{GOOD}\n{row}")).refusals[0]
    assert (refusal.line, refusal.field, refusal.reason) == (2, field, reason)


def test_bytes_that_are_not_utf8_cost_one_row_and_are_kept(tmp_path: Path, write: Any) -> None:
    content = GOOD.encode() + b'\n{"prompt": "caf\xe9", "completion": "b"}\n' + GOOD.encode()
    result = read(tmp_path, write("rows.jsonl", content))
    (refusal,) = result.refusals
    assert (refusal.line, refusal.reason, refusal.value) == (
        2,
        "the row is not UTF-8 text",
        "byte 16 of line 2 is 0xE9",
    )
    assert refusal.fix == "Save the file as UTF-8, or write `encoding: cp1252` where this byte is meant to be é"
    assert refusal.raw == '{"prompt": "caf\\xe9", "completion": "b"}'
    assert len(result.examples) == 2


def test_bad_bytes_inside_a_quoted_cell_are_found_on_their_line(tmp_path: Path, write: Any) -> None:
    result = read(tmp_path, write("rows.csv", b'text,label\na,b\n"c\nd\xff",e\nf,g\n'))
    assert (result.refusals[0].line, result.refusals[0].value) == (3, "byte 2 of line 4 is 0xFF")
    assert [example.line for example in result.examples] == [2, 5]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.txt"])
def test_a_line_over_the_limit_is_refused_and_reading_goes_on(
    tmp_path: Path, write: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("atanor.data.limits.LONGEST_ROW", 100)
    monkeypatch.setattr("atanor.data.limits.KEPT_OF_LONGER", 10)
    result = read(tmp_path, write(name, f"{GOOD}\n\n{'x' * 250}\n\n{GOOD}"))
    assert [example.line for example in result.examples] == [1, 5]
    assert (result.refusals[0].line, result.refusals[0].raw) == (3, "x" * 10)
    assert result.refusals[0].reason.startswith("the row is longer than")


def test_a_csv_line_over_the_limit_is_one_row_unless_a_quote_in_it_may_reach_further(
    tmp_path: Path, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atanor.data.limits.LONGEST_ROW", 100)
    result = read(tmp_path, write("rows.csv", f"text,label\na,b\n{'x' * 250}\nc,d\n"))
    assert [example.line for example in result.examples] == [2, 4]
    assert (result.refusals[0].line, result.refusals[0].reason[:26]) == (3, "the row is longer than 0 M")
    with pytest.raises(DataError, match=r"rows\.csv:3 .*a line with quotes is longer than"):
        read(tmp_path, write("rows.csv", f'text,label\na,b\n{"x" * 250}"\nc,d\n'))


# Files


def test_missing_files_are_told_together_with_the_nearest_names(tmp_path: Path, write: Any) -> None:
    write("director.jsonl", GOOD)
    (tmp_path / "folder").mkdir()
    write("folder/rows.ods", "a,b")
    write("empty.jsonl", b"\xef\xbb\xbf")
    write("wide.parquet.gz", "a")
    write("rows.xlsx", "PK")
    write("rows.jsonl.gz", "")
    names = [
        "direktor.jsonl",
        "nowhere/a.csv",
        "folder",
        "empty.jsonl",
        "wide.parquet.gz",
        "rows.xlsx",
        "rows.jsonl.gz",
    ]
    with pytest.raises(DataError) as error:
        read_examples([SourceOptions(path=name) for name in names], tmp_path)
    found = error.value.problems
    assert [one.file for one in found] == names
    assert [one.field for one in found] == [f"data[{index}].path" for index in range(len(names))]
    assert (found[0].reason, found[0].fix) == ("the file does not exist", "Nearby: director.jsonl")
    assert "does not exist either" in str(found[1].fix)
    assert found[2].reason == "this is a folder without a file of rows; files there: folder/rows.ods"
    assert found[3].reason == "the file is empty"
    assert found[4].reason == "a parquet file is not read while it is packed"
    assert "files of this kind are not read: .xlsx" in found[5].reason
    assert found[6].reason == "the file is empty"


@pytest.mark.parametrize(
    ("name", "content", "options", "field", "reason", "fix"),
    [
        (
            "a.jsonl",
            '{"a": 1}',
            {},
            "data.format",
            "the shape of the rows is not recognised; columns there: `a`",
            "`prompt:`",
        ),
        (
            "a.jsonl",
            '{"note": "n", "beat": "b"}',
            {"prompt": "note", "completion": "bat"},
            "data.completion",
            "no column `bat`",
            "Did you mean `beat`?",
        ),
        (
            "a.csv",
            "note,beat\n1,2",
            {"prompt": "note"},
            "data.completion",
            "no column is known for the completion",
            "Name it with `completion:`",
        ),
        (
            "a.csv",
            "text,label,category\n1,2,3",
            {},
            "data.label",
            "`label`, `category` could each be the label",
            "Name the one you mean",
        ),
        ("a.jsonl", '{"text": "t", "mood": "m"}', {}, "data.format", "`text` stands beside `mood`", "`format: text`"),
        (
            "a.jsonl",
            GOOD,
            {"prompt": "a", "text": "b"},
            "data.format",
            "the options contradict each other: `prompt:`, `text:`",
            "Keep",
        ),
        (
            "a.jsonl",
            GOOD,
            {"format": "text", "messages": "b"},
            "data.format",
            "the options contradict each other: `format: text` and `messages:`",
            "Keep",
        ),
        ("a.jsonl", GOOD, {"format": "messages"}, "data.format", "the shape of the rows is not recognised", "Name"),
        ("a.txt", "hello", {"format": "messages"}, "data.format", "a .txt file holds plain text only", "Drop"),
        ("a.jsonl", GOOD, {"where": {"langs": "es"}}, "data.where.langs", "no column `langs`", "Name a column"),
        ("a.jsonl", GOOD, {"group_by": "promt"}, "data.group_by", "no column `promt`", "Did you mean `prompt`?"),
        (
            "a.jsonl",
            GOOD,
            {"task_text": True, "prompt": "prompt"},
            "data.text",
            "`task: text` learns plain text",
            "`text:`",
        ),
        ("a.csv", "text,text\n1,2", {}, "data.path", "the header names `text` twice", "its own name"),
        (
            "a.csv",
            b"text,l\xe9bel\n1,2",
            {},
            "data.path",
            "the header is not UTF-8 text: byte 7 of line 1 is 0xE9",
            "Save the file",
        ),
        ("a.csv", "text,label\n", {}, "data.path", "the file holds no rows", "Put rows"),
        ("a.jsonl", "\n\n", {}, "data.path", "the file holds no rows", "Put rows"),
    ],
)
def test_a_file_that_contradicts_its_options(
    tmp_path: Path, write: Any, name: str, content: str, options: dict[str, Any], field: str, reason: str, fix: str
) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, write(name, content), **options)
    found = problem(error)
    assert (found.file, found.field) == (name, field)
    assert found.reason.startswith(reason)
    assert fix in str(found.fix)


def test_a_file_without_one_readable_row_shows_the_first_problems(tmp_path: Path, write: Any) -> None:
    with pytest.raises(DataError, match="none of its 12 rows can be read") as error:
        read(tmp_path, write("a.jsonl", "oops\n" * 12))
    assert error.value.problems[0].line == 1
    assert error.value.problems[-1].reason == "and 2 more"


@pytest.mark.parametrize("content", [f"[{GOOD}]", f"[\n{GOOD},\n{GOOD}x\n]"])
def test_a_json_list_named_jsonl_is_told_what_it_is(tmp_path: Path, write: Any, content: str) -> None:
    name = write("a.jsonl", content)
    with pytest.raises(DataError, match=r"one JSON list, not one row a line\. Rename the file to \.json"):
        read(tmp_path, name)


def test_several_sources_are_read_in_order_each_with_its_own_format(tmp_path: Path, write: Any) -> None:
    names = [write("a.jsonl", f"{GOOD}\noops"), write("b.jsonl", TALK), write("c.txt", "one\n\ntwo")]
    limits = [None, None, 1]
    sources = [SourceOptions(path=name, limit=limit) for name, limit in zip(names, limits, strict=True)]
    result = read_examples(sources, tmp_path)
    assert [example.source for example in result.examples] == names
    assert (result.read, len(result.refusals), result.left_out) == (5, 1, 1)
    assert [one.columns.format.value for one in result.formats] == ["prompt_completion", "messages", "text"]
    assert [(one.read, one.left_out) for one in result.formats] == [(2, 0), (1, 0), (2, 1)]


# What the project leaves out


def test_where_keeps_equal_values_and_counts_the_others(tmp_path: Path, write: Any) -> None:
    text = "\n".join(json.dumps({"prompt": f"p{n}", "completion": "c", "n": n, "ok": n == 1}) for n in range(4))
    name = write("a.jsonl", text)
    assert [example.line for example in read(tmp_path, name, where={"n": 1}).examples] == [2]
    assert [example.line for example in read(tmp_path, name, where={"n": [0, 3]}).examples] == [1, 4]
    assert [example.line for example in read(tmp_path, name, where={"ok": True}).examples] == [2]
    assert read(tmp_path, name, where={"ok": 1}).left_out == 4
    assert read(tmp_path, name, where={"n": 1, "ok": False}).left_out == 4


def test_where_reads_numbers_in_csv_cells(tmp_path: Path, write: Any) -> None:
    name = write("a.csv", "text,label,rank,ok\na,b,0,TRUE\nc,d,1,false\n")
    assert read(tmp_path, name, where={"rank": 0, "ok": True}).left_out == 1


def test_a_limit_is_a_seeded_draw_in_order_that_grows_by_adding(tmp_path: Path, write: Any) -> None:
    name = write("a.jsonl", "\n".join(json.dumps({"prompt": f"p{n}", "completion": "c"}) for n in range(40)))
    lines = [[example.line for example in read(tmp_path, name, limit=n, seed=1).examples] for n in (10, 11, 50)]
    assert [len(one) for one in lines] == [10, 11, 40]
    assert set(lines[0]) < set(lines[1])
    assert all(one == sorted(one) for one in lines)
    assert lines[0] != [example.line for example in read(tmp_path, name, limit=10, seed=2).examples]
    assert read(tmp_path, name, limit=10).left_out == 30


def test_groups_come_from_their_column_and_must_be_there(tmp_path: Path, write: Any) -> None:
    rows = [{"prompt": "a", "completion": "b", "scene": scene} for scene in ("s1", 2, None, "")]
    text = "\n".join(json.dumps(row) for row in rows) + "\n" + GOOD
    result = read(tmp_path, write("a.jsonl", text), group_by="scene")
    assert [example.group for example in result.examples] == ["s1", "2"]
    assert [(refusal.line, refusal.field) for refusal in result.refusals] == [(3, "scene"), (4, "scene"), (5, "scene")]
    assert "either side of the split" in result.refusals[0].reason


def test_task_text_reads_the_text_column_whatever_stands_beside_it(tmp_path: Path, write: Any) -> None:
    result = read(tmp_path, write("a.csv", "text,label\nhello,x\n"), task_text=True)
    assert result.examples[0].text == "hello"
    assert result.formats[0].unused == ("label",)


# Enough


def enough(result: ReadResult, max_refused: float) -> None:
    require_enough(
        read=result.read,
        left=len(result.examples),
        left_out=result.left_out,
        refusals=result.refusals,
        max_refused=max_refused,
    )


def test_require_enough(tmp_path: Path, write: Any) -> None:
    result = read(tmp_path, write("a.jsonl", f"{GOOD}\n" * 8 + "oops\n" * 12))
    enough(result, 0.6)
    with pytest.raises(DataError, match=r"12 of 20 rows are refused \(60\.0%\), more than the 50\.0% allowed") as error:
        enough(result, 0.5)
    assert [one.line for one in error.value.problems[:10]] == list(range(9, 19))
    assert error.value.problems[10].reason == "and 2 more"
    with pytest.raises(DataError, match="no row is left of 0 read"):
        enough(ReadResult((), (), 0, 0, ()), 1.0)


def test_a_refusal_and_a_problem_are_the_same_thing() -> None:
    refusal = Refusal("a.jsonl", 3, "it is bad", "Mend it", "prompt", "'x'", raw="text")
    found = problem_of(refusal)
    assert str(found) == "a.jsonl:3  prompt: it is bad (got 'x'). Mend it"
    assert refusal_of(DataError("bad", [found]), "a.jsonl", 3, "text") == refusal


# Accounting

GOOD_LINES = st.text(min_size=1).filter(str.strip).map(lambda text: json.dumps({"prompt": text, "completion": text}))
BAD_LINES = st.sampled_from([row.encode(errors="replace") for row, *_ in BAD_TALKS] + [b"\xff", b"null", b"{", b'"'])
ANY_LINES = st.lists(
    st.one_of(GOOD_LINES.map(str.encode), BAD_LINES, st.binary(max_size=20), st.just(b"")), max_size=30
)


@given(ANY_LINES, st.none() | st.integers(1, 5), st.sampled_from([{}, {"prompt": "a"}, {"prompt": ["a", "b"]}]))
def test_every_row_is_an_example_a_refusal_or_left_out(
    lines: list[bytes], limit: int | None, where: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        content = b"\n".join([GOOD.encode(), *lines])
        (Path(folder) / "a.jsonl").write_bytes(content)
        result = read(Path(folder), "a.jsonl", limit=limit, where=where, prompt="prompt", completion="completion")
    wanted = [number for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    assert result.read == len(wanted)
    numbers = [one.line for one in (*result.examples, *result.refusals)]
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(wanted)
    if limit is None and not where:
        assert sorted(numbers) == wanted
    assert all(refusal.reason and refusal.fix for refusal in result.refusals)


@given(ANY_LINES)
def test_any_bytes_in_a_csv_file_are_read_or_refused(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.csv").write_bytes(b"\n".join([b"text,label", b"a,b", *lines]))
        result = read(Path(folder), "a.csv")
    assert result.examples[0].line == 2
    assert all(refusal.reason and refusal.fix and refusal.line > 2 for refusal in result.refusals)
