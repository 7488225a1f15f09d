"""The row an example is in each format, what the format has a place for, and what it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atanor.data.refusals import row_error
from atanor.data.rows import Example, Message, Speaker
from atanor.data.writing.kinds import WriteFormat
from atanor.data.writing.parts import Part, parts_of

Row = dict[str, Any]
_SINGLE = frozenset({Part.CHAT})
_CHAT = frozenset({Part.CHAT, Part.SYSTEM, Part.TURNS, Part.TOOL_TURN})
_OPENAI = _CHAT | {Part.CALLS, Part.TOOLS, Part.NAME, Part.WEIGHT}
_GEMINI = frozenset({Part.CHAT, Part.SYSTEM, Part.TURNS})


@dataclass(frozen=True)
class RowShape:
    """One format.

    Attributes:
        row: the row of an example that has only parts with a place.
        holds: the parts the format has a place for.
        needs: the part without which a row would say nothing, or None.
        flat: every column is a text, so that tables of text can hold it.
    """

    row: Callable[[Example], Row]
    holds: frozenset[Part]
    needs: Part | None = None
    flat: bool = False


def row_of(example: Example, kind: WriteFormat) -> Row:
    """The row of an example.

    Raises:
        DataError: the format has no place for something of it, or needs something it has not.
    """
    shape = SHAPES[kind]
    there = parts_of(example)
    homeless = [part for part in Part if part in there - shape.holds]
    if homeless:
        fix = f"Choose a format that holds it, or take it out: {_holders(homeless[0])}"
        raise row_error(f"the format `{kind}` has no place for {homeless[0]}", fix=fix)
    if shape.needs is not None and shape.needs not in there:
        raise row_error(f"the row lacks {shape.needs}, which `{kind}` is about", fix="Choose another format for it")
    if example.messages and example.messages[-1].speaker is not Speaker.ASSISTANT:
        raise row_error("the last turn is not the assistant's", field="messages", fix="End with the answer")
    return shape.row(example)


def _holders(part: Part) -> str:
    return ", ".join(f"`{kind}`" for kind, shape in SHAPES.items() if part in shape.holds) or "none here does"


def _openai_message(message: Message) -> Row:
    row: Row = {"role": message.speaker.value}
    if message.content or message.calls is None:
        row["content"] = message.content
    if message.calls is not None:
        row["tool_calls"] = json.loads(message.calls)
    if message.name is not None:
        row["tool_call_id" if message.speaker is Speaker.TOOL else "name"] = message.name
    if message.train is not None:
        row["weight"] = int(message.train)
    return row


def _chat(messages: Sequence[Message]) -> list[Row]:
    return [_openai_message(message) for message in messages]


def _openai(example: Example) -> Row:
    row: Row = {"messages": _chat(example.messages)}
    return row | _tools(example)


def _tools(example: Example) -> Row:
    """The tools, and the row's own `parallel_tool_calls` where it was read with one."""
    if example.tools is None:
        return {}
    parallel = example.fields.get("parallel_tool_calls")
    return {"tools": json.loads(example.tools)} | (
        {"parallel_tool_calls": parallel} if isinstance(parallel, bool) else {}
    )


def _openai_preference(example: Example) -> Row:
    return {
        "input": {"messages": _chat(example.prompt)} | _tools(example),
        "preferred_output": [{"role": "assistant", "content": example.reference}],
        "non_preferred_output": [{"role": "assistant", "content": example.rejected}],
    }


def _gemini_turn(message: Message) -> Row:
    role = "model" if message.speaker is Speaker.ASSISTANT else "user"
    return {"role": role, "parts": [{"text": message.content}]}


def _gemini(messages: Sequence[Message], system_key: str) -> Row:
    """`contents`, and the system message beside them: Gemini has one, and it comes first."""
    rest = messages[1:] if messages[0].speaker is Speaker.SYSTEM else messages
    if any(message.speaker is Speaker.SYSTEM for message in rest):
        fix = "Keep one system message, at the start"
        raise row_error("a system message stands inside the conversation", field="messages", fix=fix)
    row: Row = {"contents": [_gemini_turn(message) for message in rest]}
    if rest is not messages:
        return {system_key: {"role": "system", "parts": [{"text": messages[0].content}]}} | row
    return row


def _vertex(example: Example) -> Row:
    return _gemini(example.messages, "systemInstruction")


def _vertex_preference(example: Example) -> Row:
    if example.prompt[-1].speaker is not Speaker.USER:
        fix = "Put the user's turn before the answers"
        raise row_error("the turn before the answers is not the user's", field="messages", fix=fix)
    answers = ((1, example.reference), (0, example.rejected))
    return _gemini(example.prompt, "system_instruction") | {
        "completions": [
            {"score": score, "completion": {"role": "model", "parts": [{"text": text}]}} for score, text in answers
        ]
    }


