"""The options of turning books into rows."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from atanor.options import Options


class Respect(StrEnum):
    """Which boundary of a book a window never lies across."""

    CHAPTER = "chapter"
    """Windows stay inside a chapter and begin and end with its paragraphs."""
    PARAGRAPH = "paragraph"
    """Windows begin and end with paragraphs, and may lie across the end of a chapter."""
    SENTENCE = "sentence"
    """Windows begin and end with sentences, and may lie across the end of a paragraph or chapter: the fullest ones."""


class Language(StrEnum):
    """The language instructions are worded in."""

    AUTO = "auto"
    ENGLISH = "en"
    SPANISH = "es"


class RowKind(StrEnum):
    """What an instruction about a passage of a book asks for. The answer is always the author's own text."""

    CONTINUE = "continue"
    """The text before the passage is shown, and the passage goes on from it."""
    SCENE = "scene"
    """A scene about the chapter's title, the names and the things of the passage."""
    DIALOGUE = "dialogue"
    """A conversation; the passage is one."""
    DESCRIBE = "describe"
    """A description of whom or what the passage is mostly about; the passage has no dialogue."""
    VERSE = "verse"
    """Verses; the passage is made of them."""


class WindowOptions(Options):
    """Windows over a book, for training on the text itself."""

    tokens: int = Field(
        1024, ge=16, description="Longest window in tokens, with the base's own begin and end tokens counted in."
    )
    overlap: int = Field(
        0,
        ge=0,
        description="A window repeats as many whole paragraphs or sentences of the one before as fit into this.",
    )
    respect: Respect = Field(
        Respect.CHAPTER,
        description="What a window never lies across: a `chapter`, a `paragraph`, or only a `sentence`.",
    )

    @model_validator(mode="after")
    def _smaller_than_the_window(self) -> Self:
        if self.overlap > self.tokens // 2:
            raise ValueError(f"`overlap` is {self.overlap}; write at most half of `tokens`, {self.tokens // 2}")
        return self


class InstructionOptions(Options):
    """Rows that ask for a passage of a book, made by rule or by a model."""

    kinds: tuple[RowKind, ...] = Field(tuple(RowKind), min_length=1, description="What may be asked for.")
    tokens: int = Field(512, ge=32, description="Longest answer in tokens; a context to continue is as long at most.")
    shortest: int = Field(
        200, ge=1, description="Shortest answer in characters; shorter passages are left out and counted."
    )
    per_passage: int = Field(
        1, ge=1, le=len(RowKind), description="Rows made of a passage, each of another kind, where it suits so many."
    )
    language: Language = Field(Language.AUTO, description="Language of the instructions; `auto` takes the book's own.")
