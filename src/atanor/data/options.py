"""The options of the data room, as they are written in a project file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from atanor.data.corpora.options import InstructionOptions, WindowOptions
from atanor.options import Options


class RowFormat(StrEnum):
    """The shapes of row that are understood."""

    AUTO = "auto"
    PROMPT_COMPLETION = "prompt_completion"
    """An instruction and its answer: Alpaca, Dolly, question and answer, meaning and references."""
    SELF_INSTRUCT = "self_instruct"
    """An instruction with several inputs and outputs, an example each."""
    CLASSIFICATION = "classification"
    """A text and its class or classes."""
    MULTIPLE_CHOICE = "multiple_choice"
    """A question, a list of answers, and the position of the right one."""
    MESSAGES = "messages"
    """OpenAI chat messages."""
    SHAREGPT = "sharegpt"
    """Turns with `from` and `value`."""
    DIALOGUE = "dialogue"
    """Turns with a speaker and a text, one of the speakers being the assistant."""
    TREE = "tree"
    """OpenAssistant messages that answer each other."""
    SCRIPT = "script"
    """A play: one speech a row, in order."""
    VERTEX = "vertex"
    """Gemini `contents`, with `completions` where answers are compared."""
    PREFERENCE = "preference"
    """A better and a worse answer: TRL columns or HH transcripts."""
    OPENAI_PREFERENCE = "openai_preference"
    """OpenAI `input`, `preferred_output` and `non_preferred_output`."""
    KTO = "kto"
    """An answer and whether it was judged good."""
    TEXT = "text"
    """Plain text to continue."""


class Branches(StrEnum):
    """Which conversations a tree of messages gives."""

    BEST = "best"
    """One a tree: at every turn the best-ranked reply."""
    EVERY = "every"
    """One for every last answer, with all that leads to it."""


class TooLong(StrEnum):
    """What happens to a row longer than the context. Every action is counted and printed."""

    REFUSE = "refuse"
    TRUNCATE_LEFT = "truncate_left"
    TRUNCATE_RIGHT = "truncate_right"
    TRUNCATE_MIDDLE = "truncate_middle"
    SPLIT = "split"


class TrainOn(StrEnum):
    """Which assistant turns carry loss."""

    LAST_ASSISTANT_TURN = "last_assistant_turn"
    ALL_ASSISTANT_TURNS = "all_assistant_turns"


class SourceOptions(Options):
    """One file of rows and how its columns are to be read."""

    path: str = Field(
        description="File of rows relative to the project file, a folder of them, a pattern as `data/*.jsonl`, or "
        "`hf:owner/name[:split][@revision]`. Kinds: .jsonl, .json, .csv, .tsv, .parquet, .arrow, .feather, .sqlite, "
        ".db, .txt, .md, .html, .epub; those of text also packed, as .jsonl.gz (.gz, .zst, .bz2, .xz)."
    )
    format: RowFormat = Field(
        RowFormat.AUTO, description="Shape of the rows; `auto` recognises it from the first rows and says so."
    )
    prompt: str | None = Field(
        None,
        description="Column with what the model is given, a path as `input.question`, or a template of columns as "
        '`"Question: {question}"`; a literal brace is written twice.',
    )
    completion: str | None = Field(
        None, description="Column, path or template of what the model should answer; what is not text becomes JSON."
    )
    messages: str | None = Field(None, description="Column with the list of turns (OpenAI, ShareGPT or dialogue).")
    text: str | None = Field(
        None, description="Column with plain text to continue, or with what a `speaker` says; a path or template too."
    )
    system: str | None = Field(
        None,
        description="System message of conversations that have none, as a template: `You are {persona}`; before the "
        "role's own.",
    )
    references: str | None = Field(
        None, description="Column with a list of equally good answers; the first is learned unless `completion` is."
    )
    gather_references: bool = Field(False, description="Rows of one prompt become one row with several references.")
    label: str | None = Field(None, description="Column with the class of a text, or a list of its classes.")
    labels: tuple[str, ...] | str | None = Field(
        None,
        description="Names of the classes in the order of their numbers from 0, or a file of them: a JSON list, or "
        "one name a line. Other classes are refused.",
    )
    chosen: str | None = Field(None, description="Column with the better of two answers.")
    rejected: str | None = Field(None, description="Column with the worse of two answers.")
    desirable: str | None = Field(None, description="Column that says whether the answer was judged good.")
    speaker: str | None = Field(None, description="Column with who speaks in the rows of a play.")
    assistant: str | None = Field(
        None,
        description="Who is learned: of a dialogue (else SYSTEM, ASSISTANT, AGENT or BOT), of a play (else everyone).",
    )
    window: int = Field(6, ge=1, description="Speeches of a play that are shown before each answer, at most.")
    branches: Branches = Field(
        Branches.BEST, description="Conversations a tree of messages gives: the `best` ranked one, or `every` one."
    )
    windows: WindowOptions | None = Field(
        None, description="Cut books into windows to train on the text itself; without it a paragraph is a row."
    )
    instructions: InstructionOptions | None = Field(
        None, description="Make rows of books that ask for a passage; the answers are the author's own words."
    )
    where: dict[str, Any] = Field(
        default_factory=dict,
        description="Keep only rows whose column equals this value, or is one of this list; the others are counted.",
    )
    licence: str | None = Field(
        None, min_length=1, description="Licence of the rows, as `CC-BY-4.0`, for the report and the model card."
    )
    limit: int | None = Field(
        None, ge=1, description="Use this many rows, drawn by the project's seed; the others are counted."
    )
    outside: bool = Field(
        False, description="Allow a path that leads out of the project's folder: absolute, through `..` or by a link."
    )
    encoding: str | None = Field(
        None,
        description="Encoding of a text file that is not UTF-8, as `cp1252`; a byte-order mark tells it by itself.",
    )
    max_bytes: int | None = Field(
        None,
        ge=1,
        description="Most bytes the file may have, unpacked where it is packed. Without it a packed file may have 200 "
        "times its size and at most 64 GiB.",
    )
    table: str | None = Field(None, description="Table of a database to read; without it the only one there.")
    query: str | None = Field(None, description="SELECT statement whose rows are read from a database.")


NEAR_DUPLICATE = 0.7
"""Jaccard similarity of two near-duplicates. Of edits planted in open questions with answers (typos, a swapped or added
word, case, punctuation) it finds 99 %, and 99 % of what it finds was planted; texts of under 60 letters need 0.55."""

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class SplitOptions(Options):
    """The three-way split. It is frozen the first time it is made and named by its hash."""

    test: Count | Share = Field(0.15, description="Held-out rows the verdict is made on: a count, or a share below 1.")
    validation: Count | Share = Field(
        0.1, description="Rows that choose the best checkpoint and stop early: a count, or a share below 1."
    )
    group_by: str | tuple[str, ...] | None = Field(
        None,
        description="Column whose equal values stay on one side of the split (scene, conversation, document), or a "
        "list of columns and of `source`, the file: rows that share a value of any of them stay together.",
    )
    stratify_by: str | None = Field(
        None,
        description="Column whose values keep their shares on every side, or `label` for the class of a row; small "
        "classes are on every side where they have three rows.",
    )
    time_by: str | None = Field(
        None,
        description="Column with a date, a time or an epoch number: the newest rows are the test, and those before "
        "them validation.",
    )


class RenderOptions(Options):
    """How examples become tokens with a weight each."""

    max_tokens: int | None = Field(
        None, ge=8, description="Longest row in tokens; the default is the base model's context."
    )
    too_long: TooLong = Field(
        TooLong.REFUSE,
        description="What happens to longer rows: `refuse`; `truncate_left`, `truncate_right` or `truncate_middle`, "
        "which cut there; or `split`, which makes several rows of a text, or of the last answer after its prompt.",
    )
    overlap: int = Field(
        0, ge=0, description="Tokens that a part repeats, without loss, from the part before it (`too_long: split`)."
    )
    train_on: TrainOn = Field(
        TrainOn.LAST_ASSISTANT_TURN,
        description="Which assistant turns carry loss; a message's own `weight` of 0 or 1 decides over it.",
    )

    @model_validator(mode="after")
    def _overlap_of_parts(self) -> Self:
        if self.overlap and self.too_long is not TooLong.SPLIT:
            raise ValueError("`overlap` is about the parts of a row; it needs `too_long: split`")
        return self
