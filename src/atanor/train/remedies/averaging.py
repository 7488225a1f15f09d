"""Means of weights along training: a moving average over the steps, and the mean of the newest checkpoints.

Both lie in the middle of where training went, which often generalises better than its end and has moved less far from
the base (Polyak and Juditsky 1992; Izmailov et al. 2018, arXiv:1803.05407; Wortsman et al. 2022, arXiv:2203.05482).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from atanor.models import Tuned

MOVING = "moving_average"
"""Folder of the moving average in a checkpoint."""


class MovingAverage:
    """m <- d m + (1 - d) p after every step, with d = min(decay, (1 + t) / (10 + t)): the beginning is soon forgotten.

    It is kept in the type of the weights, and a checkpoint holds it as `Tuned.save` writes the weights themselves.

    Args:
        tuned: what trains, as it begins.
        decay: d in the long run.
    """

    def __init__(self, tuned: Tuned, decay: float) -> None:
        self._tuned = tuned
        self._decay = decay
        self._mean = numbers_of(tuned)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step number `step`, from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, one in trained_of(self._tuned).items():
            self._mean[name].lerp_(one, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within this context the model has the average for its weights."""
        with swapped_in(self._tuned, self._mean):
            yield

    def save(self, checkpoint: Path) -> None:
        """Write the average into a checkpoint."""
        folder = checkpoint / MOVING
        folder.mkdir()
        with self.in_place():
            self._tuned.save(folder)

    def restore(self, checkpoint: Path) -> None:
        """Take it from a checkpoint; the model's weights stay."""
        kept = numbers_of(self._tuned)
        self._tuned.restore(checkpoint / MOVING)
        self._mean = numbers_of(self._tuned)
        put(self._tuned, kept)


@torch.no_grad()
def mean_of(tuned: Tuned, folders: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of the weights in some checkpoints, added up in float64. The model's weights stay.

    Args:
        tuned: what trains.
        folders: of the checkpoints, in a fixed order; at least one.
    """
    kept = numbers_of(tuned)
    total = {name: torch.zeros_like(one, dtype=torch.float64) for name, one in kept.items()}
    for folder in folders:
        tuned.restore(folder)
        for name, one in trained_of(tuned).items():
            total[name] += one
    put(tuned, kept)
    return {name: (one / len(folders)).to(kept[name].dtype) for name, one in total.items()}


@contextmanager
def swapped_in(tuned: Tuned, numbers: Mapping[str, Tensor]) -> Iterator[None]:
    """Within this context what trains has these values; afterwards its own again, bit for bit."""
    kept = numbers_of(tuned)
    put(tuned, numbers)
    try:
        yield
    finally:
        put(tuned, kept)


def trained_of(tuned: Tuned) -> dict[str, nn.Parameter]:
    """What trains, by name."""
    return {name: one for name, one in tuned.model.named_parameters() if one.requires_grad}


def numbers_of(tuned: Tuned) -> dict[str, Tensor]:
    """A copy of what trains."""
    return {name: one.detach().clone() for name, one in trained_of(tuned).items()}


@torch.no_grad()
def put(tuned: Tuned, numbers: Mapping[str, Tensor]) -> None:
    """Give what trains these values."""
    for name, one in trained_of(tuned).items():
        one.copy_(numbers[name])
