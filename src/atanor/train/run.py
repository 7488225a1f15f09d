"""Train what trains of a base to the best checkpoint, resuming where an interrupted run stopped."""

from __future__ import annotations

import importlib.util
import json
import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import torch
from transformers import TrainerCallback, TrainerState

from atanor.compute import EmbeddingNoise, Engine, Route, has_fast_bfloat16
from atanor.data.rows import TokenRow
from atanor.errors import AtanorError, DataError, MissingExtraError, Problem, StoreError
from atanor.progress import Activity, Progress
from atanor.store.files import write_text, writing_folder
from atanor.store.holding import holding
from atanor.train.budget import Ended
from atanor.train.checkpoint import Checkpoint, checkpoints, first_whole, newest_whole, sweep
from atanor.train.history import (
    STATE,
    Validated,
    best_step,
    elapsed,
    executed_tokens,
    most_memory,
    skipped_steps,
    stopped_early,
    training_losses,
    validated,
    validation_losses,
)
from atanor.train.job import TrainingJob
from atanor.train.loop import StepCounter, StepWatcher, TimeLimit, run_transformers
from atanor.train.options import Loop, Order, Precision, Sharding, TrainOptions
from atanor.train.remedies.averaging import MOVING, mean_of, put, swapped_in
from atanor.train.session import Session, peak_memory
from atanor.train.sharding import Sharded

VERSIONS = "versions.json"
TRAINER_LOCK = "trainer.lock"
"""Beside the store's own lock, which whoever calls `train` may hold already."""


class Interrupted(AtanorError, KeyboardInterrupt):
    """The person stopped training; its state is on disk and `atanor run` goes on from there."""

    exit_code = 130


@dataclass(frozen=True)
class TrainingResult:
    """What `train` made. Time and tokens add up over interruptions; memory is the most that was held at a time, by all
    processes that train together.

    `averaged` says what mean of weights was published, where one was better than every checkpoint. `folder` is what
    others load. `logical_tokens` are those of the rows, `executed_tokens` those computed: what rows of
    a step share counts once. `ended` is what ended training. `skipped` steps were left out because their gradients
    overflowed float16.
    """

    folder: Path
    precision: str
    steps: int
    best_step: int
    resumed_at: int
    seconds: float
    logical_tokens: int
    executed_tokens: int
    peak_memory_bytes: int
    train_loss: tuple[tuple[int, float], ...]
    validation_loss: tuple[tuple[int, float], ...]
    averaged: str | None = None
    ended: Ended = Ended.EPOCHS
    skipped: int = 0


def train_dtype(precision: Precision) -> torch.dtype:
    """The arithmetic a `precision` option means on this machine."""
    if precision is Precision.AUTO:
        return torch.bfloat16 if has_fast_bfloat16() else torch.float32
    return {Precision.BFLOAT16: torch.bfloat16, Precision.FLOAT16: torch.float16}.get(precision, torch.float32)


def train(job: TrainingJob, progress: Progress) -> TrainingResult:
    """Run or resume a job; leave the best checkpoint in the network and publish it.

    Several processes that train together leave checkpoints and publish nothing: who started them calls this alone
    with the same job, which finds it trained.

    Raises:
        DataError: nothing to learn from.
        TrainingError: a loss that is not finite.
        Interrupted: the person pressed ^C; the state after the last step is saved.
        StoreError: a checkpoint could not be written, and the one before it is whole; or another process trains in
            this folder.
    """
    _require_supervision(job)
    if not job.group.first:
        return _train(job, progress)
    # Of the processes that train together, the first one holds the folder.
    with holding(job.folder, f"the training in {job.folder}", TRAINER_LOCK):
        sweep(job.folder)
        return _train(job, progress)


