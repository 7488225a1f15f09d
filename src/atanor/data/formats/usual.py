"""The shapes known by the usual names of their columns: one recogniser each, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atanor.data.formats.chat import SAYING_KEYS
from atanor.data.formats.columns import Columns
from atanor.data.formats.fields import quoted
from atanor.data.formats.preference import transcript_of
from atanor.data.formats.scripts import SCENE_COLUMNS, SPEAKER_COLUMNS, SPEECH_COLUMNS
from atanor.data.formats.turns import OPENAI, SHAREGPT, is_turns, keys_of_turns
from atanor.data.options import RowFormat
from atanor.data.sources import Source

TURN_COLUMNS = ("messages", "conversations", "conversation", "turns", "utterances", "dialog", "dialogue")
CHATS = (RowFormat.MESSAGES, RowFormat.SHAREGPT, RowFormat.DIALOGUE)
LABEL_COLUMNS = ("label", "labels", "category", "categories", "intent", "class")
INPUT_COLUMNS = ("text", "sentence", "utterance")
_REFERENCE_COLUMNS = ("answers", "references", "targets", "refs")
_SYSTEM_COLUMNS = ("system", "system_prompt")
_TOOL_COLUMNS = ("tools", "functions")
_VERDICTS = (True, False, "true", "false", "True", "False")


@dataclass(frozen=True)
class Pairing:
    """Names that usually go together in instruction data."""

    prompt: str
    contexts: tuple[str, ...]
    completions: tuple[str, ...]


PAIRINGS = (
    Pairing("instruction", ("input", "context"), ("output", "response", "completion")),
    Pairing("prompt", ("context",), ("completion", "response")),
    Pairing("question", ("context",), ("answer", "response")),
    Pairing("query", ("context",), ("answer", "response")),
    Pairing("mr", (), ("ref",)),
    Pairing("source", (), ("target",)),
    Pairing("article", (), ("highlights", "summary")),
    Pairing("document", (), ("summary",)),
)


@dataclass(frozen=True)
class Row:
    """A row while its shape is looked for."""

    source: Source
    fields: Mapping[str, Any]

    def first(self, names: Sequence[str]) -> str | None:
        """The first of the names that is a column."""
        return next((name for name in names if name in self.fields), None)

    def only(self, names: Sequence[str], option: str) -> str | None:
        """The one of the names that is a column, or None.

        Raises:
            DataError: several are.
        """
        found = [name for name in names if name in self.fields]
        if len(found) > 1:
            fix = f"Name the one you mean with `{option}:`"
            raise self.source.error(f"{quoted(found)} could each be the {option}", option=option, fix=fix)
        return found[0] if found else None


def _turn_column(row: Row) -> str | None:
    return next((name for name in TURN_COLUMNS if isinstance(row.fields.get(name), list)), None)


def format_of_turns(value: Any) -> RowFormat:
    """Which shape a list of turns has, from its first."""
    keys = keys_of_turns(value)
    if keys is SHAREGPT:
        return RowFormat.SHAREGPT
    if keys is OPENAI:
        return RowFormat.MESSAGES
    first = value[0] if isinstance(value, list) and value else None
    spoken = isinstance(first, str) or (isinstance(first, dict) and _says(first))
    return RowFormat.DIALOGUE if spoken else RowFormat.MESSAGES


def _says(turn: Mapping[str, Any]) -> bool:
    return ("speaker" in turn or "role" in turn) and any(key in turn for key in SAYING_KEYS if key != "content")


def _chat(row: Row) -> Columns | None:
    """A list of turns; which kind they are, `format_of_turns` tells."""
    column = _turn_column(row)
    if column is None:
        return None
    return Columns(format_of_turns(row.fields[column]), messages=column)


def _turns_as(wanted: RowFormat) -> Callable[[Row], Columns | None]:
    """The recogniser of one kind of turns: of those that are of it, or of all where the project asks for it."""

    def recognise(row: Row) -> Columns | None:
        found = _chat(row)
        return found if found is not None and found.format is wanted else None

    return recognise


def _prompt_completion(row: Row) -> Columns | None:
    for pair in PAIRINGS:
        if pair.prompt not in row.fields:
            continue
        completion = row.only(pair.completions, "completion")
        if completion is not None:
            return Columns(RowFormat.PROMPT_COMPLETION, prompt=pair.prompt, completion=completion)
        references = next((name for name in _REFERENCE_COLUMNS if name in row.fields), None)
        if references is not None:
            inside = isinstance(row.fields[references], dict) and "text" in row.fields[references]
            at = f"{references}.text" if inside else references
            return Columns(RowFormat.PROMPT_COMPLETION, prompt=pair.prompt, references=at)
    return None


def _self_instruct(row: Row) -> Columns | None:
    if "instruction" in row.fields and isinstance(row.fields.get("instances"), list):
        return Columns(RowFormat.SELF_INSTRUCT, prompt="instruction", messages="instances")
    return None


def _classification(row: Row) -> Columns | None:
    prompt = row.first(INPUT_COLUMNS)
    label = None if prompt is None else row.only(LABEL_COLUMNS, "label")
    return None if label is None else Columns(RowFormat.CLASSIFICATION, prompt=prompt, label=label)


def _multiple_choice(row: Row) -> Columns | None:
    names = {"question", "choices", "answer"}
    if names <= set(row.fields) and isinstance(row.fields["choices"], list):
        return Columns(RowFormat.MULTIPLE_CHOICE, prompt="question", choices="choices", completion="answer")
    return None


def _tree(row: Row) -> Columns | None:
    fields = row.fields
    if {"message_id", "parent_id", "role", "text"} <= set(fields) and "replies" not in fields:
        return Columns(RowFormat.TREE, text="text", parents=True)
    if isinstance(fields.get("replies"), list) and {"role", "text"} <= set(fields):
        return Columns(RowFormat.TREE, text="text")
    prompt = fields.get("prompt")
    if isinstance(prompt, dict) and "replies" in prompt:
        return Columns(RowFormat.TREE, messages="prompt")
    return None


def _script(row: Row) -> Columns | None:
    speaker, text = row.first(SPEAKER_COLUMNS), row.first(SPEECH_COLUMNS)
    if speaker is None or text is None:
        return None
    return Columns(RowFormat.SCRIPT, speaker=speaker, text=text, scenes=scenes_of(row.fields))


def scenes_of(present: Mapping[str, Any] | Sequence[str]) -> tuple[str, ...]:
    """The columns that tell the scenes of a script apart, by their usual names."""
    return tuple(name for name in SCENE_COLUMNS if name in present)


def _vertex(row: Row) -> Columns | None:
    contents = row.fields.get("contents")
    first = contents[0] if isinstance(contents, list) and contents else None
    return Columns(RowFormat.VERTEX, messages="contents") if isinstance(first, dict) and "parts" in first else None


def _preference(row: Row) -> Columns | None:
    """TRL's columns, or two whole conversations or transcripts without a prompt beside them."""
    fields = row.fields
    if "chosen" not in fields or "rejected" not in fields:
        return None
    prompt = row.only([*dict.fromkeys(pair.prompt for pair in PAIRINGS)], "prompt")
    if prompt is None and "context" in fields:
        prompt = "context"
    chosen = fields["chosen"]
    whole = isinstance(chosen, str) and transcript_of(chosen, "chosen") is not None
    if prompt is None and not whole and not is_turns(chosen) and not isinstance(chosen, str):
        return None
    return Columns(RowFormat.PREFERENCE, prompt=prompt, chosen="chosen", rejected="rejected")


