"""JSON as RFC 8259 has it, and when two JSON values are equal."""

from __future__ import annotations

import json
from typing import Any

NOT_JSON = object()
"""What `parse_answer` gives for a text that is no JSON; no JSON value is it."""


def parse_answer(text: str) -> Any:
    """The value of a JSON text, or `NOT_JSON`.

    All of the text must be JSON, white space around it allowed: a code fence, a sentence before it, `NaN` or a single
    quote make it none. What nests deeper than Python's parser goes, or has integers longer than Python reads, is none.
    """
    try:
        return parse(text)
    except (ValueError, RecursionError):
        return NOT_JSON


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON; a `json.JSONDecodeError` where the place is known.
        RecursionError: it nests too deep.
    """
    return json.loads(text, parse_constant=_refuse_constant)


def equal(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0 and neither equals true, which Python's own equality takes for 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
