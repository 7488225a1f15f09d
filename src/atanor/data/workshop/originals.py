"""Rows as they stood in their file: those that are left, with the texts that a rule writes anew.

Columns that no stage knows (an id, a date, a category) come along, so that one stage over a file changes nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from atanor.data.opening import OpenSource
from atanor.data.options import RowFormat
from atanor.data.sides import Side
from atanor.data.workshop.dataset import Dataset
from atanor.data.workshop.table import examples_of
from atanor.data.writing.kinds import WriteFormat
from atanor.data.writing.shapes import row_of

Rewrite = Callable[[pa.StringArray], pa.StringArray]
"""Texts to the same number of texts."""

_SEVERAL = (RowFormat.SELF_INSTRUCT, RowFormat.TREE, RowFormat.SCRIPT)
"""Shapes of which one row is not one example."""
_NO_TEXT = frozenset({"role", "from", "speaker", "name", "id", "tool_call_id", "type", "weight"})
"""Keys inside a turn whose values are names and not texts."""


def original_rows(
    dataset: Dataset, side: Side, opened: Sequence[OpenSource], rewrite: Rewrite | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of one side, each as in its file.

    Where one row of a file is not one example (trees, plays, self-instruct), examples are written as messages.

    Args:
        dataset: made of these sources.
        side: of the split.
        opened: the sources.
        rewrite: what is done to the texts of the columns that are read; None: nothing.
    """
    columns = {one.source.name: frozenset(one.columns.used) for one in opened if stands_alone(one)}
    for batch in dataset.batches(side):
        names = batch.column("source").to_pylist()
        if not all(name in columns for name in names):
            for example in examples_of(batch):
                yield row_of(example, WriteFormat.TEXT if example.text is not None else WriteFormat.MESSAGES)
            continue
        rows = [json.loads(text) for text in batch.column("fields").to_pylist()]
        yield from rows if rewrite is None else _rewritten(rows, [columns[name] for name in names], rewrite)


def stands_alone(opened: OpenSource) -> bool:
    """Whether every row of the source is one example."""
    return not opened.columns.needs_whole_file and opened.columns.format not in _SEVERAL


def _rewritten(
    rows: list[dict[str, Any]], columns: Sequence[frozenset[str]], rewrite: Rewrite
) -> Iterator[dict[str, Any]]:
    """The rows with other texts in the columns that are read; all texts of a batch are rewritten in one call."""
    texts = [
        text
        for row, read in zip(rows, columns, strict=True)
        for name in row
        if name in read
        for text in _texts(row[name])
    ]
    after = iter(rewrite(pa.array(texts, pa.string())).to_pylist())
    for row, read in zip(rows, columns, strict=True):
        yield {name: _with(value, after) if name in read else value for name, value in row.items()}


def _texts(value: Any) -> Iterator[str]:
    """The texts inside a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inside in value.items():
            if key not in _NO_TEXT:
                yield from _texts(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _texts(inside)


def _with(value: Any, texts: Iterator[str]) -> Any:
    """The value with other texts, taken in the order of `_texts`."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, Mapping):
        return {key: inside if key in _NO_TEXT else _with(inside, texts) for key, inside in value.items()}
    return [_with(inside, texts) for inside in value] if isinstance(value, list) else value
