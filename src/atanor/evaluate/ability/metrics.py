"""What probes are scored by: shares of items that are right, word perplexity, and divergence from the base."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np

from atanor.errors import MetricError, Problem
from atanor.evaluate.ability.rules import keeps
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, Metric, Scores, Statistics, ratio
from atanor.evaluate.metrics.likelihood import RELATIVE_MARGIN_OF_PERPLEXITY

_MARGIN_OF_DIVERGENCE = 0.25
"""Nats a token; any tuning moves a model by something."""


class Right(Metric):
    """Share of items that are right, by a rule; statistics (1 or 0, 1)."""

    unit = "share"
    yes_no = True
    bounds = (0.0, 1.0)

    def __init__(self, name: str, label: str, rule: Callable[[Item, Outcome], bool], margin: float | None) -> None:
        super().__init__(margin)
        self.name, self.label, self._rule = name, label, rule

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (float(self._rule(item, outcome)), 1.0)

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        del baseline
        return MARGIN_OF_A_SHARE


class WordPerplexity(Metric):
    """exp of nats over words between white space; statistics (nats, words). Comparable between tokenizers."""

    higher_is_better = False
    needs_generation = False

    def __init__(self, name: str, label: str, margin: float | None) -> None:
        super().__init__(margin)
        self.name, self.label = name, label

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (finite(self, item, outcome.nll), float(max(1, len(item.reference.split()))))

    def aggregate(self, sums: Statistics) -> Scores:
        with np.errstate(over="ignore"):  # an infinite perplexity is refused by `compare`, with a sentence
            return np.exp(ratio(sums[..., 0], sums[..., 1]))

    def default_margin(self, baseline: float) -> float:
        return RELATIVE_MARGIN_OF_PERPLEXITY * baseline


class TextBits(Metric):
    """Nats in bits over UTF-8 bytes; statistics (nats, bytes)."""

    unit = "bits/byte"
    decimals = 3
    higher_is_better = False
    needs_generation = False

    def __init__(self, name: str, label: str) -> None:
        super().__init__(None)
        self.name, self.label = name, label

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (finite(self, item, outcome.nll), float(outcome.bytes))

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1]) / math.log(2)

    def default_margin(self, baseline: float) -> float:
        """0.05 bits/byte, as of `forgetting`."""
        del baseline
        return 0.05


class MeanDivergence(Metric):
    """KL divergence of a candidate from the base, nats a token (`inference.divergence`); the base's own is 0."""

    unit = "nats/token"
    decimals = 3
    higher_is_better = False
    needs_generation = False

    def __init__(self, name: str, label: str) -> None:
        super().__init__(None)
        self.name, self.label = name, label

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (finite(self, item, outcome.nll), float(outcome.tokens))

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        del baseline
        return _MARGIN_OF_DIVERGENCE


def finite(metric: Metric, item: Item, nats: float) -> float:
    """A likelihood that is a number.

    Raises:
        MetricError: it is none.
    """
    if not math.isfinite(nats):
        fix = "The network overflows: evaluate it in float32 (`precision: exact`)"
        problem = Problem(f"item {item.id}: {nats} nats are no number", field=metric.name, fix=fix)
        raise MetricError(f"`{metric.name}` cannot be computed", [problem])
    return nats


def first_is_likelier(item: Item, outcome: Outcome) -> bool:
    """The better sentence is the likelier one."""
    del item
    assert outcome.rejected_nll is not None
    return outcome.nll < outcome.rejected_nll


def last_word_written(item: Item, outcome: Outcome) -> bool:
    """The answer begins with the word asked for."""
    return first_word(outcome.answer or "") == first_word(item.reference)


def first_word(text: str) -> str:
    """In lower case; empty where there is none."""
    found = re.search(r"[\w'’-]+", text)
    return found[0].lower() if found else ""


def likeliest_is_right(item: Item, outcome: Outcome) -> bool:
    """The choice of the highest likelihood is the answer; of equal ones the first is chosen, as in lm-eval."""
    return bool(outcome.choice_nlls.index(min(outcome.choice_nlls)) == item.fields["answer"])


def likeliest_by_length_is_right(item: Item, outcome: Outcome) -> bool:
    """The same with every likelihood divided by its choice's characters."""
    by_length = [nll / len(choice) for nll, choice in zip(outcome.choice_nlls, item.fields["choices"], strict=True)]
    return bool(by_length.index(min(by_length)) == item.fields["answer"])


def format_is_kept(item: Item, outcome: Outcome) -> bool:
    """The answer has the form that was asked for."""
    return outcome.finished and keeps(item.fields["rule"], outcome.answer or "")
