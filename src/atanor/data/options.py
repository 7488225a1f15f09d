"""The options of the data room, as they are written in a project file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from atanor.options import Options


class RowFormat(StrEnum):
    """The shapes of row that are understood."""

    AUTO = "auto"
    PROMPT_COMPLETION = "prompt_completion"
    MESSAGES = "messages"
    SHAREGPT = "sharegpt"
    TEXT = "text"


class TooLong(StrEnum):
    """What happens to a row longer than the context. Every action is counted and printed."""

    REFUSE = "refuse"
    TRUNCATE_LEFT = "truncate_left"
    TRUNCATE_RIGHT = "truncate_right"


class TrainOn(StrEnum):
    """Which assistant turns carry loss."""

    LAST_ASSISTANT_TURN = "last_assistant_turn"
    ALL_ASSISTANT_TURNS = "all_assistant_turns"


class SourceOptions(Options):
    """One file of rows and how its columns are to be read."""

    path: str = Field(description="File of rows: .jsonl, .json, .csv, .parquet or .txt, relative to the project file.")
    format: RowFormat = Field(
        RowFormat.AUTO, description="Shape of the rows; `auto` recognises it from the first rows and says so."
    )
    prompt: str | None = Field(None, description="Column with what the model is given.")
    completion: str | None = Field(None, description="Column with what the model should answer.")
    messages: str | None = Field(None, description="Column with the list of messages (OpenAI or ShareGPT turns).")
    text: str | None = Field(None, description="Column with plain text to continue.")
    where: dict[str, Any] = Field(
        default_factory=dict,
        description="Keep only rows whose column equals this value, or is one of this list; the others are counted.",
    )
    limit: int | None = Field(
        None, ge=1, description="Use this many rows, drawn by the project's seed; the others are counted."
    )


Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class SplitOptions(Options):
    """The three-way split. It is frozen the first time it is made and named by its hash."""

    test: Count | Share = Field(0.15, description="Held-out rows the verdict is made on: a count, or a share below 1.")
    validation: Count | Share = Field(
        0.1, description="Rows that choose the best checkpoint and stop early: a count, or a share below 1."
    )
    group_by: str | None = Field(
        None, description="Column whose equal values stay on one side of the split (scene, conversation, document)."
    )


class RenderOptions(Options):
    """How examples become tokens with a weight each."""

    max_tokens: int | None = Field(
        None, ge=8, description="Longest row in tokens; the default is the base model's context."
    )
    too_long: TooLong = Field(
        TooLong.REFUSE, description="What happens to longer rows: `refuse`, `truncate_left` or `truncate_right`."
    )
    train_on: TrainOn = Field(
        TrainOn.LAST_ASSISTANT_TURN,
        description="Which assistant turns carry loss; a message's own `weight` of 0 or 1 decides over it.",
    )
