"""Bytes to lines of text, one bounded line at a time, so that one bad line costs one row and not the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from atanor.data import limits
from atanor.data.containers.encodings import UTF8
from atanor.data.containers.streams import Stream
from atanor.data.refusals import row_error
from atanor.errors import DataError, Problem

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_SKIPPED_AT_ONCE = 1 << 20


class Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: which it is, from 1.
        content: its bytes without the line end; of a line that is too long, its first bytes.
        objection: why they are not all of it, or None.
        is_last: the packed data is damaged here, and no line follows.
        quotes: double quotes in the part of a line that is too long and was not kept.
    """

    number: int
    content: bytes
    objection: DataError | None = None
    is_last: bool = False
    quotes: int = 0


def read_lines(stream: Stream, first: int = 1) -> Iterator[Line]:
    """Lines without their ends (LF or CRLF) and without a byte-order mark before the first line of a file.

    Args:
        stream: where to read from, up to its end.
        first: the number of the line that stands there.
    """
    longest = limits.LONGEST_ROW
    readline = stream.file.readline
    number = first - 1
    while content := readline(longest + 1):
        number += 1
        if number == 1:
            content = content.removeprefix(BYTE_ORDER_MARK)
        if content.endswith(b"\n"):
            yield Line(number, content[:-2] if content.endswith(b"\r\n") else content[:-1])
        elif len(content) > longest:
            yield _too_long(stream, number, content)
        elif stream.damage is not None:
            yield Line(number, content, stream.damage, is_last=True)
            return
        else:
            yield Line(number, content.removesuffix(b"\r"))
    if stream.damage is not None:
        yield Line(number + 1, b"", stream.damage, is_last=True)


def _too_long(stream: Stream, number: int, content: bytes) -> Line:
    """A line that is too long; the rest of it is passed over in pieces."""
    quotes = content.count(b'"', limits.KEPT_OF_LONGER)
    while rest := stream.file.readline(_SKIPPED_AT_ONCE):
        quotes += rest.count(b'"')
        if rest.endswith(b"\n"):
            break
    objection = row_error(
        f"the row is longer than {limits.LONGEST_ROW >> 20} MiB; "
        f"the quarantine has its first {limits.KEPT_OF_LONGER} bytes",
        fix="Break it into rows, one a line",
    )
    return Line(number, content[: limits.KEPT_OF_LONGER], objection, quotes=quotes)


def decode(content: bytes, line: int, encoding: str = UTF8) -> str:
    """The text of a row that begins on `line`.

    Args:
        content: its bytes as UTF-8.
        line: the line it begins on.
        encoding: what the file is written in, for the message.

    Raises:
        DataError: the bytes are not UTF-8; the value tells which byte of which line.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        start = error.start
    byte = content[start]
    within = start - content.rfind(b"\n", 0, start)
    line += content.count(b"\n", 0, start)
    meant = bytes([byte]).decode("cp1252", "replace")
    as_utf8 = f"Save the file as UTF-8, or write `encoding: cp1252` where this byte is meant to be {meant}"
    problem = Problem(
        f"the row is not {encoding.upper()} text",
        value=f"byte {within} of line {line} is 0x{byte:02X}",
        fix=as_utf8 if encoding == UTF8 else "Check `encoding`, or save the file as UTF-8",
    )
    raise DataError(f"a row is not {encoding.upper()}", [problem])


def readable(content: bytes) -> str:
    """The bytes as text for the quarantine: what is not UTF-8 stands as `\\xE9`."""
    return content.decode(UTF8, "backslashreplace")


def loose_text(content: bytes) -> str:
    """The bytes as text for a parser that has to go on after bad ones; `tight_bytes` finds them again."""
    return content.decode(UTF8, "surrogateescape")


def tight_bytes(text: str) -> bytes | None:
    """The bytes of a part of `loose_text` that holds bytes that are not UTF-8; None when it holds none."""
    return text.encode(UTF8, "surrogateescape") if _ESCAPED_BYTE.search(text) else None
