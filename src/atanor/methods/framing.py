"""What a candidate adds to every prompt before the model sees it: an instruction, solved examples, or nothing."""

from __future__ import annotations

import dataclasses

from pydantic import BaseModel, ConfigDict

from atanor.data.rows import Example, Message, Speaker


class Shot(BaseModel):
    """One solved example, shown as a pair of turns."""

    model_config = ConfigDict(frozen=True)

    question: str
    answer: str


class Framing(BaseModel):
    """Put around every conversation of one candidate; the empty framing leaves it as it is."""

    model_config = ConfigDict(frozen=True)

    instruction: str | None = None
    shots: tuple[Shot, ...] = ()

    def around(self, example: Example) -> Example:
        """The example as this candidate sees it. A plain text has no prompt and stays as it is."""
        if not example.messages or (self.instruction is None and not self.shots):
            return example
        return dataclasses.replace(example, messages=self.around_messages(example.messages))

    def around_messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The conversation with the instruction before an existing system message and the shots after it."""
        systems = tuple(message for message in messages[:1] if message.speaker is Speaker.SYSTEM)
        rest = messages[len(systems) :]
        texts = [text for text in (self.instruction, *(system.content for system in systems)) if text]
        head = (Message(Speaker.SYSTEM, "\n\n".join(texts)),) if texts else ()
        shown = tuple(
            Message(speaker, content, train=False)
            for shot in self.shots
            for speaker, content in ((Speaker.USER, shot.question), (Speaker.ASSISTANT, shot.answer))
        )
        return (*head, *shown, *rest)