def _openai_preference(row: Row) -> Columns | None:
    if not {"input", "preferred_output", "non_preferred_output"} <= set(row.fields):
        return None
    return Columns(
        RowFormat.OPENAI_PREFERENCE,
        messages="input.messages",
        chosen="preferred_output",
        rejected="non_preferred_output",
    )


def _kto(row: Row) -> Columns | None:
    if {"prompt", "completion", "label"} <= set(row.fields) and row.fields["label"] in _VERDICTS:
        return Columns(RowFormat.KTO, prompt="prompt", completion="completion", desirable="label")
    return None


def _text(row: Row) -> Columns | None:
    """Plain text: only where the project asks for it, because a column of that name is beside most others."""
    del row
    return None


RECOGNISERS: dict[RowFormat, Callable[[Row], Columns | None]] = {
    RowFormat.MESSAGES: _turns_as(RowFormat.MESSAGES),
    RowFormat.SHAREGPT: _turns_as(RowFormat.SHAREGPT),
    RowFormat.DIALOGUE: _turns_as(RowFormat.DIALOGUE),
    RowFormat.TREE: _tree,
    RowFormat.VERTEX: _vertex,
    RowFormat.OPENAI_PREFERENCE: _openai_preference,
    RowFormat.PREFERENCE: _preference,
    RowFormat.KTO: _kto,
    RowFormat.SELF_INSTRUCT: _self_instruct,
    RowFormat.MULTIPLE_CHOICE: _multiple_choice,
    RowFormat.PROMPT_COMPLETION: _prompt_completion,
    RowFormat.CLASSIFICATION: _classification,
    RowFormat.SCRIPT: _script,
    RowFormat.TEXT: _text,
}


def context_of(row: Row, columns: Columns) -> str | None:
    """The column appended to the prompt, by the usual names of this pair."""
    pair = next((pair for pair in PAIRINGS if pair.prompt == columns.prompt), None)
    if pair is None or columns.format is not RowFormat.PROMPT_COMPLETION:
        return None
    return row.only(pair.contexts, "prompt")


def system_of(row: Row, columns: Columns) -> str | None:
    """The column with the row's own system message."""
    return row.first(_SYSTEM_COLUMNS) if columns.format not in (RowFormat.TEXT, RowFormat.SCRIPT) else None


def tools_column(row: Row, columns: Columns) -> str | None:
    """The column with the tools a conversation may call."""
    return row.first(_TOOL_COLUMNS) if columns.format in (RowFormat.MESSAGES, RowFormat.SHAREGPT) else None
