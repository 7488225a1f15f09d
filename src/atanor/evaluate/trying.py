"""A metric tried on answers there are, before a project rests on it: scores, and every item it cannot mark."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from atanor.errors import DataError, MetricError, Problem, shorten
from atanor.evaluate.items import Item, Outcome, Unmarked
from atanor.evaluate.marking import reason_of
from atanor.evaluate.metrics.base import Marks, Metric
from atanor.evaluate.metrics.catalogue import METRIC_NAMES
from atanor.evaluate.options import MetricSpec
from atanor.evaluate.report import Report


@dataclass(frozen=True)
class Answers:
    """Items with what one candidate answered, and the base where that is known."""

    items: list[Item]
    candidate: list[Outcome]
    baseline: list[Outcome] | None = None


@dataclass(frozen=True)
class TriedItem:
    """An item's scores; None where it could not be marked or has none."""

    item: str
    answer: str | None
    candidate: float | None
    baseline: float | None


@dataclass(frozen=True)
class Tried:
    """What a metric makes of answers.

    Attributes:
        label: the metric's name for reading.
        candidate: score over the items that could be marked; None where none could.
        baseline: the same of the base; None where its answers are not known.
        items: each item's own.
        unmarked: what could not be marked, and why.
    """

    label: str
    candidate: float | None
    baseline: float | None
    items: tuple[TriedItem, ...]
    unmarked: tuple[Unmarked, ...]


def metric_named(text: str) -> MetricSpec:
    """A metric as the command line has it: a name, a name with `=` and its argument, or a function for `custom`.

    Raises:
        MetricError: it has options, as a judge has, which only a project can give.
    """
    name, _, argument = text.partition("=")
    if name in METRIC_NAMES:
        try:
            return MetricSpec(name=name, argument=argument or None)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            fix = "Write it into `metrics` of a role: one name or argument is all that can be typed here"
            raise MetricError(f"`{name}` cannot be tried", [Problem(reason, value=text, fix=fix)]) from error
    return MetricSpec(name="custom", argument=text)


def answers_of_report(report: Report) -> Answers:
    """The test items of a finished run with the answers of base and candidate; the rows' fields are not in it.

    Raises:
        MetricError: the run has no answers, because no metric asked for them.
    """
    if any(item.candidate_answer is None or item.baseline_answer is None for item in report.items):
        problem = Problem("its metrics looked at likelihoods, so nothing was answered", value=report.run)
        raise MetricError("the run has no answers", [problem])
    items = [
        Item(item.id, item.id, item.prompt, item.reference, also_right=tuple(item.also_right)) for item in report.items
    ]
    after, before = (
        [_written(str(answer)) for answer in answers]
        for answers in ([one.candidate_answer for one in report.items], [one.baseline_answer for one in report.items])
    )
    return Answers(items, after, before)


def answers_of_rows(path: Path) -> Answers:
    """Rows of `answer`, `prompt` and `reference`, a JSON line each; the whole row is the item's fields.

    Raises:
        DataError: the file cannot be read, or a line has no `answer`; the line is named.
    """
    items, outcomes = [], []
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise DataError("the answers cannot be read", [Problem(str(error.strerror), file=str(path))]) from error
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start:,} is no UTF-8", file=str(path), fix="Save the file as UTF-8")
        raise DataError("the answers cannot be read", [problem]) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("answer"), str):
            problem = Problem("the line is no JSON object with a text `answer`", str(path), number, None, shorten(line))
            raise DataError("the answers cannot be read", [problem])
        prompt, reference = str(row.get("prompt", "")), str(row.get("reference", ""))
        items.append(Item(f"line-{number}", f"line-{number}", prompt, reference, row))
        outcomes.append(_written(row["answer"]))
    if not items:
        raise DataError("the answers cannot be read", [Problem("the file has no rows", file=str(path))])
    return Answers(items, outcomes)


def try_metric(metric: Metric, answers: Answers) -> Tried:
    """Mark every answer that can be marked.

    Raises:
        MetricError: the metric looks at likelihoods, which answers alone do not have.
    """
    if not metric.needs_generation:
        fix = "Name it in `metrics` of a role: `atanor run` asks a model for likelihoods"
        problem = Problem("it looks at likelihoods, and here are only answers", value=metric.name, fix=fix)
        raise MetricError(f"`{metric.name}` cannot be tried", [problem])
    metric.begin(answers.items)
    before: Marks | None = None
    if answers.baseline is None:
        after = metric.tabulate(answers.items, answers.candidate)
    else:
        before, after = metric.tabulate_both(answers.items, answers.baseline, answers.candidate)
    scores = [_scores(metric, marks) for marks in (after, before) if marks is not None]
    items = tuple(
        TriedItem(item.id, outcome.answer, scores[0][place], scores[1][place] if before is not None else None)
        for place, (item, outcome) in enumerate(zip(answers.items, answers.candidate, strict=True))
    )
    unmarked = tuple(
        Unmarked(item.id, whose, reason_of(found))
        for whose, marks in (("base", before or []), ("candidate", after))
        for item, found in zip(answers.items, marks, strict=False)
        if isinstance(found, MetricError)
    )
    return Tried(
        metric.label, _total(metric, after), None if before is None else _total(metric, before), items, unmarked
    )


def _scores(metric: Metric, marks: Marks) -> list[float | None]:
    found = [math.nan if isinstance(one, MetricError) else metric.item_score(one) for one in marks]
    return [one if math.isfinite(one) else None for one in found]


def _total(metric: Metric, marks: Marks) -> float | None:
    marked = [one for one in marks if isinstance(one, tuple)]
    score = float(metric.aggregate(np.asarray(marked, dtype=np.float64).sum(axis=0))) if marked else math.nan
    return score if math.isfinite(score) else None


def _written(answer: str) -> Outcome:
    """An answer of which nothing else is known: metrics of likelihood cannot mark it, and say so."""
    return Outcome(answer, True, math.nan, 0, 0)
