"""The columns the project names, checked against each other and against the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from atanor.data.formats.columns import Columns
from atanor.data.formats.fields import Field, Path, field_of, nearest, quoted, template_of
from atanor.data.formats.scripts import SPEAKER_COLUMNS
from atanor.data.formats.usual import (
    CHATS,
    INPUT_COLUMNS,
    LABEL_COLUMNS,
    PAIRINGS,
    Row,
    scenes_of,
    system_of,
    tools_column,
)
from atanor.data.options import RowFormat, SourceOptions
from atanor.data.records import TEXT_COLUMN
from atanor.data.sources import Source
from atanor.errors import DataError

_COLUMNS_OF: dict[RowFormat, tuple[str, ...]] = {
    RowFormat.CLASSIFICATION: ("label", "prompt", "text"),
    RowFormat.PREFERENCE: ("chosen", "rejected", "prompt"),
    RowFormat.KTO: ("desirable", "prompt", "completion"),
    RowFormat.SCRIPT: ("speaker", "text"),
    RowFormat.MESSAGES: ("messages",),
    RowFormat.SHAREGPT: ("messages",),
    RowFormat.DIALOGUE: ("messages",),
    RowFormat.PROMPT_COMPLETION: ("prompt", "completion", "references"),
    RowFormat.TEXT: ("text",),
}
"""Options that name columns, by the shape they belong to; the first of each alone says which shape is meant."""
_NAMING = tuple(dict.fromkeys(name for names in _COLUMNS_OF.values() for name in names))
_READ_BY: dict[str, tuple[RowFormat, ...]] = {
    "labels": (RowFormat.CLASSIFICATION,),
    "gather_references": (RowFormat.PROMPT_COMPLETION,),
    "assistant": (RowFormat.DIALOGUE, RowFormat.SCRIPT, RowFormat.PREFERENCE, RowFormat.KTO),
    "window": (RowFormat.SCRIPT,),
    "branches": (RowFormat.TREE,),
}
"""Options about one shape; with another they would be ignored."""


def wanted_format(source: Source) -> RowFormat:
    """The shape the options ask for, or `auto`.

    Raises:
        DataError: they ask for several.
    """
    mapped = set(_mapped(source.options))
    given = source.options.format
    if not mapped:
        return given
    asked = [shape for shape, names in _COLUMNS_OF.items() if mapped & set(names) and mapped <= set(names)]
    told = [shape for shape in asked if _COLUMNS_OF[shape][0] in mapped] or asked
    twice = {"prompt", "text"} <= mapped
    if not told or twice or (given is not RowFormat.AUTO and not mapped <= set(_COLUMNS_OF.get(given, ()))):
        before = f"`format: {given}` and " if given is not RowFormat.AUTO else ""
        columns = ", ".join(f"`{name}:`" for name in sorted(mapped))
        fix = "Keep `prompt` and `completion`, or `messages`, or `text`"
        raise source.error(f"the options contradict each other: {before}{columns}", option="format", fix=fix)
    if given is not RowFormat.AUTO:
        return given
    return RowFormat.PROMPT_COMPLETION if RowFormat.PROMPT_COMPLETION in told else told[0]


def mapped_columns(source: Source, wanted: RowFormat, present: Sequence[str]) -> Columns | None:
    """The columns of the shape that is wanted, those not named by their usual names; None where nothing is named.

    Raises:
        DataError: a column is not there, or one that is needed is neither named nor known.
    """
    named = _mapped(source.options)
    for option, written in named.items():
        require_column(source, written, present, option)
    if wanted is RowFormat.TEXT:
        text = named.get("text", TEXT_COLUMN)
        require_column(source, text, present, "text")
        return Columns(RowFormat.TEXT, text=text, mapped="text" in named)
    if wanted is RowFormat.SCRIPT:
        return _script(source, named, present)
    if not named:
        return None
    row = Row(source, dict.fromkeys(present))
    columns = Columns(
        wanted,
        prompt=named.get("prompt"),
        completion=named.get("completion"),
        references=named.get("references"),
        messages=named.get("messages"),
        text=named.get("text"),
        label=named.get("label"),
        chosen=named.get("chosen"),
        rejected=named.get("rejected"),
        desirable=named.get("desirable"),
        mapped=True,
    )
    columns = replace(columns, system=system_of(row, columns), tools=tools_column(row, columns))
    if wanted in CHATS:
        return columns
    return _completed(source, columns, present)


def _completed(source: Source, columns: Columns, present: Sequence[str]) -> Columns:
    """The columns with those that are needed and not named, by their usual names."""
    shape = columns.format
    if columns.text is not None:
        columns = replace(columns, prompt=columns.prompt or columns.text, text=None)
    if columns.prompt is None:
        inputs = INPUT_COLUMNS if shape is RowFormat.CLASSIFICATION else ()
        usual = [*inputs, *(pair.prompt for pair in PAIRINGS), *(() if inputs else INPUT_COLUMNS)]
        columns = replace(columns, prompt=_usual(source, columns, present, usual, "prompt"))
    if shape is RowFormat.CLASSIFICATION and columns.label is None:
        return replace(columns, label=_usual(source, columns, present, LABEL_COLUMNS, "label"))
    if shape is RowFormat.PREFERENCE:
        chosen = columns.chosen or _usual(source, columns, present, ("chosen",), "chosen")
        rejected = columns.rejected or _usual(source, columns, present, ("rejected",), "rejected")
        return replace(columns, chosen=chosen, rejected=rejected)
    if shape is RowFormat.KTO and columns.desirable is None:
        columns = replace(columns, desirable=_usual(source, columns, present, ("label",), "desirable"))
    if shape in (RowFormat.PROMPT_COMPLETION, RowFormat.KTO) and not (columns.completion or columns.references):
        names = [name for pair in PAIRINGS for name in pair.completions]
        usual = [*names, *LABEL_COLUMNS] if shape is RowFormat.PROMPT_COMPLETION else names
        return replace(columns, completion=_usual(source, columns, present, usual, "completion"))
    return columns


def _usual(source: Source, columns: Columns, present: Sequence[str], usual: Iterable[str], option: str) -> str | None:
    """The one column of these names that nothing else reads; a comparison may do without a prompt."""
    row = Row(source, dict.fromkeys(name for name in present if name not in columns.used))
    found = row.only([*dict.fromkeys(usual)], option)
    if found is None and not (columns.format is RowFormat.PREFERENCE and option == "prompt"):
        fix = f"Name it with `{option}:`; columns there: {quoted(present)}"
        raise source.error(f"no column is known for the {option}", option=option, fix=fix)
    return found


def _script(source: Source, named: dict[str, str], present: Sequence[str]) -> Columns:
    """A play: of columns, or of plain text in which every speech begins with its speaker's name."""
    speaker = named.get("speaker") or next((name for name in SPEAKER_COLUMNS if name in present), None)
    if speaker is None and TEXT_COLUMN not in present:
        fix = f"Name it with `speaker:`; columns there: {quoted(present)}"
        raise source.error("no column is known for the speaker", option="speaker", fix=fix)
    text = named.get("text", TEXT_COLUMN)
    require_column(source, text, present, "text")
    return Columns(RowFormat.SCRIPT, speaker=speaker, text=text, scenes=scenes_of(present), mapped=bool(named))