_SHAREGPT = {Speaker.SYSTEM: "system", Speaker.USER: "human", Speaker.ASSISTANT: "gpt", Speaker.TOOL: "tool"}


def _sharegpt(example: Example) -> Row:
    _refuse_call_ids(example)
    return {
        "conversations": [
            {"from": _SHAREGPT[message.speaker], "value": message.content} for message in example.messages
        ]
    }


def _chat_only(messages: Sequence[Message]) -> list[Row]:
    """Messages of role and content, as TRL takes them."""
    return [{"role": message.speaker.value, "content": message.content} for message in messages]


def _refuse_call_ids(example: Example) -> None:
    if any(message.name is not None for message in example.messages):
        fix = "Choose `messages` or `openai`, which keep it"
        raise row_error("the format has no place for the call that a tool answers", field="messages", fix=fix)


def _given(example: Example) -> str:
    """The one turn before the answer."""
    if len(example.prompt) != 1 or example.prompt[0].speaker is not Speaker.USER:
        fix = "Choose a format of messages"
        raise row_error("the row is not one question and its answer", field="messages", fix=fix)
    return example.prompt[0].content


def _alpaca(example: Example) -> Row:
    return {"instruction": _given(example), "input": "", "output": example.reference}


def _prompt_completion(example: Example) -> Row:
    return {"prompt": _given(example), "completion": example.reference}


def _prompt_completion_chat(example: Example) -> Row:
    _refuse_call_ids(example)
    return {"prompt": _chat_only(example.prompt), "completion": _chat_only(example.messages[-1:])}


def _preference(example: Example) -> Row:
    return {"prompt": _given(example), "chosen": example.reference, "rejected": example.rejected}


def _preference_chat(example: Example) -> Row:
    _refuse_call_ids(example)
    return {
        "prompt": _chat_only(example.prompt),
        "chosen": _chat_only(example.messages[-1:]),
        "rejected": [{"role": "assistant", "content": example.rejected}],
    }


def _kto(example: Example) -> Row:
    return _prompt_completion(example) | {"label": example.desirable}


def _kto_chat(example: Example) -> Row:
    return _prompt_completion_chat(example) | {"label": example.desirable}


def _references(example: Example) -> Row:
    return {"prompt": _given(example), "references": [example.reference, *example.references]}


def _classification(example: Example) -> Row:
    if example.label is None:
        raise row_error("the row has no class", field="label", fix="Choose another format for it")
    return {"text": _given(example), "label": example.label}


def _text(example: Example) -> Row:
    return {"text": example.text}


_PAIR = _CHAT | {Part.REJECTED}
SHAPES: Mapping[WriteFormat, RowShape] = {
    WriteFormat.OPENAI: RowShape(_openai, _OPENAI),
    WriteFormat.OPENAI_PREFERENCE: RowShape(
        _openai_preference, _OPENAI - {Part.WEIGHT} | {Part.REJECTED}, Part.REJECTED
    ),
    WriteFormat.OPENAI_COMPLETIONS: RowShape(_prompt_completion, _SINGLE, flat=True),
    WriteFormat.VERTEX: RowShape(_vertex, _GEMINI),
    WriteFormat.VERTEX_PREFERENCE: RowShape(_vertex_preference, _GEMINI | {Part.REJECTED}, Part.REJECTED),
    WriteFormat.MESSAGES: RowShape(_openai, _OPENAI),
    WriteFormat.SHAREGPT: RowShape(_sharegpt, _CHAT),
    WriteFormat.ALPACA: RowShape(_alpaca, _SINGLE, flat=True),
    WriteFormat.PROMPT_COMPLETION: RowShape(_prompt_completion, _SINGLE, flat=True),
    WriteFormat.PROMPT_COMPLETION_CHAT: RowShape(_prompt_completion_chat, _CHAT),
    WriteFormat.PREFERENCE: RowShape(_preference, _SINGLE | {Part.REJECTED}, Part.REJECTED, flat=True),
    WriteFormat.PREFERENCE_CHAT: RowShape(_preference_chat, _PAIR, Part.REJECTED),
    WriteFormat.KTO: RowShape(_kto, _SINGLE | {Part.DESIRABLE}, Part.DESIRABLE, flat=True),
    WriteFormat.KTO_CHAT: RowShape(_kto_chat, _CHAT | {Part.DESIRABLE}, Part.DESIRABLE),
    WriteFormat.REFERENCES: RowShape(_references, _SINGLE | {Part.REFERENCES}),
    WriteFormat.CLASSIFICATION: RowShape(_classification, _SINGLE, flat=True),
    WriteFormat.TEXT: RowShape(_text, frozenset({Part.TEXT}), flat=True),
}
