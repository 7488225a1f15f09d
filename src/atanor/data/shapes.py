"""Which column of a file is what: as the project says, else recognised from the first rows by the usual names."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from atanor.data.options import RowFormat, SourceOptions
from atanor.data.records import Record
from atanor.data.sources import FileKind, Source
from atanor.data.text_rows import TEXT_COLUMN
from atanor.errors import DataError

FIRST_ROWS = 50
"""Rows a shape is recognised from."""


@dataclass(frozen=True)
class Columns:
    """The shape of a file's rows and the columns that are read.

    Attributes:
        format: the shape; never `auto`.
        prompt: column with what the model is given, or None.
        context: column appended to the prompt after a blank line where it is not empty (Alpaca `input`), or None.
        completion: column with the answer, or None.
        messages: column with the list of turns, or None.
        text: column with plain text, or None.
        as_json: prompt and completion that are not text are written as JSON, because the project names them.
    """

    format: RowFormat
    prompt: str | None = None
    context: str | None = None
    completion: str | None = None
    messages: str | None = None
    text: str | None = None
    as_json: bool = False

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that are read, in the order prompt, context, completion, messages, text."""
        every = (self.prompt, self.context, self.completion, self.messages, self.text)
        return tuple(column for column in every if column is not None)


@dataclass(frozen=True)
class _Pairing:
    """Names that usually go together in instruction data."""

    prompt: str
    contexts: tuple[str, ...]
    completions: tuple[str, ...]


_PAIRINGS = (
    _Pairing("instruction", ("input", "context"), ("output", "response", "completion")),
    _Pairing("prompt", ("context",), ("completion", "response")),
    _Pairing("question", ("context",), ("answer", "response")),
    _Pairing("text", (), ("label", "category")),
)
_TURNS = ("messages", "conversations", "conversation")
_OF_SHAPE = {
    RowFormat.PROMPT_COMPLETION: ("prompt", "completion"),
    RowFormat.MESSAGES: ("messages",),
    RowFormat.SHAREGPT: ("messages",),
    RowFormat.TEXT: ("text",),
}


def columns_of(source: Source, first: Sequence[Record], *, task_text: bool) -> Columns:
    """The columns of a source, from its options and its first rows.

    Args:
        source: the file.
        first: its first readable rows; may be empty, when only the options can tell.
        task_text: the role continues plain text, so its rows must be plain text.

    Raises:
        DataError: the options contradict each other or the file, or nothing is recognised.
    """
    options = source.options
    shape = _wanted_shape(source, task_text)
    present = _columns_present(first)
    for name, column in _mapped(options).items():
        require_column(source, column, present, name)
    if shape is RowFormat.TEXT:
        columns = Columns(RowFormat.TEXT, text=options.text or TEXT_COLUMN)
    elif shape is RowFormat.PROMPT_COMPLETION:
        columns = _prompt_and_completion(source, present)
    elif shape in (RowFormat.MESSAGES, RowFormat.SHAREGPT):
        column = options.messages or next((name for name in _TURNS if name in present), _TURNS[0])
        given = source.options.format
        columns = Columns(_turn_format(first, column) if given is RowFormat.AUTO else given, messages=column)
    else:
        columns = _recognised(source, first, present)
    # A context is optional in a row; the others have to be in some row, or one typo would refuse every row.
    needed = [column for column in columns.used if column != columns.context]
    if present and not set(needed) <= set(present):
        raise _unrecognised(source, present)
    if task_text and columns.format is not RowFormat.TEXT:
        raise source.error(
            f"`task: text` learns plain text, and the rows are {columns.format}",
            option="text",
            fix="Name the column of plain text with `text:`, or drop `task: text`",
        )
    return columns


def require_column(source: Source, column: str, present: Iterable[str], option: str) -> None:
    """Raise the `DataError` of a column that none of the first rows has; `present` empty proves nothing."""
    names = list(present)
    if names and column not in names:
        raise source.error(
            f"no column `{column}`; columns there: {quoted(names)}", option=option, fix=nearest(column, names)
        )


