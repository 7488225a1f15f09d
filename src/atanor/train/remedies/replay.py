"""General rows that stand among the role's own in every optimizer step (experience replay).

Which rows a step gets depends on the seed and the number of the step alone, so that a resumed run sees the rows that an
uninterrupted one sees. The rows are walked through in a random order, another one each time all have been seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from atanor.data.rows import TokenRow


@dataclass(frozen=True)
class Replay:
    """One source of general rows.

    Attributes:
        rows: what is replayed; at least one.
        share: of each step's rows, the replayed ones included.
        seed: of the order.
        name: what the rows are, in words for the plan.
    """

    rows: Sequence[TokenRow]
    share: float
    seed: int
    name: str

    def count(self, own: int, others: float = 0.0) -> int:
        """How many rows are added to `own` rows of the role, at least one.

        Args:
            own: the role's rows in the step.
            others: share of the step's rows that other sources have.
        """
        return max(1, round(own * self.share / (1 - self.share - others)))

    def numbers(self, step: int, count: int, stride: int) -> list[int]:
        """The numbers of the rows of one step.

        Args:
            step: from 0, over all epochs.
            count: how many rows.
            stride: how many a whole step has; a smaller last step of an epoch leaves the rest out.
        """
        places = range(step * stride, step * stride + count)
        return [self._order(place // len(self.rows))[place % len(self.rows)] for place in places]

    def _order(self, turn: int) -> list[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + turn)
        return torch.randperm(len(self.rows), generator=generator).tolist()


def replayed(replays: Sequence[Replay], step: int, own: int, batch: int) -> list[tuple[int, int]]:
    """(source, row) of everything that is added to a step.

    Args:
        replays: the sources.
        step: from 0, over all epochs.
        own: the role's rows in this step.
        batch: the role's rows in a whole step.
    """
    total = sum(replay.share for replay in replays)
    chosen = []
    for source, replay in enumerate(replays):
        others = total - replay.share
        numbers = replay.numbers(step, replay.count(own, others), replay.count(batch, others))
        chosen += [(source, number) for number in numbers]
    return chosen
