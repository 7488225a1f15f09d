"""Every shape of row is recognised, mapped or refused with its fix, and rows that join or split are counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data import (
    Example,
    Message,
    ReadResult,
    Refusal,
    RenderOptions,
    RowFormat,
    SourceOptions,
    Speaker,
    read_examples,
    render_examples,
)
from atanor.data.formats import Columns, Frame, Tally, examples_of_records
from atanor.data.formats.fields import Path as FieldPath
from atanor.data.formats.fields import field_of, template_of
from atanor.data.records import Record
from atanor.errors import DataError, Problem
from atanor.models.chat_template import end_of_turn_ids
from tests.data.conftest import tiny_tokenizer

USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Read rows as a JSON Lines file of this source."""

    def of(*rows: Any, name: str = "rows.jsonl", **options: Any) -> ReadResult:
        group_by = options.pop("group_by", None)
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        result = read_examples([SourceOptions(path=name, **options)], tmp_path, group_by=group_by)
        kept = len(result.examples) + len(result.refusals)
        assert result.read + result.extra == kept + result.left_out + result.joined
        return result

    return of


def turns(example: Example) -> list[tuple[str, str]]:
    return [(message.speaker.value, message.content) for message in example.messages]


def problem(read: Any, *rows: Any, **options: Any) -> Problem:
    with pytest.raises(DataError) as error:
        read(*rows, **options)
    found: Problem = error.value.problems[0]
    return found


# Recognition

HH = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: q\n\nAssistant: "
PART = [{"text": "q"}]
CHAT = [("user", "q"), ("assistant", "a")]
RECOGNISED: list[tuple[dict[str, Any], str, tuple[str, ...], list[tuple[str, str]]]] = [
    (
        {"instruction": "i", "input": "x", "output": "a"},
        "prompt_completion",
        ("instruction", "input", "output"),
        [
            ("user", "i\n\nx"),
            ("assistant", "a"),
        ],
    ),
    ({"question": "q", "answers": ["a", "b"]}, "prompt_completion", ("question", "answers"), CHAT),
    (
        {"question": "q", "answers": {"text": ["a"], "answer_start": [1]}},
        "prompt_completion",
        ("question", "answers"),
        CHAT,
    ),
    ({"mr": "q", "ref": "a"}, "prompt_completion", ("mr", "ref"), CHAT),
    (
        {"system_prompt": "s", "question": "q", "response": "a"},
        "prompt_completion",
        ("question", "response", "system_prompt"),
        [
            ("system", "s"),
            *CHAT,
        ],
    ),
    ({"prompt": [USER], "completion": [ANSWER]}, "prompt_completion", ("prompt", "completion"), CHAT),
    (
        {"instruction": "q", "instances": [{"input": "", "output": "a"}]},
        "self_instruct",
        ("instruction", "instances"),
        CHAT,
    ),
    ({"text": "q", "intent": "a"}, "classification", ("text", "intent"), CHAT),
    ({"text": "q", "labels": ["a", "b"]}, "classification", ("text", "labels"), [("user", "q"), ("assistant", "a, b")]),
    ({"question": "q", "choices": ["b", "a"], "answer": 1}, "multiple_choice", ("question", "answer", "choices"), CHAT),
    (
        {"question": "q", "choices": ["b", "a"], "answer": "B"},
        "multiple_choice",
        ("question", "answer", "choices"),
        CHAT,
    ),
    ({"messages": [USER, ANSWER]}, "messages", ("messages",), CHAT),
    (
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
        "sharegpt",
        ("conversations",),
        CHAT,
    ),
    ({"turns": [{"speaker": "USER", "text": "q"}, {"speaker": "SYSTEM", "text": "a"}]}, "dialogue", ("turns",), CHAT),
    ({"dialog": ["q", "a"]}, "dialogue", ("dialog",), CHAT),
    (
        {"contents": [{"role": "user", "parts": PART}, {"role": "model", "parts": [{"text": "a"}]}]},
        "vertex",
        ("contents",),
        CHAT,
    ),
    ({"prompt": "q", "chosen": "a", "rejected": "b"}, "preference", ("prompt", "chosen", "rejected"), CHAT),
    (
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [ANSWER | {"content": "b"}]},
        "preference",
        ("prompt", "chosen", "rejected"),
        CHAT,
    ),
    (
        {"chosen": [USER, ANSWER], "rejected": [USER, ANSWER | {"content": "b"}]},
        "preference",
        ("chosen", "rejected"),
        CHAT,
    ),
    (
        {"prompt": "q", "chosen": [USER, ANSWER], "rejected": [USER, ANSWER]},
        "preference",
        ("prompt", "chosen", "rejected"),
        CHAT,
    ),
    (
        {"chosen": HH + "a", "rejected": HH + "b"},
        "preference",
        ("chosen", "rejected"),
        [
            ("user", "Hi"),
            ("assistant", "Hello."),
            *CHAT,
        ],
    ),
    (
        {"chosen": "The sky is blue", "rejected": "The sky is black"},
        "preference",
        ("chosen", "rejected"),
        [
            ("user", "The sky is "),
            ("assistant", "blue"),
        ],
    ),
    (
        {"input": {"messages": [USER]}, "preferred_output": [ANSWER], "non_preferred_output": [ANSWER]},
        "openai_preference",
        ("input", "preferred_output", "non_preferred_output"),
        CHAT,
    ),
    ({"prompt": "q", "completion": "a", "label": False}, "kto", ("prompt", "completion", "label"), CHAT),
]


