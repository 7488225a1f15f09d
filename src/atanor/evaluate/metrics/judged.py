"""Metrics that a language model marks: the score of an answer by a rubric, and the better of two answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from atanor.data.augmentation.endpoint import Unanswered
from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.judging.agreement import Agreement, agreement
from atanor.evaluate.judging.judge import Judge
from atanor.evaluate.judging.options import JudgeOptions
from atanor.evaluate.judging.ratings import read_rated_answers, read_rated_pairs
from atanor.evaluate.judging.wording import Better, ask_pair, ask_score, read_pair, read_score
from atanor.evaluate.metrics.base import Marks, Metric, Scores, Statistics, answer_of, ratio

_SHARE_OF_THE_SCALE = 0.05


class RubricJudge(Metric):
    """The mean of a judge's scores from 1 to `highest`, as prediction-powered inference has it where people rated some.

    Each answer is judged by itself, the candidates' names unseen. With `ratings` the mean of person minus judge over
    the rated examples is added to both scores, and the interval of the change is widened (see `judging.agreement`).
    Statistics: (score, 1).
    """

    name = "judge"
    label = "judge's score"
    unit = "points"

    def __init__(self, options: JudgeOptions, root: Path, margin: float | None = None) -> None:
        """Read the ratings; the judge is asked when answers are marked.

        Raises:
            ConfigurationError: the ratings cannot be used.
        """
        super().__init__(margin)
        self._options = options
        self._judge = Judge(options, root, lambda said: read_score(said, options.highest), self.name)
        self.bounds = (1.0, float(options.highest))
        file = options.ratings
        self._rated = None if file is None else read_rated_answers(root / file, file, options.highest)
        self._excess = 0.0

    def begin(self, items: Sequence[Item]) -> None:
        """Judge what people rated, once."""
        del items
        self.about = (_unchecked(self._options),)
        if self._rated is None:
            return
        found = self._judge.judge([self._asked(one.request, one.reference, one.answer) for one in self._rated])
        pairs = [
            (one.rating, score)
            for one, score in zip(self._rated, found, strict=True)
            if not isinstance(score, Unanswered)
        ]
        measured = _measured(self.name, pairs, range(1, self._options.highest + 1))
        self._excess = measured.excess
        self.extra_error = math.sqrt(2 * measured.variance / measured.examples)
        direction = "higher" if measured.excess < 0 else "lower"
        self.about = (
            f"{_agreed(self._options, measured, len(self._rated) - len(pairs))} The judge is "
            f"{abs(measured.excess):.2f} {direction} than people on average, for which scores are corrected, and the "
            "interval of the change is wider by what so many ratings leave open (prediction-powered inference).",
        )

    def tabulate(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Marks:
        asked = [
            self._asked(item.prompt, item.reference, answer_of(self, item, outcome))
            for item, outcome in zip(items, outcomes, strict=True)
        ]
        found = self._judge.judge(asked)
        return [
            _failed(self.name, item, score, self._judge.kept_at(question))
            if isinstance(score, Unanswered)
            else (float(score), 1.0)
            for item, question, score in zip(items, asked, found, strict=True)
        ]

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        (found,) = self.tabulate([item], [outcome])
        if isinstance(found, MetricError):
            raise found
        return found

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1]) + self._excess

    def item_score(self, statistics: tuple[float, ...]) -> float:
        """What the judge said of this item."""
        return statistics[0]

    def worst(self) -> tuple[float, ...]:
        return (1.0, 1.0)

    def default_margin(self, baseline: float) -> float:
        """A twentieth of the scale: 0.2 points of 1 to 5."""
        del baseline
        return _SHARE_OF_THE_SCALE * (self._options.highest - 1)

    def _asked(self, request: str, reference: str | None, answer: str) -> str:
        shown = reference if self._options.show_reference else None
        return ask_score(self._options.rubric, self._options.highest, request=request, reference=shown, answer=answer)


class PairwiseJudge(Metric):
    """Share of items on which a judge prefers an answer to the other candidate's; a tie is half for each.

    Every pair is asked in both orders (Zheng et al. 2023, section 3.4). An answer wins that is preferred in both; where
    the order changes the preference it is a tie, and the report tells how often. Two equal answers are a tie that is
    not asked. Statistics: (1, 0.5 or 0, and 1).
    """

    name = "judge_pairwise"
    label = "preferred by the judge"
    unit = "share"
    bounds = (0.0, 1.0)

    def __init__(self, options: JudgeOptions, root: Path, margin: float | None = None) -> None:
        """As `RubricJudge`."""
        super().__init__(margin)
        self._options = options
        self._judge = Judge(options, root, read_pair, self.name)
        self._rated = None if options.ratings is None else read_rated_pairs(root / options.ratings, options.ratings)
        self._checked = _unchecked(options)

    def begin(self, items: Sequence[Item]) -> None:
        """Judge what people rated, once."""
        del items
        if self._rated is None:
            return
        asked = [(one.request, one.reference, one.first, one.second) for one in self._rated]
        found, _ = self._won(asked)
        said = {Better.FIRST: 1.0, Better.SECOND: -1.0, Better.NEITHER: 0.0}
        # Of the first answer: 1 where it is better, -1 where the second is, as a change of shares.
        pairs = [
            (said[one.better], 1 - 2 * won)
            for one, won in zip(self._rated, found, strict=True)
            if not isinstance(won, Unanswered)
        ]
        measured = _measured(self.name, pairs, (-1, 0, 1))
        self.extra_error = math.sqrt(measured.variance / measured.examples)
        self._checked = (
            f"{_agreed(self._options, measured, len(self._rated) - len(pairs))} The interval of the change is wider by "
            "what so many ratings leave open (prediction-powered inference)."
        )

    def tabulate_both(
        self, items: Sequence[Item], baseline: Sequence[Outcome], candidate: Sequence[Outcome]
    ) -> tuple[Marks, Marks]:
        rows = [
            (item.prompt, item.reference, answer_of(self, item, before), answer_of(self, item, after))
            for item, before, after in zip(items, baseline, candidate, strict=True)
        ]
        found, bias = self._won(rows)
        self.about = (self._checked, bias)
        # A failed pair is the candidate's; the other's number counts only where `on_error` is `worst`.
        after: Marks = [
            _failed(self.name, item, won, self._judge.kept_at(self._asked(row)))
            if isinstance(won, Unanswered)
            else (won, 1.0)
            for item, row, won in zip(items, rows, found, strict=True)
        ]
        before: Marks = [(1.0, 1.0) if isinstance(won, Unanswered) else (1 - won, 1.0) for won in found]
        return before, after

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        raise NotImplementedError("one answer has no preference: see `tabulate_both`")

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def worst(self) -> tuple[float, ...]:
        return (0.0, 1.0)

    def default_margin(self, baseline: float) -> float:
        """0.1: one answer in twenty more preferred, and as many fewer of the other's."""
        del baseline
        return 0.1

    def _won(self, rows: Sequence[tuple[str, str | None, str, str]]) -> tuple[list[float | Unanswered], str]:
        """What the second answer of each row wins, and in words how much the order decided."""
        different = [row for row in rows if row[2].strip() != row[3].strip()]
        swapped = [(request, reference, second, first) for request, reference, first, second in different]
        judged = self._judge.judge([self._asked(row) for row in (*different, *swapped)])
        one_way, other_way = judged[: len(different)], judged[len(different) :]
        won = {
            row: _second_wins(straight, crossed)
            for row, straight, crossed in zip(different, one_way, other_way, strict=True)
        }
        both = [
            (one, other)
            for one, other in zip(one_way, other_way, strict=True)
            if isinstance(one, Better) and isinstance(other, Better)
        ]
        return [won.get(row, 0.5) for row in rows], _position_bias(both)

    def _asked(self, row: tuple[str, str | None, str, str]) -> str:
        request, reference, first, second = row
        shown = reference if self._options.show_reference else None
        return ask_pair(self._options.rubric, request=request, reference=shown, first=first, second=second)


