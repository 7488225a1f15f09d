"""The training loop: `transformers.Trainer` with the project's own objective, order of rows and checkpoints.

The Trainer owns the optimizer, the schedule, clipping, resuming and callbacks. What is changed here, and why:

* one of its batches is the whole window of an optimizer step, so that the engine can regroup the window's rows freely
  and the loss is normalised by the window's supervised tokens once (accumulation cannot change it);
* its validation computes the mean loss per supervised token and keeps no logits;
* its checkpoints are written beside, checksummed and renamed (`atanor.train.checkpoint`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from atanor.compute import Engine, device_name
from atanor.train.checkpoint import drop_old, writing_checkpoint
from atanor.train.job import TrainingJob
from atanor.train.objectives import TrainingItem
from atanor.train.optimizers import build_optimizer, build_schedule, set_training
from atanor.train.step import WindowStep
from atanor.train.windows import WindowLoader

STATE = "trainer_state.json"
AVERAGE = "average_loss"
"""Validation loss of the moving average of weights, in the history."""


class WindowTrainer(Trainer):
    """Trains what trains of a base on windows of items.

    Args:
        job: what is trained, on what and how.
        engine: computes losses on the job's model.
        callbacks: told about steps; see `StepWatcher`.
    """

    def __init__(self, job: TrainingJob, engine: Engine, callbacks: list[TrainerCallback]) -> None:
        self.job = job
        self.step = WindowStep(job, engine)
        options = job.options
        arguments = TrainingArguments(
            output_dir=str(job.folder),
            use_cpu=device_name() == "cpu",
            seed=job.seed,
            num_train_epochs=options.epochs,
            learning_rate=options.learning_rate,
            max_grad_norm=options.clip,
            per_device_train_batch_size=options.batch,
            logging_strategy="steps",
            logging_steps=1,
            logging_nan_inf_filter=False,
            save_strategy="no",  # StepWatcher says when, together with validation
            eval_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            # The Trainer writes this into the network's configuration, which is published with it.
            use_cache=job.tuned.model.config.use_cache,
        )
        self._clock = time.perf_counter()
        self._executed = 0
        self._penalties: dict[str, float] = {}
        watchers = [_StepCounter(self.step), *callbacks]
        super().__init__(model=job.tuned.model, args=arguments, train_dataset=list(job.training), callbacks=watchers)
        self.remove_callback(PrinterCallback)  # StepWatcher reports; nothing is printed from here

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        del model
        built: torch.optim.Optimizer | None = self.optimizer  # type: ignore[has-type]
        self.optimizer = built or build_optimizer(
            self.job.tuned.model.named_parameters(), self.job.options, self.job.rates
        )
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        built: torch.optim.lr_scheduler.LRScheduler | None = self.lr_scheduler  # type: ignore[has-type]
        self.lr_scheduler = built or build_schedule(
            optimizer or self.create_optimizer(), self.job.options, num_training_steps
        )
        return self.lr_scheduler

    def get_train_dataloader(self) -> WindowLoader:
        job = self.job
        return WindowLoader(job.training, job.options.batch, self.args.seed, job.options.order, job.replays)

    def training_step(
        self, model: torch.nn.Module, inputs: list[TrainingItem], num_items_in_batch: object = None
    ) -> torch.Tensor:
        """Gradient of one window; returns its mean loss per unit of weight."""
        del num_items_in_batch  # the engine normalises by the window itself
        del model
        set_training(self.optimizer, True)
        done = self.step(inputs, self.state.global_step + 1)
        self._executed = done.executed
        self._penalties = {f"penalty_{name}": value for name, value in done.penalties.items()}
        self.state.num_input_tokens_seen += done.logical
        return torch.tensor(done.loss, device=self.args.device)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As the Trainer's, with what is added up over interruptions.

        `elapsed` is seconds of training so far; `executed`, of a step, the tokens computed for it, and `penalty_…` what
        each regulariser added to its loss.
        """
        del start_time
        now = time.perf_counter()
        step = {"executed": float(self._executed), **self._penalties} if "loss" in logs else {}
        super().log({**logs, **step, "elapsed": elapsed(self.state) + now - self._clock})
        self._clock = now

    def floating_point_ops(self, inputs: object) -> int:
        """Not counted: the Trainer's formula assumes padded tensors and dense logits."""
        del inputs
        return 0

    def evaluate(self, *arguments: Any, **options: Any) -> dict[str, float]:
        """Mean validation loss per unit of weight, as `eval_loss`."""
        del arguments, options
        if not self.job.validation:
            return {}
        set_training(self.optimizer, False)
        metrics = {"eval_loss": self.step.validate()}
        if (averaged := self.step.validate_average()) is not None:
            metrics[AVERAGE] = averaged
        self.log(metrics)
        control: TrainerControl = self.control  # type: ignore[has-type]
        self.control = self.callback_handler.on_evaluate(self.args, self.state, control, metrics)
        return metrics

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        del model, trial
        set_training(self.optimizer, False)
        with writing_checkpoint(self.job.folder, self.state.global_step) as folder:
            self.step.save(folder)
            self._save_optimizer_and_scheduler(str(folder))
            self._save_scaler(str(folder))
            self._save_rng_state(str(folder))
            self.state.save_to_json(str(folder / STATE))
        average = self.job.options.against_forgetting.average
        last = 0 if average is None else average.last or 0
        averaged = [step for step, _ in validation_losses(self.state)][-last:] if last else []
        drop_old(self.job.folder, self.job.options.keep_checkpoints, {best_step(self.state), *averaged})

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        del model
        self.step.restore(Path(resume_from_checkpoint))