@pytest.mark.parametrize(
    ("row", "shape", "columns", "said"), RECOGNISED, ids=[f"{i}-{r[1]}" for i, r in enumerate(RECOGNISED)]
)
def test_a_shape_is_recognised_shown_and_read(
    read: Any, row: dict[str, Any], shape: str, columns: tuple[str, ...], said: list[tuple[str, str]]
) -> None:
    result = read(row)
    found = result.formats[0].columns
    assert (found.format.value, found.used) == (shape, columns)
    assert [turns(example) for example in result.examples] == [said]


def test_what_is_more_than_turns_is_kept(read: Any) -> None:
    assert read({"question": "q", "answers": ["a", "b", "c"]}).examples[0].references == ("b", "c")
    assert read({"text": "q", "labels": ["a", "b"]}).examples[0].label == "a, b"
    assert read({"chosen": HH + "a", "rejected": HH + "b"}).examples[0].rejected == "b"
    assert read({"prompt": "q", "completion": "a", "label": False}).examples[0].desirable is False
    pair = {"input": {"messages": [USER], "tools": [{"type": "function", "function": {"name": "f"}}]}}
    example = read(pair | {"preferred_output": [ANSWER], "non_preferred_output": [ANSWER]}).examples[0]
    assert (example.rejected, json.loads(example.tools)[0]["function"]) == ("a", {"name": "f"})


def test_two_shapes_in_one_row_are_an_error_that_names_both(read: Any) -> None:
    found = problem(read, {"messages": [USER, ANSWER], "prompt": "q", "completion": "a"})
    assert (
        found.reason
        == "the rows could be read in 2 ways: `messages` (messages); `prompt_completion` (prompt, completion)"
    )
    assert found.fix == "Write `format: messages` or `format: prompt_completion`"
    both = {"messages": [USER, ANSWER], "prompt": "q", "completion": "a"}
    assert read(both, format="messages").formats[0].columns.used == ("messages",)
    assert read(both, prompt="prompt").formats[0].columns.used == ("prompt", "completion")


@pytest.mark.parametrize("shape", [shape for shape in RowFormat if shape is not RowFormat.AUTO])
def test_every_shape_can_be_asked_for_and_has_an_example_here(shape: RowFormat) -> None:
    assert shape.value in {row[1] for row in RECOGNISED} | {"tree", "script", "text"}


