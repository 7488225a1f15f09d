"""Bytes to lines of text, one bounded line at a time, so that one bad line costs one row and not the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atanor.data.refusals import row_error
from atanor.errors import DataError, Problem

LONGEST_ROW = 16 << 20
"""Bytes of one row. A longer one is a file without line breaks or a quote that never closes; it would fill memory."""
KEPT_OF_LONGER = 4096
"""Bytes of a longer row that the quarantine keeps; the file itself has the rest."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Line:
    """A line of a file: its number from 1, its bytes without the line end, and whether it was cut for its length."""

    number: int
    content: bytes
    cut: bool = False

    def refuse_if_cut(self) -> None:
        """Raise the `DataError` of a row that was cut."""
        if self.cut:
            raise row_error(
                f"the row is longer than {LONGEST_ROW >> 20} MiB; the quarantine has its first {KEPT_OF_LONGER} bytes",
                fix="Break it into rows, one a line",
            )


def read_lines(path: Path) -> Iterator[Line]:
    """Lines of a file without their ends (LF or CRLF) and without a byte-order mark at the start."""
    with path.open("rb") as file:
        number = 0
        while content := file.readline(LONGEST_ROW + 1):
            number += 1
            whole = content.endswith(b"\n") or len(content) <= LONGEST_ROW
            if not whole:
                while (rest := file.readline(LONGEST_ROW)) and not rest.endswith(b"\n"):
                    pass
                content = content[:KEPT_OF_LONGER]
            if number == 1:
                content = content.removeprefix(BYTE_ORDER_MARK)
            yield Line(number, content.removesuffix(b"\n").removesuffix(b"\r"), cut=not whole)


def decode(content: bytes, line: int) -> str:
    """The text of a row that begins on `line`.

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
    problem = Problem(
        "the row is not UTF-8 text",
        value=f"byte {within} of line {line} is 0x{byte:02X}",
        fix=f"Save the file as UTF-8; in Windows-1252 this byte would be {bytes([byte]).decode('cp1252', 'replace')}",
    )
    raise DataError("a row is not UTF-8", [problem])


def readable(content: bytes) -> str:
    """The bytes as text for the quarantine: what is not UTF-8 stands as `\\xE9`."""
    return content.decode("utf-8", "backslashreplace")


def loose_text(content: bytes) -> str:
    """The bytes as text for a parser that has to go on after bad ones; `tight_bytes` finds them again."""
    return content.decode("utf-8", "surrogateescape")


def tight_bytes(text: str) -> bytes | None:
    """The bytes of a part of `loose_text` that holds bytes that are not UTF-8; None when it holds none."""
    return text.encode("utf-8", "surrogateescape") if _ESCAPED_BYTE.search(text) else None
