"""One row to one example: every rule a row has to keep, each broken one told with the field and the fix."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from atanor.data.options import RowFormat
from atanor.data.records import Record
from atanor.data.refusals import row_error
from atanor.data.rows import Example, Message, Speaker
from atanor.data.shapes import Columns, nearest, quoted

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LATIN_CONTROLS = range(0x80, 0xA0)
"""What bytes of UTF-8 and Windows-1252 become when they are read as Latin-1: letters and quotes turn into controls."""

_OPENAI_SPEAKERS = {speaker.value: speaker for speaker in Speaker}
_SHAREGPT_SPEAKERS = _OPENAI_SPEAKERS | {"human": Speaker.USER, "gpt": Speaker.ASSISTANT}
_CALLS = ("tool_calls", "function_call", "audio")
"""Parts of an assistant message that are not text; dropping them would teach another answer than was written."""


def example_of(record: Record, columns: Columns, source: str, system: str | None, group_by: str | None) -> Example:
    """The example a row is.

    Args:
        record: the row.
        columns: which column is what.
        source: path of the file as the user wrote it.
        system: system message put before conversations that have none.
        group_by: column whose equal values stay on one side of the split.

    Raises:
        DataError: the row breaks a rule; the first broken one is told.
    """
    fields = record.fields
    group = None if group_by is None else _group(fields, group_by)
    if columns.text is not None:
        text = _text(_column(fields, columns.text), columns.text)
        return Example((), text, source, record.line, group, fields)
    if columns.messages is not None:
        turns = _column(fields, columns.messages)
        messages = _conversation(turns, columns.messages, shared=columns.format is RowFormat.SHAREGPT)
    else:
        messages = _question_and_answer(fields, columns)
    if system is not None and all(message.speaker is not Speaker.SYSTEM for message in messages):
        messages = (Message(Speaker.SYSTEM, system), *messages)
    if messages[0].speaker is Speaker.ASSISTANT:
        # Templates cannot be asked for what comes before the first message of all.
        fix = "Put a system or user turn before it, or give the role a `system` message"
        raise row_error(
            "the first turn is the assistant's, and nothing leads to it", field=f"{columns.messages}[0]", fix=fix
        )
    return Example(messages, None, source, record.line, group, fields)


def _column(fields: Mapping[str, Any], name: str) -> Any:
    if name not in fields:
        raise row_error(f"no column `{name}`; columns there: {quoted(fields)}", field=name, fix=nearest(name, fields))
    return fields[name]


def _group(fields: Mapping[str, Any], name: str) -> str:
    value = _column(fields, name)
    if value is None or value == "":
        raise row_error(
            f"`{name}` is empty, so the row could land on either side of the split",
            field=name,
            fix="Give the row its group, or split without `group_by`",
        )
    return value if isinstance(value, str) else _as_json(value)


def _question_and_answer(fields: Mapping[str, Any], columns: Columns) -> tuple[Message, ...]:
    prompt_column, answer_column = columns.prompt or "", columns.completion or ""
    prompt = _text(_written(_column(fields, prompt_column), columns), prompt_column)
    answer = _text(_written(_column(fields, answer_column), columns), answer_column)
    context = fields.get(columns.context) if columns.context else None
    if columns.context and context is not None and context != "":
        prompt = f"{prompt}\n\n{_text(context, columns.context)}"
    return Message(Speaker.USER, prompt), Message(Speaker.ASSISTANT, answer)


def _written(value: Any, columns: Columns) -> Any:
    """A value of a column the project names: what is not text is written as JSON."""
    return value if value is None or isinstance(value, str) or not columns.as_json else _as_json(value)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _conversation(turns: Any, column: str, *, shared: bool) -> tuple[Message, ...]:
    """The messages of a list of turns, checked as a whole."""
    if not isinstance(turns, list):
        fix = "Write the rows as JSON Lines with a list of messages"
        raise row_error(f"`{column}` is not a list of messages", field=column, value=turns, fix=fix)
    if not turns:
        raise row_error(f"`{column}` is empty", field=column, fix="Give the row a user turn and its answer")
    messages = tuple(_message(turn, f"{column}[{index}]", shared=shared) for index, turn in enumerate(turns))
    _check_turns(messages, column)
    return messages


def _message(turn: Any, place: str, *, shared: bool) -> Message:
    role_key, content_key = ("from", "value") if shared else ("role", "content")
    if not isinstance(turn, dict):
        fix = f'Write it as {{"{role_key}": …, "{content_key}": …}}'
        raise row_error("the message is not an object", field=place, value=turn, fix=fix)
    speaker = _speaker(_key(turn, role_key, place), f"{place}.{role_key}", shared=shared)
    calls = next((name for name in _CALLS if turn.get(name)), None)
    if calls is not None:
        fix = "Write what the assistant should say as `content`, or remove the row"
        raise row_error(f"`{calls}` cannot be learned yet", field=f"{place}.{calls}", value=turn[calls], fix=fix)
    content = _text(_key(turn, content_key, place), f"{place}.{content_key}")
    return Message(speaker, content, _wish(turn.get("weight"), speaker, f"{place}.weight"))


def _key(turn: Mapping[str, Any], name: str, place: str) -> Any:
    if name not in turn:
        close = difflib.get_close_matches(name, turn, n=1, cutoff=0.5)
        fix = f"Did you mean `{name}` where `{close[0]}` is written?" if close else f"Add `{name}`"
        reason = f"the message has no `{name}`; keys there: {quoted(turn)}"
        raise row_error(reason, field=f"{place}.{name}", fix=fix)
    return turn[name]


def _speaker(role: Any, place: str, *, shared: bool) -> Speaker:
    known = _SHAREGPT_SPEAKERS if shared else _OPENAI_SPEAKERS
    if isinstance(role, str) and role in known:
        return known[role]
    close = difflib.get_close_matches(str(role).lower(), known, n=1, cutoff=0.5)
    fix = f"Did you mean `{close[0]}`?" if close else f"Use one of {quoted(known)}"
    raise row_error("the role is not known", field=place, value=role, fix=fix)


def _wish(weight: Any, speaker: Speaker, place: str) -> bool | None:
    """OpenAI's `weight`: 0 or 1 on an assistant turn."""
    if weight is None or (speaker is not Speaker.ASSISTANT and weight == 0):
        return None
    if speaker is not Speaker.ASSISTANT:
        fix = "Remove `weight` here"
        raise row_error("only assistant turns are learned", field=place, value=weight, fix=fix)
    if isinstance(weight, bool) or weight not in (0, 1):
        raise row_error("a weight is 0 or 1", field=place, value=weight, fix="Write 1 to learn the turn, 0 to skip it")
    return bool(weight)


