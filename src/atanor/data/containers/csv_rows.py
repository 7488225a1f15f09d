"""Rows of CSV and TSV files (RFC 4180, quoted line breaks included)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from atanor.data import limits
from atanor.data.containers.lines import Line, decode, loose_text, read_lines, readable
from atanor.data.containers.streams import open_stream
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import FileKind, Source
from atanor.errors import DataError

_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Header:
    """The columns of a file, the separator between its cells, and the last line of the header."""

    names: tuple[str, ...]
    separator: str
    line: int


@dataclass
class _LineFeed:
    """Hands lines to the CSV reader and remembers what became of them.

    Attributes:
        lines: the lines of the file.
        taken: the lines of the row being read, and `first` the number of the first of them.
        refused: lines before that row that are too long, each a row of its own.
        damage: the line where packed data ended before its time.
    """

    source: Source
    lines: Iterable[Line]
    first: int = 0
    taken: list[bytes] = field(default_factory=list)
    refused: list[Line] = field(default_factory=list)
    damage: Line | None = None

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            if line.is_last:
                self.damage = line
                return
            if line.objection is not None:
                if self.taken or line.quotes or b'"' in line.content:
                    # Where the row ends is unknown from here on: the rest of the line may open or close a quote.
                    what = f"a line with quotes is longer than {limits.LONGEST_ROW >> 20} MiB"
                    raise self.source.error(what, line=line.number, fix="Break the file into rows, one a line")
                self.refused.append(line)
                continue
            self.first = self.first if self.taken else line.number
            self.taken.append(line.content)
            yield loose_text(line.content) + "\n"

    def take(self) -> tuple[int, bytes]:
        """The line the row began on and its bytes; the next row begins afresh."""
        content = b"\n".join(self.taken)
        self.taken = []
        return self.first, content

    def refusals(self) -> Iterator[Refusal]:
        """The lines that were passed over since the last call."""
        for line in self.refused:
            assert line.objection is not None
            yield refusal_of(line.objection, self.source.name, line.number, readable(line.content))
        self.refused = []

    def at_damage(self) -> Iterator[Refusal]:
        """The row that the damage of packed data cut off."""
        if self.damage is not None and self.damage.objection is not None:
            line, content = self.take() if self.taken else (self.damage.number, b"")
            raw = content + b"\n" + self.damage.content if content else self.damage.content
            yield refusal_of(self.damage.objection, self.source.name, line, readable(raw))


def read_csv(source: Source) -> Iterator[Record | Refusal]:
    """One row for each row after the header; every cell is text; blank lines are no rows.

    Raises:
        DataError: the header names a column twice, or cannot be read.
    """
    with open_stream(source) as stream:
        yield from rows_of_lines(source, read_lines(stream))


def header_of(source: Source) -> Header | None:
    """The header at the start of a file, or None when nothing but blank lines is there.

    Raises:
        DataError: the header names a column twice, or cannot be read.
    """
    with open_stream(source) as stream:
        feed = _LineFeed(source, read_lines(stream))
        separator = _separator(source)
        rows = csv.reader(iter(feed), delimiter=separator, strict=True)
        return _next_header(feed, rows, separator)


def rows_of_lines(source: Source, lines: Iterable[Line], header: Header | None = None) -> Iterator[Record | Refusal]:
    """The rows of some lines of a CSV file; without `header` the first row that is not blank is it."""
    # The limit is the process's own; raising it harms nobody, and rows are bounded by LONGEST_ROW.
    csv.field_size_limit(max(csv.field_size_limit(), limits.LONGEST_ROW))
    feed = _LineFeed(source, lines)
    separator = _separator(source) if header is None else header.separator
    rows = csv.reader(iter(feed), delimiter=separator, strict=True)
    header = header or _next_header(feed, rows, separator)
    while header is not None:
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield from feed.refusals()
            if feed.damage is not None:
                break
            line, content = feed.take()
            yield refusal_of(_quoting_error(error), source.name, line, readable(content))
            continue
        yield from feed.refusals()
        if cells is None:
            break
        line, content = feed.take()
        if cells:
            yield _row(source, header.names, cells, line, content)
    yield from feed.at_damage()


def _separator(source: Source) -> str:
    """Tab for .tsv; comma for .csv, or the `;` or tab that a header without commas has."""
    if source.kind is FileKind.TSV:
        return "\t"
    with open_stream(source) as stream:
        head = next((line.content for line in read_lines(stream) if line.content), b"")
    return next((mark for mark in _SEPARATORS if mark.encode() in head), ",")


def _next_header(feed: _LineFeed, rows: Iterator[list[str]], separator: str) -> Header | None:
    """The first row that is not blank, as a header."""
    source = feed.source
    try:
        while not (cells := next(rows, None)) and cells is not None:
            feed.take()
    except csv.Error as error:
        line, _ = feed.take()
        raise source.error(f"the header is not CSV: {error}", line=line, fix="Mend its quotes") from error
    if feed.refused:
        what = f"the header is longer than {limits.LONGEST_ROW >> 20} MiB"
        raise source.error(what, line=feed.refused[0].number, fix="Put a line of column names first")
    if cells is None:
        return None
    line, content = feed.take()
    try:
        decode(content, line, source.encoding)
    except DataError as error:
        problem = error.problems[0]
        what = problem.reason.replace("the row", "the header", 1)
        raise source.error(f"{what}: {problem.value}", line=line, fix=problem.fix or "") from error
    if len(cells) > limits.COLUMNS:
        what = f"the header has {len(cells)} columns, more than {limits.COLUMNS}"
        raise source.error(what, line=line, fix="Put a line of column names first, and one row a line")
    names = tuple(cell.strip() for cell in cells)
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise source.error(f"the header names `{twice}` twice", line=line, fix="Give every column its own name")
    return Header(names, separator, line + content.count(b"\n"))


def _row(source: Source, names: Sequence[str], cells: Sequence[str], line: int, content: bytes) -> Record | Refusal:
    try:
        raw = decode(content, line, source.encoding)
        if len(raw) > limits.LONGEST_ROW:
            raise row_error(f"the row is longer than {limits.LONGEST_ROW >> 20} MiB", fix="Break it into several rows")
        if len(cells) != len(names):
            raise row_error(
                f"the row has {len(cells)} cells and the header {len(names)}",
                value=cells[-1],
                fix="Put double quotes around cells that hold the separator or line breaks",
            )
        return Record(line, raw, dict(zip(names, cells, strict=True)))
    except DataError as error:
        return refusal_of(error, source.name, line, readable(content))


def _quoting_error(error: csv.Error) -> DataError:
    return row_error(
        f"not CSV: {error}",
        fix='Close the quote of the cell, and write a quote inside a quoted cell as ""; '
        "what the open quote swallowed is in the quarantine too",
    )
