"""One optimizer step's gradient and the validation loss: what every loop calls, whoever owns stepping and devices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from atanor.compute import Engine
from atanor.errors import Problem, TrainingError
from atanor.train.job import TrainingJob
from atanor.train.loss_scaling import DynamicScale
from atanor.train.objectives import CountsSteps, TrainingItem
from atanor.train.remedies.averaging import MovingAverage
from atanor.train.sharding import Sharded


@dataclass(frozen=True)
class StepDone:
    """What one window came to.

    Attributes:
        loss: its mean loss per unit of weight, in nats, with the penalties.
        logical: tokens of its rows.
        executed: tokens computed for it.
        penalties: what each regulariser added to the loss, by its name.
        skipped: its gradients overflowed float16 and were dropped.
    """

    loss: float
    logical: int
    executed: int
    penalties: Mapping[str, float] = field(default_factory=dict)
    skipped: bool = False


class WindowStep:
    """Adds the gradient of a window of items to what trains.

    Args:
        job: what is trained and what is minimised.
        engine: computes losses on the job's model.
        sharded: the model's network, where it is kept in shards.
    """

    def __init__(self, job: TrainingJob, engine: Engine, sharded: Sharded | None = None) -> None:
        self.job = job
        self.engine = engine
        self.sharded = sharded
        self._trained = [parameter for parameter in job.tuned.model.parameters() if parameter.requires_grad]
        self.scale = DynamicScale(engine.loss_scale) if engine.dtype == torch.float16 else None
        average = job.options.against_forgetting.average
        decay = None if average is None else average.decay
        self.average = None if decay is None else MovingAverage(job.tuned, decay)

    def __call__(self, window: Sequence[TrainingItem], step: int) -> StepDone:
        """The gradient of the window's mean loss and of what regularisers add to it.

        Args:
            window: the items of one optimizer step.
            step: its number from 1, for errors and for what is drawn in it.

        Raises:
            TrainingError: the loss is not finite.
        """
        self.job.tuned.model.train()
        if self.engine.noise is not None:
            self.engine.noise.step = step
        if isinstance(self.job.objective, CountsSteps):
            self.job.objective.at_step(step)
        done = self._gradient(window) if self.job.group.alone else self._together(window, step)
        if not math.isfinite(done.loss):
            problem = Problem(
                reason=f"the rows of that step are {', '.join(item.example_id for item in window[:8])}",
                field="learning_rate",
                value=str(self.job.options.learning_rate),
                fix="Lower the learning rate; the last whole checkpoint is kept",
            )
            raise TrainingError(f"the loss of step {step} is not a finite number", [problem])
        if self.scale is None:
            return done
        # Of processes that train together all leave a step out, or none.
        finite = not self.job.group.any(not self.scale.finite(self._trained))
        self.scale.finish(self._trained, finite)
        return replace(done, skipped=not finite)

    def validate(self) -> float:
        """Mean loss of the validation items, without a gradient."""
        self.job.tuned.model.eval()
        items = self.job.validation
        if self.job.group.alone:
            return self.job.objective.mean_loss(self.engine, items)
        part, share = self._part(items)
        with self._whole_weights():
            loss = self.job.objective.mean_loss(self.engine, part) if share else 0.0
        return self.job.group.total([share * loss])[0]

    def stepped(self, step: int) -> None:
        """To be called after the optimizer's step of that number, from 1."""
        if self.average is not None:
            self.average.update(step)

    def validate_average(self) -> float | None:
        """As `validate`, with the moving average for weights; None where none is kept."""
        if self.average is None:
            return None
        with self.average.in_place():
            return self.validate()

    def save(self, checkpoint: Path) -> None:
        """Write what trains, and what is kept beside it, into a checkpoint."""
        self.job.tuned.save(checkpoint)
        if self.average is not None:
            self.average.save(checkpoint)
        if self.scale is not None:
            self.scale.save(checkpoint)

    def resume(self, checkpoint: Path) -> None:
        """Take what is kept beside what trains from a checkpoint."""
        if self.average is not None:
            self.average.restore(checkpoint)
        if self.scale is not None:
            self.scale.restore(checkpoint)

    def _gradient(self, window: Sequence[TrainingItem]) -> StepDone:
        loss = self.job.objective.backward(self.engine, window)
        executed = self.engine.work.executed
        rows = [row for item in window for row in self.job.objective.rows(item)]
        penalties = {one.name: one.backward(self.engine, rows) for one in self.job.regularisers}
        return StepDone(loss + sum(penalties.values()), self._tokens(window), executed, penalties)

    def _together(self, window: Sequence[TrainingItem], step: int) -> StepDone:
        """The same with the other processes: each computes its part, weighed by the part's share of the window."""
        group = self.job.group
        part, share = self._part(window)
        # What is drawn in a step depends on the step alone, because processes compute different numbers of passes.
        torch.manual_seed((self.job.seed * 1_000_003 + step) * group.size + group.rank)
        with self._whole_weights():
            done = self._gradient(part) if share else StepDone(0.0, 0, 0)
            for parameter in self.job.tuned.model.parameters():
                if parameter.grad is not None:
                    parameter.grad.mul_(share)
            if self.sharded is not None:
                self.sharded.add_gradients()
        if self.sharded is None:
            group.add_gradients(self._trained)
        names = [one.name for one in self.job.regularisers]
        mine = [share * done.penalties.get(name, 0.0) for name in names]
        loss, executed, *penalties = group.total([share * done.loss, done.executed, *mine])
        return StepDone(loss, self._tokens(window), int(executed), dict(zip(names, penalties, strict=True)))

    def _part(self, items: Sequence[TrainingItem]) -> tuple[list[TrainingItem], float]:
        """This process's items and their share of the whole weight; none where they have no weight."""
        weight = self.job.objective.weight
        part = self.job.group.part(items, lambda item: self._tokens([item]))
        return part, weight(part) / weight(items) if part else 0.0

    def _tokens(self, items: Sequence[TrainingItem]) -> int:
        return sum(len(row.tokens) for item in items for row in self.job.objective.rows(item))

    def _whole_weights(self) -> AbstractContextManager[None]:
        return nullcontext() if self.sharded is None else self.sharded.gathered()
