"""What decides the side of each row, found block by block: its groups, its class, its time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from atanor.data.assigning import Keys, SplitKeys
from atanor.data.identity import content_key
from atanor.data.options import SplitOptions
from atanor.data.splitting import class_names, group_keys, numbered, times_of
from atanor.data.workshop.table import examples_of
from atanor.data.workshop.texts import Indices

GROUP, CLASS, TIME = "group", "class", "time"


def split_marks(rows: pa.Table, options: SplitOptions) -> pa.Table:
    """One record a row: a column for each kind of group, and its class and time where the split asks for them.

    Raises:
        DataError: a row has no group, class or time where one is needed.
    """
    if options.group_by is None and options.stratify_by is None and options.time_by is None:
        return pa.table({f"{GROUP}0": _usual_groups(rows)})
    examples = examples_of(rows)
    columns: dict[str, Any] = {
        f"{GROUP}{number}": keys for number, keys in enumerate(group_keys(examples, options.group_by))
    }
    if options.stratify_by is not None:
        columns[CLASS] = class_names(examples, options.stratify_by)
    if options.time_by is not None:
        columns[TIME] = times_of(examples, options.time_by)
    return pa.table(columns)


def keys_of_split(ids: pa.ChunkedArray, marks: pa.Table, clusters: Indices) -> SplitKeys:
    """The keys of rows from their ids, their marks and the first rows of their clusters."""
    names = marks.column_names
    return SplitKeys(
        rows=np.array([int(name, 16) for name in ids.to_pylist()], np.uint64),
        groups=tuple(marks.column(name).to_numpy() for name in names if name.startswith(GROUP)),
        clusters=clusters,
        labels=numbered(marks.column(CLASS).to_pylist()) if CLASS in names else None,
        times=marks.column(TIME).to_numpy() if TIME in names else None,
    )


def _usual_groups(rows: pa.Table) -> Keys:
    """The keys of `identity.group_key`, without making examples of the rows."""
    turns = rows.column("messages").combine_chunks()
    speakers, contents = (turns.flatten().field(part).to_pylist() for part in range(2))
    keys = []
    end = 0
    for count, group, text in zip(
        turns.value_lengths().to_pylist(),
        rows.column("group").to_pylist(),
        rows.column("text").to_pylist(),
        strict=True,
    ):
        start, end = end, end + count
        if group is not None:
            key = content_key("group", group)
        elif count:
            parts = zip(speakers[start : end - 1], contents[start : end - 1], strict=True)
            key = content_key("prompt", *(part for turn in parts for part in turn))
        else:
            key = content_key("text", text or "")
        keys.append(int(key, 16))
    return np.array(keys, np.uint64)
