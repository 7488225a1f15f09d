"""Whether test items, or probes, stand in the training rows: whole, as a run of words, or nearly.

Runs are those of 13 words that GPT-3 was checked with (Brown et al. 2020, appendix C), and of 8 for items with fewer
than 13 words. How much of an item such runs cover is told beside it, as Llama 2 was (Touvron et al. 2023, section
A.6): a sentence quoted in a long item is little, an item covered whole is much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa

from atanor.data.duplicates.folding import fold, fold_in_chunks
from atanor.data.duplicates.indexes import NO_ROW, NearIndex, RunHits, RunIndex, TextIndex
from atanor.data.duplicates.minhash import PERMUTATIONS
from atanor.data.duplicates.words import joined_words, words_of
from atanor.data.options import NEAR_DUPLICATE

NGRAM = 13
"""Words of a run that two texts do not share by chance."""
SHORT_NGRAM = 8
"""The same, for items with fewer words than `NGRAM`. Items shorter still are compared whole only."""


class Overlap(StrEnum):
    """How an item stands in the training rows, the strongest first."""

    EXACT = "exact"
    """A row is the item, but for case, punctuation and white space."""
    NEAR = "near"
    """A row is a near-duplicate of the item."""
    NGRAM = "ngram"
    """A row has a run of words in common with the item."""


@dataclass(frozen=True)
class ContaminatedItem:
    """One item that stands in the training rows.

    Attributes:
        item: its number among the items.
        kind: the strongest kind of overlap.
        row: number of the training row: the first with that overlap, or the most alike.
        ngram: the first run of words that the first row with any has in common, folded; None where there is none.
        share: share of the item's words that runs in common cover, 0 to 1.
        similarity: estimated Jaccard similarity to the most alike near-duplicate row; None where there is none.
    """

    item: int
    kind: Overlap
    row: int
    ngram: str | None
    share: float
    similarity: float | None


@dataclass(frozen=True)
class ContaminationReport:
    """What was found.

    Attributes:
        items: number of items looked for.
        rows: number of training rows looked at.
        contaminated: the items that were found, in their order.
        compared_whole: items of fewer than 8 words, for which runs say nothing.
        templates: distinct runs left aside because many items share them.
    """

    items: int
    rows: int
    contaminated: tuple[ContaminatedItem, ...]
    compared_whole: int
    templates: int

    def count(self, kind: Overlap) -> int:
        """Items of this kind."""
        return sum(found.kind is kind for found in self.contaminated)


def find_contamination(
    train: Iterable[pa.StringArray],
    test: pa.StringArray,
    n: int = NGRAM,
    *,
    near: float | None = NEAR_DUPLICATE,
) -> ContaminationReport:
    """Look for test items, or those of public probes, in the training rows.

    Args:
        train: the training rows, one text each, in batches; they are read once and not kept.
        test: the items, one text each.
        n: words of a run.
        near: Jaccard similarity from which a row is a near-duplicate of an item; None: near-duplicates are not
            looked for, which is several times as fast.
    """
    index = ContaminationIndex(test, n, near=near)
    for batch in train:
        index.add(batch)
    return index.report()


class ContaminationIndex:
    """The items, indexed once; training rows stream past them."""

    def __init__(self, items: pa.StringArray, n: int = NGRAM, *, near: float | None = NEAR_DUPLICATE) -> None:
        """See `find_contamination` for the arguments."""
        self._items = items
        self._rows = 0
        words = joined_words([words_of(folded) for _, folded in fold_in_chunks(items)])
        self._counts = words.counts
        self._shortest = min(SHORT_NGRAM, n)
        sizes = np.where(self._counts >= n, n, np.where(self._counts >= self._shortest, self._shortest, 0))
        self._texts = TextIndex(words)
        self._runs = [RunIndex(words, int(size), sizes == size) for size in np.unique(sizes) if size]
        self._near = None if near is None else NearIndex(items, near, PERMUTATIONS)

    def add(self, rows: pa.StringArray) -> None:
        """Look at the next training rows, one text each."""
        for first, folded in fold_in_chunks(rows):
            words = words_of(folded)
            self._texts.look_up(words, self._rows + first)
            for runs in self._runs:
                runs.look_up(words, self._rows + first)
        if self._near is not None:
            self._near.look_up(rows, self._rows)
        self._rows += len(rows)

    def report(self) -> ContaminationReport:
        """What was found in the rows so far."""
        exact = self._texts.rows()
        runs = [one.hits() for one in self._runs]
        near = np.full(len(self._items), NO_ROW) if self._near is None else self._near.row
        found = np.minimum.reduce([exact, near, *(one.row for one in runs)]) != NO_ROW
        items = (self._item(item, int(exact[item]), runs) for item in np.flatnonzero(found).tolist())
        return ContaminationReport(
            items=len(self._items),
            rows=self._rows,
            contaminated=tuple(items),
            compared_whole=int((self._counts < self._shortest).sum()),
            templates=sum(one.templates for one in self._runs),
        )

    def _item(self, item: int, exact: int, runs: Sequence[RunHits]) -> ContaminatedItem:
        near = NO_ROW if self._near is None else int(self._near.row[item])
        run = next((one for one in runs if one.row[item] != NO_ROW), None)
        rows = {Overlap.EXACT: exact, Overlap.NEAR: near, Overlap.NGRAM: int(run.row[item]) if run else NO_ROW}
        kind = next(kind for kind in Overlap if rows[kind] != NO_ROW)
        return ContaminatedItem(
            item=item,
            kind=kind,
            row=rows[kind],
            ngram=self._ngram(item, int(run.place[item]), run.size) if run else None,
            share=int(run.covered[item]) / int(self._counts[item]) if run else 0.0,
            similarity=float(self._near.similarity[item]) if self._near and near != NO_ROW else None,
        )

    def _ngram(self, item: int, place: int, size: int) -> str:
        """The run of `size` words of an item from its word number `place` on."""
        folded = fold(self._items.slice(item, 1))
        ends = np.append(words_of(folded).places, folded.ends[0])
        return folded.text(0)[ends[place] : ends[place + size]].strip()
