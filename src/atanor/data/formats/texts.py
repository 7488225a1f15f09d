"""Text that can be trained on: it is there, it is text, and it can be written as UTF-8."""

from __future__ import annotations

from typing import Any

from atanor.data.refusals import row_error


def text_of(value: Any, field: str) -> str:
    """The value as it is, where it is text that is not empty. What stands in it is the cleaning's business.

    Raises:
        DataError: it is null, no text, empty, or holds half of a surrogate pair.
    """
    if not isinstance(value, str):
        if value is None:
            raise row_error(f"`{field}` is null", field=field, fix="Write text there, or remove the row")
        fix = "Join its parts into one text" if isinstance(value, list) else "Write it as text in quotes"
        raise row_error(f"`{field}` is not text", field=field, value=value, fix=fix)
    if not value or value.isspace():
        raise row_error(f"`{field}` is empty", field=field, fix="Fill it, or remove the row")
    if not value.isascii():
        refuse_surrogates(value, field)
    return value


def refuse_surrogates(text: str, field: str) -> None:
    """Raise the `DataError` of a text that cannot be written as UTF-8."""
    try:
        text.encode()  # Four times as fast as a search.
    except UnicodeEncodeError as error:
        reason = f"character {error.start + 1} is half of a surrogate pair (U+{ord(text[error.start]):04X})"
        fix = r"Write both halves, as in \ud83d\ude00, or the character itself"
        raise row_error(reason, field=field, fix=fix) from error
