"""The loss of distillation: distance from a teacher's distributions, and completion of the answers beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from atanor.compute import Engine, Matching, Taught, Teacher, total_weight
from atanor.data.rows import TokenRow
from atanor.train.objectives.base import Objective

WriteAnswers = Callable[[Sequence[TokenRow], int], Sequence[TokenRow]]
"""(the rows of a step, its number) -> the same prompts with answers of the student."""
MakeTeacher = Callable[[Engine], Teacher]
"""From the engine that computes on the student to the teacher."""

_TOGETHER = 64
"""Rows of a validation whose teacher's states are in memory at once."""


class Distillation(Objective):
    """The mean over supervised tokens of `Matching`, on the rows' answers or on those the student writes.

    On answers the student wrote there is no completion loss, because nobody says that they are right.

    Args:
        how: the loss.
        teacher: makes the teacher at the first step; not asked where `drawn` has every row.
        drawn: for each row's id tokens drawn from the teacher, (its supervised tokens, k).
        write: makes answers of the student; None learns from the rows' own.
        every: steps from one such step to the next.
    """

    def __init__(
        self,
        how: Matching,
        *,
        teacher: MakeTeacher | None = None,
        drawn: Mapping[str, Tensor] | None = None,
        write: WriteAnswers | None = None,
        every: int = 1,
    ) -> None:
        self.how = how
        self.drawn = drawn
        self.write = write
        self.every = every
        self._make = teacher
        self._teacher: Teacher | None = None
        self._step = 0

    def at_step(self, step: int) -> None:
        """Told the number of the optimizer step that comes, from 1: what is drawn in it follows from the number."""
        self._step = step

    def rows(self, item: TokenRow) -> Sequence[TokenRow]:
        return (item,)

    def backward(self, engine: Engine, window: Sequence[TokenRow]) -> float:
        if self.drawn is not None:
            return engine.backward_targets(window, self._targets(window), self.how)
        if self.write is None or self._step % self.every:
            return engine.backward_matching(window, self._taught(engine, window), self.how)
        written = self.write(window, self._step)
        how = replace(self.how, divergence_weight=1.0, completion_weight=0.0)
        return engine.backward_matching(written, self._taught(engine, written), how)

    def weight(self, items: Sequence[TokenRow]) -> float:
        return total_weight(items)

    def mean_loss(self, engine: Engine, items: Sequence[TokenRow]) -> float:
        total = 0.0
        for start in range(0, len(items), _TOGETHER):
            part = items[start : start + _TOGETHER]
            if self.drawn is not None:
                mean = engine.mean_targets(part, self._targets(part), self.how)
            else:
                mean = engine.mean_matching(part, self._taught(engine, part), self.how)
            total += mean * total_weight(part)
        return total / total_weight(items)

    def _targets(self, rows: Sequence[TokenRow]) -> Tensor:
        assert self.drawn is not None
        return torch.cat([self.drawn[drawn_for(row)] for row in rows])

    def _taught(self, engine: Engine, rows: Sequence[TokenRow]) -> Taught:
        if self._teacher is None:
            assert self._make is not None
            self._teacher = self._make(engine)
        return self._teacher(rows)


def drawn_for(row: TokenRow) -> str:
    """The name under which a row's drawn tokens are kept: its content, for the parts of a split example share an id."""
    return hashlib.sha256(json.dumps([row.tokens, row.weights]).encode()).hexdigest()[:32]
