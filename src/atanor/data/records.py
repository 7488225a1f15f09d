"""A row as it stands in a file, before anyone asks what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

TEXT_COLUMN = "text"
"""The column of plain text in rows of prose: paragraphs, documents, chapters."""
TITLE_COLUMN = "title"
"""The column that names the book or document a row of prose comes from."""
CHAPTER_COLUMN = "chapter"
"""The column that names the chapter a row of a book is."""


class Record(NamedTuple):
    """A row with named columns. A million of them are made a minute; a named tuple is the cheapest that is frozen.

    Attributes:
        line: the line (text formats) or row (tables, chapters of a book) it begins on, from 1.
        raw: its own text in the file, for the quarantine.
        fields: its columns: text, numbers, booleans, None, lists and objects, as JSON has them.
    """

    line: int
    raw: str
    fields: Mapping[str, Any]
