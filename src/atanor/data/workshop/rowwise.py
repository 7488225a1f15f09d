"""The end of every stage that looks at rows one by one: what its rules found becomes rows, a log and a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.findings import Finding, TextChange
from atanor.data.workshop.log import Entry, Fate, log_table
from atanor.data.workshop.stages import StageReport, StageResult, Tallies
from atanor.data.workshop.table import examples_of
from atanor.data.workshop.texts import TextsOfRows


@dataclass
class Verdicts:
    """What the rules of a stage said about the texts of a table, gathered while they are asked.

    Attributes:
        texts: the texts that were looked at.
        values: the texts as they are now; None: as they were.
        changes: texts that were written anew.
        refused: places that stop their rows; the first of a row is its reason.
        reported: places that are only told.
    """

    texts: TextsOfRows
    values: pa.StringArray | None = None
    changes: list[TextChange] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)
    reported: list[Finding] = field(default_factory=list)

    def result(self, stage: str, tallies: Tallies) -> StageResult:
        """The rows that go on, the log and the numbers."""
        texts, rows = self.texts, self.texts.rows
        stopped = _first_of_rows(texts, self.refused)
        told = [finding for finding in self.reported if int(texts.row[finding.text]) not in stopped]
        changed = {int(texts.row[change.text]) for change in self.changes} - stopped.keys()
        after = rows if self.values is None else _with_new_ids(texts.replaced(self.values), sorted(changed))
        entries = [
            *_refused(texts, stopped, stage),
            *_changed(texts, [one for one in self.changes if int(texts.row[one.text]) in changed], stage),
            *_found(texts, told, stage, Fate.REPORTED),
        ]
        going_on = np.ones(len(rows), dtype=bool)
        going_on[list(stopped)] = False
        report = StageReport(
            stage=stage,
            read=len(rows),
            kept=len(rows) - len(stopped) - len(changed),
            changed=len(changed),
            refused=len(stopped),
            rules=_rows_by_rule(entries),
        )
        return StageResult(after.filter(pa.array(going_on)), log_table(entries), report, tallies)


def _first_of_rows(texts: TextsOfRows, findings: Iterable[Finding]) -> dict[int, Finding]:
    first: dict[int, Finding] = {}
    for finding in findings:
        first.setdefault(int(texts.row[finding.text]), finding)
    return first


def _with_new_ids(rows: pa.Table, changed: Sequence[int]) -> pa.Table:
    """Rows whose content changed have another name; see `Example.id`."""
    if not changed:
        return rows
    mask = np.zeros(len(rows), dtype=bool)
    mask[changed] = True
    names = pa.array([example.id for example in examples_of(rows.filter(pa.array(mask)))], pa.string())
    ids = pc.replace_with_mask(rows.column("id").combine_chunks(), pa.array(mask), names)
    return rows.set_column(0, rows.schema.field(0), ids)


def _refused(texts: TextsOfRows, stopped: dict[int, Finding], stage: str) -> Iterator[Entry]:
    rows = list(stopped)
    raw = texts.rows.column("fields").take(pa.array(rows, pa.int64())).to_pylist()
    found = _found(texts, list(stopped.values()), stage, Fate.REFUSED)
    yield from (replace(entry, raw=whole) for entry, whole in zip(found, raw, strict=True))


def _changed(texts: TextsOfRows, changes: Sequence[TextChange], stage: str) -> Iterator[Entry]:
    for place, change in zip(_places(texts, changes), changes, strict=True):
        yield Entry(
            **place,
            stage=stage,
            rule=change.rule,
            fate=Fate.CHANGED,
            field=texts.field(change.text),
            before=change.before,
            after=change.after,
            reason="the text was written anew",
            fix=None,
            raw=None,
        )


def _found(texts: TextsOfRows, findings: Sequence[Finding], stage: str, fate: Fate) -> Iterator[Entry]:
    for place, finding in zip(_places(texts, findings), findings, strict=True):
        yield Entry(
            **place,
            stage=stage,
            rule=finding.rule,
            fate=fate,
            field=texts.field(finding.text),
            before=finding.shown,
            after=None,
            reason=finding.reason,
            fix=finding.fix,
            raw=None,
        )


def _places(texts: TextsOfRows, found: Sequence[Finding | TextChange]) -> list[dict[str, Any]]:
    """Source, line and id of the row of each, by their names in an entry."""
    rows = [int(texts.row[one.text]) for one in found]
    columns = texts.rows.select(["source", "line", "id"]).rename_columns(["source", "line", "row"])
    return columns.take(rows).to_pylist() if rows else []


def _rows_by_rule(entries: Iterable[Entry]) -> dict[str, int]:
    rows: dict[str, set[tuple[str, int, str]]] = {}
    for entry in entries:
        rows.setdefault(entry.rule, set()).add((entry.source, entry.line, entry.row))
    return {rule: len(found) for rule, found in sorted(rows.items())}