@pytest.mark.parametrize(
    ("options", "reason", "fix"),
    [
        ({"window": 3}, "`window` is read with rows of format `script`, and these are `prompt_completion`", "Remove"),
        ({"labels": ("a",)}, "`labels` is read with rows of format `classification`", "Remove `labels`"),
        ({"assistant": "BOT"}, "`assistant` is read with rows of format `dialogue` or `script` or", "Remove"),
        ({"prompt": "{prompt} {promt}"}, "no column `promt`", "Did you mean `prompt`?"),
        ({"prompt": "a {prompt"}, "a brace of the template stands alone", "a literal brace twice"),
        ({"system": "You are {nme}"}, "no column `nme`; columns there: `prompt`, `completion`", "Name a column"),
        (
            {"label": "completion", "messages": "prompt"},
            "the options contradict each other: `label:`, `messages:`",
            "Keep",
        ),
        ({"prompt": "prompt", "text": "prompt", "label": "completion"}, "the options contradict each other", "Keep"),
        ({"format": "text", "system": "s", "text": "prompt"}, "plain text has no system message", "Remove `system`"),
        ({"speaker": "prompt", "text": "speech"}, "no column `speech`", "Name a column"),
        ({"format": "script"}, "no column is known for the speaker", "`speaker:`"),
    ],
)
def test_options_that_do_not_fit_are_told(read: Any, options: dict[str, Any], reason: str, fix: str) -> None:
    found = problem(read, {"prompt": "q", "completion": "a"}, **options)
    assert found.reason.startswith(reason)
    assert fix in str(found.fix)


# Mappings


def test_templates_paths_and_literal_braces(read: Any) -> None:
    row = {
        "q": {"text": "Who?", "tags": ["x", "y"]},
        "persona": ["I am old.", "I sing."],
        "city": None,
        "a.b": "dotted",
    }
    options = {
        "prompt": "{{{q.tags[1]}}} {q.text}|{city}|{persona}",
        "completion": "a.b",
        "system": "Be {q.tags[0]}, {{sic}}",
    }
    result = read(row, **options)
    assert turns(result.examples[0]) == [
        ("system", "Be x, {sic}"),
        ("user", "{y} Who?||I am old.\nI sing."),
        ("assistant", "dotted"),
    ]
    assert result.formats[0].columns.used[:3] == ("q", "city", "persona")


@pytest.mark.parametrize(
    ("row", "reason", "fix"),
    [
        ({"q": {}, "a": "b"}, "nothing stands at `q.text`: keys there: none", "Name a column"),
        ({"q": {"txt": 1}, "a": "b"}, "nothing stands at `q.text`: keys there: `txt`", "Did you mean `txt`?"),
        ({"q": "flat", "a": "b"}, "nothing stands at `q.text`: there is no object", "Name a column"),
        ({"a": "b"}, "no column `q`; columns there: `a`", "Name a column"),
    ],
)
def test_a_path_that_leads_nowhere_in_one_row(read: Any, row: dict[str, Any], reason: str, fix: str) -> None:
    (refusal,) = read({"q": {"text": "x"}, "a": "b"}, row, prompt="q.text", completion="a").refusals
    assert (refusal.line, refusal.reason) == (2, reason)
    assert fix in refusal.fix


def test_a_template_of_nothing_is_refused(read: Any) -> None:
    rows = [{"q": "x", "a": "b"}, {"q": " ", "a": "b"}]
    (refusal,) = read(*rows, prompt="Question: {q}", completion="a").refusals
    assert refusal.reason == "`q`: empty, so nothing of the row is told"


@given(st.text(max_size=20), st.text(min_size=1, max_size=20).filter(str.strip))
def test_any_text_with_doubled_braces_is_a_template_of_itself(before: str, value: str) -> None:
    escaped = before.replace("{", "{{").replace("}", "}}")
    assert template_of(f"{escaped}{{x}}").value({"x": value}) == before + value


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
def test_any_name_is_a_field_or_an_error(name: str, fields: dict[str, int]) -> None:
    try:
        value = field_of(name).value(fields)
    except DataError as error:
        assert error.problems[0].fix
    else:
        assert value in fields.values() or "{" in name or "}" in name


def test_a_path_is_a_column_of_that_name_first() -> None:
    assert FieldPath("a.b").value({"a.b": 1, "a": {"b": 2}}) == 1
    assert FieldPath("a.b[1].c").value({"a": {"b": [0, {"c": 3}]}}) == 3


# Classes


