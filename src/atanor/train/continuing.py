"""More steps after the last one of a finished training, with its optimizer and its order of rows.

A schedule that has come down has to come up again: at the last rate hardly anything moves, and at the first peak much
of what was learned is lost (Ibrahim et al. 2024, arXiv:2403.08763, "Simple and scalable strategies to continually
pre-train large language models"). The added steps therefore have the schedule of the method once more, warm-up
included, as if they were a training of their own, and its peak is a stated share of the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from atanor.train.optimizers import build_schedule
from atanor.train.options import TrainOptions

PEAK = 0.5
"""Share of the first peak that added steps rise to, unless another is given."""


@dataclass(frozen=True)
class Continuation:
    """What goes on.

    Attributes:
        after: optimizer steps that were done before.
        peak: share of the first peak that the added steps rise to.
    """

    after: int
    peak: float = PEAK


def build_continued(optimizer: Optimizer, options: TrainOptions, steps: int, continuation: Continuation) -> LRScheduler:
    """The schedule over the added steps; `steps` are all, those before included."""
    alone = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = build_schedule(alone, options, steps - continuation.after)
    assert isinstance(schedule, LambdaLR)
    factor: Callable[[int], float] = schedule.lr_lambdas[0]
    return LambdaLR(optimizer, lambda step: continuation.peak * factor(max(0, step - continuation.after)))


def set_rates(schedule: LRScheduler) -> None:
    """Give the optimizer the rates of the schedule's present step: the ones it was saved with are of another."""
    assert isinstance(schedule, LambdaLR)
    rates = [
        base * factor(schedule.last_epoch) for base, factor in zip(schedule.base_lrs, schedule.lr_lambdas, strict=True)
    ]
    for group, rate in zip(schedule.optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    schedule._last_lr = rates
