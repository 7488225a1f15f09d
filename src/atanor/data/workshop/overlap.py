"""Which held-out rows of a dataset, or items of test files, stand in training rows: with both places and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from atanor.data.duplicates import ContaminatedItem, Overlap, find_contamination
from atanor.data.options import NEAR_DUPLICATE, SourceOptions
from atanor.data.sides import Side
from atanor.data.workshop.blocks import texts_compared
from atanor.data.workshop.dataset import Dataset
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.single import made_dataset, one_stage
from atanor.data.workshop.table import concatenated
from atanor.progress import Progress


@dataclass(frozen=True)
class Contaminated:
    """One test item that stands in the training rows.

    Attributes:
        test: its place, as `test.jsonl:12`.
        kind: the strongest kind of overlap.
        train: place of the training row.
        share: share of the item's words that runs in common cover, from 0 to 1.
        similarity: to the most alike training row, where one is nearly the same; else None.
        run: the first run of words in common, or None.
        test_text: the item.
        train_text: the training row.
    """

    test: str
    kind: Overlap
    train: str
    share: float
    similarity: float | None
    run: str | None
    test_text: str
    train_text: str


@dataclass(frozen=True)
class OverlapReport:
    """What was found. `refused` rows of any file could not be read and were not looked at.

    Attributes:
        items: test items looked for.
        rows: training rows looked at.
        refused: rows that could not be read.
        found: the contaminated items, in order.
        compared_whole: items too short for runs of words.
        counts: contaminated items by kind.
    """

    items: int
    rows: int
    refused: int
    found: tuple[Contaminated, ...]
    compared_whole: int
    counts: dict[str, int]


def overlap_of(
    train: SourceOptions,
    tests: Sequence[SourceOptions],
    progress: Progress,
    *,
    near: float | None = NEAR_DUPLICATE,
) -> OverlapReport:
    """Look for the items of the test files in the training file; prompt and answer of a row are one text.

    Raises:
        DataError: a file cannot be read.
    """
    with (
        made_dataset(one_stage(train), progress) as rows,
        made_dataset(_together(tests), progress) as items,
    ):
        refused = len(rows.refusals) + len(items.refusals)
        return _overlap(rows, items.rows(Side.TRAIN), near, refused)


def overlap_of_sides(dataset: Dataset, *, near: float | None = NEAR_DUPLICATE) -> OverlapReport | None:
    """Look for the held-out rows of a dataset in its training rows; None where nothing is held out."""
    held_out = concatenated(dataset.rows(side) for side in (Side.TEST, Side.VALIDATION))
    return _overlap(dataset, held_out, near) if len(held_out) else None


def _overlap(rows: Dataset, items: pa.Table, near: float | None, refused: int = 0) -> OverlapReport:
    report = find_contamination(
        (texts_compared(batch) for batch in rows.batches(Side.TRAIN)), texts_compared(items.combine_chunks()), near=near
    )
    return OverlapReport(
        items=report.items,
        rows=report.rows,
        refused=refused,
        found=_found(report.contaminated, items, rows),
        compared_whole=report.compared_whole,
        counts={str(kind): report.count(kind) for kind in Overlap},
    )


def _together(sources: Sequence[SourceOptions]) -> Recipe:
    return one_stage(sources[0]).model_copy(update={"sources": tuple(sources)})


def _found(found: Sequence[ContaminatedItem], items: pa.Table, rows: Dataset) -> tuple[Contaminated, ...]:
    if not found:
        return ()
    tests = items.take([one.item for one in found])
    trained = rows.rows(Side.TRAIN).take([one.row for one in found])
    columns = (_places(tests), _places(trained), _texts(tests), _texts(trained))
    return tuple(
        Contaminated(test, one.kind, train, one.share, one.similarity, one.ngram, test_text, train_text)
        for one, test, train, test_text, train_text in zip(found, *columns, strict=True)
    )


def _places(rows: pa.Table) -> list[str]:
    pairs = zip(rows.column("source").to_pylist(), rows.column("line").to_pylist(), strict=True)
    return [f"{source}:{line}" for source, line in pairs]


def _texts(rows: pa.Table) -> list[str]:
    texts: list[str] = texts_compared(rows.combine_chunks()).to_pylist()
    return [text.strip() for text in texts]