class _StepCounter(TrainerCallback):
    """Tells the step when the optimizer has made one."""

    def __init__(self, step: WindowStep) -> None:
        self.step = step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        self.step.stepped(state.global_step)


class StepWatcher(TrainerCallback):
    """Says when to validate and save, and when to stop early; passes figures on to whoever is watching."""

    def __init__(
        self, every: int, patience: int, on_step: Callable[[TrainerState], None], stop_requested: Callable[[], bool]
    ) -> None:
        self.every = every
        self.patience = patience
        self.on_step = on_step
        self.stop_requested = stop_requested

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        due = state.global_step % self.every == 0 or state.global_step >= state.max_steps
        control.should_evaluate = control.should_save = due
        if self.stop_requested():
            control.should_save = control.should_training_stop = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object) -> None:
        self.on_step(state)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        if stopped_early(state, self.patience):
            control.should_save = control.should_training_stop = True


def validation_losses(state: TrainerState) -> list[tuple[int, float]]:
    """(step, validation loss) of every validation so far, oldest first."""
    return [(entry["step"], entry["eval_loss"]) for entry in state.log_history if "eval_loss" in entry]


def training_losses(state: TrainerState) -> list[tuple[int, float]]:
    """(step, training loss) of every step so far, oldest first."""
    return [(entry["step"], entry["loss"]) for entry in state.log_history if "loss" in entry]


def executed_tokens(state: TrainerState) -> int:
    """Tokens computed for all steps so far; less than the rows' tokens by what rows of a step shared."""
    return int(sum(entry.get("executed", 0) for entry in state.log_history))


def elapsed(state: TrainerState) -> float:
    """Seconds of training up to the newest entry of the history."""
    return float(state.log_history[-1].get("elapsed", 0.0)) if state.log_history else 0.0


@dataclass(frozen=True)
class Validated:
    """A validation loss of the weights after a step, or of their moving average."""

    loss: float
    step: int
    averaged: bool


def validated(state: TrainerState) -> list[Validated]:
    """All validation losses so far, the lowest first, the earlier of equals."""
    entries = [entry for entry in state.log_history if "eval_loss" in entry]
    plain = [Validated(entry["eval_loss"], entry["step"], False) for entry in entries]
    averaged = [Validated(entry[AVERAGE], entry["step"], True) for entry in entries if AVERAGE in entry]
    return sorted([*plain, *averaged], key=lambda one: (one.loss, one.step, one.averaged))


def best_step(state: TrainerState) -> int | None:
    """Step with the lowest validation loss, the earliest of equals; None before the first validation."""
    found = validated(state)
    return found[0].step if found else None


def stopped_early(state: TrainerState, patience: int) -> bool:
    """The last `patience` validations brought no improvement. Read from the history, so a resumed run agrees."""
    losses = validation_losses(state)
    since_best = sum(1 for step, _ in losses if step > (best_step(state) or 0))
    return patience > 0 and since_best >= patience
