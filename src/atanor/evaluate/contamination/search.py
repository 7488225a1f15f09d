"""Look for test items in what a candidate was trained on, whichever version of the data that was.

The search is the data workshop's (`atanor.data.duplicates`): whole texts, near-duplicates, runs of words. To it comes
what only ids know: a row that augmentation made from a test item, or from the row the item was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from atanor.data.duplicates import ContaminatedItem, Overlap, find_contamination
from atanor.data.rows import Example
from atanor.data.workshop.blocks import texts_compared
from atanor.data.workshop.table import table_of
from atanor.evaluate.contamination.leaks import Leak, LeakKind

_SHOWN = 400
"""Characters of a training row that a report shows."""
_BATCH = 8192
"""Training rows looked at at once."""
_KINDS = {Overlap.EXACT: LeakKind.EXACT, Overlap.NEAR: LeakKind.NEAR, Overlap.NGRAM: LeakKind.NGRAM}


@dataclass(frozen=True)
class TrainedOn:
    """One version of the rows a candidate learned from: its name for reading, and the rows."""

    name: str
    examples: Sequence[Example]


def find_leaks(test: Sequence[Example], versions: Sequence[TrainedOn]) -> list[Leak]:
    """The test items that stand in any of these versions, each with its strongest leak, in their order.

    Args:
        test: the held-out examples a verdict is made on.
        versions: what the candidate and those it came from learned from.
    """
    found = (leak for version in versions for leak in (*_by_text(test, version), *_by_family(test, version)))
    return strongest(test, found)


def strongest(test: Sequence[Example], leaks: Iterable[Leak]) -> list[Leak]:
    """Of each test item the first of its strongest leaks, in the order of the items."""
    kinds = list(LeakKind)
    best: dict[str, Leak] = {}
    for leak in leaks:
        known = best.get(leak.item)
        if known is None or (leak.learned, -kinds.index(leak.kind)) > (known.learned, -kinds.index(known.kind)):
            best[leak.item] = leak
    return [best[example.id] for example in test if example.id in best]


def _by_text(test: Sequence[Example], version: TrainedOn) -> Iterator[Leak]:
    """What the workshop's search finds; prompt and answer of a row are one text."""
    if not test or not version.examples:
        return
    found = find_contamination(_batches(version.examples), _texts(test))
    for one in found.contaminated:
        yield _leak(test[one.item], version.examples[one.row], version.name, one)


def _leak(item: Example, row: Example, dataset: str, found: ContaminatedItem) -> Leak:
    return Leak(
        item=item.id,
        test=_place(item),
        kind=_KINDS[found.kind],
        dataset=dataset,
        train=_place(row),
        train_text=_text(row),
        share=found.share,
        similarity=found.similarity,
        run=found.ngram,
    )


def _by_family(test: Sequence[Example], version: TrainedOn) -> Iterator[Leak]:
    """Rows and items that augmentation made one from the other, or both from one."""
    by_id = {row.id: row for row in version.examples}
    by_parent = {row.parent: row for row in version.examples if row.parent is not None}
    for item in test:
        row = by_parent.get(item.id)
        if row is None and item.parent is not None:
            row = by_id.get(item.parent) or by_parent.get(item.parent)
        if row is not None:
            yield Leak(
                item=item.id,
                test=_place(item),
                kind=LeakKind.FAMILY,
                dataset=version.name,
                train=_place(row),
                train_text=_text(row),
            )


def _batches(examples: Sequence[Example]) -> Iterator[pa.StringArray]:
    for start in range(0, len(examples), _BATCH):
        yield _texts(examples[start : start + _BATCH])


def _texts(examples: Sequence[Example]) -> pa.StringArray:
    return texts_compared(table_of(examples))


def _place(example: Example) -> str:
    return f"{example.source}:{example.line}"


def _text(example: Example) -> str:
    text: str = _texts([example])[0].as_py().strip()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
