"""Rows that hold a whole conversation: OpenAI messages, ShareGPT turns, dialogues of speakers, Gemini contents."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atanor.data.formats.calls import tools_of
from atanor.data.formats.fields import Field, Path, as_json, quoted
from atanor.data.formats.frame import Frame
from atanor.data.formats.tally import Tally
from atanor.data.formats.texts import text_of
from atanor.data.formats.turns import OPENAI, SHAREGPT, key_of, messages_of, require_learnable
from atanor.data.options import RowFormat
from atanor.data.records import Record
from atanor.data.refusals import row_error
from atanor.data.rows import Example, Message, Speaker

SPEAKER_KEYS = ("speaker", "role", "from", "name")
SAYING_KEYS = ("text", "utterance", "content", "value")
ASSISTANTS = ("assistant", "system", "agent", "bot", "model", "gpt")
USERS = ("user", "human", "customer", "client")
TOOLS = ("api", "tool", "function", "observation")


class ChatReader:
    """A list of OpenAI or ShareGPT turns that ends in the answer."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._turns: Field = frame.field("messages") or Path("")
        self._place = frame.columns.messages or ""
        self._keys = SHAREGPT if frame.columns.format is RowFormat.SHAREGPT else OPENAI

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row, with the tools it may call."""
        messages = messages_of(self._turns.value(record.fields), self._place, self._keys)
        require_learnable(messages, self._place)
        column = self._frame.columns.tools
        tools = tools_of(record.fields, column) if column is not None else None
        return (self._frame.conversation(record, messages, self._place, tools=tools),)


@dataclass(frozen=True)
class Said:
    """One turn of a dialogue: who, and what."""

    speaker: str
    text: str


class DialogueReader:
    """Turns with a speaker and a text. Turns of one speaker in a row become one; what nobody answers is left off."""

    def __init__(self, frame: Frame, tally: Tally) -> None:
        self._frame = frame
        self._tally = tally
        self._turns: Field = frame.field("messages") or Path("")
        self._place = frame.columns.messages or ""

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row."""
        said = said_in(self._turns.value(record.fields), self._place)
        messages = cast_messages(said, self._frame.assistant, self._place)
        last = max((i for i, one in enumerate(messages) if one.speaker is Speaker.ASSISTANT), default=-1)
        kept = messages[: last + 1]
        require_learnable(kept or messages, self._place)
        example = self._frame.conversation(record, kept, self._place)
        self._tally.shortened += len(kept) < len(messages)
        return (example,)


def said_in(turns: Any, place: str) -> list[Said]:
    """The turns of a dialogue; a list of plain texts is two speakers, `user` and `assistant`, in turn.

    Raises:
        DataError: it is no such list.
    """
    if not isinstance(turns, list):
        fix = "Write the rows as JSON Lines with a list of turns"
        raise row_error(f"`{place}` is not a list of turns", field=place, value=turns, fix=fix)
    if not turns:
        raise row_error(f"`{place}` is empty", field=place, fix="Give the row a user turn and its answer")
    if all(isinstance(turn, str) for turn in turns):
        texts = [text_of(turn, f"{place}[{index}]") for index, turn in enumerate(turns)]
        return [Said(name, text) for name, text in zip(itertools.cycle(("user", "assistant")), texts, strict=False)]
    return [said_by(turn, f"{place}[{index}]") for index, turn in enumerate(turns)]


def said_by(turn: Any, place: str) -> Said:
    """One turn of a dialogue. A turn without text holds a call or its result under another key, kept as JSON.

    Raises:
        DataError: it names no speaker or says nothing.
    """
    if not isinstance(turn, dict):
        fix = 'Write it as {"speaker": …, "text": …}'
        raise row_error("the turn is not an object", field=place, value=turn, fix=fix)
    who = next((key for key in SPEAKER_KEYS if key in turn), SPEAKER_KEYS[0])
    speaker = text_of(key_of(turn, who, place), f"{place}.{who}")
    what = next((key for key in SAYING_KEYS if turn.get(key) is not None), None)
    if what is not None:
        return Said(speaker, text_of(turn[what], f"{place}.{what}"))
    others = [key for key, value in turn.items() if key != who and isinstance(value, (dict, list)) and value]
    if len(others) != 1:
        raise row_error("the turn says nothing", field=place, value=turn, fix="Give it a `text`")
    return Said(speaker, text_of(as_json(turn[others[0]]), f"{place}.{others[0]}"))


