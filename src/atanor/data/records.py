"""A row as it stands in a file, before anyone asks what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """A row with named columns.

    Attributes:
        line: the line (text formats) or row (Parquet) it begins on, from 1.
        raw: its own text in the file, for the quarantine.
        fields: its columns: text, numbers, booleans, None, lists and objects, as JSON has them.
    """

    line: int
    raw: str
    fields: Mapping[str, Any]
