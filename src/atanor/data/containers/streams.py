"""A file of text as a stream of UTF-8 bytes, however it is packed and encoded."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from atanor.data import limits
from atanor.data.containers.encodings import UTF8
from atanor.data.containers.packing import DamagedError, Packing, unpacker
from atanor.data.refusals import row_error
from atanor.data.sources import Source
from atanor.errors import DataError

_BUFFER = 1 << 20
_LINE_ENDS_SHOW_IN = 1 << 16
"""Bytes in which a line feed stands if a file has line feeds at all."""
_BAD_BYTE = "atanor.bad_byte"


@dataclass(frozen=True)
class Stream:
    """The bytes of a file as UTF-8. A byte that its encoding does not have is a byte that is not UTF-8."""

    file: io.BufferedReader[Any]
    unpacked: _Unpacked | None = None

    @property
    def damage(self) -> DataError | None:
        """Once `file` was read to its end: why packed data ends before its time, or None."""
        return None if self.unpacked is None else self.unpacked.damage


@contextmanager
def open_stream(source: Source) -> Iterator[Stream]:
    """Open a file of text.

    Raises:
        DataError: while it is read: more comes out of it than is allowed.
    """
    unpacked = None if source.packing is None else _Unpacked(source, source.packing)
    raw: io.RawIOBase = source.path.open("rb", buffering=0) if unpacked is None else unpacked
    if source.encoding != UTF8:
        raw = _Transcoded(raw, source.encoding)
    file: io.BufferedReader[Any] = io.BufferedReader(raw, _BUFFER)
    try:
        if has_old_line_ends(file.peek()):
            file = io.BufferedReader(_LineFeeds(file), _BUFFER)
        yield Stream(file, unpacked)
    finally:
        file.close()


@contextmanager
def open_section(source: Source, start: int, end: int) -> Iterator[Stream]:
    """Open the bytes from `start` to before `end` of a file that is UTF-8 and not packed."""
    with source.path.open("rb", buffering=0) as raw, io.BufferedReader(_Section(raw, start, end), _BUFFER) as file:
        yield Stream(file)


def has_old_line_ends(head: bytes) -> bool:
    """Whether the first bytes of a file show lines that end in a lone carriage return and none with a line feed."""
    # The last byte may be the first half of a CRLF.
    head = head[:_LINE_ENDS_SHOW_IN]
    return b"\r" in head[:-1] and b"\n" not in head


class _Section(io.RawIOBase):
    """A part of a file."""

    def __init__(self, raw: io.RawIOBase, start: int, end: int) -> None:
        self._raw = raw
        self._left = end - start
        raw.seek(start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or return 0 at the end of the part."""
        content = self._raw.read(min(len(buffer), self._left)) or b""
        self._left -= len(content)
        buffer[: len(content)] = content
        return len(content)


class _Unpacked(io.RawIOBase):
    """Packed bytes unpacked: ends at damage and tells the stream, and stops at what is too much."""

    def __init__(self, source: Source, packing: Packing) -> None:
        self.damage: DataError | None = None
        self._source = source
        self._unpacker = unpacker(source.path, packing)
        self._given = 0
        by_ratio = max(limits.RATIO_FROM, limits.RATIO * source.path.stat().st_size)
        self._most = source.options.max_bytes or min(limits.UNPACKED, by_ratio)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is something, so that the first look at a file sees enough of it."""
        filled = 0
        while filled < len(buffer) and (content := self._next(len(buffer) - filled)):
            buffer[filled : filled + len(content)] = content
            filled += len(content)
        return filled

    def _next(self, size: int) -> bytes:
        """At most `size` bytes; none at the end and at damage."""
        if self.damage is not None:
            return b""
        try:
            content = self._unpacker.read1(size)
        except DamagedError as error:
            self.damage = row_error(
                f"the {self._source.packing} data is damaged from here on: {error}",
                fix="Get or pack the file again; the rows before this one were read",
            )
            return b""
        self._given += len(content)
        if self._given > self._most:
            raise self._too_much()
        return content

    def close(self) -> None:
        self._unpacker.close()
        super().close()

    def _too_much(self) -> DataError:
        fix = "If it is meant to, allow more with `max_bytes:`"
        if self._source.options.max_bytes is None:
            reason = f"the file unpacks to more than {self._most} bytes, as a {self._source.packing} bomb does"
            return self._source.error(reason, fix=fix)
        return self._source.error(f"the file unpacks to more than {self._most} bytes", option="max_bytes", fix=fix)


class _Transcoded(io.RawIOBase):
    """Text of another encoding as UTF-8."""

    def __init__(self, raw: io.RawIOBase, encoding: str) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)(_BAD_BYTE)
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or return 0 at the end."""
        while not self._ready and not self._ended:
            content = self._raw.read(_BUFFER) or b""
            self._ended = not content
            text = self._decoder.decode(content, final=self._ended)
            self._ready = text.encode(UTF8, "surrogateescape")
        given, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LineFeeds(io.RawIOBase):
    """Text whose lines end in a lone carriage return, as old Macintosh programs wrote it, with line feeds."""

    def __init__(self, inner: io.BufferedReader[Any]) -> None:
        self._inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or return 0 at the end."""
        content = self._inner.read1(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._inner.close()
        super().close()


def _as_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Bytes that an encoding does not have, kept so that `encode(..., "surrogateescape")` makes them bytes again.

    Bytes below 0x80, as in half a character of UTF-16, would become good text; 0xFF stands for them.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + (byte if byte >= 0x80 else 0xFF)) for byte in bad), error.end


codecs.register_error(_BAD_BYTE, _as_bad_bytes)
