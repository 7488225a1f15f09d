"""From what a side of the split can teach to the items of an objective."""

from __future__ import annotations

from atanor.train.objectives.declaring import ObjectiveOptions
from atanor.train.objectives.material import Items, Supervision


def answers(options: ObjectiveOptions, side: Supervision) -> Items:
    """Every row; of two answers the better one."""
    del options
    notes = []
    if side.pairs:
        notes.append(f"{len(side.pairs):,} rows have a worse answer too, which completion does not use")
    return Items(side.rows, tuple(notes))


def pairs(options: ObjectiveOptions, side: Supervision) -> Items:
    """Every pair of a better and a worse answer; rows with one answer are left aside."""
    del options
    paired = {pair.example_id for pair in side.pairs}
    alone = len({row.example_id for row in side.rows} - paired)
    notes = (f"{alone:,} rows have no worse answer and are left aside",) if alone else ()
    return Items(side.pairs, notes)
