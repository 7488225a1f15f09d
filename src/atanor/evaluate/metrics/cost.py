"""What answers cost whoever reads them or runs the model: words, tokens, seconds. They need no reference but one.

None but the ratio of lengths is a target: a candidate is not better for being shorter. A gate can ask for each.
"""

from __future__ import annotations

import math

import numpy as np

from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import Metric, Scores, Statistics, answer_of, ratio
from atanor.evaluate.metrics.words import words_of

_RELATIVE_MARGIN = 0.1


class Cost(Metric):
    """A mean over answers of something there is less of where the candidate is cheaper. Statistics: (amount, 1)."""

    higher_is_better = False
    target = False

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        """A tenth of the baseline's."""
        return _RELATIVE_MARGIN * baseline or _RELATIVE_MARGIN


class AnswerLength(Cost):
    """Words an answer, each Han or Kana character one."""

    name = "answer_length"
    label = "length of answers"
    unit = "words"
    decimals = 1

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (float(len(words_of(answer_of(self, item, outcome)))), 1.0)


class TokensUsed(Cost):
    """Tokens of prompt and answer, an answer: what a hosted model is paid by."""

    name = "tokens_used"
    label = "tokens an answer"
    unit = "tokens"
    decimals = 0
    counts_tokens = True

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        if outcome.prompt_tokens is None or outcome.answer_tokens is None:
            raise _unknown(self, item, "the tokens of the answer were not counted")
        return (float(outcome.prompt_tokens + outcome.answer_tokens), 1.0)


class Latency(Cost):
    """Seconds of this machine's time an answer, in the batches in which the test is answered.

    It is no measurement of how long one request waits: a batch is divided among its answers by the tokens of each. What
    was measured on another machine is measured again; what was measured on this one is remembered, so that other work
    on the machine at that time is in it.
    """

    name = "latency"
    label = "seconds an answer (this machine)"
    unit = "s"
    decimals = 3
    of_this_machine = True

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        if outcome.seconds is None:
            raise _unknown(self, item, "the time of the answer was not measured")
        return (outcome.seconds, 1.0)


class LengthRatio(Metric):
    """How many times longer or shorter answers are than their references: 1 is as long, 2 is twice or half as long.

    The geometric mean over items of the larger of (a + 1) / (r + 1) and its inverse, a and r being words of answer and
    reference; the one keeps it finite for an empty text. Of several references the nearest in length counts.
    Statistics: (logarithm, 1).
    """

    name = "length_ratio"
    label = "length beside the reference"
    unit = "times"
    higher_is_better = False

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        given = len(words_of(answer_of(self, item, outcome))) + 1
        return (min(abs(math.log(given / (len(words_of(one)) + 1))) for one in item.references), 1.0)

    def aggregate(self, sums: Statistics) -> Scores:
        return np.exp(ratio(sums[..., 0], sums[..., 1]))

    def default_margin(self, baseline: float) -> float:
        """0.1: a tenth longer or shorter."""
        del baseline
        return _RELATIVE_MARGIN


def _unknown(metric: Metric, item: Item, reason: str) -> MetricError:
    problem = Problem(f"item {item.id}: {reason}", field=metric.name, fix="Run the role again with `--again`")
    return MetricError(f"`{metric.name}` cannot be computed", [problem])
