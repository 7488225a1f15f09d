"""Rows as Arrow tables: the one schema that every stage of the workshop takes and gives."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa

from atanor.data.rows import Example, Message, Speaker

MESSAGE = pa.struct(
    [
        ("speaker", pa.string()),
        ("content", pa.string()),
        ("train", pa.bool_()),
        ("calls", pa.string()),
        ("name", pa.string()),
    ]
)
"""One turn; see `Message`."""

ROWS = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("line", pa.int64()),
        ("messages", pa.list_(MESSAGE)),
        ("text", pa.string()),
        ("references", pa.list_(pa.string())),
        ("rejected", pa.string()),
        ("desirable", pa.bool_()),
        ("label", pa.string()),
        ("tools", pa.string()),
        ("group", pa.string()),
        ("parent", pa.string()),
        ("technique", pa.string()),
        ("fields", pa.string()),
    ]
)
"""One row; see `Example`. `fields` is JSON text of the row as it stood in its file."""


def table_of(examples: Sequence[Example]) -> pa.Table:
    """The examples as a table of `ROWS`, in their order."""
    return pa.table(
        {
            "id": [example.id for example in examples],
            "source": [example.source for example in examples],
            "line": [example.line for example in examples],
            "messages": _messages(examples),
            "text": [example.text for example in examples],
            "references": [list(example.references) for example in examples],
            "rejected": [example.rejected for example in examples],
            "desirable": [example.desirable for example in examples],
            "label": [example.label for example in examples],
            "tools": [example.tools for example in examples],
            "group": [example.group for example in examples],
            "parent": [example.parent for example in examples],
            "technique": [example.technique for example in examples],
            "fields": [_json(example.fields) for example in examples],
        },
        schema=ROWS,
    )


def examples_of(rows: pa.Table) -> list[Example]:
    """The rows of a table as examples, in their order; the inverse of `table_of`."""
    columns: dict[str, list[Any]] = {
        name: rows.column(name).to_pylist() for name in ROWS.names if name not in ("messages", "id")
    }
    turns = _turns(rows)
    return [
        _example(messages, dict(zip(columns, values, strict=True)))
        for messages, values in zip(turns, zip(*columns.values(), strict=True), strict=True)
    ]


def empty_rows() -> pa.Table:
    """A table of `ROWS` with no row."""
    return ROWS.empty_table()


def concatenated(tables: Iterable[pa.Table]) -> pa.Table:
    """The rows of all tables, in order, in one chunk a column."""
    return pa.concat_tables([empty_rows(), *tables]).combine_chunks()


def _json(fields: Mapping[str, Any]) -> bytes:
    """JSON text of a row as UTF-8."""
    try:
        return orjson.dumps(fields, default=str, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:  # keys that are no text, numbers of more than 64 bits
        return json.dumps(fields, ensure_ascii=False, default=str).encode()


def _messages(examples: Sequence[Example]) -> pa.ListArray:
    """The turns of all examples: built flat, which is several times as fast as lists of dictionaries."""
    turns = [message for example in examples for message in example.messages]
    values = pa.StructArray.from_arrays(
        [
            pa.array([str(turn.speaker) for turn in turns], pa.string()),
            pa.array([turn.content for turn in turns], pa.string()),
            pa.array([turn.train for turn in turns], pa.bool_()),
            pa.array([turn.calls for turn in turns], pa.string()),
            pa.array([turn.name for turn in turns], pa.string()),
        ],
        fields=list(MESSAGE),
    )
    offsets = [0, *itertools.accumulate(len(example.messages) for example in examples)]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _turns(rows: pa.Table) -> list[tuple[Message, ...]]:
    """The turns of every row."""
    column = rows.column("messages").combine_chunks()
    parts = [part.to_pylist() for part in column.flatten().flatten()]
    turns = [
        Message(Speaker(speaker), content, train, calls, name)
        for speaker, content, train, calls, name in zip(*parts, strict=True)
    ]
    counts = column.value_lengths().to_pylist()
    each = iter(turns)
    return [tuple(itertools.islice(each, count)) for count in counts]


def _example(messages: tuple[Message, ...], values: Mapping[str, Any]) -> Example:
    return Example(
        messages=messages,
        text=values["text"],
        source=values["source"],
        line=values["line"],
        group=values["group"],
        fields=json.loads(values["fields"]),
        references=tuple(values["references"]),
        rejected=values["rejected"],
        desirable=values["desirable"],
        label=values["label"],
        tools=values["tools"],
        parent=values["parent"],
        technique=values["technique"],
    )
