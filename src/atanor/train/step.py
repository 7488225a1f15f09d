"""One optimizer step's gradient and the validation loss: what every loop calls, whoever owns stepping and devices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from atanor.compute import Engine
from atanor.errors import Problem, TrainingError
from atanor.train.job import TrainingJob
from atanor.train.objectives import TrainingItem


@dataclass(frozen=True)
class StepDone:
    """What one window came to.

    Attributes:
        loss: its mean loss per unit of weight, in nats.
        logical: tokens of its rows.
        executed: tokens computed for it.
    """

    loss: float
    logical: int
    executed: int


class WindowStep:
    """Adds the gradient of a window of items to what trains.

    Args:
        job: what is trained and what is minimised.
        engine: computes losses on the job's model.
    """

    def __init__(self, job: TrainingJob, engine: Engine) -> None:
        self.job = job
        self.engine = engine

    def __call__(self, window: Sequence[TrainingItem], step: int) -> StepDone:
        """The gradient of the window's mean loss.

        Args:
            window: the items of one optimizer step.
            step: its number from 1, for errors.

        Raises:
            TrainingError: the loss is not finite.
        """
        self.job.tuned.model.train()
        loss = self.job.objective.backward(self.engine, window)
        if not math.isfinite(loss):
            problem = Problem(
                reason=f"the rows of that step are {', '.join(item.example_id for item in window[:8])}",
                field="learning_rate",
                value=str(self.job.options.learning_rate),
                fix="Lower the learning rate; the last whole checkpoint is kept",
            )
            raise TrainingError(f"the loss of step {step} is not a finite number", [problem])
        logical = sum(len(row.tokens) for item in window for row in self.job.objective.rows(item))
        return StepDone(loss, logical, self.engine.work.executed)

    def validate(self) -> float:
        """Mean loss of the validation items, without a gradient."""
        self.job.tuned.model.eval()
        return self.job.objective.mean_loss(self.engine, self.job.validation)
