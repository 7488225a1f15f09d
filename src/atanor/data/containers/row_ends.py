"""Where a file of lines can be cut into parts that read alone as they read in the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

from atanor.data import limits
from atanor.data.containers.lines import BYTE_ORDER_MARK

_PIECE = 4 << 20
_QUOTE, _LINE_FEED = 0x22, 0x0A


class Cut(NamedTuple):
    """A place where a part may begin, in bytes from the start of the file, and the number of the line there, from 1."""

    place: int
    number: int


def line_cuts(file: IO[bytes], every: int) -> Iterator[Cut]:
    """The first line that begins at least `every` bytes behind the cut before it, again and again."""
    base, lines, target = 0, 0, every
    while piece := file.read(_PIECE):
        counted = 0
        while (end := piece.find(b"\n", max(target - 1 - base, counted))) >= 0:
            lines += piece.count(b"\n", counted, end + 1)
            counted = end + 1
            yield Cut(base + counted, lines + 1)
            target = base + counted + every
        lines += piece.count(b"\n", counted)
        base += len(piece)


def row_cuts(file: IO[bytes], every: int, separator: str) -> list[Cut] | None:
    """The same for rows of CSV, whose quoted cells may hold line ends; None where the rows cannot be told apart.

    A line end is the end of a row when the quotes before it are even in number. That holds as long as every odd quote
    stands where a cell begins (or doubles the quote before it) and every even one where a cell ends (or is doubled),
    which is checked for each, and no line ends in a lone carriage return.
    """
    import numpy as np

    opening = np.frombuffer(separator.encode() + b'\n"', np.uint8)
    closing = np.frombuffer(separator.encode() + b'\r\n"', np.uint8)
    mark = file.read(len(BYTE_ORDER_MARK))
    base = len(mark) if mark == BYTE_ORDER_MARK else 0
    file.seek(base)
    before, piece = b"\n", file.read(_PIECE)
    quotes_before, lines, last_end, target = 0, 0, 0, every
    cuts: list[Cut] = []
    while piece:
        following = file.read(_PIECE)
        padded = np.frombuffer(before + piece + (following[:1] or b"\n"), np.uint8)
        content = padded[1:-1]
        quotes = np.flatnonzero(content == _QUOTE)
        closes = (np.arange(len(quotes)) + quotes_before) % 2 == 1
        opened_well = np.isin(padded[quotes[~closes]], opening).all()
        closed_well = np.isin(padded[quotes[closes] + 2], closing).all()
        returns = np.flatnonzero(content == 0x0D)
        if not (opened_well and closed_well and (padded[returns + 2] == _LINE_FEED).all()):
            return None
        feeds = np.flatnonzero(content == _LINE_FEED)
        is_end = (np.searchsorted(quotes, feeds) + quotes_before) % 2 == 0
        ends = base + feeds[is_end] + 1
        # The reader gives up on rows and cells that are too long, and where it goes on is not for us to know.
        if len(ends) and np.diff(ends, prepend=last_end).max() > limits.LONGEST_ROW:
            return None
        numbers = lines + np.flatnonzero(is_end) + 2
        while (first := int(np.searchsorted(ends, target))) < len(ends):
            cuts.append(Cut(int(ends[first]), int(numbers[first])))
            target = int(ends[first]) + every
        last_end = int(ends[-1]) if len(ends) else last_end
        lines += len(feeds)
        quotes_before += len(quotes)
        base += len(piece)
        before, piece = piece[-1:], following
    return cuts if base - last_end <= limits.LONGEST_ROW else None
