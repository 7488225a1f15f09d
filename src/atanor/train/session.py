"""What one training does at a step, a validation and a checkpoint, whoever owns stepping and devices.

`loop.py` and `lightning_loop.py` call it; nothing about rows, losses or checkpoints is theirs.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch.optim.lr_scheduler import LRScheduler
from transformers import TrainerState

from atanor.compute import Engine, device_name
from atanor.train.checkpoint import drop_old, writing_checkpoint
from atanor.train.continuing import build_continued, set_rates
from atanor.train.history import AVERAGE, best_step, elapsed, validation_losses
from atanor.train.job import TrainingJob
from atanor.train.objectives import TrainingItem
from atanor.train.optimizers import build_optimizer, build_schedule, set_training
from atanor.train.sharding import Sharded, whole
from atanor.train.snapshot import read_optimizer, write_snapshot
from atanor.train.step import WindowStep
from atanor.train.windows import WindowLoader


class Session:
    """One training under way.

    Args:
        job: what is trained, on what and how.
        engine: computes losses on the job's model.
        sharded: the model's network, where it is kept in shards.

    Attributes:
        optimizer: of what trains.
    """

    def __init__(self, job: TrainingJob, engine: Engine, sharded: Sharded | None = None) -> None:
        self.job = job
        self.sharded = sharded
        self._step = WindowStep(job, engine, sharded)
        self._clock = time.perf_counter()
        self._executed = 0
        self._loss = 0.0
        self._penalties: dict[str, float] = {}
        self._skipped = False
        self._seconds = 0.0
        self.optimizer = build_optimizer(job.tuned.model.named_parameters(), job.options, job.rates)
        self._schedule: LRScheduler | None = None

    @property
    def schedule(self) -> LRScheduler:
        """Of the optimizer, once `begin` has made it."""
        assert self._schedule is not None
        return self._schedule

    def begin(self, steps: int) -> LRScheduler:
        """Make the schedule over all steps of the run."""
        timed = self.job.budget.seconds is not None
        share = (lambda: self.job.budget.time_share(self._seconds)) if timed else None
        options, continued = self.job.options, self.job.continuation
        self._schedule = (
            build_schedule(self.optimizer, options, steps, share)
            if continued is None
            else build_continued(self.optimizer, options, steps, continued)
        )
        return self._schedule

    @property
    def out_of_time(self) -> bool:
        """The time of training was spent when the newest step's gradient was there."""
        return self.job.budget.spent(self._seconds)

    def windows(self) -> WindowLoader:
        """The windows of an epoch, each the items of one optimizer step."""
        job = self.job
        return WindowLoader(job.training, job.options.batch, job.seed, job.options.order, job.replays)

    def gradient(self, window: Sequence[TrainingItem], state: TrainerState) -> float:
        """Adds the gradient of the window of the step after `state`; returns its mean loss per unit of weight."""
        set_training(self.optimizer, True)
        done = self._step(window, state.global_step + 1)
        self._executed = done.executed
        self._loss = done.loss
        self._penalties = {f"penalty_{name}": value for name, value in done.penalties.items()}
        self._skipped = done.skipped
        if self.job.budget.seconds is not None:
            mine = elapsed(state) + time.perf_counter() - self._clock
            # Processes that train together go by the clock of the first.
            (self._seconds,) = self.job.group.total([mine if self.job.group.first else 0.0])
        state.num_input_tokens_seen += done.logical
        return done.loss

    def stepped(self, state: TrainerState) -> None:
        """To be called after the optimizer's step that `state` counts."""
        self._step.stepped(state.global_step)

    def entry(self, logs: dict[str, float], state: TrainerState) -> dict[str, float]:
        """An entry of the history, with what is added up over interruptions.

        `elapsed` is seconds of training so far; `executed`, of a step, the tokens computed for it, `penalty_…` what
        each regulariser added to its loss, and `skipped` stands where it was left out. A step's `loss` is as it was
        computed: a loop may have rounded it.
        """
        now = time.perf_counter()
        step = {"loss": self._loss, "executed": float(self._executed), **self._penalties} if "loss" in logs else {}
        if step and self._skipped:
            step["skipped"] = 1.0
        told = {**logs, **step, "elapsed": elapsed(state) + now - self._clock}
        self._clock = now
        return told

    def validate(self) -> dict[str, float]:
        """Mean loss of the validation items as `eval_loss`, and the memory held; nothing where there are none."""
        if not self.job.validation:
            return {}
        set_training(self.optimizer, False)
        (memory,) = self.job.group.total([float(peak_memory())])
        averaged = self._step.validate_average()
        metrics = {"eval_loss": self._step.validate(), "peak_memory": memory}
        return metrics if averaged is None else {**metrics, AVERAGE: averaged}

    def save(self, state: TrainerState) -> None:
        """Write the checkpoint of the step that `state` stands at, whole or not at all; the first process does."""
        set_training(self.optimizer, False)
        optimizer = whole(self.optimizer.state_dict())
        with nullcontext() if self.sharded is None else self.sharded.gathered():
            if self.job.group.first:
                with writing_checkpoint(self.job.folder, state.global_step) as folder:
                    self._step.save(folder)
                    write_snapshot(folder, optimizer, self.schedule, state)
                drop_old(self.job.folder, self.job.options.keep_checkpoints, self._wanted(state))
        self.job.group.wait()

    def resume(self, folder: Path) -> None:
        """Put optimizer, schedule and what is kept beside what trains where a checkpoint has them."""
        read_optimizer(folder, self.optimizer, self.schedule)
        if self.job.continuation is not None:
            set_rates(self.schedule)
        self._step.resume(folder)

    def _wanted(self, state: TrainerState) -> set[int | None]:
        """Steps whose checkpoints are kept however old they are: the best, and those that will be averaged."""
        average = self.job.options.against_forgetting.average
        last = 0 if average is None else average.last or 0
        return {best_step(state), *([step for step, _ in validation_losses(state)][-last:] if last else [])}


def peak_memory() -> int:
    """Most memory this process (or its GPU) ever held, in bytes."""
    if device_name() == "cuda":
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
