"""What a stage gives: rows that go on, a log of what it did, and a report whose numbers add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

Tallies = Mapping[str, Mapping[str, int]]
"""Counts a stage made while it looked: of what, of which value, how many. `{"language": {"en": 2900}}`."""


@dataclass(frozen=True)
class StageReport:
    """What one stage did to the rows. `read == kept + changed + refused + left_out`, checked when it is made.

    Attributes:
        stage: its name.
        read: rows that came in.
        kept: rows that went on as they were.
        changed: rows that went on otherwise.
        refused: rows that went no further because of a fault; the log has them whole.
        left_out: rows that went no further because nobody wanted them or they were there already.
        added: rows made here: of one record with several examples, or by augmentation.
        merged: rows that were put into another one, with their content: the turns of one conversation.
        rules: rows at which each rule did something.
    """

    stage: str
    read: int
    kept: int
    changed: int = 0
    refused: int = 0
    left_out: int = 0
    added: int = 0
    merged: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.read != self.kept + self.changed + self.refused + self.left_out:
            raise AssertionError(f"rows are unaccounted for: {self}")

    @property
    def out(self) -> int:
        """Rows that went on to the next stage."""
        return self.kept + self.changed + self.added - self.merged


@dataclass(frozen=True)
class StageResult:
    """Rows that go on (schema `ROWS`), what was done (schema `LOG`), and the numbers."""

    rows: pa.Table
    log: pa.Table
    report: StageReport
    tallies: Tallies = field(default_factory=dict)


def added_reports(reports: Iterable[StageReport]) -> StageReport:
    """The report of one stage over several batches of rows."""
    parts = list(reports)
    rules: Counter[str] = Counter()
    for part in parts:
        rules.update(part.rules)
    return StageReport(
        stage=parts[0].stage,
        read=sum(part.read for part in parts),
        kept=sum(part.kept for part in parts),
        changed=sum(part.changed for part in parts),
        refused=sum(part.refused for part in parts),
        left_out=sum(part.left_out for part in parts),
        added=sum(part.added for part in parts),
        merged=sum(part.merged for part in parts),
        rules=dict(sorted(rules.items())),
    )


def added_tallies(tallies: Iterable[Tallies]) -> dict[str, dict[str, int]]:
    """Counts of several batches together."""
    total: dict[str, Counter[str]] = {}
    for one in tallies:
        for name, counts in one.items():
            total.setdefault(name, Counter()).update(counts)
    return {name: dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))) for name, counts in total.items()}
