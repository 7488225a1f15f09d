"""All texts of a table of rows as one flat array, so that a rule looks at a million of them in one call, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.workshop.table import MESSAGE

Indices = npt.NDArray[np.int64]

_LISTED = ("messages", "references")
_SINGLE = ("text", "rejected", "label")
_CONTENT = 1
"""Place of `content` in `MESSAGE`."""
_CALLS = 3
"""Place of `calls` in `MESSAGE`."""


@dataclass(frozen=True)
class _Part:
    """The texts of one column: which row each belongs to, and which of its row's it is."""

    column: str
    values: pa.StringArray
    rows: Indices
    places: Indices


class TextsOfRows:
    """The texts of a table: contents of turns, plain texts, references, rejected answers and labels.

    Attributes:
        rows: the table.
        values: the texts, flat.
        row: the row of each text.
    """

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self._parts = [_listed(rows, name) for name in _LISTED] + [_single(rows, name) for name in _SINGLE]
        self._starts = np.cumsum([0, *(len(part.values) for part in self._parts)])
        self.values: pa.StringArray = pa.concat_arrays([part.values for part in self._parts])
        self.row: Indices = np.concatenate([part.rows for part in self._parts])

    def field(self, text: int) -> str:
        """The name of a text's place in its row, as `messages[2].content`."""
        which = int(np.searchsorted(self._starts, text, side="right")) - 1
        part = self._parts[which]
        place = int(part.places[text - self._starts[which]])
        if part.column == "messages":
            return f"messages[{place}].content"
        return f"{part.column}[{place}]" if part.column in _LISTED else part.column

    @cached_property
    def is_label(self) -> npt.NDArray[np.bool_]:
        """Whether a text is a label: its turn holds the same words, so checks do not look at it again."""
        labels: npt.NDArray[np.bool_] = np.arange(len(self.values)) >= self._starts[-2]
        return labels

    @cached_property
    def is_answer(self) -> npt.NDArray[np.bool_]:
        """Whether a text is what a model learns to say: assistant turns, plain texts and references."""
        turns = self.rows.column("messages").combine_chunks().flatten().field(0)
        spoken = pc.equal(turns, "assistant").to_numpy(zero_copy_only=False)
        others = [np.full(len(part.values), part.column != "label") for part in self._parts[1:]]
        return np.concatenate([spoken, *others])

    @cached_property
    def calls(self) -> npt.NDArray[np.bool_]:
        """Whether a text stands beside tool calls: such a turn may say nothing."""
        calls = self.rows.column("messages").combine_chunks().flatten().field(_CALLS)
        calling = np.zeros(len(self.values), dtype=bool)
        calling[: len(calls)] = calls.is_valid().to_numpy(zero_copy_only=False)
        return calling

    @cached_property
    def answer(self) -> Indices:
        """The text that each row's answer is: its last turn, or its plain text."""
        column = self.rows.column("messages").combine_chunks()
        offsets = _offsets(column)
        answer = offsets[1:] - 1
        single = self._parts[len(_LISTED)]
        answer[single.rows] = np.arange(len(single.rows)) + self._starts[len(_LISTED)]
        return answer

    def replaced(self, values: pa.StringArray) -> pa.Table:
        """The table with other texts in the same places; ids are not made anew."""
        rows = self.rows
        for part, start in zip(self._parts, self._starts, strict=False):
            texts = values.slice(int(start), len(part.values))
            rows = rows.set_column(
                rows.schema.get_field_index(part.column), rows.schema.field(part.column), _put_back(rows, part, texts)
            )
        return rows


def prompts_of(rows: pa.Table) -> pa.StringArray:
    """What a model is given in each row: the turns before the last, without the system's, joined; "" for plain text."""
    column = rows.column("messages").combine_chunks()
    turns = column.flatten()
    ends = _offsets(column)[1:]
    wanted = pc.not_equal(turns.field(0), "system").to_numpy(zero_copy_only=False).copy()
    wanted[ends[ends > _offsets(column)[:-1]] - 1] = False
    before = np.concatenate([[0], np.cumsum(wanted)])[_offsets(column)]
    contents = turns.field(_CONTENT).filter(pa.array(wanted))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(before, pa.int32()), contents), "\n\n")


def answers_of(rows: pa.Table) -> pa.StringArray:
    """What a model should say in each row: the last turn, or the plain text."""
    column = rows.column("messages").combine_chunks()
    offsets = _offsets(column)
    last = pa.array(np.where(np.diff(offsets) > 0, offsets[1:] - 1, 0), mask=np.diff(offsets) == 0)
    said = column.flatten().field(_CONTENT).take(last)
    return pc.coalesce(said, rows.column("text").combine_chunks(), "")


def _offsets(column: pa.ListArray) -> Indices:
    """Where each row's values begin and end in `column.flatten()`, which leaves out what slicing cut away."""
    offsets: Indices = column.offsets.to_numpy().astype(np.int64)
    offsets -= offsets[0]
    return offsets


def _listed(rows: pa.Table, name: str) -> _Part:
    column = rows.column(name).combine_chunks()
    values = column.flatten()
    counts = np.diff(_offsets(column))
    starts = np.repeat(_offsets(column)[:-1], counts)
    return _Part(
        name,
        values.field(_CONTENT) if name == "messages" else values,
        np.repeat(np.arange(len(counts)), counts),
        np.arange(len(values)) - starts,
    )


def _single(rows: pa.Table, name: str) -> _Part:
    column = rows.column(name).combine_chunks()
    present = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    return _Part(name, column.drop_null(), present, np.zeros(len(present), dtype=np.int64))


def _put_back(rows: pa.Table, part: _Part, texts: pa.StringArray) -> pa.Array:
    column = rows.column(part.column).combine_chunks()
    if part.column in _SINGLE:
        return pc.replace_with_mask(column, column.is_valid(), texts)
    offsets = pa.array(_offsets(column), pa.int32())
    if part.column == "references":
        return pa.ListArray.from_arrays(offsets, texts)
    parts = column.flatten().flatten()
    parts[_CONTENT] = texts
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(parts, fields=list(MESSAGE)))
