"""One optimizer step's gradient and the validation loss: what every loop calls, whoever owns stepping and devices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atanor.compute import Engine
from atanor.errors import Problem, TrainingError
from atanor.train.job import TrainingJob
from atanor.train.objectives import CountsSteps, TrainingItem
from atanor.train.remedies.averaging import MovingAverage


@dataclass(frozen=True)
class StepDone:
    """What one window came to.

    Attributes:
        loss: its mean loss per unit of weight, in nats, with the penalties.
        logical: tokens of its rows.
        executed: tokens computed for it.
        penalties: what each regulariser added to the loss, by its name.
    """

    loss: float
    logical: int
    executed: int
    penalties: Mapping[str, float] = field(default_factory=dict)


class WindowStep:
    """Adds the gradient of a window of items to what trains.

    Args:
        job: what is trained and what is minimised.
        engine: computes losses on the job's model.
    """

    def __init__(self, job: TrainingJob, engine: Engine) -> None:
        self.job = job
        self.engine = engine
        average = job.options.against_forgetting.average
        decay = None if average is None else average.decay
        self.average = None if decay is None else MovingAverage(job.tuned, decay)

    def __call__(self, window: Sequence[TrainingItem], step: int) -> StepDone:
        """The gradient of the window's mean loss and of what regularisers add to it.

        Args:
            window: the items of one optimizer step.
            step: its number from 1, for errors.

        Raises:
            TrainingError: the loss is not finite.
        """
        self.job.tuned.model.train()
        if isinstance(self.job.objective, CountsSteps):
            self.job.objective.at_step(step)
        loss = self.job.objective.backward(self.engine, window)
        executed = self.engine.work.executed
        rows = [row for item in window for row in self.job.objective.rows(item)]
        penalties = {one.name: one.backward(self.engine, rows) for one in self.job.regularisers}
        loss += sum(penalties.values())
        if not math.isfinite(loss):
            problem = Problem(
                reason=f"the rows of that step are {', '.join(item.example_id for item in window[:8])}",
                field="learning_rate",
                value=str(self.job.options.learning_rate),
                fix="Lower the learning rate; the last whole checkpoint is kept",
            )
            raise TrainingError(f"the loss of step {step} is not a finite number", [problem])
        return StepDone(loss, sum(len(row.tokens) for row in rows), executed, penalties)

    def stepped(self, step: int) -> None:
        """To be called after the optimizer's step of that number, from 1."""
        if self.average is not None:
            self.average.update(step)

    def validate(self) -> float:
        """Mean loss of the validation items, without a gradient."""
        self.job.tuned.model.eval()
        return self.job.objective.mean_loss(self.engine, self.job.validation)

    def validate_average(self) -> float | None:
        """The same with the moving average for weights; None where none is kept."""
        if self.average is None:
            return None
        with self.average.in_place():
            return self.validate()

    def save(self, checkpoint: Path) -> None:
        """Write what trains, and what is kept beside it, into a checkpoint."""
        self.job.tuned.save(checkpoint)
        if self.average is not None:
            self.average.save(checkpoint)

    def restore(self, checkpoint: Path) -> None:
        """Take both from a checkpoint."""
        self.job.tuned.restore(checkpoint)
        if self.average is not None:
            self.average.restore(checkpoint)
