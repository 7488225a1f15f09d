"""What an example is made of, so that a format can say what it has no place for."""

from __future__ import annotations

from enum import StrEnum

from atanor.data.rows import Example, Speaker


class Part(StrEnum):
    """Something of an example that not every format can hold; its value completes "no place for …"."""

    TEXT = "plain text"
    CHAT = "a conversation"
    SYSTEM = "a system message"
    TURNS = "more than one turn before the answer"
    TOOL_TURN = "the turn of a tool"
    CALLS = "calls of tools"
    TOOLS = "a list of tools"
    NAME = "the name of a speaker"
    WEIGHT = "the weight of a turn"
    REFERENCES = "other references"
    REJECTED = "a rejected answer"
    DESIRABLE = "a judgement of the answer"


def parts_of(example: Example) -> frozenset[Part]:
    """What this example has. Where it is from, its group and how it was augmented are no part of its content."""
    if not example.messages:
        return frozenset({Part.TEXT})
    messages, prompt = example.messages, example.prompt
    speakers = {message.speaker for message in messages}
    there = {
        Part.CHAT: True,
        Part.SYSTEM: Speaker.SYSTEM in speakers,
        Part.TURNS: sum(message.speaker is not Speaker.SYSTEM for message in prompt) > 1,
        Part.TOOL_TURN: Speaker.TOOL in speakers,
        Part.CALLS: any(message.calls is not None for message in messages),
        Part.TOOLS: example.tools is not None,
        Part.NAME: any(message.name is not None and message.speaker is not Speaker.TOOL for message in messages),
        Part.WEIGHT: any(message.train is not None for message in messages),
        Part.REFERENCES: bool(example.references),
        Part.REJECTED: example.rejected is not None,
        Part.DESIRABLE: example.desirable is not None,
    }
    return frozenset(part for part, is_there in there.items() if is_there)