def nearest(wanted: str, names: Iterable[str]) -> str:
    """The fix for a name that is not there."""
    close = difflib.get_close_matches(wanted, list(names), n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else "Name a column that is there"


def quoted(names: Iterable[str]) -> str:
    """Names for reading: `a`, `b`."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def _mapped(options: SourceOptions) -> dict[str, str]:
    """The columns the project names, by option."""
    every = {
        "prompt": options.prompt,
        "completion": options.completion,
        "messages": options.messages,
        "text": options.text,
    }
    return {name: column for name, column in every.items() if column is not None}


def _wanted_shape(source: Source, task_text: bool) -> RowFormat:
    """The shape the options ask for, or `auto`."""
    mapped = set(_mapped(source.options))
    shape = source.options.format
    asked = {RowFormat.PROMPT_COMPLETION} if mapped & {"prompt", "completion"} else set()
    asked |= {RowFormat.MESSAGES} if "messages" in mapped else set()
    asked |= {RowFormat.TEXT} if "text" in mapped else set()
    if len(asked) > 1 or (asked and shape is not RowFormat.AUTO and mapped - set(_OF_SHAPE[shape])):
        given = f"`format: {shape}` and " if shape is not RowFormat.AUTO else ""
        columns = ", ".join(f"`{name}:`" for name in sorted(mapped))
        fix = "Keep `prompt` and `completion`, or `messages`, or `text`"
        raise source.error(f"the options contradict each other: {given}{columns}", option="format", fix=fix)
    if source.kind is FileKind.TXT:
        if shape not in (RowFormat.AUTO, RowFormat.TEXT) or asked - {RowFormat.TEXT}:
            raise source.error(
                "a .txt file holds plain text only", option="format", fix="Drop `format` and the columns"
            )
        return RowFormat.TEXT
    if shape is RowFormat.AUTO and not asked and task_text:
        return RowFormat.TEXT
    return shape if shape is not RowFormat.AUTO or not asked else asked.pop()


def _columns_present(first: Sequence[Record]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for record in first for name in record.fields))


def _prompt_and_completion(source: Source, present: Sequence[str]) -> Columns:
    """Prompt and completion, each as the project names it or by its usual name."""
    options = source.options
    if options.prompt and options.completion:
        return Columns(RowFormat.PROMPT_COMPLETION, prompt=options.prompt, completion=options.completion, as_json=True)
    if options.prompt is None and options.completion is None:
        found = _paired(source, present)
        if found is not None:
            return found
        raise _unrecognised(source, present)
    missing = "completion" if options.prompt else "prompt"
    usual = dict.fromkeys(
        name for pair in _PAIRINGS for name in (pair.completions if options.prompt else (pair.prompt,))
    )
    column = _only(source, [name for name in usual if name in present and name != options.prompt], missing)
    if column is None:
        fix = f"Name it with `{missing}:`; columns there: {quoted(present)}"
        raise source.error(f"no column is known for the {missing}", option=missing, fix=fix)
    return Columns(
        RowFormat.PROMPT_COMPLETION,
        prompt=options.prompt or column,
        completion=options.completion or column,
        as_json=True,
    )


def _recognised(source: Source, first: Sequence[Record], present: Sequence[str]) -> Columns:
    """The shape that most of the first rows have, by the usual names."""
    found: Counter[Columns] = Counter()
    for record in first:
        columns = _shape_of_row(source, record.fields)
        if columns is not None:
            found[replace(columns, context=None)] += 1
    if found:
        best = found.most_common(1)[0][0]
        return replace(best, context=_context(source, best, present))
    if TEXT_COLUMN in present:
        if len(present) == 1:
            return Columns(RowFormat.TEXT, text=TEXT_COLUMN)
        others = quoted(name for name in present if name != TEXT_COLUMN)
        fix = "Write `format: text` to continue it, or name `prompt:` and `completion:`"
        raise source.error(
            f"`text` stands beside {others}: it could be plain text or a prompt", option="format", fix=fix
        )
    raise _unrecognised(source, present)


def _shape_of_row(source: Source, fields: Mapping[str, Any]) -> Columns | None:
    turns = next((name for name in _TURNS if isinstance(fields.get(name), list)), None)
    if turns is not None:
        return Columns(_format_of_turns(fields[turns]), messages=turns)
    return _paired(source, fields)


def _paired(source: Source, present: Iterable[str]) -> Columns | None:
    """The first pair of usual names that is there."""
    names = set(present)
    for pair in _PAIRINGS:
        if pair.prompt not in names:
            continue
        completion = _only(source, [name for name in pair.completions if name in names], "completion")
        if completion is not None:
            columns = Columns(RowFormat.PROMPT_COMPLETION, prompt=pair.prompt, completion=completion)
            return replace(columns, context=_context(source, columns, names))
    return None


def _context(source: Source, columns: Columns, present: Iterable[str]) -> str | None:
    pair = next((pair for pair in _PAIRINGS if pair.prompt == columns.prompt), None)
    names = set(present)
    return _only(source, [name for name in pair.contexts if name in names], "prompt") if pair else None


def _only(source: Source, columns: Sequence[str], option: str) -> str | None:
    """The one column there, None, or the error of several."""
    if len(columns) > 1:
        fix = f"Name the one you mean with `{option}:`"
        raise source.error(f"{quoted(columns)} could each be the {option}", option=option, fix=fix)
    return columns[0] if columns else None


def _turn_format(first: Sequence[Record], column: str) -> RowFormat:
    """Whether the turns of `column` are OpenAI's or ShareGPT's, from the first row that has any."""
    turns = next((record.fields[column] for record in first if record.fields.get(column)), None)
    return _format_of_turns(turns)


def _format_of_turns(turns: Any) -> RowFormat:
    shared = isinstance(turns, list) and bool(turns) and isinstance(turns[0], dict) and "from" in turns[0]
    return RowFormat.SHAREGPT if shared else RowFormat.MESSAGES


def _unrecognised(source: Source, present: Sequence[str]) -> DataError:
    return source.error(
        f"the shape of the rows is not recognised; columns there: {quoted(present)}",
        option="format",
        fix="Name the columns: `prompt:` and `completion:`, or `messages:`, or `text:`",
    )
