"""The training loop under `lightning.Trainer`: the same session, stepped by another.

Lightning owns the loop over windows, devices and signals; optimization is manual, because the engine makes a window's
gradient itself. The callbacks are those of the Trainer's loop, so that whatever watches, tracks or ends a training
does the same under both.
"""

from __future__ import annotations

import itertools
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning
import torch
from lightning.pytorch import LightningModule
from transformers import TrainerCallback, TrainerControl, TrainerState, set_seed
from transformers.trainer_callback import CallbackHandler, DefaultFlowCallback

from atanor.compute import device_name
from atanor.train.history import STATE
from atanor.train.loop import training_arguments
from atanor.train.objectives import TrainingItem
from atanor.train.session import Session
from atanor.train.snapshot import read_random
from atanor.train.windows import WindowLoader

Window = list[TrainingItem]


def run_lightning(session: Session, callbacks: list[TrainerCallback], resume: Path | None) -> TrainerState:
    """Train under `lightning.Trainer`; the state after the last step. See `run_transformers` for the arguments."""
    job = session.job
    set_seed(job.seed)
    loader = session.windows()
    total = job.budget.steps
    module = WindowModule(session, callbacks, steps=total, windows=len(loader), resume=resume)
    with _quiet():
        trainer = lightning.Trainer(
            accelerator=device_name(),
            devices=1,
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=job.folder,
        )
        try:
            trainer.fit(module, train_dataloaders=Remaining(loader, module.state.global_step, total))
        except SystemExit as error:  # what Lightning makes of a second ^C
            raise KeyboardInterrupt from error
    return module.state


class Remaining:
    """The windows of all epochs from one step on, as one sequence.

    Args:
        loader: of the windows of an epoch.
        first: optimizer steps that are behind us.
        total: optimizer steps of the whole run.
    """

    def __init__(self, loader: WindowLoader, first: int, total: int) -> None:
        self.loader = loader
        self.first = first
        self.total = total

    def __len__(self) -> int:
        return self.total - self.first

    def __iter__(self) -> Iterator[Window]:
        return itertools.islice(self._from_epoch(self.first // len(self.loader)), len(self))

    def _from_epoch(self, epoch: int) -> Iterator[Window]:
        done = self.first - epoch * len(self.loader)
        for number in itertools.count(epoch):
            self.loader.set_epoch(number)
            yield from itertools.islice(self.loader, done if number == epoch else 0, None)


class WindowModule(LightningModule):
    """Steps a session and tells callbacks what the Trainer tells them.

    Args:
        session: of the job.
        callbacks: told about steps; see `StepWatcher`.
        steps: optimizer steps of the whole run.
        windows: of an epoch.
        resume: a whole checkpoint to go on from.
    """

    def __init__(
        self, session: Session, callbacks: list[TrainerCallback], *, steps: int, windows: int, resume: Path | None
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.session = session
        self.windows = windows
        self.arguments = training_arguments(session.job)
        self.resume = resume
        self.state = TrainerState() if resume is None else TrainerState.load_from_json(str(resume / STATE))
        self.state.max_steps = steps
        self.state.train_batch_size = session.job.options.batch
        self.state.num_train_epochs = math.ceil(steps / windows)
        self.state.compute_steps(self.arguments, steps)
        self.control = TrainerControl()
        # The network is no part of the module: Lightning would move it off the device at the end.
        network = session.job.tuned.model
        flow = [DefaultFlowCallback, *callbacks]
        self.callbacks = CallbackHandler(flow, network, None, session.optimizer, session.begin(steps))

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[torch.optim.lr_scheduler.LRScheduler]]:
        return [self.session.optimizer], [self.session.schedule]

    def transfer_batch_to_device(self, batch: Window, device: torch.device, dataloader_idx: int) -> Window:
        """As it is: the engine lays rows out on its device."""
        del device, dataloader_idx
        return batch

    def on_train_start(self) -> None:
        if self.resume is not None:
            self.session.resume(self.resume)
            read_random(self.resume)
        self.control = self.callbacks.on_train_begin(self.arguments, self.state, self.control)

    def training_step(self, window: Window, number: int) -> None:
        """One optimizer step, and what is due after it."""
        del number  # counts from where this process began
        if self.state.global_step % self.windows == 0:
            self._tell("on_epoch_begin")
        self._tell("on_step_begin")
        self.session.gradient(window, self.state)
        # Without a limit the norm is only measured, as the Trainer does.
        parameters = self.session.job.tuned.model.parameters()
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.session.job.options.clip or math.inf)
        self._tell("on_pre_optimizer_step")
        self.optimizers().step()
        self._tell("on_optimizer_step")
        rate = float(self.session.schedule.get_last_lr()[0])
        self.lr_schedulers().step()
        self.session.job.tuned.model.zero_grad()
        self.state.global_step += 1
        self.state.epoch = self.state.global_step / self.windows
        self._tell("on_step_end")
        self._what_is_due({"grad_norm": float(norm), "learning_rate": rate})
        if self.state.global_step % self.windows == 0:
            self._tell("on_epoch_end")
        self.trainer.should_stop = self.control.should_training_stop

    def on_train_end(self) -> None:
        self._tell("on_train_end")

    def _what_is_due(self, figures: dict[str, float]) -> None:
        """Log, validate and save, in this order, as the Trainer does."""
        self._log({"loss": 0.0, **figures})
        if self.control.should_evaluate and (metrics := self.session.validate()):
            self._log(metrics)
            self.control = self.callbacks.on_evaluate(self.arguments, self.state, self.control, metrics)
        if self.control.should_save:
            self.session.save(self.state)
            self._tell("on_save")

    def _log(self, logs: dict[str, float]) -> None:
        told = {**self.session.entry(logs, self.state), "epoch": float(self.state.epoch or 0)}
        self.state.log_history.append({**told, "step": self.state.global_step})
        self.control = self.callbacks.on_log(self.arguments, self.state, self.control, told)

    def _tell(self, event: str) -> None:
        self.control = getattr(self.callbacks, event)(self.arguments, self.state, self.control)


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning says nothing of devices, workers and its own products; errors are raised all the same."""
    logger = logging.getLogger("lightning.pytorch")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        logger.setLevel(before)
