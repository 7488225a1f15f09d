"""Rows of plain text files: paragraphs, with blank lines between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atanor.data.lines import LONGEST_ROW, Line, decode, read_lines, readable
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import DataError

TEXT_COLUMN = "text"
"""The one column of a plain text file."""


def read_txt(source: Source) -> Iterator[Record | Refusal]:
    """One row for each paragraph, its line breaks kept; the line is its first."""
    paragraph: list[Line] = []
    for line in read_lines(source.path):
        if line.content.strip():
            paragraph.append(line)
        elif paragraph:
            yield _row(source, paragraph)
            paragraph = []
    if paragraph:
        yield _row(source, paragraph)


def _row(source: Source, paragraph: Sequence[Line]) -> Record | Refusal:
    first = paragraph[0].number
    content = b"\n".join(line.content for line in paragraph)
    try:
        for line in paragraph:
            line.refuse_if_cut()
        if len(content) > LONGEST_ROW:
            raise row_error(f"the paragraph is longer than {LONGEST_ROW >> 20} MiB", fix="Put blank lines into it")
        text = decode(content, first)
        return Record(first, text, {TEXT_COLUMN: text})
    except DataError as error:
        return refusal_of(error, source.name, first, readable(content))
