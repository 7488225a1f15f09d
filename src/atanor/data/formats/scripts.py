"""Plays: speeches in order become examples in which one character answers the speeches before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from atanor.data.formats.fields import Path, as_json
from atanor.data.formats.frame import Frame
from atanor.data.formats.tally import Tally
from atanor.data.formats.texts import text_of
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Example, Message, Refusal, Speaker
from atanor.errors import DataError

SPEAKER_COLUMNS = ("speaker", "character")
SPEECH_COLUMNS = ("text", "speech", "line", "utterance")
_SCENES = ("act", "scene", "acto", "escena", "jornada")
SCENE_COLUMNS = ("play", "movie", "episode", "obra", "title", *_SCENES)
"""Columns that usually tell one play or scene of a script from another."""
BLOCK = 50
"""Speeches that stand for a scene where no column tells scenes apart, so that a file is more than one group."""
_NAMED_SPEECH = re.compile(r"([^\n:]{1,60}):[ \t]*\n?")


@dataclass
class _Speech:
    """What one character says.

    Attributes:
        record: the row it is from.
        speaker: the character.
        text: the words.
        shown: it stands in the example of a later speech.
        answers: it is an example or a refusal of its own.
    """

    record: Record
    speaker: str
    text: str
    shown: bool = False
    answers: bool = False


class ScriptReader:
    """Speeches of a file in order. Windows never reach over the end of a scene, and a scene is a group of the split.

    The character who answers is the assistant. All others together are the user, and each of their speeches begins
    with its speaker's name. A speech that answers nobody, or that nobody wants to learn, is only shown before others.
    """

    def __init__(self, frame: Frame, tally: Tally) -> None:
        self._frame = frame
        self._tally = tally
        self._speaker = frame.field("speaker")
        self._text = frame.field("text") or Path("text")
        self._place = frame.columns.text or "text"
        self._wanted = None if frame.assistant is None else frame.assistant.casefold()
        self._spoken: dict[str, int] = {}

    def read(self, records: Iterable[Record | Refusal]) -> Iterator[Example | Refusal]:
        """Every speech is an example, a refusal, shown before another, or left out."""
        scene: str | None = None
        before: list[_Speech] = []
        for record in records:
            if isinstance(record, Refusal):
                yield record
                continue
            try:
                speech = self._speech(record)
                now = self._scene(speech.record)
            except DataError as error:
                yield refusal_of(error, self._frame.source, record.line, record.raw)
                continue
            if now != scene:
                self._forget(before)
                before, scene = [], now
            if self._is_learned(speech, before):
                yield self._outcome(speech, before, now)
            before.append(speech)
            self._forget(before[: -self._frame.window])
            before = before[-self._frame.window :]
        self._forget(before)

    def _forget(self, speeches: Sequence[_Speech]) -> None:
        """Count what became of speeches that no later one can show."""
        for speech in speeches:
            self._tally.joined += speech.shown and not speech.answers
            self._tally.left_out += not speech.shown and not speech.answers

    def _speech(self, record: Record) -> _Speech:
        text = text_of(self._text.value(record.fields), self._place)
        if self._speaker is not None:
            column = self._frame.columns.speaker or ""
            return _Speech(record, text_of(self._speaker.value(record.fields), column), text)
        match = _NAMED_SPEECH.match(text)
        if match is not None and match.end() == len(text.rstrip()):
            raise row_error("the speaker says nothing", field=self._place, value=text, fix="Remove the name")
        if match is None or not match[1].strip():
            fix = "Write `NAME:` and the speech after it, with blank lines between speeches"
            raise row_error("the speech names no speaker", field=self._place, value=text, fix=fix)
        name, words = match[1].strip(), text[match.end() :].strip()
        fields = {**record.fields, SPEAKER_COLUMNS[0]: name, self._place: words}
        return _Speech(Record(record.line, record.raw, fields), name, words)

    def _scene(self, record: Record) -> str:
        """The group of a speech: `group_by`, its scene's columns, or its block of the play."""
        columns = self._frame.columns.scenes
        values = [record.fields.get(column) for column in columns]
        play = " / ".join(value if isinstance(value, str) else as_json(value) for value in values)
        if not any(column in _SCENES for column in columns):
            number = self._spoken.get(play, 0)
            self._spoken[play] = number + 1
            first = number // BLOCK * BLOCK + 1
            play = f"{play or self._frame.source} {first}-{first + BLOCK - 1}"
        return self._frame.group(record, play) or play

    def _is_learned(self, speech: _Speech, before: Iterable[_Speech]) -> bool:
        """Whether the speech is the wanted character's and somebody else has spoken before."""
        if self._wanted is not None and speech.speaker.casefold() != self._wanted:
            return False
        return any(one.speaker != speech.speaker for one in before)

    def _outcome(self, speech: _Speech, before: Sequence[_Speech], scene: str) -> Example | Refusal:
        speech.answers = True
        messages: list[Message] = []
        for one in (*before, speech):
            own = one.speaker == speech.speaker
            if own and not messages:
                continue  # A conversation begins with somebody else.
            one.shown = one is not speech
            said = one.text if own else f"{one.speaker}: {one.text}"
            role = Speaker.ASSISTANT if own else Speaker.USER
            if messages and messages[-1].speaker is role:
                said = f"{messages.pop().content}\n{said}"
            messages.append(Message(role, said, name=one.speaker if own else None))
        record = speech.record
        try:
            return self._frame.conversation(record, messages, self._place, group=scene)
        except DataError as error:
            return refusal_of(error, self._frame.source, record.line, record.raw)
