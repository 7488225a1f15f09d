"""What an objective and the things it learns from have to offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.progress import Progress


class TrainingItem(Protocol):
    """One thing to learn from.

    Attributes:
        example_id: named in errors, and what is cached about the item is found under it.
        tokens: by which items of one prefix are recognised.
        supervised: how many of its tokens have a loss.
    """

    @property
    def example_id(self) -> str: ...

    @property
    def tokens(self) -> tuple[int, ...]: ...

    @property
    def supervised(self) -> int: ...


class Objective(Protocol):
    """A loss over items of one kind. A class that inherits from this one has nothing to prepare unless it says so."""

    def rows(self, item: Any) -> Sequence[TokenRow]:
        """The token rows an item is computed from."""
        ...

    def prepare(self, engine: Engine, items: Sequence[Any], progress: Progress) -> None:
        """Compute, once and in one order, what is needed of networks that do not train.

        Called before the first step with every item of training and validation, also where training is resumed: the
        same items give the same bits.
        """
        del engine, items, progress

    def backward(self, engine: Engine, window: Sequence[Any]) -> float:
        """Add the gradient of the window's mean loss to the parameters'; returns that loss."""
        ...

    def weight(self, items: Sequence[Any]) -> float:
        """What the mean over these items is divided by.

        Means of parts, each weighed by its share of the weight, add up to the mean of the whole: by this a window is
        divided among processes.
        """
        ...

    def mean_loss(self, engine: Engine, items: Sequence[Any]) -> float:
        """The same loss over all items, without a gradient."""
        ...


@runtime_checkable
class CountsSteps(Protocol):
    """An objective that does something else at some steps: told the number, it is the same after a resume."""

    def at_step(self, step: int) -> None:
        """The next window is that of this optimizer step, from 1."""
        ...
