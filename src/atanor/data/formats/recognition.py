"""The shape of a file: as the project maps it, else as the usual names of its first rows tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from atanor.data.formats.columns import Columns
from atanor.data.formats.fields import field_of, quoted
from atanor.data.formats.mapping import mapped_columns, require_column, require_options_read, wanted_format
from atanor.data.formats.usual import (
    CHATS,
    RECOGNISERS,
    TURN_COLUMNS,
    Row,
    context_of,
    format_of_turns,
    system_of,
    tools_column,
)
from atanor.data.options import RowFormat
from atanor.data.records import TEXT_COLUMN, Record
from atanor.data.sources import FileKind, Source
from atanor.errors import DataError

__all__ = ["FIRST_ROWS", "columns_of", "require_column"]

FIRST_ROWS = 50
"""Rows a shape is recognised from."""


def columns_of(source: Source, first: Sequence[Record], *, task_text: bool) -> Columns:
    """The columns of a source, from its options and its first rows.

    Args:
        source: the file.
        first: its first readable rows; may be empty, when only the options can tell.
        task_text: the role continues plain text, so its rows must be plain text.

    Raises:
        DataError: the options contradict each other or the file, or nothing is recognised, or several shapes are.
    """
    present = tuple(dict.fromkeys(name for record in first for name in record.fields))
    wanted = wanted_format(source)
    if wanted is RowFormat.AUTO and (task_text or source.kind.is_prose):
        wanted = RowFormat.TEXT
    if source.kind.is_prose and wanted not in (RowFormat.TEXT, RowFormat.SCRIPT):
        reason = f"a {_suffix(source)} file holds plain text only"
        raise source.error(reason, option="format", fix="Drop `format` and the columns")
    columns = mapped_columns(source, wanted, present)
    if columns is None:
        columns = _recognised(source, wanted, first, present)
    elif columns.messages is not None and source.options.format is RowFormat.AUTO:
        columns = replace(columns, format=format_of_turns(_first_value(columns.messages, first)))
    if task_text and columns.format is not RowFormat.TEXT:
        raise source.error(
            f"`task: text` learns plain text, and the rows are {columns.format}",
            option="text",
            fix="Name the column of plain text with `text:`, or drop `task: text`",
        )
    if source.options.gather_references and columns.format is RowFormat.PROMPT_COMPLETION:
        columns = replace(columns, gathered=True)
    require_options_read(source, columns, present)
    return columns


def _first_value(written: str, first: Sequence[Record]) -> Any:
    """The first list that a row has there."""
    for record in first:
        try:
            value = field_of(written).value(record.fields)
        except DataError:
            continue
        if isinstance(value, list) and value:
            return value
    return None


def _suffix(source: Source) -> str:
    return ".txt" if source.kind is FileKind.TXT else source.kind.value


def _recognised(source: Source, wanted: RowFormat, first: Sequence[Record], present: Sequence[str]) -> Columns:
    """The shape that most of the first rows have, by the usual names; of one kind where the project asks for it."""
    found: Counter[Columns] = Counter()
    for record in first:
        shapes = _shapes_of(Row(source, record.fields), wanted)
        if len(shapes) > 1:
            raise _ambiguous(source, shapes)
        found.update(shapes)
    if found:
        best = found.most_common(1)[0][0]
        # These may be absent in single rows, so that they are no part of what the rows vote on.
        row = Row(source, dict.fromkeys(present))
        return replace(best, context=context_of(row, best), system=system_of(row, best), tools=tools_column(row, best))
    if wanted is RowFormat.AUTO and TEXT_COLUMN in present:
        # The title of a book stands beside its text and is no answer to it.
        if len(present) == 1 or source.kind.is_prose:
            return Columns(RowFormat.TEXT, text=TEXT_COLUMN)
        others = quoted(name for name in present if name != TEXT_COLUMN)
        fix = "Write `format: text` to continue it, or name `prompt:` and `completion:`"
        raise source.error(
            f"`text` stands beside {others}: it could be plain text or a prompt", option="format", fix=fix
        )
    turns = next((name for name in TURN_COLUMNS if name in present), None if present else TURN_COLUMNS[0])
    if wanted in CHATS and turns is not None:
        return Columns(wanted, messages=turns)
    raise unrecognised(source, present)


def _shapes_of(row: Row, wanted: RowFormat) -> list[Columns]:
    """The shapes one row has, less those that another explains together with more of its columns."""
    asked = RECOGNISERS if wanted is RowFormat.AUTO else {wanted: RECOGNISERS[wanted]}
    every = [columns for recognise in asked.values() if (columns := recognise(row)) is not None]
    return [one for one in every if not any(set(one.used) < set(other.used) for other in every)]


def _ambiguous(source: Source, shapes: Iterable[Columns]) -> DataError:
    ways = [f"`{columns.format}` ({', '.join(columns.used)})" for columns in shapes]
    formats = " or ".join(f"`format: {columns.format}`" for columns in shapes)
    reason = f"the rows could be read in {len(ways)} ways: {'; '.join(ways)}"
    return source.error(reason, option="format", fix=f"Write {formats}")


def unrecognised(source: Source, present: Sequence[str]) -> DataError:
    """The error for a shape that nobody knows."""
    return source.error(
        f"the shape of the rows is not recognised; columns there: {quoted(present)}",
        option="format",
        fix="Name the columns: `prompt:` and `completion:`, or `messages:`, or `text:`",
    )