def test_numbers_become_the_names_of_classes(read: Any, tmp_path: Path) -> None:
    rows = [{"text": "t", "label": value} for value in (0, 1, "spam", "1", 2, True, "spm", [1, 0])]
    result = read(*rows, labels=("ham", "spam"))
    assert [example.label for example in result.examples] == ["ham", "spam", "spam", "spam", "spam, ham"]
    assert [refusal.line for refusal in result.refusals] == [5, 6, 7]
    assert result.refusals[0].reason == "the class is not one of the 2 in `labels`"
    assert result.refusals[2].fix == "Did you mean `spam`?"
    for name, content in (("names.txt", "ham\n\nspam\n"), ("names.json", '["ham", "spam"]')):
        (tmp_path / name).write_text(content)
        assert read(*rows, labels=name).examples == result.examples


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("gone.txt", "the names of the classes cannot be read: No such file or directory"),
        ("../names.txt", "the path leads out of the project's folder"),
        (("a", "a"), "the class `a` is named twice"),
        (("a", " "), "a class has no name"),
    ],
)
def test_names_of_classes_that_cannot_be_used(read: Any, labels: Any, reason: str) -> None:
    found = problem(read, {"text": "t", "label": "a"}, labels=labels)
    assert (found.field, found.reason) == ("data.labels", reason)


def test_a_number_without_names_is_refused_unless_it_is_mapped(read: Any) -> None:
    row = {"text": "t", "label": 3}
    (refusal,) = read(row).refusals
    assert refusal.reason == "`label` is a number, not the name of a class"
    assert "`label: label`" in refusal.fix
    assert read(row, label="label").examples[0].label == "3"
    assert read({"body": "t", "kind": "k"}, text="body", label="kind").examples[0].label == "k"


# Chats


def test_calls_tools_names_and_parts_are_kept(read: Any) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "user", "content": "q", "name": "Ann"},
        {"role": "assistant", "content": None, "tool_calls": [call | {"index": None}]},
        {"role": "tool", "tool_call_id": "c1", "content": "r"},
        {"role": "assistant", "content": "", "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "s"},
        {"role": "assistant", "content": "a", "weight": 1},
    ]
    row = {"messages": messages, "functions": [{"name": "g"}], "parallel_tool_calls": False}
    example = read(row).examples[0]
    older = {"type": "function", "function": {"name": "g", "arguments": "{}"}}
    assert example.messages == (
        Message(Speaker.SYSTEM, "one\ntwo"),
        Message(Speaker.USER, "q", name="Ann"),
        Message(Speaker.ASSISTANT, "", calls=json.dumps([call])),
        Message(Speaker.TOOL, "r", name="c1"),
        Message(Speaker.ASSISTANT, "", calls=json.dumps([older])),
        Message(Speaker.TOOL, "s", name="g"),
        Message(Speaker.ASSISTANT, "a", train=True),
    )
    assert example.tools == json.dumps([{"type": "function", "function": {"name": "g"}}])


def test_calls_are_refused_where_a_template_would_drop_them(read: Any) -> None:
    calls = [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]
    example = read({"messages": [USER, {"role": "assistant", "tool_calls": calls}]}).examples[0]
    tokenizer = tiny_tokenizer()
    result = render_examples([example], tokenizer, RenderOptions(), 1000, end_of_turn_ids(tokenizer))
    (refusal,) = result.refusals
    assert refusal.field == "messages[1].tool_calls"
    assert refusal.reason.startswith("the turn calls tools, and templates are given texts only")


def test_sharegpt_calls_and_observations(read: Any) -> None:
    call = {"name": "f", "arguments": {"x": 1}}
    said = [("human", "q"), ("function_call", json.dumps(call)), ("observation", "r"), ("gpt", "a")]
    example = read({"conversations": [{"from": who, "value": what} for who, what in said]}).examples[0]
    assert [message.speaker.value for message in example.messages] == ["user", "assistant", "tool", "assistant"]
    assert json.loads(example.messages[1].calls or "") == [{"type": "function", "function": call}]


IMAGE = {"type": "image_url", "image_url": {"url": "x"}}


@pytest.mark.parametrize(
    ("turn", "field", "reason"),
    [
        (
            USER | {"content": [IMAGE]},
            "messages[0].content[0]",
            "a part of the message is not text, and only text is learned",
        ),
        (USER | {"content": []}, "messages[0].content", "`messages[0].content` is not text"),
        (
            USER | {"tool_calls": [{"function": {"name": "f"}}]},
            "messages[0].tool_calls",
            "only the assistant calls tools",
        ),
        (USER | {"name": 3}, "messages[0].name", "a name is text"),
    ],
)
def test_turns_that_cannot_be_learned(read: Any, turn: Any, field: str, reason: str) -> None:
    (refusal,) = read({"messages": [turn, ANSWER]}).refusals
    assert (refusal.field, refusal.reason) == (field, reason)


# Dialogues


