"""What a training is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from atanor.models import Tuned
from atanor.train.budget import Budget, budget_of
from atanor.train.continuing import Continuation
from atanor.train.group import ALONE, Group
from atanor.train.objectives import Completion, Objective, TrainingItem
from atanor.train.options import TrainOptions
from atanor.train.remedies.regulariser import Regulariser
from atanor.train.remedies.replay import Replay

Follow = Callable[[Sequence[Mapping[str, Any]]], None]


def unfollowed(history: Sequence[Mapping[str, Any]]) -> None:
    """Nobody follows."""
    del history


@dataclass(frozen=True)
class TrainingJob:
    """What `train` needs.

    Attributes:
        tuned: the base with what trains of it, as it begins.
        training: items to learn from.
        validation: items that choose the best checkpoint.
        options: how.
        pad: token id to fill passes with.
        seed: of the order of rows.
        folder: of this run; receives checkpoints and, at the end, the published folder (`adapter/` or `model/`).
        versions: of the libraries; a resume under others is told, because bits may then differ.
        objective: what is minimised; decides what an item is.
        group: this process's place among those that train the job together.
        follow: told the whole history of losses after every new entry: step, `loss` or `eval_loss`, `elapsed` seconds.
        continuation: of a training whose last checkpoint lies in the folder; None begins afresh.
        rates: parts of parameters' names, and by how much their learning rate is multiplied.
        replays: general rows that stand among the training rows of every step.
        regularisers: what is added to the objective.
    """

    tuned: Tuned
    training: Sequence[TrainingItem]
    validation: Sequence[TrainingItem]
    options: TrainOptions
    pad: int
    seed: int
    folder: Path
    versions: dict[str, str]
    objective: Objective = field(default_factory=Completion)
    group: Group = ALONE
    rates: Mapping[str, float] = field(default_factory=dict)
    replays: Sequence[Replay] = ()
    regularisers: Sequence[Regulariser] = ()
    follow: Follow = unfollowed
    continuation: Continuation | None = None

    @property
    def after(self) -> int:
        """Optimizer steps that were done before this training."""
        return 0 if self.continuation is None else self.continuation.after

    @cached_property
    def budget(self) -> Budget:
        """When training ends.

        Raises:
            ConfigurationError: `max_tokens` does not suffice for the first step.
        """
        return budget_of(self.training, self.options, self.seed)
