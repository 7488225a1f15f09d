"""The untouched base's likelihoods of rows, which an objective holds the tuned model to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.models import Tuned
from atanor.progress import Progress

_TOLD_AFTER = 64
"""Rows between two signs of life: a pass over the base takes a while."""


class Reference:
    """Remembers what the untouched base finds of each row, in nats.

    A row's likelihood may differ in its last bits with the rows it is computed beside. So everything that training will
    ask for is computed once, at the start and in one order: a resumed run then holds the model to the same numbers.

    Args:
        tuned: switched off it is the reference.
    """

    def __init__(self, tuned: Tuned) -> None:
        self.tuned = tuned
        self._nll: dict[TokenRow, float] = {}

    def prepare(self, engine: Engine, rows: Iterable[TokenRow], progress: Progress) -> None:
        """Compute what is not known yet."""
        missing = [row for row in dict.fromkeys(rows) if row not in self._nll]
        if not missing:
            return
        network = self.tuned.model
        trains = network.training
        network.eval()
        with self.tuned.untouched(), progress.start("the base scores the answers", len(missing), "row") as bar:
            for number, nll in engine.likelihoods(missing):
                self._nll[missing[number]] = nll
                bar.advance(1)
        network.train(trains)

    def nll(self, rows: Sequence[TokenRow]) -> Tensor:
        """nll of each row, (rows,), float64; they were prepared."""
        return torch.tensor([self._nll[row] for row in rows], dtype=torch.float64)
