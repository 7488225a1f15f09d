"""How long a run trains: the budgets of its options, which of them comes first, and what is left.

Steps, epochs and tokens are known before the first step, so the learning-rate schedule ends where they do. Minutes and
money are measured: training stops at the first step after they are spent, and until then the schedule follows the
larger of the share of steps and the share of time, so that it reaches its end either way. Time adds up over
interruptions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from atanor.data.rows import TokenRow
from atanor.errors import ConfigurationError, Problem
from atanor.train.objectives import TrainingItem
from atanor.train.options import TrainOptions
from atanor.train.windows import WindowSampler

MINUTE, HOUR = 60.0, 3600.0


class Ended(StrEnum):
    """What ended a training."""

    EPOCHS = "epochs"
    MAX_STEPS = "max_steps"
    MAX_TOKENS = "max_tokens"
    MAX_MINUTES = "max_minutes"
    MAX_COST = "max_cost"
    PATIENCE = "patience"


@dataclass(frozen=True)
class Budget:
    """The end of a run, as far as it is known before the first step.

    Attributes:
        steps: optimizer steps at most.
        ends_steps: what these follow from.
        seconds: of training at most, or None.
        ends_time: what these follow from.
    """

    steps: int
    ends_steps: Ended
    seconds: float | None = None
    ends_time: Ended = Ended.MAX_MINUTES

    def in_words(self, batch: int) -> str:
        """`28 steps of 8 rows`, with what shortens them and what may."""
        shortened = "" if self.ends_steps is Ended.EPOCHS else f" ({self.ends_steps})"
        timed = "" if self.seconds is None else f" or {self.seconds / MINUTE:.3g} minutes ({self.ends_time})"
        return f"{self.steps} steps of {batch} rows{shortened}{timed}"

    def spent(self, seconds: float) -> bool:
        """Whether so much training uses the time up."""
        return self.seconds is not None and seconds >= self.seconds

    def time_share(self, seconds: float) -> float:
        """Share of the time that so much training takes; 0 where time is not limited."""
        return 0.0 if self.seconds is None else min(1.0, seconds / self.seconds)

    def ended(self, steps: int) -> Ended:
        """What ended a training after so many steps that nobody stopped and that did not lose patience."""
        return self.ends_steps if steps >= self.steps else self.ends_time


def steps_of(rows: int, options: TrainOptions) -> int:
    """Optimizer steps of a whole run by its epochs and `max_steps`."""
    steps = math.ceil(options.epochs * math.ceil(rows / options.batch))
    return steps if options.max_steps is None else min(steps, options.max_steps)


def tokens_of(item: TrainingItem) -> int:
    """Tokens of all rows an item consists of: a row is one, a preference pair has two."""
    rows = [item] if isinstance(item, TokenRow) else [row for row in vars(item).values() if isinstance(row, TokenRow)]
    return sum(len(row.tokens) for row in rows) if rows else len(item.tokens)


def budget_of(items: Sequence[TrainingItem], options: TrainOptions, seed: int) -> Budget:
    """The budget of a run.

    Args:
        items: what is learned from.
        options: with its limits.
        seed: of the order of items.

    Raises:
        ConfigurationError: `max_tokens` does not suffice for the first step.
    """
    steps = steps_of(len(items), options)
    by_epochs = options.max_steps is None or steps < options.max_steps
    ends_steps = Ended.EPOCHS if by_epochs else Ended.MAX_STEPS
    if options.max_tokens is not None:
        affordable = _steps_within(items, options, seed, steps)
        if affordable < steps:
            steps, ends_steps = affordable, Ended.MAX_TOKENS
    limits = [(Ended.MAX_MINUTES, options.max_minutes * MINUTE)] if options.max_minutes is not None else []
    if options.max_cost is not None and options.price_per_hour is not None:
        limits.append((Ended.MAX_COST, options.max_cost / options.price_per_hour * HOUR))
    if not limits:
        return Budget(steps, ends_steps)
    ends_time, seconds = min(limits, key=lambda limit: limit[1])
    return Budget(steps, ends_steps, seconds, ends_time)


def _steps_within(items: Sequence[TrainingItem], options: TrainOptions, seed: int, most: int) -> int:
    """Steps, up to `most`, whose tokens together stay within `max_tokens`."""
    assert options.max_tokens is not None
    sizes = [tokens_of(item) for item in items]
    sampler = WindowSampler(items, options.batch, seed, options.order)
    done, left = 0, options.max_tokens
    while done < most:
        sampler.set_epoch(done // len(sampler))
        for window in sampler:
            left -= sum(sizes[number] for number in window)
            if left < 0 or done == most:
                return done or _too_small(options, options.max_tokens - left)
            done += 1
    return done


def _too_small(options: TrainOptions, needed: int) -> int:
    problem = Problem(
        f"the first step has {needed:,} tokens",
        field="max_tokens",
        value=str(options.max_tokens),
        fix="Raise it, or lower `batch`",
    )
    raise ConfigurationError("the budget of tokens is smaller than one step", [problem])
