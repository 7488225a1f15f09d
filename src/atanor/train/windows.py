"""The order of training rows: every epoch a new permutation by the seed, cut into the windows of optimizer steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import DataLoader, Sampler

from atanor.data.rows import TokenRow


class WindowSampler(Sampler[list[int]]):
    """Row numbers of one optimizer step at a time. The last window of an epoch may be smaller.

    The order depends on the seed and the epoch alone, so that a resumed run sees the rows an uninterrupted one sees.
    """

    def __init__(self, rows: int, batch: int, seed: int) -> None:
        self.rows = rows
        self.batch = batch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self.rows / self.batch)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(self.rows, generator=generator).tolist()
        for start in range(0, self.rows, self.batch):
            yield order[start : start + self.batch]


class WindowLoader(DataLoader[list[TokenRow]]):
    """Yields the rows of one optimizer step as a list; how they are cut into passes is the engine's business."""

    def __init__(self, rows: Sequence[TokenRow], batch: int, seed: int) -> None:
        super().__init__(
            rows,  # type: ignore[arg-type]  # any sequence is a map-style dataset
            batch_sampler=WindowSampler(len(rows), batch, seed),
            collate_fn=list,
        )

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer at the start of an epoch; a resumed epoch reaches the sampler by itself."""
        sampler = self.batch_sampler
        assert isinstance(sampler, WindowSampler)
        sampler.set_epoch(epoch)