def require_options_read(source: Source, columns: Columns, present: Sequence[str]) -> None:
    """Raise the `DataError` of an option that rows of this shape do not read, or of a broken `system` template."""
    options = source.options
    for option, shapes in _READ_BY.items():
        if option in options.model_fields_set and getattr(options, option) and columns.format not in shapes:
            said = " or ".join(f"`{shape}`" for shape in shapes)
            reason = f"`{option}` is read with rows of format {said}, and these are `{columns.format}`"
            raise source.error(reason, option=option, fix=f"Remove `{option}`, or correct `format`")
    if options.system is None:
        return
    if columns.format is RowFormat.TEXT:
        raise source.error("plain text has no system message", option="system", fix="Remove `system`")
    known = present if columns.format is not RowFormat.SCRIPT else (*present, SPEAKER_COLUMNS[0])
    _require_fields(source, _parsed(source, options.system, "system", system=True), known, "system")


def require_column(source: Source, written: str, present: Iterable[str], option: str) -> None:
    """Raise the `DataError` of a column, path or template of which none of the first rows has a column.

    Args:
        source: the file.
        written: as the project names it.
        present: columns of the first rows; empty proves nothing.
        option: the option that names it.
    """
    _require_fields(source, _parsed(source, written, option), list(present), option)


def _parsed(source: Source, written: str, option: str, *, system: bool = False) -> Field:
    try:
        return template_of(written) if system else field_of(written)
    except DataError as error:
        problem = error.problems[0]
        raise source.error(f"{problem.reason}: {written}", option=option, fix=problem.fix or "") from error


def _require_fields(source: Source, field: Field, present: Sequence[str], option: str) -> None:
    if isinstance(field, Path) and field.written in present:
        return
    missing = next((name for name in field.columns if name not in present), None) if present else None
    if missing is not None:
        reason = f"no column `{missing}`; columns there: {quoted(present)}"
        raise source.error(reason, option=option, fix=nearest(missing, present))


def _mapped(options: SourceOptions) -> dict[str, str]:
    """The columns the project names, by option."""
    every = {name: getattr(options, name) for name in _NAMING}
    return {name: written for name, written in every.items() if written is not None}
