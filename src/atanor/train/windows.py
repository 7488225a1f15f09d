"""The order of training rows: every epoch a new permutation by the seed, cut into the windows of optimizer steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import DataLoader, Sampler

from atanor.train.objectives import TrainingItem
from atanor.train.options import Order
from atanor.train.remedies.replay import Replay, replayed


class WindowSampler(Sampler[list[int]]):
    """Row numbers of one optimizer step at a time. The last window of an epoch may be smaller.

    The order depends on the seed and the epoch alone, so that a resumed run sees the rows an uninterrupted one sees.
    The first epoch begins with the window of the longest row, so that a lack of memory shows in the first step.

    Args:
        rows: what is ordered.
        batch: rows a window.
        seed: of the permutations.
        order: `SHUFFLED` draws every permutation of rows with equal chance. `BY_PREFIX` draws among the orders that
            walk the rows' prefix tree, in which rows of one prefix are neighbours, and shuffles the windows.
        replays: general rows that are added to every window; their numbers go on after those of `rows`.
    """

    def __init__(
        self,
        rows: Sequence[TrainingItem],
        batch: int,
        seed: int,
        order: Order = Order.SHUFFLED,
        replays: Sequence[Replay] = (),
    ) -> None:
        self.rows = rows
        self.batch = batch
        self.seed = seed
        self.order = order
        self.replays = replays
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.rows), generator=generator).tolist()
        if self.order is Order.SHUFFLED:
            windows = self._cut(order)
        else:
            cut = self._cut(self._walk(order, generator))
            windows = [cut[number] for number in torch.randperm(len(cut), generator=generator).tolist()]
        if self.epoch == 0:
            longest = max(range(len(windows)), key=lambda number: max(map(self._length, windows[number])))
            windows.insert(0, windows.pop(longest))
        for number, window in enumerate(windows):
            yield [*window, *self._added(self.epoch * len(self) + number, len(window))]

    def _added(self, step: int, own: int) -> list[int]:
        """Numbers of the general rows of one window."""
        starts = list(itertools.accumulate((len(replay.rows) for replay in self.replays), initial=len(self.rows)))
        return [starts[source] + row for source, row in replayed(self.replays, step, own, self.batch)]

    def _length(self, number: int) -> int:
        return len(self.rows[number].tokens)

    def _cut(self, order: list[int]) -> list[list[int]]:
        return [order[start : start + self.batch] for start in range(0, len(order), self.batch)]

    def _walk(self, order: list[int], generator: torch.Generator) -> list[int]:
        """Rows sorted by their tokens under a random order of the vocabulary; equal rows stay as they were drawn."""
        vocabulary = max(max(row.tokens, default=0) for row in self.rows) + 1
        rank = torch.randperm(vocabulary, generator=generator).numpy().astype(">u4")
        return sorted(order, key=lambda number: rank[list(self.rows[number].tokens)].tobytes())


class WindowLoader(DataLoader[list[TrainingItem]]):
    """Yields the rows of one optimizer step as a list; how they are cut into passes is the engine's business."""

    def __init__(
        self,
        rows: Sequence[TrainingItem],
        batch: int,
        seed: int,
        order: Order = Order.SHUFFLED,
        replays: Sequence[Replay] = (),
    ) -> None:
        super().__init__(
            [*rows, *(row for replay in replays for row in replay.rows)],  # type: ignore[arg-type]  # a list is a map
            batch_sampler=WindowSampler(rows, batch, seed, order, replays),
            collate_fn=list,
            # Of its own, so that an epoch's beginning draws nothing from the numbers that training draws from.
            generator=torch.Generator(),
        )

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer at the start of an epoch; a resumed epoch reaches the sampler by itself."""
        sampler = self.batch_sampler
        assert isinstance(sampler, WindowSampler)
        sampler.set_epoch(epoch)
