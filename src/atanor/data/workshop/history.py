"""Where a row came from, and what two datasets differ in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atanor.data.rows import Example
from atanor.data.sides import Side
from atanor.data.workshop.dataset import LOG_FILE, Dataset
from atanor.data.workshop.log import Entry, entries_of
from atanor.data.workshop.table import concatenated, examples_of
from atanor.errors import NotFoundError, Problem

_PLACES = ["id", "source", "line"]
_PLACE = ["source", "line", "made"]
"""What says that two rows of other content are one row, rewritten."""


@dataclass(frozen=True)
class Lineage:
    """One row and everything that happened on its way here.

    Attributes:
        example: the row as it is now; None: it was refused or left out.
        side: of the split; None with `example`.
        entries: what was done to it, in order, from its source line on.
        parents: the rows it was made from by augmentation, nearest first.
        children: rows made from it.
    """

    example: Example | None
    side: Side | None
    entries: tuple[Entry, ...]
    parents: tuple[Example, ...] = ()
    children: tuple[Example, ...] = ()


def trace_row(dataset: Dataset, row: str) -> Lineage:
    """The history of a row.

    Args:
        dataset: where it is, or was refused.
        row: its id or the start of it, or its place as `data/talk.jsonl:12`.

    Raises:
        NotFoundError: no row of the dataset and no entry of its log is meant, or several rows are.
    """
    found = _rows_named(dataset, row)
    source, line = _place(row)
    if len(found) > 1 and source is None:
        problem = Problem(f"{len(found)} rows begin with it", value=row, fix="Type more of the id")
        raise NotFoundError(f"`{row}` is not one row", [problem])
    if found:
        side, example = found[0]
        entries = _entries(dataset, example.source, example.line)
        return Lineage(example, side, tuple(entries), _parents(dataset, example), _children(dataset, example))
    entries = [] if source is None else _entries(dataset, source, line)
    if not entries:
        fix = "Name a row by the start of its id, or as FILE:LINE; `atanor data show` lists some"
        raise NotFoundError(f"there is no row `{row}`", [Problem("not in this dataset", value=row, fix=fix)])
    return Lineage(None, None, tuple(entries))


@dataclass(frozen=True)
class Rewritten:
    """A row of one place that has another content in the newer dataset."""

    before: Example
    after: Example


@dataclass(frozen=True)
class Difference:
    """What a newer dataset has that an older has not, and the other way round.

    Attributes:
        added: rows whose content is only in the newer one, at places that are new.
        removed: rows whose content is only in the older one, at places that are gone.
        rewritten: rows of one place with another content.
        moved: rows of equal content on another side of the split, by "before to after".
        same: rows of equal content on the same side.
        recipe: keys of the recipe whose values differ: key to (before, after).
        samples: some added, removed and rewritten rows, at most as many of each as were asked for.
    """

    added: int
    removed: int
    rewritten: int
    moved: Mapping[str, int]
    same: int
    recipe: Mapping[str, tuple[object, object]]
    added_rows: tuple[Example, ...]
    removed_rows: tuple[Example, ...]
    rewritten_rows: tuple[Rewritten, ...]


def difference(older: Dataset, newer: Dataset, samples: int = 3) -> Difference:
    """Compare two datasets row by row; `samples` rows of each kind are shown."""
    before, after = _sided_places(older), _sided_places(newer)
    both = before.join(after, keys="id", right_keys="id", join_type="inner", right_suffix="_new")
    moved = both.filter(pc.not_equal(both.column("side"), both.column("side_new")))
    gone = before.join(after, keys="id", join_type="left anti")
    come = after.join(before, keys="id", join_type="left anti")
    again = gone.join(come, keys=_PLACE, join_type="inner", right_suffix="_new")
    removed = gone.join(come, keys=_PLACE, join_type="left anti").sort_by(
        [("source", "ascending"), ("line", "ascending")]
    )
    added = come.join(gone, keys=_PLACE, join_type="left anti").sort_by(
        [("source", "ascending"), ("line", "ascending")]
    )
    again = again.sort_by([("source", "ascending"), ("line", "ascending")])
    steps = [
        f"{one} to {other}" for one, other in zip(moved["side"].to_pylist(), moved["side_new"].to_pylist(), strict=True)
    ]
    rewritten = zip(
        _examples(older, again.column("id")[:samples]), _examples(newer, again.column("id_new")[:samples]), strict=True
    )
    return Difference(
        added=len(added),
        removed=len(removed),
        rewritten=len(again),
        moved={step: steps.count(step) for step in sorted(set(steps))},
        same=len(both) - len(moved),
        recipe=_recipes(older.version.recipe, newer.version.recipe),
        added_rows=_examples(newer, added.column("id")[:samples]),
        removed_rows=_examples(older, removed.column("id")[:samples]),
        rewritten_rows=tuple(Rewritten(one, other) for one, other in rewritten),
    )


def _place(row: str) -> tuple[str | None, int]:
    """`data/talk.jsonl:12` as file and line."""
    source, colon, line = row.rpartition(":")
    return (source, int(line)) if colon and line.isdigit() else (None, 0)


def _rows_named(dataset: Dataset, row: str) -> list[tuple[Side, Example]]:
    source, line = _place(row)
    found: list[tuple[Side, Example]] = []
    for side in Side:
        places = dataset.rows(side, _PLACES)
        if source is None:
            wanted = pc.starts_with(places.column("id"), row)
        else:
            wanted = pc.and_(pc.equal(places.column("source"), source), pc.equal(places.column("line"), line))
        if pc.any(wanted).as_py():
            found += [(side, example) for example in examples_of(dataset.rows(side).filter(wanted))]
    return found


def _entries(dataset: Dataset, source: str, line: int) -> list[Entry]:
    same = (pc.field("source") == source) & (pc.field("line") == line)
    return entries_of(pq.read_table(dataset.folder / LOG_FILE, filters=same))


def _parents(dataset: Dataset, example: Example) -> tuple[Example, ...]:
    parents: list[Example] = []
    while example.parent is not None:
        above = _examples(dataset, pa.chunked_array([[example.parent]]))
        if not above:
            break
        example = above[0]
        parents.append(example)
    return tuple(parents)


def _children(dataset: Dataset, example: Example) -> tuple[Example, ...]:
    return tuple(
        child
        for side in Side
        for child in examples_of(
            pq.read_table(dataset.folder / f"{side}.parquet", filters=pc.field("parent") == example.id)
        )
    )


def _examples(dataset: Dataset, names: pa.ChunkedArray) -> tuple[Example, ...]:
    """The rows of these ids, in their order."""
    wanted = names.to_pylist()
    if not wanted:
        return ()
    rows = concatenated(
        pq.read_table(dataset.folder / f"{side}.parquet", filters=pc.field("id").isin(wanted)) for side in Side
    )
    found = {example.id: example for example in examples_of(rows)}
    return tuple(found[name] for name in wanted if name in found)


def _sided_places(dataset: Dataset) -> pa.Table:
    """Id, source, line and side of every row; of one that augmentation made its id too: its place is its parent's."""
    sides = []
    for side in Side:
        rows = dataset.rows(side, [*_PLACES, "parent"])
        made = pc.if_else(pc.is_null(rows.column("parent")), "", rows.column("id"))
        named = rows.select(_PLACES).append_column("made", made)
        sides.append(named.append_column("side", pa.array([str(side)] * len(rows), pa.string())))
    return pa.concat_tables(sides)


def _recipes(
    before: Mapping[str, object], after: Mapping[str, object], at: str = ""
) -> dict[str, tuple[object, object]]:
    """Dotted keys whose values differ."""
    different: dict[str, tuple[object, object]] = {}
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key), after.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            different |= _recipes(one, other, f"{at}{key}.")
        elif one != other:
            different[f"{at}{key}"] = (one, other)
    return different