def cast_messages(said: Sequence[Said], assistant: str | None, place: str) -> tuple[Message, ...]:
    """The messages of a dialogue, with one of its speakers as the assistant.

    Args:
        said: its turns; those of one speaker in a row are joined by line breaks.
        assistant: who is learned; None: the one speaker with a usual name.
        place: the column, for errors.

    Raises:
        DataError: nobody has that name, or nobody or several have a usual one.
    """
    names = dict.fromkeys(one.speaker for one in said)
    roles = {name: _role(name) for name in names}
    if assistant is not None:
        roles = {name: Speaker.TOOL if roles[name] is Speaker.TOOL else Speaker.USER for name in names}
        learned = [name for name in names if name.casefold() == assistant.casefold()]
    else:
        learned = [name for name in names if roles[name] is Speaker.ASSISTANT]
    if len(learned) != 1:
        asked = f"nobody is called `{assistant}`" if assistant is not None else "who of the speakers is the assistant"
        reason = f"{asked}; speakers there: {quoted(names)}" if assistant else f"{asked} is not known: {quoted(names)}"
        raise row_error(reason, field=place, fix="Name the one to learn with `assistant: NAME`")
    roles[learned[0]] = Speaker.ASSISTANT
    others = [name for name in names if roles[name] is Speaker.USER]
    return tuple(_joined(said, roles, named=len(others) > 1))


def _role(name: str) -> Speaker:
    low = name.casefold()
    return Speaker.ASSISTANT if low in ASSISTANTS else Speaker.TOOL if low in TOOLS else Speaker.USER


def _joined(said: Sequence[Said], roles: Mapping[str, Speaker], *, named: bool) -> list[Message]:
    """Turns of one role in a row as one message; several users keep their names before what they say."""
    made: list[Message] = []
    for speaker, run in itertools.groupby(said, key=lambda one: roles[one.speaker]):
        if speaker is Speaker.USER and named:
            texts = [f"{one.speaker}: {one.text}" for one in run]
        else:
            texts = [one.text for one in run]
        made.append(Message(speaker, "\n".join(texts)))
    return made


class VertexReader:
    """Gemini `contents`, with `systemInstruction`, and `completions` with scores where two answers are compared."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row."""
        fields = record.fields
        contents = fields.get("contents")
        if not isinstance(contents, list) or not contents:
            fix = 'Write [{"role": "user", "parts": [{"text": …}]}, …]'
            raise row_error("`contents` is not a list of turns", field="contents", value=contents, fix=fix)
        messages = [gemini_turn(turn, f"contents[{index}]") for index, turn in enumerate(contents)]
        for column in ("systemInstruction", "system_instruction"):
            if fields.get(column):
                system = gemini_text(fields[column], column)
                messages.insert(0, Message(Speaker.SYSTEM, system))
        if fields.get("completions") is None:
            require_learnable(messages, "contents")
            return (self._frame.conversation(record, messages, "contents"),)
        chosen, rejected = _completions(fields["completions"])
        messages.append(Message(Speaker.ASSISTANT, chosen))
        return (self._frame.conversation(record, messages, "contents", rejected=rejected),)


def gemini_turn(turn: Any, place: str) -> Message:
    """One element of Gemini `contents`.

    Raises:
        DataError: its role is not known, or a part of it is not text.
    """
    role = turn.get("role", "user") if isinstance(turn, dict) else None
    if role not in ("user", "model"):
        raise row_error("the role is not known", field=f"{place}.role", value=role, fix="Use `user` or `model`")
    return Message(Speaker.USER if role == "user" else Speaker.ASSISTANT, gemini_text(turn, place))


def gemini_text(turn: Any, place: str) -> str:
    """The text of a turn's `parts`, put together.

    Raises:
        DataError: there are none, or one is not text.
    """
    parts = turn.get("parts") if isinstance(turn, dict) else None
    if not isinstance(parts, list) or not parts:
        raise row_error("the turn has no parts", field=f"{place}.parts", value=turn, fix='Write [{"text": …}]')
    for index, part in enumerate(parts):
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            fix = "Describe it in words, or remove the row"
            reason = "a part of the turn is not text, and only text is learned"
            raise row_error(reason, field=f"{place}.parts[{index}]", value=part, fix=fix)
    return text_of("".join(part["text"] for part in parts), f"{place}.parts")


def _completions(value: Any) -> tuple[str, str]:
    """The preferred and the other answer."""
    by_score: dict[int, str] = {}
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict) and one.get("score") in (0, 1):
            by_score[int(one["score"])] = gemini_text(one.get("completion"), f"completions[{index}].completion")
    if set(by_score) != {0, 1} or len(value) != len(by_score):
        fix = 'Write two: [{"score": 1, "completion": …}, {"score": 0, "completion": …}]'
        raise row_error("two answers are wanted, scored 1 and 0", field="completions", value=value, fix=fix)
    return by_score[1], by_score[0]
