"""Metrics of how likely a candidate finds the references: they need no generation."""

from __future__ import annotations

import math

import numpy as np

from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import Metric, Scores, Statistics, ratio

RELATIVE_MARGIN_OF_PERPLEXITY = 0.02


class Perplexity(Metric):
    """exp of the mean negative log-likelihood a token, over all tokens of all references (Jelinek et al. 1977).

    Statistics: (nats, tokens). It compares candidates with one tokenizer only; `bits_per_byte` has no such limit.
    """

    name = "perplexity"
    label = "perplexity"
    higher_is_better = False
    needs_generation = False

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (_nats(self, item, outcome), _counted(self, item, outcome.tokens, "tokens"))

    def aggregate(self, sums: Statistics) -> Scores:
        with np.errstate(over="ignore"):  # an infinite perplexity is refused by `compare`, with a sentence
            return np.exp(ratio(sums[..., 0], sums[..., 1]))

    def default_margin(self, baseline: float) -> float:
        """2 % of the baseline: perplexity is a ratio scale, and 0.1 is much at 2 and nothing at 200."""
        return RELATIVE_MARGIN_OF_PERPLEXITY * baseline


class BitsPerByte(Metric):
    """Negative log-likelihood in bits over UTF-8 bytes of the references. Statistics: (nats, bytes).

    Comparable between tokenizers, since a byte is a byte (Gao et al. 2020, The Pile, section 3.1).
    """

    name = "bits_per_byte"
    label = "bits per byte"
    unit = "bits/byte"
    decimals = 3
    higher_is_better = False
    needs_generation = False

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        return (_nats(self, item, outcome), _counted(self, item, outcome.bytes, "bytes"))

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1]) / math.log(2)

    def default_margin(self, baseline: float) -> float:
        """0.02 bits/byte: about 2 % of what a small model needs for plain prose."""
        del baseline
        return 0.02


class Forgetting(BitsPerByte):
    """Bits per byte on general text, which the role's data says nothing about: what tuning cost elsewhere."""

    name = "forgetting"
    label = "general text (bits/byte)"
    uses_general_text = True
    target = False

    def default_margin(self, baseline: float) -> float:
        """0.05 bits/byte: about 5 % of what a small model needs for plain prose."""
        del baseline
        return 0.05


def _nats(metric: Metric, item: Item, outcome: Outcome) -> float:
    if not math.isfinite(outcome.nll):
        raise _refused(
            metric,
            item,
            f"the likelihood of the reference is not finite ({outcome.nll})",
            "The network overflows: evaluate it in float32 (`precision: exact`)",
        )
    return outcome.nll


def _counted(metric: Metric, item: Item, count: int, unit: str) -> float:
    if count <= 0:
        raise _refused(metric, item, f"the reference has no {unit} to be scored on", "Give the item an answer")
    return float(count)


def _refused(metric: Metric, item: Item, reason: str, fix: str) -> MetricError:
    problem = Problem(f"item {item.id}: {reason}", field=metric.name, fix=fix)
    return MetricError(f"`{metric.name}` cannot be computed", [problem])
