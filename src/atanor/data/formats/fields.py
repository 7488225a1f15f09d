"""Values of a row by the name a mapping gives them: a column, a path inside it, or a template of several."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from atanor.data.refusals import row_error
from atanor.errors import DataError

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
HOW_TO_WRITE_A_BRACE = "Write a column in braces, as {question}, and a literal brace twice, as {{ or }}"


def nearest(wanted: str, names: Iterable[str]) -> str:
    """The fix for a name that is not there."""
    close = difflib.get_close_matches(wanted, list(names), n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else "Name a column that is there"


def quoted(names: Iterable[str]) -> str:
    """Names for reading: `a`, `b`."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def as_json(value: Any) -> str:
    """A value that is not text, as text."""
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Path:
    """A column, or a value inside it: `answer`, `input.messages`, `answers[0]`, `answers.text[0]`.

    A column whose own name is the whole of `written` goes before a path of that spelling.
    """

    written: str

    @cached_property
    def steps(self) -> tuple[str | int, ...]:
        """The column, then the keys and positions inside it."""
        found: list[str | int] = []
        end = 0
        for match in _STEP.finditer(self.written):
            if match.start() != end:
                return (self.written,)
            found.append(match[1] if match[2] is None else int(match[2]))
            end = match.end()
        return tuple(found) if end == len(self.written) and found else (self.written,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns this reads, by either reading of its spelling."""
        return (str(self.steps[0]),)

    def value(self, fields: Mapping[str, Any]) -> Any:
        """The value in this row.

        Raises:
            DataError: the row has no such column, or nothing at the path inside it.
        """
        if self.written in fields:
            return fields[self.written]
        column = str(self.steps[0])
        if column not in fields:
            reason = f"no column `{column}`; columns there: {quoted(fields)}"
            raise row_error(reason, field=column, fix=nearest(column, fields))
        value = fields[column]
        for step in self.steps[1:]:
            value = _inside(value, step, self.written)
        return value


def _inside(value: Any, step: str | int, written: str) -> Any:
    if isinstance(step, int):
        if isinstance(value, list) and step < len(value):
            return value[step]
        had = f"the list has {len(value)} values" if isinstance(value, list) else "there is no list"
        raise row_error(f"nothing stands at `{written}`: {had}", field=written, fix="Mend the row, or map another path")
    if isinstance(value, dict) and step in value:
        return value[step]
    had = f"keys there: {quoted(value)}" if isinstance(value, dict) else "there is no object"
    raise row_error(f"nothing stands at `{written}`: {had}", field=written, fix=nearest(step, value or ()))


@dataclass(frozen=True)
class Template:
    """Text with columns in braces: `Question: {question}\\nContext: {context}`.

    Attributes:
        written: the template as it stands in the project.
        pieces: its literal texts and its paths, in order.
    """

    written: str
    pieces: tuple[str | Path, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns this reads, each once."""
        return tuple(dict.fromkeys(name for piece in self.pieces if isinstance(piece, Path) for name in piece.columns))

    def value(self, fields: Mapping[str, Any]) -> str:
        """The template with the row's values in it; null becomes nothing, a list of texts one line each.

        Raises:
            DataError: the row lacks a column, or nothing stands in any of them.
        """
        filled = [piece if isinstance(piece, str) else _written(piece.value(fields)) for piece in self.pieces]
        told = [text for text, piece in zip(filled, self.pieces, strict=True) if isinstance(piece, Path)]
        if told and not any(text.strip() for text in told):
            names = quoted(self.columns)
            raise row_error(f"{names}: empty, so nothing of the row is told", field=self.columns[0], fix="Fill it")
        return "".join(filled)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    return as_json(value)


Field = Path | Template


def field_of(written: str) -> Field:
    """What a mapping names: a template where braces stand in it, else a column or a path.

    Raises:
        DataError: as `template_of`.
    """
    return template_of(written) if "{" in written or "}" in written else Path(written)


def template_of(written: str) -> Template:
    """A template, which may be plain text.

    Raises:
        DataError: a brace of the template is left open, or holds no name.
    """
    pieces: list[str | Path] = []
    end = 0
    for match in _PIECE.finditer(written):
        pieces.append(written[end : match.start()])
        if match[0] in ("{{", "}}"):
            pieces.append(match[0][0])
        elif match[1] is None or not match[1].strip():
            raise row_error("a brace of the template stands alone", value=written, fix=HOW_TO_WRITE_A_BRACE)
        else:
            pieces.append(Path(match[1].strip()))
        end = match.end()
    pieces.append(written[end:])
    return Template(written, tuple(piece for piece in pieces if piece != ""))


def columns_read(written: str) -> tuple[str, ...]:
    """The columns that a column name, path or template reads; a broken template reads none."""
    try:
        return field_of(written).columns
    except DataError:
        return ()