def _train(job: TrainingJob, progress: Progress) -> TrainingResult:
    dtype = train_dtype(job.options.precision)
    engine = Engine(
        job.tuned.model,
        pad=job.pad,
        tokens_per_pass=job.options.tokens_per_pass,
        dtype=dtype,
        share=job.options.shares_prefixes,
        compile=job.options.compile,
        noise=None if job.options.neftune is None else EmbeddingNoise(job.options.neftune, job.seed),
    )
    _self_check(engine, job, progress)
    for regulariser in job.regularisers:
        regulariser.begin(engine, progress)
    resume = _newest(job, progress)
    if job.continuation is not None and resume is None:
        problem = Problem("no checkpoint is whole", file=str(job.folder), fix="Remove the folder and continue again")
        raise StoreError("there is nothing to go on from", [problem])
    if job.group.first:
        _compare_versions(job, resume, progress)
    state = _run_trainer(job, engine, resume, progress)
    ended = _ended(job, state, progress)
    job.follow(state.log_history)
    best, averaged = best_step(state) or state.global_step, None
    if job.group.alone:
        best, averaged = _publish(job, engine, state, progress)
    return TrainingResult(
        folder=job.folder / job.tuned.folder_name,
        precision=str(dtype).removeprefix("torch."),
        steps=state.global_step,
        best_step=best,
        averaged=averaged,
        ended=ended,
        skipped=skipped_steps(state),
        resumed_at=0 if resume is None or resume.step <= job.after else resume.step,
        seconds=elapsed(state),
        logical_tokens=int(state.num_input_tokens_seen),
        executed_tokens=executed_tokens(state),
        peak_memory_bytes=max(peak_memory(), most_memory(state)),
        train_loss=tuple(training_losses(state)),
        validation_loss=tuple(validation_losses(state)),
    )


def _ended(job: TrainingJob, state: TrainerState, progress: Progress) -> Ended:
    """What ended training, which is said where it is not what its epochs would have been; and what was left out."""
    if skipped := skipped_steps(state):
        told = f"{skipped} of {state.global_step} steps were left out: their gradients overflowed float16"
        progress.say(f"training  {told}")
    early = state.global_step < job.budget.steps and stopped_early(state, job.options.patience)
    ended = Ended.PATIENCE if early else job.budget.ended(state.global_step)
    if ended is not Ended.EPOCHS:
        spent = f"{elapsed(state) / 60:.3g} minutes"
        progress.say(f"training  ended by `{ended}` after {state.global_step} steps and {spent}")
    return ended


def _newest(job: TrainingJob, progress: Progress) -> Checkpoint | None:
    """The checkpoint to go on from. The first process looks, because it sets damaged ones aside."""
    found = newest_whole(job.folder, progress) if job.group.first else None
    step = job.group.of_first(0 if found is None else found.step)
    return next((one for one in checkpoints(job.folder) if one.step == step), None)


def _publish(job: TrainingJob, engine: Engine, state: TrainerState, progress: Progress) -> tuple[int, str | None]:
    """Put the best weights into the network and write what others load; returns their step and what mean they are."""
    best = _best_whole(job.folder, state, progress)
    job.tuned.restore(best.weights)
    averaged = "the moving average of the weights" if best.averaged else None
    averaged = _take_mean(job, engine, state, best, progress) or averaged
    job.tuned.model.eval()
    with writing_folder(job.folder / job.tuned.folder_name) as folder:
        job.tuned.publish(folder)
    return best.checkpoint.step, averaged


@dataclass(frozen=True)
class _Best:
    """The best weights on the disk.

    Attributes:
        checkpoint: which holds them.
        averaged: they are the moving average it holds.
        loss: their validation loss; infinite without validation.
    """

    checkpoint: Checkpoint
    averaged: bool
    loss: float

    @property
    def weights(self) -> Path:
        return self.checkpoint.folder / MOVING if self.averaged else self.checkpoint.folder


