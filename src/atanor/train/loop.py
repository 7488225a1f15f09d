"""The training loop: `transformers.Trainer` with the project's own objective, order of rows and checkpoints.

The Trainer owns stepping, clipping, resuming and callbacks. What is changed here, and why:

* one of its batches is the whole window of an optimizer step, so that the engine can regroup the window's rows freely
  and the loss is normalised by the window's supervised tokens once (accumulation cannot change it);
* its validation computes the mean loss per supervised token and keeps no logits;
* its checkpoints are written beside, checksummed and renamed (`atanor.train.checkpoint`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from atanor.compute import device_name
from atanor.train.history import stopped_early
from atanor.train.job import TrainingJob
from atanor.train.objectives import TrainingItem
from atanor.train.session import Session
from atanor.train.snapshot import read_random
from atanor.train.windows import WindowLoader


def run_transformers(session: Session, callbacks: list[TrainerCallback], resume: Path | None) -> TrainerState:
    """Train under `transformers.Trainer`; the state after the last step.

    Args:
        session: what is done at each step.
        callbacks: told about steps; see `StepWatcher`.
        resume: a whole checkpoint to go on from; the numbers that train stand there already.
    """
    trainer = WindowTrainer(session, callbacks)
    trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    return trainer.state


def training_arguments(job: TrainingJob) -> TrainingArguments:
    """A job's options as the Trainer and its callbacks know them."""
    options = job.options
    return TrainingArguments(
        output_dir=str(job.folder),
        use_cpu=device_name() == "cpu",
        seed=job.seed,
        max_steps=job.budget.steps,
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


class WindowTrainer(Trainer):
    """Trains what trains of a base on windows of items.

    Args:
        session: what is done at each step.
        callbacks: told about steps; see `StepWatcher`.
    """

    def __init__(self, session: Session, callbacks: list[TrainerCallback]) -> None:
        job = session.job
        self.session = session
        super().__init__(
            model=job.tuned.model,
            args=training_arguments(job),
            train_dataset=list(job.training),
            callbacks=callbacks,
        )
        self.remove_callback(PrinterCallback)  # StepWatcher reports; nothing is printed from here

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        del model
        self.optimizer = self.session.optimizer
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        del optimizer
        self.lr_scheduler = self.session.begin(num_training_steps)
        return self.lr_scheduler

    def get_train_dataloader(self) -> WindowLoader:
        return self.session.windows()

    def training_step(
        self, model: torch.nn.Module, inputs: list[TrainingItem], num_items_in_batch: object = None
    ) -> torch.Tensor:
        """Gradient of one window; returns its mean loss per unit of weight."""
        del num_items_in_batch  # the engine normalises by the window itself
        del model
        return torch.tensor(self.session.gradient(inputs, self.state), device=self.args.device)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As the Trainer's, with what the session adds."""
        del start_time
        super().log(self.session.entry(logs, self.state))

    def floating_point_ops(self, inputs: object) -> int:
        """Not counted: the Trainer's formula assumes padded tensors and dense logits."""
        del inputs
        return 0

    def evaluate(self, *arguments: Any, **options: Any) -> dict[str, float]:
        """Mean validation loss per unit of weight, as `eval_loss`."""
        del arguments, options
        metrics = self.session.validate()
        if metrics:
            self.log(metrics)
            control: TrainerControl = self.control  # type: ignore[has-type]
            self.control = self.callback_handler.on_evaluate(self.args, self.state, control, metrics)
        return metrics

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        del model, trial
        self.session.save(self.state)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        """Nothing: `train` has put the numbers that train where they stood."""
        del resume_from_checkpoint, model

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self.session.resume(Path(checkpoint))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            read_random(Path(checkpoint))


class StepCounter(TrainerCallback):
    """Tells the session when the optimizer has made a step."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        self.session.stepped(state)


class TimeLimit(TrainerCallback):
    """Stops training at the first step after its time is spent."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        if self.session.out_of_time:
            control.should_evaluate = control.should_save = control.should_training_stop = True


class StepWatcher(TrainerCallback):
    """Says when to validate and save, and when to stop early; passes figures on to whoever is watching."""

    def __init__(
        self,
        every: int,
        patience: int,
        on_step: Callable[[TrainerState], None],
        stop_requested: Callable[[], bool],
        after: int = 0,
    ) -> None:
        self.after = after
        self.every = every
        self.patience = patience
        self.on_step = on_step
        self.stop_requested = stop_requested
        self.stopped = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        due = state.global_step % self.every == 0 or state.global_step >= state.max_steps
        control.should_evaluate = control.should_save = due
        self.stopped = self.stop_requested()
        if self.stopped:
            control.should_save = control.should_training_stop = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object) -> None:
        self.on_step(state)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        if stopped_early(state, self.patience, self.after):
            control.should_save = control.should_training_stop = True
