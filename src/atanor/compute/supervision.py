"""What the hidden states of one pass are to predict, and which of the rows' supervised tokens that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from atanor.compute.forest import WeightedTokens
from atanor.compute.head_loss import Predictions

HiddenLoss = Callable[["Supervision", Tensor], Tensor]
"""(what is predicted, last hidden states (U, d)) -> a scalar, a sum over the passes of a window."""


@dataclass(frozen=True)
class Supervision:
    """One pass: U places that predict something, E predictions, O supervised tokens of rows.

    Rows that share a place are one place and several tokens.

    Attributes:
        predictions: which token each place predicts.
        weights_E: loss weight of each prediction, summed over the rows.
        index_O: the place at which a supervised token is predicted.
        numbers_O: that token's number among all supervised tokens, row after row.
    """

    predictions: Predictions
    weights_E: Tensor
    index_O: Tensor
    numbers_O: Tensor

    def weights_of_places(self, places: int) -> Tensor:
        """(U,): loss weights of all predictions made at a place."""
        return self.weights_E.new_zeros(places).index_add_(0, self.predictions.index_E, self.weights_E)

    def numbers_of_places(self, places: int) -> Tensor:
        """(U,): the lowest number among the supervised tokens predicted at a place."""
        unset = torch.full((places,), torch.iinfo(torch.long).max, device=self.index_O.device)
        return unset.scatter_reduce_(0, self.index_O, self.numbers_O, "amin")


class Numbering:
    """Numbers the supervised tokens of rows: all those of the first row, then those of the second.

    Args:
        rows: what is computed on; their first tokens are predicted by nothing.
        device: of the tensors.
    """

    def __init__(self, rows: Sequence[WeightedTokens], device: torch.device) -> None:
        flags = [place > 0 and weight > 0 for row in rows for place, weight in enumerate(row.weights)]
        self._number = (torch.tensor(flags, dtype=torch.long).cumsum(0) - 1).to(device)
        self._start = torch.tensor([0, *accumulate(len(row.tokens) for row in rows)], device=device)
        self.supervised = sum(flags)
        weights = [weight for row in rows for weight in row.weights[1:] if weight > 0]
        self.weights_S = torch.tensor(weights, dtype=torch.float64).to(device)

    def __call__(self, rows_O: Tensor, positions_O: Tensor) -> Tensor:
        """Numbers of the tokens at these positions of these rows."""
        return self._number[self._start[rows_O] + positions_O]