def _best_whole(run: Path, state: TrainerState, progress: Progress) -> _Best:
    """The weights of lowest validation loss whose checkpoint is whole; without validation the last ones.

    Raises:
        StoreError: none is left.
    """
    wanted = validated(state) or [Validated(math.inf, state.global_step, False)]
    for one in wanted:
        there = [checkpoint for checkpoint in checkpoints(run) if checkpoint.step == one.step]
        found = first_whole(there, run, progress)
        if found is None:
            continue
        if one.step != wanted[0].step:
            progress.say(
                f"training  the best checkpoint, of step {wanted[0].step}, is gone; that of step {one.step} is taken"
            )
        return _Best(found, one.averaged, one.loss)
    problem = Problem("no checkpoint is whole", file=str(run), fix="Remove the folder and run again")
    raise StoreError("the trained weights are gone", [problem])


def _take_mean(job: TrainingJob, engine: Engine, state: TrainerState, best: _Best, progress: Progress) -> str | None:
    """Put the mean of the last checkpoints into the model if it validates better than the best; says so."""
    average = job.options.against_forgetting.average
    if average is None or average.last is None or not job.validation:
        return None
    steps = [step for step, _ in validation_losses(state)][-average.last :]
    there = [checkpoint for checkpoint in checkpoints(job.folder) if checkpoint.step in steps]
    whole = [found for checkpoint in there if (found := first_whole([checkpoint], job.folder, progress)) is not None]
    name = f"the mean of the last {len(whole)} checkpoints"
    if len(whole) < average.last:
        progress.say(f"training  {name} is taken: there are no more")
    mean = mean_of(job.tuned, [checkpoint.folder for checkpoint in whole])
    job.tuned.model.eval()
    with swapped_in(job.tuned, mean):
        loss = job.objective.mean_loss(engine, job.validation)
    better = loss < best.loss
    progress.say(
        f"training  {name}: validation loss {loss:.4f}, {'better' if better else 'not better'} than {best.loss:.4f}"
    )
    if better:
        put(job.tuned, mean)
    return name if better else None


def _run_trainer(job: TrainingJob, engine: Engine, resume: Checkpoint | None, progress: Progress) -> TrainerState:
    """The Trainer's state after the last step, whether it ran now or before."""
    total = job.budget.steps
    run_loop = _loop(job.options.loop)
    if resume is not None:
        before = TrainerState.load_from_json(str(resume.folder / STATE))
        if before.global_step >= total or stopped_early(before, job.options.patience, job.after):
            return before
        if job.budget.spent(elapsed(before)):
            return before
        progress.say(f"training  resuming at step {resume.step} of {total}")
        job.tuned.restore(resume.folder)
    job.objective.prepare(engine, [*job.training, *job.validation], progress)
    start = 0 if resume is None else resume.step
    with _stopping_on_interrupt() as stop, progress.start("training", total, "step", done=start) as bar:
        watcher = StepWatcher(
            every=steps_between_validations(len(job.training), job.options),
            patience=job.options.patience,
            on_step=_reporter(bar, job),
            stop_requested=lambda: job.group.any(stop.is_set() or job.group.stop_requested()),
            after=job.after,
        )
        sharded = Sharded(engine.network, job.group.size) if job.group.sharding is Sharding.FSDP else None
        session = Session(job, engine, sharded)
        callbacks = [StepCounter(session), watcher, *([TimeLimit(session)] if job.budget.seconds else [])]
        state = run_loop(session, callbacks, None if resume is None else resume.folder)
    if watcher.stopped and state.global_step < total and not job.budget.spent(elapsed(state)):
        raise Interrupted(
            f"stopped after step {state.global_step} of {total}; the state of that step is safe. "
            "`atanor run` goes on from there."
        )
    return state


def _loop(name: Loop) -> Callable[[Session, list[TrainerCallback], Path | None], TrainerState]:
    if name is Loop.TRANSFORMERS:
        return run_transformers
    if importlib.util.find_spec("lightning") is None:
        fix = "Run `python -m pip install 'atanor[lightning]'`, or write `loop: transformers`"
        problem = Problem("it is not installed", field="loop", value=name.value, fix=fix)
        raise MissingExtraError("training under Lightning needs the `lightning` package", [problem])
    from atanor.train.lightning_loop import run_lightning

    return run_lightning


