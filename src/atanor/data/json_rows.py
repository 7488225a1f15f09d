"""Rows of JSON Lines files and of JSON files that hold one list (RFC 8259, read strictly).

Strictly: a key written twice and a number that is not finite are refused, because Python would keep the last key
and invent a NaN without a word.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from atanor.data.lines import BYTE_ORDER_MARK, LONGEST_ROW, decode, loose_text, read_lines, readable, tight_bytes
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import DataError, Problem, shorten

_SPACE = re.compile(r"[ \t\n\r]*")
_MEND_THE_FILE = "Mend it there; rows of a .jsonl file are refused one by one instead"
_SHOWN_AROUND = 24
"""Characters on both sides of a syntax error that its message shows."""


@dataclass(frozen=True)
class _Parsed:
    """A JSON value, where it ends in the text, and what a strict reader has against it."""

    value: Any
    end: int
    objection: DataError | None


class _StrictDecoder:
    """A JSON parser that notes duplicate keys and endless numbers, and still finds the end of the value."""

    def __init__(self) -> None:
        self._objection: DataError | None = None
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._float
        )

    def parse(self, text: str, start: int = 0) -> _Parsed:
        """The value that begins at `start`.

        Raises:
            DataError: the text is not JSON from there on.
        """
        self._objection = None
        try:
            value, end = self._decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise _syntax_error(error) from error
        except RecursionError as error:
            raise row_error("the JSON is nested too deeply", fix="Flatten the row") from error
        except ValueError as error:  # An integer of thousands of digits.
            raise row_error(f"not JSON that can be used: {error}", fix="Write the number as text") from error
        return _Parsed(value, end, self._objection)

    def _object(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        keys = dict(pairs)
        if len(keys) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            self._objection = row_error(f"the key `{twice}` is written twice", field=twice, fix="Keep one of them")
        return keys

    def _constant(self, name: str) -> float:
        self._objection = row_error(f"{name} is not a JSON number", value=name, fix="Write null or a finite number")
        return math.nan

    def _float(self, digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else self._constant(digits[:20])


def read_jsonl(source: Source) -> Iterator[Record | Refusal]:
    """One object a line; blank lines are no rows."""
    decoder = _StrictDecoder()
    for line in read_lines(source.path):
        if not line.content.strip():
            continue
        try:
            line.refuse_if_cut()
            text = decode(line.content, line.number)
            yield Record(line.number, text, _whole_object(decoder, text))
        except DataError as error:
            yield refusal_of(error, source.name, line.number, readable(line.content))


def read_json(source: Source) -> Iterator[Record | Refusal]:
    """The objects of the one list of a JSON file, with the line each begins on.

    Raises:
        DataError: the file is not JSON, or holds no list or several; the line and column are told.
    """
    text = loose_text(source.path.read_bytes().removeprefix(BYTE_ORDER_MARK))
    decoder = _StrictDecoder()
    line, counted = 1, 0
    for place, parsed in _values_of_list(source, decoder, text, _start_of_list(source, decoder, text)):
        line, counted = line + text.count("\n", counted, place), place
        yield _record(source, text[place : parsed.end], parsed, line)


def _values_of_list(source: Source, decoder: _StrictDecoder, text: str, start: int) -> Iterator[tuple[int, _Parsed]]:
    """Each value of the list that begins at `start`, and where it begins."""
    place = _skip_space(text, start + 1)
    separator = text[place : place + 1]
    while separator != "]":
        parsed = _parse(source, decoder, text, place)
        yield place, parsed
        place = _skip_space(text, parsed.end)
        separator = text[place : place + 1]
        if separator not in (",", "]"):
            raise _not_json(source, "a `,` or `]` is missing after a row", text, place)
        if separator == ",":
            place = _skip_space(text, place + 1)
    after = _skip_space(text, place + 1)
    if start == _skip_space(text, 0) and after < len(text):
        raise _not_json(source, "more text follows the list", text, after)


def _record(source: Source, raw: str, parsed: _Parsed, line: int) -> Record | Refusal:
    """The row `raw` of a JSON file, or why it is refused."""
    content = tight_bytes(raw)
    try:
        if content is not None:
            decode(content, line)
        if len(raw) > LONGEST_ROW:
            raise row_error(f"the row is longer than {LONGEST_ROW >> 20} MiB", fix="Break it into several rows")
        return Record(line, raw, _object_of(parsed))
    except DataError as error:
        return refusal_of(error, source.name, line, raw if content is None else readable(content))


def _whole_object(decoder: _StrictDecoder, text: str) -> dict[str, Any]:
    """The object that `text` is, and nothing after it."""
    start = _skip_space(text, 0)
    parsed = decoder.parse(text, start)
    end = _skip_space(text, parsed.end)
    if end < len(text):
        raise _syntax_error(json.JSONDecodeError("one row a line is expected, but more follows", text, end))
    return _object_of(parsed)


def _object_of(parsed: _Parsed) -> dict[str, Any]:
    if parsed.objection is not None:
        raise parsed.objection
    if not isinstance(parsed.value, dict):
        raise row_error(
            "the row is not an object", value=parsed.value, fix='Write it as {"column": value, …} with named columns'
        )
    return parsed.value


def _start_of_list(source: Source, decoder: _StrictDecoder, text: str) -> int:
    """Where the `[` of the list of rows stands: at the top, or the value of one key of the object at the top."""
    place = _skip_space(text, 0)
    if text[place : place + 1] == "[":
        return place
    top = _parse(source, decoder, text, place)
    if not isinstance(top.value, dict):
        raise source.error("the file holds neither a list of rows nor an object", fix="Write a list: [{…}, {…}]")
    if _skip_space(text, top.end) < len(text):
        raise source.error("several values follow each other: this is JSON Lines", fix="Rename the file to .jsonl")
    lists = [(key, start) for key, start in _values_of_object(decoder, text, place) if text[start] == "["]
    if len(lists) != 1:
        held = ", ".join(f"`{key}`" for key, _ in lists) or "none"
        raise source.error(f"one list of rows is expected in the object; lists there: {held}", fix="Keep only one list")
    return lists[0][1]


def _values_of_object(decoder: _StrictDecoder, text: str, start: int) -> Iterator[tuple[str, int]]:
    """Each key of the object, known to be sound, that begins at `start`, and where its value begins."""
    place = _skip_space(text, start + 1)
    while text[place] != "}":
        key = decoder.parse(text, place)
        value = _skip_space(text, _skip_space(text, key.end) + 1)
        yield key.value, value
        place = _skip_space(text, decoder.parse(text, value).end)
        if text[place] == ",":
            place = _skip_space(text, place + 1)


def _parse(source: Source, decoder: _StrictDecoder, text: str, place: int) -> _Parsed:
    """A value of a JSON file; an error is about the whole file, because what follows cannot be trusted."""
    try:
        return decoder.parse(text, place)
    except DataError as error:
        problem = error.problems[0]
        what = f"{problem.reason} ({problem.value})" if problem.value else problem.reason
        line = problem.line or 1 + text.count("\n", 0, place)
        raise source.error(what, line=line, fix=_MEND_THE_FILE) from error


def _not_json(source: Source, what: str, text: str, place: int) -> DataError:
    return source.error(f"not JSON: {what}", line=1 + text.count("\n", 0, place), fix=_MEND_THE_FILE)


def _syntax_error(error: json.JSONDecodeError) -> DataError:
    """What is wrong, at which column, and the text around it."""
    around = error.doc[max(0, error.pos - _SHOWN_AROUND) : error.pos + _SHOWN_AROUND].strip()
    what = error.msg[:1].lower() + error.msg[1:]
    problem = Problem(
        f"not JSON: {what} at column {error.colno}",
        line=error.lineno,
        value=shorten(around),
        fix="Mend the JSON of this row",
    )
    return DataError("a row is not JSON", [problem])


def _skip_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
