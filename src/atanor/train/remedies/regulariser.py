"""What is added to the objective so that training stays near the base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.progress import Progress


class Regulariser(Protocol):
    """A penalty beside the objective.

    Attributes:
        name: in the log, where its value stands as `penalty_NAME`.
    """

    @property
    def name(self) -> str: ...

    def begin(self, engine: Engine, progress: Progress) -> None:
        """Called once before the first step, with what trains as it began, also when a run is resumed."""
        ...

    def backward(self, engine: Engine, rows: Sequence[TokenRow]) -> float:
        """Add the gradient of the penalty to the parameters'; returns its value, which is added to the loss.

        Args:
            engine: computes on the model that trains.
            rows: of the optimizer step, replayed ones included.
        """
        ...