def steps_between_validations(rows: int, options: TrainOptions) -> int:
    """As asked for, or a quarter of an epoch."""
    return options.validate_every or max(1, round(rows / options.batch / 4))


def _reporter(bar: Activity, job: TrainingJob) -> Callable[[TrainerState], None]:
    """Shows every step's loss, the newest validation loss and the tokens a second on the progress bar."""

    def report(state: TrainerState) -> None:
        job.follow(state.log_history)
        newest = state.log_history[-1]
        figures: dict[str, float | str] = {}
        if losses := training_losses(state):
            figures["loss"] = losses[-1][1]
        if validated := validation_losses(state):
            figures["val"] = validated[-1][1]
        if seconds := elapsed(state):
            figures["tok/s"] = round(state.num_input_tokens_seen / seconds)
        bar.advance(1 if "loss" in newest else 0, **figures)

    return report


@contextmanager
def _stopping_on_interrupt() -> Iterator[threading.Event]:
    """Within this context the first ^C asks for a stop after the running step; a second one stops at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _require_supervision(job: TrainingJob) -> None:
    if not any(item.supervised for item in job.training):
        raise DataError(
            "there is nothing to learn from",
            [
                Problem(
                    reason=f"none of the {len(job.training)} training rows has a token with a loss weight",
                    field="data",
                    fix="Give rows whose answers are not empty and not excluded by `weight: 0`",
                )
            ],
        )


def _self_check(engine: Engine, job: TrainingJob, progress: Progress) -> None:
    """Compare the engine with the model's own computation on a few rows before the first step, and say what it does."""
    rows = [row for item in job.training if item.supervised for row in job.objective.rows(item)]
    difference = engine.self_check(rows_to_check(rows, engine.tokens_per_pass))
    if engine.route is Route.SEPARATE and engine.reason:
        progress.say(f"training  rows share nothing: {engine.reason}; computing {engine.route.value}")
    elif engine.route is not Route.FOREST:
        progress.say(
            f"training  the fast computation differs from this model's own by {difference:.1e} (tolerance "
            f"{engine.tolerance:.0e}); computing {engine.route.value}, which is slower"
        )
    if job.options.order is Order.BY_PREFIX:
        progress.say(
            "training  rows of one prefix stand in the same step (order: by_prefix), another sampling than shuffled"
        )


def rows_to_check(rows: Sequence[TokenRow], tokens_per_pass: int) -> list[TokenRow]:
    """The shortest row and the short row that has most in common with it, cut where they would fill half a pass."""
    shortest = sorted((row for row in rows if row.supervised), key=lambda row: (len(row.tokens), row.example_id))[
        :_CHECKED_AMONG
    ]
    first, *others = shortest
    chosen = [first, *sorted(others, key=lambda row: -_in_common(first.tokens, row.tokens))[:1]]
    # The model's own computation takes more memory than the fast one, which must not be the most a run takes.
    longest = max(2, tokens_per_pass // 4)
    start = max(0, min(map(_first_supervised, chosen)) - longest // 2)
    if max(len(row.tokens) for row in chosen) <= longest:
        return chosen
    end = start + longest
    return [replace(row, tokens=row.tokens[start:end], weights=row.weights[start:end]) for row in chosen]


def _first_supervised(row: TokenRow) -> int:
    return next(place for place, weight in enumerate(row.weights) if place and weight > 0)


def _in_common(one: Sequence[int], other: Sequence[int]) -> int:
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))


_CHECKED_AMONG = 32


def _compare_versions(job: TrainingJob, resume: Checkpoint | None, progress: Progress) -> None:
    """Tell when a run resumes under other library versions than it began with."""
    file = job.folder / VERSIONS
    if resume is None or not file.is_file():
        write_text(file, json.dumps(job.versions, indent=1))
        return
    before = json.loads(file.read_text(encoding="utf-8"))
    for name, version in job.versions.items():
        if before.get(name) != version:
            progress.say(f"training  began with {name} {before.get(name)}, goes on with {version}: bits may differ")
