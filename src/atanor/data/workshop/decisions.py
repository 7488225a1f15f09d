"""What is decided about a row in view of all others: limits, copies, contradictions, and the side it is on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from atanor.data.assigning import assign_sides
from atanor.data.duplicates.exact import contradictions, first_occurrences
from atanor.data.duplicates.near import NearDuplicates
from atanor.data.findings import Action
from atanor.data.sides import SIDES
from atanor.data.workshop.log import Entry, Fate
from atanor.data.workshop.options import CheckOptions, Copies
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.stages import StageReport
from atanor.data.workshop.stock import Stock
from atanor.data.workshop.texts import Indices
from atanor.progress import Progress, Silent

Flags = npt.NDArray[np.bool_]

SELECT, DUPLICATES, CONTRADICTIONS, NEAR_DUPLICATES, SPLIT = (
    "select",
    "duplicates",
    "contradictions",
    "near_duplicates",
    "split",
)

WORTH_A_BAR = 50_000
"""Rows from which the search for near-duplicates takes so long that people should see it go on."""


@dataclass
class Decisions:
    """What was decided so far.

    Attributes:
        stock: the rows.
        alive: rows that go on.
        reports: one a stage.
        entries: of the log.
        notes: what a reader should know, in sentences.
        sides: of each row, a place in `SIDES`; -1 for rows that do not go on.
        split_sha: of the split, once there is one.
    """

    stock: Stock
    alive: Flags = field(init=False)
    reports: list[StageReport] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sides: npt.NDArray[np.int8] = field(init=False)
    split_sha: str | None = None

    def __post_init__(self) -> None:
        self.alive = np.ones(len(self.stock), dtype=bool)
        self.sides = np.zeros(len(self.stock), dtype=np.int8)

    @property
    def going(self) -> Indices:
        """The rows that go on, ascending."""
        return np.flatnonzero(self.alive)

    def conclude(self, stage: str, rule: str, fate: Fate, rows: Indices, *, reasons: Sequence[str], fix: str) -> None:
        """Write down that a stage did something to these rows, and let go on only those it did not stop."""
        read = int(self.alive.sum())
        stopped = len(rows) if fate in (Fate.REFUSED, Fate.LEFT_OUT) else 0
        refused = stopped if fate is Fate.REFUSED else 0
        self.reports.append(
            StageReport(
                stage=stage,
                read=read,
                kept=read - stopped,
                refused=refused,
                left_out=stopped - refused,
                rules={rule: len(rows)} if len(rows) else {},
            )
        )
        self.entries += self._entries(stage, rule, fate, rows, reasons=reasons, fix=fix)
        if stopped:
            self.alive[rows] = False

    def _entries(
        self, stage: str, rule: str, fate: Fate, rows: Indices, *, reasons: Sequence[str], fix: str
    ) -> list[Entry]:
        raw = dict.fromkeys(rows.tolist())
        if fate is Fate.REFUSED and len(rows):
            raw = dict(
                zip(
                    np.unique(rows).tolist(),
                    self.stock.rows(np.unique(rows), ("fields",))["fields"].to_pylist(),
                    strict=True,
                )
            )
        return [
            Entry(
                source=place.source,
                line=place.line,
                row=place.row,
                stage=stage,
                rule=rule,
                fate=fate,
                field=None,
                before=None,
                after=None,
                reason=reason,
                fix=fix,
                raw=raw[row],
            )
            for row, place, reason in zip(rows.tolist(), self.stock.places(rows), reasons, strict=True)
        ]


def select(decisions: Decisions, limits: dict[str, int], seed: int) -> None:
    """Leave out what `limit` does not want of each source; the draw hangs on content, so more rows keep most of it."""
    if not limits:
        return
    sources = decisions.stock.column("source")
    over: list[Indices] = []
    for source, limit in limits.items():
        rows = np.flatnonzero(decisions.alive & pc.equal(sources, source).to_numpy(zero_copy_only=False))
        if len(rows) > limit:
            names = decisions.stock.column("id").take(rows).to_pylist()
            keys = [hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in names]
            order = sorted(range(len(rows)), key=lambda index: (keys[index], index))
            over.append(np.sort(rows[order[limit:]]))
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *over])
    decisions.conclude(
        SELECT,
        "select.limit",
        Fate.LEFT_OUT,
        rows,
        reasons=["more rows than `limit` asks for"] * len(rows),
        fix="Raise `limit`",
    )


def leave_out_duplicates(decisions: Decisions) -> None:
    """Leave out every row that is equal to an earlier one."""
    going = decisions.going
    first = going[first_occurrences(decisions.stock.mark("content")[going])]
    copies = first != going
    reasons = [f"equal to {place}" for place in decisions.stock.places(first[copies])]
    decisions.conclude(
        DUPLICATES, "duplicates.exact", Fate.LEFT_OUT, going[copies], reasons=reasons, fix="Remove one of them"
    )


def find_contradictions(decisions: Decisions, action: Action) -> None:
    """Rows with one prompt and different labels; of free answers such rows are several references and nothing wrong."""
    if action is Action.OFF:
        return
    labels = decisions.stock.column("label")
    labelled = np.flatnonzero(decisions.alive & labels.is_valid().to_numpy())
    stock = decisions.stock
    groups = contradictions(
        stock.mark("prompt")[labelled], stock.mark("answer")[labelled], np.ones(len(labelled), dtype=bool)
    )
    rows = np.array([labelled[row] for group in groups for row in group.rows], dtype=np.int64)
    order = np.argsort(rows)
    said = [", ".join(sorted({labels[int(labelled[row])].as_py() for row in group.rows})) for group in groups]
    reasons = [
        f"the same prompt has the labels {names}" for group, names in zip(groups, said, strict=True) for _ in group.rows
    ]
    fate = Fate.REFUSED if action is Action.REFUSE else Fate.REPORTED
    decisions.conclude(
        CONTRADICTIONS,
        "contradictions.label",
        fate,
        rows[order],
        reasons=[reasons[index] for index in order],
        fix="Decide which label is right and write it in every row",
    )


def find_near_duplicates(decisions: Decisions, options: CheckOptions, progress: Progress) -> Indices:
    """Clusters of rows that say nearly the same.

    Returns:
        For each row of the stock the first row of its cluster; a row alone is its own.
    """
    stock = decisions.stock
    alone = np.arange(len(stock))
    if options.near_duplicates is Copies.OFF:
        return alone
    going = decisions.going
    near = NearDuplicates(threshold=options.similarity, folder=stock.scratch)
    place = 0
    for signatures in stock.signatures():
        near.add(signatures[decisions.alive[place : place + len(signatures)]])
        place += len(signatures)
    watching = progress if len(going) > WORTH_A_BAR else Silent()
    with watching.start("near-duplicates", near.banding.bands, "band") as activity:
        clusters = near.clusters(lambda rows: stock.compared(going[rows]), done=lambda *_: activity.advance())
    alone[going] = going[clusters.representative]
    leave = options.near_duplicates is Copies.LEAVE_OUT
    copies = clusters.copies if leave else np.flatnonzero(clusters.representative != np.arange(len(going)))
    places = stock.places(going[clusters.representative[copies]])
    similar = clusters.similarity[copies].tolist()
    decisions.conclude(
        NEAR_DUPLICATES,
        "near_duplicates.minhash",
        Fate.LEFT_OUT if leave else Fate.REPORTED,
        going[copies],
        reasons=[f"{share:.0%} like {place}" for place, share in zip(places, similar, strict=True)],
        fix="Remove it, or leave such rows out with `near_duplicates: leave_out`",
    )
    return alone if options.near_duplicates is not Copies.REPORT else np.arange(len(stock))


def split(decisions: Decisions, recipe: Recipe, clusters: Indices, frozen: Path | None) -> None:
    """Give every row that goes on its side; without a split all are to train on.

    Raises:
        DataError: see `assign_sides`.
    """
    decisions.sides[~decisions.alive] = -1
    if recipe.split is None:
        return
    going = decisions.going
    found = assign_sides(decisions.stock.split_keys(going, clusters), recipe.split, recipe.seed, frozen)
    decisions.sides[going] = found.sides
    decisions.split_sha = found.sha
    decisions.reports.append(StageReport(SPLIT, read=len(going), kept=len(going), rules=_counts_by_side(found.sides)))
    decisions.notes += [
        f"since the split was frozen: {number} {what}"
        for number, what in (
            (found.added_to_train, "new rows joined training"),
            (found.added_to_groups, "new rows joined the side of their group"),
            (found.vanished, "rows are no longer there"),
            (found.bridging, "new rows stand between rows of several sides"),
        )
        if number
    ]
    if found.tied:
        decisions.notes.append(f"{found.tied} rows are as old as rows of the next side: the seed divided them")


def _counts_by_side(sides: npt.NDArray[np.uint8]) -> dict[str, int]:
    return {f"split.{side}": int((sides == code).sum()) for code, side in enumerate(SIDES)}


def decide(stock: Stock, recipe: Recipe, frozen: Path | None, progress: Progress) -> Decisions:
    """Everything that is decided in view of all rows, in order.

    Raises:
        DataError: no row is left, or the rows cannot be split.
    """
    decisions = Decisions(stock)
    select(decisions, {source.path: source.limit for source in recipe.sources if source.limit is not None}, recipe.seed)
    if not recipe.keep_copies:
        leave_out_duplicates(decisions)
    find_contradictions(decisions, recipe.check.contradictions)
    clusters = find_near_duplicates(decisions, recipe.check, progress)
    split(decisions, recipe, clusters, frozen)
    return decisions
