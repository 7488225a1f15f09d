"""Classification: which class a text belongs to, or which classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.train.objectives.base import Objective


@dataclass(frozen=True)
class ClassifiedText:
    """A text and its classes.

    Attributes:
        example_id: the `Example.id` it came from.
        tokens: what the model reads.
        classes: numbers of its classes; exactly one unless a text may have several.
    """

    example_id: str
    tokens: tuple[int, ...]
    classes: tuple[int, ...]

    @property
    def supervised(self) -> int:
        """The one thing that is learned of it."""
        return 1

    @property
    def row(self) -> TokenRow:
        """The text as the engine takes it: the last token is what is predicted, a class, and is not read."""
        number = self.classes[0] if self.classes else 0
        return TokenRow(self.example_id, (*self.tokens, number), (*(0.0 for _ in self.tokens), 1.0), 0)


class Classification(Objective):
    """Of one class a text, the weighted mean of -log softmax(z)[y] over texts with logits z and class y:

        sum_i w[y_i] * -log softmax(z_i)[y_i] / sum_i w[y_i]

    which is `torch.nn.CrossEntropyLoss(weight=w)`. Of several, the mean over texts and classes of the binary
    cross-entropy, in which a class that is there counts w times as much as one that is not:

        -mean_ic (w[c] * t_ic * log sigmoid(z_ic) + (1 - t_ic) * log(1 - sigmoid(z_ic)))

    which is `torch.nn.BCEWithLogitsLoss(pos_weight=w)`. Texts of one beginning share it where the base is a decoder.

    Args:
        weights: one a class.
        multi_label: a text may have several classes.
    """

    def __init__(self, weights: Sequence[float], *, multi_label: bool) -> None:
        self.weights_C = torch.tensor(weights, dtype=torch.float64)
        self.multi_label = multi_label

    def rows(self, item: ClassifiedText) -> Sequence[TokenRow]:
        return (item.row,)

    def backward(self, engine: Engine, window: Sequence[ClassifiedText]) -> float:
        whole = self.weight(window)

        def loss(numbers: Sequence[int], logits_RC: Tensor) -> Tensor:
            return self._summed([window[number] for number in numbers], logits_RC) / whole

        return engine.backward_logits([item.row for item in window], loss)

    def mean_loss(self, engine: Engine, items: Sequence[ClassifiedText]) -> float:
        logits_RC = engine.logits([item.row for item in items])
        return float(self._summed(items, logits_RC.double())) / self.weight(items)

    def weight(self, items: Sequence[ClassifiedText]) -> float:
        """See `Objective.weight`: what the summed loss of these items is divided by."""
        if self.multi_label:
            return float(len(items) * len(self.weights_C))
        return float(self.weights_C[[item.classes[0] for item in items]].sum())

    def _summed(self, items: Sequence[ClassifiedText], logits_RC: Tensor) -> Tensor:
        weights_C = self.weights_C.to(logits_RC)
        if not self.multi_label:
            targets_R = torch.tensor([item.classes[0] for item in items], device=logits_RC.device)
            return functional.cross_entropy(logits_RC, targets_R, weight=weights_C, reduction="sum")
        there_RC = torch.zeros_like(logits_RC)
        for line, item in enumerate(items):
            there_RC[line, list(item.classes)] = 1
        return functional.binary_cross_entropy_with_logits(logits_RC, there_RC, pos_weight=weights_C, reduction="sum")