def _second_wins(straight: Better | Unanswered, crossed: Better | Unanswered) -> float | Unanswered:
    if isinstance(straight, Unanswered):
        return straight
    if isinstance(crossed, Unanswered):
        return crossed
    return {(Better.SECOND, Better.FIRST): 1.0, (Better.FIRST, Better.SECOND): 0.0}.get((straight, crossed), 0.5)


def _position_bias(both: Sequence[tuple[Better, Better]]) -> str:
    first = sum(pair == (Better.FIRST, Better.FIRST) for pair in both)
    second = sum(pair == (Better.SECOND, Better.SECOND) for pair in both)
    return (
        f"Of {len(both)} pairs asked in both orders the judge chose whichever answer stood first in {first} and "
        f"whichever stood second in {second}; these count as ties."
    )


def _measured(metric: str, pairs: Sequence[tuple[float, float]], values: Sequence[int]) -> Agreement:
    if len(pairs) < 2:
        problem = Problem("the judge has judged none of the rated examples", field=f"metrics.{metric}.ratings")
        raise MetricError(f"`{metric}` cannot be computed", [problem])
    people, judge = zip(*pairs, strict=True)
    return agreement(people, judge, values)


def _agreed(options: JudgeOptions, measured: Agreement, failed: int) -> str:
    left = f" ({failed} more could not be judged)" if failed else ""
    return (
        f"`{options.model}` and people judged the same {measured.examples} examples{left}: weighted kappa "
        f"{measured.kappa}, Spearman's correlation {measured.correlation}."
    )


def _unchecked(options: JudgeOptions) -> str:
    return f"How far people agree with the judge `{options.model}` was not measured: it has no `ratings`."


def _failed(metric: str, item: Item, why: Unanswered, kept: str) -> MetricError:
    problem = Problem(
        f"item {item.id}: {why.reason}",
        field=metric,
        fix=f"What was asked is kept in {kept}; set `on_error: exclude` to compare without such items",
    )
    return MetricError(f"the metric `{metric}` failed on an item", [problem])
