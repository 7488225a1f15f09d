"""What is read from the history of a training: the one record that every loop writes and a checkpoint keeps.

Whether to stop, which step was best and what a run took follow from it alone, so that a resumed run decides as an
undisturbed one does, and one loop as another.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformers import TrainerState

STATE = "trainer_state.json"
AVERAGE = "average_loss"
"""Validation loss of the moving average of weights, in the history."""


def validation_losses(state: TrainerState) -> list[tuple[int, float]]:
    """(step, validation loss) of every validation so far, oldest first."""
    return [(entry["step"], entry["eval_loss"]) for entry in state.log_history if "eval_loss" in entry]


def training_losses(state: TrainerState) -> list[tuple[int, float]]:
    """(step, training loss) of every step so far, oldest first."""
    return [(entry["step"], entry["loss"]) for entry in state.log_history if "loss" in entry]


def executed_tokens(state: TrainerState) -> int:
    """Tokens computed for all steps so far; less than the rows' tokens by what rows of a step shared."""
    return int(sum(entry.get("executed", 0) for entry in state.log_history))


def skipped_steps(state: TrainerState) -> int:
    """Steps left out so far because their gradients overflowed float16."""
    return sum(1 for entry in state.log_history if entry.get("skipped"))


def elapsed(state: TrainerState) -> float:
    """Seconds of training up to the newest entry of the history."""
    return float(state.log_history[-1].get("elapsed", 0.0)) if state.log_history else 0.0


def most_memory(state: TrainerState) -> int:
    """Bytes that the processes of this training ever held together, as told at validations."""
    return int(max((entry.get("peak_memory", 0) for entry in state.log_history), default=0))


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


def stopped_early(state: TrainerState, patience: int, after: int = 0) -> bool:
    """The last `patience` validations brought no improvement. Read from the history, so a resumed run agrees.

    Validations up to the step `after` do not count: a training that goes on gets its patience anew.
    """
    losses = validation_losses(state)
    since_best = sum(1 for step, _ in losses if step > max(after, best_step(state) or 0))
    return patience > 0 and since_best >= patience
