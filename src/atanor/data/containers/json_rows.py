"""Rows of JSON Lines files, and of JSON files that hold one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atanor.data import limits
from atanor.data.containers.lines import (
    BYTE_ORDER_MARK,
    Line,
    decode,
    loose_text,
    read_lines,
    readable,
    tight_bytes,
)
from atanor.data.containers.streams import open_stream
from atanor.data.containers.strict_json import Parsed, StrictDecoder, not_an_object, refuse_depth, skip_space
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import DataError

_MEND_THE_FILE = "Mend it there; rows of a .jsonl file are refused one by one instead"


def read_jsonl(source: Source) -> Iterator[Record | Refusal]:
    """One object a line; blank lines are no rows."""
    with open_stream(source) as stream:
        yield from rows_of_lines(source, read_lines(stream))


def rows_of_lines(source: Source, lines: Iterable[Line]) -> Iterator[Record | Refusal]:
    """The rows of some lines of a JSON Lines file."""
    decoder = StrictDecoder()
    for number, content, objection, _, _ in lines:
        if objection is None and (not content or content.isspace()):
            continue
        try:
            if objection is not None:
                raise objection
            text = decode(content, number, source.encoding)
            yield Record(number, text, decoder.whole_object(text))
        except DataError as error:
            yield refusal_of(error, source.name, number, readable(content))


def read_json(source: Source) -> Iterator[Record | Refusal]:
    """The objects of the one list of a JSON file, with the line each begins on.

    Raises:
        DataError: the file is too large or not JSON, or holds no list or several; the line and column are told.
    """
    text = _whole_text(source)
    decoder = StrictDecoder()
    line, counted = 1, 0
    for place, parsed in _values_of_list(source, decoder, text, _start_of_list(source, decoder, text)):
        line, counted = line + text.count("\n", counted, place), place
        yield _record(source, text[place : parsed.end], parsed, line)


def _whole_text(source: Source) -> str:
    """The text of the file; JSON cannot be read in parts."""
    with open_stream(source) as stream:
        content = stream.file.read(limits.WHOLE_FILE + 1)
        if stream.damage is not None:
            raise source.error(stream.damage.problems[0].reason, fix="Get or pack the file again")
    if len(content) > limits.WHOLE_FILE:
        reason = f"a JSON file of more than {limits.WHOLE_FILE >> 20} MiB has to be held in memory as a whole"
        raise source.error(reason, fix="Write it as JSON Lines, one row a line, and name it .jsonl")
    return loose_text(content.removeprefix(BYTE_ORDER_MARK))


def _values_of_list(source: Source, decoder: StrictDecoder, text: str, start: int) -> Iterator[tuple[int, Parsed]]:
    """Each value of the list that begins at `start`, and where it begins."""
    place = skip_space(text, start + 1)
    separator = text[place : place + 1]
    while separator != "]":
        parsed = _parse(source, decoder, text, place)
        yield place, parsed
        place = skip_space(text, parsed.end)
        separator = text[place : place + 1]
        if separator not in (",", "]"):
            raise _not_json(source, "a `,` or `]` is missing after a row", text, place)
        if separator == ",":
            place = skip_space(text, place + 1)
    after = skip_space(text, place + 1)
    if start == skip_space(text, 0) and after < len(text):
        raise _not_json(source, "more text follows the list", text, after)


def _record(source: Source, raw: str, parsed: Parsed, line: int) -> Record | Refusal:
    """The row `raw` of a JSON file, or why it is refused."""
    content = tight_bytes(raw)
    try:
        if content is not None:
            decode(content, line, source.encoding)
        if len(raw) > limits.LONGEST_ROW:
            raise row_error(f"the row is longer than {limits.LONGEST_ROW >> 20} MiB", fix="Break it into several rows")
        refuse_depth(raw)
        if parsed.objection is not None:
            raise parsed.objection
        if not isinstance(parsed.value, dict):
            raise not_an_object(parsed.value)
        return Record(line, raw, parsed.value)
    except DataError as error:
        return refusal_of(error, source.name, line, raw if content is None else readable(content))


def _start_of_list(source: Source, decoder: StrictDecoder, text: str) -> int:
    """Where the `[` of the list of rows stands: at the top, or the value of one key of the object at the top."""
    place = skip_space(text, 0)
    if text[place : place + 1] == "[":
        return place
    top = _parse(source, decoder, text, place)
    if not isinstance(top.value, dict):
        raise source.error("the file holds neither a list of rows nor an object", fix="Write a list: [{…}, {…}]")
    if skip_space(text, top.end) < len(text):
        raise source.error("several values follow each other: this is JSON Lines", fix="Rename the file to .jsonl")
    lists = [(key, start) for key, start in _values_of_object(decoder, text, place) if text[start] == "["]
    if len(lists) != 1:
        held = ", ".join(f"`{key}`" for key, _ in lists) or "none"
        raise source.error(f"one list of rows is expected in the object; lists there: {held}", fix="Keep only one list")
    return lists[0][1]


def _values_of_object(decoder: StrictDecoder, text: str, start: int) -> Iterator[tuple[str, int]]:
    """Each key of the object, known to be sound, that begins at `start`, and where its value begins."""
    place = skip_space(text, start + 1)
    while text[place] != "}":
        key = decoder.parse(text, place)
        value = skip_space(text, skip_space(text, key.end) + 1)
        yield key.value, value
        place = skip_space(text, decoder.parse(text, value).end)
        if text[place] == ",":
            place = skip_space(text, place + 1)


def _parse(source: Source, decoder: StrictDecoder, text: str, place: int) -> Parsed:
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
