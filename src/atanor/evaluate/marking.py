"""Both candidates' answers as a metric marks them, and what becomes of items that it cannot mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Comparison, Item, OnError, Outcome, Unmarked
from atanor.evaluate.metrics.base import Marks, Metric, Statistics

_TOLD = 20
"""Items that a sentence names; the report as JSON has all of them."""


@dataclass(frozen=True)
class Marked:
    """What a metric keeps of every item that counts.

    Attributes:
        baseline: statistics of the baseline's answers, shape [kept, k].
        candidate: the same of the candidate's.
        kept: places of the items that count, in order.
        unmarked: what could not be marked.
    """

    baseline: Statistics
    candidate: Statistics
    kept: list[int]
    unmarked: tuple[Unmarked, ...]


def mark(metric: Metric, items: Sequence[Item], baseline: Sequence[Outcome], candidate: Sequence[Outcome]) -> Marked:
    """Mark every item for both candidates. An item that fails for one is treated as `on_error` says.

    Raises:
        MetricError: an item cannot be marked and `on_error` is `stop`, or none can.
    """
    before, after = metric.tabulate_both(items, baseline, candidate)
    unmarked = tuple(
        Unmarked(item.id, whose, reason_of(found))
        for whose, marks in (("base", before), ("candidate", after))
        for item, found in zip(items, marks, strict=True)
        if isinstance(found, MetricError)
    )
    if unmarked and metric.on_error is OnError.STOP:
        errors = [found for found in (*before, *after) if isinstance(found, MetricError)]
        raise MetricError(errors[0].summary, [problem for error in errors[:_TOLD] for problem in error.problems])
    if metric.on_error is OnError.WORST:
        before, after = _worst(metric, before), _worst(metric, after)
    rows = [
        (place, one, other)
        for place, (one, other) in enumerate(zip(before, after, strict=True))
        if isinstance(one, tuple) and isinstance(other, tuple)
    ]
    if not rows:
        fix = f"The first: {unmarked[0].item}: {unmarked[0].reason}" if unmarked else "Give the role a test split"
        problem = Problem("no item could be marked", field=metric.name, fix=fix)
        raise MetricError(f"`{metric.name}` cannot be computed", [problem])
    kept, one, other = zip(*rows, strict=True)
    return Marked(np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64), list(kept), unmarked)


def unmarked_in_words(found: Comparison) -> str | None:
    """What a reader has to know of items that a metric could not mark; None where it marked all."""
    if not found.unmarked:
        return None
    items = len({one.item for one in found.unmarked})
    became = "count for neither candidate" if found.on_error is OnError.EXCLUDE else "got the worst score there is"
    told = "; ".join(f"{one.item} ({one.whose}): {one.reason}" for one in found.unmarked[:_TOLD])
    more = f"; and {len(found.unmarked) - _TOLD} more in report.json" if len(found.unmarked) > _TOLD else ""
    things = "1 item" if items == 1 else f"{items} items"
    return f"`{found.metric}` could not mark {things}, which {became} (`on_error: {found.on_error}`): {told}{more}."


def notes_on_marks(comparisons: Sequence[Comparison]) -> list[str]:
    """What the report has to say of how items were marked."""
    notes = []
    for found in comparisons:
        sentence = unmarked_in_words(found)
        notes += [*found.about, *([] if sentence is None else [sentence])]
    return notes


def _worst(metric: Metric, marks: Marks) -> Marks:
    worst = metric.worst()
    assert worst is not None  # `build_metric` refuses `worst` where there is no such thing
    return [worst if isinstance(found, MetricError) else found for found in marks]


def reason_of(error: MetricError) -> str:
    """Why an item could not be marked, without its name."""
    problem = error.problems[0]
    return problem.reason.partition(": ")[2] if problem.reason.startswith("item ") else problem.reason
