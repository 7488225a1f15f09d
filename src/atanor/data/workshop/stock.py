"""All rows of a build, block after block, mapped into memory: what the decisions over all rows look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.assigning import SplitKeys
from atanor.data.duplicates.exact import Keys
from atanor.data.workshop.blocks import ROWS_FILE, SIGNATURES_FILE, SPLIT_FILE, map_table, texts_compared
from atanor.data.workshop.split_marks import keys_of_split
from atanor.data.workshop.table import ROWS, empty_rows
from atanor.data.workshop.texts import Indices


@dataclass(frozen=True)
class Place:
    """Where a row stands, and its id."""

    source: str
    line: int
    row: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


class Stock:
    """The checked rows of every block, in order. A row is named by its place in this order, from 0.

    Args:
        folders: of the blocks.
        scratch: folder for what does not fit into memory.
    """

    def __init__(self, folders: Sequence[Path], scratch: Path) -> None:
        self.folders = tuple(folders)
        self.scratch = scratch
        self._tables = [map_table(folder / ROWS_FILE) for folder in folders]
        self._starts = np.cumsum([0, *(len(table) for table in self._tables)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def mark(self, name: str) -> Keys:
        """One of `blocks.MARKS` of all rows, (rows, 2)."""
        parts = [np.load(folder / f"{name}.npy", allow_pickle=False) for folder in self.folders]
        return np.concatenate([np.zeros((0, 2), np.uint64), *parts])

    def column(self, name: str) -> pa.ChunkedArray:
        """One column of all rows."""
        tables = self._tables or [empty_rows()]
        return pa.chunked_array(
            [chunk for table in tables for chunk in table.column(name).chunks], tables[0][name].type
        )

    def signatures(self) -> Iterator[npt.NDArray[np.uint32]]:
        """The MinHash signatures of each block, shape (rows, permutations), mapped."""
        for folder in self.folders:
            yield np.load(folder / SIGNATURES_FILE, mmap_mode="r", allow_pickle=False)

    def blocks(self) -> Iterator[tuple[int, pa.Table]]:
        """The rows of each block and the place of its first."""
        yield from zip(self._starts[:-1].tolist(), self._tables, strict=True)

    def rows(self, places: Indices, columns: Sequence[str] = ROWS.names) -> pa.Table:
        """These columns of the rows of these places, which ascend."""
        cuts = np.searchsorted(places, self._starts)
        parts = [
            table.select(columns).take(pa.array(places[first:end] - start))
            for (start, table), first, end in zip(self.blocks(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
        ]
        return pa.concat_tables([empty_rows().select(columns), *parts])

    def places(self, rows: Indices) -> list[Place]:
        """Where each row stands; the rows come in any order."""
        ascending, order = np.unique(rows, return_inverse=True)
        known = self.rows(ascending, ("source", "line", "id"))
        where = [Place(*one) for one in zip(*(column.to_pylist() for column in known.columns), strict=True)]
        return [where[index] for index in order.tolist()]

    def compared(self, rows: Indices) -> pa.StringArray:
        """What makes two rows nearly the same, of these rows in this order."""
        ascending, order = np.unique(rows, return_inverse=True)
        return texts_compared(self.rows(ascending, ("messages", "text")).combine_chunks()).take(pa.array(order))

    def split_keys(self, rows: Indices, clusters: Indices) -> SplitKeys:
        """What decides the side of each of these rows, which ascend.

        Args:
            rows: places.
            clusters: for each row of the stock the first of its cluster.
        """
        marks = pa.concat_tables(map_table(folder / SPLIT_FILE) for folder in self.folders)
        return keys_of_split(self.column("id").take(pa.array(rows)), marks.take(pa.array(rows)), clusters[rows])