def said(*lines: str) -> dict[str, Any]:
    pairs = [line.split(": ") for line in lines]
    return {"turns": [{"speaker": who, "text": what} for who, what in pairs]}


def test_turns_of_one_speaker_are_joined_and_the_unanswered_end_is_counted(read: Any) -> None:
    result = read(said("user: q", "user: r", "bot: a", "bot: b", "user: bye"))
    assert turns(result.examples[0]) == [("user", "q\nr"), ("assistant", "a\nb")]
    assert result.shortened == 1


def test_the_assistant_is_named_or_told(read: Any) -> None:
    two = said("Ann: q", "Ben: a")
    (refusal,) = read(two).refusals
    assert refusal.reason == "who of the speakers is the assistant is not known: `Ann`, `Ben`"
    assert refusal.fix == "Name the one to learn with `assistant: NAME`"
    assert turns(read(two, assistant="ben").examples[0]) == [("user", "q"), ("assistant", "a")]
    assert read(two, assistant="Cid").refusals[0].reason == "nobody is called `Cid`; speakers there: `Ann`, `Ben`"
    three = read(said("Ann: q", "Cid: r", "Ben: a"), assistant="Ben").examples[0]
    assert turns(three) == [("user", "Ann: q\nCid: r"), ("assistant", "a")]


def test_calls_of_a_dialogue_are_json_text(read: Any) -> None:
    context = [{"role": "user", "text": "q"}, {"role": "agent", "api": {"f": 1}}, {"role": "api", "response": {"r": 2}}]
    row = {"context": context, "chosen": {"role": "agent", "text": "a"}, "rejected": {"role": "agent", "api": {"g": 3}}}
    example = read(row).examples[0]
    assert turns(example)[1:3] == [("assistant", '{"f": 1}'), ("tool", '{"r": 2}')]
    assert (example.reference, example.rejected) == ("a", '{"g": 3}')


# Preference


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"chosen": HH + "a", "rejected": "\n\nHuman: other\n\nAssistant: b"},
            "the two conversations differ before their last answer",
        ),
        ({"chosen": HH + "a", "rejected": HH + " "}, "`rejected[3]` is empty"),
        ({"chosen": "one", "rejected": "other"}, "the two answers have no prompt in common"),
        (
            {"prompt": "z", "chosen": [USER, ANSWER], "rejected": [USER, ANSWER]},
            "the prompt does not stand in the two conversations",
        ),
        ({"chosen": [USER, ANSWER, USER], "rejected": [USER, ANSWER, USER]}, "the last turn is not the assistant's"),
        ({"prompt": "q", "chosen": "a", "rejected": None}, "`rejected` is null"),
        ({"prompt": [ANSWER], "chosen": "a", "rejected": "b"}, "no user turn before the answers"),
    ],
)
def test_pairs_that_are_refused(read: Any, row: dict[str, Any], reason: str) -> None:
    good = (
        {"chosen": HH + "a", "rejected": HH + "b"}
        if "prompt" not in row
        else {"prompt": "q", "chosen": "a", "rejected": "b"}
    )
    (refusal,) = read(good, row).refusals
    assert (refusal.line, refusal.reason) == (2, reason)


def test_a_verdict_is_true_or_false(read: Any) -> None:
    rows = [{"prompt": "q", "completion": "a", "good": value} for value in (1.0, "false", None, 2)]
    result = read(*rows, desirable="good")
    assert [example.desirable for example in result.examples] == [True, False]
    assert [refusal.line for refusal in result.refusals] == [3, 4]
    assert result.refusals[0].fix == "Write true or false, or 1 or 0"


# Rows that give several examples, and several that give one


def test_instances_are_examples_of_one_group_and_bad_ones_are_refused(read: Any) -> None:
    instances = [{"input": "x", "output": "a"}, {"input": "", "output": ""}, {"input": "", "output": "b"}]
    result = read({"instruction": "i", "instances": instances}, {"instruction": "i", "instances": []})
    assert [turns(example)[0][1] for example in result.examples] == ["i\n\nx", "i"]
    assert {example.group for example in result.examples} == {"rows.jsonl:1"}
    assert [(refusal.line, refusal.field) for refusal in result.refusals] == [
        (1, "instances[1].output"),
        (2, "instances"),
    ]
    assert result.extra == 2