def _check_turns(messages: Sequence[Message], column: str) -> None:
    """What a conversation needs as a whole: a question, an answer at the end, something to learn."""
    speakers = [message.speaker for message in messages]
    last = f"{column}[{len(messages) - 1}]"
    if Speaker.ASSISTANT not in speakers:
        fix = "Add the answer as a turn of the assistant"
        raise row_error("no assistant turn, so there is nothing to learn", field=column, fix=fix)
    if speakers[-1] is not Speaker.ASSISTANT:
        fix = "Add the assistant's answer at the end, or remove the turns after the last answer"
        raise row_error(f"the last turn is the {speakers[-1]}'s and has no answer", field=last, fix=fix)
    if not {Speaker.USER, Speaker.TOOL} & set(speakers):
        fix = "Put what the model is given into a user turn"
        raise row_error("no user turn before the answer", field=column, fix=fix)
    if all(message.train is False for message in messages if message.speaker is Speaker.ASSISTANT):
        fix = "Give the turn to learn a weight of 1"
        raise row_error("nothing to learn: every assistant turn has weight 0", field=column, fix=fix)


def _text(value: Any, field: str) -> str:
    """A text that can be trained on.

    A text with control characters is refused, not cleaned: they are traces of a wrong conversion, and the letters
    that were there cannot be guessed.
    """
    if value is None:
        raise row_error(f"`{field}` is null", field=field, fix="Write text there, or remove the row")
    if not isinstance(value, str):
        fix = "Join its parts into one text" if isinstance(value, list) else "Write it as text in quotes"
        raise row_error(f"`{field}` is not text", field=field, value=value, fix=fix)
    if not value.strip():
        raise row_error(f"`{field}` is empty", field=field, fix="Fill it, or remove the row")
    found = _CONTROL.search(value)
    if found is not None:
        mojibake = ord(found[0]) in _LATIN_CONTROLS
        fix = "Convert the file again: UTF-8 or Windows-1252 text was read as Latin-1" if mojibake else "Remove it"
        reason = f"character {found.start() + 1} is the control character U+{ord(found[0]):04X}"
        raise row_error(reason, field=field, value=value[max(0, found.start() - 20) :][:40], fix=fix)
    found = _SURROGATE.search(value)
    if found is not None:
        reason = f"character {found.start() + 1} is half of a surrogate pair (U+{ord(found[0]):04X})"
        raise row_error(reason, field=field, fix=r"Write both halves, as in \ud83d\ude00, or the character itself")
    return value
