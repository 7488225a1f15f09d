"""Supervised completion, and causal language modelling where every token is supervised."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.compute import Engine
from atanor.compute.engine import total_weight
from atanor.data.rows import TokenRow
from atanor.train.objectives.base import Objective


class Completion(Objective):
    """Mean negative log-likelihood of the supervised tokens; of all tokens it is causal language modelling on text.

    Args:
        label_smoothing: share of a target that is spread over the vocabulary in training. The validation loss is the
            plain one, so that checkpoints and runs compare.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def rows(self, item: TokenRow) -> Sequence[TokenRow]:
        return (item,)

    def backward(self, engine: Engine, window: Sequence[TokenRow]) -> float:
        return engine.backward(window, self.label_smoothing)

    def weight(self, items: Sequence[TokenRow]) -> float:
        return total_weight(items)

    def mean_loss(self, engine: Engine, items: Sequence[TokenRow]) -> float:
        return engine.mean_loss(items)
