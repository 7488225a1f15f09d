"""Parts of a file that several processes read at once: byte ranges of lines, row groups of Parquet."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from atanor.data.containers.arrow_rows import read_row_groups, row_groups_of
from atanor.data.containers.csv_rows import header_of
from atanor.data.containers.csv_rows import rows_of_lines as csv_rows
from atanor.data.containers.encodings import UTF8
from atanor.data.containers.json_rows import rows_of_lines as json_rows
from atanor.data.containers.lines import read_lines
from atanor.data.containers.row_ends import Cut, line_cuts, row_cuts
from atanor.data.containers.streams import has_old_line_ends, open_section
from atanor.data.readers import Stamp, read_records, stamp_of, unchanged
from atanor.data.records import Record
from atanor.data.rows import Refusal
from atanor.data.sources import FileKind, Source
from atanor.errors import DataError

BLOCK_BYTES = 8 << 20
"""Bytes of one block: 8 MiB, some 25,000 rows, a second of work; small enough for an even load, large enough that
starting it costs nothing."""
_SHOWN = 1 << 16


@dataclass(frozen=True)
class Block:
    """A part of a source. It may be sent to another process.

    Attributes:
        start: first byte; of Parquet, first row group.
        end: the one after the last; None: this is the whole file.
        first: line or row number of its first line or row.
        stamp: of the file when it was divided.
    """

    start: int
    end: int | None
    first: int
    stamp: Stamp | None


def blocks_of(source: Source, block_bytes: int = BLOCK_BYTES) -> tuple[Block, ...]:
    """Divide a source; read one after the other its blocks give what `read_records` gives, with the same line numbers.

    JSON Lines are divided at line ends and Parquet at row groups; CSV at row ends where they can be known without
    reading the rows. Whatever is packed, in another encoding, or of another kind is one block.

    Args:
        source: the file.
        block_bytes: about how many bytes a block has.

    Raises:
        DataError: the file is not Parquet although it is named so.
    """
    stamp = stamp_of(source)
    whole = (Block(0, None, 1, stamp),)
    if source.kind is FileKind.PARQUET:
        cuts = [Cut(group, row) for group, row in row_groups_of(source, block_bytes)]
    elif stamp is None or not _has_plain_lines(source) or stamp.size <= block_bytes:
        return whole
    else:
        cuts = _cuts(source, block_bytes, stamp.size)
    return tuple(Block(one.place, two.place, one.number, stamp) for one, two in itertools.pairwise(cuts)) or whole


def read_block(source: Source, block: Block) -> Iterator[Record | Refusal]:
    """The rows of one block in order.

    Raises:
        DataError: as `read_records`; the file also has to be the one that was divided.
    """
    return unchanged(source, _rows(source, block), block.stamp)


def _rows(source: Source, block: Block) -> Iterator[Record | Refusal]:
    if block.end is None:
        yield from read_records(source)
    elif source.kind is FileKind.PARQUET:
        yield from read_row_groups(source, range(block.start, block.end), block.first)
    else:
        with open_section(source, block.start, block.end) as stream:
            lines = read_lines(stream, block.first)
            if source.kind is FileKind.JSONL:
                yield from json_rows(source, lines)
            else:
                yield from csv_rows(source, lines, None if block.start == 0 else header_of(source))


def _has_plain_lines(source: Source) -> bool:
    """Whether a place in the file is a place in its lines."""
    if source.kind not in (FileKind.JSONL, FileKind.CSV, FileKind.TSV) or source.packing or source.encoding != UTF8:
        return False
    with source.path.open("rb") as file:
        return not has_old_line_ends(file.read(_SHOWN))


def _cuts(source: Source, every: int, size: int) -> list[Cut]:
    """Where blocks begin, and the end of the file; nothing but the start where it cannot be divided."""
    with source.path.open("rb") as file:
        if source.kind is FileKind.JSONL:
            found = list(line_cuts(file, every))
        else:
            try:
                header = header_of(source)
            except DataError:
                return []
            rows = row_cuts(file, every, header.separator) if header is not None else None
            # The first block has to have the header.
            found = [cut for cut in rows or () if header is not None and cut.number > header.line]
    return [Cut(0, 1), *(cut for cut in found if cut.place < size), Cut(size, 0)]
