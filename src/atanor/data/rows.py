"""What crosses the data room: an example as read, a refusal, a row of tokens as trained."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson

BETWEEN_CLASSES = ", "
"""What stands between the classes of a row that has several, in its label and in the answer that is learned."""


class Speaker(StrEnum):
    """Who a message is from, in the names of the OpenAI chat format."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True)
class Message:
    """One turn.

    Attributes:
        speaker: who it is from.
        content: its text; of an assistant turn that only calls tools it may be empty.
        train: the row's own wish about this turn's loss (OpenAI `weight`): None follows the option.
        calls: JSON text of the tool calls an assistant turn makes (OpenAI `tool_calls`), or None.
        name: the name the turn was given: a character of a script, or the call a tool turn answers.
    """

    speaker: Speaker
    content: str
    train: bool | None = None
    calls: str | None = None
    name: str | None = None

    @property
    def extras(self) -> tuple[str | None, ...]:
        """Calls and name where there are any: most turns have none, and their ids do not speak of them."""
        return () if self.calls is None and self.name is None else (self.calls, self.name)


@dataclass(frozen=True)
class Example:
    """One usable row, whatever format it came in: a conversation ending in an assistant turn, or a plain text.

    Attributes:
        messages: the conversation; empty for a plain text.
        text: the plain text; None for a conversation.
        source: path of the file as the user wrote it.
        line: line (text formats) or row (Parquet) in that file, counted from 1.
        group: rows of one group stay on one side of the split; None: the row stands alone.
        fields: the row as it stood in the file, for metrics and reports.
        references: other answers that are as good as the last assistant turn (several references an input).
        rejected: an answer that is worse than the last assistant turn (preference pairs), or None.
        desirable: whether the last assistant turn was judged good (KTO), or None where nobody judged.
        label: the class, where the last assistant turn is one; it equals that turn.
        tools: JSON text of the tools the conversation may call (OpenAI `tools`), or None.
        parent: id of the example this one was made from by augmentation, or None.
        technique: what made it from its parent, or None.
    """

    messages: tuple[Message, ...]
    text: str | None
    source: str
    line: int
    group: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)
    references: tuple[str, ...] = ()
    rejected: str | None = None
    desirable: bool | None = None
    label: str | None = None
    tools: str | None = None
    parent: str | None = None
    technique: str | None = None

    @cached_property
    def id(self) -> str:
        """16 hex digits of the SHA-256 of the content: equal content has an equal id, wherever it stands."""
        turns = [[message.speaker, message.content, message.train, *message.extras] for message in self.messages]
        more = {
            "references": self.references,
            "rejected": self.rejected,
            "desirable": self.desirable,
            "tools": self.tools,
        }
        told = {name: value for name, value in more.items() if value not in (None, ())}
        content = orjson.dumps([turns, self.text, *([told] if told else [])])
        return hashlib.sha256(content).hexdigest()[:16]

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The turns a model is given when it has to produce the last assistant turn."""
        return self.messages[:-1]

    @property
    def reference(self) -> str:
        """What the model should produce: the last assistant turn, or the whole plain text."""
        return self.messages[-1].content if self.messages else (self.text or "")


@dataclass(frozen=True)
class Refusal:
    """A row that was not used: where it stands, why, how to mend it, and its raw text so that nothing is lost."""

    source: str
    line: int
    reason: str
    fix: str
    field: str | None = None
    value: str | None = None
    raw: str = ""


@dataclass(frozen=True)
class TokenRow:
    """An example as the model trains on it.

    Attributes:
        example_id: the `Example.id` it came from.
        tokens: token ids, in order.
        weights: one loss weight a token, for predicting that token from those before it; 0 is unsupervised.
        supervised_bytes: UTF-8 bytes of the supervised text, for bits per byte.
    """

    example_id: str
    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    supervised_bytes: int

    @property
    def supervised(self) -> int:
        """Number of tokens with a weight, less the first, which nothing predicts."""
        return sum(1 for weight in self.weights[1:] if weight > 0)
