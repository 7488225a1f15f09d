"""Packed files: gzip, Zstandard, bzip2 and xz, read as a stream whose damage costs nothing of what stands before it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

_PIECE = 1 << 20
"""Bytes asked of a packed file at a time."""


class Packing(StrEnum):
    """How a file is packed, by the last part of its name."""

    GZIP = "gzip"
    ZSTD = "Zstandard"
    BZIP2 = "bzip2"
    XZ = "xz"


PACKINGS = {".gz": Packing.GZIP, ".zst": Packing.ZSTD, ".bz2": Packing.BZIP2, ".xz": Packing.XZ}
"""Suffixes of packed files."""


class DamagedError(Exception):
    """The packed bytes end too early or are not what they should be; what was unpacked before is good."""


_READERS: dict[Packing, Callable[[Path], io.BufferedIOBase]] = {
    Packing.GZIP: gzip.GzipFile,
    Packing.BZIP2: bz2.BZ2File,
    Packing.XZ: lzma.LZMAFile,
}


class Unpacker(Protocol):
    """What the unpacked bytes are taken from."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes and at least one, or none at the end. Raises `DamagedError`."""

    def close(self) -> None:
        """Close the file."""


def unpacker(path: Path, packing: Packing) -> Unpacker:
    """Open a packed file at its start. Several packed streams one after the other are read as one."""
    return _Zstandard(path) if packing is Packing.ZSTD else _OfPython(path, packing)


class _OfPython:
    """gzip, bzip2 and xz as Python reads them: `read1` gives all that stands before a cut."""

    def __init__(self, path: Path, packing: Packing) -> None:
        self._file = _READERS[packing](path)

    def read1(self, size: int, /) -> bytes:
        try:
            return self._file.read1(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise DamagedError(str(error)) from error

    def close(self) -> None:
        self._file.close()


class _Zstandard:
    """Zstandard as pyarrow reads it, which spares a dependency.

    Its `read` loses what it has unpacked when it meets a cut, so the last piece is then read again byte by byte.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._open()
        self._given = 0
        self._tail: io.BytesIO | None = None

    def read1(self, size: int, /) -> bytes:
        if self._tail is None:
            try:
                content: bytes = self._file.read(min(size, _PIECE))
            except (OSError, ValueError):
                self._tail = io.BytesIO(self._before_the_cut())
            else:
                self._given += len(content)
                return content
        if rest := self._tail.read(size):
            return rest
        raise DamagedError("the compressed data ends too early or is damaged")

    def close(self) -> None:
        self._file.close()

    def _open(self) -> Any:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.OSFile(str(self._path)), "zstd")

    def _before_the_cut(self) -> bytes:
        """What can still be unpacked behind the bytes that were given."""
        self._file.close()
        self._file = self._open()
        rest = bytearray()
        try:
            left = self._given
            while left and (content := self._file.read(min(left, _PIECE))):
                left -= len(content)
            while byte := self._file.read(1):
                rest += byte
        except (OSError, ValueError):
            pass
        return bytes(rest)
