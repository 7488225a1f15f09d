"""The log of a stage: one entry for everything that was done to a row and why, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from atanor.data.rows import Refusal
from atanor.errors import shorten


class Fate(StrEnum):
    """What became of a row at a rule."""

    CHANGED = "changed"
    """It went on, otherwise than it came."""
    REFUSED = "refused"
    """It went no further, because of a fault; the log keeps it whole."""
    LEFT_OUT = "left_out"
    """It went no further, because it was not wanted (`where`, `limit`) or was there already (duplicates)."""
    REPORTED = "reported"
    """It went on as it was, and the report tells."""
    ADDED = "added"
    """It was made here."""
    NOT_MADE = "not_made"
    """No fate of a row: a candidate of augmentation that was not good enough to become one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log.

    Attributes:
        source: file of the row, as the user wrote it.
        line: line or row in that file, from 1.
        row: id of the row as it came into the stage; "" for a row that could not be read.
        stage: name of the stage.
        rule: dotted name of the rule.
        fate: what became of the row.
        field: which of its texts or columns, as `messages[1].content`; None: the row as a whole.
        before: what was there, shortened; None: not told.
        after: what is there now, shortened.
        reason: why, one sentence without a full stop.
        fix: what a person can do.
        raw: the whole row as JSON or as it stood in its file, where it went no further because of a fault.
    """

    source: str
    line: int
    row: str
    stage: str
    rule: str
    fate: str
    field: str | None
    before: str | None
    after: str | None
    reason: str
    fix: str | None
    raw: str | None


LOG = pa.schema(
    [
        ("source", pa.string()),
        ("line", pa.int64()),
        *(
            (name, pa.string())
            for name in ("row", "stage", "rule", "fate", "field", "before", "after", "reason", "fix")
        ),
        ("raw", pa.string()),
    ]
)


def log_table(entries: Sequence[Entry]) -> pa.Table:
    """The entries as a table of `LOG`."""
    # Column by column: `dataclasses.astuple` copies what it reads and takes a hundred times as long.
    columns = [[getattr(entry, name) for entry in entries] for name in LOG.names]
    return pa.table([pa.array(column, kind.type) for column, kind in zip(columns, LOG, strict=True)], schema=LOG)


def entries_of(log: pa.Table) -> list[Entry]:
    """The entries of a table of `LOG`."""
    return [Entry(*values) for values in zip(*(log.column(name).to_pylist() for name in LOG.names), strict=True)]


def refused_entry(refusal: Refusal, stage: str, rule: str, row: str = "") -> Entry:
    """A refusal as the log keeps it."""
    return Entry(
        source=refusal.source,
        line=refusal.line,
        row=row,
        stage=stage,
        rule=rule,
        fate=Fate.REFUSED,
        field=refusal.field,
        before=refusal.value,
        after=None,
        reason=refusal.reason,
        fix=refusal.fix,
        raw=refusal.raw,
    )


def refusals_of(entries: Iterable[Entry]) -> list[Refusal]:
    """The refused rows among the entries, as the quarantine keeps them."""
    return [
        Refusal(
            source=entry.source,
            line=entry.line,
            reason=entry.reason,
            fix=entry.fix or "Mend or remove the row",
            field=entry.field,
            value=entry.before,
            raw=entry.raw or "",
        )
        for entry in entries
        if entry.fate == Fate.REFUSED
    ]


def around(text: str, start: int, end: int, width: int = 24) -> str:
    """A place in a text with a little of what stands around it, for reading."""
    return shorten(text[max(0, start - width) : end + width], 2 * width + 40)
