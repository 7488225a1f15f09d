"""Rows of plain text files: paragraphs, with blank lines between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atanor.data import limits
from atanor.data.containers.lines import Line, decode, read_lines, readable
from atanor.data.containers.streams import open_stream
from atanor.data.records import TEXT_COLUMN, Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import DataError


def read_txt(source: Source) -> Iterator[Record | Refusal]:
    """One row for each paragraph, its line breaks kept; the line is its first."""
    paragraph: list[Line] = []
    size = 0
    with open_stream(source) as stream:
        for line in read_lines(stream):
            if line.objection is None and not line.content.strip():
                if paragraph:
                    yield _row(source, paragraph, size)
                paragraph, size = [], 0
                continue
            size += len(line.content) + 1
            # Of a paragraph that is too long no more is held than it takes to know.
            if size - len(line.content) <= limits.LONGEST_ROW:
                paragraph.append(line)
    if paragraph:
        yield _row(source, paragraph, size)


def _row(source: Source, paragraph: Sequence[Line], size: int) -> Record | Refusal:
    first = paragraph[0].number
    content = b"\n".join(line.content for line in paragraph)
    try:
        objection = next((line.objection for line in paragraph if line.objection is not None), None)
        if objection is not None:
            raise objection
        if size - 1 > limits.LONGEST_ROW:
            content = content[: limits.KEPT_OF_LONGER]
            raise row_error(
                f"the paragraph is longer than {limits.LONGEST_ROW >> 20} MiB", fix="Put blank lines into it"
            )
        text = decode(content, first, source.encoding)
        return Record(first, text, {TEXT_COLUMN: text})
    except DataError as error:
        return refusal_of(error, source.name, first, readable(content))
