"""Whether two computations of a loss and its gradient agree."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Measured:
    """A loss, and the gradients of those parameters that got one."""

    loss: float
    gradients: list[Tensor]

    @property
    def finite(self) -> bool:
        return all(torch.isfinite(one).all() for one in (torch.tensor(self.loss), *self.gradients))


def measured(trained: Sequence[torch.nn.Parameter], compute: Callable[[], float]) -> Measured:
    """What a computation gives; without trained parameters the loss alone."""
    for parameter in trained:
        parameter.grad = None
    with contextlib.nullcontext() if trained else torch.no_grad():
        loss = compute()
    return Measured(loss, [parameter.grad for parameter in trained if parameter.grad is not None])


def difference(ours: Measured, truth: Measured) -> float:
    """The larger of the relative differences of loss and gradient; an infinite truth tells nothing."""
    if not truth.finite:
        return 0.0
    if len(ours.gradients) != len(truth.gradients) or not ours.finite:
        return float("inf")
    loss = abs(ours.loss - truth.loss) / max(abs(truth.loss), 1e-12)
    # One parameter at a time, because all gradients of full tuning in float64 would be the most a run takes.
    pairs = zip(ours.gradients, truth.gradients, strict=True)
    apart = sum(float((one.double() - other).square().sum()) for one, other in pairs)
    scale = sum(float(other.double().square().sum()) for other in truth.gradients)
    return max(loss, (apart / scale) ** 0.5 if scale else 0.0)
