"""Files that are one row as a whole: plain text, Markdown with its front matter aside, and HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from atanor.data import limits
from atanor.data.containers.lines import BYTE_ORDER_MARK, decode, readable
from atanor.data.containers.markup import page_of
from atanor.data.containers.streams import open_stream
from atanor.data.records import TEXT_COLUMN, TITLE_COLUMN, Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import DataError

FRONT_MATTER_COLUMN = "front_matter"
"""The column of the block of YAML at the top of a Markdown file, as it is written there."""
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_TITLE_LINE = re.compile(r"^title[ \t]*:[ \t]*(\S.*)$", re.MULTILINE)
_HEADING = re.compile(r"^#[ \t]+(\S.*)$", re.MULTILINE)


def read_document(source: Source) -> Iterator[Record | Refusal]:
    """One row for a file of plain text."""
    yield from _one_row(source, lambda text: {TEXT_COLUMN: text})


def read_markdown(source: Source) -> Iterator[Record | Refusal]:
    """One row for a Markdown file: its text with the headings, and its `title` and `front_matter` where it has them."""
    yield from _one_row(source, _of_markdown)


def read_html(source: Source) -> Iterator[Record | Refusal]:
    """One row for a page: the text that a reader sees, and its `title` where it has one."""
    yield from _one_row(source, _of_html)


def _one_row(source: Source, fields_of: Callable[[str], dict[str, Any]]) -> Iterator[Record | Refusal]:
    """The file as one row, its line ends made LF; a file without text in it has none."""
    with open_stream(source) as stream:
        content = stream.file.read(limits.LONGEST_ROW + 1).removeprefix(BYTE_ORDER_MARK)
        damage = stream.damage
    try:
        if damage is not None:
            raise damage
        if len(content) > limits.LONGEST_ROW:
            content = content[: limits.KEPT_OF_LONGER]
            raise row_error(
                f"the document is longer than {limits.LONGEST_ROW >> 20} MiB",
                fix="Break it into several files, or name the file itself to have its paragraphs as rows",
            )
        raw = decode(content, 1, source.encoding)
        fields = fields_of(raw.replace("\r\n", "\n").replace("\r", "\n"))
    except DataError as error:
        yield refusal_of(error, source.name, 1, readable(content))
        return
    if fields[TEXT_COLUMN].strip():
        yield Record(1, raw, fields)


def _of_markdown(text: str) -> dict[str, Any]:
    # The front matter stays text: YAML is a language with traps of its own, and nothing here needs its values.
    found = _FRONT_MATTER.match(text)
    front = found[1].strip() if found else ""
    body = text[found.end() :] if found else text
    titled = _TITLE_LINE.search(front)
    heading = titled or _HEADING.search(body)
    title = {TITLE_COLUMN: heading[1].strip(" \t#\"'")} if heading else {}
    return {**title, TEXT_COLUMN: body.strip("\n"), **({FRONT_MATTER_COLUMN: front} if front else {})}


def _of_html(text: str) -> dict[str, Any]:
    page = page_of(text)
    title = page.title or page.heading
    return {**({TITLE_COLUMN: title} if title else {}), TEXT_COLUMN: page.text}
