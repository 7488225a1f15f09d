"""Lists of messages to turns: OpenAI chat messages, ShareGPT turns, and dialogues of speakers (`speaker`, `text`)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atanor.data.formats.calls import call_of_text, calls_of
from atanor.data.formats.fields import quoted
from atanor.data.formats.texts import refuse_surrogates, text_of
from atanor.data.refusals import row_error
from atanor.data.rows import Message, Speaker

_OPENAI = {speaker.value: speaker for speaker in Speaker} | {"developer": Speaker.SYSTEM, "function": Speaker.TOOL}
_SHAREGPT = _OPENAI | {
    "human": Speaker.USER,
    "gpt": Speaker.ASSISTANT,
    "chatgpt": Speaker.ASSISTANT,
    "function_call": Speaker.ASSISTANT,
    "observation": Speaker.TOOL,
}


@dataclass(frozen=True)
class TurnKeys:
    """Under which keys a turn says who speaks and what, and the names of the speakers."""

    role: str
    content: str
    speakers: Mapping[str, Speaker]


OPENAI = TurnKeys("role", "content", _OPENAI)
SHAREGPT = TurnKeys("from", "value", _SHAREGPT)


def is_turns(value: Any) -> bool:
    """Whether the value is a list of OpenAI or ShareGPT turns, by the keys of its first."""
    return keys_of_turns(value) is not None


def keys_of_turns(value: Any) -> TurnKeys | None:
    """The keys of a list of turns, from its first; None where it is no such list."""
    first = value[0] if isinstance(value, list) and value else None
    if not isinstance(first, dict):
        return None
    if "from" in first and "value" in first:
        return SHAREGPT
    return OPENAI if "role" in first and ("content" in first or "tool_calls" in first) else None


def messages_of(turns: Any, column: str, keys: TurnKeys = OPENAI) -> tuple[Message, ...]:
    """The messages of a list of turns, each checked for itself.

    Args:
        turns: the value of `column`.
        column: its name, for places in errors.
        keys: how a turn is written.

    Raises:
        DataError: it is no list of turns, or a turn breaks a rule.
    """
    if not isinstance(turns, list):
        fix = "Write the rows as JSON Lines with a list of messages"
        raise row_error(f"`{column}` is not a list of messages", field=column, value=turns, fix=fix)
    if not turns:
        raise row_error(f"`{column}` is empty", field=column, fix="Give the row a user turn and its answer")
    return tuple([_message(turn, column, index, keys) for index, turn in enumerate(turns)])


def require_learnable(messages: Sequence[Message], column: str) -> None:
    """Raise the `DataError` of a conversation without a question, an answer at its end, or something to learn."""
    speakers = [message.speaker for message in messages]
    last = f"{column}[{len(messages) - 1}]"
    if Speaker.ASSISTANT not in speakers:
        fix = "Add the answer as a turn of the assistant"
        raise row_error("no assistant turn, so there is nothing to learn", field=column, fix=fix)
    if speakers[-1] is not Speaker.ASSISTANT:
        fix = "Add the assistant's answer at the end, or remove the turns after the last answer"
        raise row_error(f"the last turn is the {speakers[-1]}'s and has no answer", field=last, fix=fix)
    if Speaker.USER not in speakers and Speaker.TOOL not in speakers:
        fix = "Put what the model is given into a user turn"
        raise row_error("no user turn before the answer", field=column, fix=fix)
    if all(message.train is False for message in messages if message.speaker is Speaker.ASSISTANT):
        fix = "Give the turn to learn a weight of 1"
        raise row_error("nothing to learn: every assistant turn has weight 0", field=column, fix=fix)


def speaker_of(role: Any, place: str, known: Mapping[str, Speaker]) -> Speaker:
    """Who a role's name stands for.

    Raises:
        DataError: the name is not known; the nearest one is told.
    """
    speaker = known.get(role) if isinstance(role, str) else None
    if speaker is not None:
        return speaker
    close = difflib.get_close_matches(str(role).lower(), known, n=1, cutoff=0.5)
    fix = f"Did you mean `{close[0]}`?" if close else f"Use one of {quoted(known)}"
    raise row_error("the role is not known", field=place, value=role, fix=fix)


def key_of(turn: Mapping[str, Any], name: str, place: str) -> Any:
    """The value of a key a turn has to have.

    Raises:
        DataError: it is not there; the nearest one that is there is told.
    """
    if name in turn:
        return turn[name]
    close = difflib.get_close_matches(name, turn, n=1, cutoff=0.5)
    fix = f"Did you mean `{name}` where `{close[0]}` is written?" if close else f"Add `{name}`"
    raise row_error(f"the message has no `{name}`; keys there: {quoted(turn)}", field=f"{place}.{name}", fix=fix)


def _message(turn: Any, column: str, index: int, keys: TurnKeys) -> Message:
    if type(turn) is dict and len(turn) == 2:  # Nearly every turn is one text of one known role.
        content, speaker = turn.get(keys.content), keys.speakers.get(str(turn.get(keys.role)))
        if speaker is not None and type(content) is str and turn[keys.role] != "function_call":
            return Message(speaker, text_of(content, f"{column}[{index}].{keys.content}"))
    return _full_message(turn, f"{column}[{index}]", keys)


def _full_message(turn: Any, place: str, keys: TurnKeys) -> Message:
    """A turn with whatever the chat format allows: weight, calls, name, content in parts."""
    if not isinstance(turn, dict):
        fix = f'Write it as {{"{keys.role}": …, "{keys.content}": …}}'
        raise row_error("the message is not an object", field=place, value=turn, fix=fix)
    role = key_of(turn, keys.role, place)
    speaker = speaker_of(role, f"{place}.{keys.role}", keys.speakers)
    if turn.get("audio"):
        fix = "Write what the assistant should say as text, or remove the row"
        raise row_error("`audio` cannot be learned", field=f"{place}.audio", value=turn["audio"], fix=fix)
    wish = _wish(turn.get("weight"), speaker, f"{place}.weight")
    if keys is SHAREGPT and role == "function_call":
        called = call_of_text(key_of(turn, keys.content, place), f"{place}.{keys.content}")
        return Message(speaker, "", wish, called)
    calls = calls_of(turn, place)
    if calls is not None and speaker is not Speaker.ASSISTANT:
        fix = "Move the calls to an assistant turn"
        raise row_error("only the assistant calls tools", field=f"{place}.tool_calls", value=turn, fix=fix)
    content = _content(turn, f"{place}.{keys.content}", keys, place, may_be_empty=calls is not None)
    return Message(speaker, content, wish, calls, _name(turn, speaker, place))


def _content(turn: Mapping[str, Any], field: str, keys: TurnKeys, place: str, *, may_be_empty: bool) -> str:
    if may_be_empty and turn.get(keys.content) in (None, "", []):
        return ""
    content = key_of(turn, keys.content, place)
    if isinstance(content, list) and content and all(isinstance(part, dict) for part in content):
        return text_of("\n".join(_part(part, f"{field}[{index}]") for index, part in enumerate(content)), field)
    return text_of(content, field)


def _part(part: Mapping[str, Any], field: str) -> str:
    """The text of one content part; images and sounds are refused."""
    kind = part.get("type", "text")
    if kind != "text" or not isinstance(part.get("text"), str):
        fix = "Describe it in words, or remove the row"
        raise row_error("a part of the message is not text, and only text is learned", field=field, value=kind, fix=fix)
    return str(part["text"])


def _name(turn: Mapping[str, Any], speaker: Speaker, place: str) -> str | None:
    """The turn's name: of a tool's turn the call it answers."""
    key = "tool_call_id" if speaker is Speaker.TOOL and turn.get("tool_call_id") else "name"
    name = turn.get(key)
    if name is None:
        return None
    if not isinstance(name, str) or not name:
        raise row_error("a name is text", field=f"{place}.{key}", value=name, fix="Write it as text, or remove it")
    refuse_surrogates(name, f"{place}.{key}")
    return name


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