def test_references_are_gathered_by_prompt_and_group(read: Any) -> None:
    rows = [
        {"mr": mr, "ref": ref, "g": g} for mr, ref, g in (("m", "a", 1), ("n", "b", 1), ("m", "c", 1), ("m", "d", 2))
    ]
    apart = read(*rows)
    assert (len(apart.examples), apart.joined) == (4, 0)
    result = read(*rows, gather_references=True, group_by="g")
    assert [(example.reference, example.references) for example in result.examples] == [
        ("a", ("c",)),
        ("b", ()),
        ("d", ()),
    ]
    assert result.joined == 1
    assert result.formats[0].columns.needs_whole_file


# Trees

TREE = [
    # id, parent, role, text, rank
    ("p", None, "prompter", "q", None),
    ("a2", "p", "assistant", "worse", 1),
    ("a1", "p", "assistant", "better", 0),
    ("q1", "a1", "prompter", "and?", None),
    ("b1", "q1", "assistant", "more", 0),
    ("q2", "a1", "prompter", "nobody answers", None),
    ("x", "gone", "assistant", "lost", 0),
]


def tree_rows() -> list[dict[str, Any]]:
    names = ("message_id", "parent_id", "role", "text", "rank")
    return [dict(zip(names, node, strict=True)) for node in TREE]


def test_the_best_ranked_path_of_a_tree(read: Any) -> None:
    result = read(*tree_rows())
    (example,) = result.examples
    assert turns(example) == [("user", "q"), ("assistant", "better"), ("user", "and?"), ("assistant", "more")]
    assert (example.line, example.group) == (5, "p")
    assert (result.joined, result.left_out, result.refusals[0].line) == (3, 2, 7)
    assert result.refusals[0].reason == "the message it answers is not in the file, or was refused"


def test_every_path_of_a_tree_and_the_same_trees_nested(read: Any) -> None:
    flat = read(*tree_rows(), branches="every")
    assert [example.reference for example in flat.examples] == ["more", "worse"]
    assert (flat.joined, flat.left_out) == (3, 1)
    nodes = {row["message_id"]: row | {"replies": []} for row in tree_rows()[:-1]}
    for row in nodes.values():
        if row["parent_id"]:
            nodes[row["parent_id"]]["replies"].append(row)
    nested = read({"message_tree_id": "p", "prompt": nodes["p"]}, branches="every")
    assert [example.messages for example in nested.examples] == [example.messages for example in flat.examples]
    assert (nested.extra, {example.group for example in nested.examples}) == (1, {"p"})
    assert [example.reference for example in read(nodes["p"]).examples] == ["more"]


def test_circles_double_ids_and_deep_trees(read: Any) -> None:
    row = {"role": "assistant", "text": "t", "rank": 0}
    circle = [row | {"message_id": "c", "parent_id": "d"}, row | {"message_id": "d", "parent_id": "c"}]
    result = read(*tree_rows()[:3], *circle, tree_rows()[0])
    assert [refusal.line for refusal in result.refusals] == [6, 4, 5]
    assert result.refusals[0].reason == "the `message_id` was used before"
    deep = [
        {
            "message_id": str(n),
            "parent_id": str(n - 1) if n else None,
            "text": "t",
            "role": ("user", "assistant")[n % 2],
        }
        for n in range(3000)
    ]
    assert len(read(*deep).examples[0].messages) == 3000


# Plays

SPEECHES = [("Ann", "one"), ("Ben", "two"), ("Ben", "three"), ("Cid", "four"), ("Ann", "five")]


def test_every_character_answers_the_speeches_before(read: Any) -> None:
    rows = [{"play": "P", "speaker": who, "text": what} for who, what in SPEECHES]
    result = read(*rows, window=3)
    assert [turns(example) for example in result.examples] == [
        [("user", "Ann: one"), ("assistant", "two")],
        [("user", "Ann: one"), ("assistant", "two\nthree")],
        [("user", "Ann: one\nBen: two\nBen: three"), ("assistant", "four")],
        [("user", "Ben: two\nBen: three\nCid: four"), ("assistant", "five")],
    ]
    assert [example.messages[-1].name for example in result.examples] == ["Ben", "Ben", "Cid", "Ann"]
    assert {example.group for example in result.examples} == {"P 1-50"}
    assert (result.joined, result.left_out) == (1, 0)


