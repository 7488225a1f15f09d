"""When a row was made, from the ways that files write it."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import Any

_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From this magnitude on an epoch number counts nano-, micro- or milliseconds; as seconds it would be after 5138."""


def seconds_of(value: Any) -> float | None:
    """Seconds since 1970 of a date, a time or an epoch number; None where the value is none of these.

    Read are ISO 8601 texts (`2024-05-01`, `2024-05-01T10:00:00Z`), dates and times as Parquet gives them, and epoch
    numbers or their texts, in seconds, or by their size in milli-, micro- or nanoseconds. What names no zone is taken
    as UTC.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, int | float):
        return _of_number(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC).timestamp()
    return None


def _of_text(text: str) -> float | None:
    try:
        return _of_number(float(text))
    except ValueError:
        pass
    try:
        return seconds_of(datetime.fromisoformat(text))
    except ValueError:
        return None


def _of_number(number: float) -> float | None:
    if not math.isfinite(number):
        return None
    return number / next((unit for least, unit in _UNITS if abs(number) >= least), 1)
