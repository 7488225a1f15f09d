"""Rows that compare answers or judge one: TRL columns, HH transcripts, OpenAI preference pairs, KTO judgements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from atanor.data.formats.answers import Given, answer_of
from atanor.data.formats.calls import tools_of
from atanor.data.formats.fields import Field, Path
from atanor.data.formats.frame import Frame
from atanor.data.formats.texts import text_of
from atanor.data.formats.turns import keys_of_turns, messages_of
from atanor.data.records import Record
from atanor.data.refusals import row_error
from atanor.data.rows import Example, Message, Speaker

_TURN_OF_TRANSCRIPT = re.compile(r"(?:\A|\n\n)(Human|Assistant):[ \n]?")
_VERDICTS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


class PreferenceReader:
    """A prompt with a better and a worse answer.

    The prompt is a column of its own, or what `chosen` and `rejected` have in common: their first turns, the first
    turns of two transcripts, or, of two texts, their first words.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._given = Given(frame) if frame.columns.prompt is not None else None
        self._chosen: Field = frame.field("chosen") or Path("")
        self._rejected: Field = frame.field("rejected") or Path("")

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row."""
        columns = self._frame.columns
        chosen_at, rejected_at = columns.chosen or "", columns.rejected or ""
        chosen, rejected = self._chosen.value(record.fields), self._rejected.value(record.fields)
        given = None if self._given is None else self._given.messages(record)
        whole, other = self._whole(chosen, chosen_at), self._whole(rejected, rejected_at)
        if whole is not None and other is not None:
            return (self._of_conversations(record, given, whole, other),)
        if given is None:
            start = _common_start(text_of(chosen, chosen_at), text_of(rejected, rejected_at))
            if not start.strip():
                fix = "Name the column with the prompt: `prompt: COLUMN`"
                raise row_error("the two answers have no prompt in common", field=chosen_at, fix=fix)
            given = (Message(Speaker.USER, start),)
            chosen, rejected = chosen[len(start) :], rejected[len(start) :]
        mapped = columns.mapped
        better = answer_of(chosen, chosen_at, mapped=mapped, spoken=True)
        worse = answer_of(rejected, rejected_at, mapped=mapped, spoken=True)
        return (self._pair(record, given, better, worse),)

    def _whole(self, value: Any, place: str) -> tuple[Message, ...] | None:
        """The conversation an answer comes with, or None where it is the answer alone."""
        if isinstance(value, str):
            return transcript_of(value, place) if self._given is None else None
        keys = keys_of_turns(value)
        if keys is None or (self._given is not None and len(value) == 1):
            return None
        return messages_of(value, place, keys)

    def _of_conversations(
        self, record: Record, given: Sequence[Message] | None, whole: Sequence[Message], other: Sequence[Message]
    ) -> Example:
        """Two conversations that differ in their last turn only; a prompt beside them has to stand in them."""
        place = self._frame.columns.chosen or ""
        if whole[-1].speaker is not Speaker.ASSISTANT or other[-1].speaker is not Speaker.ASSISTANT:
            fix = "End both with the assistant's answer"
            raise row_error("the last turn is not the assistant's", field=place, fix=fix)
        if whole[:-1] != other[:-1]:
            fix = "Keep pairs that differ in their last answer only"
            raise row_error("the two conversations differ before their last answer", field=place, fix=fix)
        if given is not None and given[-1].content not in [message.content for message in whole[:-1]]:
            fix = "Drop the prompt, or write the answers alone"
            raise row_error("the prompt does not stand in the two conversations", field=place, fix=fix)
        return self._pair(record, whole[:-1], whole[-1], other[-1])

    def _pair(self, record: Record, given: Sequence[Message], better: Message, worse: Message) -> Example:
        columns = self._frame.columns
        if better.calls is not None or worse.calls is not None:
            fix = "Write the calls as text, or remove the row"
            raise row_error("calls of tools cannot be compared yet", field=columns.rejected, fix=fix)
        place = columns.prompt or columns.chosen or ""
        if not {Speaker.USER, Speaker.TOOL} & {message.speaker for message in given}:
            fix = "Put what the model is given into a user turn"
            raise row_error("no user turn before the answers", field=place, fix=fix)
        return self._frame.conversation(record, (*given, better), place, rejected=worse.content)


def transcript_of(text: str, place: str) -> tuple[Message, ...] | None:
    """The messages of an HH transcript (`\\n\\nHuman: …\\n\\nAssistant: …`), or None of another text.

    Raises:
        DataError: a turn of the transcript is empty.
    """
    marks = list(_TURN_OF_TRANSCRIPT.finditer(text))
    if not marks or marks[0].start() != 0:
        return None
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return tuple(
        Message(
            Speaker.USER if mark[1] == "Human" else Speaker.ASSISTANT,
            text_of(text[mark.end() : end].strip(), f"{place}[{index}]"),
        )
        for index, (mark, end) in enumerate(zip(marks, ends, strict=True))
    )


def _common_start(one: str, other: str) -> str:
    """What both texts begin with, to the end of a word."""
    length = next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    while length and not one[length - 1].isspace():
        length -= 1
    return one[:length]


class OpenAIPreferenceReader:
    """`input` with messages and tools, `preferred_output` and `non_preferred_output` of one turn each."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row."""
        given = Path("input").value(record.fields)
        if not isinstance(given, dict):
            fix = 'Write {"messages": […]}'
            raise row_error("`input` is not an object with messages", field="input", value=given, fix=fix)
        messages = messages_of(given.get("messages"), "input.messages")
        better = answer_of(Path("preferred_output").value(record.fields), "preferred_output", mapped=False)
        worse = answer_of(Path("non_preferred_output").value(record.fields), "non_preferred_output", mapped=False)
        if better.calls is not None or worse.calls is not None:
            fix = "Write the calls as text, or remove the row"
            raise row_error("calls of tools cannot be compared yet", field="preferred_output", fix=fix)
        tools = tools_of(given, "tools")
        example = self._frame.conversation(
            record, (*messages, better), "input.messages", tools=tools, rejected=worse.content
        )
        return (example,)


class KtoReader:
    """A prompt, an answer, and whether it was judged good (KTO, Ethayarajh et al. 2024)."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._given = Given(frame)
        self._completion: Field = frame.field("completion") or Path("")
        self._desirable: Field = frame.field("desirable") or Path("")

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row."""
        columns = self._frame.columns
        place = columns.desirable or ""
        value = self._desirable.value(record.fields)
        verdict = None if value is None else _VERDICTS.get(str(value).strip().lower())
        if verdict is None:
            fix = "Write true or false, or 1 or 0"
            raise row_error(f"`{place}` does not say whether the answer is good", field=place, value=value, fix=fix)
        answer = self._completion.value(record.fields)
        turn = answer_of(answer, columns.completion or "", mapped=columns.mapped, spoken=True)
        given = self._given.messages(record)
        return (self._frame.conversation(record, (*given, turn), self._given.place, desirable=verdict),)