def test_one_character_is_learned_and_what_nobody_needs_is_left_out(read: Any) -> None:
    result = read(
        *({"character": who, "line": what} for who, what in SPEECHES), assistant="BEN", speaker="character", text="line"
    )
    assert [example.reference for example in result.examples] == ["two", "two\nthree"]
    assert (result.joined, result.left_out) == (1, 2)


def test_windows_end_at_scenes_and_at_blocks(read: Any) -> None:
    rows = [{"act": n // 2, "speaker": "AB"[n % 2], "text": str(n)} for n in range(6)]
    result = read(*rows)
    assert [(example.group, len(example.messages)) for example in result.examples] == [("0", 2), ("1", 2), ("2", 2)]
    long = read(*({"speaker": "AB"[n % 2], "text": str(n)} for n in range(120)))
    assert {example.group for example in long.examples} == {f"rows.jsonl {n}-{n + 49}" for n in (1, 51, 101)}
    assert long.joined == 3
    grouped = read(*(row | {"g": 1} for row in rows), group_by="g")
    assert {example.group for example in grouped.examples} == {"1"}


def test_a_script_of_plain_text(read: Any) -> None:
    text = "ANN:\none\n\nBEN: two\n\nno name here\n\nCID:"
    result = read(text, name="play.txt", format="script", system="You are {speaker}.")
    assert turns(result.examples[0]) == [("system", "You are BEN."), ("user", "ANN: one"), ("assistant", "two")]
    assert [refusal.reason for refusal in result.refusals] == [
        "the speech names no speaker",
        "the speaker says nothing",
    ]


# Blocks

FRAMES = st.sampled_from(
    [
        Frame("f", Columns(RowFormat.PROMPT_COMPLETION, prompt="p", completion="a")),
        Frame("f", Columns(RowFormat.PROMPT_COMPLETION, prompt="{p}!", references="r")),
        Frame("f", Columns(RowFormat.SELF_INSTRUCT, prompt="p", messages="r")),
        Frame("f", Columns(RowFormat.DIALOGUE, messages="r"), assistant="b"),
        Frame("f", Columns(RowFormat.MESSAGES, messages="r")),
        Frame("f", Columns(RowFormat.KTO, prompt="p", completion="a", desirable="r")),
        Frame("f", Columns(RowFormat.PREFERENCE, chosen="p", rejected="a")),
        Frame("f", Columns(RowFormat.TREE, text="text")),
        Frame("f", Columns(RowFormat.VERTEX, messages="contents")),
        Frame("f", Columns(RowFormat.SCRIPT, speaker="p", text="a")),
        Frame("f", Columns(RowFormat.TREE, text="text", parents=True)),
        Frame("f", Columns(RowFormat.PROMPT_COMPLETION, prompt="p", completion="a", gathered=True)),
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | st.sampled_from(["a", "b", " ", "{", "\ud83d"])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "speaker", "text", "input", "output", "from", "value", "parts", "replies"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(["p", "a", "r", "text", "role", "replies", "message_id", "parent_id", "contents"]), JSON
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(ROWS, FRAMES, st.integers(1, 4))
def test_any_json_is_an_example_a_refusal_or_counted_whole_and_in_blocks(
    rows: list[dict[str, Any]], frame: Frame, size: int
) -> None:
    records = [Record(number, json.dumps(row), row) for number, row in enumerate(rows, 1)]
    tally = Tally()
    whole = list(examples_of_records(records, frame, tally))
    assert len(rows) + tally.extra == len(whole) + tally.joined + tally.left_out
    assert all(one.fix and one.raw for one in whole if isinstance(one, Refusal))
    assert {one.line for one in whole} <= {record.line for record in records}
    if frame.columns.needs_whole_file:
        return
    summed, blocks = Tally(), []
    for start in range(0, len(records), size):
        part = Tally()
        blocks += examples_of_records(records[start : start + size], frame, part)
        summed.add(part)
    assert (blocks, summed) == (whole, tally)


def test_a_class_whose_name_would_be_read_as_two_is_refused_in_a_list(read: Any) -> None:
    found = read({"text": "q", "labels": ["yes, please", "no"]}, {"text": "q", "labels": ["yes", "no"]})
    assert [refusal.reason for refusal in found.refusals] == [
        "the name of a class holds `, `, which stands between the classes of a row"
    ]
